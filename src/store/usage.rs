//! How much applications are used. Counted in memory on the hot path and written down in passing: losing a count loses
//! the height of a bar in a chart and nothing else.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::conn::{Conn, execute, fetch_all, row, statements};
use super::error::StoreError;
use crate::domain::ids::AppId;
use crate::domain::usage::{Day, UsageKind};

statements! {
    /// Of an application that is gone nothing is written.
    ADD = "INSERT INTO usage (app_id, day, kind, amount) SELECT id, $2, $3, $4 FROM apps WHERE id = $1 \
           ON CONFLICT (app_id, day, kind) DO UPDATE SET amount = usage.amount + excluded.amount";
    LIST = "SELECT day, kind, amount FROM usage WHERE app_id = $1 AND day >= $2 ORDER BY day, kind";
    SWEEP = "DELETE FROM usage WHERE day < $1";
}

/// Counts kept at most; past that, what is new is not counted until the next flush.
const AT_MOST: usize = 100_000;

type Counts = HashMap<(AppId, Day, UsageKind), u32>;

#[derive(Default)]
pub(super) struct Usage(Mutex<Counts>);

impl Usage {
    pub(super) fn count(&self, app: &AppId, day: Day, kind: UsageKind) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (app.clone(), day, kind);
        if counts.len() < AT_MOST || counts.contains_key(&key) {
            let count = counts.entry(key).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// What was counted since the last time.
    pub(super) fn take(&self) -> Counts {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

pub(super) async fn add(conn: &mut Conn, counts: &Counts) -> Result<(), StoreError> {
    // Always in one order, so that two nodes that write at once wait for each other and do not lock each other out.
    let mut sorted: Vec<_> = counts.iter().collect();
    sorted.sort();
    for ((app, day, kind), count) in sorted {
        execute!(conn, ADD, app.as_str(), day.0, kind.as_str(), i64::from(*count))?;
    }
    Ok(())
}

row! {
    struct Row {
        day: i64,
        kind: String,
        amount: i64,
    }
}

/// What was counted of an application since that day.
pub async fn list(conn: &mut Conn, app: &AppId, since: Day) -> Result<Vec<(Day, UsageKind, u64)>, StoreError> {
    let rows = fetch_all!(conn, Row, LIST, app.as_str(), since.0)?;
    let read = |row: Row| {
        let unknown = || StoreError::Corrupt(format!("usage: {} of {}", row.amount, row.kind));
        let kind = UsageKind::parse(&row.kind).ok_or_else(unknown)?;
        Ok((Day(row.day), kind, u64::try_from(row.amount).map_err(|_| unknown())?))
    };
    rows.into_iter().map(read).collect()
}

/// Deletes what was counted before that day.
pub async fn sweep(conn: &mut Conn, before: Day) -> Result<u64, StoreError> {
    execute!(conn, SWEEP, before.0)
}
