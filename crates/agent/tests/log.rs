//! The other node's log: its newest events are asked for where they decide something, a key that nobody vouched for is
//! shown, and one that a join token vouches for is taken.
#![allow(clippy::unwrap_used)]

mod common;

use axum::extract::Query;
use axum::routing::get;
use axum::{Json, Router};
use common::agent::{Agent, backup, plan};
use common::{SECOND, first, join_node};
use siaga_agent::core::check::passed_since_failure;
use siaga_agent::core::ended;
use siaga_agent::core::link::{self, Head, Heads, NotCopied, Rows};
use siaga_agent::daemon::trust_event_key;
use siaga_agent::pki::{self, Enrolee, EventKey, Origin};
use siaga_journal::{ComingKey, Durability, Filter, Journal, RawRow, SystemClock};
use siaga_model::NodeName;
use siaga_model::event::{ActorProof, Event, EventBody};
use siaga_model::observation::{AgentView, Observation};
use siaga_model::plan::{MoveKind, Placement, Request};
use siaga_model::proof::{AttestKind, Ground, ProofRecord};
use siaga_model::run::RunOutcome;
use std::collections::BTreeMap;
use std::path::Path;

fn serverdb() -> NodeName {
    "serverdb".into()
}

/// One log of `serverdb`'s, as it stands in `state`.
fn log_in(state: &Path, body: EventBody) -> (Head, Vec<RawRow>) {
    let (mut journal, _) = Journal::open(state, serverdb(), Box::new(SystemClock)).unwrap();
    let event = Event {
        service: Some("simrs".into()),
        run: None,
        actor: None,
        body,
    };
    journal.append(event, Durability::Sync).unwrap();
    let incarnation = journal.incarnation();
    let rows = journal.rows_after(&serverdb(), incarnation, 0, 10);
    let head = Head {
        node: serverdb(),
        incarnation,
        seq: 1,
    };
    (head, rows.unwrap())
}

fn heads(heads: Vec<Head>) -> Heads {
    Heads {
        node: serverdb(),
        boot: "boot-1".into(),
        version: 1,
        heads,
        pins: String::new(),
        lost: false,
        redo: Default::default(),
        ca: Default::default(),
    }
}

/// `serverdb`, serving these logs.
fn serving(logs: Vec<(Head, Vec<RawRow>)>) -> (Router, Heads) {
    let all = heads(logs.iter().map(|(head, _)| head.clone()).collect());
    let said = all.clone();
    let rows = move |Query(asked): Query<BTreeMap<String, String>>| {
        let of =
            |(head, _): &&(Head, Vec<RawRow>)| asked["incarnation"] == head.incarnation.to_string();
        let after: usize = asked["after"].parse().unwrap();
        let rows = logs.iter().find(of).map(|(_, rows)| rows[after..].to_vec());
        async move {
            Json(Rows {
                rows: rows.unwrap_or_default(),
            })
        }
    };
    let routes = Router::new()
        .route("/v1/heads", get(move || async move { Json(said) }))
        .route("/v1/rows", get(rows));
    (routes, all)
}

#[tokio::test]
async fn the_newest_check_of_the_other_node_is_asked_for() {
    let me = NodeName::from("backup");
    // The failure is written first: the check's row has a later place in the merged order.
    let failed = EventBody::ProofMade {
        proof: ProofRecord {
            service: "simrs".into(),
            epoch: common::agent::epoch(3),
            node: me.clone(),
            boot: None,
            at: siaga_model::UtcMicros(1),
            ground: Ground::Attested {
                by: "Siti".into(),
                how: AttestKind::Unplugged,
            },
        },
    };
    let there = tempfile::tempdir().unwrap();
    let (_, _) = log_in(there.path(), failed);
    let (mut head, _) = log_in(there.path(), EventBody::CheckPassed { node: me.clone() });
    head.seq = 2;
    let (mut journal, _) = Journal::open(there.path(), serverdb(), Box::new(SystemClock)).unwrap();
    let rows = journal
        .rows_after(&serverdb(), head.incarnation, 0, 10)
        .unwrap();
    let (routes, _) = serving(vec![(head.clone(), rows.clone())]);
    let agent = backup(routes, false).await;
    // Only the failure was copied so far.
    agent.core.log.journal().import(&rows[..1]).unwrap();
    assert!(!passed_since_failure(&agent.core, &me).await);
    link::pull(&agent.core, SECOND).await;
    assert!(passed_since_failure(&agent.core, &me).await);
}

