//! How far a use case is, for who waits for it. It hangs on the task, as a request's notes do, so that a use case need not be
//! handed it; where nobody waits it goes nowhere.

use std::sync::Arc;

use crate::domain::progress::Progress;

tokio::task_local! {
    static PROGRESS: Arc<Progress>;
}

/// Runs the work, whose progress can be read meanwhile.
pub async fn watched<T>(progress: Arc<Progress>, work: impl Future<Output = T>) -> T {
    PROGRESS.scope(progress, work).await
}

/// How much there is to do.
pub fn expect(total: usize) {
    let _ = PROGRESS.try_with(|progress| progress.expect(u64::try_from(total).unwrap_or(u64::MAX)));
}

/// All that was counted is done; this follows.
pub fn finish_with(last: &'static str) {
    let _ = PROGRESS.try_with(|progress| progress.finish_with(last));
}

/// So much more is done.
pub fn step(by: u64) {
    let _ = PROGRESS.try_with(|progress| progress.step(by));
}
