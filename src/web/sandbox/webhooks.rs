//! Webhooks (wire.md F), and the log of what was sent.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::super::Web;
use super::super::error::oauth::json;
use super::super::error::problem::{Problem, sentence};
use super::super::urls::route;
use super::auth::Operator;
use super::body::{Body, OptionalBody};
use super::query::{Id, Ids, Query};
use super::values::{self, Given, List, created, cut, no_such_page, ok, page, present};
use crate::crypto::webhook_signature::WebhookSecret;
use crate::domain::duration;
use crate::domain::ids::{AppId, WebhookId, WebhookMessageId};
use crate::domain::timestamp::Timestamp;
use crate::domain::webhook::{Attempt, DEFAULT_OVERLAP, Delivery, Outcome, Sent, Topic, Topics, Webhook, WebhookState};
use crate::services::webhooks::{self, Change, New, WebhookError, log};

pub fn routes() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::default()
        .routes(routes!(list, add))
        .routes(routes!(show, change, delete))
        .routes(routes!(rotate))
        .routes(routes!(test))
        .routes(routes!(replay_span))
        .routes(routes!(deliveries))
        .routes(routes!(delivery))
        .routes(routes!(replay))
}

/// Who is told of what happens to an application's connections.
#[derive(Serialize, ToSchema)]
struct WebhookObject {
    #[schema(value_type = Uuid)]
    id: WebhookId,
    /// The application.
    app: Option<String>,
    /// Where messages are sent.
    #[schema(example = "https://partner.example/webhooks")]
    url: Option<String>,
    /// What it is told of.
    events: Vec<&'static str>,
    /// Whether it is left out: nothing is sent to it, and nothing new waits for it.
    disabled: bool,
    /// Why it is: `switched` (somebody wanted it), `gone` (the target answered 410) or `failing` (for five days).
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_why: Option<&'static str>,
    /// Since when every attempt has failed; null: the last one did not.
    #[schema(format = DateTime)]
    failing_since: Option<String>,
    /// Until when the secret that was replaced signs too.
    #[schema(format = DateTime)]
    previous_secret_until: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    /// What signs: `whsec_…`. Shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl WebhookObject {
    fn new(webhook: Webhook, secret: Option<&WebhookSecret>) -> Self {
        let disabled_why = match webhook.state {
            WebhookState::Active => None,
            WebhookState::Disabled { why, .. } => Some(why.as_str()),
        };
        Self {
            id: webhook.id,
            url: webhook.url().map(Url::to_string),
            events: webhook.topics.iter().map(Topic::as_str).collect(),
            disabled: disabled_why.is_some(),
            disabled_why,
            failing_since: webhook.failing_since.map(Timestamp::to_rfc3339),
            previous_secret_until: webhook.previous_until.map(Timestamp::to_rfc3339),
            created_at: webhook.created_at.to_rfc3339(),
            secret: secret.map(WebhookSecret::expose),
            app: webhook.app.map(Into::into),
        }
    }
}

/// A page of webhooks, oldest first.
#[derive(Serialize, ToSchema)]
struct WebhookList {
    webhooks: Vec<WebhookObject>,
    /// What `after` has to be for the next page; null: there is none.
    next: Option<String>,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only those of this application.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    app: Option<Given<AppId>>,
    /// How many at most.
    #[serde(default = "values::default_page")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: i64,
    /// Those after this one: the `next` of the page before.
    #[serde(default)]
    after: Option<String>,
}

/// A webhook to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "app": "0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001",
    "url": "http://localhost:9000/webhooks",
    "events": ["connection.created", "connection.revoked"],
}))]
struct NewWebhook {
    /// The application whose connections it is told of.
    #[schema(value_type = String)]
    app: Given<AppId>,
    /// Where messages are sent: a host that the setting `outgoing_allow` lists, by default this machine's own.
    #[schema(value_type = String)]
    url: Given<Url>,
    /// What it is told of; left out: all that there is, and will be.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    events: Option<List<Topic>>,
    /// What signs: `whsec_` and 24 to 64 bytes in base64. Made when left out.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    secret: Option<Given<WebhookSecret>>,
}

/// What is to be different; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"events": ["connection.revoked"], "disabled": false}))]
struct WebhookChange {
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String)]
    url: Option<Given<Url>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Vec<String>)]
    events: Option<List<Topic>>,
    /// Nothing is sent to one that is; what waits goes on waiting.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = bool)]
    disabled: Option<bool>,
}

/// What is told: all but none of it.
pub(super) fn topics(given: List<Topic>) -> Result<Topics, Problem> {
    Topics::of(given.0).ok_or_else(|| Problem::invalid("Expected at least one.").at("/events"))
}

