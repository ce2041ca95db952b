//! Traces by OTLP over HTTP, as OpenTelemetry's own variables ask for them. Only spans that are made here are sent: what
//! libraries and the log have to say stays with them, and a span has no attribute but those that stand in this file and at
//! [`span!`](crate::telemetry::traces::span), none of which a client writes.
//!
//! Where nothing is asked for, nobody is interested in these spans, and they cost a look at a static each.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use opentelemetry::KeyValue;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::field::Empty;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

use super::catalogue::TRACE_EXPORTS;
use super::requests::METHODS;

/// By which spans of a trace are told from those of the log.
pub const TARGET: &str = "leadgate::trace";
/// The service's name, unless `OTEL_SERVICE_NAME` has another.
const SERVICE: &str = "leadgate";
/// Requests that a batch's span names at most, beside the first.
const LINKS: usize = 32;
/// For how long the last spans are sent while the server stops.
const STOP_PATIENCE: Duration = Duration::from_secs(3);

static ON: AtomicBool = AtomicBool::new(false);

/// A span of a trace: what is done, and attributes in this program's own words.
macro_rules! span {
    ($name:literal $(, $($field:tt)*)?) => {
        ::tracing::info_span!(target: $crate::telemetry::traces::TARGET, $name, $($($field)*)?)
    };
}
pub(crate) use span;

/// Why traces cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TracesError {
    #[error("{variable}: found {found:?}; expected {expected}")]
    Value { variable: &'static str, found: String, expected: &'static str },
    #[error("traces cannot be sent: {0}")]
    Exporter(String),
}

/// Whether the variables of OpenTelemetry ask for traces.
///
/// # Errors
/// Where they ask for what this program does not do.
pub fn are_wanted(variable: impl Fn(&str) -> Option<String>) -> Result<bool, TracesError> {
    let get = |name: &str| variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let is_off = get("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
        || get("OTEL_TRACES_EXPORTER").is_some_and(|value| value == "none");
    let endpoint = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"]
        .into_iter()
        .find_map(|name| get(name).map(|value| (name, value)));
    let Some((variable, endpoint)) = endpoint.filter(|_| !is_off) else { return Ok(false) };
    let is_http = url::Url::parse(&endpoint).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if !is_http {
        // Shown without what may be a password or a key in it.
        let address = endpoint.split('?').next().unwrap_or_default();
        let found = address.rsplit('@').next().unwrap_or_default().to_owned();
        return Err(TracesError::Value { variable, found, expected: "an address such as `http://localhost:4318`" });
    }
    let protocol = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"]
        .into_iter()
        .find_map(|name| get(name).map(|value| (name, value)));
    match protocol {
        Some((variable, found)) if found != "http/protobuf" => {
            Err(TracesError::Value { variable, found, expected: "`http/protobuf`, the one that this program speaks" })
        }
        _ => Ok(true),
    }
}

/// What is posted to the collector.
pub struct Posted {
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// How it is posted; answers the status, or why there is none.
pub type Post = Arc<dyn Fn(Posted) -> BoxFuture<'static, Result<u16, String>> + Send + Sync>;

struct Client {
    post: Post,
    /// Whether the last batch was not taken: said once, not for each.
    fails: AtomicBool,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl Client {
    fn note(&self, outcome: &Result<u16, String>) {
        let why = match outcome {
            Ok(200..=299) => None,
            Ok(status) => Some(format!("it answered {status}")),
            Err(why) => Some(why.clone()),
        };
        TRACE_EXPORTS.add([if why.is_none() { "ok" } else { "failed" }]);
        let failed = self.fails.swap(why.is_some(), Ordering::Relaxed);
        match why {
            Some(why) if !failed => tracing::warn!(why, "the collector takes no traces; they are lost until it does"),
            None if failed => tracing::info!("the collector takes traces again"),
            _ => {}
        }
    }
}

impl HttpClient for Client {
    fn send_bytes<'c, 'f>(&'c self, request: Request<Bytes>) -> BoxFuture<'f, Result<Response<Bytes>, HttpError>>
    where
        'c: 'f,
        Self: 'f,
    {
        let headers = request.headers().iter();
        let headers = headers.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
        let posted =
            Posted { url: request.uri().to_string(), headers: headers.collect(), body: request.body().to_vec() };
        Box::pin(async move {
            let outcome = (self.post)(posted).await;
            self.note(&outcome);
            // What a collector says beside its status is of no use here.
            Ok(Response::builder().status(outcome?).body(Bytes::new())?)
        })
    }
}

/// Traces on their way to a collector.
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Collector, headers, sampler, batches and the service's name come from OpenTelemetry's variables.
    ///
    /// # Errors
    /// Where one of them cannot be used.
    pub fn start(post: Post) -> Result<Self, TracesError> {
        let client = Client { post, fails: AtomicBool::new(false) };
        let exporter = SpanExporter::builder().with_http().with_http_client(client);
        let exporter = exporter.build().map_err(|why| TracesError::Exporter(why.to_string()))?;
        let resource = Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
        let named = resource.build();
        let name = named.get(&"service.name".into()).map(|name| name.to_string());
        let is_named = name.is_some_and(|name| !name.starts_with("unknown_service"));
        let resource = if is_named {
            named
        } else {
            let attributes = named.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
            Resource::builder_empty().with_attributes(attributes).with_service_name(SERVICE).build()
        };
        let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
        ON.store(true, Ordering::Relaxed);
        Ok(Self(provider))
    }

    /// What the log's subscriber is put together with.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'s> LookupSpan<'s>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer(SERVICE))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
    }

    /// Sends what is still to be sent. Waits for it, for a while.
    pub fn stop(&self) {
        if let Err(why) = self.0.shutdown_with_timeout(STOP_PATIENCE) {
            tracing::debug!(%why, "the last traces were not sent");
        }
    }
}

/// Whether traces are sent at all.
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// A request's `traceparent`, and nothing else: `tracestate` is a text of the caller's.
struct Parent<'p>(&'p str);

impl Extractor for Parent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == "traceparent").then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent"]
    }
}

