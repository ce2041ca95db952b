//! A partner application: OAuth's client (RFC 6749 section 2).

use super::grant_type::GrantType;
use super::ids::{AppId, UserId};
use super::return_url::ReturnUrl;
use super::scope::ScopeSet;
use super::timestamp::Timestamp;

/// Longest name or publisher, in characters.
pub const MAX_NAME: usize = 120;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    pub id: AppId,
    pub name: String,
    pub publisher: String,
    /// The user who may edit it; an application of the operator's has none.
    pub owner: Option<UserId>,
    pub client_type: ClientType,
    pub grant_types: Vec<GrantType>,
    /// Compared byte for byte.
    pub redirect_uris: Vec<ReturnUrl>,
    /// What a user may be asked for.
    pub scopes: ScopeSet,
    pub created_at: Timestamp,
}

/// RFC 6749 section 2.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientType {
    /// Has a client secret.
    Confidential,
    /// Has none.
    Public,
}
