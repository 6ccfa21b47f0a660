//! What an agent decides by itself about its peer, the peer's runs, and the peer's logs.
#![allow(clippy::unwrap_used)]

mod common;

use axum::extract::Query;
use axum::routing::get;
use axum::{Json, Router};
use common::agent::{Agent, backup, backup_of, config, epoch, known, plan};
use siaga_agent::core::link::{self, Head, Heads, Rows};
use siaga_agent::core::observe::{ask_agent, own_facts};
use siaga_agent::core::watch::{building_power_loss, carries_on, declared_gone, may_cover};
use siaga_agent::core::witnesses::AgentWitnesses;
use siaga_journal::{Durability, Filter, Journal, RawRow, SystemClock};
use siaga_model::api::FactsAnswer;
use siaga_model::config::Config;
use siaga_model::event::{Event, EventBody};
use siaga_model::observation::AgentView;
use siaga_model::plan::{MoveKind, Placement};
use siaga_model::proof::{Ground, ProofRecord};
use siaga_model::refusal::{Refusal, RefusalCode, Sentence};
use siaga_model::run::RunOutcome;
use siaga_model::{NodeName, UtcMicros};
use siaga_node::observe::witness::LifeSigns;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;
use tokio::runtime::Handle;

fn me() -> NodeName {
    "backup".into()
}

/// A status is asked for while a step holds the ledger, and the step goes on only if the runtime does: it asks its
/// witnesses through it.
#[tokio::test]
async fn a_look_at_itself_does_not_hold_up_the_runtime() {
    let agent = backup(Router::new(), false).await;
    let (holds, is_held) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel();
    let core = agent.core.clone();
    let step = std::thread::spawn(move || {
        let _ledger = core.desks[&"simrs".into()].bench.lock();
        holds.send(()).unwrap();
        // A limit, so that this test fails where it would hang.
        goes_on.recv_timeout(Duration::from_secs(20)).is_ok()
    });
    is_held.recv().unwrap();
    let service = agent.service().name;
    let (_, ()) = tokio::join!(own_facts(&agent.core, &service), async {
        let _ = go_on.send(());
    });
    assert!(step.join().unwrap(), "the runtime waited for the ledger");
}

#[test]
fn only_the_node_that_let_the_service_go_in_this_run_covers() {
    let away = plan(
        7,
        MoveKind::Switchover,
        Placement::ActiveOn("serverdb".into()),
        "backup",
    );
    let run = known(&away);
    assert!(may_cover(&me(), &run, Some(&epoch(7))));
    // It obeys another plan, or none: it was not enlisted in this one.
    assert!(!may_cover(&me(), &run, Some(&epoch(6))));
    assert!(!may_cover(&me(), &run, None));
    // The service was not here.
    let elsewhere = plan(
        7,
        MoveKind::Takeover,
        Placement::ActiveOn("serverdb".into()),
        "serverdb",
    );
    assert!(!may_cover(&me(), &known(&elsewhere), Some(&epoch(7))));
    // It coordinates the run itself.
    assert!(!may_cover(
        &"serverdb".into(),
        &known(&elsewhere),
        Some(&epoch(7))
    ));
}

#[test]
fn a_service_that_was_to_be_stopped_is_not_covered() {
    let stop = plan(7, MoveKind::Stop, Placement::Stopped, "backup");
    assert!(!may_cover(&me(), &known(&stop), Some(&epoch(7))));
}

#[test]
fn a_run_that_rests_in_a_named_state_is_not_covered() {
    let away = plan(
        7,
        MoveKind::Switchover,
        Placement::ActiveOn("serverdb".into()),
        "backup",
    );
    let mut run = known(&away);
    run.ended = Some(RunOutcome::Stuck {
        cause: None,
        at: None,
        refusal: Refusal {
            code: RefusalCode::RunInterrupted,
            sentence: Sentence::NothingToResume,
            evidence: Vec::new(),
            next: Vec::new(),
        },
    });
    assert!(!may_cover(&me(), &run, Some(&epoch(7))));
}

/// `serverdb` answers. What it could say of itself waits for something that hangs there.
fn late_with_its_facts() -> Router {
    let heads = || async {
        Json(Heads {
            node: "serverdb".into(),
            boot: "boot-2".into(),
            version: 1,
            heads: Vec::new(),
            pins: String::new(),
            lost: false,
            redo: Default::default(),
            ca: Default::default(),
        })
    };
    Router::new()
        .route("/v1/heads", get(heads))
        .route("/v1/facts", get(std::future::pending::<&str>))
}

/// Also one that was restarted meanwhile: it is a person's turn.
#[tokio::test]
async fn a_coordinator_that_is_late_with_its_facts_is_not_silent() {
    let agent = backup(late_with_its_facts(), false).await;
    let away = plan(
        7,
        MoveKind::Switchover,
        Placement::ActiveOn("serverdb".into()),
        "backup",
    );
    let (core, run) = (agent.core.clone(), known(&away));
    assert!(carries_on(&core, &run).await);
    agent.peer.server.shutdown().await;
    assert!(!carries_on(&core, &run).await);
}

