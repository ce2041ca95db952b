//! PostgreSQL's connections, which may die without a word: a failover, a network that is cut, a forgetful NAT. Whoever finds
//! one dead makes all doubted that were not used since, so that nobody else has to find out.

use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, PgConnection, PgPool, Postgres};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::conn::{Conn, answer};
use super::error::{Outage, StoreError};
use crate::telemetry::{Histogram, STORE_ACQUIRE};

/// How long a statement may take. A recovery takes as long: what was asked just before it waits in vain.
pub(super) const STATEMENT_PATIENCE: Duration = Duration::from_secs(3);
/// How long a caller waits for a connection, which is also how long one may take to be made.
pub(super) const ACQUIRE_PATIENCE: Duration = Duration::from_secs(3);
/// How long PostgreSQL may take for what is no work at all.
const PING_PATIENCE: Duration = Duration::from_secs(1);
/// For how long after its last use a connection is taken to be there.
const TRUSTED: Duration = Duration::from_secs(1);

/// What PostgreSQL does by itself where we cannot reach it any more: a transaction that was cut off holds rows that others
/// wait for, and its connection a place among those that there are.
pub(super) const SESSION: [(&str, &str); 6] = [
    ("idle_in_transaction_session_timeout", "3s"),
    // More than anybody waits: what was given up ends soon after.
    ("statement_timeout", "4s"),
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "20s"),
];

/// The same for a statement that may take as long as a whole transaction, or stands in a line of those who migrate.
pub(super) const AT_LENGTH: (&str, &str) = ("statement_timeout", "21s");
pub(super) const ALLOW_AT_LENGTH: &str = "SET LOCAL statement_timeout = '21s'";

/// For batches: each row is looked for by its key. PostgreSQL keeps the plan of a statement, and where it takes a table for small it
/// would read all of it, also while it grows, until it counts the rows again. To compile a statement takes longer than a row by its key.
const BY_KEY: &str = "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off; \
                      SET enable_mergejoin = off; SET jit = off";
const AS_USUAL: &str =
    "RESET enable_seqscan; RESET enable_bitmapscan; RESET enable_hashjoin; RESET enable_mergejoin; RESET jit";

/// Lets a statement end where its client has hung up, on a PostgreSQL that knows how (14 and later).
const MIND_WHO_LEAVES: &str = "SELECT set_config(name, '1s', false) FROM pg_settings \
                               WHERE name = 'client_connection_check_interval'";

/// Gives up on a database that does not answer.
pub(super) async fn within<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let late = || Err(StoreError::gone(format!("no answer within {patience:?}")));
    tokio::time::timeout(patience, work).await.unwrap_or_else(|_| late())
}

#[derive(Clone)]
pub(super) struct Pool {
    connections: PgPool,
    doubt: Arc<Doubt>,
    /// Held by who looks why there is no connection: one at a time.
    looking: Arc<Semaphore>,
}

