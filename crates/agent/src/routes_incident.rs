//! The API's routes of incidents and estimates.

use crate::core::actor::{self, Claims};
use crate::core::state::Core;
use crate::core::{estimate, incidents};
use crate::routes::{Failed, OfService, Shared, fail, known, log_error, service};
use crate::transport::{ApiJson, Caller};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use siaga_model::incident_api::{
    EstimateAnswer, EstimateScore, IncidentAnswer, IncidentRefusal, IncidentRequest,
};
use siaga_model::record::{IncidentLine, IncidentRecord};
use std::sync::Arc;

/// The routes.
pub fn router(core: Arc<Core>) -> Router {
    Router::new()
        .route("/v1/incidents", get(list_route))
        .route("/v1/incidents", post(act_route))
        .route("/v1/incidents/{id}", get(show_route))
        .route("/v1/estimate", get(estimate_route))
        .route("/v1/estimate/score", get(score_route))
        .with_state(core)
}

async fn list_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Vec<IncidentLine>>, Failed> {
    known(&caller)?;
    let records = incidents::records(&core).map_err(log_error)?;
    let lines = records.iter().map(siaga_journal::incidents::line);
    Ok(Json(lines.collect()))
}

async fn show_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<IncidentRecord>, Failed> {
    known(&caller)?;
    let records = incidents::records(&core).map_err(log_error)?;
    let found = siaga_journal::incidents::find(&records, &id).cloned();
    let found = found.map(|record| incidents::with_duties(&core, record));
    found.map(Json).ok_or_else(|| {
        let why = format!("no incident has the number {id}");
        fail(StatusCode::NOT_FOUND, "NO_SUCH_THING", why)
    })
}

async fn act_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    ApiJson(request): ApiJson<IncidentRequest>,
) -> Result<Json<IncidentAnswer>, Failed> {
    known(&caller)?;
    let claims = Claims {
        stated: request.stated_actor.as_ref(),
        ..Claims::default()
    };
    let answer = match actor::resolve_writer(&core.config, &caller, claims) {
        Ok(who) => incidents::act(&core, &who, &request).await,
        Err(refusal) => IncidentAnswer::Refused {
            refusal: IncidentRefusal::NotAllowed {
                refusal: Box::new(refusal),
            },
        },
    };
    Ok(Json(answer))
}

async fn estimate_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    Query(of): Query<OfService>,
) -> Result<Json<EstimateAnswer>, Failed> {
    known(&caller)?;
    let service = service(&core, of.service.as_ref())?;
    let answer = estimate::of_service(&core, &service).await;
    answer.map(Json).map_err(log_error)
}

async fn score_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
) -> Result<Json<EstimateScore>, Failed> {
    known(&caller)?;
    estimate::score(&core).map(Json).map_err(log_error)
}
