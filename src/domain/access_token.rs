//! What a bearer of an access token may do, and for whom.

use super::account::Account;
use super::ids::{AccessTokenId, AppId, ConnectionId};
use super::scope::ScopeSet;
use super::timestamp::Timestamp;
use super::user::User;

/// A live access token with everything an API needs to know about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    pub id: AccessTokenId,
    pub app: AppId,
    pub connection: ConnectionId,
    pub scopes: ScopeSet,
    pub expires_at: Timestamp,
    pub user: User,
    pub account: Account,
}
