//! The device grant (RFC 8628): a device shows a code, a person types it into a browser, the device asks until it is
//! answered.

use std::net::IpAddr;
use std::sync::Arc;

use super::super::Context;
use super::super::dialog::{self, StartError, Started};
use super::super::throttle::TooMany;
use super::authorization::{requested_resource, requested_scopes};
use super::code::user_of;
use super::error::Invalid;
use super::issue::{self, Authorized, Granted, NewGrant, Tokens};
use crate::crypto::token::{Handle, HandleKind};
use crate::domain::app::App;
use crate::domain::device_code::{
    DEVICE_CODE_LIFETIME, DeviceCode, DeviceState, POLL_INTERVAL, USER_CODE_LENGTH, UserCode,
};
use crate::domain::flow::{DeviceRequest, FlowRequest};
use crate::domain::ids::{AppId, DeviceCodeId};
use crate::domain::timestamp::Timestamp;
use crate::store::{Conn, StoreError, device_codes};

/// How often a user code is drawn that another device has already.
const DRAWS: usize = 5;

/// What a device is told (RFC 8628 section 3.2). Holds the device code: no `Debug`.
pub struct Begun {
    pub device_code: String,
    pub user_code: UserCode,
}

#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error(transparent)]
    TooMany(#[from] TooMany),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Begins an authorization for a device of this client, at this address.
pub async fn begin(
    ctx: &Context,
    app: &App,
    scope: Option<&str>,
    resource: Option<&str>,
    from: Option<IpAddr>,
) -> Result<Begun, BeginError> {
    let scopes = requested_scopes(app, scope)?;
    let resource = requested_resource(ctx, app, resource)?.into_resource();
    ctx.throttle.opening(from, app.id.as_str())?;
    for _ in 0..DRAWS {
        let now = ctx.now_for(&app.id);
        let handle = ctx.mint(now);
        let code = DeviceCode {
            id: DeviceCodeId(handle.id),
            user_code: draw_user_code(ctx),
            app: app.id.clone(),
            scopes: scopes.clone(),
            resource: resource.clone(),
            expires_at: now.plus(DEVICE_CODE_LIFETIME),
            interval: POLL_INTERVAL,
            last_polled_at: None,
            state: DeviceState::Pending,
        };
        let (hash, row) = (handle.hash(), Arc::new(code));
        let code = row.clone();
        let inserted = ctx.store.write(move |conn| {
            let row = row.clone();
            Box::pin(async move { device_codes::insert(conn, &row, &hash).await })
        });
        if inserted.await? {
            let user_code = code.user_code.clone();
            return Ok(Begun { device_code: handle.encode(HandleKind::DeviceCode), user_code });
        }
    }
    Err(StoreError::Internal("no user code is free".into()).into())
}

/// Each letter with the same chance: a byte past the last whole alphabet is drawn again.
fn draw_user_code(ctx: &Context) -> UserCode {
    const FAIR: u8 = 240;
    let mut indices = [0; USER_CODE_LENGTH];
    let mut filled = 0;
    while filled < USER_CODE_LENGTH {
        let mut bytes = [0; USER_CODE_LENGTH];
        ctx.entropy.fill(&mut bytes);
        for byte in bytes.into_iter().filter(|byte| *byte < FAIR).take(USER_CODE_LENGTH - filled) {
            indices[filled] = byte;
            filled += 1;
        }
    }
    UserCode::from_indices(indices)
}

/// Why a typed code opens nothing.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    #[error("no device waits for this code, or no longer")]
    Unknown,
    #[error(transparent)]
    TooMany(#[from] TooMany),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<StartError> for EntryError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::TooMany(too_many) => too_many.into(),
            StartError::Store(error) => error.into(),
        }
    }
}

/// Takes the code that a person typed, and starts the dialog for it. Guesses are counted (RFC 8628 section 5.1).
pub async fn enter(
    ctx: &Context,
    typed: &str,
    browser: Option<&str>,
    from: Option<IpAddr>,
) -> Result<Started, EntryError> {
    // Before it is looked up, the right one too: a guess past the limit learns nothing.
    ctx.throttle.refusal(from, "device")?;
    let waiting = match UserCode::parse(typed) {
        Ok(code) => find_waiting(ctx, code).await?,
        Err(_) => None,
    };
    let code = waiting.ok_or(EntryError::Unknown)?;
    let request = DeviceRequest {
        device_code: code.id,
        user_code: code.user_code,
        app: code.app,
        scopes: code.scopes,
        resource: code.resource,
    };
    Ok(dialog::start(ctx, FlowRequest::Device(request), browser, from).await?)
}

