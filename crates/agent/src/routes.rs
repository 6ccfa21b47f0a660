//! The API's routes. Each handler says what it needs to know of its caller; the work is in `core`.

use crate::core::actor;
use crate::core::diagnose;
use crate::core::duties;
use crate::core::ended::{self, Found};
use crate::core::link::{self, Heads, ROWS_AT_MOST, Rows};
use crate::core::observe::{observe, own_facts, promise_facts};
use crate::core::orders::{self, OrderAnswer};
use crate::core::power;
use crate::core::state::Core;
use crate::core::{loss, moves};
use crate::transport::{ApiJson, Caller};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use siaga_journal::log_book::{self, LogBookRow};
use siaga_journal::{Filter, Problem};
use siaga_model::api::{
    AcceptLossAnswer, AcceptLossRequest, ApiError, Diagnosis, EventsAnswer, FactsAnswer,
    LayerFinding, MoveAnswer, MoveRequest, PowerAnswer, PowerRequest, ProbeReport, RunView,
    ServiceStatus, SiteView, Status, VerifyAnswer,
};
use siaga_model::api_problem::ApiProblem;
use siaga_model::config::{Language, Service};
use siaga_model::observation::PromiseFacts;
use siaga_model::run::Order;
use siaga_model::seal::LogRows;
use siaga_model::{NodeName, PersonName, RunId, ServiceName};
use siaga_runner::hands::Hands;
use std::sync::Arc;
use std::time::Duration;

/// The longest that a long poll is held.
const LONG_POLL_AT_MOST: Duration = Duration::from_secs(30);
/// How many events one answer carries at the most.
const EVENTS_AT_MOST: usize = 5000;

pub(crate) type Shared = State<Arc<Core>>;

/// All routes of the API, version 1.
pub fn router(core: Arc<Core>) -> Router {
    Router::new()
        .route("/v1/status", get(status))
        .route("/v1/config", get(config))
        .route("/v1/diagnose", get(diagnose_route))
        .route("/v1/moves", post(moves_route))
        .route("/v1/runs/{id}", get(run_route))
        .route("/v1/power", post(power_route))
        .route("/v1/events", get(events_route))
        .route("/v1/events/verify", get(verify_route))
        .route("/v1/events/accept-loss", post(accept_loss_route))
        .route("/v1/log", get(log_route))
        .route("/v1/probe", post(probe_route))
        .route("/v1/facts", get(facts_route))
        .route("/v1/promise", get(promise_route))
        .route("/v1/layers", get(layers_route))
        .route("/v1/heads", get(heads_route))
        .route("/v1/rows", get(rows_route))
        .route("/v1/orders", post(orders_route))
        .with_state(core.clone())
        .merge(crate::check_routes::router(core.clone()))
        .merge(crate::rehearsal_routes::router(core.clone()))
        .merge(crate::key_routes::router(core.clone()))
        .merge(crate::routes_incident::router(core.clone()))
        .merge(crate::seal_routes::router(core.clone()))
        .merge(crate::notice_routes::router(core))
}

/// An error of the API as its answer.
pub struct Failed(StatusCode, ApiError);

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        (self.0, Json(self.1)).into_response()
    }
}

pub(crate) fn fail(status: StatusCode, code: &str, message: impl Into<String>) -> Failed {
    Failed(
        status,
        ApiError {
            code: code.to_owned(),
            message: message.into(),
            problem: None,
        },
    )
}

/// A problem that a person can run into.
pub(crate) fn ran_into(status: StatusCode, problem: ApiProblem) -> Failed {
    let error = ApiError {
        code: problem.code().to_owned(),
        message: siaga_words::api_problem(Language::English, &problem),
        problem: Some(problem),
    };
    Failed(status, error)
}

/// A person at the socket, or a pinned node.
pub(crate) fn known(caller: &Caller) -> Result<(), Failed> {
    match caller {
        Caller::Local { .. } => Ok(()),
        Caller::Peer(peer) if peer.is_node() => Ok(()),
        Caller::Peer(_) | Caller::Anonymous => Err(fail(
            StatusCode::FORBIDDEN,
            "NOT_ALLOWED",
            "only a node of this site may ask this",
        )),
    }
}

/// A pinned node, and nobody else.
pub(crate) fn node_only(caller: &Caller) -> Result<(), Failed> {
    match caller {
        Caller::Peer(peer) if peer.is_node() => Ok(()),
        _ => Err(fail(
            StatusCode::FORBIDDEN,
            "NOT_ALLOWED",
            "only the other node may ask this",
        )),
    }
}

#[derive(Deserialize)]
pub(crate) struct OfService {
    pub(crate) service: Option<ServiceName>,
}

pub(crate) fn service(core: &Core, name: Option<&ServiceName>) -> Result<Service, Failed> {
    core.service(name).cloned().ok_or_else(|| {
        let known = core
            .config
            .services
            .iter()
            .map(|s| s.name.clone())
            .collect();
        let problem = match name.cloned() {
            Some(service) => ApiProblem::NoSuchService { service, known },
            None => ApiProblem::SeveralServices { known },
        };
        ran_into(StatusCode::NOT_FOUND, problem)
    })
}

