//! Who may use the control plane: whoever has the sandbox token, or is signed in at the inspector.

use std::convert::Infallible;
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::super::Web;
use super::super::error::problem::Problem;
use super::super::extract::{self, Bearer};
use super::super::inspector::session;
use crate::services::audit::By;

/// Around every operation that is not public: 401 before anything else of the request is looked at.
pub async fn require(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    if has_token(&web, headers) || session::may_call(&web, headers) {
        next.run(request).await
    } else {
        unauthorized().into_response()
    }
}

/// Whoever calls the control plane, for the event log.
pub struct Operator(pub By);

impl<S: Sync> FromRequestParts<S> for Operator {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(By::control_plane(extract::peer(&parts.extensions))))
    }
}

/// Whether the request carries the sandbox token. Constant time.
pub fn has_token(web: &Web, headers: &HeaderMap) -> bool {
    match (&web.sandbox_token, Bearer::of(headers)) {
        (Some(token), Bearer::Token(given)) => {
            verify_slices_are_equal(given.as_bytes(), token.expose().as_bytes()).is_ok()
        }
        _ => false,
    }
}

fn unauthorized() -> Problem {
    let detail = "Send the sandbox token that the server printed when it started: Authorization: Bearer TOKEN.";
    Problem::new(StatusCode::UNAUTHORIZED, "Unauthorized", detail)
}
