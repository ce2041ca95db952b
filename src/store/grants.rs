//! Grants of the standard flows, each with its family of refresh tokens.

use std::collections::HashMap;

use uuid::Uuid;

use super::access_tokens::Issued;
use super::apps::Revision;
use super::conn::{Conn, execute, fetch_optional, row, statements};
use super::convert::{corrupt, ended, optional_time, time};
use super::error::{Outage, StoreError};
use super::sweep::Sweep;
use super::users;
use crate::domain::connection::EndedBy;
use crate::domain::grant::{Grant, GrantEnd, REFRESH_IDLE};
use crate::domain::ids::{AccessTokenId, AppId, ConnectionId, GrantId};
use crate::domain::resource::Resource;
use crate::domain::scope::ScopeSet;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::User;

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
    /// What a plain refresh goes on from, with its user.
    FIND_RENEWABLE = "SELECT g.id, g.connection_id, g.app_id, g.scopes, g.auth_time, g.created_at, g.renewable_until, \
                      g.generation, c.access_token_lifetime_us, u.id AS user_id, u.account_id, u.email, u.name, u.role, u.magic, u.disabled_at, \
                      u.created_at AS user_created_at \
                      FROM grants g JOIN connections c ON c.id = g.connection_id JOIN users u ON u.id = c.user_id \
                      JOIN apps p ON p.id = g.app_id AND p.disabled_at IS NULL \
                      WHERE g.id = $1 AND g.app_id = $2 AND g.generation = $3 AND g.ended_at IS NULL \
                      AND g.expires_at > $4 AND g.resource IS NULL AND g.dpop_jkt IS NULL AND c.ended_at IS NULL \
                      AND (c.expires_at IS NULL OR c.expires_at > $4) AND p.revision = COALESCE($5, p.revision)";
    /// The access token of a grant that was found renewable.
    ISSUE_RENEWED = "INSERT INTO access_tokens (id, app_id, connection_id, grant_id, scopes, issued_at, expires_at) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7)";
    MARK_USED = "UPDATE grants SET used_at = COALESCE(used_at, $3) \
                 WHERE id = $1 AND access_token_id = $2 AND ended_at IS NULL";
    END = "UPDATE grants SET ended_at = $2, ended_by = $3 WHERE id = $1 AND ended_at IS NULL";
    EXPIRE = "UPDATE grants SET expires_at = $2 WHERE id = $1 AND ended_at IS NULL AND expires_at > $2";
    SWEEP = "DELETE FROM grants WHERE id IN (SELECT id FROM grants WHERE expires_at < $1 AND (app_id = $3 OR $3 = '' AND app_id NOT IN (SELECT app_id FROM clocks)) LIMIT $2)";
}

