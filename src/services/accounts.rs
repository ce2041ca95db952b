//! What an operator does with accounts.

use std::sync::Arc;

use super::Context;
use super::audit::Acting;
use super::seed::hash_api_key;
pub use super::seed::make_api_key;
use crate::config::Secret;
use crate::config::expected::MAX_LIST;
use crate::domain::account::Account;
use crate::domain::event::{Action, Change, Target};
use crate::domain::ids::AccountId;
use crate::domain::secret_hash::SecretHash;
use crate::domain::timestamp::Timestamp;
use crate::entropy::time_ordered_id;
use crate::store::{Conn, StoreError, accounts, events, users};

/// One API key more than an account may have.
const KEYS_READ: i64 = MAX_LIST as i64 + 1;

#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error("there is an account with this id already")]
    Taken,
    #[error("there is no account with this id")]
    Unknown,
    #[error("another account has this API key")]
    ApiKeyTaken {
        /// Its place in the list.
        nth: usize,
    },
    #[error("the account has users: delete them, or give them another account, first")]
    HasUsers,
    #[error("the account has no such API key")]
    UnknownKey,
    #[error("an account has at most {MAX_LIST} API keys")]
    TooManyKeys,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An API key, which is known by a fingerprint once it was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    pub fingerprint: String,
    pub added_at: Timestamp,
}

/// What hangs on an account.
pub struct Overview {
    pub users: i64,
    /// Oldest first.
    pub api_keys: Vec<ApiKey>,
}

