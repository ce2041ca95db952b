//! `leadgate user delete`: tells what ends with a user, and deletes them.

use clap::Args;

use super::super::deletion::{Deletion, DryRunArgs};
use super::super::error::CliError;
use super::super::{acting, args};
use super::{UserArgs, failure, find};
use crate::domain::user::User;
use crate::services::account::sessions;
use crate::services::connections::{self, Filter};
use crate::services::{Context, partner, users};

#[derive(Debug, Args)]
pub struct DeleteArgs {
    #[command(flatten)]
    user: UserArgs,
    #[command(flatten)]
    dry_run: DryRunArgs,
}

pub async fn run(ctx: &Context, args: DeleteArgs) -> Result<(), CliError> {
    let UserArgs { email, json } = args.user;
    let user = find(ctx, &email).await?;
    let deletion = Deletion {
        kind: "user",
        id: email.as_str(),
        ends: ends(ctx, &user).await?,
        left: Some(("applications_without_owner", owned(ctx, &user).await?)),
        is_dry_run: args.dry_run.dry_run,
        json,
    };
    if !deletion.announce()? {
        return Ok(());
    }
    users::delete(&acting(ctx), &email).await.map_err(|error| failure(&email, error))?;
    deletion.report()
}

async fn ends(ctx: &Context, user: &User) -> Result<Vec<(&'static str, usize)>, CliError> {
    let sessions = sessions::list(ctx, user.id, None, args::MAX_LISTED).await.map_err(CliError::failure)?;
    let filter = Filter { user: Some(user.id), ..Filter::default() };
    let connections = connections::list(ctx, filter, args::MAX_LISTED).await.map_err(CliError::failure)?;
    Ok(vec![("sessions", sessions.len()), ("connections", connections.len())])
}

/// The user's applications stay.
async fn owned(ctx: &Context, user: &User) -> Result<usize, CliError> {
    let apps = partner::list_apps(ctx, None, args::MAX_LISTED).await.map_err(CliError::failure)?;
    Ok(apps.iter().filter(|app| app.owner == Some(user.id)).count())
}
