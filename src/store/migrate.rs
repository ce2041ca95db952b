//! The migrations, embedded: the same numbers for both databases.

use rusqlite::{Connection, TransactionBehavior};
use sqlx::PgConnection;
use sqlx::migrate::{MigrateError, Migrator};

use super::error::OpenError;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// What was applied: the same table as the library keeps on PostgreSQL.
const APPLIED_ON_SQLITE: &str = "\
    CREATE TABLE IF NOT EXISTS _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum BLOB NOT NULL, \
    execution_time BIGINT NOT NULL)";

/// All that are to do in one transaction: what is half migrated is not there. The library knows SQLite only through a
/// driver of its own.
pub(super) fn on_sqlite(conn: &mut Connection) -> Result<(), MigrateError> {
    let failed = |why: rusqlite::Error| MigrateError::Source(why.into());
    // At once, so that it waits for who writes meanwhile instead of losing against them.
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    transaction.execute_batch(APPLIED_ON_SQLITE).map_err(failed)?;
    let applied = applied_on_sqlite(&transaction).map_err(failed)?;
    let known = |version| SQLITE.iter().find(|migration| migration.version == version);
    for (version, checksum, is_whole) in &applied {
        if !is_whole {
            return Err(MigrateError::Dirty(*version));
        }
        match known(*version) {
            None => return Err(MigrateError::VersionMissing(*version)),
            Some(own) if *own.checksum != **checksum => return Err(MigrateError::VersionMismatch(*version)),
            Some(_) => {}
        }
    }
    let is_applied = |version| applied.iter().any(|(there, ..)| *there == version);
    for migration in SQLITE.iter().filter(|migration| !is_applied(migration.version)) {
        transaction.execute_batch(migration.sql.as_str()).map_err(failed)?;
        let note = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                    VALUES (?1, ?2, TRUE, ?3, 0)";
        let of = rusqlite::params![migration.version, &*migration.description, &*migration.checksum];
        transaction.execute(note, of).map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

/// How a database's schema stands to this program's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schema {
    /// None was made yet.
    None,
    Current,
    /// So many migrations are to be run.
    Older {
        pending: usize,
    },
    Newer {
        version: i64,
    },
    Different {
        version: i64,
    },
    /// A migration of another program stopped in the middle.
    Dirty {
        version: i64,
    },
}

impl std::fmt::Display for Schema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("has no schema yet"),
            Self::Current => f.write_str("is up to date"),
            Self::Older { pending: 1 } => f.write_str("is older than this program, by one migration"),
            Self::Older { pending } => write!(f, "is older than this program, by {pending} migrations"),
            Self::Newer { version } => write!(
                f,
                "is newer than this program: it has migration {version}, which this program does not know. Run the \
                 version of leadgate that wrote it, or a newer one"
            ),
            Self::Different { version } => write!(
                f,
                "was migrated by a different build: migration {version} is not the one that this program has. Run the \
                 version of leadgate that wrote it"
            ),
            Self::Dirty { version } => write!(f, "was left in the middle of migration {version}: restore a back-up"),
        }
    }
}

fn judged(own: &Migrator, applied: &[(i64, Vec<u8>, bool)]) -> Schema {
    for (version, checksum, is_whole) in applied {
        match own.iter().find(|migration| migration.version == *version) {
            _ if !is_whole => return Schema::Dirty { version: *version },
            None => return Schema::Newer { version: *version },
            Some(own) if *own.checksum != **checksum => return Schema::Different { version: *version },
            Some(_) => {}
        }
    }
    match own.iter().filter(|migration| !applied.iter().any(|(there, ..)| *there == migration.version)).count() {
        0 => Schema::Current,
        _ if applied.is_empty() => Schema::None,
        pending => Schema::Older { pending },
    }
}

/// Looks, and changes nothing.
pub(super) fn look_at_sqlite(conn: &Connection) -> rusqlite::Result<Schema> {
    if !conn.table_exists(None, "_sqlx_migrations")? {
        return Ok(Schema::None);
    }
    Ok(judged(&SQLITE, &applied_on_sqlite(conn)?))
}

/// Looks, and changes nothing.
pub(super) async fn look_at_postgres(conn: &mut PgConnection) -> Result<Schema, sqlx::Error> {
    let there: Option<String> =
        sqlx::query_scalar("SELECT CAST(to_regclass('_sqlx_migrations') AS TEXT)").fetch_one(&mut *conn).await?;
    if there.is_none() {
        return Ok(Schema::None);
    }
    let applied = sqlx::query_as("SELECT version, checksum, success FROM _sqlx_migrations ORDER BY version");
    Ok(judged(&POSTGRES, &applied.fetch_all(conn).await?))
}

fn applied_on_sqlite(conn: &Connection) -> rusqlite::Result<Vec<(i64, Vec<u8>, bool)>> {
    let mut statement = conn.prepare("SELECT version, checksum, success FROM _sqlx_migrations ORDER BY version")?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
}

/// Waits for another node that migrates: the library holds an advisory lock meanwhile.
pub(super) async fn on_postgres(conn: &mut PgConnection) -> Result<(), MigrateError> {
    POSTGRES.run_direct(None, conn, false).await
}

pub(super) fn explain(place: String, error: MigrateError) -> OpenError {
    match error {
        MigrateError::VersionMissing(version) => OpenError::Newer { place, version },
        MigrateError::VersionMismatch(version) => OpenError::Different { place, version },
        other => OpenError::Migrate { place, why: other.to_string() },
    }
}
