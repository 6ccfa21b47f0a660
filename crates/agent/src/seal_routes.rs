//! The API's routes that tie a report to the event log.

use crate::core::state::Core;
use crate::routes::{Failed, known, log_unreadable};
use crate::transport::{ApiJson, Caller};
use axum::extract::{Query, State};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use siaga_journal::JournalError;
use siaga_model::RunId;
use siaga_model::seal::{Seal, SealAnswer};
use std::sync::Arc;

type Shared = State<Arc<Core>>;

/// These routes.
pub fn router(core: Arc<Core>) -> Router {
    Router::new()
        .route("/v1/seal", get(seal_route))
        .route("/v1/seal", post(verify_seal_route))
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

async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, JournalError> + Send + 'static,
) -> Result<T, String> {
    match tokio::task::spawn_blocking(read).await {
        Ok(read) => read.map_err(|e| e.to_string()),
        Err(error) => Err(error.to_string()),
    }
}
