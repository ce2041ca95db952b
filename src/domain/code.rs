//! The authorization code of a button flow: handed to the partner's page, swapped once.

use std::time::Duration;

use super::ids::{AppId, ButtonId, CodeId, ConnectionId, SessionId};
use super::origin::Origin;
use super::pkce::CodeChallenge;
use super::timestamp::Timestamp;

/// How long a code lives (sign-in-button design; RFC 6749 section 4.1.2 allows ten minutes).
pub const CODE_LIFETIME: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    pub id: CodeId,
    pub app: AppId,
    pub button: ButtonId,
    pub origin: Origin,
    pub code_challenge: CodeChallenge,
    pub session: SessionId,
    pub connection: ConnectionId,
    pub expires_at: Timestamp,
}
