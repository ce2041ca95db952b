//! Sign-in buttons.

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
use super::values::{self, Given, List, created, cut, no_such_page, nullable, ok, page, present};
use crate::domain::button::{Button, Size, Theme};
use crate::domain::ids::{AppId, ButtonId};
use crate::domain::origin::Origin;
use crate::domain::return_url::ReturnUrl;
use crate::domain::scope::Scope;
use crate::services::partner::{self, NewButton, PartnerError};

pub fn routes() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::default().routes(routes!(list, add)).routes(routes!(show, change, delete))
}

/// One sign-in button.
#[derive(Serialize, ToSchema)]
pub struct ButtonObject {
    /// What a page has as `data-btnId`.
    #[schema(example = "btn-rate-finder")]
    id: String,
    /// The application that it belongs to.
    app: String,
    /// Where it works.
    origins: Vec<String>,
    /// Where a sign-in may return to where the browser blocks the pop-up.
    return_urls: Vec<String>,
    /// What a click asks for; null: each API scope of the application.
    scopes: Option<Vec<&'static str>>,
    /// How its snippet has it look: `auto`, `light` or `dark`.
    #[schema(example = "auto")]
    theme: &'static str,
    /// `small`, `medium` or `large`.
    #[schema(example = "medium")]
    size: &'static str,
    #[schema(format = DateTime)]
    created_at: String,
}

impl From<Button> for ButtonObject {
    fn from(button: Button) -> Self {
        Self {
            id: button.id.into(),
            app: button.app.into(),
            origins: button.origins.into_iter().map(String::from).collect(),
            return_urls: button.return_urls.into_iter().map(String::from).collect(),
            scopes: button.scopes.as_ref().map(values::names),
            theme: button.theme.as_str(),
            size: button.size.as_str(),
            created_at: button.created_at.to_rfc3339(),
        }
    }
}

/// A page of buttons, oldest first.
#[derive(Serialize, ToSchema)]
struct ButtonList {
    buttons: Vec<ButtonObject>,
    /// What `after` has to be for the next page; null: there is none.
    next: Option<String>,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only those of this application.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    app: Option<Given<AppId>>,
    /// How many at most.
    #[serde(default = "values::default_page")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: i64,
    /// Those after this one: the `next` of the page before.
    #[serde(default)]
    after: Option<String>,
}

/// A button to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "app": "0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001",
    "id": "btn-staging",
    "origins": ["https://staging.partner.example"],
    "return_urls": ["https://staging.partner.example/signin"],
    "scopes": ["account_api"],
}))]
struct NewButtonObject {
    /// Made when left out.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    id: Option<Given<ButtonId>>,
    /// The application that it is for.
    #[schema(value_type = String)]
    app: Given<AppId>,
    /// Where it works: lower case, no path, no default port.
    #[schema(value_type = Vec<String>)]
    origins: List<Origin>,
    /// Where a sign-in may return to: https, http for loopback hosts only; matched exactly.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    return_urls: List<ReturnUrl>,
    /// What a click asks for, within the application's; left out or null: each of its API scopes.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    scopes: Option<List<Scope>>,
    /// How its snippet has it look: `auto`, `light` or `dark`.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String)]
    theme: Option<Given<Theme>>,
    /// `small`, `medium` or `large`.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String)]
    size: Option<Given<Size>>,
}

/// What is to be different; what is left out stays, a list is replaced whole.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"origins": ["https://www.partner.example", "http://localhost:9001"], "scopes": null}))]
struct ButtonChange {
    /// The application that it is for from now on.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String)]
    app: Option<Given<AppId>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Vec<String>)]
    origins: Option<List<Origin>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Vec<String>)]
    return_urls: Option<List<ReturnUrl>>,
    /// Null: each API scope of the application.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Vec<String>>)]
    scopes: Option<Option<List<Scope>>>,
    /// How its snippet has it look: `auto`, `light` or `dark`.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String)]
    theme: Option<Given<Theme>>,
    /// `small`, `medium` or `large`.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String)]
    size: Option<Given<Size>>,
}

/// List buttons
///
/// Of all applications, or of one.
#[utoipa::path(
    get,
    path = route::SANDBOX_BUTTONS,
    tag = "buttons",
    operation_id = "listButtons",
    params(ListQuery),
    responses((status = 200, description = "A page of them, oldest first.", body = ButtonList)),
)]
async fn list(State(web): State<Arc<Web>>, Query(query): Query<ListQuery>) -> Result<Response, Problem> {
    let limit = page(query.limit)?;
    let after = match query.after {
        Some(after) => Some(find(&web, &after).await.map_err(|problem| problem.or(no_such_page))?.id),
        None => None,
    };
    let app = query.app.map(|Given(app)| app);
    let buttons = partner::list_buttons(&web.ctx, app, after, limit).await.map_err(explain)?;
    let (buttons, next) = cut(buttons, query.limit, |button| button.id.to_string());
    Ok(ok(&ButtonList { buttons: buttons.into_iter().map(ButtonObject::from).collect(), next }))
}

