//! Lead sources and their campaigns, as seeded.

use super::conn::{Conn, execute, fetch_all, fetch_optional, row, statements};
use super::convert::corrupt;
use super::error::StoreError;
use crate::domain::campaign::{Campaign, Criteria, LeadSource};
use crate::domain::ids::AccountId;

statements! {
    FIND_SOURCE = "SELECT vid, account_id, name, enabled FROM lead_sources WHERE vid = $1";
    SOURCES_OF_ACCOUNT = "SELECT vid, account_id, name, enabled FROM lead_sources WHERE account_id = $1 ORDER BY vid";
    UPSERT_SOURCE = "INSERT INTO lead_sources (vid, account_id, name, enabled) VALUES ($1, $2, $3, $4) \
                     ON CONFLICT (vid) DO UPDATE SET account_id = $2, name = $3, enabled = $4 \
                     WHERE lead_sources.account_id <> $2 OR lead_sources.name <> $3 OR lead_sources.enabled <> $4";
    FIND_CAMPAIGN = "SELECT aid, vid, lead_type, name, enabled, daily_cap, criteria FROM campaigns WHERE aid = $1";
    CAMPAIGNS_OF_SOURCE = "SELECT aid, vid, lead_type, name, enabled, daily_cap, criteria FROM campaigns \
                           WHERE vid = $1 ORDER BY aid";
    INSERT_CAMPAIGN = "INSERT INTO campaigns (aid, vid, lead_type, name, enabled, daily_cap, criteria) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7)";
    UPDATE_CAMPAIGN = "UPDATE campaigns SET vid = $2, lead_type = $3, name = $4, enabled = $5, daily_cap = $6, \
                       criteria = $7 WHERE aid = $1";
}

row! {
    struct SourceRow {
        vid: i64,
        account_id: String,
        name: String,
        enabled: i64,
    }
}

row! {
    struct CampaignRow {
        aid: i64,
        vid: i64,
        lead_type: i64,
        name: String,
        enabled: i64,
        daily_cap: Option<i64>,
        criteria: String,
    }
}

impl TryFrom<SourceRow> for LeadSource {
    type Error = StoreError;
    fn try_from(row: SourceRow) -> Result<Self, StoreError> {
        Ok(Self {
            vid: row.vid,
            account: AccountId::parse(&row.account_id).map_err(corrupt("lead_sources.account_id"))?,
            name: row.name,
            is_enabled: row.enabled != 0,
        })
    }
}

impl TryFrom<CampaignRow> for Campaign {
    type Error = StoreError;
    fn try_from(row: CampaignRow) -> Result<Self, StoreError> {
        let criteria = serde_json::from_str(&row.criteria).map_err(corrupt("campaigns.criteria"))?;
        Ok(Self {
            aid: row.aid,
            vid: row.vid,
            lead_type: row.lead_type,
            name: row.name,
            is_enabled: row.enabled != 0,
            daily_cap: row.daily_cap,
            criteria: Criteria::from_json(&criteria).map_err(corrupt("campaigns.criteria"))?,
        })
    }
}

pub async fn find_source(conn: &mut Conn, vid: i64) -> Result<Option<LeadSource>, StoreError> {
    fetch_optional!(conn, SourceRow, FIND_SOURCE, vid)?.map(LeadSource::try_from).transpose()
}

pub async fn sources_of(conn: &mut Conn, account: &AccountId) -> Result<Vec<LeadSource>, StoreError> {
    fetch_all!(conn, SourceRow, SOURCES_OF_ACCOUNT, account.as_str())?.into_iter().map(LeadSource::try_from).collect()
}

/// `false` where nothing had to change.
pub async fn upsert_source(conn: &mut Conn, source: &LeadSource) -> Result<bool, StoreError> {
    let (account, enabled) = (source.account.as_str(), i64::from(source.is_enabled));
    Ok(execute!(conn, UPSERT_SOURCE, source.vid, account, source.name.as_str(), enabled)? > 0)
}

pub async fn find(conn: &mut Conn, aid: i64) -> Result<Option<Campaign>, StoreError> {
    fetch_optional!(conn, CampaignRow, FIND_CAMPAIGN, aid)?.map(Campaign::try_from).transpose()
}

pub async fn of_source(conn: &mut Conn, vid: i64) -> Result<Vec<Campaign>, StoreError> {
    fetch_all!(conn, CampaignRow, CAMPAIGNS_OF_SOURCE, vid)?.into_iter().map(Campaign::try_from).collect()
}

pub async fn insert(conn: &mut Conn, campaign: &Campaign) -> Result<(), StoreError> {
    write(conn, INSERT_CAMPAIGN, campaign).await
}

pub async fn update(conn: &mut Conn, campaign: &Campaign) -> Result<(), StoreError> {
    write(conn, UPDATE_CAMPAIGN, campaign).await
}

async fn write(conn: &mut Conn, sql: &'static str, campaign: &Campaign) -> Result<(), StoreError> {
    execute!(
        conn,
        sql,
        campaign.aid,
        campaign.vid,
        campaign.lead_type,
        campaign.name.as_str(),
        i64::from(campaign.is_enabled),
        campaign.daily_cap,
        campaign.criteria.to_json().to_string(),
    )
    .map(|_| ())
}
