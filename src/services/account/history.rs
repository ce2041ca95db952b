//! What a user has allowed, and what became of it.

use super::super::Context;
use crate::domain::connection::{ConnectionState, EndedBy};
use crate::domain::consent::Consent;
use crate::domain::ids::{ConsentId, UserId};
use crate::domain::timestamp::Timestamp;
use crate::store::{StoreError, consents};

/// A consent, and whether its connection lives.
pub struct Remembered {
    pub consent: Consent,
    pub now: Outcome,
}

/// What became of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Lives,
    Ended {
        at: Timestamp,
        by: EndedBy,
    },
    /// Gone with its application.
    Gone,
}

/// A user's newest `limit` consents, of those before this one.
pub async fn list(
    ctx: &Context,
    user: UserId,
    before: Option<ConsentId>,
    limit: i64,
) -> Result<Vec<Remembered>, StoreError> {
    let found = ctx.store.read(move |conn| Box::pin(consents::list(conn, user, before, limit))).await?;
    Ok(found.into_iter().map(|(consent, state)| Remembered { now: outcome(ctx, &consent, state), consent }).collect())
}

/// By the application's clock.
fn outcome(ctx: &Context, consent: &Consent, state: Option<ConnectionState>) -> Outcome {
    match state {
        None => Outcome::Gone,
        Some(ConnectionState::Ended { at, by }) => Outcome::Ended { at, by },
        Some(ConnectionState::Expiring { at }) if ctx.now_for(&consent.app) >= at => {
            Outcome::Ended { at, by: EndedBy::Expiry }
        }
        Some(ConnectionState::Active | ConnectionState::Expiring { .. }) => Outcome::Lives,
    }
}
