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
        text.split(' ').filter(|part| !part.is_empty()).map(Scope::parse).collect()
    }
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
}
