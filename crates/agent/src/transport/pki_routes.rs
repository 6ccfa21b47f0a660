//! The routes of joining, pins and renewal, ready to be merged into the agent's router.

use super::{ApiJson, Caller, RemoteAddress, api_error};
use crate::pki::{JoinRequest, JoinState, Pin, PkiError, join, renew};
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use std::sync::Arc;

/// `POST /v1/join`, `GET /v1/pins`, `POST /v1/renew`.
pub fn router(state: Arc<JoinState>) -> Router {
    Router::new()
        .route("/v1/join", post(join_route))
        .route("/v1/pins", get(pins_route))
        .route("/v1/renew", post(renew_route))
        .with_state(state)
}

async fn join_route(
    State(state): State<Arc<JoinState>>,
    remote: Option<Extension<RemoteAddress>>,
    ApiJson(request): ApiJson<JoinRequest>,
) -> Response<Body> {
    let source = remote.map(|Extension(RemoteAddress(address))| address.ip());
    let work = move || join::accept(&state, &request, source, crate::pki::now());
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(answer)) => Json(answer).into_response(),
        Ok(Err(e)) => {
            let status =
                StatusCode::from_u16(e.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            api_error(status, e.code(), e.to_string())
        }
        Err(e) => api_error(StatusCode::INTERNAL_SERVER_ERROR, "FAILED", e.to_string()),
    }
}

/// Everybody's pins: nodes and probes learn from each other who has joined (`PinStore::merge`).
async fn pins_route(State(state): State<Arc<JoinState>>) -> Json<Vec<Pin>> {
    Json(state.pins.all())
}

async fn renew_route(
    State(state): State<Arc<JoinState>>,
    Extension(caller): Extension<Caller>,
    ApiJson(request): ApiJson<renew::RenewRequest>,
) -> Response<Body> {
    let Caller::Peer(peer) = caller else {
        return api_error(
            StatusCode::FORBIDDEN,
            "PEER_REQUIRED",
            "only a machine of the site can renew",
        );
    };
    let work = move || {
        renew::accept(
            &state.state_dir,
            &state.pins,
            &peer,
            &request,
            crate::pki::now(),
        )
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(answer)) => Json(answer).into_response(),
        Ok(Err(e @ PkiError::WrongCertificate)) => {
            api_error(StatusCode::FORBIDDEN, e.code(), e.to_string())
        }
        Ok(Err(e)) => api_error(StatusCode::INTERNAL_SERVER_ERROR, e.code(), e.to_string()),
        Err(e) => api_error(StatusCode::INTERNAL_SERVER_ERROR, "FAILED", e.to_string()),
    }
}
