//! Master keys: which of them is in use, and what is sealed under which. A rotation writes the new key where every process
//! of the server finds it, and then seals anew, while they serve, whatever lies sealed: in this world, in its snapshots,
//! and in the worlds beside it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::audit::Acting;
use super::keys::{self, KeysError};
use super::{Context, action_callback, deliveries, namespaces, progress, webhooks};
use crate::crypto::seal::{MasterKeyId, MasterKeys};
use crate::domain::event::{Action, Change, Target, TargetKind};
use crate::domain::ids::{DeliveryId, WebhookId};
use crate::entropy::Entropy;
use crate::store::sealed::{self, Copied, Place, Shelf};
use crate::store::{OpenError, Store, StoreError, events};

#[derive(Debug, thiserror::Error)]
pub enum MasterKeysError {
    #[error("there is no master key {0}; `leadgate keys master list` shows all")]
    Unknown(MasterKeyId),
    #[error("{0} is the key that seals: rotate to another first (`leadgate keys master rotate`)")]
    Seals(MasterKeyId),
    #[error(
        "{values} sealed values still need {id}: seal them anew first (`leadgate keys master reseal`). Where that changes \
         nothing, another node does not have the new key yet"
    )]
    InUse { id: MasterKeyId, values: u64 },
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MasterKeyState {
    /// Waits until every node has it.
    Next,
    /// Seals.
    Current,
    /// Opens what was sealed before.
    Old,
}

impl MasterKeyState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Current => "current",
            Self::Old => "old",
        }
    }
}

/// A master key as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedMasterKey {
    pub id: MasterKeyId,
    pub state: MasterKeyState,
    /// Values that are sealed under it.
    pub values: u64,
}

/// The master keys that are there, newest first, and how many values none of them opens.
pub async fn list(ctx: &Context) -> Result<(Vec<ListedMasterKey>, u64), MasterKeysError> {
    let master = ctx.keys.master();
    let mut count = Count { master, values: BTreeMap::new(), lost: 0 };
    each_world(ctx, &mut Work::Count(&mut count)).await?;
    let sealing = master.sealing();
    let listed = master.ids().into_iter().map(|(id, is_next)| {
        let state = match () {
            () if is_next => MasterKeyState::Next,
            () if id == sealing => MasterKeyState::Current,
            () => MasterKeyState::Old,
        };
        ListedMasterKey { id, state, values: count.values.get(&id).copied().unwrap_or(0) }
    });
    let listed = listed.collect();
    Ok((listed, count.lost))
}

/// Seals anew what another master key than the present one seals; answers how many values that were. Safe at any moment,
/// on several nodes at once, and again where it was broken off.
pub async fn reseal(ctx: &Acting<'_>) -> Result<u64, MasterKeysError> {
    let mut resealed = 0;
    each_world(ctx, &mut Work::Reseal(&mut resealed)).await?;
    keys::reload(ctx).await?;
    if resealed > 0 {
        let changes = vec![Change::new("values", resealed)];
        record(ctx, Action::MasterKeyRotated, ctx.keys.master().sealing(), changes).await?;
    }
    Ok(resealed)
}

/// Whether a key can be taken away.
pub async fn check_unneeded(ctx: &Context, id: MasterKeyId) -> Result<(), MasterKeysError> {
    let (listed, _) = list(ctx).await?;
    match listed.iter().find(|key| key.id == id) {
        None => Err(MasterKeysError::Unknown(id)),
        Some(key) if key.state == MasterKeyState::Current => Err(MasterKeysError::Seals(id)),
        Some(key) if key.values > 0 => Err(MasterKeysError::InUse { id, values: key.values }),
        Some(_) => Ok(()),
    }
}

/// Writes down that a key was taken away.
pub async fn retired(ctx: &Acting<'_>, id: MasterKeyId) -> Result<(), StoreError> {
    record(ctx, Action::MasterKeyRetired, id, Vec::new()).await
}

async fn record(ctx: &Acting<'_>, action: Action, id: MasterKeyId, changes: Vec<Change>) -> Result<(), StoreError> {
    let mut event = ctx.event(action, Target::kind(TargetKind::Keys, &id.to_string()));
    event.changes = changes;
    let event = Arc::new(event);
    let record = ctx.store.write(move |conn| {
        let event = event.clone();
        Box::pin(async move { events::record(conn, &event).await })
    });
    record.await
}

struct Count<'c> {
    master: &'c MasterKeys,
    values: BTreeMap<MasterKeyId, u64>,
    lost: u64,
}

impl Count<'_> {
    fn add(&mut self, row: &str, sealed: &[u8]) {
        match self.master.open_telling(row, sealed) {
            Ok((id, _)) => *self.values.entry(id).or_default() += 1,
            Err(_) => self.lost += 1,
        }
    }
}

