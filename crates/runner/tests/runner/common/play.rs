//! Plays a run by hand: plans and reports in, effects out.

use super::{ME, OTHER, done, epoch, failed, plan_of, report, run_id, service};
use siaga_model::event::EventBody;
use siaga_model::observation::AttestationGiven;
use siaga_model::plan::{Action, MandatedPlan, MoveKind, Placement, Request, Step};
use siaga_model::proof::ProofRecord;
use siaga_model::refusal::{Refusal, RefusalCode, Sentence};
use siaga_model::run::{FailureKind, Order, RunOutcome, StepFailure, StepOutcome, StepReport};
use siaga_model::{NodeName, PlanId, StepId};
use siaga_runner::run::{Effect, Input, Run, RunSpec};

pub fn on(node: &str) -> Placement {
    Placement::ActiveOn(node.into())
}

/// A planned move from `OTHER` to `ME`.
pub fn switchover() -> RunSpec {
    RunSpec {
        run: run_id(),
        service: service(),
        kind: MoveKind::Switchover,
        legs: vec![on(ME)],
        home: Some(on(OTHER)),
        may_fence: false,
        accepts_old_data: false,
        attested: Vec::new(),
    }
}

/// The source is dead: there is no way back.
pub fn takeover() -> RunSpec {
    RunSpec {
        kind: MoveKind::Takeover,
        home: None,
        may_fence: true,
        accepts_old_data: false,
        ..switchover()
    }
}

pub fn drill() -> RunSpec {
    RunSpec {
        kind: MoveKind::Drill,
        legs: vec![on(ME), on(OTHER)],
        ..switchover()
    }
}

pub fn refusal(code: RefusalCode) -> Refusal {
    let sentence = Sentence::RefusedPeerSilent { node: OTHER.into() };
    Refusal {
        code,
        sentence,
        evidence: Vec::new(),
        next: Vec::new(),
    }
}

/// What was asked of the planner.
#[derive(Clone, PartialEq, Debug)]
pub struct Asked {
    pub request: Request,
    pub parent: Option<PlanId>,
    pub proofs: Vec<ProofRecord>,
    pub failed_fences: Vec<(NodeName, String)>,
}

/// A run, with everything that it ever said.
pub struct Play {
    pub run: Run,
    pub asked: Vec<Asked>,
    pub orders: Vec<Order>,
    pub records: Vec<EventBody>,
    pub ended: Vec<RunOutcome>,
    plans: u64,
    plan: Option<MandatedPlan>,
}

impl Play {
    pub fn begin(spec: RunSpec) -> Self {
        let (run, effects) = Run::begin(spec);
        let mut play = Self {
            run,
            asked: Vec::new(),
            orders: Vec::new(),
            records: Vec::new(),
            ended: Vec::new(),
            plans: 0,
            plan: None,
        };
        play.keep(&effects);
        play
    }

    /// A run whose first plan has these steps.
    pub fn with_plan(spec: RunSpec, steps: Vec<Step>) -> Self {
        let mut play = Self::begin(spec);
        play.plan(steps);
        play
    }

    fn keep(&mut self, effects: &[Effect]) {
        for effect in effects {
            match effect.clone() {
                Effect::Plan {
                    request,
                    parent,
                    proofs,
                    failed_fences,
                } => {
                    self.asked.push(Asked {
                        request,
                        parent,
                        proofs,
                        failed_fences,
                    });
                }
                Effect::Start(order) => self.orders.push(*order),
                Effect::Record(body) => self.records.push(*body),
                Effect::Ended(outcome) => self.ended.push(outcome),
            }
        }
    }

    pub fn give(&mut self, input: Input) -> Vec<Effect> {
        let effects = self.run.handle(input);
        self.keep(&effects);
        effects
    }

    /// Answers with a plan of these steps, under the next mandate. Gives the ids of the steps that are started.
    pub fn plan(&mut self, steps: Vec<Step>) -> Vec<u16> {
        self.plans += 1;
        let request = &self.asked.last().unwrap().request;
        let plan = plan_of(
            &epoch(self.plans, ME),
            request.kind,
            request.goal.clone(),
            steps,
        );
        self.plan_as(plan)
    }

