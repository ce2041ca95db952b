//! What a run is asked for.

use std::path::PathBuf;
use std::time::Duration;

pub struct Plan {
    /// Of one round.
    pub span: Duration,
    pub rounds: usize,
    pub clients: usize,
    pub connections: u64,
    /// Names of contestants have to contain it.
    pub only: String,
    /// The cluster in which databases are made.
    pub postgres: Option<String>,
    /// Throughput with few connections in the database beside that with very many.
    pub scale: Option<u64>,
    /// How long a start takes, and a reset.
    pub with_starts: bool,
    /// Where the alternatives are installed.
    pub alternatives: Option<String>,
    /// In which databases and files are made, in a directory of their own.
    pub directory: PathBuf,
    /// The page that the tables are written into.
    pub page: Option<String>,
}

impl Plan {
    pub fn of_arguments(arguments: &[String]) -> Self {
        let text = |name: &str| {
            let at = arguments.iter().position(|argument| argument == name)?;
            arguments.get(at + 1).cloned()
        };
        let number = |name: &str, default: u64| match text(name) {
            Some(text) => text.parse().unwrap_or_else(|_| panic!("{name} takes a number")),
            None => default,
        };
        let is_given = |name: &str| arguments.iter().any(|argument| argument == name);
        Self {
            span: Duration::from_secs(number("--seconds", 5)),
            rounds: number("--rounds", 3).max(1) as usize,
            clients: number("--clients", 32).max(1) as usize,
            connections: number("--connections", 100_000).max(1),
            only: text("--only").unwrap_or_default(),
            postgres: std::env::var("LEADGATE_BENCH_POSTGRES_URL").ok().filter(|url| !url.is_empty()),
            scale: is_given("--scale").then(|| number("--scale-connections", 10_000_000)),
            with_starts: is_given("--starts"),
            alternatives: text("--alternatives"),
            directory: text("--directory").map_or_else(std::env::temp_dir, PathBuf::from),
            page: text("--write"),
        }
    }

    /// The least of everything, to see that it works.
    pub fn least() -> Self {
        Self {
            span: Duration::from_millis(200),
            rounds: 1,
            clients: 4,
            connections: 100,
            only: String::new(),
            postgres: None,
            scale: None,
            with_starts: false,
            alternatives: None,
            directory: std::env::temp_dir(),
            page: None,
        }
    }

    /// Whether a contestant of this name takes part. Yardsticks always do.
    pub fn wants(&self, name: &str) -> bool {
        name.to_lowercase().contains(&self.only.to_lowercase())
    }
}
