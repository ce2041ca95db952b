//! A person with a LeadExec login.

use super::email::Email;
use super::ids::{AccountId, UserId};
use super::magic::Magic;
use super::role::Role;
use super::timestamp::Timestamp;

/// Longest password, in bytes: hashing is bounded work (rule R4).
pub const MAX_PASSWORD: usize = 1_024;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub account: AccountId,
    pub email: Email,
    pub name: String,
    pub role: Role,
    pub magic: Option<Magic>,
    pub state: UserState,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserState {
    Active,
    /// May not sign in, and what was issued for the user is dead.
    Disabled {
        since: Timestamp,
    },
}

impl User {
    pub fn is_active(&self) -> bool {
        self.state == UserState::Active
    }
}

/// A password hash in PHC string form, as argon2 writes it. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes a PHC string that the caller has checked.
    pub fn from_phc(text: String) -> Self {
        Self(text)
    }

    pub fn as_phc(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}
