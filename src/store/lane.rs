//! Batches on PostgreSQL: requests of one kind that wait go there together, in one statement or transaction, so that a round
//! trip and a flush are shared by as many as came in the meantime. Nothing is held back for a batch to fill.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tracing::Instrument as _;

use super::conn::Conn;
use super::error::{Outage, StoreError};
use super::pool::{ACQUIRE_PATIENCE, Pool, STATEMENT_PATIENCE, give_back, within};
use super::{ATTEMPTS, Work};
use crate::telemetry::traces::{self, Waiter};
use crate::telemetry::{STORE_BATCH, STORE_COMMIT, STORE_FAILURES};

/// Requests that may wait; a caller past that waits for a place.
pub(super) const WAITING: usize = 4_096;
/// Requests that one statement takes along.
pub(super) const BATCH: usize = 512;

pub(super) type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// What answers a batch, each request in its place and by itself.
pub(super) type Batch<Q, A> = for<'c> fn(&'c mut Conn, &'c [Q]) -> Work<'c, Vec<Result<A, StoreError>>>;

/// Where requests of one kind wait.
pub(super) struct Lane<Q, A> {
    /// Its name in metrics and traces.
    pub(super) name: &'static str,
    queue: mpsc::Sender<Waiting<Q, A>>,
}

struct Waiting<Q, A> {
    request: Q,
    answer: Answer<A>,
    since: Instant,
    waiter: Waiter,
}

impl<Q, A> Waiting<Q, A> {
    /// Refuses who has waited for longer than anybody does for a connection. Who has left is served: it may have come to
    /// disconnect.
    fn still_waits(self) -> Option<(Q, Answer<A>)> {
        if self.since.elapsed() > ACQUIRE_PATIENCE {
            let late = StoreError::Unavailable(Outage::Busy, "those before took too long".into());
            let _ = self.answer.send(Err(late));
            return None;
        }
        Some((self.request, self.answer))
    }
}

impl<Q: Send + Sync + 'static, A: Send + 'static> Lane<Q, A> {
    /// `quiet` is for how long the connection is kept after a batch: to give it back and take it again is a round trip.
    pub(super) fn start(name: &'static str, pool: &Pool, quiet: Duration, batch: Batch<Q, A>) -> Self {
        let (sender, queue) = mpsc::channel(WAITING);
        tokio::spawn(serve(name, pool.clone(), quiet, queue, batch));
        Self { name, queue: sender }
    }

    /// How many wait, and how many may.
    pub(super) fn depth(&self) -> (usize, usize) {
        (self.queue.max_capacity() - self.queue.capacity(), self.queue.max_capacity())
    }

    pub(super) async fn ask(&self, request: Q) -> Result<A, StoreError> {
        let since = Instant::now();
        let (answer, answered) = oneshot::channel();
        self.queue.send(Waiting { request, answer, since, waiter: Waiter::here() }).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

pub(super) fn gone() -> StoreError {
    StoreError::gone("the writer has stopped")
}

/// One batch after the other. With two at once each would be half as large, and the database work twice for the same.
async fn serve<Q, A>(
    name: &'static str,
    pool: Pool,
    quiet: Duration,
    mut queue: mpsc::Receiver<Waiting<Q, A>>,
    batch: Batch<Q, A>,
) where
    Q: Send + Sync + 'static,
    A: Send + 'static,
{
    let mut kept = None;
    let mut waiting = Vec::new();
    let (sizes, durations) = (STORE_BATCH.of([name]), STORE_COMMIT.of([name]));
    let failures = STORE_FAILURES.of([name]);
    loop {
        if kept.is_some() {
            tokio::select! {
                biased;
                came = queue.recv_many(&mut waiting, BATCH) => if came == 0 { return },
                () = tokio::time::sleep(quiet) => if let Some(conn) = kept.take() { give_back(conn).await },
                () = pool.closing() => kept = None,
            }
        } else if queue.recv_many(&mut waiting, BATCH).await == 0 {
            return;
        }
        let span = traces::batch(name, waiting.len(), waiting.iter().map(|waiting: &Waiting<Q, A>| &waiting.waiter));
        let (requests, answers): (Vec<Q>, Vec<Answer<A>>) = waiting.drain(..).filter_map(Waiting::still_waits).unzip();
        if requests.is_empty() {
            continue;
        }
        let (size, began) = (requests.len(), Instant::now());
        // In a task of its own: a panic costs one batch.
        let run = run(pool.clone(), kept.take(), !quiet.is_zero(), requests, batch);
        let done = match tokio::spawn(run.instrument(span)).await {
            Ok((conn, done)) => {
                kept = conn.filter(|_| !quiet.is_zero());
                done
            }
            Err(crash) => Err(StoreError::Internal(format!("a batch: {crash}"))),
        };
        sizes.record(f64::from(u32::try_from(size).unwrap_or(u32::MAX)));
        durations.record(began.elapsed().as_secs_f64());
        if done.is_err() {
            failures.increment(1);
        }
        settle(answers, done);
    }
}

type Done<A> = Result<Vec<Result<A, StoreError>>, StoreError>;

/// Answers also the connection, where it can be used again: one that has gone silent costs one batch.
async fn run<Q, A>(
    pool: Pool,
    kept: Option<Conn>,
    is_kept: bool,
    requests: Vec<Q>,
    batch: Batch<Q, A>,
) -> (Option<Conn>, Done<A>) {
    let acquired = match kept {
        Some(conn) => Ok(conn),
        // What is used once is not worth the round trips.
        None if !is_kept => pool.acquire().await,
        None => pool.acquire_by_key().await,
    };
    let mut conn = match acquired {
        Ok(conn) => conn,
        Err(why) => return (None, Err(why)),
    };
    let mut done = within(STATEMENT_PATIENCE, batch(&mut conn, &requests)).await;
    for _ in 1..ATTEMPTS {
        // It is one statement, or a transaction that was undone: what lost against another transaction has left nothing.
        if !matches!(done, Err(StoreError::Again)) {
            break;
        }
        done = within(STATEMENT_PATIENCE, batch(&mut conn, &requests)).await;
    }
    match done {
        Err(failure @ StoreError::Unavailable(..)) => {
            conn.abandon_for(&failure);
            (None, Err(failure))
        }
        done => (Some(conn), done),
    }
}

/// One of the answers of a batch, of which several may get the same.
pub(super) fn own<A: Clone>(answer: Option<&Result<Option<A>, StoreError>>) -> Result<Option<A>, StoreError> {
    match answer {
        None => Ok(None),
        Some(Ok(found)) => Ok(found.clone()),
        Some(Err(error)) => Err(error.for_another()),
    }
}

/// Gives each caller its own.
pub(super) fn settle<A>(answers: Vec<Answer<A>>, done: Done<A>) {
    match done {
        Ok(done) => {
            for (answer, own) in answers.into_iter().zip(done) {
                // Who asked may have hung up; what was done stands all the same.
                let _ = answer.send(own);
            }
        }
        Err(error) => {
            for answer in answers {
                let _ = answer.send(Err(error.for_another()));
            }
        }
    }
}
