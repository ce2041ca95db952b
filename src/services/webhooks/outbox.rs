//! What is told, written down in the transaction of what it tells of: neither is there without the other.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use uuid::Uuid;

use super::super::Context;
use super::expiry;
use crate::domain::connection::{ConnectionState, EndedBy};
use crate::domain::consent::Asked;
use crate::domain::event::{Action, Event, TargetKind};
use crate::domain::ids::{AppId, ConnectionId, UserId, WebhookMessageId};
use crate::domain::scope::ScopeSet;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::User;
use crate::domain::webhook::{News, Topic};
use crate::store::connections::Ended;
use crate::store::{Conn, StoreError, connections, users, webhook_messages, webhooks};

/// Bits of a UUIDv7 that say nothing of time or order (RFC 9562 section 5.7).
const RANDOM: u128 = (1 << 62) - 1;

/// What messages of one transaction are drawn from, before it begins.
#[derive(Debug, Clone, Copy)]
pub struct Draft {
    id: Uuid,
    /// Real time.
    at: Timestamp,
}

impl Context {
    pub fn draft(&self) -> Draft {
        Draft { id: self.message_id(), at: self.real_now() }
    }
}

impl Draft {
    /// One id for each connection that there is something to tell of.
    fn id_for(&self, connection: ConnectionId) -> WebhookMessageId {
        WebhookMessageId(Uuid::from_u128(self.id.as_u128() ^ (connection.0.as_u128() & RANDOM)))
    }
}

/// A user allowed what there was no connection for.
pub async fn created(
    conn: &mut Conn,
    draft: Draft,
    user: &User,
    connection: &crate::domain::connection::Connection,
) -> Result<(), StoreError> {
    let news = News::new(Topic::ConnectionCreated, connection.app.clone(), connection.created_at).about(
        user,
        connection.id,
        &connection.scopes,
    );
    tell(conn, &connection.app, &news, draft.id_for(connection.id), draft.at).await
}

/// A user was asked, and refused.
pub struct Denied {
    draft: Draft,
    app: AppId,
    news: News,
}

impl Denied {
    pub fn new(ctx: &Context, asked: Asked<'_>) -> Self {
        let app = asked.app.id.clone();
        // Who denies an application something stays unknown to it.
        let news = News::new(Topic::ConnectionDenied, app.clone(), asked.now).with_scopes(asked.scopes);
        Self { draft: ctx.draft(), app, news }
    }

    /// In the transaction that finishes the flow.
    pub async fn tell(&self, conn: &mut Conn) -> Result<(), StoreError> {
        tell(conn, &self.app, &self.news, WebhookMessageId(self.draft.id), self.draft.at).await
    }

    /// Where there is no flow.
    pub async fn tell_now(self, ctx: &Context) -> Result<(), StoreError> {
        let denied = std::sync::Arc::new(self);
        let told = ctx.store.write(move |conn| {
            let denied = denied.clone();
            Box::pin(async move { denied.tell(conn).await })
        });
        told.await?;
        ctx.told();
        Ok(())
    }
}

/// Connections ended. Of those that nobody hears of, nothing is looked up.
pub async fn ended(conn: &mut Conn, draft: Draft, ended: &[Ended], by: EndedBy) -> Result<(), StoreError> {
    let mut wanted: HashMap<&AppId, bool> = HashMap::new();
    let mut known: HashMap<UserId, Option<User>> = HashMap::new();
    for one in ended {
        if !wanted.contains_key(&one.app) {
            let is_wanted = webhooks::is_wanted(conn, &one.app, Topic::ConnectionRevoked).await?;
            wanted.insert(&one.app, is_wanted);
        }
        if !wanted[&one.app] {
            continue;
        }
        let known = match known.entry(one.user) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(users::find(conn, one.user).await?),
        };
        let Some(user) = known else { continue };
        let mut news = News::new(Topic::ConnectionRevoked, one.app.clone(), one.at).about(user, one.id, &one.scopes);
        news.data.by = Some(by.as_str());
        let id = match by {
            EndedBy::Expiry => WebhookMessageId(expiry::id_of(one)),
            EndedBy::Partner | EndedBy::User | EndedBy::Operator => draft.id_for(one.id),
        };
        tell(conn, &one.app, &news, id, draft.at).await?;
    }
    Ok(())
}

