//! Partner applications: OAuth's clients. The members have the names of the seed file, which has those of RFC 7591.

mod client;

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::Web;
use super::super::error::problem::{Problem, sentence};
use super::super::urls::route;
use super::auth::Operator;
use super::body::Body;
use super::query::{Id, Query};
use super::values::{self, Given, Name, PageQuery, created, cut, no_such_page, ok, page};
use crate::config::expected::MAX_LIST;
use crate::domain::app::{App, Inconsistent};
use crate::domain::auth_method::AuthMethod;
use crate::domain::button::Button;
use crate::domain::grant_type::GrantType;
use crate::domain::ids::AppId;
use crate::domain::usage::{Day, UsageKind};
use crate::services::audit::By;
use crate::services::partner::{self, PartnerError};
use crate::services::usage::{self, Series};
use crate::services::users::{self, UserError};
use client::{AppChange, NestedButton, NewApp};

pub fn routes() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::default()
        .routes(routes!(list, add))
        .routes(routes!(show, change, delete))
        .routes(routes!(show_usage))
}

/// A partner application.
#[derive(Serialize, ToSchema)]
struct AppObject {
    /// The App ID, which is the `client_id` too.
    #[schema(example = "0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001")]
    id: String,
    #[schema(example = "Rate Finder")]
    name: String,
    #[schema(example = "Rate Finder Inc.")]
    publisher: String,
    /// The e-mail address of the user who may edit it; null: nobody.
    owner: Option<String>,
    /// How it authenticates: `client_secret_basic`, `client_secret_post`, `private_key_jwt` or `none`.
    #[schema(example = "client_secret_basic")]
    token_endpoint_auth_method: &'static str,
    /// Its public keys, a JWK Set; null where it does not authenticate with a key.
    #[schema(value_type = Option<Object>)]
    jwks: Option<Value>,
    grant_types: Vec<&'static str>,
    redirect_uris: Vec<String>,
    post_logout_redirect_uris: Vec<String>,
    /// What users may be asked for.
    scopes: Vec<&'static str>,
    /// APIs, other than this server's own, that it may ask tokens for.
    resources: Vec<String>,
    #[schema(example = "ES256")]
    access_token_signing_alg: &'static str,
    #[schema(example = "RS256")]
    id_token_signed_response_alg: &'static str,
    dpop_bound_access_tokens: bool,
    require_pushed_authorization_requests: bool,
    /// Whether it may do nothing.
    disabled: bool,
    buttons: Vec<NestedButton>,
    #[schema(format = DateTime)]
    created_at: String,
    /// The client secret that was made: shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
}

impl AppObject {
    fn new(app: App, owner: Option<String>, buttons: Vec<Button>) -> Self {
        Self {
            disabled: !app.is_active(),
            id: app.id.into(),
            name: app.name,
            publisher: app.publisher,
            owner,
            token_endpoint_auth_method: app.auth_method.as_str(),
            jwks: app.jwks.as_deref().and_then(|jwks| serde_json::from_str(jwks).ok()),
            grant_types: app.grant_types.into_iter().map(GrantType::as_str).collect(),
            redirect_uris: app.redirect_uris.into_iter().map(String::from).collect(),
            post_logout_redirect_uris: app.post_logout_redirect_uris.into_iter().map(String::from).collect(),
            scopes: values::names(&app.scopes),
            resources: app.resources.iter().map(|resource| resource.as_str().to_owned()).collect(),
            access_token_signing_alg: app.access_token_alg.as_str(),
            id_token_signed_response_alg: app.id_token_alg.as_str(),
            dpop_bound_access_tokens: app.requires_dpop,
            require_pushed_authorization_requests: app.requires_par,
            buttons: buttons.into_iter().map(NestedButton::from).collect(),
            created_at: app.created_at.to_rfc3339(),
            client_secret: None,
        }
    }

    /// With what is in other tables.
    async fn read(web: &Web, app: App) -> Result<Self, Problem> {
        let owner = match app.owner {
            Some(owner) => match users::find_by_id(&web.ctx, owner).await {
                Ok(user) => Some(user.email.to_string()),
                Err(UserError::Store(error)) => return Err(error.into()),
                // Deleted in this moment: from then on nobody is the owner.
                Err(_) => None,
            },
            None => None,
        };
        let buttons = partner::list_buttons(&web.ctx, Some(app.id.clone()), None, values::MAX_PAGE).await;
        Ok(Self::new(app, owner, buttons.map_err(explain)?))
    }
}

/// A page of applications, oldest first.
#[derive(Serialize, ToSchema)]
struct AppList {
    apps: Vec<AppObject>,
    /// What `after` has to be for the next page; null: there is none.
    next: Option<String>,
}

