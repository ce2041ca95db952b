//! Signing in to the server itself, and out again.

use std::net::IpAddr;
use std::sync::Arc;

use super::Context;
use super::audit::{Acting, By};
use super::journal::note;
use super::throttle::TooMany;
use crate::crypto::password::{Busy, PasswordError};
use crate::crypto::token::{Handle, HandleKind};
use crate::domain::email::Email;
use crate::domain::event::{Action, Event, Target, TargetKind};
use crate::domain::ids::SessionId;
use crate::domain::journal::Why;
use crate::domain::session::{SESSION_LIFETIME, Session};
use crate::domain::user::{PasswordHash, User};
use crate::store::{Conn, StoreError, events, sessions, users};
use crate::telemetry::LOGINS;

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
    Busy(#[from] Busy),
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
    // What was not looked at was no attempt.
    let turn = ctx.passwords.queue(from)?;
    ctx.throttle.login(from, email)?;
    let found = match Email::parse(email) {
        Ok(email) => find_user(ctx, email).await?,
        Err(_) => None,
    };
    let (user, by) = found.unzip();
    let right = turn.verify(password, by.clone()).await?;
    note_credentials(email, user.as_ref(), right);
    match user.filter(|user| right && user.is_active()) {
        Some(user) => {
            LOGINS.add(["ok"]);
            Ok(Authenticated { user, by })
        }
        None => {
            LOGINS.add(["refused"]);
            record_refusal(ctx, email, from).await?;
            Err(LoginError::WrongCredentials)
        }
    }
}

/// Whoever it was meant to be: the same is written down of a user who is not there (rule C9). What is no address may be
/// anything, a password too.
async fn record_refusal(ctx: &Context, email: &str, from: Option<IpAddr>) -> Result<(), StoreError> {
    let Ok(email) = Email::parse(email) else { return Ok(()) };
    if !ctx.throttle.takes_refusal() {
        return Ok(());
    }
    let target = Target::kind(TargetKind::Session, email.as_str());
    let event = Arc::new(ctx.event(By::anybody(from), Action::SessionRefused, target));
    let recorded = ctx.store.write(move |conn| {
        let event = event.clone();
        Box::pin(async move { events::record(conn, &event).await })
    });
    recorded.await
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

/// The browser that signs in, as its user may recognise it later.
#[derive(Debug, Clone, Default)]
pub struct Browser {
    pub address: Option<IpAddr>,
    /// What it calls itself, cut to [`MAX_USER_AGENT`](crate::domain::session::MAX_USER_AGENT).
    pub user_agent: Option<String>,
}

/// A session that is about to be opened, drawn before the transaction.
#[derive(Clone)]
pub(super) struct Opening {
    pub session: Session,
    own: Handle,
    button: Handle,
    event: Event,
}

impl Opening {
    pub fn new(ctx: &Context, user: &User, browser: &Browser) -> Self {
        let now = ctx.now();
        let own = ctx.mint(now);
        // Both cookies name the same row: the second secret is another one under the first's id.
        let button = ctx.mint(now).with_id(own.id);
        let session = Session {
            id: SessionId(own.id),
            user: user.id,
            created_at: now,
            expires_at: now.plus(SESSION_LIFETIME),
            address: browser.address,
            user_agent: browser.user_agent.clone(),
        };
        let by = By::user(user, browser.address);
        let event = ctx.event(by, Action::SessionOpened, Target::session(session.id, &user.email));
        Self { session, own, button, event }
    }

    pub async fn record(&self, conn: &mut Conn) -> Result<(), StoreError> {
        sessions::insert(conn, &self.session, &self.own.hash(), &self.button.hash()).await?;
        events::record(conn, &self.event).await
    }

    pub fn cookies(&self) -> NewSession {
        NewSession {
            session: self.own.encode(HandleKind::Session),
            button_session: self.button.encode(HandleKind::ButtonSession),
        }
    }
}

/// Opens a session under a new identifier; the one that the browser had before is dead from then on (rule C6).
/// Refused where the user was disabled, or got another password, since the password was looked at.
pub async fn open_session(
    ctx: &Context,
    who: &Authenticated,
    before: Option<&SignedIn>,
    browser: &Browser,
) -> Result<NewSession, LoginError> {
    let opening = Arc::new(Opening::new(ctx, &who.user, browser));
    let cookies = opening.cookies();
    let before = before.map(|before| before.session.id);
    let who = who.clone();
    let opened = ctx
        .store
        .write(move |conn| {
            let (opening, who) = (opening.clone(), who.clone());
            Box::pin(async move {
                let still = who.still_holds(conn).await?;
                if still {
                    if let Some(before) = before {
                        sessions::end(conn, before, opening.session.created_at).await?;
                    }
                    opening.record(conn).await?;
                }
                Ok(still)
            })
        })
        .await?;
    if opened { Ok(cookies) } else { Err(LoginError::WrongCredentials) }
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

/// Ends a session of the user's own and every resume handle of it (wire.md A5). Whether it was open.
pub async fn end_session(ctx: &Acting<'_>, user: &User, id: SessionId) -> Result<bool, StoreError> {
    let (now, owner) = (ctx.now(), user.id);
    let event = Arc::new(ctx.event(Action::SessionEnded, Target::session(id, &user.email)));
    ctx.store
        .write(move |conn| {
            let event = event.clone();
            Box::pin(async move {
                let found = sessions::find_live(conn, id, now).await?;
                let is_own = found.is_some_and(|found| found.session.user == owner);
                let ended = is_own && sessions::end(conn, id, now).await?;
                if ended {
                    events::record(conn, &event).await?;
                }
                Ok(ended)
            })
        })
        .await
}
