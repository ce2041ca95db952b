//! The sandbox's test clocks.

use super::conn::{Conn, execute, fetch_all, fetch_optional, row, statements};
use super::convert::{corrupt, optional_time, time};
use super::error::StoreError;
use crate::domain::clock_setting::ClockSetting;
use crate::domain::ids::AppId;
use crate::domain::timestamp::Timestamp;

/// What stands for an application's id in the row of the server's own clock.
const SERVER: &str = "";

statements! {
    LIST = "SELECT app_id, offset_us, frozen_at FROM clocks";
    SET = "INSERT INTO clocks (app_id, offset_us, frozen_at) VALUES ($1, $2, $3) \
           ON CONFLICT (app_id) DO UPDATE SET offset_us = excluded.offset_us, frozen_at = excluded.frozen_at";
    REMOVE = "DELETE FROM clocks WHERE app_id = $1";
    /// The next end of something that still lives, among the rows of one application, or (with an empty id) of all
    /// that follow the server's clock. Ends that a client sees: of tokens, codes, grants and connections.
    NEXT_EXPIRY = "SELECT MIN(ends_at) AS ends_at FROM (\
        SELECT expires_at AS ends_at, app_id FROM access_tokens WHERE expires_at > $2 AND revoked_at IS NULL \
          AND (connection_id IS NULL OR EXISTS (SELECT 1 FROM connections c WHERE c.id = access_tokens.connection_id AND c.ended_at IS NULL)) \
        UNION ALL SELECT expires_at, app_id FROM codes WHERE expires_at > $2 AND consumed_at IS NULL \
        UNION ALL SELECT expires_at, app_id FROM authorization_codes WHERE expires_at > $2 AND consumed_at IS NULL \
        UNION ALL SELECT expires_at, app_id FROM device_codes WHERE expires_at > $2 AND consumed_at IS NULL \
        UNION ALL SELECT expires_at, app_id FROM connections WHERE expires_at > $2 AND ended_at IS NULL \
        UNION ALL SELECT expires_at, app_id FROM grants WHERE expires_at > $2 AND ended_at IS NULL AND generation > 0\
        ) AS ends WHERE app_id = $1 OR ($1 = '' AND app_id NOT IN (SELECT app_id FROM clocks))";
}

row! {
    struct Row {
        app_id: String,
        offset_us: i64,
        frozen_at: Option<i64>,
    }
}

/// Each setting that is not the default; that of the server under `None`.
pub async fn list(conn: &mut Conn) -> Result<Vec<(Option<AppId>, ClockSetting)>, StoreError> {
    let rows: Vec<Row> = fetch_all!(conn, Row, LIST)?;
    let setting = |row: Row| {
        let app = match row.app_id.as_str() {
            SERVER => None,
            id => Some(AppId::parse(id).map_err(corrupt("clocks.app_id"))?),
        };
        Ok((app, ClockSetting { offset_us: row.offset_us, frozen_at: optional_time(row.frozen_at) }))
    };
    rows.into_iter().map(setting).collect()
}

fn key(app: Option<&AppId>) -> &str {
    app.map_or(SERVER, AppId::as_str)
}

/// Sets a clock; one that differs in nothing has no row.
pub async fn set(conn: &mut Conn, app: Option<&AppId>, setting: ClockSetting) -> Result<(), StoreError> {
    if setting == ClockSetting::default() {
        execute!(conn, REMOVE, key(app))?;
    } else {
        let frozen_at = setting.frozen_at.map(Timestamp::as_micros);
        execute!(conn, SET, key(app), setting.offset_us, frozen_at)?;
    }
    Ok(())
}

/// When the next thing expires that follows the clock of `app` (`None`: the server's own), after `now` by that clock.
pub async fn next_expiry(
    conn: &mut Conn,
    app: Option<&AppId>,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let row: Option<(Option<i64>,)> = fetch_optional!(conn, (Option<i64>,), NEXT_EXPIRY, key(app), now.as_micros())?;
    Ok(row.and_then(|(ends_at,)| ends_at).map(time))
}