/// List applications
///
/// Each with its buttons, none with its secret.
#[utoipa::path(
    get,
    path = route::SANDBOX_APPS,
    tag = "apps",
    operation_id = "listApps",
    params(PageQuery),
    responses((status = 200, description = "A page of them, oldest first.", body = AppList)),
)]
async fn list(State(web): State<Arc<Web>>, Query(query): Query<PageQuery>) -> Result<Response, Problem> {
    let limit = page(query.limit)?;
    let after = match query.after {
        Some(after) => Some(find(&web, &after).await.map_err(|problem| problem.or(no_such_page))?.id),
        None => None,
    };
    let found = partner::list_apps(&web.ctx, after, limit).await.map_err(explain)?;
    let (found, next) = cut(found, query.limit, |app| app.id.to_string());
    let mut apps = Vec::with_capacity(found.len());
    for app in found {
        apps.push(AppObject::read(&web, app).await?);
    }
    Ok(ok(&AppList { apps, next }))
}

/// Register an application
///
/// As a seed file does: without a `client_secret`, `jwks` or method it is a public client. A secret that its method
/// needs and that is not given is made, and shown this once.
#[utoipa::path(
    post,
    path = route::SANDBOX_APPS,
    tag = "apps",
    operation_id = "registerApp",
    request_body = NewApp,
    responses(
        (status = 201, description = "The application.", body = AppObject, headers(("location" = String, description = "Where it is."))),
        (status = 400, description = "The body is not as described, or its members do not go together.", body = Problem),
        (status = 404, description = "There is no such owner.", body = Problem),
        (status = 409, description = "The id is taken, or that of a button is.", body = Problem),
    ),
)]
async fn add(
    State(web): State<Arc<Web>>,
    Operator(by): Operator,
    Body(mut body): Body<NewApp>,
) -> Result<Response, Problem> {
    let id = body.id.take().map(|Given(id)| id);
    let (buttons, is_disabled) = (std::mem::take(&mut body.buttons), body.disabled);
    if buttons.len() > MAX_LIST {
        return Err(Problem::invalid("Expected at most 100 elements.").at("/buttons"));
    }
    // Without a method or a secret a client is public, as in a seed file.
    let draft = partner::draft_app(&web.ctx, id, body.name.0.0.clone());
    let wanted = body.describe(App { auth_method: AuthMethod::None, ..draft })?;
    let buttons = buttons.into_iter().map(|button| button.of(wanted.app.id.clone())).collect();
    let (app, client_secret) =
        partner::add_app(&web.ctx.acting(by.clone()), wanted, buttons).await.map_err(|error| match error {
            PartnerError::WiderButton { .. } | PartnerError::ButtonTaken => explain(error).at("/buttons"),
            error => explain(error),
        })?;
    let id = app.id.clone();
    let app = set_state(&web, by, app, is_disabled).await?;
    let object = AppObject { client_secret, ..AppObject::read(&web, app).await? };
    Ok(created(&web, route::SANDBOX_APPS, id, &object))
}

/// Show an application
///
/// With its buttons, and without its secret, which is kept as a hash.
#[utoipa::path(
    get,
    path = route::SANDBOX_APP,
    tag = "apps",
    operation_id = "showApp",
    params(("id" = String, Path, description = "The App ID.")),
    responses(
        (status = 200, description = "The application.", body = AppObject),
        (status = 404, description = "There is no such application.", body = Problem),
    ),
)]
async fn show(State(web): State<Arc<Web>>, Id(id): Id) -> Result<Response, Problem> {
    let app = find(&web, &id).await?;
    Ok(ok(&AppObject::read(&web, app).await?))
}

/// Change an application
///
/// One that comes to authenticate with a secret gets it, shown this once where none is given. Buttons are changed at
/// their own addresses. Tokens stay as they are: scopes that are taken away are missing from what is issued next.
#[utoipa::path(
    patch,
    path = route::SANDBOX_APP,
    tag = "apps",
    operation_id = "changeApp",
    params(("id" = String, Path, description = "The App ID, which stays.")),
    request_body = AppChange,
    responses(
        (status = 200, description = "The application as it is now.", body = AppObject),
        (status = 400, description = "The body is not as described, or its members do not go together.", body = Problem),
        (status = 404, description = "There is no such application, or no such owner.", body = Problem),
    ),
)]
async fn change(
    State(web): State<Arc<Web>>,
    Operator(by): Operator,
    Id(id): Id,
    Body(mut body): Body<AppChange>,
) -> Result<Response, Problem> {
    let mut app = find(&web, &id).await?;
    if let Some(Given(Name(name))) = body.name.take() {
        app.name = name;
    }
    let is_disabled = body.disabled;
    let wanted = body.describe(app)?;
    let (app, client_secret) = partner::set_app(&web.ctx.acting(by.clone()), wanted).await.map_err(explain)?;
    let app = set_state(&web, by, app, is_disabled).await?;
    Ok(ok(&AppObject { client_secret, ..AppObject::read(&web, app).await? }))
}

