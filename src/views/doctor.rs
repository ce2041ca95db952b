//! What the button doctor's codes mean: where its messages in the console lead.

use std::collections::BTreeMap;

use askama::Template;
use serde::Serialize;

use super::handover::script_json;
use super::messages::{CheckText, FindingText, Lang};
use super::page::Page;
use crate::domain::check::Check;
use crate::domain::doctor::Finding;

/// Every code, explained.
#[derive(Debug, Clone, Template)]
#[template(path = "doctor.html")]
pub struct Doctor {
    pub page: Page,
}

/// What the doctor is called with, on a partner's page.
#[derive(Serialize)]
struct Server<'a> {
    issuer: &'a str,
    /// What each problem's code means, by language.
    texts: BTreeMap<&'static str, BTreeMap<&'static str, &'static str>>,
}

impl Doctor {
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        Self { page: Page::sample(lang) }
    }

    /// The argument of the doctor's script: JSON that is an expression of JavaScript, too.
    #[must_use]
    pub fn server_json(issuer: &str) -> String {
        let of =
            |lang: Lang| Finding::problems().map(move |found| (found.as_str(), lang.finding(found).what)).collect();
        script_json(&Server { issuer, texts: Lang::ALL.into_iter().map(|lang| (lang.tag(), of(lang))).collect() })
    }

    fn text(&self, finding: &Finding) -> FindingText {
        self.page.lang.finding(*finding)
    }

    fn checks(&self) -> impl Iterator<Item = &Check> {
        Check::ALL.iter()
    }

    fn check(&self, check: &Check) -> CheckText {
        self.page.lang.check(*check)
    }

    fn problems(&self) -> impl Iterator<Item = Finding> {
        Finding::problems()
    }

    fn facts(&self) -> impl Iterator<Item = Finding> {
        Finding::ALL.into_iter().filter(|finding| finding.is_fact())
    }
}
