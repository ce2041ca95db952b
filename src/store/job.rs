//! What is asked of a database, its type erased: what runs, repeats, commits and undoes it is compiled once, and not for each
//! of the hundreds of things that are asked.

use tokio::sync::oneshot;

use super::Work;
use super::conn::Conn;
use super::error::StoreError;
use super::lane::Answer;

/// A closure with the place to put its answer.
pub(super) trait Job: Send {
    /// May come more than once, where what it did was undone.
    fn run<'c>(&'c mut self, conn: &'c mut Conn) -> Work<'c, ()>;
    /// Whether nothing has to be undone where it fails, other than with all of its transaction.
    fn is_whole(&self) -> bool;
    /// Hands out the result, or `refused` where it did not come to stand in the database.
    fn answer(self: Box<Self>, refused: Option<StoreError>);
}

struct ClosureJob<T, F> {
    work: F,
    is_whole: bool,
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

    fn is_whole(&self) -> bool {
        self.is_whole
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

/// Where the answer of a job arrives.
pub(super) struct Answered<T>(oneshot::Receiver<Result<T, StoreError>>);

impl<T> Answered<T> {
    pub(super) async fn get(self) -> Result<T, StoreError> {
        self.0.await.map_err(|_| StoreError::gone("the store stopped before it was done"))?
    }
}

pub(super) fn of<T, F>(work: F) -> (Box<dyn Job>, Answered<T>)
where
    T: Send + 'static,
    F: for<'c> FnMut(&'c mut Conn) -> Work<'c, T> + Send + 'static,
{
    made(work, false)
}

/// One that is whole by itself: see [`Job::is_whole`].
pub(super) fn whole<T, F>(work: F) -> (Box<dyn Job>, Answered<T>)
where
    T: Send + 'static,
    F: for<'c> FnMut(&'c mut Conn) -> Work<'c, T> + Send + 'static,
{
    made(work, true)
}

fn made<T, F>(work: F, is_whole: bool) -> (Box<dyn Job>, Answered<T>)
where
    T: Send + 'static,
    F: for<'c> FnMut(&'c mut Conn) -> Work<'c, T> + Send + 'static,
{
    let (answer, answered) = oneshot::channel();
    (Box::new(ClosureJob { work, is_whole, done: None, answer }), Answered(answered))
}
