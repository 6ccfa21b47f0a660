//! An order to go home: its time is spent, or a person said so. And: whatever happens, a run ends once.

use crate::common::play::{Play, drill, fence, on, refusal, started, switchover, takeover};
use crate::common::{ME, OTHER, done, failed, report, step};
use siaga_model::plan::{Action, MoveKind, Step};
use siaga_model::refusal::RefusalCode;
use siaga_model::run::{FailureKind, RunOutcome, StepAt, StepFailure, StepOutcome};
use siaga_model::{PlanId, StepId};
use siaga_runner::run::{Effect, Input};
use std::collections::{BTreeMap, BTreeSet};

fn steps() -> Vec<Step> {
    vec![
        step(0, OTHER, Action::StopDatabase, &[]),
        step(1, OTHER, Action::Unmount, &[0]),
    ]
}

fn one(action: Action) -> Vec<Step> {
    vec![step(0, ME, action, &[])]
}

fn restored(why: &str) -> RunOutcome {
    RunOutcome::Restored {
        cause: StepFailure::new(FailureKind::Precondition, why),
        at: StepAt {
            node: ME.into(),
            action: "go_home".into(),
        },
    }
}

#[test]
fn while_steps_run_it_waits_for_them_begins_nothing_and_goes_home() {
    let mut play = Play::with_plan(switchover(), steps());
    assert!(play.go_home("abort").is_empty(), "a step is under way");
    assert!(play.done(0).is_empty(), "the next step is not begun");
    assert_eq!(play.last_asked(), (MoveKind::Restore, on(OTHER)));
    play.plan(one(Action::StartDatabase));
    play.done(0);
    assert_eq!(play.outcome(), restored("abort"));
}

#[test]
fn while_planning_it_is_kept_and_the_plan_is_not_begun() {
    let mut play = Play::begin(switchover());
    assert!(play.go_home("abort").is_empty());
    assert!(play.plan(steps()).is_empty());
    assert!(play.orders.is_empty());
    assert_eq!(play.last_asked(), (MoveKind::Restore, on(OTHER)));
    play.refuse(RefusalCode::AlreadyThere);
    assert!(matches!(play.outcome(), RunOutcome::Restored { .. }));
}

#[test]
fn while_planning_a_refusal_ends_it_where_nothing_was_touched() {
    let mut play = Play::begin(switchover());
    play.go_home("abort");
    play.refuse(RefusalCode::PeerSilent);
    let refusal = refusal(RefusalCode::PeerSilent);
    assert_eq!(play.outcome(), RunOutcome::Refused { refusal });
}

#[test]
fn between_the_legs_of_a_drill_it_is_kept() {
    // Planned, or the goal of the second leg is reached already: the drill was cut short all the same.
    for planned in [true, false] {
        let mut play = Play::with_plan(drill(), one(Action::Mount));
        play.done(0);
        play.go_home("the time is spent");
        if planned {
            assert!(play.plan(steps()).is_empty());
        } else {
            play.refuse(RefusalCode::AlreadyThere);
        }
        assert_eq!(play.last_asked(), (MoveKind::Restore, on(OTHER)));
        play.plan(one(Action::Mount));
        play.done(0);
        assert_eq!(play.outcome(), restored("the time is spent"));
    }
}

#[test]
fn it_comes_before_another_attempt() {
    // The fence failed and another device would be tried, while a step is still under way.
    let beside = vec![
        step(0, ME, fence("ipmi"), &[]),
        step(1, ME, Action::StopDatabase, &[]),
    ];
    let mut play = Play::with_plan(switchover(), beside.clone());
    play.fail(0, FailureKind::Fence);
    play.go_home("abort");
    play.done(1);
    assert_eq!(play.last_asked(), (MoveKind::Restore, on(OTHER)));

    let mut play = Play::with_plan(takeover(), beside);
    play.fail(0, FailureKind::Fence);
    play.go_home("abort");
    play.done(1);
    assert_eq!(play.asked.len(), 1);
    assert!(matches!(play.outcome(), RunOutcome::Stuck { .. }));
}

#[test]
fn after_a_failure_it_adds_nothing_and_the_failure_stays_the_cause() {
    let beside = vec![
        step(0, ME, Action::Unmount, &[]),
        step(1, ME, Action::StopDatabase, &[]),
    ];
    let mut play = Play::with_plan(switchover(), beside);
    play.fail(0, FailureKind::Busy);
    assert!(play.go_home("abort").is_empty());
    play.done(1);
    assert_eq!(play.asked.len(), 2);
    play.refuse(RefusalCode::AlreadyThere);
    match play.outcome() {
        RunOutcome::Restored { cause, .. } => assert_eq!(cause.kind, FailureKind::Busy),
        other => panic!("{other:?}"),
    }
}

#[test]
fn on_the_way_home_it_adds_nothing() {
    let mut play = Play::with_plan(switchover(), steps());
    play.fail(0, FailureKind::DatabaseStop);
    assert!(play.go_home("abort").is_empty(), "planning the way home");
    assert_eq!(play.plan(steps()), [0]);
    assert!(play.go_home("abort").is_empty(), "on the way home");
    assert_eq!(play.done(0), [1], "the way home goes on");
    play.done(1);
    assert!(matches!(play.outcome(), RunOutcome::Restored { .. }));
}

