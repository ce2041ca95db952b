//! What can go wrong between the server and its database. That a thing is absent is `Option`, not an error.

use std::path::PathBuf;

use sqlx::error::ErrorKind;

/// Why a database could not be opened. Says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(
        "the directory {dir} for the database could not be made: {why}. Make it, or name another place with --database-url"
    )]
    Directory { dir: PathBuf, why: std::io::Error },
    #[error(
        "the database {place} could not be opened: {why}. Check that it is there, that this user may read and write it, and --database-url"
    )]
    Open { place: String, why: String },
    #[error(
        "the database {place} is newer than this program: it has migration {version}, which this program does not know. Run the version of leadgate that wrote it, or a newer one"
    )]
    Newer { place: String, version: i64 },
    #[error(
        "the database {place} was migrated by a different build: migration {version} is not the one that this program has. Run the version of leadgate that wrote it, or restore a back-up"
    )]
    Different { place: String, version: i64 },
    #[error("the thread that writes could not be started: {why}. Let this user have more threads, or stop others")]
    Writer { why: std::io::Error },
    #[error("the database {place} could not be migrated: {why}")]
    Migrate { place: String, why: String },
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A row with this key is already there.
    #[error("already exists")]
    Conflict,
    /// The database does not answer, is full, or is locked: trying again later may help.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The transaction lost against another one; nothing of it remains, and it may run again.
    #[error("the transaction has to run again")]
    Again,
    /// A row says what this program never wrote.
    #[error("the database holds an impossible value: {0}")]
    Corrupt(String),
    /// A mistake of ours.
    #[error("database error: {0}")]
    Internal(String),
}

impl StoreError {
    /// A batch that only PostgreSQL is asked for.
    pub(super) fn not_here(what: &str) -> Self {
        StoreError::Internal(format!("{what}: not on this database"))
    }

    /// The same, for each of those whose batch failed.
    pub(super) fn for_another(&self) -> Self {
        match self {
            // It ran again as often as it may.
            StoreError::Again | StoreError::Conflict => StoreError::Unavailable(self.to_string()),
            StoreError::Unavailable(why) => StoreError::Unavailable(why.clone()),
            StoreError::Corrupt(what) => StoreError::Corrupt(what.clone()),
            StoreError::Internal(what) => StoreError::Internal(what.clone()),
        }
    }
}

/// SQLSTATE classes in which PostgreSQL is at its limit, going away or not letting us in, not our statement
/// wrong: connection (08), log-in (28), no such database (3D), resources (53), state (55: it takes no
/// connections), intervention (57), system (58).
const PG_UNAVAILABLE: [&str; 7] = ["08", "28", "3D", "53", "55", "57", "58"];
/// serialization_failure and deadlock_detected.
const PG_AGAIN: [&str; 2] = ["40001", "40P01"];
/// SQLite's primary result codes PERM, BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN.
const SQLITE_UNAVAILABLE: [i32; 9] = [3, 5, 6, 7, 8, 9, 10, 13, 14];
/// SQLite's extended result codes CONSTRAINT_PRIMARYKEY, CONSTRAINT_UNIQUE and CONSTRAINT_ROWID.
const SQLITE_CONFLICT: [i32; 3] = [1555, 2067, 2579];

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error;
        match error {
            Error::SqliteFailure(code, _) if SQLITE_CONFLICT.contains(&code.extended_code) => StoreError::Conflict,
            Error::SqliteFailure(code, _) if SQLITE_UNAVAILABLE.contains(&(code.extended_code & 0xff)) => {
                StoreError::Unavailable(error.to_string())
            }
            Error::InvalidColumnType(..) | Error::FromSqlConversionFailure(..) | Error::IntegralValueOutOfRange(..) => {
                StoreError::Corrupt(error.to_string())
            }
            other => StoreError::Internal(other.to_string()),
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let Some(database) = error.as_database_error() else {
            return match error {
                sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => StoreError::Corrupt(error.to_string()),
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed => StoreError::Unavailable(error.to_string()),
                other => StoreError::Internal(other.to_string()),
            };
        };
        if database.kind() == ErrorKind::UniqueViolation {
            return StoreError::Conflict;
        }
        let code = database.code().unwrap_or_default();
        // The message only: a database's detail may quote the values that were bound.
        let message = database.message().to_owned();
        if PG_AGAIN.contains(&code.as_ref()) {
            return StoreError::Again;
        }
        if PG_UNAVAILABLE.iter().any(|class| code.starts_with(class)) {
            return StoreError::Unavailable(message);
        }
        StoreError::Internal(message)
    }
}
