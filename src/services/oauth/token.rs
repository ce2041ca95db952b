//! The token endpoint (RFC 6749 section 3.2): one grant for each `grant_type`.

use std::net::IpAddr;
use std::sync::Arc;

use super::super::Context;
use super::super::action_callback::CallbackRefusal;
use super::super::consent::{self, Asked, Through};
use super::super::dialog::REFUSED;
use super::super::login::{self, LoginError};
use super::super::throttle::TooMany;
use super::authorization::{requested_resource, requested_scopes};
use super::client_auth::Remembered;
use super::code::{self, CodeRefusal};
use super::device::{self, DeviceRefusal};
use super::error::{ErrorCode, Invalid};
use super::issue::{self, Authorized, NewGrant, Recorded, RecordedSubject, Tokens};
use super::refresh::{self, RefreshError, RefreshRefusal};
use crate::crypto::password::Busy;
use crate::domain::app::{App, ClientType};
use crate::domain::grant_type::GrantType;
use crate::domain::ids::AccessTokenId;
use crate::domain::magic::Magic;
use crate::domain::pairs::Pairs;
use crate::domain::scope::{Scope, ScopeSet};
use crate::domain::usage::UsageKind;
use crate::entropy::time_ordered_id;
use crate::store::StoreError;
use crate::store::access_tokens::{Issue, IssueKind, SignedIssue};
use crate::store::apps::{Client, Revision};
use crate::telemetry::TOKENS_ISSUED;

/// The parameters that mean something here, each of which may come once (RFC 6749 section 3.2).
pub const PARAMETERS: [&str; 16] = [
    "grant_type",
    "code",
    "redirect_uri",
    "code_verifier",
    "refresh_token",
    "scope",
    "username",
    "password",
    "device_code",
    "resource",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    // Of revocation and introspection, which read their clients in the same way.
    "token",
    "token_type_hint",
];

