//! `leadgate serve`: the server itself.

use clap::Args;

use super::error::CliError;
use crate::boot::{self, Manner};
use crate::config::{Flags, Settings};

#[derive(Debug, Default, Args)]
pub struct ServeArgs {
    /// No line for each sign-in, token and refusal; a sandbox shows them on a terminal
    #[arg(long)]
    quiet: bool,
}

pub async fn run(flags: &Flags, args: &ServeArgs) -> Result<(), CliError> {
    let settings = Settings::of_process(flags)?;
    let manner = Manner { shows_flows: !args.quiet, impersonation: None };
    boot::serve(settings, manner).await.map_err(CliError::failure)
}
