//! Whom consent hands the result to, in words that a user can check.

use url::Url;

/// Where access goes once the user has allowed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReturnsTo {
    /// A web page, by its origin: `https://app.example`.
    Origin(String),
    /// An application of this computer or phone, by its private-use URI scheme (RFC 8252, section 7.1):
    /// `com.example.app`.
    Scheme(String),
    /// A device that shows this code (RFC 8628).
    Device { user_code: String },
}

impl ReturnsTo {
    /// What a registered redirect URI shows of itself: its origin, or its scheme where it has no host to name.
    ///
    /// A text that is no URI is shown as it is: better odd than hidden.
    #[must_use]
    pub fn of_redirect_uri(redirect_uri: &str) -> Self {
        match Url::parse(redirect_uri) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Self::Origin(url.origin().ascii_serialization()),
            Ok(url) => Self::Scheme(url.scheme().to_owned()),
            Err(_) => Self::Origin(redirect_uri.to_owned()),
        }
    }
}
