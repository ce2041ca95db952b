//! People with a LeadExec login.

use uuid::Uuid;

use super::conn::{Conn, execute, fetch_all, fetch_optional, row, statements};
use super::convert::{containing, corrupt, state_word, time};
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
            FROM users WHERE (created_at, id) > (SELECT created_at, id FROM users WHERE id = $1) \
            OR NOT EXISTS (SELECT 1 FROM users WHERE id = $1) \
            ORDER BY created_at, id LIMIT $2";
    LIST_OF_ACCOUNT = "SELECT id, account_id, email, name, role, password_hash, magic, disabled_at, created_at \
                       FROM users WHERE account_id = $1 ORDER BY created_at, id LIMIT $2";
    /// Newest first. An empty text asks for any.
    SEARCH = "SELECT id, account_id, email, name, role, password_hash, magic, disabled_at, created_at FROM users \
              WHERE ($1 = '' OR lower(email) LIKE lower($1) ESCAPE '!' OR lower(name) LIKE lower($1) ESCAPE '!') \
              AND ($2 = '' OR role = $2) AND ($3 = '' OR account_id = $3) \
              AND ($4 = '' OR ($4 = 'active' AND disabled_at IS NULL) OR ($4 = 'disabled' AND disabled_at IS NOT NULL)) \
              AND ((created_at, id) < (SELECT created_at, id FROM users WHERE id = $5) \
            OR NOT EXISTS (SELECT 1 FROM users WHERE id = $5)) \
              ORDER BY created_at DESC, id DESC LIMIT $6";
    COUNT = "SELECT COUNT(*) FROM users";
    COUNT_OF_ACCOUNT = "SELECT COUNT(*) FROM users WHERE account_id = $1";
    /// Locks the row of each active administrator, so that of two who take the role from each other one waits
    /// and then sees what the other did.
    HOLD_ADMINS = "UPDATE users SET id = id WHERE role = 'admin' AND disabled_at IS NULL";
    INSERT = "INSERT INTO users (id, account_id, email, name, role, password_hash, magic, created_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
    UPDATE = "UPDATE users SET account_id = $2, name = $3, role = $4, magic = $5 WHERE id = $1";
    SET_EMAIL = "UPDATE users SET email = $2 WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM users WHERE email = $2)";
    SET_PASSWORD = "UPDATE users SET password_hash = $2 WHERE id = $1";
    SET_DISABLED = "UPDATE users SET disabled_at = $2 WHERE id = $1";
    /// Changes nothing, but makes a transaction that disables the user or sets a password wait for this one,
    /// or this one see that it came first.
    HOLD_ACTIVE = "UPDATE users SET id = id WHERE id = $1 AND disabled_at IS NULL";
    HOLD_WITH_PASSWORD = "UPDATE users SET id = id WHERE id = $1 AND disabled_at IS NULL AND password_hash = $2";
    DELETE = "DELETE FROM users WHERE id = $1";
}

row! {
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
}

/// A user's own columns, as other tables' statements bring them along.
pub(super) struct Fields {
    pub id: Uuid,
    pub account_id: String,
    pub email: String,
    pub name: String,
    pub role: String,
    pub magic: Option<String>,
    pub disabled_at: Option<i64>,
    pub created_at: i64,
}

impl TryFrom<Fields> for User {
    type Error = StoreError;
    fn try_from(row: Fields) -> Result<Self, StoreError> {
        let magic = match row.magic {
            Some(text) => Some(Magic::parse(&text).ok_or("unknown").map_err(corrupt("users.magic"))?),
            None => None,
        };
        Ok(Self {
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
        })
    }
}

impl TryFrom<Row> for (User, PasswordHash) {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let Row { id, account_id, email, name, role, password_hash, magic, disabled_at, created_at } = row;
        let user = Fields { id, account_id, email, name, role, magic, disabled_at, created_at };
        Ok((user.try_into()?, PasswordHash::from_phc(password_hash)))
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

/// Which users are looked for; what is left out is any.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// A part of the e-mail address or of the name.
    pub text: String,
    pub role: Option<Role>,
    pub account: Option<AccountId>,
    pub is_disabled: Option<bool>,
    /// Older ones than this.
    pub before: Option<UserId>,
}

/// The newest `limit` of those that are looked for.
pub async fn search(conn: &mut Conn, search: &Search, limit: i64) -> Result<Vec<User>, StoreError> {
    let rows = fetch_all!(
        conn,
        Row,
        SEARCH,
        containing(&search.text),
        search.role.map_or("", Role::as_str),
        search.account.as_ref().map_or("", AccountId::as_str),
        state_word(search.is_disabled),
        search.before.map(|id| id.0),
        limit,
    )?;
    rows.into_iter().map(user_only).collect()
}

pub async fn count(conn: &mut Conn) -> Result<i64, StoreError> {
    Ok(fetch_optional!(conn, (i64,), COUNT)?.map_or(0, |(count,)| count))
}

pub async fn count_of_account(conn: &mut Conn, account: &AccountId) -> Result<i64, StoreError> {
    Ok(fetch_optional!(conn, (i64,), COUNT_OF_ACCOUNT, account.as_str())?.map_or(0, |(count,)| count))
}

/// How many administrators may sign in, which changes only through this transaction until that is over.
pub async fn hold_admins(conn: &mut Conn) -> Result<u64, StoreError> {
    execute!(conn, HOLD_ADMINS)
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

/// `false` where the e-mail address is taken, if only by the user.
pub async fn set_email(conn: &mut Conn, id: UserId, email: &Email) -> Result<bool, StoreError> {
    Ok(execute!(conn, SET_EMAIL, id.0, email.as_str())? == 1)
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
