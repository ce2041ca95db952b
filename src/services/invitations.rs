//! Links by which somebody chooses a password: a new user, or one who is there already. A link is good once, for a while,
//! and only the newest one for an e-mail address.

use std::sync::Arc;

use super::audit::{Acting, By};
use super::endings::Ending;
use super::login::{Browser, NewSession, Opening, SignedIn};
use super::{Context, sign_up, users as people};
use crate::crypto::password::{Busy, PasswordError};
use crate::crypto::token::{Handle, HandleKind};
use crate::domain::account::Account;
use crate::domain::clock_setting::Moments;
use crate::domain::connection::EndedBy;
use crate::domain::email::Email;
use crate::domain::event::{Action, Change, Event, Target, TargetKind};
use crate::domain::ids::{AccountId, InvitationId, UserId};
use crate::domain::invitation::{Invitation, InvitedTo};
use crate::domain::role::Role;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::{PasswordHash, User, UserState};
use crate::entropy::time_ordered_id;
use crate::store::{Conn, StoreError, accounts, events, invitations, sessions, users};

#[derive(Debug, thiserror::Error)]
pub enum InvitationError {
    #[error("there is a user with this e-mail address already")]
    Taken,
    #[error("there is no account with this id")]
    UnknownAccount,
    #[error("there is no such user")]
    UnknownUser,
    #[error("the user is disabled")]
    UserDisabled,
    #[error("there is no such invitation, or it was used")]
    Unknown,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a link leads nowhere.
#[derive(Debug, thiserror::Error)]
pub enum Over {
    #[error("the link holds no token of ours")]
    Malformed,
    #[error("there is no such invitation: it was never made, taken back, or replaced")]
    Unknown,
    #[error("the invitation was used at {}", at.to_rfc3339())]
    Used { at: Timestamp },
    #[error("the invitation expired at {}", at.to_rfc3339())]
    Expired { at: Timestamp },
    #[error("the user is disabled, or gone")]
    User,
    #[error("there is a user with this e-mail address by now")]
    Taken,
}

#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    #[error(transparent)]
    Over(#[from] Over),
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who is invited to become a user.
#[derive(Debug, Clone)]
pub struct NewUser {
    pub email: Email,
    pub role: Role,
    /// `None`: they name a company, and get an account of their own.
    pub account: Option<AccountId>,
}

/// An invitation with its link, the only time that it is there.
#[derive(Clone)]
pub struct Offered {
    pub invitation: Invitation,
    pub link: String,
}

impl std::fmt::Debug for Offered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Offered").field("invitation", &self.invitation).finish_non_exhaustive()
    }
}

/// What an invited person fills in. A reset asks for the password alone.
pub struct Answer {
    pub name: String,
    /// The name of an account that is made.
    pub company: String,
    pub password: String,
}

/// Invites somebody to become a user.
pub async fn invite(ctx: &Acting<'_>, new: NewUser) -> Result<Offered, InvitationError> {
    let (handle, invitation) = draw(ctx, new.email, new.role, InvitedTo::Join { account: new.account });
    let mut event = ctx.event(Action::UserInvited, Target::kind(TargetKind::User, invitation.email.as_str()));
    event.changes.push(Change::new("role", invitation.role.as_str()));
    let by = ctx.by().user_id();
    let work = Arc::new((invitation.clone(), handle.hash(), event));
    let made = ctx.store.write(move |conn| {
        let work = work.clone();
        Box::pin(async move {
            let (invitation, hash, event) = &*work;
            if users::find_by_email(conn, &invitation.email).await?.is_some() {
                return Ok(Err(InvitationError::Taken));
            }
            if let InvitedTo::Join { account: Some(account) } = &invitation.to
                && accounts::find(conn, account).await?.is_none()
            {
                return Ok(Err(InvitationError::UnknownAccount));
            }
            invitations::delete_open_of(conn, &invitation.email).await?;
            invitations::insert(conn, invitation, hash, by).await?;
            events::record(conn, event).await?;
            Ok(Ok(()))
        })
    });
    made.await??;
    Ok(offered(ctx, invitation, &handle))
}