/// List webhooks
///
/// Of all applications, or of one. Listeners are not among them.
#[utoipa::path(
    get,
    path = route::SANDBOX_WEBHOOKS,
    tag = "webhooks",
    operation_id = "listWebhooks",
    params(ListQuery),
    responses((status = 200, description = "A page of them, oldest first.", body = WebhookList)),
)]
async fn list(State(web): State<Arc<Web>>, Query(query): Query<ListQuery>) -> Result<Response, Problem> {
    let limit = page(query.limit)?;
    let after = match query.after {
        Some(after) => Some(find(&web, &after).await.map_err(|problem| problem.or(no_such_page))?.id),
        None => None,
    };
    let found = webhooks::list(&web.ctx, query.app.map(|Given(app)| app), after, limit).await?;
    let (found, next) = cut(found, query.limit, |webhook| webhook.id.to_string());
    let webhooks = found.into_iter().map(|webhook| WebhookObject::new(webhook, None)).collect();
    Ok(ok(&WebhookList { webhooks, next }))
}

/// Make a webhook
///
/// It is told of what happens from now on. Messages are signed as Standard Webhooks says, with the secret in the answer,
/// which is shown this once.
#[utoipa::path(
    post,
    path = route::SANDBOX_WEBHOOKS,
    tag = "webhooks",
    operation_id = "makeWebhook",
    request_body = NewWebhook,
    responses(
        (status = 201, description = "The webhook with its secret.", body = WebhookObject, headers(("location" = String, description = "Where it is."))),
        (status = 400, description = "The body is not as described, or the address is one that this server does not call.", body = Problem),
        (status = 404, description = "There is no such application.", body = Problem),
        (status = 409, description = "The application has as many as there may be.", body = Problem),
    ),
)]
async fn add(
    State(web): State<Arc<Web>>,
    Operator(by): Operator,
    Body(body): Body<NewWebhook>,
) -> Result<Response, Problem> {
    let new = New {
        app: body.app.0,
        url: body.url.0,
        topics: body.events.map_or(Ok(Topics::ALL), topics)?,
        secret: body.secret.map(|Given(secret)| secret),
    };
    let (webhook, secret) = webhooks::create(&web.ctx.acting(by), new).await.map_err(explain)?;
    Ok(created(&web, route::SANDBOX_WEBHOOKS, webhook.id, &WebhookObject::new(webhook, Some(&secret))))
}

/// Show a webhook
///
/// Without its secret.
#[utoipa::path(
    get,
    path = route::SANDBOX_WEBHOOK,
    tag = "webhooks",
    operation_id = "showWebhook",
    params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 200, description = "The webhook.", body = WebhookObject),
        (status = 404, description = "There is no such webhook.", body = Problem),
    ),
)]
async fn show(State(web): State<Arc<Web>>, Id(id): Id) -> Result<Response, Problem> {
    Ok(ok(&WebhookObject::new(find(&web, &id).await?, None)))
}

/// Change a webhook
///
/// What waits is sent to the new address. One that was disabled and is not any more gets what waited.
#[utoipa::path(
    patch,
    path = route::SANDBOX_WEBHOOK,
    tag = "webhooks",
    operation_id = "changeWebhook",
    params(("id" = String, Path, description = "Its id.")),
    request_body = WebhookChange,
    responses(
        (status = 200, description = "The webhook as it is now.", body = WebhookObject),
        (status = 400, description = "The body is not as described, or the address is one that this server does not call.", body = Problem),
        (status = 404, description = "There is no such webhook.", body = Problem),
    ),
)]
async fn change(
    State(web): State<Arc<Web>>,
    Operator(by): Operator,
    Id(id): Id,
    Body(body): Body<WebhookChange>,
) -> Result<Response, Problem> {
    let change = Change {
        url: body.url.map(|Given(url)| url),
        topics: body.events.map(topics).transpose()?,
        is_disabled: body.disabled,
    };
    let changed = webhooks::change(&web.ctx.acting(by), read(&id)?, change).await.map_err(explain)?;
    Ok(ok(&WebhookObject::new(changed, None)))
}

/// Delete a webhook
///
/// With its log, and with what waited for it.
#[utoipa::path(
    delete,
    path = route::SANDBOX_WEBHOOK,
    tag = "webhooks",
    operation_id = "deleteWebhook",
    params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 404, description = "There is no such webhook.", body = Problem),
    ),
)]
async fn delete(State(web): State<Arc<Web>>, Operator(by): Operator, Id(id): Id) -> Result<StatusCode, Problem> {
    webhooks::delete(&web.ctx.acting(by), read(&id)?).await.map_err(explain)?;
    Ok(StatusCode::NO_CONTENT)
}

