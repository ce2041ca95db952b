//! Signed proofs that are good once: client assertions (RFC 7523 section 3) and DPoP proofs (RFC 9449
//! section 11.1).

use super::conn::{Conn, execute, statements};
use super::error::StoreError;
use crate::domain::timestamp::Timestamp;

statements! {
    INSERT = "INSERT INTO used_proofs (jti_hash, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    DELETE = "DELETE FROM used_proofs WHERE jti_hash = $1";
    SWEEP = "DELETE FROM used_proofs WHERE jti_hash IN (SELECT jti_hash FROM used_proofs WHERE expires_at < $1 LIMIT $2)";
}

/// `true` for exactly one caller. `jti_hash` is the SHA-256 of the proof's `jti` and of whom it is bound to;
/// after `expires_at` the proof is refused for its age.
pub async fn insert(conn: &mut Conn, jti_hash: &[u8; 32], expires_at: Timestamp) -> Result<bool, StoreError> {
    Ok(execute!(conn, INSERT, jti_hash.as_slice(), expires_at.as_micros())? == 1)
}

/// Deletes at most `limit` proofs that are too old to be presented again.
pub async fn sweep(conn: &mut Conn, expired_before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    execute!(conn, SWEEP, expired_before.as_micros(), limit)
}

/// Writes something down and takes it away again: nothing remains but that it was possible.
pub async fn try_out(conn: &mut Conn) -> Result<(), StoreError> {
    // The hash of no proof that anybody can make.
    let nobodys = [0; 32];
    insert(conn, &nobodys, Timestamp::from_micros(0)).await?;
    execute!(conn, DELETE, nobodys.as_slice()).map(|_| ())
}
