//! How far a long piece of work is: counted by who does it, read by who waits for it.

use std::sync::atomic::{AtomicU64, Ordering};

/// Units are the work's own: rows, bytes.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicU64,
    /// 0: nobody knows.
    total: AtomicU64,
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
