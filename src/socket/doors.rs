//! Who is connected, what each connection waits for, and since when: so that none waits for its client for ever, and a flood
//! of connections that say nothing leaves room for those that do.
//!
//! Time is counted in ticks, which one task makes for all: a request costs a few stores and no timer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::telemetry::{CONNECTIONS_CLOSED, CONNECTIONS_OPEN, CONNECTIONS_TAKEN};

/// How long a connection may wait for its client, and how many there may be.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Connections that are open at once.
    pub connections: usize,
    /// For the head of a request, from its first byte, or from the beginning of the connection.
    pub head: Duration,
    /// For the next request. Longer than proxies keep connections: they, and not the server, should close first.
    pub idle: Duration,
    /// For the whole body, from when it is first waited for.
    pub body: Duration,
    /// For room to write more of an answer.
    pub answer: Duration,
    /// How exactly all this is measured.
    pub tick: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 10_000,
            head: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            body: Duration::from_secs(20),
            answer: Duration::from_secs(20),
            tick: Duration::from_secs(1),
        }
    }
}

/// What a connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Waits {
    Head = 0,
    Next = 1,
    Body = 2,
    /// The server is at work.
    Us = 3,
}

/// One connection, as the task sees it that looks after all.
pub struct Door {
    doors: Arc<Doors>,
    waits: AtomicU8,
    /// The tick when it began to wait for that.
    since: AtomicU64,
    /// The tick, counted from 1, since when the client takes nothing more; 0: it does.
    stalled: AtomicU64,
}

impl Door {
    /// In this order: see [`Door::waiting`].
    pub(super) fn waits(&self, what: Waits) {
        self.since.store(self.doors.tick.load(Ordering::Relaxed), Ordering::Relaxed);
        self.waits.store(what as u8, Ordering::Release);
    }

    /// A request begins.
    pub fn serves(&self) {
        self.waits(Waits::Us);
    }

    /// The first byte of a request may have come.
    pub(super) fn heard(&self) {
        if self.waits.load(Ordering::Relaxed) == Waits::Next as u8 {
            self.waits(Waits::Head);
        }
    }

