//! Refreshing a grant (RFC 6749 section 6): the refresh token rotates, and one that comes back is a lost answer or a
//! theft (RFC 9700 section 4.14.2).

use std::sync::Arc;

use super::super::Context;
use super::super::webhooks::outbox::Refreshed;
use super::authorization::{RequestedResource, requested_resource, requested_scopes};
use super::client_auth::Remembered;
use super::code::user_of;
use super::error::{ErrorCode, Invalid};
use super::issue::{self, Granted, Tokens, issue_of};
use crate::crypto::refresh_token::RefreshTokenError;
use crate::crypto::rotating_token;
use crate::domain::app::{App, ClientType};
use crate::domain::connection::EndedBy;
use crate::domain::grant::{Grant, GrantEnd, Presented};
use crate::domain::ids::{AccessTokenId, AppId, GrantId};
use crate::domain::scope::ScopeSet;
use crate::domain::timestamp::Timestamp;
use crate::entropy::time_ordered_id;
use crate::store::apps::{Client, Revision};
use crate::store::grants::{Renewal, Renewed};
use crate::store::{Conn, StoreError, access_tokens, grants};

/// Why a refresh token was refused. To the client they are all `invalid_grant`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefreshRefusal {
    #[error(transparent)]
    Token(#[from] RefreshTokenError),
    #[error("the grant of this refresh token is gone, with its user or application")]
    Unknown,
    #[error("this refresh token belongs to another client")]
    OtherClient { owner: AppId },
    #[error("the grant has ended: {}", why.as_str())]
    Ended { at: Timestamp, why: GrantEnd },
    #[error("the connection was ended by {}", by.described())]
    ConnectionEnded { at: Timestamp, by: EndedBy },
    #[error("the refresh token was not used for too long, or is too old")]
    Expired { at: Timestamp },
    #[error("the refresh token was spent before, and its successor is in use: the grant has been ended")]
    Theft,
    #[error("the refresh token is bound to another key than the DPoP proof's")]
    OtherKey,
    #[error("the client is not registered any more for anything that was granted")]
    Unregistered,
}

#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    #[error(transparent)]
    Refused(#[from] RefreshRefusal),
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a client sends, as it came.
pub struct Asked<'a> {
    pub refresh_token: &'a str,
    pub scope: Option<&'a str>,
    pub resource: Option<&'a str>,
    /// The key that a DPoP proof showed.
    pub dpop_jkt: Option<String>,
}

/// Moves a grant on by one generation. `tried`: for this client it was tried the plain way, in vain.
pub async fn refresh(
    ctx: &Context,
    client: &Arc<Client>,
    asked: Asked<'_>,
    tried: Option<Revision>,
) -> Result<Tokens, RefreshError> {
    let attempt = Attempt::of(ctx, client, &asked)?;
    if tried != Some(client.revision)
        && let Some(tokens) = attempt.try_plainly(ctx, &asked, None).await?
    {
        return Ok(tokens);
    }
    let (app, now) = (&client.app, attempt.now);
    let attempt = Arc::new(attempt);
    let granted = ctx
        .store
        .write(move |conn| {
            let attempt = attempt.clone();
            Box::pin(async move { attempt.settle(conn).await })
        })
        .await??;
    ctx.told();
    Ok(issue::hand_out(ctx, app, granted, true, now).await?)
}

/// The same for a client as it is remembered, if it is a plain one and the client's row still has this revision. `None`: nothing
/// was changed, and nothing is said of the token.
pub async fn refresh_for_remembered(
    ctx: &Context,
    remembered: &Remembered,
    asked: Asked<'_>,
) -> Result<Option<Tokens>, RefreshError> {
    let (client, revision) = remembered.client();
    Attempt::of(ctx, client, &asked)?.try_plainly(ctx, &asked, Some(revision)).await
}

struct Attempt {
    grant: GrantId,
    generation: u32,
    client: Arc<Client>,
    /// Read beforehand, and judged after the token: a spent one is a theft whatever comes with it.
    scopes: Result<Option<ScopeSet>, Invalid>,
    resource: Result<RequestedResource, Invalid>,
    dpop_jkt: Option<String>,
    access_token: AccessTokenId,
    /// Where somebody hears of it.
    news: Option<Refreshed>,
    now: Timestamp,
}

impl Attempt {
    fn of(ctx: &Context, client: &Arc<Client>, asked: &Asked<'_>) -> Result<Self, RefreshRefusal> {
        let app = &client.app;
        let ring = ctx.keys.ring();
        let (grant, generation) = rotating_token::verify(&ring, asked.refresh_token)?;
        let now = ctx.now_for(&app.id);
        Ok(Self {
            grant,
            generation,
            client: client.clone(),
            scopes: asked.scope.map(|scope| requested_scopes(app, Some(scope))).transpose(),
            resource: requested_resource(ctx, app, asked.resource),
            dpop_jkt: asked.dpop_jkt.clone(),
            access_token: AccessTokenId(time_ordered_id(&*ctx.entropy, now)),
            news: Refreshed::wanted(ctx, &app.id, now),
            now,
        })
    }

    fn app(&self) -> &App {
        &self.client.app
    }

