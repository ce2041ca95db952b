//! The action call-back of an application: its own server is asked before a connection is made, and may refuse it with a
//! message to the user; it is told of a denial. Signed as webhooks are, so that one library verifies both.
//!
//! It is asked outside of any transaction, and what it says is good for this one authorization. Where it gives no answer
//! that can be read in time, the application's own choice holds ([`OnFailure`]).

use std::sync::Arc;
use std::time::Duration;

use super::Context;
use super::audit::{Acting, may_change};
use super::partner::{PartnerError, find_app};
use crate::crypto::webhook_signature::{self, WebhookSecret};
use crate::domain::action_callback::{ActionCallback, CallResult, LastCall, OnFailure, TIME_LIMIT, Verdict};
use crate::domain::allow_list::NotAllowed;
use crate::domain::consent::Asked;
use crate::domain::event::{Action, Change, Target};
use crate::domain::ids::{AppId, ConnectionId, WebhookMessageId};
use crate::domain::target_url::TargetUrl;
use crate::domain::webhook::{News, Topic};
use crate::entropy::time_ordered_id;
use crate::outgoing::Call;
use crate::store::{StoreError, action_callbacks, apps, connections, events};

/// Longest sentence about a failure that is kept, in characters.
const MAX_DETAIL: usize = 300;

