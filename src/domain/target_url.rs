//! Where the server sends something by itself: the address of a webhook, an action call-back or a delivery.

use std::fmt;

use url::Url;

/// Longest address, in bytes.
pub const MAX_TARGET_URL: usize = 2_000;

/// An absolute http or https URL. Whether the server may call it, is the operator's to say
/// ([`super::allow_list::AllowList`]).
#[derive(Clone, PartialEq, Eq)]
pub struct TargetUrl(Url);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TargetUrlError {
    #[error(
        "a target's address is an absolute http or https URL of at most {MAX_TARGET_URL} bytes, as in https://partner.example/hooks"
    )]
    Form,
    #[error("a target's address has no user name and no password")]
    Credentials,
    #[error("a target's address has no fragment, which would not be sent")]
    Fragment,
}

impl TargetUrl {
    pub fn parse(text: &str) -> Result<Self, TargetUrlError> {
        let is_web = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
        let fits = |url: &Url| url.as_str().len() <= MAX_TARGET_URL;
        let url = Url::parse(text.trim()).ok().filter(is_web).filter(fits).ok_or(TargetUrlError::Form)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TargetUrlError::Credentials);
        }
        if url.fragment().is_some() {
            return Err(TargetUrlError::Fragment);
        }
        Ok(Self(url))
    }

    pub fn url(&self) -> &Url {
        &self.0
    }

    pub fn into_url(self) -> Url {
        self.0
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// For events, which all who look after the server read: a path or a query may hold something secret.
    pub fn origin(&self) -> String {
        origin(&self.0)
    }

    /// For logs: a path or a query may hold something secret.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }
}

/// Scheme, host and port.
pub fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

impl fmt::Display for TargetUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for TargetUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TargetUrl({}…)", self.origin())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_called_and_shown_is_a_target() {
        for (given, read) in [
            ("https://partner.example/hooks?x=1", "https://partner.example/hooks?x=1"),
            (" HTTP://LOCALHOST:9000 ", "http://localhost:9000/"),
        ] {
            assert_eq!(TargetUrl::parse(given).map(|url| url.to_string()).as_deref(), Ok(read));
        }
        let long = format!("https://a.test/{}", "x".repeat(MAX_TARGET_URL));
        for bad in ["", "/hooks", "partner.example", "ftp://a.test/", "mailto:a@b.test", &long] {
            assert_eq!(TargetUrl::parse(bad), Err(TargetUrlError::Form), "{bad}");
        }
        assert_eq!(TargetUrl::parse("https://ada:pw@a.test/"), Err(TargetUrlError::Credentials));
        assert_eq!(TargetUrl::parse("https://a.test/#x"), Err(TargetUrlError::Fragment));
        assert_eq!(format!("{:?}", TargetUrl::parse("https://a.test/secret").unwrap()), "TargetUrl(https://a.test…)");
    }
}
