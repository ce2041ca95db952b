//! A signed-in browser, and the handle that lets one partner page resume it without a click.

use std::net::IpAddr;
use std::time::Duration;

use super::ids::{AppId, ConnectionId, ResumeHandleId, SessionId, UserId};
use super::origin::Origin;
use super::timestamp::Timestamp;

/// How long a sign-in on the issuer lasts.
pub const SESSION_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3_600);
/// How long a partner page may resume without a click.
pub const RESUME_LIFETIME: Duration = Duration::from_secs(90 * 24 * 3_600);
/// How long a rotated resume handle still works: tabs that reload together all hold the old one.
pub const RESUME_GRACE: Duration = Duration::from_secs(60);

/// Longest name of a browser that is kept, in characters.
pub const MAX_USER_AGENT: usize = 256;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub user: UserId,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// The address that it was opened from.
    pub address: Option<IpAddr>,
    /// What the browser called itself then, cut to [`MAX_USER_AGENT`].
    pub user_agent: Option<String>,
}

/// Bound to one application, one exact origin, one session and one connection; dead when any of them is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResumeHandle {
    pub id: ResumeHandleId,
    pub app: AppId,
    pub origin: Origin,
    pub session: SessionId,
    pub connection: ConnectionId,
    pub expires_at: Timestamp,
}
