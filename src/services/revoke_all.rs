//! The end of every sign-in at once: after an older database was restored, or when somebody may have got at what is secret.
//! Applications, their client secrets, users and passwords stay as they are.

use uuid::Uuid;

use super::audit::Acting;
use super::endings::Ending;
use super::progress;
use crate::domain::connection::EndedBy;
use crate::domain::event::{Action, Change, Target, TargetKind};
use crate::domain::ids::{AppId, ConnectionId};
use crate::store::{StoreError, connections, events, revocation};

/// What was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Revoked {
    /// With all grants and tokens that hang on them.
    pub connections: usize,
    pub sessions: u64,
    /// Invitations and initial access tokens.
    pub offers: u64,
}

/// Ends everything, piece by piece; what webhooks are told of, they are told. Broken off, it may run again, and gets further.
pub async fn revoke_all(ctx: &Acting<'_>) -> Result<Revoked, StoreError> {
    let expected = ctx
        .store
        .read(|conn| Box::pin(async { Ok(revocation::count_sessions(conn).await? + connections::count(conn).await?) }));
    progress::expect(usize::try_from(expected.await?).unwrap_or(0));
    let mut revoked = Revoked::default();
    // New ones would come of sessions.
    let at = ctx.now();
    let mut after = Uuid::nil();
    while let Some((ended, last)) =
        ctx.store.write(move |conn| Box::pin(revocation::end_sessions(conn, after, at))).await?
    {
        revoked.sessions += ended;
        progress::step(ended);
        after = last;
    }
    revoked.offers = ctx.store.write(|conn| Box::pin(revocation::drop_offers(conn))).await?;
    for app in ctx.store.read(|conn| Box::pin(revocation::apps(conn))).await? {
        revoked.connections += revoke_app(ctx, app).await?;
    }
    // Each token is looked at, and how many there are nobody knows.
    progress::finish_with("revoking the applications' own tokens");
    after = Uuid::nil();
    while let Some((_, last)) =
        ctx.store.write(move |conn| Box::pin(revocation::revoke_own_tokens(conn, after, at))).await?
    {
        after = last;
    }
    let mut event = ctx.event(Action::WorldRevoked, Target::kind(TargetKind::World, ""));
    event.changes =
        vec![Change::new("connections_ended", revoked.connections), Change::new("sessions_ended", revoked.sessions)];
    let recorded = ctx.store.write(move |conn| {
        let event = event.clone();
        Box::pin(async move { events::record(conn, &event).await })
    });
    recorded.await?;
    ctx.told();
    Ok(revoked)
}

async fn revoke_app(ctx: &Acting<'_>, app: AppId) -> Result<usize, StoreError> {
    let now = ctx.now_for(&app);
    let ending = Ending { by: EndedBy::Operator, draft: ctx.draft() };
    let (mut all, mut after) = (0, ConnectionId(Uuid::nil()));
    loop {
        let app = app.clone();
        let piece = ctx.store.write(move |conn| {
            let app = app.clone();
            Box::pin(async move { ending.some_of_app(conn, &app, now, after, revocation::PIECE).await })
        });
        let Some((ended, last)) = piece.await? else { return Ok(all) };
        all += ended;
        progress::step(u64::try_from(ended).unwrap_or(u64::MAX));
        after = last;
    }
}
