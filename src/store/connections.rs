//! Consents. A user has at most one connection to an application that is not ended.

use std::collections::HashMap;
use std::time::Duration;

use uuid::Uuid;

use super::conn::{Conn, execute, fetch_all, fetch_optional, row, statements};
use super::convert::{corrupt, optional_time, time};
use super::error::StoreError;
use super::{apps, events};
use crate::domain::clock_setting::Moments;
use crate::domain::connection::{Connection, ConnectionState, EndedBy};
use crate::domain::event::{Action, Actor, Event, TargetKind};
use crate::domain::ids::{AppId, ConnectionId, UserId};
use crate::domain::scope::ScopeSet;
use crate::domain::timestamp::Timestamp;

statements! {
    FIND = "SELECT id, user_id, app_id, scopes, sign_in_scopes, access_token_lifetime_us, created_at, last_used_at, expires_at, \
            ended_at, ended_by FROM connections WHERE id = $1";
    FIND_LIVE = "SELECT id, user_id, app_id, scopes, sign_in_scopes, access_token_lifetime_us, created_at, last_used_at, expires_at, \
                 ended_at, ended_by FROM connections WHERE user_id = $1 AND app_id = $2 AND ended_at IS NULL \
                 AND (expires_at IS NULL OR expires_at > $3)";
    LIST_UNENDED = "SELECT id, user_id, app_id, scopes, sign_in_scopes, access_token_lifetime_us, created_at, last_used_at, expires_at, \
                 ended_at, ended_by FROM connections WHERE user_id = $1 AND ended_at IS NULL \
                    ORDER BY created_at DESC, id DESC LIMIT $2";
    /// Those that are not ended, of an application, of a user.
    LIST = "SELECT id, user_id, app_id, scopes, sign_in_scopes, access_token_lifetime_us, created_at, last_used_at, expires_at, \
            ended_at, ended_by FROM connections WHERE (app_id = $1 OR $1 IS NULL) AND (user_id = $2 OR $2 IS NULL) \
            AND ended_at IS NULL \
            AND ((created_at, id) > (SELECT created_at, id FROM connections WHERE id = $3) \
            OR NOT EXISTS (SELECT 1 FROM connections WHERE id = $3)) \
            ORDER BY created_at, id LIMIT $4";
    COUNT_LIVE_OF_APP = "SELECT COUNT(*) FROM connections WHERE app_id = $1 AND ended_at IS NULL \
                    AND (expires_at IS NULL OR expires_at > $2)";
    /// The same, newest first, by a user's e-mail address and an application's id; an empty text asks for any.
    SEARCH = "SELECT id, user_id, app_id, scopes, sign_in_scopes, access_token_lifetime_us, created_at, last_used_at, \
              expires_at, ended_at, ended_by FROM connections \
              WHERE ($1 = '' OR user_id = (SELECT id FROM users WHERE email = $1)) AND ($2 = '' OR app_id = $2) \
              AND ended_at IS NULL \
              AND ((created_at, id) < (SELECT created_at, id FROM connections WHERE id = $3) \
            OR NOT EXISTS (SELECT 1 FROM connections WHERE id = $3)) \
              ORDER BY created_at DESC, id DESC LIMIT $4";
    COUNT = "SELECT COUNT(*) FROM connections WHERE ended_at IS NULL";
    COUNT_OF_APP = "SELECT COUNT(*) FROM connections WHERE app_id = $1 AND ended_at IS NULL";
    INSERT = "INSERT INTO connections (id, user_id, app_id, scopes, sign_in_scopes, access_token_lifetime_us, created_at, \
              expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
    WIDEN = "UPDATE connections SET scopes = $2, sign_in_scopes = $3 WHERE id = $1 AND ended_at IS NULL";
    END = "UPDATE connections SET ended_at = $2, ended_by = $3 WHERE id = $1 AND ended_at IS NULL \
           AND (expires_at IS NULL OR expires_at > $2) RETURNING id, user_id, app_id, scopes, ended_at";
    END_OF_USER = "UPDATE connections SET ended_at = $2, ended_by = $3 WHERE user_id = $1 AND ended_at IS NULL \
                   RETURNING id, user_id, app_id, scopes, ended_at";
    /// An end that its clock was moved back before may be moved too.
    EXPIRE = "UPDATE connections SET expires_at = $2 WHERE id = $1 AND ended_at IS NULL \
              AND (expires_at IS NULL OR expires_at > $2)";
    END_OF_USER_AT = "UPDATE connections SET ended_at = $2, ended_by = $3 \
                      WHERE user_id = $1 AND app_id = $4 AND ended_at IS NULL \
                      RETURNING id, user_id, app_id, scopes, ended_at";
    END_OF_APP = "UPDATE connections SET ended_at = $2, ended_by = $3 WHERE app_id = $1 AND ended_at IS NULL \
                  RETURNING id, user_id, app_id, scopes, ended_at";
    END_SOME_OF_APP = "UPDATE connections SET ended_at = $2, ended_by = $3 WHERE ended_at IS NULL AND id IN \
                       (SELECT id FROM connections WHERE app_id = $1 AND ended_at IS NULL AND id > $4 ORDER BY id LIMIT $5) \
                       RETURNING id, user_id, app_id, scopes, ended_at";
    END_EXPIRED = "UPDATE connections SET ended_at = expires_at, ended_by = $4 \
                   WHERE user_id = $1 AND app_id = $2 AND ended_at IS NULL AND expires_at <= $3 \
                   RETURNING id, user_id, app_id, scopes, ended_at";
    /// Those whose time is over and whose end was not told, by one application's clock or (an empty text) by the server's.
    LIST_EXPIRED = "SELECT id, user_id, app_id, scopes, expires_at AS ended_at FROM connections \
                    WHERE ended_at IS NULL AND expiry_told IS NULL AND expires_at IS NOT NULL AND expires_at <= $1 \
                    AND (app_id = $2 OR $2 = '' AND app_id NOT IN (SELECT app_id FROM clocks)) \
                    ORDER BY expires_at, id LIMIT $3";
    NOTE_EXPIRY_TOLD = "UPDATE connections SET expiry_told = expires_at WHERE id = $1 AND expiry_told IS NULL";
    EMAIL = "SELECT u.email FROM connections c JOIN users u ON u.id = c.user_id WHERE c.id = $1";
    /// Of an application that nobody is told of.
    END_UNTOLD = "UPDATE connections SET ended_at = $2, ended_by = $3 WHERE id = $1 AND ended_at IS NULL \
                  AND (expires_at IS NULL OR expires_at > $2) \
                  AND NOT EXISTS (SELECT 1 FROM webhooks w WHERE w.app_id = connections.app_id) \
                  AND NOT EXISTS (SELECT 1 FROM webhooks WHERE app_id IS NULL) \
                  RETURNING app_id";
    SET_LAST_USED = "UPDATE connections SET last_used_at = $2 \
                     WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)";
}

