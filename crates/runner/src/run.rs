//! One run on its coordinator, as a state machine: what happened in, what to do next out. No I/O, no clock, and no
//! choice of its own: where something failed it asks the planner again, with another goal.
//!
//! ```text
//!   Plan(goal) ──planned──▶ steps … ──all done──▶ next leg: Plan(goal) … ──▶ Ended(Done)
//!      │                      │
//!   refused            a step failed: let what is in flight finish, then
//!      │                      ├─ nothing was begun, or the way may be tried again ──▶ Plan(same goal)
//!   Ended(Refused,            ├─ a planned move ──▶ Plan(home) ──▶ Ended(Restored)
//!   or Stuck)                 └─ else ──▶ Ended(Stuck)
//! ```

mod steps;

use siaga_model::event::EventBody;
use siaga_model::observation::AttestationGiven;
use siaga_model::plan::{Action, MandatedPlan, MoveKind, Placement, Request, Step};
use siaga_model::proof::ProofRecord;
use siaga_model::refusal::{Advice, Refusal, RefusalCode, Sentence};
use siaga_model::run::{
    FailureKind, Order, RunOutcome, StepAt, StepFailure, StepOutcome, StepReport,
};
use siaga_model::{NodeName, PlanId, RunId, ServiceName, StepId};
use std::collections::{BTreeMap, VecDeque};
use steps::{address_free, touches, worth_another_plan};

/// How often one leg may be planned anew towards the same goal (a fence device that failed, a mandate that another
/// run voided) before the run gives up.
const MOST_ATTEMPTS: u32 = 4;

/// What a run is for.
#[derive(Clone, PartialEq, Debug)]
pub struct RunSpec {
    pub run: RunId,
    pub service: ServiceName,
    pub kind: MoveKind,
    /// The placements to reach, one after the other. A drill has two.
    pub legs: Vec<Placement>,
    /// Where to bring the service back to when a leg fails. `None`: there is no way back (the source is dead).
    pub home: Option<Placement>,
    pub may_fence: bool,
    /// See [`Request`].
    pub accepts_old_data: bool,
    pub attested: Vec<AttestationGiven>,
}

/// What happened.
#[derive(Clone, PartialEq, Debug)]
pub enum Input {
    /// The answer to [`Effect::Plan`]: the plan is under its mandate and durable, or it was refused.
    Planned(Result<Box<MandatedPlan>, Refusal>),
    /// A step came back.
    StepDone {
        plan: PlanId,
        step: StepId,
        report: StepReport,
    },
    /// The time for the whole run is spent, or a person asked to abort: begin nothing new, go home.
    GoHome { why: StepFailure },
}

/// What to do next.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// Observe, ask the planner, mint, record durably; answer with [`Input::Planned`].
    /// `failed_fences`: devices that were tried in this run and failed, whatever they say of themselves.
    Plan {
        request: Request,
        parent: Option<PlanId>,
        proofs: Vec<ProofRecord>,
        failed_fences: Vec<(NodeName, String)>,
    },
    /// Carry out; answer with [`Input::StepDone`].
    Start(Box<Order>),
    /// Write this down; it holds nothing up.
    Record(Box<EventBody>),
    /// It is over.
    Ended(RunOutcome),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum StepState {
    Waiting,
    Running,
    Done,
    Failed,
}

