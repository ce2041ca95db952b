//! `leadgate app delete`: tells what ends with an application, and deletes it.

use clap::Args;

use super::super::deletion::{Deletion, DryRunArgs};
use super::super::error::CliError;
use super::super::{acting, args};
use super::{AppArgs, failure, find};
use crate::domain::ids::AppId;
use crate::services::connections::{self, Filter};
use crate::services::{Context, partner};

#[derive(Debug, Args)]
pub struct DeleteArgs {
    #[command(flatten)]
    app: AppArgs,
    #[command(flatten)]
    dry_run: DryRunArgs,
}

pub async fn run(ctx: &Context, args: DeleteArgs) -> Result<(), CliError> {
    let AppArgs { id, json } = args.app;
    find(ctx, &id).await?;
    let ends = ends(ctx, &id).await?;
    let is_dry_run = args.dry_run.dry_run;
    let deletion = Deletion { kind: "application", id: id.as_str(), ends, left: None, is_dry_run, json };
    if !deletion.announce()? {
        return Ok(());
    }
    partner::delete_app(&acting(ctx), &id).await.map_err(|error| failure(&id, error))?;
    deletion.report()
}

async fn ends(ctx: &Context, id: &AppId) -> Result<Vec<(&'static str, usize)>, CliError> {
    let buttons = partner::list_buttons(ctx, Some(id.clone()), None, args::MAX_LISTED).await;
    let filter = Filter { app: Some(id.clone()), ..Filter::default() };
    let connections = connections::list(ctx, filter, args::MAX_LISTED).await;
    let buttons = buttons.map_err(CliError::failure)?.len();
    Ok(vec![("buttons", buttons), ("connections", connections.map_err(CliError::failure)?.len())])
}
