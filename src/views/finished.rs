//! The last page of the dialog: for a button seen for a moment before the window closes by itself, for a device
//! the end of what there is to do in the browser.

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

/// The end of the dialog. For a button its work is done by `dialog.js` with the [`Handover`]; a device fetches its
/// tokens itself (RFC 8628, section 3.4).
#[derive(Debug, Clone, Template)]
#[template(path = "finished.html")]
pub struct Finished {
    pub page: Page,
    /// `Some` with a result in it for a button, `None` for a device.
    pub handover: Option<Handover>,
    pub outcome: Outcome,
    pub app_name: String,
}

impl Finished {
    /// Consent was given to a button's application.
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

    /// Consent was given to a device.
    #[must_use]
    pub fn sample_for_device(lang: Lang) -> Self {
        Self { handover: None, app_name: "Lead Wall".to_owned(), ..Self::sample(lang) }
    }

    fn title(&self) -> &'static str {
        let text = &self.page.text().finished;
        match (&self.handover, self.outcome) {
            (Some(_), _) => text.close_window,
            (None, Outcome::Allowed) => text.back_to_device,
            (None, Outcome::Denied) => text.not_given,
        }
    }
}
