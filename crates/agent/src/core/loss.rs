//! Both nodes lost their journals: none can tell the other what was promised, and only a person can.

use super::actor::Who;
use super::link::{self, Heads};
use super::moves::{bad_request, refuse};
use super::state::Core;
use siaga_journal::{Durability, History};
use siaga_model::NodeName;
use siaga_model::Why;
use siaga_model::api::AcceptLossAnswer;
use siaga_model::event::{Event, EventBody};
use siaga_model::refusal::{Advice, Refusal, RefusalCode, Sentence};
use std::sync::Arc;
use std::time::Duration;

/// How long the other node's newest events are waited for.
const PULL_AT_MOST: Duration = Duration::from_secs(5);

/// Answers `POST /v1/events/accept-loss`.
pub async fn accept(core: &Arc<Core>, who: &Who, reason: &str) -> AcceptLossAnswer {
    match accepted(core, who, reason).await {
        Ok(answer) => answer,
        Err(refusal) => AcceptLossAnswer::Refused { refusal },
    }
}

async fn accepted(core: &Arc<Core>, who: &Who, reason: &str) -> Result<AcceptLossAnswer, Refusal> {
    let Some(by) = who.person.clone() else {
        return Err(bad_request(Why::PersonNeeded));
    };
    let c = core.clone();
    let here = tokio::task::spawn_blocking(move || c.log.journal().history()).await;
    let mut others = Vec::new();
    for (node, peer) in &core.peers {
        let heads = peer
            .get::<Heads>("/v1/heads", core.config.policy.peer_timeout)
            .await;
        others.push((node.clone(), heads.ok().map(|h| h.lost)));
    }
    may_accept(&core.me, matches!(here, Ok(History::Whole)), &others)?;
    // What each of them still has is known everywhere before anything is minted above it.
    link::pull(core, PULL_AT_MOST).await;
    let event = Event {
        service: None,
        run: None,
        actor: Some(who.actor.clone()),
        body: EventBody::LossAccepted {
            by,
            reason: reason.to_owned(),
        },
    };
    let c = core.clone();
    let written =
        tokio::task::spawn_blocking(move || c.log.append(vec![event], Durability::Sync)).await;
    let failed = |why: Why| Ok(AcceptLossAnswer::Failed { why });
    match written {
        Ok(Ok(())) if link::confirm(core).await => Ok(AcceptLossAnswer::Accepted),
        Ok(Ok(())) => failed(Why::JournalUnconfirmed),
        Ok(Err(error)) => failed(Why::LogUnwritten {
            said: error.to_string(),
        }),
        Err(error) => failed(Why::system(error)),
    }
}

/// Only where no node can tell: a node that does not answer may have everything, and one whose journal is whole tells
/// it by itself. `others`: whether each lost its journal, where it answers.
fn may_accept(
    me: &NodeName,
    whole: bool,
    others: &[(NodeName, Option<bool>)],
) -> Result<(), Refusal> {
    if whole {
        let node = me.clone();
        return Err(refuse(
            RefusalCode::AlreadyThere,
            Sentence::JournalWhole { node },
            Advice::Status,
        ));
    }
    for (node, lost) in others {
        let node = node.clone();
        match lost {
            Some(true) => {}
            Some(false) => {
                return Err(refuse(
                    RefusalCode::AlreadyThere,
                    Sentence::JournalWhole { node },
                    Advice::Check,
                ));
            }
            None => {
                return Err(refuse(
                    RefusalCode::PeerSilent,
                    Sentence::RefusedPeerSilent { node },
                    Advice::Diagnose,
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_is_accepted_only_where_no_node_can_tell() {
        let (me, peer) = (NodeName::from("serverdb"), NodeName::from("backup"));
        let code = |whole, lost| {
            may_accept(&me, whole, &[(peer.clone(), lost)])
                .err()
                .map(|r| r.code)
        };
        assert_eq!(code(false, Some(true)), None);
        assert_eq!(code(false, Some(false)), Some(RefusalCode::AlreadyThere));
        assert_eq!(code(false, None), Some(RefusalCode::PeerSilent));
        assert_eq!(code(true, Some(true)), Some(RefusalCode::AlreadyThere));
    }
}
