//! Scripted faults (wire.md part E): the set of rules, and how often each acted.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::Web;
use super::super::error::problem::Problem;
use super::super::faults::endpoints;
use super::super::urls::route;
use super::body::Body;
use crate::domain::fault::{self, Answer, Draft, MAX_RULES, Unfit};
use crate::services::faults::{self, Counted, FaultsError};

/// Longest set, in bytes: rules may hold whole answers.
const MAX_SET: usize = 1024 * 1024;

pub fn routes() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::default()
        .routes(routes!(list_faults, put_faults, clear_faults))
        .layer(DefaultBodyLimit::max(MAX_SET))
}

/// A rule: what goes wrong, where, for whom, how often.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "id": "lost-answer",
    "match": {"endpoint": "refreshaccesstoken", "user": "ada@acme.test"},
    "when": "after",
    "effect": {"drop": true},
}))]
struct FaultRule {
    /// Names it in the journal and in the answer's `x-leadgate-fault`; made where it is left out.
    #[serde(default)]
    id: Option<String>,
    r#match: FaultMatch,
    /// How often it acts.
    #[serde(default)]
    #[schema(schema_with = times_schema)]
    times: Option<Times>,
    #[serde(default)]
    when: FaultWhen,
    effect: FaultEffect,
}

/// The requests that are meant. What is left out is any.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FaultMatch {
    /// The last fixed word of a route, or the whole route where several end so.
    #[schema(example = "refreshaccesstoken")]
    endpoint: String,
    /// The id of an application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    app: Option<String>,
    /// The e-mail address of a user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<String>,
}

/// Before the request is handled, and so in place of that; or after it, so that only its answer is lost.
#[derive(Deserialize, Serialize, ToSchema, Clone, Copy, Default)]
#[serde(rename_all = "snake_case")]
enum FaultWhen {
    #[default]
    Before,
    After,
}

/// What happens; at least one of them.
#[derive(Deserialize, Serialize, ToSchema, Default)]
#[serde(deny_unknown_fields)]
struct FaultEffect {
    /// The status of the answer, which is an error in the endpoint's own form where nothing else says what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 200, maximum = 599)]
    status: Option<u16>,
    /// The answer is this late; alone, it is what it would be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 25_000)]
    delay_ms: Option<u64>,
    /// The connection is closed without one byte.
    #[serde(default, skip_serializing_if = "is_false")]
    drop: bool,
    /// What is sent: a string as it is, anything else as JSON.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    body: Option<Value>,
    /// The type of `body`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "text/html")]
    content_type: Option<String>,
    /// An error of the endpoint's own: a code, at LeadExec's endpoints a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "invalid_grant")]
    error: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// `null` is a body, too.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// A count, or `"always"`.
#[derive(Clone, Copy)]
struct Times(fault::Times);

const ALWAYS: &str = "always";

fn times_schema() -> utoipa::openapi::Schema {
    use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Type};
    let count = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(u32::MAX));
    let always = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([ALWAYS]));
    OneOfBuilder::new().item(count).item(always).default(Some(1.into())).into()
}

impl<'de> Deserialize<'de> for Times {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TimesVisitor)
    }
}

struct TimesVisitor;

impl Visitor<'_> for TimesVisitor {
    type Value = Times;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from 1 on, or \"{ALWAYS}\"")
    }

    fn visit_u64<E: Error>(self, count: u64) -> Result<Times, E> {
        let times = u32::try_from(count).ok().and_then(NonZeroU32::new);
        let times = times.ok_or_else(|| E::invalid_value(Unexpected::Unsigned(count), &self))?;
        Ok(Times(fault::Times::AtMost(times)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Times, E> {
        if text == ALWAYS {
            Ok(Times(fault::Times::Always))
        } else {
            Err(E::invalid_value(Unexpected::Str(text), &self))
        }
    }
}

impl Serialize for Times {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            fault::Times::AtMost(times) => serializer.serialize_u32(times.get()),
            fault::Times::Always => serializer.serialize_str(ALWAYS),
        }
    }
}

