//! The sandbox's control plane (wire.md part E). Mounted only in sandbox mode; nothing else knows it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

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
use super::error::{failed, oauth, problem::problem};
use super::extract::{self, Bearer, BodyError, Pairs};
use super::urls::route;
use crate::domain::authorization::ResponseMode;
use crate::domain::ids::ConnectionId;
use crate::services::dialog::Decision;
use crate::services::oauth::registration::{self, InitialToken};
use crate::services::sandbox::{self, Authorize, AuthorizeError};
use crate::store::StoreError;

pub fn routes() -> Router<Arc<Web>> {
    Router::new()
        .route(route::SANDBOX_AUTHORIZE, post(authorize).fallback(other_method))
        .route(route::SANDBOX_REGISTRATION_TOKENS, post(make_registration_token).fallback(other_method))
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

fn unauthorized() -> Response {
    let detail = "Send the sandbox token that the server printed when it started: Authorization: Bearer TOKEN.";
    problem(StatusCode::UNAUTHORIZED, "Unauthorized", detail)
}

/// `shape` says what the body has to be.
fn unreadable(error: BodyError, shape: &str) -> Response {
    let title = match error {
        BodyError::TooLarge => "Body too large",
        BodyError::WrongType => "Not JSON",
        BodyError::Malformed => "Malformed body",
    };
    problem(error.status(), title, shape)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AuthorizeRequest {
    user: String,
    /// A click on this button …
    #[serde(default)]
    button: Option<String>,
    /// … or a request to the authorization endpoint, with its query.
    #[serde(default)]
    authorize_url: Option<String>,
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

const SHAPE: &str = "Send a JSON object {\"user\": E-MAIL, \"button\": BUTTON ID, \"decision\": \"allow\" or \"deny\", \"scopes\"?: [SCOPE]}, \
                     or \"authorize_url\": \"/oauth/authorize?…\" in place of the button.";

/// The outcome of a sign-in, without a browser.
async fn authorize(State(web): State<Arc<Web>>, headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> Response {
    if !is_authorized(&web, &headers) {
        return unauthorized();
    }
    let request: AuthorizeRequest = match extract::json(&headers, body) {
        Ok(request) => request,
        Err(error) => return unreadable(error, SHAPE),
    };
    let decision = match request.decision.as_str() {
        "allow" => Decision::Allow,
        "deny" => Decision::Deny,
        _ => return problem(StatusCode::BAD_REQUEST, "Malformed body", SHAPE),
    };
    let button = match (request.button, request.authorize_url) {
        (Some(button), None) => button,
        (None, Some(url)) => {
            let wanted = Wanted { user: &request.user, decision, scopes: request.scopes.as_deref() };
            return authorize_url(&web, &url, wanted).await;
        }
        _ => return problem(StatusCode::BAD_REQUEST, "Malformed body", SHAPE),
    };
    let wanted = Authorize { user: request.user, button: button.clone(), decision, scopes: request.scopes };
    let (connection, result) = match sandbox::authorize(&web.ctx, wanted).await {
        Ok(Some(granted)) => (Some(granted.connection), AuthorizeResult::granted(granted, &button, false)),
        Ok(None) => (None, AuthorizeResult::refused(Code::AccessDenied, Some(&button), false)),
        Err(why) => return explain(&why),
    };
    respond(StatusCode::OK, &Authorized { result, connection })
}

/// Who decides what.
struct Wanted<'w> {
    user: &'w str,
    decision: Decision,
    scopes: Option<&'w [String]>,
}

/// Where the browser would be sent, and for `form_post` what it would send.
#[derive(Serialize)]
struct Redirected {
    redirect_to: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    form: Option<BTreeMap<&'static str, String>>,
}

async fn authorize_url(web: &Web, url: &str, wanted: Wanted<'_>) -> Response {
    let wrong = "authorize_url is this server's /oauth/authorize with a query: a path, or the whole address.";
    let own = [web.urls.public(route::OAUTH_AUTHORIZE), web.urls.path(route::OAUTH_AUTHORIZE)];
    let query = own.iter().find_map(|own| url.strip_prefix(own.as_str())?.strip_prefix('?'));
    let Some(Ok(parameters)) = query.map(|query| Pairs::exact(query.as_bytes())) else {
        return problem(StatusCode::BAD_REQUEST, "Not an authorization request", wrong);
    };
    let Wanted { user, decision, scopes } = wanted;
    match sandbox::authorize_request(&web.ctx, user, &parameters, decision, scopes).await {
        Ok(response) => {
            let redirect_to = response.location();
            let is_form = response.target.mode == ResponseMode::FormPost;
            let form = is_form.then(|| response.parameters.into_iter().collect());
            oauth::json(StatusCode::OK, &Redirected { redirect_to, form })
        }
        Err(why) => explain(&why),
    }
}

fn failure(error: &StoreError) -> Response {
    problem(failed(error), "The database did not answer", "Try again; the server's log has the reason.")
}

fn explain(why: &AuthorizeError) -> Response {
    match why {
        AuthorizeError::Store(error) => failure(error),
        AuthorizeError::UnknownUser | AuthorizeError::UnknownButton => {
            problem(StatusCode::NOT_FOUND, "Not found", &format!("{why}."))
        }
        AuthorizeError::Unsendable(why) => {
            problem(StatusCode::BAD_REQUEST, "A browser would be shown a page", &format!("{why}."))
        }
        AuthorizeError::UserDisabled => problem(StatusCode::CONFLICT, "User disabled", &format!("{why}.")),
        AuthorizeError::UnknownScope(_) | AuthorizeError::NoScope | AuthorizeError::WiderScope { .. } => {
            problem(StatusCode::BAD_REQUEST, "Invalid scope", &format!("{why}."))
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegistrationTokenRequest {
    /// Seconds.
    #[serde(default)]
    expires_in: Option<u64>,
}

#[derive(Serialize)]
struct RegistrationToken {
    token: String,
    expires_at: String,
}

/// An initial access token (RFC 7591 section 3). Without a body it is good for as long as usual.
async fn make_registration_token(
    State(web): State<Arc<Web>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    const SHAPE: &str = "Send nothing, or a JSON object {\"expires_in\"?: SECONDS}, at most 31536000 of them.";
    if !is_authorized(&web, &headers) {
        return unauthorized();
    }
    let asked = match &body {
        Ok(bytes) if bytes.is_empty() => None,
        _ => match extract::json::<RegistrationTokenRequest>(&headers, body) {
            Ok(request) => request.expires_in.map(Duration::from_secs),
            Err(error) => return unreadable(error, SHAPE),
        },
    };
    let lifetime = asked.unwrap_or(registration::TOKEN_LIFETIME);
    if !registration::is_token_lifetime(lifetime) {
        return problem(StatusCode::BAD_REQUEST, "Invalid lifetime", SHAPE);
    }
    match registration::make_token(&web.ctx, lifetime).await {
        Ok(InitialToken { token, expires_at }) => {
            let made = RegistrationToken { token, expires_at: expires_at.to_rfc3339() };
            oauth::json(StatusCode::CREATED, &made)
        }
        Err(error) => failure(&error),
    }
}
