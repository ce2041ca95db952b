//! A web origin that a button may be used on (RFC 6454), compared byte for byte.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// Longest origin, in bytes.
pub const MAX_ORIGIN: usize = 300;

/// `scheme://host` or `scheme://host:port`, exactly as a browser sends it in the `Origin` header.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(String);

/// A text that no browser ever sends as an origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}{}", nearest.as_deref().map(|n| format!("; the nearest valid form is {n}")).unwrap_or_default())]
pub struct OriginError {
    pub problem: OriginProblem,
    /// The valid form that was probably meant.
    pub nearest: Option<String>,
}

/// What is wrong with a text that is no origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OriginProblem {
    #[error("an origin is at most {MAX_ORIGIN} characters long")]
    TooLong,
    #[error("an origin names one scheme, host and port: neither `null` nor a wildcard")]
    Wildcard,
    #[error("an origin is written scheme://host or scheme://host:port")]
    NotAbsolute,
    #[error("an origin's scheme is https or http")]
    Scheme,
    #[error("browsers send an origin in lower case, without a path and without a default port")]
    NotNormal,
}

impl Origin {
    /// Accepts only the serialization that browsers send: lower case, no path, no default port.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let refuse = |problem, nearest| Err(OriginError { problem, nearest });
        if text.len() > MAX_ORIGIN {
            return refuse(OriginProblem::TooLong, None);
        }
        if text == "null" || text.contains('*') {
            return refuse(OriginProblem::Wildcard, None);
        }
        let Ok(url) = Url::parse(text) else {
            return refuse(OriginProblem::NotAbsolute, None);
        };
        if !matches!(url.scheme(), "http" | "https") {
            return refuse(OriginProblem::Scheme, None);
        }
        let exact = url.origin().ascii_serialization();
        if exact == text { Ok(Self(exact)) } else { refuse(OriginProblem::NotNormal, Some(exact)) }
    }

    /// The origin of a URL whose scheme is http or https.
    pub fn of(url: &Url) -> Option<Self> {
        matches!(url.scheme(), "http" | "https").then(|| Self(url.origin().ascii_serialization()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Origin {
    type Error = OriginError;
    fn try_from(text: String) -> Result<Self, OriginError> {
        Self::parse(&text)
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> String {
        origin.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a URL's host can only be this machine: `localhost`, `*.localhost`, `127.0.0.0/8`, `[::1]`
/// (wire.md part 0; RFC 6761 section 6.3 for the names).
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_browser_sends_is_an_origin() {
        for good in ["https://a.test", "http://localhost:9001", "http://[::1]:8080", "https://xn--bcher-kva.example"] {
            assert_eq!(Origin::parse(good).map(|o| o.to_string()).as_deref(), Ok(good));
        }
        for (bad, nearest) in [
            ("https://a.test/", Some("https://a.test")),
            ("https://A.test", Some("https://a.test")),
            ("https://a.test:443", Some("https://a.test")),
            ("https://a.test/page?x=1", Some("https://a.test")),
            ("https://bücher.example", Some("https://xn--bcher-kva.example")),
            ("null", None),
            ("https://*.a.test", None),
            ("javascript:alert(1)", None),
            ("a.test", None),
            ("", None),
        ] {
            assert_eq!(Origin::parse(bad).unwrap_err().nearest.as_deref(), nearest, "{bad}");
        }
    }

    #[test]
    fn loopback_is_not_a_suffix_game() {
        for (url, yes) in [
            ("http://localhost:1/", true),
            ("http://auth.localhost/", true),
            ("http://127.9.9.9/", true),
            ("http://[::1]/", true),
            ("http://localhost.evil.test/", false),
            ("http://notlocalhost/", false),
            ("http://10.0.0.1/", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), yes, "{url}");
        }
    }
}
