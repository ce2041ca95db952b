//! What a run is asked for.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Parser};

/// How fast Leadgate's hot paths are, beside yardsticks that run on the same machine in the same minutes.
#[derive(Parser)]
#[command(name = "load", bin_name = "cargo bench --bench load --", args_override_self = true)]
pub struct Plan {
    /// Of one round, in seconds
    #[arg(long = "seconds", value_name = "N", default_value = "5", value_parser = seconds)]
    pub span: Duration,
    /// How many rounds count
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = at_least_one)]
    pub rounds: usize,
    /// Keep-alive connections of the load
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = at_least_one)]
    pub clients: usize,
    /// Connections (users' consents) in the database
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = some)]
    pub connections: u64,
    /// Paths of Leadgate whose names have this; yardsticks always run
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub only: String,
    /// Measure starts and resets, too
    #[arg(long = "starts")]
    pub with_starts: bool,
    /// Measure A2 with a thousand and with very many connections, too
    #[arg(long = "scale")]
    pub with_scale: bool,
    /// How many those are
    #[arg(long, value_name = "N", default_value_t = 10_000_000, value_parser = some)]
    pub scale_connections: u64,
    /// Where scripts/bench has installed other servers
    #[arg(long, value_name = "DIRECTORY")]
    pub alternatives: Option<String>,
    /// In which databases and files are made, in a directory of their own; it has to be on the disk that is meant
    #[arg(long, value_name = "DIRECTORY", default_value_os_t = std::env::temp_dir())]
    pub directory: PathBuf,
    /// The page that the tables are written into
    #[arg(long = "write", value_name = "PAGE")]
    pub page: Option<String>,
    /// The cluster in which databases are made, and those of earlier runs removed: a URL has a password, and is no argument.
    #[arg(skip = postgres())]
    pub postgres: Option<String>,
    /// As cargo adds it
    #[arg(long, hide = true, action = ArgAction::SetTrue)]
    bench: bool,
}

fn postgres() -> Option<String> {
    std::env::var("LEADGATE_BENCH_POSTGRES_URL").ok().filter(|url| !url.is_empty())
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "a number from 1 on, without commas".to_owned())
}

fn some(text: &str) -> Result<u64, String> {
    at_least_one(text).map(|number| number as u64)
}

fn seconds(text: &str) -> Result<Duration, String> {
    at_least_one(text).map(|seconds| Duration::from_secs(seconds as u64))
}

impl Plan {
    /// The least of everything, to see that it works.
    pub fn least() -> Self {
        let plan = Self::parse_from(["load", "--rounds", "1", "--clients", "4", "--connections", "100"]);
        Self { span: Duration::from_millis(200), postgres: None, ..plan }
    }

    /// Whether a contestant of this name takes part. Yardsticks always do.
    pub fn wants(&self, name: &str) -> bool {
        name.to_lowercase().contains(&self.only.to_lowercase())
    }
}
