//! Work that nobody waits for: writing down when connections were last used, and sweeping away what has
//! long been over; and bringing webhooks their messages.

mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use crate::domain::flow::FLOW_LIFETIME;
use crate::domain::ids::{AppId, EventId, first_id_at};
use crate::domain::timestamp::Timestamp;
use crate::domain::usage::Day;
use crate::services::keys::KeysError;
use crate::services::{Context, clocks, keys, namespaces};
use crate::store::{
    Conn, StoreError, Sweep, Work, access_tokens, authorization_codes, codes, deliveries, device_codes, events, flows,
    grants, invitations, pushed_requests, registration_tokens, resume_handles, sessions, usage, used_proofs,
};
use crate::telemetry;
use tokio::task::JoinHandle;

/// How often "last used" is written down.
const FLUSH_EVERY: Duration = Duration::from_secs(1);
/// How often the keys are looked at: another node, or an operator, may have made one. Shorter than a new key's lead.
const KEYS_EVERY: Duration = Duration::from_secs(30);
/// How often what is over is looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// Rows that one transaction of a sweep deletes, so that it never holds up the hot path for long.
const SWEEP_ROWS: i64 = 1_000;
/// How long a row is kept after it is over: reasons for refusals are told from it, and a clock that is
/// moved back finds it alive again.
const KEPT: Duration = Duration::from_secs(24 * 3_600);

/// Flows are kept for less: anybody can open one.
const FLOWS_KEPT: Duration = Duration::from_secs(3_600);
/// Events and usage are kept for a year and a month, so that a year can be looked back upon.
const RECORDS_KEPT: Duration = Duration::from_secs(400 * 24 * 3_600);
/// How long refused sign-ins are, which anybody can cause.
const REFUSALS_KEPT: Duration = Duration::from_secs(30 * 24 * 3_600);

/// Begins the work for a world; it goes on until it is aborted.
pub fn start(ctx: Arc<Context>) -> JoinHandle<()> {
    tokio::spawn(run(ctx, true))
}

/// The same for a namespace, of which there are many, and most are quiet: nothing is asked of its store each second. Who
/// serves it follows its clocks.
pub fn start_beside(ctx: Arc<Context>) -> JoinHandle<()> {
    tokio::spawn(run(ctx, false))
}

async fn run(ctx: Arc<Context>, follows: bool) {
    // Neither ends by itself.
    tokio::select! {
        () = keep_house(&ctx, follows) => {}
        () = webhooks::run(ctx.clone(), follows) => {}
    }
}

async fn keep_house(ctx: &Context, follows_clocks: bool) {
    let mut flush = tokio::time::interval(FLUSH_EVERY);
    let mut keys_due = tokio::time::interval(KEYS_EVERY);
    let mut sweep_due = tokio::time::interval(SWEEP_EVERY);
    loop {
        let done = tokio::select! {
            _ = flush.tick() => {
                ctx.passwords.tidy();
                telemetry::tidy();
                short_work(ctx, follows_clocks).await.map_err(KeysError::from)
            }
            _ = keys_due.tick() => keys::reload(ctx).await,
            _ = sweep_due.tick() => {
                ctx.throttle.forget_idle();
                sweep(ctx).await.map(|_| ()).map_err(KeysError::from)
            }
        };
        if let Err(error) = done {
            telemetry::BACKGROUND_FAILURES.add([]);
            tracing::warn!(%error, "background work failed; it is tried again");
        }
    }
}

/// What cannot wait for long: "last used", and clocks that were moved on another node.
async fn short_work(ctx: &Context, follows_clocks: bool) -> Result<(), StoreError> {
    ctx.store.flush_notes().await?;
    if follows_clocks { clocks::reload(ctx).await } else { Ok(()) }
}

