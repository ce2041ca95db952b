//! Listeners: developers' machines that have no public address, and ask for their messages (`leadgate listen`).

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::Web;
use super::super::error::problem::Problem;
use super::super::urls::route;
use super::auth::Operator;
use super::body::Body;
use super::query::{Id, Ids, Query};
use super::values::{Given, List, created, ok};
use super::webhooks::{explain, read, read_message, topics};
use crate::crypto::webhook_signature::WebhookSecret;
use crate::domain::duration;
use crate::domain::ids::{AppId, WebhookId};
use crate::domain::webhook::{Outcome, Topic, Topics};
use crate::services::webhooks::listener::{self, Handed, New, Report};

/// Longest time that an answer is held back: less than a request may take.
const MAX_WAIT: Duration = Duration::from_secs(25);
/// Header fields of a report that are taken.
const MAX_HEADERS: usize = 64;

pub fn routes() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::default().routes(routes!(add)).routes(routes!(delete)).routes(routes!(poll)).routes(routes!(report))
}

/// A listener to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"app": "0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001", "events": ["connection.created"]}))]
struct NewListener {
    /// Left out: whatever happens to any application.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    app: Option<Given<AppId>>,
    /// Left out: all that there is.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    events: Option<List<Topic>>,
    /// What signs: `whsec_` and 24 to 64 bytes in base64. Made when left out.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    secret: Option<Given<WebhookSecret>>,
}

/// A machine that asks for its messages.
#[derive(Serialize, ToSchema)]
struct ListenerObject {
    #[schema(value_type = Uuid)]
    id: WebhookId,
    /// The application; null: each.
    app: Option<String>,
    events: Vec<&'static str>,
    /// What signs: `whsec_…`. Shown this once.
    secret: String,
}

/// Make a listener
///
/// One that does not ask for three minutes is gone.
#[utoipa::path(
    post,
    path = route::SANDBOX_LISTENERS,
    tag = "webhooks",
    operation_id = "makeListener",
    request_body = NewListener,
    responses(
        (status = 201, description = "The listener with its secret.", body = ListenerObject, headers(("location" = String, description = "Where it is."))),
        (status = 400, description = "The body is not as described.", body = Problem),
        (status = 404, description = "There is no such application.", body = Problem),
        (status = 409, description = "There are as many as there may be.", body = Problem),
    ),
)]
async fn add(
    State(web): State<Arc<Web>>,
    Operator(by): Operator,
    Body(body): Body<NewListener>,
) -> Result<Response, Problem> {
    let new = New {
        app: body.app.map(|Given(app)| app),
        topics: body.events.map_or(Ok(Topics::ALL), topics)?,
        secret: body.secret.map(|Given(secret)| secret),
    };
    let (webhook, secret) = listener::create(&web.ctx.acting(by), new).await.map_err(explain)?;
    let object = ListenerObject {
        id: webhook.id,
        app: webhook.app.map(Into::into),
        events: webhook.topics.iter().map(Topic::as_str).collect(),
        secret: secret.expose(),
    };
    Ok(created(&web, route::SANDBOX_LISTENERS, webhook.id, &object))
}

/// Delete a listener
///
/// With what waited for it.
#[utoipa::path(
    delete,
    path = route::SANDBOX_LISTENER,
    tag = "webhooks",
    operation_id = "deleteListener",
    params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 404, description = "There is no such listener.", body = Problem),
    ),
)]
async fn delete(State(web): State<Arc<Web>>, Operator(by): Operator, Id(id): Id) -> Result<StatusCode, Problem> {
    listener::delete(&web.ctx.acting(by), read(&id)?).await.map_err(explain)?;
    Ok(StatusCode::NO_CONTENT)
}

/// A message that the listener has for 20 seconds: by then it reports, or the message is handed out again.
#[derive(Serialize, ToSchema)]
struct HandedMessage {
    /// Its `webhook-id`.
    id: String,
    /// Which attempt this is.
    nr: u32,
    #[serde(rename = "type")]
    kind: &'static str,
    /// What it is to be sent with, names and values.
    headers: Vec<(String, String)>,
    /// The body, which is signed as it is.
    body: String,
}

