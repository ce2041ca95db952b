//! Opening a database: the connections, their settings, and the migrations.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::OnceCell;

use super::clients::Clients;
use super::error::OpenError;
use super::last_used::LastUsed;
use super::pool::{self, Pool};
use super::queue::WriteQueue;
use super::sqlite::{self, PATIENCE, Readers};
use super::trouble::Trouble;
use super::usage::Usage;
use super::{Backend, Lanes, Store, migrate, namespaces};
use crate::domain::namespace::NamespaceId;

/// How long a lane keeps its connection after a batch. In a namespace, which has few, it keeps none.
const LANES_QUIET: Duration = Duration::from_millis(200);
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
    pub(super) fn name(&self) -> String {
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
        match location {
            Location::SqliteFile(path) => {
                let (path, at) = (path.clone(), place.clone());
                // Waits for locks and the disk, which blocks its thread.
                let opened = tokio::task::spawn_blocking(move || open_file(&path, at).map(|writer| (writer, path)));
                let opened = opened.await.unwrap_or_else(|crash| Err(cannot_open(&place, &crash)));
                opened.and_then(|((writer, held), path)| Self::on_sqlite(writer, Some((path, held))))
            }
            Location::SqliteMemory => {
                let mut only = sqlite::open_memory().map_err(|why| cannot_open(&place, &why))?;
                migrate::on_sqlite(&mut only).map_err(|why| migrate::explain(place, why))?;
                Self::on_sqlite(only, None)
            }
            Location::Postgres(url) => {
                let options: PgConnectOptions = url.parse().map_err(|why: sqlx::Error| cannot_open(&place, &why))?;
                // Notices ("… already exists, skipping") look like trouble in a log and are none.
                let options = options.options([("client_min_messages", "warning")]);
                let pool = PgPoolOptions::new().max_connections(POSTGRES_CONNECTIONS);
                Self::migrated_on_postgres(place, options, pool, LANES_QUIET).await
            }
        }
    }

    /// Opens a namespace: in memory, or in its schema of the same database, which has to be there.
    pub async fn open_namespace(&self, id: &NamespaceId) -> Result<Self, OpenError> {
        let Backend::Postgres { pool, .. } = &self.backend else { return Self::open(&Location::SqliteMemory).await };
        let schema = namespaces::schema(id);
        // Nobody misses a namespace after a crash of the database: its commits need not wait for the disk.
        let own = [("search_path", schema.as_str()), ("synchronous_commit", "off"), pool::AT_LENGTH];
        let options = pool.options().options(own);
        let pool = PgPoolOptions::new().max_connections(NAMESPACE_CONNECTIONS).idle_timeout(NAMESPACE_IDLE);
        Self::migrated_on_postgres(format!("in schema `{schema}`"), options, pool, Duration::ZERO).await
    }

    async fn migrated_on_postgres(
        place: String,
        options: PgConnectOptions,
        pool: PgPoolOptions,
        quiet: Duration,
    ) -> Result<Self, OpenError> {
        let connected = connect_within(&options).await;
        let mut conn = connected.map_err(|why| cannot_open(&place, &why))?;
        let migrated = migrate::on_postgres(&mut conn).await;
        // The migration lock goes with this connection, also where the migration failed.
        let _ = conn.close().await;
        migrated.map_err(|why| migrate::explain(place, why))?;
        Ok(Self::on_postgres(Pool::open(options.options(pool::SESSION), pool), quiet))
    }

    /// With the file and its lock; `None` for a database in memory.
    fn on_sqlite(writer: Connection, file: Option<(PathBuf, File)>) -> Result<Self, OpenError> {
        let readers = file.as_ref().map(|(path, _)| Readers::of(path));
        let writer = WriteQueue::start(writer, file)?;
        Ok(Self {
            backend: Backend::Sqlite { readers, writer },
            clients: Clients::default(),
            last_used: LastUsed::default(),
            usage: Usage::default(),
            tables: OnceCell::new(),
            trouble: Trouble::default(),
        })
    }

    fn on_postgres(pool: Pool, quiet: Duration) -> Self {
        Self {
            backend: Backend::Postgres { lanes: Lanes::on(&pool, quiet), pool },
            clients: Clients::default(),
            last_used: LastUsed::default(),
            usage: Usage::default(),
            tables: OnceCell::new(),
            trouble: Trouble::default(),
        }
    }
}

pub(super) fn cannot_open(place: &str, why: &dyn std::fmt::Display) -> OpenError {
    OpenError::Open { place: place.to_owned(), why: why.to_string() }
}

/// Makes the file where there is none, and brings it up to date. With a lock that tells others that it is open.
fn open_file(path: &Path, place: String) -> Result<(Connection, File), OpenError> {
    make_directory(path)?;
    let locked = sqlite::lock_beside(path);
    let _lock = locked.map_err(|(lock, why)| cannot_open(&lock.display().to_string(), &why))?;
    let held = sqlite::hold(path).map_err(|(lock, why)| cannot_open(&lock.display().to_string(), &why))?;
    // Nobody else's to read: hashes of passwords are in it. The files beside it get the same mode.
    match File::options().write(true).create_new(true).mode(0o600).open(path) {
        Err(why) if why.kind() != ErrorKind::AlreadyExists => return Err(cannot_open(&place, &why)),
        _ => {}
    }
    let mut writer = sqlite::open_writer(path).map_err(|why| cannot_open(&place, &why))?;
    sqlite::flush_log(&mut writer, path).map_err(|why| cannot_open(&place, &why))?;
    migrate::on_sqlite(&mut writer).map_err(|why| migrate::explain(place, why))?;
    Ok((writer, held))
}

pub(super) async fn connect_within(options: &PgConnectOptions) -> Result<sqlx::PgConnection, sqlx::Error> {
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
