//! One line of the consent dialog and of the account page: a scope and what it lets an application do.

use super::messages::Lang;

/// A scope that was asked for or granted, with its sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// The scope's name on the wire, such as `account_api`.
    pub scope: String,
    /// What it allows, in the reader's language; continues "It will be able to …".
    pub sentence: String,
}

impl Permission {
    /// The permission for a scope, with the catalogue's sentence, or the bare name for an unknown one.
    #[must_use]
    pub fn new(lang: Lang, scope: &str) -> Self {
        let sentence = lang.messages().scopes.sentence(scope).unwrap_or(scope);
        Self { scope: scope.to_owned(), sentence: sentence.to_owned() }
    }

    /// That all of it is for another API, by its identifier (RFC 8707).
    #[must_use]
    pub fn at(lang: Lang, resource: &str) -> Self {
        Self { scope: resource.to_owned(), sentence: lang.messages().consent.at_resource.with(resource) }
    }

    /// The permissions for a list of scopes, in its order.
    #[must_use]
    pub fn list<'a>(lang: Lang, scopes: impl IntoIterator<Item = &'a str>) -> Vec<Self> {
        scopes.into_iter().map(|scope| Self::new(lang, scope)).collect()
    }
}
