//! Whom an access token acts for.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;

use super::super::Web;
use super::super::bearer::{Access, authorized};
use super::super::error::oauth;
use super::super::urls::route;
use crate::domain::access_token::Subject;
use crate::domain::ids::{AccountId, AppId, UserId};
use crate::domain::scope::Scope;

pub fn routes() -> Router<Arc<Web>> {
    Router::new().route(route::ME, get(me).fallback(other_method))
}

/// The user and account that the token acts for. A client's own token has no user; its account is its owner's.
async fn me(State(web): State<Arc<Web>>, request: Request) -> Response {
    // Extractors of its parts would copy each.
    let (head, _) = request.into_parts();
    let access = Access { method: &head.method, path: route::ME, headers: &head.headers, form: None };
    let token = match authorized(&web, route::ME, access, Scope::AccountApi).await {
        Ok(token) => token,
        Err(answer) => return *answer,
    };
    let (user, account) = match &token.subject {
        Subject::User { user, account, .. } => (Some(user), Some(account)),
        Subject::Client { account } => (None, account.as_ref()),
    };
    let me = Me {
        user: user.map(|user| Person {
            id: user.id,
            email: user.email.as_str(),
            name: &user.name,
            role: user.role.as_str(),
        }),
        account: account.map(|account| Business { id: &account.id, name: &account.name }),
        app: Application { id: &token.app },
        scopes: token.scopes.iter().map(Scope::as_str).collect(),
        expires_at: token.expires_at.to_rfc3339(),
    };
    oauth::json(StatusCode::OK, &me)
}

/// wire.md part C.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Me<'t> {
    user: Option<Person<'t>>,
    account: Option<Business<'t>>,
    app: Application<'t>,
    scopes: Vec<&'static str>,
    expires_at: String,
}

#[derive(Serialize)]
struct Person<'t> {
    id: UserId,
    email: &'t str,
    name: &'t str,
    role: &'static str,
}

#[derive(Serialize)]
struct Business<'t> {
    id: &'t AccountId,
    name: &'t str,
}

#[derive(Serialize)]
struct Application<'t> {
    id: &'t AppId,
}

async fn other_method() -> Response {
    oauth::method_not_allowed("GET, HEAD")
}
