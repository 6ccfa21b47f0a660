//! `siaga agent`: reads the configuration, opens the log, serves the API and watches.

use crate::core::ca::CaDesk;
use crate::core::link;
use crate::core::notices::NoticeDesk;
use crate::core::probes::ProbeDesk;
use crate::core::replace::{self, ReplacedMark};
use crate::core::runs::RunIndex;
use crate::core::state::{self, Core, PeerPulse};
use crate::core::store::Log;
use crate::core::watch;
use crate::core::witnesses::AgentWitnesses;
use crate::pki::{AgentAddress, EventKey, Identity, JoinState, PinStore, PkiError};
use crate::routes;
use crate::transport::{
    Limits, LiveIdentity, PeerClient, Server, ServerError, ServerOptions, ServerTls, UnixOptions,
    pki_routes, tls,
};
use siaga_config::{ConfigErrors, HostChecks};
use siaga_journal::{Durability, Filter, History, Journal, JournalError, SystemClock};
use siaga_model::Evidence;
use siaga_model::config::Config;
use siaga_model::event::{Actor, ActorProof, Event, EventBody, Finding, FindingCode, Severity};
use siaga_model::{BootId, NodeName};
use siaga_node::hands::NodeHands;
use siaga_runner::hands::Hands;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// The group whose members may use the socket without being root.
pub const GROUP: &str = "siaga";

/// How long the end of the agent waits for the copy of a rehearsal to be removed. What is left goes at the next start.
const REHEARSAL_ENDS_WITHIN: std::time::Duration = std::time::Duration::from_secs(5);

/// How the agent is started.
#[derive(Clone, Debug)]
pub struct AgentOptions {
    pub config: PathBuf,
    pub state_dir: PathBuf,
    pub socket: PathBuf,
    /// This node's name. `None`: the name that it was enrolled under.
    pub node: Option<NodeName>,
}

/// Why the agent can't run.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    #[error("{0}")]
    Config(#[from] ConfigErrors),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("{0}; `siaga init` makes the site's first node, `siaga join` brings in the second")]
    Identity(#[from] PkiError),
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error("the configuration has no node {0}; its nodes are {1}")]
    NotConfigured(NodeName, String),
    #[error(
        "the agent needs root: it mounts, adds addresses and starts the database. Start it with sudo"
    )]
    NotRoot,
    #[error("this host can't carry the service: {0}")]
    Host(String),
    #[error("{0}: {1}")]
    Io(&'static str, std::io::Error),
}

impl AgentError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            AgentError::Config(_) => "CONFIG_INVALID",
            AgentError::Journal(e) => e.code(),
            AgentError::Identity(e) => e.code(),
            AgentError::Server(e) => e.code(),
            AgentError::NotConfigured(..) => "NODE_NOT_CONFIGURED",
            AgentError::NotRoot => "NEEDS_ROOT",
            AgentError::Host(_) => "HOST_NOT_READY",
            AgentError::Io(..) => "IO",
        }
    }
}

/// Runs the agent until it is told to stop (SIGTERM, SIGINT). Blocks. A running database is never touched by its end.
pub fn run(options: &AgentOptions) -> Result<(), AgentError> {
    if !rustix::process::geteuid().is_root() {
        return Err(AgentError::NotRoot);
    }
    siaga_node::keep_memory_small();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_keep_alive(std::time::Duration::from_secs(2))
        .enable_all()
        .build()
        .map_err(|e| AgentError::Io("start the runtime", e))?;
    let ended = runtime.block_on(serve(options, runtime.handle().clone()));
    // A step that blocks in the kernel must not hold the end up: what it does is seen again at the next start.
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    ended
}

