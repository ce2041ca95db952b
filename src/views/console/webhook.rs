//! An application's webhooks, and what was sent to them.

use askama::Template;

use super::Head;
use crate::views::form::Form;
use crate::views::kit::{Cell, Fact, Notice, Pager, Tab, Table};
use crate::views::messages::{ConsoleTexts, Lang};
use crate::views::page::Page;

/// The list, or where there is nothing the way to the first one.
#[derive(Debug, Clone, Template)]
#[template(path = "console/webhooks.html")]
pub struct ConsoleWebhooks {
    pub page: Page,
    pub head: Head,
    pub notice: Option<Notice>,
    pub webhooks: Option<Table>,
    /// Where a new one is made.
    pub new: String,
}

/// A webhook's own page, with the log.
#[derive(Debug, Clone, Template)]
#[template(path = "console/webhook.html")]
pub struct ConsoleWebhook {
    pub page: Page,
    pub head: Head,
    pub notice: Option<Notice>,
    pub url: String,
    pub is_active: bool,
    pub facts: Vec<Fact>,
    pub edit: String,
    pub rotate: String,
    pub replay: String,
    pub delete: String,
    pub test: Form,
    /// What the log is narrowed to.
    pub filters: Vec<Tab>,
    pub messages: Option<Table>,
    pub pager: Pager,
}

/// One attempt to deliver a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptPart {
    pub nr: u32,
    pub title: String,
    /// RFC 3339, UTC.
    pub at: String,
    pub duration: String,
    /// The status, or why there is none.
    pub came: String,
    pub is_good: bool,
    /// Lines.
    pub request: String,
    pub response: String,
}

/// One message, with all that was tried.
#[derive(Debug, Clone, Template)]
#[template(path = "console/message.html")]
pub struct ConsoleMessage {
    pub page: Page,
    pub head: Head,
    pub notice: Option<Notice>,
    pub kind: &'static str,
    pub back: String,
    pub facts: Vec<Fact>,
    pub payload: String,
    pub attempts: Vec<AttemptPart>,
    pub replay: Form,
}

impl ConsoleWebhooks {
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        let table = Table {
            caption: "Webhooks".to_owned(),
            columns: vec!["Address".to_owned()],
            rows: vec![vec![Cell::link("https://www.example.com/webhooks", "/console/webhooks/1")]],
        };
        Self {
            page: Page::sample(lang),
            head: Head::sample(),
            notice: None,
            webhooks: Some(table),
            new: "/console/apps/rate-finder/webhooks/new".to_owned(),
        }
    }

    fn text(&self) -> &'static ConsoleTexts {
        &self.page.text().console
    }
}

impl ConsoleWebhook {
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        let below = |word: &str| format!("/console/webhooks/1/{word}");
        Self {
            page: Page::sample(lang),
            head: Head::sample(),
            notice: Some(Notice::good("Saved.")),
            url: "https://www.example.com/webhooks".to_owned(),
            is_active: true,
            facts: vec![Fact::copyable("webhook-id", "Webhook", "1")],
            edit: below("edit"),
            rotate: below("secret"),
            replay: below("replay"),
            delete: below("delete"),
            test: Form::new(below("test"), "b3n1q7", "Send a test"),
            filters: vec![Tab::new("Any", "/console/webhooks/1", true)],
            messages: None,
            pager: Pager::default(),
        }
    }

    fn text(&self) -> &'static ConsoleTexts {
        &self.page.text().console
    }
}

impl ConsoleMessage {
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        let attempt = AttemptPart {
            nr: 1,
            title: "Attempt 1".to_owned(),
            at: "2026-11-22T09:15:30Z".to_owned(),
            duration: "12 ms".to_owned(),
            came: "500".to_owned(),
            is_good: false,
            request: "webhook-id: msg_1".to_owned(),
            response: "content-type: text/plain\n\noops".to_owned(),
        };
        Self {
            page: Page::sample(lang),
            head: Head::sample(),
            notice: None,
            kind: "connection.created",
            back: "/console/webhooks/1".to_owned(),
            facts: vec![Fact::copyable("message-id", "Message", "msg_1")],
            payload: "{\"type\":\"connection.created\"}".to_owned(),
            attempts: vec![attempt],
            replay: Form::new("/console/webhooks/1/messages/msg_1/replay", "b3n1q7", "Send again"),
        }
    }

    fn text(&self) -> &'static ConsoleTexts {
        &self.page.text().console
    }
}
