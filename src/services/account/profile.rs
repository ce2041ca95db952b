//! A user's own name, and that of the account.

use super::super::Context;
use super::super::accounts::{self, AccountError};
use super::super::audit::Acting;
use super::super::users::{self as people, Change, UserError};
use crate::domain::account::Account;
use crate::domain::user::User;
use crate::store::{StoreError, accounts as stored, users};

/// The account that a user belongs to.
pub struct Belonging {
    pub account: Account,
    /// Whether nobody else belongs to it, so that its name is the user's to change.
    pub is_own: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    #[error(transparent)]
    User(#[from] UserError),
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub async fn belonging(ctx: &Context, user: &User) -> Result<Belonging, StoreError> {
    let id = user.account.clone();
    let found = ctx.store.read(move |conn| {
        let id = id.clone();
        Box::pin(async move {
            let Some(account) = stored::find(conn, &id).await? else { return Ok(None) };
            let is_own = users::list_of_account(conn, &id, 2).await?.len() == 1;
            Ok(Some(Belonging { account, is_own }))
        })
    });
    found.await?.ok_or_else(|| StoreError::Corrupt("a user without an account".into()))
}

/// Changes the user's name, and the account's where it is nobody else's.
pub async fn rename(ctx: &Acting<'_>, user: &User, name: String, account_name: String) -> Result<(), ProfileError> {
    people::change(ctx, user.id, Change { name: Some(name), ..Change::default() }).await?;
    let belonging = belonging(ctx, user).await?;
    if belonging.is_own && belonging.account.name != account_name {
        accounts::change(ctx, &user.account, Some(account_name), None).await?;
    }
    Ok(())
}
