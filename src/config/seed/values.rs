//! Single values of a seed file: where one is not what it may be, the place and what was found.

use std::collections::HashMap;

use serde_json::Value;

use crate::config::document::{Document, Located, Section};
use crate::config::expected::{self, MAX_LIST};
use crate::crypto::client_keys::ClientKeys;
use crate::domain::email::Email;
use crate::domain::scope::ScopeSet;

/// Most entries of one kind: a seed is written by hand, and each password in it costs a hash.
pub const MAX_ENTRIES: usize = 1_000;

/// What was found, shortened and with control characters written out.
pub fn quoted(text: &str) -> String {
    const SHOWN: usize = 80;
    if text.chars().count() <= SHOWN {
        return format!("found {text:?}");
    }
    let start: String = text.chars().take(SHOWN).collect();
    format!("found {start:?}… ({} characters)", text.chars().count())
}

/// Turns a text into a value, or faults it with what is expected in its place.
pub fn parsed<T>(
    document: &mut Document<'_>,
    given: Option<Located<String>>,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Option<Located<T>> {
    let given = given?;
    match parse(&given.value) {
        Ok(value) => Some(given.with(value)),
        Err(expected) => {
            document.fault(&given, quoted(&given.value), expected);
            None
        }
    }
}

/// A name that is shown to people.
pub fn name(document: &mut Document<'_>, given: Option<Located<String>>) -> Option<String> {
    parsed(document, given, expected::name).map(|name| name.value)
}

pub fn email(document: &mut Document<'_>, given: Option<Located<String>>) -> Option<Located<Email>> {
    parsed(document, given, expected::email)
}

/// A client's public keys, in the form that is kept of them.
pub fn jwks(document: &mut Document<'_>, given: &Located<Value>) -> Option<String> {
    match ClientKeys::from_json(&given.value) {
        Ok(keys) => Some(keys.to_json().to_string()),
        Err(error) => {
            document.fault(given, error.to_string(), "a JWK Set with the client's public keys (RFC 7517)");
            None
        }
    }
}

/// The same for an element of a list.
pub fn element<T>(
    parse: impl Fn(&str) -> Result<T, String>,
) -> impl FnMut(&mut Document<'_>, Located<String>) -> Option<T> {
    move |document, given| parsed(document, Some(given), &parse).map(|value| value.value)
}

/// The elements of an optional list, each turned into a value; repeated ones are faults.
pub fn list<'t, T>(
    document: &mut Document<'t>,
    section: &Section<'_, 't>,
    name: &str,
    mut element: impl FnMut(&mut Document<'t>, Located<String>) -> Option<T>,
) -> Option<Located<Vec<T>>> {
    let given = section.texts(document, name)?;
    if given.value.len() > MAX_LIST {
        document.fault(&given, format!("found {} elements", given.value.len()), format!("at most {MAX_LIST}"));
        return None;
    }
    let at = given.with(());
    let mut seen = Unique::default();
    let mut values = Vec::new();
    for text in given.value {
        if seen.take(document, &text, &text.value, "each one once")
            && let Some(value) = element(document, text)
        {
            values.push(value);
        }
    }
    Some(at.with(values))
}

/// An optional list of scopes, all of which are within `limit`.
pub fn scopes<'t>(
    document: &mut Document<'t>,
    section: &Section<'_, 't>,
    limit: Option<&ScopeSet>,
) -> Option<ScopeSet> {
    let scopes = list(document, section, "scopes", |document, given| {
        let scope = parsed(document, Some(given), expected::scope)?;
        if let Some(limit) = limit.filter(|limit| !limit.contains(scope.value)) {
            let found = format!("found `{}`, which its application does not have", scope.value);
            document.fault(&scope, found, format!("some of `{limit}`"));
            return None;
        }
        Some(scope.value)
    })?;
    Some(scopes.value.into_iter().collect())
}

/// A secret, which is not quoted where it cannot be one.
pub fn secret<T>(
    document: &mut Document<'_>,
    given: Located<String>,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Option<T> {
    match parse(&given.value) {
        Ok(secret) => Some(secret),
        Err(expected) => {
            document.fault(&given, format!("found another text of {} bytes", given.value.len()), expected);
            None
        }
    }
}

/// What was met already, and where.
#[derive(Default)]
pub struct Unique {
    seen: HashMap<String, String>,
}

impl Unique {
    /// Whether `value` comes for the first time; a repetition is a fault that names the first place.
    pub fn take<T>(&mut self, document: &mut Document<'_>, at: &Located<T>, value: &str, expected: &str) -> bool {
        match self.seen.get(value) {
            Some(first) => {
                let found = format!("found what `{first}` has already");
                document.fault(at, found, expected);
                false
            }
            None => {
                self.seen.insert(value.to_owned(), at.key.clone());
                true
            }
        }
    }

    pub fn contains(&self, value: &str) -> bool {
        self.seen.contains_key(value)
    }
}
