//! Two nodes with agents on loopback, in this process.
#![allow(dead_code, clippy::unwrap_used)]

pub mod agent;

use axum::extract::Extension;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::Value;
use siaga_agent::pki::{self, AgentAddress, Enrolee, Identity, JoinState, PinStore, token};
use siaga_agent::transport::{
    ApiJson, Caller, Limits, LiveIdentity, PeerClient, Server, ServerOptions, ServerTls,
    UnixOptions, pki_routes, tls,
};
use siaga_model::api::AttestRequest;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::watch;

pub const SECOND: Duration = Duration::from_secs(1);

pub struct TestNode {
    pub dir: tempfile::TempDir,
    pub live: LiveIdentity,
    pub pins: PinStore,
    pub server: Server,
    pub address: SocketAddr,
    pub handled: Arc<AtomicUsize>,
    /// The event keys of nodes that joined here.
    pub event_keys: Arc<std::sync::Mutex<Vec<pki::EventKey>>>,
    /// The sequence of the newest probe report.
    pub reports: watch::Sender<u64>,
}

impl TestNode {
    pub fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }
    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("run/siaga.sock")
    }
    pub fn client_of(&self, other: &TestNode, name: &str) -> PeerClient {
        PeerClient::new(&self.live, &self.pins, vec![other.address], name.into()).unwrap()
    }
    pub fn token(&self, enrolee: &Enrolee, ttl: Duration) -> pki::Token {
        token::token_create(&self.state(), enrolee, ttl, &[self.address]).unwrap()
    }
}

/// A directory whose `state` is initialised as the first node of a site.
pub fn site() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("siaga.toml"), "# the site\n").unwrap();
    pki::init(&dir.path().join("state"), "RSUD Contoh", &"serverdb".into()).unwrap();
    dir
}

pub async fn first() -> TestNode {
    serve(site(), Limits::default()).await
}

/// The first node, with these routes too.
pub async fn first_with(routes: Router) -> TestNode {
    serve_with(site(), Limits::default(), routes).await
}

/// Serves the identity in `dir/state`.
pub async fn serve(dir: tempfile::TempDir, limits: Limits) -> TestNode {
    serve_with(dir, limits, Router::new()).await
}

async fn serve_with(dir: tempfile::TempDir, limits: Limits, more: Router) -> TestNode {
    let state = dir.path().join("state");
    let identity = Identity::load(&state).unwrap();
    let pins = PinStore::load(&state).unwrap();
    let live = LiveIdentity::new(&identity).unwrap();
    let agents = vec![AgentAddress {
        node: "serverdb".into(),
        addresses: vec!["198.51.100.11:7443".parse().unwrap()],
    }];
    let event_keys: Arc<std::sync::Mutex<Vec<pki::EventKey>>> = Arc::default();
    let shown = event_keys.clone();
    let join = JoinState::new(&state, pins.clone(), &dir.path().join("siaga.toml"), agents)
        .trusting(Box::new(move |key| {
            shown.lock().unwrap().push(key);
            Ok(())
        }));
    let join = Arc::new(join);
    let handled = Arc::new(AtomicUsize::new(0));
    let reports = watch::Sender::new(0);
    let options = ServerOptions {
        unix: Some(UnixOptions {
            path: dir.path().join("run/siaga.sock"),
            group: "siaga".to_owned(),
        }),
        tcp: vec!["127.0.0.1:0".parse().unwrap()],
        tls: Some(ServerTls {
            config: tls::server(&live, &pins).unwrap(),
            pins: pins.clone(),
        }),
        limits,
    };
    let server = Server::start(
        options,
        pki_routes::router(join)
            .merge(test_routes(handled.clone(), reports.clone()))
            .merge(more),
    )
    .unwrap();
    let address = server.wait_bound(1).await[0];
    TestNode {
        dir,
        live,
        pins,
        server,
        address,
        handled,
        event_keys,
        reports,
    }
}

fn test_routes(handled: Arc<AtomicUsize>, reports: watch::Sender<u64>) -> Router {
    let plain = |Json(order): Json<AttestRequest>| async move { Json(order) };
    let ours = |ApiJson(order): ApiJson<AttestRequest>| async move { Json(order) };
    let take_report = move |Json(report): Json<Value>| async move {
        reports.send_replace(report["sequence"].as_u64().unwrap_or(0));
        Json(())
    };
    let count = move || {
        let handled = handled.clone();
        async move {
            handled.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(300)).await;
            Json(())
        }
    };
    Router::new()
        .route("/v1/who", get(|Extension(caller): Extension<Caller>| async move { format!("{caller:?}").into_json() }))
        .route("/v1/plain", post(plain))
        .route("/v1/ours", post(ours))
        .route("/v1/slow", post(count.clone()).get(count))
        .route("/v1/probe", post(take_report))
}

trait IntoJson {
    fn into_json(self) -> Json<String>;
}
impl IntoJson for String {
    fn into_json(self) -> Json<String> {
        Json(self)
    }
}

/// Brings `name` in as a node, and serves it.
pub async fn join_node(first: &TestNode, name: &str) -> TestNode {
    let dir = tempfile::tempdir().unwrap();
    let token = first.token(&Enrolee::Node(name.into()), 60 * SECOND);
    let config = dir.path().join("siaga.toml");
    pki::join::run(&token, name, &dir.path().join("state"), Some(&config))
        .await
        .unwrap();
    serve(dir, Limits::default()).await
}

pub async fn join_as(
    first: &TestNode,
    enrolee: Enrolee,
    state: &Path,
) -> Result<pki::JoinReport, pki::RunJoinError> {
    let token = first.token(&enrolee, 60 * SECOND);
    pki::join::run(&token, enrolee.name(), state, None).await
}
