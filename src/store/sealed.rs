//! Whatever lies sealed under a master key, wherever it lies: for who seals it anew.

use uuid::Uuid;

use super::conn::{Conn, execute, fetch_all, row, statements};
use super::convert::corrupt;
use super::error::StoreError;
use super::keys;

/// Rows that are read at once.
const PAGE: i64 = 200;

statements! {
    WEBHOOKS = "SELECT id, secret, previous_secret FROM webhooks WHERE (id > $1 OR $1 IS NULL) ORDER BY id LIMIT $2";
    DELIVERIES = "SELECT id, settings FROM deliveries WHERE (id > $1 OR $1 IS NULL) ORDER BY id LIMIT $2";
    CALLBACKS = "SELECT app_id, secret FROM action_callbacks WHERE app_id > $1 ORDER BY app_id LIMIT $2";
    COPIES = "SELECT snapshot, table_name, content FROM snapshot_rows \
              WHERE table_name IN ('action_callbacks', 'deliveries', 'webhooks') \
              AND (snapshot, table_name, content) > ($1, $2, $3) ORDER BY snapshot, table_name, content LIMIT $4";
    /// What somebody else wrote meanwhile stays.
    SET_KEY = "UPDATE keys SET sealed = $4 WHERE purpose = $1 AND serial = $2 AND sealed = $3";
    SET_WEBHOOK = "UPDATE webhooks SET secret = $3 WHERE id = $1 AND secret = $2";
    SET_PREVIOUS = "UPDATE webhooks SET previous_secret = $3 WHERE id = $1 AND previous_secret = $2";
    SET_DELIVERY = "UPDATE deliveries SET settings = $3 WHERE id = $1 AND settings = $2";
    SET_CALLBACK = "UPDATE action_callbacks SET secret = $3 WHERE app_id = $1 AND secret = $2";
    SET_COPY = "UPDATE snapshot_rows SET content = $4 WHERE snapshot = $1 AND table_name = $2 AND content = $3";
}

row! {
    struct Webhook {
        id: Uuid,
        secret: Vec<u8>,
        previous_secret: Option<Vec<u8>>,
    }
}

row! {
    struct Delivery {
        id: Uuid,
        settings: Vec<u8>,
    }
}

row! {
    struct Callback {
        app_id: String,
        secret: Vec<u8>,
    }
}

row! {
    struct CopiedRow {
        snapshot: String,
        table_name: String,
        content: String,
    }
}

/// A kind of place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shelf {
    Keys,
    Webhooks,
    Deliveries,
    Callbacks,
}

impl Shelf {
    pub const ALL: [Shelf; 4] = [Shelf::Keys, Shelf::Webhooks, Shelf::Deliveries, Shelf::Callbacks];
}

/// Where a sealed value lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Key { purpose: String, serial: u16 },
    Webhook(Uuid),
    PreviousOfWebhook(Uuid),
    Delivery(Uuid),
    Callback(String),
}

/// A row of a snapshot that has sealed values in its JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    pub snapshot: String,
    pub table: String,
    pub content: String,
}

/// The next of a shelf, after a place of it; none: that was all.
pub async fn page(conn: &mut Conn, shelf: Shelf, after: Option<Place>) -> Result<Vec<(Place, Vec<u8>)>, StoreError> {
    let id = match &after {
        Some(Place::Webhook(id) | Place::PreviousOfWebhook(id) | Place::Delivery(id)) => Some(*id),
        _ => None,
    };
    Ok(match shelf {
        // There are few.
        Shelf::Keys if after.is_some() => Vec::new(),
        Shelf::Keys => {
            let keys = keys::list(conn).await?.into_iter();
            keys.map(|key| (Place::Key { purpose: key.purpose, serial: key.serial }, key.sealed)).collect()
        }
        Shelf::Webhooks => {
            let rows = fetch_all!(conn, Webhook, WEBHOOKS, id, PAGE)?.into_iter();
            let both = |row: Webhook| {
                let previous = row.previous_secret.map(|sealed| (Place::PreviousOfWebhook(row.id), sealed));
                std::iter::once((Place::Webhook(row.id), row.secret)).chain(previous)
            };
            rows.flat_map(both).collect()
        }
        Shelf::Deliveries => {
            let rows = fetch_all!(conn, Delivery, DELIVERIES, id, PAGE)?.into_iter();
            rows.map(|row| (Place::Delivery(row.id), row.settings)).collect()
        }
        Shelf::Callbacks => {
            let after = if let Some(Place::Callback(app)) = &after { app.as_str() } else { "" };
            let rows = fetch_all!(conn, Callback, CALLBACKS, after, PAGE)?.into_iter();
            rows.map(|row| (Place::Callback(row.app_id), row.secret)).collect()
        }
    })
}

/// Puts another value into a place. `false` where by now another one is there.
pub async fn replace(conn: &mut Conn, place: &Place, old: &[u8], new: &[u8]) -> Result<bool, StoreError> {
    let rows = match place {
        Place::Key { purpose, serial } => execute!(conn, SET_KEY, purpose.as_str(), i64::from(*serial), old, new)?,
        Place::Webhook(id) => execute!(conn, SET_WEBHOOK, *id, old, new)?,
        Place::PreviousOfWebhook(id) => execute!(conn, SET_PREVIOUS, *id, old, new)?,
        Place::Delivery(id) => execute!(conn, SET_DELIVERY, *id, old, new)?,
        Place::Callback(app) => execute!(conn, SET_CALLBACK, app.as_str(), old, new)?,
    };
    Ok(rows == 1)
}

/// The next of those in snapshots; none: that was all.
pub async fn copies(conn: &mut Conn, after: Option<&Copied>) -> Result<Vec<Copied>, StoreError> {
    let (snapshot, table, content) =
        after.map_or(("", "", ""), |after| (&*after.snapshot, &*after.table, &*after.content));
    let rows = fetch_all!(conn, CopiedRow, COPIES, snapshot, table, content, PAGE)?.into_iter();
    Ok(rows.map(|row| Copied { snapshot: row.snapshot, table: row.table_name, content: row.content }).collect())
}

pub async fn replace_copy(conn: &mut Conn, old: &Copied, content: &str) -> Result<(), StoreError> {
    execute!(conn, SET_COPY, old.snapshot.as_str(), old.table.as_str(), old.content.as_str(), content).map(|_| ())
}

/// The id in a copied row, whichever database wrote it: a UUID, or its bytes in hexadecimal.
pub fn copied_id(text: &str) -> Result<Uuid, StoreError> {
    Uuid::try_parse(text).map_err(corrupt("snapshot_rows.content"))
}