async fn serve(options: &AgentOptions, handle: tokio::runtime::Handle) -> Result<(), AgentError> {
    let (config, config_hash) = siaga_config::load_checked(&options.config, &HostChecks::start())?;
    let config = Arc::new(config);
    let identity = Identity::load(&options.state_dir)?;
    let me = options
        .node
        .clone()
        .unwrap_or_else(|| NodeName::new(identity.name.clone()));
    let Some(own) = config.node(&me).cloned() else {
        let names: Vec<&str> = config.nodes.iter().map(|n| n.name.as_str()).collect();
        return Err(AgentError::NotConfigured(me, names.join(", ")));
    };
    let pins = PinStore::load(&options.state_dir)?;
    let live = LiveIdentity::new(&identity)?;
    let clients = peer_clients(&config, &me, &live, &pins)?;
    let (log, opened) = open_log(options, &me)?;
    let pulses: BTreeMap<_, _> = clients
        .keys()
        .map(|n| (n.clone(), Arc::new(PeerPulse::default())))
        .collect();
    let probes = Arc::new(ProbeDesk::new(config.clone()));
    let integrity = Arc::new(crate::core::integrity::IntegrityDesk::default());
    let witnesses = Arc::new(AgentWitnesses::new(
        handle.clone(),
        clients.clone(),
        probes.clone(),
        integrity.clone(),
    ));
    let hands = NodeHands::new(
        config.clone(),
        me.clone(),
        handle,
        options.state_dir.clone(),
        witnesses,
    );
    let hands = Arc::new(hands.map_err(AgentError::Host)?);
    let journal_lost = matches!(opened.history, History::Unconfirmed { .. });
    let desks = state::desks(&config, &me, hands.as_ref(), &log, journal_lost)?;
    let core = Arc::new(Core {
        me: me.clone(),
        config: config.clone(),
        config_hash,
        state_dir: options.state_dir.clone(),
        boot: hands.boot(),
        log,
        pins: pins.clone(),
        replaced: ReplacedMark::load(&options.state_dir),
        ca: CaDesk::new(&options.state_dir, live.clone()),
        hands,
        fencing: state::fencing(&desks),
        belied: crate::core::belied::BeliedFences::load(&options.state_dir),
        desks,
        peers: clients,
        pulses,
        probes,
        runs: crate::core::live::LiveRuns::default(),
        findings: Default::default(),
        incident_desk: tokio::sync::Mutex::default(),
        twins_looked: std::sync::atomic::AtomicU64::default(),
        redo: crate::core::redo::RedoDesk::default(),
        readiness: crate::core::check::record::ReadinessDesk::default(),
        integrity,
        rehearsals: crate::core::rehearse::RehearsalDesk::default(),
        duties: crate::core::duties::DutyDesk::default(),
        notices: NoticeDesk::new(&config),
    });
    note_start(&core, &opened);
    adopt(&core);
    let agents = config
        .nodes
        .iter()
        .map(|n| AgentAddress {
            node: n.name.clone(),
            addresses: n.addresses.clone(),
        })
        .collect();
    let (state_dir, log) = (&options.state_dir, core.log.clone());
    let join = JoinState::new(state_dir, pins.clone(), &options.config, agents)
        .trusting(Box::new(move |event_key| trust_event_key(&log, event_key)));
    let join = Arc::new(join);
    let server = Server::start(
        ServerOptions {
            unix: Some(UnixOptions {
                path: options.socket.clone(),
                group: GROUP.to_owned(),
            }),
            tcp: own.addresses.clone(),
            tls: Some(ServerTls {
                config: tls::server(&live, &pins)?,
                pins,
            }),
            limits: Limits::default(),
        },
        routes::router(core.clone()).merge(pki_routes::router(join)),
    )?;
    for (name, client) in core.peers.clone() {
        let pulse = core.pulses.get(&name).cloned().unwrap_or_default();
        tokio::spawn(link::follow(core.clone(), name, client, pulse));
    }
    tokio::spawn(crate::core::integrity::follow(core.clone()));
    tokio::spawn(crate::core::integrity::keep_looking(core.clone()));
    tokio::spawn(crate::core::rehearse::look_for_left_over(core.clone()));
    tokio::spawn(watch::watch(core.clone()));
    tokio::spawn(crate::core::key_watch::watch(core.clone()));
    tokio::spawn(crate::core::copy_watch::watch(core.clone()));
    tokio::spawn(replace::watch(core.clone()));
    tokio::spawn(crate::core::scribe::scribe(core.clone()));
    tokio::spawn(crate::core::vigil::vigil(core.clone()));
    tokio::spawn(crate::core::clock::watch(core.clone()));
    tokio::spawn(crate::core::notices::send::send(core.clone()));
    tokio::spawn(crate::core::duties::keep(core.clone()));
    tokio::spawn(crate::core::check::record::keep_looking(core.clone()));
    tokio::spawn(crate::core::notices::by_unit::watch_buttons(core.clone()));
    tokio::spawn(crate::ack_page::serve(core.clone()));
    tokio::spawn(crate::metrics::serve(core.clone()));
    tokio::spawn(crate::core::upkeep::upkeep(core.clone()));
    tracing::info!(node = %me, version = env!("CARGO_PKG_VERSION"), "the agent serves");
    wait_for_end().await;
    core.rehearsals.break_off_all(&siaga_model::Why::AgentEnded);
    server.shutdown().await;
    core.rehearsals.none_within(REHEARSAL_ENDS_WITHIN).await;
    Ok(())
}