/// Lets a user choose another password. Until they do, the present one stays good.
pub async fn reset(ctx: &Acting<'_>, user: UserId) -> Result<Offered, InvitationError> {
    let user = people::find_by_id(ctx, user).await.map_err(|error| match error {
        people::UserError::Store(error) => InvitationError::Store(error),
        _ => InvitationError::UnknownUser,
    })?;
    let (handle, invitation) = draw(ctx, user.email.clone(), user.role, InvitedTo::Reset { user: user.id });
    let event = ctx.event(Action::UserResetOffered, Target::user(user.id, &user.email));
    let by = ctx.by().user_id();
    let work = Arc::new((user, invitation.clone(), handle.hash(), event));
    let made = ctx.store.write(move |conn| {
        let work = work.clone();
        Box::pin(async move {
            let (user, invitation, hash, event) = &*work;
            if !users::hold_active(conn, user.id).await? {
                return Ok(Err(InvitationError::UserDisabled));
            }
            invitations::delete_open_of_user(conn, user.id).await?;
            invitations::insert(conn, invitation, hash, by).await?;
            events::record(conn, event).await?;
            Ok(Ok(()))
        })
    });
    made.await??;
    Ok(offered(ctx, invitation, &handle))
}

fn draw(ctx: &Context, email: Email, role: Role, to: InvitedTo) -> (Handle, Invitation) {
    let now = ctx.now();
    let handle = ctx.mint(now);
    let expires_at = now.plus(to.lifetime());
    let invitation =
        Invitation { id: InvitationId(handle.id), email, role, to, created_at: now, expires_at, consumed_at: None };
    (handle, invitation)
}

fn offered(ctx: &Context, invitation: Invitation, handle: &Handle) -> Offered {
    let link = format!("{}/invitation?token={}", ctx.issuer, handle.encode(HandleKind::Invitation));
    Offered { invitation, link }
}

/// The newest `limit` that can still be used, of those before this one.
pub async fn list(ctx: &Context, before: Option<InvitationId>, limit: i64) -> Result<Vec<Invitation>, StoreError> {
    let now = ctx.now();
    ctx.store.read(move |conn| Box::pin(invitations::list_open(conn, now, before, limit))).await
}

/// Takes an invitation back that was not used. Answers whose it was.
pub async fn revoke(ctx: &Acting<'_>, id: InvitationId) -> Result<Invitation, InvitationError> {
    let event = ctx.event(Action::UserInvitationRevoked, Target::kind(TargetKind::User, ""));
    ctx.store
        .write(move |conn| {
            let mut event = event.clone();
            Box::pin(async move {
                let found = invitations::find(conn, id).await?;
                let Some((invitation, _)) = found else { return Ok(Err(InvitationError::Unknown)) };
                if !invitations::delete_open(conn, id).await? {
                    return Ok(Err(InvitationError::Unknown));
                }
                event.target.name = invitation.email.to_string();
                events::record(conn, &event).await?;
                Ok(Ok(invitation))
            })
        })
        .await?
}

/// Whether a text has the form of a link's token.
pub fn is_token(text: &str) -> bool {
    Handle::parse(HandleKind::Invitation, text).is_some()
}

/// The invitation that a link stands for, while it can be used. Changes nothing.
pub async fn look(ctx: &Context, token: &str) -> Result<Invitation, AcceptError> {
    let handle = Handle::parse(HandleKind::Invitation, token).ok_or(Over::Malformed)?;
    let id = InvitationId(handle.id);
    let found = ctx.store.read(move |conn| Box::pin(invitations::find(conn, id))).await?;
    let (invitation, _) = found.filter(|(_, hash)| handle.matches(hash)).ok_or(Over::Unknown)?;
    match invitation.consumed_at {
        Some(at) => Err(Over::Used { at }.into()),
        None if ctx.now() >= invitation.expires_at => Err(Over::Expired { at: invitation.expires_at }.into()),
        None => Ok(invitation),
    }
}