/// Moves those of a batch on by one generation, and records the access token of each, in one statement. Of two that
/// present the same refresh token one is served, which its access token's id tells. A grant that another transaction
/// holds is left out, for its request to wait alone. `MATERIALIZED`: all are held before any is moved on.
pub(super) const RENEW_ON_POSTGRES: &str = "\
    WITH held AS MATERIALIZED ( \
        SELECT a.* FROM UNNEST($1::uuid[], $2::text[], $3::bigint[], $4::uuid[], $5::text[], $6::bigint[], $8::uuid[]) \
               AS a (id, app_id, generation, token, permitted, now, app_revision) \
             CROSS JOIN LATERAL (SELECT FROM grants WHERE id = a.id FOR NO KEY UPDATE SKIP LOCKED) AS g), \
    renewed AS (UPDATE grants g SET generation = g.generation + 1, replayable = a.generation, access_token_id = a.token, \
                used_at = NULL, expires_at = LEAST(g.renewable_until, a.now + $7) \
                FROM held a, connections c, apps p \
                WHERE g.id = a.id AND c.id = g.connection_id AND p.id = g.app_id AND p.disabled_at IS NULL \
                AND g.app_id = a.app_id AND g.generation = a.generation AND g.ended_at IS NULL AND g.expires_at > a.now \
                AND g.resource IS NULL AND g.dpop_jkt IS NULL AND c.ended_at IS NULL \
                AND (c.expires_at IS NULL OR c.expires_at > a.now) \
                AND p.revision = COALESCE(a.app_revision, p.revision) \
                AND string_to_array(g.scopes, ' ') <@ string_to_array(a.permitted, ' ') \
                RETURNING g.id, g.connection_id, g.app_id, g.scopes, g.auth_time, g.created_at, g.renewable_until, \
                g.generation, a.token, a.now, c.user_id, c.access_token_lifetime_us), \
    issued AS (INSERT INTO access_tokens (id, app_id, connection_id, grant_id, scopes, issued_at, expires_at) \
               SELECT token, app_id, connection_id, id, scopes, now, now + access_token_lifetime_us FROM renewed) \
    SELECT r.token, r.now + r.access_token_lifetime_us AS token_expires_at, \
           r.id, r.connection_id, r.app_id, r.scopes, r.auth_time, r.created_at, r.renewable_until, \
           r.generation - 1 AS generation, r.access_token_lifetime_us, r.user_id, u.account_id, u.email, u.name, u.role, u.magic, u.disabled_at, \
           u.created_at AS user_created_at \
    FROM renewed r JOIN users u ON u.id = r.user_id";

/// A refresh that asks for nothing but the next tokens, and proves no key.
#[derive(Debug, Clone)]
pub struct Renewal {
    pub grant: GrantId,
    pub app: AppId,
    /// Of the refresh token that is presented.
    pub generation: u32,
    /// The access token that will go with the next one.
    pub access_token: AccessTokenId,
    /// What the application may have of a user.
    pub permitted: ScopeSet,
    /// Where the application was judged as it is remembered: what its row has to be like still.
    pub app_revision: Option<Revision>,
    pub now: Timestamp,
}

/// A grant as it stands after a [`Renewal`].
#[derive(Debug, Clone)]
pub struct Renewed {
    pub grant: Grant,
    pub user: User,
    pub issued: Issued,
}

row! {
    struct RenewableRow {
        id: Uuid,
        connection_id: Uuid,
        app_id: String,
        scopes: String,
        auth_time: i64,
        created_at: i64,
        renewable_until: i64,
        generation: i64,
        access_token_lifetime_us: i64,
        user_id: Uuid,
        account_id: String,
        email: String,
        name: String,
        role: String,
        magic: Option<String>,
        disabled_at: Option<i64>,
        user_created_at: i64,
    }
}

#[derive(sqlx::FromRow)]
struct RenewedRow {
    token: Uuid,
    token_expires_at: i64,
    #[sqlx(flatten)]
    renewable: RenewableRow,
}

impl RenewableRow {
    /// The grant after the refresh, with its user.
    fn renewed(self, renewal: &Renewal) -> Result<(Grant, User), StoreError> {
        let mut grant = Grant {
            id: GrantId(self.id),
            connection: ConnectionId(self.connection_id),
            app: AppId::parse(&self.app_id).map_err(corrupt("grants.app_id"))?,
            scopes: ScopeSet::parse(&self.scopes).map_err(corrupt("grants.scopes"))?,
            resource: None,
            dpop_jkt: None,
            auth_time: time(self.auth_time),
            created_at: time(self.created_at),
            renewable_until: time(self.renewable_until),
            expires_at: renewal.now,
            generation: u32::try_from(self.generation).map_err(corrupt("grants.generation"))?.saturating_add(1),
            replayable: Some(renewal.generation),
            access_token: renewal.access_token,
            used_at: None,
            ended: None,
        };
        grant.expires_at = grant.end_after_refresh(renewal.now);
        let user = users::Fields {
            id: self.user_id,
            account_id: self.account_id,
            email: self.email,
            name: self.name,
            role: self.role,
            magic: self.magic,
            disabled_at: self.disabled_at,
            created_at: self.user_created_at,
        };
        Ok((grant, user.try_into()?))
    }
}

