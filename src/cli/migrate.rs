//! `leadgate migrate`: brings the database up to date, for who does not want the server to do it.

use super::error::CliError;
use super::output;
use crate::boot;
use crate::config::{Flags, Settings};

pub async fn run(flags: &Flags) -> Result<(), CliError> {
    let settings = Settings::of_process(flags)?;
    boot::open_store(&settings).await.map_err(CliError::failure)?;
    output::line(&format!("{} is up to date", settings.database_url))
}
