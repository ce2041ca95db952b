//! Taking leads: one transaction for each request, one answer for each lead.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::super::Context;
use crate::crypto::token::sha256;
use crate::domain::access_token::{AccessToken, Subject};
use crate::domain::account::Account;
use crate::domain::campaign::Campaign;
use crate::domain::ids::{AccountId, AppId, LeadId};
use crate::domain::lead::{Draft, Lead, LeadRefusal, Posted, PostedSource};
use crate::domain::lead_type::LeadType;
use crate::domain::timestamp::Timestamp;
use crate::domain::usage::Day;
use crate::entropy::time_ordered_id;
use crate::store::{Conn, StoreError, campaigns, lead_types, leads};

/// Ids that are named in place of one that is not known.
const NAMED: usize = 10;

/// Who posts leads.
#[derive(Debug, Clone)]
pub struct Sender {
    /// Whose leads they will be.
    pub account: Option<AccountId>,
    /// Whose token it is; `None`: an account's API key.
    pub app: Option<AppId>,
}

impl Sender {
    pub fn with_api_key(account: Account) -> Self {
        Self { account: Some(account.id), app: None }
    }

    pub fn with_token(token: AccessToken) -> Self {
        let account = match token.subject {
            Subject::User { account, .. } => Some(account.id),
            Subject::Client { account } => account.map(|account| account.id),
        };
        Self { account, app: Some(token.app) }
    }
}

/// What came of one lead.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Of this attempt; a lead that was taken is known by it.
    pub post: Uuid,
    pub result: Result<Accepted, LeadRefusal>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    pub number: i64,
    pub campaign: Option<i64>,
}

/// That some leads of a request were not taken, for the journal.
#[derive(Debug, thiserror::Error)]
#[error("lead {first} of {of}: {why} ({refused} of them not taken)")]
pub struct Refused {
    first: usize,
    refused: usize,
    of: usize,
    pub why: LeadRefusal,
}

impl Refused {
    pub fn among(outcomes: &[Outcome]) -> Option<Self> {
        let mut refused =
            outcomes.iter().zip(1..).filter_map(|(one, nth)| one.result.as_ref().err().map(|why| (nth, why)));
        let (first, why) = refused.next()?;
        Some(Self { first, refused: 1 + refused.count(), of: outcomes.len(), why: why.clone() })
    }
}

/// The leads of one request, with what was drawn for them before the transaction.
struct Batch {
    sender: Sender,
    source: PostedSource,
    drafts: Vec<(Uuid, Result<Draft, LeadRefusal>)>,
    now: Timestamp,
}

/// Takes what can be taken, after which it is durable.
pub async fn receive(ctx: &Context, sender: Sender, posted: Posted) -> Result<Vec<Outcome>, StoreError> {
    let now = sender.app.as_ref().map_or_else(|| ctx.now(), |app| ctx.now_for(app));
    let drafts = posted.leads.into_iter().map(|draft| (time_ordered_id(&*ctx.entropy, now), draft)).collect();
    let batch = Arc::new(Batch { sender, source: posted.source, drafts, now });
    ctx.store
        .write(move |conn| {
            let batch = batch.clone();
            Box::pin(async move { batch.settle(conn).await })
        })
        .await
}

/// Where leads come from, once it was looked up.
struct Origin<'b> {
    account: &'b AccountId,
    /// `None`: a type without rules.
    lead_type: Option<LeadType>,
    uid: i64,
    vid: i64,
    campaign: Option<Campaign>,
}

/// A campaign's leads of a day.
struct Share {
    cap: i64,
    left: i64,
}

impl Batch {
    async fn settle(&self, conn: &mut Conn) -> Result<Vec<Outcome>, StoreError> {
        let mut outcomes = Vec::with_capacity(self.drafts.len());
        let origin = match self.origin(conn).await? {
            Ok(origin) => origin,
            Err(why) => {
                let each =
                    self.drafts.iter().map(|(post, draft)| (*post, past_the_limit(draft).unwrap_or(why.clone())));
                return Ok(each.map(|(post, why)| Outcome { post, result: Err(why) }).collect());
            }
        };
        // From here on posts to this account take turns, so that two of them see the same leads and count alike.
        let mut number = leads::hold_numbers(conn, origin.account).await?;
        let before = number;
        let mut share = self.share(conn, &origin).await?;
        for (nth, (post, draft)) in (0..).zip(&self.drafts) {
            let result = match draft {
                // A microsecond apart, so that they keep their order.
                Ok(draft) => {
                    let received_at = self.now.plus(Duration::from_micros(nth));
                    let lead = self.lead(&origin, *post, number + 1, draft, received_at);
                    self.take(conn, &origin, share.as_ref(), draft, &lead).await?
                }
                Err(why) => Err(why.clone()),
            };
            let taken = i64::from(result.is_ok());
            number += taken;
            share = share.map(|share| Share { left: share.left - taken, ..share });
            outcomes.push(Outcome { post: *post, result });
        }
        if number > before {
            leads::set_number(conn, origin.account, number).await?;
        }
        Ok(outcomes)
    }

