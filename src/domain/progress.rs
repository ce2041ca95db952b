//! How far a long piece of work is: counted by who does it, read by who waits for it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Units are the work's own: rows, bytes.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicU64,
    /// 0: nobody knows.
    total: AtomicU64,
    last: OnceLock<&'static str>,
}

impl Progress {
    pub fn expect(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    pub fn step(&self, by: u64) {
        self.done.fetch_add(by, Ordering::Relaxed);
    }

    /// Where it is measured and not counted.
    pub fn reach(&self, done: u64) {
        self.done.store(done, Ordering::Relaxed);
    }

    /// All that was counted is done, and this follows, of which nobody knows how long it takes.
    pub fn finish_with(&self, last: &'static str) {
        let _ = self.last.set(last);
    }

    /// What follows the part that is counted, once it is reached.
    pub fn last(&self) -> Option<&'static str> {
        self.last.get().copied()
    }

    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// How much it is all in all, as far as that is known.
    pub fn total(&self) -> Option<u64> {
        match self.total.load(Ordering::Relaxed) {
            0 => None,
            total => Some(total.max(self.done())),
        }
    }
}
