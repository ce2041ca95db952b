//! Keeps each request of the emulated surfaces in the sandbox's journal, masked, with what the use cases noted.

use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, Bytes, HttpBody as _, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header, response};
use axum::middleware::Next;
use axum::response::Response;
use serde_json::Value;
use uuid::Uuid;

use super::urls::{self, route};
use super::{Web, faults, mask, observe};
use crate::domain::doctor::Finding;
use crate::domain::journal::{Entry, Message, NO_ROUTE, Outcome, Why, endpoint_name};
use crate::domain::timestamp::Timestamp;
use crate::services::journal::note::{self, Notes, Slip};

mod tee;

/// In place of a status line.
const NO_ANSWER: &str = "(the connection was closed without an answer)";

/// Wraps every request, and lets those pass that are not for an emulated surface.
pub async fn keep(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let route = urls::below(web.urls.base(), matched).to_owned();
    if !web.ctx.journal.is_on() || !is_emulated(&web, &route, request.uri().path()) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let mut kept = Kept::begin(web, route, parts.clone());
    let (body, seen) = tee::body(body, mask::MAX_BODY);
    let response = kept.slip.clone().around(next.run(Request::from_parts(parts, body))).await;
    let (answer, body) = response.into_parts();
    let (body, answered) = whole(body).await;
    kept.finish(&answer, seen.await.unwrap_or_default(), answered);
    Response::from_parts(answer, body)
}

/// A request on its way to the journal. Where its client hangs up, what there is of it is kept all the same.
struct Kept {
    web: Arc<Web>,
    route: String,
    head: Parts,
    slip: Slip,
    /// Which journal it began in: one that was emptied meanwhile is another.
    epoch: u64,
    at: Timestamp,
    real_at: Timestamp,
    started: Instant,
    is_finished: bool,
}

impl Kept {
    fn begin(web: Arc<Web>, route: String, head: Parts) -> Self {
        Self {
            slip: Slip::new(web.ctx.journal.is_shown()),
            epoch: web.ctx.journal.epoch(),
            at: web.ctx.now(),
            real_at: web.ctx.real_now(),
            started: Instant::now(),
            is_finished: false,
            web,
            route,
            head,
        }
    }

    fn finish(&mut self, answer: &response::Parts, sent: Bytes, answered: Bytes) {
        self.is_finished = true;
        let notes = self.slip.take();
        if notes.left_out {
            return;
        }
        #[expect(clippy::cast_possible_truncation, reason = "no request lasts for centuries")]
        let duration_us = self.started.elapsed().as_micros() as u64;
        let exchange = Exchange { route: &self.route, head: &self.head, sent, answer, answered };
        let entry = exchange.entry(&self.web, notes);
        // An application that has no clock of its own got its answer by the same one.
        let has_own = entry.app.as_ref().is_some_and(|app| self.web.ctx.clocks.is_apart(app));
        let app_at = if has_own { entry.app_at } else { self.at };
        let entry = Entry { at: self.at, app_at, real_at: self.real_at, duration_us, ..entry };
        // Of a world that was reset meanwhile nothing is told in the new one.
        if self.web.ctx.journal.epoch() == self.epoch {
            self.web.ctx.journal.record(entry);
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if self.is_finished {
            return;
        }
        self.slip.note_abandoned();
        let (mut answer, ()) = Response::new(()).into_parts();
        answer.extensions.insert(faults::Dropped);
        self.finish(&answer, Bytes::new(), Bytes::new());
    }
}

/// Of what has no route the first word decides.
fn is_emulated(web: &Web, route: &str, path: &str) -> bool {
    // What was for a namespace that is over is judged by what followed.
    let own = path.strip_prefix(web.urls.base()).unwrap_or(path);
    let path = web.namespace_in(path).map_or(own, |(_, below)| below);
    let place = if route.is_empty() { path } else { route };
    let first = place.trim_start_matches('/').split('/').next().unwrap_or_default();
    urls::is_emulated(first)
}

/// Reads an answer that is all there, and gives it back. What streams is handed on unread.
async fn whole(body: Body) -> (Body, Bytes) {
    if body.size_hint().exact().is_none() {
        return (body, Bytes::new());
    }
    // In memory already: it has a length, and every answer of ours that has one is.
    match to_bytes(body, usize::MAX).await {
        Ok(bytes) => (Body::from(bytes.clone()), bytes),
        Err(error) => {
            tracing::error!(%error, "an answer could not be read");
            (Body::empty(), Bytes::new())
        }
    }
}

struct Exchange<'a> {
    route: &'a str,
    head: &'a Parts,
    sent: Bytes,
    answer: &'a response::Parts,
    answered: Bytes,
}

