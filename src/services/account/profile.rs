//! A user's own name, and that of the account.

use std::sync::Arc;

use super::super::audit::Acting;
use super::super::{Context, changes};
use crate::domain::account::Account;
use crate::domain::event::{Action, Change as EventChange, Event, Target};
use crate::domain::ids::AccountId;
use crate::domain::user::User;
use crate::store::{Conn, StoreError, accounts as stored, events, users};

/// The account that a user belongs to.
pub struct Belonging {
    pub account: Account,
    /// Whether nobody else belongs to it, so that its name is the user's to change.
    pub is_own: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    #[error("the user is disabled, or gone")]
    Gone,
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

/// Changes the user's name, and the account's (`Some`) where it is nobody else's.
pub async fn rename(
    ctx: &Acting<'_>,
    user: &User,
    name: String,
    account_name: Option<String>,
) -> Result<(), ProfileError> {
    let id = user.id;
    let changed = ctx.event(Action::UserChanged, Target::user(user.id, &user.email));
    let renamed = ctx.event(Action::AccountChanged, Target::account(&user.account, ""));
    let work = Arc::new((name, account_name, changed, renamed));
    let done = ctx.store.write(move |conn| {
        let work = work.clone();
        Box::pin(async move {
            let (name, account_name, changed, renamed) = &*work;
            if !users::hold_active(conn, id).await? {
                return Ok(false);
            }
            let Some(before) = users::find(conn, id).await? else { return Ok(false) };
            let after = User { name: name.clone(), ..before.clone() };
            let changes = changes::of_user(&before, &after);
            if !changes.is_empty() {
                users::update(conn, &after).await?;
                events::record(conn, &Event { changes, ..changed.clone() }).await?;
            }
            if let Some(account_name) = account_name {
                rename_account(conn, &after.account, account_name, renamed).await?;
            }
            Ok(true)
        })
    });
    if done.await? { Ok(()) } else { Err(ProfileError::Gone) }
}

/// Where somebody has joined meanwhile, the name is not one user's to change any more.
async fn rename_account(conn: &mut Conn, id: &AccountId, name: &str, event: &Event) -> Result<(), StoreError> {
    let is_own = users::list_of_account(conn, id, 2).await?.len() == 1;
    let Some(account) = stored::find(conn, id).await?.filter(|account| is_own && account.name != name) else {
        return Ok(());
    };
    stored::rename(conn, id, name).await?;
    let mut event = event.clone();
    event.target.name = name.to_owned();
    event.changes.extend(EventChange::of("name", &account.name, name));
    events::record(conn, &event).await
}
