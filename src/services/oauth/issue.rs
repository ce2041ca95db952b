//! What the token endpoint hands out: signed access tokens (RFC 9068), refresh tokens, ID tokens (OpenID Connect Core
//! section 2). Recording is the store's hot path, the same as LeadExec's refresh.

use std::time::Duration;

use serde::Serialize;

use super::super::Context;
use super::super::journal::note;
use super::super::keys::{self, KeysError};
use crate::crypto::jwt::{self, JwtType};
use crate::crypto::rotating_token;
use crate::domain::access_token::user_subject;
use crate::domain::app::App;
use crate::domain::grant::{Grant, REFRESH_LIFETIME};
use crate::domain::grant_type::GrantType;
use crate::domain::ids::{AccessTokenId, ConnectionId, GrantId};
use crate::domain::magic::Magic;
use crate::domain::resource::Resource;
use crate::domain::scope::{Scope, ScopeSet};
use crate::domain::timestamp::Timestamp;
use crate::domain::user::User;
use crate::entropy::time_ordered_id;
use crate::store::access_tokens::{self, Issue, IssueKind, Issued, SignedIssue};
use crate::store::{Conn, StoreError, grants};

/// How long an ID token lives.
const ID_TOKEN_LIFETIME: Duration = Duration::from_secs(3_600);

/// The answer of the token endpoint (RFC 6749 section 5.1). Holds tokens: no `Debug`.
pub struct Tokens {
    pub access_token: String,
    pub is_dpop: bool,
    pub expires_in: Duration,
    pub scopes: ScopeSet,
    pub refresh_token: Option<String>,
    pub id_token: Option<String>,
}

/// What a user authorized, before it is recorded. Identifiers are drawn here, outside the transaction.
#[derive(Debug, Clone)]
pub struct NewGrant {
    pub id: GrantId,
    pub access_token: AccessTokenId,
    pub has_refresh_token: bool,
    /// The key that the access token is bound to.
    pub dpop_jkt: Option<String>,
    /// Whether refresh tokens are bound to it too: those of a public client (RFC 9449 section 5).
    pub binds_refresh_token: bool,
    pub now: Timestamp,
}

/// What the user authorized: from a code, a device, a password.
#[derive(Debug, Clone)]
pub struct Authorized {
    pub connection: ConnectionId,
    pub scopes: ScopeSet,
    pub resource: Option<Resource>,
    pub auth_time: Timestamp,
}

impl NewGrant {
    pub fn draw(ctx: &Context, app: &App, dpop_jkt: Option<String>, now: Timestamp) -> Self {
        Self {
            id: GrantId(time_ordered_id(&*ctx.entropy, now)),
            access_token: AccessTokenId(time_ordered_id(&*ctx.entropy, now)),
            has_refresh_token: app.has_grant(GrantType::RefreshToken),
            dpop_jkt,
            binds_refresh_token: app.client_type() == crate::domain::app::ClientType::Public,
            now,
        }
    }

    /// Records the grant and its first access token; `None` where the connection is over, or the client is no more
    /// registered for any of it.
    pub async fn record(
        &self,
        conn: &mut Conn,
        app: &App,
        authorized: &Authorized,
        user: User,
    ) -> Result<Option<Granted>, StoreError> {
        let scopes = app.still_permitted(&authorized.scopes);
        if scopes.is_empty() || !app.may_reach(authorized.resource.as_ref()) {
            return Ok(None);
        }
        let renewable_until = self.now.plus(REFRESH_LIFETIME);
        let mut grant = Grant {
            id: self.id,
            connection: authorized.connection,
            app: app.id.clone(),
            scopes,
            resource: authorized.resource.clone(),
            dpop_jkt: self.dpop_jkt.clone().filter(|_| self.binds_refresh_token),
            auth_time: authorized.auth_time,
            created_at: self.now,
            renewable_until,
            expires_at: renewable_until,
            generation: u32::from(self.has_refresh_token),
            replayable: None,
            access_token: self.access_token,
            used_at: None,
            ended: None,
        };
        let scopes = grant.scopes.clone();
        let issue = issue_of(&grant, scopes, grant.resource.clone(), self.dpop_jkt.clone(), self.now);
        let Some(issued) = access_tokens::issue(conn, &[issue]).await?.pop().flatten() else { return Ok(None) };
        grant.expires_at = if self.has_refresh_token { grant.end_after_refresh(self.now) } else { issued.expires_at };
        grants::insert(conn, &grant).await?;
        let (scopes, dpop_jkt) = (grant.scopes.clone(), self.dpop_jkt.clone());
        Ok(Some(Granted { grant, issued, user, scopes, dpop_jkt, nonce: None }))
    }
}

/// The access token that goes with a grant's present generation.
pub fn issue_of(
    grant: &Grant,
    scopes: ScopeSet,
    resource: Option<Resource>,
    dpop_jkt: Option<String>,
    now: Timestamp,
) -> Issue {
    let user = Some((grant.connection, grant.id));
    let kind = IssueKind::Signed(SignedIssue { user, scopes, resource, dpop_jkt, app_revision: None });
    Issue { id: grant.access_token, app: grant.app.clone(), now, kind }
}

/// A user's grant as it stands recorded, with the access token of its present generation.
pub struct Granted {
    pub grant: Grant,
    pub issued: Issued,
    pub user: User,
    /// Of the access token: all that was granted, or as much of it as was asked for.
    pub scopes: ScopeSet,
    pub dpop_jkt: Option<String>,
    /// Of the authorization request; only the first ID token has it (OpenID Connect Core section 12.2).
    pub nonce: Option<String>,
}

