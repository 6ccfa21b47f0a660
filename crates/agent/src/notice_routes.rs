//! The API's routes about notices.

use crate::core::notices::view::Wanted;
use crate::core::state::Core;
use crate::core::{actor, notices};
use crate::routes::{Failed, Shared, known, log_error, stated};
use crate::transport::{ApiJson, Caller};
use axum::extract::{Query, State};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use siaga_model::notice_api::{NoticeAct, NoticeAnswer, NoticeRequest, NoticesAnswer};
use siaga_model::{IncidentKey, NoticeId};
use std::sync::Arc;

/// Merged into the router of the API.
pub fn router(core: Arc<Core>) -> Router {
    Router::new()
        .route("/v1/notices", get(notices_route))
        .route("/v1/notices", post(notice_act_route))
        .with_state(core)
}

#[derive(Deserialize)]
struct NoticesQuery {
    notice: Option<NoticeId>,
    incident: Option<IncidentKey>,
    /// The newest so many.
    limit: Option<usize>,
}

async fn notices_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    Query(query): Query<NoticesQuery>,
) -> Result<Json<NoticesAnswer>, Failed> {
    known(&caller)?;
    let wanted = Wanted {
        notice: query.notice,
        incident: query.incident,
        limit: query.limit,
    };
    notices::view::notices(&core, &wanted)
        .map(Json)
        .map_err(log_error)
}

async fn notice_act_route(
    State(core): Shared,
    Extension(caller): Extension<Caller>,
    ApiJson(request): ApiJson<NoticeRequest>,
) -> Result<Json<NoticeAnswer>, Failed> {
    known(&caller)?;
    let claims = stated(request.stated_actor.as_ref());
    // Alerts are the servers' own: who may not touch those may not silence them.
    let who = match request.act {
        NoticeAct::Pause { .. } | NoticeAct::ResumeAlerts => {
            actor::resolve(&core.config, &caller, claims)
        }
        _ => actor::resolve_writer(&core.config, &caller, claims),
    };
    match who {
        Ok(who) => Ok(Json(notices::acts::act(&core, &who, request.act))),
        Err(refusal) => Ok(Json(NoticeAnswer::NotAllowed { refusal })),
    }
}
