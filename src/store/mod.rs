//! The only room that knows a database. One SQL text serves SQLite and PostgreSQL; `write` is the only
//! way to change anything, and returns after the commit is durable.
//!
//! Identifiers, hashes and the present moment are arguments: nothing here reads a clock or randomness. The databases draw one
//! thing themselves, an application's revision, since whoever changes the row has to change that.

mod clients;
mod conn;
mod connect;
mod convert;
mod error;
mod job;
mod lane;
mod last_used;
mod migrate;
mod pool;
mod queue;
mod sqlite;
mod sweep;
mod trouble;

pub mod access_tokens;
pub mod accounts;
pub mod action_callbacks;
pub mod apps;
pub mod authorization_codes;
pub mod backup;
pub mod buttons;
pub mod campaigns;
pub mod clocks;
pub mod codes;
pub mod connections;
pub mod consents;
pub mod deliveries;
pub mod device_codes;
pub mod events;
pub mod examine;
pub mod flows;
pub mod grants;
pub mod invitations;
pub mod keys;
pub mod lead_types;
pub mod leads;
pub mod logos;
pub mod namespaces;
pub mod pushed_requests;
pub mod registration_tokens;
pub mod resume_handles;
pub mod revocation;
pub mod sealed;
pub mod sessions;
pub mod snapshots;
pub mod tables;
pub mod usage;
pub mod used_proofs;
pub mod users;
pub mod webhook_messages;
pub mod webhooks;

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::OnceCell;
use tokio::time::Instant;
use tracing::Instrument as _;

pub use conn::Conn;
pub use connect::Location;
pub use error::{OpenError, Outage, StoreError};
pub use migrate::Schema;
pub use sweep::Sweep;

use crate::domain::ids::{AccessTokenId, AppId, ConnectionId};
use crate::domain::timestamp::Timestamp;
use crate::domain::usage::{Day, UsageKind};
use crate::telemetry::traces::span;
use crate::telemetry::{STORE_COMMIT, STORE_FAILURES};
use access_tokens::Found;
use access_tokens::{Issue, Issued};
use apps::Client;
use clients::Clients;
use connections::EndByClient;
use grants::{Renewal, Renewed};
use job::{Answered, Job};
use lane::Lane;
use pool::{Pool, STATEMENT_PATIENCE, within};
use queue::WriteQueue;
use sqlite::Readers;
use tables::Tables;
use trouble::{Remembered, Trouble};

/// What a closure that was given a connection returns.
pub type Work<'c, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'c>>;

/// How long a read may take.
const READ_PATIENCE: Duration = Duration::from_secs(5);
/// How long a transaction may take: a seed file is one.
const WRITE_PATIENCE: Duration = Duration::from_secs(20);
/// How long it may take to undo a transaction, for which PostgreSQL does nothing.
const ROLLBACK_PATIENCE: Duration = Duration::from_millis(500);
/// How long a probe waits before it looks what is wrong.
const PROBE_PATIENCE: Duration = Duration::from_millis(1_900);
/// How long connections may take to say good-bye.
const CLOSE_PATIENCE: Duration = Duration::from_secs(3);

/// Notes of when connections were last used that one flush writes down: more would hold up those who wait for the writer.
const LAST_USED_AT_ONCE: usize = 500;
/// The same when the store closes and nobody waits.
const CHUNK_AT_CLOSE: usize = 10_000;

/// What is no lane's, on PostgreSQL, in metrics.
const TRANSACTIONS: &str = "transactions";

/// How often a transaction that lost against another one is run again.
const ATTEMPTS: usize = 5;

/// A database, opened and migrated.
pub struct Store {
    backend: Backend,
    /// As they were last read.
    clients: Clients,
    last_used: last_used::LastUsed,
    usage: usage::Usage,
    tables: OnceCell<Arc<Tables>>,
    trouble: Trouble,
}

