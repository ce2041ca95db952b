//! `leadgate backup`: a copy of an SQLite database while servers run on it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde::Serialize;

use super::error::CliError;
use super::output;
use super::progress::{Unit, Watch};
use crate::boot;
use crate::config::{Flags, Settings};
use crate::domain::progress::Progress;

#[derive(Debug, Args)]
pub struct BackupArgs {
    /// Where to write the back-up
    file: PathBuf,
    /// Replace the file where it is there already
    #[arg(long)]
    force: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct BackupJson<'a> {
    file: &'a Path,
    bytes: u64,
    taken_at: Option<String>,
    /// Not in the back-up, which is worth nothing without it; null: the key is not in a file.
    master_key_file: Option<&'a Path>,
}

pub async fn run(flags: &Flags, args: &BackupArgs) -> Result<(), CliError> {
    let settings = Settings::of_process(flags)?;
    let planned = boot::plan_backup(&settings, &args.file, args.force).map_err(CliError::failure)?;
    let (draft, expected) = planned.progress();
    let progress = Arc::new(Progress::default());
    progress.expect(expected);
    let watch = Watch { what: "backup", unit: Unit::Bytes, is_silent: args.json };
    // Free pages are not copied, so that it may be done earlier.
    let measure = || progress.reach(std::fs::metadata(&draft).map_or(0, |of| of.len()));
    let told = progress.clone();
    let taken = watch.until(&progress, measure, tokio::task::spawn_blocking(move || planned.take(&told))).await;
    let contents = taken.map_err(CliError::failure)?.map_err(CliError::failure)?;
    let key_file = boot::key_file(&settings);
    let taken_at = contents.taken_at.map(|at| at.to_rfc3339());
    if args.json {
        let (file, master_key_file) = (args.file.as_path(), key_file);
        return output::json(&BackupJson { file, bytes: contents.bytes, taken_at, master_key_file });
    }
    output::line(&format!(
        "{} holds the database ({}), and was read again.",
        args.file.display(),
        size(contents.bytes)
    ))?;
    let key = key_file.map_or_else(|| "LEADGATE_MASTER_KEY".to_owned(), |path| path.display().to_string());
    output::line(&format!(
        "It does NOT hold the master key, and is worth nothing without it: keep a copy of {key}, elsewhere."
    ))
}

pub fn size(bytes: u64) -> String {
    if bytes < 1024 * 1024 { format!("{} KiB", bytes.div_ceil(1024)) } else { format!("{} MiB", bytes / 1024 / 1024) }
}
