//! The order in which changes reach the disk, on SQLite.
//!
//! There is one writer: it takes whatever waits, gives each job a savepoint, commits once for all, and only then
//! answers all. Batches form by themselves while the previous commit is on its way to the disk.

use std::fs::File;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::time::Instant;

use futures_util::FutureExt as _;
use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::access_tokens::{self, Issue, Issued};
use super::conn::{Conn, execute};
use super::error::{OpenError, Outage, StoreError};
use super::job::Job;
use super::lane::{Answer, BATCH, WAITING, gone, settle};
use super::sqlite;
use crate::telemetry::traces::{self, Waiter};
use crate::telemetry::{STORE_BATCH, STORE_COMMIT, STORE_FAILURES};

/// The writer's name among the queues.
pub(super) const WRITER: &str = "writer";

enum Task {
    Job(Box<dyn Job>, Waiter),
    Issue(Issue, Answer<Option<Issued>>, Waiter),
    Close(oneshot::Sender<()>),
}

impl Task {
    fn waiter(&self) -> Option<&Waiter> {
        match self {
            Self::Job(_, waiter) | Self::Issue(_, _, waiter) => Some(waiter),
            Self::Close(_) => None,
        }
    }
}

/// SQLite's writer, as its callers see it.
#[derive(Clone)]
pub(super) struct WriteQueue(mpsc::Sender<Task>);

impl WriteQueue {
    /// On a thread of its own: SQLite blocks the one that it writes on until the disk has what was written.
    /// `file`, with its lock, is `None` for a database in memory.
    pub(super) fn start(conn: Connection, file: Option<(PathBuf, File)>) -> Result<Self, OpenError> {
        let (sender, tasks) = mpsc::channel(WAITING);
        let runtime = Handle::current();
        let (path, held) = file.unzip();
        let writer = Writer { conn: Conn::Sqlite(conn), path, _held: held, is_doubted: false };
        let thread = std::thread::Builder::new().name("leadgate-writer".into());
        let started = thread.spawn(move || write_on_sqlite(writer, tasks, &runtime));
        started.map(|_| Self(sender)).map_err(|why| OpenError::Writer { why })
    }

    /// Does it when its turn comes. Where the writer has stopped, it is dropped unanswered.
    pub(super) async fn run(&self, job: Box<dyn Job>) {
        let _ = self.0.send(Task::Job(job, Waiter::here())).await;
    }

    /// Records an access token, together with those that wait.
    pub(super) async fn issue(&self, issue: Issue) -> Result<Option<Issued>, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.0.send(Task::Issue(issue, answer, Waiter::here())).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// How many wait, and how many may.
    pub(super) fn depth(&self) -> (usize, usize) {
        (self.0.max_capacity() - self.0.capacity(), self.0.max_capacity())
    }

    pub(super) async fn close(&self) {
        let (closed, when) = oneshot::channel();
        if self.0.send(Task::Close(closed)).await.is_ok() {
            let _ = when.await;
        }
    }
}

/// The connection that writes.
///
/// After the disk failed it is not used again. A failed fsync may be reported once and never more, and the pages that it was
/// about count as written: to try it again and believe it is to lose them. Here nobody does. A commit that failed was told
/// to nobody, and the log's index does not reach it, so that whatever comes next writes the same part of the log from its
/// beginning, to be flushed by itself; what was answered before had its own flush. What the connection itself makes of the
/// failure nobody needs to know: another one reads the log as it is.
///
/// All that is of one process, whose readers keep the log's index. The next process makes the index anew, from what it can
/// read of the log, the failed commit included: see [`sqlite::flush_log`].
struct Writer {
    conn: Conn,
    path: Option<PathBuf>,
    /// Let go after the connection.
    _held: Option<File>,
    is_doubted: bool,
}

impl Writer {
    fn note(&mut self, failure: &StoreError) {
        self.is_doubted |= failure.outage() == Some(Outage::Disk);
    }

    fn trusted(&mut self) -> Result<&mut Conn, StoreError> {
        if let Some(path) = self.path.as_deref().filter(|_| self.is_doubted) {
            self.conn = Conn::Sqlite(sqlite::open_writer(path)?);
            self.is_doubted = false;
        }
        Ok(&mut self.conn)
    }

    /// Answers what was issued; the jobs have their answers.
    async fn batch(&mut self, jobs: Vec<Box<dyn Job>>, issues: &[Issue]) -> Result<Vec<Option<Issued>>, StoreError> {
        let conn = match self.trusted() {
            Ok(conn) => conn,
            Err(failure) => {
                refuse(jobs, &failure);
                return Err(failure);
            }
        };
        if !jobs.is_empty() || !access_tokens::is_one_statement(issues) {
            return commit_together(conn, jobs, issues).await;
        }
        // One statement is its own transaction.
        if issues.is_empty() { Ok(Vec::new()) } else { access_tokens::issue(conn, issues).await }
    }
}

