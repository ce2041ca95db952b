//! What is connected, and the way to end it.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{Extensions, HeaderMap, StatusCode, Uri};
use axum::response::Response;

use super::super::error::{failed_page, refused};
use super::super::extract::Pairs;
use super::super::forms::{field, see_other};
use super::super::urls::route;
use super::super::{Web, page, visitor};
use super::{Sheet, shown};
use crate::domain::app::App;
use crate::domain::connection::Connection;
use crate::domain::ids::ConnectionId;
use crate::services::account::{self, Overview};
use crate::services::disconnect::{self, DisconnectError};
use crate::services::login::SignedIn;
use crate::store::StoreError;
use crate::views::{Account, ConnectedApp, Lang, Permission, Problem};

pub async fn show(State(web): State<Arc<Web>>, uri: Uri, headers: HeaderMap) -> Response {
    let signed_in = match visitor::require(&web, &headers, &uri).await {
        Ok(signed_in) => signed_in,
        Err(answer) => return *answer,
    };
    let query = Pairs::of_query(uri.query());
    let ended = field(&query, "ended").parse().ok().map(ConnectionId);
    let (overview, ended) = match look(&web, &signed_in, ended).await {
        Ok(found) => found,
        Err(error) => return failed_page(&web, &headers, &error),
    };
    let sheet = match Sheet::of(&web, &headers, &signed_in, route::ACCOUNT).await {
        Ok(sheet) => sheet,
        Err(answer) => return *answer,
    };
    let said = ended.map(|app| sheet.text().disconnected.with(&app.name));
    let Sheet { page, head, .. } = sheet.noting(said);
    let (nonce, lang) = (page.nonce.clone(), page.lang);
    let connections = overview.connections.into_iter().map(|(c, app)| connected(&web, lang, &c, app)).collect();
    shown(StatusCode::OK, &nonce, &Account { page, head, connections })
}

/// What is connected, and the application of the connection that was just ended.
async fn look(
    web: &Web,
    signed_in: &SignedIn,
    ended: Option<ConnectionId>,
) -> Result<(Overview, Option<App>), StoreError> {
    let overview = account::overview(&web.ctx, signed_in).await?;
    let ended = match ended {
        Some(id) => account::ended_app(&web.ctx, signed_in, id).await?,
        None => None,
    };
    Ok((overview, ended))
}

fn connected(web: &Web, lang: Lang, connection: &Connection, app: App) -> ConnectedApp {
    ConnectedApp {
        app_logo: web.urls.logo(&app),
        app_name: app.name,
        publisher: Some(app.publisher).filter(|name| !name.is_empty()),
        permissions: Permission::list(lang, connection.scopes.iter().map(|scope| scope.as_str())),
        connected_at: connection.created_at.to_rfc3339(),
        last_used_at: connection.last_used_at.map(|at| at.to_rfc3339()),
        disconnect_action: web.urls.account_disconnect(connection.id),
    }
}

pub async fn disconnect(
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
