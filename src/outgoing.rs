//! Calls that the server makes by itself: to webhooks' targets, to action call-backs, to the targets of deliveries. This is
//! the only place that opens a connection to anybody but the database, and every call passes the operator's allow-list:
//! the host before it is resolved, each address that it resolves to in the resolver, from whose answer the connection is
//! made. No redirect is followed, no proxy of the environment is asked, and time and size are bounded.

pub mod collector;
mod resolver;

use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response, redirect, retry};
use tokio::time::Instant;
use tracing::Instrument as _;
use tracing::field::Empty;
use url::Url;

use crate::domain::allow_list::{AllowList, NotAllowed};
use crate::telemetry::traces::span;
use crate::telemetry::{OUTGOING_CALLS, OUTGOING_DURATION};
use resolver::Resolver;

/// How much of an answer's body is read, in bytes.
pub const MAX_BODY: usize = 64 * 1024;
/// How many of an answer's header fields are kept, and how much of each, in bytes.
const MAX_HEADERS: usize = 64;
const MAX_HEADER: usize = 1_024;
/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a connection is kept for the next call: shorter than what most servers do, so that they seldom end it first.
const IDLE: Duration = Duration::from_secs(15);

/// The client of all calls. Cheap to clone.
#[derive(Clone)]
pub struct Outgoing {
    client: Arc<OnceLock<Result<Client, String>>>,
    allow: Arc<AllowList>,
    /// Whether plain http is for this machine alone.
    tls_required: bool,
}

/// Something to be posted.
pub struct Call {
    pub url: Url,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// For all of it, from the name's resolution to the last byte of the answer.
    pub timeout: Duration,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The first [`MAX_BODY`] bytes.
    pub body: Vec<u8>,
    /// Whether there was more.
    pub is_cut: bool,
    pub took: Duration,
}

/// Why there is no answer. The texts are for the people who set the target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    #[error("a header field cannot be sent: its value has characters that HTTP does not allow")]
    Header,
    #[error("there was no whole answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    #[error("{host} could not be reached: {why}")]
    Unreachable { host: String, why: String },
    #[error("this server can make no calls: {0}")]
    NoClient(String),
}

impl Outgoing {
    /// `tls_required`: plain http is refused but to this machine.
    pub fn new(allow: AllowList, tls_required: bool) -> Self {
        Self { client: Arc::default(), allow: Arc::new(allow), tls_required }
    }

    /// Made when it is first needed: reading the system's certificates takes longer than all else that a start does.
    fn client(&self) -> Result<&Client, CallError> {
        let made = self.client.get_or_init(|| client(&self.allow).map_err(|error| told(&error)));
        made.as_ref().map_err(|why| CallError::NoClient(why.clone()))
    }

    /// Whether a target may be set at all. What its name resolves to is judged at each call.
    pub fn judge(&self, url: &Url) -> Result<(), NotAllowed> {
        self.allow.judge(url)?;
        if self.tls_required && url.scheme() == "http" && !crate::domain::origin::is_loopback(url) {
            return Err(NotAllowed::PlainHttp);
        }
        Ok(())
    }

    pub async fn call(&self, call: Call) -> Result<Answered, CallError> {
        let began = Instant::now();
        let span = span!("outgoing.call", otel.kind = "client", http.request.method = "POST", outcome = Empty);
        let called = self.try_call(call).instrument(span.clone()).await;
        let outcome = match &called {
            Ok(_) => "answered",
            Err(CallError::NotAllowed(_) | CallError::Header) => "not_allowed",
            Err(CallError::TimedOut(_)) => "timed_out",
            Err(CallError::Unreachable { .. } | CallError::NoClient(_)) => "unreachable",
        };
        span.record("outcome", outcome);
        OUTGOING_CALLS.add([outcome]);
        OUTGOING_DURATION.of([]).record(began.elapsed().as_secs_f64());
        called
    }

    async fn try_call(&self, call: Call) -> Result<Answered, CallError> {
        self.judge(&call.url)?;
        let headers = header_map(&call.headers)?;
        let host = call.url.host_str().unwrap_or_default().to_owned();
        let client = self.client()?;
        let request = client.post(call.url).headers(headers).body(call.body).timeout(call.timeout);
        let began = Instant::now();
        let failed = |error: reqwest::Error| judged(&error, host.clone(), call.timeout);
        let mut response = request.send().await.map_err(failed)?;
        let (body, is_cut) = body_of(&mut response).await.map_err(failed)?;
        Ok(Answered {
            status: response.status().as_u16(),
            headers: listed(response.headers()),
            body,
            is_cut,
            took: began.elapsed(),
        })
    }
}

fn client(allow: &Arc<AllowList>) -> Result<Client, reqwest::Error> {
    let builder = || {
        Client::builder()
            .dns_resolver(Arc::new(Resolver::new(allow.clone())))
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .http1_only()
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE)
            .user_agent(concat!("Leadgate/", env!("CARGO_PKG_VERSION")))
    };
    builder().build().or_else(|error| {
        // A machine without certificates of authorities: plain http goes on, https fails and says so.
        tracing::warn!(error = told(&error), "no certificates of authorities: calls over https will fail");
        builder().tls_certs_only([]).build()
    })
}

async fn body_of(response: &mut Response) -> Result<(Vec<u8>, bool), reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = MAX_BODY - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            return Ok((body, true));
        }
    }
    Ok((body, false))
}

fn header_map(headers: &[(String, String)]) -> Result<HeaderMap, CallError> {
    headers
        .iter()
        .map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| CallError::Header)?;
            let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| CallError::Header)?;
            Ok((name, value))
        })
        .collect()
}

fn listed(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| {
        let bytes = value.as_bytes();
        String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_HEADER)]).into_owned()
    };
    headers.iter().take(MAX_HEADERS).map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

/// What to say of a failed call: the resolver's own refusal, if that is at the bottom of it.
fn judged(error: &reqwest::Error, host: String, timeout: Duration) -> CallError {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(one) = cause {
        if let Some(refused) = one.downcast_ref::<NotAllowed>() {
            return refused.clone().into();
        }
        cause = one.source();
    }
    if error.is_timeout() && !error.is_connect() {
        return CallError::TimedOut(timeout);
    }
    CallError::Unreachable { host, why: told(error) }
}

/// The deepest cause: the others say only that something below them failed. None of them has the URL's path in it.
fn told(error: &dyn Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

#[cfg(test)]
mod tests;
