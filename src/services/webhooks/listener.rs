//! A developer's machine that has no public address: it asks for its messages, brings them to where it wants, and reports
//! what came of it. To the log it is a webhook like any other.

use std::sync::Arc;
use std::time::Duration;

use super::super::Context;
use super::super::audit::Acting;
use super::manage::{WebhookError, event_target};
use super::sender::{Made, headers, kept_headers, kept_text, settle, take};
use super::{open, reload, seal};
use crate::crypto::webhook_signature::WebhookSecret;
use crate::domain::event::{Action, Change, Event, Target as EventTarget};
use crate::domain::ids::{AppId, WebhookId, WebhookMessageId};
use crate::domain::timestamp::Timestamp;
use crate::domain::webhook::{Outcome, Target, Topics, Webhook, WebhookState};
use crate::entropy::time_ordered_id;
use crate::store::webhook_messages::Claimed;
use crate::store::{StoreError, apps, events, webhook_messages, webhooks};

/// Listeners that a world may have.
const MAX_LISTENERS: i64 = 50;
/// Messages that are handed out at once.
const AT_ONCE: i64 = 20;
/// How long is slept between looks for what other nodes wrote.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A listener to be made.
pub struct New {
    /// `None`: each application.
    pub app: Option<AppId>,
    pub topics: Topics,
    /// `None`: one that is made.
    pub secret: Option<WebhookSecret>,
}

/// A message that a listener has until its lease is over.
pub struct Handed {
    pub claimed: Claimed,
    /// What it is to be sent with.
    pub headers: Vec<(String, String)>,
}

/// What became of a message there.
pub struct Report {
    pub message: WebhookMessageId,
    pub at: Timestamp,
    pub took: Duration,
    pub headers: Vec<(String, String)>,
    pub outcome: Outcome,
}

pub async fn create(ctx: &Acting<'_>, new: New) -> Result<(Webhook, WebhookSecret), WebhookError> {
    let secret = new.secret.unwrap_or_else(|| WebhookSecret::mint(&*ctx.entropy));
    let now = ctx.real_now();
    let webhook = Webhook {
        id: WebhookId(time_ordered_id(&*ctx.entropy, now)),
        app: new.app,
        target: Target::Listener { polled_at: now },
        topics: new.topics,
        state: WebhookState::Active,
        failing_since: None,
        previous_until: None,
        created_at: now,
    };
    let mut event = ctx.event(Action::WebhookCreated, event_target(&webhook));
    event.changes = vec![
        Change::new("app", webhook.app.as_ref().map_or("", AppId::as_str)),
        Change::new("events", webhook.topics.listed()),
    ];
    let work = Arc::new((webhook.clone(), seal(&ctx.sealer, webhook.id, &secret), event));
    let made = ctx.store.write(move |conn| {
        let work = work.clone();
        Box::pin(async move {
            let (webhook, sealed, event) = &*work;
            if let Some(app) = &webhook.app
                && apps::find(conn, app).await?.is_none()
            {
                return Ok(Err(WebhookError::UnknownApp));
            }
            if webhooks::count_listeners(conn).await? >= MAX_LISTENERS {
                return Ok(Err(WebhookError::TooManyListeners(MAX_LISTENERS)));
            }
            webhooks::insert(conn, webhook, sealed).await?;
            events::record(conn, event).await?;
            Ok(Ok(()))
        })
    });
    made.await??;
    reload(ctx).await?;
    Ok((webhook, secret))
}