/// A node that joined signs with this key from now on: known durably, and recorded under who made its token.
pub fn trust_event_key(log: &Log, event_key: EventKey) -> Result<(), JournalError> {
    let EventKey { node, key, origin } = event_key;
    if log.journal().is_retired(&node, &key) {
        return Err(JournalError::KeyRetired { node });
    }
    if log.journal().trusted().allows(&node, &key) {
        return Ok(());
    }
    log.journal().trust(&node, key)?;
    let name = match origin.by.is_empty() {
        true => "root".to_owned(),
        false => origin.by,
    };
    let event = Event {
        service: None,
        run: None,
        actor: Some(Actor {
            name,
            how: ActorProof::JoinToken,
        }),
        body: EventBody::EventKeyTrusted {
            node,
            key: key.to_string(),
            reason: origin.reason,
        },
    };
    log.append(vec![event], Durability::Sync)
}

fn peer_clients(
    config: &Config,
    me: &NodeName,
    live: &LiveIdentity,
    pins: &PinStore,
) -> Result<BTreeMap<NodeName, Arc<PeerClient>>, AgentError> {
    let mut clients = BTreeMap::new();
    for node in config.others(me) {
        let client = PeerClient::new(live, pins, node.addresses.clone(), node.name.clone())?;
        clients.insert(node.name.clone(), Arc::new(client));
    }
    Ok(clients)
}

fn open_log(
    options: &AgentOptions,
    me: &NodeName,
) -> Result<(Log, siaga_journal::OpenReport), AgentError> {
    let (journal, opened) = Journal::open(&options.state_dir, me.clone(), Box::new(SystemClock))?;
    let mut runs = RunIndex::default();
    for view in journal.events(&Filter {
        kinds: vec![
            "run_accepted".into(),
            "plan_recorded".into(),
            "run_ended".into(),
        ],
        ..Filter::default()
    })? {
        runs.apply(&view.node, &view.event);
    }
    Ok((Log::new(journal, runs), opened))
}

/// What runs here already goes on: its addresses are watched again.
fn adopt(core: &Core) {
    for service in &core.config.services {
        for vip in &service.virtual_ips {
            let Some(interface) = vip.interface(&core.me) else {
                continue;
            };
            let here = siaga_node::act::virtual_ip::interface_of_ip(vip.address);
            if !matches!(here, Ok(Some(_))) {
                continue;
            }
            if let Err(why) = siaga_node::act::virtual_ip::adopt(interface, vip.address) {
                tracing::warn!(address = %vip.address, ?why, "the address could not be watched");
            }
        }
    }
}

/// The first start of a boot says that the machine came on line.
fn note_start(core: &Core, opened: &siaga_journal::OpenReport) {
    let filter = Filter {
        node: Some(core.me.clone()),
        kinds: vec!["agent_started".into()],
        last: Some(1),
        ..Filter::default()
    };
    let known: Option<BootId> = core.log.journal().events(&filter).ok().and_then(|events| {
        events.last().and_then(|e| match &e.event.body {
            EventBody::AgentStarted { boot, .. } => Some(boot.clone()),
            _ => None,
        })
    });
    if known.as_ref() != Some(&core.boot) {
        core.note(
            None,
            EventBody::NodeBooted {
                boot: core.boot.clone(),
            },
        );
    }
    core.note(
        None,
        EventBody::AgentStarted {
            boot: core.boot.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
    );
    if opened.torn_bytes > 0 {
        core.found(
            None,
            Finding {
                code: FindingCode::JournalTorn,
                node: core.me.clone(),
                severity: Severity::Info,
                evidence: Evidence::TornRow {
                    bytes: opened.torn_bytes,
                },
            },
        );
    }
    for problem in &opened.problems {
        core.found(
            None,
            Finding {
                code: FindingCode::JournalDamaged,
                node: core.me.clone(),
                severity: Severity::Warning,
                evidence: Evidence::DamagedLog {
                    problem: Box::new(problem.told()),
                },
            },
        );
    }
}

async fn wait_for_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}
