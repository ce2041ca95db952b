//! Users' consents to applications.

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
use super::super::error::problem::{Problem, sentence};
use super::super::urls::route;
use super::auth::Operator;
use super::body::Body;
use super::query::{Id, Query};
use super::users::find as find_user;
use super::values::{self, Given, List, created, cut, no_such_page, ok, page};
use crate::domain::connection::{Connection, ConnectionState};
use crate::domain::email::Email;
use crate::domain::ids::{AppId, ConnectionId};
use crate::domain::scope::Scope;
use crate::domain::timestamp::Timestamp;
use crate::services::connections::{self, ConnectionError, Filter};

pub fn routes() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::default().routes(routes!(list, add)).routes(routes!(show, end))
}

/// One user's consent to one application.
#[derive(Serialize, ToSchema)]
struct ConnectionObject {
    #[schema(value_type = Uuid)]
    id: ConnectionId,
    /// The user's e-mail address.
    #[schema(example = "ada@acme.test")]
    user: String,
    /// The application's id.
    app: String,
    /// All that was consented to.
    scopes: Vec<&'static str>,
    /// What of it was consented to at a sign-in button: LeadExec's tokens are for that alone.
    sign_in_scopes: Vec<&'static str>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    last_used_at: Option<String>,
    /// When it ends by itself; null: never.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// LeadExec's refresh token, which stands for the connection: given to who makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

impl ConnectionObject {
    fn new(connection: Connection, user: String) -> Self {
        let expires_at = match connection.state {
            ConnectionState::Expiring { at } => Some(at.to_rfc3339()),
            ConnectionState::Active | ConnectionState::Ended { .. } => None,
        };
        Self {
            id: connection.id,
            user,
            app: connection.app.into(),
            scopes: values::names(&connection.scopes),
            sign_in_scopes: values::names(&connection.sign_in_scopes),
            created_at: connection.created_at.to_rfc3339(),
            last_used_at: connection.last_used_at.map(Timestamp::to_rfc3339),
            expires_at,
            refresh_token: None,
        }
    }
}

/// A page of connections that live, oldest first.
#[derive(Serialize, ToSchema)]
struct ConnectionList {
    connections: Vec<ConnectionObject>,
    /// What `after` has to be for the next page; null: there is none.
    next: Option<String>,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only those to this application.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    app: Option<Given<AppId>>,
    /// Only those of this user: an e-mail address, or an id.
    #[serde(default)]
    user: Option<String>,
    /// How many at most.
    #[serde(default = "values::default_page")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: i64,
    /// Those after this one: the `next` of the page before.
    #[serde(default)]
    after: Option<String>,
}

/// A consent to be given.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"user": "ada@acme.test", "app": "0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001", "scopes": ["account_api"]}))]
struct NewConnection {
    /// The user's e-mail address.
    #[schema(value_type = String)]
    user: Given<Email>,
    /// The application's id.
    #[schema(value_type = String)]
    app: Given<AppId>,
    /// Left out: each API scope of the application.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    scopes: Option<List<Scope>>,
}

/// List connections
///
/// Those that live, by the clock of each one's application.
#[utoipa::path(
    get,
    path = route::SANDBOX_CONNECTIONS,
    tag = "connections",
    operation_id = "listConnections",
    params(ListQuery),
    responses((status = 200, description = "A page of them, oldest first.", body = ConnectionList)),
)]
async fn list(State(web): State<Arc<Web>>, Query(query): Query<ListQuery>) -> Result<Response, Problem> {
    let limit = page(query.limit)?;
    let user = match query.user {
        Some(user) => match find_user(&web, &user).await {
            Ok(user) => Some(user.id),
            Err(problem) if problem.is_not_found() => {
                return Ok(ok(&ConnectionList { connections: Vec::new(), next: None }));
            }
            Err(problem) => return Err(problem),
        },
        None => None,
    };
    let after = query.after.map(|after| after.parse().map(ConnectionId).map_err(|_| no_such_page())).transpose()?;
    let filter = Filter { app: query.app.map(|Given(app)| app), user, after };
    let found = connections::list(&web.ctx, filter, limit).await?;
    let (found, next) = cut(found, query.limit, |(connection, _)| connection.id.to_string());
    let living = found.into_iter().filter(|(connection, _)| connection.is_live(web.ctx.now_for(&connection.app)));
    let connections = living.map(|(connection, user)| ConnectionObject::new(connection, user)).collect();
    Ok(ok(&ConnectionList { connections, next }))
}

