//! People with a LeadExec login.

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
use super::values::{Given, Name, PageQuery, Password, created, cut, no_such_page, ok, page, present};
use crate::config::seed::SeedPassword;
use crate::domain::email::Email;
use crate::domain::ids::UserId;
use crate::domain::magic::Magic;
use crate::domain::role::Role;
use crate::domain::user::{PasswordHash, User};
use crate::services::users::{self, Change, NewUser, UserError};

pub fn routes() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::default().routes(routes!(list, add)).routes(routes!(show, change, delete))
}

/// A person with a login.
#[derive(Serialize, ToSchema)]
struct UserObject {
    #[schema(value_type = Uuid)]
    id: UserId,
    /// The login.
    #[schema(example = "ada@acme.test")]
    email: String,
    #[schema(example = "Ada Buyer")]
    name: String,
    /// The id of the account that the user belongs to.
    #[schema(example = "acme")]
    account: String,
    /// `member`, `partner` or `admin`.
    #[schema(example = "member")]
    role: &'static str,
    /// Whether the user is kept out.
    disabled: bool,
    /// What a user of the demonstration does on purpose; null for everybody else.
    magic: Option<&'static str>,
    #[schema(format = DateTime)]
    created_at: String,
}

impl From<User> for UserObject {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            disabled: !user.is_active(),
            email: user.email.to_string(),
            name: user.name,
            account: user.account.into(),
            role: user.role.as_str(),
            magic: user.magic.map(Magic::as_str),
            created_at: user.created_at.to_rfc3339(),
        }
    }
}

/// A page of users, oldest first.
#[derive(Serialize, ToSchema)]
struct UserList {
    users: Vec<UserObject>,
    /// What `after` has to be for the next page; null: there is none.
    next: Option<String>,
}

/// A user to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "email": "lin@acme.test",
    "password": "a password for tests",
    "name": "Lin Tester",
    "account": "acme",
}))]
struct NewUserObject {
    /// The login; upper and lower case do not differ.
    #[schema(value_type = String)]
    email: Given<Email>,
    /// 1 to 1024 bytes. This or the hash.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    password: Option<Given<Password>>,
    /// An argon2id hash in PHC form. This or the password.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    password_hash: Option<Given<PasswordHash>>,
    /// 1 to 120 characters.
    #[schema(value_type = String)]
    name: Given<Name>,
    /// An account's id, or its name.
    #[schema(value_type = String)]
    account: Given<Name>,
    /// `member` where it is left out, `partner` or `admin`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    role: Option<Given<Role>>,
    /// Whether the user is kept out from the start.
    #[serde(default)]
    disabled: bool,
}

/// What is to be different; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"disabled": true}))]
struct UserChange {
    /// The login, from now on; ends nothing.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String)]
    email: Option<Given<Email>>,
    /// Ends what was open: sessions and connections.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String)]
    password: Option<Given<Password>>,
    /// The same with an argon2id hash.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String)]
    password_hash: Option<Given<PasswordHash>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String)]
    name: Option<Given<Name>>,
    /// An account's id, or its name.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String)]
    account: Option<Given<Name>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String)]
    role: Option<Given<Role>>,
    /// `true` keeps the user out and ends what was open; `false` lets the user in again.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = bool)]
    disabled: Option<bool>,
}

/// List users
///
/// The magic users of the demonstration among them.
#[utoipa::path(
    get,
    path = route::SANDBOX_USERS,
    tag = "users",
    operation_id = "listUsers",
    params(PageQuery),
    responses((status = 200, description = "A page of them, oldest first.", body = UserList)),
)]
async fn list(State(web): State<Arc<Web>>, Query(query): Query<PageQuery>) -> Result<Response, Problem> {
    let limit = page(query.limit)?;
    let after = match query.after {
        Some(after) => Some(find(&web, &after).await.map_err(|problem| problem.or(no_such_page))?.id),
        None => None,
    };
    let users = users::list(&web.ctx, after, limit).await.map_err(explain)?;
    let (users, next) = cut(users, query.limit, |user| user.id.to_string());
    Ok(ok(&UserList { users: users.into_iter().map(UserObject::from).collect(), next }))
}

/// Make a user
///
/// Who can sign in at once. The password is kept as a hash, and never shown.
#[utoipa::path(
    post,
    path = route::SANDBOX_USERS,
    tag = "users",
    operation_id = "makeUser",
    request_body = NewUserObject,
    responses(
        (status = 201, description = "The user.", body = UserObject, headers(("location" = String, description = "Where it is."))),
        (status = 400, description = "The body is not as described.", body = Problem),
        (status = 404, description = "There is no such account.", body = Problem),
        (status = 409, description = "The e-mail address is taken.", body = Problem),
    ),
)]
async fn add(
    State(web): State<Arc<Web>>,
    Operator(by): Operator,
    Body(body): Body<NewUserObject>,
) -> Result<Response, Problem> {
    let password = password(body.password, body.password_hash)?.ok_or_else(|| {
        Problem::new(StatusCode::BAD_REQUEST, "Missing member", "Send `password` or `password_hash`.").at("/password")
    })?;
    let new = NewUser {
        email: body.email.0,
        name: body.name.0.0,
        account: body.account.0.0,
        role: body.role.map_or(Role::Member, |Given(role)| role),
        password,
        is_disabled: body.disabled,
    };
    let user = users::add(&web.ctx.acting(by), new).await.map_err(explain)?;
    let id = user.id;
    Ok(created(&web, route::SANDBOX_USERS, id, &UserObject::from(user)))
}

