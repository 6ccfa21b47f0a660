//! A person's order: who asks, may it be, which node coordinates, and begin.

use super::actor::{self, Claims, Who};
use super::drive::{self, Begin, SeenEpochs};
use super::live::LiveRun;
use super::observe::observe;
use super::old_data;
use super::runs::new_run_id;
use super::state::Core;
use crate::transport::Caller;
use siaga_journal::Room;
use siaga_model::api::{MoveAnswer, MoveRequest};
use siaga_model::config::Service;
use siaga_model::event::EventBody;
use siaga_model::observation::{AttestationGiven, Observation};
use siaga_model::plan::{MoveKind, Placement, Plan, Request};
use siaga_model::refusal::{Advice, Refusal, RefusalCode, Sentence};
use siaga_model::{NodeName, RunId, Why};
use siaga_runner::hands::Hands;
use siaga_runner::run::RunSpec;
use std::sync::Arc;
use std::time::Duration;

/// How long a failback waits for the other node's newest events.
const PULL_AT_MOST: Duration = Duration::from_secs(2);

/// Answers `POST /v1/moves`.
pub async fn order(core: &Arc<Core>, caller: &Caller, request: MoveRequest) -> MoveAnswer {
    if let Some(begun) = begun_before(core, &request.idempotency_key) {
        return begun;
    }
    let kind = request.kind;
    let service = core
        .service(request.service.as_ref())
        .map(|s| s.name.clone());
    match accept(core, caller, request).await {
        Ok(answer) => answer,
        Err(refusal) => {
            core.note(
                service.as_ref(),
                EventBody::Refused {
                    move_kind: kind,
                    refusal: refusal.clone(),
                },
            );
            MoveAnswer::Refused { refusal }
        }
    }
}

/// The run that a request with this key began: here, at the other node, or before this agent's start.
fn begun_before(core: &Core, key: &str) -> Option<MoveAnswer> {
    if let Some(known) = core.log.runs().by_key(key) {
        return Some(MoveAnswer::Accepted {
            run: known.run.clone(),
            coordinator: known.plan.coordinator.clone(),
            plan: Box::new(known.plan.plan.clone()),
        });
    }
    // Its first plan may not be durable yet.
    let live = core.runs.by_key(key)?;
    Some(MoveAnswer::Accepted {
        run: live.run.clone(),
        coordinator: core.me.clone(),
        plan: live.first.clone()?,
    })
}

/// A request that may be carried out here.
struct Accepted {
    service: Service,
    request: MoveRequest,
    who: Who,
    legs: Vec<Placement>,
    planned: Request,
    observation: Observation,
    plan: Plan,
    /// The run that is continued.
    continues: Option<RunId>,
}

async fn accept(
    core: &Arc<Core>,
    caller: &Caller,
    request: MoveRequest,
) -> Result<MoveAnswer, Refusal> {
    let service = core
        .service(request.service.as_ref())
        .ok_or_else(|| match &request.service {
            Some(name) => refuse(
                RefusalCode::NoSuchThing,
                Sentence::RefusedNoSuchService {
                    service: name.clone(),
                },
                Advice::Status,
            ),
            None => bad_request(Why::NameTheService),
        })?
        .clone();
    let who = actor::resolve(&core.config, caller, Claims::of(&request))?;
    super::replace::refuse_replaced(core)?;
    if let Some(live) = core.runs.going_on(&service.name) {
        if request.kind == MoveKind::Abort && !request.dry_run {
            live.ask_to_abort();
            return Ok(going_on(core, &live));
        }
        return Err(in_progress(core, &live));
    }
    let observation = observe(core, &service).await;
    let target = target(core, &service, &observation, &request)?;
    if target.coordinator != core.me {
        return super::forward::forward(core, &target.coordinator, request, &who).await;
    }
    let planned = Request {
        kind: request.kind,
        goal: target.legs.first().cloned().unwrap_or(Placement::Stopped),
        attested: attested(core, &request, &who)?,
        may_fence: may_fence(request.kind),
        accepts_old_data: old_data::accepts(&request, &who)?,
    };
    gates(core, &request)?;
    checked_since_failure(core, &planned).await?;
    let plan = siaga_planner::plan(&core.config, &observation, &planned, &[])?;
    let accepted = Accepted {
        service,
        request,
        who,
        legs: target.legs,
        planned,
        observation,
        plan,
        continues: target.continues,
    };
    if accepted.request.dry_run {
        return Ok(MoveAnswer::DryRun {
            plan: Box::new(accepted.plan),
            observation: Box::new(accepted.observation),
        });
    }
    begin(core, accepted)
}

/// Where to, by whom, and in how many legs.
struct Target {
    coordinator: NodeName,
    legs: Vec<Placement>,
    continues: Option<RunId>,
}

