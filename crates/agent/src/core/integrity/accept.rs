//! A person says that the data on the disk set is meant as it is: a backup was restored, or the cluster made anew.

use crate::core::actor::Who;
use crate::core::moves::bad_request;
use crate::core::state::Core;
use siaga_journal::Durability;
use siaga_model::api::{AcceptDataRequest, AcceptLossAnswer};
use siaga_model::event::{Event, EventBody};
use siaga_model::refusal::{Advice, RefusalCode, Sentence};
use siaga_model::{ServiceName, Why};
use std::sync::Arc;

/// Answers `POST /v1/events/accept-data`.
pub async fn accept(core: &Arc<Core>, who: &Who, request: &AcceptDataRequest) -> AcceptLossAnswer {
    let service: &ServiceName = &request.service;
    let refused = |refusal| AcceptLossAnswer::Refused { refusal };
    if core.config.service(service).is_none() {
        let service = service.clone();
        let sentence = Sentence::RefusedNoSuchService { service };
        let code = RefusalCode::NoSuchThing;
        return refused(crate::core::moves::refuse(code, sentence, Advice::Status));
    }
    let Some(by) = who.person.clone() else {
        return refused(bad_request(Why::PersonNeeded));
    };
    let event = Event {
        service: Some(service.clone()),
        run: None,
        actor: Some(who.actor.clone()),
        body: EventBody::DataAccepted {
            by,
            reason: request.reason.clone(),
        },
    };
    let c = core.clone();
    let written =
        tokio::task::spawn_blocking(move || c.log.append(vec![event], Durability::Sync)).await;
    match written {
        Ok(Ok(())) => AcceptLossAnswer::Accepted,
        Ok(Err(error)) => AcceptLossAnswer::Failed {
            why: Why::LogUnwritten {
                said: error.to_string(),
            },
        },
        Err(error) => AcceptLossAnswer::Failed {
            why: Why::system(error),
        },
    }
}
