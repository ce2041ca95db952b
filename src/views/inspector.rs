//! The inspector: the frame that its script fills, and the page that asks for the sandbox token.

use askama::Template;
use serde::Serialize;

use super::handover::script_json;
use super::messages::{InspectorScript, Lang, OutcomeTexts};
use super::page::Page;

/// The inspector. What it shows comes from the control plane.
#[derive(Debug, Clone, Template)]
#[template(path = "inspector.html")]
pub struct Inspector {
    pub page: Page,
}

#[derive(Serialize)]
struct ScriptConfig<'a> {
    base: &'a str,
    outcomes: &'a OutcomeTexts,
    text: &'a InspectorScript,
}

impl Inspector {
    /// As everybody sees it.
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        Self { page: Page::sample(lang) }
    }

    fn config_json(&self) -> String {
        let text = &self.page.text().inspector;
        script_json(&ScriptConfig { base: &self.page.base, outcomes: &text.outcomes, text: &text.script })
    }
}

/// Why the inspector was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InspectorSignInError {
    WrongToken,
    TooManyAttempts { retry_after_seconds: u64 },
}

/// The way in for who is not at the server's own machine. Field on the wire: `token`.
#[derive(Debug, Clone, Template)]
#[template(path = "inspector_sign_in.html")]
pub struct InspectorSignIn {
    pub page: Page,
    /// Where the form posts to.
    pub action: String,
    /// The inspector's address, where this is another one; nothing can be opened here then.
    pub elsewhere: Option<String>,
    pub error: Option<InspectorSignInError>,
}

impl InspectorSignIn {
    /// The first visit.
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        Self { page: Page::sample(lang), action: "/inspector/session".to_owned(), elsewhere: None, error: None }
    }

    fn error_text(&self) -> Option<String> {
        let text = &self.page.text().inspector.sign_in;
        Some(match self.error? {
            InspectorSignInError::WrongToken => text.wrong.to_owned(),
            InspectorSignInError::TooManyAttempts { retry_after_seconds } => {
                text.too_many_attempts.with(&retry_after_seconds.to_string())
            }
        })
    }
}
