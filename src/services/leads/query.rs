//! The data query: what the database can decide it decides; conditions on fields, and an order by them, are for us, over a
//! number of leads that is bounded.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::super::Context;
use super::MAX_ANSWER;
use crate::domain::ids::{AccountId, LeadId};
use crate::domain::lead::Lead;
use crate::domain::lead_query::{LeadQuery, Place};
use crate::store::leads::{self, After, Received};
use crate::store::{Conn, StoreError};

/// Leads that one query looks into.
pub const MAX_SCANNED: usize = 100_000;
/// Leads that are read at a time: others may write, and read, in between.
const CHUNK: i64 = 100;
/// Leads that are looked into at a time: others may run in between.
const AT_A_TIME: usize = 10;
/// Searches at a time, of the process: each has a core, and keeps in memory where leads stand.
static SEARCHES: Semaphore = Semaphore::const_new(4);
/// How long one waits for its turn.
pub const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub enum QueryFailure {
    #[error("more than {MAX_SCANNED} leads would have to be looked into")]
    TooMany,
    #[error("the leads of the answer have more than {MAX_ANSWER} bytes")]
    TooLarge,
    #[error("other searches were running for {} s", PATIENCE.as_secs())]
    Busy,
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
    let (total, ids) = if query.looks_into_fields() {
        let _turn = turn(&SEARCHES, PATIENCE).await?;
        search(ctx, &received, &query).await?
    } else {
        window(ctx, received, &query).await?
    };
    Ok(Found { total, leads: shown(ctx, ids, query).await? })
}

async fn turn(searches: &Semaphore, patience: Duration) -> Result<SemaphorePermit<'_>, QueryFailure> {
    match tokio::time::timeout(patience, searches.acquire()).await {
        Ok(Ok(turn)) => Ok(turn),
        Ok(Err(_)) | Err(_) => Err(QueryFailure::Busy),
    }
}

async fn window(ctx: &Context, received: Received, query: &LeadQuery) -> Result<(usize, Vec<LeadId>), StoreError> {
    let (is_newest_first, limit, skip) = (query.is_newest_first(), as_i64(query.take), as_i64(query.skip));
    let read = ctx.store.read(move |conn| {
        let received = received.clone();
        Box::pin(async move {
            let total = leads::count(conn, &received).await?;
            Ok((total, leads::window(conn, &received, is_newest_first, limit, skip).await?))
        })
    });
    let (total, ids) = read.await?;
    Ok((usize::try_from(total).unwrap_or(usize::MAX), ids))
}

fn as_i64(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Reads all of them, and keeps of those that match where they stand.
async fn search(ctx: &Context, received: &Received, query: &LeadQuery) -> Result<(usize, Vec<LeadId>), QueryFailure> {
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
        for some in chunk.chunks(AT_A_TIME) {
            let matching = some.iter().filter(|lead| query.matches(&lead.fields));
            places.extend(matching.map(|lead| (query.place(&lead.fields), lead.id)));
            tokio::task::yield_now().await;
        }
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
    Ok((total, places.into_iter().skip(query.skip).take(query.take).map(|(_, id)| id).collect()))
}

async fn scan(ctx: &Context, received: &Received, after: Option<After>) -> Result<Vec<leads::Scanned>, StoreError> {
    let received = received.clone();
    let read = ctx.store.read(move |conn| {
        let received = received.clone();
        Box::pin(async move { leads::scan(conn, &received, after, CHUNK).await })
    });
    read.await
}

/// What is shown of each of them, if that is not too much.
async fn shown(ctx: &Context, ids: Vec<LeadId>, query: LeadQuery) -> Result<Vec<Lead>, QueryFailure> {
    let asked = Arc::new((ids, query));
    let read = ctx.store.read(move |conn| {
        let asked = asked.clone();
        Box::pin(async move { each(conn, &asked.0, &asked.1).await })
    });
    read.await?.ok_or(QueryFailure::TooLarge)
}

/// `None`: they are more than an answer has room for. No more than that are ever in memory.
async fn each(conn: &mut Conn, ids: &[LeadId], query: &LeadQuery) -> Result<Option<Vec<Lead>>, StoreError> {
    let mut found = Vec::with_capacity(ids.len());
    let mut bytes = 0;
    for id in ids {
        // One that was deleted meanwhile is not there.
        let Some(mut lead) = leads::find(conn, *id).await? else { continue };
        lead.fields = query.shown(lead.fields);
        bytes += lead.shown_bytes();
        if bytes > MAX_ANSWER {
            return Ok(None);
        }
        found.push(lead);
    }
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// wire.md part C: who waits for long is told so, and the next one has its turn.
    #[tokio::test]
    async fn part_c_searches_take_turns() {
        let searches = Semaphore::new(1);
        let first = turn(&searches, Duration::ZERO).await.unwrap();
        assert!(matches!(turn(&searches, Duration::ZERO).await, Err(QueryFailure::Busy)));
        drop(first);
        assert!(turn(&searches, Duration::ZERO).await.is_ok());
    }
}
