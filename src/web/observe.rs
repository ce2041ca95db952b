//! What is written down of each request, in the log, in metrics and in traces: its method, the route's template, the outcome,
//! how long it took. Never its path, query, headers or body: they hold tokens.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::response::Response;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tower::{Layer, Service};
use tracing::{Instrument as _, Level};
use uuid::Uuid;

use super::error::problem;
use super::urls::{self, route};
use super::{Web, sender};
use crate::domain::journal::NO_ROUTE;
use crate::entropy::time_ordered_id;
use crate::telemetry::{self, RouteMeters, traces};

/// Names the request in logs, on error pages and in the answer.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The caller's trace (W3C Trace Context).
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// A browser that has been here once never asks in the clear again, for a year. Not for the hosts below: they may be
/// somebody else's.
const ONLY_HTTPS: HeaderValue = HeaderValue::from_static("max-age=31536000");
/// No answer is what a browser guesses that it is.
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// The id by which this request goes.
pub fn request_id(headers: &HeaderMap) -> Option<&str> {
    headers.get(REQUEST_ID).and_then(|value| value.to_str().ok())
}

/// The id that a proxy of the operator's gave: a UUID, as it is written with or without hyphens. By any other the journal
/// could not tell requests apart.
fn given(request: &Request) -> Option<HeaderValue> {
    let value = request.headers().get(REQUEST_ID)?;
    let is_id = matches!(value.len(), 32 | 36) && value.to_str().is_ok_and(|id| Uuid::try_parse(id).is_ok());
    is_id.then(|| value.clone())
}

/// Wraps every request. The id is ours, or one of the operator's own proxies; what anybody else sends is replaced.
///
/// By hand, since `from_fn` copies all that lies below it for each request, box by box.
#[derive(Clone)]
pub struct Observe(pub Arc<Web>);

impl<S> Layer<S> for Observe {
    type Service = Observing<S>;

    fn layer(&self, inner: S) -> Observing<S> {
        Observing { web: self.0.clone(), meters: Arc::default(), inner }
    }
}

#[derive(Clone)]
pub struct Observing<S> {
    web: Arc<Web>,
    /// Of the route below, of which there is one: looked for once, and shared by the copies that serve.
    meters: Arc<OnceLock<&'static RouteMeters>>,
    inner: S,
}

impl<S> Observing<S> {
    /// Without the path that the server, or a namespace, is mounted under: it would tell namespaces apart.
    fn meters(&self, request: &Request) -> &'static RouteMeters {
        self.meters.get_or_init(|| {
            let matched = request.extensions().get::<MatchedPath>();
            match matched.map(|matched| urls::below(self.web.urls.base(), matched.as_str())) {
                Some("") => telemetry::route(route::HOME),
                route => telemetry::route(route.unwrap_or(NO_ROUTE)),
            }
        })
    }
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
        let meters = self.meters(&request);
        let answering = meters.begin(request.method().as_str());
        let is_believed = sender::settle(&self.web, &mut request);
        let value = given(&request).filter(|_| is_believed).unwrap_or_else(|| {
            let id = time_ordered_id(&*self.web.ctx.entropy, self.web.ctx.now()).simple();
            let mut text = [0; uuid::fmt::Simple::LENGTH];
            HeaderValue::from_str(id.encode_lower(&mut text)).unwrap_or(HeaderValue::from_static("none"))
        });
        let id = value.to_str().unwrap_or_default();
        let (trace, span) = {
            // In a sandbox whoever asks may say what it is part of; elsewhere that is a proxy's to say.
            let is_believed = is_believed || self.web.sandbox_token.is_some();
            let parent = request.headers().get(TRACEPARENT).and_then(|value| value.to_str().ok());
            let parent = parent.filter(|_| is_believed);
            let trace = traces::request(request.method().as_str(), meters.route, id, parent);
            (trace, tracing::info_span!("request", id, method = %request.method(), route = meters.route))
        };
        let is_head = request.method() == Method::HEAD;
        request.headers_mut().insert(REQUEST_ID, value.clone());
        let answer = self.inner.call(request).instrument(trace.clone()).instrument(span.clone());
        let is_only_https = self.web.is_only_https;
        async move {
            let mut response = answer.await?;
            let status = response.status().as_u16();
            if tracing::enabled!(Level::DEBUG) {
                // A latency is real time, whatever the server's clock says.
                #[expect(clippy::cast_possible_truncation, reason = "no request lasts for centuries")]
                let duration_us = answering.began().elapsed().as_micros() as u64;
                span.in_scope(|| tracing::debug!(status, duration_us, "answered"));
            }
            if !is_head {
                problem::name_request(&mut response, value.to_str().unwrap_or_default());
            }
            answering.answered(status);
            traces::answered(&trace, status);
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
