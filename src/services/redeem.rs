//! Swapping a button's authorization code for the result (sign-in-button flow, step 4).

use std::net::IpAddr;

use super::journal::note;
use super::throttle::TooMany;
use super::{Context, Granted, opaque_issue};
use crate::crypto::refresh_token;
use crate::crypto::token::{Handle, HandleKind, proves};
use crate::domain::button::Button;
use crate::domain::ids::{AppId, ButtonId, CodeId, ConnectionId, ResumeHandleId, SessionId};
use crate::domain::magic::Magic;
use crate::domain::origin::Origin;
use crate::domain::pkce::CodeVerifier;
use crate::domain::session::{RESUME_LIFETIME, ResumeHandle};
use crate::domain::timestamp::Timestamp;
use crate::domain::usage::UsageKind;
use crate::store::access_tokens::Issued;
use crate::store::{Conn, StoreError, access_tokens, buttons, codes, resume_handles, sessions, users};
use crate::telemetry::TOKENS_ISSUED;

/// Why a code was refused. To the client they are all one: `invalid_grant`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeRefusal {
    #[error("the code does not have the form of a code")]
    Malformed,
    #[error("the code verifier is missing or malformed")]
    MalformedVerifier,
    #[error("no such code was issued")]
    Unknown,
    #[error("the code belongs to another button")]
    OtherButton { owner: ButtonId },
    #[error("the code was handed to a page of another origin")]
    OtherOrigin { of: Origin },
    #[error("the code was used before")]
    Used,
    #[error("the code has expired")]
    Expired { at: Timestamp },
    #[error("the code verifier does not prove the code challenge; the code is burned")]
    WrongVerifier,
    #[error("the user signed out after the code was issued")]
    SignedOut,
    #[error("the connection ended after the code was issued")]
    ConnectionEnded,
}

