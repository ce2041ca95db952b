//! Brings webhooks their messages. It wakes at once when this process wrote one, and at the moment when a retry is due;
//! what another process wrote is found within a second.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::domain::timestamp::Timestamp;
use crate::services::Context;
use crate::services::webhooks::{self, expiry, sender};
use crate::store::webhook_messages::Claimed;
use crate::store::{StoreError, webhook_messages, webhooks as listeners};

/// Attempts that are made at once.
const AT_ONCE: usize = 64;
/// How often it is looked for what other processes wrote.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Longest pause that a task of its own sleeps through; later ones are found by looking.
const SLEPT: Duration = Duration::from_secs(10 * 60);

/// How long messages are kept, and how many of each webhook: of those that are settled, and of those that wait.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3_600);
const KEPT_EACH: i64 = 5_000;
const WAITING_EACH: i64 = 100_000;

/// Goes on until it is dropped. `looks`: also for what other processes wrote.
pub(super) async fn run(ctx: Arc<Context>, looks: bool) {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut written = ctx.webhooks.written();
    let mut tasks = JoinSet::new();
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        if let Err(error) = send_due(&ctx, &room, &mut tasks).await {
            tracing::warn!(%error, "webhooks' messages could not be looked for; it is tried again");
        }
        tokio::select! {
            _ = written.changed() => {}
            Some(done) = tasks.join_next() => {
                if let Err(crash) = done {
                    tracing::error!(%crash, "an attempt to deliver a webhook's message crashed");
                }
            }
            // A namespace that nobody hears of is quiet.
            _ = look.tick(), if looks || ctx.webhooks.is_heard() => {
                if let Err(error) = look_around(&ctx).await {
                    tracing::warn!(%error, "webhooks could not be read; it is tried again");
                }
            }
        }
    }
}

/// What other processes changed, and connections that ended by themselves.
async fn look_around(ctx: &Context) -> Result<(), StoreError> {
    webhooks::reload(ctx).await?;
    expiry::tell(ctx).await
}

async fn send_due(ctx: &Arc<Context>, room: &Arc<Semaphore>, tasks: &mut JoinSet<()>) -> Result<(), StoreError> {
    while room.available_permits() > 0 {
        let claimed = sender::claim(ctx, room.available_permits()).await?;
        if claimed.is_empty() {
            break;
        }
        for one in claimed {
            let Ok(permit) = room.clone().acquire_owned().await else { return Ok(()) };
            let ctx = ctx.clone();
            tasks.spawn(async move {
                let pause = attempt(&ctx, one).await;
                drop(permit);
                // What follows in the lane may be sent now.
                ctx.webhooks.wake();
                if let Some(pause) = pause.filter(|pause| *pause <= SLEPT) {
                    tokio::time::sleep(pause).await;
                    ctx.webhooks.wake();
                }
            });
        }
    }
    Ok(())
}

async fn attempt(ctx: &Context, claimed: Claimed) -> Option<Duration> {
    let (webhook, message) = (claimed.webhook, claimed.message.id);
    match sender::deliver(ctx, claimed).await {
        Ok(pause) => pause,
        // Its lease runs out, and it is claimed again.
        Err(error) => {
            tracing::warn!(%error, %webhook, %message, "an attempt to deliver a webhook's message could not be written down");
            None
        }
    }
}

/// Deletes what has been kept for long enough, and listeners that do not ask any more.
pub(super) async fn sweep(ctx: &Context, limit: i64) -> Result<u64, StoreError> {
    let now = ctx.real_now();
    let (before, gone) = (now.minus(KEPT), now.minus(crate::domain::webhook::LISTENER_GONE));
    let mut rows = sweep_listeners(ctx, gone).await?;
    rows += super::until_done(ctx, move |conn| Box::pin(webhook_messages::sweep(conn, before, limit))).await?;
    super::until_done(ctx, move |conn| Box::pin(webhook_messages::give_up_surplus(conn, WAITING_EACH, limit))).await?;
    rows +=
        super::until_done(ctx, move |conn| Box::pin(webhook_messages::sweep_surplus(conn, KEPT_EACH, limit))).await?;
    Ok(rows)
}

async fn sweep_listeners(ctx: &Context, gone: Timestamp) -> Result<u64, StoreError> {
    let swept = ctx.store.write(move |conn| Box::pin(listeners::sweep_listeners(conn, gone))).await?;
    if swept > 0 {
        webhooks::reload(ctx).await?;
    }
    Ok(swept)
}
