//! Connections whose time is over end without anybody who ends them. Who hears of ends hears of that, too: it is looked for
//! each second, and noted in the connection's row, so that nothing is told twice or, where nobody looked for a while, not
//! at all. The message's id is the connection's own.

use uuid::Uuid;

use super::super::Context;
use super::outbox;
use crate::domain::connection::EndedBy;
use crate::domain::ids::AppId;
use crate::store::connections::Ended;
use crate::store::{StoreError, connections};

/// Connections that are told of at once.
const AT_ONCE: i64 = 500;

/// The id of what is told of an end that nobody made.
pub(super) fn id_of(ended: &Ended) -> Uuid {
    let random: [u8; 10] = ended.id.0.as_bytes()[6..].try_into().unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(ended.at.unix_millis(), &random).into_uuid()
}

/// Tells of connections whose time is over, by each clock.
pub async fn tell(ctx: &Context) -> Result<(), StoreError> {
    let clocks = std::iter::once(None).chain(ctx.clocks.apart().into_iter().map(Some));
    for app in clocks {
        while tell_of(ctx, app.clone()).await? {}
    }
    Ok(())
}

/// `true` where there may be more.
async fn tell_of(ctx: &Context, app: Option<AppId>) -> Result<bool, StoreError> {
    let now = app.as_ref().map_or_else(|| ctx.now(), |app| ctx.now_for(app));
    let found = ctx.store.read(move |conn| {
        let app = app.clone();
        Box::pin(async move { connections::list_expired(conn, app.as_ref(), now, AT_ONCE).await })
    });
    let found = found.await?;
    if found.is_empty() {
        return Ok(false);
    }
    let is_all = i64::try_from(found.len()).is_ok_and(|count| count < AT_ONCE);
    let (draft, found) = (ctx.draft(), std::sync::Arc::new(found));
    let written = ctx.store.write(move |conn| {
        let found = found.clone();
        Box::pin(async move {
            // Of two nodes that look one tells.
            let noted = connections::note_expiry_told(conn, &found).await?;
            outbox::ended(conn, draft, &noted, EndedBy::Expiry).await
        })
    });
    written.await?;
    Ok(!is_all)
}
