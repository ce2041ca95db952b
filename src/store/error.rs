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

/// What keeps a database from serving. The text is for whoever asks whether the server is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Outage {
    /// It is not there, or its connections are dead.
    #[error("the database does not answer")]
    Gone,
    /// It lets no more clients in.
    #[error("the database takes no more connections")]
    Crowded,
    /// Somebody else holds what is needed for longer than anybody waits.
    #[error("the database is slow")]
    Busy,
    #[error("the database's disk is full")]
    Full,
    /// The disk did not take, or did not give, what it was asked for.
    #[error("the database's disk fails")]
    Disk,
    /// A standby that was taken for the primary, or a file that this user may only read.
    #[error("the database may only be read")]
    ReadOnly,
}

impl Outage {
    /// Whether it is the connection that is no good, so that another may be.
    pub(super) fn is_of_the_connection(self) -> bool {
        matches!(self, Outage::Gone | Outage::ReadOnly)
    }

    /// Whether reads go on and only writes fail, so that a look at the database would not tell.
    pub(super) fn is_of_writes(self) -> bool {
        matches!(self, Outage::Full | Outage::Disk | Outage::ReadOnly)
    }

    /// What a SQLSTATE means for us, where PostgreSQL is at its limit, going away or not letting us in, and not our
    /// statement wrong.
    fn of_postgres(code: &str) -> Option<Self> {
        Some(match code {
            "53100" => Outage::Full,
            "53300" => Outage::Crowded,
            "25006" => Outage::ReadOnly,
            // query_canceled and lock_not_available
            "57014" | "55P03" => Outage::Busy,
            // idle_in_transaction_session_timeout
            "25P03" => Outage::Gone,
            _ => match code.get(..2)? {
                // Other resources.
                "53" => Outage::Busy,
                // Errors of the system below it.
                "58" => Outage::Disk,
                // Connection, log-in, no such database, state (it takes no connections), intervention.
                "08" | "28" | "3D" | "55" | "57" => Outage::Gone,
                _ => return None,
            },
        })
    }

    /// The same for SQLite's primary result codes.
    fn of_sqlite(code: i32) -> Option<Self> {
        Some(match code {
            // BUSY, LOCKED, NOMEM, INTERRUPT
            5 | 6 | 7 | 9 => Outage::Busy,
            // PERM, READONLY
            3 | 8 => Outage::ReadOnly,
            // IOERR, CANTOPEN
            10 | 14 => Outage::Disk,
            // FULL
            13 => Outage::Full,
            _ => return None,
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A row with this key is already there.
    #[error("already exists")]
    Conflict,
    /// The database does not answer, is full, or is locked: trying again later may help.
    #[error("{0}: {1}")]
    Unavailable(Outage, String),
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
    /// The database did not answer for this reason.
    pub fn gone(why: impl std::fmt::Display) -> Self {
        StoreError::Unavailable(Outage::Gone, why.to_string())
    }

    /// In a few words that give nothing away, for whoever asks whether the server is ready.
    #[must_use]
    pub fn cause(&self) -> String {
        self.outage().map_or_else(|| "the database fails".to_owned(), |outage| outage.to_string())
    }

    /// What keeps the database from serving, where that is what failed.
    #[must_use]
    pub fn outage(&self) -> Option<Outage> {
        match self {
            StoreError::Unavailable(outage, _) => Some(*outage),
            _ => None,
        }
    }

    /// A batch that only PostgreSQL is asked for.
    pub(super) fn not_here(what: &str) -> Self {
        StoreError::Internal(format!("{what}: not on this database"))
    }

    /// The same, for each of those whose batch failed.
    pub(super) fn for_another(&self) -> Self {
        match self {
            // It ran again as often as it may.
            StoreError::Again | StoreError::Conflict => StoreError::Unavailable(Outage::Busy, self.to_string()),
            StoreError::Unavailable(outage, why) => StoreError::Unavailable(*outage, why.clone()),
            StoreError::Corrupt(what) => StoreError::Corrupt(what.clone()),
            StoreError::Internal(what) => StoreError::Internal(what.clone()),
        }
    }
}

/// serialization_failure and deadlock_detected.
const PG_AGAIN: [&str; 2] = ["40001", "40P01"];
/// SQLite's extended result codes CONSTRAINT_PRIMARYKEY, CONSTRAINT_UNIQUE and CONSTRAINT_ROWID.
const SQLITE_CONFLICT: [i32; 3] = [1555, 2067, 2579];

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error;
        match error {
            Error::SqliteFailure(code, _) if SQLITE_CONFLICT.contains(&code.extended_code) => StoreError::Conflict,
            Error::SqliteFailure(code, _) => match Outage::of_sqlite(code.extended_code & 0xff) {
                Some(outage) => StoreError::Unavailable(outage, error.to_string()),
                None => StoreError::Internal(error.to_string()),
            },
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
                | sqlx::Error::WorkerCrashed => StoreError::gone(error),
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
        match Outage::of_postgres(&code) {
            Some(outage) => StoreError::Unavailable(outage, message),
            None => StoreError::Internal(message),
        }
    }
}
