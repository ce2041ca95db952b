//! The end of every sign-in at once: after an older database was restored, or when somebody may have got at what is secret.
//! Applications, their client secrets, users and passwords stay as they are.

use super::audit::Acting;
use super::endings::Ending;
use crate::domain::connection::EndedBy;
use crate::domain::event::{Action, Change, Target, TargetKind};
use crate::domain::ids::AppId;
use crate::store::{StoreError, access_tokens, events, revocation};

/// What was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Revoked {
    /// With all grants and tokens that hang on them.
    pub connections: usize,
    pub sessions: u64,
    /// Invitations and initial access tokens.
    pub offers: u64,
}

/// Ends everything, one application after the other; what webhooks are told of, they are told. Broken off, it may run again.
pub async fn revoke_all(ctx: &Acting<'_>) -> Result<Revoked, StoreError> {
    let mut revoked = Revoked::default();
    // New ones would come of sessions.
    let at = ctx.now();
    let (sessions, offers) = ctx
        .store
        .write(move |conn| {
            Box::pin(
                async move { Ok((revocation::end_sessions(conn, at).await?, revocation::drop_offers(conn).await?)) },
            )
        })
        .await?;
    (revoked.sessions, revoked.offers) = (sessions, offers);
    for app in ctx.store.read(|conn| Box::pin(revocation::apps(conn))).await? {
        revoked.connections += revoke_app(ctx, app).await?;
    }
    let mut event = ctx.event(Action::WorldRevoked, Target::kind(TargetKind::World, ""));
    event.changes =
        vec![Change::new("connections_ended", revoked.connections), Change::new("sessions_ended", sessions)];
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
    let ended = ctx.store.write(move |conn| {
        let app = app.clone();
        Box::pin(async move {
            access_tokens::revoke_own_of_app(conn, &app, now).await?;
            ending.all_of_app(conn, &app, now).await
        })
    });
    ended.await
}
