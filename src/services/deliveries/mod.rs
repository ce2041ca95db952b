//! Deliveries: settings that are kept sealed, receivers that demand them, and test leads that are sent with them
//! (wire.md D). What is another's is not there.

mod challenge;
mod escapes;
mod receive;
mod send;
mod shown;

use std::sync::Arc;

pub use challenge::challenges;
pub use receive::{
    Lead, NoLead, Presented, ReceiverRefusal, Witnessed, admit, authentication_info, begin_received, keep_received,
    keep_refused, read_lead,
};
pub use send::{MAX_TEST_LEAD, TestLead, sample_lead, send_test};

use super::audit::Acting;
use super::{Context, changes};
use crate::domain::app::{MAX_NAME, is_name};
use crate::domain::delivery::{
    Delivery, Exchange, ExchangeKind, Field, Given, MethodKind, Settings, SettingsError, Step, Wrong,
};
use crate::domain::event::{Action, Event, Target};
use crate::domain::ids::{DeliveryId, ExchangeId, UserId};
use crate::domain::target_url::TargetUrl;
use crate::entropy::time_ordered_id;
use crate::store::deliveries::{self as rows, Sealed};
use crate::store::{StoreError, events, users};

/// Deliveries that a partner may have.
pub const MAX_DELIVERIES: i64 = 50;

#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// One error for what is another's and what is not there.
    #[error("there is no delivery with this id")]
    Unknown,
    #[error("there is no user with this e-mail address, or they are disabled")]
    UnknownOwner,
    #[error("a partner can have {MAX_DELIVERIES} deliveries at most")]
    TooMany,
    #[error("the delivery was changed by somebody else meanwhile; look at it, and try again")]
    Changed,
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A delivery to be made.
pub struct NewDelivery {
    pub owner: Option<UserId>,
    pub name: String,
    pub method: MethodKind,
    pub url: Option<String>,
    pub given: Given,
}

/// What is to be different of a delivery.
#[derive(Default)]
pub struct DeliveryChange {
    pub name: Option<String>,
    pub method: Option<MethodKind>,
    /// `Some(None)`: none any more.
    pub url: Option<Option<String>>,
    /// What is left out stays, secrets among it.
    pub given: Given,
    /// What is set to nothing.
    pub cleared: Vec<Field>,
}

/// A delivery with its settings opened.
pub struct Opened {
    pub delivery: Delivery,
    pub settings: Settings,
}

/// Where the settings of a delivery lie, as they are sealed.
pub(super) fn row(id: DeliveryId) -> String {
    format!("deliveries/{id}/settings")
}

fn seal(ctx: &Context, delivery: Delivery, settings: &Settings) -> Result<Sealed, StoreError> {
    let plain = serde_json::to_vec(settings).map_err(|error| StoreError::Internal(error.to_string()))?;
    let settings = ctx.sealer.seal(&row(delivery.id), &plain);
    Ok(Sealed { delivery, settings })
}

fn open(ctx: &Context, sealed: Sealed) -> Result<Opened, StoreError> {
    let id = sealed.delivery.id;
    let corrupt = |why: String| StoreError::Corrupt(format!("the settings of delivery {id}: {why}"));
    let plain = ctx.sealer.open(&row(id), &sealed.settings).map_err(|error| corrupt(error.to_string()))?;
    // What serde says of it may repeat it.
    let settings = serde_json::from_slice(&plain).map_err(|_| corrupt("cannot be read".to_owned()))?;
    Ok(Opened { delivery: sealed.delivery, settings })
}

fn check_name(name: String) -> Result<String, SettingsError> {
    const _: () = assert!(MAX_NAME == 120);
    let wrong = Wrong::Invalid("1 to 120 visible characters");
    if is_name(&name) { Ok(name) } else { Err(SettingsError { field: Field::Name, wrong }) }
}

