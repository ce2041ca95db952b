//! Secrets that have to be had again: of webhooks, deliveries and action call-backs. They lie in the database sealed under
//! the master key, each bound to its row, so that a row that is copied over another does not open.

use std::sync::Arc;

use crate::crypto::seal::{MasterKeys, OpenError};
use crate::entropy::SharedEntropy;

/// Seals and opens. Cheap to clone.
#[derive(Clone)]
pub struct Sealer {
    master: Arc<MasterKeys>,
    entropy: SharedEntropy,
}

impl Sealer {
    pub fn new(master: Arc<MasterKeys>, entropy: SharedEntropy) -> Self {
        Self { master, entropy }
    }

    /// `row` names table, row and column: `webhooks/ID/secret`.
    pub fn seal(&self, row: &str, plain: &[u8]) -> Vec<u8> {
        self.master.seal(row, plain, &*self.entropy)
    }

    /// # Errors
    /// What was not sealed for this row under this server's master key.
    pub fn open(&self, row: &str, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        self.master.open(row, sealed)
    }
}