    pub fn plan_as(&mut self, plan: MandatedPlan) -> Vec<u16> {
        self.plan = Some(plan.clone());
        started(&self.give(Input::Planned(Ok(Box::new(plan)))))
    }

    pub fn refuse(&mut self, code: RefusalCode) -> Vec<Effect> {
        self.give(Input::Planned(Err(refusal(code))))
    }

    pub fn plan_id(&self) -> PlanId {
        self.plan.as_ref().unwrap().id.clone()
    }

    /// A step of the newest plan came back. Gives the ids of the steps that are started.
    pub fn report(&mut self, step: u16, report: StepReport) -> Vec<u16> {
        let plan = self.plan_id();
        started(&self.give(Input::StepDone {
            plan,
            step: StepId(step),
            report,
        }))
    }

    pub fn done(&mut self, step: u16) -> Vec<u16> {
        self.report(step, done())
    }

    /// It was true already.
    pub fn unchanged(&mut self, step: u16) -> Vec<u16> {
        self.report(step, report(StepOutcome::Done { changed: false }))
    }

    pub fn fail(&mut self, step: u16, kind: FailureKind) -> Vec<u16> {
        self.report(step, failed(kind))
    }

    pub fn go_home(&mut self, why: &str) -> Vec<Effect> {
        self.give(Input::GoHome {
            why: StepFailure::new(FailureKind::Precondition, why),
        })
    }

    /// The newest question to the planner: what kind, and where to.
    pub fn last_asked(&self) -> (MoveKind, Placement) {
        let request = &self.asked.last().unwrap().request;
        (request.kind, request.goal.clone())
    }

    pub fn order_of(&self, step: u16) -> &Order {
        self.orders
            .iter()
            .rfind(|o| o.step.id == StepId(step))
            .unwrap()
    }

    /// The end, said and recorded exactly once, after which nothing is said any more.
    #[track_caller]
    pub fn outcome(&mut self) -> RunOutcome {
        assert_eq!(self.ended.len(), 1, "{:?}", self.ended);
        let outcome = self.ended[0].clone();
        assert_eq!(self.ends_recorded(), std::slice::from_ref(&outcome));
        assert_eq!(self.run.outcome(), Some(&outcome));
        assert!(self.go_home("after the end").is_empty());
        assert!(self.refuse(RefusalCode::AlreadyThere).is_empty());
        if self.plan.is_some() {
            assert!(self.done(0).is_empty());
        }
        assert_eq!(self.ended.len(), 1);
        assert_eq!(self.ends_recorded().len(), 1);
        outcome
    }

    pub fn ends_recorded(&self) -> Vec<RunOutcome> {
        let end = |b: &EventBody| match b {
            EventBody::RunEnded { outcome, .. } => Some(outcome.clone()),
            _ => None,
        };
        self.records.iter().filter_map(end).collect()
    }

    #[track_caller]
    pub fn assert_running(&self) {
        assert_eq!((&self.ended, self.run.outcome()), (&Vec::new(), None));
        assert!(self.ends_recorded().is_empty());
    }
}

pub fn started(effects: &[Effect]) -> Vec<u16> {
    let id = |e: &Effect| match e {
        Effect::Start(order) => Some(order.step.id.0),
        _ => None,
    };
    effects.iter().filter_map(id).collect()
}

/// `Attest` and who said it.
pub fn given() -> AttestationGiven {
    AttestationGiven {
        node: OTHER.into(),
        how: siaga_model::proof::AttestKind::Unplugged,
        by: "siti".into(),
        at: siaga_model::UtcMicros(3),
    }
}

pub fn fence(device: &str) -> Action {
    Action::Fence {
        victim: OTHER.into(),
        device: device.into(),
        fence: siaga_model::config::FenceKind::Power,
        wait_ms: 0,
    }
}
