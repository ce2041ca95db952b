//! Whom an access token is for (RFC 8707): the identifier of an API.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

/// Longest identifier, in bytes.
pub const MAX_RESOURCE: usize = 500;

/// An absolute URI without a fragment (RFC 8707 section 2), compared byte for byte.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Resource(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a resource is an absolute URI without a fragment, at most {MAX_RESOURCE} characters")]
pub struct ResourceError;

impl Resource {
    pub fn parse(text: &str) -> Result<Self, ResourceError> {
        let plain = text.len() <= MAX_RESOURCE && text.bytes().all(|b| b.is_ascii_graphic()) && !text.contains('#');
        if plain && Url::parse(text).is_ok() { Ok(Self(text.to_owned())) } else { Err(ResourceError) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Resource {
    type Error = ResourceError;
    fn try_from(text: String) -> Result<Self, ResourceError> {
        Self::parse(&text)
    }
}

impl From<Resource> for String {
    fn from(resource: Resource) -> String {
        resource.0
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_absolute_plain_and_without_a_fragment() {
        for good in ["https://api.partner.test", "https://api.partner.test/v1", "urn:partner:api"] {
            assert!(Resource::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "/v1", "api", "https://api.test/#x", "https://a.test/ b", "https://é.test"] {
            assert!(Resource::parse(bad).is_err(), "{bad}");
        }
    }
}
