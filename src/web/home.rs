//! The start page: in a sandbox a page to try everything on, else a word about what this is.

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{MethodRouter, get};

use super::Web;
use super::error::{failed_page, method_not_allowed_page};
use super::extract::Pairs;
use super::forms::field;
use super::login::{frame_for_visitor, offered};
use super::page::{self, Kind};
use super::urls::route;
use crate::domain::app::App;
use crate::domain::button::Button;
use crate::domain::ids::ButtonId;
use crate::domain::user::User;
use crate::services::{login, partner};
use crate::store::StoreError;
use crate::views::{Demo, DemoUser, Home, Lang, TryIt};

pub fn routes() -> Router<Arc<Web>> {
    Router::new().route(route::HOME, home_page())
}

/// The page alone, for another address of it.
pub fn home_page() -> MethodRouter<Arc<Web>> {
    get(home).fallback(other_method)
}

async fn other_method(State(web): State<Arc<Web>>, headers: HeaderMap) -> Response {
    method_not_allowed_page(&web, &headers)
}

async fn home(State(web): State<Arc<Web>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let frame = frame_for_visitor(&web, &headers).await;
    let (nonce, lang) = (frame.nonce.clone(), frame.lang);
    if !web.ctx.sandbox {
        return page::render(Kind::Plain, StatusCode::OK, &nonce, &Home { page: frame });
    }
    let query = Pairs::of_query(query.as_deref());
    match demo(&web, lang, field(&query, "button")).await {
        Ok(demo) => {
            let view = TryIt { page: frame, issuer: web.ctx.issuer.clone(), demo };
            page::render(Kind::Partner, StatusCode::OK, &nonce, &view)
        }
        Err(error) => failed_page(&web, &headers, &error),
    }
}

/// A button that works on this very page: the one that is asked for, else the oldest.
async fn demo(web: &Web, lang: Lang, asked: &str) -> Result<Option<Demo>, StoreError> {
    let asked = ButtonId::parse(asked).ok();
    let found = partner::find_button_of_origin(&web.ctx, &web.origin, asked.as_ref()).await?;
    let Some((button, app)) = found else { return Ok(None) };
    let users = login::offered_users(&web.ctx).await?;
    Ok(Some(describe(web, lang, button, app, &users)))
}

fn describe(web: &Web, lang: Lang, button: Button, app: App, users: &[User]) -> Demo {
    let users = offered(users, lang)
        .into_iter()
        .map(|user| DemoUser {
            password: web.demonstration.password_of(&user.email),
            name: user.name,
            email: user.email,
            note: user.note,
        })
        .collect();
    Demo {
        app_name: app.name,
        app_id: app.id.into(),
        button_id: button.id.into(),
        theme: button.theme,
        size: button.size,
        origins: button.origins.iter().map(ToString::to_string).collect(),
        users,
    }
}
