//! What a user's "Allow" makes: a connection. The dialog and the sandbox's API both end here, so there is
//! one idea of consent.

use super::Context;
use crate::domain::app::App;
use crate::domain::connection::{ACCESS_TOKEN_LIFETIME, Connection, ConnectionState};
use crate::domain::ids::ConnectionId;
use crate::domain::magic::Magic;
use crate::domain::scope::ScopeSet;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::User;
use crate::entropy::time_ordered_id;
use crate::store::{Conn, StoreError, apps, connections, users};

/// What a consent was given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Through {
    /// LeadExec's sign-in button.
    Button,
    /// A standard grant.
    Grant,
}

/// The connection that a consent would make where there is none yet.
pub fn proposal(
    ctx: &Context,
    user: &User,
    app: &App,
    scopes: ScopeSet,
    through: Through,
    now: Timestamp,
) -> Connection {
    let expires_at = user.magic.and_then(Magic::connection_lifetime).map(|span| now.plus(span));
    Connection {
        id: ConnectionId(time_ordered_id(&*ctx.entropy, now)),
        user: user.id,
        app: app.id.clone(),
        sign_in_scopes: if through == Through::Button { scopes.clone() } else { ScopeSet::default() },
        scopes,
        access_token_lifetime: user.magic.and_then(Magic::access_token_lifetime).unwrap_or(ACCESS_TOKEN_LIFETIME),
        created_at: now,
        last_used_at: None,
        state: expires_at.map_or(ConnectionState::Active, |at| ConnectionState::Expiring { at }),
    }
}

/// Writes a consent down: widens the connection that the user has to this application, or makes the
/// proposed one. `None` where user or application was disabled in the meantime, or the connection ended as we wrote.
pub async fn connect(conn: &mut Conn, proposal: &Connection) -> Result<Option<ConnectionId>, StoreError> {
    if !users::hold_active(conn, proposal.user).await? || !apps::hold_active(conn, &proposal.app).await? {
        return Ok(None);
    }
    connections::end_expired(conn, proposal.user, &proposal.app, proposal.created_at).await?;
    if connections::insert(conn, proposal).await? {
        return Ok(Some(proposal.id));
    }
    let existing = connections::find_live(conn, proposal.user, &proposal.app, proposal.created_at).await?;
    let Some(existing) = existing else { return Ok(None) };
    let widened = Connection {
        scopes: existing.scopes.union(&proposal.scopes),
        sign_in_scopes: existing.sign_in_scopes.union(&proposal.sign_in_scopes),
        ..existing.clone()
    };
    if widened != existing && !connections::set_scopes(conn, &widened).await? {
        return Ok(None);
    }
    Ok(Some(existing.id))
}