    pub(super) fn wrote(&self, could: bool) {
        let stalled = self.stalled.load(Ordering::Relaxed);
        if could && stalled != 0 {
            self.stalled.store(0, Ordering::Relaxed);
        } else if !could && stalled == 0 {
            self.stalled.store(self.doors.tick.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
    }

    pub(super) fn body_may_take(&self) -> Duration {
        self.doors.bounds.body
    }

    /// What it waits for, of what is the client's to do, and since which tick.
    fn waiting(&self) -> Option<(Waits, u64)> {
        let waits = match self.waits.load(Ordering::Acquire) {
            0 => Waits::Head,
            1 => Waits::Next,
            2 => Waits::Body,
            _ => return None,
        };
        // After what it waits for: of a wait that has just begun, the beginning is never that of the one before.
        Some((waits, self.since.load(Ordering::Relaxed)))
    }

    fn stalled(&self) -> Option<u64> {
        self.stalled.load(Ordering::Relaxed).checked_sub(1)
    }
}

struct Open {
    door: Arc<Door>,
    task: Option<AbortHandle>,
}

/// All connections.
pub struct Doors {
    pub bounds: Bounds,
    tick: AtomicU64,
    serial: AtomicU64,
    /// No more is coming: who has not said what it wants by now is in the way.
    closing: AtomicBool,
    open: Mutex<HashMap<u64, Open>>,
    left: Notify,
}

impl Doors {
    pub fn new(bounds: Bounds) -> Arc<Self> {
        Arc::new(Self {
            bounds,
            tick: AtomicU64::new(0),
            serial: AtomicU64::new(0),
            closing: AtomicBool::new(false),
            open: Mutex::default(),
            left: Notify::new(),
        })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new connection, which is open for as long as the value lives.
    pub fn enter(self: &Arc<Self>) -> Entered {
        let door = Arc::new(Door {
            doors: self.clone(),
            waits: AtomicU8::new(Waits::Head as u8),
            since: AtomicU64::new(self.tick.load(Ordering::Relaxed)),
            stalled: AtomicU64::new(0),
        });
        let id = self.serial.fetch_add(1, Ordering::Relaxed);
        CONNECTIONS_TAKEN.add([]);
        CONNECTIONS_OPEN.of([]).increment(1.0);
        self.open().insert(id, Open { door: door.clone(), task: None });
        Entered { id, door }
    }

    /// The task that ends with the connection.
    pub fn served_by(&self, id: u64, task: AbortHandle) {
        if let Some(open) = self.open().get_mut(&id) {
            open.task = Some(task);
        }
    }

    pub fn count(&self) -> usize {
        self.open().len()
    }

    /// Waits until there is room for one more. Who has waited longest for its client makes it; where the server is at work for
    /// all of them, the next has to wait in the system's queue.
    pub async fn room(&self) {
        loop {
            let left = self.left.notified();
            if self.count() < self.bounds.connections {
                return;
            }
            self.close_oldest();
            tokio::select! {
                () = left => {}
                () = tokio::time::sleep(self.bounds.tick) => {}
            }
        }
    }

    /// A few at once: to look at all for each that comes would be the greater flood.
    fn close_oldest(&self) {
        let open = self.open();
        let mut waiting: Vec<((u64, u64), &AbortHandle)> = open
            .iter()
            .filter_map(|(id, Open { door, task })| {
                let since = door.stalled().or_else(|| door.waiting().map(|(_, since)| since))?;
                // Of one tick the one that came first.
                Some(((since, *id), task.as_ref().filter(|task| !task.is_finished())?))
            })
            .collect();
        let few = (self.bounds.connections / 64).clamp(1, 64).min(waiting.len());
        if few < waiting.len() {
            waiting.select_nth_unstable_by_key(few, |(since, _)| *since);
        }
        for (_, task) in &waiting[..few] {
            CONNECTIONS_CLOSED.add(["room"]);
            task.abort();
        }
        tracing::debug!(
            open = open.len(),
            closed = few,
            "no room for more connections: the oldest that waits makes it"
        );
    }

    /// Never ends: counts ticks, and closes what has waited for too long.
    pub async fn keep(&self) {
        let mut ticks = tokio::time::interval(self.bounds.tick);
        loop {
            ticks.tick().await;
            let now = self.tick.fetch_add(1, Ordering::Relaxed) + 1;
            for Open { door, task } in self.open().values() {
                if let Some(task) = task
                    && self.is_late(door, now)
                    && !task.is_finished()
                {
                    CONNECTIONS_CLOSED.add(["late"]);
                    task.abort();
                }
            }
        }
    }

    fn is_late(&self, door: &Door, now: u64) -> bool {
        let ticks =
            |span: Duration| u64::try_from(span.as_nanos().div_ceil(self.bounds.tick.as_nanos())).unwrap_or(u64::MAX);
        let is_over = |since: u64, span| now.saturating_sub(since) > ticks(span);
        let head = if self.closing.load(Ordering::Relaxed) { self.bounds.tick } else { self.bounds.head };
        door.stalled().is_some_and(|since| is_over(since, self.bounds.answer))
            || match door.waiting() {
                Some((Waits::Head, since)) => is_over(since, head),
                Some((Waits::Next, since)) => is_over(since, self.bounds.idle),
                // The body itself is told, so that there is an answer.
                Some((Waits::Body | Waits::Us, _)) | None => false,
            }
    }

    /// Waits until everybody has left.
    pub async fn empty(&self) {
        self.closing.store(true, Ordering::Relaxed);
        loop {
            let left = self.left.notified();
            if self.count() == 0 {
                return;
            }
            left.await;
        }
    }
}

/// That a connection is open.
pub struct Entered {
    pub id: u64,
    pub door: Arc<Door>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let doors = &self.door.doors;
        CONNECTIONS_OPEN.of([]).decrement(1.0);
        doors.open().remove(&self.id);
        // Whoever waits looks again: for room, or for the end. There is one of them.
        doors.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ticks between the end of one wait and the beginning of the next.
    const APART: u64 = 1_000;

    #[test]
    fn a_wait_that_begins_is_never_as_old_as_the_one_before() {
        let doors = Doors::new(Bounds::default());
        let door = doors.enter().door.clone();
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..1_000_000 {
                    door.waits(Waits::Us);
                    doors.tick.fetch_add(APART, Ordering::SeqCst);
                    door.waits(Waits::Next);
                }
                over.store(true, Ordering::SeqCst);
            });
            while !over.load(Ordering::SeqCst) {
                let now = doors.tick.load(Ordering::SeqCst);
                if let Some((_, since)) = door.waiting() {
                    assert!(since >= now, "it has waited since tick {since}, and at {now} the server was at work");
                }
            }
        });
    }
}
