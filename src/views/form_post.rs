//! `response_mode=form_post`: the answer travels in a form that sends itself (OAuth 2.0 Form Post Response Mode).

use askama::Template;

use super::hidden::HiddenField;
use super::messages::Lang;
use super::page::Page;

/// The page that posts an authorization response to the client. Its form leaves this origin: the page's policy
/// must let it.
#[derive(Debug, Clone, Template)]
#[template(path = "form_post.html")]
pub struct FormPost {
    pub page: Page,
    /// The redirect URI.
    pub action: String,
    /// The response's parameters, in their order.
    pub fields: Vec<HiddenField>,
    pub app_name: String,
}

impl FormPost {
    /// Consent was given.
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        Self {
            page: Page::sample(lang),
            action: "http://localhost:9001/callback".to_owned(),
            fields: vec![
                HiddenField::new("code", "lgo_sample"),
                HiddenField::new("state", "pX2sN8c3kq0v7JmT4r1uYw"),
                HiddenField::new("iss", "http://localhost:8080"),
            ],
            app_name: "Rate Finder".to_owned(),
        }
    }
}