fn write_on_sqlite(mut writer: Writer, mut tasks: mpsc::Receiver<Task>, runtime: &Handle) {
    let mut waiting = Vec::with_capacity(BATCH);
    let (sizes, durations) = (STORE_BATCH.of([WRITER]), STORE_COMMIT.of([WRITER]));
    let failures = STORE_FAILURES.of([WRITER]);
    while tasks.blocking_recv_many(&mut waiting, BATCH) > 0 {
        let (mut jobs, mut issues, mut answers, mut closing) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let waiters = waiting.iter().filter_map(Task::waiter);
        let span = traces::batch(WRITER, waiting.len(), waiters);
        for task in waiting.drain(..) {
            match task {
                Task::Job(job, _) => jobs.push(job),
                Task::Issue(issue, answer, _) => {
                    issues.push(issue);
                    answers.push(answer);
                }
                Task::Close(closed) => closing.push(closed),
            }
        }
        let (size, began) = (jobs.len() + issues.len(), Instant::now());
        let settled = span.in_scope(|| runtime.block_on(AssertUnwindSafe(writer.batch(jobs, &issues)).catch_unwind()));
        drop(span);
        let settled = settled.unwrap_or_else(|_| {
            // The thread goes on; whatever the batch had begun is undone.
            let _ = runtime.block_on(async { execute!(writer.conn, "ROLLBACK") });
            Err(StoreError::Internal("a batch panicked".into()))
        });
        if size > 0 {
            sizes.record(f64::from(u32::try_from(size).unwrap_or(u32::MAX)));
            durations.record(began.elapsed().as_secs_f64());
        }
        if let Err(failure) = &settled {
            failures.increment(1);
            writer.note(failure);
        }
        let settled = settled.map(|issued| issued.into_iter().map(Ok).collect());
        if !answers.is_empty() {
            // Those who asked are woken from within the runtime: from here it would cost a call for each of them.
            runtime.spawn(async move { settle(answers, settled) });
        }
        if !closing.is_empty() {
            drop(writer);
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
    let whole = async {
        let mut issued = Ok(Vec::new());
        execute!(conn, "BEGIN IMMEDIATE")?;
        let alone = jobs.len() == 1 && issues.is_empty();
        for job in &mut jobs {
            outcomes.push(run_in_savepoint(conn, job.as_mut(), alone).await?);
        }
        if !issues.is_empty() {
            issued = access_tokens::issue(conn, issues).await;
            if let Err(failure @ StoreError::Unavailable(..)) = issued {
                return Err(failure);
            }
        }
        execute!(conn, "COMMIT").map(|_| issued)
    }
    .await;
    let issued = match whole {
        Ok(issued) => issued,
        Err(failure) => {
            // After an error inside a transaction SQLite may or may not still be in it.
            let _ = execute!(conn, "ROLLBACK");
            refuse(jobs, &failure);
            return Err(failure);
        }
    };
    for (job, refused) in jobs.into_iter().zip(outcomes) {
        job.answer(refused);
    }
    issued
}

/// Nothing of the batch happened.
fn refuse(jobs: Vec<Box<dyn Job>>, failure: &StoreError) {
    for job in jobs {
        let outage = failure.outage().unwrap_or(Outage::Gone);
        job.answer(Some(StoreError::Unavailable(outage, failure.to_string())));
    }
}

/// `Ok(Some(error))`: the job failed and was undone; `Err`: the transaction itself is lost.
async fn run_in_savepoint(conn: &mut Conn, job: &mut dyn Job, alone: bool) -> Result<Option<StoreError>, StoreError> {
    let is_undone_alone = !alone && !job.is_whole();
    if is_undone_alone {
        execute!(conn, "SAVEPOINT job")?;
    }
    let ran = AssertUnwindSafe(job.run(conn)).catch_unwind().await;
    let refused = match ran {
        Ok(Ok(())) => None,
        // A full or broken disk is everybody's, and with it SQLite may have undone all of the transaction.
        Ok(Err(failure @ StoreError::Unavailable(..))) => return Err(failure),
        Ok(Err(error)) => Some(error),
        // Nobody knows how far it came.
        Err(_) if !alone && !is_undone_alone => return Err(StoreError::Internal("a store job panicked".into())),
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
    if is_undone_alone {
        if refused.is_some() {
            execute!(conn, "ROLLBACK TO job")?;
        }
        execute!(conn, "RELEASE job")?;
    }
    Ok(refused)
}
