//! The look at a proof right before the take: is the power still off, the way still cut, does the promise still stand,
//! is there no sign of life? A proof that does not hold any more opens nothing.

use crate::hands::{Hands, LifeQuestion};
use crate::ledger::LedgerError;
use siaga_model::config::FenceKind;
use siaga_model::observation::{FenceState, Holding, LastTake, PromiseFacts};
use siaga_model::proof::{Ground, ProofRecord};
use siaga_model::refusal::Sentence;
use siaga_model::{Epoch, NodeName, Why};
use std::time::Duration;

/// How old a promise may be whose node does not answer any more. No server is switched off and on again, and mounts
/// something at its boot, in so short a time.
const SILENT_AT_MOST: Duration = Duration::from_secs(5);

/// When a node's promise reached this process, on the clock of [`Hands::since_boot`]. Kept in memory only: a process
/// that was restarted has heard nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heard {
    pub epoch: Epoch,
    pub node: NodeName,
    pub at: Duration,
}

/// Verifies once more, and gives what is known of that node's own last take.
pub(crate) fn again(
    hands: &dyn Hands,
    proof: &ProofRecord,
    heard: &[Heard],
) -> Result<LastTake, LedgerError> {
    let (service, node) = (&proof.service, &proof.node);
    let sign = match &proof.ground {
        Ground::Released => return promise(hands, proof, heard),
        Ground::Fenced { device, fence } => {
            let (state, sign) = still_fenced(hands, proof, device, *fence);
            match state {
                FenceState::Fenced => sign,
                FenceState::Open => {
                    return Err(void(
                        node,
                        Why::FenceSaysOpen {
                            device: device.clone(),
                        },
                    ));
                }
                FenceState::Failed { why } => return Err(void(node, why.of(device))),
            }
        }
        Ground::Attested { how, .. } => {
            hands.sign_of_life(service, node, LifeQuestion::Attested(*how), proof.at)
        }
    };
    match sign {
        // It may have taken the disk set at any time before.
        None => Ok(LastTake::Unknown),
        Some(sign) => Err(contradicted(node, Why::SignOfLife, sign)),
    }
}

/// The device's word now, and any sign that contradicts it. A reservation must be this node's own, under the proof's
/// very mandate: whoever reserved since is the one who may write.
fn still_fenced(
    hands: &dyn Hands,
    proof: &ProofRecord,
    device: &str,
    fence: FenceKind,
) -> (FenceState, Option<Sentence>) {
    let (service, node) = (&proof.service, &proof.node);
    let question = match fence {
        FenceKind::Power => LifeQuestion::PoweredOff,
        FenceKind::Fabric | FenceKind::Reservation => LifeQuestion::StorageCut,
    };
    if fence != FenceKind::Reservation {
        return hands.still_fenced(service, node, device, question, proof.at);
    }
    let state = hands.reservation(service, &proof.epoch);
    let sign = match state {
        FenceState::Fenced => hands.sign_of_life(service, node, question, proof.at),
        FenceState::Open | FenceState::Failed { .. } => None,
    };
    (state, sign)
}

/// The node that let go is asked again. It may have gone down since, with its promise durable; but after a while it
/// may also have come up again with the disk set mounted at boot, so that silence is believed only for a moment.
fn promise(
    hands: &dyn Hands,
    proof: &ProofRecord,
    heard: &[Heard],
) -> Result<LastTake, LedgerError> {
    let node = &proof.node;
    if let Some(facts) = hands.promise_facts(&proof.service, node) {
        return match broken(proof, &facts) {
            None => Ok(facts.last_take),
            Some(sign) => Err(contradicted(node, Why::PromiseBroken, sign)),
        };
    }
    let of_this = |h: &&Heard| h.epoch == proof.epoch && &h.node == node;
    let age = heard
        .iter()
        .find(of_this)
        .map(|h| hands.since_boot().saturating_sub(h.at));
    if age.is_some_and(|age| age <= SILENT_AT_MOST) {
        return Ok(LastTake::Unknown);
    }
    let sign = Sentence::PromiseUnheard {
        node: node.clone(),
        age_ms: age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
    };
    Err(contradicted(node, Why::PromiseUnconfirmed, sign))
}

/// What contradicts the promise in what its node says now.
fn broken(proof: &ProofRecord, facts: &PromiseFacts) -> Option<Sentence> {
    let node = proof.node.clone();
    if facts.node != node || proof.boot.as_ref() != Some(&facts.boot) {
        return Some(Sentence::NodeRebooted { node });
    }
    if let Some(in_force) = facts.highest.as_ref().filter(|h| **h != proof.epoch) {
        return Some(Sentence::RefusedSuperseded {
            offered: proof.epoch.clone(),
            in_force: in_force.clone(),
        });
    }
    if facts.promise.as_ref().map(|p| &p.epoch) != Some(&proof.epoch) {
        return Some(Sentence::PromiseGone { node });
    }
    match &facts.disk {
        Holding::Free => None,
        Holding::Held { by } => Some(Sentence::NodeHolds {
            node,
            by: by.clone(),
        }),
        Holding::Unknown { why } => Some(Sentence::NodeHoldingUnknown {
            node,
            why: why.clone(),
        }),
    }
}

pub(crate) fn void(node: &NodeName, why: Why) -> LedgerError {
    LedgerError::ProofVoid {
        node: node.clone(),
        why,
        witness: None,
    }
}

fn contradicted(node: &NodeName, why: Why, witness: Sentence) -> LedgerError {
    LedgerError::ProofVoid {
        node: node.clone(),
        why,
        witness: Some(Box::new(witness)),
    }
}