/// Serves those that are plain: the grant lives, by its connection and its time, the token is its present one, and all
/// that was granted is still permitted. `None` for the others, of which nothing is changed.
pub async fn renew_plainly(
    conn: &mut Conn,
    renewals: &[Renewal],
) -> Result<Vec<Result<Option<Renewed>, StoreError>>, StoreError> {
    let Some(c) = conn.postgres() else {
        let mut all = Vec::with_capacity(renewals.len());
        for renewal in renewals {
            all.push(Ok(renew_one_plainly(conn, renewal).await?));
        }
        return Ok(all);
    };
    let idle = i64::try_from(REFRESH_IDLE.as_micros()).unwrap_or(i64::MAX);
    let rows: Vec<RenewedRow> = sqlx::query_as(RENEW_ON_POSTGRES)
        .bind(renewals.iter().map(|renewal| renewal.grant.0).collect::<Vec<_>>())
        .bind(renewals.iter().map(|renewal| renewal.app.as_str()).collect::<Vec<_>>())
        .bind(renewals.iter().map(|renewal| i64::from(renewal.generation)).collect::<Vec<_>>())
        .bind(renewals.iter().map(|renewal| renewal.access_token.0).collect::<Vec<_>>())
        .bind(renewals.iter().map(|renewal| renewal.permitted.to_string()).collect::<Vec<_>>())
        .bind(renewals.iter().map(|renewal| renewal.now.as_micros()).collect::<Vec<_>>())
        .bind(idle)
        .bind(renewals.iter().map(|renewal| renewal.app_revision.map(|it| it.0)).collect::<Vec<_>>())
        .fetch_all(c)
        .await?;
    let mut served: HashMap<Uuid, RenewedRow> = rows.into_iter().map(|row| (row.token, row)).collect();
    let own = |renewal: &Renewal| {
        let Some(row) = served.remove(&renewal.access_token.0) else { return Ok(None) };
        let issued = Issued { id: renewal.access_token, expires_at: time(row.token_expires_at) };
        let (grant, user) = row.renewable.renewed(renewal)?;
        Ok(Some(Renewed { grant, user, issued }))
    };
    // A row that cannot be read is one request's trouble: the others' grants have moved on.
    Ok(renewals.iter().map(own).collect())
}

/// Nobody else writes meanwhile. Where it fails, nothing was written, or all that is written together is lost.
async fn renew_one_plainly(conn: &mut Conn, renewal: &Renewal) -> Result<Option<Renewed>, StoreError> {
    let (generation, now) = (i64::from(renewal.generation), renewal.now.as_micros());
    let revision = renewal.app_revision.map(|revision| revision.0);
    let found: Option<RenewableRow> = fetch_optional!(
        conn,
        RenewableRow,
        FIND_RENEWABLE,
        renewal.grant.0,
        renewal.app.as_str(),
        generation,
        now,
        revision
    )?;
    let Some(found) = found else { return Ok(None) };
    let lifetime = found.access_token_lifetime_us;
    let (grant, user) = found.renewed(renewal)?;
    if !renewal.permitted.covers(&grant.scopes) {
        return Ok(None);
    }
    let expires_at = now.saturating_add(lifetime);
    let (connection, scopes) = (grant.connection.0, grant.scopes.to_string());
    execute!(
        conn,
        ISSUE_RENEWED,
        grant.access_token.0,
        renewal.app.as_str(),
        connection,
        grant.id.0,
        scopes,
        now,
        expires_at
    )?;
    let issued = Issued { id: renewal.access_token, expires_at: time(expires_at) };
    // The token is there: what fails now is undone with all that is written together.
    renew(conn, &grant).await.map_err(|why| StoreError::Unavailable(Outage::Busy, why.to_string()))?;
    Ok(Some(Renewed { grant, user, issued }))
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
