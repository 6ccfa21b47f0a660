//! A plan that goes well: each step after those it waits for, side by side where nothing holds it, and told in full.

use crate::common::play::{Play, drill, fence, given, on, started, switchover, takeover};
use crate::common::{
    ME, OTHER, attested, done, epoch, fenced, plan_of, released, report, run_id, service, step,
};
use siaga_model::StepId;
use siaga_model::config::FenceKind;
use siaga_model::event::EventBody;
use siaga_model::plan::{Action, MoveKind, PlannedProof, Request, Step};
use siaga_model::proof::AttestKind;
use siaga_model::run::{RunOutcome, StepOutcome, StepReport};
use siaga_runner::run::{Effect, Input, RunSpec};

/// Two branches that meet, and one that stands alone.
fn graph() -> Vec<Step> {
    vec![
        step(0, OTHER, Action::Enlist, &[]),
        step(1, ME, Action::Enlist, &[]),
        step(2, OTHER, Action::StopDatabase, &[0, 1]),
        step(3, OTHER, Action::Unmount, &[2]),
        step(4, OTHER, Action::RemoveVirtualIp, &[2]),
        step(5, OTHER, Action::Release, &[3, 4]),
        step(6, ME, Action::AddVirtualIp, &[4]),
        step(7, ME, Action::Take, &[5]),
    ]
}

#[test]
fn a_run_first_asks_for_a_plan_and_starts_nothing() {
    let attested = vec![given()];
    let spec = RunSpec {
        attested: attested.clone(),
        ..takeover()
    };
    let play = Play::begin(spec.clone());
    let request = Request {
        kind: MoveKind::Takeover,
        goal: on(ME),
        attested,
        may_fence: true,
        accepts_old_data: false,
    };
    assert_eq!(play.asked.len(), 1);
    assert_eq!(
        (&play.asked[0].request, &play.asked[0].parent),
        (&request, &None)
    );
    assert!(play.asked[0].proofs.is_empty() && play.asked[0].failed_fences.is_empty());
    assert!(play.orders.is_empty() && play.records.is_empty());
    assert_eq!(play.run.spec(), &spec);
    play.assert_running();
}

#[test]
fn steps_start_when_all_that_they_wait_for_is_done_and_side_by_side() {
    let mut play = Play::begin(switchover());
    assert_eq!(play.plan(graph()), [0, 1]);
    assert!(play.done(1).is_empty(), "2 waits for both");
    assert_eq!(play.done(0), [2]);
    assert_eq!(play.done(2), [3, 4]);
    assert_eq!(
        play.run.waiting().map(|s| s.id.0).collect::<Vec<_>>(),
        [5, 6, 7]
    );
    assert_eq!(play.done(4), [6], "6 does not wait for 3");
    assert_eq!(play.done(3), [5]);
    assert_eq!(play.done(5), [7]);
    assert!(play.done(7).is_empty());
    play.assert_running();
    assert!(play.done(6).is_empty());
    assert_eq!(play.outcome(), RunOutcome::Done);
    assert_eq!(play.orders.len(), graph().len(), "each step once");
}

#[test]
fn a_plan_without_steps_is_done() {
    let mut play = Play::with_plan(switchover(), Vec::new());
    assert_eq!(play.outcome(), RunOutcome::Done);
}

#[test]
fn what_was_true_already_counts_as_done() {
    let mut play = Play::with_plan(switchover(), vec![step(0, ME, Action::Mount, &[])]);
    play.unchanged(0);
    assert_eq!(play.outcome(), RunOutcome::Done);
}

#[test]
fn an_order_names_its_run_its_plan_and_its_mandate() {
    let play = Play::with_plan(switchover(), graph());
    let order = play.order_of(0);
    let plan = play.run.plan().unwrap();
    assert_eq!((&order.service, &order.run), (&service(), &run_id()));
    assert_eq!((&order.plan, &order.epoch), (&plan.id, &epoch(1, ME)));
    assert_eq!((order.coordinator.as_str(), &order.step), (ME, &graph()[0]));
}

