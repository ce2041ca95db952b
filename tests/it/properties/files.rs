//! What is true of the two files that an operator writes, whatever is in them, and of the environment. The fuzz targets
//! share this file.

use std::ffi::OsString;
use std::path::Path;

use leadgate::config::error::Place;
use leadgate::config::seed::SeedFile;
use leadgate::config::{ConfigError, Flags, Mode, Settings};

/// Of a seed file.
pub fn of_seed(text: &str) {
    match SeedFile::parse(Path::new("seed.toml"), text) {
        Ok(file) => {
            for app in &file.apps {
                assert!(app.client.redirect_uris.len() <= 100 && app.buttons.len() <= text.len());
            }
        }
        Err(error) => of_faults(&error, text),
    }
}

/// Of `leadgate.toml`, and of an environment of lines `NAME=VALUE`.
pub fn of_settings(text: &str, environment: &str) {
    let variables = environment.lines().filter_map(|line| line.split_once('='));
    let variables = variables.map(|(name, value)| (OsString::from(name), OsString::from(value)));
    match Settings::load(&Flags::default(), variables, Some((Path::new("leadgate.toml"), text))) {
        Ok(settings) => {
            let is_sandbox = settings.mode == Mode::Sandbox;
            assert!(is_sandbox || settings.issuer.is_https() && settings.sandbox_token.is_none());
            assert!(!settings.issuer.as_str().ends_with('/'));
            assert!(!format!("{settings:?}").contains("Inline(\""), "no secret in place is shown");
        }
        Err(error) => of_faults(&error, text),
    }
}

/// Each says where, what was found, and what was expected.
fn of_faults(error: &ConfigError, text: &str) {
    assert!(!error.faults().is_empty());
    let lines: Vec<&str> = text.split('\n').collect();
    for fault in error.faults() {
        assert!(!fault.found.is_empty() && !fault.expected.is_empty(), "{fault}");
        if let Place::File { line, column, .. } = &fault.place {
            assert!((1..=lines.len()).contains(line), "{fault}");
            assert!((1..=lines[line - 1].chars().count() + 1).contains(column), "{fault}");
        }
    }
}
