//! What a partner puts on a page so that it has the sign-in button, in three forms of the same.

use askama::Template;

use crate::domain::button::{Size, Theme};
use crate::views::handover::script_json;
use crate::views::messages::{Lang, Messages};

/// What the snippets are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    pub lang: Lang,
    /// The public base URL, without a slash at its end.
    pub issuer: String,
    pub button_id: String,
    pub theme: Theme,
    pub size: Size,
}

/// The three, rendered: shown as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippets {
    pub html: String,
    pub script: String,
    pub react: String,
}

/// A whole page.
#[derive(Template)]
#[template(path = "snippet.html")]
struct HtmlPage<'a> {
    snippet: &'a Snippet,
}

/// A script that makes all of it.
#[derive(Template)]
#[template(path = "snippet.js", escape = "none")]
struct PlainScript<'a> {
    snippet: &'a Snippet,
}

/// A component.
#[derive(Template)]
#[template(path = "snippet.jsx", escape = "none")]
struct ReactComponent<'a> {
    snippet: &'a Snippet,
}

impl Snippet {
    /// As a seed makes buttons: with the usual look.
    #[must_use]
    pub fn new(lang: Lang, issuer: impl Into<String>, button_id: impl Into<String>) -> Self {
        let (theme, size) = (Theme::default(), Size::default());
        Self { lang, issuer: issuer.into(), button_id: button_id.into(), theme, size }
    }

    /// The page that is pasted into an empty file.
    pub fn html(&self) -> askama::Result<String> {
        HtmlPage { snippet: self }.render()
    }

    pub fn all(&self) -> askama::Result<Snippets> {
        let script = PlainScript { snippet: self }.render()?;
        let react = ReactComponent { snippet: self }.render()?;
        Ok(Snippets { html: self.html()?, script, react })
    }

    fn text(&self) -> &'static Messages {
        self.lang.messages()
    }

    /// What differs from the usual look, as attributes.
    fn attributes(&self) -> Vec<(&'static str, &'static str)> {
        let theme = (self.theme != Theme::default()).then(|| ("data-theme", self.theme.as_str()));
        let size = (self.size != Size::default()).then(|| ("data-size", self.size.as_str()));
        theme.into_iter().chain(size).collect()
    }

    fn issuer_json(&self) -> String {
        script_json(&self.issuer)
    }

    fn button_json(&self) -> String {
        script_json(&self.button_id)
    }

    fn label_json(&self) -> String {
        script_json(&self.text().try_it.sign_in.action)
    }
}

impl Snippets {
    pub(super) fn sample(lang: Lang) -> Self {
        let text = |what: &str| format!("// {what} in {}", lang.tag());
        Self { html: text("html"), script: text("script"), react: text("react") }
    }
}
