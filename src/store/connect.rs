//! Opening a database: the connections, their settings, and the migrations.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, PgPool, SqliteConnection};
use tokio::sync::OnceCell;

use super::conn::Conn;
use super::error::OpenError;
use super::last_used::LastUsed;
use super::queue::{IssueQueue, WriteQueue};
use super::usage::Usage;
use super::{Backend, Store, migrate, namespaces};
use crate::domain::namespace::NamespaceId;

/// How long a caller waits for a connection, and SQLite for another process's lock.
const PATIENCE: Duration = Duration::from_secs(5);
/// Readers of an SQLite file.
const SQLITE_READERS: u32 = 4;
/// Connections to PostgreSQL.
const POSTGRES_CONNECTIONS: u32 = 16;
/// The same of a namespace, of which there are many.
const NAMESPACE_CONNECTIONS: u32 = 4;
/// How long a connection of a namespace may be idle: PostgreSQL has a hundred for everybody.
const NAMESPACE_IDLE: Duration = Duration::from_secs(5);

/// Where the database is.
#[derive(Clone)]
pub enum Location {
    SqliteFile(PathBuf),
    /// Gone with the process.
    SqliteMemory,
    /// A `postgres://` URL; may hold a password and so has no `Debug`.
    Postgres(String),
}

impl Location {
    /// How errors name it: never with a password.
    fn name(&self) -> String {
        match self {
            Location::SqliteFile(path) => path.display().to_string(),
            Location::SqliteMemory => "in memory".into(),
            Location::Postgres(url) => match url.parse::<PgConnectOptions>() {
                Ok(options) => {
                    format!("`{}` on {}", options.get_database().unwrap_or("(default)"), options.get_host())
                }
                Err(_) => "on PostgreSQL".into(),
            },
        }
    }
}

impl Store {
    /// Opens a database and brings it up to date. Safe while other processes do the same.
    pub async fn open(location: &Location) -> Result<Self, OpenError> {
        let place = location.name();
        let cannot_open = |why: sqlx::Error| OpenError::Open { place: place.clone(), why: why.to_string() };
        match location {
            Location::SqliteFile(path) => {
                make_directory(path)?;
                let _lock = lock_beside(path).await?;
                let mut writer = sqlite_options(path).connect().await.map_err(cannot_open)?;
                migrate::on_sqlite(&mut writer).await.map_err(|why| migrate::explain(place.clone(), why))?;
                let readers = SqlitePoolOptions::new()
                    .max_connections(SQLITE_READERS)
                    .acquire_timeout(PATIENCE)
                    .connect_lazy_with(sqlite_options(path).read_only(true));
                Ok(Self::on_sqlite(writer, Some(readers)))
            }
            Location::SqliteMemory => {
                let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(true);
                let mut only = options.connect().await.map_err(cannot_open)?;
                migrate::on_sqlite(&mut only).await.map_err(|why| migrate::explain(place.clone(), why))?;
                Ok(Self::on_sqlite(only, None))
            }
            Location::Postgres(url) => {
                let options: PgConnectOptions = url.parse().map_err(cannot_open)?;
                // Notices ("… already exists, skipping") look like trouble in a log and are none.
                let options = options.options([("client_min_messages", "warning")]);
                let pool = PgPoolOptions::new().max_connections(POSTGRES_CONNECTIONS);
                Self::migrated_on_postgres(place, options, pool).await
            }
        }
    }

    /// Opens a namespace: in memory, or in its schema of the same database, which has to be there.
    pub async fn open_namespace(&self, id: &NamespaceId) -> Result<Self, OpenError> {
        let Backend::Postgres(pool) = &self.backend else { return Self::open(&Location::SqliteMemory).await };
        let schema = namespaces::schema(id);
        // Nobody misses a namespace after a crash of the database: its commits need not wait for the disk.
        let own = [("search_path", schema.as_str()), ("synchronous_commit", "off")];
        let options = pool.connect_options().as_ref().clone().options(own);
        let pool = PgPoolOptions::new().max_connections(NAMESPACE_CONNECTIONS).idle_timeout(NAMESPACE_IDLE);
        Self::migrated_on_postgres(format!("in schema `{schema}`"), options, pool).await
    }

