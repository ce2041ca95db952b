//! What a partner or an operator does with applications and buttons.

mod button;
mod client_secret;

use super::audit::{Acting, may_change, record_of_app};
use super::endings::Ending;
use super::reason::likest;
use super::{Context, changes};
use crate::config::Secret;
use crate::crypto::client_keys::{ClientKeys, ClientKeysError};
use crate::domain::app::{App, Inconsistent};
use crate::domain::button::Button;
use crate::domain::connection::EndedBy;
use crate::domain::email::Email;
use crate::domain::event::{Action, Change, Target};
use crate::domain::ids::AppId;
use crate::domain::origin::Origin;
use crate::domain::scope::ScopeSet;
use crate::domain::secret_hash::SecretHash;
use crate::entropy::time_ordered_id;
use crate::store::apps::Secrets;
use crate::store::{Conn, StoreError, access_tokens, apps, buttons, events, users};

pub(super) use button::add_button_within;
pub use button::{NewButton, add_button, delete_button, find_button, find_button_of_origin, list_buttons, set_button};
pub(super) use client_secret::make_client_secret;
pub use client_secret::{hash_client_secret, revoke_previous_secret, rotate_secret};

use button::{check_button, draft_button};

/// Which applications are looked for.
pub use crate::store::apps::Search;

/// For an operator, who may make as many as there is room for.
const NO_LIMIT: i64 = i64::MAX;

