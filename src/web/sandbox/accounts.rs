//! LeadExec's customer accounts.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::Web;
use super::super::error::problem::{Problem, sentence};
use super::super::urls::route;
use super::auth::Operator;
use super::body::Body;
use super::query::{Id, Query};
use super::values::{AsciiSecret, Given, List, Name, PageQuery, created, cut, no_such_page, ok, page, present};
use crate::config::Secret;
use crate::domain::account::Account;
use crate::domain::ids::AccountId;
use crate::services::accounts::{self, AccountError, NewAccount};

pub fn routes() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::default().routes(routes!(list, add)).routes(routes!(show, change, delete))
}

/// A customer account, to which users belong.
#[derive(Serialize, ToSchema)]
struct AccountObject {
    #[schema(example = "acme")]
    id: String,
    #[schema(example = "Acme Mortgage")]
    name: String,
    /// The key for the lead receiver that was made: shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    api_keys: Option<[String; 1]>,
}

impl From<Account> for AccountObject {
    fn from(account: Account) -> Self {
        Self { id: account.id.into(), name: account.name, api_keys: None }
    }
}

/// A page of accounts, oldest first.
#[derive(Serialize, ToSchema)]
struct AccountList {
    accounts: Vec<AccountObject>,
    /// What `after` has to be for the next page; null: there is none.
    next: Option<String>,
}

/// An account to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"id": "northwind", "name": "Northwind Lending"}))]
struct NewAccountObject {
    /// 1 to 64 characters out of `A-Z a-z 0-9 . _ -`; made when left out.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    id: Option<Given<AccountId>>,
    /// 1 to 120 characters.
    #[schema(value_type = String)]
    name: Given<Name>,
    /// Keys for the lead receiver; left out: one is made, and shown this once.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    api_keys: Option<List<AsciiSecret>>,
}

/// What is to be different; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Northwind Home Loans"}))]
struct AccountChange {
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String)]
    name: Option<Given<Name>>,
    /// In place of all that it has; an empty list leaves it none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Vec<String>)]
    api_keys: Option<List<AsciiSecret>>,
}

/// List accounts
///
/// API keys are not shown: they are kept as hashes.
#[utoipa::path(
    get,
    path = route::SANDBOX_ACCOUNTS,
    tag = "accounts",
    operation_id = "listAccounts",
    params(PageQuery),
    responses((status = 200, description = "A page of them, oldest first.", body = AccountList)),
)]
async fn list(State(web): State<Arc<Web>>, Query(query): Query<PageQuery>) -> Result<Response, Problem> {
    let limit = page(query.limit)?;
    let after = match query.after {
        Some(after) => Some(find(&web, &after).await.map_err(|problem| problem.or(no_such_page))?.id),
        None => None,
    };
    let accounts = accounts::list(&web.ctx, after, limit).await.map_err(explain)?;
    let (accounts, next) = cut(accounts, query.limit, |account| account.id.to_string());
    Ok(ok(&AccountList { accounts: accounts.into_iter().map(AccountObject::from).collect(), next }))
}

/// Make an account
///
/// An API key that is made for it is shown this once.
#[utoipa::path(
    post,
    path = route::SANDBOX_ACCOUNTS,
    tag = "accounts",
    operation_id = "makeAccount",
    request_body = NewAccountObject,
    responses(
        (status = 201, description = "The account.", body = AccountObject, headers(("location" = String, description = "Where it is."))),
        (status = 400, description = "The body is not as described.", body = Problem),
        (status = 409, description = "The id or an API key is taken.", body = Problem),
    ),
)]
async fn add(
    State(web): State<Arc<Web>>,
    Operator(by): Operator,
    Body(body): Body<NewAccountObject>,
) -> Result<Response, Problem> {
    let new = NewAccount { id: body.id.map(|Given(id)| id), name: body.name.0.0, api_keys: body.api_keys.map(secrets) };
    let (account, made) = accounts::add(&web.ctx.acting(by), new).await.map_err(explain)?;
    let id = account.id.clone();
    let object = AccountObject { api_keys: made.map(|key| [key]), ..account.into() };
    Ok(created(&web, route::SANDBOX_ACCOUNTS, id, &object))
}

fn secrets(keys: List<AsciiSecret>) -> Vec<Secret> {
    keys.0.into_iter().map(|AsciiSecret(key)| key).collect()
}

/// Show an account
///
/// Without its API keys, which are kept as hashes.
#[utoipa::path(
    get,
    path = route::SANDBOX_ACCOUNT,
    tag = "accounts",
    operation_id = "showAccount",
    params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 200, description = "The account.", body = AccountObject),
        (status = 404, description = "There is no such account.", body = Problem),
    ),
)]
async fn show(State(web): State<Arc<Web>>, Id(id): Id) -> Result<Response, Problem> {
    Ok(ok(&AccountObject::from(find(&web, &id).await?)))
}

/// Change an account
///
/// API keys are replaced whole, and not shown.
#[utoipa::path(
    patch,
    path = route::SANDBOX_ACCOUNT,
    tag = "accounts",
    operation_id = "changeAccount",
    params(("id" = String, Path, description = "Its id, which stays.")),
    request_body = AccountChange,
    responses(
        (status = 200, description = "The account as it is now.", body = AccountObject),
        (status = 400, description = "The body is not as described.", body = Problem),
        (status = 404, description = "There is no such account.", body = Problem),
        (status = 409, description = "An API key is another account's.", body = Problem),
    ),
)]
async fn change(
    State(web): State<Arc<Web>>,
    Operator(by): Operator,
    Id(id): Id,
    Body(change): Body<AccountChange>,
) -> Result<Response, Problem> {
    let id = read(&id)?;
    let (name, keys) = (change.name.map(|name| name.0.0), change.api_keys.map(secrets));
    let account = accounts::change(&web.ctx.acting(by), &id, name, keys.as_deref()).await.map_err(explain)?;
    Ok(ok(&AccountObject::from(account)))
}

/// Delete an account
///
/// Only one that no user belongs to.
#[utoipa::path(
    delete,
    path = route::SANDBOX_ACCOUNT,
    tag = "accounts",
    operation_id = "deleteAccount",
    params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 204, description = "It is gone, with its API keys."),
        (status = 404, description = "There is no such account.", body = Problem),
        (status = 409, description = "It has users.", body = Problem),
    ),
)]
async fn delete(State(web): State<Arc<Web>>, Operator(by): Operator, Id(id): Id) -> Result<StatusCode, Problem> {
    accounts::delete(&web.ctx.acting(by), &read(&id)?).await.map_err(explain)?;
    Ok(StatusCode::NO_CONTENT)
}

fn read(id: &str) -> Result<AccountId, Problem> {
    AccountId::parse(id).map_err(|_| explain(AccountError::Unknown))
}

async fn find(web: &Web, id: &str) -> Result<Account, Problem> {
    accounts::find(&web.ctx, &read(id)?).await.map_err(explain)
}

fn explain(error: AccountError) -> Problem {
    let detail = sentence(&error.to_string());
    match error {
        AccountError::Store(error) => error.into(),
        AccountError::Unknown => Problem::not_found(detail),
        AccountError::Taken => Problem::conflict(detail).at("/id"),
        AccountError::ApiKeyTaken { nth } => Problem::conflict(detail).at(format!("/api_keys/{nth}")),
        AccountError::UnknownKey => Problem::not_found(detail),
        AccountError::HasUsers | AccountError::TooManyKeys => Problem::conflict(detail),
    }
}