/// Ends those of a batch, and writes each end into the event log, in one statement. Of two that ask for the same
/// connection one ends it, which its event's id tells. A connection that another transaction holds is left out, for its
/// request to wait alone. `MATERIALIZED`: all are held before any is ended.
pub(super) const END_UNTOLD_ON_POSTGRES: &str = "\
    WITH held AS MATERIALIZED ( \
        SELECT a.* FROM UNNEST($1::uuid[], $2::bigint[], $3::uuid[], $4::bigint[], $5::text[]) \
               AS a (id, now, event_id, event_at, address) \
             CROSS JOIN LATERAL (SELECT FROM connections WHERE id = a.id FOR NO KEY UPDATE SKIP LOCKED) AS c), \
    ended AS (UPDATE connections c SET ended_at = a.now, ended_by = $6 FROM held a \
              WHERE c.id = a.id AND c.ended_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > a.now) \
              AND NOT EXISTS (SELECT 1 FROM webhooks w WHERE w.app_id = c.app_id) \
              AND NOT EXISTS (SELECT 1 FROM webhooks WHERE app_id IS NULL) \
              RETURNING c.id, c.app_id, a.event_id, a.event_at, a.address), \
    noted AS (INSERT INTO events (id, at, action, actor_kind, actor_id, actor_name, address, target_kind, target_id, \
                                  target_name, changes) \
              SELECT e.event_id, e.event_at, $7, $8, e.app_id, e.app_id, e.address, $9, CAST(e.id AS TEXT), p.name, '[]' \
              FROM ended e JOIN apps p ON p.id = e.app_id) \
    SELECT event_id, app_id FROM ended";

pub(super) const SET_LAST_USED_ON_POSTGRES: &str = "\
    WITH held AS (SELECT id FROM connections WHERE id = ANY($1) FOR NO KEY UPDATE SKIP LOCKED) \
    UPDATE connections c SET last_used_at = r.at FROM UNNEST($1::uuid[], $2::bigint[]) AS r (id, at), held h \
    WHERE c.id = r.id AND h.id = c.id AND (c.last_used_at IS NULL OR c.last_used_at < r.at)";

