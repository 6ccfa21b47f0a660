//! The API's routes of the readiness check, and of what a person says of the data.

use crate::core::actor::{self, Claims, Who};
use crate::core::check::{self, SelfCheck, mend};
use crate::core::integrity;
use crate::core::state::Core;
use crate::routes::{Failed, OfService, Shared, known, node_only, not_told, service};
use crate::transport::{ApiJson, Caller};
use axum::extract::{Query, State};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use siaga_model::ServiceName;
use siaga_model::api::{AcceptDataRequest, AcceptLossAnswer, CheckReport};
use siaga_model::readiness::{FixAnswer, FixRequest, Health};
use siaga_model::refusal::Refusal;
use std::sync::Arc;

/// These routes.
pub fn router(core: Arc<Core>) -> Router {
    Router::new()
        .route("/v1/check", get(check_route))
        .route("/v1/health", get(health_route))
        .route("/v1/check/fix", post(fix_route))
        .route("/v1/self-check", get(self_check_route))
        .route("/v1/self-check/fix", post(self_fix_route))
        .route("/v1/events/accept-data", post(accept_data_route))
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
    let checked = check::for_another(&core, &service).await;
    checked.map(Json).map_err(|e| not_told(e.to_string()))
}

/// Who asks, by the request's own word where that counts.
fn who(core: &Core, caller: &Caller, request: &FixRequest) -> Result<Who, Refusal> {
    let claims = Claims {
        stated: request.stated_actor.as_ref(),
        forwarded: request.forwarded_actor.as_ref(),
        forwarded_person: request.forwarded_person.as_ref(),
    };
    actor::resolve(&core.config, caller, claims)
}

async fn fix_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    ApiJson(request): ApiJson<FixRequest>,
) -> Result<Json<FixAnswer>, Failed> {
    known(&caller)?;
    let service = service(&core, request.service.as_ref())?;
    Ok(Json(match who(&core, &caller, &request) {
        Ok(who) => FixAnswer::Done {
            fixed: mend::both(&core, &service, &who).await,
        },
        Err(refusal) => FixAnswer::Refused { refusal },
    }))
}

async fn self_fix_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    ApiJson(request): ApiJson<FixRequest>,
) -> Result<Json<FixAnswer>, Failed> {
    node_only(&caller)?;
    let service = service(&core, request.service.as_ref())?;
    let who = match who(&core, &caller, &request) {
        Ok(who) => who,
        Err(refusal) => return Ok(Json(FixAnswer::Refused { refusal })),
    };
    let mended = tokio::task::spawn_blocking(move || mend::here(&core, &service, &who.actor)).await;
    let fixed = mended.map_err(|e| not_told(e.to_string()))?;
    Ok(Json(FixAnswer::Done { fixed }))
}

async fn accept_data_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    ApiJson(request): ApiJson<AcceptDataRequest>,
) -> Result<Json<AcceptLossAnswer>, Failed> {
    known(&caller)?;
    let claims = actor::Claims {
        stated: request.stated_actor.as_ref(),
        ..actor::Claims::default()
    };
    match actor::resolve(&core.config, &caller, claims) {
        Ok(who) => Ok(Json(integrity::accept(&core, &who, &request).await)),
        Err(refusal) => Ok(Json(AcceptLossAnswer::Refused { refusal })),
    }
}
