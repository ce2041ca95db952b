//! The account pages (wire.md A5): one file for each tab.

mod apps;
mod data;
mod history;
mod password;
mod profile;
mod sessions;
mod user_agent;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};

use super::Web;
use super::error::method_not_allowed_page;
use super::page::{self, Kind};
use super::urls::route;
use super::visitor::{self, Stop, Visit};
use crate::services::account::profile::{Belonging, belonging};
use crate::services::csrf;
use crate::views::messages::AccountTexts;
use crate::views::{AccountHead, Notice, Page, Pager, Tab};

pub use password::problem_text as password_problem;

/// Entries of one page of a list.
const PAGE: usize = 50;
/// How many are read: one more tells whether there is another page.
const READ: i64 = PAGE as i64 + 1;

pub fn routes() -> Router<Arc<Web>> {
    Router::new()
        .route(route::ACCOUNT, get(apps::show).fallback(other_method))
        .route(route::ACCOUNT_LOGIN, post(visitor::sign_in).fallback(other_method))
        .route(route::ACCOUNT_DISCONNECT, post(apps::disconnect).fallback(other_method))
        .route(route::ACCOUNT_PROFILE, get(profile::show).post(profile::save).fallback(other_method))
        .route(route::ACCOUNT_PASSWORD, get(password::show).post(password::change).fallback(other_method))
        .route(route::ACCOUNT_SESSIONS, get(sessions::show).fallback(other_method))
        .route(route::ACCOUNT_SESSIONS_END, post(sessions::end_others).fallback(other_method))
        .route(route::ACCOUNT_SESSION_END, post(sessions::end).fallback(other_method))
        .route(route::ACCOUNT_HISTORY, get(history::show).fallback(other_method))
        .route(route::ACCOUNT_DATA, get(data::show).fallback(other_method))
        .route(route::ACCOUNT_EXPORT, get(data::export).fallback(other_method))
        .route(route::LOGOUT, post(sessions::sign_out).fallback(other_method))
}

async fn other_method(State(web): State<Arc<Web>>, headers: HeaderMap) -> Response {
    method_not_allowed_page(&web, &headers)
}

/// A page of the account, before its tab is filled.
struct Sheet {
    page: Page,
    head: AccountHead,
    belonging: Belonging,
}

impl Sheet {
    /// `tab` is the route of the page that is shown.
    async fn of(visit: &Visit, tab: &str) -> Result<Self, Stop> {
        let (web, signed_in) = (&visit.web, &visit.signed_in);
        let belonging = belonging(&web.ctx, &signed_in.user).await.map_err(|error| visit.failed(&error))?;
        let page = page::frame(web, &visit.headers, None).for_role(signed_in.user.role);
        let text = &page.text().account;
        let tabs = [
            (text.title, route::ACCOUNT),
            (text.profile.title, route::ACCOUNT_PROFILE),
            (text.password.title, route::ACCOUNT_PASSWORD),
            (text.sessions.title, route::ACCOUNT_SESSIONS),
            (text.history.title, route::ACCOUNT_HISTORY),
            (text.data.title, route::ACCOUNT_DATA),
        ];
        let head = AccountHead {
            csrf: csrf::token(&web.ctx, &signed_in.handle),
            user_name: signed_in.user.name.clone(),
            user_email: signed_in.user.email.to_string(),
            account_name: belonging.account.name.clone(),
            logout_action: web.urls.path(route::LOGOUT),
            tabs: tabs.map(|(label, route)| Tab::new(label, web.urls.path(route), route == tab)).to_vec(),
            notice: None,
        };
        Ok(Self { page, head, belonging })
    }

    /// The same with word of what was done.
    fn noting(mut self, said: Option<String>) -> Self {
        self.head.notice = said.map(Notice::good);
        self
    }

    fn text(&self) -> &'static AccountTexts {
        &self.page.text().account
    }
}

/// A page out of what was read of the list at `here`, and the way to the others.
fn page_of<T>(mut read: Vec<T>, here: &str, is_later: bool, id: impl Fn(&T) -> String) -> (Vec<T>, Pager) {
    let has_more = read.len() > PAGE;
    read.truncate(PAGE);
    let older = read.last().filter(|_| has_more).map(|last| format!("{here}?after={}", id(last)));
    (read, Pager { newest: is_later.then(|| here.to_owned()), older })
}

/// Shows a page that was filled. `nonce` is its own.
fn shown(status: StatusCode, nonce: &str, view: &impl Template) -> Response {
    page::render(Kind::Plain, status, nonce, view)
}

/// 422 where a form is shown again.
fn status_of(is_refused: bool) -> StatusCode {
    if is_refused { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }
}
