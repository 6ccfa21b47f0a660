//! A run in which something fails: what is in flight finishes, nothing new begins, and it ends where it may end.

use crate::common;
use crate::common::play::{Play, drill, fence, on, refusal, switchover, takeover};
use crate::common::{ME, OTHER, epoch, fenced, report, step};
use siaga_model::config::FenceKind;
use siaga_model::plan::{Action, MoveKind, Step};
use siaga_model::refusal::RefusalCode;
use siaga_model::run::{FailureKind, RunOutcome, StepAt, StepFailure, StepOutcome, StepReport};
use siaga_model::why::Why;

fn one(action: Action) -> Vec<Step> {
    vec![step(0, ME, action, &[])]
}

fn scripted(kind: FailureKind) -> StepFailure {
    StepFailure::new(kind, "scripted")
}

fn at(node: &str, action: &str) -> StepAt {
    StepAt {
        node: node.into(),
        action: action.into(),
    }
}

fn unknown() -> StepReport {
    report(StepOutcome::Unknown {
        why: "the answer was lost".into(),
    })
}

/// A step that fails beside one that runs, before one that waits.
fn side_by_side() -> Vec<Step> {
    vec![
        step(0, OTHER, Action::Unmount, &[]),
        step(1, OTHER, Action::RemoveVirtualIp, &[]),
        step(2, ME, Action::AddVirtualIp, &[1]),
        step(3, OTHER, Action::Release, &[0, 1]),
    ]
}

#[test]
fn what_is_in_flight_finishes_and_nothing_new_begins() {
    let mut play = Play::with_plan(switchover(), side_by_side());
    assert!(play.fail(0, FailureKind::Busy).is_empty());
    assert_eq!(play.asked.len(), 1, "the other step is still under way");
    assert!(
        play.done(1).is_empty(),
        "2 waited for nothing else, and is not begun"
    );
    assert_eq!(play.last_asked(), (MoveKind::Restore, on(OTHER)));
}

#[test]
fn what_a_finished_step_would_open_is_not_begun_while_others_finish() {
    let mut steps = side_by_side();
    steps.push(step(4, ME, Action::StopDatabase, &[]));
    let mut play = Play::with_plan(switchover(), steps);
    play.fail(0, FailureKind::Busy);
    assert!(play.done(1).is_empty(), "2 waited for this alone");
    assert_eq!(play.asked.len(), 1, "4 is still under way");
    play.done(4);
    assert_eq!(play.last_asked(), (MoveKind::Restore, on(OTHER)));
}

#[test]
fn the_first_of_two_failures_is_the_cause() {
    let mut play = Play::with_plan(switchover(), side_by_side());
    play.fail(0, FailureKind::Busy);
    play.fail(1, FailureKind::Address);
    play.plan(one(Action::Mount));
    play.done(0);
    let cause = scripted(FailureKind::Busy);
    assert_eq!(
        play.outcome(),
        RunOutcome::Restored {
            cause,
            at: at(OTHER, "unmount")
        }
    );
}

#[test]
fn an_outcome_that_is_not_known_is_a_failure() {
    let mut play = Play::with_plan(switchover(), one(Action::Mount));
    play.report(0, unknown());
    assert_eq!(play.last_asked(), (MoveKind::Restore, on(OTHER)));
    play.refuse(RefusalCode::PeerSilent);
    match play.outcome() {
        RunOutcome::Stuck { cause, .. } => {
            let why = StepFailure::new(FailureKind::Unreachable, "the answer was lost");
            assert_eq!(cause, Some(why));
        }
        other => panic!("{other:?}"),
    }
}

