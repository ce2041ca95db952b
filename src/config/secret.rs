//! Secrets in the configuration: values that no log, no error and no `Debug` may show.

use std::fmt;
use std::path::PathBuf;

use super::error::{ConfigError, Fault, Place, read_text_file};

/// A secret text. It has no `Display`, and a `Debug` that never shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The secret itself. The long name makes its uses easy to search for.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A secret given in place, or the file that holds it (as container secrets are mounted).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    Inline(Secret),
    File {
        path: PathBuf,
        /// The setting that named the file, for the error message.
        key: &'static str,
    },
}

impl SecretSource {
    /// The secret; one line end after it in a file does not belong to it.
    ///
    /// # Errors
    /// When the file cannot be read, or holds nothing.
    pub fn read(&self) -> Result<Secret, ConfigError> {
        match self {
            Self::Inline(secret) => Ok(secret.clone()),
            Self::File { path, key } => {
                let expected = "a readable text file that holds nothing but the secret";
                let text = read_text_file(path, key, expected)?;
                let secret = text.strip_suffix('\n').unwrap_or(&text);
                let secret = secret.strip_suffix('\r').unwrap_or(secret);
                if secret.trim().is_empty() {
                    let place = Place::WholeFile(path.clone());
                    return Err(Fault::new(place, *key, "the file is empty", expected).into());
                }
                Ok(Secret::new(secret))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_a_secret() {
        let source = SecretSource::Inline(Secret::new("hunter2"));
        assert!(!format!("{source:?}").contains("hunter2"));
    }

    #[test]
    fn a_missing_file_is_named_with_the_key_that_asked_for_it() {
        let source = SecretSource::File { path: "/nonexistent/token".into(), key: "sandbox_token_file" };
        let error = source.read().unwrap_err().to_string();
        assert!(error.contains("/nonexistent/token"), "{error}");
        assert!(error.contains("sandbox_token_file"), "{error}");
    }
}
