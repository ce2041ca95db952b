//! Deliveries, what came and went by them, and the nonces that were used at their receivers.

use uuid::Uuid;

use super::conn::{Conn, execute, fetch, fetch_all, fetch_optional, row, statements};
use super::convert::{corrupt, time};
use super::error::StoreError;
use crate::domain::delivery::{Delivery, Exchange, ExchangeKind, MethodKind};
use crate::domain::ids::{DeliveryId, ExchangeId, UserId};
use crate::domain::timestamp::Timestamp;

/// Exchanges of one kind that are kept of a delivery.
pub const KEPT: i64 = 100;

statements! {
    FIND = "SELECT id, owner_id, name, method, url, settings, created_at FROM deliveries WHERE id = $1";
    /// Oldest first.
    LIST = "SELECT id, owner_id, name, method, url, settings, created_at FROM deliveries \
            WHERE (owner_id = $1 OR $1 IS NULL) AND (id > $2 OR $2 IS NULL) ORDER BY id LIMIT $3";
    COUNT_OF_OWNER = "SELECT COUNT(*) AS amount FROM deliveries WHERE owner_id = $1";
    INSERT = "INSERT INTO deliveries (id, owner_id, name, method, url, settings, created_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7)";
    UPDATE = "UPDATE deliveries SET name = $2, method = $3, url = $4, settings = $5 WHERE id = $1 AND settings = $6";
    DELETE = "DELETE FROM deliveries WHERE id = $1";
    /// Nothing where the delivery is gone by now.
    RECORD = "INSERT INTO delivery_exchanges (id, delivery_id, at, kind, status, why, steps, lead, lead_type) \
              SELECT $1, id, $3, $4, $5, $6, $7, $8, $9 FROM deliveries WHERE id = $2";
    PRUNE = "DELETE FROM delivery_exchanges WHERE delivery_id = $1 AND kind = $2 AND id <= \
             (SELECT id FROM delivery_exchanges WHERE delivery_id = $1 AND kind = $2 \
              ORDER BY id DESC LIMIT 1 OFFSET $3)";
    FIND_EXCHANGE = "SELECT id, delivery_id, at, kind, status, why, steps, lead, lead_type FROM delivery_exchanges \
                     WHERE id = $1 AND delivery_id = $2";
    /// Newest first.
    EXCHANGES = "SELECT id, delivery_id, at, kind, status, why, steps, lead, lead_type FROM delivery_exchanges \
                 WHERE delivery_id = $1 AND (id < $2 OR $2 IS NULL) ORDER BY id DESC LIMIT $3";
    /// Touches no row where the nonce was used so often, or more often, before.
    USE_NONCE = "INSERT INTO digest_nonces (nonce_hash, nc, expires_at) VALUES ($1, $2, $3) \
                 ON CONFLICT (nonce_hash) DO UPDATE SET nc = excluded.nc WHERE digest_nonces.nc < excluded.nc";
    SWEEP_NONCES = "DELETE FROM digest_nonces WHERE nonce_hash IN \
                    (SELECT nonce_hash FROM digest_nonces WHERE expires_at < $1 LIMIT $2)";
}

/// A delivery with its settings as they lie there.
#[derive(Clone)]
pub struct Sealed {
    pub delivery: Delivery,
    pub settings: Vec<u8>,
}

row! {
    struct Row {
        id: Uuid,
        owner_id: Option<Uuid>,
        name: String,
        method: String,
        url: Option<String>,
        settings: Vec<u8>,
        created_at: i64,
    }
}

impl TryFrom<Row> for Sealed {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let method = MethodKind::parse(&row.method).ok_or("unknown");
        let delivery = Delivery {
            id: DeliveryId(row.id),
            owner: row.owner_id.map(UserId),
            name: row.name,
            method: method.map_err(corrupt("deliveries.method"))?,
            url: row.url,
            created_at: time(row.created_at),
        };
        Ok(Self { delivery, settings: row.settings })
    }
}

row! {
    struct Amount {
        amount: i64,
    }
}

row! {
    struct ExchangeRow {
        id: Uuid,
        delivery_id: Uuid,
        at: i64,
        kind: String,
        status: Option<i64>,
        why: Option<String>,
        steps: String,
        lead: Option<String>,
        lead_type: Option<String>,
    }
}

impl TryFrom<ExchangeRow> for Exchange {
    type Error = StoreError;
    fn try_from(row: ExchangeRow) -> Result<Self, StoreError> {
        let kind = ExchangeKind::parse(&row.kind).ok_or("unknown");
        let status = row.status.map(u16::try_from).transpose();
        Ok(Self {
            id: ExchangeId(row.id),
            delivery: DeliveryId(row.delivery_id),
            at: time(row.at),
            kind: kind.map_err(corrupt("delivery_exchanges.kind"))?,
            status: status.map_err(corrupt("delivery_exchanges.status"))?,
            why: row.why,
            steps: serde_json::from_str(&row.steps).map_err(corrupt("delivery_exchanges.steps"))?,
            lead: row.lead,
            lead_type: row.lead_type,
        })
    }
}

