//! An order that another node coordinates: sent on, once, and what it means where no answer comes.

use super::actor::Who;
use super::moves::{bad_request, refuse};
use super::state::Core;
use crate::transport::CallError;
use siaga_model::NodeName;
use siaga_model::Why;
use siaga_model::api::{MoveAnswer, MoveRequest};
use siaga_model::refusal::{Advice, Refusal, RefusalCode, Sentence};
use std::sync::Arc;
use std::time::Duration;

/// How long a forwarded request may take to be answered: the other node observes and plans.
const FORWARD_TIMEOUT: Duration = Duration::from_secs(30);

/// Sends `request` on to the node that coordinates it.
pub async fn forward(
    core: &Arc<Core>,
    to: &NodeName,
    mut request: MoveRequest,
    who: &Who,
) -> Result<MoveAnswer, Refusal> {
    if request.forwarded_actor.is_some() {
        // The two nodes see the service differently: sent on again, the order would go round in a circle.
        return Err(bad_request(Why::NodesDisagree));
    }
    request.forwarded_actor = Some(who.actor.clone());
    request.forwarded_person.clone_from(&who.person);
    request.stated_actor = None;
    let Some(peer) = core.peers.get(to) else {
        return Err(silent(to));
    };
    match peer.post("/v1/moves", &request, FORWARD_TIMEOUT).await {
        Ok(answer) => Ok(answer),
        Err(error) => {
            tracing::warn!(node = %to, %error, "the coordinator did not answer");
            unanswered(to, &request, &error)
        }
    }
}

/// What a forwarded order without an answer means. Only an order that certainly was not sent is refused.
fn unanswered(
    to: &NodeName,
    request: &MoveRequest,
    error: &CallError,
) -> Result<MoveAnswer, Refusal> {
    if error.outcome_unknown() && !request.dry_run {
        let mut refusal = refuse(
            RefusalCode::OrderUnknown,
            Sentence::OrderUnanswered { node: to.clone() },
            Advice::Status,
        );
        refusal.next.push(Advice::Again { kind: request.kind });
        return Ok(MoveAnswer::Unknown {
            coordinator: to.clone(),
            refusal,
        });
    }
    match error {
        CallError::Status { error, .. } => Err(bad_request(Why::system(&error.message))),
        _ => Err(silent(to)),
    }
}

fn silent(node: &NodeName) -> Refusal {
    refuse(
        RefusalCode::PeerSilent,
        Sentence::RefusedPeerSilent { node: node.clone() },
        Advice::Status,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use siaga_model::api::ApiError;
    use siaga_model::plan::MoveKind;

    fn request(dry_run: bool) -> MoveRequest {
        MoveRequest {
            kind: MoveKind::Switchover,
            service: None,
            to: None,
            reason: String::new(),
            attest: Vec::new(),
            accept_old_data: false,
            dry_run,
            idempotency_key: "k".into(),
            requested_by: None,
            approved_by: None,
            stated_actor: None,
            forwarded_actor: None,
            forwarded_person: None,
        }
    }

    fn timeout(sent: bool) -> CallError {
        CallError::Timeout { after_ms: 1, sent }
    }

    #[test]
    fn a_forwarded_order_without_an_answer_is_unknown_and_not_refused() {
        let status = |status| CallError::Status {
            status,
            error: ApiError {
                code: "C".into(),
                message: "m".into(),
                problem: None,
            },
        };
        let lost = CallError::Lost { why: "cut".into() };
        for error in [timeout(true), lost, status(503)] {
            let answer = unanswered(&"backup".into(), &request(false), &error);
            let Ok(MoveAnswer::Unknown { refusal, .. }) = answer else {
                panic!("{error}: {answer:?}")
            };
            assert_eq!(refusal.code, RefusalCode::OrderUnknown);
            assert_eq!(refusal.next.first(), Some(&Advice::Status));
        }
        for error in [timeout(false), status(403)] {
            let answer = unanswered(&"backup".into(), &request(false), &error);
            assert!(answer.is_err(), "{error}: {answer:?}");
        }
        // A preview changes nothing, wherever it got to.
        assert!(unanswered(&"backup".into(), &request(true), &timeout(true)).is_err());
    }
}