/// How much a store has to do.
#[derive(Debug)]
pub struct Load {
    /// By their names: how many wait there, and how many may.
    pub queues: Vec<(&'static str, (usize, usize))>,
    /// Connections to the database.
    pub idle: usize,
    pub in_use: usize,
    pub limit: usize,
    /// Whether no write failed lately for want of a disk or a database that takes writes.
    pub writable: bool,
}

enum Backend {
    Sqlite {
        /// `None` for a database in memory, which has one connection.
        readers: Option<Readers>,
        writer: WriteQueue,
    },
    Postgres {
        pool: Pool,
        lanes: Lanes,
    },
}

/// What is asked for so often on PostgreSQL that those who wait go there together.
struct Lanes {
    issues: Lane<Issue, Option<Issued>>,
    renewals: Lane<Renewal, Option<Renewed>>,
    ends: Lane<EndByClient, Option<AppId>>,
    tokens: Lane<AccessTokenId, Option<Found>>,
    clients: Lane<AppId, Option<Arc<Client>>>,
}

impl Lanes {
    fn on(pool: &Pool, quiet: Duration) -> Self {
        Self {
            issues: Lane::start("issues", pool, quiet, |conn, batch| {
                Box::pin(async { Ok(access_tokens::issue_whole(conn, batch).await?.into_iter().map(Ok).collect()) })
            }),
            renewals: Lane::start("refreshes", pool, quiet, |conn, batch| Box::pin(grants::renew_plainly(conn, batch))),
            ends: Lane::start("disconnects", pool, quiet, |conn, batch| {
                Box::pin(async { Ok(connections::end_untold(conn, batch).await?.into_iter().map(Ok).collect()) })
            }),
            tokens: Lane::start("tokens", pool, quiet, |conn, batch| Box::pin(access_tokens::find_many(conn, batch))),
            clients: Lane::start("clients", pool, quiet, |conn, batch| Box::pin(apps::find_many(conn, batch))),
        }
    }

