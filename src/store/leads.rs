//! Leads that were taken.

use serde_json::Value;
use uuid::Uuid;

use super::conn::{Conn, execute, fetch_all, fetch_optional, row, statements};
use super::convert::{corrupt, time};
use super::error::StoreError;
use crate::domain::field_value::Fields;
use crate::domain::ids::{AccountId, AppId, LeadId};
use crate::domain::lead::Lead;
use crate::domain::timestamp::Timestamp;

statements! {
    FIND = "SELECT id, account_id, number, lead_type, vid, aid, app_id, properties, fields, received_at FROM leads \
            WHERE id = $1";
    /// Newest first. An empty text, and a lead type of 0, ask for any.
    LIST = "SELECT id, account_id, number, lead_type, vid, aid, app_id, properties, fields, received_at FROM leads \
            WHERE ($1 = '' OR account_id = $1) AND ($2 = '' OR app_id = $2) AND ($3 = 0 OR lead_type = $3) \
            AND ((received_at, id) < (SELECT received_at, id FROM leads WHERE id = $4) \
            OR NOT EXISTS (SELECT 1 FROM leads WHERE id = $4)) \
            ORDER BY received_at DESC, id DESC LIMIT $5";
    COUNT_OF_ACCOUNT = "SELECT COUNT(*) FROM leads WHERE account_id = $1";
    COUNT_OF_TYPE = "SELECT COUNT(*) FROM leads \
                     WHERE account_id = $1 AND lead_type = $2 AND received_at >= $3 AND received_at < $4";
    COUNT_OF_CAMPAIGN = "SELECT COUNT(*) FROM leads \
                         WHERE account_id = $1 AND aid = $2 AND received_at >= $3 AND received_at < $4";
    /// Oldest first.
    WINDOW = "SELECT id FROM leads WHERE account_id = $1 AND lead_type = $2 AND received_at >= $3 AND received_at < $4 \
              ORDER BY received_at, id LIMIT $5 OFFSET $6";
    NEWEST_WINDOW = "SELECT id FROM leads WHERE account_id = $1 AND lead_type = $2 AND received_at >= $3 AND received_at < $4 \
                     ORDER BY received_at DESC, id DESC LIMIT $5 OFFSET $6";
    /// The next ones after a lead, oldest first.
    SCAN = "SELECT id, fields, received_at FROM leads \
            WHERE account_id = $1 AND lead_type = $2 AND (received_at, id) > ($3, $4) AND received_at < $5 \
            ORDER BY received_at, id LIMIT $6";
    INSERT = "INSERT INTO leads (id, account_id, number, lead_type, vid, aid, app_id, properties, fields, received_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    HOLD_NUMBERS = "INSERT INTO lead_numbers (account_id, newest) VALUES ($1, 0) \
                    ON CONFLICT (account_id) DO UPDATE SET newest = lead_numbers.newest RETURNING newest";
    SET_NUMBER = "UPDATE lead_numbers SET newest = $2 WHERE account_id = $1";
    IS_TAKEN = "SELECT 1 FROM lead_unique_values WHERE account_id = $1 AND lead_type = $2 AND value_hash = $3";
    TAKE = "INSERT INTO lead_unique_values (account_id, lead_type, value_hash, lead_id) VALUES ($1, $2, $3, $4)";
    DELETE = "DELETE FROM leads WHERE ($1 = '' OR account_id = $1) AND ($2 = '' OR app_id = $2) \
              AND ($3 = 0 OR lead_type = $3)";
}

/// What is asked for; what is `None` may be any.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub account: Option<AccountId>,
    pub app: Option<AppId>,
    pub lead_type: Option<i64>,
}

impl Filter {
    fn account(&self) -> &str {
        self.account.as_ref().map_or("", AccountId::as_str)
    }

    fn app(&self) -> &str {
        self.app.as_ref().map_or("", AppId::as_str)
    }
}

/// Leads of one type that an account received in a span of time.
#[derive(Debug, Clone)]
pub struct Received {
    pub account: AccountId,
    pub lead_type: i64,
    pub from: Timestamp,
    /// Without this moment.
    pub until: Timestamp,
}

/// A place in the order in which leads were received.
#[derive(Debug, Clone, Copy)]
pub struct After {
    pub received_at: Timestamp,
    pub id: LeadId,
}

/// As much of a lead as its fields.
pub struct Scanned {
    pub id: LeadId,
    pub received_at: Timestamp,
    pub fields: Fields,
}

row! {
    struct Row {
        id: Uuid,
        account_id: String,
        number: i64,
        lead_type: i64,
        vid: i64,
        aid: Option<i64>,
        app_id: Option<String>,
        properties: String,
        fields: String,
        received_at: i64,
    }
}

row! {
    struct FieldsRow {
        id: Uuid,
        fields: String,
        received_at: i64,
    }
}

impl TryFrom<Row> for Lead {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: LeadId(row.id),
            number: row.number,
            account: AccountId::parse(&row.account_id).map_err(corrupt("leads.account_id"))?,
            lead_type: row.lead_type,
            source: row.vid,
            campaign: row.aid,
            app: row.app_id.as_deref().map(AppId::parse).transpose().map_err(corrupt("leads.app_id"))?,
            properties: serde_json::from_str(&row.properties).map_err(corrupt("leads.properties"))?,
            fields: read_fields(&row.fields)?,
            received_at: time(row.received_at),
        })
    }
}

fn read_fields(text: &str) -> Result<Fields, StoreError> {
    serde_json::from_str(text).map_err(corrupt("leads.fields"))
}

