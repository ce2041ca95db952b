//! Queries and path parameters of the control plane's requests.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::{OpenApi, RefOr};

use super::super::error::problem::Problem;
use super::body::Said;
use super::openapi::operations;

/// The parameters of the query.
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let pairs = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let read = serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs));
        read.map(Self).map_err(|error| {
            let text = error.inner().to_string();
            let name = match error.path().iter().next() {
                Some(Segment::Map { key }) => Some(key.as_str()),
                _ => None,
            };
            refusal(&Said::of(&text), name)
        })
    }
}

fn refusal(said: &Said<'_>, name: Option<&str>) -> Problem {
    let problem = Problem::new(StatusCode::BAD_REQUEST, "Invalid query", said.detail("parameter"));
    match name.or(said.name()) {
        Some(name) => problem.in_query(super::body::shown(name)),
        None => problem,
    }
}

/// The only parameter of a path, decoded once. What is no text names nothing.
pub struct Id(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(id) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::not_found("There is nothing with this id."))?;
        Ok(Self(id))
    }
}

/// The two parameters of a path, decoded once.
pub struct Ids(pub String, pub String);

impl<S: Send + Sync> FromRequestParts<S> for Ids {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path((first, second)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::not_found("There is nothing with this id."))?;
        Ok(Self(first, second))
    }
}

/// The names that each operation knows in its query: those that it is documented with.
#[derive(Clone)]
pub struct Known(Arc<HashMap<(String, Method), Vec<String>>>);

impl Known {
    /// `base` is what stands before each of the documents' paths in the router.
    pub fn of<'d>(documents: impl IntoIterator<Item = &'d OpenApi>, base: &str) -> Self {
        let known = documents
            .into_iter()
            .flat_map(operations)
            .map(|(path, method, operation)| ((format!("{base}{path}"), method), in_query(operation).collect()));
        Self(Arc::new(known.collect()))
    }
}

fn in_query(operation: &Operation) -> impl Iterator<Item = String> + '_ {
    operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
        RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query => Some(parameter.name.clone()),
        _ => None,
    })
}

/// Around every operation: a parameter that it does not know is refused, since whoever sent it meant something.
pub async fn check(State(known): State<Known>, request: Request, next: Next) -> Response {
    let method = if request.method() == Method::HEAD { Method::GET } else { request.method().clone() };
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    if let Some(known) = known.0.get(&(path, method)) {
        let query = request.uri().query().unwrap_or_default();
        let unknown = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| !known.iter().any(|k| k == name));
        if let Some((name, _)) = unknown {
            let said = Said::Unknown { name: &name, known: known.iter().map(String::as_str).collect() };
            return refusal(&said, None).into_response();
        }
    }
    next.run(request).await
}
