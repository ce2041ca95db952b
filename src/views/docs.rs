//! The documentation: one of its pages, and what a search finds.

use std::fmt;
use std::sync::Arc;

use askama::Template;
use askama::filters::HtmlSafe;

use super::messages::Lang;
use super::page::Page;

/// A page of the documentation. Its text is in English.
#[derive(Debug, Clone, Template)]
#[template(path = "docs.html")]
pub struct Docs {
    pub page: Page,
    /// The end of its address; the index has none.
    pub name: String,
    pub title: String,
    pub html: Markup,
    pub groups: Arc<[DocsGroup]>,
    pub contents: Vec<DocsEntry>,
    pub before: Option<DocsLink>,
    pub after: Option<DocsLink>,
    /// Whether there are sign-in buttons on it that work.
    pub has_preview: bool,
}

/// What a search found.
#[derive(Debug, Clone, Template)]
#[template(path = "docs_search.html")]
pub struct DocsSearch {
    pub page: Page,
    pub asked: String,
    pub groups: Arc<[DocsGroup]>,
    pub hits: Vec<DocsHit>,
}

/// HTML that was written by ourselves, and goes out as it is.
#[derive(Clone, Default)]
pub struct Markup(String);

/// Pages that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DocsGroup {
    pub title: String,
    pub links: Vec<DocsLink>,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocsLink {
    pub name: String,
    pub title: String,
}

/// A heading of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocsEntry {
    /// Whether it is below the one before it.
    pub is_sub: bool,
    pub id: String,
    pub text: String,
}

/// A section that has what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocsHit {
    pub name: String,
    /// Empty for what stands before the first heading.
    pub anchor: String,
    pub page_title: String,
    pub title: String,
    pub excerpt: String,
}

impl Markup {
    /// Only for HTML that was made of our own files, with everything else in it escaped.
    pub const fn of_ours(html: String) -> Self {
        Self(html)
    }
}

impl fmt::Display for Markup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Markup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Markup({} bytes)", self.0.len())
    }
}

impl HtmlSafe for Markup {}

impl DocsHit {
    /// Below the documentation's address.
    fn address(&self) -> String {
        let slash = if self.name.is_empty() { "" } else { "/" };
        let hash = if self.anchor.is_empty() { "" } else { "#" };
        format!("/docs{slash}{}{hash}{}", self.name, self.anchor)
    }
}

fn sample_groups() -> Arc<[DocsGroup]> {
    let link = |name: &str, title: &str| DocsLink { name: name.to_owned(), title: title.to_owned() };
    let links = vec![link("quick-start", "Quick start"), link("sign-in-button", "The sign-in button")];
    Arc::new([DocsGroup { title: "Start".to_owned(), links }])
}

impl Docs {
    fn is_at(&self, name: &str) -> bool {
        self.name == name
    }

    /// A page with a heading and a button.
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        let html =
            "<h1 id=\"quick-start\">Quick start</h1>\n<h2 id=\"the-first-minute\">The first minute</h2>\n<p>…</p>\n";
        let entry = DocsEntry { is_sub: false, id: "the-first-minute".to_owned(), text: "The first minute".to_owned() };
        Self {
            page: Page::sample(lang),
            name: "quick-start".to_owned(),
            title: "Quick start".to_owned(),
            html: Markup::of_ours(html.to_owned()),
            groups: sample_groups(),
            contents: vec![entry],
            before: None,
            after: Some(DocsLink { name: "sign-in-button".to_owned(), title: "The sign-in button".to_owned() }),
            has_preview: true,
        }
    }
}

impl DocsSearch {
    /// No page of the list is this one.
    const fn is_at(&self, _: &str) -> bool {
        false
    }

    /// One hit.
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        let hit = DocsHit {
            name: "quick-start".to_owned(),
            anchor: "the-first-minute".to_owned(),
            page_title: "Quick start".to_owned(),
            title: "The first minute".to_owned(),
            excerpt: "Click the button, and look at what your page gets.".to_owned(),
        };
        Self { page: Page::sample(lang), asked: "minute".to_owned(), groups: sample_groups(), hits: vec![hit] }
    }
}
