//! People with a LeadExec login.

use sqlx::FromRow;
use uuid::Uuid;

use super::conn::{Conn, execute, fetch_all, fetch_optional, statements};
use super::convert::{corrupt, time};
use super::error::StoreError;
use crate::domain::email::Email;
use crate::domain::ids::{AccountId, UserId};
use crate::domain::magic::Magic;
use crate::domain::role::Role;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::{PasswordHash, User, UserState};

statements! {
    FIND = "SELECT id, account_id, email, name, role, password_hash, magic, disabled_at, created_at \
            FROM users WHERE id = $1";
    FIND_BY_EMAIL = "SELECT id, account_id, email, name, role, password_hash, magic, disabled_at, created_at \
                     FROM users WHERE email = $1";
    LIST = "SELECT id, account_id, email, name, role, password_hash, magic, disabled_at, created_at \
            FROM users WHERE (created_at, id) > (SELECT created_at, id FROM users WHERE id = $1) OR $1 IS NULL \
            ORDER BY created_at, id LIMIT $2";
    LIST_OF_ACCOUNT = "SELECT id, account_id, email, name, role, password_hash, magic, disabled_at, created_at \
                       FROM users WHERE account_id = $1 ORDER BY created_at, id LIMIT $2";
    INSERT = "INSERT INTO users (id, account_id, email, name, role, password_hash, magic, created_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
    UPDATE = "UPDATE users SET account_id = $2, name = $3, role = $4, magic = $5 WHERE id = $1";
    SET_PASSWORD = "UPDATE users SET password_hash = $2 WHERE id = $1";
    SET_DISABLED = "UPDATE users SET disabled_at = $2 WHERE id = $1";
    /// Changes nothing, but makes a transaction that disables the user or sets a password wait for this one,
    /// or this one see that it came first.
    HOLD_ACTIVE = "UPDATE users SET id = id WHERE id = $1 AND disabled_at IS NULL";
    HOLD_WITH_PASSWORD = "UPDATE users SET id = id WHERE id = $1 AND disabled_at IS NULL AND password_hash = $2";
    DELETE = "DELETE FROM users WHERE id = $1";
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    account_id: String,
    email: String,
    name: String,
    role: String,
    password_hash: String,
    magic: Option<String>,
    disabled_at: Option<i64>,
    created_at: i64,
}

impl TryFrom<Row> for (User, PasswordHash) {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let magic = match row.magic {
            Some(text) => Some(Magic::parse(&text).ok_or("unknown").map_err(corrupt("users.magic"))?),
            None => None,
        };
        let user = User {
            id: UserId(row.id),
            account: AccountId::parse(&row.account_id).map_err(corrupt("users.account_id"))?,
            email: Email::parse(&row.email).map_err(corrupt("users.email"))?,
            name: row.name,
            role: Role::parse(&row.role).map_err(corrupt("users.role"))?,
            magic,
            state: match row.disabled_at {
                Some(since) => UserState::Disabled { since: time(since) },
                None => UserState::Active,
            },
            created_at: time(row.created_at),
        };
        Ok((user, PasswordHash::from_phc(row.password_hash)))
    }
}

fn user_only(row: Row) -> Result<User, StoreError> {
    <(User, PasswordHash)>::try_from(row).map(|(user, _)| user)
}

pub async fn find(conn: &mut Conn, id: UserId) -> Result<Option<User>, StoreError> {
    fetch_optional!(conn, Row, FIND, id.0)?.map(user_only).transpose()
}

/// The user with the hash that a password has to verify against.
pub async fn find_by_email(conn: &mut Conn, email: &Email) -> Result<Option<(User, PasswordHash)>, StoreError> {
    fetch_optional!(conn, Row, FIND_BY_EMAIL, email.as_str())?.map(TryFrom::try_from).transpose()
}

/// The oldest `limit` users, of those after this one.
pub async fn list(conn: &mut Conn, after: Option<UserId>, limit: i64) -> Result<Vec<User>, StoreError> {
    fetch_all!(conn, Row, LIST, after.map(|id| id.0), limit)?.into_iter().map(user_only).collect()
}

/// The oldest `limit` users of an account.
pub async fn list_of_account(conn: &mut Conn, account: &AccountId, limit: i64) -> Result<Vec<User>, StoreError> {
    fetch_all!(conn, Row, LIST_OF_ACCOUNT, account.as_str(), limit)?.into_iter().map(user_only).collect()
}

/// `false` where the e-mail address is taken.
pub async fn insert(conn: &mut Conn, user: &User, password: &PasswordHash) -> Result<bool, StoreError> {
    let rows = execute!(
        conn,
        INSERT,
        user.id.0,
        user.account.as_str(),
        user.email.as_str(),
        user.name.as_str(),
        user.role.as_str(),
        password.as_phc(),
        user.magic.map(Magic::as_str),
        user.created_at.as_micros(),
    )?;
    Ok(rows == 1)
}

/// Writes account, name, role and magic.
pub async fn update(conn: &mut Conn, user: &User) -> Result<(), StoreError> {
    execute!(
        conn,
        UPDATE,
        user.id.0,
        user.account.as_str(),
        user.name.as_str(),
        user.role.as_str(),
        user.magic.map(Magic::as_str),
    )
    .map(|_| ())
}

pub async fn set_password(conn: &mut Conn, id: UserId, password: &PasswordHash) -> Result<bool, StoreError> {
    Ok(execute!(conn, SET_PASSWORD, id.0, password.as_phc())? == 1)
}

/// `None` enables the user again.
pub async fn set_disabled(conn: &mut Conn, id: UserId, since: Option<Timestamp>) -> Result<bool, StoreError> {
    Ok(execute!(conn, SET_DISABLED, id.0, since.map(Timestamp::as_micros))? == 1)
}

/// Whether the user may sign in, and will until this transaction is over.
pub async fn hold_active(conn: &mut Conn, id: UserId) -> Result<bool, StoreError> {
    Ok(execute!(conn, HOLD_ACTIVE, id.0)? == 1)
}

/// The same, and whether this is still the user's password.
pub async fn hold_with_password(conn: &mut Conn, id: UserId, password: &PasswordHash) -> Result<bool, StoreError> {
    Ok(execute!(conn, HOLD_WITH_PASSWORD, id.0, password.as_phc())? == 1)
}

/// Deletes the user with connections and sessions.
pub async fn delete(conn: &mut Conn, id: UserId) -> Result<bool, StoreError> {
    Ok(execute!(conn, DELETE, id.0)? == 1)
}
