//! Errors of the standard endpoints: JSON in the RFCs' own shape (RFC 6749 section 5.2), for every failure.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;

use super::{failed, retry_after_header};
use crate::crypto::password::Busy;
use crate::services::oauth::error::{ErrorCode, Invalid};
use crate::services::throttle::TooMany;
use crate::store::StoreError;

/// Headers that an answer has at most, with those that come on top.
const HEADERS: usize = 12;
/// Bytes that most answers fit into.
const ORDINARY: usize = 1024;

#[derive(Serialize)]
struct Body {
    error: &'static str,
    error_description: &'static str,
}

/// A JSON answer that no cache keeps (RFC 6749 section 5.1).
pub fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let mut text = Vec::with_capacity(ORDINARY);
    serde_json::to_writer(&mut text, body).expect("what is answered here always serializes");
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    // The map need not grow.
    *response.headers_mut() = HeaderMap::with_capacity(HEADERS);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    no_store(response)
}

static NO_STORE: [(HeaderName, HeaderValue); 3] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::PRAGMA, HeaderValue::from_static("no-cache")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
];

/// The headers of every answer that may hold a token, or a reason.
pub fn no_store(mut response: Response) -> Response {
    for (name, value) in &NO_STORE {
        response.headers_mut().insert(name, value.clone());
    }
    response
}

/// A refusal. `invalid_client` is 401 with a challenge (RFC 6749 section 5.2), all else 400.
pub fn invalid(invalid: Invalid) -> Response {
    let status = match invalid.code {
        ErrorCode::InvalidClient => StatusCode::UNAUTHORIZED,
        _ => StatusCode::BAD_REQUEST,
    };
    with_status(status, invalid)
}

/// The same with another status.
pub fn with_status(status: StatusCode, invalid: Invalid) -> Response {
    let mut response = json(status, &Body { error: invalid.code.as_str(), error_description: invalid.description });
    if invalid.code == ErrorCode::InvalidClient {
        let challenge = HeaderValue::from_static("Basic realm=\"leadgate\", charset=\"UTF-8\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// A failure of ours, which is logged.
pub fn store_failed(error: &StoreError) -> Response {
    failed_with(failed(error))
}

/// A failure outside any handler.
pub fn failed_with(status: StatusCode) -> Response {
    let (code, description) = if status == StatusCode::SERVICE_UNAVAILABLE {
        (ErrorCode::TemporarilyUnavailable, "The service is not available at the moment. Try again.")
    } else {
        (ErrorCode::ServerError, "The request failed on the server.")
    };
    let response = with_status(status, Invalid::new(code, description));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        return retry_after_header(response, std::time::Duration::from_secs(1));
    }
    response
}

pub fn too_many(TooMany { retry_after }: TooMany) -> Response {
    let invalid = Invalid::new(ErrorCode::SlowDown, "Too many attempts. Wait, and try again.");
    retry_after_header(with_status(StatusCode::TOO_MANY_REQUESTS, invalid), retry_after)
}

/// More passwords wait than are looked at in time.
pub fn busy(Busy { retry_after }: Busy) -> Response {
    retry_after_header(failed_with(StatusCode::SERVICE_UNAVAILABLE), retry_after)
}

/// A known address, another method.
pub fn method_not_allowed(allow: &'static str) -> Response {
    let invalid = Invalid::request("This address does not take that method.");
    let mut response = with_status(StatusCode::METHOD_NOT_ALLOWED, invalid);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    response
}
