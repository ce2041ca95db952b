//! When connections were last used: noted in memory on the hot path and written down in passing. Losing a
//! note loses a date on the account page and nothing else.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, PoisonError};

use crate::domain::ids::ConnectionId;
use crate::domain::timestamp::Timestamp;

/// Notes kept at most; past that, new connections are not noted until some are written down.
const AT_MOST: usize = 100_000;

#[derive(Default)]
pub(super) struct LastUsed(Mutex<Notes>);

#[derive(Default)]
struct Notes {
    by_connection: BTreeMap<ConnectionId, Timestamp>,
    /// The last one that was taken.
    taken: Option<ConnectionId>,
}

impl LastUsed {
    fn notes(&self) -> std::sync::MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note(&self, connection: ConnectionId, at: Timestamp) {
        let mut notes = self.notes();
        if notes.by_connection.len() < AT_MOST || notes.by_connection.contains_key(&connection) {
            notes.by_connection.insert(connection, at);
        }
    }

    /// The next `limit` notes, from where it was left off: neighbours share a page of the database, and none waits for
    /// longer than a whole turn.
    pub(super) fn take(&self, limit: usize) -> Vec<(ConnectionId, Timestamp)> {
        let mut notes = self.notes();
        let from = notes.taken.map_or(Bound::Unbounded, Bound::Excluded);
        let after = notes.by_connection.range((from, Bound::Unbounded)).take(limit).map(|(id, at)| (*id, *at));
        let mut taken: Vec<_> = after.collect();
        let before = notes.by_connection.iter().take(limit - taken.len()).map(|(id, at)| (*id, *at));
        let round_again: Vec<_> = before.take_while(|(id, _)| notes.taken.is_some_and(|last| *id <= last)).collect();
        taken.extend(round_again);
        for (id, _) in &taken {
            notes.by_connection.remove(id);
        }
        notes.taken = taken.last().map(|(id, _)| *id);
        taken
    }

    pub(super) fn forget(&self) {
        *self.notes() = Notes::default();
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn taken(notes: &LastUsed, limit: usize) -> Vec<u128> {
        notes.take(limit).into_iter().map(|(id, _)| id.0.as_u128()).collect()
    }

    #[test]
    fn notes_are_taken_in_turn_and_each_once() {
        let notes = LastUsed::default();
        let note = |id| notes.note(ConnectionId(Uuid::from_u128(id)), Timestamp::from_micros(1));
        (1..=5).for_each(note);
        assert_eq!(taken(&notes, 2), [1, 2]);
        note(1);
        assert_eq!(taken(&notes, 2), [3, 4], "what is new does not go before what waits");
        assert_eq!(taken(&notes, 9), [5, 1]);
        assert_eq!(taken(&notes, 9), [0_u128; 0]);
        note(3);
        assert_eq!(taken(&notes, 9), [3]);
    }
}
