//! Access tokens: issuing them is the hot path, and there is one way to do it.

use std::collections::HashMap;
use std::rc::Rc;

use rusqlite::types::Value;
use rusqlite::vtab::array::Array;
use serde::Serialize;
use uuid::Uuid;

use super::apps::Revision;
use super::conn::{Conn, Driver, execute, fetch_optional, row, statements};
use super::convert::{corrupt, ended, optional_time, secret_hash, time};
use super::error::{Outage, StoreError};
use super::sweep::Sweep;
use super::{lane, sqlite};
use crate::domain::access_token::{AccessToken, Subject};
use crate::domain::account::Account;
use crate::domain::connection::{ACCESS_TOKEN_LIFETIME, EndedBy};
use crate::domain::email::Email;
use crate::domain::grant::GrantEnd;
use crate::domain::ids::{AccessTokenId, AccountId, AppId, ConnectionId, GrantId, UserId};
use crate::domain::resource::Resource;
use crate::domain::role::Role;
use crate::domain::scope::ScopeSet;
use crate::domain::secret_hash::SecretHash;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::{User, UserState};

/// The token with whatever its life hangs on, in one look.
macro_rules! find {
    ($which:literal) => {
        concat!(
            "SELECT t.id, t.secret_hash, t.app_id, t.connection_id, t.grant_id, t.scopes, t.resource, t.dpop_jkt, \
             t.issued_at, t.expires_at, t.revoked_at, \
             c.expires_at AS connection_expires_at, c.ended_at AS connection_ended_at, \
             c.ended_by AS connection_ended_by, \
             g.access_token_id AS grant_access_token_id, g.replayable AS grant_replayable, g.used_at AS grant_used_at, g.ended_at AS grant_ended_at, \
             g.ended_by AS grant_ended_by, \
             u.id AS user_id, u.email, u.name AS user_name, u.role, u.disabled_at, u.created_at AS user_created_at, a.disabled_at AS app_disabled_at, a.revision AS app_revision, \
             ac.id AS account_id, ac.name AS account_name \
             FROM access_tokens t JOIN apps a ON a.id = t.app_id \
             LEFT JOIN connections c ON c.id = t.connection_id LEFT JOIN grants g ON g.id = t.grant_id \
             LEFT JOIN users u ON u.id = CASE WHEN t.connection_id IS NULL THEN a.owner_id ELSE c.user_id END \
             LEFT JOIN accounts ac ON ac.id = u.account_id WHERE ",
            $which
        )
    };
}

statements! {
    FIND = find!("t.id = $1");
    LIMIT = "UPDATE access_tokens SET scopes = $2, expires_at = COALESCE($3, expires_at) WHERE id = $1";
    EXPIRE = "UPDATE access_tokens SET expires_at = $2 WHERE id = $1 AND revoked_at IS NULL AND expires_at > $2";
    REVOKE = "UPDATE access_tokens SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
    REVOKE_OWN_OF_APP = "UPDATE access_tokens SET revoked_at = $2 \
                         WHERE app_id = $1 AND connection_id IS NULL AND revoked_at IS NULL";
    SWEEP = "DELETE FROM access_tokens WHERE id IN \
             (SELECT id FROM access_tokens WHERE id < $1 AND expires_at < $2 AND (app_id = $4 OR $4 = '' AND app_id NOT IN (SELECT app_id FROM clocks)) ORDER BY id LIMIT $3)";
}

pub(super) const FIND_MANY_ON_POSTGRES: &str = find!("t.id = ANY($1)");

/// One element for each request that waits: checked against its connection and recorded, together.
/// An element is one row of bytes: id (16), secret's hash (32), connection (16), the moment in 20 digits, and the
/// application's id to the end. What does not come back was refused.
pub(super) const ISSUE_ON_SQLITE: &str = "\
    INSERT INTO access_tokens (id, secret_hash, app_id, connection_id, scopes, issued_at, expires_at) \
    SELECT substr(r.value, 1, 16), substr(r.value, 17, 32), c.app_id, c.id, c.sign_in_scopes, \
           CAST(substr(r.value, 65, 20) AS INTEGER), \
           CAST(substr(r.value, 65, 20) AS INTEGER) + c.access_token_lifetime_us \
    FROM rarray($1) AS r CROSS JOIN connections AS c \
    WHERE c.id = substr(r.value, 49, 16) AND c.app_id = CAST(substr(r.value, 85) AS TEXT) AND c.ended_at IS NULL \
      AND (c.expires_at IS NULL OR c.expires_at > CAST(substr(r.value, 65, 20) AS INTEGER)) \
    RETURNING id, expires_at";

