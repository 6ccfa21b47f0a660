//! A client probe's link to the agents: each gets the newest report, apart from the others, so that a dead agent
//! delays nobody.

use crate::pki::{Identity, Pin, PinStore, PkiError, renew};
use crate::transport::{LiveIdentity, PeerClient};
use siaga_model::NodeName;
use siaga_model::api::ProbeReport;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

const CALL_TIMEOUT: Duration = Duration::from_secs(2);
/// How often pins are fetched and the own certificate is looked at.
const UPKEEP: Duration = Duration::from_secs(600);
/// After a failure the newest report is sent again, also if nothing new came.
const AGAIN: Duration = Duration::from_millis(500);

/// Sends reports to every agent. Dropping it stops.
pub struct PeerReporter {
    newest: watch::Sender<Option<ProbeReport>>,
    /// Kept so that they end with it.
    _tasks: JoinSet<()>,
}

impl PeerReporter {
    /// For the probe whose keys are in `state_dir`. Must be called inside a tokio runtime.
    pub fn start(
        state_dir: &Path,
        agents: &[(NodeName, Vec<SocketAddr>)],
    ) -> Result<Self, PkiError> {
        let pins = PinStore::load(state_dir)?;
        let own = Identity::load(state_dir)?;
        let live = LiveIdentity::new(&own)?;
        let (newest, seen) = watch::channel(None);
        let mut tasks = JoinSet::new();
        let mut clients = Vec::new();
        for (node, paths) in agents {
            let client = Arc::new(PeerClient::new(&live, &pins, paths.clone(), node.clone())?);
            clients.push(client.clone());
            tasks.spawn(send_newest(client, seen.clone()));
        }
        tasks.spawn(upkeep(
            clients,
            Upkeep {
                state_dir: state_dir.to_owned(),
                pins,
                live,
                own: own.name,
            },
        ));
        Ok(Self {
            newest,
            _tasks: tasks,
        })
    }

    /// Hands a report over; never waits. A report holds everything recent, so a newer one replaces it.
    pub fn report(&self, report: ProbeReport) {
        self.newest.send_replace(Some(report));
    }
}

async fn send_newest(client: Arc<PeerClient>, mut newest: watch::Receiver<Option<ProbeReport>>) {
    let mut failed = false;
    loop {
        if failed {
            let _ = tokio::time::timeout(AGAIN, newest.changed()).await;
        } else if newest.changed().await.is_err() {
            return;
        }
        let report = newest.borrow_and_update().clone();
        let Some(report) = report else { continue };
        let result = client
            .post::<_, ()>("/v1/probe", &report, CALL_TIMEOUT)
            .await;
        if let Err(e) = &result
            && !failed
        {
            tracing::warn!(agent = %client.node(), "a report was not delivered: {e}");
        }
        failed = result.is_err();
    }
}

struct Upkeep {
    state_dir: PathBuf,
    pins: PinStore,
    live: LiveIdentity,
    own: String,
}

/// Keeps the pins and the certificate fresh. What fails is tried again next time: reports don't depend on it.
async fn upkeep(clients: Vec<Arc<PeerClient>>, on: Upkeep) {
    loop {
        for client in &clients {
            if let Ok(theirs) = client.get::<Vec<Pin>>("/v1/pins", CALL_TIMEOUT).await
                && let Err(e) = on.pins.merge(&theirs, &on.own)
            {
                tracing::warn!("pins: {e}");
            }
            match renew::run_if_due(&on.state_dir, Some(client), crate::pki::now()).await {
                Ok(renew::Renewal::NotDue) => {}
                Ok(renew::Renewal::Renewed) => {
                    let _ = on.live.reload(&on.state_dir);
                }
                Err(e) => {
                    tracing::warn!(agent = %client.node(), "the certificate was not renewed: {e}")
                }
            }
        }
        tokio::time::sleep(UPKEEP).await;
    }
}
