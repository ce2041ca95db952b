//! The object that `AuthorizeResult` gets (wire.md A1): always all of its keys.

use std::borrow::Cow;

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::services::Granted;

/// Why there was no sign-in: the codes of wire.md A1 that a server gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum Code {
    AccessDenied,
    OriginNotAllowed,
    InvalidButton,
    InvalidGrant,
    LoginRequired,
    ConsentRequired,
    RateLimited,
    ServerError,
}

impl Code {
    const ALL: [Code; 8] = [
        Code::AccessDenied,
        Code::OriginNotAllowed,
        Code::InvalidButton,
        Code::InvalidGrant,
        Code::LoginRequired,
        Code::ConsentRequired,
        Code::RateLimited,
        Code::ServerError,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Code::AccessDenied => "access_denied",
            Code::OriginNotAllowed => "origin_not_allowed",
            Code::InvalidButton => "invalid_button",
            Code::InvalidGrant => "invalid_grant",
            Code::LoginRequired => "login_required",
            Code::ConsentRequired => "consent_required",
            Code::RateLimited => "rate_limited",
            Code::ServerError => "server_error",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }

    /// The status that an answer for a whole request has, where it is about this.
    pub const fn usual_status(self) -> StatusCode {
        match self {
            Code::OriginNotAllowed => StatusCode::FORBIDDEN,
            Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Code::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
            Code::AccessDenied
            | Code::InvalidButton
            | Code::InvalidGrant
            | Code::LoginRequired
            | Code::ConsentRequired => StatusCode::OK,
        }
    }

    /// What it means, for the developer who reads it.
    pub const fn message(self) -> &'static str {
        match self {
            Code::AccessDenied => "The user did not allow access.",
            Code::OriginNotAllowed => "This page's origin is not listed for the button.",
            Code::InvalidButton => "There is no button with this id.",
            Code::InvalidGrant => {
                "The authorization code is not valid: it is unknown, was used, has expired, or does not go with \
                 this page and its code verifier."
            }
            Code::LoginRequired => "The user has to click: nobody is signed in who consented to this application.",
            Code::ConsentRequired => "The user has to click: the button asks for more than was consented to.",
            Code::RateLimited => "Too many attempts. Wait, and try again.",
            Code::ServerError => "The server could not answer. Try again.",
        }
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The outcome of one sign-in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizeResult {
    pub valid: bool,
    pub error: Option<Code>,
    pub error_message: Option<Cow<'static, str>>,
    pub refresh_token: Option<String>,
    pub auth_token: Option<String>,
    pub expire_date: Option<String>,
    pub button_id: Option<String>,
    /// Whether no click was needed.
    pub auto: bool,
}

impl AuthorizeResult {
    pub fn granted(granted: Granted, button: &str, auto: bool) -> Self {
        Self {
            valid: true,
            error: None,
            error_message: None,
            refresh_token: Some(granted.refresh_token),
            auth_token: Some(granted.access_token),
            expire_date: Some(granted.expires_at.to_rfc3339()),
            button_id: Some(button.to_owned()),
            auto,
        }
    }

    /// `button` is `None` where the request named none that could be read.
    pub fn refused(code: Code, button: Option<&str>, auto: bool) -> Self {
        Self {
            valid: false,
            error: Some(code),
            error_message: Some(code.message().into()),
            refresh_token: None,
            auth_token: None,
            expire_date: None,
            button_id: button.map(str::to_owned),
            auto,
        }
    }
}

/// A JSON answer of the button's endpoints; whether another origin may read it is the caller's decision.
pub fn respond(status: StatusCode, body: &impl Serialize) -> Response {
    let mut response = (status, Json(body)).into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::VARY, "Origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A failure outside any handler.
pub fn failed(status: StatusCode) -> Response {
    respond(status, &AuthorizeResult::refused(Code::ServerError, None, false))
}

/// Where there is no result, as there is no button.
pub fn not_found() -> Response {
    respond(StatusCode::NOT_FOUND, &serde_json::json!({"error": "not_found"}))
}