/// The same with one array for each column.
pub(super) const ISSUE_ON_POSTGRES: &str = "\
    INSERT INTO access_tokens (id, secret_hash, app_id, connection_id, scopes, issued_at, expires_at) \
    SELECT r.id, r.secret_hash, c.app_id, c.id, c.sign_in_scopes, r.now, r.now + c.access_token_lifetime_us \
    FROM UNNEST($1::uuid[], $2::bytea[], $3::uuid[], $4::text[], $5::bigint[]) \
         AS r (id, secret_hash, connection_id, app_id, now) \
    JOIN connections AS c ON c.id = r.connection_id AND c.app_id = r.app_id \
    WHERE c.ended_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > r.now) \
    RETURNING id, expires_at";

/// The same for tokens of the standard grants, which say themselves what they are for. Those of a user hang
/// on a connection, those of a client on nothing but the application. An element is a JSON array.
pub(super) const ISSUE_GRANTED_ON_SQLITE: &str = "\
    INSERT INTO access_tokens \
           (id, app_id, connection_id, grant_id, scopes, resource, dpop_jkt, issued_at, expires_at) \
    SELECT unhex(r.value ->> 0), a.id, c.id, unhex(r.value ->> 3), r.value ->> 4, r.value ->> 5, r.value ->> 6, \
           r.value ->> 7, (r.value ->> 7) + COALESCE(c.access_token_lifetime_us, r.value ->> 8) \
    FROM rarray($1) AS r JOIN apps AS a ON a.id = r.value ->> 1 \
         LEFT JOIN connections AS c ON c.id = unhex(r.value ->> 2) AND c.app_id = a.id AND c.ended_at IS NULL \
                   AND (c.expires_at IS NULL OR c.expires_at > r.value ->> 7) \
    WHERE a.disabled_at IS NULL AND (r.value ->> 2 IS NULL OR c.id IS NOT NULL) \
      AND a.revision = COALESCE(unhex(r.value ->> 9), a.revision) \
    RETURNING id, expires_at";

/// The same with one array for each column.
pub(super) const ISSUE_GRANTED_ON_POSTGRES: &str = "\
    INSERT INTO access_tokens \
           (id, app_id, connection_id, grant_id, scopes, resource, dpop_jkt, issued_at, expires_at) \
    SELECT r.id, a.id, c.id, r.grant_id, r.scopes, r.resource, r.dpop_jkt, r.now, \
           r.now + COALESCE(c.access_token_lifetime_us, r.lifetime_us) \
    FROM UNNEST($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::bigint[], \
                $9::bigint[], $10::uuid[]) \
         AS r (id, app_id, connection_id, grant_id, scopes, resource, dpop_jkt, now, lifetime_us, app_revision) \
    JOIN apps AS a ON a.id = r.app_id \
    LEFT JOIN connections AS c ON c.id = r.connection_id AND c.app_id = a.id AND c.ended_at IS NULL \
              AND (c.expires_at IS NULL OR c.expires_at > r.now) \
    WHERE a.disabled_at IS NULL AND (r.connection_id IS NULL OR c.id IS NOT NULL) \
      AND a.revision = COALESCE(r.app_revision, a.revision) \
    RETURNING id, expires_at";

/// An access token to be recorded.
#[derive(Debug, Clone)]
pub struct Issue {
    pub id: AccessTokenId,
    /// The application that asks: the connection has to be its own.
    pub app: AppId,
    pub now: Timestamp,
    pub kind: IssueKind,
}

#[derive(Debug, Clone)]
pub enum IssueKind {
    /// LeadExec's sign-in: an opaque token for all that was consented to by a button.
    Opaque { secret_hash: SecretHash, connection: ConnectionId },
    /// The standard grants: a signed token.
    Signed(SignedIssue),
}

/// A token of the standard grants.
#[derive(Debug, Clone)]
pub struct SignedIssue {
    /// `None`: the client's own token (RFC 6749 section 4.4).
    pub user: Option<(ConnectionId, GrantId)>,
    pub scopes: ScopeSet,
    pub resource: Option<Resource>,
    pub dpop_jkt: Option<String>,
    /// Where the application was judged as it is remembered: what its row has to be like still.
    pub app_revision: Option<Revision>,
}

