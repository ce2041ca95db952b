//! Grants of the standard flows, each with its family of refresh tokens.

use uuid::Uuid;

use super::conn::{Conn, execute, fetch_optional, row, statements};
use super::convert::{corrupt, ended, optional_time, time};
use super::error::StoreError;
use super::sweep::Sweep;
use crate::domain::connection::EndedBy;
use crate::domain::grant::{Grant, GrantEnd};
use crate::domain::ids::{AccessTokenId, AppId, ConnectionId, GrantId};
use crate::domain::resource::Resource;
use crate::domain::scope::ScopeSet;
use crate::domain::timestamp::Timestamp;

statements! {
    FIND = "SELECT g.id, g.connection_id, g.app_id, g.scopes, g.resource, g.dpop_jkt, g.auth_time, g.created_at, \
            g.renewable_until, g.expires_at, g.generation, g.replayable, g.access_token_id, g.used_at, g.ended_at, \
            g.ended_by, c.user_id, c.expires_at AS connection_expires_at, c.ended_at AS connection_ended_at, \
            c.ended_by AS connection_ended_by \
            FROM grants g JOIN connections c ON c.id = g.connection_id WHERE g.id = $1";
    /// Changes nothing, but makes two that present tokens of one grant take turns.
    HOLD = "UPDATE grants SET generation = generation WHERE id = $1";
    INSERT = "INSERT INTO grants (id, connection_id, app_id, scopes, resource, dpop_jkt, auth_time, created_at, \
              renewable_until, expires_at, generation, access_token_id) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    RENEW = "UPDATE grants SET generation = $2, replayable = $3, access_token_id = $4, used_at = NULL, \
             expires_at = $5, dpop_jkt = $6 WHERE id = $1";
    MARK_USED = "UPDATE grants SET used_at = COALESCE(used_at, $3) \
                 WHERE id = $1 AND access_token_id = $2 AND ended_at IS NULL";
    END = "UPDATE grants SET ended_at = $2, ended_by = $3 WHERE id = $1 AND ended_at IS NULL";
    EXPIRE = "UPDATE grants SET expires_at = $2 WHERE id = $1 AND ended_at IS NULL AND expires_at > $2";
    SWEEP = "DELETE FROM grants WHERE id IN (SELECT id FROM grants WHERE expires_at < $1 AND (app_id = $3 OR $3 = '' AND app_id NOT IN (SELECT app_id FROM clocks)) LIMIT $2)";
}

row! {
    struct Row {
        id: Uuid,
        connection_id: Uuid,
        app_id: String,
        scopes: String,
        resource: Option<String>,
        dpop_jkt: Option<String>,
        auth_time: i64,
        created_at: i64,
        renewable_until: i64,
        expires_at: i64,
        generation: i64,
        replayable: Option<i64>,
        access_token_id: Uuid,
        used_at: Option<i64>,
        ended_at: Option<i64>,
        ended_by: Option<String>,
        user_id: Uuid,
        connection_expires_at: Option<i64>,
        connection_ended_at: Option<i64>,
        connection_ended_by: Option<String>,
    }
}

/// A grant with the state of the connection that it lives by.
#[derive(Debug, Clone)]
pub struct Found {
    pub grant: Grant,
    pub user: crate::domain::ids::UserId,
    pub connection_expires_at: Option<Timestamp>,
    pub connection_ended: Option<(Timestamp, EndedBy)>,
}

/// `None` also where the connection, its user or its application is gone.
pub async fn find(conn: &mut Conn, id: GrantId) -> Result<Option<Found>, StoreError> {
    let Some(row) = fetch_optional!(conn, Row, FIND, id.0)? else { return Ok(None) };
    let generation = |n: i64| u32::try_from(n).map_err(corrupt("grants.generation"));
    Ok(Some(Found {
        grant: Grant {
            id: GrantId(row.id),
            connection: ConnectionId(row.connection_id),
            app: AppId::parse(&row.app_id).map_err(corrupt("grants.app_id"))?,
            scopes: ScopeSet::parse(&row.scopes).map_err(corrupt("grants.scopes"))?,
            resource: row.resource.as_deref().map(Resource::parse).transpose().map_err(corrupt("grants.resource"))?,
            dpop_jkt: row.dpop_jkt,
            auth_time: time(row.auth_time),
            created_at: time(row.created_at),
            renewable_until: time(row.renewable_until),
            expires_at: time(row.expires_at),
            generation: generation(row.generation)?,
            replayable: row.replayable.map(generation).transpose()?,
            access_token: AccessTokenId(row.access_token_id),
            used_at: optional_time(row.used_at),
            ended: ended(row.ended_at, row.ended_by.as_deref(), GrantEnd::parse, "grants.ended_by")?,
        },
        user: crate::domain::ids::UserId(row.user_id),
        connection_expires_at: optional_time(row.connection_expires_at),
        connection_ended: ended(
            row.connection_ended_at,
            row.connection_ended_by.as_deref(),
            EndedBy::parse,
            "connections.ended_by",
        )?,
    }))
}

/// The same, and nobody else changes it until this transaction is over.
pub async fn hold(conn: &mut Conn, id: GrantId) -> Result<Option<Found>, StoreError> {
    if execute!(conn, HOLD, id.0)? == 0 {
        return Ok(None);
    }
    find(conn, id).await
}

pub async fn insert(conn: &mut Conn, grant: &Grant) -> Result<(), StoreError> {
    execute!(
        conn,
        INSERT,
        grant.id.0,
        grant.connection.0,
        grant.app.as_str(),
        grant.scopes.to_string(),
        grant.resource.as_ref().map(Resource::as_str),
        grant.dpop_jkt.as_deref(),
        grant.auth_time.as_micros(),
        grant.created_at.as_micros(),
        grant.renewable_until.as_micros(),
        grant.expires_at.as_micros(),
        i64::from(grant.generation),
        grant.access_token.0,
    )
    .map(|_| ())
}

/// Writes the next generation of a grant that this transaction holds.
pub async fn renew(conn: &mut Conn, next: &Grant) -> Result<(), StoreError> {
    execute!(
        conn,
        RENEW,
        next.id.0,
        i64::from(next.generation),
        next.replayable.map(i64::from),
        next.access_token.0,
        next.expires_at.as_micros(),
        next.dpop_jkt.as_deref(),
    )
    .map(|_| ())
}

/// Notes that this access token of the grant was used: from then on its answer was not lost. `false` where it is the
/// grant's no more: it ended as an unused successor in this very moment.
pub async fn mark_used(
    conn: &mut Conn,
    id: GrantId,
    access_token: AccessTokenId,
    at: Timestamp,
) -> Result<bool, StoreError> {
    Ok(execute!(conn, MARK_USED, id.0, access_token.0, at.as_micros())? == 1)
}

/// Ends the grant with each token of it. `false` where it was over.
pub async fn end(conn: &mut Conn, id: GrantId, at: Timestamp, why: GrantEnd) -> Result<bool, StoreError> {
    Ok(execute!(conn, END, id.0, at.as_micros(), why.as_str())? == 1)
}

/// Lets the grant's time be over. `false` where it was, or the grant has ended.
pub async fn expire(conn: &mut Conn, id: GrantId, at: Timestamp) -> Result<bool, StoreError> {
    Ok(execute!(conn, EXPIRE, id.0, at.as_micros())? == 1)
}

/// Deletes grants that have long expired.
pub async fn sweep(conn: &mut Conn, sweep: &Sweep) -> Result<u64, StoreError> {
    execute!(conn, SWEEP, sweep.before.as_micros(), sweep.limit, sweep.whose())
}
