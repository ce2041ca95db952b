//! What a command says when it fails.

use std::process::ExitCode;

use crate::config::ConfigError;
use crate::config::nearest::nearest;

/// A message for a person, and whether the command line was to blame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CliError {
    message: String,
    is_usage: bool,
}

impl CliError {
    /// The command could not do what it was asked to: exit code 1.
    pub fn failure(message: impl ToString) -> Self {
        Self { message: message.to_string(), is_usage: false }
    }

    /// What was asked makes no sense: exit code 2.
    pub fn usage(message: impl ToString) -> Self {
        Self { message: message.to_string(), is_usage: true }
    }

    /// What was named is not there: says what was probably meant, and where all are listed.
    pub fn missing<'k>(kind: &str, named: &str, known: impl IntoIterator<Item = &'k str>) -> Self {
        let meant = nearest(named, known).map(|near| format!(" The nearest is {near};")).unwrap_or_default();
        let command = if kind == "application" { "app" } else { kind };
        Self::failure(format!("there is no {kind} {named}.{meant} `leadgate {command} list` shows all"))
    }

    /// Prints the message, and returns the exit code.
    pub fn report(&self) -> ExitCode {
        eprintln!("leadgate: {}", self.message);
        ExitCode::from(if self.is_usage { 2 } else { 1 })
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self { is_usage: error.is_usage(), message: error.to_string() }
    }
}
