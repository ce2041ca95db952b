//! The server's own keys, sealed.

use sqlx::FromRow;

use super::conn::{Conn, execute, fetch_all, statements};
use super::convert::corrupt;
use super::error::StoreError;
use crate::domain::timestamp::Timestamp;

statements! {
    LIST = "SELECT purpose, serial, sealed FROM keys ORDER BY purpose, serial";
    INSERT = "INSERT INTO keys (purpose, serial, sealed, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
}

#[derive(FromRow)]
struct Row {
    purpose: String,
    serial: i64,
    sealed: Vec<u8>,
}

/// A key as it is kept.
#[derive(Clone)]
pub struct SealedKey {
    pub purpose: String,
    /// Counts up from 1 within a purpose.
    pub serial: u16,
    pub sealed: Vec<u8>,
}

/// Every key, oldest first within a purpose.
pub async fn list(conn: &mut Conn) -> Result<Vec<SealedKey>, StoreError> {
    let rows = fetch_all!(conn, Row, LIST)?;
    rows.into_iter()
        .map(|row| {
            let serial = u16::try_from(row.serial).map_err(corrupt("keys.serial"))?;
            Ok(SealedKey { purpose: row.purpose, serial, sealed: row.sealed })
        })
        .collect()
}

/// `false` where another node was first: read that one.
pub async fn insert(conn: &mut Conn, key: &SealedKey, now: Timestamp) -> Result<bool, StoreError> {
    let rows =
        execute!(conn, INSERT, key.purpose.as_str(), i64::from(key.serial), key.sealed.as_slice(), now.as_micros(),)?;
    Ok(rows == 1)
}
