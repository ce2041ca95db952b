//! One user's consent to one application: what the user grants, sees on the account page, and ends.

use std::time::Duration;

use super::ids::{AppId, ConnectionId, UserId};
use super::scope::ScopeSet;
use super::timestamp::Timestamp;

/// How long an access token lives (wire.md A2; documented by LeadExec).
pub const ACCESS_TOKEN_LIFETIME: Duration = Duration::from_secs(3_600);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    pub id: ConnectionId,
    pub user: UserId,
    pub app: AppId,
    /// All that was consented to.
    pub scopes: ScopeSet,
    /// What of it was consented to by a sign-in button: LeadExec's tokens are for that alone. They are as strong as a
    /// refresh token in a page, and do not grow with what a back end was allowed.
    pub sign_in_scopes: ScopeSet,
    /// What each access token of it lives.
    pub access_token_lifetime: Duration,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    pub state: ConnectionState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionState {
    Active,
    /// Ends by itself at a set time.
    Expiring {
        at: Timestamp,
    },
    Ended {
        at: Timestamp,
        by: EndedBy,
    },
}

/// Who ended a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// The partner, with the refresh token (wire.md A3).
    Partner,
    /// The user, on the account page (wire.md A5).
    User,
    /// An operator, who disabled the user.
    Operator,
    /// Nobody: its time was over.
    Expiry,
}

impl EndedBy {
    pub const ALL: [EndedBy; 4] = [EndedBy::Partner, EndedBy::User, EndedBy::Operator, EndedBy::Expiry];

    pub const fn as_str(self) -> &'static str {
        match self {
            EndedBy::Partner => "partner",
            EndedBy::User => "user",
            EndedBy::Operator => "operator",
            EndedBy::Expiry => "expiry",
        }
    }

    /// For people.
    pub const fn described(self) -> &'static str {
        match self {
            EndedBy::Partner => "the application, by the disconnect call",
            EndedBy::User => "the user, on the account page",
            EndedBy::Operator => "an operator",
            EndedBy::Expiry => "its own time, which was over",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        EndedBy::ALL.into_iter().find(|by| by.as_str() == text)
    }
}

impl Connection {
    /// Whether tokens may be issued from it and used.
    pub fn is_live(&self, now: Timestamp) -> bool {
        match self.state {
            ConnectionState::Active => true,
            ConnectionState::Expiring { at } => now < at,
            ConnectionState::Ended { .. } => false,
        }
    }
}