async fn status(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    Query(of): Query<OfService>,
) -> Result<Json<Status>, Failed> {
    known(&caller)?;
    if of.service.is_some() {
        service(&core, of.service.as_ref())?;
    }
    let mut services = Vec::new();
    for service in &core.config.services {
        if of.service.as_ref().is_some_and(|s| s != &service.name) {
            continue;
        }
        let observation = observe(&core, service).await;
        let unfinished = observation
            .nodes
            .values()
            .filter_map(|v| v.agent.facts()?.ledger.unfinished.clone())
            .max_by_key(|u| (u.live, u.epoch.counter));
        services.push(ServiceStatus {
            verdict: siaga_planner::verdict(&core.config, &observation),
            observation,
            run: unfinished,
            readiness: core.readiness.view(&service.name),
        });
    }
    Ok(Json(Status {
        node: core.me.clone(),
        at: core.hands.now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        services,
        findings: core.findings(),
        duties: duties::shown(&core),
    }))
}

async fn config(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
) -> Result<Json<SiteView>, Failed> {
    known(&caller)?;
    let c = &core.config;
    Ok(Json(SiteView {
        site: c.site.name.clone(),
        language: c.site.language,
        time_zone: c.site.time_zone.clone(),
        people: c.people.iter().map(|p| p.name.clone()).collect(),
        services: c.services.iter().map(|s| s.name.clone()).collect(),
        nodes: c.nodes.iter().map(|n| n.name.clone()).collect(),
        document: c.document.clone(),
        availability_target_milli_pct: c.downtime.rules.availability_target_milli_pct,
        rto_s: Some(c.policy.rto.as_secs()),
    }))
}

async fn diagnose_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    Query(of): Query<OfService>,
) -> Result<Json<Diagnosis>, Failed> {
    known(&caller)?;
    let service = service(&core, of.service.as_ref())?;
    Ok(Json(diagnose::diagnose(&core, &service).await))
}

async fn moves_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    ApiJson(request): ApiJson<MoveRequest>,
) -> Result<Json<MoveAnswer>, Failed> {
    known(&caller)?;
    Ok(Json(moves::order(&core, &caller, request).await))
}

#[derive(Deserialize)]
struct Poll {
    #[serde(default)]
    after: u64,
    #[serde(default)]
    wait_ms: u64,
}

impl Poll {
    fn wait(&self) -> Duration {
        Duration::from_millis(self.wait_ms).min(LONG_POLL_AT_MOST)
    }
}

async fn run_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Query(poll): Query<Poll>,
) -> Result<Json<RunView>, Failed> {
    known(&caller)?;
    let run = RunId::new(id);
    let local = matches!(caller, Caller::Local { .. });
    match ended::find(&core, &run, poll.after, poll.wait(), local).await {
        Found::View(view) => Ok(Json(*view)),
        Found::CoordinatorSilent { node } => {
            let problem = ApiProblem::CoordinatorSilent { node, run };
            Err(ran_into(StatusCode::SERVICE_UNAVAILABLE, problem))
        }
        Found::Nothing => {
            let problem = ApiProblem::NoSuchRun { run };
            Err(ran_into(StatusCode::NOT_FOUND, problem))
        }
    }
}

pub(crate) fn stated(name: Option<&PersonName>) -> actor::Claims<'_> {
    actor::Claims {
        stated: name,
        ..actor::Claims::default()
    }
}

async fn power_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    ApiJson(request): ApiJson<PowerRequest>,
) -> Result<Json<PowerAnswer>, Failed> {
    known(&caller)?;
    match actor::resolve(&core.config, &caller, stated(request.stated_actor.as_ref())) {
        Ok(who) => Ok(Json(power::power(&core, &who, &request).await)),
        Err(refusal) => Ok(Json(PowerAnswer::Refused { refusal })),
    }
}

#[derive(Deserialize)]
struct EventsQuery {
    service: Option<ServiceName>,
    run: Option<RunId>,
    kind: Option<String>,
    since: Option<i64>,
    limit: Option<usize>,
    /// Long poll: wait until the log's version is beyond this.
    follow_after: Option<u64>,
    #[serde(default)]
    wait_ms: u64,
}

async fn events_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    Query(query): Query<EventsQuery>,
) -> Result<Json<EventsAnswer>, Failed> {
    known(&caller)?;
    if let Some(after) = query.follow_after {
        let wait = Duration::from_millis(query.wait_ms).min(LONG_POLL_AT_MOST);
        link::heads_after(&core, after, wait).await;
    }
    let filter = Filter {
        service: query.service.clone(),
        run: query.run.clone(),
        kinds: query.kind.iter().cloned().collect(),
        since: query.since.map(siaga_model::UtcMicros),
        ..Filter::default()
    };
    let (events, reader) = core.log.read_at(&filter).map_err(log_error)?;
    let next = reader.version();
    let limit = query.limit.unwrap_or(EVENTS_AT_MOST).min(EVENTS_AT_MOST);
    let from = events.len().saturating_sub(limit);
    Ok(Json(EventsAnswer {
        events: events.into_iter().skip(from).collect(),
        next,
    }))
}

