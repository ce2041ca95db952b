//! SQLite, which lives in this process: a statement is run on the thread that asks, where handing it to another thread
//! would cost more than most statements take.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rusqlite::types::FromSql;
use rusqlite::{CachedStatement, Connection, OpenFlags, Row, ToSql, TransactionBehavior};
use tokio::sync::Semaphore;

use super::Work;
use super::conn::Conn;
use super::error::{Outage, StoreError};
use super::job::{self, Job};

/// How long SQLite waits for another process's lock, and a caller for a connection to read with.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// Reads that may go on at once, each on a thread of its own.
const READS: usize = 4;
/// Statements that a connection keeps prepared: more than there are.
const PREPARED: usize = 512;

/// Pages that the writer keeps: those above the leaves of large tables, so that a refresh reads one page at most.
const WRITERS_CACHE_KIB: i64 = 16 * 1024;

/// A row of an answer, column by column.
pub(super) trait FromRow: Sized {
    /// Names of the columns, in the order of the fields; nothing where they are read as they come.
    const COLUMNS: &[&str];

    /// `at` tells where each of [`Self::COLUMNS`] is.
    fn from_row(row: &Row<'_>, at: &[usize]) -> rusqlite::Result<Self>;
}

macro_rules! tuple {
    ($($kind:ident $at:literal),+) => {
        impl<$($kind: FromSql),+> FromRow for ($($kind,)+) {
            const COLUMNS: &[&str] = &[];

            fn from_row(row: &Row<'_>, _: &[usize]) -> rusqlite::Result<Self> {
                Ok(($(row.get::<_, $kind>($at)?,)+))
            }
        }
    };
}
tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);

/// Where the columns of a row are in the answers of one statement. They are looked for by their names, which costs more
/// than to read them: once for each place in the source that asks.
pub(super) struct Order(OnceLock<Found>);

/// Of the statement with this text: a place may ask with one or another.
struct Found {
    sql: Box<str>,
    at: Vec<usize>,
}

impl Order {
    pub(super) const fn new() -> Self {
        Self(OnceLock::new())
    }

    fn of<T: FromRow>(&self, statement: &rusqlite::Statement<'_>, sql: &str) -> rusqlite::Result<Cow<'_, [usize]>> {
        if let Some(found) = self.0.get().filter(|found| *found.sql == *sql) {
            return Ok(Cow::Borrowed(&found.at));
        }
        let at = T::COLUMNS.iter().map(|name| statement.column_index(name)).collect::<rusqlite::Result<Vec<_>>>()?;
        // Another thread may have been quicker.
        let _ = self.0.set(Found { sql: sql.into(), at: at.clone() });
        Ok(Cow::Owned(at))
    }
}

/// The parameters of a statement, `$1` first.
pub(super) type Parameters<'p> = &'p [&'p dyn ToSql];

/// To SQLite `$2` is a name, which it numbers by where it first stands.
fn prepare<'c>(conn: &'c Connection, sql: &str, parameters: Parameters<'_>) -> rusqlite::Result<CachedStatement<'c>> {
    let mut statement = conn.prepare_cached(sql)?;
    for at in 1..=statement.parameter_count() {
        let number = statement.parameter_name(at).and_then(|name| name.get(1..)?.parse::<usize>().ok());
        let parameter = number.and_then(|number| parameters.get(number.checked_sub(1)?));
        let missing = rusqlite::Error::InvalidParameterCount(parameters.len(), at);
        statement.raw_bind_parameter(at, parameter.ok_or(missing)?)?;
    }
    Ok(statement)
}

/// Runs a statement; answers how many rows it touched.
pub(super) fn execute(conn: &Connection, sql: &str, parameters: Parameters<'_>) -> Result<u64, StoreError> {
    let rows = prepare(conn, sql, parameters)?.raw_execute()?;
    Ok(rows as u64)
}

pub(super) fn fetch_all<T: FromRow>(
    conn: &Connection,
    sql: &str,
    parameters: Parameters<'_>,
    order: &Order,
) -> Result<Vec<T>, StoreError> {
    let mut statement = prepare(conn, sql, parameters)?;
    let at = order.of::<T>(&statement, sql)?;
    let mut rows = statement.raw_query();
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(T::from_row(row, &at)?);
    }
    Ok(all)
}

/// Runs the statement to its end, also where it writes and answers more than is asked for.
pub(super) fn fetch_optional<T: FromRow>(
    conn: &Connection,
    sql: &str,
    parameters: Parameters<'_>,
    order: &Order,
) -> Result<Option<T>, StoreError> {
    let mut statement = prepare(conn, sql, parameters)?;
    let at = order.of::<T>(&statement, sql)?;
    let mut rows = statement.raw_query();
    let first = rows.next()?.map(|row| T::from_row(row, &at)).transpose()?;
    if first.is_some() {
        while rows.next()?.is_some() {}
    }
    Ok(first)
}

/// The row of a statement that always has one.
pub(super) fn fetch_one<T: FromRow>(
    conn: &Connection,
    sql: &str,
    parameters: Parameters<'_>,
    order: &Order,
) -> Result<T, StoreError> {
    fetch_optional(conn, sql, parameters, order)?
        .ok_or_else(|| StoreError::Internal("a statement answered no row".into()))
}

/// A connection is one thread's at a time: that much the compiler sees to.
const UNLOCKED: OpenFlags = OpenFlags::SQLITE_OPEN_NO_MUTEX;

/// Opens the connection that writes, and makes the file where there is none.
pub(super) fn open_writer(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | UNLOCKED;
    let conn = Connection::open_with_flags(path, flags)?;
    settle(&conn)?;
    conn.pragma_update(None, "journal_mode", "wal")?;
    // Each commit is on the disk before it is answered.
    conn.pragma_update(None, "synchronous", "full")?;
    conn.pragma_update(None, "cache_size", -WRITERS_CACHE_KIB)?;
    Ok(conn)
}

/// Writes the log once more as it is, and flushes it. For a log that another process left behind.
///
/// That process may have seen an fsync fail. Then the end of the log can be read and is not on the disk, and no later fsync
/// takes it there, for to the kernel it counts as written; what is appended to it would be lost with it. What is written anew
/// is flushed anew. Unlike a checkpoint this waits for nobody who reads, and needs no room.
pub(super) fn flush_log(writer: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    // While it lasts nobody else writes the log or begins it again; it undoes itself.
    let _alone = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
    rewrite(Path::new(&log)).map_err(|why| {
        let outage = if why.kind() == io::ErrorKind::StorageFull { Outage::Full } else { Outage::Disk };
        StoreError::Unavailable(outage, format!("its log could not be flushed: {why}"))
    })
}

fn rewrite(path: &Path) -> io::Result<()> {
    let file = match File::options().read(true).write(true).open(path) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file?,
    };
    let (mut bytes, mut at) = (vec![0; 64 * 1024], 0);
    loop {
        let count = file.read_at(&mut bytes, at)?;
        if count == 0 {
            return file.sync_data();
        }
        file.write_all_at(&bytes[..count], at)?;
        at += count as u64;
    }
}

