//! A partner's applications.

use askama::Template;

use super::Head;
use crate::views::kit::{Fact, Notice, Pager, Table};
use crate::views::messages::{ConsoleTexts, Lang};
use crate::views::page::Page;

/// An application in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppCard {
    pub name: String,
    pub publisher: String,
    pub id: String,
    pub address: String,
    pub logo: Option<String>,
    pub is_active: bool,
    /// In words.
    pub connections: String,
    pub buttons: String,
}

/// The list, or where there is nothing the way to the first one.
#[derive(Debug, Clone, Template)]
#[template(path = "console/apps.html")]
pub struct ConsoleApps {
    pub page: Page,
    pub notice: Option<Notice>,
    pub apps: Vec<AppCard>,
    pub pager: Pager,
    /// Where a new one is registered.
    pub new: String,
}

/// A button in the list of its application's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ButtonRow {
    pub id: String,
    pub address: String,
    pub origins: Vec<String>,
}

/// An application's own page.
#[derive(Debug, Clone, Template)]
#[template(path = "console/app.html")]
pub struct ConsoleApp {
    pub page: Page,
    pub head: Head,
    pub notice: Option<Notice>,
    pub is_active: bool,
    pub logo: Option<String>,
    pub facts: Vec<Fact>,
    pub buttons: Vec<ButtonRow>,
    pub new_button: String,
    pub events: Option<Table>,
    pub delete: String,
}

impl ConsoleApps {
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        let text = &lang.messages().console;
        let card = AppCard {
            name: "Rate Finder".to_owned(),
            publisher: "Rate Finder Inc.".to_owned(),
            id: "rate-finder".to_owned(),
            address: "/console/apps/rate-finder".to_owned(),
            logo: Some("/logos/rate-finder/0123456789abcdef".to_owned()),
            is_active: true,
            connections: text.connections_of(12),
            buttons: text.buttons_of(1),
        };
        let other = AppCard { name: "Lead Desk".to_owned(), logo: None, is_active: false, ..card.clone() };
        Self {
            page: Page::sample(lang),
            notice: None,
            apps: vec![card, other],
            pager: Pager::default(),
            new: "/console/apps/new".to_owned(),
        }
    }

    fn text(&self) -> &'static ConsoleTexts {
        &self.page.text().console
    }
}

impl ConsoleApp {
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        let button = ButtonRow {
            id: "btn-rate-finder".to_owned(),
            address: "/console/buttons/btn-rate-finder".to_owned(),
            origins: vec!["https://www.example.com".to_owned()],
        };
        Self {
            page: Page::sample(lang),
            head: Head::sample(),
            notice: Some(Notice::good("Saved.")),
            is_active: false,
            logo: None,
            facts: vec![Fact::copyable("app-id", "App ID", "rate-finder")],
            buttons: vec![button],
            new_button: "/console/apps/rate-finder/buttons/new".to_owned(),
            events: None,
            delete: "/console/apps/rate-finder/delete".to_owned(),
        }
    }

    fn text(&self) -> &'static ConsoleTexts {
        &self.page.text().console
    }
}
