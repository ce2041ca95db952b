//! Bringing messages to endpoints: claim, call, write down what came of it. A message that was claimed by somebody who is
//! no more is claimed again when the lease is over: at least once, seldom twice.

use std::sync::Arc;
use std::time::Duration;

use super::super::Context;
use super::super::audit::By;
use super::{jitter, lease_from, open};
use crate::crypto::webhook_signature;
use crate::domain::event::{Action, Change, Event, Target};
use crate::domain::ids::WebhookId;
use crate::domain::timestamp::Timestamp;
use crate::domain::webhook::{Attempt, Delivery, DisabledWhy, FAILING_FOR, Outcome, PATIENCE, Verdict, judge};
use crate::outgoing::{Answered, Call};
use crate::store::webhook_messages::{Claim, Claimed};
use crate::store::{Conn, StoreError, events, webhook_messages, webhooks};
use crate::telemetry::WEBHOOK_ATTEMPTS;

/// Messages that one target is sent at once, so that a slow one does not take all the room.
const EACH: i64 = 4;
/// How much of an answer's body is kept, in bytes.
const KEPT_BODY: usize = 4 * 1024;
/// How often an attempt that could not be written down is written again, and after which pause: within the lease.
const WRITE_AGAIN: usize = 3;
const WRITE_PAUSE: Duration = Duration::from_millis(250);
/// Header fields of an answer that are kept.
const KEPT_HEADERS: usize = 32;
/// Those whose values are kept: what else a target answers with, as `Set-Cookie`, is nobody's who reads the log.
const HARMLESS: [&str; 11] = [
    "allow",
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "date",
    "retry-after",
    "server",
    "transfer-encoding",
    "vary",
    "x-request-id",
];
/// What stands for the value of any other.
const HIDDEN: &str = "(not kept)";

/// Takes at most so many messages that are due.
pub async fn claim(ctx: &Context, limit: usize) -> Result<Vec<Claimed>, StoreError> {
    take(ctx, None, EACH, i64::try_from(limit).unwrap_or(i64::MAX)).await
}

/// The look before costs the writer nothing.
pub(super) async fn take(
    ctx: &Context,
    listener: Option<WebhookId>,
    each: i64,
    limit: i64,
) -> Result<Vec<Claimed>, StoreError> {
    let now = ctx.real_now();
    let claim = Claim { now, until: lease_from(now), listener, each, limit };
    if !ctx.store.read(move |conn| Box::pin(webhook_messages::is_due(conn, claim))).await? {
        return Ok(Vec::new());
    }
    ctx.store.write(move |conn| Box::pin(webhook_messages::claim(conn, claim))).await
}

/// Makes the attempt that was claimed. Answers after which pause the next one is due, if one is.
pub async fn deliver(ctx: &Context, claimed: Claimed) -> Result<Option<Duration>, StoreError> {
    let webhook = claimed.webhook;
    let target = ctx.store.read(move |conn| {
        Box::pin(async move {
            let url = webhook_messages::target(conn, webhook).await?;
            Ok(url.zip(webhooks::secrets(conn, webhook).await?))
        })
    });
    // Deleted in this moment, and its messages with it.
    let Some((url, sealed)) = target.await? else { return Ok(None) };
    let at = ctx.real_now();
    let secrets = open(&ctx.sealer, webhook, &sealed, at).map_err(|why| StoreError::Internal(why.to_string()))?;
    let headers = headers(&secrets, &claimed, at);
    let body = claimed.message.payload.clone().into_bytes();
    let call = Call { url, headers: headers.clone(), body, timeout: PATIENCE };
    let called = ctx.outgoing.call(call).await;
    let took = called.as_ref().map_or_else(|_| ctx.real_now().since(at), |answered| answered.took);
    let outcome = match called {
        Ok(answered) => kept(answered),
        Err(error) => Outcome::Unanswered(error.to_string()),
    };
    settle(ctx, claimed, Made { at, took, headers, outcome }).await
}

/// What is sent beside the body, and logged.
pub(super) fn headers(
    secrets: &[webhook_signature::WebhookSecret],
    claimed: &Claimed,
    at: Timestamp,
) -> Vec<(String, String)> {
    let id = claimed.message.id.written();
    let signed = webhook_signature::headers(secrets, &id, at, claimed.message.payload.as_bytes());
    std::iter::once(("content-type".to_owned(), "application/json".to_owned())).chain(signed).collect()
}