/// A target is judged when it is set, and again at each call.
fn check_url(url: Option<String>) -> Result<Option<String>, SettingsError> {
    let wrong = Wrong::Invalid("an address such as `https://leads.example.com/receive`");
    match url {
        Some(text) if TargetUrl::parse(&text).is_err() => Err(SettingsError { field: Field::Url, wrong }),
        url => Ok(url),
    }
}

/// Makes a delivery; of its owner or, without one, of the operator.
pub async fn create(ctx: &Acting<'_>, new: NewDelivery) -> Result<Opened, DeliveryError> {
    let now = ctx.now();
    let delivery = Delivery {
        id: DeliveryId(time_ordered_id(&*ctx.entropy, now)),
        owner: new.owner,
        name: check_name(new.name)?,
        method: new.method,
        url: check_url(new.url)?,
        created_at: now,
    };
    let settings = Settings::read(new.method, new.given)?;
    let sealed = seal(ctx, delivery, &settings)?;
    let mut event = ctx.event(Action::DeliveryCreated, Target::delivery(sealed.delivery.id, &sealed.delivery.name));
    event.changes = changes::of_delivery(None, (&sealed.delivery, &settings));
    let work = Arc::new((sealed.clone(), event));
    let made = ctx.store.write(move |conn| {
        let work = work.clone();
        Box::pin(async move {
            let (sealed, event) = &*work;
            if let Some(owner) = sealed.delivery.owner {
                if !users::hold_active(conn, owner).await? {
                    return Ok(Err(DeliveryError::UnknownOwner));
                }
                if rows::count_of_owner(conn, owner).await? >= MAX_DELIVERIES {
                    return Ok(Err(DeliveryError::TooMany));
                }
            }
            rows::insert(conn, sealed).await?;
            events::record(conn, event).await?;
            Ok(Ok(()))
        })
    });
    made.await??;
    Ok(Opened { delivery: sealed.delivery, settings })
}

/// Whether a delivery is there for somebody; `None`: for who sees all.
fn is_theirs(owner: Option<UserId>, delivery: &Delivery) -> bool {
    owner.is_none() || delivery.owner == owner
}

async fn find_sealed(ctx: &Context, owner: Option<UserId>, id: DeliveryId) -> Result<Sealed, DeliveryError> {
    let found = ctx.store.read(move |conn| Box::pin(rows::find(conn, id))).await?;
    found.filter(|sealed| is_theirs(owner, &sealed.delivery)).ok_or(DeliveryError::Unknown)
}

/// A delivery of this owner's; without one, anybody's.
pub async fn find(ctx: &Context, owner: Option<UserId>, id: DeliveryId) -> Result<Opened, DeliveryError> {
    Ok(open(ctx, find_sealed(ctx, owner, id).await?)?)
}

/// The oldest `limit` deliveries, of those of an owner, and of those after this one.
pub async fn list(
    ctx: &Context,
    owner: Option<UserId>,
    after: Option<DeliveryId>,
    limit: i64,
) -> Result<Vec<Delivery>, DeliveryError> {
    Ok(ctx.store.read(move |conn| Box::pin(rows::list(conn, owner, after, limit))).await?)
}

