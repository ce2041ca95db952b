//! Scripted faults (wire.md part E): before a request is handled, or between its handling and its answer.

mod asked;
mod endpoints;
mod form;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{Extensions, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use super::error::{failed, failed_at};
use super::{Web, guard};
use crate::domain::fault::{Effect, Endpoint, Rule, When, Who};
use crate::domain::journal::Why;
use crate::services::faults::{Candidates, who};
use crate::services::journal::note;
use crate::socket::Peer;
use asked::Asked;
use endpoints::{ENDPOINTS, Served, of_matched};

/// Names the rule that acted, for the person who looks at an answer.
static FAULT: HeaderName = HeaderName::from_static("x-leadgate-fault");

/// Marks an answer that is never sent: its connection is closed before the first byte.
#[derive(Debug, Clone, Copy)]
pub struct Dropped;

/// The endpoints that a rule may name.
pub fn endpoints() -> Vec<Endpoint> {
    ENDPOINTS.iter().map(|served| served.endpoint).collect()
}

/// Whether an answer is one that is never sent.
pub fn is_dropped(extensions: &Extensions) -> bool {
    extensions.get::<Dropped>().is_some()
}

/// Around each request of an emulated surface. Where there are no rules it costs a look at a flag.
pub async fn faults(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    if !web.ctx.faults.is_armed() {
        return next.run(request).await;
    }
    let Some((served, candidates)) = candidates(&web, &request) else { return next.run(request).await };
    let (uri, headers) = (request.uri().clone(), request.headers().clone());
    // Outside the limit that handlers have.
    let found = tokio::time::timeout(guard::MAX_DURATION, find(&web, served, &candidates, request)).await;
    let Ok((found, asked, request)) = found else {
        return failed_at(&web, uri.path(), &headers, StatusCode::SERVICE_UNAVAILABLE);
    };
    let Some(rule) = found else { return next.run(request).await };
    let (endpoint, when) = (served.endpoint.name(), rule.when.as_str());
    if note::is_shown() {
        tracing::debug!(rule = rule.id, endpoint, when, "a fault acts");
    } else {
        tracing::info!(rule = rule.id, endpoint, when, "a fault acts");
    }
    note::fault(&rule.id);
    act(&web, served, &rule, asked, request, next).await
}

/// The rules for this request's endpoint. A browser that asks first (CORS) is not meant by any.
fn candidates(web: &Web, request: &Request) -> Option<(&'static Served, Candidates)> {
    if request.method() == Method::OPTIONS {
        return None;
    }
    let matched = request.extensions().get::<MatchedPath>()?;
    let served = of_matched(matched.as_str(), web.urls.base())?;
    web.ctx.faults.at(served.endpoint.route).map(|candidates| (served, candidates))
}

/// The rule that acts on a request. It is chosen before anything is done, so that an order and a count mean the same
/// for rules that act before and after.
async fn find(
    web: &Web,
    served: &Served,
    candidates: &Candidates,
    request: Request,
) -> (Option<Arc<Rule>>, Asked, Request) {
    let (asked, request) = Asked::read(request).await;
    let mut who = Who::default();
    if candidates.name_somebody() {
        who = who_asks(web, served, &asked).await;
    }
    let rule = candidates.take(&who);
    if rule.as_ref().is_some_and(|rule| rule.when == When::Before) {
        // Where no handler runs, nobody else will tell the journal.
        if !candidates.name_somebody() {
            who = who_asks(web, served, &asked).await;
        }
        if let [app] = &who.apps[..] {
            note::app(app);
        }
        if let [user] = &who.users[..] {
            note::user(user.as_str());
        }
    }
    (rule, asked, request)
}

async fn who_asks(web: &Web, served: &Served, asked: &Asked) -> Who {
    who(&web.ctx, &asked.clues(web, served)).await.unwrap_or_else(|error| {
        // A database that does not answer will not answer the handler either.
        failed(&error);
        Who::default()
    })
}

async fn act(web: &Web, served: &Served, rule: &Rule, asked: Asked, request: Request, next: Next) -> Response {
    let extensions = request.extensions().clone();
    let (delay, answer) = match &rule.effect {
        Effect::Late(delay) => (Some(*delay), None),
        Effect::Instead { delay, answer } => (*delay, Some(answer)),
    };
    let mut response = match (rule.when, answer) {
        (When::Before, None) => {
            wait(delay).await;
            let response = next.run(request).await;
            note_why(rule);
            response
        }
        (When::After, None) => {
            let response = next.run(request).await;
            note_why(rule);
            wait(delay).await;
            response
        }
        (when, Some(answer)) => {
            if when == When::After {
                // What it answers is lost.
                next.run(request).await;
            }
            note_why(rule);
            wait(delay).await;
            match form::answer(web, served, &asked, answer).await {
                Some(response) => response,
                None => return dropped(&extensions),
            }
        }
    };
    if let Ok(id) = HeaderValue::from_str(&rule.id) {
        response.headers_mut().insert(&FAULT, id);
    }
    response
}

/// A reason that the endpoint itself noted stands.
fn note_why(rule: &Rule) {
    note::why(Why::new("fault", format!("the fault rule {} acted, {}", rule.id, rule.when.of_the_effect())));
}

/// In real time: whoever waits for the answer does not wait by the server's clock.
async fn wait(delay: Option<Duration>) {
    if let Some(delay) = delay {
        tokio::time::sleep(delay).await;
    }
}

/// Cuts the connection. The answer is for who calls the router as a function: its body breaks off.
fn dropped(extensions: &Extensions) -> Response {
    if let Some(ConnectInfo(peer)) = extensions.get::<ConnectInfo<Peer>>() {
        peer.cut();
    }
    let cut = std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
    let body = Body::from_stream(stream::iter([Err::<Vec<u8>, _>(cut)]));
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, body).into_response();
    response.extensions_mut().insert(Dropped);
    response
}
