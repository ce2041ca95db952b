//! A database for one test: a file in a directory of its own, or a PostgreSQL database of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use leadgate::store::Location;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Row as _};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

pub struct Database {
    pub kind: Kind,
    name: String,
    /// Of SQLite's file and whatever lies beside it.
    pub directory: PathBuf,
}

/// The server that the PostgreSQL half of the tests runs on. Without it they fail: a run that skipped them
/// would look like one that passed.
fn postgres_server() -> String {
    std::env::var("LEADGATE_TEST_POSTGRES_URL")
        .expect("set LEADGATE_TEST_POSTGRES_URL or run ./test: the tests need a PostgreSQL to make databases on")
}

fn unique() -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    format!("lg_test_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed))
}

async fn db_administer(statement: String) {
    let mut conn = PgConnection::connect(&postgres_server()).await.expect("LEADGATE_TEST_POSTGRES_URL answers");
    conn.execute(AssertSqlSafe(statement)).await.unwrap();
}

impl Database {
    pub async fn make(kind: Kind) -> Arc<Self> {
        let name = unique();
        let directory = std::env::temp_dir().join(&name);
        // A killed run with the same process id may have left one behind.
        let _ = std::fs::remove_dir_all(&directory);
        std::fs::create_dir_all(&directory).unwrap();
        if kind == Kind::Postgres {
            db_administer(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
            db_administer(format!("CREATE DATABASE {name}")).await;
        }
        Arc::new(Self { kind, name, directory })
    }

    pub async fn remove(&self) {
        if self.kind == Kind::Postgres {
            self.db_drop().await;
        }
        let _ = std::fs::remove_dir_all(&self.directory);
    }

    pub fn file(&self) -> PathBuf {
        self.directory.join("leadgate.db")
    }

    pub fn location(&self) -> Location {
        match self.kind {
            Kind::Sqlite => Location::SqliteFile(self.file()),
            Kind::Postgres => Location::Postgres(self.url()),
        }
    }

    /// As `--database-url` takes it.
    pub fn url(&self) -> String {
        match self.kind {
            Kind::Sqlite => format!("sqlite://{}", self.file().display()),
            Kind::Postgres => {
                let mut url: url::Url = postgres_server().parse().unwrap();
                url.set_path(&self.name);
                url.into()
            }
        }
    }

    async fn db_drop(&self) {
        db_administer(format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)).await;
    }

    /// Runs a statement behind the server's back.
    pub async fn db_execute(&self, statement: &str) {
        let statement = AssertSqlSafe(statement.to_owned());
        match self.kind {
            Kind::Sqlite => self.db_sqlite().await.execute(statement).await.map(|_| ()),
            Kind::Postgres => self.db_postgres().await.execute(statement).await.map(|_| ()),
        }
        .unwrap();
    }

    /// The number that a statement answers.
    pub async fn db_count(&self, statement: &str) -> i64 {
        let statement = AssertSqlSafe(statement.to_owned());
        match self.kind {
            Kind::Sqlite => self.db_sqlite().await.fetch_one(statement).await.unwrap().get(0),
            Kind::Postgres => self.db_postgres().await.fetch_one(statement).await.unwrap().get(0),
        }
    }

    /// The text that a statement answers.
    pub async fn db_text(&self, statement: &str) -> String {
        let statement = AssertSqlSafe(statement.to_owned());
        match self.kind {
            Kind::Sqlite => self.db_sqlite().await.fetch_one(statement).await.unwrap().get(0),
            Kind::Postgres => self.db_postgres().await.fetch_one(statement).await.unwrap().get(0),
        }
    }

    /// PostgreSQL only: keeps everybody else away from a table until `COMMIT`.
    pub async fn db_hold(&self, table: &str) -> PgConnection {
        let mut conn = self.db_postgres().await;
        conn.execute(AssertSqlSafe(format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))).await.unwrap();
        conn
    }

    /// PostgreSQL only: how many statements wait for a table.
    pub async fn db_waiting(&self) -> i64 {
        self.db_count(
            "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation' \
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        )
        .await
    }

    async fn db_sqlite(&self) -> SqliteConnection {
        SqliteConnectOptions::new().filename(self.file()).connect().await.unwrap()
    }

    async fn db_postgres(&self) -> PgConnection {
        PgConnection::connect(&self.url()).await.unwrap()
    }

    /// Every byte that is stored: SQLite's files, or each PostgreSQL table as text.
    pub async fn db_dump(&self) -> Vec<u8> {
        let mut dump = Vec::new();
        match self.kind {
            Kind::Sqlite => {
                for entry in std::fs::read_dir(&self.directory).unwrap() {
                    let path = entry.unwrap().path();
                    if path.file_name().unwrap().to_string_lossy().starts_with("leadgate.db") {
                        dump.extend(std::fs::read(path).unwrap());
                    }
                }
            }
            Kind::Postgres => {
                let mut conn = self.db_postgres().await;
                let tables =
                    conn.fetch_all("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").await.unwrap();
                assert!(tables.len() > 10, "the dump would miss tables: {}", tables.len());
                for table in tables {
                    let statement = format!("SELECT CAST(t AS TEXT) FROM {} t", table.get::<String, _>(0));
                    for row in conn.fetch_all(AssertSqlSafe(statement)).await.unwrap() {
                        dump.extend(row.get::<String, _>(0).into_bytes());
                        dump.push(b'\n');
                    }
                }
            }
        }
        dump
    }

    /// PostgreSQL only: lets nobody in any more, and throws out who is in.
    pub async fn db_shut(&self) {
        db_administer(format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", self.name)).await;
        self.db_throw_out().await;
    }

    /// PostgreSQL only: ends all connections to it, and lets new ones in.
    pub async fn db_throw_out(&self) {
        let terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'";
        db_administer(terminate.replace("{}", &self.name)).await;
    }

    /// PostgreSQL only: how many connections to it are open, this one's not counted.
    pub async fn db_connections(&self) -> i64 {
        let count = "SELECT COUNT(*) FROM pg_stat_activity \
                     WHERE datname = current_database() AND pid <> pg_backend_pid()";
        self.db_count(count).await
    }

    /// PostgreSQL only: whether transactions of connections that are made from now on may only read; there are no others.
    pub async fn db_read_only(&self, is_so: bool) {
        db_administer(format!("ALTER DATABASE {} SET default_transaction_read_only = {is_so}", self.name)).await;
        self.db_throw_out().await;
    }

    /// Whether a test left it where nobody gets in, or dropped it.
    pub async fn db_is_shut(&self) -> bool {
        self.kind == Kind::Postgres && PgConnection::connect(&self.url()).await.is_err()
    }

    /// Undoes [`Database::db_shut`].
    pub async fn db_open_again(&self) {
        db_administer(format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", self.name)).await;
    }
}