/// A server that lost its storage answers, stops everything, and can't prove that it let go.
#[test]
fn a_release_that_can_not_be_told_is_planned_anew_where_a_fence_is_allowed() {
    let release = || {
        vec![
            step(0, OTHER, Action::Unmount, &[]),
            step(1, OTHER, Action::Release, &[0]),
        ]
    };
    let mut play = Play::with_plan(takeover(), release());
    play.done(0);
    play.report(1, unknown());
    assert_eq!(play.last_asked(), (MoveKind::Takeover, on(ME)));
    play.assert_running();
    play.plan(one(fence("ipmi")));
    play.done(0);
    assert_eq!(play.outcome(), RunOutcome::Done);

    let mut play = Play::with_plan(switchover(), release());
    play.done(0);
    play.report(1, unknown());
    assert_eq!(play.last_asked(), (MoveKind::Restore, on(OTHER)));
}

#[test]
fn a_node_that_was_free_and_holds_something_now_is_planned_for_anew() {
    let promised = || step(0, OTHER, Action::Release, &[]);
    let mut play = Play::with_plan(takeover(), vec![promised()]);
    play.fail(0, FailureKind::NotReleased);
    assert_eq!(play.last_asked(), (MoveKind::Takeover, on(ME)));
    play.assert_running();

    // The plan did unmount there: another one would meet the same holder. Nor does another failure say that it moved.
    let unmounted = vec![
        step(0, OTHER, Action::Unmount, &[]),
        step(1, OTHER, Action::Release, &[0]),
    ];
    let mut play = Play::with_plan(switchover(), unmounted);
    play.done(0);
    play.fail(1, FailureKind::NotReleased);
    assert_eq!(play.last_asked(), (MoveKind::Restore, on(OTHER)));
    let mut play = Play::with_plan(switchover(), vec![promised()]);
    play.fail(0, FailureKind::Io);
    assert_eq!(play.last_asked(), (MoveKind::Restore, on(OTHER)));
}

#[test]
fn an_advisory_step_that_fails_stops_nothing() {
    for action in [Action::Checkpoint, Action::ClientTest, Action::AfterMove] {
        for said in [common::failed(FailureKind::Io), unknown()] {
            let steps = vec![
                step(0, ME, action.clone(), &[]),
                step(1, ME, Action::Mount, &[0]),
            ];
            let mut play = Play::with_plan(switchover(), steps);
            assert_eq!(play.report(0, said), [1], "{action:?}");
            play.done(1);
            assert_eq!(play.outcome(), RunOutcome::Done);
        }
    }
}

#[test]
fn a_newer_mandate_is_never_advisory() {
    for action in [Action::Checkpoint, Action::ClientTest, Action::AfterMove] {
        let steps = vec![
            step(0, ME, action.clone(), &[]),
            step(1, ME, Action::Mount, &[0]),
        ];
        let mut play = Play::with_plan(takeover(), steps);
        assert!(
            play.fail(0, FailureKind::Superseded).is_empty(),
            "{action:?}"
        );
        assert!(
            matches!(play.outcome(), RunOutcome::Stuck { .. }),
            "{action:?}"
        );
    }
}

// --- another plan towards the same goal

#[test]
fn a_fence_that_fails_is_told_to_the_planner_and_another_plan_asked_for() {
    let mut play = Play::with_plan(
        takeover(),
        vec![
            step(0, ME, fence("ipmi"), &[]),
            step(1, ME, fence("other"), &[]),
        ],
    );
    let first = play.plan_id();
    let proof = fenced("third", &epoch(1, ME), FenceKind::Power);
    play.report(
        1,
        StepReport {
            proof: Some(proof.clone()),
            ..common::done()
        },
    );
    play.fail(0, FailureKind::Fence);
    let asked = play.asked[1].clone();
    assert_eq!(play.last_asked(), (MoveKind::Takeover, on(ME)));
    assert_eq!(asked.parent, Some(first));
    assert_eq!(asked.failed_fences, [(OTHER.into(), "ipmi".to_owned())]);
    assert_eq!(asked.proofs, [proof]);
    // The next device fails too, and can't even be told.
    play.plan(one(fence("san")));
    play.report(0, unknown());
    let failed: Vec<_> = play.asked[2]
        .failed_fences
        .iter()
        .map(|f| f.1.as_str())
        .collect();
    assert_eq!(failed, ["ipmi", "san"]);
    play.plan(one(fence("third")));
    play.done(0);
    assert_eq!(play.outcome(), RunOutcome::Done);
}

