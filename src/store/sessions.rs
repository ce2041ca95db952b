//! Signed-in browsers.

use uuid::Uuid;

use super::conn::{Conn, execute, fetch_all, fetch_optional, row, statements};
use super::convert::{corrupt, secret_hash, time};
use super::error::StoreError;
use crate::domain::ids::{SessionId, UserId};
use crate::domain::secret_hash::SecretHash;
use crate::domain::session::Session;
use crate::domain::timestamp::Timestamp;

statements! {
    FIND_LIVE = "SELECT s.id, s.user_id, s.secret_hash, s.button_secret_hash, s.created_at, s.expires_at, \
                 s.address, s.user_agent \
                 FROM sessions s JOIN users u ON u.id = s.user_id \
                 WHERE s.id = $1 AND s.ended_at IS NULL AND s.expires_at > $2 AND u.disabled_at IS NULL";
    INSERT = "INSERT INTO sessions (id, user_id, secret_hash, button_secret_hash, created_at, expires_at, \
              address, user_agent) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    END = "UPDATE sessions SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL";
    LIST_LIVE = "SELECT id, user_id, secret_hash, button_secret_hash, created_at, expires_at, address, user_agent \
                 FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2 \
                 AND (id < $3 OR $3 IS NULL) ORDER BY id DESC LIMIT $4";
    END_OF_USER_BUT = "UPDATE sessions SET ended_at = $2 WHERE user_id = $1 AND ended_at IS NULL AND id <> $3";
    END_OF_USER = "UPDATE sessions SET ended_at = $2 WHERE user_id = $1 AND ended_at IS NULL";
    /// A session outlives its own end for as long as a resume handle of it may live.
    SWEEP = "DELETE FROM sessions WHERE id IN (SELECT s.id FROM sessions s WHERE s.expires_at < $1 AND NOT EXISTS \
             (SELECT 1 FROM resume_handles h WHERE h.session_id = s.id AND h.expires_at >= $1) LIMIT $2)";
}

row! {
    struct Row {
        id: Uuid,
        user_id: Uuid,
        secret_hash: Vec<u8>,
        button_secret_hash: Vec<u8>,
        created_at: i64,
        expires_at: i64,
        address: Option<String>,
        user_agent: Option<String>,
    }
}

/// A session with the hashes of its two secrets: the browser's own, and the one for partner pages.
#[derive(Debug, Clone)]
pub struct Found {
    pub session: Session,
    pub secret_hash: SecretHash,
    pub button_secret_hash: SecretHash,
}

/// A session that is neither over nor its user disabled.
pub async fn find_live(conn: &mut Conn, id: SessionId, now: Timestamp) -> Result<Option<Found>, StoreError> {
    let Some(row) = fetch_optional!(conn, Row, FIND_LIVE, id.0, now.as_micros())? else { return Ok(None) };
    row.try_into().map(Some)
}

impl TryFrom<Row> for Found {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            session: Session {
                id: SessionId(row.id),
                user: UserId(row.user_id),
                created_at: time(row.created_at),
                expires_at: time(row.expires_at),
                address: row.address.as_deref().map(str::parse).transpose().map_err(corrupt("sessions.address"))?,
                user_agent: row.user_agent,
            },
            secret_hash: secret_hash(&row.secret_hash)?,
            button_secret_hash: secret_hash(&row.button_secret_hash)?,
        })
    }
}

/// The newest `limit` sessions of a user that are not over, of those before this one.
pub async fn list_live(
    conn: &mut Conn,
    user: UserId,
    now: Timestamp,
    before: Option<SessionId>,
    limit: i64,
) -> Result<Vec<Session>, StoreError> {
    let rows = fetch_all!(conn, Row, LIST_LIVE, user.0, now.as_micros(), before.map(|id| id.0), limit)?;
    rows.into_iter().map(|row| Found::try_from(row).map(|found| found.session)).collect()
}

pub async fn insert(
    conn: &mut Conn,
    session: &Session,
    secret: &SecretHash,
    button_secret: &SecretHash,
) -> Result<(), StoreError> {
    execute!(
        conn,
        INSERT,
        session.id.0,
        session.user.0,
        secret.0.as_slice(),
        button_secret.0.as_slice(),
        session.created_at.as_micros(),
        session.expires_at.as_micros(),
        session.address.map(|address| address.to_string()),
        session.user_agent.as_deref(),
    )
    .map(|_| ())
}

/// Ends a session, and with it every resume handle of it.
pub async fn end(conn: &mut Conn, id: SessionId, at: Timestamp) -> Result<bool, StoreError> {
    Ok(execute!(conn, END, id.0, at.as_micros())? == 1)
}

pub async fn end_all_of_user(conn: &mut Conn, user: UserId, at: Timestamp) -> Result<u64, StoreError> {
    execute!(conn, END_OF_USER, user.0, at.as_micros())
}

/// Ends every session of a user but this one.
pub async fn end_others_of_user(
    conn: &mut Conn,
    user: UserId,
    but: SessionId,
    at: Timestamp,
) -> Result<u64, StoreError> {
    execute!(conn, END_OF_USER_BUT, user.0, at.as_micros(), but.0)
}

/// Deletes at most `limit` sessions that had expired by then, with all their resume handles.
pub async fn sweep(conn: &mut Conn, expired_before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    execute!(conn, SWEEP, expired_before.as_micros(), limit)
}
