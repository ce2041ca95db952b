//! Whether an access token opens a door (RFC 6750, RFC 9068 section 4, RFC 9449 section 7).

use serde::Deserialize;

use super::Context;
use super::journal::note;
use super::keys::{self, VerifyError};
use super::oauth::dpop::{self, DpopError, DpopRefusal, Request};
use crate::crypto::jwt::{JwtError, JwtType};
use crate::crypto::token::{Handle, HandleKind};
use crate::domain::access_token::{AccessToken, Subject};
use crate::domain::connection::EndedBy;
use crate::domain::grant::GrantEnd;
use crate::domain::ids::AccessTokenId;
use crate::domain::resource::Resource;
use crate::domain::scope::{Scope, ScopeSet};
use crate::domain::timestamp::Timestamp;
use crate::store::access_tokens::Found;
use crate::store::{StoreError, grants};

/// Why a token opens nothing. To the bearer they are all `invalid_token`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BearerRefusal {
    #[error("the token does not have the form of an access token")]
    Malformed,
    #[error("the token is not a signed access token of this server: {0}")]
    Jwt(#[from] JwtError),
    #[error("the token names another issuer")]
    OtherIssuer,
    #[error("no such access token was issued, or its connection is gone")]
    Unknown,
    #[error("the access token is for another API")]
    OtherResource,
    #[error("the access token expired")]
    Expired { at: Timestamp },
    #[error("the access token was revoked")]
    Revoked { at: Timestamp },
    #[error("its grant has ended: {}", why.as_str())]
    GrantEnded { at: Timestamp, why: GrantEnd },
    #[error("the connection was ended by {}", by.described())]
    ConnectionEnded { at: Timestamp, by: EndedBy },
    #[error("the connection expired")]
    ConnectionExpired { at: Timestamp },
    #[error("the user is disabled")]
    UserDisabled,
    #[error("the application is disabled")]
    AppDisabled { at: Timestamp },
    #[error("the access token is bound to a key, and came as a bearer token")]
    NotProved,
    #[error("the access token is bound to no key, or to another one than the proof's")]
    OtherKey,
}

