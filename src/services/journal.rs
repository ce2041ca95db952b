//! The sandbox's journal: the last requests of the emulated surfaces, with the reason for each refusal.
//! A ring in memory, bounded by number and by bytes, so that it can stay on under load; off in production.

pub mod note;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;
use uuid::Uuid;

use super::Context;
use crate::domain::ids::{AppId, ConnectionId, FlowId};
use crate::domain::journal::{Entry, Outcome};
use crate::domain::timestamp::Timestamp;
use crate::store::{StoreError, connections};

/// Entries that are kept.
pub const MAX_ENTRIES: usize = 5_000;
/// Bytes of them all, about.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;
/// Entries that a reader who listens may be behind before it misses some.
const FEED: usize = 256;
/// Connections whose users are remembered.
const MAX_USERS: usize = 10_000;

/// The journal of one world.
pub struct Journal {
    /// `None` in production mode.
    kept: Option<Mutex<Kept>>,
    feed: broadcast::Sender<Arc<Entry>>,
}

#[derive(Default)]
struct Kept {
    entries: VecDeque<Arc<Entry>>,
    bytes: usize,
    /// Who a connection is of. The hot path does not know, and shall not look it up.
    users: HashMap<ConnectionId, String>,
}

impl Kept {
    fn user_of(&self, entry: &Entry) -> Option<String> {
        entry.user.clone().or_else(|| self.users.get(&entry.connection?).cloned())
    }
}

/// Which entries are asked for; `None` is any.
#[derive(Debug, Clone, Default)]
pub struct Query {
    pub app: Option<AppId>,
    /// The e-mail address.
    pub user: Option<String>,
    /// The last fixed word of the route, or the whole template.
    pub endpoint: Option<String>,
    pub outcome: Option<Outcome>,
    /// Not before this moment, by the server's clock.
    pub since: Option<Timestamp>,
    /// Those after this one.
    pub after: Option<Uuid>,
    pub flow: Option<FlowId>,
    pub connection: Option<ConnectionId>,
    pub limit: Option<usize>,
}

impl Query {
    fn takes(&self, entry: &Entry, user: Option<&str>) -> bool {
        let is = |wanted: bool, holds: bool| !wanted || holds;
        is(self.app.is_some(), self.app == entry.app)
            && is(self.outcome.is_some(), self.outcome == Some(entry.outcome))
            && is(self.flow.is_some(), self.flow == entry.flow)
            && is(self.connection.is_some(), self.connection == entry.connection)
            && self.endpoint.as_ref().is_none_or(|wanted| *wanted == entry.endpoint || *wanted == entry.route)
            && self.since.is_none_or(|since| entry.at >= since)
            && self.user.as_ref().is_none_or(|wanted| user.is_some_and(|user| user.eq_ignore_ascii_case(wanted)))
    }
}

impl Journal {
    pub fn new(is_on: bool) -> Self {
        Self { kept: is_on.then(Mutex::default), feed: broadcast::Sender::new(FEED) }
    }

    /// Whether anything is kept.
    pub fn is_on(&self) -> bool {
        self.kept.is_some()
    }

    fn kept(&self) -> Option<MutexGuard<'_, Kept>> {
        // What is kept is whole after every step, so a panic elsewhere has spoiled nothing.
        self.kept.as_ref().map(|kept| kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps an entry, and lets the oldest go where there are too many.
    pub fn record(&self, entry: Entry) {
        let Some(mut kept) = self.kept() else { return };
        if let (Some(connection), Some(user)) = (entry.connection, &entry.user)
            && kept.users.len() < MAX_USERS
        {
            kept.users.entry(connection).or_insert_with(|| user.clone());
        }
        kept.bytes += entry.size();
        let entry = Arc::new(entry);
        kept.entries.push_back(entry.clone());
        while kept.entries.len() > MAX_ENTRIES || kept.bytes > MAX_BYTES {
            let Some(oldest) = kept.entries.pop_front() else { break };
            kept.bytes -= oldest.size();
        }
        drop(kept);
        // Nobody may be listening.
        let _ = self.feed.send(entry);
    }

    /// What the query takes, newest first.
    pub fn list(&self, query: &Query) -> Vec<Arc<Entry>> {
        let Some(kept) = self.kept() else { return Vec::new() };
        let newer = kept.entries.iter().rev().take_while(|entry| Some(entry.id) != query.after);
        let taken = newer.filter(|entry| {
            let user = if query.user.is_some() { kept.user_of(entry) } else { None };
            query.takes(entry, user.as_deref())
        });
        taken.take(query.limit.unwrap_or(usize::MAX)).cloned().collect()
    }

    /// Whether the query takes this one.
    pub fn takes(&self, query: &Query, entry: &Entry) -> bool {
        query.takes(entry, self.user_of(entry).as_deref())
    }

    pub fn find(&self, id: Uuid) -> Option<Arc<Entry>> {
        self.kept()?.entries.iter().rev().find(|entry| entry.id == id).cloned()
    }

    /// The e-mail address of who an entry is about, as far as it is known: see [`learn_users`].
    pub fn user_of(&self, entry: &Entry) -> Option<String> {
        self.kept()?.user_of(entry)
    }

    /// Forgets everything.
    pub fn clear(&self) {
        if let Some(mut kept) = self.kept() {
            *kept = Kept::default();
        }
    }

    /// What is recorded from now on. A listener that is too slow misses some, and is told so.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Entry>> {
        self.feed.subscribe()
    }

    /// Connections of which only the id is known.
    fn strangers(&self) -> Vec<ConnectionId> {
        let Some(kept) = self.kept() else { return Vec::new() };
        let unknown = kept.entries.iter().filter(|entry| kept.user_of(entry).is_none());
        let mut ids: Vec<ConnectionId> = unknown.filter_map(|entry| entry.connection).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.truncate(MAX_USERS.saturating_sub(kept.users.len()));
        ids
    }
}

/// Looks up whose the connections are that requests only named by their tokens: done before the journal is
/// read, so that the hot path need not.
pub async fn learn_users(ctx: &Context) -> Result<(), StoreError> {
    let ids = ctx.journal.strangers();
    if ids.is_empty() {
        return Ok(());
    }
    let found = ctx.store.read(move |conn| {
        let ids = ids.clone();
        Box::pin(async move { connections::emails(conn, &ids).await })
    });
    let found = found.await?;
    if let Some(mut kept) = ctx.journal.kept() {
        kept.users.extend(found);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
