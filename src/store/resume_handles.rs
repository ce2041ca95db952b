//! What lets one partner page resume a sign-in without a click.

use uuid::Uuid;

use super::conn::{Conn, execute, fetch_optional, row, statements};
use super::convert::{corrupt, secret_hash, time};
use super::error::StoreError;
use super::sweep::Sweep;
use crate::domain::ids::{AppId, ConnectionId, ResumeHandleId, SessionId};
use crate::domain::origin::Origin;
use crate::domain::secret_hash::SecretHash;
use crate::domain::session::ResumeHandle;
use crate::domain::timestamp::Timestamp;

statements! {
    FIND_LIVE = "SELECT h.id, h.secret_hash, h.app_id, h.origin, h.session_id, h.connection_id, h.expires_at \
                 FROM resume_handles h JOIN sessions s ON s.id = h.session_id JOIN connections c ON c.id = h.connection_id \
                 JOIN users u ON u.id = c.user_id \
                 WHERE h.id = $1 AND h.expires_at > $2 AND s.ended_at IS NULL AND c.ended_at IS NULL \
                 AND (c.expires_at IS NULL OR c.expires_at > $2) AND u.disabled_at IS NULL \
                 AND (h.rotated_at IS NULL OR h.rotated_at > $3 AND h.rotated_at <= $2)";
    INSERT = "INSERT INTO resume_handles (id, secret_hash, app_id, origin, session_id, connection_id, expires_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7)";
    ROTATE = "UPDATE resume_handles SET rotated_at = $2 WHERE id = $1 AND rotated_at IS NULL";
    SWEEP = "DELETE FROM resume_handles WHERE id IN \
             (SELECT id FROM resume_handles WHERE (expires_at < $1 OR rotated_at < $1) AND (app_id = $3 OR $3 = '' AND app_id NOT IN (SELECT app_id FROM clocks)) LIMIT $2)";
}

row! {
    struct Row {
        id: Uuid,
        secret_hash: Vec<u8>,
        app_id: String,
        origin: String,
        session_id: Uuid,
        connection_id: Uuid,
        expires_at: i64,
    }
}

/// A handle whose session and connection live, and that was not rotated before `rotated_after`.
pub async fn find_live(
    conn: &mut Conn,
    id: ResumeHandleId,
    now: Timestamp,
    rotated_after: Timestamp,
) -> Result<Option<(ResumeHandle, SecretHash)>, StoreError> {
    let row = fetch_optional!(conn, Row, FIND_LIVE, id.0, now.as_micros(), rotated_after.as_micros())?;
    let Some(row) = row else { return Ok(None) };
    let handle = ResumeHandle {
        id: ResumeHandleId(row.id),
        app: AppId::parse(&row.app_id).map_err(corrupt("resume_handles.app_id"))?,
        origin: Origin::parse(&row.origin).map_err(corrupt("resume_handles.origin"))?,
        session: SessionId(row.session_id),
        connection: ConnectionId(row.connection_id),
        expires_at: time(row.expires_at),
    };
    Ok(Some((handle, secret_hash(&row.secret_hash)?)))
}

pub async fn insert(conn: &mut Conn, handle: &ResumeHandle, secret: &SecretHash) -> Result<(), StoreError> {
    execute!(
        conn,
        INSERT,
        handle.id.0,
        secret.0.as_slice(),
        handle.app.as_str(),
        handle.origin.as_str(),
        handle.session.0,
        handle.connection.0,
        handle.expires_at.as_micros(),
    )
    .map(|_| ())
}

/// From now on the handle works only for the time of grace. A second rotation does not prolong it.
pub async fn rotate(conn: &mut Conn, id: ResumeHandleId, at: Timestamp) -> Result<bool, StoreError> {
    Ok(execute!(conn, ROTATE, id.0, at.as_micros())? == 1)
}

/// Deletes handles that have long expired or been rotated.
pub async fn sweep(conn: &mut Conn, sweep: &Sweep) -> Result<u64, StoreError> {
    execute!(conn, SWEEP, sweep.before.as_micros(), sweep.limit, sweep.whose())
}
