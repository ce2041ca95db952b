//! What a token is worth now (RFC 7662): for the client that it was issued to.

use super::super::Context;
use super::super::bearer::{self, BearerError};
use crate::crypto::rotating_token;
use crate::domain::access_token::{AccessToken, Subject, user_subject};
use crate::domain::app::App;
use crate::domain::grant::Grant;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::User;
use crate::store::{StoreError, grants, users};

/// A token that lives.
pub enum Introspected {
    AccessToken(Box<AccessToken>),
    RefreshToken { grant: Box<Grant>, user: Box<User> },
}

impl Introspected {
    /// The subject, as in the token itself.
    pub fn sub(&self) -> String {
        match self {
            Introspected::AccessToken(token) => token.sub(),
            Introspected::RefreshToken { user, .. } => user_subject(user.id),
        }
    }

    /// The user's e-mail address; `None` for a client's own token.
    pub fn username(&self) -> Option<&str> {
        match self {
            Introspected::AccessToken(token) => match &token.subject {
                Subject::User { user, .. } => Some(user.email.as_str()),
                Subject::Client { .. } => None,
            },
            Introspected::RefreshToken { user, .. } => Some(user.email.as_str()),
        }
    }
}

/// `None` for whatever is unknown, over, or another client's: they look alike (RFC 7662 section 2.2). Looking is no use:
/// it does not settle whether an answer was lost.
pub async fn introspect(ctx: &Context, app: &App, token: &str) -> Result<Option<Introspected>, StoreError> {
    let now = ctx.now_for(&app.id);
    if let Ok((id, generation)) = rotating_token::verify(&ctx.keys.ring(), token) {
        let found = ctx
            .store
            .read(move |conn| {
                Box::pin(async move {
                    let Some(found) = grants::find(conn, id).await? else { return Ok(None) };
                    Ok(users::find(conn, found.user).await?.map(|user| (found, user)))
                })
            })
            .await?;
        let lives = |(found, _): &(grants::Found, User)| {
            found.grant.app == app.id && found.grant.generation == generation && is_live(found, now)
        };
        return Ok(found
            .filter(lives)
            .map(|(found, user)| Introspected::RefreshToken { grant: Box::new(found.grant), user: Box::new(user) }));
    }
    match bearer::look_up(ctx, token).await {
        Ok(found) if found.token.app == app.id && bearer::check(&found, now).is_ok() => {
            Ok(Some(Introspected::AccessToken(Box::new(found.token))))
        }
        Ok(_) | Err(BearerError::Refused(_) | BearerError::Dpop(_) | BearerError::Scope { .. }) => Ok(None),
        Err(BearerError::Store(error)) => Err(error),
    }
}

fn is_live(found: &grants::Found, now: Timestamp) -> bool {
    found.grant.ended.is_none()
        && found.connection_ended.is_none()
        && found.connection_expires_at.is_none_or(|at| now < at)
        && now < found.grant.expires_at
}
