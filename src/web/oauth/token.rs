//! The token endpoint (RFC 6749 section 3.2).

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::post;
use serde::Serialize;

use super::super::Web;
use super::super::error::oauth::{busy, invalid, json, method_not_allowed, store_failed, too_many};
use super::super::error::refused;
use super::super::urls::route;
use super::client::{self, Claimed, ClientRequest, Pages};
use super::cors;
use crate::services::oauth::issue::Tokens;
use crate::services::oauth::token::{self, TokenError, TokenRequest};

pub fn routes() -> Router<Arc<Web>> {
    let preflight = async |State(web): State<Arc<Web>>, headers: HeaderMap| cors::preflight(&web, &headers).await;
    let other = async || method_not_allowed("POST, OPTIONS");
    Router::new().route(route::TOKEN, post(issue).options(preflight).fallback(other))
}

/// RFC 6749 section 5.1.
#[derive(Serialize)]
struct Issued {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
}

impl From<Tokens> for Issued {
    fn from(tokens: Tokens) -> Self {
        Self {
            access_token: tokens.access_token,
            token_type: if tokens.is_dpop { "DPoP" } else { "Bearer" },
            expires_in: tokens.expires_in.as_secs(),
            scope: tokens.scopes.to_string(),
            refresh_token: tokens.refresh_token,
            id_token: tokens.id_token,
        }
    }
}

async fn issue(State(web): State<Arc<Web>>, request: Request) -> Response {
    let at_once = async |request: &Claimed| answer_at_once(&web, request).await;
    client::serve_at_once(&web, route::TOKEN, Pages::Own, request, at_once, async |request| answer(&web, request).await)
        .await
}

/// With the client as it is remembered: tokens, or nothing that anybody hears of.
async fn answer_at_once(web: &Web, request: &Claimed) -> Option<Response> {
    if !token::is_repeated(&request.form) {
        return None;
    }
    match token::token_for_remembered(&web.ctx, &request.remembered(web)?, &request.form).await {
        Ok(tokens) => Some(json(StatusCode::OK, &Issued::from(tokens?))),
        Err(error) => Some(store_failed(&error)),
    }
}

async fn answer(web: &Web, request: ClientRequest) -> Response {
    let dpop_jkt = match request.dpop_jkt(web).await {
        Ok(jkt) => jkt,
        Err(answer) => return *answer,
    };
    let asked = TokenRequest {
        client: &request.client,
        parameters: &request.form,
        dpop_jkt,
        from: request.from,
        tried: request.tried,
    };
    match token::token(&web.ctx, asked).await {
        Ok(tokens) => json(StatusCode::OK, &Issued::from(tokens)),
        Err(TokenError::Store(error)) => store_failed(&error),
        Err(TokenError::TooMany(span)) => {
            refused("oauth/token", &span, None);
            too_many(span)
        }
        Err(TokenError::Busy(span)) => {
            refused("oauth/token", &span, None);
            busy(span)
        }
        Err(error) => {
            refused("oauth/token", &error, None);
            match error.invalid() {
                Some(why) => invalid(why),
                None => unreachable!("the three errors without a form of their own are handled above"),
            }
        }
    }
}
