//! A link by which somebody chooses a password: a new user, or one who is there already. Good once.

use std::time::Duration;

use super::email::Email;
use super::ids::{AccountId, InvitationId, UserId};
use super::role::Role;
use super::timestamp::Timestamp;

/// How long somebody may take to become a user.
pub const JOIN_LIFETIME: Duration = Duration::from_secs(7 * 24 * 3_600);
/// How long a user may take to choose another password.
pub const RESET_LIFETIME: Duration = Duration::from_secs(24 * 3_600);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    pub id: InvitationId,
    pub email: Email,
    pub role: Role,
    pub to: InvitedTo,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// When it was used.
    pub consumed_at: Option<Timestamp>,
}

/// What is to be done with an invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvitedTo {
    /// Become a user: of this account, or (`None`) of one that they name.
    Join { account: Option<AccountId> },
    /// Choose another password.
    Reset { user: UserId },
}

impl InvitedTo {
    pub const fn lifetime(&self) -> Duration {
        match self {
            Self::Join { .. } => JOIN_LIFETIME,
            Self::Reset { .. } => RESET_LIFETIME,
        }
    }
}