#[test]
fn an_order_carries_what_its_action_needs_and_no_more() {
    let attest = Action::Attest {
        victim: OTHER.into(),
        how: AttestKind::Unplugged,
    };
    let steps = vec![
        step(0, OTHER, Action::Enlist, &[]),
        step(1, ME, attest, &[]),
        step(2, ME, Action::Take, &[0, 1]),
        step(3, ME, Action::AddVirtualIp, &[0, 1]),
        step(4, ME, Action::Mount, &[2]),
    ];
    let mut play = Play::with_plan(
        RunSpec {
            attested: vec![given()],
            ..takeover()
        },
        steps,
    );
    let proof = attested(OTHER, &epoch(1, ME), AttestKind::Unplugged);
    play.report(
        1,
        StepReport {
            proof: Some(proof.clone()),
            ..done()
        },
    );
    play.done(0);
    play.done(2);
    let plan = play.run.plan().unwrap().clone();
    for order in &play.orders {
        let id = order.step.id.0;
        assert_eq!(order.enlist.as_deref(), (id == 0).then_some(&plan), "{id}");
        assert_eq!(order.attested.len(), usize::from(id == 1), "{id}");
        assert_eq!(order.proofs.len(), usize::from(id == 2), "{id}");
    }
    assert_eq!(play.order_of(2).proofs, [proof]);
}

#[test]
fn a_take_is_given_the_proofs_of_its_own_mandate_only() {
    let take = || {
        vec![
            step(0, ME, fence("ipmi"), &[]),
            step(1, ME, fence("san"), &[]),
            step(2, ME, Action::Take, &[0, 1]),
        ]
    };
    let mut play = Play::with_plan(takeover(), take());
    let old = fenced(OTHER, &epoch(1, ME), FenceKind::Power);
    play.report(
        0,
        StepReport {
            proof: Some(old.clone()),
            ..done()
        },
    );
    play.fail(1, siaga_model::run::FailureKind::Fence);
    assert_eq!(
        play.asked.last().unwrap().proofs,
        std::slice::from_ref(&old)
    );
    play.plan(take());
    let new = fenced(OTHER, &epoch(2, ME), FenceKind::Power);
    play.report(
        0,
        StepReport {
            proof: Some(new.clone()),
            ..done()
        },
    );
    play.done(1);
    assert_eq!(play.order_of(2).proofs, std::slice::from_ref(&new));
    assert_eq!(play.run.proofs(), [old, new]);
}

#[test]
fn the_address_is_free_only_after_a_release_or_a_power_fence() {
    let release = PlannedProof::Release { node: OTHER.into() };
    let fenced = |fence| PlannedProof::Fence {
        node: OTHER.into(),
        device: "f".into(),
        fence,
    };
    let attested = |how| PlannedProof::Attested {
        node: OTHER.into(),
        how,
    };
    let cases = [
        (vec![release.clone()], true),
        (vec![fenced(FenceKind::Power)], true),
        (vec![fenced(FenceKind::Fabric)], false),
        (vec![attested(AttestKind::Unplugged)], false),
        (vec![attested(AttestKind::SwitchedOff)], false),
        (vec![attested(AttestKind::StorageDisconnected)], false),
        (vec![release.clone(), fenced(FenceKind::Power)], true),
        (vec![release.clone(), fenced(FenceKind::Fabric)], false),
        (vec![fenced(FenceKind::Fabric), release], false),
    ];
    for (proofs, free) in cases {
        let steps = vec![
            step(0, ME, Action::AddVirtualIp, &[]),
            step(1, ME, Action::Mount, &[]),
        ];
        let mut plan = plan_of(&epoch(1, ME), MoveKind::Takeover, on(ME), steps);
        plan.plan.proofs = proofs.clone();
        let mut play = Play::begin(takeover());
        play.plan_as(plan);
        assert_eq!(play.order_of(0).address_free, free, "{proofs:?}");
        assert!(
            !play.order_of(1).address_free,
            "only an address can be free"
        );
    }
}