fn target(
    core: &Core,
    service: &Service,
    observation: &Observation,
    request: &MoveRequest,
) -> Result<Target, Refusal> {
    if matches!(request.kind, MoveKind::Resume | MoveKind::Abort) {
        return unfinished_target(core, service, observation, request.kind);
    }
    let (goal, coordinator) =
        siaga_planner::goal(&core.config, observation, request.kind, request.to.as_ref())?;
    let mut legs = vec![goal];
    if request.kind == MoveKind::Drill {
        legs.push(Placement::ActiveOn(service.preferred_node.clone()));
    }
    Ok(Target {
        coordinator,
        legs,
        continues: None,
    })
}

/// Resume goes on to where the run was going (a drill: home, its guaranteed end); abort goes back to where it was.
fn unfinished_target(
    core: &Core,
    service: &Service,
    observation: &Observation,
    kind: MoveKind,
) -> Result<Target, Refusal> {
    let known = core
        .log
        .runs()
        .open(&service.name)
        .cloned()
        .ok_or_else(|| {
            refuse(
                RefusalCode::NothingInterrupted,
                Sentence::NothingToResume,
                Advice::Status,
            )
        })?;
    let home = known
        .from
        .clone()
        .map_or(Placement::Stopped, Placement::ActiveOn);
    let goal = match (kind, known.kind) {
        (MoveKind::Resume, MoveKind::Drill) => Placement::ActiveOn(service.preferred_node.clone()),
        (MoveKind::Resume, _) => known.goal.clone(),
        _ => home,
    };
    let coordinator = match &goal {
        Placement::ActiveOn(node) => node.clone(),
        Placement::Stopped => core.me.clone(),
    };
    let live = observation
        .nodes
        .iter()
        .filter(|(name, _)| *name != &core.me)
        .filter_map(|(_, v)| v.agent.facts()?.ledger.unfinished.as_ref())
        .find(|u| u.live);
    if let Some(live) = live {
        if kind == MoveKind::Abort {
            // Its coordinator is told; it knows how far it is.
            return Ok(Target {
                coordinator: live.coordinator.clone(),
                legs: vec![goal],
                continues: Some(known.run),
            });
        }
        return Err(run_by(live));
    }
    Ok(Target {
        coordinator,
        legs: vec![goal],
        continues: Some(known.run),
    })
}

/// The refusal for the sake of a run that goes on.
pub(super) fn run_by(run: &siaga_model::observation::RunInProgress) -> Refusal {
    refuse(
        RefusalCode::RunInProgress,
        Sentence::RunBy {
            run: run.run.clone(),
            actor: run.actor.clone(),
            since: run.since,
            coordinator: run.coordinator.clone(),
        },
        Advice::WaitForRun {
            run: run.run.clone(),
        },
    )
}

fn in_progress(core: &Core, live: &LiveRun) -> Refusal {
    run_by(&in_progress_here(core, live))
}

/// A run of this agent, as an observation tells it. Its mandate is not known here.
pub(super) fn in_progress_here(
    core: &Core,
    live: &LiveRun,
) -> siaga_model::observation::RunInProgress {
    siaga_model::observation::RunInProgress {
        run: live.run.clone(),
        epoch: siaga_model::Epoch {
            counter: 0,
            issuer: core.me.clone(),
            run: live.run.clone(),
        },
        coordinator: core.me.clone(),
        since: live.started_at,
        covers: live.covers.as_ref().map(|c| c.run.clone()),
        actor: live.actor.name.clone(),
        live: true,
        goal: None,
        home: None,
    }
}

fn going_on(core: &Core, live: &LiveRun) -> MoveAnswer {
    match core.log.runs().newest(&live.service) {
        Some(known) => MoveAnswer::Accepted {
            run: live.run.clone(),
            coordinator: core.me.clone(),
            plan: Box::new(known.plan.plan.clone()),
        },
        None => MoveAnswer::Refused {
            refusal: in_progress(core, live),
        },
    }
}

fn may_fence(kind: MoveKind) -> bool {
    match kind {
        MoveKind::Takeover
        | MoveKind::Start
        | MoveKind::Resume
        | MoveKind::Abort
        | MoveKind::Cover => true,
        MoveKind::Switchover
        | MoveKind::Failback
        | MoveKind::Drill
        | MoveKind::Restart
        | MoveKind::Stop
        | MoveKind::Restore => false,
    }
}

fn attested(
    core: &Core,
    request: &MoveRequest,
    who: &Who,
) -> Result<Vec<AttestationGiven>, Refusal> {
    let mut given = Vec::new();
    for attest in &request.attest {
        if core.config.node(&attest.node).is_none() {
            return Err(refuse(
                RefusalCode::NoSuchThing,
                Sentence::RefusedNoSuchNode {
                    node: attest.node.clone(),
                },
                Advice::Status,
            ));
        }
        let Some(by) = who.person.clone() else {
            return Err(bad_request(Why::AttestationNeedsName));
        };
        given.push(AttestationGiven {
            node: attest.node.clone(),
            how: attest.how,
            by,
            at: core.hands.now(),
        });
    }
    Ok(given)
}

