//! Databases of the bench's own, and the rows in them: written straight into the tables, so that ten million take
//! minutes.

use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use leadgate::domain::connection::ACCESS_TOKEN_LIFETIME;
use leadgate::domain::grant::{REFRESH_IDLE, REFRESH_LIFETIME};
use leadgate::domain::ids::{ConnectionId, GrantId};
use leadgate::domain::timestamp::Timestamp;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection, Row as _};
use uuid::Uuid;

use super::processes;

/// Rows that one transaction makes.
const CHUNK: u64 = 500_000;

/// The id of row `i` of whatever has a time-ordered one (UUIDv7, RFC 9562 section 5.7): all of one moment.
const fn id(i: u64) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 | i as u128)
}

pub fn connection_id(i: u64) -> ConnectionId {
    ConnectionId(id(i))
}

pub fn grant_id(i: u64) -> GrantId {
    GrantId(id(i))
}

/// Where a database is, and how its SQL writes what the two write differently.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }

    /// The numbers of a range, as `i`.
    fn series(self, range: &Range<u64>) -> String {
        let (first, last) = (range.start, range.end - 1);
        match self {
            Self::Sqlite => format!(
                "(WITH RECURSIVE n (i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last}) SELECT i FROM n)"
            ),
            Self::Postgres => format!("(SELECT i FROM generate_series({first}::bigint, {last}) AS i) AS n"),
        }
    }

    /// [`id`] of `expression`.
    fn id(self, expression: &str) -> String {
        match self {
            Self::Sqlite => format!("unhex(printf('01900000000070008000%012x', {expression}))"),
            Self::Postgres => format!("('01900000-0000-7000-8000-' || lpad(to_hex({expression}), 12, '0'))::uuid"),
        }
    }
}

/// A database that is there for as long as the bench runs.
pub struct Database {
    pub kind: Kind,
    pub url: String,
    /// Of PostgreSQL: the cluster, from which the database can be removed.
    cluster: Option<String>,
    /// The process that all of PostgreSQL's belong to, where it runs on this machine.
    postmaster: Option<u32>,
}

impl Database {
    pub fn sqlite(directory: &Path, name: &str) -> Self {
        let url = format!("sqlite://{}", directory.join(name).with_extension("db").display());
        Self { kind: Kind::Sqlite, url, cluster: None, postmaster: None }
    }

    /// A new database in the cluster at `url`.
    pub async fn postgres(url: &str, name: &str) -> Result<Self, String> {
        let mut conn = connect(url).await?;
        // A backend's parent is the postmaster.
        let pid: i32 = conn.fetch_one("SELECT pg_backend_pid()").await.map_err(|why| why.to_string())?.get(0);
        let postmaster = u32::try_from(pid).ok().and_then(processes::parent);
        for sql in [drop_database(name), format!("CREATE DATABASE {name}")] {
            conn.execute(AssertSqlSafe(sql)).await.map_err(|why| why.to_string())?;
        }
        let _ = conn.close().await;
        let (server, _) = url.rsplit_once('/').ok_or("the URL names no database")?;
        let (own, cluster) = (format!("{server}/{name}"), Some(url.to_owned()));
        Ok(Self { kind: Kind::Postgres, url: own, cluster, postmaster })
    }

    /// Frees what it takes on the disk.
    pub async fn remove(&self) -> Result<(), String> {
        match &self.cluster {
            Some(cluster) => {
                let mut conn = connect(cluster).await?;
                let name = self.url.rsplit_once('/').map_or("", |(_, name)| name);
                conn.execute(AssertSqlSafe(drop_database(name))).await.map_err(|why| why.to_string())?;
                conn.close().await.map_err(|why| why.to_string())
            }
            None => {
                let path = self.url.trim_start_matches("sqlite://");
                for suffix in ["", "-wal", "-shm"] {
                    // The last to close it may have removed these.
                    let _ = std::fs::remove_file(format!("{path}{suffix}"));
                }
                Ok(())
            }
        }
    }

    /// CPU time so far of the database's own processes: SQLite has none.
    pub fn cpu(&self) -> Duration {
        self.postmaster.map(processes::cpu_of_tree).unwrap_or_default()
    }