/// As a busy machine: nobody hears its facts the first time.
fn late_once(facts: Arc<OnceLock<FactsAnswer>>) -> Router {
    let asked = Arc::new(AtomicUsize::new(0));
    let answer = move || {
        let (first, facts) = (asked.fetch_add(1, Ordering::SeqCst) == 0, facts.clone());
        async move {
            if first {
                std::future::pending::<()>().await;
            }
            Json(facts.get().unwrap().clone())
        }
    };
    Router::new().route("/v1/facts", get(answer))
}

/// The pulse of an agent that answers on the link, for as long as the value lives.
struct Link(tokio::task::JoinHandle<()>);

impl Link {
    fn to_serverdb(agent: &Agent) -> Self {
        let pulse = agent.core.pulses[&"serverdb".into()].clone();
        Self(tokio::spawn(async move {
            let mut every = tokio::time::interval(Duration::from_millis(5));
            loop {
                every.tick().await;
                pulse.beat();
            }
        }))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn impatient() -> Config {
    let mut config = config();
    config.policy.peer_timeout = Duration::from_millis(500);
    config
}

/// Silence is what a fence follows on.
#[tokio::test]
async fn an_agent_that_lives_is_asked_again_for_its_facts() {
    let facts = Arc::default();
    let agent = backup_of(impatient(), late_once(Arc::clone(&facts)), false).await;
    let service = agent.service().name;
    let said = FactsAnswer {
        node: "serverdb".into(),
        facts: own_facts(&agent.core, &service).await,
        config_hash: agent.core.config_hash.clone(),
        now: UtcMicros(1),
    };
    facts.set(said).unwrap();
    let _link = Link::to_serverdb(&agent);
    let view = ask_agent(&agent.core, &service, &"serverdb".into()).await;
    assert!(matches!(view, AgentView::Answered { .. }), "{view:?}");
}

#[tokio::test]
async fn one_that_stays_late_is_said_to_live_and_one_that_is_gone_is_not() {
    let agent = backup_of(impatient(), late_with_its_facts(), false).await;
    let service = agent.service().name;
    let ask = async || ask_agent(&agent.core, &service, &"serverdb".into()).await;
    let link = Link::to_serverdb(&agent);
    let view = ask().await;
    assert!(
        matches!(view, AgentView::Silent { late: true, .. }),
        "{view:?}"
    );
    drop(link);
    let view = ask().await;
    assert!(!view.lives(), "{view:?}");
}

fn witnesses(agent: &Agent) -> Arc<AgentWitnesses> {
    let core = &agent.core;
    let (peers, probes) = (core.peers.clone(), core.probes.clone());
    let witnesses = AgentWitnesses::new(Handle::current(), peers, probes, core.integrity.clone());
    Arc::new(witnesses)
}

async fn lives(witnesses: &Arc<AgentWitnesses>) -> bool {
    let (asked, within) = (Arc::clone(witnesses), Duration::from_secs(2));
    let asked = tokio::task::spawn_blocking(move || asked.peer_lives(&"serverdb".into(), within));
    asked.await.unwrap()
}

/// Right after a fence there are a few milliseconds for it, in which no facts come.
#[tokio::test]
async fn whatever_an_agent_answers_is_a_sign_of_life() {
    let agent = backup(late_with_its_facts(), false).await;
    let late = witnesses(&agent);
    assert!(lives(&late).await);
    agent.peer.server.shutdown().await;
    assert!(!lives(&late).await);
    let knows_nothing = backup(Router::new(), false).await;
    assert!(lives(&witnesses(&knows_nothing)).await);
}

/// `serverdb` took the service with this proof about `backup`.
fn taken_from_backup(agent: &Agent, ground: Ground) {
    let there = plan(
        7,
        MoveKind::Takeover,
        Placement::ActiveOn("serverdb".into()),
        "backup",
    );
    agent.happened(EventBody::PlanRecorded {
        plan: Box::new(there),
    });
    agent.happened(EventBody::ProofUsed {
        proof: ProofRecord {
            service: "simrs".into(),
            epoch: epoch(7),
            node: me(),
            boot: None,
            at: UtcMicros(1),
            ground,
        },
    });
}

fn fenced() -> Ground {
    Ground::Fenced {
        device: "san".into(),
        fence: siaga_model::config::FenceKind::Fabric,
    }
}

#[tokio::test]
async fn a_node_that_was_fenced_while_it_slept_knows_it_was_declared_gone() {
    let agent = backup(Router::new(), false).await;
    taken_from_backup(&agent, fenced());
    assert_eq!(declared_gone(&agent.core, &agent.service()), Some(epoch(7)));
}

/// Its own part in later runs is what it lost: the old proof may be long settled, and the database run here in order.
#[tokio::test]
async fn a_node_that_lost_its_own_log_drops_nothing() {
    let agent = backup(Router::new(), true).await;
    taken_from_backup(&agent, fenced());
    assert_eq!(declared_gone(&agent.core, &agent.service()), None);
}

#[tokio::test]
async fn a_node_that_let_go_by_itself_was_not_declared_gone() {
    let agent = backup(Router::new(), false).await;
    taken_from_backup(&agent, Ground::Released);
    assert_eq!(declared_gone(&agent.core, &agent.service()), None);
}

#[tokio::test]
async fn a_service_that_was_brought_back_here_is_not_dropped() {
    let agent = backup(Router::new(), false).await;
    taken_from_backup(&agent, fenced());
    let back = plan(8, MoveKind::Failback, Placement::ActiveOn(me()), "serverdb");
    agent.happened(EventBody::PlanRecorded {
        plan: Box::new(back),
    });
    assert_eq!(declared_gone(&agent.core, &agent.service()), None);
}

/// The service ran at home on `backup`, and then its power went and came back.
async fn after_its_power_came_back(allowed: bool, goal: Placement) -> Agent {
    let mut site = config();
    site.policy.start_after_building_power_loss = allowed;
    site.services[0].preferred_node = me();
    let agent = backup_of(site, Router::new(), false).await;
    let mut started = plan(7, MoveKind::Start, goal, "serverdb");
    started.coordinator = me();
    let ended = started.id.clone();
    agent.happened(EventBody::PlanRecorded {
        plan: Box::new(started),
    });
    agent.happened_in(
        "run1",
        EventBody::RunEnded {
            outcome: RunOutcome::Done,
            plan: Some(ended),
        },
    );
    agent.happened(EventBody::NodeBooted {
        boot: "boot-2".into(),
    });
    agent
}

/// Servers do not come back in the same second.
#[tokio::test]
async fn after_a_building_power_loss_the_other_node_is_waited_for() {
    let home = Placement::ActiveOn(me());
    let agent = after_its_power_came_back(true, home.clone()).await;
    assert!(!building_power_loss(&agent.core, &agent.service()).await);
    // Nothing is waited for where the policy is off, or where the service was stopped.
    let agent = after_its_power_came_back(false, home).await;
    assert!(building_power_loss(&agent.core, &agent.service()).await);
    let agent = after_its_power_came_back(true, Placement::Stopped).await;
    assert!(building_power_loss(&agent.core, &agent.service()).await);
}

/// `serverdb` gives its own log in order, and rubbish for a log of `backup`'s.
fn half_readable() -> (Router, Vec<Head>) {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) =
        Journal::open(dir.path(), "serverdb".into(), Box::new(SystemClock)).unwrap();
    let event = Event {
        service: None,
        run: None,
        actor: None,
        body: EventBody::PeerSilent { node: me() },
    };
    journal.append(event, Durability::Sync).unwrap();
    let incarnation = journal.incarnation();
    let good = journal
        .rows_after(&"serverdb".into(), incarnation, 0, 10)
        .unwrap();
    let head = |node: &str, incarnation| Head {
        node: node.into(),
        incarnation,
        seq: 1,
    };
    // The unreadable one comes first.
    let heads = vec![head("backup", 999), head("serverdb", incarnation)];
    let rows = move |Query(asked): Query<BTreeMap<String, String>>| {
        let rows = match asked["node"].as_str() {
            "serverdb" => good.clone(),
            _ => vec![RawRow::new("rubbish")],
        };
        async move { Json(Rows { rows }) }
    };
    (Router::new().route("/v1/rows", get(rows)), heads)
}

#[tokio::test]
async fn one_log_that_cannot_be_copied_does_not_hold_up_the_others() {
    let (routes, heads) = half_readable();
    let agent = backup(routes, false).await;
    let theirs = Heads {
        node: "serverdb".into(),
        boot: "boot-1".into(),
        version: 1,
        heads,
        pins: String::new(),
        lost: false,
        redo: Default::default(),
        ca: Default::default(),
    };
    let copied = link::copy(&agent.core, &agent.client, &theirs).await;
    assert!(copied.is_err(), "it is reported");
    let filter = Filter {
        node: Some("serverdb".into()),
        ..Filter::default()
    };
    let journal = agent.core.log.journal();
    assert_eq!(journal.events(&filter).unwrap().len(), 1);
}

/// The other node can't look at the shared disk while it is held, so it goes by what it was told last.
#[tokio::test(flavor = "multi_thread")]
async fn the_wal_to_redo_is_what_the_node_that_runs_the_service_told_last() {
    use siaga_agent::core::estimate::of_service;
    use siaga_model::incident::Basis;
    let agent = backup(Router::new(), false).await;
    let service = agent.service();
    let redo = async || {
        let answer = of_service(&agent.core, &service).await.unwrap();
        let redo = answer.based_on.iter().find_map(|b| match b {
            Basis::Redo { bytes, .. } => Some(*bytes),
            _ => None,
        });
        (redo, answer.likely_s.unwrap())
    };
    let (none, without) = redo().await;
    assert_eq!(none, None);
    let gib = BTreeMap::from([(service.name.clone(), 8u64 << 30)]);
    agent.core.redo.told(gib);
    let (some, with) = redo().await;
    assert_eq!(some, Some(8 << 30));
    assert!(with > without + 100, "{with} {without}");
    // It stopped in order there: nothing is left to redo.
    agent.core.redo.told(BTreeMap::new());
    assert_eq!(redo().await, (None, without));
}