/// What a request must pass before it is planned.
fn gates(core: &Core, request: &MoveRequest) -> Result<(), Refusal> {
    let room = core.log.with(|journal| journal.room());
    let emergency = matches!(
        request.kind,
        MoveKind::Takeover | MoveKind::Start | MoveKind::Resume | MoveKind::Abort
    );
    if room != Room::Plenty && !(emergency && room == Room::ReserveOnly) {
        return Err(refuse(
            RefusalCode::LogFull,
            Sentence::RefusedLogFull {
                node: core.me.clone(),
            },
            Advice::FreeSpace {
                node: core.me.clone(),
            },
        ));
    }
    Ok(())
}

/// A failback goes to a node that passed a check since it failed. The check may have been asked of the other node a
/// moment ago: its newest events are asked for before this refuses. No other move waits for that.
async fn checked_since_failure(core: &Arc<Core>, planned: &Request) -> Result<(), Refusal> {
    let Placement::ActiveOn(node) = &planned.goal else {
        return Ok(());
    };
    if planned.kind != MoveKind::Failback || super::check::passed_since_failure(core, node).await {
        return Ok(());
    }
    super::link::pull(core, PULL_AT_MOST).await;
    if super::check::passed_since_failure(core, node).await {
        return Ok(());
    }
    Err(refuse(
        RefusalCode::CheckNotPassed,
        Sentence::RefusedCheckNotPassed { node: node.clone() },
        Advice::Check,
    ))
}

fn begin(core: &Arc<Core>, accepted: Accepted) -> Result<MoveAnswer, Refusal> {
    let Accepted {
        service,
        request,
        who,
        legs,
        planned,
        observation,
        plan,
        continues,
    } = accepted;
    let now = core.hands.now();
    let run = continues.unwrap_or_else(|| new_run_id(now, &core.me));
    let live = LiveRun::new(
        run.clone(),
        service.name.clone(),
        request.kind,
        who.actor.clone(),
        now,
    )
    .with_first(plan.clone())
    .intending(&plan);
    let live = match core.runs.begin(live, &request.idempotency_key) {
        Ok(live) => live,
        // The same request came twice, and the other one was quicker.
        Err(other) => {
            return begun_before(core, &request.idempotency_key)
                .ok_or_else(|| in_progress(core, &other));
        }
    };
    // A rehearsal gives way, and is not waited for.
    core.rehearsals.break_off_all(&Why::BrokenOffByMove);
    let home = home(request.kind, &service, plan.from.as_ref());
    let spec = RunSpec {
        run: run.clone(),
        service: service.name.clone(),
        kind: request.kind,
        legs,
        home,
        may_fence: planned.may_fence,
        accepts_old_data: planned.accepts_old_data,
        attested: planned.attested.clone(),
    };
    let begin = Begin {
        live,
        spec,
        seen: SeenEpochs::from(&observation, &planned, &core.me),
        first: Some(plan.clone()),
        accepted: EventBody::RunAccepted {
            move_kind: request.kind,
            goal: planned.goal.clone(),
            reason: request.reason.clone(),
            requested_by: request.requested_by.clone(),
            approved_by: request.approved_by.clone(),
            idempotency_key: request.idempotency_key.clone(),
            covers: None,
        },
        budget: (request.kind == MoveKind::Drill).then_some(core.config.policy.drill_budget),
        service,
    };
    tokio::spawn(drive::drive(core.clone(), begin));
    Ok(MoveAnswer::Accepted {
        run,
        coordinator: core.me.clone(),
        plan: Box::new(plan),
    })
}

/// Where a failed run brings the service back to.
pub fn home(kind: MoveKind, service: &Service, from: Option<&NodeName>) -> Option<Placement> {
    match kind {
        MoveKind::Switchover | MoveKind::Failback | MoveKind::Stop => {
            from.cloned().map(Placement::ActiveOn)
        }
        MoveKind::Drill => Some(Placement::ActiveOn(service.preferred_node.clone())),
        MoveKind::Takeover
        | MoveKind::Restart
        | MoveKind::Start
        | MoveKind::Resume
        | MoveKind::Abort
        | MoveKind::Restore
        | MoveKind::Cover => None,
    }
}

/// A request that makes no sense as it is.
pub fn bad_request(why: Why) -> Refusal {
    refuse(
        RefusalCode::BadRequest,
        Sentence::RefusedBadRequest { why },
        Advice::Status,
    )
}

/// A refusal with one next act.
pub fn refuse(code: RefusalCode, sentence: Sentence, next: Advice) -> Refusal {
    Refusal {
        code,
        sentence,
        evidence: Vec::new(),
        next: vec![next],
    }
}
