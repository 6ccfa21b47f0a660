//! What a check makes of the other node: of its silence, and of what it says.
#![allow(clippy::unwrap_used)]

mod common;

use axum::routing::get;
use axum::{Json, Router};
use common::agent::{Agent, backup};
use serde_json::Value;
use siaga_agent::core::check::{PathSight, SelfCheck, check, for_another};
use siaga_agent::core::link::Heads;
use siaga_model::api::CheckReport;
use siaga_model::event::{FindingCode, Severity};
use siaga_model::readiness::{CheckId, CheckStatus, HostFacts};
use siaga_model::{Evidence, NodeName, UtcMicros};
use std::net::SocketAddr;

fn serverdb() -> NodeName {
    "serverdb".into()
}

/// It is the night that the check is for: the answer is the planner's, by what is seen of the world.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_holder_stands_in_nobodys_way() {
    let agent = backup(Router::new(), false).await;
    let (core, service) = (agent.core.clone(), agent.service());
    agent.peer.server.shutdown().await;
    let report = check(&core, &service).await;
    let of_it = report.findings.iter().filter(|f| f.node == serverdb());
    let of_it: Vec<_> = of_it.map(|f| (f.code, f.severity)).collect();
    // Once, though both questions were left open. The site has no fence.
    assert_eq!(
        of_it,
        [
            (FindingCode::PeerUnreachable, Severity::Warning),
            (FindingCode::FenceMissing, Severity::Warning),
        ]
    );
}

/// What `serverdb` says of itself, as JSON.
fn says(paths: Vec<PathSight>) -> Value {
    let own = SelfCheck {
        node: serverdb(),
        findings: Vec::new(),
        examined: Vec::new(),
        config_hash: String::new(),
        postgres_version: None,
        postgres_uid: None,
        device_size: None,
        host: HostFacts::default(),
        needs: None,
        ports: Vec::new(),
        fences: Vec::new(),
        paths,
        now: UtcMicros(0),
    };
    serde_json::to_value(own).unwrap()
}

async fn checked(said: Value) -> CheckReport {
    let answer = move || async move { Json(said) };
    let routes = Router::new().route("/v1/self-check", get(answer));
    let agent = backup(routes, false).await;
    check(&agent.core, &agent.service()).await
}

/// Status and evidence of the paths from `serverdb`.
fn its_paths(report: &CheckReport) -> Vec<(CheckStatus, Evidence)> {
    let of_it =
        |e: &&siaga_model::readiness::Examined| e.id == CheckId::Path && e.node == serverdb();
    let found = report.examined.iter().filter(of_it);
    found.map(|e| (e.status, e.evidence.clone())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_only_the_other_node_misses_is_told() {
    let [one, two]: [SocketAddr; 2] =
        ["198.51.100.12:7443", "203.0.113.12:7443"].map(|a| a.parse().unwrap());
    let sight = |answered: &[SocketAddr], silent: &[SocketAddr]| {
        vec![PathSight {
            node: "backup".into(),
            answered: answered.to_vec(),
            silent: silent.to_vec(),
        }]
    };
    let down = checked(says(sight(&[one], &[two]))).await;
    let seen = Evidence::thing(two);
    assert_eq!(its_paths(&down), [(CheckStatus::Warn, seen)]);
    let path = |f: &&siaga_model::event::Finding| f.code == FindingCode::PathDown;
    let found: Vec<_> = down.findings.iter().filter(path).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (&found[0].node, found[0].severity),
        (&serverdb(), Severity::Warning)
    );
    let up = checked(says(sight(&[one, two], &[]))).await;
    assert_eq!(its_paths(&up), [(CheckStatus::Pass, Evidence::Nothing)]);
    // The agent of the last version does not tell.
    let mut older = says(Vec::new());
    older.as_object_mut().unwrap().remove("paths").unwrap();
    let untold = checked(older).await;
    assert_eq!(its_paths(&untold), []);
    assert!(!untold.findings.iter().any(|f| path(&f)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_asked_says_which_paths_of_the_other_answer() {
    let heads = Heads {
        node: serverdb(),
        boot: "boot-1".into(),
        version: 1,
        heads: Vec::new(),
        pins: String::new(),
        lost: false,
        redo: Default::default(),
        ca: Default::default(),
    };
    let heads = serde_json::to_value(heads).unwrap();
    let routes = Router::new().route("/v1/heads", get(move || async move { Json(heads) }));
    let agent: Agent = backup(routes, false).await;
    let (core, service) = (agent.core.clone(), agent.service());
    let address = agent.peer.address;
    let sight = async || for_another(&core, &service).await.unwrap().paths;
    let of = |answered: Vec<SocketAddr>, silent: Vec<SocketAddr>| {
        vec![PathSight {
            node: serverdb(),
            answered,
            silent,
        }]
    };
    assert_eq!(sight().await, of(vec![address], vec![]));
    agent.peer.server.shutdown().await;
    assert_eq!(sight().await, of(vec![], vec![address]));
}
