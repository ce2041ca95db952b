//! Signing in to the server itself, and out again.

use std::net::IpAddr;

use super::Context;
use super::journal::note;
use super::throttle::TooMany;
use crate::crypto::password::PasswordError;
use crate::crypto::token::{Handle, HandleKind};
use crate::domain::email::Email;
use crate::domain::ids::SessionId;
use crate::domain::journal::Why;
use crate::domain::session::{SESSION_LIFETIME, Session};
use crate::domain::user::{PasswordHash, User};
use crate::store::{Conn, StoreError, sessions, users};

/// Users that the login page of a sandbox offers at most: a list that a person can still look through.
const OFFERED: i64 = 200;

#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// One error for an unknown user, a wrong password and a disabled user: they look alike (rule C9).
    #[error("the e-mail address and the password do not go together")]
    WrongCredentials,
    #[error(transparent)]
    TooMany(#[from] TooMany),
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A browser that is signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub session: Session,
    pub user: User,
    /// What its cookie holds.
    pub handle: Handle,
}

/// Somebody who has shown who they are, and has no session yet.
#[derive(Debug, Clone)]
pub struct Authenticated {
    user: User,
    /// The hash that a password was right for; `None` where none was asked for.
    by: Option<PasswordHash>,
}

impl Authenticated {
    pub fn user(&self) -> &User {
        &self.user
    }

    /// Whether this still holds, and will until the transaction is over: the user was not disabled, and got no other
    /// password, since the password was looked at.
    pub(super) async fn still_holds(&self, conn: &mut Conn) -> Result<bool, StoreError> {
        match &self.by {
            Some(hash) => users::hold_with_password(conn, self.user.id, hash).await,
            None => users::hold_active(conn, self.user.id).await,
        }
    }
}

/// The two cookies of a new session.
pub struct NewSession {
    pub session: String,
    /// Good for nothing but resuming a button.
    pub button_session: String,
}

/// Checks a password. Takes as long for an unknown user as for a known one (rule C9). `from` is the address
/// of the browser.
pub async fn with_password(
    ctx: &Context,
    email: &str,
    password: &str,
    from: Option<IpAddr>,
) -> Result<Authenticated, LoginError> {
    ctx.throttle.login(from, email)?;
    let found = match Email::parse(email) {
        Ok(email) => find_user(ctx, email).await?,
        Err(_) => None,
    };
    let (user, by) = found.unzip();
    let right = ctx.passwords.verify(password, by.clone()).await?;
    note_credentials(email, user.as_ref(), right);
    let user = user.filter(|user| right && user.is_active()).ok_or(LoginError::WrongCredentials)?;
    Ok(Authenticated { user, by })
}

/// The page says the same of all three; who runs the sandbox may know which it was.
fn note_credentials(email: &str, user: Option<&User>, right: bool) {
    if Email::parse(email).is_ok() {
        note::user(email);
    }
    match user {
        None => note::why(Why::new("user.unknown", "there is no user with this e-mail address")),
        Some(_) if !right => note::why(Why::new("user.password", "the password is not the user's")),
        Some(user) if !user.is_active() => note::why(Why::new("user.disabled", "the user is disabled")),
        Some(_) => {}
    }
}

/// Takes anybody's word for who they are: the one-click buttons of a sandbox. The caller has checked that it
/// is one.
pub async fn without_password(ctx: &Context, email_text: &str) -> Result<Authenticated, LoginError> {
    let email = Email::parse(email_text).map_err(|_| LoginError::WrongCredentials)?;
    let found = find_user(ctx, email).await?;
    let user = found.map(|(user, _)| user);
    note_credentials(email_text, user.as_ref(), true);
    let user = user.filter(User::is_active).ok_or(LoginError::WrongCredentials)?;
    Ok(Authenticated { user, by: None })
}