#[derive(Clone, PartialEq, Debug)]
enum Phase {
    Planning,
    Executing,
    Ended(Box<RunOutcome>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stopped {
    TryAgain,
    GiveUp,
}

/// The run.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    spec: RunSpec,
    legs: VecDeque<Placement>,
    phase: Phase,
    /// The plan under way, or the last one.
    plan: Option<MandatedPlan>,
    states: BTreeMap<StepId, StepState>,
    proofs: Vec<ProofRecord>,
    /// What went wrong first: the cause that people are told.
    cause: Option<(StepAt, StepFailure)>,
    /// What stops this plan, and whether another plan towards the same goal is worth it.
    failure: Option<Stopped>,
    failed_fences: Vec<(NodeName, String)>,
    going_home: bool,
    attempts: u32,
    /// True once a step changed something, or may have.
    touched: bool,
}

impl Run {
    /// A new run, and its first effect.
    pub fn begin(spec: RunSpec) -> (Self, Vec<Effect>) {
        let spec_kind = spec.kind;
        let mut run = Self {
            legs: spec.legs.iter().cloned().collect(),
            spec,
            phase: Phase::Planning,
            plan: None,
            states: BTreeMap::new(),
            proofs: Vec::new(),
            cause: None,
            failure: None,
            failed_fences: Vec::new(),
            going_home: false,
            attempts: 0,
            // A run that is gone on with may have changed anything before: it ends in a named state, never unbegun.
            touched: matches!(
                spec_kind,
                MoveKind::Resume | MoveKind::Abort | MoveKind::Cover
            ),
        };
        let effects = run.ask_for_plan();
        (run, effects)
    }

    /// What the run is for.
    pub fn spec(&self) -> &RunSpec {
        &self.spec
    }
    /// The plan under way, or the last one.
    pub fn plan(&self) -> Option<&MandatedPlan> {
        self.plan.as_ref()
    }
    /// The result, once it is over.
    pub fn outcome(&self) -> Option<&RunOutcome> {
        match &self.phase {
            Phase::Ended(outcome) => Some(outcome),
            Phase::Planning | Phase::Executing => None,
        }
    }
    /// The steps of the plan under way that have not begun.
    pub fn waiting(&self) -> impl Iterator<Item = &Step> {
        let states = &self.states;
        self.plan
            .iter()
            .flat_map(|p| &p.plan.steps)
            .filter(move |s| states.get(&s.id) == Some(&StepState::Waiting))
    }
    /// Every proof that came into being in this run.
    pub fn proofs(&self) -> &[ProofRecord] {
        &self.proofs
    }

    /// The one transition function.
    pub fn handle(&mut self, input: Input) -> Vec<Effect> {
        match (&self.phase, input) {
            (Phase::Ended(_), _) => Vec::new(),
            (Phase::Planning, Input::Planned(Ok(plan))) => self.start_plan(*plan),
            (Phase::Planning, Input::Planned(Err(refusal))) => self.refused(refusal),
            (Phase::Executing, Input::StepDone { plan, step, report }) => {
                self.step_done(&plan, step, &report)
            }
            // While planning it is kept, and followed once the plan is there.
            (Phase::Executing | Phase::Planning, Input::GoHome { why }) => self.go_home(why),
            // A late report of a plan that was given up: nothing to do.
            (Phase::Planning, Input::StepDone { .. }) | (Phase::Executing, Input::Planned(_)) => {
                Vec::new()
            }
        }
    }

    fn ask_for_plan(&mut self) -> Vec<Effect> {
        self.phase = Phase::Planning;
        self.failure = None;
        let (kind, goal) = if self.going_home {
            (MoveKind::Restore, self.spec.home.clone())
        } else {
            (self.spec.kind, self.legs.front().cloned())
        };
        let Some(goal) = goal else {
            return self.end(RunOutcome::Done);
        };
        let request = Request {
            kind,
            goal,
            attested: self.spec.attested.clone(),
            may_fence: self.spec.may_fence,
            accepts_old_data: self.spec.accepts_old_data,
        };
        let parent = self.plan.as_ref().map(|p| p.id.clone());
        vec![Effect::Plan {
            request,
            parent,
            proofs: self.proofs.clone(),
            failed_fences: self.failed_fences.clone(),
        }]
    }

    fn start_plan(&mut self, plan: MandatedPlan) -> Vec<Effect> {
        self.states = plan
            .plan
            .steps
            .iter()
            .map(|s| (s.id, StepState::Waiting))
            .collect();
        self.plan = Some(plan);
        self.phase = Phase::Executing;
        self.advance()
    }