/// The span of a request, within the caller's trace where it names one (W3C Trace Context).
pub fn request(method: &str, route: &'static str, id: &str, traceparent: Option<&str>) -> Span {
    if !is_on() {
        return Span::none();
    }
    let method = if METHODS.contains(&method) { method } else { "_OTHER" };
    let name = format!("{method} {route}");
    let span = tracing::info_span!(
        target: TARGET,
        parent: None,
        "request",
        otel.name = name,
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
        leadgate.request_id = id,
    );
    if let Some(parent) = traceparent {
        let context = TraceContextPropagator::new().extract(&Parent(parent));
        let _ = span.set_parent(context);
    }
    span
}

/// What a request's span tells of its answer.
pub fn answered(span: &Span, status: u16) {
    span.record("http.response.status_code", status);
    if status >= 500 {
        span.record("otel.status_code", "ERROR");
    }
}

/// Who waits for a batch, as a trace knows them.
pub struct Waiter(Option<Span>);

impl Waiter {
    /// Whoever asks.
    pub fn here() -> Self {
        Self(is_on().then(Span::current))
    }
}

/// The span of what is done at once for all who wait: below the first of them, with links to the others.
pub fn batch<'w>(queue: &'static str, size: usize, waiters: impl Iterator<Item = &'w Waiter>) -> Span {
    if !is_on() {
        return Span::none();
    }
    let mut spans = waiters.filter_map(|waiter| waiter.0.as_ref());
    let Some(first) = spans.next() else { return span!("store.commit", queue, size) };
    let span = tracing::info_span!(target: TARGET, parent: first, "store.commit", queue, size);
    for other in spans.take(LINKS) {
        span.follows_from(other);
    }
    span
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(variables: &[(&str, &str)]) -> Result<bool, TracesError> {
        are_wanted(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn part_g_traces_are_sent_where_a_collector_is_named() {
        let collector = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
        assert_eq!(wanted(&[]), Ok(false));
        assert_eq!(wanted(&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]), Ok(false));
        assert_eq!(wanted(&[("OTEL_SERVICE_NAME", "leadgate")]), Ok(false));
        assert_eq!(wanted(&[collector]), Ok(true));
        assert_eq!(wanted(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://c.test/v1/traces")]), Ok(true));
        assert_eq!(wanted(&[collector, ("OTEL_SDK_DISABLED", "TRUE")]), Ok(false));
        assert_eq!(wanted(&[collector, ("OTEL_TRACES_EXPORTER", "none")]), Ok(false));
        assert_eq!(wanted(&[collector, ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")]), Ok(true));
    }

    #[test]
    fn part_g_what_cannot_be_done_is_said_by_the_variables_name() {
        let refused = |variables: &[(&str, &str)]| wanted(variables).unwrap_err().to_string();
        let told =
            refused(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c.test:4317"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]);
        assert!(told.starts_with("OTEL_EXPORTER_OTLP_PROTOCOL: found \"grpc\"; expected `http/protobuf`"), "{told}");
        for hiding in ["me:secret@c.test:4318", "c.test:4318/v1/traces?key=secret", "c.test?a=b@c&key=secret"] {
            let told = refused(&[("OTEL_EXPORTER_OTLP_ENDPOINT", hiding)]);
            assert!(told.contains("OTEL_EXPORTER_OTLP_ENDPOINT: found \"c.test"), "{told}");
            assert!(!told.contains("secret"), "{told}");
        }
    }
}
