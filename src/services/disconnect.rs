//! Ending a connection, and with it its refresh token, every access token and automatic sign-in
//! (wire.md A3, A5). The user's other applications are untouched.

use std::net::IpAddr;

use super::throttle::TooMany;
use super::{Context, clocks};
use crate::crypto::refresh_token::{self, RefreshTokenError};
use crate::domain::connection::{Connection, EndedBy};
use crate::domain::ids::{ConnectionId, UserId};
use crate::store::{StoreError, connections};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DisconnectRefusal {
    #[error(transparent)]
    Token(#[from] RefreshTokenError),
    /// What jQuery sends when the published sample is wired to a click as shown: the click's event.
    #[error("the path holds `[object Object]`: the function was called with an event instead of the refresh token")]
    ObjectObject,
    #[error("the connection had ended before, or is gone")]
    NotAlive,
    #[error("there is no such connection")]
    Unknown,
    #[error("the connection is another user's")]
    OtherUser,
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
    match try_by_token(ctx, token).await {
        Err(DisconnectError::Refused(why)) => Err(match ctx.throttle.refusal(from, "") {
            Ok(()) => DisconnectError::Refused(why),
            Err(too_many) => DisconnectError::TooMany(why, too_many),
        }),
        settled => settled,
    }
}

async fn try_by_token(ctx: &Context, token: &str) -> Result<ConnectionId, DisconnectError> {
    if token == "[object Object]" {
        return Err(DisconnectRefusal::ObjectObject.into());
    }
    let id = refresh_token::verify(&ctx.keys.ring(), token).map_err(DisconnectRefusal::from)?;
    let now = clocks::of_connection(ctx, id).await?;
    let ended = ctx.store.write(move |conn| Box::pin(connections::end(conn, id, now, EndedBy::Partner))).await?;
    if ended { Ok(id) } else { Err(DisconnectRefusal::NotAlive.into()) }
}

/// The user's own way, on the account page. Answers what was ended.
pub async fn by_user(ctx: &Context, user: UserId, id: ConnectionId) -> Result<Connection, DisconnectError> {
    let now = clocks::of_connection(ctx, id).await?;
    let ended = ctx
        .store
        .write(move |conn| {
            Box::pin(async move {
                let Some(connection) = connections::find(conn, id).await? else {
                    return Ok(Err(DisconnectRefusal::Unknown));
                };
                if connection.user != user {
                    return Ok(Err(DisconnectRefusal::OtherUser));
                }
                let ended = connections::end(conn, id, now, EndedBy::User).await?;
                Ok(if ended { Ok(connection) } else { Err(DisconnectRefusal::NotAlive) })
            })
        })
        .await?;
    Ok(ended?)
}
