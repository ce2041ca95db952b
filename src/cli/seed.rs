//! `leadgate seed`: puts what a seed file describes into the database.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::error::CliError;
use super::output;
use super::progress::{Unit, Watch};
use crate::boot;
use crate::config::seed::SeedFile;
use crate::config::{Flags, Mode, Settings};
use crate::services::seed::{self, Applied, Audience};

#[derive(Debug, Args)]
pub struct SeedArgs {
    /// Seed file, as `leadgate init` writes one
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub async fn run(flags: &Flags, args: &SeedArgs) -> Result<(), CliError> {
    let settings = Settings::of_process(flags)?;
    let file = SeedFile::open(&args.file)?;
    if settings.mode == Mode::Production {
        file.refuse_published_secrets(&args.file)?;
    }
    let ctx = boot::open_context(&settings).await.map_err(CliError::failure)?;
    let watch = Watch { what: "seed", unit: Unit::Of("accounts and users"), is_silent: args.json };
    let acting = super::acting(&ctx);
    let applied = watch.over(seed::apply(&acting, &file, Audience::Ordinary)).await.map_err(CliError::failure)?;
    print(&applied, args.json)
}

#[derive(Serialize)]
struct AppliedJson<'a> {
    made: usize,
    changed: usize,
    unchanged: usize,
    api_keys: Vec<ApiKeyJson<'a>>,
}

#[derive(Serialize)]
struct ApiKeyJson<'a> {
    account: &'a str,
    api_key: &'a str,
}

fn print(applied: &Applied, json: bool) -> Result<(), CliError> {
    if json {
        let keys = applied.api_keys.iter();
        let api_keys = keys.map(|(account, api_key)| ApiKeyJson { account: account.as_str(), api_key }).collect();
        return output::json(&AppliedJson {
            made: applied.made,
            changed: applied.changed,
            unchanged: applied.unchanged,
            api_keys,
        });
    }
    output::line(&format!("{} made, {} changed, {} as they were", applied.made, applied.changed, applied.unchanged))?;
    for (account, key) in &applied.api_keys {
        output::line(&format!("API key of account {account}, shown this once: {key}"))?;
    }
    Ok(())
}