    /// Runs these statements, each in a transaction of its own.
    pub async fn run(&self, statements: &[String]) -> Result<(), String> {
        match self.kind {
            Kind::Sqlite => {
                let conn = self.open_sqlite()?;
                // What a power cut may take is made again by the next run, and each row is one that fits the others.
                let quickly = "PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -262144";
                conn.execute_batch(quickly).map_err(|why| why.to_string())?;
                statements.iter().try_for_each(|sql| conn.execute_batch(sql)).map_err(|why| why.to_string())
            }
            Kind::Postgres => {
                let mut conn = connect(&self.url).await?;
                for sql in statements {
                    conn.execute(AssertSqlSafe(sql.clone())).await.map_err(|why| why.to_string())?;
                }
                conn.close().await.map_err(|why| why.to_string())
            }
        }
    }

    pub fn open_sqlite(&self) -> Result<rusqlite::Connection, String> {
        let path = self.url.trim_start_matches("sqlite://");
        let conn = rusqlite::Connection::open(path).map_err(|why| why.to_string())?;
        conn.busy_timeout(Duration::from_secs(60)).map_err(|why| why.to_string())?;
        Ok(conn)
    }

    pub async fn open_postgres(&self) -> Result<PgConnection, String> {
        connect(&self.url).await
    }

    /// Users, each with a connection to the application `bench`.
    pub async fn insert_connections(&self, range: Range<u64>, now: Timestamp) -> Result<(), String> {
        let (now, lifetime) = (now.as_micros(), ACCESS_TOKEN_LIFETIME.as_micros());
        let (id, mut statements) = (self.kind.id("i"), Vec::new());
        for start in range.clone().step_by(CHUNK as usize) {
            let series = self.kind.series(&(start..range.end.min(start + CHUNK)));
            statements.push(format!(
                "INSERT INTO users (id, account_id, email, name, role, password_hash, created_at) \
                 SELECT {id}, 'acme', 'user' || (1000000000 + i) || '@bench.test', 'User ' || i, 'member', '', {now} \
                 FROM {series}"
            ));
            statements.push(format!(
                "INSERT INTO connections (id, user_id, app_id, scopes, sign_in_scopes, access_token_lifetime_us, \
                 created_at) SELECT {id}, {id}, 'bench', 'account_api data_api', 'account_api data_api', {lifetime}, \
                 {now} FROM {series}"
            ));
        }
        self.run(&statements).await
    }

    /// Grants, in turn of the first connections, each with its first refresh token.
    pub async fn insert_grants(&self, count: u64, connections: u64, now: Timestamp) -> Result<(), String> {
        let until = now.plus(REFRESH_LIFETIME).as_micros();
        let expires = now.plus(REFRESH_IDLE).as_micros();
        let (id, connection) = (self.kind.id("i"), self.kind.id(&format!("(i % {connections})")));
        let (now, series) = (now.as_micros(), self.kind.series(&(0..count)));
        let sql = format!(
            "INSERT INTO grants (id, connection_id, app_id, scopes, auth_time, created_at, renewable_until, expires_at, \
             generation, access_token_id) SELECT {id}, {connection}, 'bench', 'account_api data_api', {now}, {now}, \
             {until}, {expires}, 1, {id} FROM {series}"
        );
        self.run(&[sql]).await
    }

    /// What a database does by itself some time after so many rows, done now.
    pub async fn settle(&self) -> Result<(), String> {
        let statements: &[&str] = match self.kind {
            Kind::Sqlite => &["PRAGMA wal_checkpoint(TRUNCATE)"],
            Kind::Postgres => &["VACUUM ANALYZE", "CHECKPOINT"],
        };
        self.run(&statements.iter().map(|sql| (*sql).to_owned()).collect::<Vec<_>>()).await
    }
}

fn drop_database(name: &str) -> String {
    format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")
}

async fn connect(url: &str) -> Result<PgConnection, String> {
    let options: PgConnectOptions = url.parse().map_err(|why: sqlx::Error| why.to_string())?;
    options.connect().await.map_err(|why| why.to_string())
}
