//! A user's "Allow", as it is remembered: it outlives its connection and its application.

use super::app::App;
use super::ids::{AppId, ConnectionId, ConsentId, UserId};
use super::scope::ScopeSet;
use super::timestamp::Timestamp;
use super::user::User;

/// What a user is asked for, and by whom.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub user: &'a User,
    pub app: &'a App,
    pub scopes: &'a ScopeSet,
    /// By the application's clock.
    pub now: Timestamp,
}

/// What a consent was given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Through {
    /// LeadExec's sign-in button.
    Button,
    /// A standard grant.
    Grant,
}

impl Through {
    pub const ALL: [Through; 2] = [Through::Button, Through::Grant];

    pub const fn as_str(self) -> &'static str {
        match self {
            Through::Button => "button",
            Through::Grant => "grant",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Through::ALL.into_iter().find(|through| through.as_str() == text)
    }
}

/// What was allowed, and when. The application has the name of that time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    pub id: ConsentId,
    pub user: UserId,
    pub app: AppId,
    pub app_name: String,
    pub connection: ConnectionId,
    pub scopes: ScopeSet,
    pub through: Through,
    /// By the application's clock.
    pub given_at: Timestamp,
}
