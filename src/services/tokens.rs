//! What a test does with tokens that it wants or has (wire.md part E): gets a pair without a flow, lets one expire, or
//! revokes one.

use std::time::Duration;

use super::audit::Acting;
use super::bearer::{self, BearerError};
use super::connections::{self as consents, Connected, ConnectionError, Consent};
use super::{Context, opaque_issue};
use crate::crypto::token::HandleKind;
use crate::crypto::{refresh_token, rotating_token};
use crate::domain::access_token::Subject;
use crate::domain::grant::GrantEnd;
use crate::domain::ids::{AccessTokenId, AppId, ConnectionId, GrantId};
use crate::store::{StoreError, access_tokens, connections, grants};
use crate::telemetry::TOKENS_ISSUED;

/// The longest that an access token can be asked to live: ten years.
pub const MAX_LIFETIME: Duration = Duration::from_secs(315_360_000);

/// Tokens of LeadExec's class, as a sign-in at a button gives them.
pub struct Pair {
    pub access_token: String,
    pub lifetime: Duration,
    pub refresh_token: String,
}

/// Connects the user as "Allow" does and issues an access token for what `consent` names, and nothing else that the
/// connection may have. `lifetime` is that token's alone.
pub async fn make(ctx: &Context, consent: &Consent, lifetime: Option<Duration>) -> Result<Pair, ConnectionError> {
    let Connected { connection, refresh_token, .. } = consents::connect(ctx, consent).await?;
    let now = ctx.now_for(&consent.app.id);
    let handle = ctx.mint(now);
    let issue = opaque_issue(&handle, connection.id, consent.app.id.clone(), now);
    let (scopes, end) = (consent.scopes.clone(), lifetime.map(|lifetime| now.plus(lifetime)));
    let issued = ctx.store.write(move |conn| {
        let (issue, scopes) = (issue.clone(), scopes.clone());
        Box::pin(async move {
            let Some(issued) = access_tokens::issue(conn, &[issue]).await?.pop().flatten() else { return Ok(None) };
            access_tokens::limit(conn, issued.id, &scopes, end).await?;
            Ok(Some(end.unwrap_or(issued.expires_at)))
        })
    });
    // Where the connection ended in the meantime, it was with its user.
    let expires_at = issued.await?.ok_or(ConnectionError::UserDisabled)?;
    TOKENS_ISSUED.add(["sandbox"]);
    ctx.store.note_use(connection.id, now);
    let access_token = handle.encode(HandleKind::AccessToken);
    Ok(Pair { access_token, lifetime: expires_at.since(now), refresh_token })
}

#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("this server gave no such token, or what it stood for is gone")]
    Unknown,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a token is, whether or not it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// An access token of either class.
    Access(AccessTokenId),
    /// LeadExec's refresh token: it stands for its connection.
    Connection(ConnectionId),
    /// A refresh token of a standard grant: any of a family stands for the grant.
    Grant(GrantId),
}

/// A token that was found, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    pub is_access_token: bool,
    pub app: AppId,
    /// `None` for a client's own access token.
    pub connection: Option<ConnectionId>,
    /// Whether it was alive until now.
    pub changed: bool,
}

async fn find(ctx: &Context, token: &str) -> Result<(Kind, AppId, Option<ConnectionId>), TokenError> {
    let ring = ctx.keys.ring();
    if let Ok(id) = refresh_token::verify(&ring, token) {
        let found = ctx.store.read(move |conn| Box::pin(connections::find(conn, id))).await?;
        return found.map(|found| (Kind::Connection(id), found.app, Some(id))).ok_or(TokenError::Unknown);
    }
    if let Ok((id, _)) = rotating_token::verify(&ring, token) {
        let found = ctx.store.read(move |conn| Box::pin(grants::find(conn, id))).await?;
        let found = found.map(|found| (Kind::Grant(id), found.grant.app, Some(found.grant.connection)));
        return found.ok_or(TokenError::Unknown);
    }
    match bearer::look_up(ctx, token).await {
        Ok(found) => {
            let connection = match found.token.subject {
                Subject::User { connection, .. } => Some(connection),
                Subject::Client { .. } => None,
            };
            Ok((Kind::Access(found.token.id), found.token.app, connection))
        }
        Err(BearerError::Store(error)) => Err(error.into()),
        Err(BearerError::Refused(_) | BearerError::Dpop(_) | BearerError::Scope { .. }) => Err(TokenError::Unknown),
    }
}

/// Lets a token's time be over, by its application's clock. A signed token still says its first expiry to whoever
/// only reads it; this server's own APIs and introspection go by the record.
pub async fn expire(ctx: &Context, token: &str) -> Result<Settled, TokenError> {
    let (kind, app, connection) = find(ctx, token).await?;
    let now = ctx.now_for(&app);
    let changed = ctx.store.write(move |conn| {
        Box::pin(async move {
            match kind {
                Kind::Access(id) => access_tokens::expire(conn, id, now).await,
                Kind::Connection(id) => connections::expire(conn, id, now).await,
                Kind::Grant(id) => grants::expire(conn, id, now).await,
            }
        })
    });
    Ok(Settled { is_access_token: matches!(kind, Kind::Access(_)), app, connection, changed: changed.await? })
}

/// Ends a token as an operator does: a refresh token with all that it stands for, an access token alone.
pub async fn revoke(ctx: &Acting<'_>, token: &str) -> Result<Settled, TokenError> {
    let (kind, app, connection) = find(ctx, token).await?;
    if let Kind::Connection(id) = kind {
        let changed = match super::connections::end(ctx, id).await {
            Ok(()) => true,
            Err(ConnectionError::Store(error)) => return Err(error.into()),
            // It was over.
            Err(_) => false,
        };
        return Ok(Settled { is_access_token: false, app, connection, changed });
    }
    let now = ctx.now_for(&app);
    let changed = ctx.store.write(move |conn| {
        Box::pin(async move {
            match kind {
                Kind::Access(id) => access_tokens::revoke(conn, id, now).await,
                Kind::Connection(_) => Ok(false),
                Kind::Grant(id) => grants::end(conn, id, now, GrantEnd::Revoked).await,
            }
        })
    });
    Ok(Settled { is_access_token: matches!(kind, Kind::Access(_)), app, connection, changed: changed.await? })
}
