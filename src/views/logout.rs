//! Signing out at the wish of an application (OpenID Connect RP-Initiated Logout 1.0).

use askama::Template;

use super::hidden::HiddenField;
use super::messages::Lang;
use super::page::Page;

/// The question before a session ends: without it any page could sign its visitors out. Fields on the wire:
/// `csrf` and `fields`.
#[derive(Debug, Clone, Template)]
#[template(path = "logout.html")]
pub struct Logout {
    pub page: Page,
    /// Where the form posts to.
    pub action: String,
    pub csrf: String,
    /// The parameters of the request that the answer needs again, such as `post_logout_redirect_uri` and `state`.
    pub fields: Vec<HiddenField>,
    pub user_name: String,
    pub user_email: String,
    /// The application that asks; `None` where the request names none.
    pub app_name: Option<String>,
}

impl Logout {
    /// An application asks.
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        Self {
            page: Page::sample(lang),
            action: "/oauth/logout".to_owned(),
            csrf: "b3n1q7".to_owned(),
            fields: vec![
                HiddenField::new("client_id", "rate-finder"),
                HiddenField::new("post_logout_redirect_uri", "http://localhost:9001/bye"),
                HiddenField::new("state", "pX2sN8c3kq0v7JmT4r1uYw"),
            ],
            user_name: "Ada Buyer".to_owned(),
            user_email: "ada@acme.test".to_owned(),
            app_name: Some("Rate Finder".to_owned()),
        }
    }
}

/// The end of a session that no application takes the user back from.
#[derive(Debug, Clone, Template)]
#[template(path = "signed_out.html")]
pub struct SignedOut {
    pub page: Page,
}

impl SignedOut {
    /// As everybody sees it.
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        Self { page: Page::sample(lang) }
    }
}