fn password(
    plain: Option<Given<Password>>,
    hash: Option<Given<PasswordHash>>,
) -> Result<Option<SeedPassword>, Problem> {
    match (plain, hash) {
        (Some(Given(Password(plain))), None) => Ok(Some(SeedPassword::Plain(plain))),
        (None, Some(Given(hash))) => Ok(Some(SeedPassword::Hash(hash))),
        (None, None) => Ok(None),
        (Some(_), Some(_)) => {
            Err(Problem::invalid("Send `password` or `password_hash`, not both.").at("/password_hash"))
        }
    }
}

/// Show a user
///
/// By id or by e-mail address.
#[utoipa::path(
    get,
    path = route::SANDBOX_USER,
    tag = "users",
    operation_id = "showUser",
    params(("id" = String, Path, description = "The id, or the e-mail address.")),
    responses(
        (status = 200, description = "The user.", body = UserObject),
        (status = 404, description = "There is no such user.", body = Problem),
    ),
)]
async fn show(State(web): State<Arc<Web>>, Id(id): Id) -> Result<Response, Problem> {
    Ok(ok(&UserObject::from(find(&web, &id).await?)))
}

/// Change a user
///
/// A new password, and being disabled, end the user's sessions and connections. A new e-mail address, which is the login,
/// ends nothing.
#[utoipa::path(
    patch,
    path = route::SANDBOX_USER,
    tag = "users",
    operation_id = "changeUser",
    params(("id" = String, Path, description = "The id, or the e-mail address.")),
    request_body = UserChange,
    responses(
        (status = 200, description = "The user as it is now.", body = UserObject),
        (status = 400, description = "The body is not as described.", body = Problem),
        (status = 404, description = "There is no such user, or no such account.", body = Problem),
        (status = 409, description = "The e-mail address is taken.", body = Problem),
    ),
)]
async fn change(
    State(web): State<Arc<Web>>,
    Operator(by): Operator,
    Id(id): Id,
    Body(body): Body<UserChange>,
) -> Result<Response, Problem> {
    let change = Change {
        password: password(body.password, body.password_hash)?,
        name: body.name.map(|name| name.0.0),
        account: body.account.map(|account| account.0.0),
        role: body.role.map(|Given(role)| role),
        is_disabled: body.disabled,
        email: body.email.map(|Given(email)| email),
    };
    let user = find(&web, &id).await?;
    Ok(ok(&UserObject::from(users::change(&web.ctx.acting(by), user.id, change).await.map_err(explain)?)))
}

/// Delete a user
///
/// With sessions and connections: no token works any more. Applications that the user owned have no owner.
#[utoipa::path(
    delete,
    path = route::SANDBOX_USER,
    tag = "users",
    operation_id = "deleteUser",
    params(("id" = String, Path, description = "The id, or the e-mail address.")),
    responses(
        (status = 204, description = "The user is gone."),
        (status = 404, description = "There is no such user.", body = Problem),
    ),
)]
async fn delete(State(web): State<Arc<Web>>, Operator(by): Operator, Id(id): Id) -> Result<StatusCode, Problem> {
    let user = find(&web, &id).await?;
    users::delete(&web.ctx.acting(by), &user.email).await.map_err(explain)?;
    Ok(StatusCode::NO_CONTENT)
}

/// A user by id or e-mail address.
pub async fn find(web: &Web, id: &str) -> Result<User, Problem> {
    let found = match (Uuid::parse_str(id), Email::parse(id)) {
        (Ok(id), _) => users::find_by_id(&web.ctx, UserId(id)).await,
        (_, Ok(email)) => users::find(&web.ctx, &email).await,
        (Err(_), Err(_)) => Err(UserError::Unknown),
    };
    found.map_err(explain)
}

fn explain(error: UserError) -> Problem {
    let detail = sentence(&error.to_string());
    match error {
        UserError::Store(error) => error.into(),
        UserError::Unknown => Problem::not_found("There is no user with this id or e-mail address."),
        UserError::UnknownAccount => Problem::not_found(detail).at("/account"),
        UserError::Taken => Problem::conflict(detail).at("/email"),
        UserError::Password(_) => Problem::invalid(detail).at("/password"),
        UserError::Yourself | UserError::LastAdmin => Problem::conflict(detail),
    }
}
