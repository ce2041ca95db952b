//! `leadgate serve`: the server itself.

use super::error::CliError;
use crate::boot;
use crate::config::{Flags, Settings};

pub async fn run(flags: &Flags) -> Result<(), CliError> {
    let settings = Settings::of_process(flags)?;
    boot::serve(settings).await.map_err(CliError::failure)
}
