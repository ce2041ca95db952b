//! What a partner does in the console: with applications and buttons of their own, and within limits. What is another's
//! does not exist there, whatever its id; an administrator sees in the console what they own themselves, too.

use std::time::Duration;

use uuid::Uuid;

use super::Context;
use super::action_callback::{self, CallbackError};
use super::audit::{self, Acting};
use super::logos::{self, LogoError};
use super::partner::{self, NewButton, PartnerError, Wanted};
use super::usage::{self, Series};
use super::users::UserError;
use super::webhooks::{self, WebhookError};
use crate::domain::action_callback::{ActionCallback, LastCall, OnFailure};
use crate::domain::allow_list::NotAllowed;
use crate::domain::app::{App, LogoId};
use crate::domain::button::Button;
use crate::domain::event::{Event, TargetKind};
use crate::domain::ids::{AppId, ButtonId, UserId, WebhookId};
use crate::domain::role::Role;
use crate::domain::target_url::TargetUrl;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::User;
use crate::domain::webhook::Webhook;
use crate::store::{Conn, StoreError, apps, buttons, connections};

/// Applications that a partner may have.
pub const MAX_APPS: i64 = 100;
/// Buttons that an application may have.
pub const MAX_BUTTONS: i64 = 50;
/// Applications on one page of the list.
pub const PAGE: i64 = 50;
/// Events of an application that are shown, newest first.
const EVENTS: i64 = 10;

#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// One error for what is another's and what is not there.
    #[error("the user has no application or button with this id")]
    Unknown,
    #[error("the user may not register applications")]
    NotPartner,
    #[error(transparent)]
    Partner(PartnerError),
    /// The server may not call this address.
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    #[error(transparent)]
    Logo(LogoError),
    #[error(transparent)]
    Webhook(WebhookError),
    #[error(transparent)]
    User(#[from] UserError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<PartnerError> for ConsoleError {
    fn from(error: PartnerError) -> Self {
        match error {
            // Gone since it was looked up.
            PartnerError::UnknownApp | PartnerError::UnknownButton => Self::Unknown,
            PartnerError::Store(error) => Self::Store(error),
            other => Self::Partner(other),
        }
    }
}

impl From<CallbackError> for ConsoleError {
    fn from(error: CallbackError) -> Self {
        match error {
            CallbackError::None => Self::Unknown,
            CallbackError::NotAllowed(why) => why.into(),
            CallbackError::Partner(error) => error.into(),
        }
    }
}

impl From<WebhookError> for ConsoleError {
    fn from(error: WebhookError) -> Self {
        match error {
            WebhookError::Unknown | WebhookError::UnknownApp | WebhookError::UnknownMessage => Self::Unknown,
            WebhookError::Store(error) => Self::Store(error),
            other => Self::Webhook(other),
        }
    }
}

impl From<LogoError> for ConsoleError {
    fn from(error: LogoError) -> Self {
        match error {
            LogoError::UnknownApp => Self::Unknown,
            LogoError::Store(error) => Self::Store(error),
            other @ LogoError::Picture(_) => Self::Logo(other),
        }
    }
}

/// An application in the list.
pub struct Listed {
    pub app: App,
    /// Living connections of users.
    pub connections: i64,
    pub buttons: i64,
}

/// What there is to say of an application.
pub struct Overview {
    pub app: App,
    pub has_secret: bool,
    /// Until when the secret before the present one is taken.
    pub previous_until: Option<Timestamp>,
    /// All of them; see [`MAX_BUTTONS`].
    pub buttons: Vec<Button>,
    pub connections: i64,
    pub events: Vec<Event>,
}

/// Whether the console is for this user.
pub fn is_partner(user: &User) -> bool {
    user.role != Role::Member
}

fn partner_only(user: &User) -> Result<(), ConsoleError> {
    if is_partner(user) { Ok(()) } else { Err(ConsoleError::NotPartner) }
}

/// The user's oldest applications, of those after this one, at most [`PAGE`]; and whether there are more.
pub async fn list(ctx: &Context, user: &User, after: Option<AppId>) -> Result<(Vec<Listed>, bool), ConsoleError> {
    partner_only(user)?;
    let (owner, moments) = (user.id, ctx.clocks.moments());
    let listed = ctx.store.read(move |conn| {
        let (after, moments) = (after.clone(), moments.clone());
        Box::pin(async move {
            let mut listed = Vec::new();
            for app in apps::list_of_owner(conn, owner, after.as_ref(), PAGE + 1).await? {
                let connections = connections::count_live_of_app(conn, &app.id, moments.of(&app.id)).await?;
                let buttons = buttons::count_of_app(conn, &app.id).await?;
                listed.push(Listed { app, connections, buttons });
            }
            Ok(listed)
        })
    });
    let mut listed = listed.await?;
    let page = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let has_more = listed.len() > page;
    listed.truncate(page);
    Ok((listed, has_more))
}

