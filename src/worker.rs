//! Work that nobody waits for: writing down when connections were last used, and sweeping away what has
//! long been over.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::flow::FLOW_LIFETIME;
use crate::domain::timestamp::Timestamp;
use crate::services::keys::KeysError;
use crate::services::{Context, keys};
use crate::store::{
    Conn, StoreError, Work, access_tokens, authorization_codes, codes, device_codes, flows, grants, pushed_requests,
    registration_tokens, resume_handles, sessions, used_proofs,
};
use uuid::Uuid;

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

/// Runs until it is dropped.
pub async fn run(ctx: Arc<Context>) {
    let mut flush = tokio::time::interval(FLUSH_EVERY);
    let mut keys_due = tokio::time::interval(KEYS_EVERY);
    let mut sweep_due = tokio::time::interval(SWEEP_EVERY);
    loop {
        let done = tokio::select! {
            _ = flush.tick() => ctx.store.flush_last_used().await.map_err(KeysError::from),
            _ = keys_due.tick() => keys::reload(&ctx).await,
            _ = sweep_due.tick() => {
                ctx.throttle.forget_idle();
                sweep(&ctx).await.map(|_| ()).map_err(KeysError::from)
            }
        };
        if let Err(error) = done {
            tracing::warn!(%error, "background work failed; it is tried again");
        }
    }
}

/// Deletes what has long been over; answers how many rows that was. Safe on several nodes at once.
pub async fn sweep(ctx: &Context) -> Result<u64, StoreError> {
    let now = ctx.now();
    let before = now.minus(KEPT);
    // Nothing with an id below this moment can have been issued so late that it still lives.
    let below = first_id_at(before.minus(KEPT));
    let mut rows = 0;
    rows += until_done(ctx, move |conn| Box::pin(access_tokens::sweep(conn, below, before, SWEEP_ROWS))).await?;
    rows += until_done(ctx, move |conn| Box::pin(codes::sweep(conn, below, before, SWEEP_ROWS))).await?;
    rows += until_done(ctx, move |conn| Box::pin(authorization_codes::sweep(conn, below, before, SWEEP_ROWS))).await?;
    rows += until_done(ctx, move |conn| Box::pin(device_codes::sweep(conn, below, before, SWEEP_ROWS))).await?;
    rows += until_done(ctx, move |conn| Box::pin(grants::sweep(conn, before, SWEEP_ROWS))).await?;
    rows += until_done(ctx, move |conn| Box::pin(used_proofs::sweep(conn, before, SWEEP_ROWS))).await?;
    rows += ctx.store.write(move |conn| Box::pin(registration_tokens::sweep(conn, before))).await?;
    let flows_before = now.minus(FLOWS_KEPT);
    let flows_below = first_id_at(flows_before.minus(FLOW_LIFETIME));
    rows += until_done(ctx, move |conn| Box::pin(flows::sweep(conn, flows_below, flows_before, SWEEP_ROWS))).await?;
    rows += until_done(ctx, move |conn| Box::pin(pushed_requests::sweep(conn, flows_below, flows_before, SWEEP_ROWS)))
        .await?;
    rows += until_done(ctx, move |conn| Box::pin(resume_handles::sweep(conn, before, SWEEP_ROWS))).await?;
    rows += until_done(ctx, move |conn| Box::pin(sessions::sweep(conn, before, SWEEP_ROWS))).await?;
    rows += keys::sweep(ctx, before).await?;
    Ok(rows)
}

/// The lowest UUIDv7 of a moment.
fn first_id_at(moment: Timestamp) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(moment.unix_millis(), &[0; 10]).into_uuid()
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