/// Connect a user
///
/// As "Allow" at a sign-in button does, with everything that follows from it. A connection that is there already is
/// widened. The answer has LeadExec's refresh token.
#[utoipa::path(
    post,
    path = route::SANDBOX_CONNECTIONS,
    tag = "connections",
    operation_id = "makeConnection",
    request_body = NewConnection,
    responses(
        (status = 200, description = "The user had one to this application; it is wider now, or as wide as it was.", body = ConnectionObject),
        (status = 201, description = "The connection.", body = ConnectionObject, headers(("location" = String, description = "Where it is."))),
        (status = 400, description = "The body is not as described, or has scopes that the application does not have.", body = Problem),
        (status = 404, description = "There is no such user or application.", body = Problem),
        (status = 409, description = "The user is disabled, or denies every request.", body = Problem),
    ),
)]
async fn add(State(web): State<Arc<Web>>, Body(body): Body<NewConnection>) -> Result<Response, Problem> {
    let scopes = body.scopes.map(Into::into);
    let consent = connections::check(&web.ctx, &body.user.0, &body.app.0, scopes).await.map_err(explain)?;
    let connected = connections::connect(&web.ctx, &consent).await.map_err(explain)?;
    let id = connected.connection.id;
    let object = ConnectionObject {
        refresh_token: Some(connected.refresh_token),
        ..ConnectionObject::new(connected.connection, consent.user.email.to_string())
    };
    Ok(if connected.is_new { created(&web, route::SANDBOX_CONNECTIONS, id, &object) } else { ok(&object) })
}

/// Show a connection
///
/// One that has ended is not there any more; the answer says how it ended.
#[utoipa::path(
    get,
    path = route::SANDBOX_CONNECTION,
    tag = "connections",
    operation_id = "showConnection",
    params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 200, description = "The connection.", body = ConnectionObject),
        (status = 404, description = "There is no such connection, or it has ended.", body = Problem),
    ),
)]
async fn show(State(web): State<Arc<Web>>, Id(id): Id) -> Result<Response, Problem> {
    let (connection, user) = connections::find(&web.ctx, read(&id)?).await.map_err(explain)?;
    Ok(ok(&ConnectionObject::new(connection, user)))
}

/// End a connection
///
/// As an operator does: its refresh token, each of its access tokens and automatic sign-in end with it.
#[utoipa::path(
    delete,
    path = route::SANDBOX_CONNECTION,
    tag = "connections",
    operation_id = "endConnection",
    params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 204, description = "It has ended."),
        (status = 404, description = "There is no such connection, or it had ended.", body = Problem),
    ),
)]
async fn end(State(web): State<Arc<Web>>, Operator(by): Operator, Id(id): Id) -> Result<StatusCode, Problem> {
    connections::end(&web.ctx.acting(by), read(&id)?).await.map_err(explain)?;
    Ok(StatusCode::NO_CONTENT)
}

fn read(id: &str) -> Result<ConnectionId, Problem> {
    Uuid::parse_str(id).map(ConnectionId).map_err(|_| explain(ConnectionError::Unknown))
}

/// What is wrong with a consent, or with a connection's id.
pub fn explain(error: ConnectionError) -> Problem {
    let detail = sentence(&error.to_string());
    match error {
        ConnectionError::Store(error) => error.into(),
        ConnectionError::UnknownUser => Problem::not_found(detail).at("/user"),
        ConnectionError::UnknownApp => Problem::not_found(detail).at("/app"),
        ConnectionError::UserDisabled | ConnectionError::UserDenies => Problem::conflict(detail).at("/user"),
        ConnectionError::WiderScope { .. } | ConnectionError::NoScope => {
            Problem::new(StatusCode::BAD_REQUEST, "Invalid scope", detail).at("/scopes")
        }
        ConnectionError::Unknown | ConnectionError::Ended { .. } | ConnectionError::Expired { .. } => {
            Problem::not_found(detail)
        }
    }
}
