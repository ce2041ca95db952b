//! A sign-in button's own page: how it looks, and what is put on the partner's page.

use askama::Template;

use super::{Head, Snippets};
use crate::domain::button::{Size, Theme};
use crate::views::kit::{Fact, Notice};
use crate::views::messages::{ConsoleTexts, Lang};
use crate::views::page::Page;
use crate::views::prose::Prose;

#[derive(Debug, Clone, Template)]
#[template(path = "console/button.html")]
pub struct ConsoleButton {
    pub page: Page,
    pub head: Head,
    pub notice: Option<Notice>,
    pub id: String,
    pub theme: Theme,
    pub size: Size,
    pub facts: Vec<Fact>,
    pub edit: String,
    pub delete: String,
    /// Where it can be tried: on this server's own page, which it has to list.
    pub try_it: Option<String>,
    /// What to list for that, in a sandbox.
    pub own_origin: Option<String>,
    pub snippets: Snippets,
}

impl ConsoleButton {
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        Self {
            page: Page::sample(lang),
            head: Head::sample(),
            notice: None,
            id: "btn-rate-finder".to_owned(),
            theme: Theme::Light,
            size: Size::Large,
            facts: vec![Fact::copyable("button-id", "Button", "btn-rate-finder")],
            edit: "/console/buttons/btn-rate-finder/edit".to_owned(),
            delete: "/console/buttons/btn-rate-finder/delete".to_owned(),
            try_it: None,
            own_origin: Some("https://auth.test".to_owned()),
            snippets: Snippets::sample(lang),
        }
    }

    fn listing(&self, origin: &str) -> Prose {
        Prose::of(&self.text().button.try_it_hint.with(origin))
    }

    fn snippets_text(&self) -> Prose {
        Prose::of(self.text().button.snippets_text)
    }

    fn text(&self) -> &'static ConsoleTexts {
        &self.page.text().console
    }
}
