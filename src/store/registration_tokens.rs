//! Initial access tokens: who has one may register clients (RFC 7591 section 3).

use super::conn::{Conn, execute, fetch_optional, row, statements};
use super::convert::{secret_hash, time};
use super::error::StoreError;
use crate::domain::ids::RegistrationTokenId;
use crate::domain::secret_hash::SecretHash;
use crate::domain::timestamp::Timestamp;

statements! {
    FIND = "SELECT secret_hash, expires_at FROM registration_tokens WHERE id = $1";
    INSERT = "INSERT INTO registration_tokens (id, secret_hash, created_at, expires_at) VALUES ($1, $2, $3, $4)";
    SWEEP = "DELETE FROM registration_tokens WHERE expires_at < $1";
}

row! {
    struct Row {
        secret_hash: Vec<u8>,
        expires_at: i64,
    }
}

/// The hash that a token's secret has to match, and when the token is over.
pub async fn find(conn: &mut Conn, id: RegistrationTokenId) -> Result<Option<(SecretHash, Timestamp)>, StoreError> {
    let row = fetch_optional!(conn, Row, FIND, id.0)?;
    row.map(|row| Ok((secret_hash(&row.secret_hash)?, time(row.expires_at)))).transpose()
}

pub async fn insert(
    conn: &mut Conn,
    id: RegistrationTokenId,
    secret: &SecretHash,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    execute!(conn, INSERT, id.0, secret.0.as_slice(), now.as_micros(), expires_at.as_micros()).map(|_| ())
}

/// There are few: people make them.
pub async fn sweep(conn: &mut Conn, expired_before: Timestamp) -> Result<u64, StoreError> {
    execute!(conn, SWEEP, expired_before.as_micros())
}