/// An application ends one of its connections (wire.md A3).
#[derive(Debug, Clone)]
pub struct EndByClient {
    pub connection: ConnectionId,
    pub now: Timestamp,
    /// What the event log gets: the application that it names is the connection's.
    pub event: Event,
}

/// A connection that was ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub id: ConnectionId,
    pub user: UserId,
    pub app: AppId,
    pub scopes: ScopeSet,
    pub at: Timestamp,
}

row! {
    struct EndedRow {
        id: Uuid,
        user_id: Uuid,
        app_id: String,
        scopes: String,
        ended_at: i64,
    }
}

impl TryFrom<EndedRow> for Ended {
    type Error = StoreError;
    fn try_from(row: EndedRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: ConnectionId(row.id),
            user: UserId(row.user_id),
            app: AppId::parse(&row.app_id).map_err(corrupt("connections.app_id"))?,
            scopes: ScopeSet::parse(&row.scopes).map_err(corrupt("connections.scopes"))?,
            at: time(row.ended_at),
        })
    }
}

fn ended(rows: Vec<EndedRow>) -> Result<Vec<Ended>, StoreError> {
    rows.into_iter().map(Ended::try_from).collect()
}

row! {
    struct Row {
        id: Uuid,
        user_id: Uuid,
        app_id: String,
        scopes: String,
        sign_in_scopes: String,
        access_token_lifetime_us: i64,
        created_at: i64,
        last_used_at: Option<i64>,
        expires_at: Option<i64>,
        ended_at: Option<i64>,
        ended_by: Option<String>,
    }
}

impl TryFrom<Row> for Connection {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let state = match (row.ended_at, row.ended_by.as_deref().map(EndedBy::parse), row.expires_at) {
            (Some(at), Some(Some(by)), _) => ConnectionState::Ended { at: time(at), by },
            (None, None, Some(at)) => ConnectionState::Expiring { at: time(at) },
            (None, None, None) => ConnectionState::Active,
            _ => return Err(StoreError::Corrupt("connections: ended_at and ended_by disagree".into())),
        };
        let lifetime = u64::try_from(row.access_token_lifetime_us);
        Ok(Self {
            id: ConnectionId(row.id),
            user: UserId(row.user_id),
            app: AppId::parse(&row.app_id).map_err(corrupt("connections.app_id"))?,
            scopes: ScopeSet::parse(&row.scopes).map_err(corrupt("connections.scopes"))?,
            sign_in_scopes: ScopeSet::parse(&row.sign_in_scopes).map_err(corrupt("connections.sign_in_scopes"))?,
            access_token_lifetime: lifetime
                .map(Duration::from_micros)
                .map_err(corrupt("connections.access_token_lifetime_us"))?,
            created_at: time(row.created_at),
            last_used_at: optional_time(row.last_used_at),
            state,
        })
    }
}

pub async fn find(conn: &mut Conn, id: ConnectionId) -> Result<Option<Connection>, StoreError> {
    fetch_optional!(conn, Row, FIND, id.0)?.map(Connection::try_from).transpose()
}

/// The user's living connection to an application.
pub async fn find_live(
    conn: &mut Conn,
    user: UserId,
    app: &AppId,
    now: Timestamp,
) -> Result<Option<Connection>, StoreError> {
    fetch_optional!(conn, Row, FIND_LIVE, user.0, app.as_str(), now.as_micros())?.map(Connection::try_from).transpose()
}

/// The user's newest `limit` connections that nobody has ended; their time may be over.
pub async fn list_unended(conn: &mut Conn, user: UserId, limit: i64) -> Result<Vec<Connection>, StoreError> {
    let rows = fetch_all!(conn, Row, LIST_UNENDED, user.0, limit)?;
    rows.into_iter().map(Connection::try_from).collect()
}

/// The oldest `limit` that are not ended, of those after this one.
pub async fn list(
    conn: &mut Conn,
    app: Option<&AppId>,
    user: Option<UserId>,
    after: Option<ConnectionId>,
    limit: i64,
) -> Result<Vec<Connection>, StoreError> {
    let (app, user, after) = (app.map(AppId::as_str), user.map(|id| id.0), after.map(|id| id.0));
    let rows = fetch_all!(conn, Row, LIST, app, user, after, limit)?;
    rows.into_iter().map(Connection::try_from).collect()
}

/// The newest `limit` that are not ended: of the user with this e-mail address, of this application, older than this one.
pub async fn search(
    conn: &mut Conn,
    email: &str,
    app: &str,
    before: Option<ConnectionId>,
    limit: i64,
) -> Result<Vec<Connection>, StoreError> {
    let rows = fetch_all!(conn, Row, SEARCH, email, app, before.map(|id| id.0), limit)?;
    rows.into_iter().map(Connection::try_from).collect()
}

