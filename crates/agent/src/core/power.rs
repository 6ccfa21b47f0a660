//! `siaga power`: through the fence, and never on the holder of a running service.

use super::actor::Who;
use super::observe::observe;
use super::state::Core;
use siaga_model::api::{PowerAction, PowerAnswer, PowerRequest};
use siaga_model::config::{Fence, FenceKind};
use siaga_model::event::{Event, EventBody};
use siaga_model::observation::{DatabaseState, FenceState, Holding, Power};
use siaga_model::refusal::{Advice, Refusal, RefusalCode, Sentence};
use siaga_model::{NodeName, Why};
use siaga_runner::hands::Trouble;
use std::sync::Arc;

/// Asks or switches.
pub async fn power(core: &Arc<Core>, who: &Who, request: &PowerRequest) -> PowerAnswer {
    let Some(fence) = device(core, &request.node) else {
        return PowerAnswer::Refused {
            refusal: Refusal {
                code: RefusalCode::NoSuchThing,
                sentence: Sentence::FenceNone {
                    node: request.node.clone(),
                },
                evidence: Vec::new(),
                next: vec![Advice::Check],
            },
        };
    };
    let acted = match request.action {
        PowerAction::Status => Ok(()),
        PowerAction::Off => {
            if let Some(refusal) = holder(core, &request.node).await {
                return PowerAnswer::Refused { refusal };
            }
            switch(fence.clone(), siaga_node::act::fence::act_off).await
        }
        PowerAction::On => switch(fence.clone(), siaga_node::act::fence::act_on).await,
    };
    if let Err(why) = acted {
        return PowerAnswer::Failed { why };
    }
    if request.action != PowerAction::Status {
        let body = EventBody::PowerChanged {
            node: request.node.clone(),
            on: request.action == PowerAction::On,
        };
        let event = Event {
            service: None,
            run: None,
            actor: Some(who.actor.clone()),
            body,
        };
        if let Err(error) = core
            .log
            .append(vec![event], siaga_journal::Durability::Sync)
        {
            return PowerAnswer::Failed {
                why: Why::LogUnwritten {
                    said: error.to_string(),
                },
            };
        }
    }
    let state = tokio::task::spawn_blocking(move || siaga_node::act::fence::state(&fence)).await;
    match state {
        Ok(FenceState::Open) => PowerAnswer::Done { power: Power::On },
        Ok(FenceState::Fenced) => PowerAnswer::Done { power: Power::Off },
        Ok(FenceState::Failed { why }) => PowerAnswer::Failed { why },
        Err(error) => PowerAnswer::Failed {
            why: Why::system(error),
        },
    }
}

fn device(core: &Core, node: &NodeName) -> Option<Fence> {
    core.config
        .node(node)?
        .fences
        .iter()
        .find(|f| f.kind == FenceKind::Power)
        .cloned()
}

async fn switch(fence: Fence, act: fn(&Fence) -> siaga_runner::hands::Acted) -> Result<(), Why> {
    match tokio::task::spawn_blocking(move || act(&fence)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(Trouble::Failed(failure))) => Err(failure.detail),
        Ok(Err(Trouble::Unknown(why))) => Err(why),
        Err(error) => Err(Why::system(error)),
    }
}

/// The refusal where `node` holds a running service, or where that can't be told and a probe sees the service there.
async fn holder(core: &Arc<Core>, node: &NodeName) -> Option<Refusal> {
    for service in &core.config.services {
        let observation = observe(core, service).await;
        let facts = observation.nodes.get(node).and_then(|v| v.agent.facts());
        let runs_there =
            facts.is_some_and(|f| f.database != DatabaseState::Stopped && f.disk != Holding::Free);
        let fresh_ms =
            u64::try_from(core.config.policy.witness_fresh.as_millis()).unwrap_or(u64::MAX);
        let served_there = facts.is_none()
            && observation
                .probes
                .iter()
                .any(|p| p.serving && p.age_ms <= fresh_ms && p.node.as_ref() != Some(&core.me));
        if runs_there || served_there {
            return Some(Refusal {
                code: RefusalCode::HolderOfRunningService,
                sentence: Sentence::RefusedHolderOfRunning {
                    node: node.clone(),
                    service: service.name.clone(),
                },
                evidence: Vec::new(),
                next: vec![Advice::Switchover {
                    service: service.name.clone(),
                }],
            });
        }
    }
    None
}
