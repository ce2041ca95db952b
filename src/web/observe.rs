//! What is written down of each request: its method, the route's template, the outcome, how long it took.
//! Never its path, query, headers or body: they hold tokens.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;

use super::Web;
use crate::entropy::time_ordered_id;

/// Names the request in logs, on error pages and in the answer.
static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id that [`observe`] gave this request.
pub fn request_id(headers: &HeaderMap) -> Option<&str> {
    headers.get(&REQUEST_ID).and_then(|value| value.to_str().ok())
}

/// Wraps every request. The id is ours alone: one that a client sends is replaced.
pub async fn observe(State(web): State<Arc<Web>>, mut request: Request, next: Next) -> Response {
    // A latency is real time, whatever the server's clock says.
    let started = Instant::now();
    let id = time_ordered_id(&*web.ctx.entropy, web.ctx.now()).simple().to_string();
    let value = HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("none"));
    request.headers_mut().insert(&REQUEST_ID, value.clone());
    let route = request.extensions().get::<MatchedPath>().map_or("(none)", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let span = tracing::info_span!("request", id, %method, route);
    let mut response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    #[expect(clippy::cast_possible_truncation, reason = "no request lasts for centuries")]
    let duration_us = started.elapsed().as_micros() as u64;
    span.in_scope(|| tracing::debug!(status, duration_us, "answered"));
    response.headers_mut().insert(&REQUEST_ID, value);
    response
}
