//! What kept writes from being done: a full disk lets reads go on, so that only who remembers a failed write knows of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::error::{Outage, StoreError};

/// For how long after a failed write nothing is tried out: where some writes fail and others do not, all is not well.
const FRESH: Duration = Duration::from_secs(2);

#[derive(Default)]
pub(super) struct Trouble {
    last: Mutex<Option<(Outage, Instant)>>,
    /// Whether there is one: all that a write that was done looks at.
    is_there: AtomicBool,
}

/// What was remembered of a failed write.
pub(super) enum Remembered {
    Nothing,
    /// Of a moment ago.
    Fresh(Outage),
    /// It may be over.
    Old,
}

impl Trouble {
    fn last(&self) -> std::sync::MutexGuard<'_, Option<(Outage, Instant)>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes a write's outcome on, and remembers what it tells.
    pub(super) fn noted<T>(&self, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        match &outcome {
            Ok(_) if self.is_there.load(Ordering::Relaxed) => self.over(),
            Err(failure) => self.note(failure),
            Ok(_) => {}
        }
        outcome
    }

    fn note(&self, failure: &StoreError) {
        let Some(outage) = failure.outage().filter(|outage| outage.is_of_writes()) else { return };
        let mut last = self.last();
        if last.replace((outage, Instant::now())).is_none() {
            tracing::error!(error = %failure, "nothing can be written: requests that would are answered with 503");
        }
        self.is_there.store(true, Ordering::Relaxed);
    }

    /// A write was done: what was remembered is over, unless it was a moment ago.
    fn over(&self) {
        let mut last = self.last();
        if last.is_some_and(|(_, at)| at.elapsed() >= FRESH) {
            *last = None;
            self.is_there.store(false, Ordering::Relaxed);
            tracing::info!("the database can be written to again");
        }
    }

    pub(super) fn remembered(&self) -> Remembered {
        match *self.last() {
            None => Remembered::Nothing,
            Some((outage, at)) if at.elapsed() < FRESH => Remembered::Fresh(outage),
            Some(_) => Remembered::Old,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_that_is_done_ends_what_was_remembered_once_that_is_old() {
        let trouble = Trouble::default();
        let full = || Err::<(), _>(StoreError::Unavailable(Outage::Full, String::new()));
        assert!(trouble.noted(full()).is_err());
        assert!(trouble.noted(Ok(())).is_ok());
        assert!(matches!(trouble.remembered(), Remembered::Fresh(Outage::Full)), "some writes fail and others do not");
        if let Some((_, at)) = trouble.last().as_mut() {
            *at -= FRESH;
        }
        assert!(matches!(trouble.remembered(), Remembered::Old));
        assert!(trouble.noted(Ok(())).is_ok());
        assert!(matches!(trouble.remembered(), Remembered::Nothing));
        assert!(trouble.noted(full()).is_err());
        assert!(matches!(trouble.remembered(), Remembered::Fresh(Outage::Full)), "and what comes later is new");
    }
}
