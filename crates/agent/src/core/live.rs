//! The runs that this agent is carrying out, and the ones it carried out lately, for those who watch.

use siaga_model::Progress;
use siaga_model::api::{
    ClientTestResult, LostRows, MoveReport, Outage, RunView, RunningStep, StepView,
};
use siaga_model::event::Actor;
use siaga_model::plan::{Action, MandatedPlan, MoveKind, Placement, Plan, Step};
use siaga_model::run::{RunOutcome, StepReport};
use siaga_model::{NodeName, RunId, ServiceName, StepId, UtcMicros};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Who watches a run hears of its changes so often at most: twice as fast as anybody reads. A move makes some twenty of
/// them in a tenth of a second, and telling each costs the move itself.
const GATHER: Duration = Duration::from_millis(50);

/// How many ended runs are kept for those who ask late.
const KEPT: usize = 16;

/// All runs of this agent since it started.
#[derive(Default)]
pub struct LiveRuns {
    runs: Mutex<BTreeMap<RunId, Arc<LiveRun>>>,
    keys: Mutex<BTreeMap<String, RunId>>,
}

/// One run while it is watched.
pub struct LiveRun {
    pub run: RunId,
    /// The run that this one covers.
    pub covers: Option<super::cover::Covered>,
    /// The plan that its order was accepted with.
    pub first: Option<Box<Plan>>,
    pub service: ServiceName,
    pub kind: MoveKind,
    pub actor: Actor,
    pub started_at: UtcMicros,
    pub started: Instant,
    state: Mutex<LiveState>,
    version: watch::Sender<u64>,
    abort: watch::Sender<bool>,
}

/// What changes while a run goes on.
#[derive(Default)]
pub struct LiveState {
    pub from: Option<NodeName>,
    pub to: Option<NodeName>,
    pub proofs: Vec<String>,
    /// The nodes that its newest plan acts on.
    acts_on: Option<Vec<NodeName>>,
    pub finished: Vec<StepView>,
    pub tests: Vec<ClientTestResult>,
    pub outages: Vec<Outage>,
    pub lost_rows: Vec<LostRows>,
    running: BTreeMap<StepId, Running>,
    waiting: Vec<Step>,
    pub result: Option<RunOutcome>,
    /// The last piece of work is done: outages gathered, result recorded.
    pub ended: bool,
}

struct Running {
    step: Step,
    since: Instant,
    expected_ms: Option<u64>,
    progress: Option<Progress>,
}

impl LiveRuns {
    /// The run of that id.
    pub fn get(&self, run: &RunId) -> Option<Arc<LiveRun>> {
        lock(&self.runs).get(run).cloned()
    }

    /// The run that a request with this key began, if it came before.
    pub fn by_key(&self, key: &str) -> Option<Arc<LiveRun>> {
        let run = lock(&self.keys).get(key).cloned()?;
        self.get(&run)
    }

    /// The run of `service` that is going on now.
    pub fn going_on(&self, service: &ServiceName) -> Option<Arc<LiveRun>> {
        lock(&self.runs)
            .values()
            .find(|r| &r.service == service && !r.is_over())
            .cloned()
    }