/// Disables or enables an application, where that is asked for; answers it as it is then.
async fn set_state(web: &Web, by: By, app: App, is_disabled: Option<bool>) -> Result<App, Problem> {
    let acting = web.ctx.acting(by);
    match is_disabled {
        Some(true) => partner::disable_app(&acting, &app.id).await,
        Some(false) => partner::enable_app(&acting, &app.id).await,
        None => return Ok(app),
    }
    .map_err(explain)?;
    partner::find_app(&web.ctx, &app.id).await.map_err(explain)
}

/// What was counted of an application on one day, by UTC.
#[derive(Serialize, ToSchema)]
struct UsageDay {
    #[schema(example = "2026-11-22")]
    date: String,
    /// Connections that users made.
    connections: u64,
    /// Access tokens that were issued for a refresh token.
    refreshes: u64,
    /// Requests that were refused.
    errors: u64,
}

/// How much an application is used.
#[derive(Serialize, ToSchema)]
struct UsageObject {
    /// The last 30 days by the application's clock, oldest first.
    days: Vec<UsageDay>,
}

impl UsageObject {
    fn of(series: &[Series]) -> Self {
        let count = |kind, nth: usize| {
            series.iter().find(|one| one.kind == kind).and_then(|one| one.days.get(nth)).map_or(0, |(_, count)| *count)
        };
        let days = series.first().map_or(&[][..], |one| &one.days);
        let of_day = |(nth, (day, _)): (usize, &(Day, u64))| UsageDay {
            date: day.to_date(),
            connections: count(UsageKind::Connections, nth),
            refreshes: count(UsageKind::Refreshes, nth),
            errors: count(UsageKind::Errors, nth),
        };
        Self { days: days.iter().enumerate().map(of_day).collect() }
    }
}

/// Show how much an application is used
///
/// Connections, refreshes and errors of each day: what the console draws.
#[utoipa::path(
    get,
    path = route::SANDBOX_APP_USAGE,
    tag = "apps",
    operation_id = "showUsage",
    params(("id" = String, Path, description = "The App ID.")),
    responses(
        (status = 200, description = "Its last 30 days.", body = UsageObject),
        (status = 404, description = "There is no such application.", body = Problem),
    ),
)]
async fn show_usage(State(web): State<Arc<Web>>, Id(id): Id) -> Result<Response, Problem> {
    let app = find(&web, &id).await?;
    Ok(ok(&UsageObject::of(&usage::of_app(&web.ctx, &app.id).await?)))
}

/// Delete an application
///
/// With its buttons and connections: no token of it works any more.
#[utoipa::path(
    delete,
    path = route::SANDBOX_APP,
    tag = "apps",
    operation_id = "deleteApp",
    params(("id" = String, Path, description = "The App ID.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 404, description = "There is no such application.", body = Problem),
    ),
)]
async fn delete(State(web): State<Arc<Web>>, Operator(by): Operator, Id(id): Id) -> Result<StatusCode, Problem> {
    let id = AppId::parse(&id).map_err(|_| explain(PartnerError::UnknownApp))?;
    partner::delete_app(&web.ctx.acting(by), &id).await.map_err(explain)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn find(web: &Web, id: &str) -> Result<App, Problem> {
    let id = AppId::parse(id).map_err(|_| explain(PartnerError::UnknownApp))?;
    partner::find_app(&web.ctx, &id).await.map_err(explain)
}

fn explain(error: PartnerError) -> Problem {
    let detail = sentence(&error.to_string());
    match error {
        PartnerError::Store(error) => error.into(),
        PartnerError::UnknownApp => Problem::not_found(detail),
        PartnerError::UnknownOwner => Problem::not_found(detail).at("/owner"),
        PartnerError::AppTaken => Problem::conflict(detail).at("/id"),
        PartnerError::ButtonTaken => Problem::conflict(detail),
        PartnerError::Inconsistent(Inconsistent::PublicWithClientCredentials) => {
            Problem::invalid(detail).at("/grant_types")
        }
        PartnerError::Inconsistent(Inconsistent::NoKeys) => Problem::invalid(detail).at("/jwks"),
        _ => Problem::invalid(detail),
    }
}
