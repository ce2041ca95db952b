//! `leadgate restore`: the way back of `leadgate backup`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde::Serialize;

use super::backup::size;
use super::error::CliError;
use super::output;
use super::progress::{Unit, Watch};
use crate::boot;
use crate::config::{Flags, Settings};
use crate::domain::progress::Progress;

#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The back-up, as `leadgate backup` wrote it
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct RestoredJson<'a> {
    file: &'a Path,
    bytes: u64,
    taken_at: Option<String>,
    /// The database that was there before.
    kept: Option<&'a Path>,
}

pub async fn run(flags: &Flags, args: RestoreArgs) -> Result<(), CliError> {
    let settings = Settings::of_process(flags)?;
    let file = args.file.clone();
    let progress = Arc::new(Progress::default());
    progress.expect(std::fs::metadata(&file).map_or(0, |of| of.len()));
    let watch = Watch { what: "restore", unit: Unit::Bytes, is_silent: args.json };
    let counted = progress.clone();
    let work = tokio::task::spawn_blocking(move || boot::restore(&settings, &file, &counted));
    let restored = watch.until(&progress, || {}, work).await;
    let boot::Restored { contents, kept } = restored.map_err(CliError::failure)?.map_err(CliError::failure)?;
    let taken_at = contents.taken_at.map(|at| at.to_rfc3339());
    if args.json {
        let (file, kept) = (args.file.as_path(), kept.as_deref());
        return output::json(&RestoredJson { file, bytes: contents.bytes, taken_at, kept });
    }
    let from = taken_at.as_deref().unwrap_or("a time that it does not tell");
    output::line(&format!("{} ({}) is in place. It is from {from}.", args.file.display(), size(contents.bytes)))?;
    if let Some(kept) = kept {
        output::line(&format!("The database that was there is kept as {}.", kept.display()))?;
    }
    output::line(
        "What was ended, revoked or changed since then is as it was: disconnected applications are connected again, and \
         ended sessions open.\nWhere that must not be, run `leadgate revoke-all --yes` before a server starts.",
    )
}
