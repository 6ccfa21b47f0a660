//! May new hardware take a node's place? Never while anything rests on the old machine.

use crate::common::{config, short};
use serde_json::{Value, json};
use siaga_model::keys_api::OffForGood;
use siaga_model::refusal::{RefusalCode, Sentence};
use siaga_planner::may_replace;

fn code(seen: &Value, how: OffForGood) -> Option<RefusalCode> {
    let config = config("pair");
    let seen = short::observation(&config, seen);
    let refused = may_replace(&config, &seen, &"serverdb".into(), how).err()?;
    assert!(!refused.next.is_empty(), "{refused:?}");
    Some(refused.code)
}

fn unplugged(seen: &Value) -> Option<RefusalCode> {
    code(seen, OffForGood::Unplugged)
}

#[test]
fn a_silent_machine_is_replaced_where_the_service_runs_here() {
    let world = json!({ "observer": "backup", "serverdb": "silent", "backup": "active" });
    assert_eq!(unplugged(&world), None);
    assert_eq!(code(&world, OffForGood::SwitchedOff), None);
}

#[test]
fn one_that_answers_is_not_whatever_it_holds() {
    for is in ["free", "active", "crashed"] {
        let world = json!({ "observer": "backup", "serverdb": is, "backup": "active" });
        assert_eq!(unplugged(&world), Some(RefusalCode::NodeInUse), "{is}");
    }
}

/// A replacement is no release proof: the old machine may hold what this node does not.
#[test]
fn one_that_may_hold_the_disk_set_is_not() {
    let world = json!({ "observer": "backup", "serverdb": "silent", "backup": "free" });
    let config = config("pair");
    let seen = short::observation(&config, &world);
    let refused = may_replace(&config, &seen, &"serverdb".into(), OffForGood::Unplugged);
    let refused = refused.unwrap_err();
    assert_eq!(refused.code, RefusalCode::NodeInUse);
    let may_hold = Sentence::RefusedReplaceMayHold {
        node: "serverdb".into(),
        service: "simrs".into(),
    };
    assert_eq!(refused.sentence, may_hold);
    let silent = |s: &Sentence| matches!(s, Sentence::NodeSilent { .. });
    assert!(refused.evidence.iter().any(silent), "{refused:?}");
}

#[test]
fn a_sign_of_life_contradicts_the_word_that_it_is_off() {
    let power = json!({
        "observer": "backup", "serverdb": { "is": "silent", "power": "on" }, "backup": "active"
    });
    let served = json!({
        "observer": "backup", "serverdb": "silent", "backup": "active",
        "probes": [{ "serving": true, "node": "serverdb" }]
    });
    for world in [power, served] {
        let contradicted = Some(RefusalCode::AttestationContradicted);
        assert_eq!(unplugged(&world), contradicted, "{world}");
    }
}
