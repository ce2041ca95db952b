//! What ends where every sign-in does, beside connections.

use super::conn::{Conn, execute, fetch_all, statements};
use super::convert::corrupt;
use super::error::StoreError;
use crate::domain::ids::AppId;
use crate::domain::timestamp::Timestamp;

statements! {
    APPS = "SELECT id FROM apps ORDER BY id";
    END_SESSIONS = "UPDATE sessions SET ended_at = $1 WHERE ended_at IS NULL";
    DROP_INVITATIONS = "DELETE FROM invitations WHERE consumed_at IS NULL";
    DROP_REGISTRATION_TOKENS = "DELETE FROM registration_tokens";
}

/// Every application there is.
pub async fn apps(conn: &mut Conn) -> Result<Vec<AppId>, StoreError> {
    let rows = fetch_all!(conn, (String,), APPS)?.into_iter();
    rows.map(|(id,)| AppId::parse(&id).map_err(corrupt("apps.id"))).collect()
}

/// Ends every session; answers how many there were.
pub async fn end_sessions(conn: &mut Conn, at: Timestamp) -> Result<u64, StoreError> {
    execute!(conn, END_SESSIONS, at.as_micros())
}

/// Takes back each invitation and initial access token that is out.
pub async fn drop_offers(conn: &mut Conn) -> Result<u64, StoreError> {
    Ok(execute!(conn, DROP_INVITATIONS)? + execute!(conn, DROP_REGISTRATION_TOKENS)?)
}