/// Uses an invitation, and signs in. `before` is who was signed in with this browser.
pub async fn accept(
    ctx: &Context,
    token: &str,
    answer: &Answer,
    before: Option<&SignedIn>,
    browser: &Browser,
) -> Result<NewSession, AcceptError> {
    let invitation = look(ctx, token).await?;
    let user = match &invitation.to {
        InvitedTo::Join { account } => newcomer(ctx, &invitation, account.clone(), answer),
        InvitedTo::Reset { user } => find_active(ctx, *user).await?,
    };
    let by = By::user(&user, browser.address);
    let action = match invitation.to {
        InvitedTo::Join { .. } => Action::UserCreated,
        InvitedTo::Reset { .. } => Action::UserPasswordChanged,
    };
    let work = Arc::new(Accepting {
        hash: ctx.passwords.queue(browser.address)?.hash(&answer.password).await?,
        event: ctx.event(by, action, Target::user(user.id, &user.email)),
        opening: Opening::new(ctx, &user, browser),
        moments: ctx.clocks.moments(),
        ending: Ending { by: EndedBy::Operator, draft: ctx.draft() },
        company: answer.company.clone(),
        invitation,
        user,
    });
    let (cookies, before) = (work.opening.cookies(), before.map(|before| before.session.id));
    let accepted = ctx.store.write(move |conn| {
        let work = work.clone();
        Box::pin(async move {
            let accepted = work.record(conn).await?;
            if let (Ok(()), Some(before)) = (&accepted, before) {
                sessions::end(conn, before, work.opening.session.created_at).await?;
            }
            Ok(accepted)
        })
    });
    accepted.await??;
    ctx.told();
    Ok(cookies)
}

fn newcomer(ctx: &Context, invitation: &Invitation, account: Option<AccountId>, answer: &Answer) -> User {
    let now = ctx.now();
    User {
        id: UserId(time_ordered_id(&*ctx.entropy, now)),
        account: account.unwrap_or_else(|| time_ordered_id(&*ctx.entropy, now).into()),
        email: invitation.email.clone(),
        name: answer.name.clone(),
        role: invitation.role,
        magic: None,
        state: UserState::Active,
        created_at: now,
    }
}

async fn find_active(ctx: &Context, id: UserId) -> Result<User, AcceptError> {
    let found = ctx.store.read(move |conn| Box::pin(users::find(conn, id))).await?;
    Ok(found.filter(User::is_active).ok_or(Over::User)?)
}

/// What accepting writes down, drawn before the transaction.
struct Accepting {
    invitation: Invitation,
    user: User,
    hash: PasswordHash,
    company: String,
    event: Event,
    opening: Opening,
    moments: Moments,
    ending: Ending,
}

impl Accepting {
    /// Of two who use one link at once, the first to change its row wins.
    async fn record(&self, conn: &mut Conn) -> Result<Result<(), Over>, StoreError> {
        let now = self.opening.session.created_at;
        if !invitations::consume(conn, self.invitation.id, now).await? {
            return Ok(Err(Over::Used { at: now }));
        }
        let done = match &self.invitation.to {
            InvitedTo::Join { account } => self.join(conn, account.is_none()).await?,
            InvitedTo::Reset { .. } => self.reset(conn).await?,
        };
        if done.is_ok() {
            events::record(conn, &self.event).await?;
            self.opening.record(conn).await?;
        }
        Ok(done)
    }

    async fn join(&self, conn: &mut Conn, makes_account: bool) -> Result<Result<(), Over>, StoreError> {
        let is_new = if makes_account {
            let account = Account { id: self.user.account.clone(), name: self.company.clone() };
            sign_up::settle(conn, &self.user, &account, &self.hash).await?
        } else {
            users::insert(conn, &self.user, &self.hash).await?
        };
        Ok(if is_new { Ok(()) } else { Err(Over::Taken) })
    }

    async fn reset(&self, conn: &mut Conn) -> Result<Result<(), Over>, StoreError> {
        if !users::hold_active(conn, self.user.id).await? {
            return Ok(Err(Over::User));
        }
        users::set_password(conn, self.user.id, &self.hash).await?;
        people::end_what_is_open(conn, self.user.id, &self.moments, self.ending).await?;
        Ok(Ok(()))
    }
}