impl Exchange<'_> {
    fn entry(self, web: &Web, notes: Notes) -> Entry {
        let status = self.answer.status;
        let is_dropped = faults::is_dropped(&self.answer.extensions);
        let response = Message {
            line: if is_dropped {
                NO_ANSWER.to_owned()
            } else {
                format!("{} {}", status.as_str(), status.canonical_reason().unwrap_or_default())
            },
            headers: mask::headers(&self.answer.headers),
            body: mask::body(self.answer.headers.get(header::CONTENT_TYPE), &self.answered, mask::Sender::Server),
        };
        // What the button doctor saw work is a reason to keep, and none to refuse.
        let is_fact = |why: &Why| Finding::of_rule(&why.rule).is_some_and(Finding::is_fact);
        let refused = notes.why.as_ref().is_some_and(|why| !is_fact(why)) || status.is_client_error() || self.says_no();
        let is_abandoned = notes.why.as_ref().is_some_and(|why| why.rule == note::ABANDONED);
        let outcome = match () {
            () if notes.fault.is_some() => Outcome::Fault,
            () if status.is_server_error() || is_abandoned => Outcome::Error,
            () if refused => Outcome::Refused,
            () => Outcome::Ok,
        };
        let now = web.ctx.now();
        let app_at = notes.app.as_ref().map_or(now, |app| web.ctx.now_for(app));
        let noted = notes.why.map(|why| match notes.why_at {
            Some(moment) => Why { message: format!("{}, {}", why.message, ago(moment, app_at)), ..why },
            None => why,
        });
        let why = noted.or_else(|| (outcome != Outcome::Ok).then(|| self.reason()));
        let id = observe::request_id(&self.head.headers).and_then(|id| Uuid::try_parse(id).ok());
        let endpoint = endpoint_name(self.route).to_owned();
        Entry {
            id: id.unwrap_or_default(),
            at: now,
            real_at: now,
            app_at,
            method: self.head.method.to_string(),
            endpoint: if endpoint.is_empty() { NO_ROUTE.into() } else { endpoint },
            route: if self.route.is_empty() { NO_ROUTE.into() } else { self.route.to_owned() },
            status: if is_dropped { 0 } else { status.as_u16() },
            duration_us: 0,
            app: notes.app,
            user: notes.user,
            button: notes.button,
            flow: notes.flow,
            connection: notes.connection,
            outcome,
            why,
            fault: notes.fault,
            request: Message {
                line: format!("{} {}", self.head.method, self.target(web)),
                headers: mask::headers(&self.head.headers)
                    .into_iter()
                    .filter(|(name, _)| name != "x-request-id")
                    .collect(),
                body: self.sent_body(),
            },
            response,
        }
    }

    /// What a lead says of somebody is theirs, whatever it is called and wherever it was sent by mistake.
    fn may_be_lead(&self) -> bool {
        matches!(self.route, route::LEAD_INSERT | route::RECEIVE | "")
    }

    fn sent_body(&self) -> String {
        let content_type = self.head.headers.get(header::CONTENT_TYPE);
        match self.may_be_lead() {
            true => mask::outline(content_type, &self.sent),
            false => mask::body(content_type, &self.sent, mask::Sender::Client),
        }
    }

    /// The path and the query, masked. A path is only shown as far as it consists of our own words.
    fn target(&self, web: &Web) -> String {
        let uri = &self.head.uri;
        let base = web.urls.base();
        let path = uri.path().strip_prefix(base).unwrap_or(uri.path());
        let mut shown = format!("{base}{}", urls::masked(self.route, path, mask::token));
        if let Some(query) = uri.query() {
            shown.push('?');
            shown.push_str(&if self.may_be_lead() { mask::names(query) } else { mask::pairs(query.as_bytes()) });
        }
        shown
    }

    /// Whether a status of success comes with a refusal in its body.
    fn says_no(&self) -> bool {
        let is_json = self.answer.headers.get(header::CONTENT_TYPE).is_some_and(|value| value == "application/json");
        is_json && self.answered.starts_with(b"{\"valid\":false")
    }

    /// The reason of a refusal that no use case explained: what the answer itself says.
    fn reason(&self) -> Why {
        let parsed: Value = serde_json::from_slice(&self.answered).unwrap_or_default();
        let text = |name: &str| parsed.get(name).and_then(Value::as_str).map(mask::scrub);
        let status = self.answer.status;
        let message = ["error_description", "errorMessage", "detail"].into_iter().find_map(text);
        let (rule, usual) = match status {
            StatusCode::NOT_FOUND => ("request.no_such_address", "There is nothing at this address."),
            StatusCode::METHOD_NOT_ALLOWED => ("request.method", "This address does not take that method."),
            StatusCode::PAYLOAD_TOO_LARGE => ("request.too_large", "The body is larger than this address takes."),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                ("request.media_type", "The body is not of the type that this address takes.")
            }
            StatusCode::TOO_MANY_REQUESTS => ("request.too_many", "There were too many attempts."),
            _ if status.is_server_error() => ("server.failed", "The request failed on the server."),
            _ => ("request.invalid", "The request is not one that this address takes."),
        };
        let rule = match text("error") {
            Some(code) if status.is_client_error() && rule == "request.invalid" => format!("error.{code}").into(),
            _ => rule.into(),
        };
        let nearest = match status {
            StatusCode::NOT_FOUND if self.route.is_empty() => urls::nearest(self.head.uri.path()).map(str::to_owned),
            StatusCode::METHOD_NOT_ALLOWED => {
                self.answer.headers.get(header::ALLOW).and_then(|allow| allow.to_str().ok()).map(str::to_owned)
            }
            _ => None,
        };
        Why { rule, message: message.unwrap_or_else(|| usual.to_owned()), nearest }
    }
}

/// `12 s ago`, as people say it.
fn ago(moment: Timestamp, now: Timestamp) -> String {
    // A clock that was moved back sees what is still to come.
    let (span, is_past) = if moment <= now { (now.since(moment), true) } else { (moment.since(now), false) };
    let seconds = span.as_secs();
    let span = match seconds {
        0 => return "just now".to_owned(),
        1..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    };
    if is_past { format!("{span} ago") } else { format!("in {span} by this clock") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e_how_long_ago_is_said_as_people_do() {
        let now = Timestamp::from_unix_seconds(1_000_000);
        let said = |seconds: i64| ago(Timestamp::from_unix_seconds(1_000_000 - seconds), now);
        assert_eq!(
            [0, 12, 119, 120, 7_199, 7_200, 172_800, -3].map(said),
            [
                "just now",
                "12 s ago",
                "119 s ago",
                "2 min ago",
                "119 min ago",
                "2 h ago",
                "2 days ago",
                "in 3 s by this clock"
            ]
        );
    }
}
