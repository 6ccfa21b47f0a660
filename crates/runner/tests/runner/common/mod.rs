//! What the runner's tests share: scripted hands, a log in memory, and short ways to say epochs, plans and orders.
//! Nothing here comes from the simulation, which is built on the runner itself.

#![allow(clippy::unwrap_used)] // Helpers of tests: a panic is a failed test.
#![allow(dead_code)] // Each test file uses its part.

pub mod hands;
pub mod play;

use hands::ScriptedHands;
use siaga_model::config::FenceKind;
use siaga_model::event::EventBody;
use siaga_model::observation::Promise;
use siaga_model::plan::{Action, MandatedPlan, MoveKind, Placement, Plan, Step};
use siaga_model::proof::{AttestKind, Ground, ProofRecord};
use siaga_model::refusal::Sentence;
use siaga_model::run::{FailureKind, Order, StepFailure, StepOutcome, StepReport};
use siaga_model::{Epoch, NodeName, PlanId, RunId, ServiceName, StepId, UtcMicros};
use siaga_runner::executor::{Executor, SharedBench};
use siaga_runner::fencing::Fencing;
use siaga_runner::hands::Store;
use siaga_runner::ledger::{Ledger, LedgerError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The node that the tests stand on.
pub const ME: &str = "backup";
/// The node that has to let go.
pub const OTHER: &str = "serverdb";
pub const BOOT: &str = "boot-1";

pub fn service() -> ServiceName {
    "simrs".into()
}

pub fn epoch(counter: u64, issuer: &str) -> Epoch {
    Epoch {
        counter,
        issuer: issuer.into(),
        run: "run1".into(),
    }
}

pub fn step(id: u16, node: &str, action: Action, after: &[u16]) -> Step {
    let after = after.iter().copied().map(StepId).collect();
    Step {
        id: StepId(id),
        node: node.into(),
        action,
        after,
    }
}

pub fn plan_of(epoch: &Epoch, kind: MoveKind, goal: Placement, steps: Vec<Step>) -> MandatedPlan {
    MandatedPlan {
        id: PlanId::new(format!("plan{}-{}", epoch.counter, epoch.issuer)),
        parent: None,
        epoch: epoch.clone(),
        coordinator: epoch.issuer.clone(),
        hit_mandates: Vec::new(),
        plan: Plan {
            service: service(),
            kind,
            goal,
            from: Some(OTHER.into()),
            proofs: Vec::new(),
            hits: Vec::new(),
            steps,
            sentence: Sentence::ServiceStopped { service: service() },
            unproved: Vec::new(),
        },
    }
}

/// A plan about nothing, under that epoch.
pub fn plan(epoch: &Epoch) -> MandatedPlan {
    plan_of(
        epoch,
        MoveKind::Switchover,
        Placement::ActiveOn(ME.into()),
        Vec::new(),
    )
}

pub fn proof(node: &str, epoch: &Epoch, ground: Ground) -> ProofRecord {
    ProofRecord {
        service: service(),
        epoch: epoch.clone(),
        node: node.into(),
        boot: None,
        at: UtcMicros(77),
        ground,
    }
}

pub fn released(node: &str, epoch: &Epoch) -> ProofRecord {
    ProofRecord {
        boot: Some(BOOT.into()),
        ..proof(node, epoch, Ground::Released)
    }
}

pub fn fenced(node: &str, epoch: &Epoch, fence: FenceKind) -> ProofRecord {
    proof(
        node,
        epoch,
        Ground::Fenced {
            device: "ipmi".into(),
            fence,
        },
    )
}

pub fn attested(node: &str, epoch: &Epoch, how: AttestKind) -> ProofRecord {
    proof(
        node,
        epoch,
        Ground::Attested {
            by: "siti".into(),
            how,
        },
    )
}

pub fn promise(node: &str, epoch: &Epoch) -> EventBody {
    let promise = Promise {
        node: node.into(),
        boot: BOOT.into(),
        epoch: epoch.clone(),
        at: UtcMicros(1),
    };
    EventBody::Promised { promise }
}

pub fn admitted(epoch: &Epoch) -> EventBody {
    EventBody::MandateAdmitted {
        epoch: epoch.clone(),
    }
}

pub fn run_id() -> RunId {
    "run1".into()
}

/// The log of one node, in memory, as it would be found after a restart.
#[derive(Clone, Default)]
pub struct Book(Arc<Mutex<Pages>>);

#[derive(Default)]
struct Pages {
    rows: Vec<EventBody>,
    writes: Vec<Vec<EventBody>>,
    failing: bool,
    on_write: Option<Box<dyn FnMut() + Send>>,
}

impl Book {
    fn pages(&self) -> std::sync::MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// From now on nothing can be written.
    pub fn fail(&self) {
        self.pages().failing = true;
    }
    pub fn rows(&self) -> Vec<EventBody> {
        self.pages().rows.clone()
    }
    /// Each write by itself.
    pub fn writes(&self) -> Vec<Vec<EventBody>> {
        self.pages().writes.clone()
    }
    /// Called at each write, once it is durable.
    pub fn on_write(&self, told: impl FnMut() + Send + 'static) {
        self.pages().on_write = Some(Box::new(told));
    }
}

impl Store for Book {
    fn append_durably(&mut self, _: &ServiceName, bodies: Vec<EventBody>) -> Result<(), String> {
        let mut pages = self.pages();
        if pages.failing {
            return Err("no space left on device".into());
        }
        pages.rows.extend(bodies.clone());
        pages.writes.push(bodies);
        if let Some(told) = &mut pages.on_write {
            told();
        }
        Ok(())
    }
}

/// The ledger that a node finds in its journal.
pub fn ledger(events: &[EventBody]) -> Ledger {
    Ledger::replay(ME.into(), BOOT.into(), service(), false, events.iter())
}

/// One node: hands, log and ledger.
pub struct Desk {
    pub hands: ScriptedHands,
    pub book: Book,
    pub bench: Arc<SharedBench>,
    pub fencing: Arc<Fencing>,
}

impl Desk {
    /// A node whose journal holds `events`.
    pub fn new(events: &[EventBody]) -> Self {
        Self::patient(events, Duration::from_secs(20))
    }

    pub fn patient(events: &[EventBody], in_flight_wait: Duration) -> Self {
        let book = Book::default();
        let bench = SharedBench::new(ledger(events), Box::new(book.clone()));
        Self {
            hands: ScriptedHands::default(),
            book,
            bench: Arc::new(bench.with_in_flight_wait(in_flight_wait)),
            fencing: Arc::default(),
        }
    }

    pub fn execute(&self, order: &Order) -> StepReport {
        let executor = Executor {
            hands: &self.hands,
            others: vec![OTHER.into()],
            bench: &self.bench,
            fencing: &self.fencing,
        };
        executor.execute(order, &|_| {})
    }

    /// Carries one action out under `epoch`.
    pub fn carry(&self, epoch: &Epoch, action: Action) -> StepReport {
        self.execute(&order(epoch, action))
    }

    /// The node obeys that mandate from now on.
    pub fn enlist(&self, epoch: &Epoch) -> StepReport {
        let order = Order {
            enlist: Some(Box::new(plan(epoch))),
            ..order(epoch, Action::Enlist)
        };
        self.execute(&order)
    }
}

pub fn order(epoch: &Epoch, action: Action) -> Order {
    Order {
        service: service(),
        run: epoch.run.clone(),
        plan: plan(epoch).id,
        epoch: epoch.clone(),
        coordinator: epoch.issuer.clone(),
        step: step(0, ME, action, &[]),
        proofs: Vec::new(),
        hit_mandates: Vec::new(),
        enlist: None,
        address_free: false,
        attested: Vec::new(),
    }
}

pub fn report(outcome: StepOutcome) -> StepReport {
    StepReport {
        outcome,
        proof: None,
        tests: Vec::new(),
        notes: Vec::new(),
        started_at: UtcMicros(0),
        duration_ms: 0,
    }
}

pub fn done() -> StepReport {
    report(StepOutcome::Done { changed: true })
}

pub fn failed(kind: FailureKind) -> StepReport {
    report(StepOutcome::Failed(StepFailure::new(kind, "scripted")))
}

/// The failure that a step reports.
#[track_caller]
pub fn failure(report: &StepReport) -> &StepFailure {
    match &report.outcome {
        StepOutcome::Failed(failure) => failure,
        other => panic!("not a failure: {other:?}"),
    }
}

#[track_caller]
pub fn assert_superseded<T: std::fmt::Debug>(result: Result<T, LedgerError>) {
    assert!(
        matches!(result, Err(LedgerError::Superseded { .. })),
        "{result:?}"
    );
}

#[track_caller]
pub fn assert_conflict<T: std::fmt::Debug>(result: Result<T, LedgerError>) {
    assert!(
        matches!(result, Err(LedgerError::Conflict { .. })),
        "{result:?}"
    );
}

/// That the proof about `node` does not hold, and why: the name of the reason, or the words in it.
#[track_caller]
pub fn assert_void<T: std::fmt::Debug>(result: Result<T, LedgerError>, node: &str, why: &str) {
    match result {
        Err(LedgerError::ProofVoid {
            node: about,
            why: said,
            ..
        }) => {
            let said = format!("{said:?}");
            assert_eq!(
                (about, said.contains(why)),
                (NodeName::from(node), true),
                "{said}"
            );
        }
        other => panic!("not void: {other:?}"),
    }
}
