//! One connection of either database, and the macros that run one SQL text on it.

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, Postgres, Sqlite, SqliteConnection};

/// A connection to read from, or an open transaction to write in.
pub enum Conn {
    /// SQLite's only writer (or, of a database in memory, its only connection).
    SqliteWriter(Box<SqliteConnection>),
    SqliteReader(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

pub(super) enum Driver<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

impl Conn {
    /// Closes the connection instead of giving it back: nobody knows what state it is in.
    pub(super) fn abandon(mut self) {
        if let Conn::Postgres(conn) = &mut self {
            conn.close_on_drop();
        }
    }

    /// Asked for once for each statement, which who counts them can see.
    pub(super) fn driver(&mut self) -> Driver<'_> {
        tracing::trace!(target: "leadgate::statement", "statement");
        match self {
            Conn::SqliteWriter(conn) => Driver::Sqlite(conn),
            Conn::SqliteReader(conn) => Driver::Sqlite(conn),
            Conn::Postgres(conn) => Driver::Postgres(conn),
        }
    }
}

/// Declares a file's statements as constants and lists them, so that a test can PREPARE each one on both
/// migrated databases.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)+) => {
        $($(#[$doc])* pub(super) const $name: &str = $sql;)+
        pub(super) const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $name)),+];
    };
}

/// Runs a statement; answers how many rows it touched.
macro_rules! execute {
    ($conn:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        match $conn.driver() {
            $crate::store::conn::Driver::Sqlite(c) => {
                sqlx::query::<sqlx::Sqlite>($sql)$(.bind($bind))*.execute(c).await.map(|done| done.rows_affected())
            }
            $crate::store::conn::Driver::Postgres(c) => {
                sqlx::query::<sqlx::Postgres>($sql)$(.bind($bind))*.execute(c).await.map(|done| done.rows_affected())
            }
        }
        .map_err($crate::store::error::StoreError::from)
    };
}

macro_rules! fetch {
    ($how:ident, $conn:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        match $conn.driver() {
            $crate::store::conn::Driver::Sqlite(c) => {
                sqlx::query_as::<sqlx::Sqlite, $row>($sql)$(.bind($bind))*.$how(c).await
            }
            $crate::store::conn::Driver::Postgres(c) => {
                sqlx::query_as::<sqlx::Postgres, $row>($sql)$(.bind($bind))*.$how(c).await
            }
        }
        .map_err($crate::store::error::StoreError::from)
    };
}

/// The row, or `None`.
macro_rules! fetch_optional {
    ($($arguments:tt)*) => { $crate::store::conn::fetch!(fetch_optional, $($arguments)*) };
}

/// Each row.
macro_rules! fetch_all {
    ($($arguments:tt)*) => { $crate::store::conn::fetch!(fetch_all, $($arguments)*) };
}

pub(super) use {execute, fetch, fetch_all, fetch_optional, statements};
