//! Ending a token by the client that has it (RFC 7009).

use super::super::Context;
use super::super::bearer::{self, BearerError};
use crate::crypto::rotating_token;
use crate::domain::app::App;
use crate::domain::grant::GrantEnd;
use crate::store::{StoreError, access_tokens, grants};

/// What came of it. To the client they are all 200 (RFC 7009 section 2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// A refresh token, and with it its whole grant: every refresh and access token of it.
    Grant,
    /// An access token alone.
    AccessToken,
    /// It was over, unknown, or another client's.
    Nothing,
}

/// Ends a token of this client's. Any refresh token of a family stands for the whole: a spent one too, since whoever
/// wants it ended has no use for its successors.
pub async fn revoke(ctx: &Context, app: &App, token: &str) -> Result<Revoked, StoreError> {
    let now = ctx.now_for(&app.id);
    if let Ok((id, _)) = rotating_token::verify(&ctx.keys.ring(), token) {
        let app = app.id.clone();
        let ended = ctx.store.write(move |conn| {
            let app = app.clone();
            Box::pin(async move {
                let held = grants::hold(conn, id).await?;
                match held.filter(|found| found.grant.app == app) {
                    Some(_) => grants::end(conn, id, now, GrantEnd::Revoked).await,
                    None => Ok(false),
                }
            })
        });
        return Ok(if ended.await? { Revoked::Grant } else { Revoked::Nothing });
    }
    let id = match bearer::look_up(ctx, token).await {
        Ok(found) if found.token.app == app.id => found.token.id,
        Ok(_) | Err(BearerError::Refused(_) | BearerError::Dpop(_) | BearerError::Scope { .. }) => {
            return Ok(Revoked::Nothing);
        }
        Err(BearerError::Store(error)) => return Err(error),
    };
    let ended = ctx.store.write(move |conn| Box::pin(access_tokens::revoke(conn, id, now))).await?;
    Ok(if ended { Revoked::AccessToken } else { Revoked::Nothing })
}