async fn find_waiting(ctx: &Context, code: UserCode) -> Result<Option<DeviceCode>, StoreError> {
    let found = ctx
        .store
        .read(move |conn| {
            let code = code.clone();
            Box::pin(async move { device_codes::find_by_user_code(conn, &code).await })
        })
        .await?;
    Ok(found.filter(|code| code.state == DeviceState::Pending && ctx.now_for(&code.app) < code.expires_at))
}

/// Why a device gets no tokens (RFC 8628 section 3.5).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceRefusal {
    #[error("the device code does not have the form of one")]
    Malformed,
    #[error("no such device code was issued")]
    Unknown,
    #[error("the device code belongs to another client")]
    OtherClient { owner: AppId },
    #[error("the device code was used before")]
    Used,
    #[error("the device code has expired")]
    Expired { at: Timestamp },
    #[error("the user has not decided yet")]
    Pending,
    #[error("the device asks more often than it was told to; the interval is longer from now on")]
    TooSoon,
    #[error("the user did not allow it")]
    Denied,
    #[error("the connection ended after the user had allowed it")]
    ConnectionEnded,
}

#[derive(Debug, thiserror::Error)]
pub enum PollError {
    #[error(transparent)]
    Refused(#[from] DeviceRefusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Answers a device that asks.
pub async fn poll(ctx: &Context, app: &App, device_code: &str, dpop_jkt: Option<String>) -> Result<Tokens, PollError> {
    let handle = Handle::parse(HandleKind::DeviceCode, device_code).ok_or(DeviceRefusal::Malformed)?;
    let now = ctx.now_for(&app.id);
    let attempt = Attempt {
        handle,
        app: app.clone(),
        fresh: NewGrant::draw(ctx, app, dpop_jkt, now),
        now,
        real_now: ctx.real_now(),
    };
    let attempt = Arc::new(attempt);
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
    fresh: NewGrant,
    now: Timestamp,
    /// Polls are paced by it: a device waits in real time, whatever a test's clock shows.
    real_now: Timestamp,
}

impl Attempt {
    async fn settle(&self, conn: &mut Conn) -> Result<Result<Granted, DeviceRefusal>, StoreError> {
        let id = DeviceCodeId(self.handle.id);
        let found = device_codes::find(conn, id).await?;
        let Some((code, _)) = found.filter(|(_, hash)| self.handle.matches(hash)) else {
            return Ok(Err(DeviceRefusal::Unknown));
        };
        if code.app != self.app.id {
            return Ok(Err(DeviceRefusal::OtherClient { owner: code.app }));
        }
        if code.state == DeviceState::Consumed {
            return Ok(Err(DeviceRefusal::Used));
        }
        if self.now >= code.expires_at {
            return Ok(Err(DeviceRefusal::Expired { at: code.expires_at }));
        }
        let (connection, auth_time) = match code.state {
            DeviceState::Allowed { connection, auth_time } => (connection, auth_time),
            DeviceState::Denied => return Ok(Err(DeviceRefusal::Denied)),
            DeviceState::Pending | DeviceState::Consumed => return self.wait(conn, &code).await.map(Err),
        };
        if !device_codes::consume(conn, id, self.now).await? {
            return Ok(Err(DeviceRefusal::Used));
        }
        let Some(user) = user_of(conn, connection).await? else { return Ok(Err(DeviceRefusal::ConnectionEnded)) };
        let authorized = Authorized { connection, scopes: code.scopes, resource: code.resource, auth_time };
        let granted = self.fresh.record(conn, &self.app, &authorized, user).await?;
        Ok(granted.ok_or(DeviceRefusal::ConnectionEnded))
    }

    /// Notes that the device asked; who asks too soon has to wait longer (RFC 8628 section 3.5).
    async fn wait(&self, conn: &mut Conn, code: &DeviceCode) -> Result<DeviceRefusal, StoreError> {
        let is_too_soon = code.last_polled_at.is_some_and(|at| self.real_now < at.plus(code.interval));
        let interval = if is_too_soon { code.interval + POLL_INTERVAL } else { code.interval };
        device_codes::note_poll(conn, code.id, self.real_now, interval).await?;
        Ok(if is_too_soon { DeviceRefusal::TooSoon } else { DeviceRefusal::Pending })
    }
}
