//! What is kept of a user, and the way to have it.

use askama::Template;

use super::AccountHead;
use crate::views::messages::Lang;
use crate::views::page::Page;

#[derive(Debug, Clone, Template)]
#[template(path = "account/data.html")]
pub struct AccountData {
    pub page: Page,
    pub head: AccountHead,
    /// Where the file is.
    pub download: String,
}

impl AccountData {
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        let head = AccountHead::sample(lang);
        Self { page: Page::sample(lang), head, download: "/account/export".to_owned() }
    }
}
