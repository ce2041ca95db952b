//! What ends where every sign-in does, beside connections.

use uuid::Uuid;

use super::conn::{Conn, execute, fetch_all, fetch_optional, statements};
use super::convert::corrupt;
use super::error::StoreError;
use crate::domain::ids::AppId;
use crate::domain::timestamp::Timestamp;

statements! {
    APPS = "SELECT id FROM apps ORDER BY id";
    /// The last of those that come next, whatever they are: what is looked at in one transaction has an end.
    SESSIONS_UP_TO = "SELECT id FROM (SELECT id FROM sessions WHERE id > $1 ORDER BY id LIMIT $2) AS page \
                      ORDER BY id DESC LIMIT 1";
    TOKENS_UP_TO = "SELECT id FROM (SELECT id FROM access_tokens WHERE id > $1 ORDER BY id LIMIT $2) AS page \
                    ORDER BY id DESC LIMIT 1";
    COUNT_SESSIONS = "SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL";
    END_SESSIONS = "UPDATE sessions SET ended_at = $3 WHERE id > $1 AND id <= $2 AND ended_at IS NULL";
    REVOKE_OWN_TOKENS = "UPDATE access_tokens SET revoked_at = $3 \
                         WHERE id > $1 AND id <= $2 AND connection_id IS NULL AND revoked_at IS NULL";
    DROP_INVITATIONS = "DELETE FROM invitations WHERE consumed_at IS NULL";
    DROP_REGISTRATION_TOKENS = "DELETE FROM registration_tokens";
}

/// How many sessions nobody has ended.
pub async fn count_sessions(conn: &mut Conn) -> Result<i64, StoreError> {
    Ok(fetch_optional!(conn, (i64,), COUNT_SESSIONS)?.map_or(0, |(count,)| count))
}

/// Every application there is.
pub async fn apps(conn: &mut Conn) -> Result<Vec<AppId>, StoreError> {
    let rows = fetch_all!(conn, (String,), APPS)?.into_iter();
    rows.map(|(id,)| AppId::parse(&id).map_err(corrupt("apps.id"))).collect()
}

/// Rows that are looked at in one transaction.
pub const PIECE: i64 = 1000;

/// Ends the sessions among the first after `after`; answers how many, and where to go on.
pub async fn end_sessions(conn: &mut Conn, after: Uuid, at: Timestamp) -> Result<Option<(u64, Uuid)>, StoreError> {
    let Some((to,)) = fetch_optional!(conn, (Uuid,), SESSIONS_UP_TO, after, PIECE)? else { return Ok(None) };
    Ok(Some((execute!(conn, END_SESSIONS, after, to, at.as_micros())?, to)))
}

/// Revokes what applications have in their own name, in the same way.
pub async fn revoke_own_tokens(conn: &mut Conn, after: Uuid, at: Timestamp) -> Result<Option<(u64, Uuid)>, StoreError> {
    let Some((to,)) = fetch_optional!(conn, (Uuid,), TOKENS_UP_TO, after, PIECE)? else { return Ok(None) };
    Ok(Some((execute!(conn, REVOKE_OWN_TOKENS, after, to, at.as_micros())?, to)))
}

/// Takes back each invitation and initial access token that is out.
pub async fn drop_offers(conn: &mut Conn) -> Result<u64, StoreError> {
    Ok(execute!(conn, DROP_INVITATIONS)? + execute!(conn, DROP_REGISTRATION_TOKENS)?)
}