    /// Adds a run, unless one of the same service is going on: that one is given back.
    pub fn begin(&self, live: LiveRun, key: &str) -> Result<Arc<LiveRun>, Arc<LiveRun>> {
        let mut runs = lock(&self.runs);
        if let Some(other) = runs
            .values()
            .find(|r| r.service == live.service && !r.is_over())
        {
            return Err(other.clone());
        }
        while runs.len() >= KEPT {
            let Some(oldest) = runs
                .iter()
                .find(|(_, r)| r.is_over())
                .map(|(id, _)| id.clone())
            else {
                break;
            };
            runs.remove(&oldest);
            lock(&self.keys).retain(|_, run| run != &oldest);
        }
        let live = Arc::new(live);
        runs.insert(live.run.clone(), live.clone());
        if !key.is_empty() {
            lock(&self.keys).insert(key.to_owned(), live.run.clone());
        }
        Ok(live)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LiveRun {
    /// A run that begins now.
    pub fn new(
        run: RunId,
        service: ServiceName,
        kind: MoveKind,
        actor: Actor,
        now: UtcMicros,
    ) -> Self {
        Self {
            run,
            covers: None,
            first: None,
            service,
            kind,
            actor,
            started_at: now,
            started: Instant::now(),
            state: Mutex::default(),
            version: watch::channel(1).0,
            abort: watch::channel(false).0,
        }
    }

    /// The same run, as the cover of another.
    pub fn covering(self, covered: Option<super::cover::Covered>) -> Self {
        Self {
            covers: covered,
            ..self
        }
    }

    /// The same run, accepted with this plan.
    pub fn with_first(self, plan: Plan) -> Self {
        Self {
            first: Some(Box::new(plan)),
            ..self
        }
    }

    /// The same run, about to carry that plan out.
    pub fn intending(self, plan: &Plan) -> Self {
        lock(&self.state).acts_on = Some(plan.nodes());
        self
    }

    /// The nodes that its newest plan acts on. `None`: there is no plan yet.
    pub fn acts_on(&self) -> Option<Vec<NodeName>> {
        lock(&self.state).acts_on.clone()
    }

    /// Changes the state and wakes who watches.
    pub fn update<T>(&self, change: impl FnOnce(&mut LiveState) -> T) -> T {
        let result = change(&mut lock(&self.state));
        self.version.send_modify(|v| *v += 1);
        result
    }

    /// True once everything about the run is done.
    pub fn is_over(&self) -> bool {
        lock(&self.state).ended
    }

    /// Asks the run to begin nothing new and bring the service home.
    pub fn ask_to_abort(&self) {
        self.abort.send_replace(true);
    }

    /// Changes to true when somebody asked to abort.
    pub fn abort_asked(&self) -> watch::Receiver<bool> {
        self.abort.subscribe()
    }

    /// Waits until the version is beyond `after`, at most `wait`; what changes soon after is gathered, but the end.
    pub async fn changed(&self, after: u64, wait: Duration) {
        let mut version = self.version.subscribe();
        let beyond = version.wait_for(|v| *v > after);
        let has_changed = tokio::time::timeout(wait, beyond).await.is_ok();
        if has_changed {
            let over = version.wait_for(|_| self.is_over());
            let _ = tokio::time::timeout(GATHER, over).await;
        }
    }

    /// The plan that is carried out from now on.
    pub fn planned(&self, plan: &MandatedPlan) {
        self.update(|s| {
            s.from = s.from.clone().or_else(|| plan.plan.from.clone());
            if s.to.is_none()
                && let Placement::ActiveOn(node) = &plan.plan.goal
            {
                s.to = Some(node.clone());
            }
            s.acts_on = Some(plan.plan.nodes());
            s.waiting = plan.plan.steps.clone();
            s.running.clear();
        });
    }

    /// A step begins.
    pub fn step_begins(&self, step: &Step, expected_ms: Option<u64>) {
        self.update(|s| {
            s.waiting.retain(|w| w.id != step.id);
            let running = Running {
                step: step.clone(),
                since: Instant::now(),
                expected_ms,
                progress: None,
            };
            s.running.insert(step.id, running);
        });
    }

    /// A step says how far it is.
    pub fn progress(&self, step: StepId, at: Progress) {
        self.update(|s| {
            if let Some(running) = s.running.get_mut(&step) {
                running.progress = Some(at);
            }
        });
    }

    /// A step came back.
    pub fn step_ends(&self, step: &Step, report: &StepReport) {
        self.update(|s| {
            s.running.remove(&step.id);
            s.tests.extend(report.tests.iter().cloned());
            s.finished.push(StepView {
                node: step.node.clone(),
                action: step.action.name().to_owned(),
                started_at: rfc3339(report.started_at),
                duration_ms: report.duration_ms,
                outcome: report.outcome.clone(),
                notes: report.notes.clone(),
            });
            if report.outcome.is_done() {
                match &step.action {
                    Action::Release => s.proofs.push(format!("released {}", step.node)),
                    Action::Fence { victim, device, .. } => {
                        s.proofs.push(format!("fenced {victim} by {device}"));
                    }
                    Action::Attest { victim, .. } => s.proofs.push(format!("attested {victim}")),
                    _ => {}
                }
            }
        });
    }

    /// The run as far as it has come.
    pub fn view(&self) -> RunView {
        let state = lock(&self.state);
        RunView {
            version: *self.version.borrow(),
            report: self.report(&state),
            running: state
                .running
                .values()
                .map(|r| RunningStep {
                    node: r.step.node.clone(),
                    action: r.step.action.name().to_owned(),
                    elapsed_ms: u64::try_from(r.since.elapsed().as_millis()).unwrap_or(u64::MAX),
                    expected_ms: r.expected_ms,
                    progress: r.progress.clone(),
                })
                .collect(),
            waiting: state
                .waiting
                .iter()
                .map(|s| (s.node.clone(), s.action.name().to_owned()))
                .collect(),
            ended: state.ended,
            result: state.result.clone(),
        }
    }

    fn report(&self, state: &LiveState) -> MoveReport {
        let (outcome, code, message) = describe(state.result.as_ref());
        MoveReport {
            run_id: self.run.clone(),
            covers: self.covers.as_ref().map(|c| c.run.clone()),
            kind: self.kind,
            service: self.service.clone(),
            from: state.from.clone(),
            to: state.to.clone(),
            outcome,
            code,
            message,
            proof: state.proofs.clone(),
            started_at: rfc3339(self.started_at),
            steps: state.finished.clone(),
            outages: state.outages.clone(),
            lost_rows: state.lost_rows.clone(),
            client_tests: state.tests.clone(),
        }
    }
}

/// Outcome, code and message as the JSON of a move has them.
fn describe(result: Option<&RunOutcome>) -> (String, Option<String>, Option<String>) {
    let english = siaga_model::config::Language::English;
    match result {
        None => ("running".into(), None, None),
        Some(RunOutcome::Done) => ("done".into(), None, None),
        Some(RunOutcome::Refused { refusal }) => (
            "refused".into(),
            Some(siaga_words::refusal_code(refusal.code).to_owned()),
            Some(siaga_words::sentence(english, &refusal.sentence)),
        ),
        Some(RunOutcome::Restored { cause, .. }) => (
            "restored".into(),
            None,
            Some(siaga_words::failure(english, cause)),
        ),
        Some(RunOutcome::Stuck { cause, refusal, .. }) => (
            "stuck".into(),
            Some(siaga_words::refusal_code(refusal.code).to_owned()),
            Some(match cause {
                Some(cause) => siaga_words::failure(english, cause),
                None => siaga_words::sentence(english, &refusal.sentence),
            }),
        ),
    }
}

/// RFC 3339, UTC, with milliseconds.
pub fn rfc3339(at: UtcMicros) -> String {
    jiff::Timestamp::from_microsecond(at.0)
        .map(|t| format!("{t:.3}"))
        .unwrap_or_default()
}
