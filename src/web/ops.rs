//! Probes for the machine that runs us (wire.md part G).

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use super::Web;
use super::urls::route;

/// How long the database may take to answer a probe.
const PATIENCE: Duration = Duration::from_secs(3);

pub fn routes() -> Router<Arc<Web>> {
    Router::new().route(route::LIVEZ, get(live)).route(route::READYZ, get(ready))
}

async fn live() -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(json!({"status": "live"}))).into_response()
}

async fn ready(State(web): State<Arc<Web>>) -> Response {
    if web.stopping.has_begun() {
        let body = json!({"status": "unavailable", "reason": "the server is stopping"});
        return (StatusCode::SERVICE_UNAVAILABLE, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response();
    }
    let answer = match tokio::time::timeout(PATIENCE, web.ctx.store.ping()).await {
        Ok(Ok(())) => (StatusCode::OK, Json(json!({"status": "ready"}))),
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "unavailable", "reason": error.cause()})))
        }
        Err(_) => {
            tracing::warn!("not ready: the database takes longer than {PATIENCE:?}");
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "unavailable", "reason": "the database is slow"})))
        }
    };
    ([(header::CACHE_CONTROL, "no-store")], answer).into_response()
}
