//! What time it is (wire.md E): by the machine, by the server, and by each application. In the sandbox the latter two
//! can be moved and stopped; in production all are one.
//!
//! Everything that is issued, checked, shown or swept for an application follows the application's clock. What belongs to
//! no application (sign-ins at the server, its dialog, its keys) follows the server's.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::Context;
use crate::clock::SharedClock;
use crate::domain::clock_setting::{ClockSetting, Moments};
use crate::domain::ids::{AppId, ConnectionId};
use crate::domain::timestamp::Timestamp;
use crate::store::{StoreError, apps, clocks, connections};

/// No clock can be moved before this moment: 1970-01-02.
const EARLIEST: Timestamp = Timestamp::from_unix_seconds(86_400);
/// Nor past this one: 9000-01-01. Dates are written with four digits.
const LATEST: Timestamp = Timestamp::from_unix_seconds(221_845_392_000);

/// The clocks of one world.
pub struct Clocks {
    machine: SharedClock,
    settings: watch::Sender<Arc<Settings>>,
    reloading: tokio::sync::Mutex<()>,
}

/// What differs from the machine's clock.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Settings {
    server: ClockSetting,
    apps: HashMap<AppId, ClockSetting>,
}

impl Clocks {
    pub fn new(machine: SharedClock) -> Self {
        Self { machine, settings: watch::Sender::default(), reloading: tokio::sync::Mutex::default() }
    }

    /// Those of another world on the same machine: nothing of them is moved.
    pub(super) fn apart_from(&self) -> Self {
        Self::new(self.machine.clone())
    }

    pub fn machine(&self) -> Timestamp {
        self.machine.now()
    }

    pub fn server(&self) -> Timestamp {
        self.settings.borrow().server.now(self.machine())
    }

    pub fn of(&self, app: &AppId) -> Timestamp {
        let settings = self.settings.borrow();
        let server = settings.server.now(self.machine());
        settings.apps.get(app).map_or(server, |own| own.now(server))
    }

    /// What every clock shows at this moment.
    pub fn moments(&self) -> Moments {
        let settings = self.settings.borrow();
        let server = settings.server.now(self.machine());
        Moments { server, apart: settings.apps.iter().map(|(app, own)| (app.clone(), own.now(server))).collect() }
    }

    /// Applications whose clock is not the server's.
    pub fn apart(&self) -> Vec<AppId> {
        self.settings.borrow().apps.keys().cloned().collect()
    }

    /// Whether this one is among them.
    pub fn is_apart(&self, app: &AppId) -> bool {
        self.settings.borrow().apps.contains_key(app)
    }

    /// Whether all applications follow the server's clock.
    fn are_one(&self) -> bool {
        self.settings.borrow().apps.is_empty()
    }
}

/// How a clock is to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Advance(Duration),
    /// Milliseconds ahead of the clock below; negative: behind.
    Offset(i64),
    Freeze(bool),
    /// To the next moment at which something expires.
    NextExpiry,
}

