//! What the button doctor can say of a partner's page: what keeps the button from working there, and what it saw work.
//! A code is fixed: it stands in consoles, in the journal and in links to its explanation.

/// One thing that the doctor found. The first ones are problems, the last ones facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Finding {
    /// Nothing carries `data-btnid` after the page has loaded.
    NoButton,
    /// A `data-btnid` without a value.
    EmptyButtonId,
    UnknownButton,
    OriginNotListed,
    /// A page that has no origin: from a file, or in a sandboxed frame.
    OpaqueOrigin,
    /// An http page that is not on this machine.
    InsecurePage,
    /// In a frame there is no automatic sign-in.
    Framed,
    ScriptTwice,
    /// Another copy, which the doctor did not come with, was there first.
    ScriptShadowed,
    /// From another address than the issuer's, whose answers it will not accept.
    ScriptHost,
    /// Without a script element that could tell where the server is.
    ScriptDetached,
    StylesheetMissing,
    CspConnect,
    CspScript,
    CspStyle,
    /// `Cross-Origin-Opener-Policy` cut the tie to the pop-up.
    OpenerSevered,
    /// And there was no other way to sign in.
    PopupBlocked,
    /// And the whole page went to the dialog instead.
    PopupRedirected,
    ReturnNotRegistered,
    NoCallback,
    CallbackNotFunction,
    CallbackThrew,
    /// The disconnect address was called with an event in place of the token: the server sees this, not the page.
    DisconnectEvent,
    /// The server did not answer: told in the console only, for the same reason.
    ServerUnreachable,
    ButtonFound,
    StylesheetLoaded,
    CallbackFound,
    /// The callback returned after a sign-in …
    CallbackValid,
    /// … after the user denied …
    CallbackDenied,
    /// … after any other error.
    CallbackFailed,
}

impl Finding {
    pub const ALL: [Self; 30] = [
        Self::NoButton,
        Self::EmptyButtonId,
        Self::UnknownButton,
        Self::OriginNotListed,
        Self::OpaqueOrigin,
        Self::InsecurePage,
        Self::Framed,
        Self::ScriptTwice,
        Self::ScriptShadowed,
        Self::ScriptHost,
        Self::ScriptDetached,
        Self::StylesheetMissing,
        Self::CspConnect,
        Self::CspScript,
        Self::CspStyle,
        Self::OpenerSevered,
        Self::PopupBlocked,
        Self::PopupRedirected,
        Self::ReturnNotRegistered,
        Self::NoCallback,
        Self::CallbackNotFunction,
        Self::CallbackThrew,
        Self::DisconnectEvent,
        Self::ServerUnreachable,
        Self::ButtonFound,
        Self::StylesheetLoaded,
        Self::CallbackFound,
        Self::CallbackValid,
        Self::CallbackDenied,
        Self::CallbackFailed,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoButton => "no_button",
            Self::EmptyButtonId => "empty_button_id",
            Self::UnknownButton => "unknown_button",
            Self::OriginNotListed => "origin_not_listed",
            Self::OpaqueOrigin => "opaque_origin",
            Self::InsecurePage => "insecure_page",
            Self::Framed => "framed",
            Self::ScriptTwice => "script_twice",
            Self::ScriptShadowed => "script_shadowed",
            Self::ScriptHost => "script_host",
            Self::ScriptDetached => "script_detached",
            Self::StylesheetMissing => "stylesheet_missing",
            Self::CspConnect => "csp_connect",
            Self::CspScript => "csp_script",
            Self::CspStyle => "csp_style",
            Self::OpenerSevered => "opener_severed",
            Self::PopupBlocked => "popup_blocked",
            Self::PopupRedirected => "popup_redirected",
            Self::ReturnNotRegistered => "return_not_registered",
            Self::NoCallback => "no_callback",
            Self::CallbackNotFunction => "callback_not_function",
            Self::CallbackThrew => "callback_threw",
            Self::DisconnectEvent => "disconnect_event",
            Self::ServerUnreachable => "server_unreachable",
            Self::ButtonFound => "button_found",
            Self::StylesheetLoaded => "stylesheet_loaded",
            Self::CallbackFound => "callback_found",
            Self::CallbackValid => "callback_valid",
            Self::CallbackDenied => "callback_denied",
            Self::CallbackFailed => "callback_failed",
        }
    }

    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|finding| finding.as_str() == code)
    }

    /// Whether it is nothing to mend.
    pub const fn is_fact(self) -> bool {
        matches!(
            self,
            Self::ButtonFound
                | Self::StylesheetLoaded
                | Self::CallbackFound
                | Self::CallbackValid
                | Self::CallbackDenied
                | Self::CallbackFailed
        )
    }

    /// All that need an explanation.
    pub fn problems() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|finding| !finding.is_fact())
    }

    /// Whether a page can have found it; the others are the server's own, or nobody could be told.
    pub const fn is_of_a_page(self) -> bool {
        !matches!(self, Self::DisconnectEvent | Self::ServerUnreachable)
    }

    /// The rule that it is filed under in the journal.
    pub fn rule(self) -> String {
        format!("{RULES}{}", self.as_str())
    }

    /// Of a journal's rule; `None` where another part of the server filed it.
    pub fn of_rule(rule: &str) -> Option<Self> {
        rule.strip_prefix(RULES).and_then(Self::parse)
    }
}

/// What all the doctor's rules begin with.
const RULES: &str = "doctor.";

/// Longest piece of a detail that is shown; longer ones may be tokens.
pub const MAX_WORD: usize = 19;

/// A text without the words that may be secrets: those of letters and digits, and those of more than `longest` characters.
pub fn masked(text: &str, longest: usize) -> String {
    let is_token = |c: char| c.is_alphanumeric() || "._~+=-".contains(c);
    let mut shown = String::with_capacity(text.len());
    let mut word = String::new();
    for c in text.chars().chain(['\0']) {
        if is_token(c) {
            word.push(c);
            continue;
        }
        let is_mixed = word.chars().any(char::is_numeric) && word.chars().any(char::is_alphabetic);
        let is_plain = word.chars().count() <= longest && !is_mixed;
        shown.push_str(if is_plain { &word } else { "…" });
        word.clear();
        shown.push(c);
    }
    shown.pop();
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_one_meaning() {
        for finding in Finding::ALL {
            assert_eq!(Finding::parse(finding.as_str()), Some(finding));
            assert_eq!(Finding::of_rule(&finding.rule()), Some(finding));
        }
        assert_eq!(Finding::parse("NO_BUTTON"), None);
        assert_eq!(Finding::of_rule("refresh.no_button"), None);
        assert_eq!(Finding::problems().count(), 24);
    }

    #[test]
    fn what_may_be_a_token_is_not_shown() {
        for (text, shown) in [
            ("Cannot read lgr_AQIDBAUGBwgJCgsMDQ4PEA of null", "Cannot read … of null"),
            ("refreshToken is null", "refreshToken is null"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("{\"a\":\"eyJhbGciOiJFUzI1NiJ9.e30.x\"}", "{\"a\":\"…\"}"),
            ("", ""),
        ] {
            assert_eq!(masked(text, MAX_WORD), shown);
        }
    }
}
