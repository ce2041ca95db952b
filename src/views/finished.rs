//! The last page of the dialog, seen for a moment before the window closes by itself.

use askama::Template;

use super::handover::{DialogResult, Handover};
use super::messages::Lang;
use super::page::Page;

/// How the dialog ended, in words for the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Consent was given now, or earlier.
    Allowed,
    /// The user pressed Cancel.
    Denied,
}

/// The hand-over page. Its work is done by `dialog.js` with the [`Handover`].
#[derive(Debug, Clone, Template)]
#[template(path = "finished.html")]
pub struct Finished {
    pub page: Page,
    /// `Some` with a result in it; an `Option` only so that all dialog pages look alike.
    pub handover: Option<Handover>,
    pub outcome: Outcome,
    pub app_name: String,
}

impl Finished {
    /// Consent was given.
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        Self {
            page: Page::sample(lang),
            handover: Some(Handover {
                result: Some(DialogResult::Code {
                    iss: "http://localhost:8080".to_owned(),
                    code: "lgc_sample".to_owned(),
                }),
                ..Handover::sample()
            }),
            outcome: Outcome::Allowed,
            app_name: "Rate Finder".to_owned(),
        }
    }
}
