//! The order in which changes reach the disk, on SQLite.
//!
//! There is one writer: it takes whatever waits, gives each job a savepoint, commits once for all, and only then
//! answers all. Batches form by themselves while the previous commit is on its way to the disk.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::Work;
use super::access_tokens::{self, Issue, Issued};
use super::conn::{Conn, execute};
use super::error::{OpenError, StoreError};
use super::lane::{Answer, BATCH, WAITING, gone, settle};

/// A closure with the place to put its answer, its type erased.
trait Job: Send {
    fn run<'c>(&'c mut self, conn: &'c mut Conn) -> Work<'c, ()>;
    /// Hands out the result, or `refused` where it did not come to stand in the database.
    fn answer(self: Box<Self>, refused: Option<StoreError>);
}

struct ClosureJob<T, F> {
    work: F,
    done: Option<T>,
    answer: Answer<T>,
}

impl<T, F> Job for ClosureJob<T, F>
where
    T: Send,
    F: for<'c> FnMut(&'c mut Conn) -> Work<'c, T> + Send,
{
    fn run<'c>(&'c mut self, conn: &'c mut Conn) -> Work<'c, ()> {
        Box::pin(async move {
            self.done = Some((self.work)(conn).await?);
            Ok(())
        })
    }

    fn answer(self: Box<Self>, refused: Option<StoreError>) {
        let answer = match (refused, self.done) {
            (Some(error), _) => Err(error),
            (None, Some(done)) => Ok(done),
            (None, None) => Err(StoreError::Internal("a job was committed without having run".into())),
        };
        // Who asked may have hung up; what was done stands all the same.
        let _ = self.answer.send(answer);
    }
}

enum Task {
    Job(Box<dyn Job>),
    Issue(Issue, Answer<Option<Issued>>),
    Close(oneshot::Sender<()>),
}

/// SQLite's writer, as its callers see it.
#[derive(Clone)]
pub(super) struct WriteQueue(mpsc::Sender<Task>);

impl WriteQueue {
    /// On a thread of its own: SQLite blocks the one that it writes on until the disk has what was written.
    pub(super) fn start(conn: Conn) -> Result<Self, OpenError> {
        let (sender, tasks) = mpsc::channel(WAITING);
        let runtime = Handle::current();
        let thread = std::thread::Builder::new().name("leadgate-writer".into());
        let started = thread.spawn(move || write_on_sqlite(conn, tasks, &runtime));
        started.map(|_| Self(sender)).map_err(|why| OpenError::Writer { why })
    }

    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnMut(&'c mut Conn) -> Work<'c, T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = Task::Job(Box::new(ClosureJob { work, done: None, answer }));
        self.0.send(job).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Records an access token, together with those that wait.
    pub(super) async fn issue(&self, issue: Issue) -> Result<Option<Issued>, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.0.send(Task::Issue(issue, answer)).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    pub(super) async fn close(&self) {
        let (closed, when) = oneshot::channel();
        if self.0.send(Task::Close(closed)).await.is_ok() {
            let _ = when.await;
        }
    }
}

fn write_on_sqlite(mut conn: Conn, mut tasks: mpsc::Receiver<Task>, runtime: &Handle) {
    let mut waiting = Vec::with_capacity(BATCH);
    while tasks.blocking_recv_many(&mut waiting, BATCH) > 0 {
        let (mut jobs, mut issues, mut answers, mut closing) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for task in waiting.drain(..) {
            match task {
                Task::Job(job) => jobs.push(job),
                Task::Issue(issue, answer) => {
                    issues.push(issue);
                    answers.push(answer);
                }
                Task::Close(closed) => closing.push(closed),
            }
        }
        let settled = runtime.block_on(async {
            if !jobs.is_empty() || !access_tokens::is_one_statement(&issues) {
                return commit_together(&mut conn, jobs, &issues).await;
            }
            // One statement is its own transaction.
            if issues.is_empty() { Ok(Vec::new()) } else { access_tokens::issue(&mut conn, &issues).await }
        });
        if !answers.is_empty() {
            // Those who asked are woken from within the runtime: from here it would cost a call for each of them.
            runtime.spawn(async move { settle(answers, settled) });
        }
        if !closing.is_empty() {
            drop(conn);
            for closed in closing {
                let _ = closed.send(());
            }
            return;
        }
    }
}

/// Runs everything in one transaction; answers what was issued. A job that fails is undone alone; if the commit fails,
/// nothing of the batch happened and nobody is told otherwise.
async fn commit_together(
    conn: &mut Conn,
    mut jobs: Vec<Box<dyn Job>>,
    issues: &[Issue],
) -> Result<Vec<Option<Issued>>, StoreError> {
    let mut outcomes = Vec::with_capacity(jobs.len());
    let mut issued = Ok(Vec::new());
    let whole = async {
        execute!(conn, "BEGIN IMMEDIATE")?;
        let alone = jobs.len() == 1 && issues.is_empty();
        for job in &mut jobs {
            outcomes.push(run_in_savepoint(conn, job.as_mut(), alone).await?);
        }
        if !issues.is_empty() {
            issued = access_tokens::issue(conn, issues).await;
        }
        execute!(conn, "COMMIT").map(|_| ())
    }
    .await;
    if let Err(error) = whole {
        // After an error inside a transaction SQLite may or may not still be in it.
        let _ = execute!(conn, "ROLLBACK");
        let message = error.to_string();
        for job in jobs {
            job.answer(Some(StoreError::Unavailable(message.clone())));
        }
        return Err(error);
    }
    for (job, refused) in jobs.into_iter().zip(outcomes) {
        job.answer(refused);
    }
    issued
}

/// `Ok(Some(error))`: the job failed and was undone; `Err`: the transaction itself is lost.
async fn run_in_savepoint(conn: &mut Conn, job: &mut dyn Job, alone: bool) -> Result<Option<StoreError>, StoreError> {
    if !alone {
        execute!(conn, "SAVEPOINT job")?;
    }
    let ran = AssertUnwindSafe(job.run(conn)).catch_unwind().await;
    let refused = match ran {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error),
        Err(_) => Some(StoreError::Internal("a store job panicked".into())),
    };
    if alone {
        // Nobody else is in this transaction: a failure is undone by undoing all of it.
        return match refused {
            None => Ok(None),
            Some(error) => {
                execute!(conn, "ROLLBACK")?;
                execute!(conn, "BEGIN IMMEDIATE")?;
                Ok(Some(error))
            }
        };
    }
    if refused.is_some() {
        execute!(conn, "ROLLBACK TO job")?;
    }
    execute!(conn, "RELEASE job")?;
    Ok(refused)
}