impl From<FaultRule> for Draft {
    fn from(rule: FaultRule) -> Self {
        let FaultRule { id, r#match: FaultMatch { endpoint, app, user }, times, when, effect } = rule;
        let FaultEffect { status, delay_ms, drop, body, content_type, error } = effect;
        Self {
            id,
            endpoint,
            app,
            user,
            times: times.map(|Times(times)| times),
            when: Some(match when {
                FaultWhen::Before => fault::When::Before,
                FaultWhen::After => fault::When::After,
            }),
            status,
            delay_ms,
            drop,
            body,
            content_type,
            error,
        }
    }
}

/// A rule as it is kept, with nothing left to be understood.
#[derive(Serialize, ToSchema)]
struct CountedRule {
    id: String,
    r#match: FaultMatch,
    #[schema(schema_with = times_schema)]
    times: Times,
    when: FaultWhen,
    effect: FaultEffect,
    /// How often it acted.
    hits: u64,
}

impl From<Counted> for CountedRule {
    fn from(Counted { rule, hits }: Counted) -> Self {
        Self {
            id: rule.id.clone(),
            r#match: FaultMatch {
                endpoint: rule.endpoint.clone(),
                app: rule.app.as_ref().map(ToString::to_string),
                user: rule.user.as_ref().map(ToString::to_string),
            },
            times: Times(rule.times),
            when: match rule.when {
                fault::When::Before => FaultWhen::Before,
                fault::When::After => FaultWhen::After,
            },
            effect: FaultEffect::from(&rule.effect),
            hits,
        }
    }
}

impl From<&fault::Effect> for FaultEffect {
    fn from(effect: &fault::Effect) -> Self {
        let (delay, answer) = match effect {
            fault::Effect::Late(delay) => (Some(delay), None),
            fault::Effect::Instead { delay, answer } => (delay.as_ref(), Some(answer)),
        };
        let shown = match answer {
            None => Self::default(),
            Some(Answer::Dropped) => Self { drop: true, ..Self::default() },
            Some(Answer::Status(status)) => Self { status: Some(*status), ..Self::default() },
            Some(Answer::Error { error, status }) => {
                Self { error: Some(error.clone()), status: *status, ..Self::default() }
            }
            Some(Answer::Exactly { status, content_type, body }) => Self {
                status: Some(*status),
                content_type: Some(content_type.clone()),
                body: Some(match body {
                    fault::Body::Text(text) => Value::String(text.clone()),
                    fault::Body::Json(json) => json.clone(),
                }),
                ..Self::default()
            },
        };
        Self { delay_ms: delay.map(millis), ..shown }
    }
}

fn millis(delay: &Duration) -> u64 {
    u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)
}

fn shown(counted: Vec<Counted>) -> Response {
    let rules: Vec<CountedRule> = counted.into_iter().map(CountedRule::from).collect();
    ([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(rules)).into_response()
}

/// List the fault rules
///
/// In the order in which they are tried, each with how often it acted.
#[utoipa::path(
    get,
    path = route::SANDBOX_FAULTS,
    tag = "faults",
    responses((status = 200, description = "The rules.", body = Vec<CountedRule>)),
)]
async fn list_faults(State(web): State<Arc<Web>>) -> Response {
    shown(web.ctx.faults.list())
}

/// Replace the fault rules
///
/// All of them, and all counts begin anew. Of the rules that match a request the first with a use left acts, and it
/// alone. A set with a rule that could never act is refused, and the one before stays.
#[utoipa::path(
    put,
    path = route::SANDBOX_FAULTS,
    tag = "faults",
    request_body = Vec<FaultRule>,
    responses(
        (status = 200, description = "The rules, as they are understood.", body = Vec<CountedRule>),
        (status = 400, description = "A rule is not as described, or could never act.", body = Problem),
    ),
)]
async fn put_faults(State(web): State<Arc<Web>>, Body(rules): Body<Vec<FaultRule>>) -> Result<Response, Problem> {
    let drafts = rules.into_iter().map(Draft::from).collect();
    match faults::put(&web.ctx, drafts, &endpoints()).await {
        Ok(counted) => Ok(shown(counted)),
        Err(FaultsError::TooMany) => {
            Err(Problem::invalid(format!("A set has at most {MAX_RULES} rules.")).at(format!("/{MAX_RULES}")))
        }
        Err(FaultsError::Unfit { index, why: Unfit { pointer, reason } }) => {
            Err(Problem::invalid(reason).at(format!("/{index}{pointer}")))
        }
        Err(FaultsError::Store(error)) => Err(error.into()),
    }
}

/// Remove the fault rules
///
/// And with them the counts of how often each acted.
#[utoipa::path(
    delete,
    path = route::SANDBOX_FAULTS,
    tag = "faults",
    responses((status = 204, description = "There are none any more.")),
)]
async fn clear_faults(State(web): State<Arc<Web>>) -> StatusCode {
    web.ctx.faults.clear();
    StatusCode::NO_CONTENT
}