#[derive(Debug, thiserror::Error)]
pub enum BearerError {
    #[error(transparent)]
    Refused(#[from] BearerRefusal),
    #[error(transparent)]
    Dpop(#[from] DpopRefusal),
    #[error("the access token was not granted the scope that this takes")]
    Scope { has: ScopeSet },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How a token came.
#[derive(Debug, Clone, Copy)]
pub enum Scheme<'r> {
    Bearer,
    /// With a proof of the key that it is bound to, for this method and address.
    Dpop {
        proof: &'r str,
        method: &'r str,
        url: &'r str,
    },
}

/// The access token that is presented at an API of this server, if it lives, is for it, and has the scope.
pub async fn authenticate(
    ctx: &Context,
    token: &str,
    scheme: Scheme<'_>,
    scope: Scope,
) -> Result<AccessToken, BearerError> {
    let found = look_up(ctx, token).await?;
    let now = ctx.now_for(&found.token.app);
    check(&found, now)?;
    if found.token.resource.is_some() {
        return Err(BearerRefusal::OtherResource.into());
    }
    match (scheme, &found.token.dpop_jkt) {
        (Scheme::Bearer, None) => {}
        (Scheme::Bearer, Some(_)) => return Err(BearerRefusal::NotProved.into()),
        (Scheme::Dpop { .. }, None) => return Err(BearerRefusal::OtherKey.into()),
        (Scheme::Dpop { proof, method, url }, Some(bound)) => {
            let request = Request { method, url, access_token: Some(token) };
            let proved =
                Box::pin(dpop::check(ctx, &found.token.app, proof, request)).await.map_err(|error| match error {
                    DpopError::Refused(why) => BearerError::Dpop(why),
                    DpopError::Store(error) => BearerError::Store(error),
                })?;
            if proved != *bound {
                return Err(BearerRefusal::OtherKey.into());
            }
        }
    }
    if !found.token.scopes.contains(scope) {
        return Err(BearerError::Scope { has: found.token.scopes });
    }
    note_use(ctx, &found, now).await?;
    Ok(found.token)
}

/// A token that is used was not lost on its way: what came before it is spent for good. Durable, before the answer.
async fn note_use(ctx: &Context, found: &Found, now: Timestamp) -> Result<(), BearerError> {
    if let Subject::User { connection, .. } = &found.token.subject {
        ctx.store.note_use(*connection, now);
    }
    let Some(grant) = found.token.grant.filter(|_| found.is_unused_successor) else { return Ok(()) };
    let id = found.token.id;
    let is_its_own = ctx.store.write(move |conn| Box::pin(grants::mark_used(conn, grant, id, now))).await?;
    // Since it was looked up, the refresh token before it was presented again, and took this one's place.
    if is_its_own { Ok(()) } else { Err(BearerRefusal::Revoked { at: now }.into()) }
}

/// Claims of a signed token that decide which row it is.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    exp: i64,
    jti: AccessTokenId,
}

/// The row of an access token of either class, dead or alive.
pub async fn look_up(ctx: &Context, token: &str) -> Result<Found, BearerError> {
    let (id, proof) = match Handle::parse(HandleKind::AccessToken, token) {
        Some(handle) => (AccessTokenId(handle.id), Proof::Secret(handle)),
        None if !token.contains('.') => return Err(BearerRefusal::Malformed.into()),
        None => {
            let claims = keys::verify::<Claims>(ctx, token, JwtType::AccessToken).await;
            let claims = claims.map_err(|error| match error {
                VerifyError::Refused(why) => BearerError::Refused(why.into()),
                VerifyError::Keys(error) => BearerError::Store(error.into()),
            })?;
            if claims.iss != ctx.issuer {
                return Err(BearerRefusal::OtherIssuer.into());
            }
            (claims.jti, Proof::Signature { aud: claims.aud, exp: claims.exp })
        }
    };
    let found = ctx.store.access_token(id).await?;
    if let Some(found) = &found {
        note_whose(&found.token);
    }
    let is_its_own = |found: &Found| match (&proof, &found.secret_hash) {
        (Proof::Secret(handle), Some(hash)) => handle.matches(hash),
        (Proof::Signature { aud, exp }, None) => {
            *aud == found.token.resource.as_ref().map_or(ctx.issuer.as_str(), Resource::as_str)
                // The record's end may have been moved forward since (wire.md part E), never back.
                && *exp >= found.token.expires_at.unix_seconds()
        }
        _ => false,
    };
    Ok(found.filter(is_its_own).ok_or(BearerRefusal::Unknown)?)
}

fn note_whose(token: &AccessToken) {
    note::app(&token.app);
    if let Subject::User { connection, user, .. } = &token.subject {
        note::connection(*connection);
        note::user(user.email.as_str());
    }
}

/// What shows that a token is the one of its row.
enum Proof {
    Secret(Handle),
    /// It was right, and says this (RFC 9068 section 4).
    Signature {
        aud: String,
        exp: i64,
    },
}

/// Whether a token lives. It does as long as all that it hangs on.
pub fn check(found: &Found, now: Timestamp) -> Result<(), BearerRefusal> {
    if let Some(at) = found.app_disabled_at {
        return Err(BearerRefusal::AppDisabled { at });
    }
    if let Some((at, by)) = found.connection_ended {
        return Err(BearerRefusal::ConnectionEnded { at, by });
    }
    if let Some((at, why)) = found.grant_ended {
        return Err(BearerRefusal::GrantEnded { at, why });
    }
    if let Some(at) = found.revoked_at {
        return Err(BearerRefusal::Revoked { at });
    }
    if let Some(at) = found.connection_expires_at.filter(|at| now >= *at) {
        return Err(BearerRefusal::ConnectionExpired { at });
    }
    if now >= found.token.expires_at {
        return Err(BearerRefusal::Expired { at: found.token.expires_at });
    }
    match &found.token.subject {
        Subject::User { user, .. } if !user.is_active() => Err(BearerRefusal::UserDisabled),
        _ => Ok(()),
    }
}
