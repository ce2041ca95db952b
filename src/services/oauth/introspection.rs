//! What a token is worth now (RFC 7662): for the client that it was issued to.

use super::super::Context;
use super::super::bearer::{self, BearerError};
use super::client_auth::Remembered;
use crate::crypto::rotating_token;
use crate::domain::access_token::{AccessToken, Subject, user_subject};
use crate::domain::app::App;
use crate::domain::grant::Grant;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::User;
use crate::store::access_tokens::Found;
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

/// The same for a client as it is remembered: the access token's row tells whether the client's is still the one. The outer
/// `None`: nothing is said of the token.
pub async fn introspect_for_remembered(
    ctx: &Context,
    remembered: &Remembered,
    token: &str,
) -> Result<Option<Option<Introspected>>, StoreError> {
    let (client, revision) = remembered.client();
    if rotating_token::verify(&ctx.keys.ring(), token).is_ok() {
        return Ok(None);
    }
    let found = find_own(ctx, &client.app, token).await?.filter(|found| found.app_revision == revision);
    Ok(found.map(|found| described(ctx, found)))
}

/// An access token of the client's, dead or alive.
async fn find_own(ctx: &Context, app: &App, token: &str) -> Result<Option<Found>, StoreError> {
    match bearer::look_up(ctx, token).await {
        Ok(found) => Ok(Some(found).filter(|found| found.token.app == app.id)),
        Err(BearerError::Refused(_) | BearerError::Dpop(_) | BearerError::Scope { .. }) => Ok(None),
        Err(BearerError::Store(error)) => Err(error),
    }
}

/// An access token, if it lives.
fn described(ctx: &Context, found: Found) -> Option<Introspected> {
    let is_live = bearer::check(&found, ctx.now_for(&found.token.app)).is_ok();
    is_live.then(|| Introspected::AccessToken(Box::new(found.token)))
}

/// `None` for whatever is unknown, over, or another client's: they look alike (RFC 7662 section 2.2). Looking is no use:
/// it does not settle whether an answer was lost.
pub async fn introspect(ctx: &Context, app: &App, token: &str) -> Result<Option<Introspected>, StoreError> {
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
        let now = ctx.now_for(&app.id);
        let lives = |(found, _): &(grants::Found, User)| {
            found.grant.app == app.id && found.grant.generation == generation && is_live(found, now)
        };
        return Ok(found
            .filter(lives)
            .map(|(found, user)| Introspected::RefreshToken { grant: Box::new(found.grant), user: Box::new(user) }));
    }
    Ok(find_own(ctx, app, token).await?.and_then(|found| described(ctx, found)))
}

fn is_live(found: &grants::Found, now: Timestamp) -> bool {
    found.grant.ended.is_none()
        && found.connection_ended.is_none()
        && found.connection_expires_at.is_none_or(|at| now < at)
        && now < found.grant.expires_at
}
