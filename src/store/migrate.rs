//! The migrations, embedded: the same numbers for both databases.

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{PgConnection, SqliteConnection};

use super::error::OpenError;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

pub(super) async fn on_sqlite(conn: &mut SqliteConnection) -> Result<(), MigrateError> {
    SQLITE.run_direct(None, conn, false).await
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
