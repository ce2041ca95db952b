//! Deliveries: the list, the choice of a method, a delivery's own page, and an exchange.

use askama::Template;

use super::Head;
use crate::views::kit::{Fact, Notice, Pager, Table};
use crate::views::messages::{DeliveryTexts, Lang};
use crate::views::page::Page;

/// A partner's deliveries, or where there are none the way to the first one.
#[derive(Debug, Clone, Template)]
#[template(path = "console/deliveries.html")]
pub struct ConsoleDeliveries {
    pub page: Page,
    pub notice: Option<Notice>,
    pub deliveries: Option<Table>,
    pub pager: Pager,
    pub new: String,
    /// Where the applications are.
    pub apps: String,
}

/// A method that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodChoice {
    pub label: String,
    pub hint: String,
    pub address: String,
}

/// What is asked before the settings.
#[derive(Debug, Clone, Template)]
#[template(path = "console/delivery_method.html")]
pub struct ConsoleDeliveryMethod {
    pub page: Page,
    pub choices: Vec<MethodChoice>,
    pub back: String,
}

/// A delivery's own page.
#[derive(Debug, Clone, Template)]
#[template(path = "console/delivery.html")]
pub struct ConsoleDelivery {
    pub page: Page,
    pub head: Head,
    pub notice: Option<Notice>,
    pub facts: Vec<Fact>,
    /// A command line with placeholders for what is secret.
    pub command: String,
    pub exchanges: Option<Table>,
    pub pager: Pager,
    pub delete: String,
}

/// A request or an answer, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepView {
    /// "Step 1".
    pub title: String,
    pub duration: String,
    pub request: String,
    /// `None` where there was none.
    pub answer: Option<String>,
}

/// What came or went, step by step.
#[derive(Debug, Clone, Template)]
#[template(path = "console/exchange.html")]
pub struct ConsoleExchange {
    pub page: Page,
    pub head: Head,
    pub title: String,
    /// Whether the lead was taken, and why not.
    pub outcome: Notice,
    pub facts: Vec<Fact>,
    pub steps: Vec<StepView>,
    pub lead: Option<String>,
}

impl ConsoleDeliveries {
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        Self {
            page: Page::sample(lang),
            notice: None,
            deliveries: None,
            pager: Pager::default(),
            new: "/console/deliveries/new".to_owned(),
            apps: "/console".to_owned(),
        }
    }

    fn text(&self) -> &'static DeliveryTexts {
        &self.page.text().deliveries
    }
}

impl ConsoleDeliveryMethod {
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        let choice = MethodChoice {
            label: "Basic".to_owned(),
            hint: "A user name and a password.".to_owned(),
            address: "/console/deliveries/new?method=basic".to_owned(),
        };
        Self { page: Page::sample(lang), choices: vec![choice], back: "/console/deliveries".to_owned() }
    }

    fn text(&self) -> &'static DeliveryTexts {
        &self.page.text().deliveries
    }
}

impl ConsoleDelivery {
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        Self {
            page: Page::sample(lang),
            head: Head::sample(),
            notice: Some(Notice::good("Saved.")),
            facts: vec![Fact::copyable("receiver", "Receiver", "https://auth.test/deliveries/1/receive")],
            command: "curl --user USER:PASSWORD https://auth.test/deliveries/1/receive".to_owned(),
            exchanges: None,
            pager: Pager::default(),
            delete: "/console/deliveries/1/delete".to_owned(),
        }
    }

    fn text(&self) -> &'static DeliveryTexts {
        &self.page.text().deliveries
    }
}

impl ConsoleExchange {
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        let step = StepView {
            title: "Step 1".to_owned(),
            duration: "12 ms".to_owned(),
            request: "POST https://leads.test/".to_owned(),
            answer: Some("401".to_owned()),
        };
        Self {
            page: Page::sample(lang),
            head: Head::sample(),
            title: "Sent".to_owned(),
            outcome: Notice::bad("the target answered 500"),
            facts: vec![Fact::new("Status", "500")],
            steps: vec![step.clone(), StepView { answer: None, ..step }],
            lead: Some("{\"FirstName\":\"Ada\"}".to_owned()),
        }
    }

    fn text(&self) -> &'static DeliveryTexts {
        &self.page.text().deliveries
    }
}
