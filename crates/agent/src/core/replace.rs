//! New hardware under an old node's name: from the order on the old machine's keys count no more, and a token lets the new
//! one in. It is no release proof (`siaga_planner::may_replace`).
//!
//! The other half is on the old machine, should it ever come back: the peer refuses its key and says why. It then lets go
//! of whatever it has, and gives and takes no orders any more, also after a restart.

use super::actor::Who;
use super::moves::{bad_request, refuse, run_by};
use super::observe::{observe, own_facts};
use super::state::Core;
use super::watch::drop_all;
use super::{ca, moves};
use crate::pki::files;
use siaga_journal::Durability;
use siaga_model::event::{Event, EventBody, Finding, FindingCode, Severity};
use siaga_model::evidence::Cleaned;
use siaga_model::keys_api::{CaReplaceAnswer, NodeReplaceAnswer, NodeReplaceRequest};
use siaga_model::observation::{DatabaseState, Holding};
use siaga_model::refusal::{Advice, Refusal, RefusalCode, Sentence};
use siaga_model::{Evidence, PersonName, ServiceName, Why};
use siaga_runner::hands::Hands;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const TICK: Duration = Duration::from_secs(1);

/// Was this machine replaced? Kept over restarts.
#[derive(Default)]
pub struct ReplacedMark(AtomicBool);

impl ReplacedMark {
    /// As the file says. One that can't be looked at says nothing: the other node says it again, and a running database is
    /// not ended for a disk that can't be read.
    pub fn load(state_dir: &Path) -> Self {
        let there = files::path(state_dir, files::REPLACED).try_exists();
        Self(AtomicBool::new(there.unwrap_or(false)))
    }