/// A clock, as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    pub now: Timestamp,
    /// What the machine's shows.
    pub machine: Timestamp,
    /// Milliseconds ahead of the clock below, which for an application's is the server's.
    pub offset_ms: i64,
    pub is_frozen: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum ClockError {
    #[error("there is no application with this id")]
    UnknownApp,
    #[error("nothing that follows this clock is going to expire")]
    NothingExpires,
    #[error("a clock can be moved between 1970-01-02 and 9000-01-01")]
    OutOfRange,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The server's clock, or an application's.
pub async fn read(ctx: &Context, app: Option<AppId>) -> Result<Reading, ClockError> {
    if let Some(app) = &app {
        known(ctx, app).await?;
    }
    Ok(reading(ctx, app.as_ref()))
}

fn reading(ctx: &Context, app: Option<&AppId>) -> Reading {
    let settings = ctx.clocks.settings.borrow().clone();
    let own = app.map_or(Some(settings.server), |app| settings.apps.get(app).copied()).unwrap_or_default();
    let base = below(ctx, &settings, app);
    Reading {
        now: own.now(base),
        machine: ctx.clocks.machine(),
        offset_ms: own.offset_us.div_euclid(1_000),
        is_frozen: own.frozen_at.is_some(),
    }
}

/// What the clock shows that this one goes by.
fn below(ctx: &Context, settings: &Settings, app: Option<&AppId>) -> Timestamp {
    let machine = ctx.clocks.machine();
    if app.is_some() { settings.server.now(machine) } else { machine }
}

async fn known(ctx: &Context, app: &AppId) -> Result<(), ClockError> {
    let id = app.clone();
    let found = ctx.store.read(move |conn| {
        let id = id.clone();
        Box::pin(async move { apps::find(conn, &id).await })
    });
    found.await?.map(|_| ()).ok_or(ClockError::UnknownApp)
}

/// Changes a clock, for every node on this database, and answers what it shows then.
pub async fn change(ctx: &Context, app: Option<AppId>, change: Change) -> Result<Reading, ClockError> {
    if let Some(app) = &app {
        known(ctx, app).await?;
    }
    let machine = ctx.clocks.machine();
    let id = app.clone();
    let changed = ctx.store.write(move |conn| {
        let app = id.clone();
        Box::pin(async move {
            // From what is stored: another request, or another node, may have moved it since we looked.
            let settings = settings(clocks::list(conn).await?);
            let base = if app.is_some() { settings.server.now(machine) } else { machine };
            let own = app.as_ref().map_or(Some(settings.server), |app| settings.apps.get(app).copied());
            let own = own.unwrap_or_default();
            let wanted = match change {
                Change::Advance(by) => own.advanced(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)),
                Change::Offset(millis) => ClockSetting { offset_us: millis.saturating_mul(1_000), ..own },
                Change::Freeze(true) => own.frozen(base),
                Change::Freeze(false) => own.thawed(base),
                Change::NextExpiry => {
                    let Some(moment) = next_expiry(conn, &settings, app.as_ref(), machine).await? else {
                        return Ok(Err(ClockError::NothingExpires));
                    };
                    own.showing(moment, base)
                }
            };
            if !(EARLIEST..=LATEST).contains(&wanted.now(base)) {
                return Ok(Err(ClockError::OutOfRange));
            }
            clocks::set(conn, app.as_ref(), wanted).await?;
            Ok(Ok(()))
        })
    });
    changed.await??;
    reload(ctx).await?;
    Ok(reading(ctx, app.as_ref()))
}

/// By the clock in question: for the server's, what an application with a clock of its own holds counts by how far
/// away it is.
async fn next_expiry(
    conn: &mut crate::store::Conn,
    settings: &Settings,
    app: Option<&AppId>,
    machine: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let server = settings.server.now(machine);
    let Some(app) = app else {
        let mut next = clocks::next_expiry(conn, None, server).await?;
        for (app, own) in &settings.apps {
            if own.frozen_at.is_none()
                && let Some(theirs) = clocks::next_expiry(conn, Some(app), own.now(server)).await?
            {
                let moment = server.plus(theirs.since(own.now(server)));
                next = Some(next.map_or(moment, |next| next.min(moment)));
            }
        }
        return Ok(next);
    };
    match settings.apps.get(app) {
        Some(own) => clocks::next_expiry(conn, Some(app), own.now(server)).await,
        None => clocks::next_expiry(conn, Some(app), server).await,
    }
}

fn settings(rows: Vec<(Option<AppId>, ClockSetting)>) -> Settings {
    let mut settings = Settings::default();
    for (app, setting) in rows {
        match app {
            Some(app) => drop(settings.apps.insert(app, setting)),
            None => settings.server = setting,
        }
    }
    settings
}

/// Takes over what is stored: after a start, a change, a reset, and now and then what other nodes changed. Production
/// has one clock, whatever a sandbox left in its database.
pub async fn reload(ctx: &Context) -> Result<(), StoreError> {
    if !ctx.sandbox {
        return Ok(());
    }
    // One at a time: who read earlier must not have the last word.
    let _turn = ctx.clocks.reloading.lock().await;
    let rows = ctx.store.read(|conn| Box::pin(clocks::list(conn))).await?;
    let stored = settings(rows);
    ctx.clocks.settings.send_if_modified(|known| {
        let differs = **known != stored;
        if differs {
            *known = Arc::new(stored);
        }
        differs
    });
    Ok(())
}

/// What time it is for the application of a connection, of which only the id is known.
pub async fn of_connection(ctx: &Context, id: ConnectionId) -> Result<Timestamp, StoreError> {
    if ctx.clocks.are_one() {
        return Ok(ctx.now());
    }
    let found = ctx.store.read(move |conn| Box::pin(connections::find(conn, id))).await?;
    Ok(found.map_or_else(|| ctx.now(), |connection| ctx.now_for(&connection.app)))
}
