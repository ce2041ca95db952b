//! Swapping an authorization code for tokens (RFC 6749 section 4.1.3, RFC 7636 section 4.6).

use super::super::Context;
use super::authorization::RequestedResource;
use super::issue::{self, Authorized, Granted, NewGrant, Tokens};
use crate::crypto::token::{Handle, HandleKind, proves};
use crate::domain::app::App;
use crate::domain::authorization::AuthorizationRequest;
use crate::domain::authorization_code::AuthorizationCode;
use crate::domain::code::CODE_LIFETIME;
use crate::domain::grant::GrantEnd;
use crate::domain::ids::{AppId, AuthorizationCodeId, ConnectionId};
use crate::domain::pkce::{CodeChallenge, CodeVerifier};
use crate::domain::timestamp::Timestamp;
use crate::domain::user::User;
use crate::store::{Conn, StoreError, authorization_codes, connections, grants, users};

/// Why a code was refused. To the client they are all `invalid_grant`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeRefusal {
    #[error("the code does not have the form of a code")]
    Malformed,
    #[error("no such code was issued")]
    Unknown,
    #[error("the code belongs to another client; it stays good for its own")]
    OtherClient { owner: AppId },
    #[error("the code was used before; what was issued for it has ended")]
    Used,
    #[error("the code has expired")]
    Expired { at: Timestamp },
    #[error("the redirect_uri is missing, or not the one of the authorization request; the code is burned")]
    RedirectUri,
    #[error("the code_verifier is missing or malformed; the code is burned")]
    MalformedVerifier,
    #[error("the code_verifier does not prove the code challenge; the code is burned")]
    WrongVerifier,
    #[error("there is a code_verifier, but the authorization request had no challenge; the code is burned")]
    UnexpectedVerifier,
    #[error("the code is bound to another key than the DPoP proof's; the code is burned")]
    OtherKey,
    #[error("the resource is not the one that was authorized; the code is burned")]
    OtherResource,
    #[error("the connection ended after the code was issued")]
    ConnectionEnded,
}

