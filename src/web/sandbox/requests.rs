//! The journal's requests (wire.md part E): listed, waited for, looked at one by one, counted, taken away as a file.

#![expect(unused_qualifications, reason = "the macro that describes an operation names its parameters' trait in full")]

mod criteria;
mod curl;
mod har;
mod shown;
mod verify;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::super::Web;
use super::super::error::oauth::{json, no_store};
use super::super::error::problem::Problem;
use super::super::urls::route;
use super::body::Body;
use super::query::{Id, Query};
pub use criteria::{Criteria, in_query};
use shown::RequestDetails;
pub use shown::RequestSummary;
use verify::{RequestCount, RequestMissed, RequestsCounted};

use crate::domain::duration;
use crate::domain::journal::Entry;
use crate::services::journal::{self, MAX_ENTRIES, learn_users};
use crate::store::StoreError;

/// RequestList that are listed where nothing else is asked for.
const DEFAULT_LIMIT: usize = 100;
/// Longest time that an answer is held back: less than a request may take.
const MAX_WAIT: Duration = Duration::from_secs(25);
/// Near misses that are told.
const MAX_NEAR_MISSES: usize = 10;

pub fn routes() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::default()
        .routes(routes!(list, clear))
        .routes(routes!(show))
        .routes(routes!(timeline))
        .routes(routes!(verify))
        .routes(routes!(archive))
}

/// How many are listed, and how long an empty list may be held back.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Paging {
    /// At most so many: 1 to 5000, else 100.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 5000)]
    limit: Option<String>,
    /// Where nothing matches: how long to wait for the first that does, at most `25s`.
    #[serde(default)]
    #[param(example = "5s")]
    wait: Option<String>,
}

/// Requests of the journal.
#[derive(Serialize, ToSchema)]
struct RequestList {
    requests: Vec<RequestSummary>,
}

impl Paging {
    fn limit(&self) -> Result<usize, Problem> {
        let Some(text) = &self.limit else { return Ok(DEFAULT_LIMIT) };
        let limit = text.parse().ok().filter(|limit| (1..=MAX_ENTRIES).contains(limit));
        limit.ok_or_else(|| Problem::invalid(format!("Expected 1 to {MAX_ENTRIES}.")).in_query("limit"))
    }

    fn wait(&self) -> Result<Option<Duration>, Problem> {
        let Some(text) = &self.wait else { return Ok(None) };
        let wait = duration::parse(text).map_err(|why| Problem::invalid(format!("{why}.")).in_query("wait"))?;
        if wait > MAX_WAIT {
            let detail = "An answer is held back for at most 25s. Ask again when it is empty.";
            return Err(Problem::invalid(detail).in_query("wait"));
        }
        Ok(Some(wait))
    }
}

/// List requests
///
/// The emulated surfaces' requests, newest first; calls to the control plane itself are not among them. With `wait` an
/// empty list is held back until there is something in it, so that a test need not ask again and again.
#[utoipa::path(
    get, path = route::SANDBOX_REQUESTS, tag = "requests", params(Criteria, Paging),
    responses(
        (status = 200, description = "What meets all criteria", body = RequestList),
        (status = 400, description = "A parameter is malformed or unknown", body = Problem),
        (status = 503, description = "Too many are waiting already", body = Problem),
    )
)]
async fn list(
    State(web): State<Arc<Web>>,
    Query(criteria): Query<Criteria>,
    Query(page): Query<Paging>,
) -> Result<Response, Problem> {
    let query = journal::Query { limit: Some(page.limit()?), ..criteria.read(in_query)? };
    let found = match page.wait()? {
        Some(longest) => awaited(&web, &query, longest).await?,
        None => found(&web, &query).await?,
    };
    Ok(answer(&web, &found))
}

fn answer(web: &Web, found: &[Arc<Entry>]) -> Response {
    let requests = found.iter().map(|entry| RequestSummary::of(web, entry)).collect();
    json(StatusCode::OK, &RequestList { requests })
}

async fn found(web: &Web, query: &journal::Query) -> Result<Vec<Arc<Entry>>, StoreError> {
    learn_users(&web.ctx).await?;
    Ok(web.ctx.journal.list(query))
}

async fn awaited(web: &Web, query: &journal::Query, longest: Duration) -> Result<Vec<Arc<Entry>>, Problem> {
    // Before looking, or what comes in between would be missed.
    let mut feed = web.ctx.journal.listen().ok_or_else(too_many)?;
    let at_once = found(web, query).await?;
    if !at_once.is_empty() {
        return Ok(at_once);
    }
    match tokio::time::timeout(longest, first(web, query, &mut feed)).await {
        Ok(there) => there?,
        Err(_) => return Ok(Vec::new()),
    }
    Ok(found(web, query).await?)
}

/// Waits for something that the query takes, or for the end of the journal: the server stops.
async fn first(web: &Web, query: &journal::Query, feed: &mut Receiver<Arc<Entry>>) -> Result<(), StoreError> {
    loop {
        match feed.recv().await {
            Ok(entry) => {
                if query.user.is_some() {
                    learn_users(&web.ctx).await?;
                }
                if web.ctx.journal.takes(query, &entry) {
                    return Ok(());
                }
            }
            Err(RecvError::Lagged(_)) if found(web, query).await?.is_empty() => {}
            Err(RecvError::Lagged(_) | RecvError::Closed) => return Ok(()),
        }
    }
}

