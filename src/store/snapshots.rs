//! Copies of the whole world, by name.

use super::conn::{Conn, execute, fetch_all, fetch_optional, row, statements};
use super::convert::{corrupt, time};
use super::error::StoreError;
use crate::domain::snapshot::{Snapshot, SnapshotName};

statements! {
    LIST = "SELECT name, version, row_count, created_at FROM snapshots ORDER BY created_at, name";
    FIND = "SELECT name, version, row_count, created_at FROM snapshots WHERE name = $1";
    INSERT = "INSERT INTO snapshots (name, version, row_count, created_at) VALUES ($1, $2, $3, $4)";
    SET_ROWS = "UPDATE snapshots SET row_count = $2 WHERE name = $1";
    DELETE = "DELETE FROM snapshots WHERE name = $1";
    VERSION = "SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations";
}

row! {
    struct Row {
        name: String,
        version: i64,
        row_count: i64,
        created_at: i64,
    }
}

impl TryFrom<Row> for Snapshot {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            name: SnapshotName::parse(&row.name).map_err(corrupt("snapshots.name"))?,
            schema_version: row.version,
            rows: u64::try_from(row.row_count).map_err(corrupt("snapshots.row_count"))?,
            created_at: time(row.created_at),
        })
    }
}

/// All of them, oldest first.
pub async fn list(conn: &mut Conn) -> Result<Vec<Snapshot>, StoreError> {
    fetch_all!(conn, Row, LIST)?.into_iter().map(Snapshot::try_from).collect()
}

pub async fn find(conn: &mut Conn, name: &SnapshotName) -> Result<Option<Snapshot>, StoreError> {
    fetch_optional!(conn, Row, FIND, name.as_str())?.map(Snapshot::try_from).transpose()
}

pub async fn insert(conn: &mut Conn, snapshot: &Snapshot) -> Result<(), StoreError> {
    let rows = i64::try_from(snapshot.rows).map_err(corrupt("snapshots.row_count"))?;
    let (name, created_at) = (snapshot.name.as_str(), snapshot.created_at.as_micros());
    execute!(conn, INSERT, name, snapshot.schema_version, rows, created_at).map(|_| ())
}

/// Notes how many rows it has.
pub async fn set_rows(conn: &mut Conn, name: &SnapshotName, rows: u64) -> Result<(), StoreError> {
    let rows = i64::try_from(rows).map_err(corrupt("snapshots.row_count"))?;
    execute!(conn, SET_ROWS, name.as_str(), rows).map(|_| ())
}

/// Deletes a snapshot with its rows. `false` where there is none of this name.
pub async fn delete(conn: &mut Conn, name: &SnapshotName) -> Result<bool, StoreError> {
    Ok(execute!(conn, DELETE, name.as_str())? == 1)
}

/// The version of the schema: that of the last migration.
pub async fn schema_version(conn: &mut Conn) -> Result<i64, StoreError> {
    let row = fetch_optional!(conn, (i64,), VERSION)?;
    row.map(|(version,)| version).ok_or_else(|| StoreError::Corrupt("_sqlx_migrations: no row".into()))
}