    /// Starts every step whose predecessors are done; ends the plan where nothing is left.
    fn advance(&mut self) -> Vec<Effect> {
        let Some(plan) = &self.plan else {
            return Vec::new();
        };
        let in_flight = self.states.values().any(|s| *s == StepState::Running);
        if self.failure.is_some() {
            return if in_flight {
                Vec::new()
            } else {
                self.after_failure()
            };
        }
        let done = |id: &StepId| self.states.get(id) == Some(&StepState::Done);
        let ready: Vec<Step> = plan
            .plan
            .steps
            .iter()
            .filter(|s| {
                self.states.get(&s.id) == Some(&StepState::Waiting) && s.after.iter().all(done)
            })
            .cloned()
            .collect();
        if ready.is_empty() && !in_flight {
            return self.leg_done();
        }
        let orders: Vec<Effect> = ready
            .iter()
            .map(|s| Effect::Start(Box::new(self.order(plan, s))))
            .collect();
        for step in &ready {
            self.states.insert(step.id, StepState::Running);
        }
        orders
    }

    fn order(&self, plan: &MandatedPlan, step: &Step) -> Order {
        Order {
            service: self.spec.service.clone(),
            run: self.spec.run.clone(),
            plan: plan.id.clone(),
            epoch: plan.epoch.clone(),
            coordinator: plan.coordinator.clone(),
            step: step.clone(),
            proofs: match step.action {
                Action::Take => self
                    .proofs
                    .iter()
                    .filter(|p| p.epoch == plan.epoch)
                    .cloned()
                    .collect(),
                _ => Vec::new(),
            },
            hit_mandates: match &step.action {
                Action::Fence { victim, .. } => {
                    let hits = plan.hit_mandates.iter();
                    hits.filter(|h| &h.victim == victim).cloned().collect()
                }
                _ => Vec::new(),
            },
            address_free: step.action == Action::AddVirtualIp && address_free(plan),
            enlist: (step.action == Action::Enlist).then(|| Box::new(plan.clone())),
            attested: match step.action {
                Action::Attest { .. } => self.spec.attested.clone(),
                _ => Vec::new(),
            },
        }
    }

    fn step_done(&mut self, plan: &PlanId, id: StepId, report: &StepReport) -> Vec<Effect> {
        let Some(current) = self.plan.as_ref().filter(|p| &p.id == plan) else {
            return Vec::new();
        };
        let Some(step) = current.plan.steps.iter().find(|s| s.id == id).cloned() else {
            return Vec::new();
        };
        // Each step is reported once; what was not begun, or was reported before, says nothing new.
        if self.states.get(&id) != Some(&StepState::Running) {
            return Vec::new();
        }
        let mut effects = vec![Effect::Record(Box::new(EventBody::StepFinished {
            plan: plan.clone(),
            step: step.clone(),
            report: report.clone(),
        }))];
        if let Some(proof) = &report.proof {
            self.proofs.push(proof.clone());
            effects.push(Effect::Record(Box::new(EventBody::ProofMade {
                proof: proof.clone(),
            })));
        }
        let failure = match &report.outcome {
            StepOutcome::Done { changed } => {
                self.touched |= *changed && touches(&step.action);
                None
            }
            StepOutcome::Failed(failure) => {
                self.touched |= touches(&step.action);
                Some(failure.clone())
            }
            StepOutcome::Unknown { why } => {
                self.touched |= touches(&step.action);
                Some(StepFailure::new(FailureKind::Unreachable, why.clone()))
            }
        };
        match failure {
            // A newer mandate ends this run's say in everything, whatever the step was.
            Some(failure)
                if !step.action.is_advisory() || failure.kind == FailureKind::Superseded =>
            {
                self.states.insert(id, StepState::Failed);
                self.fail(&step, failure);
            }
            _ => {
                self.states.insert(id, StepState::Done);
            }
        }
        effects.extend(self.advance());
        effects
    }

