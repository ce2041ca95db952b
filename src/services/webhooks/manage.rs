//! Webhooks: made, changed, tested, deleted.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::super::Context;
use super::super::audit::{Acting, may_change};
use super::{reload, seal};
use crate::crypto::webhook_signature::WebhookSecret;
use crate::domain::allow_list::NotAllowed;
use crate::domain::event::{Action, Change as EventChange, Event, Target as EventTarget};
use crate::domain::ids::{AppId, UserId, WebhookId, WebhookMessageId};
use crate::domain::target_url::origin;
use crate::domain::webhook::{DisabledWhy, MAX_WEBHOOKS, News, Target, Topic, Topics, Webhook, WebhookState};
use crate::entropy::time_ordered_id;
use crate::store::{Conn, StoreError, apps, events, webhook_messages, webhooks};

#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    #[error("there is no webhook with this id")]
    Unknown,
    #[error("there is no application with this id")]
    UnknownApp,
    #[error("there is no message with this id, or no longer")]
    UnknownMessage,
    #[error("the application has {MAX_WEBHOOKS} webhooks, which is all there may be")]
    TooMany,
    #[error("there are {0} listeners, which is all there may be")]
    TooManyListeners(i64),
    #[error("the webhook's address may not be called: {0}")]
    NotAllowed(#[from] NotAllowed),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A webhook to be made.
pub struct New {
    pub app: AppId,
    pub url: Url,
    pub topics: Topics,
    /// `None`: one that is made.
    pub secret: Option<WebhookSecret>,
}

/// What is to be different; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub url: Option<Url>,
    pub topics: Option<Topics>,
    pub is_disabled: Option<bool>,
}

/// The target of an event about a webhook.
pub(super) fn event_target(webhook: &Webhook) -> EventTarget {
    let name = webhook.url().and_then(Url::host_str).unwrap_or("listener");
    EventTarget::webhook(webhook.id, name)
}

