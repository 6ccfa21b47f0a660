//! A rehearsal: when it may be, whether it fits, and what it came to. And whether data is what was last seen.

use crate::common::{config, short};
use serde_json::{Value, json};
use siaga_model::Why;
use siaga_model::integrity::{ControlSeen, Judged};
use siaga_model::observation::LastTake;
use siaga_model::refusal::RefusalCode;
use siaga_model::rehearsal::{IndexCheck, RehearsalOutcome, RehearsalTest, SourceFacts, Tried};
use siaga_planner::integrity::{LastSeen, When, judge};
use siaga_planner::rehearsal::{Room, Scene, grade, scene};

fn asked(seen: Value) -> Result<Scene, RefusalCode> {
    let config = config("pair");
    scene(&config, &short::observation(&config, &seen)).map_err(|r| r.code)
}

#[test]
fn the_standby_is_the_node_that_has_nothing_of_a_service_that_runs() {
    let at = |seen| asked(seen).map(|s| (s.holder.to_string(), s.standby.to_string()));
    let pair = |a: &str, b: &str| Ok((a.to_owned(), b.to_owned()));
    for observer in ["serverdb", "backup"] {
        let seen = json!({ "observer": observer, "serverdb": "active", "backup": "free" });
        assert_eq!(at(seen), pair("serverdb", "backup"));
        let seen = json!({ "observer": observer, "serverdb": "free", "backup": "active" });
        assert_eq!(at(seen), pair("backup", "serverdb"));
    }
    let stopped = json!({ "observer": "backup", "serverdb": "free", "backup": "free" });
    assert_eq!(at(stopped), Err(RefusalCode::NotRunning));
    let alone = json!({ "observer": "serverdb", "serverdb": "active", "backup": "silent" });
    assert_eq!(at(alone), Err(RefusalCode::PeerSilent));
}

#[test]
fn a_copy_that_would_leave_little_room_does_not_fit() {
    let gib: u64 = 1 << 30;
    assert!(Room::of(10 * gib, 100 * gib, 20 * gib).fits());
    // It would fit, and leave nothing for anybody else.
    assert!(!Room::of(10 * gib, 100 * gib, 12 * gib).fits());
    assert!(!Room::of(u64::MAX, 100 * gib, 100 * gib).fits());
    assert!(!Room::of(gib, 0, 0).fits());
}

fn facts(node: &str) -> SourceFacts {
    SourceFacts {
        node: node.into(),
        boot: "b1".into(),
        system_identifier: Some("7".into()),
        timeline: Some(1),
        postmaster: Some((10, 99)),
        mount: Some("36 7:3".into()),
        highest: None,
        last_take: LastTake::Never,
    }
}

fn test(status: Tried) -> RehearsalTest {
    RehearsalTest {
        name: "port".into(),
        status,
        detail: "".into(),
    }
}

/// Outcome, production untouched, why.
fn graded(
    ended: Option<Why>,
    status: Tried,
    change: impl FnOnce(&mut SourceFacts),
) -> (RehearsalOutcome, Option<bool>, Option<Why>) {
    let before = [facts("serverdb"), facts("backup")];
    let mut after = facts("serverdb");
    change(&mut after);
    let after = [Some(after), Some(facts("backup"))];
    let indexes = IndexCheck::not_exercised(Why::AskingBroke);
    let graded = grade(ended, &[test(status)], &indexes, &before, &after, None);
    (graded.outcome, graded.production_untouched, graded.why)
}

#[test]
fn passed_is_what_passed_and_left_production_as_it_was() {
    use RehearsalOutcome::{Failed, Passed};
    let same = |_: &mut SourceFacts| {};
    assert_eq!(
        graded(None, Tried::Passed, same),
        (Passed, Some(true), None)
    );
    assert_eq!(graded(None, Tried::NotExercised, same).0, Passed);
    assert_eq!(graded(None, Tried::Failed, same).0, Failed);
    let changes: [fn(&mut SourceFacts); 5] = [
        |f| f.system_identifier = None,
        |f| f.timeline = Some(2),
        |f| f.postmaster = Some((10, 100)),
        |f| f.mount = None,
        |f| f.boot = "b2".into(),
    ];
    for change in changes {
        let (outcome, untouched, why) = graded(None, Tried::Passed, change);
        assert_eq!((outcome, untouched), (Failed, Some(false)));
        assert!(matches!(why, Some(Why::ProductionChanged { .. })));
    }
    // A move is not the rehearsal's doing, and says nothing of it.
    let moved = |f: &mut SourceFacts| {
        f.last_take = LastTake::Unknown;
        f.postmaster = None;
    };
    let (outcome, untouched, why) = graded(None, Tried::Passed, moved);
    assert_eq!((outcome, untouched), (Failed, None));
    assert_eq!(why, Some(Why::BrokenOffByMove));
}

#[test]
fn who_does_not_answer_afterwards_proves_nothing_and_a_copy_that_stays_is_a_failure() {
    let before = [facts("serverdb")];
    let indexes = IndexCheck::not_exercised(Why::AskingBroke);
    let silent = grade(None, &[], &indexes, &before, &[None], None);
    assert_eq!(silent.outcome, RehearsalOutcome::Failed);
    assert_eq!(silent.production_untouched, None);
    let after = [Some(facts("serverdb"))];
    let left = Some(Why::BrokenOff);
    let left = grade(None, &[], &indexes, &before, &after, left);
    assert_eq!(left.outcome, RehearsalOutcome::Failed);
    assert_eq!(left.production_untouched, Some(true));
    let damaged = IndexCheck {
        status: Tried::Failed,
        ..indexes
    };
    let damaged = grade(None, &[], &damaged, &before, &after, None);
    assert_eq!(damaged.outcome, RehearsalOutcome::Failed);
}

fn control(system: &str, timeline: u32, checkpoint: u64, checksum: u32) -> ControlSeen {
    ControlSeen {
        system_identifier: system.into(),
        timeline,
        checkpoint,
        checksum,
    }
}

#[test]
fn older_data_and_another_database_are_not_started() {
    let judged = |when, found: ControlSeen| {
        let control = control("7", 2, 100, 5);
        judge(Some(&LastSeen { control, when }), &found)
    };
    for when in [When::Start, When::Stop] {
        assert_eq!(judged(when, control("7", 2, 100, 5)), Judged::Fine);
        let other = judged(when, control("8", 2, 200, 5));
        assert!(matches!(other, Judged::Wrong(Why::DataOther { .. })));
        for older in [control("7", 2, 99, 5), control("7", 1, 200, 5)] {
            let older = judged(when, older);
            assert!(matches!(older, Judged::Wrong(Why::DataOlder { .. })));
        }
    }
    assert_eq!(judged(When::Start, control("7", 2, 150, 6)), Judged::Fine);
    assert_eq!(
        judged(When::Stop, control("7", 2, 150, 6)),
        Judged::Rewritten
    );
    assert_eq!(judge(None, &control("8", 1, 0, 0)), Judged::Fine);
}
