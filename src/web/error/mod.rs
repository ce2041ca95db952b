//! Errors, by surface: each submodule is the only one that writes that surface's form. Public text and
//! private reason are different things; the reason is logged here, once.

pub mod api_token;
pub mod button;
pub mod leadexec;
pub mod oauth;
pub mod problem;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::urls::route;
use super::{Web, page};
use crate::domain::journal::Why;
use crate::services::journal::note;
use crate::services::reason::{self, Reason};
use crate::services::throttle::TooMany;
use crate::store::StoreError;
use crate::telemetry::REFUSALS;
use crate::views::Problem;

/// The status of a failure of ours, which is logged: 503 where trying again may help.
pub fn failed(error: &StoreError) -> StatusCode {
    match error {
        StoreError::Unavailable(..) | StoreError::Again => {
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
    page::error(web, headers, None, failure(failed(error)), None)
}

/// The page for somebody who begins more than the limit allows.
pub fn too_many_page(web: &Web, headers: &HeaderMap, endpoint: &'static str, span: TooMany) -> Response {
    refused(endpoint, &span, None);
    retry_after_header(page::error(web, headers, None, Problem::TooManyRequests, None), span.retry_after)
}

/// A refusal, for who runs the server. `fingerprint` stands for the secret that was presented.
pub fn refused(endpoint: &'static str, why: &impl Reason, fingerprint: Option<String>) {
    let endpoint = endpoint.trim_start_matches('/');
    REFUSALS.add([endpoint, why.rule()]);
    if note::is_shown() {
        tracing::debug!(endpoint, %why, fingerprint, "refused");
    } else {
        tracing::info!(endpoint, %why, fingerprint, "refused");
    }
    reason::note(why);
}

/// When to come back, in whole seconds (RFC 9110 section 10.2.3).
pub fn retry_after_header(mut response: Response, span: Duration) -> Response {
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(span.as_secs().max(1)));
    response
}

/// Whom an address is for, and so which form an error has there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Surface {
    LeadExec,
    Button,
    ControlPlane,
    /// The standards' and LeadExec's own APIs, whose errors are OAuth's.
    Api,
    Pages,
}

impl Surface {
    fn of(web: &Web, path: &str) -> Self {
        let path = match web.namespace_in(path) {
            Some((_, below)) => below,
            None => path.strip_prefix(web.urls.base()).unwrap_or(path),
        };
        let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        match first.to_ascii_lowercase().as_str() {
            // The pop-up's first page, among what scripts talk to.
            _ if path == route::BUTTON_AUTHORIZE => Self::Pages,
            _ if [route::OAUTH_AUTHORIZE, route::END_SESSION].contains(&path) => Self::Pages,
            "authorize" => Self::LeadExec,
            "button" => Self::Button,
            "_sandbox" | "api" => Self::ControlPlane,
            "v1" | "v2" | "oauth" | "deliveries" | ".well-known" | "livez" | "readyz" | "metrics" => Self::Api,
            _ => Self::Pages,
        }
    }
}

const NO_ROUTE: &str = "There is nothing at this address.";
const NO_NAMESPACE: &str = "This namespace is unknown, or its time is over: make another one.";

/// Wherever nothing is. Says nothing of what was asked for, which may hold a token.
pub async fn not_found(State(web): State<Arc<Web>>, uri: Uri, headers: HeaderMap) -> Response {
    let (sentence, page) = if web.namespace_in(uri.path()).is_some() {
        note::why(Why::new("namespace.over", NO_NAMESPACE));
        (NO_NAMESPACE, Problem::NamespaceOver)
    } else {
        (NO_ROUTE, Problem::NotFound)
    };
    match Surface::of(&web, uri.path()) {
        Surface::LeadExec => leadexec::not_found(sentence),
        Surface::Button => button::not_found(),
        Surface::ControlPlane => problem::Problem::not_found(sentence).into_response(),
        Surface::Api => {
            (StatusCode::NOT_FOUND, Json(json!({"error": "not_found", "error_description": sentence}))).into_response()
        }
        Surface::Pages => page::error(&web, &headers, None, page, None),
    }
}

/// A failure outside any handler, in the form of the surface: a request that took too long (503), or one
/// whose handler panicked (500).
pub fn failed_at(web: &Web, path: &str, headers: &HeaderMap, status: StatusCode) -> Response {
    match Surface::of(web, path) {
        Surface::LeadExec => leadexec::failed(path, status),
        Surface::Button => button::failed(status),
        Surface::ControlPlane => {
            problem::Problem::new(status, "Failed", "The server's log has the reason.").into_response()
        }
        Surface::Api if path.ends_with(route::API_TOKEN) => api_token::failed(status),
        Surface::Api => oauth::failed_with(status),
        Surface::Pages => page::error(web, headers, None, failure(status), None),
    }
}

fn failure(status: StatusCode) -> Problem {
    if status == StatusCode::SERVICE_UNAVAILABLE { Problem::Unavailable } else { Problem::Internal }
}

/// A known address, another method.
pub fn method_not_allowed_page(web: &Web, headers: &HeaderMap) -> Response {
    page::error(web, headers, None, Problem::MethodNotAllowed, None)
}
