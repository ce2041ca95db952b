//! The world as a whole: reset, snapshots, and the namespaces beside it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::Web;
use super::super::error::oauth;
use super::super::error::problem::{Problem, sentence};
use super::super::urls::route;
use super::super::worlds::Namespaces;
use super::auth::Operator;
use super::body::OptionalBody;
use super::query::Id;
use crate::domain::duration;
use crate::domain::namespace::{DEFAULT_TTL, MAX_NAMESPACES, MAX_TTL, MIN_TTL, Namespace, NamespaceId};
use crate::domain::snapshot::{Snapshot, SnapshotName};
use crate::services::namespaces::{self, Made, NamespaceError};
use crate::services::seed::SeedError;
use crate::services::worlds::{self, SnapshotError};
use crate::store::StoreError;

pub fn routes() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::default()
        .routes(routes!(reset))
        .routes(routes!(list_snapshots))
        .routes(routes!(take_snapshot, delete_snapshot))
        .routes(routes!(restore_snapshot))
        .routes(routes!(list_namespaces, make_namespace))
        .routes(routes!(show_namespace, delete_namespace))
}

#[derive(Serialize, ToSchema)]
struct ResetAnswer {
    /// Always true.
    reset: bool,
    /// Rows that were deleted.
    deleted: u64,
    /// Accounts, users, applications, buttons and lead types that the seed made.
    made: usize,
}

/// Go back to the seeded state
///
/// Afterwards the world is what the server began with: the seed file's users, applications and buttons with the same ids and
/// secrets, no connection, no token, no session. Clocks show the machine's time, fault rules and journal are empty.
/// Snapshots, namespaces, the event log and the server's signing keys stay.
#[utoipa::path(
    post,
    path = route::SANDBOX_RESET,
    tag = "worlds",
    responses(
        (status = 200, description = "It is the seeded state.", body = ResetAnswer),
        (status = 409, description = "The seed file needs what only the database had.", body = Problem),
    ),
)]
async fn reset(State(web): State<Arc<Web>>, Operator(by): Operator) -> Result<Response, Problem> {
    let done = worlds::reset(&web.ctx.acting(by)).await?;
    Ok(oauth::json(StatusCode::OK, &ResetAnswer { reset: true, deleted: done.deleted, made: done.made }))
}

#[derive(Serialize, ToSchema)]
struct SnapshotAnswer {
    name: String,
    /// By the machine's clock: RFC 3339, UTC.
    #[schema(format = DateTime)]
    created_at: String,
    /// How many rows it has.
    rows: u64,
    /// The version of the database's schema that it was made under; it can be restored under no other.
    schema_version: i64,
}

#[derive(Serialize, ToSchema)]
struct SnapshotList {
    /// Oldest first.
    snapshots: Vec<SnapshotAnswer>,
}

impl From<Snapshot> for SnapshotAnswer {
    fn from(snapshot: Snapshot) -> Self {
        Self {
            name: snapshot.name.to_string(),
            created_at: snapshot.created_at.to_rfc3339(),
            rows: snapshot.rows,
            schema_version: snapshot.schema_version,
        }
    }
}

/// List the snapshots
///
/// Oldest first, each with when it was taken.
#[utoipa::path(
    get,
    path = route::SANDBOX_SNAPSHOTS,
    tag = "worlds",
    operation_id = "listSnapshots",
    responses((status = 200, description = "Each snapshot.", body = SnapshotList)),
)]
async fn list_snapshots(State(web): State<Arc<Web>>) -> Result<Response, Problem> {
    let snapshots = worlds::snapshots(&web.ctx).await?.into_iter().map(SnapshotAnswer::from).collect();
    Ok(oauth::json(StatusCode::OK, &SnapshotList { snapshots }))
}

/// Take a snapshot
///
/// Of all of the world: accounts, users, applications, connections, tokens, sessions, clocks. One of the same name is
/// replaced; at most 32 are kept. A name is 1 to 64 characters out of `A-Z a-z 0-9 . _ -`.
#[utoipa::path(
    put,
    path = route::SANDBOX_SNAPSHOT,
    tag = "worlds",
    operation_id = "takeSnapshot",
    params(("name" = String, Path, description = "What to call it.", example = "ada-is-connected")),
    responses(
        (status = 200, description = "One of the same name was replaced.", body = SnapshotAnswer),
        (status = 201, description = "It was taken.", body = SnapshotAnswer),
        (status = 400, description = "That is no name.", body = Problem),
        (status = 409, description = "There are too many.", body = Problem),
    ),
)]
async fn take_snapshot(State(web): State<Arc<Web>>, Id(name): Id) -> Result<Response, Problem> {
    let name = SnapshotName::parse(&name).map_err(|_| {
        Problem::invalid("A snapshot's name is 1 to 64 characters out of A-Z a-z 0-9 . _ -, in the address.")
    })?;
    let (snapshot, replaced) = worlds::take(&web.ctx, name).await?;
    let status = if replaced { StatusCode::OK } else { StatusCode::CREATED };
    Ok(oauth::json(status, &SnapshotAnswer::from(snapshot)))
}