#[test]
fn every_report_and_every_proof_is_recorded_before_anything_else() {
    let steps = vec![
        step(0, OTHER, Action::Release, &[]),
        step(1, ME, Action::Take, &[0]),
    ];
    let mut play = Play::with_plan(switchover(), steps.clone());
    let proof = released(OTHER, &epoch(1, ME));
    let said = StepReport {
        proof: Some(proof.clone()),
        ..done()
    };
    let plan = play.plan_id();
    let effects = play.give(Input::StepDone {
        plan: plan.clone(),
        step: StepId(0),
        report: said.clone(),
    });
    let finished = EventBody::StepFinished {
        plan,
        step: steps[0].clone(),
        report: said,
    };
    let made = EventBody::ProofMade { proof };
    assert_eq!(effects[0], Effect::Record(Box::new(finished)));
    assert_eq!(effects[1], Effect::Record(Box::new(made)));
    assert_eq!(started(&effects), [1]);
}

#[test]
fn the_end_is_recorded_and_then_said() {
    let mut play = Play::with_plan(switchover(), vec![step(0, ME, Action::Mount, &[])]);
    let plan = play.plan_id();
    let effects = play.give(Input::StepDone {
        plan: plan.clone(),
        step: StepId(0),
        report: done(),
    });
    let recorded = Effect::Record(Box::new(EventBody::RunEnded {
        outcome: RunOutcome::Done,
        plan: Some(plan),
    }));
    assert_eq!(effects[1..], [recorded, Effect::Ended(RunOutcome::Done)]);
}

#[test]
fn a_report_of_a_step_that_is_not_under_way_changes_nothing() {
    let mut play = Play::with_plan(switchover(), graph());
    let proof = released(OTHER, &epoch(1, ME));
    let late = StepReport {
        proof: Some(proof),
        ..report(StepOutcome::Done { changed: true })
    };
    // Not begun, not known, of another plan.
    assert!(play.report(5, late.clone()).is_empty());
    assert!(play.report(99, late.clone()).is_empty());
    let other = Input::StepDone {
        plan: "plan99".into(),
        step: StepId(0),
        report: late.clone(),
    };
    assert!(play.give(other).is_empty());
    assert!(play.records.is_empty() && play.run.proofs().is_empty());
    // A second report of the same step.
    play.report(0, late.clone());
    let (run, records) = (play.run.clone(), play.records.len());
    assert!(play.report(0, late).is_empty());
    assert!(play.fail(0, siaga_model::run::FailureKind::Io).is_empty());
    assert_eq!((play.run.clone(), play.records.len()), (run, records));
    // A second plan while one is under way.
    let second = plan_of(&epoch(9, ME), MoveKind::Switchover, on(ME), graph());
    assert!(play.give(Input::Planned(Ok(Box::new(second)))).is_empty());
    assert_eq!(play.run.plan().unwrap().epoch, epoch(1, ME));
}

#[test]
fn a_drill_is_two_legs_each_with_its_own_plan() {
    let leg = || vec![step(0, ME, Action::Mount, &[])];
    let mut play = Play::with_plan(drill(), leg());
    assert_eq!(play.last_asked(), (MoveKind::Drill, on(ME)));
    let first = play.plan_id();
    play.done(0);
    play.assert_running();
    assert_eq!(play.asked.len(), 2);
    assert_eq!(play.last_asked(), (MoveKind::Drill, on(OTHER)));
    assert_eq!(play.asked[1].parent, Some(first));
    assert_eq!(play.plan(leg()), [0]);
    assert_eq!(play.order_of(0).epoch, epoch(2, ME));
    play.done(0);
    assert_eq!(play.outcome(), RunOutcome::Done);
}
