//! How many requests of a kind there were, as a test asserts it.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize as DeriveDeserialize, Serialize};
use utoipa::ToSchema;

use super::super::super::Web;
use super::criteria::RequestMatch;
use super::shown::RequestSummary;
use crate::domain::journal::Entry;
use crate::services::journal::{NearMiss, Query};

/// What is to be counted, and how many there have to be.
#[derive(DeriveDeserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"match": {"endpoint": "refreshaccesstoken", "outcome": "ok"}, "count": {"at_most": 1}}))]
pub struct RequestCount {
    #[serde(rename = "match")]
    pub wanted: RequestMatch,
    /// Exactly so many, or bounds; at least one where it is left out.
    #[serde(default)]
    #[schema(value_type = Option<CountForm>)]
    pub count: Count,
}

/// How many there were.
#[derive(Serialize, ToSchema)]
pub struct RequestsCounted {
    pub matched: usize,
}

/// How many there have to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    at_least: usize,
    at_most: Option<usize>,
}

/// How a count is written.
#[derive(ToSchema)]
#[schema(example = json!({"at_least": 1}))]
#[serde(untagged)]
#[expect(dead_code, reason = "says in the documentation what Count reads")]
enum CountForm {
    Exactly(u64),
    CountBounds(CountBounds),
}

/// Either `exactly`, or at least one of the other two.
#[derive(DeriveDeserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CountBounds {
    #[serde(default)]
    exactly: Option<usize>,
    #[serde(default)]
    at_least: Option<usize>,
    #[serde(default)]
    at_most: Option<usize>,
}

impl Default for Count {
    fn default() -> Self {
        Self { at_least: 1, at_most: None }
    }
}

impl Count {
    const fn exactly(count: usize) -> Self {
        Self { at_least: count, at_most: Some(count) }
    }

    pub fn holds(self, found: usize) -> bool {
        found >= self.at_least && self.at_most.is_none_or(|most| found <= most)
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at_most {
            None => write!(f, "at least {}", self.at_least),
            Some(most) if most == self.at_least => write!(f, "exactly {most}"),
            Some(most) if self.at_least == 0 => write!(f, "at most {most}"),
            Some(most) => write!(f, "{} to {most}", self.at_least),
        }
    }
}

impl TryFrom<CountBounds> for Count {
    type Error = &'static str;

    fn try_from(bounds: CountBounds) -> Result<Self, &'static str> {
        match bounds {
            CountBounds { exactly: Some(count), at_least: None, at_most: None } => Ok(Self::exactly(count)),
            CountBounds { exactly: Some(_), .. } => Err("Send `exactly`, or the other two"),
            CountBounds { at_least: None, at_most: None, .. } => Err("Send `exactly`, `at_least` or `at_most`"),
            CountBounds { at_least, at_most, .. } => {
                let at_least = at_least.unwrap_or(0);
                if at_most.is_some_and(|most| most < at_least) {
                    return Err("No count is at least the one and at most the other");
                }
                Ok(Self { at_least, at_most })
            }
        }
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;

        impl<'de> Visitor<'de> for Forms {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, not negative, or an object such as {\"at_least\": 1}")
            }

            fn visit_u64<E: Error>(self, count: u64) -> Result<Count, E> {
                Ok(Count::exactly(usize::try_from(count).unwrap_or(usize::MAX)))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Count, A::Error> {
                let bounds = CountBounds::deserialize(MapAccessDeserializer::new(map))?;
                Count::try_from(bounds).map_err(A::Error::custom)
            }
        }

        deserializer.deserialize_any(Forms)
    }
}

/// A request that would have been counted but for one criterion.
#[derive(Serialize, ToSchema)]
pub struct RequestMissed {
    /// The criterion's name.
    #[schema(value_type = String, example = "outcome")]
    pub criterion: &'static str,
    #[schema(example = "ok")]
    expected: Option<String>,
    #[schema(example = "refused")]
    pub found: Option<String>,
    request: RequestSummary,
}

impl RequestMissed {
    pub fn of(web: &Web, wanted: &Query, missed: &NearMiss) -> Self {
        let NearMiss { entry, criterion } = missed;
        let (expected, found) = both(web, wanted, entry, criterion);
        Self { criterion, expected, found, request: RequestSummary::of(web, entry) }
    }

    /// One sentence about it.
    pub fn sentence(&self) -> String {
        let text = |value: &Option<String>| value.as_ref().map_or("nothing".to_owned(), |value| format!("`{value}`"));
        format!("{} is {}, not {}", self.criterion, text(&self.found), text(&self.expected))
    }
}

/// What was wanted and what there is.
fn both(web: &Web, wanted: &Query, entry: &Entry, criterion: &str) -> (Option<String>, Option<String>) {
    fn text(value: Option<&impl ToString>) -> Option<String> {
        value.map(ToString::to_string)
    }
    match criterion {
        "app" => (text(wanted.app.as_ref()), text(entry.app.as_ref())),
        "user" => (wanted.user.clone(), web.ctx.journal.user_of(entry)),
        "endpoint" => (wanted.endpoint.clone(), Some(entry.endpoint.clone())),
        "outcome" => (wanted.outcome.map(|outcome| outcome.as_str().into()), Some(entry.outcome.as_str().into())),
        "since" => (wanted.since.map(|at| at.to_rfc3339_millis()), Some(entry.at.to_rfc3339_millis())),
        "flow" => (text(wanted.flow.as_ref()), text(entry.flow.as_ref())),
        _ => (text(wanted.connection.as_ref()), text(entry.connection.as_ref())),
    }
}
