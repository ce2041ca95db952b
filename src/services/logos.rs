//! The logos of applications, which users see where they are asked for consent (rule C16).

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::Context;
use super::audit::{Acting, may_change, record_of_app};
use crate::crypto::token::sha256;
use crate::domain::app::{App, LogoId};
use crate::domain::event::{Action, Change, Target};
use crate::domain::ids::AppId;
use crate::images;
pub use crate::images::{MAX_BYTES, PictureError};
use crate::store::{Outage, StoreError, logos};

/// It is the memory of the process that is bounded, whichever world a picture is for.
static ONE_AT_A_TIME: Semaphore = Semaphore::const_new(1);
/// Pictures that wait for that at most, each in memory.
static WAITING: Semaphore = Semaphore::const_new(16);
/// Bytes of a hash that tell an application's logos apart.
const ID_BYTES: usize = 8;

#[derive(Debug, thiserror::Error)]
pub enum LogoError {
    #[error(transparent)]
    Picture(#[from] PictureError),
    #[error("there is no application with this id")]
    UnknownApp,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Gives an application a logo, made from an uploaded file.
pub async fn set(ctx: &Acting<'_>, app: &App, file: Vec<u8>) -> Result<LogoId, LogoError> {
    let image: Arc<[u8]> = written_anew(file).await?.into();
    let logo = id_of(&image)?;
    let mut event = ctx.event(Action::AppLogoSet, Target::app(&app.id, &app.name));
    event.changes =
        Change::of("logo", app.logo.as_ref().map_or("", LogoId::as_str), logo.as_str()).into_iter().collect();
    let (id, named, owner) = (app.id.clone(), logo.clone(), ctx.owner());
    let set = ctx.store.write(move |conn| {
        let (id, logo, image, event) = (id.clone(), named.clone(), image.clone(), event.clone());
        Box::pin(async move {
            let is_there = may_change(conn, owner, &id).await? && logos::set(conn, &id, &logo, &image).await?;
            if is_there {
                record_of_app(conn, &event).await?;
            }
            Ok(is_there)
        })
    });
    let is_set = set.await?;
    ctx.told();
    if is_set { Ok(logo) } else { Err(LogoError::UnknownApp) }
}

/// Takes the logo away. `false` where there was none.
pub async fn remove(ctx: &Acting<'_>, app: &App) -> Result<bool, StoreError> {
    let event = ctx.event(Action::AppLogoRemoved, Target::app(&app.id, &app.name));
    let (id, owner) = (app.id.clone(), ctx.owner());
    let removed = ctx.store.write(move |conn| {
        let (id, event) = (id.clone(), event.clone());
        Box::pin(async move {
            let was_there = may_change(conn, owner, &id).await? && logos::remove(conn, &id).await?;
            if was_there {
                record_of_app(conn, &event).await?;
            }
            Ok(was_there)
        })
    });
    let removed = removed.await?;
    ctx.told();
    Ok(removed)
}

/// An application's present logo, if this is it: a PNG.
pub async fn find(ctx: &Context, app: &AppId, logo: &LogoId) -> Result<Option<Vec<u8>>, StoreError> {
    let (app, logo) = (app.clone(), logo.clone());
    let found = ctx.store.read(move |conn| {
        let (app, logo) = (app.clone(), logo.clone());
        Box::pin(async move { logos::find(conn, &app, &logo).await })
    });
    found.await
}

/// Off the async threads. A file that brings a decoder down is as good as damaged.
async fn written_anew(file: Vec<u8>) -> Result<Vec<u8>, LogoError> {
    let _place = WAITING
        .try_acquire()
        .map_err(|_| StoreError::Unavailable(Outage::Busy, "too many pictures wait".to_owned()))?;
    let permit = ONE_AT_A_TIME.acquire().await.map_err(|_| PictureError::Broken)?;
    let written = spawn_blocking(move || {
        let png = images::to_png(&file);
        // Goes along: who hangs up does not make room while the picture is still being decoded.
        drop(permit);
        png
    });
    Ok(written.await.map_err(|_| PictureError::Broken)??)
}

fn id_of(image: &[u8]) -> Result<LogoId, StoreError> {
    let digits: String = sha256(image)[..ID_BYTES].iter().map(|byte| format!("{byte:02x}")).collect();
    LogoId::parse(&digits).ok_or_else(|| StoreError::Internal("a hash is no id of a logo".to_owned()))
}
