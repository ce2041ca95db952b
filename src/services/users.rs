//! What an operator does with users.

use std::sync::Arc;

use super::audit::Acting;
use super::endings::Ending;
use super::{Context, changes};
use crate::config::Secret;
use crate::config::seed::SeedPassword;
use crate::crypto::password::PasswordError;
use crate::domain::account::Account;
use crate::domain::clock_setting::Moments;
use crate::domain::connection::EndedBy;
use crate::domain::email::Email;
use crate::domain::event::{Action, Change as EventChange, Event, Target, TargetKind};
use crate::domain::ids::{AccountId, UserId};
use crate::domain::role::Role;
use crate::domain::user::{PasswordHash, User, UserState};
use crate::entropy::time_ordered_id;
use crate::store::{Conn, StoreError, accounts, events, invitations, sessions, users};

/// Which users are looked for.
pub use crate::store::users::Search;

#[derive(Debug, thiserror::Error)]
pub enum UserError {
    #[error("there is a user with this e-mail address already")]
    Taken,
    #[error("there is no user with this e-mail address")]
    Unknown,
    #[error("there is no account with this id or name")]
    UnknownAccount,
    #[error("an administrator cannot disable, delete or demote themselves")]
    Yourself,
    #[error("this is the last administrator who may sign in")]
    LastAdmin,
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
    pub password: SeedPassword,
    pub is_disabled: bool,
}

pub async fn add(ctx: &Acting<'_>, new: NewUser) -> Result<User, UserError> {
    let hash = hashed(ctx, &new.password).await?;
    let now = ctx.now();
    let id = UserId(time_ordered_id(&*ctx.entropy, now));
    let state = if new.is_disabled { UserState::Disabled { since: now } } else { UserState::Active };
    let mut event = ctx.event(Action::UserCreated, Target::user(id, &new.email));
    event.changes = vec![EventChange::new("role", new.role.as_str())];
    ctx.store
        .write(move |conn| {
            let (new, hash, event) = (new.clone(), hash.clone(), event.clone());
            Box::pin(async move {
                let Some(account) = find_account(conn, &new.account).await? else {
                    return Ok(Err(UserError::UnknownAccount));
                };
                let user = User {
                    id,
                    account: account.id,
                    email: new.email,
                    name: new.name,
                    role: new.role,
                    magic: None,
                    state,
                    created_at: now,
                };
                if !users::insert(conn, &user, &hash).await? {
                    return Ok(Err(UserError::Taken));
                }
                if new.is_disabled {
                    users::set_disabled(conn, id, Some(now)).await?;
                }
                events::record(conn, &event).await?;
                Ok(Ok(user))
            })
        })
        .await?
}

async fn hashed(ctx: &Context, password: &SeedPassword) -> Result<PasswordHash, UserError> {
    match password {
        SeedPassword::Hash(hash) => Ok(hash.clone()),
        SeedPassword::Plain(password) => Ok(ctx.passwords.hash(password.expose()).await?),
    }
}

/// The account with this id, or else the oldest of this name.
async fn find_account(conn: &mut Conn, text: &str) -> Result<Option<Account>, StoreError> {
    if let Ok(id) = AccountId::parse(text)
        && let Some(account) = accounts::find(conn, &id).await?
    {
        return Ok(Some(account));
    }
    accounts::find_by_name(conn, text).await
}

/// The oldest `limit` users, of those after this one.
pub async fn list(ctx: &Context, after: Option<UserId>, limit: i64) -> Result<Vec<User>, UserError> {
    Ok(ctx.store.read(move |conn| Box::pin(users::list(conn, after, limit))).await?)
}

/// The newest `limit` of those that are looked for.
pub async fn search(ctx: &Context, search: Search, limit: i64) -> Result<Vec<User>, StoreError> {
    let found = ctx.store.read(move |conn| {
        let search = search.clone();
        Box::pin(async move { users::search(conn, &search, limit).await })
    });
    found.await
}