/// A refresh, where somebody hears of it: LeadExec's is the hottest path there is, and costs nothing where nobody does.
pub struct Refreshed {
    draft: Draft,
    app: AppId,
    /// By the application's clock.
    at: Timestamp,
}

impl Refreshed {
    pub fn wanted(ctx: &Context, app: &AppId, at: Timestamp) -> Option<Self> {
        let is_wanted = ctx.webhooks.wants(app, Topic::TokenRefreshed);
        is_wanted.then(|| Self { draft: ctx.draft(), app: app.clone(), at })
    }

    /// In the transaction of the refresh.
    pub async fn tell(
        &self,
        conn: &mut Conn,
        connection: ConnectionId,
        user: &User,
        scopes: &ScopeSet,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut news = News::new(Topic::TokenRefreshed, self.app.clone(), self.at).about(user, connection, scopes);
        news.data.expires_at = Some(expires_at);
        tell(conn, &self.app, &news, self.draft.id_for(connection), self.draft.at).await
    }

    /// After a refresh of LeadExec's class, which is recorded together with others; before its answer leaves.
    pub async fn tell_now(
        self,
        ctx: &Context,
        connection: ConnectionId,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let refreshed = std::sync::Arc::new(self);
        let told = ctx.store.write(move |conn| {
            let refreshed = refreshed.clone();
            Box::pin(async move {
                let Some(connection) = connections::find(conn, connection).await? else { return Ok(()) };
                // It has ended meanwhile: what is told of that is the last that is heard of it.
                if matches!(connection.state, ConnectionState::Ended { .. }) {
                    return Ok(());
                }
                let Some(user) = users::find(conn, connection.user).await? else { return Ok(()) };
                refreshed.tell(conn, connection.id, &user, &connection.sign_in_scopes, expires_at).await
            })
        });
        told.await?;
        ctx.told();
        Ok(())
    }
}

/// Whether partners hear of what was done to an application.
fn is_update(action: Action) -> bool {
    matches!(
        action,
        Action::AppChanged
            | Action::AppDisabled
            | Action::AppEnabled
            | Action::AppLogoSet
            | Action::AppLogoRemoved
            | Action::AppSecretRotated
            | Action::AppSecretRevoked
    )
}

/// Tells of what the event log has of an application: which fields are different, and not what is in them.
pub async fn app_changed(conn: &mut Conn, event: &Event) -> Result<(), StoreError> {
    if event.target.kind != TargetKind::App || !is_update(event.action) {
        return Ok(());
    }
    let Ok(app) = AppId::parse(&event.target.id) else { return Ok(()) };
    let mut news = News::new(Topic::AppUpdated, app.clone(), event.at);
    news.data.by = Some(event.actor.kind());
    news.data.action = Some(event.action.as_str());
    news.data.changed = Some(event.changes.iter().map(|change| change.field.clone()).collect());
    // The event's id follows the machine's clock.
    let (seconds, nanos) = event.id.0.get_timestamp().map_or((0, 0), |at| at.to_unix());
    let micros = i64::try_from(seconds).unwrap_or(0) * 1_000_000 + i64::from(nanos / 1_000);
    tell(conn, &app, &news, WebhookMessageId(event.id.0), Timestamp::from_micros(micros)).await
}

async fn tell(
    conn: &mut Conn,
    app: &AppId,
    news: &News,
    id: WebhookMessageId,
    at: Timestamp,
) -> Result<(), StoreError> {
    webhook_messages::tell(conn, app, &news.message(id, at)).await.map(|_| ())
}
