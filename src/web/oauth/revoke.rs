//! Token revocation (RFC 7009).

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;

use super::super::Web;
use super::super::error::oauth::{invalid, method_not_allowed, no_store, store_failed};
use super::super::urls::route;
use super::client::{self, ClientRequest, Pages};
use super::cors;
use crate::services::oauth::error::Invalid;
use crate::services::oauth::revocation;

pub fn routes() -> Router<Arc<Web>> {
    let preflight = async |State(web): State<Arc<Web>>, headers: HeaderMap| cors::preflight(&web, &headers).await;
    let other = async || method_not_allowed("POST, OPTIONS");
    Router::new().route(route::REVOKE, post(revoke).options(preflight).fallback(other))
}

async fn revoke(State(web): State<Arc<Web>>, request: Request) -> Response {
    client::serve(&web, route::REVOKE, Pages::Own, request, async |request| answer(&web, request).await).await
}

/// The hint is only that: the token says itself what it is (RFC 7009 section 2.1).
async fn answer(web: &Web, request: ClientRequest) -> Response {
    let token = match request.form.get("token") {
        Ok(Some(token)) => token,
        Ok(None) => return invalid(Invalid::request("token is missing.")),
        Err(repeated) => return invalid(repeated.into()),
    };
    match revocation::revoke(&web.ctx, request.app(), token).await {
        Ok(_) => {
            let mut response = no_store(StatusCode::OK.into_response());
            // Some clients look for a JSON type even where there is no body.
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        Err(error) => store_failed(&error),
    }
}
