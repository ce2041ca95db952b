//! Connections whose time is over end without anybody who ends them. Who hears of ends hears of that, too: it is looked for
//! each second, and told under an id that is the connection's own, so that nobody is told twice.

use std::collections::HashMap;
use std::time::Duration;

use uuid::Uuid;

use super::super::Context;
use super::outbox;
use crate::domain::connection::EndedBy;
use crate::domain::ids::AppId;
use crate::domain::timestamp::Timestamp;
use crate::store::connections::Ended;
use crate::store::{StoreError, connections};

/// How far is looked back at first: what was over while the server was started is told, too.
const BACK: Duration = Duration::from_secs(600);
/// Connections that are told of at once.
const AT_ONCE: i64 = 500;

/// Up to when the ends of connections were told, by each clock; `None` is the server's.
#[derive(Default)]
pub struct Told(HashMap<Option<AppId>, Timestamp>);

/// The id of what is told of an end that nobody made.
pub(super) fn id_of(ended: &Ended) -> Uuid {
    let random: [u8; 10] = ended.id.0.as_bytes()[6..].try_into().unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(ended.at.unix_millis(), &random).into_uuid()
}

/// Tells of connections whose time was over since the last look.
pub async fn tell(ctx: &Context, told: &mut Told) -> Result<(), StoreError> {
    let clocks = std::iter::once(None).chain(ctx.clocks.apart().into_iter().map(Some));
    for app in clocks {
        let now = app.as_ref().map_or_else(|| ctx.now(), |app| ctx.now_for(app));
        // A clock that was moved back finds them alive again.
        let since = told.0.get(&app).copied().unwrap_or_else(|| now.minus(BACK)).min(now);
        if tell_of(ctx, app.clone(), since, now).await? {
            told.0.insert(app, now);
        }
    }
    Ok(())
}

/// `false` where there are more.
async fn tell_of(ctx: &Context, app: Option<AppId>, since: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
    let found = ctx.store.read(move |conn| {
        let app = app.clone();
        Box::pin(async move { connections::list_expired(conn, app.as_ref(), since, now, AT_ONCE).await })
    });
    let found = found.await?;
    let is_all = i64::try_from(found.len()).is_ok_and(|count| count < AT_ONCE);
    if !found.is_empty() {
        let (draft, found) = (ctx.draft(), std::sync::Arc::new(found));
        let written = ctx.store.write(move |conn| {
            let found = found.clone();
            Box::pin(async move { outbox::ended(conn, draft, &found, EndedBy::Expiry).await })
        });
        written.await?;
    }
    Ok(is_all)
}
