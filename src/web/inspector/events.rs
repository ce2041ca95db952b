//! The journal as it is written: Server-Sent Events for the inspector's list.
//!
//! | event | data | what it means |
//! | --- | --- | --- |
//! | `start` | `{"fresh": bool}` | the list begins here; `fresh`: what was sent before does not count any more |
//! | `request` | a request as the control plane lists it; its id is the event's | oldest first |

use std::collections::{HashSet, VecDeque};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::time::Sleep;
use uuid::Uuid;

use super::super::Web;
use super::super::error::problem::Problem;
use super::super::sandbox::query::Query;
use super::super::sandbox::requests::{Criteria, RequestSummary, in_query};
use super::session;
use crate::domain::journal::Entry;
use crate::services::journal::{self, learn_users};

/// Requests of the past that a stream begins with.
const BACKLOG: usize = 200;
/// How often a quiet stream shows that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long one stream lasts; then the browser comes again, and has to be let in again.
const LONGEST: Duration = Duration::from_secs(3_600);
/// How soon a browser comes again.
const RETRY: Duration = Duration::from_millis(1_000);

pub async fn stream(
    State(web): State<Arc<Web>>,
    headers: HeaderMap,
    Query(criteria): Query<Criteria>,
) -> Result<Response, Problem> {
    if !session::is_open(&web, &headers) {
        let detail = "This is for the inspector's own page, once it is signed in.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "Not signed in", detail));
    }
    let Some(feed) = web.ctx.journal.listen() else {
        let detail = "Too many are listening already. Close other windows.";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Too many listeners", detail));
    };
    let mut query = criteria.read(in_query)?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| Uuid::try_parse(id).ok());
    query.after = last.or(query.after);
    let sse = Sse::new(events(web, query, feed)).keep_alive(KeepAlive::new().interval(HEARTBEAT));
    let mut response = sse.into_response();
    for (name, value) in [("x-content-type-options", "nosniff"), ("x-accel-buffering", "no")] {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    Ok(response)
}

struct Listener {
    web: Arc<Web>,
    query: journal::Query,
    feed: Receiver<Arc<Entry>>,
    cleared: watch::Receiver<u64>,
    until: Pin<Box<Sleep>>,
    /// What is to be sent next.
    waiting: VecDeque<Event>,
    /// What the list of the past had already, of what the feed has yet to bring.
    sent: HashSet<Uuid>,
}

fn events(
    web: Arc<Web>,
    query: journal::Query,
    feed: Receiver<Arc<Entry>>,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let cleared = web.ctx.journal.cleared();
    let until = Box::pin(tokio::time::sleep(LONGEST));
    let listener = Listener { web, query, feed, cleared, until, waiting: VecDeque::new(), sent: HashSet::new() };
    unfold((listener, false), async |(mut listener, has_begun)| {
        if !has_begun {
            let is_fresh = listener.query.after.is_none_or(|id| listener.web.ctx.journal.find(id).is_none());
            listener.begin(is_fresh).await;
        }
        let event = listener.next().await?;
        Some((Ok(event), (listener, true)))
    })
}

impl Listener {
    /// Puts what there is already before what is to come.
    async fn begin(&mut self, is_fresh: bool) {
        self.learn_users().await;
        // What is in the list has not to be heard of again.
        self.feed = self.feed.resubscribe();
        let start = format!("{{\"fresh\":{is_fresh}}}");
        self.waiting.push_back(Event::default().event("start").retry(RETRY).data(start));
        let query = journal::Query { limit: Some(BACKLOG), ..self.query.clone() };
        let past = self.web.ctx.journal.list(&query);
        self.sent = past.iter().map(|entry| entry.id).collect();
        let events: Vec<Event> = past.iter().rev().map(|entry| self.event(entry)).collect();
        self.waiting.extend(events);
        // From here on the feed says what is new.
        self.query.after = None;
    }

    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            tokio::select! {
                received = self.feed.recv() => match received {
                    Ok(entry) => self.take(&entry).await,
                    Err(RecvError::Lagged(_)) => self.begin(true).await,
                    Err(RecvError::Closed) => return None,
                },
                changed = self.cleared.changed() => {
                    changed.ok()?;
                    self.begin(true).await;
                }
                () = &mut self.until => return None,
            }
        }
    }

    async fn take(&mut self, entry: &Arc<Entry>) {
        // What was forgotten in the meantime is not news.
        if self.sent.remove(&entry.id) || self.web.ctx.journal.find(entry.id).is_none() {
            return;
        }
        self.learn_users().await;
        if self.web.ctx.journal.takes(&self.query, entry) {
            let event = self.event(entry);
            self.waiting.push_back(event);
        }
    }

    fn event(&self, entry: &Entry) -> Event {
        let summary = RequestSummary::of(&self.web, entry);
        let data = serde_json::to_string(&summary).unwrap_or_default();
        Event::default().event("request").id(summary.id).data(data)
    }

    /// Without the database the list goes on, and says less of each.
    async fn learn_users(&self) {
        if let Err(error) = learn_users(&self.web.ctx).await {
            tracing::warn!(%error, "the journal could not look users up");
        }
    }
}
