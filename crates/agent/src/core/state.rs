//! Everything one agent knows, in one place that its parts share.

use super::live::LiveRuns;
use super::notices::NoticeDesk;
use super::orders::OrderDesk;
use super::probes::ProbeDesk;
use super::store::{Context, Log, ServiceStore};
use crate::pki::PinStore;
use crate::transport::client::PeerClient;
use siaga_journal::projections;
use siaga_model::api::EventView;
use siaga_model::config::{Config, Service};
use siaga_model::event::{Actor, ActorProof, Event, EventBody};
use siaga_model::{BootId, NodeName, ServiceName};
use siaga_node::hands::NodeHands;
use siaga_runner::executor::SharedBench;
use siaga_runner::fencing::Fencing;
use siaga_runner::hands::Hands;
use siaga_runner::ledger::Ledger;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// One service on this node: its ledger, and who is writing to it.
pub struct ServiceDesk {
    pub bench: Arc<SharedBench>,
    pub context: Arc<Mutex<Context>>,
    pub orders: OrderDesk,
}

/// When the peer last answered, on this agent's monotonic clock.
#[derive(Default)]
pub struct PeerPulse {
    last: Mutex<Option<Instant>>,
}

impl PeerPulse {
    /// It answered just now.
    pub fn beat(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
    /// How long ago it answered, where it ever did.
    pub fn age(&self) -> Option<Duration> {
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .map(|t| t.elapsed())
    }
}

/// The agent.
pub struct Core {
    pub me: NodeName,
    pub config: Arc<Config>,
    pub config_hash: String,
    pub state_dir: PathBuf,
    pub boot: BootId,
    pub log: Log,
    pub pins: PinStore,
    /// Another machine has this one's name now.
    pub replaced: super::replace::ReplacedMark,
    /// The site's CA.
    pub ca: super::ca::CaDesk,
    pub hands: Arc<NodeHands>,
    pub desks: BTreeMap<ServiceName, ServiceDesk>,
    /// What the services share about fences.
    pub fencing: Fencing,
    /// Fences that were seen to be wrong.
    pub belied: super::belied::BeliedFences,
    pub peers: BTreeMap<NodeName, Arc<PeerClient>>,
    pub pulses: BTreeMap<NodeName, Arc<PeerPulse>>,
    pub probes: Arc<ProbeDesk>,
    pub runs: LiveRuns,
    /// What stands found now.
    pub findings: super::standing::FindingDesk,
    /// Whoever reads the records of incidents and writes to them holds it.
    pub incident_desk: tokio::sync::Mutex<()>,
    /// The log's version at the last look for incidents that two nodes opened for one cause.
    pub twins_looked: std::sync::atomic::AtomicU64,
    /// How much WAL a start would have to redo.
    pub redo: super::redo::RedoDesk,
    /// What the newest checks said.
    pub readiness: super::check::record::ReadinessDesk,
    /// What was last seen of the databases.
    pub integrity: Arc<super::integrity::IntegrityDesk>,
    /// The service tried on this node from a copy.
    pub rehearsals: super::rehearse::RehearsalDesk,
    /// What people still have to do.
    pub duties: super::duties::DutyDesk,
    /// What the units are told.
    pub notices: NoticeDesk,
}

impl Core {
    /// The service of that name, or the only one.
    pub fn service(&self, name: Option<&ServiceName>) -> Option<&Service> {
        match name {
            Some(name) => self.config.service(name),
            None if self.config.services.len() == 1 => self.config.services.first(),
            None => None,
        }
    }

    /// The other configured nodes.
    pub fn others(&self) -> Vec<NodeName> {
        self.config
            .others(&self.me)
            .map(|n| n.name.clone())
            .collect()
    }

    /// The agent itself, as an actor.
    pub fn agent_actor(&self) -> Actor {
        Actor {
            name: agent_name(&self.me),
            how: ActorProof::Agent,
        }
    }

    /// Writes something down that binds nobody. A full disk is reported by the log itself.
    pub fn note(&self, service: Option<&ServiceName>, body: EventBody) {
        let event = Event {
            service: service.cloned(),
            run: None,
            actor: Some(self.agent_actor()),
            body,
        };
        if let Err(error) = self
            .log
            .append(vec![event], siaga_journal::Durability::Lazy)
        {
            tracing::error!(%error, "the log could not be written");
        }
    }