    async fn migrated_on_postgres(
        place: String,
        options: PgConnectOptions,
        pool: PgPoolOptions,
    ) -> Result<Self, OpenError> {
        let connected = connect_within(&options).await;
        let mut conn = connected.map_err(|why| OpenError::Open { place: place.clone(), why: why.to_string() })?;
        let migrated = migrate::on_postgres(&mut conn).await;
        // The migration lock goes with this connection, also where the migration failed.
        let _ = conn.close().await;
        migrated.map_err(|why| migrate::explain(place, why))?;
        Ok(Self::on_postgres(pool.acquire_timeout(PATIENCE).connect_lazy_with(options)))
    }

    fn on_sqlite(writer: SqliteConnection, readers: Option<sqlx::SqlitePool>) -> Self {
        let writer = WriteQueue::start(Conn::SqliteWriter(Box::new(writer)));
        Self {
            issues: IssueQueue::Sqlite(writer.clone()),
            backend: Backend::Sqlite { readers, writer },
            last_used: LastUsed::default(),
            usage: Usage::default(),
            tables: OnceCell::new(),
        }
    }

    fn on_postgres(pool: PgPool) -> Self {
        Self {
            issues: IssueQueue::on_postgres(&pool),
            backend: Backend::Postgres(pool),
            last_used: LastUsed::default(),
            usage: Usage::default(),
            tables: OnceCell::new(),
        }
    }
}

fn sqlite_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(PATIENCE)
}

async fn connect_within(options: &PgConnectOptions) -> Result<sqlx::PgConnection, sqlx::Error> {
    tokio::time::timeout(PATIENCE, options.connect()).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

fn make_directory(file: &Path) -> Result<(), OpenError> {
    match file.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => {
            std::fs::create_dir_all(dir).map_err(|why| OpenError::Directory { dir: dir.to_owned(), why })
        }
        _ => Ok(()),
    }
}

/// Holds other starting processes off while the file is made and migrated: SQLite's own locks cover a
/// transaction, not the look at what is applied and the step after it. Freed when dropped.
async fn lock_beside(file: &Path) -> Result<File, OpenError> {
    let mut path = file.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    let place = path.display().to_string();
    let cannot = |why: std::io::Error| OpenError::Open { place, why: why.to_string() };
    // Waiting blocks its thread; who holds the lock may need an async one to get on.
    let locked = tokio::task::spawn_blocking(move || {
        let lock = File::options().create(true).truncate(false).write(true).open(&path)?;
        lock.lock().map(|()| lock)
    });
    locked.await.unwrap_or_else(|crash| Err(std::io::Error::other(crash))).map_err(cannot)
}

#[cfg(test)]
mod tests {
    use sqlx::{Executor as _, Row as _};

    use super::*;

    /// "After the commit is durable" rests on these: a test that kills the process cannot see them missing.
    #[tokio::test]
    async fn sqlite_syncs_each_commit_to_the_disk() {
        let file = std::env::temp_dir().join(format!("leadgate-pragmas-{}.db", std::process::id()));
        let mut conn = sqlite_options(&file).connect().await.unwrap();
        let pragma = async |conn: &mut SqliteConnection, sql: &'static str| conn.fetch_one(sql).await.unwrap();
        assert_eq!(pragma(&mut conn, "PRAGMA synchronous").await.get::<i64, _>(0), 2, "FULL");
        assert_eq!(pragma(&mut conn, "PRAGMA journal_mode").await.get::<String, _>(0), "wal");
        assert_eq!(pragma(&mut conn, "PRAGMA foreign_keys").await.get::<i64, _>(0), 1);
        conn.close().await.unwrap();
        std::fs::remove_file(&file).unwrap();
    }
}
