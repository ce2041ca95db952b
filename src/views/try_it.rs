//! The start page in sandbox mode: the sign-in button itself, and each step after it as a live call.

use askama::Template;
use serde::Serialize;

use super::console::Snippet;
use super::handover::script_json;
use super::login::SandboxUser;
use super::messages::{Lang, TryItScript};
use super::page::Page;
use crate::domain::button::{Size, Theme};

/// A user of the demonstration, with the password: seeded ones are no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoUser {
    pub name: String,
    pub email: String,
    /// `None` where only a hash was seeded.
    pub password: Option<String>,
    /// What is special about this user; see [`SandboxUser::magic_note`].
    pub note: Option<String>,
}

/// A button that may be used on the issuer's own origin, and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demo {
    pub app_name: String,
    pub app_id: String,
    pub button_id: String,
    /// The origins that the button is listed for.
    pub origins: Vec<String>,
    pub theme: Theme,
    pub size: Size,
    pub users: Vec<DemoUser>,
}

/// The "Try it" page.
#[derive(Debug, Clone, Template)]
#[template(path = "try_it.html")]
pub struct TryIt {
    pub page: Page,
    /// The public base URL, without a trailing slash.
    pub issuer: String,
    /// `None` where no button is listed for the issuer's own origin: the page then says what to seed.
    pub demo: Option<Demo>,
}

#[derive(Serialize)]
struct ScriptConfig<'a> {
    issuer: &'a str,
    origin: &'a str,
    #[serde(rename = "appId")]
    app_id: &'a str,
    text: &'a TryItScript,
}

impl TryIt {
    /// The demonstration at its default address.
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        let user = |name: &str, email: &str| DemoUser {
            name: name.to_owned(),
            note: SandboxUser::magic_note(lang, email).map(str::to_owned),
            email: email.to_owned(),
            password: Some("correct horse battery".to_owned()),
        };
        Self {
            page: Page::sample(lang),
            issuer: "http://localhost:8080".to_owned(),
            demo: Some(Demo {
                app_name: "Demo Partner".to_owned(),
                app_id: "0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001".to_owned(),
                button_id: "btn-demo".to_owned(),
                origins: [
                    "http://localhost:8080",
                    "http://localhost:3000",
                    "http://localhost:5173",
                    "http://localhost:8000",
                ]
                .map(str::to_owned)
                .to_vec(),
                theme: Theme::default(),
                size: Size::default(),
                users: vec![
                    user("Ada Buyer", "ada@acme.test"),
                    user("Grace Seller", "grace@acme.test"),
                    user("Dora Deny", "deny@acme.test"),
                    user("Sam Slow", "slow5s@acme.test"),
                    user("Rita Revoked", "revoked-in-10s@acme.test"),
                    user("Ed Expired", "expired@acme.test"),
                ],
            }),
        }
    }

    /// The issuer without its path: what a button's list of origins has to name.
    fn origin(&self) -> &str {
        let authority = self.issuer.find("://").map_or(0, |at| at + 3);
        let end = self.issuer[authority..].find('/');
        end.map_or(&self.issuer, |end| &self.issuer[..authority + end])
    }

    fn issuer_json(&self) -> String {
        script_json(&self.issuer)
    }

    fn config_json(&self, demo: &Demo) -> String {
        script_json(&ScriptConfig {
            issuer: &self.issuer,
            origin: self.origin(),
            app_id: &demo.app_id,
            text: &self.page.text().try_it.script,
        })
    }

    fn snippet(&self, demo: &Demo) -> askama::Result<String> {
        let look = Snippet::new(self.page.lang, &self.issuer, &demo.button_id);
        Snippet { theme: demo.theme, size: demo.size, ..look }.html()
    }
}
