//! A copy that is cut off while the other node writes is old, and its own kernel can't know it: it would pass for up to date at
//! the next takeover. So the agents' own paths carry the word, and the copy is marked, durably, until it is whole again.

use super::observe::ask_agent;
use super::state::Core;
use siaga_model::config::Service;
use siaga_model::event::{Finding, FindingCode, Severity};
use siaga_model::observation::{AgentView, Holding};
use siaga_model::{Holder, NodeName, ServiceName};
use std::sync::Arc;
use std::time::Duration;

const TICK: Duration = Duration::from_secs(1);

/// Watches every service on a replicated device. Never ends.
pub async fn watch(core: Arc<Core>) {
    let services = core.config.services.iter();
    let replicated = services.filter(|s| s.disk_set.resource().is_some());
    let watched = replicated.map(|service: &Service| watch_one(core.clone(), service.name.clone()));
    futures_util::future::join_all(watched.collect::<Vec<_>>()).await;
}

async fn watch_one(core: Arc<Core>, service: ServiceName) {
    loop {
        tokio::time::sleep(TICK).await;
        // A run looks at the copies itself, and a take that is under way has its proof.
        if core.runs.going_on(&service).is_none() && passes_for_current(&core, &service).await {
            look(&core, &service).await;
        }
        settle(&core, &service).await;
    }
}

async fn passes_for_current(core: &Arc<Core>, service: &ServiceName) -> bool {
    let (c, s) = (core.clone(), service.clone());
    let looked = tokio::task::spawn_blocking(move || c.hands.copy_passes_for_current(&s));
    looked.await.unwrap_or(false)
}

/// Whole again: nothing is found any more.
async fn settle(core: &Arc<Core>, service: &ServiceName) {
    let old = |f: &Finding| f.code == FindingCode::DiskSetDriver && f.node == core.me;
    if !core.findings().iter().any(old) {
        return;
    }
    let (c, s) = (core.clone(), service.clone());
    let whole = tokio::task::spawn_blocking(move || c.hands.copy_is_whole(&s));
    if whole.await.unwrap_or(false) {
        core.mended(FindingCode::DiskSetDriver, &core.me);
    }
}

/// Asked after the copy was seen cut off, so that the answer is about a holder that goes on without it.
async fn look(core: &Arc<Core>, service: &ServiceName) {
    for other in core.others() {
        if !holds(core, service, &other).await {
            continue;
        }
        let (c, s) = (core.clone(), service.clone());
        let marked = tokio::task::spawn_blocking(move || {
            let desk = c.desks.get(&s)?;
            // A take that began meanwhile has its own proof.
            (!desk.bench.busy()).then(|| c.hands.mark_copy_old(&s))
        })
        .await;
        match marked.ok().flatten() {
            Some(Ok(why)) => {
                tracing::warn!(service = %service, holder = %other, "the copy here is cut off and marked as old");
                let finding = Finding {
                    code: FindingCode::DiskSetDriver,
                    node: core.me.clone(),
                    severity: Severity::Warning,
                    evidence: why.into(),
                };
                core.found(Some(service), finding);
            }
            // Connected again meanwhile: DRBD refuses it, and there is nothing to mark.
            Some(Err(why)) => {
                tracing::debug!(service = %service, ?why, "the copy here is not marked as old");
            }
            None => {}
        }
    }
}

async fn holds(core: &Arc<Core>, service: &ServiceName, node: &NodeName) -> bool {
    match ask_agent(core, service, node).await {
        AgentView::Answered { facts, .. } => match &facts.disk {
            // A step that is under way there may be its letting go.
            Holding::Held { by } => by.iter().any(|h| *h != Holder::StepUnderWay),
            Holding::Free | Holding::Unknown { .. } => false,
        },
        AgentView::Silent { .. } => false,
    }
}
