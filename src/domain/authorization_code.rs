//! The authorization code of the standard grant (RFC 6749 section 4.1), swapped once by its client.

use super::ids::{AppId, AuthorizationCodeId, ConnectionId};
use super::pkce::CodeChallenge;
use super::resource::Resource;
use super::scope::ScopeSet;
use super::timestamp::Timestamp;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationCode {
    pub id: AuthorizationCodeId,
    pub app: AppId,
    pub connection: ConnectionId,
    /// Where it was sent.
    pub redirect_uri: String,
    /// Whether the request named that address: then the redemption has to as well.
    pub redirect_uri_given: bool,
    pub scopes: ScopeSet,
    pub resource: Option<Resource>,
    /// For the ID token.
    pub nonce: Option<String>,
    pub code_challenge: Option<CodeChallenge>,
    /// The key that it is bound to (RFC 9449 section 10).
    pub dpop_jkt: Option<String>,
    /// When the user signed in.
    pub auth_time: Timestamp,
    pub expires_at: Timestamp,
}
