//! What is written down of each request: its method, the route's template, the outcome, how long it took.
//! Never its path, query, headers or body: they hold tokens.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tower::{Layer, Service};
use tracing::{Instrument as _, Level};

use super::{Web, sender};
use crate::entropy::time_ordered_id;

/// Names the request in logs, on error pages and in the answer.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A browser that has been here once never asks in the clear again, for a year. Not for the hosts below: they may be
/// somebody else's.
const ONLY_HTTPS: HeaderValue = HeaderValue::from_static("max-age=31536000");
/// No answer is what a browser guesses that it is.
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// The id that [`Observe`] gave this request.
pub fn request_id(headers: &HeaderMap) -> Option<&str> {
    headers.get(REQUEST_ID).and_then(|value| value.to_str().ok())
}

/// Wraps every request. The id is ours alone: one that a client sends is replaced.
///
/// By hand, since `from_fn` copies all that lies below it for each request, box by box.
#[derive(Clone)]
pub struct Observe(pub Arc<Web>);

impl<S> Layer<S> for Observe {
    type Service = Observing<S>;

    fn layer(&self, inner: S) -> Observing<S> {
        Observing { web: self.0.clone(), inner }
    }
}

#[derive(Clone)]
pub struct Observing<S> {
    web: Arc<Web>,
    inner: S,
}

impl<S> Service<Request> for Observing<S>
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

    fn call(&mut self, mut request: Request) -> Self::Future {
        // A latency is real time, whatever the server's clock says. Nobody reads it but the log.
        let started = tracing::enabled!(Level::DEBUG).then(Instant::now);
        sender::settle(&self.web, &mut request);
        let id = time_ordered_id(&*self.web.ctx.entropy, self.web.ctx.now()).simple();
        let mut text = [0; uuid::fmt::Simple::LENGTH];
        let id: &str = id.encode_lower(&mut text);
        let value = HeaderValue::from_str(id).unwrap_or(HeaderValue::from_static("none"));
        request.headers_mut().insert(REQUEST_ID, value.clone());
        let span = {
            let route = request.extensions().get::<MatchedPath>().map_or("(none)", MatchedPath::as_str);
            tracing::info_span!("request", id, method = %request.method(), route)
        };
        let answer = self.inner.call(request).instrument(span.clone());
        let is_only_https = self.web.is_only_https;
        async move {
            let mut response = answer.await?;
            if let Some(started) = started {
                let status = response.status().as_u16();
                #[expect(clippy::cast_possible_truncation, reason = "no request lasts for centuries")]
                let duration_us = started.elapsed().as_micros() as u64;
                span.in_scope(|| tracing::debug!(status, duration_us, "answered"));
            }
            let headers = response.headers_mut();
            headers.insert(REQUEST_ID, value);
            headers.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
            if is_only_https {
                headers.insert(header::STRICT_TRANSPORT_SECURITY, ONLY_HTTPS);
            }
            Ok(response)
        }
        .boxed()
    }
}