#[derive(Debug, thiserror::Error)]
pub enum PartnerError {
    #[error("there is an application with this id already")]
    AppTaken,
    #[error("there is no application with this id")]
    UnknownApp,
    #[error("the application has no secret: it is a public client, or authenticates with a key")]
    NoSecret,
    #[error("there is a button with this id already")]
    ButtonTaken,
    #[error("there is no button with this id")]
    UnknownButton,
    #[error("a button of application {app} can ask for `{scopes}` only, which is what the application has")]
    WiderButton { app: AppId, scopes: ScopeSet },
    #[error("the owner has {0} applications, which is all there may be")]
    TooManyApps(i64),
    #[error("the application has {0} buttons, which is all there may be")]
    TooManyButtons(i64),
    #[error("there is no user with the owner's e-mail address")]
    UnknownOwner,
    #[error(transparent)]
    Inconsistent(#[from] Inconsistent),
    #[error("the client's keys: {0}")]
    Keys(#[from] ClientKeysError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An application as it is to be.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub app: App,
    /// Who owns it from now on; `None`: whom the application names.
    pub owner: Option<Email>,
    /// Of one that authenticates with a secret; `None`: the one that it has, else one that is made.
    pub client_secret: Option<Secret>,
}

impl From<App> for Wanted {
    fn from(app: App) -> Self {
        Self { app, owner: None, client_secret: None }
    }
}

/// An application before anything but its name was said of it, for [`add_app`]; without an id it gets one of ours.
pub fn draft_app(ctx: &Context, id: Option<AppId>, name: String) -> App {
    let now = ctx.now();
    App::new(id.unwrap_or_else(|| time_ordered_id(&*ctx.entropy, now).into()), name, now)
}

/// Registers an application with its buttons. A client secret that was made is shown this once.
pub async fn add_app(
    ctx: &Acting<'_>,
    wanted: Wanted,
    buttons: Vec<NewButton>,
) -> Result<(App, Option<String>), PartnerError> {
    add_app_within(ctx, wanted, buttons, NO_LIMIT).await
}

/// The same, where its owner may have at most so many.
pub(super) async fn add_app_within(
    ctx: &Acting<'_>,
    wanted: Wanted,
    buttons: Vec<NewButton>,
    most: i64,
) -> Result<(App, Option<String>), PartnerError> {
    wanted.app.check()?;
    let (chosen, has_secret) = (wanted.client_secret.as_ref().map(Secret::expose), wanted.app.auth_method.has_secret());
    let made = (has_secret && chosen.is_none()).then(|| make_client_secret(ctx));
    let client = chosen.or(made.as_deref()).filter(|_| has_secret).map(|secret| hash_client_secret(ctx, secret));
    let buttons: Vec<Button> = buttons.into_iter().map(|new| draft_button(ctx, new)).collect();
    let mut events = vec![ctx.event(Action::AppCreated, Target::app(&wanted.app.id, &wanted.app.name))];
    events.extend(buttons.iter().map(|button| ctx.event(Action::ButtonCreated, Target::button(&button.id))));
    let added = ctx.store.write(move |conn| {
        let (wanted, buttons, events) = (wanted.clone(), buttons.clone(), events.clone());
        Box::pin(async move {
            let Some(app) = owned(conn, wanted.app, wanted.owner).await? else {
                return Ok(Err(PartnerError::UnknownOwner));
            };
            if !has_room(conn, &app, most).await? {
                return Ok(Err(PartnerError::TooManyApps(most)));
            }
            // Judged before anything is written: an application is made with all of its buttons or not at all.
            for (nth, button) in buttons.iter().enumerate() {
                if let Err(why) = check_button(button, &app) {
                    return Ok(Err(why));
                }
                let is_repeated = buttons[..nth].iter().any(|other| other.id == button.id);
                if is_repeated || buttons::find(conn, &button.id).await?.is_some() {
                    return Ok(Err(PartnerError::ButtonTaken));
                }
            }
            if !apps::insert(conn, &app, &Secrets { client, ..Secrets::default() }).await? {
                return Ok(Err(PartnerError::AppTaken));
            }
            for button in &buttons {
                if !buttons::insert(conn, button).await? {
                    return Err(StoreError::Again);
                }
            }
            for event in &events {
                events::record(conn, event).await?;
            }
            Ok(Ok(app))
        })
    });
    Ok((added.await??, made))
}

/// Whether the owner of an application may have one more, and will until the transaction is over.
async fn has_room(conn: &mut Conn, app: &App, most: i64) -> Result<bool, StoreError> {
    let Some(owner) = app.owner.filter(|_| most != NO_LIMIT) else { return Ok(true) };
    users::hold_active(conn, owner).await?;
    Ok(apps::count_of_owner(conn, owner).await? < most)
}

/// Writes an application anew. One that has to have a secret from now on gets it, shown this once; one that must not
/// have any loses it.
pub async fn set_app(ctx: &Acting<'_>, wanted: Wanted) -> Result<(App, Option<String>), PartnerError> {
    wanted.app.check()?;
    let is_chosen = wanted.client_secret.is_some();
    let secret =
        wanted.client_secret.as_ref().map_or_else(|| make_client_secret(ctx), |given| given.expose().to_owned());
    let fresh = hash_client_secret(ctx, &secret);
    let changed = ctx.event(Action::AppChanged, Target::app(&wanted.app.id, &wanted.app.name));
    let rotated = ctx.event(Action::AppSecretRotated, changed.target.clone());
    let only = ctx.owner();
    let written = ctx.store.write(move |conn| {
        let (wanted, mut changed, rotated) = (wanted.clone(), changed.clone(), rotated.clone());
        Box::pin(async move {
            if !may_change(conn, only, &wanted.app.id).await? {
                return Ok(Err(PartnerError::UnknownApp));
            }
            let Some(app) = owned(conn, wanted.app, wanted.owner).await? else {
                return Ok(Err(PartnerError::UnknownOwner));
            };
            let Some(Replaced { before, has_secret_now }) = replace_app(conn, &app, &fresh).await? else {
                return Ok(Err(PartnerError::UnknownApp));
            };
            changed.changes = changes::of_app(&before, &app);
            if !changed.changes.is_empty() {
                record_of_app(conn, &changed).await?;
            }
            if is_chosen && !has_secret_now && app.auth_method.has_secret() {
                apps::set_secret(conn, &app.id, Some(&fresh)).await?;
                record_of_app(conn, &rotated).await?;
            }
            Ok(Ok((app, has_secret_now)))
        })
    });
    let (app, is_taken) = written.await??;
    ctx.told();
    Ok((app, (is_taken && !is_chosen).then_some(secret)))
}

/// The application with its new owner, where one is named. `None` where there is no such user.
async fn owned(conn: &mut Conn, mut app: App, owner: Option<Email>) -> Result<Option<App>, StoreError> {
    if let Some(owner) = owner {
        let Some((user, _)) = users::find_by_email(conn, &owner).await? else { return Ok(None) };
        app.owner = Some(user.id);
    }
    Ok(Some(app))
}

/// What writing an application anew came to.
pub(super) struct Replaced {
    pub before: App,
    /// Whether it had no secret and has one now.
    pub has_secret_now: bool,
}

/// Writes an application anew; where it had no secret and needs one, that is `fresh`. `None` where there is none. Whether
/// it is disabled and its logo stay.
pub(super) async fn replace_app(
    conn: &mut Conn,
    app: &App,
    fresh: &SecretHash,
) -> Result<Option<Replaced>, StoreError> {
    let Some((before, stored)) = apps::find_with_secrets(conn, &app.id).await? else { return Ok(None) };
    let has_secret_now = app.auth_method.has_secret() && stored.client.is_none();
    if has_secret_now || !app.auth_method.has_secret() {
        apps::set_secret(conn, &app.id, has_secret_now.then_some(fresh)).await?;
    }
    apps::update(conn, app).await?;
    Ok(Some(Replaced { before, has_secret_now }))
}

/// The public keys of a client in the form that is kept of them (RFC 7517).
pub fn client_keys(text: &str) -> Result<String, PartnerError> {
    Ok(ClientKeys::parse(text)?.to_json().to_string())
}

/// The oldest `limit` applications, of those after this one.
pub async fn list_apps(ctx: &Context, after: Option<AppId>, limit: i64) -> Result<Vec<App>, PartnerError> {
    let listed = ctx.store.read(move |conn| {
        let after = after.clone();
        Box::pin(async move { apps::list(conn, after.as_ref(), limit).await })
    });
    Ok(listed.await?)
}

/// The newest `limit` of those that are looked for.
pub async fn search_apps(ctx: &Context, search: Search, limit: i64) -> Result<Vec<App>, StoreError> {
    let found = ctx.store.read(move |conn| {
        let search = search.clone();
        Box::pin(async move { apps::search(conn, &search, limit).await })
    });
    found.await
}

/// Gives an application another owner, or (`None`) none.
pub async fn set_owner(ctx: &Acting<'_>, id: &AppId, owner: Option<Email>) -> Result<(), PartnerError> {
    let (id, event) = (id.clone(), ctx.event(Action::AppChanged, Target::app(id, "")));
    let written = ctx.store.write(move |conn| {
        let (id, owner, mut event) = (id.clone(), owner.clone(), event.clone());
        Box::pin(async move {
            let Some(before) = apps::find(conn, &id).await? else { return Ok(Err(PartnerError::UnknownApp)) };
            let Some(after) = owned(conn, App { owner: None, ..before.clone() }, owner).await? else {
                return Ok(Err(PartnerError::UnknownOwner));
            };
            event.changes = changes::of_app(&before, &after);
            if !event.changes.is_empty() {
                apps::update(conn, &after).await?;
                event.target.name = after.name;
                record_of_app(conn, &event).await?;
            }
            Ok(Ok(()))
        })
    });
    let written = written.await?;
    ctx.told();
    written
}

pub async fn find_app(ctx: &Context, id: &AppId) -> Result<App, PartnerError> {
    let id = id.clone();
    let found = ctx
        .store
        .read(move |conn| {
            let id = id.clone();
            Box::pin(async move { apps::find(conn, &id).await })
        })
        .await?;
    found.ok_or(PartnerError::UnknownApp)
}

/// An application by an id that anybody may have written.
pub async fn app_by(ctx: &Context, id: &str) -> Result<Option<App>, StoreError> {
    let Ok(id) = AppId::parse(id) else { return Ok(None) };
    ctx.store
        .read(move |conn| {
            let id = id.clone();
            Box::pin(async move { apps::find(conn, &id).await })
        })
        .await
}

/// Whether any application has a redirect URI on this origin.
pub async fn is_origin_registered(ctx: &Context, origin: &Origin) -> Result<bool, StoreError> {
    let origin = origin.clone();
    ctx.store
        .read(move |conn| {
            let origin = origin.clone();
            Box::pin(async move { apps::is_origin_registered(conn, &origin).await })
        })
        .await
}

/// The application that an unknown id was probably meant to be. Only the sandbox tells.
pub async fn nearest_app(ctx: &Context, id: &str) -> Result<Option<String>, StoreError> {
    if !ctx.journal.is_on() {
        return Ok(None);
    }
    let known = ctx.store.read(|conn| Box::pin(apps::list(conn, None, 1_000))).await?;
    Ok(likest(id, known.iter().map(|app| app.id.as_str())))
}

/// Keeps an application from doing anything, and ends what it had: the connections of its users, its own tokens. The
/// connections that were ended stay ended.
pub async fn disable_app(ctx: &Acting<'_>, id: &AppId) -> Result<(), PartnerError> {
    set_state(ctx, id, true).await
}

/// Lets a disabled application go on, with new connections.
pub async fn enable_app(ctx: &Acting<'_>, id: &AppId) -> Result<(), PartnerError> {
    set_state(ctx, id, false).await
}

async fn set_state(ctx: &Acting<'_>, id: &AppId, is_disabled: bool) -> Result<(), PartnerError> {
    let action = if is_disabled { Action::AppDisabled } else { Action::AppEnabled };
    let (now, event) = (ctx.now_for(id), ctx.event(action, Target::app(id, "")));
    let ending = Ending { by: EndedBy::Operator, draft: ctx.draft() };
    let id = id.clone();
    let written = ctx.store.write(move |conn| {
        let (id, mut event) = (id.clone(), event.clone());
        Box::pin(async move {
            // Of two who do it at once, one waits and finds it done.
            apps::hold(conn, &id).await?;
            let Some(app) = apps::find(conn, &id).await? else { return Ok(Err(PartnerError::UnknownApp)) };
            if app.is_active() != is_disabled {
                return Ok(Ok(()));
            }
            apps::set_disabled(conn, &id, is_disabled.then_some(now)).await?;
            if is_disabled {
                let ended = ending.all_of_app(conn, &id, now).await?;
                access_tokens::revoke_own_of_app(conn, &id, now).await?;
                event.changes = vec![Change::new("connections_ended", ended)];
            }
            event.target.name = app.name;
            record_of_app(conn, &event).await?;
            Ok(Ok(()))
        })
    });
    let written = written.await?;
    ctx.told();
    written
}

/// Deletes an application with its buttons and connections: no token of it works any more.
pub async fn delete_app(ctx: &Acting<'_>, id: &AppId) -> Result<(), PartnerError> {
    let (id, event) = (id.clone(), ctx.event(Action::AppDeleted, Target::app(id, "")));
    let (only, now) = (ctx.owner(), ctx.now_for(&id));
    let ending = Ending { by: EndedBy::Operator, draft: ctx.draft() };
    let deleted = ctx.store.write_at_length(move |conn| {
        let (id, mut event) = (id.clone(), event.clone());
        Box::pin(async move {
            if !may_change(conn, only, &id).await? {
                return Ok(Err(PartnerError::UnknownApp));
            }
            let Some(app) = apps::find(conn, &id).await? else { return Ok(Err(PartnerError::UnknownApp)) };
            ending.all_of_app(conn, &id, now).await?;
            apps::delete(conn, &id).await?;
            event.target.name = app.name;
            events::record(conn, &event).await?;
            Ok(Ok(()))
        })
    });
    let deleted = deleted.await?;
    ctx.told();
    deleted
}
