//! The inspector: what happens in the sandbox, live, and the means to make things happen (wire.md part E). Mounted only
//! in sandbox mode. It is a client of the control plane like any other, but for how it gets in: see [`session`].

mod events;
pub mod session;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};

use super::error::{failed_page, method_not_allowed_page, retry_after_header};
use super::forms::{field, posted, see_other};
use super::login::frame_for_visitor;
use super::page::{self, Kind};
use super::sandbox::checks::html;
use super::urls::route;
use super::{Web, cookies, extract};
use crate::domain::ids::AppId;
use crate::services::checks;
use crate::views::{Inspector, InspectorSignIn, InspectorSignInError, Problem};

pub fn routes() -> Router<Arc<Web>> {
    Router::new()
        .route(route::INSPECTOR, get(show).fallback(other_method))
        .route(route::INSPECTOR_SESSION, post(sign_in).fallback(other_method))
        .route(route::INSPECTOR_EVENTS, get(events::stream).fallback(other_method))
        .route(route::INSPECTOR_CHECKS, get(check).fallback(other_method))
}

async fn other_method(State(web): State<Arc<Web>>, headers: HeaderMap) -> Response {
    method_not_allowed_page(&web, &headers)
}

async fn show(State(web): State<Arc<Web>>, headers: HeaderMap, extensions: Extensions) -> Response {
    let_in(&web, &headers, &extensions, async || inspector(&web, &headers).await).await
}

/// The integration check of an application, as a page (wire.md E).
async fn check(
    State(web): State<Arc<Web>>,
    Path(app): Path<String>,
    headers: HeaderMap,
    extensions: Extensions,
) -> Response {
    let page = async || {
        let report = match AppId::parse(&app) {
            Ok(id) => checks::run(&web.ctx, &id).await,
            Err(_) => Ok(None),
        };
        match report {
            Ok(Some(report)) => html(&web, &headers, &report).await,
            Ok(None) => page::error(&web, &headers, None, Problem::NotFound, None),
            Err(error) => failed_page(&web, &headers, &error),
        }
    };
    let_in(&web, &headers, &extensions, page).await
}

/// A page, for whoever may see it; else the way to that.
async fn let_in(
    web: &Web,
    headers: &HeaderMap,
    extensions: &Extensions,
    page: impl AsyncFnOnce() -> Response,
) -> Response {
    if session::is_open(web, headers) {
        return page().await;
    }
    if !session::may_come_in(web, headers, extensions) {
        return sign_in_page(web, headers, None);
    }
    let mut response = page().await;
    cookies::set(response.headers_mut(), [session::open(web)]);
    response
}

async fn inspector(web: &Web, headers: &HeaderMap) -> Response {
    let frame = frame_for_visitor(web, headers).await;
    let nonce = frame.nonce.clone();
    page::render(Kind::Scripted, StatusCode::OK, &nonce, &Inspector { page: frame })
}

/// Asks for the sandbox token; at another address than the server's own it only says where that is.
fn sign_in_page(web: &Web, headers: &HeaderMap, error: Option<InspectorSignInError>) -> Response {
    let frame = page::frame(web, headers, None);
    let nonce = frame.nonce.clone();
    let view = InspectorSignIn {
        page: frame,
        action: web.urls.path(route::INSPECTOR_SESSION),
        elsewhere: (!session::is_at_home(web, headers)).then(|| web.urls.public(route::INSPECTOR)),
        error,
    };
    let status = match error {
        None => StatusCode::OK,
        Some(InspectorSignInError::WrongToken) => StatusCode::UNPROCESSABLE_ENTITY,
        Some(InspectorSignInError::TooManyAttempts { .. }) => StatusCode::TOO_MANY_REQUESTS,
    };
    page::render(Kind::Scripted, status, &nonce, &view)
}

/// Trades the sandbox token for the session's cookie.
async fn sign_in(
    State(web): State<Arc<Web>>,
    headers: HeaderMap,
    extensions: Extensions,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    if !session::is_from_here(&web, &headers) {
        return page::error(&web, &headers, None, Problem::FormOutdated, None);
    }
    let form = match posted(&web, &headers, body) {
        Ok(form) => form,
        Err(answer) => return *answer,
    };
    if let Err(too_many) = web.ctx.throttle.login(extract::peer(&extensions), route::INSPECTOR) {
        let retry_after_seconds = too_many.retry_after.as_secs().max(1);
        let error = InspectorSignInError::TooManyAttempts { retry_after_seconds };
        return retry_after_header(sign_in_page(&web, &headers, Some(error)), too_many.retry_after);
    }
    if !session::is_token(&web, field(&form, "token").trim()) {
        return sign_in_page(&web, &headers, Some(InspectorSignInError::WrongToken));
    }
    let mut response = see_other(&web.urls.path(route::INSPECTOR));
    cookies::set(response.headers_mut(), [session::open(&web)]);
    response
}