    fn fail(&mut self, step: &Step, failure: StepFailure) {
        let at = StepAt {
            node: step.node.clone(),
            action: step.action.name().to_owned(),
        };
        let may_fence = self.spec.may_fence;
        let again = worth_another_plan(self.plan.as_ref(), step, &failure, may_fence);
        // A mandate that no longer holds is not the device's fault.
        if let Action::Fence { victim, device, .. } = &step.action
            && failure.kind != FailureKind::Superseded
        {
            self.failed_fences.push((victim.clone(), device.clone()));
        }
        self.cause.get_or_insert((at, failure));
        self.failure.get_or_insert(if again {
            Stopped::TryAgain
        } else {
            Stopped::GiveUp
        });
    }

    fn leg_done(&mut self) -> Vec<Effect> {
        if self.going_home {
            return self.end(self.restored());
        }
        self.legs.pop_front();
        self.attempts = 0;
        if self.legs.is_empty() {
            self.end(RunOutcome::Done)
        } else {
            self.ask_for_plan()
        }
    }

    fn go_home(&mut self, why: StepFailure) -> Vec<Effect> {
        // A failure that would be tried again is not: the order to go home comes before it.
        if self.going_home || self.failure == Some(Stopped::GiveUp) {
            return Vec::new();
        }
        let at = StepAt {
            node: self
                .plan
                .as_ref()
                .map_or_else(|| "".into(), |p| p.coordinator.clone()),
            action: "go_home".into(),
        };
        self.cause.get_or_insert((at, why));
        self.failure = Some(Stopped::GiveUp);
        if self.phase == Phase::Executing {
            self.advance()
        } else {
            Vec::new()
        }
    }

    /// Nothing is in flight any more: try the same goal again, go home, or rest.
    fn after_failure(&mut self) -> Vec<Effect> {
        self.attempts += 1;
        if self.failure == Some(Stopped::TryAgain) && self.attempts < MOST_ATTEMPTS {
            return self.ask_for_plan();
        }
        if self.spec.home.is_some() && !self.going_home {
            self.going_home = true;
            self.attempts = 0;
            return self.ask_for_plan();
        }
        self.end(self.stuck(None))
    }

    fn refused(&mut self, refusal: Refusal) -> Vec<Effect> {
        // Already where it should be: the leg needs nothing. An order to go home that came meanwhile still stands.
        let goal_stands = self.going_home || self.failure.is_none();
        if refusal.code == RefusalCode::AlreadyThere && self.plan.is_some() && goal_stands {
            return self.leg_done();
        }
        if !self.touched && !self.going_home {
            return self.end(RunOutcome::Refused { refusal });
        }
        if self.spec.home.is_some() && !self.going_home {
            self.going_home = true;
            self.attempts = 0;
            return self.ask_for_plan();
        }
        self.end(self.stuck(Some(refusal)))
    }

    fn restored(&self) -> RunOutcome {
        match self.cause.clone() {
            Some((at, cause)) => RunOutcome::Restored { cause, at },
            None => RunOutcome::Done,
        }
    }

    fn stuck(&self, refusal: Option<Refusal>) -> RunOutcome {
        let (at, cause) = self.cause.clone().unzip();
        let refusal = refusal.unwrap_or_else(|| Refusal {
            code: RefusalCode::RunInterrupted,
            sentence: Sentence::ServiceDown {
                service: self.spec.service.clone(),
                last_on: self.plan.as_ref().and_then(|p| p.plan.from.clone()),
            },
            evidence: Vec::new(),
            next: vec![Advice::Resume, Advice::Diagnose],
        });
        RunOutcome::Stuck { cause, at, refusal }
    }

    fn end(&mut self, outcome: RunOutcome) -> Vec<Effect> {
        self.phase = Phase::Ended(Box::new(outcome.clone()));
        vec![
            Effect::Record(Box::new(EventBody::RunEnded {
                outcome: outcome.clone(),
                plan: self.plan.as_ref().map(|p| p.id.clone()),
            })),
            Effect::Ended(outcome),
        ]
    }
}
