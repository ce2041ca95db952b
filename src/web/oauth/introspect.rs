//! Token introspection (RFC 7662).

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use serde::Serialize;
use serde_json::json;

use super::super::Web;
use super::super::error::oauth::{invalid, json as respond, method_not_allowed, store_failed};
use super::super::urls::route;
use super::client::{self, Claimed, ClientRequest, Pages};
use crate::domain::app::ClientType;
use crate::domain::ids::{AccessTokenId, AppId};
use crate::domain::resource::Resource;
use crate::services::oauth::error::{ErrorCode, Invalid};
use crate::services::oauth::introspection::{self, Introspected};

pub fn routes() -> Router<Arc<Web>> {
    Router::new().route(route::INTROSPECT, post(introspect).fallback(async || method_not_allowed("POST")))
}

async fn introspect(State(web): State<Arc<Web>>, request: Request) -> Response {
    let at_once = async |request: &Claimed| answer_at_once(&web, request).await;
    let answer = async |request| answer(&web, request).await;
    client::serve_at_once(&web, route::INTROSPECT, Pages::None, request, at_once, answer).await
}

/// With the client as it is remembered: its own tokens are told, and all else is left to [`answer`].
async fn answer_at_once(web: &Web, request: &Claimed) -> Option<Response> {
    let token = request.form.get("token").ok().flatten()?;
    let remembered = request.remembered(web).filter(|client| client.client_type() == ClientType::Confidential)?;
    match introspection::introspect_for_remembered(&web.ctx, &remembered, token).await {
        Ok(told) => Some(told_of(&web.ctx.issuer, told?.as_ref())),
        Err(error) => Some(store_failed(&error)),
    }
}

fn told_of(issuer: &str, found: Option<&Introspected>) -> Response {
    match found {
        Some(found) => respond(StatusCode::OK, &active(issuer, found)),
        None => respond(StatusCode::OK, &json!({"active": false})),
    }
}

async fn answer(web: &Web, request: ClientRequest) -> Response {
    // Anybody can name a public client: that would let anybody try tokens (RFC 7662 section 2.1).
    if request.app().client_type() == ClientType::Public {
        let description = "Introspection is for clients that can authenticate.";
        return invalid(Invalid::new(ErrorCode::InvalidClient, description));
    }
    let token = match request.form.get("token") {
        Ok(Some(token)) => token,
        Ok(None) => return invalid(Invalid::request("token is missing.")),
        Err(repeated) => return invalid(repeated.into()),
    };
    match introspection::introspect(&web.ctx, request.app(), token).await {
        Ok(found) => told_of(&web.ctx.issuer, found.as_ref()),
        Err(error) => store_failed(&error),
    }
}

/// RFC 7662 section 2.2; `cnf` by RFC 9449 section 6.2.
#[derive(Serialize)]
struct Active<'t> {
    active: bool,
    aud: &'t str,
    client_id: &'t AppId,
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<Confirmation<'t>>,
    /// Seconds since 1970, as `iat`.
    exp: i64,
    iat: i64,
    iss: &'t str,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<AccessTokenId>,
    scope: String,
    sub: String,
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'t str>,
}

#[derive(Serialize)]
struct Confirmation<'t> {
    jkt: &'t str,
}

fn active<'t>(issuer: &'t str, found: &'t Introspected) -> Active<'t> {
    let (sub, username) = (found.sub(), found.username());
    match found {
        Introspected::AccessToken(token) => Active {
            active: true,
            aud: token.resource.as_ref().map_or(issuer, Resource::as_str),
            client_id: &token.app,
            cnf: token.dpop_jkt.as_deref().map(|jkt| Confirmation { jkt }),
            exp: token.expires_at.unix_seconds(),
            iat: token.issued_at.unix_seconds(),
            iss: issuer,
            jti: Some(token.id),
            scope: token.scopes.to_string(),
            sub,
            token_type: if token.dpop_jkt.is_some() { "DPoP" } else { "Bearer" },
            username,
        },
        Introspected::RefreshToken { grant, .. } => Active {
            active: true,
            aud: issuer,
            client_id: &grant.app,
            cnf: grant.dpop_jkt.as_deref().map(|jkt| Confirmation { jkt }),
            exp: grant.expires_at.unix_seconds(),
            iat: grant.created_at.unix_seconds(),
            iss: issuer,
            jti: None,
            scope: grant.scopes.to_string(),
            sub,
            token_type: "refresh_token",
            username,
        },
    }
}
