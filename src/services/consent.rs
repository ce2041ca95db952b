//! What a user's "Allow" makes: a connection, and a line in the user's history. The dialog and the sandbox's API both end
//! here, so there is one idea of consent.

use super::action_callback::{self, CallbackRefusal};
use super::audit::By;
use super::webhooks::outbox::{self, Denied, Draft};
use super::{Context, endings};
use crate::domain::app::App;
use crate::domain::connection::{ACCESS_TOKEN_LIFETIME, Connection, ConnectionState};
use crate::domain::consent::Consent;
pub use crate::domain::consent::{Asked, Through};
use crate::domain::event::{Action, Change, Event, Target};
use crate::domain::ids::{ConnectionId, ConsentId};
use crate::domain::magic::Magic;
use crate::domain::scope::ScopeSet;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::User;
use crate::entropy::time_ordered_id;
use crate::store::{Conn, StoreError, apps, connections, consents, events, users};

/// Tells the application that the user said no, where there is no flow whose end would tell it.
pub async fn denied(ctx: &Context, asked: Asked<'_>) -> Result<(), StoreError> {
    Denied::new(ctx, asked).tell_now(ctx).await?;
    action_callback::tell_denied(ctx, asked).await;
    Ok(())
}

/// Asks the application's own server, where there is no flow whose end would tell of its refusal.
pub async fn ask(
    ctx: &Context,
    asked: Asked<'_>,
    proposal: &Proposal,
) -> Result<Result<(), CallbackRefusal>, StoreError> {
    let answer = action_callback::ask(ctx, asked, proposal.connection.id).await?;
    if answer.is_err() {
        Denied::new(ctx, asked).tell_now(ctx).await?;
    }
    Ok(answer)
}

/// What a consent is about to make, drawn before the transaction.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The connection, where there is none yet.
    pub connection: Connection,
    user: User,
    consent: Consent,
    event: Event,
    draft: Draft,
}

pub fn proposal(ctx: &Context, user: &User, app: &App, scopes: ScopeSet, through: Through, now: Timestamp) -> Proposal {
    let expires_at = user.magic.and_then(Magic::connection_lifetime).map(|span| now.plus(span));
    let connection = Connection {
        id: ConnectionId(time_ordered_id(&*ctx.entropy, now)),
        user: user.id,
        app: app.id.clone(),
        sign_in_scopes: if through == Through::Button { scopes.clone() } else { ScopeSet::default() },
        scopes: scopes.clone(),
        access_token_lifetime: user.magic.and_then(Magic::access_token_lifetime).unwrap_or(ACCESS_TOKEN_LIFETIME),
        created_at: now,
        last_used_at: None,
        state: expires_at.map_or(ConnectionState::Active, |at| ConnectionState::Expiring { at }),
    };
    let consent = Consent {
        id: ConsentId(time_ordered_id(&*ctx.entropy, ctx.real_now())),
        user: user.id,
        app: app.id.clone(),
        app_name: app.name.clone(),
        connection: connection.id,
        scopes,
        through,
        given_at: now,
    };
    let target = Target::connection(connection.id, &app.name);
    let event = ctx.event(By::user(user, None), Action::ConnectionCreated, target);
    Proposal { connection, user: user.clone(), consent, event, draft: ctx.draft() }
}

impl Proposal {
    /// Where it is not the user who decides.
    pub fn by(mut self, by: By) -> Self {
        (self.event.actor, self.event.from) = (by.actor, by.from);
        self
    }

    /// Remembers what was allowed that was not before.
    async fn record(
        &self,
        conn: &mut Conn,
        connection: ConnectionId,
        before: Option<&Connection>,
    ) -> Result<(), StoreError> {
        consents::insert(conn, &Consent { connection, ..self.consent.clone() }).await?;
        let mut event = self.event.clone();
        event.target = Target::connection(connection, &self.consent.app_name);
        if let Some(before) = before {
            event.action = Action::ConnectionWidened;
            let after = before.scopes.union(&self.consent.scopes);
            event.changes.extend(Change::of("scopes", &before.scopes, &after));
        } else {
            event.changes.push(Change::new("scopes", &self.consent.scopes));
        }
        events::record(conn, &event).await
    }
}

/// Writes a consent down: widens the connection that the user has to this application, or makes the
/// proposed one. `None` where user or application was disabled in the meantime, or the connection ended as we wrote.
pub async fn connect(conn: &mut Conn, proposal: &Proposal) -> Result<Option<ConnectionId>, StoreError> {
    let proposed = &proposal.connection;
    if !users::hold_active(conn, proposed.user).await? || !apps::hold_active(conn, &proposed.app).await? {
        return Ok(None);
    }
    endings::expired(conn, proposed.user, &proposed.app, proposed.created_at, proposal.draft).await?;
    if connections::insert(conn, proposed).await? {
        proposal.record(conn, proposed.id, None).await?;
        outbox::created(conn, proposal.draft, &proposal.user, proposed).await?;
        return Ok(Some(proposed.id));
    }
    let existing = connections::find_live(conn, proposed.user, &proposed.app, proposed.created_at).await?;
    let Some(existing) = existing else { return Ok(None) };
    let widened = Connection {
        scopes: existing.scopes.union(&proposed.scopes),
        sign_in_scopes: existing.sign_in_scopes.union(&proposed.sign_in_scopes),
        ..existing.clone()
    };
    if widened != existing {
        if !connections::set_scopes(conn, &widened).await? {
            return Ok(None);
        }
        proposal.record(conn, existing.id, Some(&existing)).await?;
    }
    Ok(Some(existing.id))
}