/// Why there are no tokens.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error(transparent)]
    Code(#[from] CodeRefusal),
    #[error(transparent)]
    Refresh(#[from] RefreshRefusal),
    #[error(transparent)]
    Device(#[from] DeviceRefusal),
    #[error("the user name and the password do not go together, or the user is disabled")]
    Password,
    #[error("the user does not allow it")]
    Denied,
    #[error(transparent)]
    Refused(CallbackRefusal),
    #[error(transparent)]
    TooMany(#[from] TooMany),
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TokenError {
    /// What the client is told. Unknown, expired and used look alike (rule D16).
    pub fn invalid(&self) -> Option<Invalid> {
        Some(match self {
            TokenError::Invalid(invalid) => *invalid,
            TokenError::Code(_) => Invalid::new(
                ErrorCode::InvalidGrant,
                "The code is not valid: it is unknown, was used, has expired, or does not go with this request.",
            ),
            TokenError::Refresh(_) => Invalid::new(
                ErrorCode::InvalidGrant,
                "The refresh token is not valid: it is unknown, was used, has expired or was revoked.",
            ),
            TokenError::Password => {
                Invalid::new(ErrorCode::InvalidGrant, "The user name and the password do not go together.")
            }
            TokenError::Refused(_) => Invalid::new(ErrorCode::InvalidGrant, REFUSED),
            TokenError::Denied => Invalid::new(ErrorCode::InvalidGrant, "The user did not allow access."),
            TokenError::Device(why) => match why {
                DeviceRefusal::Pending => {
                    Invalid::new(ErrorCode::AuthorizationPending, "The user has not decided yet. Ask again later.")
                }
                DeviceRefusal::TooSoon => {
                    Invalid::new(ErrorCode::SlowDown, "Wait five seconds longer between two requests from now on.")
                }
                DeviceRefusal::Denied => Invalid::new(ErrorCode::AccessDenied, "The user did not allow access."),
                DeviceRefusal::Expired { .. } => {
                    Invalid::new(ErrorCode::ExpiredToken, "The device code has expired. Begin again.")
                }
                DeviceRefusal::Malformed
                | DeviceRefusal::Unknown
                | DeviceRefusal::OtherClient { .. }
                | DeviceRefusal::Used
                | DeviceRefusal::ConnectionEnded => Invalid::new(
                    ErrorCode::InvalidGrant,
                    "The device code is not valid: it is unknown, was used, or is not of this client.",
                ),
            },
            TokenError::TooMany(_) | TokenError::Busy(_) | TokenError::Store(_) => return None,
        })
    }
}

impl From<code::RedeemError> for TokenError {
    fn from(error: code::RedeemError) -> Self {
        match error {
            code::RedeemError::Refused(why) => why.into(),
            code::RedeemError::Store(error) => error.into(),
        }
    }
}

impl From<RefreshError> for TokenError {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Refused(why) => why.into(),
            RefreshError::Invalid(invalid) => invalid.into(),
            RefreshError::Store(error) => error.into(),
        }
    }
}

impl From<device::PollError> for TokenError {
    fn from(error: device::PollError) -> Self {
        match error {
            device::PollError::Refused(why) => why.into(),
            device::PollError::Store(error) => error.into(),
        }
    }
}

/// A request of a client that has been authenticated.
pub struct TokenRequest<'r> {
    pub client: &'r Arc<Client>,
    pub parameters: &'r Pairs,
    /// The key that a DPoP proof showed.
    pub dpop_jkt: Option<String>,
    /// The address of the caller, whose refusals are counted.
    pub from: Option<IpAddr>,
    /// What the client was remembered as, where the request was tried so, in vain.
    pub tried: Option<Revision>,
}

/// Issues tokens for a grant.
pub async fn token(ctx: &Context, request: TokenRequest<'_>) -> Result<Tokens, TokenError> {
    let (app, from) = (&request.client.app, request.from);
    let parameters = request.parameters;
    let settled = try_token(ctx, request).await;
    match &settled {
        Ok(_) => note_issued(ctx, app, parameters),
        // A device that waits does nothing wrong; our own failures are not the application's.
        Err(TokenError::Device(DeviceRefusal::Pending | DeviceRefusal::TooSoon) | TokenError::Store(_)) => {}
        Err(_) => ctx.count(&app.id, UsageKind::Errors),
    }
    match settled {
        // What a guess could get right is limited.
        Err(error @ (TokenError::Code(_) | TokenError::Refresh(_))) => {
            ctx.throttle.refusal(from, app.id.as_str())?;
            Err(error)
        }
        settled => settled,
    }
}

/// Whether it is one of the two grants that machines repeat all day, which may be tried with a client as it is remembered.
pub fn is_repeated(parameters: &Pairs) -> bool {
    let grant = parameters.get("grant_type").ok().flatten().and_then(|name| GrantType::parse(name).ok());
    matches!(grant, Some(GrantType::RefreshToken | GrantType::ClientCredentials))
}

/// The same for a client as it is remembered, where the grant [`is_repeated`], is in order, and the client's row is still the
/// one. `None`: nothing was issued, counted or settled.
pub async fn token_for_remembered(
    ctx: &Context,
    remembered: &Remembered,
    parameters: &Pairs,
) -> Result<Option<Tokens>, StoreError> {
    let (client, revision) = remembered.client();
    let request = TokenRequest { client, parameters, dpop_jkt: None, from: None, tried: None };
    let issued = match permitted_grant(ctx, &request) {
        Ok(GrantType::RefreshToken) => match refresh_asked(&request) {
            Ok(asked) => match refresh::refresh_for_remembered(ctx, remembered, asked).await {
                Err(RefreshError::Store(error)) => return Err(error),
                settled => settled.ok().flatten(),
            },
            Err(_) => None,
        },
        Ok(GrantType::ClientCredentials) => match client_asked(ctx, &request) {
            Ok(asked) => {
                let asked = SignedIssue { app_revision: Some(revision), ..asked };
                match client_credentials(ctx, &client.app, asked).await {
                    Err(TokenError::Store(error)) => return Err(error),
                    settled => settled.ok(),
                }
            }
            Err(_) => None,
        },
        _ => None,
    };
    if issued.is_some() {
        note_issued(ctx, &client.app, parameters);
    }
    Ok(issued)
}

fn note_issued(ctx: &Context, app: &App, parameters: &Pairs) {
    let name = parameters.get("grant_type").ok().flatten().unwrap_or_default();
    let grant = GrantType::parse(name).ok();
    TOKENS_ISSUED.add([grant.map_or("unknown", GrantType::short_name)]);
    if grant == Some(GrantType::RefreshToken) {
        ctx.count(&app.id, UsageKind::Refreshes);
    }
}

fn required<'r>(parameters: &'r Pairs, name: &str, missing: &'static str) -> Result<&'r str, Invalid> {
    parameters.get(name)?.ok_or(Invalid::request(missing))
}

/// The grant that is asked for, if the server has it and the client may use it.
fn permitted_grant(ctx: &Context, request: &TokenRequest<'_>) -> Result<GrantType, Invalid> {
    let app = &request.client.app;
    let unsupported = Invalid::new(ErrorCode::UnsupportedGrantType, "This server does not have that grant_type.");
    let grant = required(request.parameters, "grant_type", "grant_type is missing.")?;
    let grant = GrantType::parse(grant).map_err(|_| unsupported)?;
    if grant == GrantType::Password && !ctx.password_grant {
        return Err(unsupported);
    }
    // Only for a client that can prove itself (RFC 6749 section 4.4).
    let is_allowed = grant != GrantType::ClientCredentials || app.client_type() == ClientType::Confidential;
    if !app.has_grant(grant) || !is_allowed {
        let description = "This client is not registered for that grant_type.";
        return Err(Invalid::new(ErrorCode::UnauthorizedClient, description));
    }
    if app.requires_dpop && request.dpop_jkt.is_none() {
        let description = "This client takes only tokens that are bound to a key: send a DPoP proof.";
        return Err(Invalid::new(ErrorCode::InvalidDpopProof, description));
    }
    Ok(grant)
}

fn refresh_asked<'r>(request: &TokenRequest<'r>) -> Result<refresh::Asked<'r>, Invalid> {
    Ok(refresh::Asked {
        refresh_token: required(request.parameters, "refresh_token", "refresh_token is missing.")?,
        scope: request.parameters.get("scope")?,
        resource: request.parameters.get("resource")?,
        dpop_jkt: request.dpop_jkt.clone(),
    })
}

