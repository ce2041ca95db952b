//! A partner's server that takes messages, and answers as it is told to.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use leadgate::worker;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::support::{APP_ONE, World};

/// One request that came.
#[derive(Debug, Clone)]
pub struct Received {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Received {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

#[derive(Clone)]
pub struct Receiver {
    state: Arc<Receiving>,
    port: u16,
}

struct Receiving {
    received: Mutex<Vec<Received>>,
    count: watch::Sender<usize>,
    /// What the next ones are answered with; then 200.
    script: Mutex<VecDeque<(u16, Option<&'static str>)>>,
    /// Whether `/slow` answers.
    open: watch::Sender<bool>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Receiving {
            received: Mutex::default(),
            count: watch::Sender::new(0),
            script: Mutex::default(),
            open: watch::Sender::new(false),
        });
        let router = Router::new().fallback(receive).with_state(state.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { state, port }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The next requests are answered so.
    pub fn answers(&self, statuses: &[u16]) {
        self.state.script.lock().unwrap().extend(statuses.iter().map(|status| (*status, None)));
    }

    pub fn asks_to_wait(&self, status: u16, seconds: &'static str) {
        self.state.script.lock().unwrap().push_back((status, Some(seconds)));
    }

    pub fn open(&self) {
        self.state.open.send_replace(true);
    }

    pub fn received(&self) -> Vec<Received> {
        self.state.received.lock().unwrap().clone()
    }

    pub fn kinds(&self) -> Vec<String> {
        self.received().iter().map(Received::kind).collect()
    }

    /// All that came, as soon as it is so many.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        let mut counted = self.state.count.subscribe();
        soon(async { counted.wait_for(|now| *now >= count).await.map(|_| ()).unwrap() }).await;
        self.received()
    }
}

async fn receive(State(state): State<Arc<Receiving>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let path = uri.path().to_owned();
    let (status, retry_after) = state.script.lock().unwrap().pop_front().unwrap_or((200, None));
    state.received.lock().unwrap().push(Received { path: path.clone(), headers, body });
    state.count.send_modify(|count| *count += 1);
    if path == "/slow" {
        state.open.subscribe().wait_for(|open| *open).await.unwrap();
    }
    let mut response = Response::builder().status(status).header("x-receiver", "yes");
    if let Some(seconds) = retry_after {
        response = response.header("retry-after", seconds);
    }
    response.body(Body::from("thanks\0")).unwrap()
}

/// What is waited for comes within a time that no machine needs.
pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), what).await.expect("it does not come")
}

/// The background work of a world, which ends with the test.
pub struct Working(JoinHandle<()>);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A webhook that was made.
#[derive(Debug, Clone)]
pub struct Made {
    pub id: String,
    pub secret: String,
}

impl World {
    pub fn works(&self) -> Working {
        Working(worker::start(self.ctx.clone()))
    }

    pub async fn webhook(&self, url: &str) -> Made {
        self.webhook_for(url, None).await
    }

    pub async fn webhook_for(&self, url: &str, events: Option<&[&str]>) -> Made {
        let mut body = json!({"app": APP_ONE, "url": url});
        if let Some(events) = events {
            body["events"] = json!(events);
        }
        let made = self.make("/webhooks", &body).await.expect(201).json();
        let text = |member: &str| made[member].as_str().unwrap().to_owned();
        Made { id: text("id"), secret: text("secret") }
    }

    /// The log of a webhook, newest first.
    pub async fn deliveries(&self, webhook: &Made, query: &str) -> Vec<Value> {
        let path = format!("/webhooks/{}/deliveries{query}", webhook.id);
        self.show(&path).await.expect(200).json().as_array().unwrap().clone()
    }

    pub async fn sent(&self, webhook: &Made, message: &Value) -> Value {
        let path = format!("/webhooks/{}/deliveries/{}", webhook.id, message.as_str().unwrap());
        self.show(&path).await.expect(200).json()
    }

    /// The newest message, as soon as its state is this.
    pub async fn settled(&self, webhook: &Made, state: &str) -> Value {
        soon(async {
            loop {
                let found = self.deliveries(webhook, "?limit=1").await;
                if let Some(newest) = found.first().filter(|newest| newest["status"] == state) {
                    return self.sent(webhook, &newest["id"]).await;
                }
                tokio::task::yield_now().await;
            }
        })
        .await
    }

    /// The newest message, as soon as so many attempts are in its log.
    pub async fn attempted(&self, webhook: &Made, attempts: usize) -> Value {
        soon(async {
            loop {
                let found = self.deliveries(webhook, "?limit=1").await;
                if let Some(newest) = found.first() {
                    let whole = self.sent(webhook, &newest["id"]).await;
                    if whole["log"].as_array().unwrap().len() >= attempts {
                        return whole;
                    }
                }
                tokio::task::yield_now().await;
            }
        })
        .await
    }

    /// So much later, and those who bring messages look again.
    pub fn later(&self, seconds: u64) {
        self.advance(seconds);
        self.ctx.webhooks.wake();
    }
}
