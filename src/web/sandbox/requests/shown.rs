//! A request of the journal, as it is shown.

use serde::Serialize;
use utoipa::ToSchema;

use super::super::super::Web;
use super::curl;
use crate::domain::journal::{Entry, Message, Why};

/// Why a request was refused.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestReason {
    /// The rule that refused it.
    #[schema(example = "refresh_token.other_app")]
    rule: String,
    /// One sentence about this request.
    message: String,
    /// What would have matched, or whose the presented thing is.
    nearest: Option<String>,
}

impl From<&Why> for RequestReason {
    fn from(why: &Why) -> Self {
        Self { rule: why.rule.to_string(), message: why.message.clone(), nearest: why.nearest.clone() }
    }
}

/// A request and what came of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestSummary {
    /// The same as in the answer's `x-request-id` header.
    #[schema(example = "019abc00c0de7000800000000000cafe")]
    pub id: String,
    /// When it came, by the server's clock.
    #[schema(format = DateTime, example = "2026-11-22T09:15:30.000Z")]
    at: String,
    /// When it came in real time: the two differ where the clock was moved.
    #[schema(format = DateTime, example = "2026-11-22T09:15:30.000Z")]
    real_at: String,
    method: String,
    /// The route's template, or `(none)`.
    #[schema(example = "/authorize/refreshaccesstoken/{*token}")]
    route: String,
    /// The route's last fixed word.
    #[schema(example = "refreshaccesstoken")]
    endpoint: String,
    /// 0 where the connection was dropped without an answer.
    #[schema(example = 200)]
    status: u16,
    /// How long it took, in real time.
    duration_ms: u64,
    app: Option<String>,
    /// The user's e-mail address.
    user: Option<String>,
    button: Option<String>,
    #[schema(value_type = Option<Uuid>)]
    flow: Option<String>,
    #[schema(value_type = Option<Uuid>)]
    connection: Option<String>,
    /// `ok`, `refused`, `error` or `fault`.
    #[schema(value_type = String, example = "ok")]
    outcome: &'static str,
    why: Option<RequestReason>,
    /// The id of the fault rule that acted.
    fault: Option<String>,
}

impl RequestSummary {
    pub fn of(web: &Web, entry: &Entry) -> Self {
        Self {
            id: entry.id.simple().to_string(),
            at: entry.at.to_rfc3339_millis(),
            real_at: entry.real_at.to_rfc3339_millis(),
            method: entry.method.clone(),
            route: entry.route.clone(),
            endpoint: entry.endpoint.clone(),
            status: entry.status,
            duration_ms: (entry.duration_us + 500) / 1_000,
            app: entry.app.as_ref().map(ToString::to_string),
            user: web.ctx.journal.user_of(entry),
            button: entry.button.clone(),
            flow: entry.flow.map(|flow| flow.to_string()),
            connection: entry.connection.map(|connection| connection.to_string()),
            outcome: entry.outcome.as_str(),
            why: entry.why.as_ref().map(RequestReason::from),
            fault: entry.fault.clone(),
        }
    }
}

/// One header, masked.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestHeader {
    name: String,
    value: String,
}

/// One direction of the exchange, masked.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestDirection {
    /// The request's method and target, or the answer's status.
    #[schema(example = "GET /v1/me")]
    line: String,
    headers: Vec<RequestHeader>,
    /// A form or JSON; of anything else a word about what it was.
    body: String,
}

impl From<&Message> for RequestDirection {
    fn from(message: &Message) -> Self {
        let header = |(name, value): &(String, String)| RequestHeader { name: name.clone(), value: value.clone() };
        Self {
            line: message.line.clone(),
            headers: message.headers.iter().map(header).collect(),
            body: message.body.clone(),
        }
    }
}

/// A request with the whole exchange. What is secret is masked; there is no switch.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestDetails {
    #[serde(flatten)]
    summary: RequestSummary,
    /// When it came, by the clock of its application.
    #[schema(format = DateTime, example = "2026-11-22T09:15:30.000Z")]
    app_at: String,
    request: RequestDirection,
    response: RequestDirection,
    /// A line for a shell that makes the request again; what is masked has to be exported first.
    #[schema(example = "curl -i 'http://localhost:8080/v1/me' -H 'authorization: Bearer '\"$ACCESS_TOKEN\"")]
    curl: String,
}

impl RequestDetails {
    pub fn of(web: &Web, entry: &Entry) -> Self {
        Self {
            summary: RequestSummary::of(web, entry),
            app_at: entry.app_at.to_rfc3339_millis(),
            request: RequestDirection::from(&entry.request),
            response: RequestDirection::from(&entry.response),
            curl: curl::line(web.origin.as_str(), &entry.request),
        }
    }
}
