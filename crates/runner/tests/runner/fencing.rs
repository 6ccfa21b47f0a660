//! One fence for all who ask at once, under the mandates of every service that it hits.

use crate::common;
use crate::common::{
    BOOT, Book, Desk, ME, OTHER, admitted, epoch, failure, order, plan, plan_of, step,
};
use siaga_model::config::FenceKind;
use siaga_model::event::EventBody;
use siaga_model::observation::FenceState;
use siaga_model::plan::{Action, HitMandate, MoveKind, Placement};
use siaga_model::run::{FailureKind, Order, StepOutcome, StepReport};
use siaga_model::{Epoch, NodeName, Note, PlanId};
use siaga_runner::executor::SharedBench;
use siaga_runner::fencing::{Asker, Fencing};
use siaga_runner::hands::{Hands, Trouble};
use siaga_runner::ledger::Ledger;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A bound on waits for something that must come.
const SURELY: Duration = Duration::from_secs(10);
/// How long something that must not come is given to come.
const A_MOMENT: Duration = Duration::from_millis(300);

fn five() -> Epoch {
    epoch(5, ME)
}

fn fence() -> Action {
    Action::Fence {
        victim: OTHER.into(),
        device: "ipmi".into(),
        fence: FenceKind::Power,
        wait_ms: 0,
    }
}

/// The other service's bench, where `events` are in its journal.
fn neighbour(events: &[EventBody]) -> Arc<SharedBench> {
    let ledger = Ledger::replay(ME.into(), BOOT.into(), "pacs".into(), false, events.iter());
    Arc::new(SharedBench::new(ledger, Box::new(Book::default())).with_in_flight_wait(A_MOMENT))
}

/// A node with that second service.
fn desk(pacs: &Arc<SharedBench>) -> Desk {
    let mut desk = Desk::patient(&[admitted(&five())], A_MOMENT);
    desk.fencing = Arc::new(Fencing::new([("pacs".into(), pacs.clone())].into()));
    desk
}

fn for_fence(counter: u64) -> EventBody {
    EventBody::FenceMandateMinted {
        epoch: epoch(counter, ME),
        victim: OTHER.into(),
    }
}

fn hit(counter: u64) -> HitMandate {
    HitMandate {
        victim: OTHER.into(),
        service: "pacs".into(),
        epoch: epoch(counter, ME),
    }
}

fn fencing_order(hit_mandates: Vec<HitMandate>) -> Order {
    Order {
        hit_mandates,
        ..order(&five(), fence())
    }
}

/// How often the device was told to fence.
fn fences(desk: &Desk) -> usize {
    desk.hands.calls().iter().filter(|c| *c == "fence").count()
}

fn did_fence() -> [Note; 1] {
    [Note::System("did fence".into())]
}

fn notes(report: &StepReport) -> Vec<Note> {
    assert!(report.outcome.is_done(), "{report:?}");
    report.notes.clone()
}

#[test]
fn a_fence_goes_on_under_the_mandates_of_all_that_it_hits() {
    let desk = desk(&neighbour(&[for_fence(3)]));
    let report = desk.execute(&fencing_order(vec![hit(3)]));
    assert!(report.outcome.is_done(), "{report:?}");
    assert_eq!(report.proof.map(|p| p.epoch), Some(five()));
    assert_eq!(fences(&desk), 1);
}

#[test]
fn a_fence_without_the_mandate_of_a_service_in_force_is_refused_before_the_device_is_asked() {
    let later = admitted(&epoch(4, OTHER));
    for journal in [vec![for_fence(3), later], vec![]] {
        let desk = desk(&neighbour(&journal));
        let report = desk.execute(&fencing_order(vec![hit(3)]));
        assert!(!report.outcome.is_done(), "{journal:?}");
        assert!(report.proof.is_none());
        assert!(desk.hands.calls().is_empty(), "{journal:?}");
    }
    let unknown = HitMandate {
        service: "lab".into(),
        ..hit(3)
    };
    let desk = desk(&neighbour(&[for_fence(3)]));
    let report = desk.execute(&fencing_order(vec![unknown]));
    assert_eq!(failure(&report).kind, FailureKind::Precondition);
    assert!(desk.hands.calls().is_empty());
}

