//! The user's own page: which applications are connected, and the way to end that.

use askama::Template;

use super::messages::Lang;
use super::page::Page;
use super::permission::Permission;

/// One connection of the signed-in user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectedApp {
    pub app_name: String,
    pub publisher: Option<String>,
    pub permissions: Vec<Permission>,
    /// RFC 3339, UTC.
    pub connected_at: String,
    /// RFC 3339, UTC; `None` until a token was refreshed or used.
    pub last_used_at: Option<String>,
    /// Where the form with the **Disconnect** button posts to (with `csrf`).
    pub disconnect_action: String,
}

/// A line at the top after something was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountNotice {
    /// The named application was disconnected.
    Disconnected { app_name: String },
    /// It was disconnected already.
    AlreadyDisconnected,
}

/// The account page.
#[derive(Debug, Clone, Template)]
#[template(path = "account.html")]
pub struct Account {
    pub page: Page,
    pub csrf: String,
    pub user_name: String,
    pub user_email: String,
    pub account_name: String,
    /// Where the sign-out form posts to (with `csrf`).
    pub logout_action: String,
    pub notice: Option<AccountNotice>,
    pub connections: Vec<ConnectedApp>,
}

impl Account {
    /// Two connected applications, one never used.
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        Self {
            page: Page::sample(lang),
            csrf: "b3n1q7".to_owned(),
            user_name: "Ada Buyer".to_owned(),
            user_email: "ada@acme.test".to_owned(),
            account_name: "Acme Mortgage".to_owned(),
            logout_action: "/logout".to_owned(),
            notice: None,
            connections: vec![
                ConnectedApp {
                    app_name: "Rate Finder".to_owned(),
                    publisher: Some("Rate Finder Inc.".to_owned()),
                    permissions: Permission::list(lang, ["account_api", "data_api"]),
                    connected_at: "2026-11-20T08:03:11Z".to_owned(),
                    last_used_at: Some("2026-11-22T10:15:30Z".to_owned()),
                    disconnect_action: "/account/connections/1/disconnect".to_owned(),
                },
                ConnectedApp {
                    app_name: "Lead Mapper".to_owned(),
                    publisher: None,
                    permissions: Permission::list(lang, ["lead_receiver"]),
                    connected_at: "2026-11-22T09:00:00Z".to_owned(),
                    last_used_at: None,
                    disconnect_action: "/account/connections/2/disconnect".to_owned(),
                },
            ],
        }
    }

    fn notice_text(&self) -> Option<String> {
        let text = &self.page.text().account;
        Some(match self.notice.as_ref()? {
            AccountNotice::Disconnected { app_name } => text.disconnected.with(app_name),
            AccountNotice::AlreadyDisconnected => text.already_disconnected.to_owned(),
        })
    }
}
