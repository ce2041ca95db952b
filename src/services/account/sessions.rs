//! Where a user is signed in.

use std::sync::Arc;

use super::super::Context;
use super::super::audit::Acting;
use super::super::login::SignedIn;
use crate::domain::event::{Action, Change, Target};
use crate::domain::ids::{SessionId, UserId};
use crate::domain::session::Session;
use crate::store::{StoreError, events, sessions};

/// A user's newest `limit` sessions that are not over, of those before this one.
pub async fn list(
    ctx: &Context,
    user: UserId,
    before: Option<SessionId>,
    limit: i64,
) -> Result<Vec<Session>, StoreError> {
    let now = ctx.now();
    ctx.store.read(move |conn| Box::pin(sessions::list_live(conn, user, now, before, limit))).await
}

/// Ends every session of the user's but the one that asks; how many.
pub async fn end_others(ctx: &Acting<'_>, signed_in: &SignedIn) -> Result<u64, StoreError> {
    let (user, own, now) = (signed_in.user.id, signed_in.session.id, ctx.now());
    let event = Arc::new(ctx.event(Action::SessionsEnded, Target::user(user, &signed_in.user.email)));
    ctx.store
        .write(move |conn| {
            let event = event.clone();
            Box::pin(async move {
                let ended = sessions::end_others_of_user(conn, user, own, now).await?;
                if ended > 0 {
                    let mut event = (*event).clone();
                    event.changes.push(Change::new("sessions", ended));
                    events::record(conn, &event).await?;
                }
                Ok(ended)
            })
        })
        .await
}
