//! The question: may this application use this account?

use askama::Template;

use super::handover::Handover;
use super::messages::Lang;
use super::page::Page;
use super::permission::Permission;
use super::returns_to::ReturnsTo;

/// The consent step. Fields on the wire: `csrf`, `decision=allow|deny`.
#[derive(Debug, Clone, Template)]
#[template(path = "consent.html")]
pub struct Consent {
    pub page: Page,
    /// `Some` only for a sign-in button.
    pub handover: Option<Handover>,
    /// Where the decision is posted to.
    pub action: String,
    /// Where "Not you?" posts to (with `csrf`): ends the session and shows the login step again.
    pub switch_action: String,
    pub csrf: String,
    pub app_name: String,
    /// Where its logo is.
    pub app_logo: Option<String>,
    /// `None` where the application names no publisher.
    pub publisher: Option<String>,
    pub account_name: String,
    pub user_name: String,
    pub user_email: String,
    /// Whom the result goes to: registered, never taken from the request.
    pub returns_to: ReturnsTo,
    pub permissions: Vec<Permission>,
}

impl Consent {
    /// A button's application that asks for all three API scopes.
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        Self {
            page: Page::sample(lang),
            handover: Some(Handover::sample()),
            action: "/dialog/fl_2v9q/decision".to_owned(),
            switch_action: "/dialog/fl_2v9q/switch".to_owned(),
            csrf: "b3n1q7".to_owned(),
            app_name: "Rate Finder".to_owned(),
            app_logo: Some("/logos/rate-finder/0123456789abcdef".to_owned()),
            publisher: Some("Rate Finder Inc.".to_owned()),
            account_name: "Acme Mortgage".to_owned(),
            user_name: "Ada Buyer".to_owned(),
            user_email: "ada@acme.test".to_owned(),
            returns_to: ReturnsTo::Origin("http://localhost:9001".to_owned()),
            permissions: Permission::list(lang, ["account_api", "data_api", "lead_receiver"]),
        }
    }

    /// A screen on the wall, which showed a code (RFC 8628).
    #[must_use]
    pub fn sample_for_device(lang: Lang) -> Self {
        Self {
            handover: None,
            app_name: "Lead Wall".to_owned(),
            returns_to: ReturnsTo::Device { user_code: "BCDF-GHJK".to_owned() },
            permissions: Permission::list(lang, ["openid", "profile", "data_api", "offline_access"]),
            ..Self::sample(lang)
        }
    }

    /// A device's user may be somebody else, who sent the code (RFC 8628, section 5.4).
    fn is_for_device(&self) -> bool {
        matches!(self.returns_to, ReturnsTo::Device { .. })
    }
}
