//! Single values of a seed file: what each may be, and what to say where it is not.

use std::collections::HashMap;

use serde_json::Value;

use crate::config::document::{Document, Located, Section};
use crate::config::nearest::suggestion;
use crate::config::secret::Secret;
use crate::crypto::client_keys::ClientKeys;
use crate::crypto::password::check_phc;
use crate::domain::app::{MAX_NAME, is_name};
use crate::domain::auth_method::AuthMethod;
use crate::domain::email::{Email, MAX_EMAIL};
use crate::domain::grant_type::GrantType;
use crate::domain::ids::{IdError, MAX_TEXT_ID};
use crate::domain::origin::Origin;
use crate::domain::redirect_uri::RedirectUri;
use crate::domain::resource::{Resource, ResourceError};
use crate::domain::return_url::ReturnUrl;
use crate::domain::role::Role;
use crate::domain::scope::{Scope, ScopeSet};
use crate::domain::signing_algorithm::SigningAlgorithm;
use crate::domain::user::{MAX_PASSWORD, PasswordHash};

/// Most entries of one kind: a seed is written by hand, and each password in it costs a hash.
pub const MAX_ENTRIES: usize = 1_000;
/// Most elements of one list within an entry.
pub const MAX_LIST: usize = 100;
/// Longest client secret and API key, in characters.
pub const MAX_SECRET: usize = 256;

/// What was found, shortened and with control characters written out.
pub fn quoted(text: &str) -> String {
    const SHOWN: usize = 80;
    if text.chars().count() <= SHOWN {
        return format!("found {text:?}");
    }
    let start: String = text.chars().take(SHOWN).collect();
    format!("found {start:?}… ({} characters)", text.chars().count())
}

/// Turns a text into a value, or faults it with what `expected` says about the error.
pub fn parsed<T, E>(
    document: &mut Document<'_>,
    given: Option<Located<String>>,
    parse: impl FnOnce(&str) -> Result<T, E>,
    expected: impl FnOnce(&str, E) -> String,
) -> Option<Located<T>> {
    let given = given?;
    match parse(&given.value) {
        Ok(value) => Some(given.with(value)),
        Err(error) => {
            let expected = expected(&given.value, error);
            document.fault(&given, quoted(&given.value), expected);
            None
        }
    }
}

/// A name that is shown to people.
pub fn name(document: &mut Document<'_>, given: Option<Located<String>>) -> Option<String> {
    let shown = |text: &str| if is_name(text) { Ok(text.to_owned()) } else { Err(()) };
    let expected = |_: &str, ()| format!("1 to {MAX_NAME} visible characters");
    parsed(document, given, shown, expected).map(|name| name.value)
}

/// An identifier that the file chooses.
pub fn id<T>(
    document: &mut Document<'_>,
    given: Option<Located<String>>,
    parse: impl FnOnce(&str) -> Result<T, IdError>,
) -> Option<Located<T>> {
    parsed(document, given, parse, |_, _| format!("1 to {MAX_TEXT_ID} characters out of A-Z a-z 0-9 . _ -"))
}

pub fn email(document: &mut Document<'_>, given: Option<Located<String>>) -> Option<Located<Email>> {
    parsed(document, given, Email::parse, |_, _| {
        format!("an e-mail address, name@host, of at most {MAX_EMAIL} characters")
    })
}

pub fn role(document: &mut Document<'_>, given: Option<Located<String>>) -> Option<Role> {
    let expected = |word: &str, _| suggestion(word, &Role::ALL.map(Role::as_str));
    parsed(document, given, Role::parse, expected).map(|role| role.value)
}

pub fn grant_type(document: &mut Document<'_>, given: Located<String>) -> Option<GrantType> {
    let expected = |word: &str, _| suggestion(word, &GrantType::ALL.map(GrantType::short_name));
    parsed(document, Some(given), GrantType::named, expected).map(|grant| grant.value)
}