/// How many are not ended.
pub async fn count(conn: &mut Conn) -> Result<i64, StoreError> {
    Ok(fetch_optional!(conn, (i64,), COUNT)?.map_or(0, |(count,)| count))
}

pub async fn count_of_app(conn: &mut Conn, app: &AppId) -> Result<i64, StoreError> {
    Ok(fetch_optional!(conn, (i64,), COUNT_OF_APP, app.as_str())?.map_or(0, |(count,)| count))
}

/// How many living connections an application has.
pub async fn count_live_of_app(conn: &mut Conn, app: &AppId, now: Timestamp) -> Result<i64, StoreError> {
    let counted: Option<(i64,)> = fetch_optional!(conn, (i64,), COUNT_LIVE_OF_APP, app.as_str(), now.as_micros())?;
    Ok(counted.map_or(0, |(count,)| count))
}

/// `false` where the user has one to this application that is not ended.
pub async fn insert(conn: &mut Conn, connection: &Connection) -> Result<bool, StoreError> {
    let expires_at = match connection.state {
        ConnectionState::Expiring { at } => Some(at.as_micros()),
        ConnectionState::Active | ConnectionState::Ended { .. } => None,
    };
    let lifetime = i64::try_from(connection.access_token_lifetime.as_micros()).unwrap_or(i64::MAX);
    let rows = execute!(
        conn,
        INSERT,
        connection.id.0,
        connection.user.0,
        connection.app.as_str(),
        connection.scopes.to_string(),
        connection.sign_in_scopes.to_string(),
        lifetime,
        connection.created_at.as_micros(),
        expires_at,
    )?;
    Ok(rows == 1)
}

/// Writes both sets of scopes. `false` where it has ended.
pub async fn set_scopes(conn: &mut Conn, connection: &Connection) -> Result<bool, StoreError> {
    let (all, by_sign_in) = (connection.scopes.to_string(), connection.sign_in_scopes.to_string());
    Ok(execute!(conn, WIDEN, connection.id.0, all, by_sign_in)? == 1)
}

/// Ends every connection of an application.
pub async fn end_all_of_app(
    conn: &mut Conn,
    app: &AppId,
    at: Timestamp,
    by: EndedBy,
) -> Result<Vec<Ended>, StoreError> {
    ended(fetch_all!(conn, EndedRow, END_OF_APP, app.as_str(), at.as_micros(), by.as_str())?)
}

/// Ends the first `limit` of an application after `after`.
pub async fn end_some_of_app(
    conn: &mut Conn,
    app: &AppId,
    at: Timestamp,
    by: EndedBy,
    after: ConnectionId,
    limit: i64,
) -> Result<Vec<Ended>, StoreError> {
    ended(fetch_all!(conn, EndedRow, END_SOME_OF_APP, app.as_str(), at.as_micros(), by.as_str(), after.0, limit)?)
}

/// Ends a connection, and with it whatever was issued from it. `None` where it was not alive.
pub async fn end(conn: &mut Conn, id: ConnectionId, at: Timestamp, by: EndedBy) -> Result<Option<Ended>, StoreError> {
    fetch_optional!(conn, EndedRow, END, id.0, at.as_micros(), by.as_str())?.map(Ended::try_from).transpose()
}

/// Lets a connection's time be over. `false` where it was, or the connection has ended.
pub async fn expire(conn: &mut Conn, id: ConnectionId, at: Timestamp) -> Result<bool, StoreError> {
    Ok(execute!(conn, EXPIRE, id.0, at.as_micros())? == 1)
}

/// Ends each connection of a user.
pub async fn end_all_of_user(
    conn: &mut Conn,
    user: UserId,
    at: &Moments,
    by: EndedBy,
) -> Result<Vec<Ended>, StoreError> {
    let mut rows = Vec::new();
    for (app, at) in &at.apart {
        rows.extend(fetch_all!(conn, EndedRow, END_OF_USER_AT, user.0, at.as_micros(), by.as_str(), app.as_str())?);
    }
    rows.extend(fetch_all!(conn, EndedRow, END_OF_USER, user.0, at.server.as_micros(), by.as_str())?);
    ended(rows)
}

