//! Ending a connection, and with it its refresh token, every access token and automatic sign-in
//! (wire.md A3, A5). The user's other applications are untouched.

use std::net::IpAddr;

use super::audit::{Acting, By};
use super::endings::Ending;
use super::journal::note;
use super::throttle::TooMany;
use super::{Context, clocks};
use crate::crypto::refresh_token::{self, RefreshTokenError};
use crate::domain::connection::{Connection, ConnectionState, EndedBy};
use crate::domain::event::{Action, Actor, Target};
use crate::domain::ids::{AppId, ConnectionId, UserId};
use crate::domain::timestamp::Timestamp;
use crate::store::connections::EndByClient;
use crate::store::{Conn, StoreError, apps, connections, events};
use crate::telemetry::DISCONNECTS;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DisconnectRefusal {
    #[error(transparent)]
    Token(#[from] RefreshTokenError),
    /// What jQuery sends when the published sample is wired to a click as shown: the click's event.
    #[error("the path holds `[object Object]`: the function was called with an event instead of the refresh token")]
    ObjectObject,
    #[error("the connection was ended by {}", by.described())]
    Ended { at: Timestamp, by: EndedBy },
    #[error("the connection expired")]
    Expired { at: Timestamp },
    #[error("there is no such connection, or it is gone with its user or application")]
    Unknown,
    #[error("the connection is another user's")]
    OtherUser,
}

impl DisconnectRefusal {
    /// Why a connection could not be ended.
    fn of(connection: &Connection, now: Timestamp) -> Self {
        match connection.state {
            ConnectionState::Ended { at, by } => Self::Ended { at, by },
            ConnectionState::Expiring { at } => Self::Expired { at },
            // Somebody was faster, between the two looks.
            ConnectionState::Active => Self::Ended { at: now, by: EndedBy::Partner },
        }
    }

    /// Whether there was nothing left to do.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Ended { .. } | Self::Expired { .. })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum DisconnectError {
    #[error(transparent)]
    Refused(#[from] DisconnectRefusal),
    #[error("{0}, and {1}")]
    TooMany(DisconnectRefusal, TooMany),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The partner's own way, with nothing but the refresh token. `from` is the address of the caller, whose
/// refusals are counted.
pub async fn by_token(ctx: &Context, token: &str, from: Option<IpAddr>) -> Result<ConnectionId, DisconnectError> {
    match try_by_token(ctx, token, from).await {
        Err(DisconnectError::Refused(why)) => Err(match ctx.throttle.refusal(from, "") {
            Ok(()) => DisconnectError::Refused(why),
            Err(too_many) => DisconnectError::TooMany(why, too_many),
        }),
        settled => settled,
    }
}

async fn try_by_token(ctx: &Context, token: &str, from: Option<IpAddr>) -> Result<ConnectionId, DisconnectError> {
    if token == "[object Object]" {
        return Err(DisconnectRefusal::ObjectObject.into());
    }
    let id = refresh_token::verify(&ctx.keys.ring(), token).map_err(DisconnectRefusal::from)?;
    let now = clocks::of_connection(ctx, id).await?;
    let event = ctx.event(By::client(None, from), Action::ConnectionEnded, Target::connection(id, ""));
    if let Some(app) = ctx.store.end_untold(EndByClient { connection: id, now, event: event.clone() }).await? {
        DISCONNECTS.add(["partner"]);
        note::connection(id);
        note::app(&app);
        return Ok(id);
    }
    let ending = Ending { by: EndedBy::Partner, draft: ctx.draft() };
    let ended = ctx.store.write(move |conn| {
        let mut event = event.clone();
        Box::pin(async move {
            let ended = ending.one(conn, id, now).await?;
            if let Some(app) = &ended {
                event.actor = Actor::Client { id: Some(app.clone()) };
                event.target.name = name_of(conn, app).await?;
                events::record(conn, &event).await?;
            }
            Ok(ended)
        })
    });
    let ended = ended.await?;
    note::connection(id);
    if let Some(app) = ended {
        DISCONNECTS.add(["partner"]);
        ctx.told();
        note::app(&app);
        return Ok(id);
    }
    let found = ctx.store.read(move |conn| Box::pin(connections::find(conn, id))).await?;
    let connection = found.ok_or(DisconnectRefusal::Unknown)?;
    note::app(&connection.app);
    Err(DisconnectRefusal::of(&connection, now).into())
}

/// An application's name, for the event log.
pub(super) async fn name_of(conn: &mut Conn, app: &AppId) -> Result<String, StoreError> {
    Ok(apps::name(conn, app).await?.unwrap_or_default())
}

/// The user's own way, on the account page. Answers what was ended.
pub async fn by_user(ctx: &Acting<'_>, user: UserId, id: ConnectionId) -> Result<Connection, DisconnectError> {
    note::connection(id);
    let now = clocks::of_connection(ctx, id).await?;
    let event = ctx.event(Action::ConnectionEnded, Target::connection(id, ""));
    let ending = Ending { by: EndedBy::User, draft: ctx.draft() };
    let ended = ctx
        .store
        .write(move |conn| {
            let mut event = event.clone();
            Box::pin(async move {
                let Some(connection) = connections::find(conn, id).await? else {
                    return Ok(Err(DisconnectRefusal::Unknown));
                };
                if connection.user != user {
                    return Ok(Err(DisconnectRefusal::OtherUser));
                }
                let ended = ending.one(conn, id, now).await?;
                if ended.is_some() {
                    event.target.name = name_of(conn, &connection.app).await?;
                    events::record(conn, &event).await?;
                    return Ok(Ok(connection));
                }
                Ok(Err(DisconnectRefusal::of(&connection, now)))
            })
        })
        .await?;
    let connection = ended?;
    DISCONNECTS.add(["user"]);
    ctx.told();
    note::app(&connection.app);
    Ok(connection)
}