/// Deletes what has long been over; answers how many rows that was. Safe on several nodes at once.
pub async fn sweep(ctx: &Context) -> Result<u64, StoreError> {
    let now = ctx.now();
    let before = now.minus(KEPT);
    let mut rows = sweep_of(ctx, None, now).await?;
    for app in ctx.clocks.apart() {
        let now = ctx.now_for(&app);
        rows += sweep_of(ctx, Some(app), now).await?;
    }
    // Stamped by clients or by the machine's clock: by whichever clock is behind.
    let stamped_before = before.min(ctx.real_now().minus(KEPT));
    rows += until_done(ctx, move |conn| Box::pin(used_proofs::sweep(conn, stamped_before, SWEEP_ROWS))).await?;
    rows += until_done(ctx, move |conn| Box::pin(deliveries::sweep_nonces(conn, stamped_before, SWEEP_ROWS))).await?;
    rows += ctx.store.write(move |conn| Box::pin(registration_tokens::sweep(conn, before))).await?;
    let flows_before = now.minus(FLOWS_KEPT);
    let flows_below = first_id_at(flows_before.minus(FLOW_LIFETIME));
    rows += until_done(ctx, move |conn| Box::pin(flows::sweep(conn, flows_below, flows_before, SWEEP_ROWS))).await?;
    rows += until_done(ctx, move |conn| Box::pin(sessions::sweep(conn, before, SWEEP_ROWS))).await?;
    rows += sweep_records(ctx, now.minus(RECORDS_KEPT)).await?;
    rows += sweep_events(ctx).await?;
    rows += until_done(ctx, move |conn| Box::pin(invitations::sweep(conn, before, SWEEP_ROWS))).await?;
    rows += webhooks::sweep(ctx, SWEEP_ROWS).await?;
    rows += keys::sweep(ctx, before).await?;
    rows += namespaces::sweep(ctx).await?;
    Ok(rows)
}

/// Counts of how much applications are used.
async fn sweep_records(ctx: &Context, before: Timestamp) -> Result<u64, StoreError> {
    ctx.store.write(move |conn| Box::pin(usage::sweep(conn, Day::of(before)))).await
}

/// By their ids, and so by the machine's clock.
async fn sweep_events(ctx: &Context) -> Result<u64, StoreError> {
    let first_kept = |span| EventId(first_id_at(ctx.real_now().minus(span)));
    let (all, refusals) = (first_kept(RECORDS_KEPT), first_kept(REFUSALS_KEPT));
    let swept = until_done(ctx, move |conn| Box::pin(events::sweep_refusals(conn, refusals, SWEEP_ROWS))).await?;
    Ok(swept + until_done(ctx, move |conn| Box::pin(events::sweep(conn, all, SWEEP_ROWS))).await?)
}

/// The same for what is an application's: by its own clock, or for all that have none (`None`) by the server's.
async fn sweep_of(ctx: &Context, app: Option<AppId>, now: Timestamp) -> Result<u64, StoreError> {
    let before = now.minus(KEPT);
    // Nothing with an id below this moment can have been issued so late that it still lives.
    let old = Arc::new(Sweep { below: first_id_at(before.minus(KEPT)), before, limit: SWEEP_ROWS, app: app.clone() });
    let flows_before = now.minus(FLOWS_KEPT);
    let flows_below = first_id_at(flows_before.minus(FLOW_LIFETIME));
    let asked = Arc::new(Sweep { below: flows_below, before: flows_before, limit: SWEEP_ROWS, app });
    let mut rows = 0;
    macro_rules! sweep {
        ($sweep:ident, $($table:ident),+) => {$({
            let sweep = $sweep.clone();
            let swept = until_done(ctx, move |conn| {
                let sweep = sweep.clone();
                Box::pin(async move { $table::sweep(conn, &sweep).await })
            });
            rows += swept.await?;
        })+};
    }
    sweep!(old, access_tokens, codes, authorization_codes, device_codes, grants, resume_handles);
    sweep!(asked, pushed_requests);
    Ok(rows)
}

async fn until_done<F>(ctx: &Context, delete: F) -> Result<u64, StoreError>
where
    F: for<'c> Fn(&'c mut Conn) -> Work<'c, u64> + Clone + Send + 'static,
{
    let mut total = 0;
    loop {
        let rows = ctx.store.write(delete.clone()).await?;
        total += rows;
        if rows < SWEEP_ROWS.unsigned_abs() {
            return Ok(total);
        }
    }
}
