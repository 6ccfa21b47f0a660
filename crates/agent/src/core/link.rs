//! The link to the peer: is it there, and copying the events both ways.

use super::ca::CaHeld;
use super::state::{Core, PeerPulse};
use crate::pki::Pin;
use crate::transport::client::{CallError, PeerClient};
use serde::{Deserialize, Serialize};
use siaga_journal::{History, ImportError, RawRow};
use siaga_model::event::{EventBody, Finding, FindingCode, Severity};
use siaga_model::{BootId, NodeName, ServiceName};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long the peer holds a question for news when it has none. Also how fresh its pulse is at the least.
const LONG_POLL: Duration = Duration::from_millis(1000);
/// How long to wait before a silent peer is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// How long to let rows gather before the next look. Copying makes the other node write its rows to the disk, which
/// must not slow down a move that is under way there.
const BREATH: Duration = Duration::from_millis(250);
/// How many rows one answer carries at the most.
pub const ROWS_AT_MOST: usize = 500;

/// Answer to `GET /v1/heads`: how far this node's copies of everybody's events reach.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Heads {
    pub node: NodeName,
    pub boot: BootId,
    /// Changes with every row: hand it back as `after`.
    pub version: u64,
    pub heads: Vec<Head>,
    /// Changes when somebody joins: then the pins are asked for.
    pub pins: String,
    /// This node may have lost rows of its own: it confirms nobody's journal.
    #[serde(default)]
    pub lost: bool,
    /// What a start of the services that it runs would have to redo, bytes of WAL.
    #[serde(default)]
    pub redo: BTreeMap<ServiceName, u64>,
    /// Its copy of the CA's key.
    #[serde(default)]
    pub ca: CaHeld,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Head {
    pub node: NodeName,
    pub incarnation: u32,
    pub seq: u64,
}

/// Answer to `GET /v1/rows`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rows {
    pub rows: Vec<RawRow>,
}

/// This node's heads.
pub fn heads(core: &Core) -> Heads {
    let pins = pins_mark(core);
    core.log.with(|journal| Heads {
        node: core.me.clone(),
        boot: core.boot.clone(),
        version: journal.version(),
        heads: journal
            .heads()
            .into_iter()
            .map(|((node, incarnation), seq)| Head {
                node,
                incarnation,
                seq,
            })
            .collect(),
        pins,
        lost: journal.history() != History::Whole,
        redo: core.redo.own(),
        ca: core.ca.held(),
    })
}

/// The same text on both nodes exactly where both know the same machines.
fn pins_mark(core: &Core) -> String {
    let mut all: Vec<String> = core
        .pins
        .all()
        .iter()
        .map(|p| format!("{}:{}:{}", p.name, p.generation, p.spki_sha256))
        .collect();
    all.sort();
    all.join(",")
}

/// Learns who has joined at the other node.
async fn learn_pins(core: &Arc<Core>, client: &PeerClient) {
    let Ok(theirs) = client
        .get::<Vec<Pin>>("/v1/pins", core.config.policy.peer_timeout)
        .await
    else {
        return;
    };
    let core = core.clone();
    let merged =
        tokio::task::spawn_blocking(move || core.pins.merge(&theirs, core.me.as_str())).await;
    if let Ok(Err(error)) = merged {
        tracing::warn!(%error, "the peer's pins could not be kept");
    }
}

