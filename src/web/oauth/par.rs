//! Pushed authorization requests (RFC 9126).

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::post;
use serde_json::json;

use super::super::Web;
use super::super::error::oauth::{invalid, json as respond, method_not_allowed, store_failed, too_many};
use super::super::error::refused;
use super::super::urls::route;
use super::client::{self, ClientRequest, Pages};
use super::cors;
use crate::services::oauth::pushed::{self, PushError, REQUEST_URI_LIFETIME};

pub fn routes() -> Router<Arc<Web>> {
    let preflight = async |State(web): State<Arc<Web>>, headers: HeaderMap| cors::preflight(&web, &headers).await;
    let other = async || method_not_allowed("POST, OPTIONS");
    Router::new().route(route::PAR, post(push).options(preflight).fallback(other))
}

async fn push(State(web): State<Arc<Web>>, request: Request) -> Response {
    client::serve(&web, route::PAR, Pages::Own, request, async |request| answer(&web, request).await).await
}

async fn answer(web: &Web, request: ClientRequest) -> Response {
    let dpop_jkt = match request.dpop_jkt(web).await {
        Ok(jkt) => jkt,
        Err(answer) => return *answer,
    };
    match pushed::push(&web.ctx, request.app(), &request.form, dpop_jkt, request.from).await {
        Ok(request_uri) => {
            let body = json!({"request_uri": request_uri, "expires_in": REQUEST_URI_LIFETIME.as_secs()});
            respond(StatusCode::CREATED, &body)
        }
        Err(PushError::Invalid(why)) => {
            refused("oauth/par", &why, None);
            invalid(why)
        }
        Err(PushError::TooMany(span)) => {
            refused("oauth/par", &span, None);
            too_many(span)
        }
        Err(PushError::Store(error)) => store_failed(&error),
    }
}
