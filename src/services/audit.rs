//! Who changes something, and what is written down of it. Whatever a person or an operator can change takes an [`Acting`],
//! so that nothing can be changed without saying who does it; the event is recorded in the transaction of the change.

use std::net::IpAddr;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Builder;

use super::Context;
use super::webhooks::outbox;
use crate::domain::event::{Action, Actor, Event, Target, TargetKind};
use crate::domain::ids::{AppId, EventId, UserId};
use crate::domain::timestamp::Timestamp;
use crate::domain::user::User;
use crate::entropy::Entropy;
use crate::store::{Conn, StoreError, apps, events};

/// Which events are looked for.
pub use crate::store::events::Filter as Wanted;

/// Longest login name of a command line that is kept, in characters.
const MAX_LOGIN: usize = 64;

/// Who acts, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    pub actor: Actor,
    /// The address of the request's sender; `None`: there was no request.
    pub from: Option<IpAddr>,
}

impl By {
    pub fn user(user: &User, from: Option<IpAddr>) -> Self {
        Self { actor: Actor::User { id: user.id, email: user.email.clone() }, from }
    }

    pub fn anybody(from: Option<IpAddr>) -> Self {
        Self { actor: Actor::Anybody, from }
    }

    /// `login` is the name that who runs the command is logged in by.
    pub fn command_line(login: &str) -> Self {
        Self { actor: Actor::CommandLine { login: login.chars().take(MAX_LOGIN).collect() }, from: None }
    }

    pub fn control_plane(from: Option<IpAddr>) -> Self {
        Self { actor: Actor::ControlPlane, from }
    }

    /// A client that manages itself; `None`: one that is only about to be.
    pub fn client(id: Option<AppId>, from: Option<IpAddr>) -> Self {
        Self { actor: Actor::Client { id }, from }
    }

    /// The user who acts, if it is one.
    pub fn user_id(&self) -> Option<UserId> {
        match self.actor {
            Actor::User { id, .. } => Some(id),
            _ => None,
        }
    }

    pub fn server() -> Self {
        Self { actor: Actor::Server, from: None }
    }
}

/// A [`Context`], and who uses it to change something.
pub struct Acting<'c> {
    ctx: &'c Context,
    by: By,
    /// Whose applications may be changed; `None`: anybody's.
    owner: Option<UserId>,
}

impl Deref for Acting<'_> {
    type Target = Context;
    fn deref(&self) -> &Context {
        self.ctx
    }
}

/// Draws the events' identifiers: they follow the machine's clock and, what comes from one process, the order in which
/// it happened, also within a millisecond (RFC 9562 section 6.2, method 1).
#[derive(Default)]
pub struct EventIds {
    /// Milliseconds since 1970, and behind them a counter of [`COUNTER_BITS`].
    last: AtomicU64,
}

const COUNTER_BITS: u32 = 12;

impl EventIds {
    pub(super) fn next(&self, now: Timestamp, entropy: &dyn Entropy) -> EventId {
        let floor = now.unix_millis() << COUNTER_BITS;
        let after = |last: u64| floor.max(last + 1);
        let last = self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(after(last)));
        let drawn = after(last.unwrap_or_else(|last| last));
        let mut bytes = [0; 10];
        entropy.fill(&mut bytes);
        let [high, low] = u16::try_from(drawn % (1 << COUNTER_BITS)).unwrap_or_default().to_be_bytes();
        (bytes[0], bytes[1]) = (high, low);
        EventId(Builder::from_unix_timestamp_millis(drawn >> COUNTER_BITS, &bytes).into_uuid())
    }
}

impl Context {
    /// To change something in somebody's name.
    pub fn acting(&self, by: By) -> Acting<'_> {
        Acting { ctx: self, by, owner: None }
    }

    /// The id of something that is told, in the order of what happened on this node.
    pub(super) fn message_id(&self) -> uuid::Uuid {
        self.event_ids.next(self.real_now(), &*self.entropy).0
    }

    /// An event of now, to be recorded in the transaction of what it tells of.
    pub fn event(&self, by: By, action: Action, target: Target) -> Event {
        let at = self.now();
        let id = self.event_ids.next(self.real_now(), &*self.entropy);
        Event { id, at, action, actor: by.actor, from: by.from, target, changes: Vec::new() }
    }
}

impl Acting<'_> {
    /// The same for this user's own applications alone: another's is not there. It is looked at in the transaction of
    /// the change.
    pub fn for_owner(&self, owner: UserId) -> Acting<'_> {
        Acting { ctx: self.ctx, by: self.by.clone(), owner: Some(owner) }
    }

    /// What a use case asks [`may_change`] with.
    pub(super) fn owner(&self) -> Option<UserId> {
        self.owner
    }

    pub fn by(&self) -> &By {
        &self.by
    }

    /// An event of now, in the name of who acts.
    pub fn event(&self, action: Action, target: Target) -> Event {
        self.ctx.event(self.by.clone(), action, target)
    }
}

/// Whether an application is there for who acts, which stays so until the transaction is over. `owner` is
/// [`Acting::owner`].
pub(super) async fn may_change(conn: &mut Conn, owner: Option<UserId>, app: &AppId) -> Result<bool, StoreError> {
    match owner {
        Some(owner) => apps::hold_of_owner(conn, app, owner).await,
        None => Ok(true),
    }
}

/// Records what was done to an application, in the transaction of it, and tells its webhooks.
pub(super) async fn record_of_app(conn: &mut Conn, event: &Event) -> Result<(), StoreError> {
    events::record(conn, event).await?;
    outbox::app_changed(conn, event).await
}

/// The newest `limit` events of one thing.
pub async fn of_target(ctx: &Context, kind: TargetKind, id: &str, limit: i64) -> Result<Vec<Event>, StoreError> {
    let id = id.to_owned();
    ctx.store
        .read(move |conn| {
            let id = id.clone();
            Box::pin(async move { events::list_of_target(conn, kind, &id, limit).await })
        })
        .await
}

/// The newest `limit` events that the filter is for.
pub async fn list(ctx: &Context, filter: Wanted, limit: i64) -> Result<Vec<Event>, StoreError> {
    ctx.store
        .read(move |conn| {
            let filter = filter.clone();
            Box::pin(async move { events::list(conn, &filter, limit).await })
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    #[test]
    fn r14_ids_are_in_the_order_of_what_happened() {
        let ids = EventIds::default();
        let at = |millis: i64| Timestamp::from_micros(1_795_305_600_000_000 + millis * 1_000);
        // Also more than the counter holds, and a clock that goes back.
        let moments = std::iter::repeat_n(at(0), 5_000).chain([at(1), at(9), at(8), at(20)]);
        let drawn: Vec<_> = moments.map(|now| ids.next(now, &SystemEntropy)).collect();
        assert!(drawn.is_sorted_by(|earlier, later| earlier < later));
        assert_eq!(drawn.last().unwrap().0.get_version_num(), 7);
    }
}
