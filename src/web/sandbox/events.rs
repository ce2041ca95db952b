//! The event log: who changed what, when, from where.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::super::Web;
use super::super::error::problem::Problem;
use super::super::event_object::EventObject;
use super::super::urls::route;
use super::query::Query;
use super::values::{self, cut, ok, page};
use crate::domain::event::{Action, TargetKind};
use crate::domain::ids::EventId;
use crate::domain::timestamp::Timestamp;
use crate::services::audit::{self, Wanted};

pub fn routes() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::default().routes(routes!(list))
}

/// A page of events, newest first.
#[derive(Serialize, ToSchema)]
struct EventList {
    events: Vec<EventObject>,
    /// What `after` has to be for the next page; null: there is none.
    next: Option<String>,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct EventQuery {
    /// Only of this action, such as `app.created`.
    #[serde(default)]
    action: Option<String>,
    /// Only what was done by this e-mail address, application or login.
    #[serde(default)]
    actor: Option<String>,
    /// Only what was done to this kind of thing, such as `app`.
    #[serde(default)]
    kind: Option<String>,
    /// Only what was done to the thing with this id, name or e-mail address.
    #[serde(default)]
    target: Option<String>,
    /// Only from this moment on (RFC 3339, UTC), by the server's clock.
    #[serde(default)]
    since: Option<String>,
    /// Whether signing in and consenting are left out.
    #[serde(default)]
    changes: bool,
    /// How many at most.
    #[serde(default = "values::default_page")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: i64,
    /// Those after this one, which are older: the `next` of the page before.
    #[serde(default)]
    after: Option<String>,
}

/// List events
///
/// Who changed what, when and from where, newest first; kept for 400 days.
#[utoipa::path(
    get,
    path = route::SANDBOX_EVENTS,
    tag = "events",
    operation_id = "listEvents",
    params(EventQuery),
    responses((status = 200, description = "A page of them, newest first.", body = EventList)),
)]
async fn list(State(web): State<Arc<Web>>, Query(query): Query<EventQuery>) -> Result<Response, Problem> {
    let limit = page(query.limit)?;
    let wanted = Wanted {
        action: read("action", query.action, Action::parse, "the name of an action, such as `app.created`")?,
        actor: readable("actor", query.actor)?,
        kind: read("kind", query.kind, TargetKind::parse, "a kind of thing, such as `app`")?,
        target: readable("target", query.target)?,
        since: read("since", query.since, Timestamp::parse_rfc3339, "a moment such as `2026-11-22T10:15:30Z`")?,
        before: read("after", query.after, event_id, "the `next` of the page before")?,
        changes_only: query.changes,
    };
    let found = audit::list(&web.ctx, wanted, limit).await?;
    let (found, next) = cut(found, query.limit, |event| event.id.to_string());
    Ok(ok(&EventList { events: found.into_iter().map(EventObject::from).collect(), next }))
}

fn event_id(text: &str) -> Option<EventId> {
    Uuid::parse_str(text).ok().map(EventId)
}

fn read<T>(
    name: &str,
    given: Option<String>,
    parse: impl Fn(&str) -> Option<T>,
    expected: &str,
) -> Result<Option<T>, Problem> {
    given.map(|text| parse(&text).ok_or_else(|| wrong(name, expected))).transpose()
}

/// What can be in a name at all.
fn readable(name: &str, given: Option<String>) -> Result<Option<String>, Problem> {
    read(name, given, |text| (!text.contains(char::is_control)).then(|| text.to_owned()), "visible characters")
}

fn wrong(name: &str, expected: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "Invalid query", format!("Expected {expected}.")).in_query(name)
}