pub async fn find(conn: &mut Conn, id: DeliveryId) -> Result<Option<Sealed>, StoreError> {
    fetch_optional!(conn, Row, FIND, id.0)?.map(TryFrom::try_from).transpose()
}

/// The oldest `limit`, of those of an owner, and of those after this one.
pub async fn list(
    conn: &mut Conn,
    owner: Option<UserId>,
    after: Option<DeliveryId>,
    limit: i64,
) -> Result<Vec<Delivery>, StoreError> {
    let rows = fetch_all!(conn, Row, LIST, owner.map(|id| id.0), after.map(|id| id.0), limit)?;
    rows.into_iter().map(|row| Sealed::try_from(row).map(|sealed| sealed.delivery)).collect()
}

pub async fn count_of_owner(conn: &mut Conn, owner: UserId) -> Result<i64, StoreError> {
    Ok(fetch!(fetch_one, conn, Amount, COUNT_OF_OWNER, owner.0)?.amount)
}

pub async fn insert(conn: &mut Conn, sealed: &Sealed) -> Result<(), StoreError> {
    let Sealed { delivery, settings } = sealed;
    execute!(
        conn,
        INSERT,
        delivery.id.0,
        delivery.owner.map(|owner| owner.0),
        delivery.name.as_str(),
        delivery.method.as_str(),
        delivery.url.as_deref(),
        settings.as_slice(),
        delivery.created_at.as_micros(),
    )
    .map(|_| ())
}

/// `false` where its settings are not those any more, or it is gone.
pub async fn update(conn: &mut Conn, sealed: &Sealed, as_it_was: &[u8]) -> Result<bool, StoreError> {
    let Sealed { delivery, settings } = sealed;
    let (name, method, url) = (delivery.name.as_str(), delivery.method.as_str(), delivery.url.as_deref());
    Ok(execute!(conn, UPDATE, delivery.id.0, name, method, url, settings.as_slice(), as_it_was)? == 1)
}

/// With its exchanges. `false` where it is gone.
pub async fn delete(conn: &mut Conn, id: DeliveryId) -> Result<bool, StoreError> {
    Ok(execute!(conn, DELETE, id.0)? == 1)
}

/// Keeps an exchange, and lets the oldest of its kind go.
pub async fn record(conn: &mut Conn, exchange: &Exchange) -> Result<(), StoreError> {
    let steps = serde_json::to_string(&exchange.steps).map_err(|error| StoreError::Internal(error.to_string()))?;
    execute!(
        conn,
        RECORD,
        exchange.id.0,
        exchange.delivery.0,
        exchange.at.as_micros(),
        exchange.kind.as_str(),
        exchange.status.map(i64::from),
        exchange.why.as_deref(),
        steps.as_str(),
        exchange.lead.as_deref(),
        exchange.lead_type.as_deref(),
    )?;
    execute!(conn, PRUNE, exchange.delivery.0, exchange.kind.as_str(), KEPT).map(|_| ())
}

pub async fn find_exchange(
    conn: &mut Conn,
    delivery: DeliveryId,
    id: ExchangeId,
) -> Result<Option<Exchange>, StoreError> {
    fetch_optional!(conn, ExchangeRow, FIND_EXCHANGE, id.0, delivery.0)?.map(TryFrom::try_from).transpose()
}

/// The newest `limit`, of those before this one.
pub async fn exchanges(
    conn: &mut Conn,
    delivery: DeliveryId,
    before: Option<ExchangeId>,
    limit: i64,
) -> Result<Vec<Exchange>, StoreError> {
    let rows = fetch_all!(conn, ExchangeRow, EXCHANGES, delivery.0, before.map(|id| id.0), limit)?;
    rows.into_iter().map(TryFrom::try_from).collect()
}

/// `true` for exactly one use of a nonce with this count, and for none with a lower one after it.
pub async fn use_nonce(
    conn: &mut Conn,
    nonce_hash: &[u8; 32],
    nc: u32,
    expires_at: Timestamp,
) -> Result<bool, StoreError> {
    Ok(execute!(conn, USE_NONCE, nonce_hash.as_slice(), i64::from(nc), expires_at.as_micros())? == 1)
}

/// Deletes at most `limit` of nonces that are too old to be taken.
pub async fn sweep_nonces(conn: &mut Conn, expired_before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    execute!(conn, SWEEP_NONCES, expired_before.as_micros(), limit)
}
