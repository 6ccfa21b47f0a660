//! Every error of the API is a JSON `ApiError`, whoever made it: a handler, an extractor, or the router.

use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{Response, StatusCode, header};
use axum::response::IntoResponse;
use http_body_util::{BodyExt, Limited};
use serde::de::DeserializeOwned;
use siaga_model::api::ApiError;

/// An error as the API gives it.
pub fn api_error(status: StatusCode, code: &str, message: impl Into<String>) -> Response<Body> {
    let error = ApiError {
        code: code.to_owned(),
        message: message.into(),
        problem: None,
    };
    (status, Json(error)).into_response()
}

/// A JSON body. What can't be read is refused with 400 and `MALFORMED_BODY`; nothing reaches the handler.
pub struct ApiJson<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for ApiJson<T> {
    type Rejection = Response<Body>;

    async fn from_request(request: Request, _: &S) -> Result<Self, Self::Rejection> {
        let bytes = request
            .into_body()
            .collect()
            .await
            .map_err(|e| api_error(StatusCode::BAD_REQUEST, "MALFORMED_BODY", e.to_string()))?
            .to_bytes();
        serde_json::from_slice(&bytes).map(Self).map_err(|e| {
            api_error(
                StatusCode::BAD_REQUEST,
                "MALFORMED_BODY",
                format!("not the JSON expected: {e}"),
            )
        })
    }
}

/// Gives an error that is not JSON yet (an extractor's, the router's own) the form of the others.
pub(super) async fn normalise(response: Response<Body>) -> Response<Body> {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let kind = response.headers().get(header::CONTENT_TYPE);
    if !is_error || kind.is_some_and(|k| k.as_bytes().starts_with(b"application/json")) {
        return response;
    }
    let body = Limited::new(response.into_body(), 4096).collect().await;
    let text = body
        .map(|b| String::from_utf8_lossy(&b.to_bytes()).into_owned())
        .unwrap_or_default();
    // A body of the wrong shape is malformed like one that is no JSON at all.
    let status = if status == StatusCode::UNPROCESSABLE_ENTITY {
        StatusCode::BAD_REQUEST
    } else {
        status
    };
    let code = match status {
        StatusCode::BAD_REQUEST => "MALFORMED",
        StatusCode::NOT_FOUND => "NOT_FOUND",
        StatusCode::METHOD_NOT_ALLOWED => "METHOD_NOT_ALLOWED",
        StatusCode::PAYLOAD_TOO_LARGE => "TOO_LARGE",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "NOT_JSON",
        _ => "FAILED",
    };
    let message = if text.is_empty() {
        status.to_string()
    } else {
        text
    };
    api_error(status, code, message)
}