impl Issue {
    /// The connection that the token will hang on.
    pub fn connection(&self) -> Option<ConnectionId> {
        match &self.kind {
            IssueKind::Opaque { connection, .. } => Some(*connection),
            IssueKind::Signed(signed) => signed.user.map(|(connection, _)| connection),
        }
    }
}

row! {
    /// An access token that was recorded.
    #[derive(Debug, Clone, Copy)]
    struct IssuedRow {
        id: Uuid,
        expires_at: i64,
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Issued {
    pub id: AccessTokenId,
    pub expires_at: Timestamp,
}

/// Records those of `issues` whose connection lives and is the application's, and answers `None` for the others: one
/// statement for each kind that is among them.
pub async fn issue(conn: &mut Conn, issues: &[Issue]) -> Result<Vec<Option<Issued>>, StoreError> {
    let (mut opaque, mut signed) = (Vec::new(), Vec::new());
    for issue in issues {
        match &issue.kind {
            IssueKind::Opaque { secret_hash, connection } => opaque.push((issue, secret_hash, *connection)),
            IssueKind::Signed(details) => signed.push((issue, details)),
        }
    }
    let mut rows = Vec::new();
    if !opaque.is_empty() {
        rows = issue_opaque(conn, &opaque).await?;
    }
    if !signed.is_empty() {
        rows.extend(issue_signed(conn, &signed).await?);
    }
    let recorded: HashMap<Uuid, i64> = rows.into_iter().map(|row| (row.id, row.expires_at)).collect();
    let own = |issue: &Issue| {
        let expires_at = recorded.get(&issue.id.0)?;
        Some(Issued { id: issue.id, expires_at: time(*expires_at) })
    };
    Ok(issues.iter().map(own).collect())
}

/// The same by itself: all of it, or nothing.
pub(super) async fn issue_whole(conn: &mut Conn, issues: &[Issue]) -> Result<Vec<Option<Issued>>, StoreError> {
    if is_one_statement(issues) {
        return issue(conn, issues).await;
    }
    execute!(conn, "BEGIN")?;
    let issued = issue(conn, issues).await;
    if issued.is_ok() {
        execute!(conn, "COMMIT")?;
    } else if !issued.as_ref().is_err_and(|why| why.outage().is_some_and(Outage::is_of_the_connection)) {
        execute!(conn, "ROLLBACK")?;
    }
    issued
}

/// Whether [`issue`] needs no transaction around it.
pub(super) fn is_one_statement(issues: &[Issue]) -> bool {
    let opaque = issues.iter().filter(|issue| matches!(issue.kind, IssueKind::Opaque { .. })).count();
    opaque == 0 || opaque == issues.len()
}

type Opaque<'i> = (&'i Issue, &'i SecretHash, ConnectionId);

async fn issue_opaque(conn: &mut Conn, issues: &[Opaque<'_>]) -> Result<Vec<IssuedRow>, StoreError> {
    let rows = match conn.driver() {
        Driver::Sqlite(c) => {
            static ORDER: sqlite::Order = sqlite::Order::new();
            sqlite::fetch_all(c, ISSUE_ON_SQLITE, rusqlite::params![opaque_elements(issues)], &ORDER)?
        }
        Driver::Postgres(c, _) => {
            sqlx::query_as(ISSUE_ON_POSTGRES)
                .bind(issues.iter().map(|(issue, ..)| issue.id.0).collect::<Vec<_>>())
                .bind(issues.iter().map(|(_, hash, _)| hash.0.as_slice()).collect::<Vec<_>>())
                .bind(issues.iter().map(|(.., connection)| connection.0).collect::<Vec<_>>())
                .bind(issues.iter().map(|(issue, ..)| issue.app.as_str()).collect::<Vec<_>>())
                .bind(issues.iter().map(|(issue, ..)| issue.now.as_micros()).collect::<Vec<_>>())
                .fetch_all(c)
                .await?
        }
    };
    Ok(rows)
}

type Signed<'i> = (&'i Issue, &'i SignedIssue);

async fn issue_signed(conn: &mut Conn, issues: &[Signed<'_>]) -> Result<Vec<IssuedRow>, StoreError> {
    let lifetime = i64::try_from(ACCESS_TOKEN_LIFETIME.as_micros()).unwrap_or(i64::MAX);
    let rows = match conn.driver() {
        Driver::Sqlite(c) => {
            let batch = issues.iter().map(|issue| serde_json::to_string(&element(*issue, lifetime)).map(Value::Text));
            let batch: Result<Vec<Value>, _> = batch.collect();
            let batch: Array = Rc::new(batch.map_err(|why| StoreError::Internal(why.to_string()))?);
            static ORDER: sqlite::Order = sqlite::Order::new();
            sqlite::fetch_all(c, ISSUE_GRANTED_ON_SQLITE, rusqlite::params![batch], &ORDER)?
        }
        Driver::Postgres(c, _) => {
            let user = |(_, details): &Signed| details.user;
            sqlx::query_as(ISSUE_GRANTED_ON_POSTGRES)
                .bind(issues.iter().map(|(issue, _)| issue.id.0).collect::<Vec<_>>())
                .bind(issues.iter().map(|(issue, _)| issue.app.as_str()).collect::<Vec<_>>())
                .bind(issues.iter().map(|issue| user(issue).map(|(id, _)| id.0)).collect::<Vec<Option<Uuid>>>())
                .bind(issues.iter().map(|issue| user(issue).map(|(_, id)| id.0)).collect::<Vec<Option<Uuid>>>())
                .bind(issues.iter().map(|(_, details)| details.scopes.to_string()).collect::<Vec<_>>())
                .bind(issues.iter().map(|(_, details)| resource(details)).collect::<Vec<_>>())
                .bind(issues.iter().map(|(_, details)| details.dpop_jkt.as_deref()).collect::<Vec<_>>())
                .bind(issues.iter().map(|(issue, _)| issue.now.as_micros()).collect::<Vec<_>>())
                .bind(issues.iter().map(|_| lifetime).collect::<Vec<_>>())
                .bind(issues.iter().map(|(_, details)| details.app_revision.map(|it| it.0)).collect::<Vec<_>>())
                .fetch_all(c)
                .await?
        }
    };
    Ok(rows)
}

fn resource(details: &SignedIssue) -> Option<&str> {
    details.resource.as_ref().map(Resource::as_str)
}

/// An element of the batch on SQLite: a JSON array, in the order in which the statement counts.
#[derive(Serialize)]
struct SignedElement<'i>(
    String,
    &'i str,
    Option<String>,
    Option<String>,
    String,
    Option<&'i str>,
    Option<&'i str>,
    i64,
    i64,
    Option<String>,
);

fn element<'i>((issue, details): Signed<'i>, lifetime: i64) -> SignedElement<'i> {
    let (connection, grant) = details.user.unzip();
    SignedElement(
        issue.id.0.simple().to_string(),
        issue.app.as_str(),
        connection.map(|id| id.0.simple().to_string()),
        grant.map(|id| id.0.simple().to_string()),
        details.scopes.to_string(),
        resource(details),
        details.dpop_jkt.as_deref(),
        issue.now.as_micros(),
        lifetime,
        details.app_revision.map(|revision| revision.0.simple().to_string()),
    )
}

/// See [`ISSUE_ON_SQLITE`].
fn opaque_elements(issues: &[Opaque<'_>]) -> Array {
    use std::io::Write as _;
    let element = |(issue, secret_hash, connection): &Opaque<'_>| {
        let mut bytes = Vec::with_capacity(84 + issue.app.as_str().len());
        bytes.extend(issue.id.0.as_bytes());
        bytes.extend(secret_hash.0);
        bytes.extend(connection.0.as_bytes());
        write!(bytes, "{:020}{}", issue.now.as_micros(), issue.app).expect("writing to a Vec cannot fail");
        Value::Blob(bytes)
    };
    Rc::new(issues.iter().map(element).collect())
}

row! {
    struct FoundRow {
        id: Uuid,
        secret_hash: Option<Vec<u8>>,
        app_id: String,
        connection_id: Option<Uuid>,
        grant_id: Option<Uuid>,
        scopes: String,
        resource: Option<String>,
        dpop_jkt: Option<String>,
        issued_at: i64,
        expires_at: i64,
        revoked_at: Option<i64>,
        connection_expires_at: Option<i64>,
        connection_ended_at: Option<i64>,
        connection_ended_by: Option<String>,
        grant_access_token_id: Option<Uuid>,
        grant_replayable: Option<i64>,
        grant_used_at: Option<i64>,
        grant_ended_at: Option<i64>,
        grant_ended_by: Option<String>,
        user_id: Option<Uuid>,
        email: Option<String>,
        user_name: Option<String>,
        role: Option<String>,
        disabled_at: Option<i64>,
        user_created_at: Option<i64>,
        app_disabled_at: Option<i64>,
        app_revision: Uuid,
        account_id: Option<String>,
        account_name: Option<String>,
    }
}

/// An access token's row, dead or alive.
#[derive(Debug, Clone)]
pub struct Found {
    /// What an opaque token's secret has to match; a signed token has none.
    pub secret_hash: Option<SecretHash>,
    pub token: AccessToken,
    pub revoked_at: Option<Timestamp>,
    pub app_disabled_at: Option<Timestamp>,
    /// Of the application's row.
    pub app_revision: Revision,
    pub connection_expires_at: Option<Timestamp>,
    pub connection_ended: Option<(Timestamp, EndedBy)>,
    pub grant_ended: Option<(Timestamp, GrantEnd)>,
    /// Whether it is its grant's newest, nobody has used that yet, and there is a refresh token before it that could be
    /// presented again: see [`super::grants::mark_used`].
    pub is_unused_successor: bool,
}

impl FoundRow {
    /// The user of the token, or the owner of the client whose own it is, with the account.
    fn user(&mut self) -> Result<Option<(User, Account)>, StoreError> {
        let row = (self.user_id, self.email.take(), self.user_name.take(), self.role.take(), self.user_created_at);
        let account = self.account_id.take().zip(self.account_name.take());
        let ((Some(id), Some(email), Some(name), Some(role), Some(created_at)), Some((account, account_name))) =
            (row, account)
        else {
            return Ok(None);
        };
        let account = Account { id: AccountId::parse(&account).map_err(corrupt("accounts.id"))?, name: account_name };
        let user = User {
            id: UserId(id),
            account: account.id.clone(),
            email: Email::parse(&email).map_err(corrupt("users.email"))?,
            name,
            role: Role::parse(&role).map_err(corrupt("users.role"))?,
            // What a magic user does happens at sign-in; a bearer is only told who it acts for.
            magic: None,
            state: match self.disabled_at {
                Some(since) => UserState::Disabled { since: time(since) },
                None => UserState::Active,
            },
            created_at: time(created_at),
        };
        Ok(Some((user, account)))
    }
}

/// `None` also where the connection, its user or its application is gone.
pub async fn find(conn: &mut Conn, id: AccessTokenId) -> Result<Option<Found>, StoreError> {
    fetch_optional!(conn, FoundRow, FIND, id.0)?.map_or(Ok(None), found)
}

/// The same for those that several ask for at once, each in its place.
pub async fn find_many(
    conn: &mut Conn,
    ids: &[AccessTokenId],
) -> Result<Vec<Result<Option<Found>, StoreError>>, StoreError> {
    let Some(c) = conn.postgres() else { return Err(StoreError::not_here("find_many")) };
    let asked: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows: Vec<FoundRow> = sqlx::query_as(FIND_MANY_ON_POSTGRES).bind(asked).fetch_all(c).await?;
    // A row that cannot be read is the trouble of who asked for it, and nobody else's.
    let mut all: HashMap<Uuid, Result<Option<Found>, StoreError>> =
        rows.into_iter().map(|row| (row.id, found(row))).collect();
    // The last who asks for a row gets it, and those before get copies.
    let own = |(at, id): (usize, &AccessTokenId)| {
        let is_wanted_again = ids[at + 1..].contains(id);
        if is_wanted_again { lane::own(all.get(&id.0)) } else { all.remove(&id.0).unwrap_or(Ok(None)) }
    };
    Ok(ids.iter().enumerate().map(own).collect())
}

fn found(mut row: FoundRow) -> Result<Option<Found>, StoreError> {
    let holder = row.user()?;
    let subject = match (row.connection_id, holder) {
        (Some(connection), Some((user, account))) => {
            Subject::User { user: Box::new(user), account, connection: ConnectionId(connection) }
        }
        (Some(_), None) => return Ok(None),
        (None, owner) => Subject::Client { account: owner.map(|(_, account)| account) },
    };
    if row.grant_id.is_some() && row.grant_access_token_id.is_none() {
        return Ok(None);
    }
    Ok(Some(Found {
        secret_hash: row.secret_hash.as_deref().map(secret_hash).transpose()?,
        token: AccessToken {
            id: AccessTokenId(row.id),
            app: AppId::parse(&row.app_id).map_err(corrupt("access_tokens.app_id"))?,
            subject,
            grant: row.grant_id.map(GrantId),
            scopes: ScopeSet::parse(&row.scopes).map_err(corrupt("access_tokens.scopes"))?,
            resource: row
                .resource
                .as_deref()
                .map(Resource::parse)
                .transpose()
                .map_err(corrupt("access_tokens.resource"))?,
            dpop_jkt: row.dpop_jkt,
            issued_at: time(row.issued_at),
            expires_at: time(row.expires_at),
        },
        revoked_at: optional_time(row.revoked_at),
        app_disabled_at: optional_time(row.app_disabled_at),
        app_revision: Revision(row.app_revision),
        connection_expires_at: optional_time(row.connection_expires_at),
        connection_ended: ended(
            row.connection_ended_at,
            row.connection_ended_by.as_deref(),
            EndedBy::parse,
            "connections.ended_by",
        )?,
        grant_ended: ended(row.grant_ended_at, row.grant_ended_by.as_deref(), GrantEnd::parse, "grants.ended_by")?,
        is_unused_successor: row.grant_access_token_id == Some(row.id)
            && row.grant_used_at.is_none()
            && row.grant_replayable.is_some(),
    }))
}

/// Gives one token scopes of its own, and an end of its own where one is named.
pub async fn limit(
    conn: &mut Conn,
    id: AccessTokenId,
    scopes: &ScopeSet,
    expires_at: Option<Timestamp>,
) -> Result<bool, StoreError> {
    Ok(execute!(conn, LIMIT, id.0, scopes.to_string(), expires_at.map(Timestamp::as_micros))? == 1)
}

/// Lets one token's time be over. `false` where it was, or the token was revoked.
pub async fn expire(conn: &mut Conn, id: AccessTokenId, at: Timestamp) -> Result<bool, StoreError> {
    Ok(execute!(conn, EXPIRE, id.0, at.as_micros())? == 1)
}

/// Ends one token. `false` where it was revoked before.
pub async fn revoke(conn: &mut Conn, id: AccessTokenId, at: Timestamp) -> Result<bool, StoreError> {
    Ok(execute!(conn, REVOKE, id.0, at.as_micros())? == 1)
}

/// Revokes the tokens that an application has in its own name. By a look at all of the table: it happens seldom, and an
/// index would cost each token that is issued.
pub async fn revoke_own_of_app(conn: &mut Conn, app: &AppId, at: Timestamp) -> Result<u64, StoreError> {
    execute!(conn, REVOKE_OWN_OF_APP, app.as_str(), at.as_micros())
}

/// Deletes tokens that have long expired.
pub async fn sweep(conn: &mut Conn, sweep: &Sweep) -> Result<u64, StoreError> {
    execute!(conn, SWEEP, sweep.below, sweep.before.as_micros(), sweep.limit, sweep.whose())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_of_a_batch_is_as_the_statement_counts() {
        let issue = Issue {
            id: AccessTokenId(Uuid::from_u128(1)),
            app: AppId::parse("app.1").unwrap(),
            now: Timestamp::from_micros(1_795_342_530_000_000),
            kind: IssueKind::Opaque {
                secret_hash: SecretHash([0xab; 32]),
                connection: ConnectionId(Uuid::from_u128(2)),
            },
        };
        let IssueKind::Opaque { secret_hash, connection } = &issue.kind else { unreachable!() };
        let element = (&issue, secret_hash, *connection);
        let elements = opaque_elements(&[element, element]);
        assert_eq!(elements.len(), 2);
        let Value::Blob(bytes) = &elements[1] else { unreachable!() };
        assert_eq!(bytes[..16], Uuid::from_u128(1).into_bytes());
        assert_eq!(bytes[16..48], [0xab; 32]);
        assert_eq!(bytes[48..64], Uuid::from_u128(2).into_bytes());
        assert_eq!(bytes[64..84], *b"00001795342530000000");
        assert_eq!(bytes[84..], *b"app.1");
    }
}