/// Changes a delivery. What its method does not have any more is forgotten.
pub async fn change(ctx: &Acting<'_>, id: DeliveryId, change: DeliveryChange) -> Result<Opened, DeliveryError> {
    let found = find_sealed(ctx, ctx.owner(), id).await?;
    let as_it_was = found.settings.clone();
    let before = open(ctx, found)?;
    let method = change.method.unwrap_or(before.delivery.method);
    let mut kept = before.settings.given().of_method(method);
    for field in change.cleared {
        kept.clear(field);
        // A secret without its client is nobody's.
        if field == Field::ClientId {
            kept.clear(Field::ClientSecret);
        }
    }
    if change.given.grant.is_some_and(|grant| grant != crate::domain::delivery::TokenGrant::Password) {
        kept.clear(Field::Username);
        kept.clear(Field::Password);
    }
    let settings = Settings::read(method, change.given.or(kept))?;
    let delivery = Delivery {
        name: change.name.map_or(Ok(before.delivery.name.clone()), check_name)?,
        method,
        url: change.url.map_or(Ok(before.delivery.url.clone()), check_url)?,
        ..before.delivery.clone()
    };
    let mut event = ctx.event(Action::DeliveryChanged, Target::delivery(id, &delivery.name));
    event.changes = changes::of_delivery(Some((&before.delivery, &before.settings)), (&delivery, &settings));
    let work = Arc::new((seal(ctx, delivery.clone(), &settings)?, as_it_was, event));
    let changed = ctx.store.write(move |conn| {
        let work = work.clone();
        Box::pin(async move {
            let (sealed, as_it_was, event) = &*work;
            if !rows::update(conn, sealed, as_it_was).await? {
                return Ok(Err(DeliveryError::Changed));
            }
            events::record(conn, event).await?;
            Ok(Ok(()))
        })
    });
    changed.await??;
    Ok(Opened { delivery, settings })
}

/// Deletes a delivery with all that came and went by it.
pub async fn delete(ctx: &Acting<'_>, id: DeliveryId) -> Result<Delivery, DeliveryError> {
    let owner = ctx.owner();
    let event = ctx.event(Action::DeliveryDeleted, Target::delivery(id, ""));
    ctx.store
        .write(move |conn| {
            let mut event = event.clone();
            Box::pin(async move {
                let found = rows::find(conn, id).await?.map(|sealed| sealed.delivery);
                let Some(delivery) = found.filter(|found| is_theirs(owner, found)) else {
                    return Ok(Err(DeliveryError::Unknown));
                };
                if !rows::delete(conn, id).await? {
                    return Ok(Err(DeliveryError::Unknown));
                }
                event.target.name.clone_from(&delivery.name);
                events::record(conn, &event).await?;
                Ok(Ok(delivery))
            })
        })
        .await?
}

/// The newest `limit` exchanges of a delivery, of those before this one.
pub async fn exchanges(
    ctx: &Context,
    owner: Option<UserId>,
    id: DeliveryId,
    before: Option<ExchangeId>,
    limit: i64,
) -> Result<Vec<Exchange>, DeliveryError> {
    find_sealed(ctx, owner, id).await?;
    Ok(ctx.store.read(move |conn| Box::pin(rows::exchanges(conn, id, before, limit))).await?)
}

/// One exchange of a delivery.
pub async fn exchange(
    ctx: &Context,
    owner: Option<UserId>,
    id: DeliveryId,
    exchange: ExchangeId,
) -> Result<Exchange, DeliveryError> {
    find_sealed(ctx, owner, id).await?;
    let found = ctx.store.read(move |conn| Box::pin(rows::find_exchange(conn, id, exchange))).await?;
    found.ok_or(DeliveryError::Unknown)
}

/// An exchange of now, with nothing in it yet.
fn begin(ctx: &Context, delivery: DeliveryId, kind: ExchangeKind, steps: Vec<Step>) -> Exchange {
    let id = ExchangeId(ctx.event_ids.next(ctx.real_now(), &*ctx.entropy).0);
    Exchange { id, delivery, at: ctx.now(), kind, status: None, why: None, steps, lead: None, lead_type: None }
}

/// `event`: of who sent a test lead.
async fn record(ctx: &Context, exchange: Exchange, event: Option<Event>) -> Result<Exchange, StoreError> {
    let work = Arc::new((exchange.clone(), event));
    let recorded = ctx.store.write(move |conn| {
        let work = work.clone();
        Box::pin(async move {
            let (exchange, event) = &*work;
            rows::record(conn, exchange).await?;
            match event {
                Some(event) => events::record(conn, event).await,
                None => Ok(()),
            }
        })
    });
    recorded.await?;
    Ok(exchange)
}

/// Where a delivery's own receiver is.
#[must_use]
pub fn receiver(ctx: &Context, id: DeliveryId) -> String {
    format!("{}/deliveries/{id}/receive", ctx.issuer)
}
