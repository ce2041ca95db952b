//! The sandbox's journal: the last requests of the emulated surfaces, with the reason for each refusal.
//! A ring in memory, bounded by number and by bytes, so that it can stay on under load; off in production.

pub mod note;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{broadcast, watch};
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
/// Readers who may listen at a time.
pub const MAX_LISTENERS: usize = 256;
/// Connections that are remembered, with their users or without.
const MAX_CONNECTIONS: usize = 2 * MAX_ENTRIES;

/// Connections whose users are looked up with one visit to the database: short enough to hold nobody up.
const LEARNED_AT_ONCE: usize = 100;

/// The journal of one world.
pub struct Journal {
    /// `None` in production mode.
    kept: Option<Mutex<Kept>>,
    /// How often everything was forgotten.
    cleared: watch::Sender<u64>,
    learning: tokio::sync::Mutex<()>,
    /// Whether what it has is shown where the log is.
    is_shown: AtomicBool,
}

struct Kept {
    entries: VecDeque<Arc<Entry>>,
    bytes: usize,
    /// Who a connection is of. The hot path does not know, and shall not look it up.
    users: HashMap<ConnectionId, String>,
    /// Connections of which nobody has asked yet whose they are.
    strangers: HashSet<ConnectionId>,
    /// `None` once the journal is closed.
    feed: Option<broadcast::Sender<Arc<Entry>>>,
}

impl Kept {
    fn new() -> Self {
        Self {
            entries: VecDeque::new(),
            bytes: 0,
            users: HashMap::new(),
            strangers: HashSet::new(),
            feed: Some(broadcast::Sender::new(FEED)),
        }
    }

    fn user_of<'e>(&'e self, entry: &'e Entry) -> Option<&'e str> {
        entry.user.as_deref().or_else(|| self.users.get(&entry.connection?).map(String::as_str))
    }

    /// Takes down what an entry tells, or does not, of its connection's user.
    fn meet(&mut self, entry: &Entry) {
        let Some(connection) = entry.connection else { return };
        if self.users.contains_key(&connection) {
            return;
        }
        if self.users.len() + self.strangers.len() >= MAX_CONNECTIONS {
            // There are fewer entries than that.
            let in_use: HashSet<_> = self.entries.iter().filter_map(|entry| entry.connection).collect();
            self.users.retain(|connection, _| in_use.contains(connection));
            self.strangers.retain(|connection| in_use.contains(connection));
        }
        match &entry.user {
            Some(user) => {
                self.strangers.remove(&connection);
                self.users.insert(connection, user.clone());
            }
            None => drop(self.strangers.insert(connection)),
        }
    }

    fn let_go_of_the_oldest(&mut self) {
        while self.entries.len() > MAX_ENTRIES || self.bytes > MAX_BYTES {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.bytes -= oldest.size();
        }
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
    /// The criteria that an entry of this user's does not meet, by their names.
    fn unmet(&self, entry: &Entry, user: Option<&str>) -> impl Iterator<Item = &'static str> {
        fn differs<T: PartialEq>(wanted: Option<&T>, found: Option<&T>) -> bool {
            wanted.is_some() && wanted != found
        }
        let other_user = |wanted: &String| !user.is_some_and(|user| user.eq_ignore_ascii_case(wanted));
        let other_endpoint = |wanted: &String| *wanted != entry.endpoint && *wanted != entry.route;
        let criteria = [
            ("app", differs(self.app.as_ref(), entry.app.as_ref())),
            ("user", self.user.as_ref().is_some_and(other_user)),
            ("endpoint", self.endpoint.as_ref().is_some_and(other_endpoint)),
            ("outcome", differs(self.outcome.as_ref(), Some(&entry.outcome))),
            ("since", self.since.is_some_and(|since| entry.at < since)),
            ("flow", differs(self.flow.as_ref(), entry.flow.as_ref())),
            ("connection", differs(self.connection.as_ref(), entry.connection.as_ref())),
        ];
        criteria.into_iter().filter_map(|(name, is_unmet)| is_unmet.then_some(name))
    }

    fn takes(&self, entry: &Entry, user: Option<&str>) -> bool {
        self.unmet(entry, user).next().is_none()
    }
}

/// An entry that a query would have taken but for one criterion.
#[derive(Debug, Clone)]
pub struct NearMiss {
    pub entry: Arc<Entry>,
    /// The criterion's name.
    pub criterion: &'static str,
}

impl Journal {
    pub fn new(is_on: bool) -> Self {
        Self {
            kept: is_on.then(|| Mutex::new(Kept::new())),
            cleared: watch::Sender::default(),
            learning: tokio::sync::Mutex::default(),
            is_shown: AtomicBool::new(false),
        }
    }

    /// Whether anything is kept.
    pub fn is_on(&self) -> bool {
        self.kept.is_some()
    }

    /// From now on somebody reads it where the log is, which need not say the same again.
    pub fn set_shown(&self, is_shown: bool) {
        self.is_shown.store(is_shown, Ordering::Relaxed);
    }

    pub fn is_shown(&self) -> bool {
        self.is_shown.load(Ordering::Relaxed)
    }

