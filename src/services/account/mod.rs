//! What a signed-in user sees on the account page (wire.md A5).

pub mod export;
pub mod history;
pub mod password;
pub mod profile;
pub mod sessions;

use super::Context;
use super::login::SignedIn;
use crate::domain::account::Account;
use crate::domain::app::App;
use crate::domain::connection::Connection;
use crate::domain::ids::ConnectionId;
use crate::store::{StoreError, accounts, apps, connections};

/// Connections shown at most, newest first.
const SHOWN: i64 = 200;

/// A user's account and living connections, each with its application.
pub struct Overview {
    pub account: Option<Account>,
    pub connections: Vec<(Connection, App)>,
}

pub async fn overview(ctx: &Context, signed_in: &SignedIn) -> Result<Overview, StoreError> {
    // So that "last used" is what it is now, not what it was at the last flush.
    ctx.store.flush_notes().await?;
    let (user, account) = (signed_in.user.id, signed_in.user.account.clone());
    let mut overview: Overview = ctx
        .store
        .read(move |conn| {
            let account = account.clone();
            Box::pin(async move {
                let account = accounts::find(conn, &account).await?;
                let mut connected = Vec::new();
                for connection in connections::list_unended(conn, user, SHOWN).await? {
                    if let Some(app) = apps::find(conn, &connection.app).await? {
                        connected.push((connection, app));
                    }
                }
                Ok(Overview { account, connections: connected })
            })
        })
        .await?;
    // Each by its application's clock.
    overview.connections.retain(|(connection, app)| connection.is_live(ctx.now_for(&app.id)));
    Ok(overview)
}

/// The application of a connection that this user has ended; `None` for any other.
pub async fn ended_app(ctx: &Context, signed_in: &SignedIn, id: ConnectionId) -> Result<Option<App>, StoreError> {
    let user = signed_in.user.id;
    let found = ctx
        .store
        .read(move |conn| {
            Box::pin(async move {
                let Some(connection) = connections::find(conn, id).await? else { return Ok(None) };
                let app = apps::find(conn, &connection.app).await?;
                Ok(app.map(|app| (connection, app)))
            })
        })
        .await?;
    let is_ended =
        |(connection, app): &(Connection, App)| connection.user == user && !connection.is_live(ctx.now_for(&app.id));
    Ok(found.filter(is_ended).map(|(_, app)| app))
}