/// The user's webhook with this id, which anybody may have written, and its application.
pub async fn webhook(ctx: &Context, user: &User, id: &str) -> Result<(Webhook, App), ConsoleError> {
    partner_only(user)?;
    let id = Uuid::parse_str(id).map(WebhookId).map_err(|_| ConsoleError::Unknown)?;
    let found = webhooks::find(ctx, id).await?;
    let owner = found.app.as_ref().ok_or(ConsoleError::Unknown)?;
    let app = app(ctx, user, owner.as_str()).await?;
    Ok((found, app))
}

/// The user's application with this id, which anybody may have written.
pub async fn app(ctx: &Context, user: &User, id: &str) -> Result<App, ConsoleError> {
    let (owner, id) = (user.id, AppId::parse(id).map_err(|_| ConsoleError::Unknown)?);
    partner_only(user)?;
    let found = ctx.store.read(move |conn| {
        let id = id.clone();
        Box::pin(async move { own(conn, owner, &id).await })
    });
    found.await?.ok_or(ConsoleError::Unknown)
}

async fn own(conn: &mut Conn, owner: UserId, id: &AppId) -> Result<Option<App>, StoreError> {
    Ok(apps::find(conn, id).await?.filter(|app| app.owner == Some(owner)))
}

/// The user's application, and its action call-back.
pub async fn callback(ctx: &Context, user: &User, id: &str) -> Result<(App, Option<ActionCallback>), ConsoleError> {
    let app = app(ctx, user, id).await?;
    let callback = action_callback::find(ctx, &app.id).await?;
    Ok((app, callback))
}

/// Has the application's server asked from now on. A secret that was made is shown this once.
pub async fn set_callback(
    ctx: &Acting<'_>,
    user: &User,
    id: &str,
    url: TargetUrl,
    on_failure: OnFailure,
) -> Result<Option<String>, ConsoleError> {
    let app = app(ctx, user, id).await?;
    let (_, secret) = action_callback::set(&ctx.for_owner(user.id), &app.id, url, on_failure).await?;
    Ok(secret)
}

/// A new secret, shown this once.
pub async fn rotate_callback_secret(ctx: &Acting<'_>, user: &User, id: &str) -> Result<String, ConsoleError> {
    let app = app(ctx, user, id).await?;
    Ok(action_callback::rotate_secret(&ctx.for_owner(user.id), &app.id).await?)
}

pub async fn test_callback(ctx: &Acting<'_>, user: &User, id: &str) -> Result<LastCall, ConsoleError> {
    let app = app(ctx, user, id).await?;
    Ok(action_callback::test(&ctx.for_owner(user.id), &app.id).await?)
}

/// `false` where there was none.
pub async fn remove_callback(ctx: &Acting<'_>, user: &User, id: &str) -> Result<bool, ConsoleError> {
    let app = app(ctx, user, id).await?;
    Ok(action_callback::remove(&ctx.for_owner(user.id), &app.id).await?)
}

/// The user's button with this id, and its application.
pub async fn button(ctx: &Context, user: &User, id: &str) -> Result<(Button, App), ConsoleError> {
    let (owner, id) = (user.id, ButtonId::parse(id).map_err(|_| ConsoleError::Unknown)?);
    partner_only(user)?;
    let found = ctx.store.read(move |conn| {
        let id = id.clone();
        Box::pin(async move {
            let Some(button) = buttons::find(conn, &id).await? else { return Ok(None) };
            Ok(own(conn, owner, &button.app).await?.map(|app| (button, app)))
        })
    });
    found.await?.ok_or(ConsoleError::Unknown)
}

