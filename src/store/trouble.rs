//! What kept writes from being done: a full disk lets reads go on, so that only who remembers a failed write knows of it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::error::{Outage, StoreError};

/// For how long after a failed write nothing is tried out: where some writes fail and others do not, all is not well.
const FRESH: Duration = Duration::from_secs(2);

#[derive(Default)]
pub(super) struct Trouble(Mutex<Option<(Outage, Instant)>>);

/// What was remembered of a failed write.
pub(super) enum Remembered {
    Nothing,
    /// Of a moment ago.
    Fresh(Outage),
    /// It may be over. Named, so that what is forgotten is that one and no later one.
    Old(Instant),
}

impl Trouble {
    fn last(&self) -> std::sync::MutexGuard<'_, Option<(Outage, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes a write's outcome on, and remembers what it tells.
    pub(super) fn noted<T>(&self, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(failure) = &outcome
            && let Some(outage) = failure.outage().filter(|outage| outage.is_of_writes())
        {
            let before = self.last().replace((outage, Instant::now()));
            if before.is_none() {
                tracing::error!(error = %failure, "nothing can be written: requests that would are answered with 503");
            }
        }
        outcome
    }

    pub(super) fn remembered(&self) -> Remembered {
        match *self.last() {
            None => Remembered::Nothing,
            Some((outage, at)) if at.elapsed() < FRESH => Remembered::Fresh(outage),
            Some((_, at)) => Remembered::Old(at),
        }
    }

    /// A write was done: what was remembered of `at` is over.
    pub(super) fn over(&self, at: Instant) {
        let mut last = self.last();
        if last.is_some_and(|(_, noted)| noted == at) {
            *last = None;
            tracing::info!("the database can be written to again");
        }
    }
}
