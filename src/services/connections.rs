//! What an operator does with users' consents, without a browser: makes, shows and ends them.

use super::audit::Acting;
use super::consent::{self, Through};
use super::endings::Ending;
use super::{Context, disconnect, partner, users};
use crate::crypto::refresh_token;
use crate::domain::app::App;
use crate::domain::connection::{Connection, ConnectionState, EndedBy};
use crate::domain::email::Email;
use crate::domain::event::{Action, Change, Target};
use crate::domain::ids::{AppId, ConnectionId, UserId};
use crate::domain::magic::Magic;
use crate::domain::scope::ScopeSet;
use crate::domain::timestamp::Timestamp;
use crate::domain::usage::UsageKind;
use crate::domain::user::User;
use crate::store::{StoreError, connections, events};
use crate::telemetry::DISCONNECTS;

#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    #[error("there is no user with this e-mail address")]
    UnknownUser,
    #[error("the user or the application is disabled")]
    UserDisabled,
    #[error("this user of the demonstration denies every request")]
    UserDenies,
    #[error("there is no application with this id")]
    UnknownApp,
    #[error("the application has `{registered}`: a user cannot consent to more")]
    WiderScope { registered: ScopeSet },
    #[error("a consent to no scope is none")]
    NoScope,
    #[error("there is no connection with this id")]
    Unknown,
    #[error("the connection was ended by the {by}, at {at}", by = by.as_str(), at = at.to_rfc3339())]
    Ended { at: Timestamp, by: EndedBy },
    #[error("the connection's time was over at {at}", at = at.to_rfc3339())]
    Expired { at: Timestamp },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A consent to be given.
#[derive(Debug, Clone)]
pub struct Consent {
    pub user: User,
    pub app: App,
    pub scopes: ScopeSet,
}

/// Checks who consents, and to what. Without scopes it is what a button without any asks for.
pub async fn check(
    ctx: &Context,
    user: &Email,
    app: &AppId,
    scopes: Option<ScopeSet>,
) -> Result<Consent, ConnectionError> {
    let user = users::find(ctx, user).await.map_err(|error| match error {
        users::UserError::Store(error) => ConnectionError::Store(error),
        _ => ConnectionError::UnknownUser,
    })?;
    if !user.is_active() {
        return Err(ConnectionError::UserDisabled);
    }
    if user.magic == Some(Magic::Deny) {
        return Err(ConnectionError::UserDenies);
    }
    let app = partner::find_app(ctx, app).await.map_err(|error| match error {
        partner::PartnerError::Store(error) => ConnectionError::Store(error),
        _ => ConnectionError::UnknownApp,
    })?;
    let scopes = scopes.unwrap_or_else(|| app.scopes.api_only());
    if scopes.is_empty() {
        return Err(ConnectionError::NoScope);
    }
    if !app.permits(&scopes) {
        return Err(ConnectionError::WiderScope { registered: app.scopes });
    }
    Ok(Consent { user, app, scopes })
}

/// A connection with the refresh token of LeadExec's class that stands for it.
pub struct Connected {
    pub connection: Connection,
    pub refresh_token: String,
    /// Whether there was none before.
    pub is_new: bool,
}

/// Connects a user as "Allow" at a button does: a connection that is there already is widened.
pub async fn connect(ctx: &Context, consent: &Consent) -> Result<Connected, ConnectionError> {
    let now = ctx.now_for(&consent.app.id);
    let proposal = consent::proposal(ctx, &consent.user, &consent.app, consent.scopes.clone(), Through::Button, now);
    let proposed = proposal.connection.id;
    let connected = ctx.store.write(move |conn| {
        let proposal = proposal.clone();
        Box::pin(async move {
            let Some(id) = consent::connect(conn, &proposal).await? else { return Ok(None) };
            connections::find(conn, id).await
        })
    });
    let connection = connected.await?.ok_or(ConnectionError::UserDisabled)?;
    ctx.told();
    if connection.id == proposed {
        ctx.count(&connection.app, UsageKind::Connections);
    }
    Ok(Connected {
        refresh_token: refresh_token::derive(&ctx.keys.ring(), connection.id),
        is_new: connection.id == proposed,
        connection,
    })
}

/// Which connections are looked for.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub app: Option<AppId>,
    pub user: Option<UserId>,
    pub after: Option<ConnectionId>,
}

/// The oldest `limit` that have not ended, with their users' e-mail addresses.
pub async fn list(ctx: &Context, filter: Filter, limit: i64) -> Result<Vec<(Connection, String)>, StoreError> {
    // So that "last used" is what it is now, not what it was at the last flush.
    ctx.store.flush_notes().await?;
    ctx.store
        .read(move |conn| {
            let Filter { app, user, after } = filter.clone();
            Box::pin(async move {
                let found = connections::list(conn, app.as_ref(), user, after, limit).await?;
                let ids: Vec<ConnectionId> = found.iter().map(|connection| connection.id).collect();
                let emails = connections::emails(conn, &ids).await?;
                // A user that was deleted in this moment took the connection along.
                let email = |id| emails.iter().find(|(of, _)| *of == id).map(|(_, email)| email.clone());
                Ok(found.into_iter().filter_map(|one| Some((email(one.id)?, one))).map(|(e, one)| (one, e)).collect())
            })
        })
        .await
}

/// A living connection with its user's e-mail address.
pub async fn find(ctx: &Context, id: ConnectionId) -> Result<(Connection, String), ConnectionError> {
    ctx.store.flush_notes().await?;
    let found = ctx.store.read(move |conn| {
        Box::pin(async move {
            let Some(connection) = connections::find(conn, id).await? else { return Ok(None) };
            Ok(connections::emails(conn, &[id]).await?.pop().map(|(_, email)| (connection, email)))
        })
    });
    let (connection, email) = found.await?.ok_or(ConnectionError::Unknown)?;
    match connection.state {
        ConnectionState::Ended { at, by } => Err(ConnectionError::Ended { at, by }),
        ConnectionState::Expiring { at } if !connection.is_live(ctx.now_for(&connection.app)) => {
            Err(ConnectionError::Expired { at })
        }
        ConnectionState::Active | ConnectionState::Expiring { .. } => Ok((connection, email)),
    }
}

/// Ends a connection, and with it whatever was issued from it.
pub async fn end(ctx: &Acting<'_>, id: ConnectionId) -> Result<(), ConnectionError> {
    let (connection, email) = find(ctx, id).await?;
    let now = ctx.now_for(&connection.app);
    let mut event = ctx.event(Action::ConnectionEnded, Target::connection(id, ""));
    event.changes = vec![Change::new("user", email)];
    let ending = Ending { by: EndedBy::Operator, draft: ctx.draft() };
    let ended = ctx.store.write(move |conn| {
        let mut event = event.clone();
        Box::pin(async move {
            // Somebody else may have ended it in this moment: it is over either way.
            let ended = ending.one(conn, id, now).await?;
            if let Some(app) = &ended {
                event.target.name = disconnect::name_of(conn, app).await?;
                events::record(conn, &event).await?;
            }
            Ok(ended.is_some())
        })
    });
    if ended.await? {
        DISCONNECTS.add(["operator"]);
    }
    ctx.told();
    Ok(())
}
