//! The address of a page that a button's answer may be sent to, compared byte for byte with what was registered
//! (RFC 9700 section 2.1). Its rules hold for [redirect URIs](super::redirect_uri) too.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

use super::origin::{Origin, is_loopback};

/// Longest address, in bytes.
pub const MAX_RETURN_URL: usize = 2_000;

/// An absolute https address (http on a loopback host), without a fragment, kept exactly as registered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReturnUrl(String);

/// Why an address cannot be registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReturnUrlError {
    #[error("an address is at most {MAX_RETURN_URL} characters long")]
    TooLong,
    #[error("not an absolute URL: write scheme://host/path")]
    NotAbsolute,
    #[error("has a fragment (`#…`): the answer itself is put there")]
    Fragment,
    #[error("has a user name or password in it")]
    Credentials,
    #[error("has a `*` in its host: addresses are compared as they stand, so register each one")]
    Wildcard,
    #[error("must be https; http is for loopback hosts only (localhost, *.localhost, 127.0.0.0/8, [::1])")]
    NotHttps,
    #[error("browsers would write it {0}: register that form")]
    NotNormal(String),
    #[error("its query has `{0}`, which the answer uses")]
    ReservedParameter(String),
}

/// Parameters that an authorization response adds: registered ones could be mistaken for them (rule B18).
pub(super) const RESERVED: [&str; 6] = ["code", "state", "error", "error_description", "iss", "response"];

/// The rules for every address that an answer may be sent to; `scheme` says which schemes there may be.
pub(super) fn check<E: From<ReturnUrlError>>(text: &str, scheme: impl FnOnce(&Url) -> Result<(), E>) -> Result<(), E> {
    if text.len() > MAX_RETURN_URL {
        return Err(ReturnUrlError::TooLong.into());
    }
    if text.contains('#') {
        return Err(ReturnUrlError::Fragment.into());
    }
    let url = Url::parse(text).map_err(|_| ReturnUrlError::NotAbsolute)?;
    scheme(&url)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ReturnUrlError::Credentials.into());
    }
    if url.host_str().is_some_and(|host| host.contains('*')) {
        return Err(ReturnUrlError::Wildcard.into());
    }
    // A form that browsers rewrite could never match what comes back from them.
    if url.as_str() != text && url.as_str().strip_suffix('/') != Some(text) {
        return Err(ReturnUrlError::NotNormal(url.into()).into());
    }
    if let Some((name, _)) = url.query_pairs().find(|(name, _)| RESERVED.contains(&name.as_ref())) {
        return Err(ReturnUrlError::ReservedParameter(name.into_owned()).into());
    }
    Ok(())
}

/// Whether a page of the web can be at this address: https, or http where nobody can listen in.
pub(super) fn is_web(url: &Url) -> bool {
    url.scheme() == "https" || url.scheme() == "http" && is_loopback(url)
}

impl ReturnUrl {
    pub fn parse(text: &str) -> Result<Self, ReturnUrlError> {
        check(text, |url| if is_web(url) { Ok(()) } else { Err(ReturnUrlError::NotHttps) })?;
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The origin of the page at this address.
    pub fn origin(&self) -> Option<Origin> {
        Url::parse(&self.0).ok().and_then(|url| Origin::of(&url))
    }
}

impl TryFrom<String> for ReturnUrl {
    type Error = ReturnUrlError;
    fn try_from(text: String) -> Result<Self, ReturnUrlError> {
        Self::parse(&text)
    }
}

impl From<ReturnUrl> for String {
    fn from(url: ReturnUrl) -> String {
        url.0
    }
}

impl fmt::Display for ReturnUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b4_b6_b18_addresses_that_cannot_be_registered() {
        for good in [
            "https://a.test/cb",
            "http://127.0.0.1:9100/callback",
            "http://partner.localhost:1/x?y=1",
            "https://a.test",
        ] {
            assert!(ReturnUrl::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "https://a.test/cb#x",
            "http://a.test/cb",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "/cb",
            "https://u:p@a.test/",
            "HTTPS://a.test/cb",
            "https://a.test/a/../b",
            "https://a.test/cb?code=1",
            "https://a.test/\t",
            "",
        ] {
            assert!(ReturnUrl::parse(bad).is_err(), "{bad}");
        }
    }
}
