//! Clients that register themselves (RFC 7591) and look after their registration (RFC 7592). Who may register shows an
//! initial access token, which an operator makes; who may change a client shows the token that its registration answered.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::super::audit::Acting;
use super::super::partner::{self, PartnerError};
use super::super::throttle::TooMany;
use super::super::{Context, changes};
use super::client_auth::is_secret;
use super::client_metadata::ClientMetadata;
use super::error::{ErrorCode, Invalid};
use crate::crypto::token::{Handle, HandleKind};
use crate::domain::app::App;
use crate::domain::event::{Action, Change, Target, TargetKind};
use crate::domain::ids::{AppId, RegistrationTokenId};
use crate::domain::secret_hash::SecretHash;
use crate::domain::timestamp::Timestamp;
use crate::store::apps::Secrets;
use crate::store::{StoreError, apps, events, registration_tokens};

/// How long an initial access token is good where nothing else is asked for.
pub const TOKEN_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest that can be asked for.
const MAX_TOKEN_LIFETIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// What new clients are counted as: they have no id yet, and one initial access token makes any number of them.
const COUNTED_AS: &str = "registration";

/// Why a token does not open the registration. To whoever presents it they are all `invalid_token`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    #[error("the token does not have the form of one for registration")]
    Malformed,
    #[error("no such initial access token was made, or it was cleared away after its end")]
    Unknown,
    #[error("the initial access token has expired")]
    Expired { at: Timestamp },
    #[error("there is no such client, or it did not register itself, or the token is another one's")]
    NotOfClient,
}