#[derive(Debug, thiserror::Error)]
pub enum CallbackError {
    #[error("the application has no action call-back")]
    None,
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    #[error(transparent)]
    Partner(#[from] PartnerError),
}

impl From<StoreError> for CallbackError {
    fn from(error: StoreError) -> Self {
        Self::Partner(error.into())
    }
}

/// The application's own server did not let a connection be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the application's action call-back {}", if *is_failure { "gave no answer that counts" } else { "refused the connection" })]
pub struct CallbackRefusal {
    /// For the user, as plain text. Not in the log: somebody else wrote it, perhaps of a person.
    pub message: Option<String>,
    /// Whether it is this server that refuses, because there was no answer.
    pub is_failure: bool,
}

/// Asks whether this connection may be made. Only of a new one: who has one already was asked then.
pub async fn ask(
    ctx: &Context,
    asked: Asked<'_>,
    connection: ConnectionId,
) -> Result<Result<(), CallbackRefusal>, StoreError> {
    let Some((callback, secret)) = load(ctx, &asked.app.id).await? else { return Ok(Ok(())) };
    let (user, app, now) = (asked.user.id, asked.app.id.clone(), asked.now);
    let existing = ctx.store.read(move |conn| {
        let app = app.clone();
        Box::pin(async move { connections::find_live(conn, user, &app, now).await })
    });
    if existing.await?.is_some() {
        return Ok(Ok(()));
    }
    let news = News::new(Topic::ConnectionCreated, asked.app.id.clone(), now);
    let news = news.about(asked.user, connection, asked.scopes);
    let (verdict, last) = call(ctx, &callback, &secret, &news).await;
    note(ctx, &callback, last).await;
    Ok(match verdict {
        Some(Verdict::Allow) => Ok(()),
        Some(Verdict::Refuse { message }) => Err(CallbackRefusal { message, is_failure: false }),
        None if callback.on_failure == OnFailure::Allow => Ok(()),
        None => Err(CallbackRefusal { message: None, is_failure: true }),
    })
}

/// Tells of a denial, which stands whatever is answered, and whether or not it can be told.
pub async fn tell_denied(ctx: &Context, asked: Asked<'_>) {
    let told = async {
        let Some((callback, secret)) = load(ctx, &asked.app.id).await? else { return Ok(()) };
        // Who denies an application something stays unknown to it.
        let news = News::new(Topic::ConnectionDenied, asked.app.id.clone(), asked.now).with_scopes(asked.scopes);
        let (_, last) = call(ctx, &callback, &secret, &news).await;
        note(ctx, &callback, last).await;
        Ok(())
    };
    let told: Result<(), StoreError> = told.await;
    if let Err(error) = told {
        tracing::warn!(%error, app = %asked.app.id, "an action call-back was not told of a denial");
    }
}

/// Sends a message that connects nobody and tells of nobody, and says how that went.
pub async fn test(ctx: &Acting<'_>, app: &AppId) -> Result<LastCall, CallbackError> {
    let named = find_app(ctx, app).await?;
    let (callback, secret) = load(ctx, app).await?.ok_or(CallbackError::None)?;
    let event = ctx.event(Action::AppCallbackTested, Target::app(app, &named.name));
    let (work, owner) = (Arc::new((app.clone(), event)), ctx.owner());
    let begun = ctx.store.write(move |conn| {
        let work = work.clone();
        Box::pin(async move {
            let (app, event) = &*work;
            let may = may_change(conn, owner, app).await?;
            if may {
                events::record(conn, event).await?;
            }
            Ok(may)
        })
    });
    if !begun.await? {
        return Err(PartnerError::UnknownApp.into());
    }
    let news = News::new(Topic::Test, app.clone(), ctx.now_for(app));
    let (_, last) = call(ctx, &callback, &secret, &news).await;
    note(ctx, &callback, last.clone()).await;
    Ok(last)
}

pub(super) fn row(app: impl std::fmt::Display) -> String {
    format!("action_callbacks/{app}/secret")
}

async fn load(ctx: &Context, app: &AppId) -> Result<Option<(ActionCallback, WebhookSecret)>, StoreError> {
    let id = app.clone();
    let found = ctx.store.read(move |conn| {
        let id = id.clone();
        Box::pin(async move { action_callbacks::find(conn, &id).await })
    });
    let Some((callback, sealed)) = found.await? else { return Ok(None) };
    let corrupt = |why: String| StoreError::Corrupt(format!("action_callbacks.secret: {why}"));
    let opened = ctx.sealer.open(&row(app), &sealed).map_err(|why| corrupt(why.to_string()))?;
    let secret = WebhookSecret::from_bytes(opened).map_err(|why| corrupt(why.to_string()))?;
    Ok(Some((callback, secret)))
}

/// `None`: there was no answer that can be read.
async fn call(
    ctx: &Context,
    callback: &ActionCallback,
    secret: &WebhookSecret,
    news: &News,
) -> (Option<Verdict>, LastCall) {
    let at = ctx.real_now();
    let message = news.message(WebhookMessageId(time_ordered_id(&*ctx.entropy, at)), at);
    let body = message.payload.into_bytes();
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    headers.extend(webhook_signature::headers([secret], &message.id.written(), at, &body));
    let url = callback.url.url().clone();
    let answered = ctx.outgoing.call(Call { url, headers, body, timeout: TIME_LIMIT }).await;
    let took = answered.as_ref().map_or(Duration::ZERO, |answered| answered.took);
    let read = match answered {
        Ok(answered) => Verdict::read(answered.status, &answered.body, answered.is_cut).map_err(|why| why.to_string()),
        Err(why) => Err(why.to_string()),
    };
    let (result, detail) = match &read {
        Ok(Verdict::Allow) => (CallResult::Allowed, String::new()),
        Ok(Verdict::Refuse { message }) => (CallResult::Refused, message.clone().unwrap_or_default()),
        Err(why) => {
            tracing::warn!(app = %callback.app, host = callback.url.host(), why, "an action call-back failed");
            (CallResult::Failed, why.chars().take(MAX_DETAIL).collect())
        }
    };
    (read.ok(), LastCall { at, took, result, detail })
}

/// How a call went is for people to look at: that it cannot be written down changes nothing of what was said.
async fn note(ctx: &Context, callback: &ActionCallback, last: LastCall) {
    let work = Arc::new((callback.app.clone(), callback.url.clone(), last));
    let noted = ctx.store.write(move |conn| {
        let work = work.clone();
        Box::pin(async move { action_callbacks::note_call(conn, &work.0, &work.1, &work.2).await })
    });
    if let Err(error) = noted.await {
        tracing::warn!(%error, app = %callback.app, "how an action call-back went could not be written down");
    }
}

/// The application's call-back.
pub async fn find(ctx: &Context, app: &AppId) -> Result<Option<ActionCallback>, StoreError> {
    let app = app.clone();
    let found = ctx.store.read(move |conn| {
        let app = app.clone();
        Box::pin(async move { action_callbacks::find(conn, &app).await })
    });
    Ok(found.await?.map(|(callback, _)| callback))
}

/// Gives an application a call-back, or another one. A secret that was made is shown this once; one that is there stays.
pub async fn set(
    ctx: &Acting<'_>,
    app: &AppId,
    url: TargetUrl,
    on_failure: OnFailure,
) -> Result<(ActionCallback, Option<String>), CallbackError> {
    ctx.outgoing.judge(url.url())?;
    let named = find_app(ctx, app).await?;
    let fresh = WebhookSecret::mint(&*ctx.entropy);
    let sealed = ctx.sealer.seal(&row(app), fresh.as_bytes());
    let wanted = ActionCallback { app: app.clone(), url, on_failure, last: None };
    let event = ctx.event(Action::AppCallbackSet, Target::app(app, &named.name));
    let (work, owner) = (Arc::new((wanted.clone(), sealed, event)), ctx.owner());
    let set = ctx.store.write(move |conn| {
        let work = work.clone();
        Box::pin(async move {
            let (wanted, sealed, event) = &*work;
            apps::hold(conn, &wanted.app).await?;
            if !may_change(conn, owner, &wanted.app).await? || apps::find(conn, &wanted.app).await?.is_none() {
                return Ok(Err(PartnerError::UnknownApp));
            }
            let before = action_callbacks::find(conn, &wanted.app).await?;
            action_callbacks::set(conn, wanted, sealed).await?;
            let mut event = event.clone();
            event.changes = changes(before.as_ref().map(|(callback, _)| callback), wanted);
            events::record(conn, &event).await?;
            Ok(Ok(before.is_none()))
        })
    });
    let is_new = set.await??;
    Ok((wanted, is_new.then(|| fresh.expose())))
}

/// What is different, with the host alone of each address: paths may hold something secret.
fn changes(before: Option<&ActionCallback>, after: &ActionCallback) -> Vec<Change> {
    let of = |callback: &ActionCallback| (callback.url.host().to_owned(), callback.on_failure.as_str());
    let (host, on_failure) = before.map(of).unwrap_or_default();
    let changes =
        [Change::of("host", &host, after.url.host()), Change::of("on_failure", on_failure, after.on_failure.as_str())];
    changes.into_iter().flatten().collect()
}

/// A new secret, shown this once; the old one signs no more.
pub async fn rotate_secret(ctx: &Acting<'_>, app: &AppId) -> Result<String, CallbackError> {
    let named = find_app(ctx, app).await?;
    let fresh = WebhookSecret::mint(&*ctx.entropy);
    let sealed = ctx.sealer.seal(&row(app), fresh.as_bytes());
    let event = ctx.event(Action::AppCallbackSecretRotated, Target::app(app, &named.name));
    let (work, owner) = (Arc::new((app.clone(), sealed, event)), ctx.owner());
    let rotated = ctx.store.write(move |conn| {
        let work = work.clone();
        Box::pin(async move {
            let (app, sealed, event) = &*work;
            let rotated =
                may_change(conn, owner, app).await? && action_callbacks::set_secret(conn, app, sealed).await?;
            if rotated {
                events::record(conn, event).await?;
            }
            Ok(rotated)
        })
    });
    if rotated.await? { Ok(fresh.expose()) } else { Err(CallbackError::None) }
}

/// From now on nobody is asked. `false` where nobody was.
pub async fn remove(ctx: &Acting<'_>, app: &AppId) -> Result<bool, CallbackError> {
    let named = find_app(ctx, app).await?;
    let event = ctx.event(Action::AppCallbackRemoved, Target::app(app, &named.name));
    let (work, owner) = (Arc::new((app.clone(), event)), ctx.owner());
    let removed = ctx.store.write(move |conn| {
        let work = work.clone();
        Box::pin(async move {
            let (app, event) = &*work;
            let removed = may_change(conn, owner, app).await? && action_callbacks::remove(conn, app).await?;
            if removed {
                events::record(conn, event).await?;
            }
            Ok(removed)
        })
    });
    Ok(removed.await?)
}
