//! Metrics for Prometheus (wire.md part G). Not on a listener that strangers reach (rule R13): a listener of their own, or the
//! one of a sandbox on this machine.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::Web;
use super::urls::route;
use crate::services::{Context, metrics as gathered};
use crate::telemetry;

/// The text format's own name.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Among the server's other routes.
pub fn routes() -> Router<Arc<Web>> {
    Router::new().route(route::METRICS, get(async |State(web): State<Arc<Web>>| metrics(&web.ctx).await))
}

/// All that a listener of their own serves.
pub fn alone(ctx: Arc<Context>) -> Router {
    Router::new()
        .route(route::METRICS, get(async |State(ctx): State<Arc<Context>>| metrics(&ctx).await))
        .with_state(ctx)
}

async fn metrics(ctx: &Context) -> Response {
    gathered::sample(ctx).await;
    ([(header::CONTENT_TYPE, TEXT), (header::CACHE_CONTROL, "no-store")], telemetry::render()).into_response()
}
