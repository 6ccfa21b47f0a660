//! Orders: carried out here, or sent to the peer. An order that is sent twice is carried out once.

use super::lab_crash;
use super::state::Core;
use crate::transport::CallError;
use serde::{Deserialize, Serialize};
use siaga_model::run::{FailureKind, Order, StepFailure, StepOutcome, StepReport};
use siaga_model::{PlanId, StepId};
use siaga_model::{Progress, ServiceName, Why};
use siaga_runner::executor::Executor;
use siaga_runner::hands::Hands;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How many answers are kept for an order that is sent again.
const KEPT: usize = 64;
/// How long a peer that does not answer is asked again before the outcome counts as unknown. Longer than an agent
/// takes to be restarted, so that a killed agent does not fail a move.
const ASK_AGAIN: Duration = Duration::from_secs(6);
const AGAIN_AFTER: Duration = Duration::from_millis(50);
/// How long a node holds an order that is not done yet, before it says how far it is. The same order again asks on.
pub const HOLD: Duration = Duration::from_secs(2);

/// Answer to `POST /v1/orders`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum OrderAnswer {
    Done {
        report: Box<StepReport>,
    },
    /// Still under way: send the same order again to hear more.
    Running {
        progress: Option<Progress>,
    },
}

#[derive(Clone, Default)]
struct Doing {
    progress: Option<Progress>,
    report: Option<StepReport>,
}

type Slot = watch::Receiver<Doing>;

/// The orders of one service that came lately, with their answers.
#[derive(Default)]
pub struct OrderDesk {
    slots: Mutex<BTreeMap<(PlanId, StepId), Slot>>,
}

/// Carries out an order of a peer's, and answers within `hold`. The same order again asks how far it is.
pub async fn carry_out(core: &Arc<Core>, order: Order, hold: Duration) -> OrderAnswer {
    let service = order.service.clone();
    let Some(mut slot) = slot(core, order, |_| {}) else {
        let report = failed(core, FailureKind::Precondition, no_service(&service));
        return OrderAnswer::Done {
            report: Box::new(report),
        };
    };
    let waiting = async { slot.wait_for(|d| d.report.is_some()).await.map(|_| ()) };
    if let Ok(Err(_)) = tokio::time::timeout(hold, waiting).await {
        return OrderAnswer::Done {
            report: Box::new(unknown(core, Why::StepCutOff)),
        };
    }
    let doing = slot.borrow().clone();
    match doing.report {
        Some(report) => OrderAnswer::Done {
            report: Box::new(report),
        },
        None => OrderAnswer::Running {
            progress: doing.progress,
        },
    }
}

/// Carries out an order of this agent's own run, to its end.
pub async fn carry_out_here(
    core: &Arc<Core>,
    order: Order,
    progress: impl Fn(Progress) + Send + 'static,
) -> StepReport {
    let service = order.service.clone();
    if core.replaced.is_set() {
        let node = core.me.clone();
        return failed(core, FailureKind::Superseded, Why::Replaced { node });
    }
    let Some(mut slot) = slot(core, order, progress) else {
        return failed(core, FailureKind::Precondition, no_service(&service));
    };
    let done = slot
        .wait_for(|d| d.report.is_some())
        .await
        .map(|d| d.report.clone());
    match done {
        Ok(Some(report)) => report,
        _ => unknown(core, Why::StepCutOff),
    }
}

/// Where the answer to this order appears. The first to ask sets it going.
fn slot(
    core: &Arc<Core>,
    order: Order,
    progress: impl Fn(Progress) + Send + 'static,
) -> Option<Slot> {
    let desk = core.desks.get(&order.service)?;
    let key = (order.plan.clone(), order.step.id);
    let mut slots = desk
        .orders
        .slots
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(slot) = slots.get(&key) {
        return Some(slot.clone());
    }
    if slots.len() >= KEPT {
        slots.retain(|_, s| s.borrow().report.is_none());
    }
    let (sender, slot) = watch::channel(Doing::default());
    slots.insert(key, slot.clone());
    let core = core.clone();
    tokio::task::spawn_blocking(move || {
        let report = execute(&core, &order, &|at| {
            progress(at.clone());
            sender.send_modify(|d| d.progress = Some(at.clone()));
        });
        sender.send_modify(|d| d.report = Some(report));
    });
    Some(slot)
}

/// Carries out on this thread.
fn execute(core: &Arc<Core>, order: &Order, progress: &dyn Fn(Progress)) -> StepReport {
    let Some(desk) = core.desks.get(&order.service) else {
        return failed(core, FailureKind::Precondition, no_service(&order.service));
    };
    // A move has begun, by whichever node.
    core.rehearsals.break_off_all(&Why::BrokenOffByMove);
    core.integrity.step_begins();
    lab_crash::crash("before", order.step.action.name());
    if let Some(plan) = order.enlist.as_ref().filter(|p| p.coordinator != core.me) {
        let mut context = desk.context.lock().unwrap_or_else(PoisonError::into_inner);
        context.run = Some(plan.epoch.run.clone());
        context.actor = None;
    }
    let hands: &dyn Hands = core.hands.as_ref();
    let executor = Executor {
        hands,
        others: core.others(),
        bench: &desk.bench,
        fencing: &core.fencing,
    };
    let report = {
        let _crash = lab_crash::CrashIn::arm(order.step.action.name());
        executor.execute(order, progress)
    };
    core.integrity
        .done_here(&order.service, &order.step, &report);
    lab_crash::crash("after", order.step.action.name());
    report
}

