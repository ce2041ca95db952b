//! How much an application is used, for its owner to see.

use super::Context;
use crate::domain::ids::AppId;
use crate::domain::usage::{Day, UsageKind};
use crate::store::{StoreError, usage};

/// Days that a chart shows.
pub const DAYS: usize = 30;

/// One kind's counts, one for each of the last [`DAYS`] days, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    pub kind: UsageKind,
    pub days: Vec<(Day, u64)>,
}

impl Context {
    /// Counts something that an application did, or that was done to it.
    pub fn count(&self, app: &AppId, kind: UsageKind) {
        self.store.count(app, Day::of(self.now_for(app)), kind);
    }
}

/// What was counted of an application up to today, by its own clock.
pub async fn of_app(ctx: &Context, app: &AppId) -> Result<Vec<Series>, StoreError> {
    ctx.store.flush_notes().await?;
    let (today, id) = (Day::of(ctx.now_for(app)), app.clone());
    let first = today.minus(i64::try_from(DAYS).unwrap_or(i64::MAX) - 1);
    let counted = ctx.store.read(move |conn| {
        let id = id.clone();
        Box::pin(async move { usage::list(conn, &id, first).await })
    });
    let counted = counted.await?;
    let count = |day, kind| counted.iter().find(|(d, k, _)| *d == day && *k == kind).map_or(0, |(_, _, count)| *count);
    let days = || (first.0..=today.0).map(Day);
    Ok(UsageKind::ALL.map(|kind| Series { kind, days: days().map(|day| (day, count(day, kind))).collect() }).into())
}
