//! Authorization codes: consumed once, by one statement.

use uuid::Uuid;

use super::conn::{Conn, execute, fetch_optional, row, statements};
use super::convert::{corrupt, secret_hash, time};
use super::error::StoreError;
use super::sweep::Sweep;
use crate::domain::code::Code;
use crate::domain::ids::{AppId, ButtonId, CodeId, ConnectionId, SessionId};
use crate::domain::origin::Origin;
use crate::domain::pkce::CodeChallenge;
use crate::domain::secret_hash::SecretHash;
use crate::domain::timestamp::Timestamp;

statements! {
    FIND = "SELECT id, secret_hash, app_id, button_id, origin, code_challenge, session_id, connection_id, expires_at, \
            consumed_at FROM codes WHERE id = $1";
    INSERT = "INSERT INTO codes (id, secret_hash, app_id, button_id, origin, code_challenge, session_id, \
              connection_id, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    CONSUME = "UPDATE codes SET consumed_at = $2 WHERE id = $1 AND consumed_at IS NULL";
    SWEEP = "DELETE FROM codes WHERE id IN (SELECT id FROM codes WHERE id < $1 AND expires_at < $2 AND (app_id = $4 OR $4 = '' AND app_id NOT IN (SELECT app_id FROM clocks)) ORDER BY id LIMIT $3)";
}

row! {
    struct Row {
        id: Uuid,
        secret_hash: Vec<u8>,
        app_id: String,
        button_id: String,
        origin: String,
        code_challenge: String,
        session_id: Uuid,
        connection_id: Uuid,
        expires_at: i64,
        consumed_at: Option<i64>,
    }
}

#[derive(Debug, Clone)]
pub struct Found {
    pub code: Code,
    pub secret_hash: SecretHash,
    pub consumed_at: Option<Timestamp>,
}

pub async fn find(conn: &mut Conn, id: CodeId) -> Result<Option<Found>, StoreError> {
    let Some(row) = fetch_optional!(conn, Row, FIND, id.0)? else { return Ok(None) };
    Ok(Some(Found {
        code: Code {
            id: CodeId(row.id),
            app: AppId::parse(&row.app_id).map_err(corrupt("codes.app_id"))?,
            button: ButtonId::parse(&row.button_id).map_err(corrupt("codes.button_id"))?,
            origin: Origin::parse(&row.origin).map_err(corrupt("codes.origin"))?,
            code_challenge: CodeChallenge::parse(&row.code_challenge).map_err(corrupt("codes.code_challenge"))?,
            session: SessionId(row.session_id),
            connection: ConnectionId(row.connection_id),
            expires_at: time(row.expires_at),
        },
        secret_hash: secret_hash(&row.secret_hash)?,
        consumed_at: row.consumed_at.map(time),
    }))
}

pub async fn insert(conn: &mut Conn, code: &Code, secret: &SecretHash) -> Result<(), StoreError> {
    execute!(
        conn,
        INSERT,
        code.id.0,
        secret.0.as_slice(),
        code.app.as_str(),
        code.button.as_str(),
        code.origin.as_str(),
        code.code_challenge.as_str(),
        code.session.0,
        code.connection.0,
        code.expires_at.as_micros(),
    )
    .map(|_| ())
}

/// `true` for exactly one caller.
pub async fn consume(conn: &mut Conn, id: CodeId, at: Timestamp) -> Result<bool, StoreError> {
    Ok(execute!(conn, CONSUME, id.0, at.as_micros())? == 1)
}

/// Deletes codes that have long expired.
pub async fn sweep(conn: &mut Conn, sweep: &Sweep) -> Result<u64, StoreError> {
    execute!(conn, SWEEP, sweep.below, sweep.before.as_micros(), sweep.limit, sweep.whose())
}
