//! `leadgate app logo`: what users see of an application where they are asked for consent.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::super::acting;
use super::super::error::CliError;
use super::show::Fresh;
use super::{AppArgs, find, show};
use crate::services::{Context, logos};

/// Bytes of a file that are read: more than a logo may have, so that what is longer is refused for that.
const READ: u64 = 4 * 1024 * 1024;

#[derive(Debug, Subcommand)]
pub enum LogoCommand {
    /// Give an application a logo, in place of the one that it has: a PNG or WebP image, which is written anew.
    Set(SetArgs),
    /// Take the logo away.
    Remove(AppArgs),
}

#[derive(Debug, Args)]
pub struct SetArgs {
    #[command(flatten)]
    app: AppArgs,
    /// File with the image
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub async fn run(ctx: &Context, command: LogoCommand) -> Result<(), CliError> {
    match command {
        LogoCommand::Set(SetArgs { app: AppArgs { id, json }, file }) => {
            let app = find(ctx, &id).await?;
            let refused = |why: &dyn std::fmt::Display| CliError::failure(format!("{}: {why}", file.display()));
            let image = read(&file).map_err(|error| refused(&error))?;
            logos::set(&acting(ctx), &app, image).await.map_err(|error| refused(&error))?;
            show(ctx, &find(ctx, &id).await?, Fresh::default(), json).await
        }
        LogoCommand::Remove(AppArgs { id, json }) => {
            let app = find(ctx, &id).await?;
            logos::remove(&acting(ctx), &app).await.map_err(CliError::failure)?;
            show(ctx, &find(ctx, &id).await?, Fresh::default(), json).await
        }
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut image = Vec::new();
    File::open(path)?.take(READ).read_to_end(&mut image)?;
    Ok(image)
}
