//! Which requests are asked for: the same criteria in a query and in a body.

use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::super::error::problem::Problem;
use super::super::super::urls::{self, route};
use crate::config::nearest::suggestion;
use crate::domain::email::MAX_EMAIL;
use crate::domain::ids::{AppId, ConnectionId, FlowId};
use crate::domain::journal::{Outcome, endpoint_name};
use crate::domain::timestamp::Timestamp;
use crate::services::journal::Query;

/// Longest name of an endpoint, in bytes.
const MAX_ENDPOINT: usize = 200;

/// The two differ in what is done with a name that is not theirs: a query has other parameters besides, whose names are
/// checked by who knows them all; a body has not.
macro_rules! criteria {
    ($(#[$meta:meta])* $name:ident: $derived:ident) => {
        /// Criteria, all of which a request has to meet.
        #[derive(Debug, Default, Clone, Deserialize, $derived)]
        $(#[$meta])*
        pub struct $name {
            /// The id of an application.
            #[serde(default)]
            app: Option<String>,
            /// A user's e-mail address.
            #[serde(default)]
            user: Option<String>,
            /// The last fixed word of a route, such as `refreshaccesstoken`, or the whole route.
            #[serde(default)]
            endpoint: Option<String>,
            /// `ok`, `refused`, `error` or `fault`.
            #[serde(default)]
            outcome: Option<String>,
            /// Not before this moment by the server's clock: RFC 3339.
            #[serde(default)]
            since: Option<String>,
            /// Only what came after the request with this id.
            #[serde(default)]
            after: Option<String>,
            /// The id of a sign-in that is or was under way.
            #[serde(default)]
            flow: Option<String>,
            /// The id of a connection.
            #[serde(default)]
            connection: Option<String>,
        }
    };
}

criteria! {
    #[into_params(parameter_in = Query)]
    Criteria: IntoParams
}

criteria! {
    #[serde(deny_unknown_fields)]
    #[schema(example = json!({"endpoint": "refreshaccesstoken", "outcome": "ok"}))]
    RequestMatch: ToSchema
}

impl From<RequestMatch> for Criteria {
    fn from(wanted: RequestMatch) -> Self {
        let RequestMatch { app, user, endpoint, outcome, since, after, flow, connection } = wanted;
        Self { app, user, endpoint, outcome, since, after, flow, connection }
    }
}

/// Says where in the request a criterion is.
pub type Place = fn(Problem, &'static str) -> Problem;

pub fn in_query(problem: Problem, name: &'static str) -> Problem {
    problem.in_query(name)
}

pub fn in_match(problem: Problem, name: &'static str) -> Problem {
    problem.at(format!("/match/{name}"))
}

fn unknown(place: Place, endpoint: &str) -> Problem {
    let known: Vec<&str> = route::ALL.iter().map(|route| endpoint_name(route)).collect();
    let detail = format!("There is no such endpoint; expected {}.", suggestion(endpoint, &known));
    place(Problem::invalid(detail), "endpoint")
}

impl Criteria {
    /// What the journal is asked for; `place` says where a criterion is that has no reading.
    pub fn read(self, place: Place) -> Result<Query, Problem> {
        let refuse = |name, expected: &'static str| {
            place(Problem::new(StatusCode::BAD_REQUEST, "Invalid value", format!("Expected {expected}.")), name)
        };
        let id = |name, text: Option<String>, expected| {
            text.map(|text| Uuid::try_parse(&text).map_err(|_| refuse(name, expected))).transpose()
        };
        let short = |name, text: Option<String>, most: usize, expected| match text {
            Some(text) if text.is_empty() || text.len() > most => Err(refuse(name, expected)),
            text => Ok(text),
        };
        // One that is mistyped would be counted as never called.
        let endpoint = short("endpoint", self.endpoint, MAX_ENDPOINT, "the last word of a route, or a route")?;
        let endpoint =
            endpoint.map(|name| if urls::is_endpoint(&name) { Ok(name) } else { Err(unknown(place, &name)) });
        let app = self.app.map(|id| AppId::parse(&id).map_err(|_| refuse("app", "the id of an application")));
        let outcome = self
            .outcome
            .map(|word| Outcome::parse(&word).ok_or_else(|| refuse("outcome", "`ok`, `refused`, `error` or `fault`")));
        let since = self.since.map(|text| {
            let expected = "a moment in RFC 3339, such as `2026-11-22T09:15:30Z` (in a query, a `+` is written %2B)";
            Timestamp::parse_rfc3339(&text).ok_or_else(|| refuse("since", expected))
        });
        Ok(Query {
            app: app.transpose()?,
            user: short("user", self.user, MAX_EMAIL, "an e-mail address")?,
            endpoint: endpoint.transpose()?,
            outcome: outcome.transpose()?,
            since: since.transpose()?,
            after: id("after", self.after, "the id of a request")?,
            flow: id("flow", self.flow, "the id of a flow")?.map(FlowId),
            connection: id("connection", self.connection, "the id of a connection")?.map(ConnectionId),
            limit: None,
        })
    }
}
