//! The node's numbers for a monitoring system, and its health: what `siaga check` said last and how old that is, what
//! this node sees of itself, its peer and its probes. Names and numbers only. Nothing here is asked of another node, so
//! that a monitoring system that asks often costs nobody anything.

mod text;

use crate::core::observe::own_facts;
use crate::core::state::Core;
use crate::plain_http::{self, Answer};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use serde::Serialize;
use siaga_model::NodeName;
use siaga_model::api::{CanTakeOver, CheckReport};
use siaga_model::event::Severity;
use siaga_model::observation::{NodeFacts, ProbeSighting};
use siaga_model::readiness::{Health, ServiceHealth};
use siaga_runner::hands::Hands;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

/// An answer that is younger is given again.
const YOUNG: Duration = Duration::from_secs(5);

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const JSON: &str = "application/json";

/// What is known of one service, here and now.
struct OfService {
    name: String,
    check: Option<CheckReport>,
    stale: bool,
    facts: NodeFacts,
    probes: Vec<ProbeSighting>,
    run_at_work: bool,
}

/// All that the numbers are made of.
struct Snapshot {
    node: NodeName,
    services: Vec<OfService>,
    /// When each other node last answered.
    peers: Vec<(NodeName, Option<Duration>)>,
    findings: Vec<Severity>,
    duties: usize,
}

/// Serves `/metrics` and `/health` where the site wants that. Never ends.
pub async fn serve(core: Arc<Core>) {
    let Some(address) = core.config.node(&core.me).and_then(|n| n.metrics) else {
        return;
    };
    let listener = plain_http::bound(address, "the numbers for a monitoring system").await;
    serve_on(core, listener).await;
}

/// The same on a listener that is there. Never ends.
pub async fn serve_on(core: Arc<Core>, listener: TcpListener) {
    let busy = || {
        answer(
            StatusCode::TOO_MANY_REQUESTS,
            TEXT,
            "too many requests\n".into(),
        )
    };
    let desk = Arc::new(Desk {
        core,
        newest: Arc::default(),
    });
    plain_http::serve(listener, busy, move |request| reply(desk.clone(), request)).await;
}

/// The newest page, and when it was made.
type Newest = Arc<tokio::sync::Mutex<Option<(Instant, String)>>>;

struct Desk {
    core: Arc<Core>,
    newest: Newest,
}

impl Desk {
    /// The numbers. One look at a time, in a task of its own: where it hangs with the storage, those who ask give up one after
    /// the other, and no second look is begun.
    async fn page(&self) -> Option<String> {
        let (core, newest) = (self.core.clone(), self.newest.clone());
        let guard = newest.lock_owned().await;
        let looked = tokio::spawn(async move {
            let mut newest = guard;
            if let Some((at, page)) = newest.as_ref().filter(|(at, _)| at.elapsed() < YOUNG) {
                tracing::trace!(age = ?at.elapsed(), "told again");
                return page.clone();
            }
            let page = text::of(&snapshot(&core).await);
            *newest = Some((Instant::now(), page.clone()));
            page
        });
        looked.await.ok()
    }
}

async fn reply(desk: Arc<Desk>, request: Request<Incoming>) -> Answer {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        let said = "only GET\n".to_owned();
        return answer(StatusCode::METHOD_NOT_ALLOWED, TEXT, said);
    }
    match request.uri().path() {
        "/metrics" => match desk.page().await {
            Some(page) => answer(StatusCode::OK, TEXT, page),
            None => answer(
                StatusCode::INTERNAL_SERVER_ERROR,
                TEXT,
                "no numbers\n".into(),
            ),
        },
        "/health" => {
            let health = health(&desk.core);
            let status = match health.ready {
                CanTakeOver::Yes => StatusCode::OK,
                CanTakeOver::No | CanTakeOver::Unknown => StatusCode::SERVICE_UNAVAILABLE,
            };
            answer(
                status,
                JSON,
                serde_json::to_string(&health).unwrap_or_default(),
            )
        }
        _ => answer(StatusCode::NOT_FOUND, TEXT, "/metrics or /health\n".into()),
    }
}

fn answer(status: StatusCode, kind: &str, body: String) -> Answer {
    let answer = Response::builder()
        .status(status)
        .header("content-type", kind)
        .header("cache-control", "no-store")
        .body(Full::new(Bytes::from(body)));
    answer.unwrap_or_else(|_| Response::new(Full::new(Bytes::new())))
}

/// Could the site's services be taken over now, by the newest check of each? An answer that is too old is none.
pub fn health(core: &Core) -> Health {
    let of = |service: &siaga_model::config::Service| {
        let view = core.readiness.view(&service.name);
        ServiceHealth {
            service: service.name.clone(),
            ready: match &view {
                Some(view) if !view.stale => view.can_take_over,
                Some(_) | None => CanTakeOver::Unknown,
            },
            checked_at: view.as_ref().map(|v| v.checked_at),
            age_s: view.as_ref().map(|v| v.age_ms / 1000),
            stale: view.is_some_and(|v| v.stale),
        }
    };
    let services: Vec<ServiceHealth> = core.config.services.iter().map(of).collect();
    let any = |ready| services.iter().any(|s| s.ready == ready);
    Health {
        node: core.me.clone(),
        at: core.hands.now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ready: match (any(CanTakeOver::No), any(CanTakeOver::Unknown)) {
            (true, _) => CanTakeOver::No,
            (false, true) => CanTakeOver::Unknown,
            (false, false) => CanTakeOver::Yes,
        },
        services,
    }
}

async fn snapshot(core: &Arc<Core>) -> Snapshot {
    let mut services = Vec::new();
    for service in &core.config.services {
        services.push(OfService {
            name: service.name.to_string(),
            check: core.readiness.last(&service.name),
            stale: core.readiness.view(&service.name).is_some_and(|v| v.stale),
            facts: own_facts(core, &service.name).await,
            probes: core.probes.sightings(&service.name),
            run_at_work: core.runs.going_on(&service.name).is_some(),
        });
    }
    let age = |(node, pulse): (&NodeName, &Arc<crate::core::state::PeerPulse>)| {
        (node.clone(), pulse.age())
    };
    Snapshot {
        node: core.me.clone(),
        services,
        peers: core.pulses.iter().map(age).collect(),
        findings: core.findings().iter().map(|f| f.severity).collect(),
        duties: crate::core::duties::shown(core).len(),
    }
}

/// The word that a value has in JSON: `not_exercised`.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        // A variant with fields is named by its only key.
        Ok(serde_json::Value::Object(map)) => map.keys().next().cloned().unwrap_or_default(),
        _ => String::new(),
    }
}
