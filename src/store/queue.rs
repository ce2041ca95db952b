//! The order in which changes reach the disk.
//!
//! SQLite has one writer: it takes whatever waits, gives each job a savepoint, commits once for all, and
//! only then answers all. Batches form by themselves while the previous commit is on its way to the disk.
//! PostgreSQL shares a flush among concurrent commits by itself; there only the hot path is batched.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use sqlx::PgPool;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::access_tokens::{self, Issue, Issued};
use super::conn::{Conn, execute};
use super::error::{OpenError, StoreError};
use super::{READ_PATIENCE, Work, within};

/// Jobs that may wait; a caller past that waits for a place.
const WAITING: usize = 4_096;
/// Jobs that one commit takes along.
const BATCH: usize = 512;
/// Writers that record access tokens on PostgreSQL: while one waits for its flush the other gathers.
const POSTGRES_WRITERS: usize = 2;

type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

fn gone() -> StoreError {
    StoreError::Unavailable("the writer has stopped".into())
}

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

    pub(super) async fn close(&self) {
        let (closed, when) = oneshot::channel();
        if self.0.send(Task::Close(closed)).await.is_ok() {
            let _ = when.await;
        }
    }
}

/// Where access tokens are recorded.
pub(super) enum IssueQueue {
    Sqlite(WriteQueue),
    Postgres(mpsc::Sender<(Issue, Answer<Option<Issued>>)>),
}

impl IssueQueue {
    pub(super) fn on_postgres(pool: &PgPool) -> Self {
        let (sender, issues) = mpsc::channel(WAITING);
        let issues = std::sync::Arc::new(tokio::sync::Mutex::new(issues));
        for _ in 0..POSTGRES_WRITERS {
            tokio::spawn(issue_on_postgres(pool.clone(), issues.clone()));
        }
        Self::Postgres(sender)
    }

    pub(super) async fn issue(&self, issue: Issue) -> Result<Option<Issued>, StoreError> {
        let (answer, answered) = oneshot::channel();
        match self {
            Self::Sqlite(queue) => queue.0.send(Task::Issue(issue, answer)).await.map_err(|_| gone())?,
            Self::Postgres(queue) => queue.send((issue, answer)).await.map_err(|_| gone())?,
        }
        answered.await.map_err(|_| gone())?
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
        runtime.block_on(async {
            if jobs.is_empty() && access_tokens::is_one_statement(&issues) {
                // One statement is its own transaction.
                if !issues.is_empty() {
                    let issued = access_tokens::issue(&mut conn, &issues).await;
                    answer_issues(&issues, answers, issued);
                }
            } else {
                commit_together(&mut conn, jobs, &issues, answers).await;
            }
        });
        if !closing.is_empty() {
            drop(conn);
            for closed in closing {
                let _ = closed.send(());
            }
            return;
        }
    }
}

/// Runs everything in one transaction. A job that fails is undone alone; if the commit fails, nothing of
/// the batch happened and nobody is told otherwise.
async fn commit_together(
    conn: &mut Conn,
    mut jobs: Vec<Box<dyn Job>>,
    issues: &[Issue],
    answers: Vec<Answer<Option<Issued>>>,
) {
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
        return answer_issues(issues, answers, Err(error));
    }
    for (job, refused) in jobs.into_iter().zip(outcomes) {
        job.answer(refused);
    }
    answer_issues(issues, answers, issued);
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

type IssueReceiver = mpsc::Receiver<(Issue, Answer<Option<Issued>>)>;

async fn issue_on_postgres(pool: PgPool, queue: std::sync::Arc<tokio::sync::Mutex<IssueReceiver>>) {
    let mut waiting = Vec::with_capacity(BATCH);
    loop {
        if queue.lock().await.recv_many(&mut waiting, BATCH).await == 0 {
            return;
        }
        let (issues, answers): (Vec<Issue>, Vec<_>) = waiting.drain(..).unzip();
        let issued = issue_batch(&pool, &issues).await;
        answer_issues(&issues, answers, issued);
    }
}

/// A connection that has gone silent costs one batch, not the writer.
async fn issue_batch(pool: &PgPool, issues: &[Issue]) -> Result<Vec<Issued>, StoreError> {
    let mut conn = Conn::Postgres(pool.acquire().await?);
    let issued = within(READ_PATIENCE, access_tokens::issue(&mut conn, issues)).await;
    if matches!(issued, Err(StoreError::Unavailable(_))) {
        conn.abandon();
    }
    issued
}

/// Gives each caller its own: what did not come back was refused.
fn answer_issues(issues: &[Issue], answers: Vec<Answer<Option<Issued>>>, issued: Result<Vec<Issued>, StoreError>) {
    match issued {
        Ok(issued) => {
            let mut by_id: std::collections::HashMap<_, _> = issued.into_iter().map(|row| (row.id, row)).collect();
            for (issue, answer) in issues.iter().zip(answers) {
                let _ = answer.send(Ok(by_id.remove(&issue.id)));
            }
        }
        Err(error) => {
            let message = error.to_string();
            for answer in answers {
                let _ = answer.send(Err(StoreError::Unavailable(message.clone())));
            }
        }
    }
}