fn client_asked(ctx: &Context, request: &TokenRequest<'_>) -> Result<SignedIssue, Invalid> {
    let app = &request.client.app;
    let scopes = own_scopes(app, request.parameters.get("scope")?)?;
    let resource = requested_resource(ctx, app, request.parameters.get("resource")?)?.into_resource();
    Ok(SignedIssue { user: None, scopes, resource, dpop_jkt: request.dpop_jkt.clone(), app_revision: None })
}

async fn try_token(ctx: &Context, request: TokenRequest<'_>) -> Result<Tokens, TokenError> {
    let app = &request.client.app;
    let grant = permitted_grant(ctx, &request)?;
    let get = |name: &str| request.parameters.get(name).map_err(Invalid::from);
    let required = |name: &str, missing: &'static str| required(request.parameters, name, missing);
    let dpop_jkt = request.dpop_jkt.clone();
    // The grants that people take part in are boxed: the two that machines repeat all day would carry and move the room
    // that they need.
    match grant {
        GrantType::AuthorizationCode => {
            let presented = code::Presented {
                code: required("code", "code is missing.")?,
                redirect_uri: get("redirect_uri")?,
                code_verifier: get("code_verifier")?,
                resource: requested_resource(ctx, app, get("resource")?)?,
                dpop_jkt,
            };
            Ok(Box::pin(code::redeem(ctx, app, presented)).await?)
        }
        GrantType::RefreshToken => {
            Ok(refresh::refresh(ctx, request.client, refresh_asked(&request)?, request.tried).await?)
        }
        GrantType::ClientCredentials => client_credentials(ctx, app, client_asked(ctx, &request)?).await,
        GrantType::Password => {
            let credentials = Password {
                username: required("username", "username is missing.")?,
                password: required("password", "password is missing.")?,
                scopes: requested_scopes(app, get("scope")?)?,
                resource: requested_resource(ctx, app, get("resource")?)?.into_resource(),
                dpop_jkt,
                from: request.from,
            };
            Box::pin(password(ctx, app, credentials)).await
        }
        GrantType::DeviceCode => {
            let device_code = required("device_code", "device_code is missing.")?;
            Ok(Box::pin(device::poll(ctx, app, device_code, dpop_jkt)).await?)
        }
    }
}

