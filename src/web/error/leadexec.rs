//! The forms of LeadExec's two endpoints (wire.md A2 to A4): `valid` and a sentence, for every outcome.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;

use super::super::extract::rest_of_path;
use super::super::urls::route;
use crate::services::Granted;
use crate::views::script_json;

/// The answer of A2: always these five keys.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RefreshAnswer<'a> {
    pub valid: bool,
    pub refresh_token: &'a str,
    pub auth_token: Option<&'a str>,
    pub expire_date: Option<String>,
    pub error_message: Option<&'a str>,
}

/// The answer of A3.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DisconnectAnswer<'a> {
    pub valid: bool,
    pub error_message: Option<&'a str>,
}

/// One sentence for every token that is not good together with that application, so that it tells neither
/// from the other.
pub const NOT_GOOD: &str = "The refresh token and the application ID do not belong to a connection that is active.";
pub const NOT_CONNECTED: &str =
    "The refresh token is not valid, or the connection that it stood for has already been ended.";
pub const OBJECT_OBJECT: &str = "The address ends in [object Object]: the disconnect function was given a click's \
                                 event instead of the refresh token. Call it with the token.";
pub const EFFECTLESS: &str = "Nothing was done: this was a HEAD request or a prefetch.";
pub const UNAVAILABLE: &str = "The service is not available at the moment. Try again.";
pub const FAILED: &str = "The request failed on the server.";
pub const TOO_MANY: &str = "Too many tokens were refused. Wait, and try again.";
pub const WRONG_METHOD: &str = "This address does not take that method.";
pub const BAD_CALLBACK: &str = "The callback is not a plain JavaScript name.";
pub const BAD_BODY: &str = "Send a form with the field token.";

impl<'a> RefreshAnswer<'a> {
    pub fn granted(granted: &'a Granted) -> Self {
        Self {
            valid: true,
            refresh_token: &granted.refresh_token,
            auth_token: Some(&granted.access_token),
            expire_date: Some(granted.expires_at.to_rfc3339()),
            error_message: None,
        }
    }

    pub fn refused(refresh_token: &'a str, sentence: &'a str) -> Self {
        Self { valid: false, refresh_token, auth_token: None, expire_date: None, error_message: Some(sentence) }
    }

    pub fn respond(&self, status: StatusCode) -> Response {
        answer(status, "application/json", script_json(self))
    }
}

impl<'a> DisconnectAnswer<'a> {
    pub const DONE: DisconnectAnswer<'static> = DisconnectAnswer { valid: true, error_message: None };

    pub fn refused(sentence: &'a str) -> Self {
        Self { valid: false, error_message: Some(sentence) }
    }

    pub fn json(&self) -> String {
        script_json(self)
    }

    pub fn respond(&self, status: StatusCode) -> Response {
        isolated(answer(status, "application/json", self.json()))
    }
}

/// The sentence for a failure of ours.
pub fn failure_sentence(status: StatusCode) -> &'static str {
    if status == StatusCode::SERVICE_UNAVAILABLE { UNAVAILABLE } else { FAILED }
}

/// A body with the headers of wire.md A4.
pub fn answer(status: StatusCode, content_type: &'static str, body: String) -> Response {
    let mut response = guarded(status, Body::from(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// No body, with the same headers.
pub fn no_content() -> Response {
    guarded(StatusCode::NO_CONTENT, Body::empty())
}

fn guarded(status: StatusCode, body: Body) -> Response {
    static HEADERS: [(HeaderName, HeaderValue); 5] = [
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::PRAGMA, HeaderValue::from_static("no-cache")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex")),
    ];
    let mut response = Response::new(body);
    *response.status_mut() = status;
    // Room for those that come on top, so that the map need not grow.
    *response.headers_mut() = HeaderMap::with_capacity(2 * HEADERS.len());
    for (name, value) in &HEADERS {
        response.headers_mut().insert(name, value.clone());
    }
    response
}

/// What a page of another site may run as a script, and must not be anything else.
pub fn isolated(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox"),
    );
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin"));
    response
}

/// `sentence` says what is not there.
pub fn not_found(sentence: &'static str) -> Response {
    DisconnectAnswer::refused(sentence).respond(StatusCode::NOT_FOUND)
}

/// A failure outside any handler, in the form of the endpoint at `path`.
pub fn failed(path: &str, status: StatusCode) -> Response {
    let sentence = failure_sentence(status);
    if path.contains(route::REFRESH) {
        RefreshAnswer::refused(&rest_of_path(path, route::REFRESH), sentence).respond(status)
    } else {
        DisconnectAnswer::refused(sentence).respond(status)
    }
}