    /// What holds for each lead of the request.
    async fn origin(&self, conn: &mut Conn) -> Result<Result<Origin<'_>, LeadRefusal>, StoreError> {
        let PostedSource { lead_type, source, campaign } = self.source;
        let Some(account) = &self.sender.account else { return Ok(Err(LeadRefusal::NoAccount)) };
        let Some(uid) = lead_type else { return Ok(Err(LeadRefusal::NoLeadType)) };
        let Some(vid) = source else { return Ok(Err(LeadRefusal::NoSource)) };
        let sources = campaigns::sources_of(conn, account).await?;
        match sources.iter().find(|source| source.vid == vid) {
            Some(source) if !source.is_enabled => return Ok(Err(LeadRefusal::SourceDisabled)),
            // An account that has no sources takes leads from any.
            None if !sources.is_empty() => {
                let known = sources.iter().map(|source| source.vid);
                return Ok(Err(LeadRefusal::UnknownSource { known: known.take(NAMED).collect() }));
            }
            _ => {}
        }
        let campaign = match campaign {
            // Nor are there campaigns of a source that nobody has.
            Some(aid) if !sources.is_empty() => {
                let found = campaigns::find(conn, aid).await?;
                match found.filter(|found| found.vid == vid && found.lead_type == uid) {
                    None => {
                        let campaigns = campaigns::of_source(conn, vid).await?;
                        let known = campaigns.iter().filter(|one| one.lead_type == uid).map(|one| one.aid);
                        return Ok(Err(LeadRefusal::UnknownCampaign { known: known.take(NAMED).collect() }));
                    }
                    Some(campaign) if !campaign.is_enabled => return Ok(Err(LeadRefusal::CampaignDisabled)),
                    found => found,
                }
            }
            Some(0) => return Ok(Err(LeadRefusal::UnknownCampaign { known: Vec::new() })),
            _ => None,
        };
        Ok(Ok(Origin { account, lead_type: lead_types::find(conn, uid).await?, uid, vid, campaign }))
    }

    fn lead(&self, origin: &Origin<'_>, post: Uuid, number: i64, draft: &Draft, received_at: Timestamp) -> Lead {
        Lead {
            id: LeadId(post),
            number,
            account: origin.account.clone(),
            lead_type: origin.uid,
            source: origin.vid,
            campaign: self.source.campaign,
            app: self.sender.app.clone(),
            properties: draft.properties.clone(),
            fields: draft.fields.clone(),
            received_at,
        }
    }

    /// What the campaign may take today; `None`: any number. Counted once: nobody else posts to the account meanwhile.
    async fn share(&self, conn: &mut Conn, origin: &Origin<'_>) -> Result<Option<Share>, StoreError> {
        let capped = origin.campaign.as_ref().and_then(|campaign| Some((campaign.aid, campaign.daily_cap?)));
        let Some((aid, cap)) = capped else { return Ok(None) };
        let today = Day::of(self.now);
        let (from, until) = (today.start(), today.minus(-1).start());
        let count = leads::count_of_campaign(conn, origin.account, aid, from, until).await?;
        Ok(Some(Share { cap, left: cap - count }))
    }

    async fn take(
        &self,
        conn: &mut Conn,
        origin: &Origin<'_>,
        share: Option<&Share>,
        draft: &Draft,
        lead: &Lead,
    ) -> Result<Result<Accepted, LeadRefusal>, StoreError> {
        let lacking = origin.lead_type.as_ref().map(|rules| draft.lacks(rules)).unwrap_or_default();
        if !lacking.is_empty() {
            return Ok(Err(LeadRefusal::Data(lacking)));
        }
        if let Some(field) = origin.campaign.as_ref().and_then(|campaign| campaign.criteria.unmet_by(&lead.fields)) {
            return Ok(Err(LeadRefusal::OutsideCriteria { field: field.to_owned() }));
        }
        let unique = origin.lead_type.as_ref().map(|rules| draft.unique_values(rules)).unwrap_or_default();
        let unique: Vec<_> = unique.into_iter().map(|(field, value)| (field, value_hash(field, &value))).collect();
        for (field, hash) in &unique {
            if leads::is_taken(conn, &lead.account, lead.lead_type, hash).await? {
                return Ok(Err(LeadRefusal::Duplicate { field: (*field).to_owned() }));
            }
        }
        if let Some(Share { cap, .. }) = share.filter(|share| share.left <= 0) {
            return Ok(Err(LeadRefusal::OverCap { cap: *cap }));
        }
        leads::insert(conn, lead).await?;
        for (_, hash) in &unique {
            leads::take(conn, lead, hash).await?;
        }
        Ok(Ok(Accepted { number: lead.number, campaign: lead.campaign }))
    }
}

/// The refusal of a lead that is not looked at, whatever else is wrong.
fn past_the_limit(draft: &Result<Draft, LeadRefusal>) -> Option<LeadRefusal> {
    draft.as_ref().err().filter(|why| **why == LeadRefusal::TooMany).cloned()
}

/// The name of a field has no NUL in it, so that no two pairs are written alike.
fn value_hash(field: &str, value: &str) -> [u8; 32] {
    sha256(format!("{}\0{value}", field.to_ascii_lowercase()).as_bytes())
}
