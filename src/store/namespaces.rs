//! The namespaces that are schemas of this PostgreSQL, listed so that every node finds them, and any can clear away what
//! another one left. Their times are the machine's.

use sqlx::AssertSqlSafe;

use super::conn::{Conn, execute, fetch_all, fetch_optional, row, statements};
use super::convert::{corrupt, time};
use super::error::StoreError;
use crate::domain::namespace::{Namespace, NamespaceId};
use crate::domain::timestamp::Timestamp;

statements! {
    LIST = "SELECT id, created_at, expires_at FROM namespaces WHERE expires_at > $1 ORDER BY created_at, id";
    LIST_OVER = "SELECT id, created_at, expires_at FROM namespaces WHERE expires_at <= $1 ORDER BY expires_at";
    FIND = "SELECT id, created_at, expires_at FROM namespaces WHERE id = $1 AND expires_at > $2";
    INSERT = "INSERT INTO namespaces (id, created_at, expires_at) \
              SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS BIGINT) \
              WHERE (SELECT COUNT(*) FROM namespaces WHERE expires_at > $2) < CAST($4 AS BIGINT)";
    DELETE = "DELETE FROM namespaces WHERE id = $1";
}

/// Two nodes that count at once would both find room for one more.
pub(super) const HOLD_ON_POSTGRES: &str = "LOCK TABLE namespaces IN SHARE ROW EXCLUSIVE MODE";

row! {
    struct Row {
        id: String,
        created_at: i64,
        expires_at: i64,
    }
}

impl TryFrom<Row> for Namespace {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: NamespaceId::parse(&row.id).ok_or("malformed").map_err(corrupt("namespaces.id"))?,
            created_at: time(row.created_at),
            expires_at: time(row.expires_at),
        })
    }
}

/// Those that are not over, oldest first.
pub async fn list(conn: &mut Conn, now: Timestamp) -> Result<Vec<Namespace>, StoreError> {
    fetch_all!(conn, Row, LIST, now.as_micros())?.into_iter().map(Namespace::try_from).collect()
}

/// Those that are over, and have not been deleted yet.
pub async fn list_over(conn: &mut Conn, now: Timestamp) -> Result<Vec<Namespace>, StoreError> {
    fetch_all!(conn, Row, LIST_OVER, now.as_micros())?.into_iter().map(Namespace::try_from).collect()
}

/// `None` also where it is over.
pub async fn find(conn: &mut Conn, id: &NamespaceId, now: Timestamp) -> Result<Option<Namespace>, StoreError> {
    fetch_optional!(conn, Row, FIND, id.as_str(), now.as_micros())?.map(Namespace::try_from).transpose()
}

/// Lists a namespace and makes its schema. `false` where there are `limit` already.
pub async fn insert(conn: &mut Conn, namespace: &Namespace, limit: usize) -> Result<bool, StoreError> {
    let (created_at, expires_at) = (namespace.created_at.as_micros(), namespace.expires_at.as_micros());
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    on_postgres(conn, HOLD_ON_POSTGRES.to_owned()).await?;
    if execute!(conn, INSERT, namespace.id.as_str(), created_at, expires_at, limit)? == 0 {
        return Ok(false);
    }
    on_postgres(conn, format!("CREATE SCHEMA {}", schema(&namespace.id))).await?;
    Ok(true)
}

/// Drops a namespace's schema with all that is in it, and strikes it off the list. `false` where another node did.
pub async fn delete(conn: &mut Conn, id: &NamespaceId) -> Result<bool, StoreError> {
    if execute!(conn, DELETE, id.as_str())? == 0 {
        return Ok(false);
    }
    on_postgres(conn, format!("DROP SCHEMA IF EXISTS {} CASCADE", schema(id))).await?;
    Ok(true)
}

/// The schema that a namespace lives in. Its id needs no quotes.
pub(super) fn schema(id: &NamespaceId) -> String {
    format!("leadgate_ns_{id}")
}

async fn on_postgres(conn: &mut Conn, statement: String) -> Result<(), StoreError> {
    if let Some(c) = conn.postgres() {
        sqlx::query(AssertSqlSafe(statement)).execute(c).await?;
    }
    Ok(())
}
