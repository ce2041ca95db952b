//! The data query: what the database can decide it decides; conditions on fields, and an order by them, are for us, over a
//! number of leads that is bounded.

use super::super::Context;
use crate::domain::ids::{AccountId, LeadId};
use crate::domain::lead::Lead;
use crate::domain::lead_query::{LeadQuery, Place};
use crate::store::leads::{self, After, Received};
use crate::store::{Conn, StoreError};

/// Leads that one query looks into.
pub const MAX_SCANNED: usize = 100_000;
/// Leads that are read at a time: others may write, and read, in between.
const CHUNK: i64 = 1_000;

#[derive(Debug, thiserror::Error)]
pub enum QueryFailure {
    #[error("more than {MAX_SCANNED} leads would have to be looked into")]
    TooMany,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A window on the leads that were found.
pub struct Found {
    /// How many there are.
    pub total: usize,
    pub leads: Vec<Lead>,
}

/// Finds leads of an account.
pub async fn query(
    ctx: &Context,
    account: &AccountId,
    lead_type: i64,
    query: LeadQuery,
) -> Result<Found, QueryFailure> {
    let received = Received { account: account.clone(), lead_type, from: query.from, until: query.until };
    let mut found = if query.looks_into_fields() {
        search(ctx, &received, &query).await?
    } else {
        window(ctx, received, &query).await?
    };
    for lead in &mut found.leads {
        lead.fields = query.shown(std::mem::take(&mut lead.fields));
    }
    Ok(found)
}

async fn window(ctx: &Context, received: Received, query: &LeadQuery) -> Result<Found, StoreError> {
    let (is_newest_first, limit, skip) = (query.is_newest_first(), as_i64(query.take), as_i64(query.skip));
    let read = ctx.store.read(move |conn| {
        let received = received.clone();
        Box::pin(async move {
            let total = leads::count(conn, &received).await?;
            Ok((total, leads::window(conn, &received, is_newest_first, limit, skip).await?))
        })
    });
    let (total, leads) = read.await?;
    Ok(Found { total: usize::try_from(total).unwrap_or(usize::MAX), leads })
}

fn as_i64(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Reads all of them, and keeps of those that match where they stand.
async fn search(ctx: &Context, received: &Received, query: &LeadQuery) -> Result<Found, QueryFailure> {
    let mut places: Vec<(Place, LeadId)> = Vec::new();
    let (mut after, mut scanned) = (None, 0);
    loop {
        let chunk = scan(ctx, received, after).await?;
        scanned += chunk.len();
        if scanned > MAX_SCANNED {
            return Err(QueryFailure::TooMany);
        }
        let is_last = as_i64(chunk.len()) < CHUNK;
        after = chunk.last().map(|last| After { received_at: last.received_at, id: last.id });
        let matching = chunk.iter().filter(|lead| query.matches(&lead.fields));
        places.extend(matching.map(|lead| (query.place(&lead.fields), lead.id)));
        if is_last {
            break;
        }
    }
    let total = places.len();
    if query.is_newest_first() {
        places.reverse();
    }
    // Stable: what stands alike stays in the order in which it was received.
    places.sort_by(|(one, _), (other, _)| one.cmp(other));
    let ids: Vec<LeadId> = places.into_iter().skip(query.skip).take(query.take).map(|(_, id)| id).collect();
    let read = ctx.store.read(move |conn| {
        let ids = ids.clone();
        Box::pin(async move { each(conn, &ids).await })
    });
    Ok(Found { total, leads: read.await? })
}

async fn scan(ctx: &Context, received: &Received, after: Option<After>) -> Result<Vec<leads::Scanned>, StoreError> {
    let received = received.clone();
    let read = ctx.store.read(move |conn| {
        let received = received.clone();
        Box::pin(async move { leads::scan(conn, &received, after, CHUNK).await })
    });
    read.await
}

async fn each(conn: &mut Conn, ids: &[LeadId]) -> Result<Vec<Lead>, StoreError> {
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        // One that was deleted meanwhile is not there.
        found.extend(leads::find(conn, *id).await?);
    }
    Ok(found)
}
