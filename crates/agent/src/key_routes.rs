//! The API's routes about the site's keys.

use crate::core::actor::{self, Claims};
use crate::core::state::Core;
use crate::core::{ca, replace};
use crate::pki::CaCopy;
use crate::routes::{Failed, Shared, fail, known, node_only};
use crate::transport::{ApiJson, Caller};
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use siaga_model::keys_api::{
    CaReplaceAnswer, CaReplaceRequest, NodeReplaceAnswer, NodeReplaceRequest,
};
use std::sync::Arc;

/// These routes.
pub fn router(core: Arc<Core>) -> Router {
    Router::new()
        .route("/v1/ca", get(ca_route))
        .route("/v1/ca/replace", post(ca_replace_route))
        .route("/v1/nodes/replace", post(node_replace_route))
        .with_state(core)
}

async fn ca_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
) -> Result<Json<CaCopy>, Failed> {
    node_only(&caller)?;
    let copy = tokio::task::spawn_blocking(move || ca::copy(&core)).await;
    let failed = |code: &str, said: String| fail(StatusCode::INTERNAL_SERVER_ERROR, code, said);
    copy.map_err(|e| failed("FAILED", e.to_string()))?
        .map(Json)
        .map_err(|e| failed(e.code(), e.to_string()))
}

async fn ca_replace_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    ApiJson(request): ApiJson<CaReplaceRequest>,
) -> Result<Json<CaReplaceAnswer>, Failed> {
    known(&caller)?;
    let claims = Claims {
        stated: request.stated_actor.as_ref(),
        ..Claims::default()
    };
    match actor::resolve(&core.config, &caller, claims) {
        Ok(who) => Ok(Json(ca::replace(&core, &who, &request.reason).await)),
        Err(refusal) => Ok(Json(CaReplaceAnswer::Refused { refusal })),
    }
}

async fn node_replace_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    ApiJson(request): ApiJson<NodeReplaceRequest>,
) -> Result<Json<NodeReplaceAnswer>, Failed> {
    known(&caller)?;
    let claims = Claims {
        stated: request.stated_actor.as_ref(),
        ..Claims::default()
    };
    match actor::resolve(&core.config, &caller, claims) {
        Ok(who) => Ok(Json(replace::replace(&core, &who, &request).await)),
        Err(refusal) => Ok(Json(NodeReplaceAnswer::Refused { refusal })),
    }
}
