//! What an access token opens: the emulated slice of LeadExec's APIs (wire.md part C).

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::Web;
use super::error::{failed, refused};
use super::extract::Bearer;
use super::urls::route;
use crate::crypto::token::fingerprint;
use crate::domain::access_token::AccessToken;
use crate::domain::scope::Scope;
use crate::services::bearer::{self, BearerError};

pub fn routes() -> Router<Arc<Web>> {
    Router::new().route(route::ME, get(me).fallback(other_method))
}

/// The user and account that the token acts for.
async fn me(State(web): State<Arc<Web>>, headers: HeaderMap) -> Response {
    let token = match authorized(&web, &headers, Scope::AccountApi).await {
        Ok(token) => token,
        Err(answer) => return *answer,
    };
    let body = json!({
        "user": {
            "id": token.user.id, "email": token.user.email.as_str(),
            "name": token.user.name, "role": token.user.role.as_str(),
        },
        "account": {"id": token.account.id, "name": token.account.name},
        "app": {"id": token.app},
        "scopes": token.scopes.iter().map(Scope::as_str).collect::<Vec<_>>(),
        "expiresAt": token.expires_at.to_rfc3339(),
    });
    answer(StatusCode::OK, body)
}

async fn other_method() -> Response {
    let mut response = answer(StatusCode::METHOD_NOT_ALLOWED, json!({"error": "invalid_request"}));
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

fn answer(status: StatusCode, body: Value) -> Response {
    let mut response = (status, Json(body)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// An answer with the challenge of RFC 6750 section 3. `error` is `None` where no token was presented.
fn challenge(status: StatusCode, error: Option<&str>, description: &str, scope: Option<Scope>) -> Response {
    let mut fields = vec!["realm=\"leadgate\"".to_owned()];
    if let Some(error) = error {
        fields.push(format!("error=\"{error}\""));
        fields.push(format!("error_description=\"{description}\""));
    }
    if let Some(scope) = scope {
        fields.push(format!("scope=\"{scope}\""));
    }
    let body = json!({"error": error.unwrap_or("unauthorized"), "error_description": description});
    let mut response = answer(status, body);
    if let Ok(value) = HeaderValue::from_str(&format!("Bearer {}", fields.join(", "))) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    response
}

/// The token that a request acts with, if it lives and has the scope.
async fn authorized(web: &Web, headers: &HeaderMap, scope: Scope) -> Result<AccessToken, Box<Response>> {
    let text = match Bearer::of(headers) {
        Bearer::Token(text) => text,
        Bearer::None => {
            let description = "Send an access token: Authorization: Bearer TOKEN";
            return Err(Box::new(challenge(StatusCode::UNAUTHORIZED, None, description, None)));
        }
        Bearer::Malformed => {
            let description = "Send one Authorization header with one token";
            return Err(Box::new(challenge(StatusCode::BAD_REQUEST, Some("invalid_request"), description, None)));
        }
    };
    match bearer::authenticate(&web.ctx, &text).await {
        Ok(token) if token.scopes.contains(scope) => Ok(token),
        Ok(_) => {
            let description = "The access token was not granted this scope";
            Err(Box::new(challenge(StatusCode::FORBIDDEN, Some("insufficient_scope"), description, Some(scope))))
        }
        Err(BearerError::Refused(why)) => {
            refused("me", &why, Some(fingerprint(&text)));
            let description = "The access token is unknown, expired or revoked";
            Err(Box::new(challenge(StatusCode::UNAUTHORIZED, Some("invalid_token"), description, None)))
        }
        Err(BearerError::Store(error)) => Err(Box::new(answer(failed(&error), json!({"error": "server_error"})))),
    }
}
