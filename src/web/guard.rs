//! What holds for every request, whatever its handler does: it ends in time, and a panic costs nobody else
//! anything. Either way the answer has the form of its surface.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt as _;

use super::{Web, error};

/// How long a request may take; longer than any answer that is held back on purpose.
pub const MAX_DURATION: Duration = Duration::from_secs(30);

pub async fn guard(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let (uri, headers) = (request.uri().clone(), request.headers().clone());
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    let status = match tokio::time::timeout(MAX_DURATION, answer).await {
        Ok(Ok(response)) => return response,
        Ok(Err(_)) => {
            tracing::error!("a handler panicked");
            StatusCode::INTERNAL_SERVER_ERROR
        }
        Err(_) => {
            tracing::warn!("a request took longer than {MAX_DURATION:?}");
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    error::failed_at(&web, uri.path(), &headers, status)
}