    /// `None` where it is not plain, or what it goes by is not as it has to be.
    async fn try_plainly(
        &self,
        ctx: &Context,
        asked: &Asked<'_>,
        app_revision: Option<Revision>,
    ) -> Result<Option<Tokens>, RefreshError> {
        let Some(renewal) = self.plain(asked.resource, app_revision) else { return Ok(None) };
        let Some(Renewed { grant, user, issued }) = ctx.store.renew(renewal).await? else { return Ok(None) };
        let granted = Granted { scopes: grant.scopes.clone(), grant, issued, user, dpop_jkt: None, nonce: None };
        Ok(Some(issue::hand_out(ctx, self.app(), granted, true, self.now).await?))
    }

    /// What most refreshes are: nothing but the token is presented, and nobody hears of it.
    fn plain(&self, resource: Option<&str>, app_revision: Option<Revision>) -> Option<Renewal> {
        let is_plain =
            resource.is_none() && matches!(self.scopes, Ok(None)) && self.dpop_jkt.is_none() && self.news.is_none();
        is_plain.then(|| Renewal {
            grant: self.grant,
            app: self.app().id.clone(),
            generation: self.generation,
            access_token: self.access_token,
            permitted: self.app().may_have(),
            app_revision,
            now: self.now,
        })
    }

    /// One transaction, which holds the grant: two that present tokens of one family take turns.
    async fn settle(&self, conn: &mut Conn) -> Result<Result<Granted, RefreshError>, StoreError> {
        let Some(found) = grants::hold(conn, self.grant).await? else {
            return Ok(Err(RefreshRefusal::Unknown.into()));
        };
        if let Err(refusal) = self.check(&found) {
            return Ok(Err(refusal.into()));
        }
        let presented = found.grant.judge(self.generation);
        if presented == Presented::Theft {
            grants::end(conn, self.grant, self.now, GrantEnd::RefreshTokenReuse).await?;
            return Ok(Err(RefreshRefusal::Theft.into()));
        }
        let scopes = match self.scopes_of(&found.grant) {
            Ok(scopes) => scopes,
            Err(error) => return Ok(Err(error)),
        };
        let replayable = (presented == Presented::Current).then_some(self.generation);
        if presented == Presented::LostResponse {
            access_tokens::revoke(conn, found.grant.access_token, self.now).await?;
        }
        let Some(user) = user_of(conn, found.grant.connection).await? else {
            return Ok(Err(RefreshRefusal::Unknown.into()));
        };
        let next = Grant {
            generation: found.grant.generation.saturating_add(1),
            replayable,
            access_token: self.access_token,
            used_at: None,
            expires_at: found.grant.end_after_refresh(self.now),
            // A public client that begins to show proofs is held to its key from then on (RFC 9449 section 5).
            dpop_jkt: found.grant.dpop_jkt.clone().or_else(|| self.dpop_jkt.clone().filter(|_| self.is_public())),
            ..found.grant
        };
        grants::renew(conn, &next).await?;
        let issue = issue_of(&next, scopes.clone(), next.resource.clone(), self.dpop_jkt.clone(), self.now);
        let Some(issued) = access_tokens::issue(conn, &[issue]).await?.pop().flatten() else {
            // The connection was alive a moment ago, in this very transaction.
            return Err(StoreError::Again);
        };
        if let Some(news) = &self.news {
            news.tell(conn, next.connection, &user, &scopes, issued.expires_at).await?;
        }
        Ok(Ok(Granted { grant: next, issued, user, scopes, dpop_jkt: self.dpop_jkt.clone(), nonce: None }))
    }

    fn is_public(&self) -> bool {
        self.app().client_type() == ClientType::Public
    }

    /// What the access token is for: of what was granted, as much as is asked for, and as the client may still have.
    fn scopes_of(&self, grant: &Grant) -> Result<ScopeSet, RefreshError> {
        let resource = self.resource.as_ref().map_err(|invalid| *invalid)?;
        if !resource.fits(grant.resource.as_ref()) {
            let description = "The resource is not the one that was authorized.";
            return Err(Invalid::new(ErrorCode::InvalidTarget, description).into());
        }
        let granted = self.app().still_permitted(&grant.scopes);
        if granted.is_empty() || !self.app().may_reach(grant.resource.as_ref()) {
            return Err(RefreshRefusal::Unregistered.into());
        }
        match self.scopes.as_ref().map_err(|invalid| *invalid)? {
            None => Ok(granted),
            Some(scopes) if granted.covers(scopes) => Ok(scopes.clone()),
            Some(_) => {
                let description = "The scope has a name that the user did not grant.";
                Err(Invalid::new(ErrorCode::InvalidScope, description).into())
            }
        }
    }

    fn check(&self, found: &grants::Found) -> Result<(), RefreshRefusal> {
        let grant = &found.grant;
        if grant.app != self.app().id {
            return Err(RefreshRefusal::OtherClient { owner: grant.app.clone() });
        }
        if let Some((at, why)) = grant.ended {
            return Err(RefreshRefusal::Ended { at, why });
        }
        if let Some((at, by)) = found.connection_ended {
            return Err(RefreshRefusal::ConnectionEnded { at, by });
        }
        if let Some(at) = found.connection_expires_at.filter(|at| self.now >= *at) {
            return Err(RefreshRefusal::ConnectionEnded { at, by: EndedBy::Expiry });
        }
        if self.now >= grant.expires_at {
            return Err(RefreshRefusal::Expired { at: grant.expires_at });
        }
        // A confidential client proves itself by its credentials (RFC 9449 section 5).
        let is_bound = self.is_public() && grant.dpop_jkt.is_some();
        if is_bound && grant.dpop_jkt != self.dpop_jkt {
            return Err(RefreshRefusal::OtherKey);
        }
        Ok(())
    }
}