#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    #[error(transparent)]
    Token(#[from] TokenRefusal),
    #[error("{0}, and {1}")]
    TooMany(TokenRefusal, TooMany),
    #[error("{0}")]
    TooManyClients(TooMany),
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An initial access token, to be shown once. Any number of clients may be registered with it until it expires.
pub struct InitialToken {
    pub token: String,
    pub expires_at: Timestamp,
}

/// A client as its registration left it.
pub struct Registered {
    pub app: App,
    /// Shown once, where one was made.
    pub client_secret: Option<String>,
    /// The registration access token.
    pub access_token: String,
}

/// A client whose registration access token was shown.
pub struct Managed {
    pub app: App,
    secrets: Secrets,
    access_token: String,
}

/// Whether an initial access token may be good for this long.
pub fn is_token_lifetime(lifetime: Duration) -> bool {
    (Duration::from_secs(1)..=MAX_TOKEN_LIFETIME).contains(&lifetime)
}

/// `lifetime` has passed [`is_token_lifetime`].
pub async fn make_token(ctx: &Acting<'_>, lifetime: Duration) -> Result<InitialToken, StoreError> {
    let now = ctx.now();
    let expires_at = now.plus(lifetime);
    let handle = ctx.mint(now);
    let (id, hash) = (RegistrationTokenId(handle.id), handle.hash());
    let mut event = ctx.event(Action::RegistrationTokenCreated, Target::kind(TargetKind::RegistrationToken, ""));
    event.changes = vec![Change::new("expires_at", expires_at.to_rfc3339())];
    let event = Arc::new(event);
    let written = ctx.store.write(move |conn| {
        let event = event.clone();
        Box::pin(async move {
            registration_tokens::insert(conn, id, &hash, now, expires_at).await?;
            events::record(conn, &event).await
        })
    });
    written.await?;
    Ok(InitialToken { token: handle.encode(HandleKind::RegistrationToken), expires_at })
}

/// Whether a client may register with this initial access token.
pub async fn authorize(ctx: &Context, token: &str, from: Option<IpAddr>) -> Result<(), RegistrationError> {
    counted(ctx, from, "", check_initial(ctx, token).await)
}

async fn check_initial(ctx: &Context, token: &str) -> Result<(), RegistrationError> {
    let handle = Handle::parse(HandleKind::RegistrationToken, token).ok_or(TokenRefusal::Malformed)?;
    let id = RegistrationTokenId(handle.id);
    let found = ctx.store.read(move |conn| Box::pin(registration_tokens::find(conn, id))).await?;
    let (_, at) = found.filter(|(hash, _)| handle.matches(hash)).ok_or(TokenRefusal::Unknown)?;
    if ctx.now() < at { Ok(()) } else { Err(TokenRefusal::Expired { at }.into()) }
}

/// Registers a client that says this of itself. An operator has not looked at it, so nobody is named as its publisher.
pub async fn register(ctx: &Acting<'_>, metadata: &Map<String, Value>) -> Result<Registered, RegistrationError> {
    let metadata = ClientMetadata::read(metadata, ctx.password_grant)?;
    ctx.throttle.opening(ctx.by().from, COUNTED_AS).map_err(RegistrationError::TooManyClients)?;
    let blank = App { publisher: String::new(), ..partner::draft_app(ctx, None, String::new()) };
    let app = metadata.describe(blank);
    app.check().map_err(Invalid::from)?;
    let client_secret = app.auth_method.has_secret().then(|| partner::make_client_secret(ctx));
    let management = ctx.mint(app.created_at);
    let secrets = Secrets {
        client: client_secret.as_deref().map(|secret| partner::hash_client_secret(ctx, secret)),
        registration: Some(management.hash()),
        previous: None,
    };
    let (row, event) = (app.clone(), Arc::new(ctx.event(Action::AppCreated, Target::app(&app.id, &app.name))));
    let inserted = ctx.store.write(move |conn| {
        let (app, secrets, event) = (row.clone(), secrets.clone(), event.clone());
        Box::pin(async move {
            let inserted = apps::insert(conn, &app, &secrets).await?;
            if inserted {
                events::record(conn, &event).await?;
            }
            Ok(inserted)
        })
    });
    if !inserted.await? {
        return Err(StoreError::Conflict.into());
    }
    Ok(Registered { app, client_secret, access_token: management.encode(HandleKind::ManagementToken) })
}

/// The client that this registration access token is for. That there is no such client is not told from a wrong token
/// (RFC 7592 section 2).
pub async fn open(
    ctx: &Context,
    client_id: &str,
    token: &str,
    from: Option<IpAddr>,
) -> Result<Managed, RegistrationError> {
    counted(ctx, from, client_id, check_management(ctx, client_id, token).await)
}

async fn check_management(ctx: &Context, client_id: &str, token: &str) -> Result<Managed, RegistrationError> {
    let handle = Handle::parse(HandleKind::ManagementToken, token).ok_or(TokenRefusal::Malformed)?;
    let id = AppId::parse(client_id).map_err(|_| TokenRefusal::NotOfClient)?;
    let found = ctx.store.read(move |conn| {
        let id = id.clone();
        Box::pin(async move { apps::find_with_secrets(conn, &id).await })
    });
    let found = found.await?;
    let expected = found.as_ref().and_then(|(_, secrets)| secrets.registration);
    // The same work where there is nothing to compare with.
    let is_right = handle.matches(&expected.unwrap_or(SecretHash([0; 32]))) && expected.is_some();
    let (app, secrets) = found.filter(|_| is_right).ok_or(TokenRefusal::NotOfClient)?;
    Ok(Managed { app, secrets, access_token: token.to_owned() })
}

fn counted<T>(
    ctx: &Context,
    from: Option<IpAddr>,
    subject: &str,
    checked: Result<T, RegistrationError>,
) -> Result<T, RegistrationError> {
    let Err(RegistrationError::Token(why)) = checked else { return checked };
    ctx.throttle.refusal(from, subject).map_err(|too_many| RegistrationError::TooMany(why, too_many))?;
    Err(why.into())
}

/// Replaces all that the client said of itself (RFC 7592 section 2.2).
pub async fn replace(
    ctx: &Acting<'_>,
    managed: Managed,
    metadata: &Map<String, Value>,
) -> Result<Registered, RegistrationError> {
    check_identity(ctx, &managed, metadata)?;
    let Managed { app, access_token, .. } = managed;
    let app = ClientMetadata::read(metadata, ctx.password_grant)?.describe(app);
    app.check().map_err(Invalid::from)?;
    let secret = partner::make_client_secret(ctx);
    let (row, fresh) = (app.clone(), partner::hash_client_secret(ctx, &secret));
    let event = ctx.event(Action::AppChanged, Target::app(&app.id, &app.name));
    let replaced = ctx.store.write(move |conn| {
        let (app, mut event) = (row.clone(), event.clone());
        Box::pin(async move {
            let Some(replaced) = partner::replace_app(conn, &app, &fresh).await? else { return Ok(None) };
            event.changes = changes::of_app(&replaced.before, &app);
            if !event.changes.is_empty() {
                events::record(conn, &event).await?;
            }
            Ok(Some(replaced.has_secret_now))
        })
    });
    // Deleted between the two looks.
    let has_secret_now = replaced.await?.ok_or(TokenRefusal::NotOfClient)?;
    Ok(Registered { app, client_secret: has_secret_now.then_some(secret), access_token })
}

/// A request to change a client has its id in it, and no other secret than its own.
fn check_identity(ctx: &Context, managed: &Managed, metadata: &Map<String, Value>) -> Result<(), Invalid> {
    const OTHER: Invalid = Invalid::new(ErrorCode::InvalidClientMetadata, "client_id has to be the client's own.");
    const WRONG: Invalid = Invalid::new(ErrorCode::InvalidClientMetadata, "client_secret is not the client's own.");
    if metadata.get("client_id").and_then(Value::as_str) != Some(managed.app.id.as_str()) {
        return Err(OTHER);
    }
    match metadata.get("client_secret") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(secret)) if is_secret(ctx, Some(&managed.secrets), secret, ctx.now_for(&managed.app.id)) => {
            Ok(())
        }
        Some(_) => Err(WRONG),
    }
}

/// Deletes a client: no token of it works any more.
pub async fn delete(ctx: &Acting<'_>, managed: Managed) -> Result<(), StoreError> {
    match partner::delete_app(ctx, &managed.app.id).await {
        Err(PartnerError::Store(error)) => Err(error),
        // Gone before is gone, too.
        Ok(()) | Err(_) => Ok(()),
    }
}

impl From<Managed> for Registered {
    /// As it is, without a secret: only a hash of that is kept.
    fn from(managed: Managed) -> Self {
        Self { app: managed.app, client_secret: None, access_token: managed.access_token }
    }
}
