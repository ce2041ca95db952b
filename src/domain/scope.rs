//! What a token may be used for (RFC 6749 section 3.3; the scopes of wire.md part 0 are the product's).

use std::fmt;

use serde::{Deserialize, Serialize};

/// One permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    AccountApi,
    DataApi,
    LeadReceiver,
    OpenId,
    Profile,
    Email,
    OfflineAccess,
}

/// A text that names no scope of this server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a scope of this server; the scopes are {}", Scope::ALL.map(Scope::as_str).join(", "))]
pub struct ScopeError;

/// Longest scope of a request, in bytes: many times all of this server's.
pub const MAX_REQUESTED: usize = 1_000;

/// Why the scope of a request is not taken. The texts are fit for `error_description` (RFC 6749 section 4.1.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestedScopeError {
    #[error("the scope is longer than {MAX_REQUESTED} bytes")]
    TooLong,
    #[error("the scope is not a list of names with spaces between them")]
    Malformed,
    #[error("the scope has a name that this server does not know")]
    Unknown,
}

impl Scope {
    pub const ALL: [Scope; 7] = [
        Scope::AccountApi,
        Scope::DataApi,
        Scope::LeadReceiver,
        Scope::OpenId,
        Scope::Profile,
        Scope::Email,
        Scope::OfflineAccess,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Scope::AccountApi => "account_api",
            Scope::DataApi => "data_api",
            Scope::LeadReceiver => "lead_receiver",
            Scope::OpenId => "openid",
            Scope::Profile => "profile",
            Scope::Email => "email",
            Scope::OfflineAccess => "offline_access",
        }
    }

    /// Exact, case-sensitive (RFC 6749 section 3.3).
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        Scope::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or(ScopeError)
    }

    /// One of the three that LeadExec's API credentials carry.
    pub const fn is_api(self) -> bool {
        matches!(self, Scope::AccountApi | Scope::DataApi | Scope::LeadReceiver)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of scopes, each once, in the order of [`Scope::ALL`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ScopeSet(Vec<Scope>);

impl ScopeSet {
    pub fn iter(&self) -> impl Iterator<Item = Scope> + '_ {
        self.0.iter().copied()
    }

    pub fn contains(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether each scope of `other` is in this set too.
    pub fn covers(&self, other: &ScopeSet) -> bool {
        other.iter().all(|scope| self.contains(scope))
    }

    pub fn union(&self, other: &ScopeSet) -> ScopeSet {
        self.iter().chain(other.iter()).collect()
    }

    /// The API scopes of the set.
    pub fn api_only(&self) -> ScopeSet {
        self.iter().filter(|scope| scope.is_api()).collect()
    }

    /// Space-delimited, as on the wire (RFC 6749 section 3.3); repeated names count once.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        names(text).map(Scope::parse).collect()
    }

    /// The scope that a client sent. Spaces to spare are dropped, as most servers do, because clients put their lists
    /// together from parts that may be empty; all else follows the grammar. A list of none is malformed: who wants the
    /// default leaves the parameter out.
    pub fn requested(text: &str) -> Result<Self, RequestedScopeError> {
        if text.len() > MAX_REQUESTED {
            return Err(RequestedScopeError::TooLong);
        }
        let set = match Self::parse(text) {
            Ok(set) => set,
            Err(ScopeError) if names(text).all(is_scope_token) => return Err(RequestedScopeError::Unknown),
            Err(ScopeError) => return Err(RequestedScopeError::Malformed),
        };
        if set.is_empty() { Err(RequestedScopeError::Malformed) } else { Ok(set) }
    }
}

fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|name| !name.is_empty())
}

/// `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`
fn is_scope_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

impl TryFrom<String> for ScopeSet {
    type Error = ScopeError;
    fn try_from(text: String) -> Result<Self, ScopeError> {
        Self::parse(&text)
    }
}

impl From<ScopeSet> for String {
    fn from(scopes: ScopeSet) -> String {
        scopes.to_string()
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let mut set: Vec<Scope> = scopes.into_iter().collect();
        set.sort_unstable();
        set.dedup();
        Self(set)
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, scope) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_reads_back() {
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Ok(scope));
        }
        assert_eq!(Scope::parse("Account_API"), Err(ScopeError));
    }

    #[test]
    fn a_set_is_ordered_and_without_repeats() {
        let set = ScopeSet::parse("openid  account_api openid").unwrap();
        assert_eq!(set.to_string(), "account_api openid");
        assert!(set.covers(&ScopeSet::parse("openid").unwrap()));
        assert!(!set.covers(&ScopeSet::parse("data_api").unwrap()));
        assert!(ScopeSet::parse("a\"b").is_err());
    }

    #[test]
    fn b11_a_requested_scope_follows_the_grammar() {
        let requested = |text: &str| ScopeSet::requested(text).map(|set| set.to_string());
        assert_eq!(requested("openid account_api").as_deref(), Ok("account_api openid"));
        assert_eq!(requested(" openid  openid ").as_deref(), Ok("openid"));
        for unknown in ["OpenID", "openid admin", "openid,email", "!#[]~"] {
            assert_eq!(requested(unknown), Err(RequestedScopeError::Unknown), "{unknown}");
        }
        let malformed =
            ["", "  ", "open\"id", "open\\id", "openid\temail", "openid\nemail", "openid\u{a0}email", "e\0"];
        for malformed in malformed {
            assert_eq!(requested(malformed), Err(RequestedScopeError::Malformed), "{malformed:?}");
        }
        assert_eq!(requested(&"openid ".repeat(200)), Err(RequestedScopeError::TooLong));
    }
}
