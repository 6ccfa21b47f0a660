//! The site's CA on this node: each node has its own copy of the key, the newest one is taken from the peer, and a lost one
//! is replaced. None of it stops or blocks anything: machines are trusted by their pins.

use super::actor::Who;
use super::state::Core;
use crate::pki::ca::Ca;
use crate::pki::{CaCopy, CaMark, PkiError, renew, token};
use crate::transport::LiveIdentity;
use crate::transport::client::PeerClient;
use serde::{Deserialize, Serialize};
use siaga_journal::Durability;
use siaga_model::event::{Event, EventBody, Finding, FindingCode, Severity};
use siaga_model::keys_api::CaReplaceAnswer;
use siaga_model::{Evidence, NodeName, Why};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

const CALL_TIMEOUT: Duration = Duration::from_secs(5);
const ASK_AGAIN: Duration = Duration::from_secs(60);

/// What a node says of its copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "ca")]
pub enum CaHeld {
    /// Its version knows of no copies.
    #[default]
    Untold,
    None,
    Held {
        mark: CaMark,
    },
}

/// This node's copy, and what the others say of theirs.
pub struct CaDesk {
    own: Mutex<Option<CaMark>>,
    told: Mutex<BTreeMap<NodeName, CaHeld>>,
    live: LiveIdentity,
    /// One change of the files at a time.
    changing: tokio::sync::Mutex<()>,
    /// When the peer's copy was asked for last.
    asked: Mutex<Option<Instant>>,
    /// The files were looked at before now: what is missing is no longer about to come.
    kept: AtomicBool,
}

impl CaDesk {
    /// Looks what is below `state_dir`; connections show certificates by `live`.
    pub fn new(state_dir: &Path, live: LiveIdentity) -> Self {
        Self {
            own: Mutex::new(settled(state_dir)),
            told: Mutex::default(),
            live,
            changing: tokio::sync::Mutex::default(),
            asked: Mutex::default(),
            kept: AtomicBool::default(),
        }
    }

    /// For the peer.
    pub fn held(&self) -> CaHeld {
        match self.own() {
            Some(mark) => CaHeld::Held { mark },
            None => CaHeld::None,
        }
    }

    fn own(&self) -> Option<CaMark> {
        *self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, mark: Option<CaMark>) {
        *self.own.lock().unwrap_or_else(PoisonError::into_inner) = mark;
    }

    /// Is it time to ask the peer for its copy? Not again at once where it could not be had.
    fn asks(&self) -> bool {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let rests = asked.is_some_and(|at| at.elapsed() < ASK_AGAIN);
        if !rests {
            *asked = Some(Instant::now());
        }
        !rests
    }

    /// It could be had: the next one is asked for at once.
    fn had(&self) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The number after the highest that is known: of copies here and there, and of the one that is shown (`shown`) though
    /// its key may be lost. A lost copy that turns up again must not be the newest.
    fn next_generation(&self, shown: Option<u64>) -> u64 {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let theirs = told.values().filter_map(|held| match held {
            CaHeld::Held { mark } => Some(mark.generation),
            CaHeld::None | CaHeld::Untold => None,
        });
        let own = self.own().map(|m| m.generation);
        let known = theirs.chain(own).chain(shown).max();
        known.unwrap_or(0).saturating_add(1)
    }
}

/// Puts the files in order; what is there and opens.
fn settled(state_dir: &Path) -> Option<CaMark> {
    match Ca::settle(state_dir).and_then(|ca| ca.map(|ca| ca.mark()).transpose()) {
        Ok(mark) => mark,
        Err(error) => {
            tracing::warn!(%error, "the CA's key on this node can't be used");
            None
        }
    }
}

/// Looks at the files again, and has the own certificate renewed where it is due or from another CA.
pub async fn keep(core: &Arc<Core>) {
    let _changing = core.ca.changing.lock().await;
    let dir = core.state_dir.clone();
    if let Ok(mark) = tokio::task::spawn_blocking(move || settled(&dir)).await {
        core.ca.set(mark);
    }
    renew(core).await;
    // A node that joined a moment ago is about to get its copy.
    if core.ca.kept.swap(true, Ordering::Relaxed) || core.ca.own().is_some() {
        report(core);
    }
}

async fn renew(core: &Core) {
    let peer = core.peers.values().next().map(AsRef::as_ref);
    match renew::run_if_due(&core.state_dir, peer, crate::pki::now()).await {
        Ok(renew::Renewal::NotDue) => {}
        Ok(renew::Renewal::Renewed) => {
            if let Err(error) = core.ca.live.reload(&core.state_dir) {
                tracing::warn!(%error, "the renewed certificate could not be read");
            }
        }
        Err(error) => tracing::warn!(%error, "the certificate could not be renewed"),
    }
}

