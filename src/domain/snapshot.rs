//! A copy of the whole world, by name (wire.md E).

use super::timestamp::Timestamp;

pub use super::ids::SnapshotName;

/// How many are kept at most.
pub const MAX_SNAPSHOTS: usize = 32;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub name: SnapshotName,
    /// Of the schema that it was made under; it fits no other.
    pub schema_version: i64,
    pub rows: u64,
    /// By the machine's clock: the world's own goes back with it.
    pub created_at: Timestamp,
}