fn kept(answered: Answered) -> Outcome {
    Outcome::Answered {
        status: answered.status,
        headers: kept_headers(answered.headers),
        body: kept_text(&answered.body, answered.is_cut),
    }
}

/// Header fields of an answer, as far as they are kept.
pub(super) fn kept_headers(headers: Vec<(String, String)>) -> Vec<(String, String)> {
    let kept = |(name, value): (String, String)| {
        let name = name.to_ascii_lowercase();
        let value = if HARMLESS.contains(&name.as_str()) { value } else { HIDDEN.to_owned() };
        (name, value)
    };
    headers.into_iter().take(KEPT_HEADERS).map(kept).collect()
}

/// A text of which no more is kept than there is room for.
pub(super) fn kept_text(body: &[u8], is_cut: bool) -> String {
    let kept = &body[..body.len().min(KEPT_BODY)];
    // PostgreSQL has no text with a NUL in it.
    let mut text = String::from_utf8_lossy(kept).replace('\0', "\u{fffd}");
    if is_cut || kept.len() < body.len() {
        text.push('…');
    }
    text
}

/// An attempt that was made.
pub(super) struct Made {
    pub at: Timestamp,
    pub took: Duration,
    pub headers: Vec<(String, String)>,
    pub outcome: Outcome,
}

/// Writes down an attempt and what it comes to.
pub(super) async fn settle(ctx: &Context, claimed: Claimed, made: Made) -> Result<Option<Duration>, StoreError> {
    let verdict = judge(&made.outcome, claimed.nr_since_begun, jitter(ctx));
    let now = ctx.real_now();
    let target = Target::webhook(claimed.webhook, "");
    let event = ctx.event(By::server(), Action::WebhookChanged, target);
    let Made { at, took, headers, outcome } = made;
    let attempt = Attempt { nr: claimed.nr, at, took, headers, outcome };
    let work = Arc::new((claimed, attempt, event));
    let write = || {
        let work = work.clone();
        ctx.store.write(move |conn| {
            let work = work.clone();
            Box::pin(async move {
                let (claimed, attempt, event) = &*work;
                record(conn, claimed, attempt, event, verdict, now).await
            })
        })
    };
    // What was delivered and is not written down comes twice.
    let mut written = write().await;
    for _ in 0..WRITE_AGAIN {
        if written.is_ok() {
            break;
        }
        tokio::time::sleep(WRITE_PAUSE).await;
        written = write().await;
    }
    written?;
    WEBHOOK_ATTEMPTS.add([match verdict {
        Verdict::Delivered => "delivered",
        Verdict::Again { .. } => "again",
        Verdict::GivenUp => "given_up",
        Verdict::Gone => "gone",
    }]);
    Ok(match verdict {
        Verdict::Again { after } => Some(after),
        Verdict::Delivered | Verdict::GivenUp | Verdict::Gone => None,
    })
}

async fn record(
    conn: &mut Conn,
    claimed: &Claimed,
    attempt: &Attempt,
    event: &Event,
    verdict: Verdict,
    now: Timestamp,
) -> Result<(), StoreError> {
    webhook_messages::add_attempt(conn, claimed.webhook, claimed.message.id, attempt).await?;
    let (state, next) = match verdict {
        Verdict::Delivered => (Delivery::Delivered, now),
        Verdict::Again { after } => (Delivery::Pending, now.plus(after)),
        Verdict::GivenUp | Verdict::Gone => (Delivery::Failed, now),
    };
    webhook_messages::settle(conn, claimed, state, next).await?;
    if let Some(why) = broken(conn, claimed.webhook, verdict, now).await?
        && webhooks::disable_broken(conn, claimed.webhook, now, why).await?
    {
        let mut event = event.clone();
        event.changes = vec![Change::new("state", format!("disabled: {}", why.as_str()))];
        events::record(conn, &event).await?;
    }
    Ok(())
}

/// Whether the target is one that nothing more is sent to.
async fn broken(
    conn: &mut Conn,
    webhook: WebhookId,
    verdict: Verdict,
    now: Timestamp,
) -> Result<Option<DisabledWhy>, StoreError> {
    match verdict {
        Verdict::Delivered => webhooks::note_success(conn, webhook).await.map(|()| None),
        Verdict::Gone => Ok(Some(DisabledWhy::Gone)),
        Verdict::Again { .. } | Verdict::GivenUp => {
            let since = webhooks::note_failure(conn, webhook, now).await?;
            Ok(since.filter(|since| now >= since.plus(FAILING_FOR)).map(|_| DisabledWhy::Failing))
        }
    }
}