/// Signs the tokens of a grant that was recorded now. ID tokens come with the flows that have a sign-in page.
pub async fn hand_out(
    ctx: &Context,
    app: &App,
    granted: Granted,
    with_id_token: bool,
    now: Timestamp,
) -> Result<Tokens, StoreError> {
    let Granted { grant, issued, user, scopes, dpop_jkt, nonce } = granted;
    note::connection(grant.connection);
    note::user(user.email.as_str());
    ctx.store.note_use(grant.connection, now);
    // What a magic user does happens at the sign-in, not at a refresh.
    let is_first = grant.generation <= 1;
    if let Some(delay) = user.magic.and_then(Magic::delay).filter(|_| is_first) {
        tokio::time::sleep(delay).await;
    }
    let resource = grant.resource.clone();
    let subject = RecordedSubject::User { user: &user, grant: &grant, nonce, with_id_token };
    let recorded = Recorded { app, issued, now, scopes, resource, dpop_jkt, subject };
    Ok(sign(ctx, recorded).await?)
}

/// What is signed after it was recorded.
pub struct Recorded<'r> {
    pub app: &'r App,
    pub issued: Issued,
    pub now: Timestamp,
    pub scopes: ScopeSet,
    pub resource: Option<Resource>,
    pub dpop_jkt: Option<String>,
    pub subject: RecordedSubject<'r>,
}

pub enum RecordedSubject<'r> {
    User {
        user: &'r User,
        grant: &'r Grant,
        nonce: Option<String>,
        /// Whether the flow is one that ID tokens come with.
        with_id_token: bool,
    },
    Client,
}

/// Claims of an access token (RFC 9068 section 2.2).
#[derive(Serialize)]
struct AccessTokenClaims<'c> {
    iss: &'c str,
    sub: &'c str,
    aud: &'c str,
    client_id: &'c str,
    exp: i64,
    iat: i64,
    jti: AccessTokenId,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<Confirmation<'c>>,
}

/// RFC 9449 section 6.1.
#[derive(Serialize)]
struct Confirmation<'c> {
    jkt: &'c str,
}

/// Claims of an ID token (OpenID Connect Core sections 2, 3.1.3.6 and 5.4).
#[derive(Serialize)]
struct IdTokenClaims<'c> {
    iss: &'c str,
    sub: &'c str,
    aud: &'c str,
    azp: &'c str,
    exp: i64,
    iat: i64,
    auth_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'c str>,
    at_hash: String,
    #[serde(flatten)]
    profile: Profile<'c>,
}

/// What the scopes `profile` and `email` tell (OpenID Connect Core section 5.4).
#[derive(Serialize)]
pub struct Profile<'c> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
}

impl<'c> Profile<'c> {
    pub fn of(user: &'c User, scopes: &ScopeSet) -> Self {
        let email = scopes.contains(Scope::Email);
        Self {
            name: scopes.contains(Scope::Profile).then_some(user.name.as_str()),
            email: email.then_some(user.email.as_str()),
            // An operator or a seed file set it: nobody claims another's address here.
            email_verified: email.then_some(true),
        }
    }
}

/// Signs what was recorded.
pub async fn sign(ctx: &Context, recorded: Recorded<'_>) -> Result<Tokens, KeysError> {
    let Recorded { app, issued, now, scopes, resource, dpop_jkt, subject } = recorded;
    let (sub, auth_time) = match &subject {
        RecordedSubject::User { user, grant, .. } => (user_subject(user.id), Some(grant.auth_time.unix_seconds())),
        RecordedSubject::Client => (app.id.to_string(), None),
    };
    let claims = AccessTokenClaims {
        iss: &ctx.issuer,
        sub: &sub,
        aud: resource.as_ref().map_or(ctx.issuer.as_str(), Resource::as_str),
        client_id: app.id.as_str(),
        exp: issued.expires_at.unix_seconds(),
        iat: now.unix_seconds(),
        jti: issued.id,
        scope: scopes.to_string(),
        auth_time,
        cnf: dpop_jkt.as_deref().map(|jkt| Confirmation { jkt }),
    };
    let access_token = keys::sign(ctx, app.access_token_alg, JwtType::AccessToken, &claims).await?;
    let (refresh_token, id_token) = match subject {
        RecordedSubject::Client => (None, None),
        RecordedSubject::User { user, grant, nonce, with_id_token } => {
            let refresh_token =
                (grant.generation > 0).then(|| rotating_token::derive(&ctx.keys.ring(), grant.id, grant.generation));
            let id_token = if with_id_token && scopes.contains(Scope::OpenId) {
                let claims = IdTokenClaims {
                    iss: &ctx.issuer,
                    sub: &sub,
                    aud: app.id.as_str(),
                    azp: app.id.as_str(),
                    exp: now.plus(ID_TOKEN_LIFETIME).unix_seconds(),
                    iat: now.unix_seconds(),
                    auth_time: grant.auth_time.unix_seconds(),
                    nonce: nonce.as_deref(),
                    at_hash: jwt::half_hash(app.id_token_alg, &access_token),
                    profile: Profile::of(user, &scopes),
                };
                Some(keys::sign(ctx, app.id_token_alg, JwtType::IdToken, &claims).await?)
            } else {
                None
            };
            (refresh_token, id_token)
        }
    };
    Ok(Tokens {
        access_token,
        is_dpop: dpop_jkt.is_some(),
        expires_in: issued.expires_at.since(now),
        scopes,
        refresh_token,
        id_token,
    })
}
