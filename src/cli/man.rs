//! `leadgate man`: the manual, made from the same definitions as the help.

use std::path::PathBuf;

use clap::Args;
use clap_mangen::Man;

use super::error::CliError;
use super::{help, output};

#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write a page for each command into this directory, such as /usr/local/share/man/man1
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
}

pub fn run(args: &ManArgs) -> Result<(), CliError> {
    // Help lists commands in groups by a text of its own, which a manual page would show as one paragraph.
    let command = help::command().help_template("").after_help(None::<&str>).after_long_help(None::<&str>);
    let failed = |why| CliError::failure(format!("the manual could not be written: {why}. Name another --directory"));
    let Some(directory) = &args.directory else {
        let mut page = Vec::new();
        Man::new(command).render(&mut page).map_err(failed)?;
        return output::bytes(&page);
    };
    std::fs::create_dir_all(directory).map_err(failed)?;
    clap_mangen::generate_to(command, directory).map_err(failed)?;
    output::line(&format!(
        "The pages are in {}; `man {}` shows the first.",
        directory.display(),
        directory.join("leadgate.1").display()
    ))
}