    fn depths(&self) -> Vec<(&'static str, (usize, usize))> {
        vec![
            (self.issues.name, self.issues.depth()),
            (self.renewals.name, self.renewals.depth()),
            (self.ends.name, self.ends.depth()),
            (self.tokens.name, self.tokens.depth()),
            (self.clients.name, self.clients.depth()),
        ]
    }
}

impl Store {
    /// Reads. The closure sees one consistent connection; it must not write.
    pub async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnMut(&'c mut Conn) -> Work<'c, T> + Send + 'static,
    {
        let (job, answered) = job::of(work);
        let read = async {
            match &self.backend {
                Backend::Sqlite { readers: Some(readers), .. } => readers.read(job).await,
                Backend::Sqlite { readers: None, writer } => writer.run(job).await,
                // On the heap: it is large, and would be a part of whatever asks.
                Backend::Postgres { pool, .. } => Box::pin(read_on_postgres(pool, job)).await,
            }
            answered.get().await
        };
        read.instrument(span!("store.read", otel.kind = "client")).await
    }

    /// Reads a few rows by their keys, at once: what takes longer belongs into [`Store::read`].
    pub async fn look_up<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnMut(&'c mut Conn) -> Work<'c, T> + Send + 'static,
    {
        match &self.backend {
            Backend::Sqlite { readers: Some(readers), .. } => {
                readers.look_up(work).instrument(span!("store.look_up", otel.kind = "client")).await
            }
            Backend::Sqlite { readers: None, .. } | Backend::Postgres { .. } => Box::pin(self.read(work)).await,
        }
    }

    /// Changes something, in one transaction, and returns after its commit is durable. `Err` from the
    /// closure undoes it. The closure may be run again when the transaction lost against another one, so
    /// it does nothing but SQL.
    pub async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnMut(&'c mut Conn) -> Work<'c, T> + Send + 'static,
    {
        self.write_with(STATEMENT_PATIENCE, work).await
    }

    /// The same for what may take a while within one statement, as where much hangs on what is deleted.
    pub async fn write_at_length<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnMut(&'c mut Conn) -> Work<'c, T> + Send + 'static,
    {
        self.write_with(WRITE_PATIENCE, work).await
    }

    async fn write_with<T, F>(&self, patience: Duration, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnMut(&'c mut Conn) -> Work<'c, T> + Send + 'static,
    {
        let (job, answered) = job::of(work);
        self.settled(job, answered, patience).await
    }

    async fn settled<T>(&self, job: Box<dyn Job>, answered: Answered<T>, patience: Duration) -> Result<T, StoreError> {
        let written = async {
            match &self.backend {
                Backend::Sqlite { writer, .. } => writer.run(job).await,
                Backend::Postgres { pool, .. } => write_on_postgres(pool.clone(), patience, job),
            }
            answered.get().await
        };
        self.trouble.noted(written.instrument(span!("store.write", otel.kind = "client")).await)
    }

    /// Records an access token, if what it hangs on still lives: the hot path. `None` is a refusal, whose
    /// reason the caller looks up. Requests that wait are recorded together, in one statement.
    pub async fn issue(&self, issue: Issue) -> Result<Option<Issued>, StoreError> {
        let (connection, now) = (issue.connection(), issue.now);
        let span = span!("store.issue", otel.kind = "client");
        let issued = self.trouble.noted(match &self.backend {
            Backend::Sqlite { writer, .. } => writer.issue(issue).instrument(span).await,
            Backend::Postgres { lanes, .. } => lanes.issues.ask(issue).instrument(span).await,
        })?;
        if let Some(connection) = connection.filter(|_| issued.is_some()) {
            self.last_used.note(connection, now);
        }
        Ok(issued)
    }

    /// Serves a plain refresh of a standard grant: see [`grants::renew_plainly`].
    pub async fn renew(&self, renewal: Renewal) -> Result<Option<Renewed>, StoreError> {
        if let Backend::Postgres { lanes, .. } = &self.backend {
            let span = span!("store.renew", otel.kind = "client");
            return self.trouble.noted(lanes.renewals.ask(renewal).instrument(span).await);
        }
        let alone = Arc::new([renewal]);
        let (job, answered) = job::whole(move |conn| {
            let alone = alone.clone();
            Box::pin(async move { grants::renew_plainly(conn, &*alone).await })
        });
        self.settled(job, answered, STATEMENT_PATIENCE).await?.pop().unwrap_or(Ok(None))
    }

    /// Ends a connection that nobody is told of: see [`connections::end_untold`].
    pub async fn end_untold(&self, end: EndByClient) -> Result<Option<AppId>, StoreError> {
        if let Backend::Postgres { lanes, .. } = &self.backend {
            let span = span!("store.end", otel.kind = "client");
            return self.trouble.noted(lanes.ends.ask(end).instrument(span).await);
        }
        let alone = Arc::new([end]);
        let ended = self.write(move |conn| {
            let alone = alone.clone();
            Box::pin(async move { connections::end_untold(conn, &*alone).await })
        });
        Ok(ended.await?.pop().flatten())
    }

    /// An access token, dead or alive, with whatever its life hangs on: see [`access_tokens::find`].
    pub async fn access_token(&self, id: AccessTokenId) -> Result<Option<Found>, StoreError> {
        match &self.backend {
            Backend::Postgres { lanes, .. } => {
                lanes.tokens.ask(id).instrument(span!("store.look_up", otel.kind = "client")).await
            }
            Backend::Sqlite { .. } => self.look_up(move |conn| Box::pin(access_tokens::find(conn, id))).await,
        }
    }

    /// An application, with what its credentials are checked against.
    pub async fn client(&self, id: &AppId) -> Result<Option<Arc<Client>>, StoreError> {
        let asked = id.clone();
        let read = match &self.backend {
            Backend::Postgres { lanes, .. } => {
                lanes.clients.ask(asked).instrument(span!("store.look_up", otel.kind = "client")).await?
            }
            Backend::Sqlite { .. } => {
                let find = self.look_up(move |conn| {
                    let asked = asked.clone();
                    Box::pin(async move { apps::find_client(conn, &asked).await })
                });
                find.await?.map(Arc::new)
            }
        };
        self.clients.learn(id, read.as_ref());
        Ok(read)
    }

    /// The same as it was last read, if it was lately. It may have changed since: good for nothing that does not ask the
    /// database whether its revision is still the one.
    pub fn remembered_client(&self, id: &AppId) -> Option<Arc<Client>> {
        self.clients.get(id)
    }

    /// Writes down what was noted in passing, of when connections were last used and how much applications are: a lossy
    /// lane beside the durable one.
    pub async fn flush_notes(&self) -> Result<(), StoreError> {
        self.flush(LAST_USED_AT_ONCE).await.map(|_| ())
    }

    /// Answers whether there was anything.
    async fn flush(&self, last_used: usize) -> Result<bool, StoreError> {
        let noted = (self.last_used.take(last_used), self.usage.take());
        if noted.0.is_empty() && noted.1.is_empty() {
            return Ok(false);
        }
        // Each in a transaction of its own, so that neither holds its rows for as long as both take.
        let (last_used, counts) = (Arc::new(noted.0), Arc::new(noted.1));
        self.write(move |conn| {
            let last_used = last_used.clone();
            Box::pin(async move { connections::set_last_used(conn, &last_used).await })
        })
        .await?;
        if !counts.is_empty() {
            self.write(move |conn| {
                let counts = counts.clone();
                Box::pin(async move { usage::add(conn, &counts).await })
            })
            .await?;
        }
        Ok(true)
    }

    /// Whether the database can be written to: what waits behind a stuck writer is not ready. After a write that failed for
    /// want of a working disk, one is tried out.
    pub async fn ping(&self) -> Result<(), StoreError> {
        match self.trouble.remembered() {
            Remembered::Nothing => self.probe().await,
            Remembered::Fresh(outage) => Err(StoreError::Unavailable(outage, "a write failed a moment ago".into())),
            Remembered::Old => self.write(|conn| Box::pin(used_proofs::try_out(conn))).await,
        }
    }

    async fn probe(&self) -> Result<(), StoreError> {
        let look = self.write(|conn| Box::pin(async move { keys::list(conn).await.map(|_| ()) }));
        let Backend::Postgres { pool, .. } = &self.backend else { return look.await };
        match tokio::time::timeout(PROBE_PATIENCE, look).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(failure)) if failure.outage() != Some(Outage::Gone) => Err(failure),
            Ok(Err(_)) | Err(_) => Err(pool.look().await),
        }
    }

    /// How it is at this moment, without asking it.
    pub fn load(&self) -> Load {
        let (queues, connections) = match &self.backend {
            Backend::Sqlite { readers, writer } => {
                (vec![(queue::WRITER, writer.depth())], readers.as_ref().map_or((0, 0, 0), Readers::counts))
            }
            Backend::Postgres { pool, lanes } => (lanes.depths(), pool.counts()),
        };
        let (idle, in_use, limit) = connections;
        Load { queues, idle, in_use, limit, writable: matches!(self.trouble.remembered(), Remembered::Nothing) }
    }

    /// Notes that a connection was used outside [`Store::issue`].
    pub fn note_use(&self, connection: ConnectionId, at: Timestamp) {
        self.last_used.note(connection, at);
    }

    /// Counts something of an application.
    pub fn count(&self, app: &AppId, day: Day, kind: UsageKind) {
        self.usage.count(app, day, kind);
    }

    /// Forgets what was noted in passing: it was of a world that is gone.
    pub fn forget_notes(&self) {
        self.last_used.forget();
        self.usage.take();
    }

    /// The tables of the world.
    pub async fn tables(&self) -> Result<Arc<Tables>, StoreError> {
        let read = || async { self.read(|conn| Box::pin(tables::read(conn))).await.map(Arc::new) };
        self.tables.get_or_try_init(read).await.cloned()
    }

    /// Whether its namespaces are schemas of the same database, which other nodes find; else each is in the memory of
    /// the process that made it.
    pub fn has_shared_namespaces(&self) -> bool {
        matches!(self.backend, Backend::Postgres { .. })
    }

    /// Finishes what was begun, writes down what was noted, and closes every connection.
    pub async fn close(&self) {
        loop {
            match self.flush(CHUNK_AT_CLOSE).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(%error, "what was noted in passing could not be written");
                    break;
                }
            }
        }
        match &self.backend {
            Backend::Sqlite { readers, writer } => {
                if let Some(readers) = readers
                    && !readers.close(CLOSE_PATIENCE).await
                {
                    tracing::warn!("some reads did not end in time");
                }
                writer.close().await;
            }
            Backend::Postgres { pool, .. } => {
                if tokio::time::timeout(CLOSE_PATIENCE, pool.close()).await.is_err() {
                    tracing::warn!("some connections to the database did not close in time");
                }
            }
        }
    }
}

async fn read_on_postgres(pool: &Pool, mut job: Box<dyn Job>) {
    let mut conn = match pool.acquire().await {
        Ok(conn) => conn,
        Err(failure) => return job.answer(Some(failure)),
    };
    let read = within(READ_PATIENCE, job.run(&mut conn)).await;
    if let Err(failure) = &read {
        conn.abandon_for(failure);
    }
    job.answer(read.err());
}

/// In a task of its own: a caller that hangs up does not leave a transaction open in a connection that the
/// next one gets.
fn write_on_postgres(pool: Pool, patience: Duration, mut job: Box<dyn Job>) {
    let attempts = async move {
        for _ in 1..ATTEMPTS {
            match attempt_on_postgres(&pool, patience, job.as_mut()).await {
                Err(StoreError::Again) => {}
                settled => return job.answer(settled.err()),
            }
        }
        let settled = attempt_on_postgres(&pool, patience, job.as_mut()).await;
        job.answer(settled.err());
    };
    tokio::spawn(attempts);
}

async fn attempt_on_postgres(pool: &Pool, patience: Duration, job: &mut dyn Job) -> Result<(), StoreError> {
    let mut conn = pool.acquire().await?.with_patience(patience);
    let transaction = async {
        conn::execute!(conn, "BEGIN")?;
        if patience > STATEMENT_PATIENCE {
            conn::execute!(conn, pool::ALLOW_AT_LENGTH)?;
        }
        // A panic that went further would drop the connection into the pool with its transaction open.
        let done = AssertUnwindSafe(job.run(&mut conn)).catch_unwind().await;
        done.unwrap_or_else(|_| Err(StoreError::Internal("a store job panicked".into())))?;
        conn::execute!(conn, "COMMIT").map(|_| ())
    };
    let began = Instant::now();
    let settled = within(WRITE_PATIENCE, transaction).await;
    STORE_COMMIT.of([TRANSACTIONS]).record(began.elapsed().as_secs_f64());
    if let Err(failure) = &settled {
        if failure.outage().is_some() {
            STORE_FAILURES.add([TRANSACTIONS]);
        }
        if failure.outage().is_some_and(Outage::is_of_the_connection) {
            conn.abandon_for(failure);
        } else if within(ROLLBACK_PATIENCE, async { conn::execute!(conn, "ROLLBACK") }).await.is_err() {
            conn.abandon();
        }
    }
    settled
}

/// Every statement of both dialects, by file and name: `(file, name, sql)`. For the test that prepares them.
#[doc(hidden)]
pub fn statements(dialect: Dialect) -> Vec<(&'static str, &'static str, &'static str)> {
    let shared: [(&str, &[(&str, &str)]); 34] = [
        ("access_tokens", access_tokens::STATEMENTS),
        ("accounts", accounts::STATEMENTS),
        ("action_callbacks", action_callbacks::STATEMENTS),
        ("apps", apps::STATEMENTS),
        ("authorization_codes", authorization_codes::STATEMENTS),
        ("buttons", buttons::STATEMENTS),
        ("campaigns", campaigns::STATEMENTS),
        ("clocks", clocks::STATEMENTS),
        ("codes", codes::STATEMENTS),
        ("connections", connections::STATEMENTS),
        ("consents", consents::STATEMENTS),
        ("deliveries", deliveries::STATEMENTS),
        ("device_codes", device_codes::STATEMENTS),
        ("events", events::STATEMENTS),
        ("flows", flows::STATEMENTS),
        ("grants", grants::STATEMENTS),
        ("invitations", invitations::STATEMENTS),
        ("keys", keys::STATEMENTS),
        ("lead_types", lead_types::STATEMENTS),
        ("leads", leads::STATEMENTS),
        ("logos", logos::STATEMENTS),
        ("namespaces", namespaces::STATEMENTS),
        ("pushed_requests", pushed_requests::STATEMENTS),
        ("registration_tokens", registration_tokens::STATEMENTS),
        ("resume_handles", resume_handles::STATEMENTS),
        ("revocation", revocation::STATEMENTS),
        ("sealed", sealed::STATEMENTS),
        ("sessions", sessions::STATEMENTS),
        ("snapshots", snapshots::STATEMENTS),
        ("usage", usage::STATEMENTS),
        ("used_proofs", used_proofs::STATEMENTS),
        ("users", users::STATEMENTS),
        ("webhook_messages", webhook_messages::STATEMENTS),
        ("webhooks", webhooks::STATEMENTS),
    ];
    let of_dialect: &[_] = match dialect {
        Dialect::Sqlite => &[
            ("access_tokens", "ISSUE", access_tokens::ISSUE_ON_SQLITE),
            ("access_tokens", "ISSUE_GRANTED", access_tokens::ISSUE_GRANTED_ON_SQLITE),
            ("tables", "COLUMNS", tables::COLUMNS_ON_SQLITE),
            ("tables", "REFERENCES", tables::REFERENCES_ON_SQLITE),
        ],
        Dialect::Postgres => &[
            ("access_tokens", "ISSUE", access_tokens::ISSUE_ON_POSTGRES),
            ("access_tokens", "ISSUE_GRANTED", access_tokens::ISSUE_GRANTED_ON_POSTGRES),
            ("access_tokens", "FIND_MANY", access_tokens::FIND_MANY_ON_POSTGRES),
            ("apps", "FIND_MANY", apps::FIND_MANY_ON_POSTGRES),
            ("connections", "END_UNTOLD", connections::END_UNTOLD_ON_POSTGRES),
            ("connections", "SET_LAST_USED", connections::SET_LAST_USED_ON_POSTGRES),
            ("grants", "RENEW_PLAINLY", grants::RENEW_ON_POSTGRES),
            ("tables", "COLUMNS", tables::COLUMNS_ON_POSTGRES),
            ("tables", "REFERENCES", tables::REFERENCES_ON_POSTGRES),
            ("tables", "HOLD_WAIT", tables::HOLD_WAIT_ON_POSTGRES),
            ("namespaces", "HOLD", namespaces::HOLD_ON_POSTGRES),
        ],
    };
    shared
        .into_iter()
        .flat_map(|(file, list)| list.iter().map(move |(name, sql)| (file, *name, *sql)))
        .chain(of_dialect.iter().copied())
        .collect()
}

/// Which database a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
    Postgres,
}
