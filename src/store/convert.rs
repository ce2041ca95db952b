//! Columns to domain values. What does not convert was not written by this program.

use std::fmt::Display;

use super::error::StoreError;
use crate::domain::secret_hash::SecretHash;
use crate::domain::timestamp::Timestamp;

pub(super) fn corrupt<E: Display>(what: &'static str) -> impl FnOnce(E) -> StoreError {
    move |why| StoreError::Corrupt(format!("{what}: {why}"))
}

pub(super) fn secret_hash(bytes: &[u8]) -> Result<SecretHash, StoreError> {
    bytes.try_into().map(SecretHash).map_err(corrupt("a secret's hash"))
}

pub(super) fn time(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

pub(super) fn optional_time(micros: Option<i64>) -> Option<Timestamp> {
    micros.map(Timestamp::from_micros)
}

/// An end with its reason. A reason that this version does not know is no reason to take the row for alive.
pub(super) fn ended<T>(
    at: Option<i64>,
    by: Option<&str>,
    parse: impl Fn(&str) -> Option<T>,
    what: &'static str,
) -> Result<Option<(Timestamp, T)>, StoreError> {
    match (at, by.map(parse)) {
        (None, _) => Ok(None),
        (Some(at), Some(Some(by))) => Ok(Some((time(at), by))),
        (Some(_), _) => Err(StoreError::Corrupt(format!("{what}: an end without a reason that is known"))),
    }
}

/// The members of a space-delimited list.
pub(super) fn split<T, E>(text: &str, parse: impl Fn(&str) -> Result<T, E>) -> Result<Vec<T>, E> {
    text.split_whitespace().map(parse).collect()
}

/// The pattern of texts that have this one in them, for `LIKE … ESCAPE '!'`; empty for an empty text, which asks for any.
pub(super) fn containing(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// What a search asks for by whether something is disabled; empty for any.
pub(super) const fn state_word(is_disabled: Option<bool>) -> &'static str {
    match is_disabled {
        None => "",
        Some(true) => "disabled",
        Some(false) => "active",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r14_what_is_looked_for_is_no_pattern() {
        assert_eq!(containing(""), "");
        assert_eq!(containing("50%_!'"), "%50!%!_!!'%");
    }
}
