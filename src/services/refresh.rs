//! A new access token for a refresh token (wire.md A2): the hot path.

use std::net::IpAddr;
use std::sync::LazyLock;

use super::journal::note;
use super::throttle::TooMany;
use super::webhooks::outbox::Refreshed;
use super::{Context, Granted};
use crate::crypto::refresh_token::{self, RefreshTokenError};
use crate::crypto::token::HandleKind;
use crate::domain::connection::ConnectionState;
use crate::domain::ids::{AppId, ConnectionId};
use crate::domain::timestamp::Timestamp;
use crate::domain::usage::UsageKind;
use crate::store::{StoreError, connections};
use crate::telemetry::{Counter, TOKENS_ISSUED};

/// Made once: this is the hot path.
static ISSUED: LazyLock<Counter> = LazyLock::new(|| TOKENS_ISSUED.of(["refreshaccesstoken"]));

/// Why there is no new token. Clients are told one sentence for all of them; this is for who runs the server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefreshRefusal {
    #[error(transparent)]
    Token(#[from] RefreshTokenError),
    #[error("`appid` is missing")]
    AppMissing,
    #[error("`appid` does not have the form of an application id")]
    AppMalformed,
    #[error("the connection of this refresh token is gone, with its user or application")]
    Unknown,
    #[error("this refresh token belongs to application {owner}{}", if *.only_case { "; `appid` differs only in case" } else { "" })]
    OtherApp { owner: AppId, only_case: bool },
    #[error("the connection was ended by {}", by.described())]
    Ended { at: Timestamp, by: crate::domain::connection::EndedBy },
    #[error("the connection expired")]
    Expired { at: Timestamp },
    #[error("the connection ended while it was being refreshed")]
    JustEnded,
}

#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    #[error(transparent)]
    Refused(#[from] RefreshRefusal),
    #[error("{0}, and {1}")]
    TooMany(RefreshRefusal, TooMany),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Issues an access token. The refresh token stays as it is, and so do earlier access tokens. `from` is the
/// address of the caller, whose refusals are counted.
pub async fn refresh(
    ctx: &Context,
    token: &str,
    app: Option<&str>,
    from: Option<IpAddr>,
) -> Result<Granted, RefreshError> {
    match try_refresh(ctx, token, app).await {
        Err(RefreshError::Refused(why)) => Err(match ctx.throttle.refusal(from, app.unwrap_or_default()) {
            Ok(()) => RefreshError::Refused(why),
            Err(too_many) => RefreshError::TooMany(why, too_many),
        }),
        settled => settled,
    }
}

async fn try_refresh(ctx: &Context, token: &str, app: Option<&str>) -> Result<Granted, RefreshError> {
    let app = app.ok_or(RefreshRefusal::AppMissing)?;
    let app = AppId::parse(app).map_err(|_| RefreshRefusal::AppMalformed)?;
    let connection = refresh_token::verify(&ctx.keys.ring(), token).map_err(RefreshRefusal::from)?;
    note::app(&app);
    note::connection(connection);
    let now = ctx.now_for(&app);
    let (handle, issue) = ctx.mint_access_token(connection, app.clone(), now);
    match ctx.store.issue(issue).await? {
        Some(issued) => {
            ISSUED.increment(1);
            ctx.count(&app, UsageKind::Refreshes);
            if let Some(news) = Refreshed::wanted(ctx, &app, now) {
                // The token is issued, whatever becomes of the message. Boxed, as what is rare is below too: every refresh
                // carries and moves what its future has room for.
                if let Err(error) = Box::pin(news.tell_now(ctx, connection, issued.expires_at)).await {
                    tracing::warn!(%error, %connection, "a refresh was not told to webhooks");
                }
            }
            Ok(Granted {
                connection,
                refresh_token: token.to_owned(),
                access_token: handle.encode(HandleKind::AccessToken),
                expires_at: issued.expires_at,
            })
        }
        None => {
            ctx.count(&app, UsageKind::Errors);
            Err(Box::pin(reason(ctx, connection, app, now)).await?.into())
        }
    }
}

/// Looked up off the hot path: the statement only said that it refused.
async fn reason(ctx: &Context, id: ConnectionId, app: AppId, now: Timestamp) -> Result<RefreshRefusal, StoreError> {
    let found = ctx.store.read(move |conn| Box::pin(connections::find(conn, id))).await?;
    let Some(connection) = found else { return Ok(RefreshRefusal::Unknown) };
    if connection.app != app {
        let only_case = connection.app.as_str().eq_ignore_ascii_case(app.as_str());
        return Ok(RefreshRefusal::OtherApp { owner: connection.app, only_case });
    }
    Ok(match connection.state {
        ConnectionState::Ended { at, by } => RefreshRefusal::Ended { at, by },
        ConnectionState::Expiring { at } if at <= now => RefreshRefusal::Expired { at },
        ConnectionState::Expiring { .. } | ConnectionState::Active => RefreshRefusal::JustEnded,
    })
}
