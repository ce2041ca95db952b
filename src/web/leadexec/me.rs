//! Whom an access token acts for.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use axum::routing::get;
use serde_json::json;

use super::super::Web;
use super::super::bearer::{Access, authorized};
use super::super::error::oauth;
use super::super::urls::route;
use crate::domain::access_token::Subject;
use crate::domain::scope::Scope;

pub fn routes() -> Router<Arc<Web>> {
    Router::new().route(route::ME, get(me).fallback(other_method))
}

/// The user and account that the token acts for. A client's own token has no user; its account is its owner's.
async fn me(State(web): State<Arc<Web>>, method: Method, headers: HeaderMap) -> Response {
    let access = Access { method: &method, path: route::ME, headers: &headers, form: None };
    let token = match authorized(&web, route::ME, access, Scope::AccountApi).await {
        Ok(token) => token,
        Err(answer) => return *answer,
    };
    let (user, account) = match &token.subject {
        Subject::User { user, account, .. } => (Some(user), Some(account)),
        Subject::Client { account } => (None, account.as_ref()),
    };
    let body = json!({
        "user": user.map(|user| json!({
            "id": user.id, "email": user.email.as_str(), "name": user.name, "role": user.role.as_str(),
        })),
        "account": account.map(|account| json!({"id": account.id, "name": account.name})),
        "app": {"id": token.app},
        "scopes": token.scopes.iter().map(Scope::as_str).collect::<Vec<_>>(),
        "expiresAt": token.expires_at.to_rfc3339(),
    });
    oauth::json(StatusCode::OK, &body)
}

async fn other_method() -> Response {
    oauth::method_not_allowed("GET, HEAD")
}
