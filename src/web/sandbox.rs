//! The sandbox's control plane (wire.md part E). Mounted only in sandbox mode; nothing else knows it.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::post;
use serde::{Deserialize, Serialize};

use super::Web;
use super::error::button::{AuthorizeResult, Code, respond};
use super::error::{failed, problem::problem};
use super::extract::{self, Bearer, BodyError};
use super::urls::route;
use crate::domain::ids::ConnectionId;
use crate::services::dialog::Decision;
use crate::services::sandbox::{self, Authorize, AuthorizeError};

pub fn routes() -> Router<Arc<Web>> {
    Router::new().route(route::SANDBOX_AUTHORIZE, post(authorize).fallback(other_method))
}

async fn other_method() -> Response {
    let mut response = problem(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", "Use POST.");
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    response
}

/// Whether the request carries the sandbox token. Constant time.
fn is_authorized(web: &Web, headers: &HeaderMap) -> bool {
    match (&web.sandbox_token, Bearer::of(headers)) {
        (Some(token), Bearer::Token(given)) => {
            verify_slices_are_equal(given.as_bytes(), token.expose().as_bytes()).is_ok()
        }
        _ => false,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AuthorizeRequest {
    user: String,
    button: String,
    decision: String,
    #[serde(default)]
    scopes: Option<Vec<String>>,
}

/// What the page's callback would get, and the connection behind it.
#[derive(Serialize)]
struct Authorized {
    #[serde(flatten)]
    result: AuthorizeResult,
    #[serde(rename = "connectionId")]
    connection: Option<ConnectionId>,
}

const SHAPE: &str = "Send a JSON object {\"user\": E-MAIL, \"button\": BUTTON ID, \"decision\": \"allow\" or \"deny\", \"scopes\"?: [SCOPE]}.";

/// The outcome of a sign-in, without a browser.
async fn authorize(State(web): State<Arc<Web>>, headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> Response {
    if !is_authorized(&web, &headers) {
        let detail = "Send the sandbox token that the server printed when it started: Authorization: Bearer TOKEN.";
        return problem(StatusCode::UNAUTHORIZED, "Unauthorized", detail);
    }
    let request: AuthorizeRequest = match extract::json(&headers, body) {
        Ok(request) => request,
        Err(error) => {
            let title = match error {
                BodyError::TooLarge => "Body too large",
                BodyError::WrongType => "Not JSON",
                BodyError::Malformed => "Malformed body",
            };
            return problem(error.status(), title, SHAPE);
        }
    };
    let decision = match request.decision.as_str() {
        "allow" => Decision::Allow,
        "deny" => Decision::Deny,
        _ => return problem(StatusCode::BAD_REQUEST, "Malformed body", SHAPE),
    };
    let button = request.button;
    let wanted = Authorize { user: request.user, button: button.clone(), decision, scopes: request.scopes };
    let (connection, result) = match sandbox::authorize(&web.ctx, wanted).await {
        Ok(Some(granted)) => (Some(granted.connection), AuthorizeResult::granted(granted, &button, false)),
        Ok(None) => (None, AuthorizeResult::refused(Code::AccessDenied, Some(&button), false)),
        Err(why) => return explain(&why),
    };
    respond(StatusCode::OK, &Authorized { result, connection })
}

fn explain(why: &AuthorizeError) -> Response {
    match why {
        AuthorizeError::Store(error) => {
            problem(failed(error), "The database did not answer", "Try again; the server's log has the reason.")
        }
        AuthorizeError::UnknownUser | AuthorizeError::UnknownButton => {
            problem(StatusCode::NOT_FOUND, "Not found", &format!("{why}."))
        }
        AuthorizeError::UserDisabled => problem(StatusCode::CONFLICT, "User disabled", &format!("{why}.")),
        AuthorizeError::UnknownScope(_) | AuthorizeError::NoScope | AuthorizeError::WiderScope { .. } => {
            problem(StatusCode::BAD_REQUEST, "Invalid scope", &format!("{why}."))
        }
    }
}
