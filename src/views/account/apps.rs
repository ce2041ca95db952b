//! Which applications are connected, and the way to end that.

use askama::Template;

use super::AccountHead;
use crate::views::messages::Lang;
use crate::views::page::Page;
use crate::views::permission::Permission;

/// One connection of the signed-in user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectedApp {
    pub app_name: String,
    /// Where its logo is.
    pub app_logo: Option<String>,
    pub publisher: Option<String>,
    pub permissions: Vec<Permission>,
    /// RFC 3339, UTC.
    pub connected_at: String,
    /// RFC 3339, UTC; `None` until a token was refreshed or used.
    pub last_used_at: Option<String>,
    /// Where the form with the **Disconnect** button posts to (with `csrf`).
    pub disconnect_action: String,
}

/// The first of the account pages.
#[derive(Debug, Clone, Template)]
#[template(path = "account/apps.html")]
pub struct Account {
    pub page: Page,
    pub head: AccountHead,
    pub connections: Vec<ConnectedApp>,
}

impl Account {
    /// Two connected applications, one never used.
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        Self {
            page: Page::sample(lang),
            head: AccountHead::sample(lang),
            connections: vec![
                ConnectedApp {
                    app_name: "Rate Finder".to_owned(),
                    app_logo: Some("/logos/rate-finder/0123456789abcdef".to_owned()),
                    publisher: Some("Rate Finder Inc.".to_owned()),
                    permissions: Permission::list(lang, ["account_api", "data_api"]),
                    connected_at: "2026-11-20T08:03:11Z".to_owned(),
                    last_used_at: Some("2026-11-22T10:15:30Z".to_owned()),
                    disconnect_action: "/account/connections/1/disconnect".to_owned(),
                },
                ConnectedApp {
                    app_name: "Lead Mapper".to_owned(),
                    app_logo: None,
                    publisher: None,
                    permissions: Permission::list(lang, ["lead_receiver"]),
                    connected_at: "2026-11-22T09:00:00Z".to_owned(),
                    last_used_at: None,
                    disconnect_action: "/account/connections/2/disconnect".to_owned(),
                },
            ],
        }
    }
}