fn leads(rows: Vec<Row>) -> Result<Vec<Lead>, StoreError> {
    rows.into_iter().map(Lead::try_from).collect()
}

pub async fn find(conn: &mut Conn, id: LeadId) -> Result<Option<Lead>, StoreError> {
    fetch_optional!(conn, Row, FIND, id.0)?.map(Lead::try_from).transpose()
}

/// The newest `limit`, of those before this one.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    before: Option<LeadId>,
    limit: i64,
) -> Result<Vec<Lead>, StoreError> {
    let (account, app, before) = (filter.account(), filter.app(), before.map(|id| id.0));
    leads(fetch_all!(conn, Row, LIST, account, app, filter.lead_type.unwrap_or(0), before, limit)?)
}

pub async fn count_of_account(conn: &mut Conn, account: &AccountId) -> Result<i64, StoreError> {
    Ok(fetch_optional!(conn, (i64,), COUNT_OF_ACCOUNT, account.as_str())?.map_or(0, |(count,)| count))
}

pub async fn count(conn: &mut Conn, received: &Received) -> Result<i64, StoreError> {
    let (from, until) = (received.from.as_micros(), received.until.as_micros());
    let found =
        fetch_optional!(conn, (i64,), COUNT_OF_TYPE, received.account.as_str(), received.lead_type, from, until)?;
    Ok(found.map_or(0, |(count,)| count))
}

/// How many a campaign of the account got from this moment on, and before that one.
pub async fn count_of_campaign(
    conn: &mut Conn,
    account: &AccountId,
    campaign: i64,
    from: Timestamp,
    until: Timestamp,
) -> Result<i64, StoreError> {
    let (from, until) = (from.as_micros(), until.as_micros());
    let found = fetch_optional!(conn, (i64,), COUNT_OF_CAMPAIGN, account.as_str(), campaign, from, until)?;
    Ok(found.map_or(0, |(count,)| count))
}

/// The ids of `limit` of them from the place `skip` on, in the order in which they were received, or the other way round.
pub async fn window(
    conn: &mut Conn,
    received: &Received,
    is_newest_first: bool,
    limit: i64,
    skip: i64,
) -> Result<Vec<LeadId>, StoreError> {
    let sql = if is_newest_first { NEWEST_WINDOW } else { WINDOW };
    let (account, lead_type) = (received.account.as_str(), received.lead_type);
    let (from, until) = (received.from.as_micros(), received.until.as_micros());
    let rows = fetch_all!(conn, (Uuid,), sql, account, lead_type, from, until, limit, skip)?;
    Ok(rows.into_iter().map(|(id,)| LeadId(id)).collect())
}

/// The next `limit` of them, with their fields.
pub async fn scan(
    conn: &mut Conn,
    received: &Received,
    after: Option<After>,
    limit: i64,
) -> Result<Vec<Scanned>, StoreError> {
    // No lead has this id: the first ones are after it.
    let (at, id) =
        after.map_or((received.from.as_micros(), Uuid::nil()), |after| (after.received_at.as_micros(), after.id.0));
    let (account, until) = (received.account.as_str(), received.until.as_micros());
    let rows = fetch_all!(conn, FieldsRow, SCAN, account, received.lead_type, at, id, until, limit)?;
    rows.into_iter()
        .map(|row| {
            Ok(Scanned { id: LeadId(row.id), received_at: time(row.received_at), fields: read_fields(&row.fields)? })
        })
        .collect()
}

pub async fn insert(conn: &mut Conn, lead: &Lead) -> Result<(), StoreError> {
    let properties = serde_json::to_string(&lead.properties).map_err(corrupt("leads.properties"))?;
    execute!(
        conn,
        INSERT,
        lead.id.0,
        lead.account.as_str(),
        lead.number,
        lead.lead_type,
        lead.source,
        lead.campaign,
        lead.app.as_ref().map(AppId::as_str),
        properties.as_str(),
        Value::Object(lead.fields.clone()).to_string(),
        lead.received_at.as_micros(),
    )
    .map(|_| ())
}

/// The number of an account's newest lead. Whoever asks holds off all others who do, until the transaction is over.
pub async fn hold_numbers(conn: &mut Conn, account: &AccountId) -> Result<i64, StoreError> {
    Ok(fetch_optional!(conn, (i64,), HOLD_NUMBERS, account.as_str())?.map_or(0, |(newest,)| newest))
}

pub async fn set_number(conn: &mut Conn, account: &AccountId, newest: i64) -> Result<(), StoreError> {
    execute!(conn, SET_NUMBER, account.as_str(), newest).map(|_| ())
}

/// Whether a lead of the account and type has what this is the hash of.
pub async fn is_taken(
    conn: &mut Conn,
    account: &AccountId,
    lead_type: i64,
    value: &[u8; 32],
) -> Result<bool, StoreError> {
    let found = fetch_optional!(conn, (i32,), IS_TAKEN, account.as_str(), lead_type, value.as_slice())?;
    Ok(found.is_some())
}

/// Keeps others from having it.
pub async fn take(conn: &mut Conn, lead: &Lead, value: &[u8; 32]) -> Result<(), StoreError> {
    execute!(conn, TAKE, lead.account.as_str(), lead.lead_type, value.as_slice(), lead.id.0).map(|_| ())
}

/// Deletes them; answers how many that were.
pub async fn delete(conn: &mut Conn, filter: &Filter) -> Result<u64, StoreError> {
    execute!(conn, DELETE, filter.account(), filter.app(), filter.lead_type.unwrap_or(0))
}
