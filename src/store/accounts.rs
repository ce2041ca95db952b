//! LeadExec customer accounts.

use super::conn::{Conn, execute, fetch_all, fetch_optional, row, statements};
use super::convert::{containing, corrupt, secret_hash, time};
use super::error::StoreError;
use crate::domain::account::Account;
use crate::domain::ids::AccountId;
use crate::domain::secret_hash::SecretHash;
use crate::domain::timestamp::Timestamp;

statements! {
    FIND = "SELECT id, name FROM accounts WHERE id = $1";
    FIND_BY_NAME = "SELECT id, name FROM accounts WHERE name = $1 ORDER BY created_at, id LIMIT 1";
    LIST = "SELECT id, name FROM accounts \
            WHERE (created_at, id) > (SELECT created_at, id FROM accounts WHERE id = $1) \
            OR NOT EXISTS (SELECT 1 FROM accounts WHERE id = $1) \
            ORDER BY created_at, id LIMIT $2";
    /// Newest first. An empty text asks for any.
    SEARCH = "SELECT id, name FROM accounts \
              WHERE ($1 = '' OR lower(id) LIKE lower($1) ESCAPE '!' OR lower(name) LIKE lower($1) ESCAPE '!') \
              AND ((created_at, id) < (SELECT created_at, id FROM accounts WHERE id = $2) \
            OR NOT EXISTS (SELECT 1 FROM accounts WHERE id = $2)) \
              ORDER BY created_at DESC, id DESC LIMIT $3";
    COUNT = "SELECT COUNT(*) FROM accounts";
    INSERT = "INSERT INTO accounts (id, name, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    RENAME = "UPDATE accounts SET name = $2 WHERE id = $1 AND name <> $2";
    ADD_API_KEY = "INSERT INTO account_api_keys (key_hash, account_id, created_at) VALUES ($1, $2, $3) \
                   ON CONFLICT DO NOTHING";
    CLEAR_API_KEYS = "DELETE FROM account_api_keys WHERE account_id = $1";
    DELETE = "DELETE FROM accounts WHERE id = $1";
    FIND_BY_API_KEY = "SELECT a.id, a.name FROM account_api_keys k JOIN accounts a ON a.id = k.account_id \
                       WHERE k.key_hash = $1";
    LIST_API_KEYS = "SELECT key_hash FROM account_api_keys WHERE account_id = $1 ORDER BY created_at, key_hash";
    API_KEYS = "SELECT key_hash, created_at FROM account_api_keys WHERE account_id = $1 ORDER BY created_at, key_hash \
                LIMIT $2";
    REMOVE_API_KEY = "DELETE FROM account_api_keys WHERE account_id = $1 AND key_hash = $2";
    HAS_API_KEYS = "SELECT id, name FROM accounts a WHERE id = $1 \
                    AND EXISTS (SELECT 1 FROM account_api_keys k WHERE k.account_id = a.id)";
}

row! {
    struct Row {
        id: String,
        name: String,
    }
}

impl TryFrom<Row> for Account {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self { id: AccountId::parse(&row.id).map_err(corrupt("accounts.id"))?, name: row.name })
    }
}

pub async fn find(conn: &mut Conn, id: &AccountId) -> Result<Option<Account>, StoreError> {
    fetch_optional!(conn, Row, FIND, id.as_str())?.map(Account::try_from).transpose()
}

/// The oldest account of this name.
pub async fn find_by_name(conn: &mut Conn, name: &str) -> Result<Option<Account>, StoreError> {
    fetch_optional!(conn, Row, FIND_BY_NAME, name)?.map(Account::try_from).transpose()
}

/// The oldest `limit` accounts, of those after this one.
pub async fn list(conn: &mut Conn, after: Option<&AccountId>, limit: i64) -> Result<Vec<Account>, StoreError> {
    fetch_all!(conn, Row, LIST, after.map(AccountId::as_str), limit)?.into_iter().map(Account::try_from).collect()
}

/// The newest `limit` accounts that have this text in their id or name, of those that are older than this one.
pub async fn search(
    conn: &mut Conn,
    text: &str,
    before: Option<&AccountId>,
    limit: i64,
) -> Result<Vec<Account>, StoreError> {
    let rows = fetch_all!(conn, Row, SEARCH, containing(text), before.map(AccountId::as_str), limit)?;
    rows.into_iter().map(Account::try_from).collect()
}

pub async fn count(conn: &mut Conn) -> Result<i64, StoreError> {
    Ok(fetch_optional!(conn, (i64,), COUNT)?.map_or(0, |(count,)| count))
}

/// `false` where the id is taken.
pub async fn insert(conn: &mut Conn, account: &Account, now: Timestamp) -> Result<bool, StoreError> {
    let rows = execute!(conn, INSERT, account.id.as_str(), account.name.as_str(), now.as_micros())?;
    Ok(rows == 1)
}

/// `false` where it has that name already.
pub async fn rename(conn: &mut Conn, id: &AccountId, name: &str) -> Result<bool, StoreError> {
    Ok(execute!(conn, RENAME, id.as_str(), name)? == 1)
}

/// `false` where the key is there already.
pub async fn add_api_key(
    conn: &mut Conn,
    account: &AccountId,
    key: &SecretHash,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(execute!(conn, ADD_API_KEY, key.0.as_slice(), account.as_str(), now.as_micros())? == 1)
}

/// Takes every API key away.
pub async fn clear_api_keys(conn: &mut Conn, account: &AccountId) -> Result<u64, StoreError> {
    execute!(conn, CLEAR_API_KEYS, account.as_str())
}

/// Deletes an account that has no users. `false` where there is none.
pub async fn delete(conn: &mut Conn, id: &AccountId) -> Result<bool, StoreError> {
    Ok(execute!(conn, DELETE, id.as_str())? == 1)
}

/// The account that an API key belongs to.
pub async fn find_by_api_key(conn: &mut Conn, key: &SecretHash) -> Result<Option<Account>, StoreError> {
    fetch_optional!(conn, Row, FIND_BY_API_KEY, key.0.as_slice())?.map(Account::try_from).transpose()
}

/// What is stored of an account's keys.
pub async fn list_api_keys(conn: &mut Conn, account: &AccountId) -> Result<Vec<SecretHash>, StoreError> {
    let rows = fetch_all!(conn, (Vec<u8>,), LIST_API_KEYS, account.as_str())?;
    rows.iter().map(|(hash,)| secret_hash(hash)).collect()
}

/// The oldest `limit` of them, with when each was added.
pub async fn api_keys(
    conn: &mut Conn,
    account: &AccountId,
    limit: i64,
) -> Result<Vec<(SecretHash, Timestamp)>, StoreError> {
    let rows = fetch_all!(conn, (Vec<u8>, i64), API_KEYS, account.as_str(), limit)?;
    rows.iter().map(|(hash, at)| Ok((secret_hash(hash)?, time(*at)))).collect()
}

/// `false` where the account has no such key.
pub async fn remove_api_key(conn: &mut Conn, account: &AccountId, key: &SecretHash) -> Result<bool, StoreError> {
    Ok(execute!(conn, REMOVE_API_KEY, account.as_str(), key.0.as_slice())? == 1)
}

pub async fn has_api_keys(conn: &mut Conn, account: &AccountId) -> Result<bool, StoreError> {
    Ok(fetch_optional!(conn, Row, HAS_API_KEYS, account.as_str())?.is_some())
}
