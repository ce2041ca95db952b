//! What holds for every request, whatever its handler does: it ends in time, and a panic costs nobody else
//! anything. Either way the answer has the form of its surface.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::Response;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tower::{Layer, Service};

use super::{Web, error, page};

/// How long a request may take; longer than any answer that is held back on purpose.
pub const MAX_DURATION: Duration = Duration::from_secs(30);

/// Wraps every request. By hand for the same reason as [`Observe`](super::observe::Observe).
#[derive(Clone)]
pub struct Guard(pub Arc<Web>);

impl<S> Layer<S> for Guard {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { web: self.0.clone(), inner }
    }
}

#[derive(Clone)]
pub struct Guarded<S> {
    web: Arc<Web>,
    inner: S,
}

impl<S> Service<Request> for Guarded<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (web, asked) = (self.web.clone(), Asked::of(&request));
        let answer = AssertUnwindSafe(self.inner.call(request)).catch_unwind();
        async move {
            let status = match tokio::time::timeout(MAX_DURATION, answer).await {
                Ok(Ok(answer)) => return answer,
                Ok(Err(_)) => {
                    tracing::error!("a handler panicked");
                    StatusCode::INTERNAL_SERVER_ERROR
                }
                Err(_) => {
                    tracing::warn!("a request took longer than {MAX_DURATION:?}");
                    StatusCode::SERVICE_UNAVAILABLE
                }
            };
            Ok(asked.failed(&web, status))
        }
        .boxed()
    }
}

/// What the answer to a failure is made of. All headers would be a copy of each for the few requests that fail.
struct Asked {
    uri: Uri,
    headers: [Option<HeaderValue>; page::READ.len()],
}

impl Asked {
    fn of(request: &Request) -> Self {
        let read = |name: &HeaderName| request.headers().get(name).cloned();
        Self { uri: request.uri().clone(), headers: page::READ.each_ref().map(read) }
    }

    fn failed(self, web: &Web, status: StatusCode) -> Response {
        let named = page::READ.iter().cloned().zip(self.headers);
        let headers: HeaderMap = named.filter_map(|(name, value)| Some((name, value?))).collect();
        error::failed_at(web, self.uri.path(), &headers, status)
    }
}
