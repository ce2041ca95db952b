//! The start page: in a sandbox a page to try everything on, else a word about what this is.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{MethodRouter, get};

use super::Web;
use super::error::{failed_page, method_not_allowed_page};
use super::login::{frame_for_visitor, offered};
use super::page::{self, Kind};
use super::urls::route;
use crate::domain::app::App;
use crate::domain::button::Button;
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

async fn home(State(web): State<Arc<Web>>, headers: HeaderMap) -> Response {
    let frame = frame_for_visitor(&web, &headers).await;
    let (nonce, lang) = (frame.nonce.clone(), frame.lang);
    if !web.ctx.sandbox {
        return page::render(Kind::Plain, StatusCode::OK, &nonce, &Home { page: frame });
    }
    match demo(&web, lang).await {
        Ok(demo) => {
            let view = TryIt { page: frame, issuer: web.ctx.issuer.clone(), demo };
            page::render(Kind::Partner, StatusCode::OK, &nonce, &view)
        }
        Err(error) => failed_page(&web, &headers, &error),
    }
}

/// A button that works on this very page.
async fn demo(web: &Web, lang: Lang) -> Result<Option<Demo>, StoreError> {
    let Some((button, app)) = partner::find_button_of_origin(&web.ctx, &web.origin).await? else { return Ok(None) };
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
        origins: button.origins.iter().map(ToString::to_string).collect(),
        users,
    }
}
