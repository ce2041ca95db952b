//! Device codes (RFC 8628): decided once, consumed once.

use std::time::Duration;

use uuid::Uuid;

use super::conn::{Conn, execute, fetch_optional, row, statements};
use super::convert::{corrupt, optional_time, secret_hash, time};
use super::error::StoreError;
use super::sweep::Sweep;
use crate::domain::device_code::{DeviceCode, DeviceState, UserCode};
use crate::domain::ids::{AppId, ConnectionId, DeviceCodeId};
use crate::domain::resource::Resource;
use crate::domain::scope::ScopeSet;
use crate::domain::secret_hash::SecretHash;
use crate::domain::timestamp::Timestamp;

const ALLOWED: &str = "allowed";
const DENIED: &str = "denied";

statements! {
    FIND = "SELECT id, secret_hash, user_code, app_id, scopes, resource, expires_at, interval_us, last_polled_at, \
            decision, connection_id, auth_time, consumed_at FROM device_codes WHERE id = $1";
    FIND_BY_USER_CODE = "SELECT id, secret_hash, user_code, app_id, scopes, resource, expires_at, interval_us, \
                         last_polled_at, decision, connection_id, auth_time, consumed_at \
                         FROM device_codes WHERE user_code = $1";
    INSERT = "INSERT INTO device_codes (id, secret_hash, user_code, app_id, scopes, resource, expires_at, interval_us) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
    DECIDE = "UPDATE device_codes SET decision = $2, connection_id = $3, auth_time = $4 \
              WHERE id = $1 AND decision IS NULL AND expires_at > $5";
    NOTE_POLL = "UPDATE device_codes SET last_polled_at = $2, interval_us = $3 WHERE id = $1";
    CONSUME = "UPDATE device_codes SET consumed_at = $2 WHERE id = $1 AND consumed_at IS NULL";
    SWEEP = "DELETE FROM device_codes WHERE id IN \
             (SELECT id FROM device_codes WHERE id < $1 AND expires_at < $2 AND (app_id = $4 OR $4 = '' AND app_id NOT IN (SELECT app_id FROM clocks)) ORDER BY id LIMIT $3)";
}

row! {
    struct Row {
        id: Uuid,
        secret_hash: Vec<u8>,
        user_code: String,
        app_id: String,
        scopes: String,
        resource: Option<String>,
        expires_at: i64,
        interval_us: i64,
        last_polled_at: Option<i64>,
        decision: Option<String>,
        connection_id: Option<Uuid>,
        auth_time: Option<i64>,
        consumed_at: Option<i64>,
    }
}

impl TryFrom<Row> for (DeviceCode, SecretHash) {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let state = match (row.consumed_at, row.decision.as_deref(), row.connection_id, row.auth_time) {
            (Some(_), ..) => DeviceState::Consumed,
            (None, None, ..) => DeviceState::Pending,
            (None, Some(DENIED), ..) => DeviceState::Denied,
            (None, Some(ALLOWED), Some(connection), Some(at)) => {
                DeviceState::Allowed { connection: ConnectionId(connection), auth_time: time(at) }
            }
            _ => return Err(StoreError::Corrupt("device_codes.decision".into())),
        };
        let code = DeviceCode {
            id: DeviceCodeId(row.id),
            user_code: UserCode::parse(&row.user_code).map_err(corrupt("device_codes.user_code"))?,
            app: AppId::parse(&row.app_id).map_err(corrupt("device_codes.app_id"))?,
            scopes: ScopeSet::parse(&row.scopes).map_err(corrupt("device_codes.scopes"))?,
            resource: row
                .resource
                .as_deref()
                .map(Resource::parse)
                .transpose()
                .map_err(corrupt("device_codes.resource"))?,
            expires_at: time(row.expires_at),
            interval: u64::try_from(row.interval_us)
                .map(Duration::from_micros)
                .map_err(corrupt("device_codes.interval_us"))?,
            last_polled_at: optional_time(row.last_polled_at),
            state,
        };
        Ok((code, secret_hash(&row.secret_hash)?))
    }
}

/// A device code with the hash that its secret has to match.
pub async fn find(conn: &mut Conn, id: DeviceCodeId) -> Result<Option<(DeviceCode, SecretHash)>, StoreError> {
    fetch_optional!(conn, Row, FIND, id.0)?.map(TryFrom::try_from).transpose()
}

pub async fn find_by_user_code(conn: &mut Conn, code: &UserCode) -> Result<Option<DeviceCode>, StoreError> {
    let row = fetch_optional!(conn, Row, FIND_BY_USER_CODE, code.as_str())?;
    row.map(|row| <(DeviceCode, SecretHash)>::try_from(row).map(|(code, _)| code)).transpose()
}

/// `false` where the user code is taken.
pub async fn insert(conn: &mut Conn, code: &DeviceCode, secret: &SecretHash) -> Result<bool, StoreError> {
    let rows = execute!(
        conn,
        INSERT,
        code.id.0,
        secret.0.as_slice(),
        code.user_code.as_str(),
        code.app.as_str(),
        code.scopes.to_string(),
        code.resource.as_ref().map(Resource::as_str),
        code.expires_at.as_micros(),
        micros(code.interval),
    )?;
    Ok(rows == 1)
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

/// Writes what the user said. `false` where it was decided before, or is too old.
pub async fn decide(
    conn: &mut Conn,
    id: DeviceCodeId,
    allowed: Option<(ConnectionId, Timestamp)>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let decision = if allowed.is_some() { ALLOWED } else { DENIED };
    let (connection, auth_time) = allowed.unzip();
    let connection = connection.map(|connection| connection.0);
    let auth_time = auth_time.map(Timestamp::as_micros);
    Ok(execute!(conn, DECIDE, id.0, decision, connection, auth_time, now.as_micros())? == 1)
}

pub async fn note_poll(conn: &mut Conn, id: DeviceCodeId, at: Timestamp, interval: Duration) -> Result<(), StoreError> {
    execute!(conn, NOTE_POLL, id.0, at.as_micros(), micros(interval)).map(|_| ())
}

/// `true` for exactly one caller.
pub async fn consume(conn: &mut Conn, id: DeviceCodeId, at: Timestamp) -> Result<bool, StoreError> {
    Ok(execute!(conn, CONSUME, id.0, at.as_micros())? == 1)
}

/// Deletes codes that have long expired.
pub async fn sweep(conn: &mut Conn, sweep: &Sweep) -> Result<u64, StoreError> {
    execute!(conn, SWEEP, sweep.below, sweep.before.as_micros(), sweep.limit, sweep.whose())
}
