//! Batches on PostgreSQL: requests of one kind that wait go there together, in one statement, so that a round trip and a
//! flush are shared by as many as came in the meantime. Nothing is held back for a batch to fill.

use std::sync::Arc;

use sqlx::PgPool;
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::conn::Conn;
use super::error::StoreError;
use super::{READ_PATIENCE, Work, within};

/// Requests that may wait; a caller past that waits for a place.
pub(super) const WAITING: usize = 4_096;
/// Requests that one statement takes along.
pub(super) const BATCH: usize = 512;
/// Batches of a lane that are under way. A second one would take half of those that wait: twice the work for the same.
const AT_ONCE: usize = 1;

pub(super) type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// What answers a batch, each request in its place.
pub(super) type Batch<Q, A> = for<'c> fn(&'c mut Conn, &'c [Q]) -> Work<'c, Vec<A>>;

/// Where requests of one kind wait.
pub(super) struct Lane<Q, A>(mpsc::Sender<(Q, Answer<A>)>);

impl<Q: Send + Sync + 'static, A: Send + 'static> Lane<Q, A> {
    pub(super) fn start(pool: &PgPool, batch: Batch<Q, A>) -> Self {
        let (sender, queue) = mpsc::channel(WAITING);
        tokio::spawn(serve(pool.clone(), queue, batch));
        Self(sender)
    }

    pub(super) async fn ask(&self, request: Q) -> Result<A, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.0.send((request, answer)).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

pub(super) fn gone() -> StoreError {
    StoreError::Unavailable("the writer has stopped".into())
}

async fn serve<Q, A>(pool: PgPool, mut queue: mpsc::Receiver<(Q, Answer<A>)>, batch: Batch<Q, A>)
where
    Q: Send + Sync + 'static,
    A: Send + 'static,
{
    let places = Arc::new(Semaphore::new(AT_ONCE));
    // Taken before the requests are: those that come while all places are taken make one batch.
    while let Ok(place) = places.clone().acquire_owned().await {
        let mut waiting = Vec::new();
        if queue.recv_many(&mut waiting, BATCH).await == 0 {
            return;
        }
        let pool = pool.clone();
        tokio::spawn(async move {
            let (requests, answers): (Vec<Q>, Vec<Answer<A>>) = waiting.into_iter().unzip();
            settle(answers, run(&pool, &requests, batch).await);
            drop(place);
        });
    }
}

/// A connection that has gone silent costs one batch.
async fn run<Q, A>(pool: &PgPool, requests: &[Q], batch: Batch<Q, A>) -> Result<Vec<A>, StoreError> {
    let mut conn = Conn::Postgres(pool.acquire().await?);
    let done = within(READ_PATIENCE, batch(&mut conn, requests)).await;
    if matches!(done, Err(StoreError::Unavailable(_))) {
        conn.abandon();
    }
    done
}

/// Gives each caller its own.
pub(super) fn settle<A>(answers: Vec<Answer<A>>, done: Result<Vec<A>, StoreError>) {
    match done {
        Ok(done) => {
            for (answer, own) in answers.into_iter().zip(done) {
                // Who asked may have hung up; what was done stands all the same.
                let _ = answer.send(Ok(own));
            }
        }
        Err(error) => {
            for answer in answers {
                let _ = answer.send(Err(error.for_another()));
            }
        }
    }
}
