//! The question: may this application use this account?

use askama::Template;

use super::handover::Handover;
use super::messages::Lang;
use super::page::Page;
use super::permission::Permission;

/// The consent step. Fields on the wire: `csrf`, `decision=allow|deny`.
#[derive(Debug, Clone, Template)]
#[template(path = "consent.html")]
pub struct Consent {
    pub page: Page,
    pub handover: Option<Handover>,
    /// Where the decision is posted to.
    pub action: String,
    /// Where "Not you?" posts to (with `csrf`): ends the session and shows the login step again.
    pub switch_action: String,
    pub csrf: String,
    pub app_name: String,
    /// `None` where the application names no publisher.
    pub publisher: Option<String>,
    pub account_name: String,
    pub user_name: String,
    pub user_email: String,
    /// The registered origin that the result goes back to.
    pub return_origin: String,
    pub permissions: Vec<Permission>,
}

impl Consent {
    /// An application that asks for all three API scopes.
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        Self {
            page: Page::sample(lang),
            handover: Some(Handover::sample()),
            action: "/dialog/fl_2v9q/decision".to_owned(),
            switch_action: "/dialog/fl_2v9q/switch".to_owned(),
            csrf: "b3n1q7".to_owned(),
            app_name: "Rate Finder".to_owned(),
            publisher: Some("Rate Finder Inc.".to_owned()),
            account_name: "Acme Mortgage".to_owned(),
            user_name: "Ada Buyer".to_owned(),
            user_email: "ada@acme.test".to_owned(),
            return_origin: "http://localhost:9001".to_owned(),
            permissions: Permission::list(lang, ["account_api", "data_api", "lead_receiver"]),
        }
    }
}
