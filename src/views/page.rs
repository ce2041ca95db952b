//! What every page needs: its language, the nonce of its policy, where links start, and the mode.

use super::messages::{Lang, Messages};
use crate::domain::role::Role;

/// The frame of a page. Built once for each response by the web layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The language of the texts and of the `lang` attribute.
    pub lang: Lang,
    /// The nonce of this response's `Content-Security-Policy`; every script element carries it.
    pub nonce: String,
    /// The path that links start with: empty, or the issuer's path without a trailing slash.
    pub base: String,
    /// Whether to mark the page as a sandbox, so that nobody takes it for the real thing.
    pub sandbox: bool,
    /// What the header leads to, besides what everybody may see.
    pub nav: Nav,
}

/// Entries of the header that are not for everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Nav {
    pub console: bool,
    pub admin: bool,
}

impl Nav {
    /// Where nobody is known to be signed in. A sandbox lets anybody become a partner.
    #[must_use]
    pub const fn of_nobody(sandbox: bool) -> Self {
        Self { console: sandbox, admin: false }
    }

    #[must_use]
    pub const fn of(role: Role, sandbox: bool) -> Self {
        match role {
            Role::Member => Self::of_nobody(sandbox),
            Role::Partner => Self { console: true, admin: false },
            Role::Admin => Self { console: true, admin: true },
        }
    }
}

impl Page {
    /// A page of the sandbox at the root of the origin.
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        Self {
            lang,
            nonce: "c2FtcGxlLW5vbmNl".to_owned(),
            base: String::new(),
            sandbox: true,
            nav: Nav::of_nobody(true),
        }
    }

    /// The page as a user with this role sees it.
    #[must_use]
    pub fn for_role(mut self, role: Role) -> Self {
        self.nav = Nav::of(role, self.sandbox);
        self
    }

    /// The catalogue in the page's language.
    #[must_use]
    pub fn text(&self) -> &'static Messages {
        self.lang.messages()
    }

    /// A timestamp as people read it: `2026-11-22T10:15:30Z` becomes `2026-11-22 10:15 UTC`.
    ///
    /// Anything but an RFC 3339 time in UTC is handed back as it came: better plain than wrong.
    #[must_use]
    pub fn readable_time(&self, rfc3339: &str) -> String {
        let readable = || {
            let (date, time) = rfc3339.strip_suffix('Z')?.split_once('T')?;
            let minutes = time.get(..5)?;
            Some(format!("{date} {minutes} UTC"))
        };
        readable().unwrap_or_else(|| rfc3339.to_owned())
    }
}
