//! The API's routes that tie a report to the event log.

use crate::core::papers;
use crate::core::state::Core;
use crate::routes::{Failed, fail, known, log_unreadable};
use crate::transport::{ApiJson, Caller};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use siaga_journal::log_book::{self, LogBookRow};
use siaga_journal::{Filter, JournalError, SentSums, incidents};
use siaga_model::RunId;
use siaga_model::api::EventView;
use siaga_model::record::IncidentLine;
use siaga_model::seal::{
    LogHead, Seal, SealAnswer, SealedIncident, SealedIncidentRequest, SealedLogRequest,
    SealedRequest, SealedRun, SealedRunRequest,
};
use std::sync::Arc;

type Shared = State<Arc<Core>>;

/// These routes.
pub fn router(core: Arc<Core>) -> Router {
    Router::new()
        .route("/v1/seal", get(seal_route))
        .route("/v1/seal", post(verify_seal_route))
        .route("/v1/sealed/log", post(sealed_log_route))
        .route("/v1/sealed/incidents", post(sealed_incidents_route))
        .route("/v1/sealed/incident", post(sealed_incident_route))
        .route("/v1/sealed/run", post(sealed_run_route))
        .with_state(core)
}

#[derive(Deserialize)]
struct SealQuery {
    /// The run that the report is about; left out: the whole log.
    run: Option<RunId>,
}

async fn seal_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    Query(query): Query<SealQuery>,
) -> Result<Json<Seal>, Failed> {
    known(&caller)?;
    let made = blocking(move || siaga_journal::seal::seal(&core.state_dir, query.run.as_ref()));
    made.await.map(Json).map_err(log_unreadable)
}

async fn verify_seal_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    ApiJson(seal): ApiJson<Seal>,
) -> Result<Json<SealAnswer>, Failed> {
    known(&caller)?;
    let compared = blocking(move || {
        let trusted = core.log.journal().trusted().clone();
        siaga_journal::seal::disagreements(&core.state_dir, &trusted, &seal)
    });
    let problems = compared.await.map_err(log_unreadable)?;
    Ok(Json(SealAnswer { problems }))
}

async fn sealed_log_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    ApiJson(asked): ApiJson<SealedLogRequest>,
) -> Result<Json<Vec<LogBookRow>>, Failed> {
    known(&caller)?;
    let events =
        sealed(&core, &asked.heads, log_book::filter(&asked.rows)).map_err(log_unreadable)?;
    Ok(Json(log_book::rows(&events, &asked.rows)))
}

async fn sealed_incidents_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    ApiJson(asked): ApiJson<SealedRequest>,
) -> Result<Json<Vec<IncidentLine>>, Failed> {
    known(&caller)?;
    let (events, sums) =
        summed(&core, &asked.heads, incidents::filter()).map_err(log_unreadable)?;
    let records = incidents::incidents_summed(&events, &sums, &[]);
    Ok(Json(records.iter().map(incidents::line).collect()))
}

async fn sealed_incident_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    ApiJson(asked): ApiJson<SealedIncidentRequest>,
) -> Result<Json<SealedIncident>, Failed> {
    known(&caller)?;
    let read = |filter| summed(&core, &asked.heads, filter);
    let found = papers::incident(read, &asked.incident, &asked.units).map_err(log_unreadable)?;
    found.map(Json).ok_or_else(|| {
        let why = format!("no incident has the number {}", asked.incident);
        fail(StatusCode::NOT_FOUND, "NO_SUCH_THING", why)
    })
}

async fn sealed_run_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    ApiJson(asked): ApiJson<SealedRunRequest>,
) -> Result<Json<SealedRun>, Failed> {
    known(&caller)?;
    let of_run = Filter {
        run: Some(asked.run),
        ..Filter::default()
    };
    let events = sealed(&core, &asked.heads, of_run).map_err(log_unreadable)?;
    Ok(Json(SealedRun { events }))
}

fn sealed(core: &Core, heads: &[LogHead], filter: Filter) -> Result<Vec<EventView>, String> {
    Ok(summed(core, heads, filter)?.0)
}

fn summed(
    core: &Core,
    heads: &[LogHead],
    filter: Filter,
) -> Result<(Vec<EventView>, SentSums), String> {
    let read = core.log.summed(&papers::up_to(heads, filter));
    read.map_err(|error| error.to_string())
}

async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, JournalError> + Send + 'static,
) -> Result<T, String> {
    match tokio::task::spawn_blocking(read).await {
        Ok(read) => read.map_err(|e| e.to_string()),
        Err(error) => Err(error.to_string()),
    }
}
