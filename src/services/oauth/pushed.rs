//! Pushed authorization requests (RFC 9126): a client hands its request over beforehand, and the browser carries only
//! a reference.

use std::net::IpAddr;
use std::time::Duration;

use super::super::Context;
use super::super::throttle::TooMany;
use super::authorization::{self, AuthorizationError, Channel, Unsendable};
use super::error::{ErrorCode, Invalid};
use crate::crypto::token::{Handle, HandleKind};
use crate::domain::app::App;
use crate::domain::authorization::AuthorizationRequest;
use crate::domain::ids::PushedRequestId;
use crate::domain::pairs::Pairs;
use crate::store::{StoreError, pushed_requests};

/// How long a reference lives (RFC 9126 section 2.2: between 5 and 600 seconds).
pub const REQUEST_URI_LIFETIME: Duration = Duration::from_secs(90);

const URI_PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

#[derive(Debug, thiserror::Error)]
pub enum PushError {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error(transparent)]
    TooMany(#[from] TooMany),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<AuthorizationError> for PushError {
    fn from(error: AuthorizationError) -> Self {
        match error {
            AuthorizationError::Sendable { invalid, .. } => PushError::Invalid(invalid),
            AuthorizationError::Store(error) => PushError::Store(error),
            AuthorizationError::Unsendable(why) => PushError::Invalid(match why {
                Unsendable::RequestUri => Invalid::request("request_uri is not a parameter here."),
                Unsendable::Client | Unsendable::Disabled => {
                    Invalid::new(ErrorCode::InvalidClient, "The client is not known.")
                }
                Unsendable::RedirectUriTwice => Invalid::request("redirect_uri is there twice."),
                Unsendable::RedirectUri => Invalid::request("The redirect_uri is not registered for this client."),
                Unsendable::NoRedirectUri => {
                    Invalid::request("redirect_uri is missing, and the client has not registered exactly one.")
                }
            }),
        }
    }
}

/// Keeps a client's request; answers the reference to it. `dpop_jkt` is the key of a proof that came along, to which
/// the code will be bound (RFC 9449 section 10.1).
/// `from` is the client's address.
pub async fn push(
    ctx: &Context,
    app: &App,
    parameters: &Pairs,
    dpop_jkt: Option<String>,
    from: Option<IpAddr>,
) -> Result<String, PushError> {
    if parameters.get("request_uri") != Ok(None) {
        return Err(Invalid::request("request_uri is not a parameter here.").into());
    }
    let mut request = authorization::check_for(ctx, app, parameters, Channel::Pushed).await?;
    if let Some(jkt) = dpop_jkt {
        if request.dpop_jkt.as_ref().is_some_and(|named| *named != jkt) {
            return Err(Invalid::new(ErrorCode::InvalidDpopProof, "dpop_jkt is of another key than the proof.").into());
        }
        request.dpop_jkt = Some(jkt);
    }
    ctx.throttle.opening(from, app.id.as_str())?;
    let now = ctx.now_for(&app.id);
    let handle = ctx.mint(now);
    let (id, hash) = (PushedRequestId(handle.id), handle.hash());
    ctx.store
        .write(move |conn| {
            let request = request.clone();
            Box::pin(
                async move { pushed_requests::insert(conn, id, &hash, &request, now.plus(REQUEST_URI_LIFETIME)).await },
            )
        })
        .await?;
    Ok(format!("{URI_PREFIX}{}", handle.encode(HandleKind::PushedRequest)))
}

/// The request behind a reference, once. `None` where it is unknown, was used, has expired or is another client's.
pub(super) async fn take(ctx: &Context, app: &App, uri: &str) -> Result<Option<AuthorizationRequest>, StoreError> {
    let handle = uri.strip_prefix(URI_PREFIX).and_then(|text| Handle::parse(HandleKind::PushedRequest, text));
    let Some(handle) = handle else { return Ok(None) };
    let (now, app) = (ctx.now_for(&app.id), app.id.clone());
    ctx.store
        .write(move |conn| {
            let (handle, app) = (handle.clone(), app.clone());
            Box::pin(async move {
                let id = PushedRequestId(handle.id);
                let Some(found) = pushed_requests::find(conn, id).await? else { return Ok(None) };
                let is_good =
                    handle.matches(&found.secret_hash) && found.request.client == app && now < found.expires_at;
                if !is_good || !pushed_requests::consume(conn, id, now).await? {
                    return Ok(None);
                }
                Ok(Some(found.request))
            })
        })
        .await
}