/// How a secret is replaced.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WebhookRotation {
    /// How long the secret that there was signs too: `24h` when left out, `0s` for not at all.
    #[serde(default)]
    overlap: Option<String>,
}

/// A secret, shown this once.
#[derive(Serialize, ToSchema)]
struct RotatedWebhookSecret {
    #[schema(example = "whsec_…")]
    secret: String,
}

/// Replace the secret
///
/// For the time of the overlap messages have a signature under each of the two, so that nothing is refused meanwhile. The
/// body may be left out.
#[utoipa::path(
    post,
    path = route::SANDBOX_WEBHOOK_ROTATE,
    tag = "webhooks",
    operation_id = "rotateWebhookSecret",
    params(("id" = String, Path, description = "The webhook's id.")),
    request_body(content = Option<WebhookRotation>, example = json!({"overlap": "1h"})),
    responses(
        (status = 200, description = "The new secret.", body = RotatedWebhookSecret),
        (status = 400, description = "The body is not as described.", body = Problem),
        (status = 404, description = "There is no such webhook.", body = Problem),
    ),
)]
async fn rotate(
    State(web): State<Arc<Web>>,
    Operator(by): Operator,
    Id(id): Id,
    OptionalBody(body): OptionalBody<WebhookRotation>,
) -> Result<Response, Problem> {
    let overlap = match body.and_then(|body| body.overlap) {
        Some(text) => overlap(&text)?,
        None => DEFAULT_OVERLAP,
    };
    let secret = webhooks::rotate(&web.ctx.acting(by), read(&id)?, overlap).await.map_err(explain)?;
    Ok(ok(&RotatedWebhookSecret { secret: secret.expose() }))
}

/// Longest overlap of two secrets.
const MAX_OVERLAP: Duration = Duration::from_secs(30 * 24 * 3_600);

fn overlap(text: &str) -> Result<Duration, Problem> {
    let overlap = duration::parse(text).map_err(|why| Problem::invalid(format!("{why}.")).at("/overlap"))?;
    let detail = "Expected at most 30d.";
    if overlap <= MAX_OVERLAP { Ok(overlap) } else { Err(Problem::invalid(detail).at("/overlap")) }
}

/// A message that will be sent.
#[derive(Serialize, ToSchema)]
struct WebhookMessageMade {
    /// The `webhook-id` that it has.
    #[schema(example = "msg_0197a5d1c7e87c0e9c2f6a3b5d8e1f40")]
    id: String,
}

/// Send a test
///
/// A message of the type `webhook.test`, whatever the webhook is told of. What came of it is in the log.
#[utoipa::path(
    post,
    path = route::SANDBOX_WEBHOOK_TEST,
    tag = "webhooks",
    operation_id = "testWebhook",
    params(("id" = String, Path, description = "The webhook's id.")),
    responses(
        (status = 202, description = "The message, which is sent at once.", body = WebhookMessageMade),
        (status = 404, description = "There is no such webhook.", body = Problem),
    ),
)]
async fn test(State(web): State<Arc<Web>>, Operator(by): Operator, Id(id): Id) -> Result<Response, Problem> {
    let message = webhooks::test(&web.ctx.acting(by), read(&id)?).await.map_err(explain)?;
    Ok(json(StatusCode::ACCEPTED, &WebhookMessageMade { id: message.written() }))
}

/// Which messages are sent again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"since": "2026-11-22T09:00:00Z", "until": "2026-11-22T10:00:00Z", "status": "failed"}))]
struct WebhookSpan {
    /// Made from this moment on, of real time.
    #[schema(format = DateTime)]
    since: String,
    /// And before this one; left out: up to now.
    #[serde(default)]
    #[schema(format = DateTime)]
    until: Option<String>,
    /// Only those of which this became: `pending`, `delivered` or `failed`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    status: Option<Given<Delivery>>,
}

/// How many are sent again.
#[derive(Serialize, ToSchema)]
struct WebhookReplayed {
    replayed: u64,
}

