//! Access tokens: issuing them is the hot path.

use sqlx::FromRow;
use uuid::Uuid;

use super::conn::{Conn, Driver, execute, fetch_optional, statements};
use super::convert::{corrupt, optional_time, secret_hash, time};
use super::error::StoreError;
use super::{accounts, users};
use crate::domain::access_token::AccessToken;
use crate::domain::connection::EndedBy;
use crate::domain::ids::{AccessTokenId, AppId, ConnectionId};
use crate::domain::scope::ScopeSet;
use crate::domain::secret_hash::SecretHash;
use crate::domain::timestamp::Timestamp;

statements! {
    FIND = "SELECT t.id, t.secret_hash, t.app_id, t.connection_id, t.scopes, t.expires_at, \
            c.user_id, c.expires_at AS connection_expires_at, c.ended_at, c.ended_by \
            FROM access_tokens t JOIN connections c ON c.id = t.connection_id WHERE t.id = $1";
    SWEEP = "DELETE FROM access_tokens WHERE id IN \
             (SELECT id FROM access_tokens WHERE id < $1 AND expires_at < $2 ORDER BY id LIMIT $3)";
}

/// One element for each request that waits: checked against its connection and recorded, together.
/// An element is one flat text: id, secret's hash and connection in hexadecimal (32, 64, 32 characters),
/// the moment in 20 digits, and the application's id to the end. What does not come back was refused.
pub(super) const ISSUE_ON_SQLITE: &str = "\
    INSERT INTO access_tokens (id, secret_hash, app_id, connection_id, scopes, issued_at, expires_at) \
    SELECT unhex(substr(r.value, 1, 32)), unhex(substr(r.value, 33, 64)), c.app_id, c.id, c.scopes, \
           CAST(substr(r.value, 129, 20) AS INTEGER), \
           CAST(substr(r.value, 129, 20) AS INTEGER) + c.access_token_lifetime_us \
    FROM json_each($1) AS r CROSS JOIN connections AS c \
    WHERE c.id = unhex(substr(r.value, 97, 32)) AND c.app_id = substr(r.value, 149) AND c.ended_at IS NULL \
      AND (c.expires_at IS NULL OR c.expires_at > CAST(substr(r.value, 129, 20) AS INTEGER)) \
    RETURNING id, expires_at";

/// The same with one array for each column.
pub(super) const ISSUE_ON_POSTGRES: &str = "\
    INSERT INTO access_tokens (id, secret_hash, app_id, connection_id, scopes, issued_at, expires_at) \
    SELECT r.id, r.secret_hash, c.app_id, c.id, c.scopes, r.now, r.now + c.access_token_lifetime_us \
    FROM UNNEST($1::uuid[], $2::bytea[], $3::uuid[], $4::text[], $5::bigint[]) \
         AS r (id, secret_hash, connection_id, app_id, now) \
    JOIN connections AS c ON c.id = r.connection_id AND c.app_id = r.app_id \
    WHERE c.ended_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > r.now) \
    RETURNING id, expires_at";

/// An access token to be recorded.
#[derive(Debug, Clone)]
pub struct Issue {
    pub id: AccessTokenId,
    pub secret_hash: SecretHash,
    pub connection: ConnectionId,
    /// The application that asks: the connection has to be its own.
    pub app: AppId,
    pub now: Timestamp,
}

/// An access token that was recorded.
#[derive(Debug, Clone, Copy, FromRow)]
pub struct IssuedRow {
    id: Uuid,
    expires_at: i64,
}

#[derive(Debug, Clone, Copy)]
pub struct Issued {
    pub id: AccessTokenId,
    pub expires_at: Timestamp,
}

/// Records those of `issues` whose connection lives and is the application's, in one statement.
pub async fn issue(conn: &mut Conn, issues: &[Issue]) -> Result<Vec<Issued>, StoreError> {
    let rows: Vec<IssuedRow> = match conn.driver() {
        Driver::Sqlite(c) => sqlx::query_as(ISSUE_ON_SQLITE).bind(flat(issues)).fetch_all(c).await?,
        Driver::Postgres(c) => {
            let column = |of: fn(&Issue) -> Uuid| issues.iter().map(of).collect::<Vec<Uuid>>();
            sqlx::query_as(ISSUE_ON_POSTGRES)
                .bind(column(|issue| issue.id.0))
                .bind(issues.iter().map(|issue| issue.secret_hash.0.as_slice()).collect::<Vec<_>>())
                .bind(column(|issue| issue.connection.0))
                .bind(issues.iter().map(|issue| issue.app.as_str()).collect::<Vec<_>>())
                .bind(issues.iter().map(|issue| issue.now.as_micros()).collect::<Vec<_>>())
                .fetch_all(c)
                .await?
        }
    };
    Ok(rows.into_iter().map(|row| Issued { id: AccessTokenId(row.id), expires_at: time(row.expires_at) }).collect())
}

