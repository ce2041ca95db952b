//! A look at a database that changes nothing in it.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use super::connect::{Location, cannot_open, connect_within};
use super::error::{OpenError, StoreError};
use super::keys::{self, SealedKey};
use super::migrate::{self, Schema};
use crate::domain::timestamp::Timestamp;

/// What a database is like.
#[derive(Clone)]
pub struct Examined {
    pub schema: Schema,
    /// Empty where the schema is not one that this program knows.
    pub keys: Vec<SealedKey>,
    /// When the newest event was recorded.
    pub newest_event: Option<Timestamp>,
    /// Of a server with a clock of its own.
    pub clock: Option<Timestamp>,
    /// PostgreSQL's settings that what is acknowledged depends on, where they are not safe.
    pub unsafe_settings: Vec<String>,
    /// Connections that PostgreSQL lets this user have.
    pub connections: Option<i64>,
}

const SETTINGS: &str = "SELECT CAST(name AS TEXT) FROM pg_settings \
                        WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off'";
const CONNECTIONS: &str = "SELECT CAST(current_setting('max_connections') AS BIGINT) \
                           - CAST(current_setting('superuser_reserved_connections') AS BIGINT)";
const CLOCK: &str = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)";
const NEWEST_EVENT: &str = "SELECT id FROM events ORDER BY id DESC LIMIT 1";

/// `None` where there is no database yet: the first start makes it.
pub async fn examine(location: &Location) -> Result<Option<Examined>, OpenError> {
    let place = location.name();
    match location {
        Location::SqliteMemory => Ok(None),
        Location::SqliteFile(path) if !path.exists() => Ok(None),
        Location::SqliteFile(path) => {
            let path = path.clone();
            let examined = tokio::task::spawn_blocking(move || on_sqlite(&path)).await;
            examined.map_err(|crash| cannot_open(&place, &crash))?.map(Some).map_err(|why| cannot_open(&place, &why))
        }
        Location::Postgres(url) => {
            let options: PgConnectOptions = url.parse().map_err(|why: sqlx::Error| cannot_open(&place, &why))?;
            let connected = connect_within(&options).await;
            let mut conn = connected.map_err(|why| cannot_open(&place, &why))?;
            let examined = on_postgres(&mut conn).await;
            let _ = conn.close().await;
            examined.map(Some).map_err(|why| cannot_open(&place, &why))
        }
    }
}

/// A UUIDv7 begins with its moment.
fn moment(id: Uuid) -> Timestamp {
    Timestamp::from_micros(i64::try_from(id.as_u128() >> 80).unwrap_or(i64::MAX / 1_000).saturating_mul(1_000))
}

fn on_sqlite(path: &Path) -> Result<Examined, StoreError> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.busy_timeout(super::sqlite::PATIENCE)?;
    let schema = migrate::look_at_sqlite(&conn)?;
    let is_current = schema == Schema::Current;
    let has_keys = matches!(schema, Schema::Current | Schema::Older { .. });
    let newest: Option<(Uuid,)> = if is_current {
        super::sqlite::fetch_optional(&conn, NEWEST_EVENT, &[], &super::sqlite::Order::new())?
    } else {
        None
    };
    Ok(Examined {
        keys: if has_keys { keys::list_on_sqlite(&conn)? } else { Vec::new() },
        schema,
        newest_event: newest.map(|(id,)| moment(id)),
        clock: None,
        unsafe_settings: Vec::new(),
        connections: None,
    })
}

async fn on_postgres(conn: &mut PgConnection) -> Result<Examined, StoreError> {
    let schema = migrate::look_at_postgres(conn).await?;
    let is_current = schema == Schema::Current;
    let has_keys = matches!(schema, Schema::Current | Schema::Older { .. });
    let newest: Option<Uuid> =
        if is_current { sqlx::query_scalar(NEWEST_EVENT).fetch_optional(&mut *conn).await? } else { None };
    let unsafe_settings = sqlx::query_scalar(SETTINGS).fetch_all(&mut *conn).await?;
    let connections = sqlx::query_scalar(CONNECTIONS).fetch_one(&mut *conn).await?;
    let keys = if has_keys { keys::list_on_postgres(conn).await? } else { Vec::new() };
    let clock: i64 = sqlx::query_scalar(CLOCK).fetch_one(conn).await?;
    Ok(Examined {
        schema,
        keys,
        newest_event: newest.map(moment),
        clock: Some(Timestamp::from_micros(clock)),
        unsafe_settings,
        connections: Some(connections),
    })
}