/// A password that nobody chose: 20 characters out of 32 that are not mistaken for each other, 100 bits.
pub fn make_password(ctx: &Context) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0; 20];
    ctx.entropy.fill(&mut bytes);
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

pub async fn find_by_id(ctx: &Context, id: UserId) -> Result<User, UserError> {
    ctx.store.read(move |conn| Box::pin(users::find(conn, id))).await?.ok_or(UserError::Unknown)
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

/// What is to be different about a user; what is not named stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// The login; ends nothing.
    pub email: Option<Email>,
    pub name: Option<String>,
    /// Id or name of an account that exists.
    pub account: Option<String>,
    pub role: Option<Role>,
    pub password: Option<SeedPassword>,
    pub is_disabled: Option<bool>,
}

/// Changes a user. A password that is set or an account that is closed ends what was open: sessions and connections
/// (rule F8). What was ended stays ended.
pub async fn change(ctx: &Acting<'_>, id: UserId, change: Change) -> Result<User, UserError> {
    let hash = match &change.password {
        Some(password) => Some(hashed(ctx, password).await?),
        None => None,
    };
    let (now, moments, admin) = (ctx.now(), ctx.clocks.moments(), ctx.by().user_id());
    let ending = Ending { by: EndedBy::Operator, draft: ctx.draft() };
    let events = Noted {
        changed: ctx.event(Action::UserChanged, Target::kind(TargetKind::User, "")),
        password: ctx.event(Action::UserPasswordChanged, Target::kind(TargetKind::User, "")),
        state: change.is_disabled.map(|is_disabled| {
            let action = if is_disabled { Action::UserDisabled } else { Action::UserEnabled };
            ctx.event(action, Target::kind(TargetKind::User, ""))
        }),
    };
    let changed = ctx
        .store
        .write(move |conn| {
            let (change, hash, moments, events) = (change.clone(), hash.clone(), moments.clone(), events.clone());
            Box::pin(async move {
                let Some(before) = users::find(conn, id).await? else { return Ok(Err(UserError::Unknown)) };
                let mut user = before.clone();
                if let Some(account) = &change.account {
                    let Some(account) = find_account(conn, account).await? else {
                        return Ok(Err(UserError::UnknownAccount));
                    };
                    user.account = account.id;
                }
                user.email = change.email.unwrap_or(user.email);
                user.name = change.name.unwrap_or(user.name);
                user.role = change.role.unwrap_or(user.role);
                let stays = user.role == Role::Admin && change.is_disabled != Some(true);
                if let Some(refusal) = guard_admins(conn, admin, &before, stays).await? {
                    return Ok(Err(refusal));
                }
                if user.email != before.email && !users::set_email(conn, id, &user.email).await? {
                    return Ok(Err(UserError::Taken));
                }
                users::update(conn, &user).await?;
                if let Some(hash) = &hash {
                    users::set_password(conn, id, hash).await?;
                }
                if let Some(is_disabled) = change.is_disabled {
                    user.state = if is_disabled { UserState::Disabled { since: now } } else { UserState::Active };
                    users::set_disabled(conn, id, is_disabled.then_some(now)).await?;
                }
                if hash.is_some() || change.is_disabled == Some(true) {
                    end_what_is_open(conn, id, &moments, ending).await?;
                }
                if user.email != before.email {
                    // What was sent to the old address is not to open the account.
                    invitations::delete_open_of_user(conn, id).await?;
                }
                if before.role == Role::Admin && !stays {
                    invitations::delete_open_by(conn, id).await?;
                }
                events.record(conn, &before, &user, hash.is_some()).await?;
                Ok(Ok(user))
            })
        })
        .await
        .map_err(taken_meanwhile)?;
    ctx.told();
    changed
}

/// Two who take one e-mail address at once: the database lets one of them.
fn taken_meanwhile(error: StoreError) -> UserError {
    match error {
        StoreError::Conflict => UserError::Taken,
        other => other.into(),
    }
}

