//! Authorization codes of the standard grant: consumed once, by one statement.

use uuid::Uuid;

use super::conn::{Conn, execute, fetch_optional, row, statements};
use super::convert::{corrupt, optional_time, secret_hash, time};
use super::error::StoreError;
use super::sweep::Sweep;
use crate::domain::authorization_code::AuthorizationCode;
use crate::domain::ids::{AppId, AuthorizationCodeId, ConnectionId, GrantId};
use crate::domain::pkce::CodeChallenge;
use crate::domain::resource::Resource;
use crate::domain::scope::ScopeSet;
use crate::domain::secret_hash::SecretHash;
use crate::domain::timestamp::Timestamp;

statements! {
    FIND = "SELECT id, secret_hash, app_id, connection_id, redirect_uri, redirect_uri_given, scopes, resource, nonce, \
            code_challenge, dpop_jkt, auth_time, expires_at, consumed_at, grant_id \
            FROM authorization_codes WHERE id = $1";
    INSERT = "INSERT INTO authorization_codes (id, secret_hash, app_id, connection_id, redirect_uri, \
              redirect_uri_given, scopes, resource, nonce, code_challenge, dpop_jkt, auth_time, expires_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    CONSUME = "UPDATE authorization_codes SET consumed_at = $2, grant_id = $3 WHERE id = $1 AND consumed_at IS NULL";
    SWEEP = "DELETE FROM authorization_codes WHERE id IN \
             (SELECT id FROM authorization_codes WHERE id < $1 AND expires_at < $2 AND (app_id = $4 OR $4 = '' AND app_id NOT IN (SELECT app_id FROM clocks)) ORDER BY id LIMIT $3)";
}

row! {
    struct Row {
        id: Uuid,
        secret_hash: Vec<u8>,
        app_id: String,
        connection_id: Uuid,
        redirect_uri: String,
        redirect_uri_given: i64,
        scopes: String,
        resource: Option<String>,
        nonce: Option<String>,
        code_challenge: Option<String>,
        dpop_jkt: Option<String>,
        auth_time: i64,
        expires_at: i64,
        consumed_at: Option<i64>,
        grant_id: Option<Uuid>,
    }
}

#[derive(Debug, Clone)]
pub struct Found {
    pub code: AuthorizationCode,
    pub secret_hash: SecretHash,
    pub consumed_at: Option<Timestamp>,
    /// What was issued for it.
    pub grant: Option<GrantId>,
}

pub async fn find(conn: &mut Conn, id: AuthorizationCodeId) -> Result<Option<Found>, StoreError> {
    let Some(row) = fetch_optional!(conn, Row, FIND, id.0)? else { return Ok(None) };
    Ok(Some(Found {
        code: AuthorizationCode {
            id: AuthorizationCodeId(row.id),
            app: AppId::parse(&row.app_id).map_err(corrupt("authorization_codes.app_id"))?,
            connection: ConnectionId(row.connection_id),
            redirect_uri: row.redirect_uri,
            redirect_uri_given: row.redirect_uri_given != 0,
            scopes: ScopeSet::parse(&row.scopes).map_err(corrupt("authorization_codes.scopes"))?,
            resource: row
                .resource
                .as_deref()
                .map(Resource::parse)
                .transpose()
                .map_err(corrupt("authorization_codes.resource"))?,
            nonce: row.nonce,
            code_challenge: row
                .code_challenge
                .as_deref()
                .map(CodeChallenge::parse)
                .transpose()
                .map_err(corrupt("authorization_codes.code_challenge"))?,
            dpop_jkt: row.dpop_jkt,
            auth_time: time(row.auth_time),
            expires_at: time(row.expires_at),
        },
        secret_hash: secret_hash(&row.secret_hash)?,
        consumed_at: optional_time(row.consumed_at),
        grant: row.grant_id.map(GrantId),
    }))
}

pub async fn insert(conn: &mut Conn, code: &AuthorizationCode, secret: &SecretHash) -> Result<(), StoreError> {
    execute!(
        conn,
        INSERT,
        code.id.0,
        secret.0.as_slice(),
        code.app.as_str(),
        code.connection.0,
        code.redirect_uri.as_str(),
        i64::from(code.redirect_uri_given),
        code.scopes.to_string(),
        code.resource.as_ref().map(Resource::as_str),
        code.nonce.as_deref(),
        code.code_challenge.as_ref().map(CodeChallenge::as_str),
        code.dpop_jkt.as_deref(),
        code.auth_time.as_micros(),
        code.expires_at.as_micros(),
    )
    .map(|_| ())
}

/// `true` for exactly one caller; `grant` is what will be issued for it, so that a second presentation can
/// end that.
pub async fn consume(
    conn: &mut Conn,
    id: AuthorizationCodeId,
    at: Timestamp,
    grant: GrantId,
) -> Result<bool, StoreError> {
    Ok(execute!(conn, CONSUME, id.0, at.as_micros(), grant.0)? == 1)
}

/// Deletes codes that have long expired.
pub async fn sweep(conn: &mut Conn, sweep: &Sweep) -> Result<u64, StoreError> {
    execute!(conn, SWEEP, sweep.below, sweep.before.as_micros(), sweep.limit, sweep.whose())
}
