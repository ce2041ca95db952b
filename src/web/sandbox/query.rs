//! Queries and path parameters of the control plane's requests.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::super::error::problem::Problem;
use super::body::Said;

/// The parameters of the query, all of which are known. A type that is read here denies unknown fields.
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

fn read<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs)).map_err(|error| {
        let text = error.inner().to_string();
        let said = Said::of(&text);
        let problem = Problem::new(StatusCode::BAD_REQUEST, "Invalid query", said.detail("parameter"));
        match error.path().iter().next() {
            Some(serde_path_to_error::Segment::Map { key }) if key.len() <= 64 => problem.in_query(key.as_str()),
            _ => problem,
        }
    })
}
