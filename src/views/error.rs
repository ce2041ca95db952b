//! A refusal or a failure that a person sees: what was wrong, what to do, and what to quote.

use askama::Template;

use super::messages::Lang;
use super::page::Page;

/// The kinds of trouble that have a page. Each has a status and, in every language, a title, a cause and
/// a remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// No button with that id, or it is switched off.
    InvalidButton,
    /// The partner page's origin is not listed for the button.
    OriginNotAllowed,
    /// The partner page's address is no registered return address.
    ReturnNotRegistered,
    /// No application with that `client_id`, or it is switched off (RFC 6749, section 4.1.2.1).
    InvalidClient,
    /// The `redirect_uri` is not one of the application's, so nothing can be sent there (RFC 6749, section 3.1.2.4).
    RedirectUriMismatch,
    /// A pushed request is unknown, used or too old (RFC 9126, section 4).
    RequestUriInvalid,
    /// The `post_logout_redirect_uri` is not one of the application's (OpenID Connect RP-Initiated Logout 1.0).
    LogoutRedirect,
    /// A parameter is missing, repeated or malformed.
    InvalidRequest,
    /// The flow is unknown, used up or too old.
    FlowExpired,
    /// The flow was begun by another browser, or this one keeps no cookies.
    FlowOfAnotherBrowser,
    /// A form without the token of this session, or posted from another site.
    FormOutdated,
    /// No such page.
    NotFound,
    /// The namespace that the address names is unknown or over.
    NamespaceOver,
    /// The address exists, for another method.
    MethodNotAllowed,
    /// The body is larger than the limit.
    TooLarge,
    /// The body did not arrive in time.
    TooSlow,
    /// The body is of a type that is not read here.
    UnsupportedMediaType,
    /// A rate limit.
    TooManyRequests,
    /// A failure of ours.
    Internal,
    /// The database does not answer.
    Unavailable,
}

impl Problem {
    /// All of them, for tests and documentation.
    pub const ALL: [Self; 20] = [
        Self::InvalidButton,
        Self::OriginNotAllowed,
        Self::ReturnNotRegistered,
        Self::InvalidClient,
        Self::RedirectUriMismatch,
        Self::RequestUriInvalid,
        Self::LogoutRedirect,
        Self::InvalidRequest,
        Self::FlowExpired,
        Self::FlowOfAnotherBrowser,
        Self::FormOutdated,
        Self::NotFound,
        Self::NamespaceOver,
        Self::MethodNotAllowed,
        Self::TooLarge,
        Self::TooSlow,
        Self::UnsupportedMediaType,
        Self::TooManyRequests,
        Self::Internal,
        Self::Unavailable,
    ];

    /// The status that the page is meant to be sent with.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidButton
            | Self::ReturnNotRegistered
            | Self::InvalidClient
            | Self::RedirectUriMismatch
            | Self::RequestUriInvalid
            | Self::LogoutRedirect
            | Self::InvalidRequest => 400,
            Self::OriginNotAllowed | Self::FlowOfAnotherBrowser | Self::FormOutdated => 403,
            Self::NotFound | Self::NamespaceOver => 404,
            Self::MethodNotAllowed => 405,
            Self::TooSlow => 408,
            Self::FlowExpired => 410,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::TooManyRequests => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }
}

/// An error page. It shows nothing of the request but what is put into `detail`.
#[derive(Debug, Clone, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    pub page: Page,
    pub status: u16,
    pub title: String,
    /// What was wrong.
    pub what: String,
    /// What the reader can do now.
    pub remedy: String,
    /// For developers: the exact input that was refused and its nearest match.
    pub detail: Option<String>,
    /// The request's id, to be found in the log.
    pub reference: Option<String>,
    /// Whether to offer a link to the start page: yes for ordinary pages, no in the dialog.
    pub link_home: bool,
}

impl ErrorPage {
    /// The page for a problem, in the page's language. The link to the start page is set for a missing page.
    #[must_use]
    pub fn new(page: Page, problem: Problem) -> Self {
        let text = page.lang.problem(problem);
        Self {
            page,
            status: problem.status(),
            title: text.title.to_owned(),
            what: text.what.to_owned(),
            remedy: text.remedy.to_owned(),
            detail: None,
            reference: None,
            link_home: matches!(problem, Problem::NotFound | Problem::NamespaceOver),
        }
    }

    /// The same page with a line for developers.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same page with the request's id.
    #[must_use]
    pub fn with_reference(mut self, reference: impl Into<String>) -> Self {
        self.reference = Some(reference.into());
        self
    }

    /// A page that is not listed for its button.
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        Self::new(Page::sample(lang), Problem::OriginNotAllowed)
            .with_detail("http://localhost:9002 ≠ http://localhost:9001")
            .with_reference("req_01JD8Z5M3V7Q")
    }
}
