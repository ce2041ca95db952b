//! Values that several commands take.

use std::io::Read as _;

use crate::config::Secret;
use crate::domain::app::{MAX_NAME, is_name};
use crate::domain::scope::ScopeSet;
use crate::domain::user::MAX_PASSWORD;
use crate::services::{Context, users};

use super::error::CliError;

/// Most entries that a list shows.
pub const MAX_LISTED: i64 = 10_000;

/// A name that is shown to people.
pub fn name(text: &str) -> Result<String, String> {
    if is_name(text) { Ok(text.to_owned()) } else { Err(format!("a name is 1 to {MAX_NAME} visible characters")) }
}

/// A password, and whether it was made here and so has to be shown.
pub struct Password {
    pub secret: Secret,
    pub is_generated: bool,
}

/// The first line of the standard input, or a password made up here.
pub fn password(ctx: &Context, from_stdin: bool) -> Result<Password, CliError> {
    if !from_stdin {
        return Ok(Password { secret: Secret::new(users::make_password(ctx)), is_generated: true });
    }
    let mut text = String::new();
    // One byte more than is allowed shows that there is more.
    let limit = u64::try_from(MAX_PASSWORD).unwrap_or(u64::MAX).saturating_add(3);
    std::io::stdin().lock().take(limit).read_to_string(&mut text).map_err(|error| {
        CliError::failure(format!("the password could not be read from the standard input: {error}"))
    })?;
    let line = text.split_once('\n').map_or(text.as_str(), |(line, _)| line);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() || line.len() > MAX_PASSWORD {
        let message = format!("the standard input's first line is no password: that is 1 to {MAX_PASSWORD} bytes long");
        return Err(CliError::failure(message));
    }
    Ok(Password { secret: Secret::new(line), is_generated: false })
}

/// Scopes as a list of names.
pub fn scope_names(scopes: &ScopeSet) -> Vec<&'static str> {
    scopes.iter().map(crate::domain::scope::Scope::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_visible() {
        for bad in ["", " ", "a\u{7}", &"x".repeat(MAX_NAME + 1)] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
        assert_eq!(name("Acme Ünïted").as_deref(), Ok("Acme Ünïted"));
    }
}