/// Waits for the log to change, at most `wait`.
pub async fn heads_after(core: &Arc<Core>, after: u64, wait: Duration) -> Heads {
    let mut changed = core.log.subscribe();
    let waiting = async {
        while *changed.borrow_and_update() == after {
            if changed.changed().await.is_err() {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(wait, waiting).await;
    heads(core)
}

/// Keeps the copy of the peer's events as fresh as the network lets it. Never ends.
pub async fn follow(
    core: Arc<Core>,
    peer: NodeName,
    client: Arc<PeerClient>,
    pulse: Arc<PeerPulse>,
) {
    let mut version = 0;
    let mut known_boot: Option<BootId> = None;
    let mut silent = false;
    let mut confirmed = false;
    loop {
        let path = format!(
            "/v1/heads?after={version}&wait_ms={}",
            LONG_POLL.as_millis()
        );
        let timeout = LONG_POLL + core.config.policy.peer_timeout;
        match client.poll::<Heads>(&path, timeout).await {
            Ok(heads) => {
                pulse.beat();
                if silent || known_boot.as_ref() != Some(&heads.boot) {
                    let body = EventBody::PeerAnswers {
                        node: peer.clone(),
                        boot: heads.boot.clone(),
                    };
                    core.note(None, body);
                    silent = false;
                    known_boot = Some(heads.boot.clone());
                }
                core.redo.told(heads.redo.clone());
                let news = version != heads.version;
                version = heads.version;
                stay_ahead(&core, &heads);
                if heads.pins != pins_mark(&core) {
                    learn_pins(&core, &client).await;
                }
                super::ca::heard(&core, &peer, &client, heads.ca);
                let copied = copy(&core, &client, &heads).await;
                report_key(&core, &peer, copied.as_ref().err());
                if let Err(why) = copied {
                    tracing::warn!(node = %peer, %why, "the peer's events could not be copied");
                    tokio::time::sleep(ASK_AGAIN).await;
                } else if !confirmed && !heads.lost {
                    confirmed = confirm(&core).await;
                }
                if news {
                    tokio::time::sleep(BREATH).await;
                }
            }
            Err(error) => {
                if error == CallError::Replaced {
                    super::replace::told(&core);
                }
                if !silent && known_boot.is_some() {
                    tracing::warn!(node = %peer, %error, "the peer is silent");
                    core.note(None, EventBody::PeerSilent { node: peer.clone() });
                }
                silent = true;
                version = 0;
                tokio::time::sleep(ASK_AGAIN).await;
            }
        }
    }
}

/// All of the peer's events are here, its copies of this node's own among them: a journal that may have lost rows is
/// whole again, as far as anybody can tell. What the peer's events say of mandates is remembered first.
pub async fn confirm(core: &Arc<Core>) -> bool {
    let core = core.clone();
    tokio::task::spawn_blocking(move || confirm_now(&core))
        .await
        .unwrap_or(false)
}

fn confirm_now(core: &Core) -> bool {
    for (service, desk) in &core.desks {
        let newest = core
            .log
            .runs()
            .newest(service)
            .map(|k| k.plan.epoch.clone());
        let own = core.log.journal().ledger_events(service);
        let mut bench = desk.bench.lock();
        let siaga_runner::executor::Bench { ledger, store, .. } = &mut *bench;
        if !ledger.facts().journal_lost {
            continue;
        }
        if let Some(epoch) = newest
            && let Err(error) = ledger.remember(store.as_mut(), &epoch)
        {
            tracing::error!(%error, "the mandates of a lost journal could not be remembered");
            return false;
        }
        ledger.journal_found();
        if own.is_ok_and(|rows| rows.is_empty()) {
            ledger.is_new_here();
        }
    }
    let confirmed = core.log.journal().confirm_history();
    if let Err(error) = &confirmed {
        tracing::error!(%error, "the journal could not be confirmed");
    }
    confirmed.is_ok()
}

/// Where the peer has more of this node's own rows than this node, they were lost here: it goes on in a new
/// incarnation, so that no place in the log is given to two rows.
fn stay_ahead(core: &Core, theirs: &Heads) {
    let heads = theirs
        .heads
        .iter()
        .map(|h| ((h.node.clone(), h.incarnation), h.seq))
        .collect();
    let behind = core.log.with(|journal| journal.ensure_not_behind(&heads));
    match behind {
        Ok(behind) if behind.is_fine() => {}
        Ok(behind) => tracing::warn!(
            ?behind,
            "this node lost rows of its own log; the peer has them"
        ),
        Err(error) => tracing::error!(%error, "the log could not be compared with the peer's copy"),
    }
}

/// Copies what the peer has and this node has not, each log by itself.
pub async fn copy(core: &Arc<Core>, client: &PeerClient, theirs: &Heads) -> Result<(), NotCopied> {
    let (mine, current) = core
        .log
        .with(|journal| (journal.heads(), journal.incarnation()));
    // One log that can't be copied does not keep the others away.
    let mut copied = Ok(());
    for head in &theirs.heads {
        if head.node == core.me && head.incarnation == current {
            continue;
        }
        let have = mine
            .get(&(head.node.clone(), head.incarnation))
            .copied()
            .unwrap_or(0);
        copied = copied.and(copy_log(core, client, head, have).await);
    }
    copied
}

/// Why a log was not copied.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotCopied {
    /// It is signed with a key that nobody vouched for.
    #[error("{node} signs with the key {key}, which is not known here")]
    UnknownKey { node: NodeName, key: String },
    #[error("{0}")]
    Other(String),
}

impl NotCopied {
    fn other(error: impl std::fmt::Display) -> Self {
        NotCopied::Other(error.to_string())
    }
}

impl From<ImportError> for NotCopied {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::UntrustedKey { node, key, .. } => NotCopied::UnknownKey { node, key },
            other => NotCopied::other(other),
        }
    }
}

/// A node whose key is not known is shown until somebody vouches for it.
fn report_key(core: &Core, peer: &NodeName, failed: Option<&NotCopied>) {
    match failed {
        Some(NotCopied::UnknownKey { node, key }) => core.found(
            None,
            Finding {
                code: FindingCode::EventKeyUnknown,
                node: node.clone(),
                severity: Severity::Warning,
                evidence: siaga_model::Evidence::Thing { name: key.clone() },
            },
        ),
        Some(NotCopied::Other(_)) => {}
        None => core.mended(None, FindingCode::EventKeyUnknown, peer),
    }
}

/// Asks the other nodes for what they wrote since the last copy, each at most `wait`. One that does not answer in
/// time has nothing to say.
pub async fn pull(core: &Arc<Core>, wait: Duration) {
    let asked = core.peers.values().map(|client| async {
        let newest = async {
            let heads = client.get::<Heads>("/v1/heads", wait).await.ok()?;
            copy(core, client, &heads).await.ok()
        };
        let _ = tokio::time::timeout(wait, newest).await;
    });
    futures_util::future::join_all(asked).await;
}

/// Copies one log from row `have` on.
async fn copy_log(
    core: &Arc<Core>,
    client: &PeerClient,
    head: &Head,
    mut have: u64,
) -> Result<(), NotCopied> {
    while have < head.seq {
        let path = format!(
            "/v1/rows?node={}&incarnation={}&after={have}",
            head.node, head.incarnation
        );
        let rows: Rows = client
            .get(&path, Duration::from_secs(10))
            .await
            .map_err(NotCopied::other)?;
        if rows.rows.is_empty() {
            break;
        }
        have += rows.rows.len() as u64;
        let core = core.clone();
        tokio::task::spawn_blocking(move || {
            let imported = core
                .log
                .journal()
                .import(&rows.rows)
                .map_err(NotCopied::from)?;
            core.log.copied(&imported.events);
            Ok::<(), NotCopied>(())
        })
        .await
        .map_err(NotCopied::other)??;
    }
    Ok(())
}