/// `serverdb` was set up anew: another key, another incarnation.
fn anew() -> (Router, Heads, siaga_journal::PublicKey) {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let silent = || EventBody::PeerSilent {
        node: "backup".into(),
    };
    let before = log_in(old.path(), silent());
    let mut after = log_in(new.path(), silent());
    while after.0.incarnation == before.0.incarnation {
        // The number comes from the clock's second.
        std::fs::remove_dir_all(new.path().join("events")).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(100));
        after = log_in(new.path(), silent());
    }
    let key = *ComingKey::for_state(new.path()).unwrap().public();
    let (routes, all) = serving(vec![before, after]);
    (routes, all, key)
}

fn copied_rows(agent: &Agent) -> usize {
    let filter = Filter {
        node: Some(serverdb()),
        ..Filter::default()
    };
    agent.core.log.journal().events(&filter).unwrap().len()
}

#[tokio::test]
async fn a_key_that_nobody_vouched_for_is_not_believed_and_one_with_a_token_is() {
    let (routes, all, key) = anew();
    let agent = backup(routes, false).await;
    let copied = link::copy(&agent.core, &agent.client, &all).await;
    let unknown = NotCopied::UnknownKey {
        node: serverdb(),
        key: key.to_string(),
    };
    assert_eq!(copied, Err(unknown));
    assert_eq!(copied_rows(&agent), 1);
    let vouched = EventKey {
        node: serverdb(),
        key,
        origin: Origin {
            by: "budi".into(),
            reason: "new system disk".into(),
        },
    };
    trust_event_key(&agent.core.log, vouched).unwrap();
    let copied = link::copy(&agent.core, &agent.client, &all).await;
    assert_eq!(copied, Ok(()));
    assert_eq!(copied_rows(&agent), 2);
    let filter = Filter {
        kinds: vec!["event_key_trusted".into()],
        ..Filter::default()
    };
    let told = agent.core.log.journal().events(&filter).unwrap();
    let actor = told[0].event.actor.clone().unwrap();
    assert_eq!(
        (actor.name.as_str(), actor.how),
        ("budi", ActorProof::JoinToken)
    );
    assert!(matches!(
        &told[0].event.body,
        EventBody::EventKeyTrusted { reason, .. } if reason == "new system disk"
    ));
    // The old rows are still verified with the old key.
    let trusted = agent.core.log.journal().trusted().clone();
    let verified = siaga_journal::verify_dir(&agent.core.state_dir, &trusted);
    assert_eq!(verified.problems, []);
}

#[tokio::test]
async fn a_node_that_joins_again_shows_its_new_event_key() {
    let a = first().await;
    let once = join_node(&a, "backup").await;
    let again = join_node(&a, "backup").await;
    let shown = a.event_keys.lock().unwrap();
    let of = |node: &common::TestNode| *ComingKey::for_state(&node.state()).unwrap().public();
    let keys: Vec<_> = shown.iter().map(|k| (k.node.as_str(), k.key)).collect();
    assert_eq!(keys, [("backup", of(&once)), ("backup", of(&again))]);
    // The journal signs with the key that was shown.
    let opened = Journal::open(&again.state(), "backup".into(), Box::new(SystemClock));
    assert_eq!(opened.unwrap().0.public_key(), of(&again));
}