/// Make a button
///
/// It works at once on its origins; the snippet of a page takes its id.
#[utoipa::path(
    post,
    path = route::SANDBOX_BUTTONS,
    tag = "buttons",
    operation_id = "makeButton",
    request_body = NewButtonObject,
    responses(
        (status = 201, description = "The button.", body = ButtonObject, headers(("location" = String, description = "Where it is."))),
        (status = 400, description = "The body is not as described, or asks for scopes that the application does not have.", body = Problem),
        (status = 404, description = "There is no such application.", body = Problem),
        (status = 409, description = "The id is taken.", body = Problem),
    ),
)]
async fn add(
    State(web): State<Arc<Web>>,
    Operator(by): Operator,
    Body(body): Body<NewButtonObject>,
) -> Result<Response, Problem> {
    let new = NewButton {
        id: body.id.map(|Given(id)| id),
        app: body.app.0,
        origins: body.origins.0,
        return_urls: body.return_urls.0,
        scopes: body.scopes.map(Into::into),
        theme: body.theme.map_or(Theme::default(), |Given(theme)| theme),
        size: body.size.map_or(Size::default(), |Given(size)| size),
    };
    let button = partner::add_button(&web.ctx.acting(by), new).await.map_err(explain)?;
    let id = button.id.clone();
    Ok(created(&web, route::SANDBOX_BUTTONS, id, &ButtonObject::from(button)))
}

/// Show a button
///
/// With its application, origins and return addresses.
#[utoipa::path(
    get,
    path = route::SANDBOX_BUTTON,
    tag = "buttons",
    operation_id = "showButton",
    params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 200, description = "The button.", body = ButtonObject),
        (status = 404, description = "There is no such button.", body = Problem),
    ),
)]
async fn show(State(web): State<Arc<Web>>, Id(id): Id) -> Result<Response, Problem> {
    Ok(ok(&ButtonObject::from(find(&web, &id).await?)))
}

/// Change a button
///
/// What is left out stays; a list is replaced whole.
#[utoipa::path(
    patch,
    path = route::SANDBOX_BUTTON,
    tag = "buttons",
    operation_id = "changeButton",
    params(("id" = String, Path, description = "Its id, which stays.")),
    request_body = ButtonChange,
    responses(
        (status = 200, description = "The button as it is now.", body = ButtonObject),
        (status = 400, description = "The body is not as described, or asks for scopes that the application does not have.", body = Problem),
        (status = 404, description = "There is no such button, or no such application.", body = Problem),
    ),
)]
async fn change(
    State(web): State<Arc<Web>>,
    Operator(by): Operator,
    Id(id): Id,
    Body(change): Body<ButtonChange>,
) -> Result<Response, Problem> {
    let mut button = find(&web, &id).await?;
    button.app = change.app.map_or(button.app, |Given(app)| app);
    button.origins = change.origins.map_or(button.origins, |origins| origins.0);
    button.return_urls = change.return_urls.map_or(button.return_urls, |urls| urls.0);
    button.theme = change.theme.map_or(button.theme, |Given(theme)| theme);
    button.size = change.size.map_or(button.size, |Given(size)| size);
    button.scopes = change.scopes.map_or(button.scopes, |scopes| scopes.map(Into::into));
    Ok(ok(&ButtonObject::from(partner::set_button(&web.ctx.acting(by), button).await.map_err(explain)?)))
}

/// Delete a button
///
/// Connections that were made through it stay.
#[utoipa::path(
    delete,
    path = route::SANDBOX_BUTTON,
    tag = "buttons",
    operation_id = "deleteButton",
    params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 404, description = "There is no such button.", body = Problem),
    ),
)]
async fn delete(State(web): State<Arc<Web>>, Operator(by): Operator, Id(id): Id) -> Result<StatusCode, Problem> {
    let id = ButtonId::parse(&id).map_err(|_| explain(PartnerError::UnknownButton))?;
    partner::delete_button(&web.ctx.acting(by), &id).await.map_err(explain)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn find(web: &Web, id: &str) -> Result<Button, Problem> {
    let id = ButtonId::parse(id).map_err(|_| explain(PartnerError::UnknownButton))?;
    partner::find_button(&web.ctx, &id).await.map_err(explain)
}

fn explain(error: PartnerError) -> Problem {
    let detail = sentence(&error.to_string());
    match error {
        PartnerError::Store(error) => error.into(),
        PartnerError::UnknownButton => Problem::not_found(detail),
        PartnerError::UnknownApp => Problem::not_found(detail).at("/app"),
        PartnerError::ButtonTaken => Problem::conflict(detail).at("/id"),
        PartnerError::WiderButton { .. } => Problem::invalid(detail).at("/scopes"),
        _ => Problem::invalid(detail),
    }
}
