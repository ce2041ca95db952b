//! One connection of either database, and the macros that run one SQL text on it.

use rusqlite::Connection;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Column as _, Decode, PgConnection, Postgres, Row as _, Type};

/// A connection to read from, or an open transaction to write in.
pub enum Conn {
    Sqlite(Connection),
    Postgres(PoolConnection<Postgres>),
}

pub(super) enum Driver<'c> {
    Sqlite(&'c mut Connection),
    Postgres(&'c mut PgConnection),
}

impl Conn {
    /// Closes the connection instead of giving it back: nobody knows what state it is in.
    pub(super) fn abandon(mut self) {
        if let Conn::Postgres(conn) = &mut self {
            conn.close_on_drop();
        }
    }

    /// Asked for once for each statement.
    pub(super) fn driver(&mut self) -> Driver<'_> {
        is_asked();
        match self {
            Conn::Sqlite(conn) => Driver::Sqlite(conn),
            Conn::Postgres(conn) => Driver::Postgres(conn),
        }
    }

    /// The same for a statement of PostgreSQL's alone. `None` where SQLite goes another way.
    pub(super) fn postgres(&mut self) -> Option<&mut PgConnection> {
        let Conn::Postgres(conn) = self else { return None };
        is_asked();
        Some(conn)
    }
}

/// Tells who counts what is sent to a database.
fn is_asked() {
    tracing::trace!(target: "leadgate::statement", "statement");
}

/// A statement that holds nothing from outside, as text.
pub(super) trait Text {
    fn text(&self) -> &str;
}

impl Text for &'static str {
    fn text(&self) -> &str {
        self
    }
}

impl<T: AsRef<str>> Text for AssertSqlSafe<T> {
    fn text(&self) -> &str {
        self.0.as_ref()
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

/// The columns of PostgreSQL's row, asked for in about the order in which they are there.
pub(super) struct Columns<'r> {
    row: &'r PgRow,
    next: usize,
}

impl<'r> Columns<'r> {
    pub(super) fn of(row: &'r PgRow) -> Self {
        Self { row, next: 0 }
    }

    pub(super) fn get<T: Decode<'r, Postgres> + Type<Postgres>>(&mut self, name: &str) -> sqlx::Result<T> {
        let at = self.next;
        self.next += 1;
        // Cheaper than the search by name, where it is the one.
        let is_there = self.row.columns().get(at).is_some_and(|column| column.name() == name);
        if is_there { self.row.try_get(at) } else { self.row.try_get(name) }
    }
}

/// Declares a struct that a statement's rows are read into, each field from the column of its name.
macro_rules! row {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $kind:ty),+ $(,)?
    }) => {
        $(#[$meta])*
        $vis struct $name {
            $($(#[$field_meta])* $field_vis $field: $kind),+
        }

        impl $crate::store::sqlite::FromRow for $name {
            const COLUMNS: &[&str] = &[$(stringify!($field)),+];

            fn from_row(row: &rusqlite::Row<'_>, at: &[usize]) -> rusqlite::Result<Self> {
                let mut at = at.iter().copied();
                let mut next = || at.next().ok_or(rusqlite::Error::InvalidQuery);
                Ok(Self { $($field: row.get(next()?)?),+ })
            }
        }

        impl sqlx::FromRow<'_, sqlx::postgres::PgRow> for $name {
            fn from_row(row: &sqlx::postgres::PgRow) -> sqlx::Result<Self> {
                let mut columns = $crate::store::conn::Columns::of(row);
                Ok(Self { $($field: columns.get(stringify!($field))?),+ })
            }
        }
    };
}

/// Runs a statement; answers how many rows it touched.
macro_rules! execute {
    ($conn:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        match $conn.driver() {
            $crate::store::conn::Driver::Sqlite(c) => {
                use $crate::store::conn::Text as _;
                $crate::store::sqlite::execute(c, $sql.text(), rusqlite::params![$($bind),*])
            }
            $crate::store::conn::Driver::Postgres(c) => {
                let query = sqlx::query::<sqlx::Postgres>($sql)$(.bind($bind))*;
                query.execute(c).await.map(|done| done.rows_affected()).map_err($crate::store::error::StoreError::from)
            }
        }
    };
}

macro_rules! fetch {
    ($how:ident, $conn:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        match $conn.driver() {
            $crate::store::conn::Driver::Sqlite(c) => {
                use $crate::store::conn::Text as _;
                static ORDER: $crate::store::sqlite::Order = $crate::store::sqlite::Order::new();
                $crate::store::sqlite::$how::<$row>(c, $sql.text(), rusqlite::params![$($bind),*], &ORDER)
            }
            $crate::store::conn::Driver::Postgres(c) => {
                let query = sqlx::query_as::<sqlx::Postgres, $row>($sql)$(.bind($bind))*;
                query.$how(c).await.map_err($crate::store::error::StoreError::from)
            }
        }
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

pub(super) use {execute, fetch, fetch_all, fetch_optional, row, statements};
