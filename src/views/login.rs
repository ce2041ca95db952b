//! The sign-in form: a step of the dialog, and what a page that is for somebody shows to somebody unknown.

use askama::Template;

use super::handover::Handover;
use super::messages::Lang;
use super::page::Page;

/// Why the form is shown again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginError {
    /// Unknown address or wrong password: one text for both, so that addresses cannot be probed.
    BadCredentials,
    /// The address was left empty.
    EmailMissing,
    /// The password was left empty.
    PasswordMissing,
    /// Too many attempts; seconds until the next one is looked at.
    TooManyAttempts { retry_after_seconds: u64 },
    /// Too many passwords wait to be looked at; seconds until there may be room again.
    Busy { retry_after_seconds: u64 },
    /// The form's token is not of this session: the page was old, or cookies are off.
    FormOutdated,
}

/// A seeded user who can be chosen with one click in the sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxUser {
    pub email: String,
    pub name: String,
    /// What is special about this user; see [`SandboxUser::magic_note`].
    pub note: Option<String>,
}

impl SandboxUser {
    /// The catalogue's line for one of the demonstration's magic users, told by the local part of the address.
    #[must_use]
    pub fn magic_note(lang: Lang, email: &str) -> Option<&'static str> {
        let magic = &lang.messages().magic;
        match email.split_once('@')?.0 {
            "deny" => Some(magic.deny),
            "slow5s" => Some(magic.slow5s),
            "revoked-in-10s" => Some(magic.revoked_in_10s),
            "expired" => Some(magic.expired),
            _ => None,
        }
    }
}

/// The sign-in form. Fields on the wire: `csrf`, `next`, `email`, `password`; or `csrf`, `next`, `continue_as`.
#[derive(Debug, Clone, Template)]
#[template(path = "login.html")]
pub struct Login {
    pub page: Page,
    /// `None` outside the dialog.
    pub handover: Option<Handover>,
    /// Where the form posts to.
    pub action: String,
    pub csrf: String,
    /// The application that the user signs in for; `None` outside the dialog.
    pub app_name: Option<String>,
    /// The page of ours that the form leads back to, where that is not the account page; posted as `next`.
    pub next: Option<String>,
    /// Where somebody without a login signs up; `None` where nobody can, and in the dialog.
    pub sign_up: Option<String>,
    /// What was typed before, or a hint.
    pub email: String,
    pub error: Option<LoginError>,
    /// Empty in production mode.
    pub users: Vec<SandboxUser>,
}

impl Login {
    /// A second try in the dialog of the sandbox.
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        let user = |email: &str, name: &str| SandboxUser {
            note: SandboxUser::magic_note(lang, email).map(str::to_owned),
            email: email.to_owned(),
            name: name.to_owned(),
        };
        Self {
            page: Page::sample(lang),
            handover: Some(Handover::sample()),
            action: "/dialog/fl_2v9q/login".to_owned(),
            csrf: "b3n1q7".to_owned(),
            app_name: Some("Rate Finder".to_owned()),
            next: None,
            sign_up: None,
            email: "ada@acme.test".to_owned(),
            error: Some(LoginError::BadCredentials),
            users: vec![
                user("ada@acme.test", "Ada Buyer"),
                user("grace@acme.test", "Grace Seller"),
                user("deny@acme.test", "Dora Deny"),
                user("slow5s@acme.test", "Sam Slow"),
                user("revoked-in-10s@acme.test", "Rita Revoked"),
                user("expired@acme.test", "Ed Expired"),
            ],
        }
    }

    fn email_error(&self) -> Option<String> {
        let text = self.page.text();
        (self.error? == LoginError::EmailMissing).then(|| text.login.email_missing.to_owned())
    }

    fn password_error(&self) -> Option<String> {
        let text = self.page.text();
        match self.error? {
            LoginError::BadCredentials => Some(text.login.bad_credentials.to_owned()),
            LoginError::PasswordMissing => Some(text.login.password_missing.to_owned()),
            _ => None,
        }
    }

    fn form_error(&self) -> Option<String> {
        let text = self.page.text();
        match self.error? {
            LoginError::TooManyAttempts { retry_after_seconds } => {
                Some(text.login.too_many_attempts.with(&retry_after_seconds.to_string()))
            }
            LoginError::Busy { retry_after_seconds } => Some(text.login.busy.with(&retry_after_seconds.to_string())),
            LoginError::FormOutdated => Some(text.login.form_outdated.to_owned()),
            _ => None,
        }
    }

    /// The field to type in next: the password once the address is there.
    fn focus_password(&self) -> bool {
        !self.email.is_empty() && self.error != Some(LoginError::EmailMissing)
    }
}