/// What a client sends, as it came.
pub struct Presented<'p> {
    pub code: &'p str,
    pub redirect_uri: Option<&'p str>,
    pub code_verifier: Option<&'p str>,
    pub resource: RequestedResource,
    /// The key that a DPoP proof showed.
    pub dpop_jkt: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum RedeemError {
    #[error(transparent)]
    Refused(#[from] CodeRefusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The row of a code for an authorization request that the user allowed.
pub fn of_request(
    request: &AuthorizationRequest,
    handle: &Handle,
    connection: ConnectionId,
    auth_time: Timestamp,
    now: Timestamp,
) -> Result<AuthorizationCode, StoreError> {
    let challenge = request.code_challenge.as_deref().map(CodeChallenge::parse).transpose();
    Ok(AuthorizationCode {
        id: AuthorizationCodeId(handle.id),
        app: request.client.clone(),
        connection,
        redirect_uri: request.target.uri.clone(),
        redirect_uri_given: request.redirect_uri_given,
        scopes: request.scopes.clone(),
        resource: request.resource.clone(),
        nonce: request.nonce.clone(),
        code_challenge: challenge.map_err(|why| StoreError::Corrupt(format!("a flow's code_challenge: {why}")))?,
        dpop_jkt: request.dpop_jkt.clone(),
        auth_time,
        expires_at: now.plus(CODE_LIFETIME),
    })
}

/// Redeems a code, once. A second time ends what was issued the first time (RFC 6749 section 4.1.2). What is wrong with
/// the rest of the request burns it, if it is the client's own.
pub async fn redeem(ctx: &Context, app: &App, presented: Presented<'_>) -> Result<Tokens, RedeemError> {
    let handle = Handle::parse(HandleKind::AuthorizationCode, presented.code).ok_or(CodeRefusal::Malformed)?;
    let now = ctx.now_for(&app.id);
    let attempt = Attempt {
        handle,
        app: app.clone(),
        redirect_uri: presented.redirect_uri.map(str::to_owned),
        verifier: presented.code_verifier.map(|text| CodeVerifier::parse(text).ok()),
        resource: presented.resource,
        fresh: NewGrant::draw(ctx, app, presented.dpop_jkt, now),
        now,
    };
    let attempt = std::sync::Arc::new(attempt);
    let granted = ctx
        .store
        .write(move |conn| {
            let attempt = attempt.clone();
            Box::pin(async move { attempt.settle(conn).await })
        })
        .await??;
    Ok(issue::hand_out(ctx, app, granted, true, now).await?)
}

struct Attempt {
    handle: Handle,
    app: App,
    redirect_uri: Option<String>,
    /// `Some(None)`: there is one, and it is malformed.
    verifier: Option<Option<CodeVerifier>>,
    resource: RequestedResource,
    fresh: NewGrant,
    now: Timestamp,
}

impl Attempt {
    /// One transaction: the code is consumed and what it is worth is recorded, or neither.
    async fn settle(&self, conn: &mut Conn) -> Result<Result<Granted, CodeRefusal>, StoreError> {
        let code = match self.consume(conn).await? {
            Ok(code) => code,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if let Err(refusal) = self.check(&code) {
            return Ok(Err(refusal));
        }
        let Some(user) = user_of(conn, code.connection).await? else {
            return Ok(Err(CodeRefusal::ConnectionEnded));
        };
        let authorized = Authorized {
            connection: code.connection,
            scopes: code.scopes,
            resource: code.resource,
            auth_time: code.auth_time,
        };
        let granted = self.fresh.record(conn, &self.app, &authorized, user).await?;
        Ok(granted.map(|granted| Granted { nonce: code.nonce, ..granted }).ok_or(CodeRefusal::ConnectionEnded))
    }

    async fn consume(&self, conn: &mut Conn) -> Result<Result<AuthorizationCode, CodeRefusal>, StoreError> {
        let id = AuthorizationCodeId(self.handle.id);
        let found = authorization_codes::find(conn, id).await?;
        let Some(found) = found.filter(|found| self.handle.matches(&found.secret_hash)) else {
            return Ok(Err(CodeRefusal::Unknown));
        };
        if found.code.app != self.app.id {
            return Ok(Err(CodeRefusal::OtherClient { owner: found.code.app }));
        }
        if authorization_codes::consume(conn, id, self.now, self.fresh.id).await? {
            return Ok(Ok(found.code));
        }
        // Read again: who was first may have written it since.
        let grant = authorization_codes::find(conn, id).await?.and_then(|found| found.grant);
        if let Some(grant) = grant {
            grants::end(conn, grant, self.now, GrantEnd::CodeReuse).await?;
        }
        Ok(Err(CodeRefusal::Used))
    }

    fn check(&self, code: &AuthorizationCode) -> Result<(), CodeRefusal> {
        if self.now >= code.expires_at {
            return Err(CodeRefusal::Expired { at: code.expires_at });
        }
        let is_same_address = match &self.redirect_uri {
            Some(uri) => *uri == code.redirect_uri,
            None => !code.redirect_uri_given,
        };
        if !is_same_address {
            return Err(CodeRefusal::RedirectUri);
        }
        match (&code.code_challenge, &self.verifier) {
            (None, None) => {}
            // A request whose challenge was taken out on the way (RFC 9700 section 4.8.2).
            (None, Some(_)) => return Err(CodeRefusal::UnexpectedVerifier),
            (Some(_), None | Some(None)) => return Err(CodeRefusal::MalformedVerifier),
            (Some(challenge), Some(Some(verifier))) => {
                if !proves(verifier, challenge) {
                    return Err(CodeRefusal::WrongVerifier);
                }
            }
        }
        if code.dpop_jkt.is_some() && code.dpop_jkt != self.fresh.dpop_jkt {
            return Err(CodeRefusal::OtherKey);
        }
        if !self.resource.fits(code.resource.as_ref()) {
            return Err(CodeRefusal::OtherResource);
        }
        Ok(())
    }
}

/// The user of a connection.
pub(super) async fn user_of(conn: &mut Conn, connection: ConnectionId) -> Result<Option<User>, StoreError> {
    let Some(connection) = connections::find(conn, connection).await? else { return Ok(None) };
    users::find(conn, connection.user).await
}
