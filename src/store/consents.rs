//! What users have allowed.

use uuid::Uuid;

use super::conn::{Conn, execute, fetch_all, row, statements};
use super::convert::{corrupt, time};
use super::error::StoreError;
use crate::domain::connection::{ConnectionState, EndedBy};
use crate::domain::consent::{Consent, Through};
use crate::domain::ids::{AppId, ConnectionId, ConsentId, UserId};
use crate::domain::scope::ScopeSet;

statements! {
    INSERT = "INSERT INTO consents (id, user_id, app_id, app_name, connection_id, scopes, through, given_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    /// Newest first, each with what became of its connection.
    LIST = "SELECT k.id, k.user_id, k.app_id, k.app_name, k.connection_id, k.scopes, k.through, k.given_at, \
            c.id AS found, c.ended_at, c.ended_by, c.expires_at \
            FROM consents k LEFT JOIN connections c ON c.id = k.connection_id \
            WHERE k.user_id = $1 AND (k.id < $2 OR $2 IS NULL) ORDER BY k.id DESC LIMIT $3";
}

row! {
    struct Row {
        id: Uuid,
        user_id: Uuid,
        app_id: String,
        app_name: String,
        connection_id: Uuid,
        scopes: String,
        through: String,
        given_at: i64,
        found: Option<Uuid>,
        ended_at: Option<i64>,
        ended_by: Option<String>,
        expires_at: Option<i64>,
    }
}

impl Row {
    /// `None` where the connection is gone with its application.
    fn connection(&self) -> Result<Option<ConnectionState>, StoreError> {
        if self.found.is_none() {
            return Ok(None);
        }
        let by = self.ended_by.as_deref().map(EndedBy::parse);
        match (self.ended_at, by, self.expires_at) {
            (Some(at), Some(Some(by)), _) => Ok(Some(ConnectionState::Ended { at: time(at), by })),
            (None, None, Some(at)) => Ok(Some(ConnectionState::Expiring { at: time(at) })),
            (None, None, None) => Ok(Some(ConnectionState::Active)),
            _ => Err(StoreError::Corrupt("connections: ended_at and ended_by disagree".into())),
        }
    }
}

impl TryFrom<Row> for Consent {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: ConsentId(row.id),
            user: UserId(row.user_id),
            app: AppId::parse(&row.app_id).map_err(corrupt("consents.app_id"))?,
            app_name: row.app_name,
            connection: ConnectionId(row.connection_id),
            scopes: ScopeSet::parse(&row.scopes).map_err(corrupt("consents.scopes"))?,
            through: Through::parse(&row.through).ok_or("unknown").map_err(corrupt("consents.through"))?,
            given_at: time(row.given_at),
        })
    }
}

pub async fn insert(conn: &mut Conn, consent: &Consent) -> Result<(), StoreError> {
    execute!(
        conn,
        INSERT,
        consent.id.0,
        consent.user.0,
        consent.app.as_str(),
        consent.app_name.as_str(),
        consent.connection.0,
        consent.scopes.to_string(),
        consent.through.as_str(),
        consent.given_at.as_micros(),
    )
    .map(|_| ())
}

/// A user's newest `limit`, of those before this one, each with the state of its connection; `None`: that is gone.
pub async fn list(
    conn: &mut Conn,
    user: UserId,
    before: Option<ConsentId>,
    limit: i64,
) -> Result<Vec<(Consent, Option<ConnectionState>)>, StoreError> {
    let rows = fetch_all!(conn, Row, LIST, user.0, before.map(|id| id.0), limit)?;
    rows.into_iter()
        .map(|row| {
            let connection = row.connection()?;
            Ok((Consent::try_from(row)?, connection))
        })
        .collect()
}
