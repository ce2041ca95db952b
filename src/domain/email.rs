//! An e-mail address as a login name.

use std::fmt;

/// Longest address, in bytes (RFC 5321 section 4.5.3.1).
pub const MAX_EMAIL: usize = 254;

/// Trimmed and in lower case, so that one person has one login however it is typed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Email(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an e-mail address is written name@host, at most {MAX_EMAIL} characters")]
pub struct EmailError;

impl Email {
    /// Checks the shape only: a mail server is the judge of the rest.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let text = text.trim().to_lowercase();
        let plain = |part: &str| !part.is_empty() && !part.chars().any(|c| c.is_whitespace() || c.is_control());
        match text.rsplit_once('@') {
            Some((name, host)) if text.len() <= MAX_EMAIL && plain(name) && plain(host) => Ok(Self(text)),
            _ => Err(EmailError),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_one_login_however_typed() {
        assert_eq!(Email::parse("  Ada@ACME.test ").unwrap().as_str(), "ada@acme.test");
        for bad in ["", "ada", "@", "a@", "@b", "a b@c", "a\0@c"] {
            assert!(Email::parse(bad).is_err(), "{bad:?}");
        }
    }
}
