//! What an administrator sees: the server in figures, and what hangs on one user or one application.

use super::Context;
use super::audit::Acting;
use super::keys::{self, ListedKey};
use crate::domain::app::App;
use crate::domain::connection::Connection;
use crate::domain::email::Email;
use crate::domain::event::{Action, Change, Target};
use crate::domain::ids::{AppId, ConnectionId, EventId, first_id_at};
use crate::domain::key_life::KeyState;
use crate::domain::session::Session;
use crate::domain::usage::Day;
use crate::domain::user::User;
use crate::store::{Conn, StoreError, accounts, apps, connections, events, sessions, users};

/// Entries of each kind that are shown of one user.
const SHOWN: i64 = 50;

/// The server in figures.
#[derive(Debug, Clone, Copy, Default)]
pub struct Figures {
    pub accounts: i64,
    pub users: i64,
    pub apps: i64,
    pub disabled_apps: i64,
    /// That nobody has ended.
    pub connections: i64,
    /// Since midnight, UTC.
    pub events_today: i64,
}

pub async fn figures(ctx: &Context) -> Result<Figures, StoreError> {
    // Events are in the order of their ids, which are made by the machine's clock.
    let today = EventId(first_id_at(Day::of(ctx.real_now()).start()));
    let counted = ctx.store.read(move |conn| {
        Box::pin(async move {
            let (apps, disabled_apps) = apps::count(conn).await?;
            Ok(Figures {
                accounts: accounts::count(conn).await?,
                users: users::count(conn).await?,
                apps,
                disabled_apps,
                connections: connections::count(conn).await?,
                events_today: events::count_since(conn, today).await?,
            })
        })
    });
    counted.await
}

/// Keys that are about to take over.
pub fn announced_keys(ctx: &Context) -> Vec<ListedKey> {
    keys::list(ctx).into_iter().filter(|key| key.state == KeyState::Announced).collect()
}

/// What hangs on a user, newest first.
pub struct UserOverview {
    pub sessions: Vec<Session>,
    pub connections: Vec<(Connection, App)>,
}

pub async fn user(ctx: &Context, user: &User) -> Result<UserOverview, StoreError> {
    ctx.store.flush_notes().await?;
    let (id, now) = (user.id, ctx.now());
    let found = ctx.store.read(move |conn| {
        Box::pin(async move {
            let mut connected = Vec::new();
            for connection in connections::list_unended(conn, id, SHOWN).await? {
                if let Some(app) = apps::find(conn, &connection.app).await? {
                    connected.push((connection, app));
                }
            }
            Ok(UserOverview {
                sessions: sessions::list_live(conn, id, now, None, SHOWN).await?,
                connections: connected,
            })
        })
    });
    found.await
}

/// Signs a user out everywhere; connections stay.
pub async fn end_sessions(ctx: &Acting<'_>, user: &User) -> Result<u64, StoreError> {
    let (id, now) = (user.id, ctx.now());
    let event = ctx.event(Action::SessionsEnded, Target::user(user.id, &user.email));
    let ended = ctx.store.write(move |conn| {
        let mut event = event.clone();
        Box::pin(async move {
            let ended = sessions::end_all_of_user(conn, id, now).await?;
            event.changes = vec![Change::new("sessions", ended)];
            events::record(conn, &event).await?;
            Ok(ended)
        })
    });
    ended.await
}

/// Which connections are looked for; an empty text asks for any.
#[derive(Debug, Clone, Default)]
pub struct ConnectionSearch {
    /// The user's e-mail address, whole.
    pub user: String,
    /// The application's id, whole.
    pub app: String,
    /// Older ones than this.
    pub before: Option<ConnectionId>,
}

/// A connection, and whose it is.
pub struct FoundConnection {
    pub connection: Connection,
    pub email: String,
    pub app_name: String,
}

/// The newest `limit` that nobody has ended.
pub async fn connections(
    ctx: &Context,
    search: ConnectionSearch,
    limit: i64,
) -> Result<Vec<FoundConnection>, StoreError> {
    ctx.store.flush_notes().await?;
    let found = ctx.store.read(move |conn| {
        let ConnectionSearch { user, app, before } = search.clone();
        Box::pin(async move {
            let email = Email::parse(&user).map_or(user, |email| email.as_str().to_owned());
            let found = connections::search(conn, &email, &app, before, limit).await?;
            let mut named = Vec::with_capacity(found.len());
            for connection in found {
                named.extend(named_of(conn, connection).await?);
            }
            Ok(named)
        })
    });
    found.await
}

/// `None` where user or application were deleted in this moment, and took the connection along.
async fn named_of(conn: &mut Conn, connection: Connection) -> Result<Option<FoundConnection>, StoreError> {
    let (Some(user), Some(app)) = (users::find(conn, connection.user).await?, apps::find(conn, &connection.app).await?)
    else {
        return Ok(None);
    };
    Ok(Some(FoundConnection { connection, email: user.email.to_string(), app_name: app.name }))
}

/// How many connections of an application nobody has ended.
pub async fn connections_of(ctx: &Context, app: &AppId) -> Result<i64, StoreError> {
    let app = app.clone();
    let counted = ctx.store.read(move |conn| {
        let app = app.clone();
        Box::pin(async move { connections::count_of_app(conn, &app).await })
    });
    counted.await
}
