//! The link to the peer: is it there, and copying the events both ways.

use super::state::{Core, PeerPulse};
use crate::transport::client::PeerClient;
use serde::{Deserialize, Serialize};
use siaga_journal::RawRow;
use siaga_model::event::EventBody;
use siaga_model::{BootId, NodeName};
use std::sync::Arc;
use std::time::Duration;

/// How long the peer holds a question for news when it has none. Also how fresh its pulse is at the least.
const LONG_POLL: Duration = Duration::from_millis(1000);
/// How long to wait before a silent peer is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(500);
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
    let journal = core.log.journal();
    Heads {
        node: core.me.clone(),
        boot: core.boot.clone(),
        version: journal.version(),
        heads: journal
            .heads()
            .into_iter()
            .map(|((node, incarnation), seq)| Head { node, incarnation, seq })
            .collect(),
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
pub async fn follow(core: Arc<Core>, peer: NodeName, client: Arc<PeerClient>, pulse: Arc<PeerPulse>) {
    let mut version = 0;
    let mut known_boot: Option<BootId> = None;
    let mut silent = false;
    loop {
        let path = format!("/v1/heads?after={version}&wait_ms={}", LONG_POLL.as_millis());
        let timeout = LONG_POLL + core.config.policy.peer_timeout;
        match client.get::<Heads>(&path, timeout).await {
            Ok(heads) => {
                pulse.beat();
                if silent || known_boot.as_ref() != Some(&heads.boot) {
                    let body = EventBody::PeerAnswers { node: peer.clone(), boot: heads.boot.clone() };
                    core.note(None, body);
                    silent = false;
                    known_boot = Some(heads.boot.clone());
                }
                version = heads.version;
                if let Err(why) = copy(&core, &client, &heads).await {
                    tracing::warn!(node = %peer, why, "the peer's events could not be copied");
                    tokio::time::sleep(ASK_AGAIN).await;
                }
            }
            Err(error) => {
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

async fn copy(core: &Arc<Core>, client: &PeerClient, theirs: &Heads) -> Result<(), String> {
    let mine = core.log.journal().heads();
    for head in &theirs.heads {
        if head.node == core.me {
            continue;
        }
        let mut have = mine.get(&(head.node.clone(), head.incarnation)).copied().unwrap_or(0);
        while have < head.seq {
            let path =
                format!("/v1/rows?node={}&incarnation={}&after={have}", head.node, head.incarnation);
            let rows: Rows =
                client.get(&path, Duration::from_secs(10)).await.map_err(|e| e.to_string())?;
            if rows.rows.is_empty() {
                break;
            }
            have += rows.rows.len() as u64;
            let core = core.clone();
            tokio::task::spawn_blocking(move || {
                let imported = core.log.journal().import(&rows.rows).map_err(|e| e.to_string())?;
                core.log.copied(&imported.events);
                Ok::<(), String>(())
            })
            .await
            .map_err(|e| e.to_string())??;
        }
    }
    Ok(())
}