pub async fn overview(ctx: &Context, user: &User, id: &str) -> Result<Overview, ConsoleError> {
    let app = app(ctx, user, id).await?;
    let (now, id) = (ctx.now_for(&app.id), app.id.clone());
    let events = audit::of_target(ctx, TargetKind::App, app.id.as_str(), EVENTS).await?;
    let looked_up = ctx.store.read(move |conn| {
        let id = id.clone();
        Box::pin(async move {
            let secrets = apps::find_with_secrets(conn, &id).await?.map(|(_, secrets)| secrets).unwrap_or_default();
            let buttons = buttons::list(conn, Some(&id), None, MAX_BUTTONS).await?;
            let connections = connections::count_live_of_app(conn, &id, now).await?;
            Ok((secrets, buttons, connections))
        })
    });
    let (secrets, buttons, connections) = looked_up.await?;
    let previous_until = secrets.previous.map(|(_, until)| until).filter(|until| now < *until);
    Ok(Overview { app, has_secret: secrets.client.is_some(), previous_until, buttons, connections, events })
}

pub async fn usage(ctx: &Context, user: &User, id: &str) -> Result<(App, Vec<Series>), ConsoleError> {
    let app = app(ctx, user, id).await?;
    let series = usage::of_app(ctx, &app.id).await?;
    Ok((app, series))
}

/// Registers an application of the user's. Its secret, where it has one, is shown this once.
pub async fn create_app(ctx: &Acting<'_>, user: &User, app: App) -> Result<(App, Option<String>), ConsoleError> {
    partner_only(user)?;
    let app = App { owner: Some(user.id), ..app };
    Ok(partner::add_app_within(ctx, Wanted::from(app), Vec::new(), MAX_APPS).await?)
}

/// Writes an application of the user's anew. A secret that it has to have from now on is shown this once.
pub async fn edit_app(ctx: &Acting<'_>, user: &User, wanted: App) -> Result<(App, Option<String>), ConsoleError> {
    let before = app(ctx, user, wanted.id.as_str()).await?;
    Ok(partner::set_app(&ctx.for_owner(user.id), Wanted::from(App { owner: before.owner, ..wanted })).await?)
}

pub async fn delete_app(ctx: &Acting<'_>, user: &User, id: &str) -> Result<(), ConsoleError> {
    let app = app(ctx, user, id).await?;
    Ok(partner::delete_app(&ctx.for_owner(user.id), &app.id).await?)
}

/// A new secret, shown this once; the one before is taken beside it for this long.
pub async fn rotate_secret(ctx: &Acting<'_>, user: &User, id: &str, overlap: Duration) -> Result<String, ConsoleError> {
    let app = app(ctx, user, id).await?;
    Ok(partner::rotate_secret(&ctx.for_owner(user.id), &app.id, overlap).await?)
}

/// From now on only the newest secret is taken. `false` where no other was.
pub async fn revoke_previous_secret(ctx: &Acting<'_>, user: &User, id: &str) -> Result<bool, ConsoleError> {
    let app = app(ctx, user, id).await?;
    Ok(partner::revoke_previous_secret(&ctx.for_owner(user.id), &app.id).await?)
}

pub async fn set_logo(ctx: &Acting<'_>, user: &User, id: &str, file: Vec<u8>) -> Result<LogoId, ConsoleError> {
    let app = app(ctx, user, id).await?;
    Ok(logos::set(&ctx.for_owner(user.id), &app, file).await?)
}

/// `false` where there was none.
pub async fn remove_logo(ctx: &Acting<'_>, user: &User, id: &str) -> Result<bool, ConsoleError> {
    let app = app(ctx, user, id).await?;
    Ok(logos::remove(&ctx.for_owner(user.id), &app).await?)
}

pub async fn create_button(ctx: &Acting<'_>, user: &User, new: NewButton) -> Result<Button, ConsoleError> {
    app(ctx, user, new.app.as_str()).await?;
    Ok(partner::add_button_within(&ctx.for_owner(user.id), new, MAX_BUTTONS).await?)
}

/// Writes a button of the user's anew; it stays with its application.
pub async fn edit_button(ctx: &Acting<'_>, user: &User, wanted: Button) -> Result<Button, ConsoleError> {
    let (before, _) = button(ctx, user, wanted.id.as_str()).await?;
    Ok(partner::set_button(&ctx.for_owner(user.id), Button { app: before.app, ..wanted }).await?)
}

/// Answers whose button it was.
pub async fn delete_button(ctx: &Acting<'_>, user: &User, id: &str) -> Result<App, ConsoleError> {
    let (button, app) = button(ctx, user, id).await?;
    partner::delete_button(&ctx.for_owner(user.id), &button.id).await?;
    Ok(app)
}