#[derive(Debug, thiserror::Error)]
pub enum RedeemError {
    #[error("the origin is not listed for the button")]
    OriginNotAllowed,
    #[error("there is no button with this id")]
    InvalidButton,
    #[error(transparent)]
    Refused(#[from] CodeRefusal),
    #[error("{0}, and {1}")]
    TooMany(CodeRefusal, TooMany),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A redeemed code: the result, and the handle that spares the next visit a click.
pub struct Redeemed {
    pub granted: Granted,
    pub app: AppId,
    pub resume_handle: String,
}

/// What a page sends, as it came.
#[derive(Default)]
pub struct Presented {
    pub btn: String,
    pub code: String,
    pub code_verifier: String,
}

/// Whether any button may be used on this origin: judged before a body is looked at.
pub async fn is_origin_listed(ctx: &Context, origin: &Origin) -> Result<bool, StoreError> {
    let origin = origin.clone();
    ctx.store
        .read(move |conn| {
            let origin = origin.clone();
            Box::pin(async move { buttons::is_origin_listed(conn, &origin).await })
        })
        .await
}

/// Redeems a code, once. A wrong verifier burns it; a wrong button or origin does not, so that a stranger
/// cannot spoil it for its owner.
/// `from` is the address of the browser, whose refusals are counted.
pub async fn redeem(
    ctx: &Context,
    origin: &Origin,
    presented: Presented,
    from: Option<IpAddr>,
) -> Result<Redeemed, RedeemError> {
    let btn = presented.btn.clone();
    match try_redeem(ctx, origin, presented).await {
        Err(RedeemError::Refused(why)) => Err(match ctx.throttle.refusal(from, &btn) {
            Ok(()) => RedeemError::Refused(why),
            Err(too_many) => RedeemError::TooMany(why, too_many),
        }),
        settled => settled,
    }
}

async fn try_redeem(ctx: &Context, origin: &Origin, presented: Presented) -> Result<Redeemed, RedeemError> {
    let button = super::sign_in::find_button(ctx, &presented.btn).await?.ok_or(RedeemError::InvalidButton)?;
    let app = button.app.clone();
    let settled = try_redeem_at(ctx, origin, presented, button).await;
    if matches!(settled, Err(RedeemError::OriginNotAllowed | RedeemError::Refused(_))) {
        ctx.count(&app, UsageKind::Errors);
    }
    settled
}

async fn try_redeem_at(
    ctx: &Context,
    origin: &Origin,
    presented: Presented,
    button: Button,
) -> Result<Redeemed, RedeemError> {
    if !button.allows_origin(origin) {
        return Err(RedeemError::OriginNotAllowed);
    }
    let handle = Handle::parse(HandleKind::Code, &presented.code).ok_or(CodeRefusal::Malformed)?;
    let verifier = CodeVerifier::parse(&presented.code_verifier).ok();
    let (now, server_now) = (ctx.now_for(&button.app), ctx.now());
    let attempt = Attempt { handle, verifier, button: button.id, origin: origin.clone(), now, server_now };
    let attempt = std::sync::Arc::new(attempt);
    let fresh = Fresh { access: ctx.mint(now), resume: ctx.mint(now) };
    let (access, resume) = (fresh.access.clone(), fresh.resume.clone());
    let fresh = std::sync::Arc::new(fresh);
    let settled = ctx
        .store
        .write(move |conn| {
            let (attempt, fresh) = (attempt.clone(), fresh.clone());
            Box::pin(async move { attempt.settle(conn, &fresh).await })
        })
        .await??;
    TOKENS_ISSUED.add(["button"]);
    note::connection(settled.connection);
    note::user(&settled.email);
    ctx.store.note_use(settled.connection, now);
    if let Some(delay) = settled.magic.and_then(Magic::delay) {
        tokio::time::sleep(delay).await;
    }
    Ok(Redeemed {
        granted: Granted {
            connection: settled.connection,
            refresh_token: refresh_token::derive(&ctx.keys.ring(), settled.connection),
            access_token: access.encode(HandleKind::AccessToken),
            expires_at: settled.issued.expires_at,
        },
        app: settled.app,
        resume_handle: resume.encode(HandleKind::ResumeHandle),
    })
}

struct Attempt {
    handle: Handle,
    verifier: Option<CodeVerifier>,
    button: ButtonId,
    origin: Origin,
    now: Timestamp,
    /// Which the sign-in at this server goes by.
    server_now: Timestamp,
}

struct Fresh {
    access: Handle,
    resume: Handle,
}

struct Settled {
    connection: ConnectionId,
    app: AppId,
    issued: Issued,
    magic: Option<Magic>,
    email: String,
}

impl Attempt {
    /// One transaction: the code is consumed and what it is worth is recorded, or neither.
    async fn settle(&self, conn: &mut Conn, fresh: &Fresh) -> Result<Result<Settled, CodeRefusal>, StoreError> {
        let code = match self.consume(conn).await? {
            Ok(code) => code,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let Some(session) = sessions::find_live(conn, code.session, self.server_now).await? else {
            return Ok(Err(CodeRefusal::SignedOut));
        };
        let issue = opaque_issue(&fresh.access, code.connection, code.app.clone(), self.now);
        let Some(issued) = access_tokens::issue(conn, &[issue]).await?.pop().flatten() else {
            return Ok(Err(CodeRefusal::ConnectionEnded));
        };
        let handle =
            resume_handle(&fresh.resume, &code.app, &self.origin, session.session.id, code.connection, self.now);
        resume_handles::insert(conn, &handle, &fresh.resume.hash()).await?;
        let Some(user) = users::find(conn, session.session.user).await? else {
            return Ok(Err(CodeRefusal::SignedOut));
        };
        let email = user.email.to_string();
        Ok(Ok(Settled { connection: code.connection, app: code.app, issued, magic: user.magic, email }))
    }

    async fn consume(&self, conn: &mut Conn) -> Result<Result<crate::domain::code::Code, CodeRefusal>, StoreError> {
        let found = codes::find(conn, CodeId(self.handle.id)).await?;
        let Some(found) = found.filter(|found| self.handle.matches(&found.secret_hash)) else {
            return Ok(Err(CodeRefusal::Unknown));
        };
        let code = found.code;
        if code.button != self.button {
            return Ok(Err(CodeRefusal::OtherButton { owner: code.button }));
        }
        if code.origin != self.origin {
            return Ok(Err(CodeRefusal::OtherOrigin { of: code.origin }));
        }
        if !codes::consume(conn, code.id, self.now).await? {
            return Ok(Err(CodeRefusal::Used));
        }
        let Some(verifier) = &self.verifier else { return Ok(Err(CodeRefusal::MalformedVerifier)) };
        if !proves(verifier, &code.code_challenge) {
            return Ok(Err(CodeRefusal::WrongVerifier));
        }
        if self.now >= code.expires_at {
            return Ok(Err(CodeRefusal::Expired { at: code.expires_at }));
        }
        Ok(Ok(code))
    }
}

/// The row of a resume handle that starts its life now.
pub(super) fn resume_handle(
    handle: &Handle,
    app: &AppId,
    origin: &Origin,
    session: SessionId,
    connection: ConnectionId,
    now: Timestamp,
) -> ResumeHandle {
    ResumeHandle {
        id: ResumeHandleId(handle.id),
        app: app.clone(),
        origin: origin.clone(),
        session,
        connection,
        expires_at: now.plus(RESUME_LIFETIME),
    }
}
