//! Action call-backs: where an application's own server is asked, and how that last went.

use std::time::Duration;

use super::conn::{Conn, execute, fetch_optional, row, statements};
use super::convert::{corrupt, time};
use super::error::StoreError;
use crate::domain::action_callback::{ActionCallback, CallResult, LastCall, OnFailure};
use crate::domain::ids::AppId;
use crate::domain::target_url::TargetUrl;

statements! {
    FIND = "SELECT app_id, url, secret, on_failure, last_at, last_ms, last_result, last_detail \
            FROM action_callbacks WHERE app_id = $1";
    /// What the newest call was is not said of another address. A secret that is there stays.
    UPSERT = "INSERT INTO action_callbacks (app_id, url, secret, on_failure) VALUES ($1, $2, $3, $4) \
              ON CONFLICT (app_id) DO UPDATE SET url = excluded.url, \
              on_failure = excluded.on_failure, last_at = NULL, last_ms = NULL, last_result = NULL, last_detail = NULL";
    SET_SECRET = "UPDATE action_callbacks SET secret = $2 WHERE app_id = $1";
    DELETE = "DELETE FROM action_callbacks WHERE app_id = $1";
    NOTE_CALL = "UPDATE action_callbacks SET last_at = $3, last_ms = $4, last_result = $5, last_detail = $6 \
                 WHERE app_id = $1 AND url = $2";
}

row! {
    struct Row {
        app_id: String,
        url: String,
        secret: Vec<u8>,
        on_failure: String,
        last_at: Option<i64>,
        last_ms: Option<i64>,
        last_result: Option<String>,
        last_detail: Option<String>,
    }
}

impl TryFrom<Row> for (ActionCallback, Vec<u8>) {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let unknown = |what: &str| StoreError::Corrupt(format!("action_callbacks.{what}"));
        let last = match (row.last_at, row.last_ms, row.last_result, row.last_detail) {
            (None, None, None, None) => None,
            (Some(at), Some(ms), Some(result), Some(detail)) => Some(LastCall {
                at: time(at),
                took: Duration::from_millis(ms.unsigned_abs()),
                result: CallResult::parse(&result).ok_or_else(|| unknown("last_result"))?,
                detail,
            }),
            _ => return Err(unknown("last_at")),
        };
        let callback = ActionCallback {
            app: AppId::parse(&row.app_id).map_err(corrupt("action_callbacks.app_id"))?,
            url: TargetUrl::parse(&row.url).map_err(corrupt("action_callbacks.url"))?,
            on_failure: OnFailure::parse(&row.on_failure).ok_or_else(|| unknown("on_failure"))?,
            last,
        };
        Ok((callback, row.secret))
    }
}

/// With its secret, sealed.
pub async fn find(conn: &mut Conn, app: &AppId) -> Result<Option<(ActionCallback, Vec<u8>)>, StoreError> {
    fetch_optional!(conn, Row, FIND, app.as_str())?.map(TryFrom::try_from).transpose()
}

/// Writes it anew, as if it had never been called. `secret` is of one that was not there.
pub async fn set(conn: &mut Conn, callback: &ActionCallback, secret: &[u8]) -> Result<(), StoreError> {
    let ActionCallback { app, url, on_failure, last: _ } = callback;
    execute!(conn, UPSERT, app.as_str(), url.as_str(), secret, on_failure.as_str())?;
    Ok(())
}

/// `false` where there is none.
pub async fn set_secret(conn: &mut Conn, app: &AppId, secret: &[u8]) -> Result<bool, StoreError> {
    Ok(execute!(conn, SET_SECRET, app.as_str(), secret)? == 1)
}

/// `false` where there was none.
pub async fn remove(conn: &mut Conn, app: &AppId) -> Result<bool, StoreError> {
    Ok(execute!(conn, DELETE, app.as_str())? == 1)
}

/// Of the address that was called, if it still is the one.
pub async fn note_call(conn: &mut Conn, app: &AppId, url: &TargetUrl, call: &LastCall) -> Result<(), StoreError> {
    let ms = i64::try_from(call.took.as_millis()).unwrap_or(i64::MAX);
    let (at, result) = (call.at.as_micros(), call.result.as_str());
    execute!(conn, NOTE_CALL, app.as_str(), url.as_str(), at, ms, result, call.detail.as_str())?;
    Ok(())
}
