//! The partner console and Settings > API: what is an application's own has tabs.

mod app;
mod button;
mod delivery;
mod snippet;
mod webhook;

use askama::Template;

pub use app::{AppCard, ButtonRow, ConsoleApp, ConsoleApps};
pub use button::ConsoleButton;
pub use delivery::{
    ConsoleDeliveries, ConsoleDelivery, ConsoleDeliveryMethod, ConsoleExchange, MethodChoice, StepView,
};
pub use snippet::{Snippet, Snippets};
pub use webhook::{AttemptPart, ConsoleMessage, ConsoleWebhook, ConsoleWebhooks};

use super::chart::Chart;
use super::form::{Form, FormField};
use super::kit::{Confirmation, Fact, Notice, Shown, Tab, Table};
use super::messages::{ConsoleTexts, Lang};
use super::page::Page;

/// The frame of the console's pages: a title, and the pages of the same application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub title: String,
    /// Empty where there is no application yet.
    pub tabs: Vec<Tab>,
}

impl Head {
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), tabs: Vec::new() }
    }

    fn sample() -> Self {
        let tab = |label: &str, address: &str, is_current| Tab::new(label, address, is_current);
        let tabs = vec![
            tab("Overview", "/console/apps/rate-finder", true),
            tab("Usage", "/console/apps/rate-finder/usage", false),
        ];
        Self { title: "Rate Finder".to_owned(), tabs }
    }
}

/// One form, with a word before it.
#[derive(Debug, Clone, Template)]
#[template(path = "console/form.html")]
pub struct ConsoleForm {
    pub page: Page,
    pub head: Head,
    pub heading: Option<String>,
    pub intro: String,
    pub notice: Option<Notice>,
    /// The same with other questions: links, and what they are called together.
    pub ways: Option<(String, Vec<Tab>)>,
    pub picture: Option<String>,
    /// A button is drawn beside the form, as its fields `theme` and `size` say.
    pub has_preview: bool,
    /// `None` where nothing can be done here.
    pub form: Option<Form>,
    /// What else can be done here, each with a word about it.
    pub others: Vec<(String, Form)>,
}

/// The question before something ends.
#[derive(Debug, Clone, Template)]
#[template(path = "console/confirm.html")]
pub struct ConsoleConfirm {
    pub page: Page,
    pub confirmation: Confirmation,
}

/// Secrets, the only time that they are shown, and what goes with them.
#[derive(Debug, Clone, Template)]
#[template(path = "console/secret.html")]
pub struct ConsoleSecret {
    pub page: Page,
    pub head: Head,
    pub notice: Option<Notice>,
    pub secrets: Vec<Shown>,
    pub note: Option<String>,
    pub facts_title: String,
    pub facts: Vec<Fact>,
    /// Where the button "I have copied it" leads.
    pub next: String,
    pub next_label: String,
}

#[derive(Debug, Clone, Template)]
#[template(path = "console/usage.html")]
pub struct ConsoleUsage {
    pub page: Page,
    pub head: Head,
    pub charts: Vec<Chart>,
}

/// Settings > API.
#[derive(Debug, Clone, Template)]
#[template(path = "console/api.html")]
pub struct ApiClients {
    pub page: Page,
    pub clients: Option<Table>,
    pub pager: super::kit::Pager,
    pub form: Form,
}

impl ConsoleForm {
    #[must_use]
    pub fn new(page: Page, head: Head, intro: &str, form: Form) -> Self {
        let intro = intro.to_owned();
        Self {
            page,
            head,
            heading: None,
            intro,
            notice: None,
            ways: None,
            picture: None,
            has_preview: false,
            form: Some(form),
            others: Vec::new(),
        }
    }

    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        let form =
            Form::new("/console/apps/new", "b3n1q7", "Register").with(FormField::text("name", "Name").required());
        let other = Form::new("/console/apps/rate-finder/logo/remove", "b3n1q7", "Remove").dangerous();
        Self {
            heading: Some("Logo".to_owned()),
            notice: Some(Notice::good("Saved.")),
            ways: Some(("Method".to_owned(), vec![Tab::new("Basic", "?method=basic", true)])),
            picture: Some("/logos/rate-finder/0123456789abcdef".to_owned()),
            has_preview: true,
            others: vec![("It is shown to users.".to_owned(), other)],
            ..Self::new(Page::sample(lang), Head::sample(), "What is asked.", form)
        }
    }
}

impl ConsoleSecret {
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        let secret = Shown { id: "secret", label: "Client secret".to_owned(), value: "lgk_shown-once".to_owned() };
        Self {
            page: Page::sample(lang),
            head: Head::sample(),
            notice: Some(Notice::good("Registered.")),
            secrets: vec![secret],
            note: Some("The old one ends at noon.".to_owned()),
            facts_title: "Settings".to_owned(),
            facts: vec![Fact::copyable("token-url", "Token URL", "https://auth.test/oauth/token")],
            next: "/console/apps/rate-finder".to_owned(),
            next_label: "Go on".to_owned(),
        }
    }
}

impl ConsoleUsage {
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        let days = [("2026-11-21", 3), ("2026-11-22", 5)].map(|(day, count)| (day.to_owned(), count));
        let charts = vec![Chart::new("refreshes", "Refreshes", days)];
        Self { page: Page::sample(lang), head: Head::sample(), charts }
    }

    fn text(&self) -> &'static ConsoleTexts {
        &self.page.text().console
    }
}

impl ApiClients {
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        let form = Form::new("/settings/api", "b3n1q7", "Create").with(FormField::text("name", "Name").required());
        Self { page: Page::sample(lang), clients: None, pager: super::kit::Pager::default(), form }
    }

    fn text(&self) -> &'static ConsoleTexts {
        &self.page.text().console
    }
}
