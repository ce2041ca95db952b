//! Which database: an SQLite file, an SQLite database in memory, or PostgreSQL.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use url::Url;

/// `sqlite://PATH` (relative, or absolute with a third slash), `sqlite::memory:`, `postgres://…`.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    SqliteFile(PathBuf),
    SqliteMemory,
    /// May hold a password: `Debug` and `Display` mask it.
    Postgres(Url),
}

/// What a database URL looks like; shown when one is refused.
pub const EXPECTED: &str =
    "`sqlite://PATH` (relative, or with a third slash absolute), `sqlite::memory:` or `postgres://USER@HOST/DATABASE`";

/// Why a text is no database URL, in words that never quote it: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    #[error("found a database URL of another scheme")]
    Scheme,
    #[error("found no path after `sqlite://`")]
    NoPath,
    #[error("found an SQLite URL with parameters")]
    Parameters,
    #[error("found a PostgreSQL URL that is not well-formed ({0})")]
    Malformed(url::ParseError),
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The second is how other tools write it; as a path each connection would have a database of its own.
        if ["sqlite::memory:", "sqlite://:memory:"].contains(&text) {
            return Ok(Self::SqliteMemory);
        }
        if let Some(path) = text.strip_prefix("sqlite://") {
            return match path {
                "" | "/" => Err(DatabaseUrlError::NoPath),
                _ if path.contains(['?', '#']) => Err(DatabaseUrlError::Parameters),
                _ => Ok(Self::SqliteFile(path.into())),
            };
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Url::parse(text).map(Self::Postgres).map_err(DatabaseUrlError::Malformed);
        }
        Err(DatabaseUrlError::Scheme)
    }
}

impl DatabaseUrl {
    /// The SQLite file, where there is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::SqliteFile(path) => Some(path),
            Self::SqliteMemory | Self::Postgres(_) => None,
        }
    }

    fn masked(&self) -> String {
        match self {
            Self::SqliteFile(path) => format!("sqlite://{}", path.display()),
            Self::SqliteMemory => "sqlite::memory:".to_owned(),
            Self::Postgres(url) => masked(url),
        }
    }
}

/// Masks both places that a PostgreSQL URL may carry a password in.
fn masked(url: &Url) -> String {
    let mut shown = url.clone();
    if url.password().is_some() && shown.set_password(Some("***")).is_err() {
        return format!("{}://***", url.scheme());
    }
    if url.query_pairs().any(|(name, _)| name == "password") {
        let others: Vec<(String, String)> = url
            .query_pairs()
            .map(|(name, value)| match name.as_ref() {
                "password" => (name.into_owned(), "***".to_owned()),
                _ => (name.into_owned(), value.into_owned()),
            })
            .collect();
        shown.query_pairs_mut().clear().extend_pairs(others);
    }
    shown.into()
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({})", self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_slashes_are_relative_and_three_absolute() {
        let file = |text: &str| text.parse::<DatabaseUrl>().unwrap().file().unwrap().to_owned();
        assert_eq!(file("sqlite://data/leadgate.db"), Path::new("data/leadgate.db"));
        assert_eq!(file("sqlite:///var/lib/leadgate.db"), Path::new("/var/lib/leadgate.db"));
    }

    #[test]
    fn memory_has_two_names() {
        for text in ["sqlite::memory:", "sqlite://:memory:"] {
            assert_eq!(text.parse(), Ok(DatabaseUrl::SqliteMemory), "{text}");
        }
    }

    #[test]
    fn a_password_is_masked_wherever_it_stands() {
        for text in ["postgres://u:hunter2@db.test/leadgate", "postgresql://db.test/leadgate?user=u&password=hunter2"] {
            let url: DatabaseUrl = text.parse().unwrap();
            for shown in [url.to_string(), format!("{url:?}")] {
                assert!(!shown.contains("hunter2"), "{shown}");
                assert!(shown.contains("db.test/leadgate"), "{shown}");
            }
        }
    }

    #[test]
    fn what_is_no_database_url_is_refused_without_being_quoted() {
        for bad in [
            "",
            "leadgate.db",
            "mysql://root:hunter2@h/db",
            "sqlite://",
            "sqlite:///",
            "sqlite://x.db?mode=rwc",
            "postgres://u:hunter2@:x/",
        ] {
            let error = bad.parse::<DatabaseUrl>().unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{bad}");
        }
    }
}