fn too_many() -> Problem {
    let detail = "Too many are waiting for requests already. Ask again without `wait`, or end others.";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Too many listeners", detail)
}

/// Forget all requests
///
/// The journal is empty then, and an integration check begins anew.
#[utoipa::path(
    delete, path = route::SANDBOX_REQUESTS, tag = "requests",
    responses((status = 204, description = "The journal is empty"))
)]
async fn clear(State(web): State<Arc<Web>>) -> Response {
    web.ctx.journal.clear();
    no_store(StatusCode::NO_CONTENT.into_response())
}

/// Show a request
///
/// With the whole exchange, masked, and a line for a shell that makes it again.
#[utoipa::path(
    get, path = route::SANDBOX_REQUEST, tag = "requests",
    params(("id" = String, Path, description = "The request's id: `x-request-id` of its answer")),
    responses(
        (status = 200, description = "The request", body = RequestDetails),
        (status = 404, description = "It is not, or no longer, in the journal", body = Problem),
    )
)]
async fn show(State(web): State<Arc<Web>>, Id(id): Id) -> Result<Response, Problem> {
    let entry = entry(&web, &id).await?;
    Ok(json(StatusCode::OK, &RequestDetails::of(&web, &entry)))
}

/// Show the sign-in that a request belongs to
///
/// From the click to the disconnect, oldest first: all requests of its connection, and of the flows that led to it.
#[utoipa::path(
    get, path = route::SANDBOX_TIMELINE, tag = "requests",
    params(("id" = String, Path, description = "The request's id")),
    responses(
        (status = 200, description = "The requests, this one among them", body = RequestList),
        (status = 404, description = "It is not, or no longer, in the journal", body = Problem),
    )
)]
async fn timeline(State(web): State<Arc<Web>>, Id(id): Id) -> Result<Response, Problem> {
    let entry = entry(&web, &id).await?;
    Ok(answer(&web, &web.ctx.journal.related(&entry)))
}

async fn entry(web: &Web, id: &str) -> Result<Arc<Entry>, Problem> {
    learn_users(&web.ctx).await?;
    let found = Uuid::try_parse(id).ok().and_then(|id| web.ctx.journal.find(id));
    found.ok_or_else(|| {
        Problem::not_found(format!("The journal has no request with this id; it keeps the last {MAX_ENTRIES}."))
    })
}

/// Count requests
///
/// For a test's assertion: 200 where there are as many as there have to be. Else the answer has `matched`, how many there
/// were, and `near_misses`: requests that fail one criterion and no more, each with `criterion`, `expected`, `found` and
/// `request`.
#[utoipa::path(
    post, path = route::SANDBOX_VERIFY, tag = "requests", request_body = RequestCount,
    responses(
        (status = 200, description = "There are as many as there have to be", body = RequestsCounted),
        (status = 400, description = "The body is not as described", body = Problem),
        (status = 409, description = "There are more or fewer, with `matched` and `near_misses`", body = Problem),
    )
)]
async fn verify(State(web): State<Arc<Web>>, Body(request): Body<RequestCount>) -> Result<Response, Problem> {
    let RequestCount { wanted, count } = request;
    let query = Criteria::from(wanted).read(criteria::in_match)?;
    let matched = found(&web, &query).await?.len();
    if count.holds(matched) {
        return Ok(json(StatusCode::OK, &RequestsCounted { matched }));
    }
    let missed = web.ctx.journal.near_misses(&query, MAX_NEAR_MISSES);
    let missed: Vec<RequestMissed> = missed.iter().map(|missed| RequestMissed::of(&web, &query, missed)).collect();
    let nearest = missed.first().map(|missed| format!(" Of the nearest, {}.", missed.sentence())).unwrap_or_default();
    let detail = format!("Expected {count}, found {matched}.{nearest}");
    let problem = Problem::new(StatusCode::CONFLICT, "Another count", detail);
    Err(problem.with("matched", matched).with("near_misses", serde_json::to_value(missed).unwrap_or_default()))
}

/// Take requests away as a file
///
/// An HTTP Archive (HAR 1.2), oldest first, masked: for a browser's developer tools, or to be kept with a test's results.
#[utoipa::path(
    get, path = route::SANDBOX_HAR, tag = "requests", params(Criteria),
    responses(
        (status = 200, description = "What meets all criteria", body = Object),
        (status = 400, description = "A parameter is malformed or unknown", body = Problem),
    )
)]
async fn archive(State(web): State<Arc<Web>>, Query(criteria): Query<Criteria>) -> Result<Response, Problem> {
    let found = found(&web, &criteria.read(in_query)?).await?;
    let mut response = json(StatusCode::OK, &har::archive(&web, &found));
    let name = HeaderValue::from_static("attachment; filename=\"leadgate.har\"");
    response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    Ok(response)
}
