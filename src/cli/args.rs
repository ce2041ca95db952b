//! Values that several commands take.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileTypeExt as _;

use clap::Args;

use crate::config::Secret;
use crate::domain::app::{MAX_NAME, is_homepage, is_name};
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

/// The address of a home page.
pub fn homepage(text: &str) -> Result<String, String> {
    if is_homepage(text) { Ok(text.to_owned()) } else { Err("a home page has an http or https address".to_owned()) }
}

/// A password, and whether it was made here and so has to be shown.
pub struct Password {
    pub secret: Secret,
    pub is_generated: bool,
}

/// Where a password comes from.
#[derive(Debug, Args)]
pub struct PasswordArgs {
    /// Read the password from the first line of the standard input
    #[arg(long)]
    password_stdin: bool,
    /// Make a password, and show it this once: the default, unless something is piped to the command
    #[arg(long, conflicts_with = "password_stdin")]
    make_password: bool,
}

impl PasswordArgs {
    /// Reads a password, or makes one up.
    pub fn password(&self, ctx: &Context) -> Result<Password, CliError> {
        if self.password_stdin {
            return read_password();
        }
        if !self.make_password && is_stdin_given() {
            return Err(CliError::usage(
                "something is piped or redirected to the standard input, which was not read: add --password-stdin where \
                 the password comes from there, or --make-password to have one made and shown",
            ));
        }
        Ok(Password { secret: Secret::new(users::make_password(ctx)), is_generated: true })
    }
}

/// Whether somebody connected a pipe or a file: not so at a terminal, nor with `/dev/null`.
fn is_stdin_given() -> bool {
    let Ok(stdin) = std::io::stdin().as_fd().try_clone_to_owned() else { return false };
    File::from(stdin).metadata().is_ok_and(|stdin| stdin.file_type().is_fifo() || stdin.is_file())
}

fn read_password() -> Result<Password, CliError> {
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