impl From<Handed> for HandedMessage {
    fn from(handed: Handed) -> Self {
        let message = handed.claimed.message;
        Self {
            id: message.id.written(),
            nr: handed.claimed.nr,
            kind: message.topic.as_str(),
            headers: handed.headers,
            body: message.payload,
        }
    }
}

/// What there is for a listener.
#[derive(Serialize, ToSchema)]
struct HandedMessages {
    messages: Vec<HandedMessage>,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct PollQuery {
    /// Where there is nothing: how long to wait for the first message, at most `25s`.
    #[serde(default)]
    #[param(example = "20s")]
    wait: Option<String>,
}

/// Take messages
///
/// The oldest that are due, in order for each connection.
#[utoipa::path(
    post,
    path = route::SANDBOX_LISTENER_MESSAGES,
    tag = "webhooks",
    operation_id = "takeListenerMessages",
    params(("id" = String, Path, description = "The listener's id."), PollQuery),
    responses(
        (status = 200, description = "What there is.", body = HandedMessages),
        (status = 400, description = "The parameter is malformed.", body = Problem),
        (status = 404, description = "There is no such listener, or no longer.", body = Problem),
    ),
)]
async fn poll(State(web): State<Arc<Web>>, Id(id): Id, Query(query): Query<PollQuery>) -> Result<Response, Problem> {
    let wait = match query.wait {
        Some(text) => duration::parse(&text).map_err(|why| Problem::invalid(format!("{why}.")).in_query("wait"))?,
        None => Duration::ZERO,
    };
    if wait > MAX_WAIT {
        return Err(Problem::invalid("An answer is held back for at most 25s.").in_query("wait"));
    }
    let handed = listener::poll(&web.ctx, read(&id)?, wait).await.map_err(explain)?;
    Ok(ok(&HandedMessages { messages: handed.into_iter().map(HandedMessage::from).collect() }))
}

/// What became of a message: a status where there was an answer, else the reason why there was none.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"nr": 1, "status": 200, "duration_ms": 12, "headers": [["content-type", "text/plain"]], "body": "ok"}))]
struct ListenerReport {
    /// The attempt's.
    nr: u32,
    duration_ms: u64,
    #[serde(default)]
    status: Option<u16>,
    /// Of the answer, names and values.
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    error: Option<String>,
}

/// What happens next.
#[derive(Serialize, ToSchema)]
struct ListenerReported {
    /// After how long the message is handed out again; null: it is not.
    retry_in_ms: Option<u64>,
}

/// Report an outcome
///
/// As if the server had sent the message itself: the same statuses are a success, and the same pauses lie between attempts.
#[utoipa::path(
    post,
    path = route::SANDBOX_LISTENER_OUTCOME,
    tag = "webhooks",
    operation_id = "reportListenerOutcome",
    params(
        ("id" = String, Path, description = "The listener's id."),
        ("message" = String, Path, description = "The message's id."),
    ),
    request_body = ListenerReport,
    responses(
        (status = 200, description = "It is written down.", body = ListenerReported),
        (status = 400, description = "The body is not as described.", body = Problem),
        (status = 404, description = "There is no such listener, or no such message.", body = Problem),
    ),
)]
async fn report(
    State(web): State<Arc<Web>>,
    Ids(id, message): Ids,
    Body(body): Body<ListenerReport>,
) -> Result<Response, Problem> {
    let took = Duration::from_millis(body.duration_ms);
    let outcome = match body.status {
        Some(status) => Outcome::Answered {
            status,
            headers: body.headers.into_iter().take(MAX_HEADERS).collect(),
            body: body.body.unwrap_or_default(),
        },
        None => Outcome::Unanswered(body.error.unwrap_or_default()),
    };
    let report = Report {
        message: read_message(&message)?,
        at: web.ctx.real_now().minus(took),
        took,
        headers: Vec::new(),
        outcome,
    };
    let again = listener::report(&web.ctx, read(&id)?, body.nr, report).await.map_err(explain)?;
    let retry_in_ms = again.map(|pause| u64::try_from(pause.as_millis()).unwrap_or(u64::MAX));
    Ok(ok(&ListenerReported { retry_in_ms }))
}
