//! What is wrong with a configuration or a seed file, and where.

use std::fmt;
use std::path::{Path, PathBuf};

/// Where a faulty value was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A position in a file; line and column count from 1, the column in characters.
    File { path: PathBuf, line: usize, column: usize },
    /// A file as a whole: it cannot be read, or something is missing from it.
    WholeFile(PathBuf),
    /// An environment variable.
    Variable(String),
    /// A command-line flag, with its dashes.
    Flag(&'static str),
    /// Nowhere: a default does not go with the other settings.
    Default,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Self::WholeFile(path) => write!(f, "{}", path.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Flag(flag) => write!(f, "flag {flag}"),
            Self::Default => write!(f, "settings"),
        }
    }
}

/// One thing that is wrong. The parts are separate so that a test can look at each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub place: Place,
    /// The dotted path of the key, such as `apps[0].buttons[1].origins[2]`; empty for a syntax error.
    pub key: String,
    /// What was found. Never the value of a secret.
    pub found: String,
    /// What would have been accepted.
    pub expected: String,
}

impl Fault {
    #[must_use]
    pub fn new(place: Place, key: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { place, key: key.into(), found: found.into(), expected: expected.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{}; expected {}", self.found, self.expected)
    }
}

/// Everything that is wrong, in the order in which it was met; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    faults: Vec<Fault>,
}

impl ConfigError {
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// Whether the command line alone is to blame, which a shell expects to see as exit code 2.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        self.faults.iter().all(|fault| matches!(fault.place, Place::Flag(_)))
    }
}

impl From<Fault> for ConfigError {
    fn from(fault: Fault) -> Self {
        Self { faults: vec![fault] }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// Gathers faults, so that one run tells all that has to be mended.
#[derive(Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    pub fn push(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// `value` where nothing was wrong.
    ///
    /// # Errors
    /// All faults that were gathered, those of one file in the order of its lines.
    pub fn into_result<T>(mut self, value: T) -> Result<T, ConfigError> {
        if self.0.is_empty() {
            return Ok(value);
        }
        self.0.sort_by_key(|fault| match fault.place {
            Place::File { line, column, .. } => (0, line, column),
            Place::WholeFile(_) => (1, 0, 0),
            Place::Variable(_) => (2, 0, 0),
            Place::Flag(_) => (3, 0, 0),
            Place::Default => (4, 0, 0),
        });
        Err(ConfigError { faults: self.0 })
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The line and column (from 1) of a byte offset in `text`.
#[must_use]
pub fn position(text: &str, offset: usize) -> (usize, usize) {
    let mut end = offset.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = &text[..end];
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before[start..].chars().count() + 1)
}

/// Reads a text file that the operator named.
///
/// # Errors
/// When it cannot be read or is not UTF-8; the fault names the file and the key that asked for it.
pub fn read_text_file(path: &Path, key: &str, expected: &str) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|error| {
        let found = match error.kind() {
            std::io::ErrorKind::InvalidData => "the file is not UTF-8 text".to_owned(),
            _ => format!("the file cannot be read ({error})"),
        };
        Fault::new(Place::WholeFile(path.to_owned()), key, found, expected).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_counts_lines_and_characters_from_one() {
        let text = "a = 1\nñandú = \"x\"\n";
        assert_eq!(position(text, 0), (1, 1));
        assert_eq!(position(text, 6), (2, 1));
        let quote = text.find('"').unwrap();
        assert_eq!(position(text, quote), (2, 9));
        assert_eq!(position(text, 9_999), (3, 1));
    }

    #[test]
    fn a_fault_reads_as_one_sentence_with_its_place() {
        let fault = Fault::new(
            Place::File { path: "leadgate.toml".into(), line: 3, column: 10 },
            "listen",
            "found \"8080\"",
            "an address and a port",
        );
        assert_eq!(fault.to_string(), "leadgate.toml:3:10: listen: found \"8080\"; expected an address and a port");
    }

    #[test]
    fn only_faults_of_flags_alone_are_a_usage_error() {
        let flag = Fault::new(Place::Flag("--listen"), "listen", "found \"x\"", "an address");
        let variable = Fault::new(Place::Variable("LEADGATE_LISTEN".to_owned()), "listen", "found \"x\"", "an address");
        assert!(ConfigError::from(flag.clone()).is_usage());
        let mut faults = Faults::default();
        faults.push(flag);
        faults.push(variable);
        assert!(!faults.into_result(()).unwrap_err().is_usage());
    }
}