/// Why a user must not be changed by another: it would leave nobody who can undo it. `stays` says whether the user is an
/// administrator who may sign in afterwards. Of two administrators who do this to each other at once, one waits here.
async fn guard_admins(
    conn: &mut Conn,
    by: Option<UserId>,
    user: &User,
    stays: bool,
) -> Result<Option<UserError>, StoreError> {
    let Some(by) = by.filter(|_| user.role == Role::Admin && user.is_active() && !stays) else { return Ok(None) };
    if by == user.id {
        return Ok(Some(UserError::Yourself));
    }
    Ok((users::hold_admins(conn).await? < 2).then_some(UserError::LastAdmin))
}

/// Ends a user's connections and sessions, and links that would set a password (rule F8).
pub(super) async fn end_what_is_open(
    conn: &mut Conn,
    id: UserId,
    moments: &Moments,
    ending: Ending,
) -> Result<(), StoreError> {
    ending.all_of_user(conn, id, moments).await?;
    sessions::end_all_of_user(conn, id, moments.server).await?;
    invitations::delete_open_of_user(conn, id).await.map(|_| ())
}

/// What may be recorded of a change to a user, drawn before the transaction.
#[derive(Clone)]
struct Noted {
    changed: Event,
    password: Event,
    state: Option<Event>,
}

impl Noted {
    async fn record(
        self,
        conn: &mut Conn,
        before: &User,
        after: &User,
        is_new_password: bool,
    ) -> Result<(), StoreError> {
        let target = Target::user(after.id, &after.email);
        let changes = changes::of_user(before, after);
        if !changes.is_empty() {
            events::record(conn, &Event { target: target.clone(), changes, ..self.changed }).await?;
        }
        if is_new_password {
            events::record(conn, &Event { target: target.clone(), ..self.password }).await?;
        }
        match self.state.filter(|_| before.is_active() != after.is_active()) {
            Some(state) => events::record(conn, &Event { target, ..state }).await,
            None => Ok(()),
        }
    }
}

/// Sets a password; whoever is signed in under the old one is not any more, and the user's connections end
/// (rule F8).
pub async fn set_password(ctx: &Acting<'_>, email: &Email, password: &str) -> Result<User, UserError> {
    let password = Some(SeedPassword::Plain(Secret::new(password)));
    change(ctx, find(ctx, email).await?.id, Change { password, ..Change::default() }).await
}

/// Keeps a user out, and ends what was open: sessions and connections.
pub async fn disable(ctx: &Acting<'_>, email: &Email) -> Result<User, UserError> {
    change(ctx, find(ctx, email).await?.id, Change { is_disabled: Some(true), ..Change::default() }).await
}

/// Lets a user in again. What was ended stays ended.
pub async fn enable(ctx: &Acting<'_>, email: &Email) -> Result<User, UserError> {
    change(ctx, find(ctx, email).await?.id, Change { is_disabled: Some(false), ..Change::default() }).await
}

/// Deletes a user with sessions and connections.
pub async fn delete(ctx: &Acting<'_>, email: &Email) -> Result<User, UserError> {
    let user = find(ctx, email).await?;
    let (id, admin) = (user.id, ctx.by().user_id());
    let event = Arc::new(ctx.event(Action::UserDeleted, Target::user(user.id, &user.email)));
    let (ending, moments) = (Ending { by: EndedBy::Operator, draft: ctx.draft() }, ctx.clocks.moments());
    let deleted = ctx.store.write_at_length(move |conn| {
        let (event, moments) = (event.clone(), moments.clone());
        Box::pin(async move {
            let Some(user) = users::find(conn, id).await? else { return Ok(Err(UserError::Unknown)) };
            if let Some(refusal) = guard_admins(conn, admin, &user, false).await? {
                return Ok(Err(refusal));
            }
            ending.all_of_user(conn, id, &moments).await?;
            users::delete(conn, id).await?;
            events::record(conn, &event).await?;
            Ok(Ok(user))
        })
    });
    let deleted = deleted.await?;
    ctx.told();
    deleted
}