/// Replay a span
///
/// Sends the messages of a span again, the same bytes under the same ids.
#[utoipa::path(
    post,
    path = route::SANDBOX_WEBHOOK_REPLAY,
    tag = "webhooks",
    operation_id = "replayWebhookSpan",
    params(("id" = String, Path, description = "The webhook's id.")),
    request_body = WebhookSpan,
    responses(
        (status = 202, description = "How many they are.", body = WebhookReplayed),
        (status = 400, description = "The body is not as described.", body = Problem),
        (status = 404, description = "There is no such webhook.", body = Problem),
    ),
)]
async fn replay_span(
    State(web): State<Arc<Web>>,
    Operator(by): Operator,
    Id(id): Id,
    Body(body): Body<WebhookSpan>,
) -> Result<Response, Problem> {
    let moment = |text: &str, at: &str| {
        let expected = "Expected a moment of RFC 3339, such as 2026-11-22T09:00:00Z.";
        Timestamp::parse_rfc3339(text).ok_or_else(|| Problem::invalid(expected).at(at))
    };
    let span = log::Span {
        since: moment(&body.since, "/since")?,
        // Also what was made in this very moment.
        until: body
            .until
            .map_or(Ok(web.ctx.real_now().plus(Duration::from_secs(1))), |text| moment(&text, "/until"))?,
        state: body.status.map(|Given(state)| state),
    };
    let replayed = log::replay_span(&web.ctx.acting(by), read(&id)?, span).await.map_err(explain)?;
    Ok(json(StatusCode::ACCEPTED, &WebhookReplayed { replayed }))
}

/// A message, and how far it is.
#[derive(Serialize, ToSchema)]
struct WebhookDelivery {
    /// Its `webhook-id`.
    #[schema(example = "msg_0197a5d1c7e87c0e9c2f6a3b5d8e1f40")]
    id: String,
    /// What it tells of.
    #[serde(rename = "type")]
    #[schema(example = "connection.created")]
    kind: &'static str,
    /// `pending`, `delivered` or `failed`.
    #[schema(example = "delivered")]
    status: &'static str,
    /// How many were made.
    attempts: u32,
    /// When the next one is due, of real time; null: there is none.
    #[schema(format = DateTime)]
    next_attempt_at: Option<String>,
    /// Real time.
    #[schema(format = DateTime)]
    created_at: String,
}

impl From<&Sent> for WebhookDelivery {
    fn from(sent: &Sent) -> Self {
        Self {
            id: sent.message.id.written(),
            kind: sent.message.topic.as_str(),
            status: sent.state.as_str(),
            attempts: sent.attempts,
            next_attempt_at: sent.next_attempt_at.map(Timestamp::to_rfc3339_millis),
            created_at: sent.message.created_at.to_rfc3339_millis(),
        }
    }
}

/// One attempt to deliver a message.
#[derive(Serialize, ToSchema)]
struct WebhookAttempt {
    /// From 1 on.
    nr: u32,
    /// Real time.
    #[schema(format = DateTime)]
    at: String,
    duration_ms: u64,
    request: WebhookAttemptRequest,
    /// Null: there was none.
    response: Option<WebhookAttemptResponse>,
    /// Why there was no response.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// What was sent; the body is the message's payload.
#[derive(Serialize, ToSchema)]
struct WebhookAttemptRequest {
    /// Names and values.
    headers: Vec<(String, String)>,
}

/// What came back.
#[derive(Serialize, ToSchema)]
struct WebhookAttemptResponse {
    status: u16,
    /// Names and values, at most 32.
    headers: Vec<(String, String)>,
    /// The first 4 KiB of it.
    body: String,
}

impl From<Attempt> for WebhookAttempt {
    fn from(attempt: Attempt) -> Self {
        let (response, error) = match attempt.outcome {
            Outcome::Answered { status, headers, body } => {
                (Some(WebhookAttemptResponse { status, headers, body }), None)
            }
            Outcome::Unanswered(why) => (None, Some(sentence(&why))),
        };
        Self {
            nr: attempt.nr,
            at: attempt.at.to_rfc3339_millis(),
            duration_ms: u64::try_from(attempt.took.as_millis()).unwrap_or(u64::MAX),
            request: WebhookAttemptRequest { headers: attempt.headers },
            response,
            error,
        }
    }
}

/// A message with all that was tried.
#[derive(Serialize, ToSchema)]
struct WebhookDeliveryDetails {
    #[serde(flatten)]
    delivery: WebhookDelivery,
    /// The body that is sent, byte by byte.
    payload: String,
    /// The attempts, oldest first.
    log: Vec<WebhookAttempt>,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct DeliveriesQuery {
    /// Only those of which this became: `pending`, `delivered` or `failed`.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    status: Option<Given<Delivery>>,
    /// Only those that tell of this.
    #[serde(default)]
    #[param(value_type = Option<String>, example = "connection.created")]
    r#type: Option<Given<Topic>>,
    /// How many at most.
    #[serde(default = "values::default_page")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: i64,
    /// Those before this one: the last id of the page before.
    #[serde(default)]
    before: Option<String>,
}

/// List deliveries
///
/// What was sent and what waits, newest first; kept for 30 days, and at most 5000 of each webhook.
#[utoipa::path(
    get,
    path = route::SANDBOX_WEBHOOK_DELIVERIES,
    tag = "webhooks",
    operation_id = "listWebhookDeliveries",
    params(("id" = String, Path, description = "The webhook's id."), DeliveriesQuery),
    responses(
        (status = 200, description = "The newest of them.", body = Vec<WebhookDelivery>),
        (status = 404, description = "There is no such webhook.", body = Problem),
    ),
)]
async fn deliveries(
    State(web): State<Arc<Web>>,
    Id(id): Id,
    Query(query): Query<DeliveriesQuery>,
) -> Result<Response, Problem> {
    let webhook = find(&web, &id).await?;
    page(query.limit)?;
    let no_message = || Problem::invalid("Expected the id of a message.").in_query("before");
    let filter = log::Filter {
        state: query.status.map(|Given(state)| state),
        topic: query.r#type.map(|Given(topic)| topic),
        before: query.before.map(|text| WebhookMessageId::read(&text).ok_or_else(no_message)).transpose()?,
    };
    let found = log::messages(&web.ctx, webhook.id, filter, query.limit).await?;
    Ok(ok(&found.iter().map(WebhookDelivery::from).collect::<Vec<_>>()))
}

