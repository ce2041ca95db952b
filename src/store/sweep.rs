//! Which rows are over for so long that they may go.

use uuid::Uuid;

use crate::domain::ids::AppId;
use crate::domain::timestamp::Timestamp;

/// One statement's share of a sweep.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// Bounds the search in tables that are keyed by time-ordered ids: of a time at which nothing can have been made
    /// that still lives.
    pub below: Uuid,
    /// What was over by then goes.
    pub before: Timestamp,
    /// Rows at most.
    pub limit: i64,
    /// Rows of this application, or (`None`) of all that follow the server's clock.
    pub app: Option<AppId>,
}

impl Sweep {
    /// As the statements write it.
    pub(super) fn whose(&self) -> &str {
        self.app.as_ref().map_or("", AppId::as_str)
    }
}
