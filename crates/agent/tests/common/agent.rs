//! An agent's core in this process, with a peer whose answers are the test's.

use super::{TestNode, first_with, join_node};
use axum::Router;
use siaga_agent::core::integrity::IntegrityDesk;
use siaga_agent::core::probes::ProbeDesk;
use siaga_agent::core::rehearse::RehearsalDesk;
use siaga_agent::core::runs::{KnownRun, RunIndex};
use siaga_agent::core::state::{self, Core};
use siaga_agent::core::store::Log;
use siaga_agent::core::witnesses::AgentWitnesses;
use siaga_agent::transport::PeerClient;
use siaga_config::HostChecks;
use siaga_journal::{Journal, SystemClock};
use siaga_model::config::{Config, Service};
use siaga_model::event::{Event, EventBody};
use siaga_model::plan::{MandatedPlan, MoveKind, Placement, Plan};
use siaga_model::refusal::Sentence;
use siaga_model::{Epoch, NodeName, PlanId, RunId};
use siaga_node::hands::NodeHands;
use siaga_runner::hands::Hands;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The core of `backup`, and `serverdb` as it answers to it.
pub struct Agent {
    pub core: Arc<Core>,
    pub client: Arc<PeerClient>,
    pub peer: TestNode,
    own: TestNode,
}

/// `peer`: what `serverdb` serves.
pub async fn backup(peer: Router, journal_lost: bool) -> Agent {
    backup_of(config(), peer, journal_lost).await
}

/// The same, at a site with this configuration.
pub async fn backup_of(config: Config, peer: Router, journal_lost: bool) -> Agent {
    let peer = first_with(peer).await;
    let own = join_node(&peer, "backup").await;
    let client = Arc::new(own.client_of(&peer, "serverdb"));
    let peers = BTreeMap::from([(NodeName::from("serverdb"), client.clone())]);
    let config = Arc::new(config);
    let me = NodeName::from("backup");
    let probes = Arc::new(ProbeDesk::new(config.clone()));
    let handle = tokio::runtime::Handle::current();
    let integrity = Arc::new(IntegrityDesk::default());
    let witnesses = AgentWitnesses::new(
        handle.clone(),
        peers.clone(),
        probes.clone(),
        integrity.clone(),
    );
    let hands = NodeHands::with_run_dir(
        config.clone(),
        me.clone(),
        handle,
        own.state(),
        own.dir.path().join("run"),
        Arc::new(witnesses),
    );
    let hands = Arc::new(hands.unwrap());
    let (journal, _) = Journal::open(&own.state(), me.clone(), Box::new(SystemClock)).unwrap();
    let log = Log::new(journal, RunIndex::default());
    let desks = state::desks(&config, &me, hands.as_ref(), &log, journal_lost).unwrap();
    let core = Core {
        me,
        config_hash: siaga_config::hash(&config),
        notices: siaga_agent::core::notices::NoticeDesk::new(&config),
        config,
        state_dir: own.state(),
        boot: hands.boot(),
        log,
        pins: own.pins.clone(),
        replaced: Default::default(),
        ca: siaga_agent::core::ca::CaDesk::new(&own.state(), own.live.clone()),
        hands,
        fencing: state::fencing(&desks),
        belied: siaga_agent::core::belied::BeliedFences::load(&own.state()),
        desks,
        peers,
        pulses: BTreeMap::from([("serverdb".into(), Arc::default())]),
        probes,
        runs: siaga_agent::core::live::LiveRuns::default(),
        findings: Default::default(),
        incident_desk: Default::default(),
        twins_looked: Default::default(),
        readiness: Default::default(),
        integrity,
        rehearsals: RehearsalDesk::default(),
        duties: Default::default(),
        redo: Default::default(),
    };
    Agent {
        core: Arc::new(core),
        client,
        peer,
        own,
    }
}

impl Agent {
    pub fn service(&self) -> Service {
        self.core.config.services[0].clone()
    }

    /// Writes down what happened, as a copied row would tell it.
    pub fn happened(&self, body: EventBody) {
        self.write(None, body);
    }

    /// The same, of a run.
    pub fn happened_in(&self, run: &str, body: EventBody) {
        self.write(Some(run.into()), body);
    }

    fn write(&self, run: Option<RunId>, body: EventBody) {
        let event = Event {
            service: Some(self.service().name),
            run,
            actor: None,
            body,
        };
        let lazily = siaga_journal::Durability::Lazy;
        self.core.log.append(vec![event], lazily).unwrap();
    }
}

/// The smallest site.
pub fn config() -> Config {
    let text = include_str!("../../../../examples/minimal.toml");
    siaga_config::parse(text, &HostChecks::none()).unwrap().0
}

/// A mandate of `serverdb`.
pub fn epoch(counter: u64) -> Epoch {
    Epoch {
        counter,
        issuer: "serverdb".into(),
        run: "run1".into(),
    }
}

/// A plan that `serverdb` coordinates.
pub fn plan(counter: u64, kind: MoveKind, goal: Placement, from: &str) -> MandatedPlan {
    MandatedPlan {
        id: PlanId::new(format!("run1.{counter}")),
        parent: None,
        epoch: epoch(counter),
        coordinator: "serverdb".into(),
        hit_mandates: Vec::new(),
        plan: Plan {
            service: "simrs".into(),
            kind,
            goal,
            from: Some(from.into()),
            proofs: Vec::new(),
            steps: Vec::new(),
            sentence: Sentence::ServiceStopped {
                service: "simrs".into(),
            },
            unproved: Vec::new(),
            hits: Vec::new(),
        },
    }
}

/// The run of that plan, as the events tell it.
pub fn known(plan: &MandatedPlan) -> KnownRun {
    let mut runs = RunIndex::default();
    let recorded = Event {
        service: Some(plan.plan.service.clone()),
        run: None,
        actor: None,
        body: EventBody::PlanRecorded {
            plan: Box::new(plan.clone()),
        },
    };
    runs.apply(&plan.coordinator, &recorded);
    runs.newest(&plan.plan.service).unwrap().clone()
}