async fn find_user(ctx: &Context, email: Email) -> Result<Option<(User, PasswordHash)>, StoreError> {
    ctx.store
        .read(move |conn| {
            let email = email.clone();
            Box::pin(async move { users::find_by_email(conn, &email).await })
        })
        .await
}

/// The users that a sandbox's login page offers with one click; none elsewhere.
pub async fn offered_users(ctx: &Context) -> Result<Vec<User>, StoreError> {
    if !ctx.sandbox {
        return Ok(Vec::new());
    }
    let all = ctx.store.read(|conn| Box::pin(users::list(conn, None, OFFERED))).await?;
    Ok(all.into_iter().filter(User::is_active).collect())
}

/// Opens a session under a new identifier; the one that the browser had before is dead from then on (rule C6).
/// Refused where the user was disabled, or got another password, since the password was looked at.
pub async fn open_session(
    ctx: &Context,
    who: &Authenticated,
    before: Option<&SignedIn>,
) -> Result<NewSession, LoginError> {
    let now = ctx.now();
    let (own, button) = (ctx.mint(now), ctx.mint(now));
    // Both cookies name the same row: the second secret is another one under the first's id.
    let button = button.with_id(own.id);
    let session = Session {
        id: SessionId(own.id),
        user: who.user.id,
        created_at: now,
        expires_at: now.plus(SESSION_LIFETIME),
        address: None,
        user_agent: None,
    };
    let (own_hash, button_hash) = (own.hash(), button.hash());
    let before = before.map(|before| before.session.id);
    let who = who.clone();
    let opened = ctx
        .store
        .write(move |conn| {
            let (session, who) = (session.clone(), who.clone());
            Box::pin(async move {
                let still = who.still_holds(conn).await?;
                if still {
                    if let Some(before) = before {
                        sessions::end(conn, before, now).await?;
                    }
                    sessions::insert(conn, &session, &own_hash, &button_hash).await?;
                }
                Ok(still)
            })
        })
        .await?;
    if !opened {
        return Err(LoginError::WrongCredentials);
    }
    Ok(NewSession {
        session: own.encode(HandleKind::Session),
        button_session: button.encode(HandleKind::ButtonSession),
    })
}

/// Who a session cookie belongs to; `None` where nobody is signed in with it.
pub async fn session_of(ctx: &Context, cookie: &str) -> Result<Option<SignedIn>, StoreError> {
    let Some(handle) = Handle::parse(HandleKind::Session, cookie) else { return Ok(None) };
    let found = live_session(ctx, SessionId(handle.id)).await?;
    Ok(found.filter(|(found, _)| handle.matches(&found.secret_hash)).map(|(found, user)| SignedIn {
        session: found.session,
        user,
        handle,
    }))
}

/// The same for the cookie that partner pages may send.
pub async fn button_session_of(ctx: &Context, cookie: &str) -> Result<Option<(Session, User)>, StoreError> {
    let Some(handle) = Handle::parse(HandleKind::ButtonSession, cookie) else { return Ok(None) };
    let found = live_session(ctx, SessionId(handle.id)).await?;
    Ok(found.filter(|(found, _)| handle.matches(&found.button_secret_hash)).map(|(found, user)| (found.session, user)))
}

async fn live_session(ctx: &Context, id: SessionId) -> Result<Option<(sessions::Found, User)>, StoreError> {
    let now = ctx.now();
    ctx.store
        .read(move |conn| {
            Box::pin(async move {
                let Some(found) = sessions::find_live(conn, id, now).await? else { return Ok(None) };
                let user = users::find(conn, found.session.user).await?;
                Ok(user.map(|user| (found, user)))
            })
        })
        .await
}

/// Ends a session and every resume handle of it (wire.md A5).
pub async fn end_session(ctx: &Context, id: SessionId) -> Result<(), StoreError> {
    let now = ctx.now();
    ctx.store.write(move |conn| Box::pin(async move { sessions::end(conn, id, now).await.map(|_| ()) })).await
}
