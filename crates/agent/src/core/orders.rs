//! Orders: carried out here, or sent to the peer. An order that is sent twice is carried out once.

use super::state::Core;
use crate::transport::client::CallError;
use siaga_model::run::{FailureKind, Order, StepFailure, StepOutcome, StepReport};
use siaga_model::{PlanId, StepId};
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
/// The longest that one step may take at a peer: a crash recovery can be long.
const STEP_TIMEOUT: Duration = Duration::from_secs(6 * 3600);

type Slot = watch::Receiver<Option<StepReport>>;

/// The orders of one service that came lately, with their answers.
#[derive(Default)]
pub struct OrderDesk {
    slots: Mutex<BTreeMap<(PlanId, StepId), Slot>>,
}

/// Carries out an order of a peer's, or of this agent's own run. The same order again gives the same answer.
pub async fn carry_out(core: &Arc<Core>, order: Order, progress: impl Fn(&str) + Send + 'static) -> StepReport {
    let Some(desk) = core.desks.get(&order.service) else {
        return failed(core, FailureKind::Precondition, "this node is not configured for that service");
    };
    let key = (order.plan.clone(), order.step.id);
    let (mut slot, sender) = {
        let mut slots = desk.orders.slots.lock().unwrap_or_else(PoisonError::into_inner);
        match slots.get(&key) {
            Some(slot) => (slot.clone(), None),
            None => {
                if slots.len() >= KEPT {
                    slots.retain(|_, s| s.borrow().is_none());
                }
                let (sender, slot) = watch::channel(None);
                slots.insert(key, slot.clone());
                (slot, Some(sender))
            }
        }
    };
    if let Some(sender) = sender {
        let core = core.clone();
        tokio::task::spawn_blocking(move || {
            let report = execute(&core, &order, &progress);
            sender.send_replace(Some(report));
        });
    }
    match slot.wait_for(Option::is_some).await.map(|r| r.clone()) {
        Ok(Some(report)) => report,
        _ => unknown(core, "the step was cut off on this node"),
    }
}

/// Carries out on this thread.
fn execute(core: &Arc<Core>, order: &Order, progress: &dyn Fn(&str)) -> StepReport {
    let Some(desk) = core.desks.get(&order.service) else {
        return failed(core, FailureKind::Precondition, "no such service");
    };
    super::drive::lab_crash("before", order.step.action.name());
    if let Some(plan) = &order.enlist {
        let mut context = desk.context.lock().unwrap_or_else(PoisonError::into_inner);
        context.run = Some(plan.epoch.run.clone());
        context.actor = None;
    }
    let hands: &dyn Hands = core.hands.as_ref();
    let executor = Executor { hands, others: core.others(), bench: &desk.bench };
    let report = {
        let _crash = super::drive::LabCrashIn::arm(order.step.action.name());
        executor.execute(order, progress)
    };
    super::drive::lab_crash("after", order.step.action.name());
    report
}

/// Sends an order to the node that carries it out. An unanswered order is sent again while that may help: it is the
/// same order, and the node carries it out once.
pub async fn send(core: &Arc<Core>, order: &Order) -> StepReport {
    let Some(peer) = core.peers.get(&order.step.node) else {
        return failed(core, FailureKind::Unreachable, "no way to that node is configured");
    };
    let begun = Instant::now();
    loop {
        let answer: Result<StepReport, CallError> =
            peer.post("/v1/orders", order, STEP_TIMEOUT).await;
        match answer {
            Ok(report) => return report,
            Err(CallError::Status { error, .. }) => {
                return failed(core, FailureKind::Precondition, error.message);
            }
            Err(error) if begun.elapsed() < ASK_AGAIN => {
                tracing::warn!(node = %order.step.node, %error, "no answer to an order; asking again");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(error) => {
                return unknown(core, format!("{} does not answer: {error}", order.step.node));
            }
        }
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

fn failed(core: &Core, kind: FailureKind, detail: impl Into<String>) -> StepReport {
    report(core, StepOutcome::Failed(StepFailure::new(kind, detail)))
}

fn unknown(core: &Core, why: impl Into<String>) -> StepReport {
    report(core, StepOutcome::Unknown { why: why.into() })
}
