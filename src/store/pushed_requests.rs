//! Pushed authorization requests (RFC 9126): used once, by one statement.

use super::conn::{Conn, execute, fetch_optional, row, statements};
use super::convert::{corrupt, optional_time, secret_hash, time};
use super::error::StoreError;
use super::sweep::Sweep;
use crate::domain::authorization::AuthorizationRequest;
use crate::domain::ids::PushedRequestId;
use crate::domain::secret_hash::SecretHash;
use crate::domain::timestamp::Timestamp;

statements! {
    FIND = "SELECT secret_hash, request, expires_at, consumed_at FROM pushed_requests WHERE id = $1";
    INSERT = "INSERT INTO pushed_requests (id, secret_hash, app_id, request, expires_at) VALUES ($1, $2, $3, $4, $5)";
    CONSUME = "UPDATE pushed_requests SET consumed_at = $2 WHERE id = $1 AND consumed_at IS NULL";
    SWEEP = "DELETE FROM pushed_requests WHERE id IN \
             (SELECT id FROM pushed_requests WHERE id < $1 AND expires_at < $2 AND (app_id = $4 OR $4 = '' AND app_id NOT IN (SELECT app_id FROM clocks)) ORDER BY id LIMIT $3)";
}

row! {
    struct Row {
        secret_hash: Vec<u8>,
        request: String,
        expires_at: i64,
        consumed_at: Option<i64>,
    }
}

#[derive(Debug, Clone)]
pub struct Found {
    pub request: AuthorizationRequest,
    pub secret_hash: SecretHash,
    pub expires_at: Timestamp,
    pub consumed_at: Option<Timestamp>,
}

pub async fn find(conn: &mut Conn, id: PushedRequestId) -> Result<Option<Found>, StoreError> {
    let Some(row) = fetch_optional!(conn, Row, FIND, id.0)? else { return Ok(None) };
    Ok(Some(Found {
        request: serde_json::from_str(&row.request).map_err(corrupt("pushed_requests.request"))?,
        secret_hash: secret_hash(&row.secret_hash)?,
        expires_at: time(row.expires_at),
        consumed_at: optional_time(row.consumed_at),
    }))
}

pub async fn insert(
    conn: &mut Conn,
    id: PushedRequestId,
    secret: &SecretHash,
    request: &AuthorizationRequest,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    let text =
        serde_json::to_string(request).map_err(|why| StoreError::Internal(format!("a pushed request: {why}")))?;
    let client = request.client.as_str();
    execute!(conn, INSERT, id.0, secret.0.as_slice(), client, text.as_str(), expires_at.as_micros()).map(|_| ())
}

/// `true` for exactly one caller.
pub async fn consume(conn: &mut Conn, id: PushedRequestId, at: Timestamp) -> Result<bool, StoreError> {
    Ok(execute!(conn, CONSUME, id.0, at.as_micros())? == 1)
}

/// Deletes requests that have long expired.
pub async fn sweep(conn: &mut Conn, sweep: &Sweep) -> Result<u64, StoreError> {
    execute!(conn, SWEEP, sweep.below, sweep.before.as_micros(), sweep.limit, sweep.whose())
}
