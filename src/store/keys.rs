//! The server's own keys, sealed.

use super::conn::{Conn, execute, fetch_all, row, statements};
use super::convert::{corrupt, time};
use super::error::StoreError;
use super::sqlite;
use crate::domain::timestamp::Timestamp;

statements! {
    LIST = "SELECT purpose, serial, sealed, created_at FROM keys ORDER BY purpose, serial";
    INSERT = "INSERT INTO keys (purpose, serial, sealed, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    DELETE = "DELETE FROM keys WHERE purpose = $1 AND serial = $2";
}

row! {
    struct Row {
        purpose: String,
        serial: i64,
        sealed: Vec<u8>,
        created_at: i64,
    }
}

/// A key as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedKey {
    pub purpose: String,
    /// Counts up from 1 within a purpose.
    pub serial: u16,
    pub sealed: Vec<u8>,
    pub created_at: Timestamp,
}

/// Every key, oldest first within a purpose.
pub async fn list(conn: &mut Conn) -> Result<Vec<SealedKey>, StoreError> {
    read(fetch_all!(conn, Row, LIST)?)
}

/// The same of a file that no store is on.
pub(super) fn list_on_sqlite(conn: &rusqlite::Connection) -> Result<Vec<SealedKey>, StoreError> {
    read(sqlite::fetch_all(conn, LIST, &[], &sqlite::Order::new())?)
}

/// The same of a connection of no store's.
pub(super) async fn list_on_postgres(conn: &mut sqlx::PgConnection) -> Result<Vec<SealedKey>, StoreError> {
    read(sqlx::query_as(LIST).fetch_all(conn).await?)
}

fn read(rows: Vec<Row>) -> Result<Vec<SealedKey>, StoreError> {
    rows.into_iter()
        .map(|row| {
            let serial = u16::try_from(row.serial).map_err(corrupt("keys.serial"))?;
            Ok(SealedKey { purpose: row.purpose, serial, sealed: row.sealed, created_at: time(row.created_at) })
        })
        .collect()
}

/// `false` where another node was first: read that one.
pub async fn insert(conn: &mut Conn, key: &SealedKey) -> Result<bool, StoreError> {
    let (purpose, sealed) = (key.purpose.as_str(), key.sealed.as_slice());
    let rows = execute!(conn, INSERT, purpose, i64::from(key.serial), sealed, key.created_at.as_micros())?;
    Ok(rows == 1)
}

/// Answers how many rows that was: none where another node was first.
pub async fn delete(conn: &mut Conn, purpose: &str, serial: u16) -> Result<u64, StoreError> {
    execute!(conn, DELETE, purpose, i64::from(serial))
}