pub fn auth_method(document: &mut Document<'_>, given: Option<Located<String>>) -> Option<AuthMethod> {
    let expected = |word: &str, _| suggestion(word, &AuthMethod::ALL.map(AuthMethod::as_str));
    parsed(document, given, AuthMethod::parse, expected).map(|method| method.value)
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

pub fn signing_algorithm(document: &mut Document<'_>, given: Option<Located<String>>) -> Option<SigningAlgorithm> {
    let expected = |word: &str, _| suggestion(word, &SigningAlgorithm::ALL.map(SigningAlgorithm::as_str));
    parsed(document, given, SigningAlgorithm::parse, expected).map(|algorithm| algorithm.value)
}

pub fn resource(document: &mut Document<'_>, given: Located<String>) -> Option<Resource> {
    let expected = |_: &str, error: ResourceError| format!("an address such as `https://api.example.com`: {error}");
    parsed(document, Some(given), Resource::parse, expected).map(|resource| resource.value)
}

fn scope(document: &mut Document<'_>, given: Located<String>) -> Option<Located<Scope>> {
    let expected = |word: &str, _| suggestion(word, &Scope::ALL.map(Scope::as_str));
    parsed(document, Some(given), Scope::parse, expected)
}

pub fn origin(document: &mut Document<'_>, given: Located<String>) -> Option<Origin> {
    parsed(document, Some(given), Origin::parse, |_, error| match &error.nearest {
        Some(nearest) => format!("`{nearest}`: {}", error.problem),
        None => format!("an origin such as `https://www.example.com`: {}", error.problem),
    })
    .map(|origin| origin.value)
}

pub fn return_url(document: &mut Document<'_>, given: Located<String>) -> Option<ReturnUrl> {
    parsed(document, Some(given), ReturnUrl::parse, |_, error| {
        format!("an address such as `https://www.example.com/signin`: it is refused because of this: {error}")
    })
    .map(|url| url.value)
}

pub fn redirect_uri(document: &mut Document<'_>, given: Located<String>) -> Option<RedirectUri> {
    parsed(document, Some(given), RedirectUri::parse, |_, error| {
        format!("an address such as `https://www.example.com/callback`: it is refused because of this: {error}")
    })
    .map(|uri| uri.value)
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
        let scope = scope(document, given)?;
        if let Some(limit) = limit.filter(|limit| !limit.contains(scope.value)) {
            let found = format!("found `{}`, which its application does not have", scope.value);
            document.fault(&scope, found, format!("some of `{limit}`"));
            return None;
        }
        Some(scope.value)
    })?;
    Some(scopes.value.into_iter().collect())
}

/// A secret that goes through headers and forms: printable ASCII (RFC 6749 appendix A.2).
pub fn ascii_secret(document: &mut Document<'_>, given: Located<String>) -> Option<Secret> {
    let good = (1..=MAX_SECRET).contains(&given.value.len()) && given.value.bytes().all(|b| (0x20..0x7f).contains(&b));
    if !good {
        let expected = format!("1 to {MAX_SECRET} printable ASCII characters");
        document.fault(&given, "found another kind of text", expected);
        return None;
    }
    Some(Secret::new(given.value))
}

pub fn password(document: &mut Document<'_>, given: Located<String>) -> Option<Secret> {
    if given.value.is_empty() || given.value.len() > MAX_PASSWORD {
        let expected = format!("a password of 1 to {MAX_PASSWORD} bytes");
        document.fault(&given, format!("found {} bytes", given.value.len()), expected);
        return None;
    }
    Some(Secret::new(given.value))
}

pub fn password_hash(document: &mut Document<'_>, given: Located<String>) -> Option<PasswordHash> {
    match check_phc(&given.value) {
        Ok(hash) => Some(hash),
        Err(error) => {
            document.fault(&given, error.to_string(), "an argon2id hash in PHC form (`$argon2id$v=19$…`)");
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
