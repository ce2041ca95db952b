//! Identifiers. Those that a person may choose (in a seed file, in a snippet) are short texts; those
//! that only the server makes are UUIDs.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::timestamp::Timestamp;

/// Longest text identifier, in bytes.
pub const MAX_TEXT_ID: usize = 64;

/// A text that cannot be an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an id is 1 to {MAX_TEXT_ID} characters out of A-Z a-z 0-9 . _ -")]
pub struct IdError;

fn is_text_id(text: &str) -> bool {
    (1..=MAX_TEXT_ID).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Accepts 1 to [`MAX_TEXT_ID`] characters out of `A-Z a-z 0-9 . _ -`, compared exactly.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                if is_text_id(text) { Ok(Self(text.to_owned())) } else { Err(IdError) }
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id.to_string())
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                if is_text_id(&text) { Ok(Self(text)) } else { Err(IdError) }
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

text_id! {
    /// A LeadExec customer account.
    AccountId
}
text_id! {
    /// A partner application: LeadExec's *App ID*, OAuth's `client_id` (RFC 6749 section 2.2).
    AppId
}
text_id! {
    /// One sign-in button of an application.
    ButtonId
}
text_id! {
    /// What a snapshot of the world is called.
    SnapshotName
}
uuid_id! {
    /// A person with a LeadExec login.
    UserId
}
uuid_id! {
    /// One user's consent to one application.
    ConnectionId
}
uuid_id! {
    /// A signed-in browser.
    SessionId
}
uuid_id! {
    /// One run of the dialog, from the click to its outcome.
    FlowId
}
uuid_id! {
    /// An authorization code's row.
    CodeId
}
uuid_id! {
    /// An access token's row: time-ordered, and carried by the token beside its secret.
    AccessTokenId
}
uuid_id! {
    /// A resume handle's row.
    ResumeHandleId
}
uuid_id! {
    /// What a user authorized once, with its family of refresh tokens.
    GrantId
}
uuid_id! {
    /// A row of an authorization code of the standard grant.
    AuthorizationCodeId
}
uuid_id! {
    /// A pushed authorization request (RFC 9126).
    PushedRequestId
}
uuid_id! {
    /// A device code's row (RFC 8628).
    DeviceCodeId
}
uuid_id! {
    /// An initial access token for registration (RFC 7591 section 3).
    RegistrationTokenId
}
uuid_id! {
    /// A line of the event log.
    EventId
}
uuid_id! {
    /// A link by which somebody chooses a password.
    InvitationId
}
uuid_id! {
    /// How leads are delivered, and protected (wire.md D).
    DeliveryId
}
uuid_id! {
    /// What was received or sent by a delivery: its ids are in the order of what happened.
    ExchangeId
}
uuid_id! {
    /// One "Allow" of a user.
    ConsentId
}
uuid_id! {
    /// A lead that was taken.
    LeadId
}

uuid_id! {
    /// Who is told of what happens to an application's users.
    WebhookId
}
uuid_id! {
    /// One thing that was told: time-ordered, the same for every webhook.
    WebhookMessageId
}

/// What stands before a message's id in `webhook-id`.
const MESSAGE_PREFIX: &str = "msg_";

impl WebhookMessageId {
    /// As receivers see it (Standard Webhooks, "webhook-id").
    pub fn written(self) -> String {
        format!("{MESSAGE_PREFIX}{}", self.0.simple())
    }

    /// Reads what [`Self::written`] writes.
    pub fn read(text: &str) -> Option<Self> {
        let id = Self(Uuid::try_parse(text.strip_prefix(MESSAGE_PREFIX)?).ok()?);
        (id.written() == text).then_some(id)
    }
}

/// The lowest id of a moment, of those that follow a clock (UUIDv7, RFC 9562 section 5.7).
pub fn first_id_at(moment: Timestamp) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(moment.unix_millis(), &[0; 10]).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_id_is_bounded_and_plain() {
        assert!(AppId::parse("0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001").is_ok());
        for bad in ["", " ", "a b", "a/b", "é", "\0", &"x".repeat(MAX_TEXT_ID + 1)] {
            assert_eq!(AppId::parse(bad), Err(IdError), "{bad:?}");
        }
    }
}
