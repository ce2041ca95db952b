//! Traces as a collector gets them, from the program itself.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::json;

use super::scraped::Scraped;
use crate::support::http::form;
use crate::support::program::{Directory, Server};
use crate::support::receiver::{Receiver, Reply};
use crate::support::search::Search;
use crate::support::{Database, Kind};

const TOKEN: &str = "lgx_the-sandbox-token-of-the-traces-tests";
const APP: &str = "0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

fn variables(collector: &Receiver) -> Vec<(String, String)> {
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.origin.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=key-of-the-collector"),
        ("OTEL_SERVICE_NAME", "leadgate-under-test"),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// All that a collector was sent.
struct Collected {
    services: Vec<String>,
    spans: Vec<Span>,
    bytes: Vec<u8>,
}

impl Collected {
    fn of(collector: &Receiver) -> Self {
        let mut collected = Self { services: Vec::new(), spans: Vec::new(), bytes: Vec::new() };
        for received in collector.received() {
            assert_eq!(received.path, "/v1/traces");
            assert_eq!(received.header("content-type"), "application/x-protobuf");
            assert_eq!(received.header("x-api-key"), "key-of-the-collector");
            collected.bytes.extend(&received.body);
            let request = ExportTraceServiceRequest::decode(received.body).unwrap();
            for resource in request.resource_spans {
                let attributes = resource.resource.unwrap().attributes;
                let name = attributes.into_iter().find(|pair| pair.key == "service.name").unwrap();
                collected.services.push(text(name.value.unwrap().value.unwrap()));
                collected.spans.extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
            }
        }
        collected
    }

    fn named(&self, name: &str) -> &Span {
        let found = self.spans.iter().find(|span| span.name == name);
        found.unwrap_or_else(|| panic!("no {name}: {:?}", self.spans.iter().map(|span| &span.name).collect::<Vec<_>>()))
    }

    /// The commit that another's work was in: below it, or linked to it where the work of several was in one.
    fn commit_of(&self, work: &Span) -> &Span {
        let is_its = |span: &&Span| {
            let is_linked = span.links.iter().any(|link| link.span_id == work.span_id);
            span.name == "store.commit" && (span.parent_span_id == work.span_id || is_linked)
        };
        self.spans.iter().find(is_its).unwrap_or_else(|| panic!("no commit of {work:?}: {:?}", self.spans))
    }

    /// The span below another.
    fn below(&self, parent: &Span, name: &str) -> &Span {
        let is_below = |span: &&Span| span.name == name && span.parent_span_id == parent.span_id;
        self.spans.iter().find(is_below).unwrap_or_else(|| panic!("no {name} below {parent:?}: {:?}", self.spans))
    }
}

fn text(value: Any) -> String {
    match value {
        Any::StringValue(text) => text,
        Any::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    }
}

fn attribute(span: &Span, key: &str) -> Option<String> {
    let pair = span.attributes.iter().find(|pair| pair.key == key)?;
    Some(text(pair.value.clone()?.value?))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A user signs in with a password, is refreshed within somebody's trace, and a webhook hears of it.
fn scene(server: &Server, search: &mut Search, hook: &Receiver) -> String {
    let bearer = format!("Bearer {TOKEN}");
    let own = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    let webhook = json!({"app": APP, "url": hook.origin}).to_string();
    assert_eq!(server.send("POST", "/_sandbox/webhooks", &own, &webhook).unwrap().status, 201);
    let connected = server.authorize(TOKEN, "ada@acme.test", "btn-demonstration").unwrap().json();
    let refresh = connected["refreshToken"].as_str().unwrap();
    search.text("a refresh token", refresh);
    search.text("an access token", connected["authToken"].as_str().unwrap());
    let parent = format!("00-{TRACE}-{CALLER}-01");
    let headers = [("traceparent", parent.as_str()), ("tracestate", "secret=state-of-the-caller")];
    let path = format!("/authorize/refreshaccesstoken/{refresh}?appid={APP}");
    let reply = server.send("GET", &path, &headers, "").unwrap();
    search.text("a refreshed access token", reply.json()["authToken"].as_str().unwrap());
    let fields =
        [("grant_type", "password"), ("username", "ada@acme.test"), ("password", "wrong-pa55word-of-the-traces")];
    let client = [("Authorization", "Basic bWU6c2VjcmV0"), ("Content-Type", "application/x-www-form-urlencoded")];
    server.send("POST", "/oauth/token", &client, &form(&fields)).unwrap();
    server.get("/nowhere/secret-of-a-path?secret-of-a=query");
    reply.head.lines().find_map(|line| line.strip_prefix("x-request-id: ")).unwrap().to_owned()
}

async fn what_a_collector_gets(kind: Kind) {
    let database = Database::make(kind).await;
    let (collector, hook) = (Receiver::start([]).await, Receiver::start([]).await);
    let directory = Directory::new();
    let words = ["serve", "--listen", "127.0.0.1:0", "--database-url", &database.url(), "--sandbox-token", TOKEN];
    let words = [&words[..], &["--log-level", "trace"]].concat();
    let mut server = directory.spawn_with(&variables(&collector), &words).ready();
    let mut search = Search::default();
    search.text("the sandbox token", TOKEN);
    let id = scene(&server, &mut search, &hook);
    let delivered = || {
        let scraped = Scraped(server.get("/metrics").body);
        scraped.value("leadgate_webhook_attempts_total", &[("outcome", "delivered")])
    };
    while delivered() < 1.0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));
    let collected = Collected::of(&collector);
    assert!(collected.services.iter().all(|name| name == "leadgate-under-test"), "{:?}", collected.services);
    let request = collected.named("GET /authorize/refreshaccesstoken/{*token}");
    assert_eq!((hex(&request.trace_id), hex(&request.parent_span_id)), (TRACE.into(), CALLER.into()));
    assert_eq!((request.kind, request.trace_state.as_str()), (2, ""), "a server's, without the caller's own text");
    for (key, value) in [
        ("http.request.method", "GET"),
        ("http.route", "/authorize/refreshaccesstoken/{*token}"),
        ("http.response.status_code", "200"),
        ("leadgate.request_id", id.as_str()),
    ] {
        assert_eq!(attribute(request, key).as_deref(), Some(value), "{key}");
    }
    let issue = collected.below(request, "store.issue");
    assert_eq!(issue.trace_id, request.trace_id);
    let commit = collected.commit_of(issue);
    assert!(attribute(commit, "size").is_some_and(|size| size != "0"));
    assert_eq!(attribute(collected.named("outgoing.call"), "outcome").as_deref(), Some("answered"));
    collected.named("GET (none)");
    // Of the log's own spans, and of libraries', none is sent.
    let known = ["store.", "outgoing.call", "password", "GET ", "POST "];
    for span in &collected.spans {
        assert!(known.iter().any(|name| span.name.starts_with(name)), "{}", span.name);
        assert!(span.events.is_empty(), "{span:?}");
    }
    let log = server.log();
    assert!(!log.contains("store.commit"), "and the log has none of the traces'");
    for secret in
        ["state-of-the-caller", "secret-of-a", "wrong-pa55word", "bWU6c2VjcmV0", "ada@acme.test", &hook.origin]
    {
        let has = |place: &[u8]| place.windows(secret.len()).any(|part| part == secret.as_bytes());
        assert!(!has(&collected.bytes), "{secret}");
    }
    search.assert_none_in("the traces", &collected.bytes);
    assert!(!log.contains("key-of-the-collector"));
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n5_part_g_a_collector_gets_whose_work_it_was_and_no_secret_on_sqlite() {
    what_a_collector_gets(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n5_part_g_a_collector_gets_whose_work_it_was_and_no_secret_on_postgres() {
    what_a_collector_gets(Kind::Postgres).await;
}

/// A collector that takes nothing is said once, counted, and holds nobody up.
#[tokio::test(flavor = "multi_thread")]
async fn part_g_a_collector_that_fails_is_said_once() {
    let collector = Receiver::start([Reply::Body(400, "no")]).await;
    let directory = Directory::new();
    let mut server = directory.spawn_with(&variables(&collector), &["serve", "--listen", "127.0.0.1:0"]).ready();
    let failed = |server: &Server| {
        let scraped = Scraped(server.get("/metrics").body);
        scraped.value("leadgate_trace_exports_total", &[("outcome", "failed")])
    };
    while failed(&server) < 2.0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));
    let log = server.log();
    assert_eq!(log.matches("the collector takes no traces").count(), 1, "{log}");
}

/// What is asked for and cannot be done keeps the server from starting, by the variable's name.
#[test]
fn part_g_a_wrong_variable_is_refused_at_the_start() {
    let directory = Directory::new();
    let mut command = directory.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317").env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    let ran = command.output().unwrap();
    let told = String::from_utf8_lossy(&ran.stderr);
    assert!(!ran.status.success() && told.contains("OTEL_EXPORTER_OTLP_PROTOCOL: found \"grpc\""), "{told}");
}
