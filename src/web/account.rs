//! The account page (wire.md A5): what is connected, and the way to end it.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{Extensions, HeaderMap, StatusCode, Uri};
use axum::response::Response;
use axum::routing::{get, post};

use super::error::{failed_page, method_not_allowed_page, refused};
use super::extract::Pairs;
use super::forms::{field, see_other};
use super::page::{self, Kind};
use super::urls::route;
use super::{Web, cookies, visitor};
use crate::domain::app::App;
use crate::domain::connection::Connection;
use crate::domain::ids::ConnectionId;
use crate::services::account::{self, Overview};
use crate::services::csrf;
use crate::services::disconnect::{self, DisconnectError};
use crate::services::login::{self, SignedIn};
use crate::views::{Account, AccountNotice, ConnectedApp, Lang, Permission, Problem};

pub fn routes() -> Router<Arc<Web>> {
    Router::new()
        .route(route::ACCOUNT, get(show).fallback(other_method))
        .route(route::ACCOUNT_LOGIN, post(visitor::sign_in).fallback(other_method))
        .route(route::ACCOUNT_DISCONNECT, post(end_connection).fallback(other_method))
        .route(route::LOGOUT, post(sign_out).fallback(other_method))
}

async fn other_method(State(web): State<Arc<Web>>, headers: HeaderMap) -> Response {
    method_not_allowed_page(&web, &headers)
}

async fn show(State(web): State<Arc<Web>>, uri: Uri, headers: HeaderMap) -> Response {
    let signed_in = match visitor::require(&web, &headers, &uri).await {
        Ok(signed_in) => signed_in,
        Err(answer) => return *answer,
    };
    let query = Pairs::of_query(uri.query());
    let ended = field(&query, "ended").parse().ok().map(ConnectionId);
    let overview = account::overview(&web.ctx, &signed_in).await;
    let ended = match ended {
        Some(id) => account::ended_app(&web.ctx, &signed_in, id).await,
        None => Ok(None),
    };
    match (overview, ended) {
        (Ok(overview), Ok(ended)) => account_page(&web, &headers, &signed_in, overview, ended),
        (Err(error), _) | (_, Err(error)) => failed_page(&web, &headers, &error),
    }
}

fn account_page(
    web: &Web,
    headers: &HeaderMap,
    signed_in: &SignedIn,
    overview: Overview,
    ended: Option<App>,
) -> Response {
    let frame = page::frame(web, headers, None).for_role(signed_in.user.role);
    let (nonce, lang) = (frame.nonce.clone(), frame.lang);
    let view = Account {
        page: frame,
        csrf: csrf::token(&web.ctx, &signed_in.handle),
        user_name: signed_in.user.name.clone(),
        user_email: signed_in.user.email.to_string(),
        account_name: overview.account.map(|account| account.name).unwrap_or_default(),
        logout_action: web.urls.path(route::LOGOUT),
        notice: ended.map(|app| AccountNotice::Disconnected { app_name: app.name }),
        connections: overview.connections.into_iter().map(|(c, app)| connected(web, lang, &c, app)).collect(),
    };
    page::render(Kind::Plain, StatusCode::OK, &nonce, &view)
}

fn connected(web: &Web, lang: Lang, connection: &Connection, app: App) -> ConnectedApp {
    ConnectedApp {
        app_name: app.name,
        publisher: Some(app.publisher).filter(|name| !name.is_empty()),
        permissions: Permission::list(lang, connection.scopes.iter().map(|scope| scope.as_str())),
        connected_at: connection.created_at.to_rfc3339(),
        last_used_at: connection.last_used_at.map(|at| at.to_rfc3339()),
        disconnect_action: web.urls.account_disconnect(connection.id),
    }
}

async fn end_connection(
    State(web): State<Arc<Web>>,
    Path(connection): Path<String>,
    headers: HeaderMap,
    extensions: Extensions,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let signed_in = match visitor::posted(&web, &headers, body).await {
        Ok((signed_in, _)) => signed_in,
        Err(answer) => return *answer,
    };
    let Ok(id) = connection.parse().map(ConnectionId) else {
        return page::error(&web, &headers, None, Problem::NotFound, None);
    };
    let acting = visitor::acting(&web, &signed_in, &extensions);
    match disconnect::by_user(&acting, signed_in.user.id, id).await {
        Ok(_) => see_other(&web.urls.account_after(id)),
        Err(DisconnectError::Refused(why)) if why.is_over() => see_other(&web.urls.account_after(id)),
        Err(DisconnectError::Refused(why) | DisconnectError::TooMany(why, _)) => {
            // Another user's looks like one that does not exist.
            refused("account/disconnect", &why, None);
            page::error(&web, &headers, None, Problem::NotFound, None)
        }
        Err(DisconnectError::Store(error)) => failed_page(&web, &headers, &error),
    }
}

/// Ends the session and every resume handle of it.
async fn sign_out(
    State(web): State<Arc<Web>>,
    headers: HeaderMap,
    extensions: Extensions,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let signed_in = match visitor::posted(&web, &headers, body).await {
        Ok((signed_in, _)) => signed_in,
        Err(answer) => return *answer,
    };
    let acting = visitor::acting(&web, &signed_in, &extensions);
    if let Err(error) = login::end_session(&acting, &signed_in.user, signed_in.session.id).await {
        return failed_page(&web, &headers, &error);
    }
    let mut response = see_other(&web.urls.path(route::ACCOUNT));
    cookies::set(response.headers_mut(), cookies::signed_out(&web));
    response
}
