//! The end of a dialog that the application's own server refused: its words, and the way back.

use askama::Template;

use super::handover::Handover;
use super::hidden::HiddenField;
use super::messages::Lang;
use super::page::Page;

/// How the user goes back to who asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WayBack {
    /// `dialog.js` hands the result over when the button is pressed.
    Script,
    /// To a redirect URI that was verified.
    Link(String),
    /// The same, by a form (OAuth 2.0 Form Post Response Mode).
    Form { action: String, fields: Vec<HiddenField> },
    /// A device learns of it by itself.
    None,
}

#[derive(Debug, Clone, Template)]
#[template(path = "refused.html")]
pub struct Refused {
    pub page: Page,
    /// `Some` with a result in it for a button.
    pub handover: Option<Handover>,
    pub app_name: String,
    /// The application's words, plain text of its own language; `None`: it gave none.
    pub message: Option<String>,
    pub way_back: WayBack,
}

impl Refused {
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        Self {
            page: Page::sample(lang),
            handover: None,
            app_name: "Rate Finder".to_owned(),
            message: Some("Your trial is over. Choose a plan at ratefinder.example first.".to_owned()),
            way_back: WayBack::Link("http://localhost:9001/callback?error=access_denied".to_owned()),
        }
    }
}