    /// True from the moment that the peer said so.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Answers `POST /v1/nodes/replace`.
pub async fn replace(
    core: &Arc<Core>,
    who: &Who,
    request: &NodeReplaceRequest,
) -> NodeReplaceAnswer {
    let by = match may(core, who, request).await {
        Ok(by) => by,
        Err(refusal) => return NodeReplaceAnswer::Refused { refusal },
    };
    let (c, w, r) = (core.clone(), who.clone(), request.clone());
    let shut_out = tokio::task::spawn_blocking(move || shut_out(&c, &w, by, &r)).await;
    match shut_out {
        Ok(Ok(())) => {}
        Ok(Err(why)) => return NodeReplaceAnswer::Failed { why },
        Err(error) => {
            let why = Why::system(error);
            return NodeReplaceAnswer::Failed { why };
        }
    }
    tracing::warn!(node = %request.node, "the machine was replaced: its keys count no more");
    // The old machine had a copy of the CA's key.
    match ca::replace(core, who, &request.reason).await {
        CaReplaceAnswer::Replaced { .. } => NodeReplaceAnswer::Replaced,
        CaReplaceAnswer::Refused { refusal } => NodeReplaceAnswer::Refused { refusal },
        CaReplaceAnswer::Failed { why } => NodeReplaceAnswer::Failed { why },
    }
}

async fn may(
    core: &Arc<Core>,
    who: &Who,
    request: &NodeReplaceRequest,
) -> Result<PersonName, Refusal> {
    refuse_replaced(core)?;
    let node = request.node.clone();
    if core.config.node(&node).is_none() {
        let sentence = Sentence::RefusedNoSuchNode { node };
        return Err(refuse(RefusalCode::NoSuchThing, sentence, Advice::Status));
    }
    if node == core.me {
        return Err(bad_request(Why::ReplacesItself { node }));
    }
    let Some(by) = who.person.clone() else {
        return Err(bad_request(Why::AttestationNeedsName));
    };
    for service in &core.config.services {
        if let Some(live) = core.runs.going_on(&service.name) {
            return Err(run_by(&moves::in_progress_here(core, &live)));
        }
        let seen = observe(core, service).await;
        siaga_planner::may_replace(&core.config, &seen, &request.node, request.how)?;
    }
    Ok(by)
}

/// In the log before the first key changes; done again it ends in the same.
fn shut_out(
    core: &Core,
    who: &Who,
    by: PersonName,
    request: &NodeReplaceRequest,
) -> Result<(), Why> {
    let node = &request.node;
    let pins = core.pins.all();
    let pinned = pins
        .iter()
        .find(|p| p.name == node.as_str() && !p.is_nobody());
    let event = Event {
        service: None,
        run: None,
        actor: Some(who.actor.clone()),
        body: EventBody::NodeReplaced {
            node: node.clone(),
            by,
            how: request.how,
            key: pinned.map(|p| p.spki_sha256.to_string()),
            reason: request.reason.clone(),
        },
    };
    let unwritten = |e: &dyn std::fmt::Display| Why::LogUnwritten {
        said: e.to_string(),
    };
    core.log
        .append(vec![event], Durability::Sync)
        .map_err(|e| unwritten(&e))?;
    core.pins.retire(node.as_str()).map_err(Why::system)?;
    core.log.journal().retire(node).map_err(|e| unwritten(&e))
}

/// The peer says that another machine has this one's name: remembered before anything else.
pub fn told(core: &Core) {
    if core.replaced.is_set() {
        return;
    }
    let path = files::path(&core.state_dir, files::REPLACED);
    if let Err(error) = files::write(&path, b"another machine has this one's name now\n") {
        tracing::error!(%error, "that this machine was replaced could not be kept");
    }
    core.replaced.0.store(true, Ordering::Release);
}

/// What a replaced machine says to every order.
pub fn refuse_replaced(core: &Core) -> Result<(), Refusal> {
    if !core.replaced.is_set() {
        return Ok(());
    }
    let node = core.me.clone();
    Err(refuse(
        RefusalCode::NodeReplaced,
        Sentence::RefusedNodeReplaced { node },
        Advice::Status,
    ))
}

/// Lets go of everything once this machine was replaced. Never ends.
pub async fn watch(core: Arc<Core>) {
    loop {
        if core.replaced.is_set() {
            let mut cleaned = Vec::new();
            for service in &core.config.services {
                cleaned.extend(let_go(&core, &service.name).await);
            }
            found(&core, cleaned);
        }
        let vouches = !core.replaced.is_set() && core.pins.has_retired() && runs_all(&core).await;
        core.pins.set_vouches(vouches);
        tokio::time::sleep(TICK).await;
    }
}

/// Every service serves here: so whatever the replaced machine has is not in force.
async fn runs_all(core: &Arc<Core>) -> bool {
    for service in &core.config.services {
        let facts = own_facts(core, &service.name).await;
        let held = matches!(facts.disk, Holding::Held { .. });
        let mounted = !facts.mounts.is_empty() && facts.mounts.iter().all(|m| m.mounted);
        if !(held && mounted && facts.database == DatabaseState::Ready) {
            return false;
        }
    }
    true
}

fn found(core: &Core, cleaned: Vec<Cleaned>) {
    let known = core.standing(None, FindingCode::NodeReplaced, &core.me);
    if known.is_some() && cleaned.is_empty() {
        return;
    }
    let why = Why::Replaced {
        node: core.me.clone(),
    };
    let evidence = Evidence::KeyGone { why, cleaned };
    core.found(
        None,
        Finding {
            code: FindingCode::NodeReplaced,
            node: core.me.clone(),
            severity: Severity::Blocking,
            evidence,
        },
    );
}

/// The peer serves everything, and says that this machine was attested off: nothing here can be right.
async fn let_go(core: &Arc<Core>, service: &ServiceName) -> Vec<Cleaned> {
    let (c, s) = (core.clone(), service.clone());
    let dropped = tokio::task::spawn_blocking(move || {
        let seen = c.hands.look(&s);
        let addresses = seen.virtual_ips.iter().any(|v| v.present);
        if seen.disk == Holding::Free && seen.database == DatabaseState::Stopped && !addresses {
            return Vec::new();
        }
        let Some(desk) = c.desks.get(&s) else {
            return Vec::new();
        };
        // An act of this machine's own that is still under way ends first; none begins any more.
        let highest = desk.bench.lock().ledger.facts().highest;
        let busy = desk.bench.busy();
        let epoch = highest.filter(|_| !busy);
        let _letting_go = epoch.as_ref().and_then(|e| desk.bench.occupy(e, |_| true));
        if busy {
            return Vec::new();
        }
        tracing::warn!(service = %s, "this machine was replaced: letting go");
        let cleaned = drop_all(&c, &s);
        if c.hands.prove_released(&s).is_ok() {
            c.hands.disown(&s);
        }
        cleaned
    });
    dropped.await.unwrap_or_default()
}
