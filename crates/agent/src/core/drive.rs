//! Drives one run: hands the state machine what happened and does what it says. Every choice is the planner's or the
//! state machine's.

use super::live::LiveRun;
use super::measured::Measured;
use super::neighbours::{self, Fence};
use super::observe::observe;
use super::orders;
use super::state::Core;
use siaga_model::config::Service;
use siaga_model::event::{Event, EventBody};
use siaga_model::observation::{AgentView, FenceState, Observation};
use siaga_model::plan::{MandatedPlan, Plan, Request, Step};
use siaga_model::proof::ProofRecord;
use siaga_model::refusal::{Advice, Refusal, RefusalCode, Sentence};
use siaga_model::run::{FailureKind, Order, RunOutcome, StepFailure};
use siaga_model::{NodeName, PlanId, Progress, RunId, ServiceName, Why};
use siaga_runner::hands::Hands;
use siaga_runner::ledger::LedgerError;
use siaga_runner::run::{Effect, Input, Run, RunSpec};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;

/// How long the end of a run waits for the probes to see the service again.
const PROBE_SETTLE: Duration = Duration::from_secs(3);

/// What a run begins with.
pub struct Begin {
    pub service: Service,
    pub live: Arc<LiveRun>,
    pub spec: RunSpec,
    /// The plan that the request was accepted with.
    pub first: Option<Plan>,
    /// The highest epochs seen when that plan was made, and whether the peer's journal is accounted for.
    pub seen: SeenEpochs,
    /// Goes into the same durable write as the first plan.
    pub accepted: EventBody,
    /// What the whole run may take.
    pub budget: Option<Duration>,
}

/// The epochs known elsewhere at the moment of an observation.
#[derive(Clone, Default)]
pub struct SeenEpochs {
    pub elsewhere: Vec<siaga_model::Epoch>,
    pub answers_for: bool,
    /// Only by a person's word.
    pub by_word: bool,
    /// Of the site's other services.
    pub neighbours: BTreeMap<ServiceName, Vec<siaga_model::Epoch>>,
}

impl SeenEpochs {
    /// From an observation and the attestations that came with the request.
    pub fn from(observation: &Observation, request: &Request, me: &NodeName) -> Self {
        let peers = observation.nodes.iter().filter(|(name, _)| *name != me);
        let facts: Vec<_> = peers.clone().filter_map(|(_, v)| v.agent.facts()).collect();
        let attested = |node: &NodeName| request.attested.iter().any(|a| &a.node == node);
        // A node that lost its own journal answers for nothing.
        let knows = |view: &AgentView| view.facts().is_some_and(|f| !f.ledger.journal_lost);
        let answers_for = peers
            .clone()
            .all(|(node, v)| knows(&v.agent) || attested(node));
        let by_word = answers_for && !peers.clone().all(|(_, v)| knows(&v.agent));
        Self {
            elsewhere: facts
                .iter()
                .filter_map(|f| f.ledger.highest.clone())
                .collect(),
            answers_for,
            by_word,
            neighbours: observation
                .neighbours
                .iter()
                .map(|n| (n.service.clone(), n.mandates.clone()))
                .collect(),
        }
    }
}

