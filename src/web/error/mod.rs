//! Errors, by surface: each submodule is the only one that writes that surface's form. Public text and
//! private reason are different things; the reason is logged here, once.

pub mod button;
pub mod leadexec;
pub mod problem;

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::{Web, page};
use crate::store::StoreError;
use crate::views::Problem;

/// The status of a failure of ours, which is logged: 503 where trying again may help.
pub fn failed(error: &StoreError) -> StatusCode {
    match error {
        StoreError::Unavailable(_) | StoreError::Again => {
            tracing::warn!(%error, "the database did not serve a request");
            StatusCode::SERVICE_UNAVAILABLE
        }
        StoreError::Conflict | StoreError::Corrupt(_) | StoreError::Internal(_) => {
            tracing::error!(%error, "a request failed");
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

/// The page for a failure of ours.
pub fn failed_page(web: &Web, headers: &HeaderMap, error: &StoreError) -> Response {
    let problem = match failed(error) {
        StatusCode::SERVICE_UNAVAILABLE => Problem::Unavailable,
        _ => Problem::Internal,
    };
    page::error(web, headers, None, problem, None)
}

/// A refusal, for who runs the server. `fingerprint` stands for the secret that was presented.
pub fn refused(endpoint: &'static str, why: &dyn Display, fingerprint: Option<String>) {
    tracing::info!(endpoint, %why, fingerprint, "refused");
}

/// When to come back, in whole seconds (RFC 9110 section 10.2.3).
pub fn retry_after_header(mut response: Response, span: Duration) -> Response {
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(span.as_secs().max(1)));
    response
}

/// Wherever nothing is: a page for people, JSON below the addresses that only programs call. Says nothing
/// of what was asked for, which may hold a token.
pub async fn not_found(State(web): State<Arc<Web>>, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().strip_prefix(web.urls.base()).unwrap_or(uri.path());
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    match first.to_ascii_lowercase().as_str() {
        "authorize" => leadexec::not_found(),
        "button" => button::not_found(),
        "_sandbox" => problem::problem(StatusCode::NOT_FOUND, "Not found", "There is nothing at this address."),
        "v1" | "v2" | "oauth" | "api" | ".well-known" => {
            (StatusCode::NOT_FOUND, Json(json!({"error": "not_found"}))).into_response()
        }
        _ => page::error(&web, &headers, None, Problem::NotFound, None),
    }
}

/// A known address, another method.
pub fn method_not_allowed_page(web: &Web, headers: &HeaderMap) -> Response {
    page::error(web, headers, None, Problem::MethodNotAllowed, None)
}
