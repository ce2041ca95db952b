//! The integration check of one application: for people, and as JUnit's XML for machines.

use askama::Template;

use super::messages::{CheckText, Lang};
use super::page::Page;
use crate::domain::check::{Check, Group, Status};

/// The request that shows how a check came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    pub request: String,
    /// RFC 3339, UTC.
    pub at: String,
    /// `GET /v1/me 401`.
    pub exchange: String,
    /// What is wrong; empty where nothing is.
    pub value: String,
}

/// One check and how it came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRow {
    pub check: Check,
    pub status: Status,
    pub evidence: Option<Evidence>,
}

impl CheckRow {
    /// What is wrong, as a sentence; `None` where nothing is.
    #[must_use]
    pub fn failure(&self, lang: Lang) -> Option<String> {
        let evidence = self.evidence.as_ref().filter(|_| self.status == Status::Fail)?;
        Some(lang.check(self.check).failed.with(&evidence.value))
    }
}

/// The page, in groups.
#[derive(Debug, Clone, Template)]
#[template(path = "checks.html")]
pub struct Checks {
    pub page: Page,
    /// The public base URL, without a trailing slash.
    pub issuer: String,
    pub app_id: String,
    pub app_name: String,
    /// When it was made: RFC 3339, UTC.
    pub at: String,
    pub rows: Vec<CheckRow>,
}

impl Checks {
    /// A page half way.
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        let evidence = |value: &str| Evidence {
            request: "019368d2-8f0e-7f0e-9d4e-7b7f0f0f0001".to_owned(),
            at: "2026-11-22T09:15:30Z".to_owned(),
            exchange: "GET /authorize/refreshaccesstoken/{*token} 200".to_owned(),
            value: value.to_owned(),
        };
        let row = |check: &Check| match check {
            Check::RefreshedOnceAnHour => (Status::Fail, Some(evidence("7"))),
            Check::RefreshWorks | Check::SignInCompleted => (Status::Pass, Some(evidence(""))),
            _ => (Status::NotSeen, None),
        };
        let rows = Check::ALL.iter().map(|check| {
            let (status, evidence) = row(check);
            CheckRow { check: *check, status, evidence }
        });
        Self {
            page: Page::sample(lang),
            issuer: "http://localhost:8080".to_owned(),
            app_id: "0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001".to_owned(),
            app_name: "Demo Partner".to_owned(),
            at: "2026-11-22T10:15:30Z".to_owned(),
            rows: rows.collect(),
        }
    }

    fn groups(&self) -> [Group; 6] {
        Group::ALL
    }

    fn rows_of(&self, group: &Group) -> impl Iterator<Item = &CheckRow> {
        self.rows.iter().filter(|row| row.check.group() == *group)
    }

    fn group_title(&self, group: &Group) -> &'static str {
        self.page.text().checks.group(*group)
    }

    fn status_word(&self, status: &Status) -> &'static str {
        self.page.text().checks.status(*status)
    }

    fn text(&self, row: &CheckRow) -> CheckText {
        self.page.lang.check(row.check)
    }

    fn failure(&self, row: &CheckRow) -> Option<String> {
        row.failure(self.page.lang)
    }

    fn count(&self, status: &str) -> usize {
        self.rows.iter().filter(|row| row.status.as_str() == status).count()
    }

    /// Where the request can be looked at.
    fn request_url(&self, evidence: &Evidence) -> String {
        format!("{}/inspector#requests/{}", self.page.base, evidence.request)
    }
}

/// The same in the form that continuous integration reads. What was not seen is skipped.
#[derive(Debug, Clone, Template)]
#[template(path = "checks.xml")]
pub struct JUnit {
    pub app_id: String,
    pub app_name: String,
    /// RFC 3339, UTC.
    pub at: String,
    /// Where what to do is explained: the public base URL.
    pub issuer: String,
    pub rows: Vec<CheckRow>,
}

impl JUnit {
    #[must_use]
    pub fn sample() -> Self {
        let Checks { app_id, app_name, at, issuer, rows, .. } = Checks::sample(Lang::En);
        Self { app_id, app_name, at, issuer, rows }
    }

    fn count(&self, status: &str) -> usize {
        self.rows.iter().filter(|row| row.status.as_str() == status).count()
    }

    /// JUnit's schema has moments without a zone.
    fn timestamp(&self) -> &str {
        self.at.trim_end_matches('Z')
    }

    fn text(&self, row: &CheckRow) -> CheckText {
        Lang::En.check(row.check)
    }

    fn failure(&self, row: &CheckRow) -> Option<String> {
        row.failure(Lang::En)
    }

    /// Text that XML can hold (XML 1.0 section 2.2): an escape cannot stand for a control character.
    fn xml(&self, text: &str) -> String {
        let is_char =
            |c: &char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
        text.chars().filter(is_char).collect()
    }
}