#[test]
fn a_plan_that_acts_on_the_victim_is_admitted_only_after_the_fence() {
    let pacs = neighbour(&[for_fence(3)]);
    let mut desk = desk(&pacs);
    let (begun, inside) = channel();
    let (go, gone) = channel::<()>();
    let gone = Mutex::new(gone);
    desk.hands.hook = Some(Box::new(move |_| {
        begun.send(()).unwrap();
        gone.lock().unwrap().recv_timeout(SURELY).unwrap();
    }));
    let acts = |node: &str, counter| {
        let epoch = epoch(counter, OTHER);
        let steps = vec![step(0, node, Action::Enlist, &[])];
        let goal = Placement::ActiveOn(ME.into());
        let plan = plan_of(&epoch, MoveKind::Switchover, goal, steps);
        Order {
            service: "pacs".into(),
            enlist: Some(Box::new(plan)),
            ..order(&epoch, Action::Enlist)
        }
    };
    let enlist = |asked: &Order| {
        let executor = siaga_runner::executor::Executor {
            hands: &desk.hands,
            others: vec![OTHER.into()],
            bench: &pacs,
            fencing: &desk.fencing,
        };
        executor.execute(asked, &|_| {})
    };
    thread::scope(|scope| {
        let fencing = scope.spawn(|| desk.execute(&fencing_order(vec![hit(3)])));
        inside.recv_timeout(SURELY).unwrap();
        let early = enlist(&acts(OTHER, 7));
        assert_eq!(failure(&early).kind, FailureKind::Precondition);
        // One that leaves the victim alone does not wait: it shares the fence.
        assert!(enlist(&acts(ME, 6)).outcome.is_done());
        go.send(()).unwrap();
        assert!(fencing.join().unwrap().outcome.is_done());
    });
    assert!(enlist(&acts(OTHER, 7)).outcome.is_done());
}

/// The first fences; the second arrives in the middle of it. Gives what both said, and how often the device was told.
fn two_at_once(
    bound: bool,
    prepare: impl FnOnce(&Desk),
    meanwhile: impl FnOnce(&Desk),
) -> (StepReport, StepReport, usize) {
    let mut desk = Desk::new(&[admitted(&five())]);
    if bound {
        desk.fencing.bound(&plan(&five()));
    }
    prepare(&desk);
    let (begun, inside) = channel();
    let (go, gone) = channel::<()>();
    let gone = Mutex::new(gone);
    desk.hands.hook = Some(Box::new(move |_| {
        begun.send(()).unwrap();
        gone.lock().unwrap().recv_timeout(SURELY).unwrap();
    }));
    thread::scope(|scope| {
        let first = scope.spawn(|| desk.execute(&fencing_order(Vec::new())));
        inside.recv_timeout(SURELY).unwrap();
        let (arrived, second_is_here) = channel();
        let desk = &desk;
        let second = scope.spawn(move || {
            arrived.send(()).unwrap();
            desk.execute(&fencing_order(Vec::new()))
        });
        second_is_here.recv_timeout(SURELY).unwrap();
        // Alone at the device: the second one does not come in.
        assert!(inside.recv_timeout(A_MOMENT).is_err());
        meanwhile(desk);
        go.send(()).unwrap();
        let first = first.join().unwrap();
        let _ = go.send(());
        (first, second.join().unwrap(), fences(desk))
    })
}

#[test]
fn the_second_of_two_waits_and_shares_what_was_confirmed() {
    let (first, second, times) = two_at_once(true, |_| {}, |_| {});
    assert_eq!(notes(&first), did_fence());
    assert_eq!(notes(&second), [Note::FenceShared]);
    // Each service has a proof of its own.
    assert!(first.proof.is_some() && second.proof.is_some());
    assert_eq!(times, 1);
}

