//! Becoming a partner by oneself, which a sandbox lets anybody do. Elsewhere it takes an invitation.

use std::sync::Arc;

use super::audit::{Acting, By};
use super::login::{Browser, NewSession, Opening, SignedIn};
use super::throttle::TooMany;
use super::{Context, changes};
use crate::crypto::password::{Busy, PasswordError};
use crate::domain::account::Account;
use crate::domain::email::Email;
use crate::domain::event::{Action, Event, Target};
use crate::domain::ids::UserId;
use crate::domain::role::Role;
use crate::domain::user::{PasswordHash, User, UserState};
use crate::entropy::time_ordered_id;
use crate::store::{Conn, StoreError, accounts, events, sessions, users};

#[derive(Debug, thiserror::Error)]
pub enum SignUpError {
    #[error("signing up takes an invitation here")]
    Closed,
    #[error("there is a user with this e-mail address already")]
    Taken,
    #[error(transparent)]
    TooMany(#[from] TooMany),
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who signs up.
pub struct SignUp {
    pub name: String,
    pub email: Email,
    pub password: String,
    /// The name of their account.
    pub company: String,
}

/// Makes a partner with an account of their own, and signs them in. `before` is who was signed in with this browser.
pub async fn sign_up(
    ctx: &Context,
    who: &SignUp,
    before: Option<&SignedIn>,
    browser: &Browser,
) -> Result<NewSession, SignUpError> {
    if !ctx.sandbox {
        return Err(SignUpError::Closed);
    }
    let turn = ctx.passwords.queue(browser.address)?;
    ctx.throttle.sign_up(browser.address)?;
    let hash = turn.hash(&who.password).await?;
    let (user, account) = newcomer(ctx, who);
    let event = ctx.event(By::user(&user, browser.address), Action::UserSignedUp, Target::user(user.id, &user.email));
    let opening = Opening::new(ctx, &user, browser);
    let (cookies, before) = (opening.cookies(), before.map(|before| before.session.id));
    let work = Arc::new((user, account, hash, event, opening));
    let is_new = ctx.store.write(move |conn| {
        let work = work.clone();
        Box::pin(async move {
            let (user, account, hash, event, opening) = &*work;
            if !settle(conn, user, account, hash).await? {
                return Ok(false);
            }
            if let Some(before) = before {
                sessions::end(conn, before, opening.session.created_at).await?;
            }
            events::record(conn, event).await?;
            opening.record(conn).await?;
            Ok(true)
        })
    });
    if is_new.await? { Ok(cookies) } else { Err(SignUpError::Taken) }
}

fn newcomer(ctx: &Context, who: &SignUp) -> (User, Account) {
    let now = ctx.now();
    let account = Account { id: time_ordered_id(&*ctx.entropy, now).into(), name: who.company.clone() };
    let user = User {
        id: UserId(time_ordered_id(&*ctx.entropy, now)),
        account: account.id.clone(),
        email: who.email.clone(),
        name: who.name.clone(),
        role: Role::Partner,
        magic: None,
        state: UserState::Active,
        created_at: now,
    };
    (user, account)
}

/// Makes a user with an account that is made for them. `false`: the e-mail address is taken, and nothing is made.
pub(super) async fn settle(
    conn: &mut Conn,
    user: &User,
    account: &Account,
    hash: &PasswordHash,
) -> Result<bool, StoreError> {
    if users::find_by_email(conn, &user.email).await?.is_some() {
        return Ok(false);
    }
    accounts::insert(conn, account, user.created_at).await?;
    let is_new = users::insert(conn, user, hash).await?;
    if !is_new {
        // Somebody was faster, between the two.
        accounts::delete(conn, &account.id).await?;
    }
    Ok(is_new)
}

/// Makes a partner of a member who asks for it, under a new session (rule C6). Whoever is one already, or more, stays what
/// they are; `None` also for who is not signed in any more.
pub async fn become_partner(
    ctx: &Acting<'_>,
    signed_in: &SignedIn,
    browser: &Browser,
) -> Result<Option<NewSession>, SignUpError> {
    if !ctx.sandbox {
        return Err(SignUpError::Closed);
    }
    if signed_in.user.role != Role::Member {
        return Ok(None);
    }
    let opening = Opening::new(ctx, &signed_in.user, browser);
    let event = ctx.event(Action::UserChanged, Target::user(signed_in.user.id, &signed_in.user.email));
    let (cookies, session) = (opening.cookies(), signed_in.session.clone());
    let work = Arc::new((session, opening, event));
    let done = ctx.store.write(move |conn| {
        let work = work.clone();
        Box::pin(async move {
            let (session, opening, event) = &*work;
            // Who was signed out, disabled or got another password in this moment has no session to go on with.
            let holds = users::hold_active(conn, session.user).await?
                && sessions::end(conn, session.id, opening.session.created_at).await?;
            let Some(before) = users::find(conn, session.user).await?.filter(|_| holds) else { return Ok(false) };
            if before.role == Role::Member {
                let after = User { role: Role::Partner, ..before.clone() };
                users::update(conn, &after).await?;
                let changes = changes::of_user(&before, &after);
                events::record(conn, &Event { changes, ..event.clone() }).await?;
            }
            opening.record(conn).await?;
            Ok(true)
        })
    });
    Ok(done.await?.then_some(cookies))
}
