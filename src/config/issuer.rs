//! The issuer: the public base URL of this server, and its identifier in OAuth (RFC 8414 section 2).

use std::fmt;
use std::str::FromStr;

use url::Url;

use crate::domain::origin::{Origin, is_loopback};

/// An http or https URL without credentials, query, fragment and trailing slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    url: Url,
    text: String,
}

/// What an issuer looks like; shown when one is refused.
pub const EXPECTED: &str = "a public base URL such as `https://auth.example.com` or `http://localhost:8080`";

/// Why a text cannot be an issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    #[error("found what is not an absolute URL")]
    NotAbsolute,
    #[error("found a URL whose scheme is neither https nor http")]
    Scheme,
    #[error("found a URL with a user name or password in it")]
    Credentials,
    #[error("found a URL with a query")]
    Query,
    #[error("found a URL with a fragment")]
    Fragment,
    #[error("found a URL whose path has other characters than A-Z a-z 0-9 - . _ ~ between single slashes")]
    Path,
}

impl FromStr for Issuer {
    type Err = IssuerError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|_| IssuerError::NotAbsolute)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(IssuerError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(IssuerError::Credentials);
        }
        if url.query().is_some() {
            return Err(IssuerError::Query);
        }
        if url.fragment().is_some() {
            return Err(IssuerError::Fragment);
        }
        let text = url.as_str().trim_end_matches('/').to_owned();
        let plain = |segment: &str| {
            !segment.is_empty()
                && segment.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'))
        };
        let path = url.path().trim_end_matches('/');
        if !path.is_empty() && !path[1..].split('/').all(plain) {
            return Err(IssuerError::Path);
        }
        Ok(Self { url, text })
    }
}

impl Issuer {
    /// The issuer of a server that only this machine can reach.
    #[must_use]
    pub fn localhost(port: u16) -> Self {
        format!("http://localhost:{port}").parse().expect("a host and a port make a valid issuer")
    }

    /// The identifier, without a trailing slash; a path is appended to it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The origin of this server's own pages.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin::of(&self.url).expect("an issuer's scheme was checked to be http or https")
    }

    /// What stands before every path of this server: empty, or such as `/auth`.
    #[must_use]
    pub fn base_path(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }

    #[must_use]
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether its host can only be this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailing_slash_goes_and_a_path_stays() {
        for (text, issuer, base) in [
            ("http://localhost:8080/", "http://localhost:8080", ""),
            ("https://Auth.Example.com", "https://auth.example.com", ""),
            ("https://example.com/auth/", "https://example.com/auth", "/auth"),
        ] {
            let parsed: Issuer = text.parse().unwrap();
            assert_eq!((parsed.as_str(), parsed.base_path()), (issuer, base));
        }
    }

    /// A1: nor may it have a query or a fragment.
    #[test]
    fn what_could_not_be_a_base_url_is_refused() {
        for (text, error) in [
            ("localhost", IssuerError::NotAbsolute),
            ("localhost:8080", IssuerError::Scheme),
            ("ftp://a.test", IssuerError::Scheme),
            ("https://u:p@a.test", IssuerError::Credentials),
            ("https://a.test?x", IssuerError::Query),
            ("https://a.test#x", IssuerError::Fragment),
        ] {
            assert_eq!(text.parse::<Issuer>(), Err(error), "{text}");
        }
    }
}
