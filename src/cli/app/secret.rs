//! `leadgate app secret`: what an application authenticates with.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::super::error::CliError;
use super::super::{acting, output};
use super::show::Fresh;
use super::{AppArgs, failure, find, show};
use crate::domain::duration;
use crate::services::{Context, partner};

#[derive(Debug, Subcommand)]
pub enum SecretCommand {
    /// Make a new client secret, shown this once; the old one is taken beside it for a while.
    Rotate(RotateArgs),
    /// Take only the newest client secret from now on, not the one before it.
    Revoke(AppArgs),
}

#[derive(Debug, Args)]
pub struct RotateArgs {
    #[command(flatten)]
    app: AppArgs,
    /// How long the old secret is taken beside the new one, such as 90s, 24h or 7d; 0s: it is void at once
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = duration::parse)]
    overlap: Duration,
}

pub async fn run(ctx: &Context, command: SecretCommand) -> Result<(), CliError> {
    match command {
        SecretCommand::Rotate(args) => rotate(ctx, args).await,
        SecretCommand::Revoke(args) => revoke(ctx, args).await,
    }
}

pub async fn rotate(ctx: &Context, args: RotateArgs) -> Result<(), CliError> {
    let RotateArgs { app: AppArgs { id, json }, overlap } = args;
    // By the application's clock, which a sandbox may have moved.
    let until = ctx.now_for(&id).plus(overlap);
    let secret = partner::rotate_secret(&acting(ctx), &id, overlap).await.map_err(|error| failure(&id, error))?;
    let previous_until = (!overlap.is_zero()).then_some(until);
    show(ctx, &find(ctx, &id).await?, Fresh { client_secret: Some(secret), previous_until }, json).await
}

async fn revoke(ctx: &Context, AppArgs { id, json }: AppArgs) -> Result<(), CliError> {
    let revoked = partner::revoke_previous_secret(&acting(ctx), &id).await.map_err(|error| failure(&id, error))?;
    if json {
        return output::json(&serde_json::json!({ "app": id, "revoked": revoked }));
    }
    output::line(if revoked {
        "only the newest client secret is taken from now on"
    } else {
        "no other client secret than the newest was taken"
    })
}