/// Opens a database that is gone with the process.
pub(super) fn open_memory() -> rusqlite::Result<Connection> {
    let conn = Connection::open_in_memory_with_flags(
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | UNLOCKED,
    )?;
    settle(&conn)?;
    Ok(conn)
}

fn settle(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(PATIENCE)?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.set_prepared_statement_cache_capacity(PREPARED);
    // A batch is a parameter: `rarray($1)`.
    rusqlite::vtab::array::load_module(conn)
}

/// Those who read a file while one writes it.
#[derive(Clone)]
pub(super) struct Readers(Arc<Pool>);

struct Pool {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    places: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn of(path: &Path) -> Self {
        let places = Arc::new(Semaphore::new(READS));
        Self(Arc::new(Pool { path: path.to_owned(), idle: Mutex::default(), places }))
    }

    /// A read that may take long: on a thread of its own.
    pub(super) async fn read(&self, mut job: Box<dyn Job>) {
        let place = tokio::time::timeout(PATIENCE, self.0.places.clone().acquire_owned()).await;
        let place = match place {
            Ok(Ok(place)) => place,
            Ok(Err(_)) => return job.answer(Some(closed())),
            Err(_) => {
                let busy = StoreError::Unavailable(Outage::Busy, "all connections read".into());
                return job.answer(Some(busy));
            }
        };
        let pool = self.0.clone();
        let runtime = tokio::runtime::Handle::current();
        let read = tokio::task::spawn_blocking(move || {
            let read = AssertUnwindSafe(|| {
                let conn = pool.take()?;
                conn.busy_timeout(PATIENCE)?;
                let mut conn = Conn::Sqlite(conn);
                let read = runtime.block_on(job.run(&mut conn));
                pool.give_back(conn);
                read
            });
            let read = catch_unwind(read).unwrap_or_else(|_| Err(StoreError::Internal("a read panicked".into())));
            drop(place);
            job.answer(read.err());
        });
        // Where the runtime ends before it is done, it is dropped unanswered.
        let _ = read.await;
    }

