//! The API's routes of the readiness check.

use crate::core::check::{self, SelfCheck};
use crate::core::state::Core;
use crate::routes::{Failed, OfService, Shared, known, not_told, service};
use crate::transport::Caller;
use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde::Deserialize;
use siaga_model::ServiceName;
use siaga_model::api::{CheckReport, Health};
use std::sync::Arc;

/// These routes.
pub fn router(core: Arc<Core>) -> Router {
    Router::new()
        .route("/v1/check", get(check_route))
        .route("/v1/health", get(health_route))
        .route("/v1/self-check", get(self_check_route))
        .with_state(core)
}

/// Of `GET /v1/check`.
#[derive(Deserialize)]
struct OfCheck {
    service: Option<ServiceName>,
    /// What the newest check said, where there is one, in place of a new one.
    #[serde(default)]
    last: bool,
}

async fn check_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    Query(of): Query<OfCheck>,
) -> Result<Json<CheckReport>, Failed> {
    known(&caller)?;
    let service = service(&core, of.service.as_ref())?;
    if let Some(kept) = of
        .last
        .then(|| core.readiness.last(&service.name))
        .flatten()
    {
        return Ok(Json(kept));
    }
    Ok(Json(check::check(&core, &service).await))
}

async fn health_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Health>, Failed> {
    known(&caller)?;
    Ok(Json(crate::metrics::health(&core)))
}

async fn self_check_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    Query(of): Query<OfService>,
) -> Result<Json<SelfCheck>, Failed> {
    known(&caller)?;
    let service = service(&core, of.service.as_ref())?;
    let checked = tokio::task::spawn_blocking(move || check::self_check(&core, &service)).await;
    checked.map(Json).map_err(|e| not_told(e.to_string()))
}
