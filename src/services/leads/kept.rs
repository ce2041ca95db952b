//! What an operator sees of the leads, and does with them.

use super::super::Context;
use super::super::audit::Acting;
use super::MAX_ANSWER;
use crate::domain::event::{Action, Change, Target, TargetKind};
use crate::domain::ids::{AccountId, LeadId};
use crate::domain::lead::Lead;
pub use crate::store::leads::Filter;
use crate::store::{StoreError, events, leads};

/// Leads that are read at a time for a page.
const AT_A_TIME: i64 = 100;

#[derive(Debug, thiserror::Error)]
pub enum LeadError {
    #[error("there is no lead with this id")]
    Unknown,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The newest `limit` of those before this one, or as many as an answer has room for; and whether there are more.
pub async fn page(
    ctx: &Context,
    filter: Filter,
    before: Option<LeadId>,
    limit: usize,
) -> Result<(Vec<Lead>, bool), StoreError> {
    let (mut found, mut bytes) = (Vec::new(), 0);
    let mut before = before;
    loop {
        let read = list(ctx, filter.clone(), before, AT_A_TIME).await?;
        before = read.last().map(|lead| lead.id);
        for lead in read {
            bytes += lead.shown_bytes();
            // The first has room whatever its size, or nobody would get past it.
            if found.len() == limit || (bytes > MAX_ANSWER && !found.is_empty()) {
                return Ok((found, true));
            }
            found.push(lead);
        }
        if before.is_none() {
            return Ok((found, false));
        }
    }
}

/// The newest `limit`, of those before this one.
pub async fn list(ctx: &Context, filter: Filter, before: Option<LeadId>, limit: i64) -> Result<Vec<Lead>, StoreError> {
    let found = ctx.store.read(move |conn| {
        let filter = filter.clone();
        Box::pin(async move { leads::list(conn, &filter, before, limit).await })
    });
    found.await
}

pub async fn find(ctx: &Context, id: LeadId) -> Result<Lead, LeadError> {
    let found = ctx.store.read(move |conn| Box::pin(leads::find(conn, id))).await?;
    found.ok_or(LeadError::Unknown)
}

/// How many an account has.
pub async fn count(ctx: &Context, account: &AccountId) -> Result<i64, StoreError> {
    let account = account.clone();
    let counted = ctx.store.read(move |conn| {
        let account = account.clone();
        Box::pin(async move { leads::count_of_account(conn, &account).await })
    });
    counted.await
}

/// Deletes them, and with them what no other lead could have; answers how many that were.
pub async fn delete(ctx: &Acting<'_>, filter: Filter) -> Result<u64, StoreError> {
    let mut event = ctx.event(Action::LeadsDeleted, Target::kind(TargetKind::Leads, ""));
    let narrowed = [
        filter.account.as_ref().map(|account| Change::new("account", account)),
        filter.app.as_ref().map(|app| Change::new("app", app)),
        filter.lead_type.map(|lead_type| Change::new("lead_type", lead_type)),
    ];
    event.changes = narrowed.into_iter().flatten().collect();
    let deleted = ctx.store.write(move |conn| {
        let (filter, mut event) = (filter.clone(), event.clone());
        Box::pin(async move {
            let deleted = leads::delete(conn, &filter).await?;
            if deleted > 0 {
                event.changes.push(Change::new("leads", deleted));
                events::record(conn, &event).await?;
            }
            Ok(deleted)
        })
    });
    deleted.await
}