pub(crate) fn log_error(error: siaga_journal::JournalError) -> Failed {
    log_unreadable(error.to_string())
}

/// `why` is the system's or the log's own word.
pub(crate) fn log_unreadable(why: String) -> Failed {
    let problem = ApiProblem::LogUnreadable { why };
    ran_into(StatusCode::INTERNAL_SERVER_ERROR, problem)
}

pub(crate) fn not_told(why: String) -> Failed {
    let problem = ApiProblem::NotTold { why };
    ran_into(StatusCode::INTERNAL_SERVER_ERROR, problem)
}

async fn verify_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
) -> Result<Json<VerifyAnswer>, Failed> {
    known(&caller)?;
    let verified = tokio::task::spawn_blocking(move || {
        let trusted = core.log.journal().trusted().clone();
        siaga_journal::verify_dir(&core.state_dir, &trusted)
    })
    .await
    .map_err(|e| log_unreadable(e.to_string()))?;
    Ok(Json(VerifyAnswer {
        problems: verified.problems.iter().map(Problem::told).collect(),
    }))
}

async fn accept_loss_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    ApiJson(request): ApiJson<AcceptLossRequest>,
) -> Result<Json<AcceptLossAnswer>, Failed> {
    known(&caller)?;
    match actor::resolve(&core.config, &caller, stated(request.stated_actor.as_ref())) {
        Ok(who) => Ok(Json(loss::accept(&core, &who, &request.reason).await)),
        Err(refusal) => Ok(Json(AcceptLossAnswer::Refused { refusal })),
    }
}

async fn log_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<LogRows>,
) -> Result<Json<Vec<LogBookRow>>, Failed> {
    known(&caller)?;
    let read = core.log.read(&log_book::filter(&wanted));
    Ok(Json(log_book::rows(&read.map_err(log_error)?, &wanted)))
}

async fn probe_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    ApiJson(report): ApiJson<ProbeReport>,
) -> Result<StatusCode, Failed> {
    if !caller.may_report_as(&report.probe) {
        let why =
            "a probe may report under its own name only, or root and the group siaga in its place";
        return Err(fail(StatusCode::FORBIDDEN, "NOT_ALLOWED", why));
    }
    let of = service(&core, Some(&report.service))?;
    core.probes.report(report);
    crate::core::watch::rows_lost(&core, &of.name);
    Ok(StatusCode::NO_CONTENT)
}

async fn facts_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    Query(of): Query<OfService>,
) -> Result<Json<FactsAnswer>, Failed> {
    known(&caller)?;
    let service = service(&core, of.service.as_ref())?;
    Ok(Json(FactsAnswer {
        node: core.me.clone(),
        facts: own_facts(&core, &service.name).await,
        config_hash: core.config_hash.clone(),
        now: core.hands.now(),
    }))
}

async fn promise_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    Query(of): Query<OfService>,
) -> Result<Json<PromiseFacts>, Failed> {
    known(&caller)?;
    let service = service(&core, of.service.as_ref())?;
    promise_facts(&core, &service.name)
        .await
        .map(Json)
        .ok_or_else(|| not_told(format!("no answer of {} itself", core.me)))
}

async fn layers_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    Query(of): Query<OfService>,
) -> Result<Json<Vec<LayerFinding>>, Failed> {
    known(&caller)?;
    let service = service(&core, of.service.as_ref())?;
    let layers = tokio::task::spawn_blocking(move || diagnose::own_layers(&core, &service)).await;
    Ok(Json(layers.unwrap_or_default()))
}

async fn heads_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    Query(poll): Query<Poll>,
) -> Result<Json<Heads>, Failed> {
    node_only(&caller)?;
    Ok(Json(
        link::heads_after(&core, poll.after, poll.wait()).await,
    ))
}

#[derive(Deserialize)]
struct RowsQuery {
    node: NodeName,
    incarnation: u32,
    after: u64,
}

async fn rows_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    Query(query): Query<RowsQuery>,
) -> Result<Json<Rows>, Failed> {
    node_only(&caller)?;
    let rows = core.log.with(|journal| {
        journal.rows_after(&query.node, query.incarnation, query.after, ROWS_AT_MOST)
    });
    rows.map(|rows| Json(Rows { rows })).map_err(log_error)
}

async fn orders_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    ApiJson(order): ApiJson<Order>,
) -> Result<Json<OrderAnswer>, Failed> {
    node_only(&caller)?;
    // The executor checks that this coordinator issued the order's mandate.
    let is_coordinator =
        matches!(&caller, Caller::Peer(p) if p.name() == order.coordinator.as_str());
    if !is_coordinator || order.step.node != core.me {
        let why = "an order comes from its coordinator, to the node that it names";
        return Err(fail(StatusCode::FORBIDDEN, "NOT_ALLOWED", why));
    }
    Ok(Json(orders::carry_out(&core, order, orders::HOLD).await))
}
