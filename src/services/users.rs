//! What an operator does with users.

use super::Context;
use crate::crypto::password::PasswordError;
use crate::domain::connection::EndedBy;
use crate::domain::email::Email;
use crate::domain::ids::{AccountId, UserId};
use crate::domain::role::Role;
use crate::domain::user::{User, UserState};
use crate::entropy::time_ordered_id;
use crate::store::{StoreError, accounts, connections, sessions, users};

#[derive(Debug, thiserror::Error)]
pub enum UserError {
    #[error("there is a user with this e-mail address already")]
    Taken,
    #[error("there is no user with this e-mail address")]
    Unknown,
    #[error("there is no account with this id or name")]
    UnknownAccount,
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A user to be made.
#[derive(Debug, Clone)]
pub struct NewUser {
    pub email: Email,
    pub name: String,
    /// Id or name of an account that exists.
    pub account: String,
    pub role: Role,
}

pub async fn add(ctx: &Context, new: NewUser, password: &str) -> Result<User, UserError> {
    let hash = ctx.passwords.hash(password).await?;
    let now = ctx.now();
    let id = UserId(time_ordered_id(&*ctx.entropy, now));
    ctx.store
        .write(move |conn| {
            let (new, hash) = (new.clone(), hash.clone());
            Box::pin(async move {
                let by_id = match AccountId::parse(&new.account) {
                    Ok(id) => accounts::find(conn, &id).await?,
                    Err(_) => None,
                };
                let account = match by_id {
                    Some(account) => Some(account),
                    None => accounts::find_by_name(conn, &new.account).await?,
                };
                let Some(account) = account else { return Ok(Err(UserError::UnknownAccount)) };
                let user = User {
                    id,
                    account: account.id,
                    email: new.email,
                    name: new.name,
                    role: new.role,
                    magic: None,
                    state: UserState::Active,
                    created_at: now,
                };
                let inserted = users::insert(conn, &user, &hash).await?;
                Ok(if inserted { Ok(user) } else { Err(UserError::Taken) })
            })
        })
        .await?
}

/// The oldest `limit` users.
pub async fn list(ctx: &Context, limit: i64) -> Result<Vec<User>, UserError> {
    Ok(ctx.store.read(move |conn| Box::pin(users::list(conn, limit))).await?)
}

pub async fn find(ctx: &Context, email: &Email) -> Result<User, UserError> {
    let email = email.clone();
    let found = ctx
        .store
        .read(move |conn| {
            let email = email.clone();
            Box::pin(async move { users::find_by_email(conn, &email).await })
        })
        .await?;
    found.map(|(user, _)| user).ok_or(UserError::Unknown)
}

/// Sets a password; whoever is signed in under the old one is not any more, and the user's connections end
/// (rule F8).
pub async fn set_password(ctx: &Context, email: &Email, password: &str) -> Result<User, UserError> {
    let user = find(ctx, email).await?;
    let hash = ctx.passwords.hash(password).await?;
    let (id, now) = (user.id, ctx.now());
    ctx.store
        .write(move |conn| {
            let hash = hash.clone();
            Box::pin(async move {
                users::set_password(conn, id, &hash).await?;
                connections::end_all_of_user(conn, id, now, EndedBy::Operator).await?;
                sessions::end_all_of_user(conn, id, now).await
            })
        })
        .await?;
    Ok(user)
}

/// Keeps a user out, and ends what was open: sessions and connections.
pub async fn disable(ctx: &Context, email: &Email) -> Result<User, UserError> {
    let user = find(ctx, email).await?;
    let (id, now) = (user.id, ctx.now());
    ctx.store
        .write(move |conn| {
            Box::pin(async move {
                users::set_disabled(conn, id, Some(now)).await?;
                connections::end_all_of_user(conn, id, now, EndedBy::Operator).await?;
                sessions::end_all_of_user(conn, id, now).await
            })
        })
        .await?;
    Ok(User { state: UserState::Disabled { since: now }, ..user })
}

/// Lets a user in again. What was ended stays ended.
pub async fn enable(ctx: &Context, email: &Email) -> Result<User, UserError> {
    let user = find(ctx, email).await?;
    let id = user.id;
    ctx.store.write(move |conn| Box::pin(users::set_disabled(conn, id, None))).await?;
    Ok(User { state: UserState::Active, ..user })
}

/// Deletes a user with sessions and connections.
pub async fn delete(ctx: &Context, email: &Email) -> Result<User, UserError> {
    let user = find(ctx, email).await?;
    let id = user.id;
    ctx.store.write(move |conn| Box::pin(users::delete(conn, id))).await?;
    Ok(user)
}
