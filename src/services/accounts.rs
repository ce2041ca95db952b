//! What an operator does with accounts.

use std::sync::Arc;

use super::Context;
use super::audit::Acting;
use super::seed::{hash_api_key, make_api_key};
use crate::config::Secret;
use crate::domain::account::Account;
use crate::domain::event::{Action, Change, Target};
use crate::domain::ids::AccountId;
use crate::domain::secret_hash::SecretHash;
use crate::entropy::time_ordered_id;
use crate::store::{Conn, StoreError, accounts, events, users};

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
    #[error(transparent)]
    Store(#[from] StoreError),
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

/// Deletes an account that nobody belongs to.
pub async fn delete(ctx: &Acting<'_>, id: &AccountId) -> Result<(), AccountError> {
    let (id, event) = (id.clone(), ctx.event(Action::AccountDeleted, Target::account(id, "")));
    ctx.store
        .write(move |conn| {
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
