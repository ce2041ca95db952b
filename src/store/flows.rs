//! Runs of the dialog.

use uuid::Uuid;

use super::conn::{Conn, execute, fetch_optional, row, statements};
use super::convert::{corrupt, secret_hash, time};
use super::error::StoreError;
use crate::domain::flow::{Flow, FlowState};
use crate::domain::ids::FlowId;
use crate::domain::secret_hash::SecretHash;
use crate::domain::timestamp::Timestamp;

statements! {
    FIND = "SELECT id, browser_hash, request, expires_at, finished_at FROM flows WHERE id = $1";
    INSERT = "INSERT INTO flows (id, browser_hash, request, expires_at) VALUES ($1, $2, $3, $4)";
    FINISH = "UPDATE flows SET finished_at = $2 WHERE id = $1 AND finished_at IS NULL";
    SWEEP = "DELETE FROM flows WHERE id IN (SELECT id FROM flows WHERE id < $1 AND expires_at < $2 ORDER BY id LIMIT $3)";
}

row! {
    struct Row {
        id: Uuid,
        browser_hash: Vec<u8>,
        request: String,
        expires_at: i64,
        finished_at: Option<i64>,
    }
}

/// A flow with the hash of the browser secret that it was started under.
pub async fn find(conn: &mut Conn, id: FlowId) -> Result<Option<(Flow, SecretHash)>, StoreError> {
    let Some(row) = fetch_optional!(conn, Row, FIND, id.0)? else { return Ok(None) };
    let flow = Flow {
        id: FlowId(row.id),
        request: serde_json::from_str(&row.request).map_err(corrupt("flows.request"))?,
        expires_at: time(row.expires_at),
        state: match row.finished_at {
            Some(at) => FlowState::Finished { at: time(at) },
            None => FlowState::Open,
        },
    };
    Ok(Some((flow, secret_hash(&row.browser_hash)?)))
}

pub async fn insert(conn: &mut Conn, flow: &Flow, browser: &SecretHash) -> Result<(), StoreError> {
    let request =
        serde_json::to_string(&flow.request).map_err(|why| StoreError::Internal(format!("a flow's request: {why}")))?;
    execute!(conn, INSERT, flow.id.0, browser.0.as_slice(), request.as_str(), flow.expires_at.as_micros()).map(|_| ())
}

/// `false` where it was finished before: a flow has one outcome.
pub async fn finish(conn: &mut Conn, id: FlowId, at: Timestamp) -> Result<bool, StoreError> {
    Ok(execute!(conn, FINISH, id.0, at.as_micros())? == 1)
}

/// Deletes at most `limit` flows that had expired by then; `below` bounds the search by id.
pub async fn sweep(conn: &mut Conn, below: Uuid, expired_before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    execute!(conn, SWEEP, below, expired_before.as_micros(), limit)
}
