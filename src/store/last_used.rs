//! When connections were last used: noted in memory on the hot path and written down in passing. Losing a
//! note loses a date on the account page and nothing else.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::domain::ids::ConnectionId;
use crate::domain::timestamp::Timestamp;

/// Notes kept at most; past that, new connections are not noted until the next flush.
const AT_MOST: usize = 100_000;

#[derive(Default)]
pub(super) struct LastUsed(Mutex<HashMap<ConnectionId, Timestamp>>);

impl LastUsed {
    pub(super) fn note(&self, connection: ConnectionId, at: Timestamp) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.len() < AT_MOST || notes.contains_key(&connection) {
            notes.insert(connection, at);
        }
    }

    /// What was noted since the last time.
    pub(super) fn take(&self) -> HashMap<ConnectionId, Timestamp> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