    fn kept(&self) -> Option<MutexGuard<'_, Kept>> {
        // What is kept is whole after every step, so a panic elsewhere has spoiled nothing.
        self.kept.as_ref().map(|kept| kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps an entry, and lets the oldest go where there are too many.
    pub fn record(&self, entry: Entry) {
        let Some(mut kept) = self.kept() else { return };
        kept.meet(&entry);
        kept.bytes += entry.size();
        let entry = Arc::new(entry);
        kept.entries.push_back(entry.clone());
        kept.let_go_of_the_oldest();
        if let Some(feed) = &kept.feed {
            // Nobody may be listening.
            let _ = feed.send(entry);
        }
    }

    /// What the query takes, newest first.
    pub fn list(&self, query: &Query) -> Vec<Arc<Entry>> {
        let Some(kept) = self.kept() else { return Vec::new() };
        let newer = kept.entries.iter().rev().take_while(|entry| Some(entry.id) != query.after);
        let taken = newer.filter(|entry| query.takes(entry, kept.user_of(entry)));
        taken.take(query.limit.unwrap_or(usize::MAX)).cloned().collect()
    }

    /// Entries that fail one criterion of the query and no more, newest first.
    pub fn near_misses(&self, query: &Query, limit: usize) -> Vec<NearMiss> {
        let Some(kept) = self.kept() else { return Vec::new() };
        let newer = kept.entries.iter().rev().take_while(|entry| Some(entry.id) != query.after);
        let near = newer.filter_map(|entry| {
            let mut unmet = query.unmet(entry, kept.user_of(entry));
            let criterion = unmet.next()?;
            unmet.next().is_none().then(|| NearMiss { entry: entry.clone(), criterion })
        });
        near.take(limit).collect()
    }

    /// All that belongs to the same sign-in as this entry, from the click to the disconnect, oldest first: the entries
    /// of its connection, and of the flows that led there.
    pub fn related(&self, entry: &Entry) -> Vec<Arc<Entry>> {
        let Some(kept) = self.kept() else { return Vec::new() };
        let mut connections: HashSet<ConnectionId> = entry.connection.into_iter().collect();
        let mut flows: HashSet<FlowId> = entry.flow.into_iter().collect();
        connections.extend(
            kept.entries
                .iter()
                .filter(|other| entry.flow.is_some() && other.flow == entry.flow)
                .filter_map(|other| other.connection),
        );
        let of_connection = |other: &Entry| other.connection.is_some_and(|id| connections.contains(&id));
        flows.extend(kept.entries.iter().filter(|other| of_connection(other)).filter_map(|other| other.flow));
        let belongs = |other: &Entry| {
            other.id == entry.id || of_connection(other) || other.flow.is_some_and(|id| flows.contains(&id))
        };
        kept.entries.iter().filter(|other| belongs(other)).cloned().collect()
    }

    /// Whether the query takes this one.
    pub fn takes(&self, query: &Query, entry: &Entry) -> bool {
        self.kept().is_some_and(|kept| query.takes(entry, kept.user_of(entry)))
    }

    pub fn find(&self, id: Uuid) -> Option<Arc<Entry>> {
        self.kept()?.entries.iter().rev().find(|entry| entry.id == id).cloned()
    }

    /// The e-mail address of who an entry is about, as far as it is known: see [`learn_users`].
    pub fn user_of(&self, entry: &Entry) -> Option<String> {
        self.kept()?.user_of(entry).map(str::to_owned)
    }

    /// Forgets everything.
    pub fn clear(&self) {
        let Some(mut kept) = self.kept() else { return };
        *kept = Kept { feed: kept.feed.take(), ..Kept::new() };
        drop(kept);
        self.cleared.send_modify(|times| *times += 1);
    }

    /// How often it was emptied: which journal a request began in.
    pub fn epoch(&self) -> u64 {
        *self.cleared.borrow()
    }

    /// What is recorded from now on. A listener that is too slow misses some, and is told so.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Entry>> {
        let kept = self.kept();
        let feed = kept.as_ref().and_then(|kept| kept.feed.as_ref());
        // Without a sender it is at its end.
        feed.map_or_else(|| broadcast::Sender::new(1).subscribe(), broadcast::Sender::subscribe)
    }

    /// The same for a reader from outside, of whom there may be so many; `None` for one more.
    pub fn listen(&self) -> Option<broadcast::Receiver<Arc<Entry>>> {
        let listeners = self.kept().and_then(|kept| Some(kept.feed.as_ref()?.receiver_count()));
        (listeners.unwrap_or_default() < MAX_LISTENERS).then(|| self.subscribe())
    }

    /// Changes whenever everything is forgotten.
    pub fn cleared(&self) -> watch::Receiver<u64> {
        self.cleared.subscribe()
    }

    /// Tells all who listen that nothing more will come: the server stops, or the world is over.
    pub fn close(&self) {
        if let Some(mut kept) = self.kept() {
            kept.feed = None;
        }
    }

    /// Connections of which only the id is known.
    fn strangers(&self) -> Vec<ConnectionId> {
        self.kept().map(|kept| kept.strangers.iter().copied().collect()).unwrap_or_default()
    }
}

/// Looks up whose the connections are that requests only named by their tokens: done before the journal is
/// read, so that the hot path need not.
pub async fn learn_users(ctx: &Context) -> Result<(), StoreError> {
    // Of many readers at once one asks, and the others find it answered.
    let _turn = ctx.journal.learning.lock().await;
    let strangers = ctx.journal.strangers();
    for some in strangers.chunks(LEARNED_AT_ONCE) {
        let ids = some.to_vec();
        let found = ctx.store.read(move |conn| {
            let ids = ids.clone();
            Box::pin(async move { connections::emails(conn, &ids).await })
        });
        let found = found.await?;
        if let Some(mut kept) = ctx.journal.kept() {
            kept.users.extend(found);
            // Those that were not found are gone: they have no user any more.
            kept.strangers.retain(|connection| !some.contains(connection));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
