//! Which run of a service is the newest, and is it over? A projection of the merged events of both nodes.

use siaga_model::event::{Event, EventBody};
use siaga_model::observation::RunInProgress;
use siaga_model::plan::{MandatedPlan, MoveKind, Placement};
use siaga_model::run::RunOutcome;
use siaga_model::{NodeName, RunId, ServiceName, UtcMicros};
use std::collections::BTreeMap;

/// The newest run of each service.
#[derive(Clone, Default, Debug)]
pub struct RunIndex {
    newest: BTreeMap<ServiceName, KnownRun>,
}

/// What the events tell of one run.
#[derive(Clone, Debug)]
pub struct KnownRun {
    pub run: RunId,
    pub kind: MoveKind,
    pub goal: Placement,
    /// Where the service was when the run began.
    pub from: Option<NodeName>,
    pub plan: MandatedPlan,
    pub actor: String,
    pub since: UtcMicros,
    pub ended: Option<RunOutcome>,
}

impl KnownRun {
    /// True where the run rests unfinished: it was cut off, or it is stuck.
    pub fn is_open(&self) -> bool {
        matches!(&self.ended, None | Some(RunOutcome::Stuck { .. }))
    }

    /// As an observation tells it. `live`: its coordinator is carrying it out now.
    pub fn in_progress(&self, live: bool) -> RunInProgress {
        RunInProgress {
            run: self.run.clone(),
            epoch: self.plan.epoch.clone(),
            coordinator: self.plan.coordinator.clone(),
            since: self.since,
            actor: self.actor.clone(),
            live,
            goal: Some(self.goal.clone()),
            home: self.from.clone().map(Placement::ActiveOn),
        }
    }
}

impl RunIndex {
    /// The newest run of `service`.
    pub fn newest(&self, service: &ServiceName) -> Option<&KnownRun> {
        self.newest.get(service)
    }

    /// The newest run, where it rests unfinished.
    pub fn open(&self, service: &ServiceName) -> Option<&KnownRun> {
        self.newest(service).filter(|r| r.is_open())
    }

    /// Takes one event in, own or copied, in any order across nodes.
    pub fn apply(&mut self, event: &Event) {
        match &event.body {
            EventBody::PlanRecorded { plan } => self.plan(event, plan),
            EventBody::RunEnded { outcome } => self.ended(event, outcome),
            _ => {}
        }
    }

    fn plan(&mut self, event: &Event, plan: &MandatedPlan) {
        let service = &plan.plan.service;
        match self.newest.get_mut(service) {
            Some(known) if known.run == plan.epoch.run => {
                if plan.epoch.counter > known.plan.epoch.counter {
                    known.plan = plan.clone();
                    known.ended = None;
                }
            }
            Some(known) if known.plan.epoch.counter >= plan.epoch.counter => {}
            _ => {
                let known = KnownRun {
                    run: plan.epoch.run.clone(),
                    kind: plan.plan.kind,
                    goal: plan.plan.goal.clone(),
                    from: plan.plan.from.clone(),
                    plan: plan.clone(),
                    actor: event
                        .actor
                        .as_ref()
                        .map(|a| a.name.clone())
                        .unwrap_or_default(),
                    since: run_time(&plan.epoch.run),
                    ended: None,
                };
                self.newest.insert(service.clone(), known);
            }
        }
    }

    fn ended(&mut self, event: &Event, outcome: &RunOutcome) {
        let (Some(service), Some(run)) = (&event.service, &event.run) else {
            return;
        };
        if let Some(known) = self.newest.get_mut(service)
            && &known.run == run
        {
            known.ended = Some(outcome.clone());
        }
    }
}

/// The moment in a run's id: see [`new_run_id`].
pub fn run_time(run: &RunId) -> UtcMicros {
    let micros = run
        .as_str()
        .split('-')
        .next()
        .and_then(|t| i64::from_str_radix(t, 16).ok());
    UtcMicros(micros.unwrap_or(0))
}

/// A new run id: the wall clock in microseconds as 14 hexadecimal digits, then the node. Unique, since a node accepts
/// one run of a service at a time, and readable in order of time.
pub fn new_run_id(now: UtcMicros, node: &NodeName) -> RunId {
    RunId::new(format!("{:014x}-{node}", now.0))
}
