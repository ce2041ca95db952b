//! What a signed-in user sees on the account page (wire.md A5).

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
    ctx.store.flush_last_used().await?;
    let (user, account, now) = (signed_in.user.id, signed_in.user.account.clone(), ctx.now());
    ctx.store
        .read(move |conn| {
            let account = account.clone();
            Box::pin(async move {
                let account = accounts::find(conn, &account).await?;
                let mut connected = Vec::new();
                for connection in connections::list_live(conn, user, now, SHOWN).await? {
                    if let Some(app) = apps::find(conn, &connection.app).await? {
                        connected.push((connection, app));
                    }
                }
                Ok(Overview { account, connections: connected })
            })
        })
        .await
}

/// The application of a connection that this user has ended; `None` for any other.
pub async fn ended_app(ctx: &Context, signed_in: &SignedIn, id: ConnectionId) -> Result<Option<App>, StoreError> {
    let (user, now) = (signed_in.user.id, ctx.now());
    ctx.store
        .read(move |conn| {
            Box::pin(async move {
                match connections::find(conn, id).await? {
                    Some(ended) if ended.user == user && !ended.is_live(now) => apps::find(conn, &ended.app).await,
                    _ => Ok(None),
                }
            })
        })
        .await
}
