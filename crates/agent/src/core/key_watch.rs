//! A node whose registration at the disk set is gone lets go at once. The disk refuses its writes already; what is left to
//! do is to answer no client any more: drop the address, kill the database, unmount.
//!
//! The look comes every second and takes a moment, so that a node that was frozen, and fenced meanwhile, has dropped the
//! address within two seconds after its agent runs again, and killed the database right after.

use super::state::Core;
use super::watch::drop_all;
use siaga_model::config::Service;
use siaga_model::event::{Finding, FindingCode, Severity};
use siaga_model::{Epoch, Evidence, ServiceName, Why};
use siaga_runner::hands::Hands;
use siaga_runner::ledger::Ledger;
use std::sync::Arc;
use std::time::Duration;

const TICK: Duration = Duration::from_secs(1);

/// Watches every service with a reservation. Never ends.
pub async fn watch(core: Arc<Core>) {
    let services = core.config.services.iter();
    let reserved = services.filter(|s| s.disk_set.reserves()).cloned();
    let watched = reserved.map(|service| watch_one(core.clone(), service));
    futures_util::future::join_all(watched).await;
}

async fn watch_one(core: Arc<Core>, service: Service) {
    loop {
        tokio::time::sleep(TICK).await;
        // Also in the middle of a run, between its steps: a client test, or an application that hangs, takes minutes.
        look(&core, &service.name).await;
        settle(&core, &service.name).await;
        super::stray_key::look(&core, &service.name).await;
    }
}

/// The loss is over where this node has the disk set again, or where another node's own reservation explains it and nothing of
/// the service is left here. One that nobody explains stays found: a person has to look.
async fn settle(core: &Arc<Core>, service: &ServiceName) {
    let code = FindingCode::ReservationLost;
    if core.standing(Some(service), code, &core.me).is_none() {
        return;
    }
    let (c, s) = (core.clone(), service.clone());
    let over = tokio::task::spawn_blocking(move || c.hands.loss_is_over(&s));
    if over.await.unwrap_or(false) {
        core.mended(Some(service), code, &core.me);
    }
}

/// Lets go where the key is gone, and says what was done.
async fn look(core: &Arc<Core>, service: &ServiceName) {
    let (c, s) = (core.clone(), service.clone());
    let let_go = tokio::task::spawn_blocking(move || {
        let desk = c.desks.get(&s)?;
        let mandate = || desk.bench.lock().ledger.facts().highest;
        let epoch: Epoch = mandate().filter(|_| !desk.bench.busy())?;
        c.hands.key_gone(&s)?;
        // A mandate that came meanwhile decides; one that comes now waits until nothing is in flight here.
        let still = |ledger: &Ledger| ledger.facts().highest.as_ref() == Some(&epoch);
        let _letting_go = desk.bench.occupy(&epoch, still)?;
        // Steps of the same mandate may have ended since: a release takes the registration back, and a take brings it.
        let why: Why = c.hands.key_gone(&s)?;
        tracing::warn!(service = %s, "the registration at the disk set is gone: letting go");
        let cleaned = drop_all(&c, &s);
        // Where it can't be proved yet, the next look goes on.
        if c.hands.prove_released(&s).is_ok() {
            c.hands.disown(&s);
        }
        Some((why, cleaned))
    })
    .await;
    let Some((why, cleaned)) = let_go.ok().flatten() else {
        return;
    };
    let evidence = Evidence::KeyGone { why, cleaned };
    let finding = Finding {
        code: FindingCode::ReservationLost,
        node: core.me.clone(),
        severity: Severity::Blocking,
        evidence,
    };
    core.found(Some(service), finding);
}