/// Sends an order to the node that carries it out, and asks until it is done. An unanswered order is sent again while
/// that may help: it is the same order, and the node carries it out once.
pub async fn send(core: &Arc<Core>, order: &Order, progress: impl Fn(Progress)) -> StepReport {
    let Some(peer) = core.peers.get(&order.step.node) else {
        return failed(
            core,
            FailureKind::Unreachable,
            Why::NoWayToNode {
                node: order.step.node.clone(),
            },
        );
    };
    let mut tries = Tries::default();
    loop {
        let answer = peer
            .post("/v1/orders", order, HOLD + core.config.policy.peer_timeout)
            .await;
        let error = match answer {
            Ok(OrderAnswer::Done { report }) => return *report,
            Ok(OrderAnswer::Running { progress: text }) => {
                tries.taken_in();
                if let Some(text) = text {
                    progress(text);
                }
                continue;
            }
            Err(error) => error,
        };
        match tries.failed(&error, Instant::now()) {
            Next::Again => {
                tracing::warn!(node = %order.step.node, %error, "no answer to an order; asking again");
                tokio::time::sleep(AGAIN_AFTER).await;
            }
            Next::Refused(why) => {
                return failed(core, FailureKind::Precondition, Why::System(why));
            }
            Next::Unreached => {
                let why = silent(order, &error);
                return failed(core, FailureKind::Unreachable, why);
            }
            Next::Unknown => {
                let why = silent(order, &error);
                return unknown(core, why);
            }
        }
    }
}

/// As [`send`], and remembers what the answer tells of the database: the next start may be here.
pub async fn heard(core: &Arc<Core>, order: &Order, progress: impl Fn(Progress)) -> StepReport {
    let report = send(core, order, progress).await;
    core.integrity.heard(&order.service, &report);
    report
}

/// What the tries to deliver one order tell so far.
#[derive(Default)]
struct Tries {
    silent_since: Option<Instant>,
    /// The order was taken in, or may have been.
    sent: bool,
}

/// What a failed try leads to.
#[derive(PartialEq, Eq, Debug)]
enum Next {
    Again,
    /// It never reached the node.
    Unreached,
    /// The node refused it, and it never came there before.
    Refused(String),
    /// It may have been carried out.
    Unknown,
}

impl Tries {
    fn taken_in(&mut self) {
        self.sent = true;
        self.silent_since = None;
    }

    fn failed(&mut self, error: &CallError, now: Instant) -> Next {
        if let CallError::Status { error: answer, .. } = error
            && !error.outcome_unknown()
        {
            // What is refused now may have been carried out by an earlier try whose answer was lost.
            return match self.sent {
                true => Next::Unknown,
                false => Next::Refused(answer.message.clone()),
            };
        }
        self.sent |= error.outcome_unknown();
        let since = *self.silent_since.get_or_insert(now);
        match (now.duration_since(since) < ASK_AGAIN, self.sent) {
            (true, _) => Next::Again,
            (false, true) => Next::Unknown,
            (false, false) => Next::Unreached,
        }
    }
}

fn silent(order: &Order, error: &CallError) -> Why {
    Why::NodeSilent {
        node: order.step.node.clone(),
        said: error.to_string(),
    }
}

fn no_service(service: &ServiceName) -> Why {
    Why::NoSuchServiceHere {
        service: service.clone(),
    }
}

fn report(core: &Core, outcome: StepOutcome) -> StepReport {
    StepReport {
        outcome,
        proof: None,
        tests: Vec::new(),
        notes: Vec::new(),
        started_at: core.hands.now(),
        duration_ms: 0,
    }
}

fn failed(core: &Core, kind: FailureKind, detail: Why) -> StepReport {
    report(core, StepOutcome::Failed(StepFailure::new(kind, detail)))
}

fn unknown(core: &Core, why: Why) -> StepReport {
    report(core, StepOutcome::Unknown { why })
}

#[cfg(test)]
mod tests {
    use super::*;
    use siaga_model::api::ApiError;

    fn status(status: u16) -> CallError {
        let error = ApiError {
            code: "NOT_ALLOWED".into(),
            message: "no".into(),
            problem: None,
        };
        CallError::Status { status, error }
    }

    fn lost() -> CallError {
        CallError::Timeout {
            after_ms: 1,
            sent: true,
        }
    }

    fn unreached() -> CallError {
        CallError::Refused { why: "down".into() }
    }

    #[test]
    fn a_refusal_after_an_unanswered_try_is_unknown() {
        let now = Instant::now();
        assert_eq!(
            Tries::default().failed(&status(403), now),
            Next::Refused("no".into())
        );
        let mut tries = Tries::default();
        assert_eq!(tries.failed(&lost(), now), Next::Again);
        assert_eq!(tries.failed(&status(403), now), Next::Unknown);
        let mut tries = Tries::default();
        tries.taken_in();
        assert_eq!(tries.failed(&status(403), now), Next::Unknown);
        let mut tries = Tries::default();
        assert_eq!(tries.failed(&unreached(), now), Next::Again);
        assert_eq!(tries.failed(&status(403), now), Next::Refused("no".into()));
    }

    #[test]
    fn a_handler_that_failed_half_way_is_asked_again_and_then_unknown() {
        let (now, mut tries) = (Instant::now(), Tries::default());
        assert_eq!(tries.failed(&status(503), now), Next::Again);
        assert_eq!(tries.failed(&unreached(), now + ASK_AGAIN), Next::Unknown);
    }

    #[test]
    fn an_order_that_never_left_is_a_failure() {
        let (now, mut tries) = (Instant::now(), Tries::default());
        assert_eq!(tries.failed(&unreached(), now), Next::Again);
        assert_eq!(tries.failed(&unreached(), now + ASK_AGAIN), Next::Unreached);
    }
}
