//! The form of LeadExec's token endpoint (wire.md part C): always these four keys.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;

use super::oauth;
use super::{failed as status_of, retry_after_header};
use crate::crypto::password::Busy;
use crate::services::oauth::error::ErrorCode;
use crate::services::throttle::TooMany;
use crate::store::StoreError;

#[derive(Serialize)]
struct Answer<'a> {
    access_token: Option<&'a str>,
    token_type: Option<&'static str>,
    expires_in: Option<u64>,
    error: Option<&'static str>,
}

pub fn issued(access_token: &str, expires_in: u64) -> Response {
    let answer = Answer {
        access_token: Some(access_token),
        token_type: Some("Bearer"),
        expires_in: Some(expires_in),
        error: None,
    };
    oauth::json(StatusCode::OK, &answer)
}

pub fn refused(status: StatusCode, code: ErrorCode) -> Response {
    let answer = Answer { access_token: None, token_type: None, expires_in: None, error: Some(code.as_str()) };
    oauth::json(status, &answer)
}

/// What is wrong with a request: 401 where it is the client itself (RFC 6749 section 5.2).
pub fn invalid(code: ErrorCode) -> Response {
    let status = match code {
        ErrorCode::InvalidClient => StatusCode::UNAUTHORIZED,
        _ => StatusCode::BAD_REQUEST,
    };
    refused(status, code)
}

/// A failure of ours, which is logged.
pub fn store_failed(error: &StoreError) -> Response {
    failed(status_of(error))
}

/// A failure outside any handler.
pub fn failed(status: StatusCode) -> Response {
    if status == StatusCode::SERVICE_UNAVAILABLE {
        let response = refused(status, ErrorCode::TemporarilyUnavailable);
        return retry_after_header(response, std::time::Duration::from_secs(1));
    }
    refused(status, ErrorCode::ServerError)
}

pub fn too_many(TooMany { retry_after }: TooMany) -> Response {
    retry_after_header(refused(StatusCode::TOO_MANY_REQUESTS, ErrorCode::SlowDown), retry_after)
}

pub fn busy(Busy { retry_after }: Busy) -> Response {
    retry_after_header(failed(StatusCode::SERVICE_UNAVAILABLE), retry_after)
}

pub fn method_not_allowed() -> Response {
    let mut response = refused(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::InvalidRequest);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    response
}
