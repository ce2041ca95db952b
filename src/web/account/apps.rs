//! What is connected, and the way to end it.

use axum::extract::Path;
use axum::http::StatusCode;

use super::super::Web;
use super::super::error::refused;
use super::super::forms::see_other;
use super::super::urls::route;
use super::super::visitor::{Answer, Posted, Visit};
use super::{Sheet, shown};
use crate::domain::app::App;
use crate::domain::connection::Connection;
use crate::domain::ids::ConnectionId;
use crate::services::account::{self, Overview};
use crate::services::disconnect::{self, DisconnectError};
use crate::store::StoreError;
use crate::views::{Account, ConnectedApp, Lang, Permission};

pub async fn show(visit: Visit) -> Answer {
    let ended = visit.asked("ended").parse().ok().map(ConnectionId);
    let (overview, ended) = look(&visit, ended).await.map_err(|error| visit.failed(&error))?;
    let sheet = Sheet::of(&visit, route::ACCOUNT).await?;
    let said = ended.map(|app| sheet.text().disconnected.with(&app.name));
    let Sheet { page, head, .. } = sheet.noting(said);
    let (nonce, lang) = (page.nonce.clone(), page.lang);
    let connections = overview.connections.into_iter().map(|(c, app)| connected(&visit.web, lang, &c, app)).collect();
    Ok(shown(StatusCode::OK, &nonce, &Account { page, head, connections }))
}

/// What is connected, and the application of the connection that was just ended.
async fn look(visit: &Visit, ended: Option<ConnectionId>) -> Result<(Overview, Option<App>), StoreError> {
    let (ctx, signed_in) = (&visit.web.ctx, &visit.signed_in);
    let overview = account::overview(ctx, signed_in).await?;
    let ended = match ended {
        Some(id) => account::ended_app(ctx, signed_in, id).await?,
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

pub async fn disconnect(Path(connection): Path<String>, Posted { visit, .. }: Posted) -> Answer {
    let id = connection.parse().map(ConnectionId).map_err(|_| visit.nothing_here())?;
    let after = see_other(&visit.web.urls.account_after(id));
    match disconnect::by_user(&visit.acting(), visit.signed_in.user.id, id).await {
        Ok(_) => Ok(after),
        Err(DisconnectError::Refused(why)) if why.is_over() => Ok(after),
        Err(DisconnectError::Refused(why) | DisconnectError::TooMany(why, _)) => {
            // Another user's looks like one that does not exist.
            refused("account/disconnect", &why, None);
            Err(visit.nothing_here())
        }
        Err(DisconnectError::Store(error)) => Err(visit.failed(&error)),
    }
}
