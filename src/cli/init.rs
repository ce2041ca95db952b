//! `leadgate init`: files to start from.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::error::CliError;
use super::output;
use crate::config::example;

#[derive(Debug, Args)]
pub struct InitArgs {
    /// Directory to write to [default: the working directory]
    #[arg(long, value_name = "DIRECTORY")]
    directory: Option<PathBuf>,
    /// Overwrite files that are there
    #[arg(long)]
    force: bool,
}

pub fn run(args: &InitArgs) -> Result<(), CliError> {
    let directory = args.directory.clone().unwrap_or_default();
    let files = [("leadgate.toml", example::SETTINGS), ("seed.toml", example::SEED)];
    // All or none: half a set would look finished.
    if !args.force
        && let Some((name, _)) = files.iter().find(|(name, _)| directory.join(name).exists())
    {
        let path = directory.join(name);
        return Err(CliError::failure(format!("{} is there already; --force overwrites it", path.display())));
    }
    if let Some(directory) = &args.directory {
        std::fs::create_dir_all(directory)
            .map_err(|error| CliError::failure(format!("{} cannot be made: {error}", directory.display())))?;
    }
    for (name, text) in files {
        let path = directory.join(name);
        write(&path, text, args.force)
            .map_err(|error| CliError::failure(format!("{} cannot be written: {error}", path.display())))?;
        output::line(&format!("wrote {}", path.display()))?;
    }
    output::line("start the server in that directory: leadgate serve")
}

fn write(path: &Path, text: &str, overwrite: bool) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).truncate(true);
    // `create_new` refuses a file that came into being since we looked.
    let options = if overwrite { options.create(true) } else { options.create_new(true) };
    options.open(path)?.write_all(text.as_bytes())
}