/// Makes a webhook. Its secret is shown this once.
pub async fn create(ctx: &Acting<'_>, new: New) -> Result<(Webhook, WebhookSecret), WebhookError> {
    ctx.outgoing.judge(&new.url)?;
    let secret = new.secret.unwrap_or_else(|| WebhookSecret::mint(&*ctx.entropy));
    let now = ctx.real_now();
    let webhook = Webhook {
        id: WebhookId(time_ordered_id(&*ctx.entropy, now)),
        app: Some(new.app.clone()),
        target: Target::Endpoint(new.url),
        topics: new.topics,
        state: WebhookState::Active,
        failing_since: None,
        previous_until: None,
        created_at: now,
    };
    let mut event = ctx.event(Action::WebhookCreated, event_target(&webhook));
    event.changes = vec![
        EventChange::new("app", &new.app),
        EventChange::new("url", webhook.url().map(origin).unwrap_or_default()),
        EventChange::new("events", webhook.topics.listed()),
    ];
    let sealed = seal(&ctx.sealer, webhook.id, &secret);
    let (work, only) = (Arc::new((webhook.clone(), new.app, sealed, event)), ctx.owner());
    let made = ctx.store.write(move |conn| {
        let work = work.clone();
        Box::pin(async move {
            let (webhook, app, sealed, event) = &*work;
            if !may_change(conn, only, app).await? || apps::find(conn, app).await?.is_none() {
                return Ok(Err(WebhookError::UnknownApp));
            }
            // Of two who make the last one, one waits here.
            apps::hold(conn, app).await?;
            if webhooks::count_of_app(conn, app).await? >= MAX_WEBHOOKS {
                return Ok(Err(WebhookError::TooMany));
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

/// An endpoint.
pub async fn find(ctx: &Context, id: WebhookId) -> Result<Webhook, WebhookError> {
    let found = ctx.store.read(move |conn| Box::pin(webhooks::find(conn, id))).await?;
    found.filter(|webhook| webhook.url().is_some()).ok_or(WebhookError::Unknown)
}

/// The oldest `limit` endpoints, of those after this one.
pub async fn list(
    ctx: &Context,
    app: Option<AppId>,
    after: Option<WebhookId>,
    limit: i64,
) -> Result<Vec<Webhook>, StoreError> {
    let listed = ctx.store.read(move |conn| {
        let app = app.clone();
        Box::pin(async move { webhooks::list(conn, app.as_ref(), after, limit).await })
    });
    listed.await
}

/// The endpoint, if it is there for who acts.
pub(super) async fn held(conn: &mut Conn, only: Option<UserId>, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
    let Some(webhook) = webhooks::find(conn, id).await? else { return Ok(None) };
    let Some(app) = webhook.app.as_ref().filter(|_| webhook.url().is_some()) else { return Ok(None) };
    Ok(may_change(conn, only, app).await?.then_some(webhook))
}

/// Changes where it goes, what it is for, and whether it goes on.
pub async fn change(ctx: &Acting<'_>, id: WebhookId, change: Change) -> Result<Webhook, WebhookError> {
    if let Some(url) = &change.url {
        ctx.outgoing.judge(url)?;
    }
    let (now, only) = (ctx.real_now(), ctx.owner());
    let event = ctx.event(Action::WebhookChanged, EventTarget::webhook(id, ""));
    let changed = ctx.store.write(move |conn| {
        let (change, event) = (change.clone(), event.clone());
        Box::pin(async move {
            let Some(before) = held(conn, only, id).await? else { return Ok(Err(WebhookError::Unknown)) };
            let mut after = before.clone();
            if let Some(url) = change.url {
                after.target = Target::Endpoint(url);
            }
            after.topics = change.topics.unwrap_or(after.topics);
            if let Some(is_disabled) = change.is_disabled.filter(|is_disabled| *is_disabled == before.is_active()) {
                let why = DisabledWhy::Switched;
                after.state =
                    if is_disabled { WebhookState::Disabled { since: now, why } } else { WebhookState::Active };
            }
            webhooks::update(conn, &after).await?;
            if after.state != before.state {
                webhooks::set_state(conn, id, after.state).await?;
                after.failing_since = None;
            }
            let changes = changes(&before, &after);
            if !changes.is_empty() {
                events::record(conn, &Event { target: event_target(&after), changes, ..event }).await?;
            }
            Ok(Ok(after))
        })
    });
    let changed = changed.await??;
    reload(ctx).await?;
    // What waited while it was disabled.
    ctx.webhooks.wake();
    Ok(changed)
}

fn changes(before: &Webhook, after: &Webhook) -> Vec<EventChange> {
    let url = |webhook: &Webhook| webhook.url().map(origin).unwrap_or_default();
    let state = |webhook: &Webhook| if webhook.is_active() { "active" } else { "disabled" };
    [
        EventChange::of("url", url(before), url(after)),
        EventChange::of("events", before.topics.listed(), after.topics.listed()),
        EventChange::of("state", state(before), state(after)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Gives it another secret, shown this once; the one that it had signs too for so long.
pub async fn rotate(ctx: &Acting<'_>, id: WebhookId, overlap: Duration) -> Result<WebhookSecret, WebhookError> {
    let secret = WebhookSecret::mint(&*ctx.entropy);
    let until = ctx.real_now().plus(overlap);
    let mut event = ctx.event(Action::WebhookSecretRotated, EventTarget::webhook(id, ""));
    event.changes = vec![EventChange::new("previous_signs_until", until.to_rfc3339())];
    let work = Arc::new((seal(&ctx.sealer, id, &secret), event));
    let only = ctx.owner();
    let rotated = ctx.store.write(move |conn| {
        let work = work.clone();
        Box::pin(async move {
            let (sealed, event) = &*work;
            let Some(webhook) = held(conn, only, id).await? else { return Ok(Err(WebhookError::Unknown)) };
            webhooks::rotate(conn, id, sealed, until).await?;
            events::record(conn, &Event { target: event_target(&webhook), ..event.clone() }).await?;
            Ok(Ok(()))
        })
    });
    rotated.await??;
    Ok(secret)
}

/// Deletes it with its log.
pub async fn delete(ctx: &Acting<'_>, id: WebhookId) -> Result<(), WebhookError> {
    let only = ctx.owner();
    let event = ctx.event(Action::WebhookDeleted, EventTarget::webhook(id, ""));
    let deleted = ctx.store.write(move |conn| {
        let event = event.clone();
        Box::pin(async move {
            let Some(webhook) = held(conn, only, id).await? else { return Ok(Err(WebhookError::Unknown)) };
            webhooks::delete(conn, id).await?;
            events::record(conn, &Event { target: event_target(&webhook), ..event }).await?;
            Ok(Ok(()))
        })
    });
    deleted.await??;
    Ok(reload(ctx).await?)
}

/// Sends it a message that says nothing but that it arrives; answers which. It waits where the webhook is disabled.
pub async fn test(ctx: &Acting<'_>, id: WebhookId) -> Result<WebhookMessageId, WebhookError> {
    let message = WebhookMessageId(ctx.message_id());
    let (only, server, at) = (ctx.owner(), ctx.clocks.moments(), ctx.real_now());
    let event = ctx.event(Action::WebhookTested, EventTarget::webhook(id, ""));
    let sent = ctx.store.write(move |conn| {
        let (moments, event) = (server.clone(), event.clone());
        Box::pin(async move {
            let Some(webhook) = held(conn, only, id).await? else { return Ok(Err(WebhookError::Unknown)) };
            let target = event_target(&webhook);
            let Some(app) = webhook.app else { return Ok(Err(WebhookError::Unknown)) };
            let at_app = moments.of(&app);
            let news = News::new(Topic::Test, app, at_app).message(message, at);
            // In a lane of its own: it tells whether the target answers, not whether it has kept up.
            let news = crate::domain::webhook::Message { lane: format!("test/{}", message.0), ..news };
            webhook_messages::tell_one(conn, id, &news).await?;
            events::record(conn, &Event { target, ..event }).await?;
            Ok(Ok(()))
        })
    });
    sent.await??;
    ctx.webhooks.wake();
    Ok(message)
}