#[test]
fn a_fence_whose_mandates_were_overtaken_is_planned_again_with_the_same_device() {
    let mut play = Play::with_plan(takeover(), vec![step(0, ME, fence("ipmi"), &[])]);
    play.fail(0, FailureKind::Superseded);
    assert_eq!(play.last_asked(), (MoveKind::Takeover, on(ME)));
    assert!(play.asked[1].failed_fences.is_empty());
}

#[test]
fn a_leg_is_planned_four_times_at_most() {
    let mut play = Play::begin(takeover());
    for _ in 0..3 {
        play.plan(one(fence("ipmi")));
        play.fail(0, FailureKind::Fence);
        play.assert_running();
    }
    play.plan(one(fence("ipmi")));
    play.fail(0, FailureKind::Fence);
    assert_eq!(play.asked.len(), 4);
    assert!(matches!(play.outcome(), RunOutcome::Stuck { .. }));
}

#[test]
fn the_way_home_has_four_attempts_of_its_own() {
    let mut play = Play::begin(switchover());
    for _ in 0..4 {
        play.plan(one(Action::Enlist));
        play.fail(0, FailureKind::Superseded);
    }
    assert_eq!(play.asked.len(), 5);
    for _ in 0..4 {
        assert_eq!(play.last_asked(), (MoveKind::Restore, on(OTHER)));
        play.plan(one(Action::Enlist));
        play.fail(0, FailureKind::Superseded);
    }
    assert_eq!(play.asked.len(), 8);
    assert!(matches!(play.outcome(), RunOutcome::Stuck { .. }));
}

#[test]
fn each_leg_has_four_attempts_of_its_own() {
    let mut play = Play::begin(drill());
    for _leg in 0..2 {
        for _ in 0..3 {
            play.plan(one(Action::Enlist));
            play.fail(0, FailureKind::Superseded);
        }
        play.plan(one(Action::Enlist));
        play.done(0);
    }
    assert_eq!(play.asked.len(), 8);
    assert_eq!(play.outcome(), RunOutcome::Done);
}

#[test]
fn a_mandate_that_met_a_newer_one_is_minted_again_where_nothing_hangs_on_it() {
    for (action, again) in [
        (Action::Enlist, true),
        (Action::Mount, true),
        (Action::StopDatabase, false),
        (Action::Release, false),
        (Action::Take, false),
        (Action::StartDatabase, false),
    ] {
        let mut play = Play::with_plan(switchover(), one(action.clone()));
        play.fail(0, FailureKind::Superseded);
        let expected = if again {
            MoveKind::Switchover
        } else {
            MoveKind::Restore
        };
        assert_eq!(play.last_asked().0, expected, "{action:?}");
    }
    for kind in [FailureKind::Io, FailureKind::Busy, FailureKind::Unreachable] {
        let mut play = Play::with_plan(switchover(), one(Action::Mount));
        play.fail(0, kind);
        assert_eq!(play.last_asked().0, MoveKind::Restore, "{kind:?}");
    }
}

/// A storage that was slow once must not leave a person with a stuck run.
#[test]
fn a_take_that_took_too_long_for_its_mount_is_made_again() {
    let old = StepFailure::new(FailureKind::Precondition, Why::ProofsTooOld);
    for (failure, expected) in [
        (old, MoveKind::Switchover),
        (scripted(FailureKind::Precondition), MoveKind::Restore),
    ] {
        let mut play = Play::with_plan(switchover(), one(Action::Mount));
        play.report(0, report(StepOutcome::Failed(failure)));
        assert_eq!(play.last_asked().0, expected);
    }
}

// --- home