    /// A read of a few rows by their keys, done at once: it takes some microseconds. It waits for no lock, which would
    /// stop all else on this thread; where there is one, it becomes a read like others.
    pub(super) async fn look_up<T, F>(&self, mut work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnMut(&'c mut Conn) -> Work<'c, T> + Send + 'static,
    {
        let conn = self.0.take()?;
        conn.busy_timeout(Duration::ZERO)?;
        let mut conn = Conn::Sqlite(conn);
        let found = work(&mut conn).await;
        self.0.give_back(conn);
        match found {
            Err(StoreError::Unavailable(..)) => {
                let (job, answered) = job::of(work);
                Box::pin(self.read(job)).await;
                answered.get().await
            }
            found => found,
        }
    }

    /// Connections that are idle, those in use, and how many there may be, of those that read at length.
    pub(super) fn counts(&self) -> (usize, usize, usize) {
        let used = READS.saturating_sub(self.0.places.available_permits());
        (self.0.idle().len(), used, READS)
    }

    /// Lets reads that go on end, for a while: the last connection to close, the writer's, then leaves everything in one
    /// file. Answers whether they did; closed it is either way.
    pub(super) async fn close(&self, patience: Duration) -> bool {
        let all = u32::try_from(READS).unwrap_or(u32::MAX);
        let ended = tokio::time::timeout(patience, self.0.places.acquire_many(all)).await;
        self.0.places.close();
        self.0.idle().clear();
        ended.is_ok()
    }
}

fn closed() -> StoreError {
    StoreError::gone("the store is closed")
}

impl Pool {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Result<Connection, StoreError> {
        let idle = self.idle().pop();
        idle.map_or_else(|| self.open(), Ok)
    }

    fn open(&self) -> Result<Connection, StoreError> {
        if self.places.is_closed() {
            return Err(closed());
        }
        let conn = Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY | UNLOCKED)?;
        settle(&conn)?;
        Ok(conn)
    }

    fn give_back(&self, conn: Conn) {
        let Conn::Sqlite(conn) = conn else { return };
        let mut idle = self.idle();
        if !self.places.is_closed() {
            idle.push(conn);
        }
    }
}

/// Beside a database: held by who makes, migrates or exchanges it, and by all who have it open.
pub(super) const LOCKS: [&str; 2] = [".lock", ".use.lock"];

/// A lock that is not there, and its name.
pub(super) type Unlocked = (PathBuf, io::Error);

/// Holds other starting processes off while the file is made and migrated: SQLite's own locks cover a
/// transaction, not the look at what is applied and the step after it. Freed when dropped.
pub(super) fn lock_beside(file: &Path) -> Result<File, Unlocked> {
    locked(file, LOCKS[0], File::lock)
}

/// Tells for as long as it lives that the database is open here, as often as there are processes; waits for who exchanges
/// it. Not one with [`lock_beside`], for which who starts beside a server would wait until that ends.
pub(super) fn hold(file: &Path) -> Result<File, Unlocked> {
    locked(file, LOCKS[1], File::lock_shared)
}

/// Keeps others from opening the database; `None` where somebody has it open.
pub(super) fn hold_alone(file: &Path) -> Result<Option<File>, Unlocked> {
    match locked(file, LOCKS[1], |lock| lock.try_lock().map_err(io::Error::from)) {
        Err((_, why)) if why.kind() == io::ErrorKind::WouldBlock => Ok(None),
        held => held.map(Some),
    }
}

fn locked(file: &Path, suffix: &str, lock: impl Fn(&File) -> io::Result<()>) -> Result<File, Unlocked> {
    let mut path = file.as_os_str().to_owned();
    path.push(suffix);
    let path = PathBuf::from(path);
    // To lock it takes no more than to read: another user may have made it.
    let opened = File::open(&path).or_else(|why| match why.kind() {
        io::ErrorKind::NotFound => File::options().create(true).truncate(false).write(true).open(&path),
        _ => Err(why),
    });
    opened.and_then(|file| lock(&file).map(|()| file)).map_err(|why| (path, why))
}

#[cfg(test)]
mod tests {
    use super::super::conn::row;
    use super::*;

    /// "After the commit is durable" rests on these: a test that kills the process cannot see them missing.
    #[test]
    fn sqlite_syncs_each_commit_to_the_disk() {
        let file = std::env::temp_dir().join(format!("leadgate-pragmas-{}.db", std::process::id()));
        let conn = open_writer(&file).unwrap();
        let number = |pragma| conn.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(number("synchronous"), 2, "FULL");
        assert_eq!(number("foreign_keys"), 1);
        let journal: String = conn.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        assert_eq!(journal, "wal");
        drop(conn);
        std::fs::remove_file(&file).unwrap();
    }

    #[test]
    fn parameters_go_by_their_numbers() {
        let conn = open_memory().unwrap();
        let row: Option<(i64, i64, i64)> =
            fetch_optional(&conn, "SELECT $2, $1, $2", rusqlite::params![10, 20], &Order::new()).unwrap();
        assert_eq!(row, Some((20, 10, 20)));
        let short = fetch_optional::<(i64,)>(&conn, "SELECT $2", rusqlite::params![10], &Order::new());
        assert!(matches!(short, Err(StoreError::Internal(_))), "{short:?}");
    }

    row! {
        #[derive(Debug, PartialEq)]
        struct Pair {
            first: i64,
            second: i64,
        }
    }

    #[test]
    fn columns_go_by_their_names_whichever_statement_one_place_asks_with() {
        let conn = open_memory().unwrap();
        let order = Order::new();
        for sql in
            ["SELECT 1 AS first, 2 AS second", "SELECT 2 AS second, 1 AS first", "SELECT 1 AS first, 2 AS second"]
        {
            for _ in 0..2 {
                let pairs: Vec<Pair> = fetch_all(&conn, sql, &[], &order).unwrap();
                assert_eq!(pairs, [Pair { first: 1, second: 2 }], "{sql}");
            }
        }
        let strange = fetch_optional::<Pair>(&conn, "SELECT 1 AS first, 2 AS other", &[], &Order::new());
        assert!(matches!(strange, Err(StoreError::Internal(_))), "{strange:?}");
    }
}
