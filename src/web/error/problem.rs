//! Errors of the control plane: `application/problem+json` (RFC 9457).

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::failed;
use crate::store::StoreError;

/// Why a request of the control plane was not served (RFC 9457).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the status is the kind (RFC 9457 section 4.2.1).
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    kind: &'static str,
    /// The kind of problem, in a few words.
    #[schema(value_type = String, example = "Invalid value")]
    title: Cow<'static, str>,
    /// The status of the answer.
    #[schema(example = 400)]
    status: u16,
    /// What was wrong, and what to do.
    #[schema(value_type = String, example = "Expected a string.")]
    detail: Cow<'static, str>,
    /// Where in the body: a JSON Pointer (RFC 6901).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "/origins/0")]
    pointer: Option<Box<str>>,
    /// Which parameter of the query.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "limit")]
    parameter: Option<Box<str>>,
    /// Members that only some problems have.
    #[serde(flatten)]
    #[schema(ignore)]
    more: Option<Box<Map<String, Value>>>,
}

impl Problem {
    /// `title` names the kind of problem, `detail` this occurrence and what to do. Neither has a secret.
    pub fn new(status: StatusCode, title: impl Into<Cow<'static, str>>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind: "about:blank",
            title: title.into(),
            status: status.as_u16(),
            detail: detail.into(),
            pointer: None,
            parameter: None,
            more: None,
        }
    }

    /// A value that cannot be what it was given for.
    pub fn invalid(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Invalid value", detail)
    }

    pub fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not found", detail)
    }

    /// What is there already, or does not go with what is.
    pub fn conflict(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, "Conflict", detail)
    }

    /// A failure of ours, which is logged.
    pub fn failure(error: &StoreError) -> Self {
        let detail = "Try again; the server's log has the reason.";
        Self::new(failed(error), "The database did not answer", detail)
    }

    /// Where in the body it was: a JSON Pointer (RFC 6901), empty for the whole.
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into().into_boxed_str());
        self
    }

    /// Which parameter of the query it was.
    pub fn in_query(mut self, name: impl Into<String>) -> Self {
        self.parameter = Some(name.into().into_boxed_str());
        self
    }

    fn written(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether it is that something is not there.
    pub fn is_not_found(&self) -> bool {
        self.status == StatusCode::NOT_FOUND.as_u16()
    }

    /// Another problem where this one is that something is not there.
    pub fn or(self, other: impl FnOnce() -> Self) -> Self {
        if self.is_not_found() { other() } else { self }
    }

    /// A member that this kind of problem has besides.
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.more.get_or_insert_default().insert(member.to_owned(), value.into());
        self
    }
}

/// Writes the request's id into a problem, which was made where nobody knew it.
pub fn name_request(response: &mut Response, id: &str) {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return };
    let problem = problem.with("request_id", id);
    let body = problem.written();
    // A router below may have measured the other one.
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    *response.body_mut() = body.into();
}

/// The text of an error of ours as a sentence. A name that it begins with, such as `client_id`, stays as it is.
pub fn sentence(text: &str) -> String {
    let text = text.trim_end_matches('.');
    let word = text.split(' ').next().unwrap_or_default();
    let (first, rest) = text.split_at(usize::from(word.bytes().all(|b| b.is_ascii_lowercase()) && !word.is_empty()));
    format!("{}{rest}.", first.to_ascii_uppercase())
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::failure(&error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, self.written()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"leadgate sandbox\""));
        }
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wire_e_a_detail_is_a_sentence() {
        for (text, expected) in [
            ("there is no user", "There is no user."),
            ("client_id is missing", "client_id is missing."),
            ("`x` is not known.", "`x` is not known."),
            ("é", "é."),
            ("", "."),
        ] {
            assert_eq!(sentence(text), expected);
        }
    }
}
