//! `leadgate man`: the manual, made from the same definitions as the help.

use std::io;
use std::path::PathBuf;

use clap::{Args, Command, CommandFactory as _};
use clap_mangen::Man;

use super::error::CliError;
use super::{Cli, output};

#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write a page for each command into this directory, such as /usr/local/share/man/man1
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
}

pub fn run(args: &ManArgs) -> Result<(), CliError> {
    let failed = |why| CliError::failure(format!("the manual could not be written: {why}. Name another --directory"));
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let Some(directory) = &args.directory else {
        return output::bytes(&page(command, "leadgate").map_err(failed)?);
    };
    std::fs::create_dir_all(directory).map_err(failed)?;
    for (name, command) in all(command, "leadgate".to_owned()) {
        let page = page(command, &name).map_err(failed)?;
        std::fs::write(directory.join(format!("{name}.1")), page).map_err(failed)?;
    }
    let first = directory.join("leadgate.1");
    output::line(&format!("The pages are in {}; `man {}` shows the first.", directory.display(), first.display()))
}

/// The command and those below it, each with the name of its page.
fn all(command: Command, name: String) -> Vec<(String, Command)> {
    let below: Vec<_> = command.get_subcommands().cloned().collect();
    let below = below.into_iter().flat_map(|sub| {
        let name = format!("{name}-{}", sub.get_name());
        // The settings, which every command takes, are told of once.
        let own = sub.mut_args(|arg| {
            let is_setting = arg.is_global_set();
            arg.hide(is_setting)
        });
        all(own.after_help("Every command takes the settings of leadgate(1), too."), name)
    });
    let below: Vec<_> = below.collect();
    std::iter::once((name, command)).chain(below).collect()
}

fn page(command: Command, name: &str) -> io::Result<Vec<u8>> {
    let source = concat!("leadgate ", env!("CARGO_PKG_VERSION"));
    let mut page = Vec::new();
    Man::new(command).title(name).source(source).manual("Leadgate").render(&mut page)?;
    Ok(page)
}
