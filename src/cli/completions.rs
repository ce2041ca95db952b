//! `leadgate completions`: what makes a shell complete the command line.

use clap::Args;
use clap_complete::Shell;

use super::error::CliError;
use super::{help, output};

#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// Shell that the script is for
    shell: Shell,
}

pub fn run(args: &CompletionsArgs) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut help::command(), "leadgate", &mut script);
    output::bytes(&script)
}
