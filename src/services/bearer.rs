//! Whether an access token opens a door (RFC 6750).

use super::Context;
use crate::crypto::token::{Handle, HandleKind};
use crate::domain::access_token::AccessToken;
use crate::domain::connection::EndedBy;
use crate::domain::ids::AccessTokenId;
use crate::domain::timestamp::Timestamp;
use crate::store::{StoreError, access_tokens};

/// Why a token opens nothing. To the bearer they are all `invalid_token`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BearerRefusal {
    #[error("the token does not have the form of an access token")]
    Malformed,
    #[error("no such access token was issued, or its connection is gone")]
    Unknown,
    #[error("the access token expired")]
    Expired { at: Timestamp },
    #[error("the connection was ended by the {by}", by = by.as_str())]
    ConnectionEnded { at: Timestamp, by: EndedBy },
    #[error("the connection's time is over")]
    ConnectionExpired { at: Timestamp },
    #[error("the user is disabled")]
    UserDisabled,
}

#[derive(Debug, thiserror::Error)]
pub enum BearerError {
    #[error(transparent)]
    Refused(#[from] BearerRefusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The access token that a bearer presents, if it lives.
pub async fn authenticate(ctx: &Context, token: &str) -> Result<AccessToken, BearerError> {
    let handle = Handle::parse(HandleKind::AccessToken, token).ok_or(BearerRefusal::Malformed)?;
    let id = AccessTokenId(handle.id);
    let found = ctx.store.read(move |conn| Box::pin(access_tokens::find(conn, id))).await?;
    let found = found.filter(|found| handle.matches(&found.secret_hash)).ok_or(BearerRefusal::Unknown)?;
    check(&found, ctx.now())?;
    Ok(found.token)
}

fn check(found: &access_tokens::Found, now: Timestamp) -> Result<(), BearerRefusal> {
    if let Some((at, by)) = found.connection_ended {
        return Err(BearerRefusal::ConnectionEnded { at, by });
    }
    if let Some(at) = found.connection_expires_at.filter(|at| now >= *at) {
        return Err(BearerRefusal::ConnectionExpired { at });
    }
    if now >= found.token.expires_at {
        return Err(BearerRefusal::Expired { at: found.token.expires_at });
    }
    if !found.token.user.is_active() {
        return Err(BearerRefusal::UserDisabled);
    }
    Ok(())
}