#[test]
fn without_a_home_it_ends_stuck_once_nothing_is_under_way() {
    let mut play = Play::with_plan(takeover(), steps());
    play.go_home("abort");
    play.assert_running();
    play.done(0);
    match play.outcome() {
        RunOutcome::Stuck { cause, at, .. } => {
            assert_eq!(cause.unwrap().detail, "abort".into());
            assert_eq!(at.unwrap().action, "go_home");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_late_report_of_a_plan_that_was_given_up_changes_nothing() {
    let mut play = Play::with_plan(switchover(), steps());
    let old = play.plan_id();
    let late = |report| Input::StepDone {
        plan: old.clone(),
        step: StepId(0),
        report,
    };
    play.fail(0, FailureKind::DatabaseStop);
    // While the way home is planned, and while it is gone.
    let records = play.records.len();
    assert!(play.give(late(done())).is_empty());
    play.plan(steps());
    assert!(play.give(late(failed(FailureKind::Io))).is_empty());
    assert!(play.give(late(done())).is_empty());
    assert_eq!(play.records.len(), records);
    assert_eq!(
        play.done(0),
        [1],
        "the step of the new plan is under way as before"
    );
}

// --- whatever happens

/// A small generator, so that a failed walk can be walked again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// A plan of up to six steps, each after some of those before it.
fn any_steps(dice: &mut Dice) -> Vec<Step> {
    let actions = [
        Action::Enlist,
        fence("ipmi"),
        Action::Checkpoint,
        Action::StopDatabase,
        Action::Mount,
        Action::Take,
        Action::ClientTest,
    ];
    let count = u16::try_from(dice.roll(7)).unwrap();
    (0..count)
        .map(|id| {
            let after: Vec<u16> = (0..id).filter(|_| dice.roll(3) == 0).collect();
            step(id, ME, actions[dice.roll(actions.len())].clone(), &after)
        })
        .collect()
}

/// What the walk saw of the steps.
#[derive(Default)]
struct Seen {
    under_way: Vec<(PlanId, StepId)>,
    begun: BTreeSet<(String, StepId)>,
    done: BTreeMap<String, BTreeSet<StepId>>,
}

impl Seen {
    fn look(&mut self, effects: &[Effect]) {
        let plans = effects
            .iter()
            .filter(|e| matches!(e, Effect::Plan { .. }))
            .count();
        let ends = effects
            .iter()
            .filter(|e| matches!(e, Effect::Ended(_)))
            .count();
        let starts = started(effects).len();
        // One thing at a time, and neither a plan nor an end while a step is under way.
        assert!(plans + ends <= 1 && (starts == 0 || plans + ends == 0));
        assert!(plans + ends == 0 || self.under_way.is_empty());
        for effect in effects {
            let Effect::Start(order) = effect else {
                continue;
            };
            let plan = order.plan.as_str().to_owned();
            let done = self.done.entry(plan.clone()).or_default();
            assert!(
                order.step.after.iter().all(|id| done.contains(id)),
                "begun too early"
            );
            assert!(self.begun.insert((plan, order.step.id)), "begun twice");
            self.under_way.push((order.plan.clone(), order.step.id));
        }
    }
}

fn walk(seed: u64) -> RunOutcome {
    let mut dice = Dice(seed);
    let spec = [switchover(), takeover(), drill()][dice.roll(3)].clone();
    let mut play = Play::begin(spec);
    let mut seen = Seen::default();
    let codes = [RefusalCode::AlreadyThere, RefusalCode::PeerSilent];
    let kinds = [FailureKind::Superseded, FailureKind::Io, FailureKind::Fence];
    for _ in 0..2_000 {
        if !play.ended.is_empty() {
            return play.outcome();
        }
        if dice.roll(40) == 0 {
            let effects = play.go_home("abort");
            seen.look(&effects);
            continue;
        }
        let effects = if seen.under_way.is_empty() {
            if dice.roll(6) == 0 {
                play.refuse(codes[dice.roll(2)])
            } else {
                let before = play.orders.len();
                play.plan(any_steps(&mut dice));
                let orders = play.orders[before..].iter().cloned();
                orders.map(|o| Effect::Start(Box::new(o))).collect()
            }
        } else {
            let at = dice.roll(seen.under_way.len());
            let (plan, step) = seen.under_way.swap_remove(at);
            let said = match dice.roll(8) {
                0 => failed(kinds[dice.roll(3)]),
                1 => report(StepOutcome::Unknown { why: "lost".into() }),
                _ => done(),
            };
            seen.done
                .entry(plan.as_str().to_owned())
                .or_default()
                .insert(step);
            play.give(Input::StepDone {
                plan,
                step,
                report: said,
            })
        };
        seen.look(&effects);
    }
    panic!("seed {seed}: no end");
}

#[test]
fn whatever_happens_a_run_ends_once_and_begins_no_step_twice_or_too_early() {
    let mut ends = BTreeSet::new();
    for seed in 0..3_000 {
        ends.insert(match walk(seed) {
            RunOutcome::Done => "done",
            RunOutcome::Refused { .. } => "refused",
            RunOutcome::Restored { .. } => "restored",
            RunOutcome::Stuck { .. } => "stuck",
        });
    }
    assert_eq!(ends.len(), 4, "the walks reach every end: {ends:?}");
}