/// Carries the run to its end.
pub async fn drive(core: Arc<Core>, begin: Begin) -> RunOutcome {
    let Begin {
        service,
        live,
        spec,
        mut first,
        seen,
        accepted,
        budget,
    } = begin;
    if let Some(desk) = core.desks.get(&service.name) {
        let mut context = desk.context.lock().unwrap_or_else(PoisonError::into_inner);
        context.run = Some(spec.run.clone());
        context.actor = Some(live.actor.clone());
    }
    let (sender, mut inputs) = mpsc::unbounded_channel::<Input>();
    let mut accepted = Some(accepted);
    let (mut run, effects) = Run::begin(spec);
    let mut effects: VecDeque<Effect> = effects.into();
    let mut abort = live.abort_asked();
    let deadline = async move {
        match budget {
            Some(budget) => tokio::time::sleep(budget).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(deadline);
    let (mut budget_over, mut aborted) = (false, false);
    loop {
        while let Some(effect) = effects.pop_front() {
            match effect {
                Effect::Plan {
                    request,
                    parent,
                    proofs,
                    failed_fences,
                } => {
                    let covered = live.covers.as_ref();
                    let work = Planning {
                        core: core.clone(),
                        service: service.clone(),
                        run: live.run.clone(),
                        covers: covered.map(|c| c.run.clone()),
                        request,
                        parent: parent.or_else(|| covered.map(|c| c.plan.clone())),
                        proofs,
                        failed_fences,
                        first: first.take().map(|plan| (plan, seen.clone())),
                        extra: accepted.take().into_iter().collect(),
                    };
                    let (sender, live) = (sender.clone(), live.clone());
                    tokio::spawn(async move {
                        let planned = work.plan().await;
                        if let Ok(plan) = &planned {
                            live.planned(plan);
                        }
                        let _ = sender.send(Input::Planned(planned));
                    });
                }
                Effect::Start(order) => start(&core, &live, *order, sender.clone()),
                Effect::Record(body) => record(&core, &live, *body),
                Effect::Ended(outcome) => {
                    finish(&core, &service, &live, &run, &outcome).await;
                    return outcome;
                }
            }
        }
        let input = tokio::select! {
            input = inputs.recv() => input,
            () = &mut deadline, if !budget_over => {
                budget_over = true;
                let why = StepFailure::new(FailureKind::Precondition, Why::BudgetSpent);
                Some(Input::GoHome { why })
            }
            changed = abort.changed(), if !aborted => {
                aborted = true;
                changed.is_ok().then(|| Input::GoHome {
                    why: StepFailure::new(FailureKind::Precondition, Why::AbortAsked),
                }).or(Some(Input::GoHome {
                    why: StepFailure::new(FailureKind::Precondition, Why::AgentStopping),
                }))
            }
        };
        if let Some(input) = input {
            effects.extend(run.handle(input));
        }
    }
}

fn start(
    core: &Arc<Core>,
    live: &Arc<LiveRun>,
    order: Order,
    sender: mpsc::UnboundedSender<Input>,
) {
    let expected = expected_ms(core, &order.step);
    live.step_begins(&order.step, expected);
    let (core, live) = (core.clone(), live.clone());
    tokio::spawn(async move {
        let (watched, id) = (live.clone(), order.step.id);
        let progress = move |at: Progress| watched.progress(id, at);
        let report = if order.step.node == core.me {
            orders::carry_out_here(&core, order.clone(), progress).await
        } else {
            orders::heard(&core, &order, progress).await
        };
        if let Some((proof, desk)) = report.proof.as_ref().zip(core.desks.get(&order.service)) {
            desk.bench.heard(proof, core.hands.since_boot());
        }
        live.step_ends(&order.step, &report);
        let _ = sender.send(Input::StepDone {
            plan: order.plan,
            step: order.step.id,
            report,
        });
    });
}

fn record(core: &Core, live: &LiveRun, body: EventBody) {
    let event = Event {
        service: Some(live.service.clone()),
        run: Some(live.run.clone()),
        actor: Some(live.actor.clone()),
        body,
    };
    // The end of a run is waited for: what is shown as over must be over after a power cut as well.
    let durability = match &event.body {
        EventBody::RunEnded { .. } => siaga_journal::Durability::Sync,
        _ => siaga_journal::Durability::Lazy,
    };
    let mut events = vec![event];
    events.extend(super::cover::end_of_covered(live, &events[0].body));
    if let Err(error) = core.log.append(events, durability) {
        tracing::error!(%error, "the log could not be written");
    }
}

/// The median of what this step took in this site's own runs.
fn expected_ms(core: &Core, step: &Step) -> Option<u64> {
    let mut history = core
        .log
        .with(|journal| journal.step_history(step.action.name()));
    history.sort_unstable();
    history.get(history.len() / 2).copied()
}

/// One call of the planner, and what makes its plan binding.
struct Planning {
    core: Arc<Core>,
    service: Service,
    run: RunId,
    covers: Option<RunId>,
    request: Request,
    parent: Option<PlanId>,
    proofs: Vec<ProofRecord>,
    failed_fences: Vec<(NodeName, String)>,
    first: Option<(Plan, SeenEpochs)>,
    extra: Vec<EventBody>,
}

impl Planning {
    async fn plan(mut self) -> Result<Box<MandatedPlan>, Refusal> {
        let (plan, seen) = match self.first.take() {
            Some(first) => first,
            None => {
                let mut observation = observe(&self.core, &self.service).await;
                self.overlay(&mut observation);
                let seen = SeenEpochs::from(&observation, &self.request, &self.core.me);
                let plan = siaga_planner::plan(
                    &self.core.config,
                    &observation,
                    &self.request,
                    &self.proofs,
                )?;
                (plan, seen)
            }
        };
        let blocking = tokio::task::spawn_blocking(move || self.bind(plan, &seen));
        blocking
            .await
            .unwrap_or_else(|e| Err(log_refusal(Why::system(e))))
    }

    /// What this run knows better than the devices say, and its own traces, which are not another run.
    fn overlay(&self, observation: &mut Observation) {
        for (name, view) in &mut observation.nodes {
            for fence in &mut view.fences {
                let failed = |(n, d): &(NodeName, String)| n == name && d == &fence.name;
                if self.failed_fences.iter().any(failed) && fence.state != FenceState::Fenced {
                    fence.state = FenceState::Failed {
                        why: Why::FailedInThisRun,
                    };
                }
            }
            if let AgentView::Answered { facts, .. } = &mut view.agent
                && facts
                    .ledger
                    .unfinished
                    .as_ref()
                    .is_some_and(|u| u.run == self.run || self.covers.as_ref() == Some(&u.run))
            {
                facts.ledger.unfinished = None;
            }
        }
    }

    fn bind(self, plan: Plan, seen: &SeenEpochs) -> Result<Box<MandatedPlan>, Refusal> {
        let Some(desk) = self.core.desks.get(&self.service.name) else {
            return Err(log_refusal(Why::NoSuchServiceHere {
                service: self.service.name.clone(),
            }));
        };
        // Before the own mandate: a fence that may not hit its neighbours is not begun at all.
        let fence = Fence {
            run: &self.run,
            hits: &plan.hits,
            elsewhere: &seen.neighbours,
            answers_for: seen.answers_for,
        };
        let hit_mandates =
            neighbours::mandates(&self.core, &fence).map_err(|e| self.ledger_refusal(&e))?;
        let mut bench = desk.bench.lock();
        let siaga_runner::executor::Bench { ledger, store, .. } = &mut *bench;
        let epoch = ledger
            .next_epoch(&self.run, &seen.elsewhere, seen.answers_for)
            .map_err(|e| self.ledger_refusal(&e))?;
        let mandated = MandatedPlan {
            // The epoch's counter makes it unique, also when a run is resumed: an order is known by plan and step.
            id: PlanId::new(format!("{}.{}", self.run, epoch.counter)),
            parent: self.parent.clone(),
            epoch,
            coordinator: self.core.me.clone(),
            hit_mandates,
            plan,
        };
        let was_lost = ledger.facts().journal_lost;
        ledger
            .begin(store.as_mut(), mandated.clone(), self.extra.clone())
            .map_err(|e| self.ledger_refusal(&e))?;
        // A person answered for what no journal tells: that holds after a restart as well.
        if was_lost
            && seen.by_word
            && let Err(error) = self.core.log.journal().confirm_history()
        {
            tracing::warn!(%error, "the journal could not be confirmed");
        }
        self.core.fencing.bound(&mandated);
        Ok(Box::new(mandated))
    }

    fn ledger_refusal(&self, error: &LedgerError) -> Refusal {
        ledger_refusal(&self.core, error)
    }
}

/// Why the ledger refuses, for people.
pub(super) fn ledger_refusal(core: &Core, error: &LedgerError) -> Refusal {
    let (code, sentence, next) = match error {
        LedgerError::RunThere { run, .. } => return neighbours::run_there(core, run),
        // No run adopts anything.
        LedgerError::JournalLost | LedgerError::NotTheFirst => (
            RefusalCode::JournalLost,
            Sentence::NodeJournalLost {
                node: core.me.clone(),
            },
            vec![Advice::Check],
        ),
        LedgerError::Superseded { offered, in_force } => (
            RefusalCode::Superseded,
            Sentence::RefusedSuperseded {
                offered: offered.clone(),
                in_force: in_force.clone(),
            },
            vec![Advice::Status],
        ),
        LedgerError::Conflict { epoch, other } => (
            RefusalCode::MandateConflict,
            Sentence::RefusedMandateConflict {
                epoch: epoch.clone(),
                other: other.clone(),
            },
            vec![Advice::Status],
        ),
        LedgerError::Log(why) if core.log.journal().room() == siaga_journal::Room::Plenty => (
            RefusalCode::BadRequest,
            Sentence::RefusedBadRequest {
                why: Why::LogUnwritten { said: why.clone() },
            },
            vec![Advice::Status],
        ),
        LedgerError::Log(_) => (
            RefusalCode::LogFull,
            Sentence::RefusedLogFull {
                node: core.me.clone(),
            },
            vec![Advice::FreeSpace {
                node: core.me.clone(),
            }],
        ),
        LedgerError::ProofVoid { node, why, .. } => (
            RefusalCode::ProofVoid,
            Sentence::RefusedProofVoid {
                node: node.clone(),
                why: why.clone(),
            },
            vec![Advice::Status],
        ),
    };
    Refusal {
        code,
        sentence,
        evidence: Vec::new(),
        next,
    }
}

fn log_refusal(why: Why) -> Refusal {
    Refusal {
        code: RefusalCode::BadRequest,
        sentence: Sentence::RefusedBadRequest { why },
        evidence: Vec::new(),
        next: vec![Advice::Status],
    }
}

/// Gathers what the clients lost, writes it down, and lets the watchers know.
async fn finish(
    core: &Arc<Core>,
    service: &Service,
    live: &LiveRun,
    run: &Run,
    outcome: &RunOutcome,
) {
    let served = matches!(outcome, RunOutcome::Done | RunOutcome::Restored { .. });
    if served
        && run
            .plan()
            .is_some_and(|p| p.plan.goal != siaga_model::plan::Placement::Stopped)
    {
        let fresh = core.config.policy.witness_fresh;
        core.probes
            .settled(&service.name, fresh, PROBE_SETTLE)
            .await;
    }
    let measured = Measured::of(core, service, live);
    for body in measured.rows() {
        record(core, live, body);
    }
    live.update(|s| {
        s.outages = measured.outages;
        s.lost_rows = measured.lost_rows;
        s.result = Some(outcome.clone());
        s.ended = true;
    });
    tracing::info!(run = %live.run, ?outcome, "run ended");
}