/// Show a delivery
///
/// The message with its payload, and each attempt with request, response and duration.
#[utoipa::path(
    get,
    path = route::SANDBOX_WEBHOOK_DELIVERY,
    tag = "webhooks",
    operation_id = "showWebhookDelivery",
    params(
        ("id" = String, Path, description = "The webhook's id."),
        ("message" = String, Path, description = "The message's id."),
    ),
    responses(
        (status = 200, description = "The message and its attempts.", body = WebhookDeliveryDetails),
        (status = 404, description = "There is no such webhook, or no such message.", body = Problem),
    ),
)]
async fn delivery(State(web): State<Arc<Web>>, Ids(id, message): Ids) -> Result<Response, Problem> {
    let webhook = find(&web, &id).await?;
    let (sent, attempts) = log::message(&web.ctx, webhook.id, read_message(&message)?).await.map_err(explain)?;
    Ok(ok(&WebhookDeliveryDetails {
        delivery: WebhookDelivery::from(&sent),
        payload: sent.message.payload,
        log: attempts.into_iter().map(WebhookAttempt::from).collect(),
    }))
}

/// Replay a delivery
///
/// Sends the message again, the same bytes under the same id, whatever became of it.
#[utoipa::path(
    post,
    path = route::SANDBOX_WEBHOOK_DELIVERY_REPLAY,
    tag = "webhooks",
    operation_id = "replayWebhookDelivery",
    params(
        ("id" = String, Path, description = "The webhook's id."),
        ("message" = String, Path, description = "The message's id."),
    ),
    responses(
        (status = 202, description = "The message, which is sent at once.", body = WebhookMessageMade),
        (status = 404, description = "There is no such webhook, or no such message.", body = Problem),
    ),
)]
async fn replay(
    State(web): State<Arc<Web>>,
    Operator(by): Operator,
    Ids(id, message): Ids,
) -> Result<Response, Problem> {
    let message = read_message(&message)?;
    log::replay(&web.ctx.acting(by), read(&id)?, message).await.map_err(explain)?;
    Ok(json(StatusCode::ACCEPTED, &WebhookMessageMade { id: message.written() }))
}

pub(super) fn read(id: &str) -> Result<WebhookId, Problem> {
    Uuid::parse_str(id).map(WebhookId).map_err(|_| explain(WebhookError::Unknown))
}

pub(super) fn read_message(id: &str) -> Result<WebhookMessageId, Problem> {
    WebhookMessageId::read(id).ok_or_else(|| explain(WebhookError::UnknownMessage))
}

async fn find(web: &Web, id: &str) -> Result<Webhook, Problem> {
    webhooks::find(&web.ctx, read(id)?).await.map_err(explain)
}

pub(super) fn explain(error: WebhookError) -> Problem {
    let detail = sentence(&error.to_string());
    match error {
        WebhookError::Store(error) => error.into(),
        WebhookError::Unknown | WebhookError::UnknownMessage => Problem::not_found(detail),
        WebhookError::UnknownApp => Problem::not_found(detail).at("/app"),
        WebhookError::TooMany | WebhookError::TooManyListeners(_) => Problem::conflict(detail),
        WebhookError::NotAllowed(_) => Problem::invalid(detail).at("/url"),
    }
}
