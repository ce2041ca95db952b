//! What an access token opens: the emulated slice of LeadExec's APIs (wire.md part C), one file for each endpoint.

mod insert;
mod me;
mod query;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::Value;

use super::Web;
use super::error::oauth::{invalid, with_status};
use super::extract::{self, BodyError, LATE_BODY};
use crate::services::oauth::error::Invalid;

pub fn routes() -> Router<Arc<Web>> {
    Router::new().merge(token::routes()).merge(insert::routes()).merge(query::routes()).merge(me::routes())
}

/// The JSON that a request brings, of at most `limit`, as people write it.
fn json(headers: &HeaderMap, body: Result<Bytes, BytesRejection>, limit: &'static str) -> Result<Value, Box<Response>> {
    extract::json(headers, body).map_err(|error| {
        Box::new(match error {
            BodyError::TooLarge => with_status(error.status(), Invalid::request(limit)),
            BodyError::WrongType => with_status(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                Invalid::request("Send JSON: Content-Type: application/json. XML and forms are not taken here."),
            ),
            BodyError::Malformed => invalid(Invalid::request("The body is no JSON.")),
            BodyError::Late => with_status(error.status(), Invalid::request(LATE_BODY)),
        })
    })
}
