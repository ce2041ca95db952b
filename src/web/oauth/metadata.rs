//! The standards' surface: the keys that this server's signatures are verified with.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use super::Web;
use super::urls::route;
use crate::services::keys;

pub fn routes() -> Router<Arc<Web>> {
    Router::new().route(route::JWKS, get(jwks).fallback(other_method))
}

/// The public keys (RFC 7517 section 5), for any page and cache.
async fn jwks(State(web): State<Arc<Web>>) -> Response {
    let (jwks, caching) = match keys::jwks(&web.ctx).await {
        Ok(jwks) => (jwks, "public, max-age=300"),
        // Whoever verifies a token now is better off with the keys that are here than with none.
        Err(error) => {
            tracing::warn!(%error, "the published keys may be incomplete");
            (keys::known_jwks(&web.ctx), "no-store")
        }
    };
    let headers = [
        (header::CACHE_CONTROL, caching),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, Json(jwks)).into_response()
}

async fn other_method() -> Response {
    let body = Json(json!({"error": "invalid_request"}));
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")], body).into_response()
}