#[test]
fn a_planned_move_that_fails_brings_the_service_home() {
    let mut play = Play::with_plan(switchover(), one(Action::StartDatabase));
    let first = play.plan_id();
    play.fail(0, FailureKind::DatabaseStart);
    play.assert_running();
    assert_eq!(play.last_asked(), (MoveKind::Restore, on(OTHER)));
    assert_eq!(play.asked[1].parent, Some(first));
    assert!(
        !play.asked[1].request.may_fence,
        "a planned move never fences"
    );
    assert_eq!(play.plan(one(Action::Mount)), [0]);
    play.done(0);
    let cause = scripted(FailureKind::DatabaseStart);
    assert_eq!(
        play.outcome(),
        RunOutcome::Restored {
            cause,
            at: at(ME, "start_database")
        }
    );
}

#[test]
fn who_is_home_already_is_restored() {
    let mut play = Play::with_plan(switchover(), one(Action::Enlist));
    play.fail(0, FailureKind::Unreachable);
    assert_eq!(play.last_asked(), (MoveKind::Restore, on(OTHER)));
    play.refuse(RefusalCode::AlreadyThere);
    let cause = scripted(FailureKind::Unreachable);
    assert_eq!(
        play.outcome(),
        RunOutcome::Restored {
            cause,
            at: at(ME, "enlist")
        }
    );
}

#[test]
fn a_way_home_that_fails_leaves_the_run_stuck_with_the_first_cause() {
    let mut play = Play::with_plan(switchover(), one(Action::StartDatabase));
    play.fail(0, FailureKind::DatabaseStart);
    play.plan(one(Action::Mount));
    play.fail(0, FailureKind::Mount);
    assert_eq!(play.asked.len(), 2, "no way home of the way home");
    match play.outcome() {
        RunOutcome::Stuck {
            cause,
            at: place,
            refusal,
        } => {
            assert_eq!(cause, Some(scripted(FailureKind::DatabaseStart)));
            assert_eq!(place, Some(at(ME, "start_database")));
            assert_eq!(refusal.code, RefusalCode::RunInterrupted);
            assert!(!refusal.next.is_empty(), "the next safe act is named");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_way_home_that_is_refused_is_no_plain_refusal_also_where_nothing_was_touched() {
    let mut play = Play::with_plan(switchover(), one(Action::Enlist));
    play.fail(0, FailureKind::Unreachable);
    play.refuse(RefusalCode::PeerSilent);
    assert!(matches!(play.outcome(), RunOutcome::Stuck { .. }));
}

#[test]
fn a_way_home_that_is_refused_leaves_the_run_stuck_with_that_refusal() {
    let mut play = Play::with_plan(switchover(), one(Action::StartDatabase));
    play.fail(0, FailureKind::DatabaseStart);
    play.refuse(RefusalCode::PeerSilent);
    let (cause, place) = (
        scripted(FailureKind::DatabaseStart),
        at(ME, "start_database"),
    );
    let refusal = refusal(RefusalCode::PeerSilent);
    let stuck = RunOutcome::Stuck {
        cause: Some(cause),
        at: Some(place),
        refusal,
    };
    assert_eq!(play.outcome(), stuck);
}

#[test]
fn without_a_way_back_a_failure_leaves_the_run_stuck() {
    let mut play = Play::with_plan(takeover(), one(Action::StartDatabase));
    play.fail(0, FailureKind::DatabaseStart);
    assert_eq!(play.asked.len(), 1);
    match play.outcome() {
        RunOutcome::Stuck { cause, .. } => {
            assert_eq!(cause, Some(scripted(FailureKind::DatabaseStart)));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_second_leg_of_a_drill_that_fails_goes_home() {
    let mut play = Play::with_plan(drill(), one(Action::Mount));
    play.done(0);
    play.plan(one(Action::StartDatabase));
    play.fail(0, FailureKind::DatabaseStart);
    assert_eq!(play.last_asked(), (MoveKind::Restore, on(OTHER)));
    play.plan(one(Action::Mount));
    play.done(0);
    assert!(matches!(play.outcome(), RunOutcome::Restored { .. }));
}