#[test]
fn the_second_shares_only_what_the_device_says_again() {
    for state in [FenceState::Open, FenceState::Failed { why: "x".into() }] {
        let again = |desk: &Desk| desk.hands.script().fence_state = state.clone();
        let (_, second, times) = two_at_once(true, |_| {}, again);
        assert_eq!(notes(&second), did_fence());
        assert_eq!(times, 2);
    }
}

#[test]
fn the_second_does_not_share_what_failed() {
    let broken = |desk: &Desk| desk.hands.fail("fence", FailureKind::Fence);
    let (first, second, times) = two_at_once(true, broken, |_| {});
    assert_eq!(failure(&first).kind, FailureKind::Fence);
    assert_eq!(failure(&second).kind, FailureKind::Fence);
    assert_eq!(times, 2);
}

#[test]
fn what_was_confirmed_before_a_plan_was_bound_is_not_its_fence() {
    let desk = Desk::new(&[admitted(&five())]);
    let fenced = || desk.execute(&fencing_order(Vec::new()));
    assert_eq!(notes(&fenced()), did_fence());
    desk.fencing.bound(&plan(&five()));
    assert_eq!(notes(&fenced()), did_fence());
    // Now one was confirmed since.
    assert_eq!(notes(&fenced()), [Note::FenceShared]);
    assert_eq!(fences(&desk), 2);
}

#[test]
fn a_node_that_was_switched_on_meanwhile_is_fenced_again() {
    let desk = Desk::new(&[admitted(&five())]);
    desk.fencing.bound(&plan(&five()));
    let fenced = || desk.execute(&fencing_order(Vec::new()));
    assert_eq!(notes(&fenced()), did_fence());
    desk.fencing.alone(&OTHER.into(), "ipmi", || ());
    assert_eq!(notes(&fenced()), did_fence());
}

#[test]
fn another_device_or_node_has_a_gate_of_its_own() {
    let desk = Desk::new(&[]);
    let plan: PlanId = plan(&five()).id;
    let nothing = || Ok::<(), Trouble>(());
    let at = |node: &str, device: &str| {
        let (node, hands): (NodeName, &dyn Hands) = (node.into(), &desk.hands);
        let asker = Asker::Plan(&plan);
        desk.fencing.fence(asker, &node, device, hands, nothing)
    };
    desk.fencing.bound(&common::plan(&five()));
    for (node, device) in [(OTHER, "ipmi"), (OTHER, "san"), ("third", "ipmi")] {
        assert!(at(node, device).unwrap().changed, "{node} {device}");
    }
    assert!(!at(OTHER, "ipmi").unwrap().changed);
    // A person's order is as young as its arrival: it shares nothing that is over.
    let (node, hands): (NodeName, &dyn Hands) = (OTHER.into(), &desk.hands);
    let did = desk
        .fencing
        .fence(Asker::Person, &node, "ipmi", hands, nothing);
    assert!(did.unwrap().changed);
}

#[test]
fn an_own_mandate_that_was_overtaken_at_the_gate_fences_nothing() {
    // The second waits with a mandate in force; while it waits, a newer one of its service comes in.
    let overtaken = |desk: &Desk| {
        let mut bench = desk.bench.lock();
        let siaga_runner::executor::Bench { ledger, store, .. } = &mut *bench;
        ledger.remember(store.as_mut(), &epoch(6, OTHER)).unwrap();
    };
    let (first, second, times) = two_at_once(true, |_| {}, overtaken);
    assert!(matches!(first.outcome, StepOutcome::Done { .. }));
    assert_eq!(failure(&second).kind, FailureKind::Superseded);
    assert!(second.proof.is_none());
    assert_eq!(times, 1);
}
