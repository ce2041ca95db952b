//! Authorization of a device that cannot show a browser (RFC 8628).

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ids::{AppId, ConnectionId, DeviceCodeId};
use super::resource::Resource;
use super::scope::ScopeSet;
use super::timestamp::Timestamp;

/// How long a device code lives (RFC 8628 section 3.2, `expires_in`).
pub const DEVICE_CODE_LIFETIME: Duration = Duration::from_secs(600);
/// How long a device has to wait between two polls, at first, and how much longer after each time that it
/// did not (RFC 8628 sections 3.2 and 3.5).
pub const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// Consonants that are not mistaken for each other and spell no words (RFC 8628 section 6.1).
pub const USER_CODE_ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// Letters of a user code: 20^8 possibilities, for ten minutes, behind a limit on guesses.
pub const USER_CODE_LENGTH: usize = 8;

/// What a person types: eight letters, shown as `XXXX-XXXX`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserCode(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a user code has eight letters")]
pub struct UserCodeError;

impl UserCode {
    /// From letters of [`USER_CODE_ALPHABET`], by their index (any number: it is taken modulo 20).
    pub fn from_indices(indices: [u8; USER_CODE_LENGTH]) -> Self {
        Self(
            indices.map(|i| char::from(USER_CODE_ALPHABET[usize::from(i) % USER_CODE_ALPHABET.len()])).iter().collect(),
        )
    }

    /// Case, hyphens and spaces do not matter (RFC 8628 section 6.1).
    pub fn parse(text: &str) -> Result<Self, UserCodeError> {
        if text.len() > 4 * USER_CODE_LENGTH {
            return Err(UserCodeError);
        }
        let letters: String =
            text.chars().filter(|c| !matches!(c, '-' | ' ')).map(|c| c.to_ascii_uppercase()).collect();
        let known = letters.bytes().all(|b| USER_CODE_ALPHABET.contains(&b));
        if known && letters.len() == USER_CODE_LENGTH { Ok(Self(letters)) } else { Err(UserCodeError) }
    }

    /// The letters alone.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for UserCode {
    type Error = UserCodeError;
    fn try_from(text: String) -> Result<Self, UserCodeError> {
        Self::parse(&text)
    }
}

impl From<UserCode> for String {
    fn from(code: UserCode) -> String {
        code.0
    }
}

impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, second) = self.0.split_at(USER_CODE_LENGTH / 2);
        write!(f, "{first}-{second}")
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceCode {
    pub id: DeviceCodeId,
    pub user_code: UserCode,
    pub app: AppId,
    pub scopes: ScopeSet,
    pub resource: Option<Resource>,
    pub expires_at: Timestamp,
    /// How long the device has to wait between two polls.
    pub interval: Duration,
    pub last_polled_at: Option<Timestamp>,
    pub state: DeviceState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceState {
    Pending,
    Denied,
    Allowed {
        connection: ConnectionId,
        /// When the user signed in.
        auth_time: Timestamp,
    },
    /// Its tokens were handed out.
    Consumed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_code_is_read_as_people_write_it() {
        let code = UserCode::parse("bcdf-ghjk").unwrap();
        assert_eq!(code.to_string(), "BCDF-GHJK");
        assert_eq!(UserCode::parse(" BC DF GH-JK"), Ok(code));
        for bad in ["", "BCDF-GHJ", "BCDF-GHJA", "BCDF-GHJKL", "BCDFGHJÉ", &"-".repeat(40)] {
            assert!(UserCode::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(UserCode::from_indices([0, 1, 2, 3, 20, 21, 22, 239]).to_string(), "BCDF-BCDZ");
    }
}
