//! Two nodes that are cut apart may be about to fence each other: at least one of them waits long enough to be fenced first.

use crate::common::{config, short};
use serde_json::{Value, json};
use siaga_model::plan::{Action, MoveKind, Placement, Request};

/// How long the fence of that plan waits, milliseconds.
fn wait_ms(site: &str, seen: &Value, kind: MoveKind) -> u64 {
    let config = config(site);
    let seen = short::observation(&config, seen);
    let request = Request {
        kind,
        goal: Placement::ActiveOn(seen.observer.clone()),
        attested: Vec::new(),
        may_fence: true,
        accepts_old_data: false,
    };
    let plan = siaga_planner::plan(&config, &seen, &request, &[]).unwrap();
    let waits = plan.steps.iter().find_map(|step| match &step.action {
        Action::Fence { wait_ms, .. } => Some(*wait_ms),
        _ => None,
    });
    waits.expect("a fence")
}

#[test]
fn the_second_node_waits_longer_than_the_first() {
    let second = json!({ "observer": "backup", "serverdb": "silent", "backup": "free" });
    assert_eq!(wait_ms("pair", &second, MoveKind::Takeover), 6000);
    let first = json!({ "observer": "serverdb", "serverdb": "free", "backup": "silent" });
    assert_eq!(wait_ms("pair", &first, MoveKind::Takeover), 3000);
}

#[test]
fn who_holds_the_service_does_not_wait() {
    let holder = json!({ "observer": "backup", "serverdb": "silent", "backup": "crashed" });
    assert_eq!(wait_ms("pair", &holder, MoveKind::Start), 0);
}

#[test]
fn one_that_is_off_fences_nobody() {
    let off = json!({
        "observer": "backup", "backup": "free",
        "serverdb": { "is": "silent", "fences": { "ipmi": "fenced" } }
    });
    assert_eq!(wait_ms("pair", &off, MoveKind::Takeover), 0);
}

/// The later one finds the other's key and mandate on the disk.
#[test]
fn a_reservation_needs_no_wait() {
    let silent = json!({ "observer": "backup", "serverdb": "silent", "backup": "free" });
    assert_eq!(wait_ms("reserved", &silent, MoveKind::Takeover), 0);
}
