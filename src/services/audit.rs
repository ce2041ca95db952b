//! Who changes something, and what is written down of it. Whatever a person or an operator can change takes an [`Acting`],
//! so that nothing can be changed without saying who does it; the event is recorded in the transaction of the change.

use std::net::IpAddr;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Builder;

use super::Context;
use crate::domain::event::{Action, Actor, Event, Target};
use crate::domain::ids::{AppId, EventId};
use crate::domain::timestamp::Timestamp;
use crate::domain::user::User;
use crate::entropy::Entropy;
use crate::store::{StoreError, events};

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

    pub fn server() -> Self {
        Self { actor: Actor::Server, from: None }
    }
}

/// A [`Context`], and who uses it to change something.
pub struct Acting<'c> {
    ctx: &'c Context,
    by: By,
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
    fn next(&self, now: Timestamp, entropy: &dyn Entropy) -> EventId {
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
        Acting { ctx: self, by }
    }

    /// An event of now, to be recorded in the transaction of what it tells of.
    pub fn event(&self, by: By, action: Action, target: Target) -> Event {
        let at = self.now();
        let id = self.event_ids.next(self.real_now(), &*self.entropy);
        Event { id, at, action, actor: by.actor, from: by.from, target, changes: Vec::new() }
    }
}

impl Acting<'_> {
    pub fn by(&self) -> &By {
        &self.by
    }

    /// An event of now, in the name of who acts.
    pub fn event(&self, action: Action, target: Target) -> Event {
        self.ctx.event(self.by.clone(), action, target)
    }
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