/// Of a keyed hash, so that it helps nobody to find the key: 16 hexadecimal digits.
fn fingerprint(key: &SecretHash) -> String {
    key.0[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An account to be made.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Made when left out.
    pub id: Option<AccountId>,
    pub name: String,
    /// Made when left out.
    pub api_keys: Option<Vec<Secret>>,
}

/// Makes an account. An API key that was made is shown this once.
pub async fn add(ctx: &Acting<'_>, new: NewAccount) -> Result<(Account, Option<String>), AccountError> {
    let now = ctx.now();
    let made = new.api_keys.is_none().then(|| make_api_key(ctx));
    let keys = match (&new.api_keys, &made) {
        (Some(given), _) => hashes(ctx, given),
        (None, made) => made.iter().map(|key| hash_api_key(ctx, key)).collect(),
    };
    let id = new.id.unwrap_or_else(|| time_ordered_id(&*ctx.entropy, now).into());
    let account = Account { id, name: new.name };
    let event = Arc::new(ctx.event(Action::AccountCreated, Target::account(&account.id, &account.name)));
    let added = ctx.store.write(move |conn| {
        let (account, keys, event) = (account.clone(), keys.clone(), event.clone());
        Box::pin(async move {
            if let Some(nth) = taken(conn, &account.id, &keys).await? {
                return Ok(Err(AccountError::ApiKeyTaken { nth }));
            }
            if !accounts::insert(conn, &account, now).await? {
                return Ok(Err(AccountError::Taken));
            }
            for key in &keys {
                accounts::add_api_key(conn, &account.id, key, now).await?;
            }
            events::record(conn, &event).await?;
            Ok(Ok(account))
        })
    });
    Ok((added.await??, made))
}

fn hashes(ctx: &Context, keys: &[Secret]) -> Vec<SecretHash> {
    keys.iter().map(|key| hash_api_key(ctx, key.expose())).collect()
}

/// The place of the first key that is another account's.
async fn taken(conn: &mut Conn, account: &AccountId, keys: &[SecretHash]) -> Result<Option<usize>, StoreError> {
    for (nth, key) in keys.iter().enumerate() {
        if accounts::find_by_api_key(conn, key).await?.is_some_and(|holder| holder.id != *account) {
            return Ok(Some(nth));
        }
    }
    Ok(None)
}

/// The oldest `limit` accounts, of those after this one.
pub async fn list(ctx: &Context, after: Option<AccountId>, limit: i64) -> Result<Vec<Account>, AccountError> {
    let listed = ctx.store.read(move |conn| {
        let after = after.clone();
        Box::pin(async move { accounts::list(conn, after.as_ref(), limit).await })
    });
    Ok(listed.await?)
}

pub async fn find(ctx: &Context, id: &AccountId) -> Result<Account, AccountError> {
    let id = id.clone();
    let found = ctx.store.read(move |conn| {
        let id = id.clone();
        Box::pin(async move { accounts::find(conn, &id).await })
    });
    found.await?.ok_or(AccountError::Unknown)
}

/// The account that an API key opens.
pub async fn of_api_key(ctx: &Context, key: &str) -> Result<Option<Account>, StoreError> {
    let key = hash_api_key(ctx, key);
    ctx.store.read(move |conn| Box::pin(async move { accounts::find_by_api_key(conn, &key).await })).await
}

/// Changes name and API keys, which are replaced whole; what is not named stays.
pub async fn change(
    ctx: &Acting<'_>,
    id: &AccountId,
    name: Option<String>,
    api_keys: Option<&[Secret]>,
) -> Result<Account, AccountError> {
    let (id, now) = (id.clone(), ctx.now());
    let keys = api_keys.map(|keys| hashes(ctx, keys));
    let event = ctx.event(Action::AccountChanged, Target::account(&id, ""));
    ctx.store
        .write(move |conn| {
            let (id, name, keys, mut event) = (id.clone(), name.clone(), keys.clone(), event.clone());
            Box::pin(async move {
                let Some(mut account) = accounts::find(conn, &id).await? else {
                    return Ok(Err(AccountError::Unknown));
                };
                if let Some(nth) = taken(conn, &id, keys.as_deref().unwrap_or_default()).await? {
                    return Ok(Err(AccountError::ApiKeyTaken { nth }));
                }
                if let Some(name) = name {
                    accounts::rename(conn, &id, &name).await?;
                    event.changes.extend(Change::of("name", &account.name, &name));
                    account.name = name;
                }
                if let Some(keys) = keys {
                    accounts::clear_api_keys(conn, &id).await?;
                    for key in &keys {
                        accounts::add_api_key(conn, &id, key, now).await?;
                    }
                    event.changes.push(Change::new("api_keys", keys.len()));
                }
                if !event.changes.is_empty() {
                    event.target.name.clone_from(&account.name);
                    events::record(conn, &event).await?;
                }
                Ok(Ok(account))
            })
        })
        .await?
}

/// Accounts that have this text in their id or name: the newest `limit` of those that are older than this one.
pub async fn search(
    ctx: &Context,
    text: String,
    before: Option<AccountId>,
    limit: i64,
) -> Result<Vec<Account>, StoreError> {
    let found = ctx.store.read(move |conn| {
        let (text, before) = (text.clone(), before.clone());
        Box::pin(async move { accounts::search(conn, &text, before.as_ref(), limit).await })
    });
    found.await
}

pub async fn overview(ctx: &Context, id: &AccountId) -> Result<Overview, StoreError> {
    let id = id.clone();
    let found = ctx.store.read(move |conn| {
        let id = id.clone();
        Box::pin(async move {
            let users = users::count_of_account(conn, &id).await?;
            Ok((users, accounts::api_keys(conn, &id, KEYS_READ).await?))
        })
    });
    let (users, keys) = found.await?;
    let shown =
        |(key, added_at): &(SecretHash, Timestamp)| ApiKey { fingerprint: fingerprint(key), added_at: *added_at };
    Ok(Overview { users, api_keys: keys.iter().map(shown).collect() })
}

/// Gives an account one more API key, shown this once.
pub async fn add_api_key(ctx: &Acting<'_>, id: &AccountId) -> Result<String, AccountError> {
    let made = make_api_key(ctx);
    let (key, now) = (hash_api_key(ctx, &made), ctx.now());
    let mut event = ctx.event(Action::AccountChanged, Target::account(id, ""));
    event.changes = vec![Change::new("api_key_added", fingerprint(&key))];
    let id = id.clone();
    let added = ctx.store.write(move |conn| {
        let (id, mut event) = (id.clone(), event.clone());
        Box::pin(async move {
            let Some(account) = accounts::find(conn, &id).await? else { return Ok(Err(AccountError::Unknown)) };
            if accounts::api_keys(conn, &id, KEYS_READ).await?.len() >= MAX_LIST {
                return Ok(Err(AccountError::TooManyKeys));
            }
            accounts::add_api_key(conn, &id, &key, now).await?;
            event.target.name = account.name;
            events::record(conn, &event).await?;
            Ok(Ok(()))
        })
    });
    added.await?.map(|()| made)
}

/// Takes every API key of an account away and gives it one, shown this once.
pub async fn replace_api_keys(ctx: &Acting<'_>, id: &AccountId) -> Result<String, AccountError> {
    let made = make_api_key(ctx);
    change(ctx, id, None, Some(&[Secret::new(made.as_str())])).await.map(|_| made)
}

/// Takes one API key away.
pub async fn remove_api_key(ctx: &Acting<'_>, id: &AccountId, which: &str) -> Result<(), AccountError> {
    let mut event = ctx.event(Action::AccountChanged, Target::account(id, ""));
    event.changes.extend(Change::of("api_key_removed", which, ""));
    let (id, which) = (id.clone(), which.to_owned());
    let removed = ctx.store.write(move |conn| {
        let (id, which, mut event) = (id.clone(), which.clone(), event.clone());
        Box::pin(async move {
            let Some(account) = accounts::find(conn, &id).await? else { return Ok(Err(AccountError::Unknown)) };
            let keys = accounts::api_keys(conn, &id, KEYS_READ).await?;
            let Some((key, _)) = keys.iter().find(|(key, _)| fingerprint(key) == which) else {
                return Ok(Err(AccountError::UnknownKey));
            };
            accounts::remove_api_key(conn, &id, key).await?;
            event.target.name = account.name;
            events::record(conn, &event).await?;
            Ok(Ok(()))
        })
    });
    removed.await?
}

/// Deletes an account that nobody belongs to.
pub async fn delete(ctx: &Acting<'_>, id: &AccountId) -> Result<(), AccountError> {
    let (id, event) = (id.clone(), ctx.event(Action::AccountDeleted, Target::account(id, "")));
    ctx.store
        .write_at_length(move |conn| {
            let (id, mut event) = (id.clone(), event.clone());
            Box::pin(async move {
                let Some(account) = accounts::find(conn, &id).await? else { return Ok(Err(AccountError::Unknown)) };
                if !users::list_of_account(conn, &id, 1).await?.is_empty() {
                    return Ok(Err(AccountError::HasUsers));
                }
                accounts::delete(conn, &id).await?;
                event.target.name = account.name;
                events::record(conn, &event).await?;
                Ok(Ok(()))
            })
        })
        .await?
}
