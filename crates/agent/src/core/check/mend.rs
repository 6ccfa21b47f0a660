//! `siaga check --fix`: each node looks at itself, and mends what can be mended without any harm. Nothing that another
//! machine says is mended by: only what the node has just found here.

use super::self_check;
use crate::core::actor::Who;
use crate::core::state::Core;
use siaga_journal::Durability;
use siaga_model::config::Service;
use siaga_model::event::{Actor, Event, EventBody};
use siaga_model::readiness::{Fix, FixAnswer, FixRequest, Fixed};
use siaga_node::act::fix::fix;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long the other node may take.
const PEER_WITHIN: Duration = Duration::from_secs(60);

/// Both nodes, this one first. What a node did that does not answer in time stands in its log; the check after this tells
/// what is left.
pub async fn both(core: &Arc<Core>, service: &Service, who: &Who) -> Vec<Fixed> {
    let (c, s, actor) = (core.clone(), service.clone(), who.actor.clone());
    let own = tokio::task::spawn_blocking(move || here(&c, &s, &actor)).await;
    let mut fixed = own.unwrap_or_default();
    let request = FixRequest {
        service: Some(service.name.clone()),
        stated_actor: None,
        forwarded_actor: Some(who.actor.clone()),
        forwarded_person: who.person.clone(),
    };
    let within = PEER_WITHIN
        + service
            .backup
            .as_ref()
            .map(|b| b.timeout)
            .unwrap_or_default();
    for peer in core.peers.values() {
        match peer.post("/v1/self-check/fix", &request, within).await {
            Ok(FixAnswer::Done { fixed: theirs }) => fixed.extend(theirs),
            Ok(FixAnswer::Refused { refusal }) => {
                tracing::warn!(code = ?refusal.code, "the other node mends nothing");
            }
            Err(error) => tracing::warn!(%error, "the other node could not be asked to mend"),
        }
    }
    fixed
}

/// This node. Blocks.
pub fn here(core: &Core, service: &Service, actor: &Actor) -> Vec<Fixed> {
    let found = self_check(core, service).findings;
    let fixes = found.iter().flat_map(|f| Fix::of(f.code, &f.evidence));
    let fixed: Vec<Fixed> = fixes
        .map(|one| Fixed {
            node: core.me.clone(),
            trouble: fix(&one, Path::new("/")).err(),
            fix: one,
        })
        .collect();
    let event = |one: &Fixed| Event {
        service: Some(service.name.clone()),
        run: None,
        actor: Some(actor.clone()),
        body: EventBody::CheckFixed {
            fixed: Box::new(one.clone()),
        },
    };
    let events: Vec<Event> = fixed.iter().map(event).collect();
    if !events.is_empty()
        && let Err(error) = core.log.append(events, Durability::Sync)
    {
        tracing::error!(%error, "the log could not be written");
    }
    fixed
}