/// What is done to each sealed value.
enum Work<'w, 'c> {
    Count(&'w mut Count<'c>),
    /// With how many were sealed anew.
    Reseal(&'w mut u64),
}

/// On SQLite the worlds beside this one are in the memory of the process that made them, and end with it.
async fn each_world(ctx: &Context, work: &mut Work<'_, '_>) -> Result<(), MasterKeysError> {
    each_value(ctx, &ctx.store, work).await?;
    if ctx.store.has_shared_namespaces() {
        for namespace in namespaces::list(ctx).await? {
            let store = ctx.store.open_namespace(&namespace.id).await?;
            let done = each_value(ctx, &store, work).await;
            store.close().await;
            done?;
        }
    }
    Ok(())
}

async fn each_value(ctx: &Context, store: &Store, work: &mut Work<'_, '_>) -> Result<(), MasterKeysError> {
    for shelf in Shelf::ALL {
        let mut after = None;
        loop {
            let from = after.take();
            let page = store.read(move |conn| Box::pin(sealed::page(conn, shelf, from.clone()))).await?;
            let Some((last, _)) = page.last() else { break };
            progress::step(u64::try_from(page.len()).unwrap_or(u64::MAX));
            after = Some(last.clone());
            match work {
                Work::Count(count) => page.iter().for_each(|(place, sealed)| count.add(&row(place), sealed)),
                Work::Reseal(resealed) => **resealed += reseal_page(ctx, store, page).await?,
            }
        }
    }
    let mut after: Option<Copied> = None;
    loop {
        let from = after.take();
        let page = store.read(move |conn| {
            let from = from.clone();
            Box::pin(async move { sealed::copies(conn, from.as_ref()).await })
        });
        let page = page.await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.clone());
        for copied in page {
            each_copy(ctx, store, copied, work).await?;
        }
    }
}

/// What a value is bound to: see [`super::sealed`].
fn row(place: &Place) -> String {
    match place {
        Place::Key { purpose, serial } => keys::row(purpose, *serial),
        Place::Webhook(id) | Place::PreviousOfWebhook(id) => webhooks::row(WebhookId(*id)),
        Place::Delivery(id) => deliveries::row(DeliveryId(*id)),
        Place::Callback(app) => action_callback::row(app),
    }
}

/// The value under the present key; `None` where it is that already, or nothing opens it.
fn anew(ctx: &Context, row: &str, sealed: &[u8]) -> Option<Vec<u8>> {
    let master = ctx.keys.master();
    let (id, plain) = master.open_telling(row, sealed).ok()?;
    (id != master.sealing()).then(|| master.seal(row, &plain, &*ctx.entropy as &dyn Entropy))
}

async fn reseal_page(ctx: &Context, store: &Store, page: Vec<(Place, Vec<u8>)>) -> Result<u64, StoreError> {
    let anew = |(place, old): (Place, Vec<u8>)| anew(ctx, &row(&place), &old).map(|new| (place, old, new));
    let fresh: Arc<Vec<_>> = Arc::new(page.into_iter().filter_map(anew).collect());
    if fresh.is_empty() {
        return Ok(0);
    }
    let replaced = store.write(move |conn| {
        let fresh = fresh.clone();
        Box::pin(async move {
            let mut replaced = 0;
            for (place, old, new) in fresh.iter() {
                replaced += u64::from(sealed::replace(conn, place, old, new).await?);
            }
            Ok(replaced)
        })
    });
    replaced.await
}

/// The columns of a copied row that are sealed, with what they are bound to.
fn sealed_columns(copied: &Copied, content: &Map<String, Value>) -> Result<Vec<(&'static str, String)>, StoreError> {
    let text = |column: &str| content.get(column).and_then(Value::as_str).unwrap_or_default();
    Ok(match copied.table.as_str() {
        "webhooks" => {
            let row = webhooks::row(WebhookId(sealed::copied_id(text("id"))?));
            vec![("secret", row.clone()), ("previous_secret", row)]
        }
        "deliveries" => vec![("settings", deliveries::row(DeliveryId(sealed::copied_id(text("id"))?)))],
        "action_callbacks" => vec![("secret", action_callback::row(text("app_id")))],
        _ => Vec::new(),
    })
}

/// PostgreSQL writes bytes with this before them.
const HEX: &str = "\\x";

async fn each_copy(ctx: &Context, store: &Store, copied: Copied, work: &mut Work<'_, '_>) -> Result<(), StoreError> {
    let corrupt = || StoreError::Corrupt("snapshot_rows.content".into());
    let mut content: Map<String, Value> = serde_json::from_str(&copied.content).map_err(|_| corrupt())?;
    let mut fresh = 0;
    for (column, row) in sealed_columns(&copied, &content)? {
        let Some(written) = content.get(column).and_then(Value::as_str) else { continue };
        let (before, digits) = written.strip_prefix(HEX).map_or(("", written), |digits| (HEX, digits));
        let sealed = from_hex(digits).ok_or_else(corrupt)?;
        match work {
            Work::Count(count) => count.add(&row, &sealed),
            Work::Reseal(_) => {
                if let Some(new) = anew(ctx, &row, &sealed) {
                    content.insert(column.to_owned(), format!("{before}{}", to_hex(&new)).into());
                    fresh += 1;
                }
            }
        }
    }
    if let Work::Reseal(resealed) = work
        && fresh > 0
    {
        let replaced = Arc::new((copied, Value::Object(content).to_string()));
        let write = store.write(move |conn| {
            let replaced = replaced.clone();
            Box::pin(async move { sealed::replace_copy(conn, &replaced.0, &replaced.1).await })
        });
        write.await?;
        **resealed += fresh;
    }
    Ok(())
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?, 16).ok())
        .collect()
}