    /// Writes down what the agent is about to do by itself, and waits until it is on the disk.
    pub fn note_durably(&self, service: &ServiceName, body: EventBody) {
        let event = Event {
            service: Some(service.clone()),
            run: None,
            actor: Some(self.agent_actor()),
            body,
        };
        let sync = siaga_journal::Durability::Sync;
        if let Err(error) = self.log.append(vec![event], sync) {
            tracing::error!(%error, "the log could not be written");
        }
    }
}

/// The fencing that all desks share.
pub fn fencing(desks: &BTreeMap<ServiceName, ServiceDesk>) -> Fencing {
    let benches = desks.iter().map(|(s, d)| (s.clone(), d.bench.clone()));
    Fencing::new(benches.collect())
}

/// Builds the desk of each service from the node's own journal.
pub fn desks(
    config: &Config,
    me: &NodeName,
    hands: &dyn Hands,
    log: &Log,
    journal_lost: bool,
) -> Result<BTreeMap<ServiceName, ServiceDesk>, siaga_journal::JournalError> {
    let mut desks = BTreeMap::new();
    for service in &config.services {
        let events = { log.journal().ledger_events(&service.name)? };
        // A newer version wrote what this one can't read: a promise may be among it.
        let journal_lost = journal_lost || !projections::unread_ledger_events(&events).is_empty();
        let ledger = Ledger::replay(
            me.clone(),
            hands.boot(),
            service.name.clone(),
            journal_lost,
            events.iter().map(|e| &e.event.body),
        );
        let ledger = match before_the_gap(log, &events) {
            None => ledger,
            Some(proofs) => ledger.after_a_gap(proofs),
        };
        let context = Arc::new(Mutex::new(Context::default()));
        let store = ServiceStore {
            log: log.clone(),
            context: context.clone(),
        };
        let desk = ServiceDesk {
            bench: Arc::new(SharedBench::new(ledger, Box::new(store))),
            context,
            orders: OrderDesk::default(),
        };
        desks.insert(service.name.clone(), desk);
    }
    Ok(desks)
}

/// How many proofs were used in earlier incarnations of the own log, where it has rows of any: it was lost, restored or damaged
/// then. That stays so after a restart, unlike the question whether the other node's copy was read since.
fn before_the_gap(log: &Log, events: &[EventView]) -> Option<usize> {
    let current = { log.journal().incarnation() };
    let earlier = || events.iter().filter(|e| e.incarnation != current);
    earlier().next()?;
    let used = |e: &&EventView| matches!(e.event.body, EventBody::ProofUsed { .. });
    Some(earlier().filter(used).count())
}

/// The name of a node's agent where it acts by itself.
pub fn agent_name(node: &NodeName) -> String {
    format!("agent@{node}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use siaga_journal::{Durability, Journal, SystemClock};
    use siaga_model::proof::{Ground, ProofRecord};
    use siaga_model::{Epoch, RunId, UtcMicros};

    fn used(counter: u64, service: &ServiceName) -> Event {
        let (me, run) = (NodeName::from("serverdb"), RunId::from("r1"));
        let proof = ProofRecord {
            service: service.clone(),
            epoch: Epoch {
                counter,
                issuer: me.clone(),
                run: run.clone(),
            },
            node: "backup".into(),
            boot: None,
            at: UtcMicros(0),
            ground: Ground::Released,
        };
        Event {
            service: Some(service.clone()),
            run: Some(run),
            actor: None,
            body: EventBody::ProofUsed { proof },
        }
    }

    #[test]
    fn rows_of_an_earlier_incarnation_are_before_the_gap() {
        let place = tempfile::tempdir().unwrap();
        let (me, service) = (NodeName::from("serverdb"), ServiceName::from("simrs"));
        let open = || {
            let clock = Box::new(SystemClock);
            let (journal, _) = Journal::open(place.path(), me.clone(), clock).unwrap();
            Log::new(journal, super::super::runs::RunIndex::default())
        };
        let before = |log: &Log| {
            let events = log.journal().ledger_events(&service).unwrap();
            (before_the_gap(log, &events), events.len())
        };
        let log = open();
        assert_eq!(before(&log), (None, 0));
        let write = |log: &Log, counter| {
            log.append(vec![used(counter, &service)], Durability::Sync)
                .unwrap();
        };
        write(&log, 1);
        assert_eq!(before(&log), (None, 1));
        // The other node has more rows of this one than it has itself: an old state was restored.
        let mut theirs = log.journal().heads();
        theirs.values_mut().for_each(|seq| *seq += 7);
        log.with(|journal| journal.ensure_not_behind(&theirs))
            .unwrap();
        write(&log, 9);
        assert_eq!(before(&log), (Some(1), 2));
        drop(log);
        assert_eq!(before(&open()), (Some(1), 2));
    }
}