/// A client's own scopes have no user in them.
fn own_scopes(app: &App, scope: Option<&str>) -> Result<ScopeSet, Invalid> {
    let scopes = requested_scopes(app, scope)?;
    if scopes.iter().all(Scope::is_api) {
        return Ok(scopes);
    }
    Err(Invalid::new(ErrorCode::InvalidScope, "The scope has a name that stands for a user, and there is none here."))
}

/// RFC 6749 section 4.4: the same path to the database as LeadExec's refresh.
async fn client_credentials(ctx: &Context, app: &App, signed: SignedIssue) -> Result<Tokens, TokenError> {
    let now = ctx.now_for(&app.id);
    let issue = Issue {
        id: AccessTokenId(time_ordered_id(&*ctx.entropy, now)),
        app: app.id.clone(),
        now,
        kind: IssueKind::Signed(signed.clone()),
    };
    let gone = Invalid::new(ErrorCode::InvalidClient, "The client is not known.");
    let issued = ctx.store.issue(issue).await?.ok_or(gone)?;
    let recorded = Recorded {
        app,
        issued,
        now,
        scopes: signed.scopes,
        resource: signed.resource,
        dpop_jkt: signed.dpop_jkt,
        subject: RecordedSubject::Client,
    };
    Ok(issue::sign(ctx, recorded).await.map_err(StoreError::from)?)
}

struct Password<'p> {
    username: &'p str,
    password: &'p str,
    scopes: ScopeSet,
    resource: Option<crate::domain::resource::Resource>,
    dpop_jkt: Option<String>,
    from: Option<IpAddr>,
}

/// RFC 6749 section 4.3: the password is the consent, and makes the same connection as the dialog's.
async fn password(ctx: &Context, app: &App, given: Password<'_>) -> Result<Tokens, TokenError> {
    let who = login::with_password(ctx, given.username, given.password, given.from).await;
    let who = who.map_err(|error| match error {
        LoginError::WrongCredentials | LoginError::Password(_) => TokenError::Password,
        LoginError::TooMany(too_many) => too_many.into(),
        LoginError::Busy(busy) => busy.into(),
        LoginError::Store(error) => error.into(),
    })?;
    let now = ctx.now_for(&app.id);
    let asked = Asked { user: who.user(), app, scopes: &given.scopes, now };
    if who.user().magic == Some(Magic::Deny) {
        consent::denied(ctx, asked).await?;
        return Err(TokenError::Denied);
    }
    let proposal = consent::proposal(ctx, who.user(), app, given.scopes.clone(), Through::Grant, now);
    consent::ask(ctx, asked, &proposal).await?.map_err(TokenError::Refused)?;
    let fresh = NewGrant::draw(ctx, app, given.dpop_jkt, now);
    let work = Arc::new((who, proposal, fresh, app.clone(), given.scopes, given.resource));
    let recorded = ctx
        .store
        .write(move |conn| {
            let work = work.clone();
            Box::pin(async move {
                let (who, proposal, fresh, app, scopes, resource) = &*work;
                if !who.still_holds(conn).await? {
                    return Ok(None);
                }
                let Some(connection) = consent::connect(conn, proposal).await? else { return Ok(None) };
                let authorized =
                    Authorized { connection, scopes: scopes.clone(), resource: resource.clone(), auth_time: fresh.now };
                fresh.record(conn, app, &authorized, who.user().clone()).await
            })
        })
        .await?;
    let granted = recorded.ok_or(TokenError::Password)?;
    ctx.told();
    // No page of ours was shown: the client knows the user's password, and gets no statement of ours about a sign-in.
    Ok(issue::hand_out(ctx, app, granted, false, now).await?)
}
