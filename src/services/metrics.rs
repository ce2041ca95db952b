//! What is looked up when somebody scrapes, rather than counted as it happens.

use std::time::Duration;

use super::Context;
use crate::store::webhook_messages;
use crate::telemetry::{
    PASSWORDS_LIMIT, PASSWORDS_WAITING, STORE_CONNECTIONS, STORE_CONNECTIONS_LIMIT, STORE_UP, STORE_WAITING,
    STORE_WAITING_LIMIT, STORE_WRITABLE, WEBHOOK_LAG,
};

/// How long the database may take: who scrapes waits some seconds, and wants the rest all the same.
const PATIENCE: Duration = Duration::from_secs(1);

/// Brings up to date what is only looked at.
pub async fn sample(ctx: &Context) {
    PASSWORDS_WAITING.of([]).set(count(ctx.passwords.waiting()));
    PASSWORDS_LIMIT.of([]).set(count(ctx.passwords.may_wait()));
    let load = ctx.store.load();
    for (queue, (depth, limit)) in load.queues {
        STORE_WAITING.of([queue]).set(count(depth));
        STORE_WAITING_LIMIT.of([queue]).set(count(limit));
    }
    STORE_CONNECTIONS.of(["idle"]).set(count(load.idle));
    STORE_CONNECTIONS.of(["in_use"]).set(count(load.in_use));
    STORE_CONNECTIONS_LIMIT.of([]).set(count(load.limit));
    STORE_WRITABLE.of([]).set(f64::from(load.writable));
    let now = ctx.real_now();
    let oldest = ctx.store.read(move |conn| Box::pin(webhook_messages::oldest_due(conn, now)));
    let oldest = tokio::time::timeout(PATIENCE, oldest).await;
    STORE_UP.of([]).set(f64::from(matches!(oldest, Ok(Ok(_)))));
    // What is not known is no number.
    let lag = match oldest {
        Ok(Ok(oldest)) => oldest.map_or(0.0, |since| now.since(since).as_secs_f64()),
        Ok(Err(_)) | Err(_) => f64::NAN,
    };
    WEBHOOK_LAG.of([]).set(lag);
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}
