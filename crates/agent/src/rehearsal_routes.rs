//! The API's routes of rehearsals.

use crate::core::state::Core;
use crate::core::{actor, rehearse};
use crate::routes::{Failed, Shared, fail, known, not_told, service, stated};
use crate::transport::{ApiJson, Caller};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use siaga_model::config::Language;
use siaga_model::rehearsal::{
    RehearsalAnswer, RehearsalRequest, RehearsalStop, RehearsalView, SourceAnswer,
};
use siaga_model::{NodeName, ServiceName};
use std::sync::Arc;
use std::time::Duration;

/// The longest that a question for its progress is held.
const HELD_AT_MOST: Duration = Duration::from_secs(10);

/// These routes.
pub fn router(core: Arc<Core>) -> Router {
    Router::new()
        .route("/v1/rehearsals", get(view_route))
        .route("/v1/rehearsals", post(order_route))
        .route("/v1/rehearsals/stop", post(stop_route))
        .route("/v1/rehearsal-source", get(source_route))
        .with_state(core)
}

async fn order_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    ApiJson(request): ApiJson<RehearsalRequest>,
) -> Result<Json<RehearsalAnswer>, Failed> {
    known(&caller)?;
    Ok(Json(rehearse::order(&core, &caller, request).await))
}

/// Of `GET /v1/rehearsals`.
#[derive(Deserialize)]
struct OfRehearsal {
    service: Option<ServiceName>,
    /// Where it goes on. Left out: here.
    node: Option<NodeName>,
    #[serde(default)]
    wait_ms: u64,
}

async fn view_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    Query(of): Query<OfRehearsal>,
) -> Result<Json<RehearsalView>, Failed> {
    known(&caller)?;
    let service = service(&core, of.service.as_ref())?;
    let node = of.node.unwrap_or_else(|| core.me.clone());
    let wait = Duration::from_millis(of.wait_ms).min(HELD_AT_MOST);
    match rehearse::view(&core, &service.name, &node, wait).await {
        Ok(seen) => Ok(Json(seen)),
        Err(why) => Err(not_told(why)),
    }
}

async fn stop_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    ApiJson(stop): ApiJson<RehearsalStop>,
) -> Result<Json<RehearsalView>, Failed> {
    known(&caller)?;
    // A node sends on what it has asked its person for.
    if matches!(caller, Caller::Local { .. }) {
        let claims = stated(stop.stated_actor.as_ref());
        actor::resolve(&core.config, &caller, claims).map_err(|refusal| {
            let said = siaga_words::refusal(Language::English, &refusal);
            fail(StatusCode::FORBIDDEN, "NOT_ALLOWED", said)
        })?;
    }
    service(&core, Some(&stop.service))?;
    match rehearse::stop(&core, &stop).await {
        Ok(seen) => Ok(Json(seen)),
        Err(why) => Err(not_told(why)),
    }
}

/// Of `GET /v1/rehearsal-source`.
#[derive(Deserialize)]
struct OfSource {
    service: Option<ServiceName>,
    /// Measure the data too, which takes its time.
    #[serde(default)]
    size: bool,
}

async fn source_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    Query(of): Query<OfSource>,
) -> Result<Json<SourceAnswer>, Failed> {
    known(&caller)?;
    let service = service(&core, of.service.as_ref())?;
    Ok(Json(rehearse::source(&core, &service.name, of.size).await))
}
