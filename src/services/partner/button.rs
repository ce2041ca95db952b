//! Buttons of applications.

use std::sync::Arc;

use super::super::audit::{Acting, may_change};
use super::super::seed::sorted;
use super::super::{Context, changes};
use super::{NO_LIMIT, PartnerError};
use crate::domain::app::App;
use crate::domain::button::{Button, Size, Theme};
use crate::domain::event::{Action, Change, Target};
use crate::domain::ids::{AppId, ButtonId};
use crate::domain::origin::Origin;
use crate::domain::return_url::ReturnUrl;
use crate::domain::scope::ScopeSet;
use crate::entropy::time_ordered_id;
use crate::store::{StoreError, apps, buttons, events};

/// A button to be made.
#[derive(Debug, Clone)]
pub struct NewButton {
    /// Made when left out.
    pub id: Option<ButtonId>,
    pub app: AppId,
    pub origins: Vec<Origin>,
    pub return_urls: Vec<ReturnUrl>,
    pub scopes: Option<ScopeSet>,
    pub theme: Theme,
    pub size: Size,
}

pub(super) fn draft_button(ctx: &Context, new: NewButton) -> Button {
    let now = ctx.now_for(&new.app);
    Button {
        id: new.id.unwrap_or_else(|| time_ordered_id(&*ctx.entropy, now).into()),
        app: new.app,
        origins: sorted(&new.origins),
        return_urls: sorted(&new.return_urls),
        scopes: new.scopes,
        theme: new.theme,
        size: new.size,
        created_at: now,
    }
}

/// A button cannot ask for what its application may not have.
pub(super) fn check_button(button: &Button, app: &App) -> Result<(), PartnerError> {
    match &button.scopes {
        Some(scopes) if !app.scopes.covers(scopes) => {
            Err(PartnerError::WiderButton { app: app.id.clone(), scopes: app.scopes.clone() })
        }
        _ => Ok(()),
    }
}

pub async fn add_button(ctx: &Acting<'_>, new: NewButton) -> Result<Button, PartnerError> {
    add_button_within(ctx, new, NO_LIMIT).await
}

/// The same, where its application may have at most so many.
pub(in crate::services) async fn add_button_within(
    ctx: &Acting<'_>,
    new: NewButton,
    most: i64,
) -> Result<Button, PartnerError> {
    let button = draft_button(ctx, new);
    let mut event = ctx.event(Action::ButtonCreated, Target::button(&button.id));
    event.changes = vec![Change::new("app", &button.app)];
    let only = ctx.owner();
    ctx.store
        .write(move |conn| {
            let (button, event) = (button.clone(), event.clone());
            Box::pin(async move {
                if !may_change(conn, only, &button.app).await? {
                    return Ok(Err(PartnerError::UnknownApp));
                }
                let Some(app) = apps::find(conn, &button.app).await? else { return Ok(Err(PartnerError::UnknownApp)) };
                if let Err(why) = check_button(&button, &app) {
                    return Ok(Err(why));
                }
                if most != NO_LIMIT {
                    apps::hold(conn, &app.id).await?;
                    if buttons::count_of_app(conn, &app.id).await? >= most {
                        return Ok(Err(PartnerError::TooManyButtons(most)));
                    }
                }
                if !buttons::insert(conn, &button).await? {
                    return Ok(Err(PartnerError::ButtonTaken));
                }
                events::record(conn, &event).await?;
                Ok(Ok(button))
            })
        })
        .await?
}

/// The oldest `limit` buttons, of those of an application, and of those after this one.
pub async fn list_buttons(
    ctx: &Context,
    app: Option<AppId>,
    after: Option<ButtonId>,
    limit: i64,
) -> Result<Vec<Button>, PartnerError> {
    let listed = ctx.store.read(move |conn| {
        let (app, after) = (app.clone(), after.clone());
        Box::pin(async move { buttons::list(conn, app.as_ref(), after.as_ref(), limit).await })
    });
    Ok(listed.await?)
}

/// A button that may be used on the server's own origin: what the "Try it" page shows. The one that is asked for, if it
/// may; else the oldest.
pub async fn find_button_of_origin(
    ctx: &Context,
    origin: &Origin,
    asked: Option<&ButtonId>,
) -> Result<Option<(Button, App)>, StoreError> {
    let (origin, asked) = (origin.clone(), asked.cloned());
    ctx.store
        .read(move |conn| {
            let (origin, asked) = (origin.clone(), asked.clone());
            Box::pin(async move {
                let asked = match asked {
                    Some(id) => buttons::find(conn, &id).await?.filter(|button| button.allows_origin(&origin)),
                    None => None,
                };
                let oldest = buttons::list_of_origin(conn, &origin, 1).await?.pop();
                let Some(button) = asked.or(oldest) else { return Ok(None) };
                Ok(apps::find(conn, &button.app).await?.map(|app| (button, app)))
            })
        })
        .await
}

pub async fn find_button(ctx: &Context, id: &ButtonId) -> Result<Button, PartnerError> {
    let id = id.clone();
    let found = ctx
        .store
        .read(move |conn| {
            let id = id.clone();
            Box::pin(async move { buttons::find(conn, &id).await })
        })
        .await?;
    found.ok_or(PartnerError::UnknownButton)
}

/// Writes what may change about a button: all but its id.
pub async fn set_button(ctx: &Acting<'_>, button: Button) -> Result<Button, PartnerError> {
    let button = Button { origins: sorted(&button.origins), return_urls: sorted(&button.return_urls), ..button };
    let event = ctx.event(Action::ButtonChanged, Target::button(&button.id));
    let only = ctx.owner();
    ctx.store
        .write(move |conn| {
            let (button, mut event) = (button.clone(), event.clone());
            Box::pin(async move {
                let Some(app) = apps::find(conn, &button.app).await? else { return Ok(Err(PartnerError::UnknownApp)) };
                if let Err(why) = check_button(&button, &app) {
                    return Ok(Err(why));
                }
                let Some(before) = buttons::find(conn, &button.id).await? else {
                    return Ok(Err(PartnerError::UnknownButton));
                };
                for app in [&before.app, &button.app] {
                    if !may_change(conn, only, app).await? {
                        return Ok(Err(PartnerError::UnknownButton));
                    }
                }
                buttons::update(conn, &button).await?;
                event.changes = changes::of_button(&before, &button);
                if !event.changes.is_empty() {
                    events::record(conn, &event).await?;
                }
                Ok(Ok(button))
            })
        })
        .await?
}

pub async fn delete_button(ctx: &Acting<'_>, id: &ButtonId) -> Result<(), PartnerError> {
    let (id, event) = (id.clone(), Arc::new(ctx.event(Action::ButtonDeleted, Target::button(id))));
    let only = ctx.owner();
    let deleted = ctx.store.write(move |conn| {
        let (id, event) = (id.clone(), event.clone());
        Box::pin(async move {
            let Some(button) = buttons::find(conn, &id).await? else { return Ok(Err(PartnerError::UnknownButton)) };
            if !may_change(conn, only, &button.app).await? {
                return Ok(Err(PartnerError::UnknownButton));
            }
            buttons::delete(conn, &id).await?;
            events::record(conn, &event).await?;
            Ok(Ok(()))
        })
    });
    deleted.await?
}
