//! The start page in production mode: what this is, and where a user finds their account.

use askama::Template;

use super::messages::Lang;
use super::page::{Nav, Page};

/// The plain start page.
#[derive(Debug, Clone, Template)]
#[template(path = "home.html")]
pub struct Home {
    pub page: Page,
}

impl Home {
    /// The page as a production server shows it.
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        Self { page: Page { sandbox: false, nav: Nav::of_nobody(false), ..Page::sample(lang) } }
    }
}
