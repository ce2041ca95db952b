//! What was sent, what came of it, and sending it again.

use super::super::Context;
use super::super::audit::Acting;
use super::manage::{WebhookError, event_target, held};
use crate::domain::event::{Action, Change, Event, Target};
use crate::domain::ids::{WebhookId, WebhookMessageId};
use crate::domain::timestamp::Timestamp;
use crate::domain::webhook::{Attempt, Delivery, Sent};
use crate::store::{StoreError, events, webhook_messages};

use crate::store::webhook_messages::KEPT_ATTEMPTS;

pub use crate::store::webhook_messages::Filter;

/// The newest `limit` messages that are looked for.
pub async fn messages(ctx: &Context, webhook: WebhookId, filter: Filter, limit: i64) -> Result<Vec<Sent>, StoreError> {
    let found = ctx.store.read(move |conn| {
        let filter = filter.clone();
        Box::pin(async move { webhook_messages::list(conn, webhook, &filter, limit).await })
    });
    found.await
}

/// How many messages are in each state.
pub async fn counts(ctx: &Context, webhook: WebhookId) -> Result<Vec<(Delivery, i64)>, StoreError> {
    ctx.store.read(move |conn| Box::pin(webhook_messages::counts(conn, webhook))).await
}

/// A message with its attempts, oldest first.
pub async fn message(
    ctx: &Context,
    webhook: WebhookId,
    id: WebhookMessageId,
) -> Result<(Sent, Vec<Attempt>), WebhookError> {
    let found = ctx.store.read(move |conn| {
        Box::pin(async move {
            // Before the message: what is said of that is never older than its attempts.
            let attempts = webhook_messages::attempts(conn, webhook, id, KEPT_ATTEMPTS).await?;
            Ok(webhook_messages::find(conn, webhook, id).await?.map(|sent| (sent, attempts)))
        })
    });
    found.await?.ok_or(WebhookError::UnknownMessage)
}

/// Sends a message again, the same bytes under the same id, whatever became of it.
pub async fn replay(ctx: &Acting<'_>, webhook: WebhookId, id: WebhookMessageId) -> Result<(), WebhookError> {
    let (only, now) = (ctx.owner(), ctx.real_now());
    let mut event = ctx.event(Action::WebhookReplayed, Target::webhook(webhook, ""));
    event.changes = vec![Change::new("message", id.written())];
    let replayed = ctx.store.write(move |conn| {
        let event = event.clone();
        Box::pin(async move {
            let Some(found) = held(conn, only, webhook).await? else { return Ok(Err(WebhookError::Unknown)) };
            if !webhook_messages::replay(conn, webhook, id, now).await? {
                return Ok(Err(WebhookError::UnknownMessage));
            }
            events::record(conn, &Event { target: event_target(&found), ..event }).await?;
            Ok(Ok(()))
        })
    });
    replayed.await??;
    ctx.webhooks.wake();
    Ok(())
}

/// Which messages are sent again: made from `since` on and before `until`.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    pub since: Timestamp,
    pub until: Timestamp,
    /// `None`: whatever became of them.
    pub state: Option<Delivery>,
}

/// Sends those again; answers how many they are.
pub async fn replay_span(ctx: &Acting<'_>, webhook: WebhookId, span: Span) -> Result<u64, WebhookError> {
    let (only, now) = (ctx.owner(), ctx.real_now());
    let event = ctx.event(Action::WebhookReplayed, Target::webhook(webhook, ""));
    let replayed = ctx.store.write(move |conn| {
        let event = event.clone();
        Box::pin(async move {
            let Some(found) = held(conn, only, webhook).await? else { return Ok(Err(WebhookError::Unknown)) };
            let Span { since, until, state } = span;
            let replayed = webhook_messages::replay_span(conn, webhook, now, (since, until), state).await?;
            let changes = vec![Change::new("messages", replayed)];
            events::record(conn, &Event { target: event_target(&found), changes, ..event }).await?;
            Ok(Ok(replayed))
        })
    });
    let replayed = replayed.await??;
    ctx.webhooks.wake();
    Ok(replayed)
}