impl Pool {
    pub(super) fn open(options: PgConnectOptions, pool: PgPoolOptions) -> Self {
        let doubt = Arc::new(Doubt::default());
        let doubted = doubt.clone();
        let pool = pool.after_connect(|conn, _| Box::pin(mind_who_leaves(conn)));
        let pool =
            pool.acquire_timeout(ACQUIRE_PATIENCE).test_before_acquire(false).before_acquire(move |conn, known| {
                let doubt = doubted.clone();
                Box::pin(async move {
                    if doubt.is_of(known.idle_for) {
                        return Ok(false);
                    }
                    // To ask before each use would double the round trips; who was at work a moment ago is there.
                    if known.idle_for <= TRUSTED {
                        return Ok(true);
                    }
                    let dead = match tokio::time::timeout(PING_PATIENCE, conn.ping()).await {
                        Ok(Ok(())) => return Ok(true),
                        Ok(Err(why)) => why,
                        Err(_) => sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()),
                    };
                    doubt.raise();
                    Err(dead)
                })
            });
        Self { connections: pool.connect_lazy_with(options), doubt, looking: Arc::new(Semaphore::new(1)) }
    }

    pub(super) async fn acquire(&self) -> Result<Conn, StoreError> {
        static WAITED: LazyLock<Histogram> = LazyLock::new(|| STORE_ACQUIRE.of([]));
        let began = Instant::now();
        let acquired = self.connections.acquire().await;
        WAITED.record(began.elapsed().as_secs_f64());
        let conn = acquired?;
        Ok(Conn::Postgres(Pooled {
            conn,
            doubt: self.doubt.clone(),
            patience: STATEMENT_PATIENCE,
            is_by_key: false,
            is_abandoned: false,
        }))
    }

    /// One for batches, which goes back by [`give_back`].
    pub(super) async fn acquire_by_key(&self) -> Result<Conn, StoreError> {
        let mut conn = self.acquire().await?;
        let Conn::Postgres(pooled) = &mut conn else { return Ok(conn) };
        // From now on it does not go back as it is, however far this comes.
        pooled.is_by_key = true;
        let told = answer(PING_PATIENCE, pooled.conn.execute(BY_KEY)).await;
        match told {
            Ok(_) => Ok(conn),
            Err(failure) => {
                conn.abandon_for(&failure);
                Err(failure)
            }
        }
    }

    /// Connections that are idle, those in use, and how many there may be.
    pub(super) fn counts(&self) -> (usize, usize, usize) {
        let (all, idle) = (self.connections.size() as usize, self.connections.num_idle());
        (idle, all.saturating_sub(idle), self.connections.options().get_max_connections() as usize)
    }

    /// How others of the same database are made.
    pub(super) fn options(&self) -> PgConnectOptions {
        self.connections.connect_options().as_ref().clone()
    }

    /// Why there is no connection: the pool tries again and again, and does not say.
    pub(super) async fn look(&self) -> StoreError {
        let Ok(_alone) = self.looking.try_acquire() else { return StoreError::gone("it is being looked at") };
        let options = self.options();
        match tokio::time::timeout(PING_PATIENCE, options.connect()).await {
            Ok(Ok(conn)) => {
                let _ = tokio::time::timeout(PING_PATIENCE, conn.close()).await;
                StoreError::Unavailable(Outage::Busy, "it lets us in, and does not do what it is asked for".into())
            }
            Ok(Err(why)) => why.into(),
            Err(_) => StoreError::gone("no connection in time"),
        }
    }

    pub(super) async fn closing(&self) {
        self.connections.close_event().await;
    }

    pub(super) async fn close(&self) {
        self.connections.close().await;
    }
}

/// A system on which PostgreSQL cannot know goes without.
async fn mind_who_leaves(conn: &mut PgConnection) -> sqlx::Result<()> {
    match conn.execute(MIND_WHO_LEAVES).await {
        Ok(_) | Err(sqlx::Error::Database(_)) => Ok(()),
        Err(why) => Err(why),
    }
}

/// Since when connections that were not used are doubted.
#[derive(Default)]
struct Doubt(Mutex<Option<Instant>>);

impl Doubt {
    fn raise(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether it is of a connection that has been idle for so long.
    fn is_of(&self, idle: Duration) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|since| since.elapsed() <= idle)
    }
}

/// A connection that goes back to its pool.
pub struct Pooled {
    conn: PoolConnection<Postgres>,
    doubt: Arc<Doubt>,
    /// How long a statement may take.
    pub(super) patience: Duration,
    /// Whether it has [`BY_KEY`], with which nobody else would want it.
    is_by_key: bool,
    is_abandoned: bool,
}

/// Gives a connection for batches back, as others know it.
pub(super) async fn give_back(mut conn: Conn) {
    let Conn::Postgres(pooled) = &mut conn else { return };
    match answer(PING_PATIENCE, pooled.conn.execute(AS_USUAL)).await {
        Ok(_) => pooled.is_by_key = false,
        Err(failure) => conn.abandon_for(&failure),
    }
}

impl Pooled {
    /// Closes it instead of giving it back.
    pub(super) fn abandon(mut self) {
        self.is_abandoned = true;
    }

    /// Makes all doubted that are idle now.
    pub(super) fn doubt(&self) {
        self.doubt.raise();
    }
}

impl Deref for Pooled {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.conn
    }
}

impl DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.conn
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        if self.is_abandoned || self.is_by_key {
            self.conn.close_on_drop();
            return;
        }
        // The pool asks the connection before it takes it back, and would wait for ever: for the answer, and the place of
        // the connection with it.
        let (returned, doubt) = (self.conn.return_to_pool(), self.doubt.clone());
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn(async move {
            if tokio::time::timeout(PING_PATIENCE, returned).await.is_err() {
                doubt.raise();
            }
        });
    }
}