/// Restore a snapshot
///
/// The world is what it was then, its clocks too; what was made later is gone. Journal and fault rules stay as they are.
#[utoipa::path(
    post,
    path = route::SANDBOX_SNAPSHOT_RESTORE,
    tag = "worlds",
    operation_id = "restoreSnapshot",
    params(("name" = String, Path, description = "What it is called.", example = "ada-is-connected")),
    responses(
        (status = 200, description = "The world is what it was.", body = SnapshotAnswer),
        (status = 404, description = "There is none of this name.", body = Problem),
        (status = 409, description = "It was made by another version.", body = Problem),
    ),
)]
async fn restore_snapshot(
    State(web): State<Arc<Web>>,
    Operator(by): Operator,
    Id(name): Id,
) -> Result<Response, Problem> {
    let snapshot = worlds::restore(&web.ctx.acting(by), &known(&name)?).await?;
    Ok(oauth::json(StatusCode::OK, &SnapshotAnswer::from(snapshot)))
}

/// Delete a snapshot
///
/// The world stays as it is.
#[utoipa::path(
    delete,
    path = route::SANDBOX_SNAPSHOT,
    tag = "worlds",
    operation_id = "deleteSnapshot",
    params(("name" = String, Path, description = "What it is called.", example = "ada-is-connected")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 404, description = "There is none of this name.", body = Problem),
    ),
)]
async fn delete_snapshot(State(web): State<Arc<Web>>, Id(name): Id) -> Result<Response, Problem> {
    worlds::remove(&web.ctx, &known(&name)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// What cannot be a name is the name of none.
fn known(name: &str) -> Result<SnapshotName, Problem> {
    SnapshotName::parse(name).map_err(|_| SnapshotError::Unknown.into())
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NamespaceRequest {
    /// How long it lives, by the machine's clock: `1s` to `24h`, ten minutes where it is left out.
    #[serde(default)]
    #[schema(example = "10m")]
    ttl: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct NamespaceAnswer {
    id: String,
    /// The base of all its addresses, and its identifier in OAuth.
    #[schema(example = "http://localhost:8080/ns/9f86d081884c7d65")]
    issuer: String,
    /// Where its own control plane is; the sandbox token is the same.
    control_plane: String,
    /// Its metadata (RFC 8414).
    metadata: String,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it will be gone: RFC 3339, UTC.
    #[schema(format = DateTime)]
    expires_at: String,
    /// Keys of accounts whose seed names none: shown this once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    api_keys: Vec<ApiKey>,
}

#[derive(Serialize, ToSchema)]
struct ApiKey {
    account: String,
    api_key: String,
}

#[derive(Serialize, ToSchema)]
struct NamespaceList {
    /// Oldest first.
    namespaces: Vec<NamespaceAnswer>,
}

impl NamespaceAnswer {
    fn of(web: &Web, namespace: &Namespace) -> Self {
        let issuer = namespaces::issuer(&web.ctx, &namespace.id);
        // The issuer's path follows the well-known name (RFC 8414 section 3.1).
        let path = web.urls.path(&format!("/ns/{}", namespace.id));
        Self {
            id: namespace.id.to_string(),
            control_plane: format!("{issuer}/_sandbox"),
            metadata: format!("{}{}{path}", web.origin, route::SERVER_METADATA),
            issuer,
            created_at: namespace.created_at.to_rfc3339(),
            expires_at: namespace.expires_at.to_rfc3339(),
            api_keys: Vec::new(),
        }
    }
}

/// List the namespaces
///
/// Those whose time is not over.
#[utoipa::path(
    get,
    path = route::SANDBOX_NAMESPACES,
    tag = "worlds",
    operation_id = "listNamespaces",
    responses(
        (status = 200, description = "Each namespace that is not over.", body = NamespaceList),
        (status = 409, description = "This is a namespace itself.", body = Problem),
    ),
)]
async fn list_namespaces(State(web): State<Arc<Web>>) -> Result<Response, Problem> {
    let list = beside(&web)?.list().await?;
    let namespaces = list.iter().map(|namespace| NamespaceAnswer::of(&web, namespace)).collect();
    Ok(oauth::json(StatusCode::OK, &NamespaceList { namespaces }))
}

/// Make a namespace
///
/// A world of its own, for a worker that runs beside others: the seed's users, applications and buttons, and else nothing
/// of this one. Its addresses lie below its issuer, its control plane included; the sandbox token is the same. It is gone
/// when its time is over. At most 64 live at once. The body may be left out.
#[utoipa::path(
    post,
    path = route::SANDBOX_NAMESPACES,
    tag = "worlds",
    operation_id = "makeNamespace",
    request_body(content = Option<NamespaceRequest>, example = json!({"ttl": "10m"})),
    responses(
        (status = 201, description = "It is there.", body = NamespaceAnswer),
        (status = 400, description = "The body is not as described.", body = Problem),
        (status = 409, description = "This is a namespace itself.", body = Problem),
        (status = 429, description = "There are too many.", body = Problem),
    ),
)]
async fn make_namespace(
    State(web): State<Arc<Web>>,
    OptionalBody(request): OptionalBody<NamespaceRequest>,
) -> Result<Response, Problem> {
    let ttl = match request.and_then(|request| request.ttl) {
        Some(text) => duration::parse(&text).ok(),
        None => Some(DEFAULT_TTL),
    };
    let ttl = ttl.filter(|ttl| (MIN_TTL..=MAX_TTL).contains(ttl));
    let ttl =
        ttl.ok_or_else(|| Problem::invalid("A namespace lives for 1s to 24h, such as 10m or 1h30m.").at("/ttl"))?;
    let Made { namespace, api_keys, .. } = beside(&web)?.make(&web, ttl).await?;
    let api_key = |(account, api_key)| ApiKey { account: String::from(account), api_key };
    let api_keys = api_keys.into_iter().map(api_key).collect();
    let answer = NamespaceAnswer { api_keys, ..NamespaceAnswer::of(&web, &namespace) };
    let mut response = oauth::json(StatusCode::CREATED, &answer);
    let address = web.urls.path(&route::SANDBOX_NAMESPACE.replace("{id}", namespace.id.as_str()));
    if let Ok(address) = HeaderValue::from_str(&address) {
        response.headers_mut().insert(header::LOCATION, address);
    }
    Ok(response)
}

