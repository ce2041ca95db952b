//! The partner console: a partner's own applications and buttons. What is another's is not there (404).

mod addresses;
mod app;
mod app_form;
mod apps;
mod button;
mod button_form;
mod callback;
mod deliveries;
mod logo;
mod partner;
mod secret;
mod webhook;
mod webhook_form;
mod webhook_log;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;

use super::Web;
use super::error::{failed_page, method_not_allowed_page};
use super::urls::route;
pub use super::visitor::{Answer, Stop};
use crate::domain::app::App;
use crate::services::console::ConsoleError;
use crate::services::users::UserError;
use crate::views::{Head, Tab};
pub use addresses::redirect_uris;
pub use app_form::refuse as refuse_app;
pub use partner::{Partner, Visit};

/// A form's body, before anybody knows who sent it.
pub type Body = Result<Bytes, BytesRejection>;

pub fn routes() -> Router<Arc<Web>> {
    let logo = get(logo::ask).post(logo::upload).fallback(other_method);
    Router::new()
        .route(route::CONSOLE, get(apps::list).fallback(other_method))
        .route(route::CONSOLE_APPS, get(apps::list).fallback(other_method))
        .route(route::CONSOLE_APP_NEW, get(apps::ask).post(apps::create).fallback(other_method))
        .route(route::CONSOLE_APP, get(app::show).fallback(other_method))
        .route(route::CONSOLE_APP_EDIT, get(app::ask).post(app::save).fallback(other_method))
        .route(route::CONSOLE_APP_USAGE, get(app::usage).fallback(other_method))
        .route(route::CONSOLE_APP_DELETE, get(app::ask_to_delete).post(app::delete).fallback(other_method))
        .route(route::CONSOLE_APP_SECRET, get(secret::ask).post(secret::rotate).fallback(other_method))
        .route(route::CONSOLE_APP_SECRET_PREVIOUS, get(secret::ask).post(secret::revoke).fallback(other_method))
        .route(route::CONSOLE_APP_CALLBACK, get(callback::ask).post(callback::set).fallback(other_method))
        .route(route::CONSOLE_APP_CALLBACK_TEST, get(callback::ask).post(callback::test).fallback(other_method))
        .route(route::CONSOLE_APP_CALLBACK_ROTATE, get(callback::ask).post(callback::rotate).fallback(other_method))
        .route(route::CONSOLE_APP_CALLBACK_REMOVE, get(callback::ask).post(callback::remove).fallback(other_method))
        .route(route::CONSOLE_APP_LOGO, logo.layer(DefaultBodyLimit::max(logo::MAX_BODY)))
        .route(route::CONSOLE_APP_LOGO_REMOVE, get(logo::ask).post(logo::remove).fallback(other_method))
        .route(route::CONSOLE_BUTTON_NEW, get(button::ask_new).post(button::create).fallback(other_method))
        .route(route::CONSOLE_BUTTON, get(button::show).fallback(other_method))
        .route(route::CONSOLE_BUTTON_EDIT, get(button::ask).post(button::save).fallback(other_method))
        .route(route::CONSOLE_BUTTON_DELETE, get(button::ask_to_delete).post(button::delete).fallback(other_method))
        .merge(deliveries::routes())
        .merge(webhook_routes())
}

fn webhook_routes() -> Router<Arc<Web>> {
    let replay_one = get(webhook_log::show).post(webhook_log::replay_one);
    Router::new()
        .route(route::CONSOLE_WEBHOOKS, get(webhook::list).fallback(other_method))
        .route(route::CONSOLE_WEBHOOK_NEW, get(webhook::ask_new).post(webhook::create).fallback(other_method))
        .route(route::CONSOLE_WEBHOOK, get(webhook::show).fallback(other_method))
        .route(route::CONSOLE_WEBHOOK_EDIT, get(webhook::ask).post(webhook::save).fallback(other_method))
        .route(route::CONSOLE_WEBHOOK_SECRET, get(webhook::ask_to_rotate).post(webhook::rotate).fallback(other_method))
        .route(route::CONSOLE_WEBHOOK_TEST, get(webhook::show).post(webhook::test).fallback(other_method))
        .route(route::CONSOLE_WEBHOOK_DELETE, get(webhook::ask_to_delete).post(webhook::delete).fallback(other_method))
        .route(route::CONSOLE_WEBHOOK_REPLAY, get(webhook_log::ask).post(webhook_log::replay).fallback(other_method))
        .route(route::CONSOLE_WEBHOOK_MESSAGE, get(webhook_log::show).fallback(other_method))
        .route(route::CONSOLE_WEBHOOK_MESSAGE_REPLAY, replay_one.fallback(other_method))
}

async fn other_method(State(web): State<Arc<Web>>, headers: HeaderMap) -> Response {
    method_not_allowed_page(&web, &headers)
}

/// The pages of an application; `current` is the route of the one that is shown.
fn head(partner: &Partner, app: &App, current: &str) -> Head {
    let text = partner.text();
    let pages = [
        (route::CONSOLE_APP, text.app.overview),
        (route::CONSOLE_APP_EDIT, text.app.edit),
        (route::CONSOLE_APP_LOGO, text.logo.title),
        (route::CONSOLE_APP_SECRET, text.secret.title),
        (route::CONSOLE_WEBHOOKS, text.webhook.title),
        (route::CONSOLE_APP_CALLBACK, text.callback.title),
        (route::CONSOLE_APP_USAGE, text.usage.title),
    ];
    let tab = |(route, label): (&str, &str)| Tab::new(label, partner.app_page(route, app), route == current);
    Head { title: app.name.clone(), tabs: pages.into_iter().map(tab).collect() }
}

/// The page for what is not done, where no field of a form is to blame.
fn failed(web: &Web, headers: &HeaderMap, error: &ConsoleError) -> Response {
    match error {
        ConsoleError::Store(error) | ConsoleError::User(UserError::Store(error)) => failed_page(web, headers, error),
        ConsoleError::Unknown | ConsoleError::NotPartner => super::page::failure(web, headers, StatusCode::NOT_FOUND),
        // What a form did not offer, so that no field of it can be to blame.
        ConsoleError::Partner(_)
        | ConsoleError::NotAllowed(_)
        | ConsoleError::Logo(_)
        | ConsoleError::Webhook(_)
        | ConsoleError::User(_) => super::page::failure(web, headers, StatusCode::BAD_REQUEST),
    }
}
