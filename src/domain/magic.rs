//! Users of the demonstration whose sign-in always goes one way, so that a partner can try each
//! outcome without a mock (wire.md part E).

use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Magic {
    /// Refuses every consent.
    Deny,
    /// Every answer that signs this user in takes five seconds; a refresh does not.
    Slow,
    /// The connection ends ten seconds after the consent.
    RevokedSoon,
    /// Access tokens have expired when they are issued.
    Expired,
}

impl Magic {
    pub const ALL: [Magic; 4] = [Magic::Deny, Magic::Slow, Magic::RevokedSoon, Magic::Expired];

    /// The local part of the user's e-mail address; also the stored form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Magic::Deny => "deny",
            Magic::Slow => "slow5s",
            Magic::RevokedSoon => "revoked-in-10s",
            Magic::Expired => "expired",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Magic::ALL.into_iter().find(|magic| magic.as_str() == text)
    }

    /// How long an answer with a token is held back.
    pub const fn delay(self) -> Option<Duration> {
        match self {
            Magic::Slow => Some(Duration::from_secs(5)),
            _ => None,
        }
    }

    /// How long after the consent the connection ends by itself.
    pub const fn connection_lifetime(self) -> Option<Duration> {
        match self {
            Magic::RevokedSoon => Some(Duration::from_secs(10)),
            _ => None,
        }
    }

    /// What this user's access tokens live instead of the usual time.
    pub const fn access_token_lifetime(self) -> Option<Duration> {
        match self {
            Magic::Expired => Some(Duration::ZERO),
            _ => None,
        }
    }
}
