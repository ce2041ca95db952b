//! The test clocks (wire.md E): the server's, and one for each application that has its own.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::Web;
use super::super::error::oauth;
use super::super::error::problem::Problem;
use super::super::urls::route;
use super::body::Body;
use super::query::Query;
use crate::domain::duration;
use crate::domain::ids::AppId;
use crate::services::clocks::{self, Change, ClockError, Reading};

pub fn routes() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::default().routes(routes!(show, change))
}

/// Which clock.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// The application whose clock is meant; left out: the server's.
    #[serde(default)]
    app: Option<String>,
}

/// A clock.
#[derive(Serialize, ToSchema)]
struct Clock {
    /// What it shows: UTC, with milliseconds.
    #[schema(example = "2026-11-22T09:15:30.000Z")]
    now: String,
    /// What the machine's own clock shows, by which `real_at` of a request is.
    #[schema(example = "2026-11-22T09:15:30.000Z")]
    real_now: String,
    /// Milliseconds that it is ahead of the clock that it goes by: the machine's, or for an application the server's.
    #[schema(example = 0)]
    offset_ms: i64,
    /// Whether it stands.
    frozen: bool,
}

impl From<Reading> for Clock {
    fn from(reading: Reading) -> Self {
        let Reading { now, machine, offset_ms, is_frozen } = reading;
        Self { now: now.to_rfc3339_millis(), real_now: machine.to_rfc3339_millis(), offset_ms, frozen: is_frozen }
    }
}

/// One change to a clock.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"advance": "59m59s"}))]
struct ClockChange {
    /// The application whose clock is to be changed; left out: the server's.
    #[serde(default)]
    app: Option<String>,
    /// A span of time by which it goes on: `([0-9]+(ms|s|m|h|d))+`.
    #[serde(default)]
    #[schema(example = "59m59s")]
    advance: Option<String>,
    /// Milliseconds ahead of the clock that it goes by; negative: behind. 0 puts it right.
    #[serde(default)]
    offset_ms: Option<i64>,
    /// `true` stops it; `false` lets it go on from where it stands.
    #[serde(default)]
    freeze: Option<bool>,
    /// `next_expiry`: the next moment at which a token, a code or a connection expires.
    #[serde(default)]
    advance_to: Option<AdvanceTo>,
}

/// A moment that is known by what happens then.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum AdvanceTo {
    NextExpiry,
}

/// Read a clock
///
/// The server's, or one application's.
#[utoipa::path(
    get, path = route::SANDBOX_CLOCK, tag = "clock", params(Which),
    responses(
        (status = 200, description = "The clock", body = Clock),
        (status = 400, description = "A parameter is malformed or unknown", body = Problem),
        (status = 404, description = "There is no such application", body = Problem),
    )
)]
async fn show(State(web): State<Arc<Web>>, Query(which): Query<Which>) -> Result<Response, Problem> {
    let app = which.app.as_deref().map(|id| app_id(id).ok_or_else(|| unknown_app().in_query("app"))).transpose()?;
    let reading = clocks::read(&web.ctx, app).await.map_err(|why| explain(&why, false))?;
    Ok(oauth::json(StatusCode::OK, &Clock::from(reading)))
}

/// Move, stop or start a clock
///
/// All that is issued, checked, shown and swept follows it at once. Backwards is allowed: what had merely expired is
/// valid again, what was revoked or used is not.
#[utoipa::path(
    post, path = route::SANDBOX_CLOCK, tag = "clock", request_body = ClockChange,
    responses(
        (status = 200, description = "The clock as it is now", body = Clock),
        (status = 400, description = "Not exactly one change, or one that cannot be made", body = Problem),
        (status = 404, description = "There is no such application", body = Problem),
        (status = 409, description = "`next_expiry`: nothing is going to expire", body = Problem),
    )
)]
async fn change(State(web): State<Arc<Web>>, Body(wanted): Body<ClockChange>) -> Result<Response, Problem> {
    let app = wanted.app.as_deref().map(|id| app_id(id).ok_or_else(|| unknown_app().at("/app"))).transpose()?;
    let change = wanted.into_change()?;
    let reading = clocks::change(&web.ctx, app, change).await.map_err(|why| explain(&why, true))?;
    Ok(oauth::json(StatusCode::OK, &Clock::from(reading)))
}

impl ClockChange {
    fn into_change(self) -> Result<Change, Problem> {
        let one_of = "Send exactly one of \"advance\", \"offset_ms\", \"freeze\" and \"advance_to\".";
        let one = match (self.advance, self.offset_ms, self.freeze, self.advance_to) {
            (Some(span), None, None, None) => {
                let wrong = |why: duration::DurationError| bad_request(&format!("{why}.")).at("/advance");
                Change::Advance(duration::parse(&span).map_err(wrong)?)
            }
            (None, Some(millis), None, None) => Change::Offset(millis),
            (None, None, Some(is_frozen), None) => Change::Freeze(is_frozen),
            (None, None, None, Some(AdvanceTo::NextExpiry)) => Change::NextExpiry,
            _ => return Err(bad_request(one_of)),
        };
        Ok(one)
    }
}

fn app_id(text: &str) -> Option<AppId> {
    AppId::parse(text).ok()
}

fn bad_request(detail: &str) -> Problem {
    Problem::invalid(detail.to_owned())
}

fn unknown_app() -> Problem {
    Problem::not_found("There is no application with this id.")
}

/// `in_body`: whether the application was named there.
fn explain(why: &ClockError, in_body: bool) -> Problem {
    match why {
        ClockError::UnknownApp if in_body => unknown_app().at("/app"),
        ClockError::UnknownApp => unknown_app().in_query("app"),
        ClockError::NothingExpires => {
            let detail = "Nothing that follows this clock is going to expire. Sign somebody in first.";
            Problem::conflict(detail)
        }
        ClockError::OutOfRange => bad_request("A clock can be moved between 1970-01-02 and 9000-01-01."),
        ClockError::Store(error) => Problem::failure(error),
    }
}