/// The batch as one JSON array of flat texts. None of them needs escaping: hexadecimal, digits, and an
/// application id, whose alphabet is plain.
fn flat(issues: &[Issue]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(issues.len() * 216 + 2);
    text.push('[');
    for (i, issue) in issues.iter().enumerate() {
        if i > 0 {
            text.push(',');
        }
        text.push('"');
        push_hex(&mut text, issue.id.0.as_bytes());
        push_hex(&mut text, &issue.secret_hash.0);
        push_hex(&mut text, issue.connection.0.as_bytes());
        write!(text, "{:020}{}\"", issue.now.as_micros(), issue.app).expect("writing to a String cannot fail");
    }
    text.push(']');
    text
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)] as char);
        text.push(DIGITS[usize::from(byte & 15)] as char);
    }
}

#[derive(FromRow)]
struct FoundRow {
    id: Uuid,
    secret_hash: Vec<u8>,
    app_id: String,
    connection_id: Uuid,
    scopes: String,
    expires_at: i64,
    user_id: Uuid,
    connection_expires_at: Option<i64>,
    ended_at: Option<i64>,
    ended_by: Option<String>,
}

/// An access token's row, dead or alive, with the hash that a bearer's secret has to match.
#[derive(Debug, Clone)]
pub struct Found {
    pub secret_hash: SecretHash,
    pub token: AccessToken,
    pub connection_expires_at: Option<Timestamp>,
    pub connection_ended: Option<(Timestamp, EndedBy)>,
}

/// `None` also where the connection, its user or its application is gone.
pub async fn find(conn: &mut Conn, id: AccessTokenId) -> Result<Option<Found>, StoreError> {
    let Some(row) = fetch_optional!(conn, FoundRow, FIND, id.0)? else { return Ok(None) };
    let Some(user) = users::find(conn, crate::domain::ids::UserId(row.user_id)).await? else { return Ok(None) };
    let Some(account) = accounts::find(conn, &user.account).await? else { return Ok(None) };
    let ended_by = row.ended_by.as_deref().and_then(EndedBy::parse);
    Ok(Some(Found {
        secret_hash: secret_hash(&row.secret_hash)?,
        token: AccessToken {
            id: AccessTokenId(row.id),
            app: AppId::parse(&row.app_id).map_err(corrupt("access_tokens.app_id"))?,
            connection: ConnectionId(row.connection_id),
            scopes: ScopeSet::parse(&row.scopes).map_err(corrupt("access_tokens.scopes"))?,
            expires_at: time(row.expires_at),
            user,
            account,
        },
        connection_expires_at: optional_time(row.connection_expires_at),
        connection_ended: optional_time(row.ended_at).zip(ended_by),
    }))
}

/// Deletes at most `limit` tokens that had expired by `expired_before`; `below` bounds the search to ids
/// of a time at which nothing that still lives can have been issued.
pub async fn sweep(conn: &mut Conn, below: Uuid, expired_before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    execute!(conn, SWEEP, below, expired_before.as_micros(), limit)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_batch_is_a_json_array_of_flat_texts() {
        let issue = Issue {
            id: AccessTokenId(Uuid::from_u128(1)),
            secret_hash: SecretHash([0xab; 32]),
            connection: ConnectionId(Uuid::from_u128(2)),
            app: AppId::parse("app.1").unwrap(),
            now: Timestamp::from_micros(1_795_342_530_000_000),
        };
        let parsed: Vec<Value> = serde_json::from_str(&flat(&[issue.clone(), issue])).unwrap();
        let text = parsed[1].as_str().unwrap();
        assert_eq!(&text[..32], "00000000000000000000000000000001");
        assert_eq!(&text[128..148], "00001795342530000000");
        assert_eq!(&text[148..], "app.1");
        assert_eq!(flat(&[]), "[]");
    }
}
