//! Whether a client is the one it says (RFC 6749 section 2.3, RFC 7523 section 2.2).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::super::Context;
use super::super::journal::note;
use super::super::partner::hash_client_secret;
use super::super::throttle::TooMany;
use crate::crypto::client_keys::{AssertionClaims, ClientKeys, claimed_client, verify_assertion};
use crate::crypto::jwt::JwtError;
use crate::crypto::token::{sha256, verify_hash};
use crate::domain::app::{App, ClientType};
use crate::domain::auth_method::AuthMethod;
use crate::domain::ids::AppId;
use crate::domain::secret_hash::SecretHash;
use crate::domain::timestamp::Timestamp;
use crate::domain::usage::UsageKind;
use crate::store::apps::Secrets;
pub use crate::store::apps::{Client, Revision};
use crate::store::{StoreError, used_proofs};

/// How far ahead an assertion may end: it is kept in mind for that long (RFC 7523 section 3).
const MAX_ASSERTION_LIFETIME: Duration = Duration::from_secs(3_600);
/// How far two clocks may be apart.
const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// What a request says of its client.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// `client_secret_basic` or `client_secret_post`: a client with a secret may use either.
    Secret { id: String, secret: String },
    /// `private_key_jwt`; the id may be left out, since the assertion has it.
    Assertion { id: Option<String>, assertion: String },
    /// `none`: only an id.
    Id(String),
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Credentials::Secret { .. } => "Secret(…)",
            Credentials::Assertion { .. } => "Assertion(…)",
            Credentials::Id(_) => "Id(…)",
        })
    }
}

/// Why a client was not believed. To the client they are all `invalid_client`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientRefusal {
    #[error("there is no application with this client_id")]
    Unknown,
    #[error("the application is disabled")]
    Disabled,
    #[error("the client secret is wrong")]
    WrongSecret,
    #[error("the client has no secret: it is public, or has a key instead")]
    NoSecret,
    #[error("the client has to authenticate")]
    Unauthenticated,
    #[error("the client has no keys that an assertion could be checked with")]
    NoKeys,
    #[error("the client assertion is not good: {0}")]
    Assertion(JwtError),
    #[error("the client assertion is of another client")]
    OtherClient,
    #[error("the client assertion is not for this server")]
    Audience,
    #[error("the client assertion has expired, or is not valid yet, or lives for more than an hour")]
    Time,
    #[error("the client assertion was used before")]
    Replayed,
}