/// Show a namespace
///
/// With its addresses, and when its time is over.
#[utoipa::path(
    get,
    path = route::SANDBOX_NAMESPACE,
    tag = "worlds",
    operation_id = "showNamespace",
    params(("id" = String, Path, description = "Its id.", example = "9f86d081884c7d65")),
    responses(
        (status = 200, description = "The namespace.", body = NamespaceAnswer),
        (status = 404, description = "It is unknown, or over.", body = Problem),
        (status = 409, description = "This is a namespace itself.", body = Problem),
    ),
)]
async fn show_namespace(State(web): State<Arc<Web>>, Id(id): Id) -> Result<Response, Problem> {
    let list = beside(&web)?.list().await?;
    let found = list.iter().find(|namespace| namespace.id.as_str() == id).ok_or_else(over)?;
    Ok(oauth::json(StatusCode::OK, &NamespaceAnswer::of(&web, found)))
}

/// End a namespace
///
/// All that it held is gone at once.
#[utoipa::path(
    delete,
    path = route::SANDBOX_NAMESPACE,
    tag = "worlds",
    operation_id = "deleteNamespace",
    params(("id" = String, Path, description = "Its id.", example = "9f86d081884c7d65")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 404, description = "It is unknown, or over.", body = Problem),
        (status = 409, description = "This is a namespace itself.", body = Problem),
    ),
)]
async fn delete_namespace(State(web): State<Arc<Web>>, Id(id): Id) -> Result<Response, Problem> {
    let namespaces = beside(&web)?;
    let id = NamespaceId::parse(&id).ok_or_else(over)?;
    if namespaces.remove(&id).await? { Ok(StatusCode::NO_CONTENT.into_response()) } else { Err(over()) }
}

fn over() -> Problem {
    Problem::not_found("There is no namespace with this id, or its time is over.")
}

fn beside(web: &Web) -> Result<&Namespaces, Problem> {
    web.namespaces.as_deref().ok_or_else(|| {
        Problem::conflict("A namespace has no namespaces of its own: ask the server's own control plane for one more.")
    })
}

impl From<SeedError> for Problem {
    fn from(error: SeedError) -> Self {
        match error {
            SeedError::Store(error) => error.into(),
            SeedError::File(why) => Self::conflict(format!("The seed cannot be applied to an empty world: {why}")),
            SeedError::Password(why) => StoreError::Internal(why.to_string()).into(),
        }
    }
}

impl From<SnapshotError> for Problem {
    fn from(error: SnapshotError) -> Self {
        let detail = sentence(&error.to_string());
        match error {
            SnapshotError::Unknown => Self::not_found(detail),
            SnapshotError::TooMany | SnapshotError::OtherSchema { .. } => Self::conflict(detail),
            SnapshotError::Store(error) => error.into(),
        }
    }
}

impl From<NamespaceError> for Problem {
    fn from(error: NamespaceError) -> Self {
        match error {
            NamespaceError::TooMany => {
                let detail =
                    format!("{MAX_NAMESPACES} namespaces are there already. Delete one, or wait until one is over.");
                Self::new(StatusCode::TOO_MANY_REQUESTS, "Too many namespaces", detail)
            }
            NamespaceError::Seed(error) => error.into(),
            NamespaceError::Keys(error) => StoreError::from(error).into(),
            NamespaceError::Open(error) => StoreError::gone(error).into(),
            NamespaceError::Store(error) => error.into(),
        }
    }
}