/// The first `limit` that nobody ended, whose time was over by `now`, and of which that was not told.
pub async fn list_expired(
    conn: &mut Conn,
    app: Option<&AppId>,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Ended>, StoreError> {
    ended(fetch_all!(conn, EndedRow, LIST_EXPIRED, now.as_micros(), app.map_or("", AppId::as_str), limit)?)
}

/// Notes that the ends of these are told; answers those of which it was not noted before.
pub async fn note_expiry_told(conn: &mut Conn, expired: &[Ended]) -> Result<Vec<Ended>, StoreError> {
    let mut noted = Vec::with_capacity(expired.len());
    for one in expired {
        if execute!(conn, NOTE_EXPIRY_TOLD, one.id.0)? == 1 {
            noted.push(one.clone());
        }
    }
    Ok(noted)
}

/// Writes the end of a connection whose time is over, so that a new one may take its place.
pub async fn end_expired(conn: &mut Conn, user: UserId, app: &AppId, now: Timestamp) -> Result<Vec<Ended>, StoreError> {
    ended(fetch_all!(conn, EndedRow, END_EXPIRED, user.0, app.as_str(), now.as_micros(), EndedBy::Expiry.as_str())?)
}

/// Writes down when connections were last used. On PostgreSQL those that another transaction holds are left out: the
/// next use is noted again.
pub async fn set_last_used(conn: &mut Conn, noted: &[(ConnectionId, Timestamp)]) -> Result<(), StoreError> {
    if let Some(c) = conn.postgres() {
        let (ids, at): (Vec<Uuid>, Vec<i64>) = noted.iter().map(|(id, at)| (id.0, at.as_micros())).unzip();
        sqlx::query(SET_LAST_USED_ON_POSTGRES).bind(ids).bind(at).execute(c).await?;
        return Ok(());
    }
    for (id, at) in noted {
        execute!(conn, SET_LAST_USED, id.0, at.as_micros())?;
    }
    Ok(())
}

/// Ends those that live and are of an application that no webhook is told of, each with its event; answers whose they
/// were. `None` for the others, of which nothing is changed.
pub async fn end_untold(conn: &mut Conn, ends: &[EndByClient]) -> Result<Vec<Option<AppId>>, StoreError> {
    let by = EndedBy::Partner.as_str();
    let Some(c) = conn.postgres() else {
        let mut all = Vec::with_capacity(ends.len());
        for end in ends {
            all.push(end_one_untold(conn, end, by).await?);
        }
        return Ok(all);
    };
    let events = || ends.iter().map(|end| &end.event);
    let rows: Vec<(Uuid, String)> = sqlx::query_as(END_UNTOLD_ON_POSTGRES)
        .bind(ends.iter().map(|end| end.connection.0).collect::<Vec<_>>())
        .bind(ends.iter().map(|end| end.now.as_micros()).collect::<Vec<_>>())
        .bind(events().map(|event| event.id.0).collect::<Vec<_>>())
        .bind(events().map(|event| event.at.as_micros()).collect::<Vec<_>>())
        .bind(events().map(|event| event.from.map(|address| address.to_string())).collect::<Vec<_>>())
        .bind(by)
        .bind(Action::ConnectionEnded.as_str())
        .bind(Actor::Client { id: None }.kind())
        .bind(TargetKind::Connection.as_str())
        .fetch_all(c)
        .await?;
    let ended: HashMap<Uuid, String> = rows.into_iter().collect();
    let app = |end: &EndByClient| ended.get(&end.event.id.0).map(|app| AppId::parse(app)).transpose();
    ends.iter().map(|end| app(end).map_err(corrupt("connections.app_id"))).collect()
}

async fn end_one_untold(conn: &mut Conn, end: &EndByClient, by: &str) -> Result<Option<AppId>, StoreError> {
    let ended: Option<(String,)> =
        fetch_optional!(conn, (String,), END_UNTOLD, end.connection.0, end.now.as_micros(), by)?;
    let Some((app,)) = ended else { return Ok(None) };
    let app = AppId::parse(&app).map_err(corrupt("connections.app_id"))?;
    let mut event = end.event.clone();
    event.actor = Actor::Client { id: Some(app.clone()) };
    event.target.name = apps::name(conn, &app).await?.unwrap_or_default();
    events::record(conn, &event).await?;
    Ok(Some(app))
}

/// The e-mail addresses of those users whose connections these are.
pub async fn emails(conn: &mut Conn, ids: &[ConnectionId]) -> Result<Vec<(ConnectionId, String)>, StoreError> {
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        let row: Option<(String,)> = fetch_optional!(conn, (String,), EMAIL, id.0)?;
        found.extend(row.map(|(email,)| (*id, email)));
    }
    Ok(found)
}