#[tokio::test]
async fn a_probe_shows_none_and_a_refused_node_is_not_believed() {
    let a = first().await;
    let dir = tempfile::tempdir().unwrap();
    let probe = Enrolee::Probe("client1".into());
    common::join_as(&a, probe, &dir.path().join("state"))
        .await
        .unwrap();
    let token = a.token(&Enrolee::Node("backup".into()), 60 * SECOND);
    let config = dir.path().join("siaga.toml");
    let refused = pki::join::run(&token, "other", &dir.path().join("other"), Some(&config)).await;
    assert!(refused.is_err());
    assert!(a.event_keys.lock().unwrap().is_empty());
    // Nothing was left behind.
    assert!(!dir.path().join("other/keys/events.pk8").exists());
}

fn observation(agent: &Agent, serverdb: AgentView) -> Observation {
    use siaga_model::observation::{AddressAnswer, DiskSighting, NodeView, Power};
    let view = NodeView {
        agent: serverdb,
        power: Power::Unknown,
        fences: Vec::new(),
        address: AddressAnswer::Nobody,
    };
    Observation {
        service: agent.service().name,
        observer: "backup".into(),
        at: siaga_model::UtcMicros(1),
        nodes: BTreeMap::from([(crate::serverdb(), view)]),
        probes: Vec::new(),
        addresses: Vec::new(),
        disk: DiskSighting::NoChangeSeen,
        neighbours: Vec::new(),
    }
}

/// A node without a journal can't answer for another one's.
#[tokio::test]
async fn a_peer_that_lost_its_own_journal_answers_for_nothing() {
    use siaga_agent::core::drive::SeenEpochs;
    let agent = backup(Router::new(), true).await;
    let mut facts = siaga_agent::core::observe::own_facts(&agent.core, &agent.service().name).await;
    let mut request = Request {
        kind: MoveKind::Start,
        goal: Placement::ActiveOn("backup".into()),
        attested: Vec::new(),
        may_fence: false,
        accepts_old_data: false,
    };
    let me = NodeName::from("backup");
    let mut answers_for = |lost: bool, request: &Request| {
        facts.ledger.journal_lost = lost;
        let view = AgentView::Answered {
            paths: Vec::new(),
            facts: Box::new(facts.clone()),
        };
        let seen = SeenEpochs::from(&observation(&agent, view), request, &me);
        (seen.answers_for, seen.by_word)
    };
    assert_eq!(answers_for(true, &request), (false, false));
    assert_eq!(answers_for(false, &request), (true, false));
    request
        .attested
        .push(siaga_model::observation::AttestationGiven {
            node: serverdb(),
            how: AttestKind::Unplugged,
            by: "Siti".into(),
            at: siaga_model::UtcMicros(1),
        });
    assert_eq!(answers_for(true, &request), (true, true));
}

/// The first node of a site has no history that could be missing; one that joins has.
#[tokio::test]
async fn the_first_node_of_a_site_has_lost_nothing() {
    use siaga_journal::History;
    let a = first().await;
    let history = |state: &Path, node: &str| {
        let opened = Journal::open(state, node.into(), Box::new(SystemClock)).unwrap();
        opened.1.history
    };
    assert_eq!(history(&a.state(), "serverdb"), History::Whole);
    let b = join_node(&a, "backup").await;
    assert_ne!(history(&b.state(), "backup"), History::Whole);
}

/// Who watches a run whose agent was restarted hears how it ended.
#[tokio::test]
async fn the_end_of_a_run_is_told_from_the_log() {
    let agent = backup(Router::new(), false).await;
    let mut here = plan(
        7,
        MoveKind::Start,
        Placement::ActiveOn("backup".into()),
        "backup",
    );
    here.coordinator = "backup".into();
    let recorded = EventBody::PlanRecorded {
        plan: Box::new(here),
    };
    agent.happened_in("run1", recorded);
    let run = "run1".into();
    let find = async || ended::find(&agent.core, &run, 0, SECOND, false).await;
    assert!(matches!(find().await, ended::Found::Nothing));
    agent.happened_in(
        "run1",
        EventBody::RunEnded {
            outcome: RunOutcome::Done,
            plan: Some("run1.7".into()),
        },
    );
    let ended::Found::View(view) = find().await else {
        panic!("its end is in the log")
    };
    assert_eq!((view.ended, view.result), (true, Some(RunOutcome::Done)));
}
