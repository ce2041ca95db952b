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