/// Takes what there is for a listener; where that is nothing, waits for it so long.
pub async fn poll(ctx: &Context, id: WebhookId, longest: Duration) -> Result<Vec<Handed>, WebhookError> {
    // Before looking, or what comes in between would be missed.
    let (mut written, mut closed) = (ctx.webhooks.written(), ctx.webhooks.closed.subscribe());
    let end = tokio::time::Instant::now() + longest;
    let secrets = asked(ctx, id).await?;
    loop {
        let handed = hand_out(ctx, id, &secrets).await?;
        let left = end.saturating_duration_since(tokio::time::Instant::now());
        if !handed.is_empty() || left.is_zero() || *closed.borrow() {
            return Ok(handed);
        }
        tokio::select! {
            _ = written.changed() => {}
            _ = closed.changed() => {}
            // Also what is due by its own time, or was written by another node.
            () = tokio::time::sleep(left.min(LOOK_EVERY)) => {}
        }
    }
}

/// Notes that a listener is there; its secrets.
async fn asked(ctx: &Context, id: WebhookId) -> Result<Vec<WebhookSecret>, WebhookError> {
    let now = ctx.real_now();
    let known = ctx.store.write(move |conn| {
        Box::pin(async move {
            let is_there = webhooks::note_poll(conn, id, now).await?;
            if is_there { webhooks::secrets(conn, id).await } else { Ok(None) }
        })
    });
    let sealed = known.await?.ok_or(WebhookError::Unknown)?;
    let opened = open(&ctx.sealer, id, &sealed, now).map_err(|why| StoreError::Internal(why.to_string()));
    Ok(opened?)
}

async fn hand_out(ctx: &Context, id: WebhookId, secrets: &[WebhookSecret]) -> Result<Vec<Handed>, WebhookError> {
    let now = ctx.real_now();
    let claimed = take(ctx, Some(id), AT_ONCE, AT_ONCE).await?;
    Ok(claimed.into_iter().map(|claimed| Handed { headers: headers(secrets, &claimed, now), claimed }).collect())
}

/// Writes down what became of a message. Answers after which pause it is handed out again, if it is.
pub async fn report(ctx: &Context, id: WebhookId, nr: u32, report: Report) -> Result<Option<Duration>, WebhookError> {
    let message = report.message;
    let found = ctx.store.read(move |conn| {
        Box::pin(async move {
            let listener = webhooks::find(conn, id).await?.filter(|webhook| webhook.url().is_none());
            if listener.is_none() {
                return Ok(Err(WebhookError::Unknown));
            }
            let sent = webhook_messages::find(conn, id, message).await?;
            Ok(sent.ok_or(WebhookError::UnknownMessage))
        })
    });
    let sent = found.await??;
    if nr == 0 || nr > sent.attempts {
        return Err(WebhookError::UnknownMessage);
    }
    let outcome = match report.outcome {
        Outcome::Answered { status, headers, body } => {
            Outcome::Answered { status, headers: kept_headers(headers), body: kept_text(body.as_bytes(), false) }
        }
        Outcome::Unanswered(why) => Outcome::Unanswered(kept_text(why.as_bytes(), false)),
    };
    // A listener's messages are not replayed: each is begun with once.
    let claimed = Claimed { webhook: id, message: sent.message, nr, nr_since_begun: nr };
    let made = Made { at: report.at, took: report.took, headers: report.headers, outcome };
    let again = settle(ctx, claimed, made).await?;
    ctx.webhooks.wake();
    Ok(again)
}

/// A listener that wants no more goes, and its log with it.
pub async fn delete(ctx: &Acting<'_>, id: WebhookId) -> Result<(), WebhookError> {
    let event = ctx.event(Action::WebhookDeleted, EventTarget::webhook(id, ""));
    let deleted = ctx.store.write(move |conn| {
        let event = event.clone();
        Box::pin(async move {
            let found = webhooks::find(conn, id).await?.filter(|webhook| webhook.url().is_none());
            let Some(listener) = found else { return Ok(false) };
            webhooks::delete(conn, id).await?;
            events::record(conn, &Event { target: event_target(&listener), ..event }).await?;
            Ok(true)
        })
    });
    if !deleted.await? {
        return Err(WebhookError::Unknown);
    }
    Ok(reload(ctx).await?)
}