#[derive(Debug, thiserror::Error)]
pub enum ClientAuthError {
    #[error(transparent)]
    Refused(#[from] ClientRefusal),
    #[error("{0}, and {1}")]
    TooMany(ClientRefusal, TooMany),
    #[error("the credentials were not looked at: {0}")]
    NotLookedAt(TooMany),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The client of a request. `endpoints` are the routes that an assertion may have been made for: the one that
/// was called, and the token endpoint's (RFC 9126 section 2); `from` is the address of the caller, whose refusals are counted.
pub async fn authenticate(
    ctx: &Context,
    credentials: &Credentials,
    endpoints: &[&str],
    from: Option<IpAddr>,
) -> Result<Arc<Client>, ClientAuthError> {
    ctx.throttle.admit(from, id_of(credentials)).map_err(ClientAuthError::NotLookedAt)?;
    let checked = match try_authenticate(ctx, credentials, endpoints).await {
        Ok(client) if !client.app.is_active() => Err(ClientRefusal::Disabled.into()),
        checked => checked,
    };
    match checked {
        Err(ClientAuthError::Refused(why)) => Err(match ctx.throttle.refusal(from, id_of(credentials)) {
            Ok(()) => ClientAuthError::Refused(why),
            Err(too_many) => ClientAuthError::TooMany(why, too_many),
        }),
        settled => settled,
    }
}

fn id_of(credentials: &Credentials) -> &str {
    match credentials {
        Credentials::Secret { id, .. } | Credentials::Id(id) => id,
        Credentials::Assertion { id, .. } => id.as_deref().unwrap_or_default(),
    }
}

/// A client whose credentials are good for it as it is remembered. It may be told by nothing but its success whether that
/// still holds: whatever goes by it has the statement that settles it compare the revision.
pub struct Remembered(Arc<Client>);

impl Remembered {
    /// With the revision that its row has to have still.
    pub(super) fn client(&self) -> (&Arc<Client>, Revision) {
        (&self.0, self.0.revision)
    }

    pub fn revision(&self) -> Revision {
        self.0.revision
    }

    pub fn client_type(&self) -> ClientType {
        self.0.app.client_type()
    }
}

/// The client as it is remembered, where its credentials are good for that. Everything else is settled by
/// [`authenticate`]: what is remembered may let a request try, and never refuses one.
pub fn remembered(ctx: &Context, credentials: &Credentials, from: Option<IpAddr>) -> Option<Remembered> {
    ctx.throttle.admit(from, id_of(credentials)).ok()?;
    let client = AppId::parse(id_of(credentials)).ok().and_then(|id| ctx.store.remembered_client(&id));
    let is_let_in = match credentials {
        Credentials::Secret { secret, .. } => check_secret(ctx, client.as_deref(), secret).is_ok(),
        Credentials::Id(_) => client.as_ref().is_some_and(|client| client.app.auth_method == AuthMethod::None),
        // It is good for one time, which is the database's to say.
        Credentials::Assertion { .. } => false,
    };
    let client = client.filter(|client| is_let_in && client.app.is_active())?;
    note::app(&client.app.id);
    Some(Remembered(client))
}

async fn try_authenticate(
    ctx: &Context,
    credentials: &Credentials,
    endpoints: &[&str],
) -> Result<Arc<Client>, ClientAuthError> {
    match credentials {
        Credentials::Secret { id, secret } => {
            let found = find(ctx, id).await?;
            match (check_secret(ctx, found.as_deref(), secret), found) {
                (Ok(()), Some(client)) => Ok(client),
                (Ok(()), None) => Err(ClientRefusal::Unknown.into()),
                (Err(why), found) => {
                    if let Some(client) = found.filter(|_| why == ClientRefusal::WrongSecret) {
                        ctx.count(&client.app.id, UsageKind::Errors);
                    }
                    Err(why.into())
                }
            }
        }
        Credentials::Id(id) => {
            let client = find(ctx, id).await?.ok_or(ClientRefusal::Unknown)?;
            if client.app.auth_method == AuthMethod::None {
                Ok(client)
            } else {
                Err(ClientRefusal::Unauthenticated.into())
            }
        }
        Credentials::Assertion { id, assertion } => {
            let claimed = claimed_client(assertion).ok_or(ClientRefusal::Assertion(JwtError::Malformed))?;
            if id.as_ref().is_some_and(|id| *id != claimed) {
                return Err(ClientRefusal::OtherClient.into());
            }
            let client = find(ctx, &claimed).await?.ok_or(ClientRefusal::Unknown)?;
            Box::pin(check_assertion(ctx, &client.app, assertion, endpoints)).await?;
            Ok(client)
        }
    }
}

async fn find(ctx: &Context, id: &str) -> Result<Option<Arc<Client>>, StoreError> {
    let Ok(id) = AppId::parse(id) else { return Ok(None) };
    note::app(&id);
    ctx.store.client(&id).await
}

/// Does the same work for a client that there is not (rule E7).
fn check_secret(ctx: &Context, client: Option<&Client>, presented: &str) -> Result<(), ClientRefusal> {
    let now = client.map_or_else(|| ctx.now(), |client| ctx.now_for(&client.app.id));
    let right = is_secret(ctx, client.map(|client| &client.secrets), presented, now);
    let client = client.ok_or(ClientRefusal::Unknown)?;
    if !client.app.auth_method.has_secret() {
        return Err(ClientRefusal::NoSecret);
    }
    if right { Ok(()) } else { Err(ClientRefusal::WrongSecret) }
}

/// Does the same work where there is nothing stored. After a rotation two secrets are taken for a while.
pub(super) fn is_secret(ctx: &Context, stored: Option<&Secrets>, presented: &str, now: Timestamp) -> bool {
    let presented = hash_client_secret(ctx, presented);
    let decoy = SecretHash([0; 32]);
    let current = stored.and_then(|stored| stored.client.as_ref());
    let (previous, until) = match stored.and_then(|stored| stored.previous.as_ref()) {
        Some((previous, until)) => (previous, *until),
        None => (&decoy, now),
    };
    let is_current = verify_hash(&presented, current.unwrap_or(&decoy)) && current.is_some();
    let is_previous = verify_hash(&presented, previous) && now < until;
    is_current || is_previous
}

async fn check_assertion(ctx: &Context, app: &App, assertion: &str, endpoints: &[&str]) -> Result<(), ClientAuthError> {
    let keys = app.jwks.as_deref().filter(|_| app.auth_method == AuthMethod::PrivateKeyJwt);
    let keys = keys.and_then(|text| ClientKeys::parse(text).ok()).ok_or(ClientRefusal::NoKeys)?;
    let claims = verify_assertion(&keys, assertion).map_err(ClientRefusal::Assertion)?;
    // What a client stamps, it stamps by the machine's clock, unless its test moves that one too.
    let by_its_clock = check_claims(&claims, app, &ctx.issuer, endpoints, ctx.now_for(&app.id));
    let forget_at = match by_its_clock {
        Err(ClientRefusal::Time) => check_claims(&claims, app, &ctx.issuer, endpoints, ctx.real_now())?,
        judged => judged?,
    };
    let jti_hash = sha256(format!("assertion\0{}\0{}", app.id, claims.jti).as_bytes());
    let first =
        ctx.store.write(move |conn| Box::pin(async move { used_proofs::insert(conn, &jti_hash, forget_at).await }));
    if first.await? { Ok(()) } else { Err(ClientRefusal::Replayed.into()) }
}

/// Answers when the assertion may be forgotten, because it will be refused for its age.
fn check_claims(
    claims: &AssertionClaims,
    app: &App,
    issuer: &str,
    endpoints: &[&str],
    now: Timestamp,
) -> Result<Timestamp, ClientRefusal> {
    if claims.iss != app.id.as_str() || claims.sub != app.id.as_str() {
        return Err(ClientRefusal::OtherClient);
    }
    // For nobody else besides: an assertion that another server got as well could be brought here by it.
    let is_ours =
        |aud: &String| aud.strip_prefix(issuer).is_some_and(|below| below.is_empty() || endpoints.contains(&below));
    if claims.aud.is_empty() || !claims.aud.iter().all(is_ours) {
        return Err(ClientRefusal::Audience);
    }
    let is_over = claims.exp.0.plus(CLOCK_SKEW) <= now;
    let is_too_long = claims.exp.0 > now.plus(MAX_ASSERTION_LIFETIME + CLOCK_SKEW);
    let starts_later = [claims.nbf, claims.iat].iter().flatten().any(|from| from.0 > now.plus(CLOCK_SKEW));
    if is_over || is_too_long || starts_later {
        return Err(ClientRefusal::Time);
    }
    Ok(claims.exp.0.plus(CLOCK_SKEW))
}
