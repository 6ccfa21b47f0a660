//! A fence by reservation registers this node first. Where it fails then, and so does its way back (the storage stumbles, or the
//! agent dies), the registration stays, and this node looks like a second holder for good. It is taken back once another node
//! has the disk set.

use super::state::Core;
use siaga_model::{Epoch, ServiceName};
use siaga_runner::ledger::Ledger;
use std::sync::Arc;

/// Takes it back where nothing is under way here. Tried again at the next look where it fails.
pub async fn look(core: &Arc<Core>, service: &ServiceName) {
    if core.runs.going_on(service).is_some() {
        return;
    }
    let (c, s) = (core.clone(), service.clone());
    let looked = tokio::task::spawn_blocking(move || {
        let desk = c.desks.get(&s).filter(|_| c.hands.has_stray_key(&s))?;
        let mandate = || desk.bench.lock().ledger.facts().highest;
        let epoch: Epoch = mandate().filter(|_| !desk.bench.busy())?;
        // A mandate that came meanwhile decides; one that comes now waits until nothing is in flight here.
        let still = |ledger: &Ledger| ledger.facts().highest.as_ref() == Some(&epoch);
        let _dropping = desk.bench.occupy(&epoch, still)?;
        Some(c.hands.drop_stray_key(&s))
    });
    match looked.await.ok().flatten() {
        None => {}
        Some(Ok(did)) if !did.changed => {}
        Some(Ok(_)) => {
            tracing::warn!(%service, "a registration that came of nothing was taken back")
        }
        Some(Err(trouble)) => {
            tracing::warn!(%service, ?trouble, "a registration could not be taken back")
        }
    }
}
