//! A run that the planner refuses: before anything was touched it is a plain refusal, afterwards it is not.

use crate::common;
use crate::common::play::{Play, drill, fence, given, on, refusal, switchover, takeover};
use crate::common::{ME, OTHER, report, step};
use siaga_model::plan::{Action, MoveKind, Step};
use siaga_model::refusal::RefusalCode;
use siaga_model::run::{FailureKind, RunOutcome, StepOutcome, StepReport};
use siaga_runner::run::RunSpec;

fn one(action: Action) -> Vec<Step> {
    vec![step(0, ME, action, &[])]
}

fn unknown() -> StepReport {
    report(StepOutcome::Unknown {
        why: "the answer was lost".into(),
    })
}

#[test]
fn a_refusal_at_the_start_is_the_end() {
    for code in [RefusalCode::PeerSilent, RefusalCode::AlreadyThere] {
        for spec in [switchover(), takeover(), drill()] {
            let mut play = Play::begin(spec);
            play.refuse(code);
            assert_eq!(
                play.outcome(),
                RunOutcome::Refused {
                    refusal: refusal(code)
                }
            );
            assert!(play.orders.is_empty());
        }
    }
}

#[test]
fn a_refusal_before_anything_was_touched_is_a_plain_refusal() {
    let untouching = [
        Action::Enlist,
        fence("ipmi"),
        Action::Attest {
            victim: OTHER.into(),
            how: given().how,
        },
        Action::Checkpoint,
    ];
    for action in untouching {
        let steps = vec![step(0, ME, action, &[]), step(1, ME, fence("ipmi"), &[0])];
        let mut play = Play::with_plan(
            RunSpec {
                attested: vec![given()],
                ..takeover()
            },
            steps,
        );
        play.done(0);
        play.fail(1, FailureKind::Fence);
        play.refuse(RefusalCode::NeedsAttestation);
        let refusal = refusal(RefusalCode::NeedsAttestation);
        assert_eq!(play.outcome(), RunOutcome::Refused { refusal });
    }
}

/// A plan that touches something with step 0, and whose step 1 is worth another plan.
fn touched(spec: RunSpec, first: StepReport) -> Play {
    let steps = vec![
        step(0, ME, Action::StopDatabase, &[]),
        step(1, ME, Action::Mount, &[]),
    ];
    let mut play = Play::with_plan(spec, steps);
    play.fail(1, FailureKind::Superseded);
    play.report(0, first);
    play
}

#[test]
fn a_refusal_after_something_was_touched_goes_home_or_is_stuck() {
    let mut play = touched(switchover(), common::done());
    assert_eq!(play.last_asked(), (MoveKind::Switchover, on(ME)));
    play.refuse(RefusalCode::HoldingUnknown);
    assert_eq!(play.last_asked(), (MoveKind::Restore, on(OTHER)));
    play.assert_running();

    let mut play = touched(takeover(), common::done());
    play.refuse(RefusalCode::HoldingUnknown);
    match play.outcome() {
        RunOutcome::Stuck { refusal: said, .. } => {
            assert_eq!(said, refusal(RefusalCode::HoldingUnknown));
        }
        other => panic!("{other:?}"),
    }
}

/// What is gone on with may have changed anything before: refused at once or after a step that touches nothing, it
/// rests in a named state, so that a person still finds it.
#[test]
fn a_run_that_is_gone_on_with_never_ends_as_if_it_had_not_begun() {
    for kind in [MoveKind::Resume, MoveKind::Abort, MoveKind::Cover] {
        let spec = RunSpec { kind, ..takeover() };
        let mut at_once = Play::begin(spec.clone());
        at_once.refuse(RefusalCode::NeedsAttestation);
        let mut early = Play::with_plan(spec, one(fence("ipmi")));
        early.fail(0, FailureKind::Fence);
        early.refuse(RefusalCode::NeedsAttestation);
        for mut play in [at_once, early] {
            match play.outcome() {
                RunOutcome::Stuck { refusal: said, .. } => {
                    assert_eq!(said, refusal(RefusalCode::NeedsAttestation));
                }
                other => panic!("{kind:?}: {other:?}"),
            }
        }
    }
}

#[test]
fn what_was_true_already_was_not_touched_and_what_is_not_known_was() {
    // The fence's failure is what is worth another plan, and touches nothing itself.
    let cases = [
        (report(StepOutcome::Done { changed: false }), false),
        (common::done(), true),
        (common::failed(FailureKind::DatabaseStop), true),
        (unknown(), true),
    ];
    for (said, touches) in cases {
        let steps = vec![
            step(0, ME, Action::StopDatabase, &[]),
            step(1, ME, fence("ipmi"), &[]),
        ];
        let mut play = Play::with_plan(takeover(), steps);
        play.fail(1, FailureKind::Fence);
        play.report(0, said.clone());
        play.refuse(RefusalCode::NeedsAttestation);
        let refused = matches!(play.outcome(), RunOutcome::Refused { .. });
        assert_eq!(refused, !touches, "{said:?}");
    }
}

#[test]
fn a_second_leg_that_is_refused_goes_home() {
    let mut play = Play::with_plan(drill(), one(Action::Mount));
    play.done(0);
    play.refuse(RefusalCode::PeerSilent);
    assert_eq!(play.last_asked(), (MoveKind::Restore, on(OTHER)));
}

#[test]
fn another_plan_that_finds_the_goal_reached_is_done() {
    let mut play = touched(switchover(), common::done());
    play.refuse(RefusalCode::AlreadyThere);
    assert_eq!(play.outcome(), RunOutcome::Done);
}

#[test]
fn the_way_home_after_a_refusal_has_four_attempts_of_its_own() {
    let mut play = touched(switchover(), common::done());
    play.plan(one(Action::Enlist));
    play.fail(0, FailureKind::Superseded);
    play.refuse(RefusalCode::HoldingUnknown);
    for _ in 0..3 {
        assert_eq!(play.last_asked(), (MoveKind::Restore, on(OTHER)));
        play.plan(one(Action::Enlist));
        play.fail(0, FailureKind::Superseded);
        play.assert_running();
    }
    play.plan(one(Action::Mount));
    play.done(0);
    assert!(matches!(play.outcome(), RunOutcome::Restored { .. }));
}
