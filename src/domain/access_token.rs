//! What a bearer of an access token may do, and for whom.

use super::account::Account;
use super::ids::{AccessTokenId, AppId, ConnectionId, GrantId};
use super::resource::Resource;
use super::scope::ScopeSet;
use super::timestamp::Timestamp;
use super::user::User;

/// A live access token with everything an API needs to know about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    pub id: AccessTokenId,
    pub app: AppId,
    pub subject: Subject,
    /// `None` for LeadExec's sign-in and for a client's own token.
    pub grant: Option<GrantId>,
    pub scopes: ScopeSet,
    /// `None`: this server's own APIs.
    pub resource: Option<Resource>,
    /// The key that its bearer has to prove (RFC 9449 section 6).
    pub dpop_jkt: Option<String>,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
}

/// Whom a token acts for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    User {
        user: Box<User>,
        account: Account,
        connection: ConnectionId,
    },
    /// The application itself (RFC 6749 section 4.4); the account is its owner's.
    Client {
        account: Option<Account>,
    },
}

impl AccessToken {
    /// The `sub` claim (RFC 9068 section 2.2): see [`user_subject`]; a client's is its id, in which `|` cannot
    /// occur, so that the two never meet (RFC 9700 section 4.15).
    pub fn sub(&self) -> String {
        match &self.subject {
            Subject::User { user, .. } => user_subject(user.id),
            Subject::Client { .. } => self.app.to_string(),
        }
    }
}

/// The `sub` of a user in every token and answer about that user.
pub fn user_subject(user: super::ids::UserId) -> String {
    format!("user|{user}")
}