/// What the peer said of its copy: where it has the newer one, or this node none, it is taken.
pub fn heard(core: &Arc<Core>, peer: &NodeName, client: &Arc<PeerClient>, theirs: CaHeld) {
    core.ca
        .told
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(peer.clone(), theirs);
    let CaHeld::Held { mark } = theirs else {
        return report(core);
    };
    if !is_wanted(core.ca.own(), mark) {
        report(core);
    } else if core.ca.asks() {
        let (core, client) = (core.clone(), client.clone());
        // The link to the peer waits for none of it.
        tokio::spawn(async move {
            let _changing = core.ca.changing.lock().await;
            let fetched = fetch(&core, &client).await;
            if let Err(why) = fetched {
                tracing::warn!(node = %client.node(), %why, "the CA's key could not be taken from the peer");
            } else {
                core.ca.had();
            }
            report(&core);
        });
    }
}

fn is_wanted(own: Option<CaMark>, theirs: CaMark) -> bool {
    own.is_none_or(|own| theirs.is_after(&own))
}

async fn fetch(core: &Arc<Core>, client: &PeerClient) -> Result<(), String> {
    let copy: CaCopy = client
        .get("/v1/ca", CALL_TIMEOUT)
        .await
        .map_err(|e| e.to_string())?;
    let (dir, own) = (core.state_dir.clone(), core.ca.own());
    let taken = move || {
        let ca = Ca::of_copy(&copy)?;
        let mark = ca.mark()?;
        if is_wanted(own, mark) {
            ca.store(&dir)?;
            token::void_all(&dir)?;
            return Ok(Some(mark));
        }
        Ok::<_, PkiError>(None)
    };
    let taken = tokio::task::spawn_blocking(taken).await;
    if let Some(mark) = taken
        .map_err(|e| e.to_string())?
        .map_err(|e| e.to_string())?
    {
        tracing::info!(
            generation = mark.generation,
            "the CA's key was taken from the peer"
        );
        core.ca.set(Some(mark));
        renew(core).await;
    }
    Ok(())
}

/// The own copy, for the peer.
pub fn copy(core: &Core) -> Result<CaCopy, PkiError> {
    let ca = Ca::load(&core.state_dir)?.ok_or(PkiError::NoCa)?;
    Ok(ca.copy())
}

/// Each node speaks for itself: of its missing copy, and of the newer one that it did not get.
fn report(core: &Core) {
    let own = core.ca.own();
    match own {
        Some(_) => core.mended(None, FindingCode::CaKeyMissing, &core.me),
        None => found(core, FindingCode::CaKeyMissing, Evidence::Nothing),
    }
    let newer = {
        let told = core.ca.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.iter().find_map(|(node, held)| match (held, own) {
            (CaHeld::Held { mark }, Some(own)) if mark.is_after(&own) => Some(node.clone()),
            _ => None,
        })
    };
    match newer {
        Some(node) => found(core, FindingCode::CaDiffers, Evidence::thing(node)),
        None => core.mended(None, FindingCode::CaDiffers, &core.me),
    }
}

fn found(core: &Core, code: FindingCode, evidence: Evidence) {
    core.found(
        None,
        Finding {
            code,
            node: core.me.clone(),
            severity: Severity::Warning,
            evidence,
        },
    );
}

/// Answers `POST /v1/ca/replace`: a new CA here, which the other node takes at its next contact. Tokens of the old CA are
/// worth nothing after it; nobody's pin changes.
pub async fn replace(core: &Arc<Core>, who: &Who, reason: &str) -> CaReplaceAnswer {
    let _changing = core.ca.changing.lock().await;
    let (c, who, reason) = (core.clone(), who.clone(), reason.to_owned());
    let made = tokio::task::spawn_blocking(move || make(&c, &who, reason)).await;
    match made {
        Ok(Ok(mark)) => {
            core.ca.set(Some(mark));
            renew(core).await;
            report(core);
            CaReplaceAnswer::Replaced {
                generation: mark.generation,
                fingerprint: mark.spki_sha256.to_string(),
            }
        }
        Ok(Err(why)) => CaReplaceAnswer::Failed { why },
        Err(error) => CaReplaceAnswer::Failed {
            why: Why::system(error),
        },
    }
}

/// The intent is in the log before the keys change.
fn make(core: &Core, who: &Who, reason: String) -> Result<CaMark, Why> {
    let shown = Ca::shown_generation(&core.state_dir);
    let generation = core.ca.next_generation(shown);
    let ca = Ca::create(&core.config.site.name, generation, crate::pki::now());
    let ca = ca.map_err(Why::system)?;
    let mark = ca.mark().map_err(Why::system)?;
    let event = Event {
        service: None,
        run: None,
        actor: Some(who.actor.clone()),
        body: EventBody::CaReplaced {
            generation,
            fingerprint: mark.spki_sha256.to_string(),
            reason,
        },
    };
    core.log
        .append(vec![event], Durability::Sync)
        .map_err(|e| Why::LogUnwritten {
            said: e.to_string(),
        })?;
    ca.store(&core.state_dir).map_err(Why::system)?;
    token::void_all(&core.state_dir).map_err(Why::system)?;
    Ok(mark)
}
