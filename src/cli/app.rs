//! `leadgate app`: partner applications.

mod callback;
mod client;
mod delete;
mod logo;
mod secret;
mod show;
mod usage;

use clap::{Args, Subcommand};

use super::args;
use super::error::CliError;
use crate::config::Flags;
use crate::domain::app::App;
use crate::domain::ids::AppId;
use crate::services::Context;
use crate::services::partner::{self, PartnerError, Wanted};
use callback::CallbackCommand;
use client::ClientArgs;
use delete::DeleteArgs;
use logo::LogoCommand;
use secret::{RotateArgs, SecretCommand};
use show::{Fresh, Owners};

#[derive(Debug, Subcommand)]
pub enum AppCommand {
    /// Register an application; its client secret is shown this once.
    Add(Box<AddArgs>),
    /// List all applications.
    List(ListArgs),
    /// Show one application.
    Show(AppArgs),
    /// Change an application; what is not given stays. A list is replaced whole.
    ///
    /// One that comes to authenticate with a client secret gets it, shown this once.
    Set(Box<SetArgs>),
    /// Keep an application from doing anything; its connections end.
    Disable(AppArgs),
    /// Let a disabled application go on; what was ended stays ended.
    Enable(AppArgs),
    /// The logo.
    #[command(subcommand)]
    Logo(LogoCommand),
    /// The action call-back.
    #[command(subcommand)]
    Callback(CallbackCommand),
    /// The client secret.
    #[command(subcommand)]
    Secret(SecretCommand),
    /// What `secret rotate` was called before.
    #[command(hide = true)]
    RotateSecret(RotateArgs),
    /// Show how much an application did on each of the last 30 days.
    Usage(AppArgs),
    /// Delete an application with its buttons and connections.
    Delete(DeleteArgs),
}

#[derive(Debug, Args)]
pub struct AddArgs {
    /// Name, as the consent page shows it
    #[arg(value_parser = args::name)]
    name: String,
    /// App ID, which is the client_id too [default: a new UUID]
    #[arg(long, value_parser = AppId::parse)]
    id: Option<AppId>,
    #[command(flatten)]
    client: ClientArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct ListArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct AppArgs {
    /// App ID
    #[arg(value_parser = AppId::parse)]
    id: AppId,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct SetArgs {
    #[command(flatten)]
    app: AppArgs,
    /// Name, as the consent page shows it
    #[arg(long, value_parser = args::name)]
    name: Option<String>,
    #[command(flatten)]
    client: ClientArgs,
    /// No home page
    #[arg(long, conflicts_with = "homepage")]
    no_homepage: bool,
    /// No owner: only operators may edit it
    #[arg(long, conflicts_with = "owner")]
    no_owner: bool,
    /// No redirect URI at all
    #[arg(long, conflicts_with = "redirect_uris")]
    no_redirect_uris: bool,
    /// No address for after a logout
    #[arg(long, conflicts_with = "post_logout_redirect_uris")]
    no_post_logout_redirect_uris: bool,
    /// No API but this server's own
    #[arg(long, conflicts_with = "resources")]
    no_resources: bool,
}

pub async fn run(flags: &Flags, command: AppCommand) -> Result<(), CliError> {
    let ctx = super::open(flags).await?;
    match command {
        AppCommand::Add(args) => add(&ctx, *args).await,
        AppCommand::List(args) => {
            let apps = partner::list_apps(&ctx, None, args::MAX_LISTED).await.map_err(CliError::failure)?;
            show::list(&apps, &Owners::read(&ctx).await?, args.json)
        }
        AppCommand::Show(args) => show(&ctx, &find(&ctx, &args.id).await?, Fresh::default(), args.json).await,
        AppCommand::Set(args) => set(&ctx, *args).await,
        AppCommand::Disable(args) => {
            partner::disable_app(&super::acting(&ctx), &args.id).await.map_err(|error| failure(&args.id, error))?;
            show(&ctx, &find(&ctx, &args.id).await?, Fresh::default(), args.json).await
        }
        AppCommand::Enable(args) => {
            partner::enable_app(&super::acting(&ctx), &args.id).await.map_err(|error| failure(&args.id, error))?;
            show(&ctx, &find(&ctx, &args.id).await?, Fresh::default(), args.json).await
        }
        AppCommand::Logo(command) => logo::run(&ctx, command).await,
        AppCommand::Callback(command) => callback::run(&ctx, command).await,
        AppCommand::Secret(command) => secret::run(&ctx, command).await,
        AppCommand::RotateSecret(args) => secret::rotate(&ctx, args).await,
        AppCommand::Usage(args) => usage::show(&ctx, &find(&ctx, &args.id).await?.id, args.json).await,
        AppCommand::Delete(args) => delete::run(&ctx, args).await,
    }
}

async fn add(ctx: &Context, args: AddArgs) -> Result<(), CliError> {
    let owner = args.client.owner.clone();
    let id = args.id.clone();
    let app = args.client.describe(partner::draft_app(ctx, args.id, args.name))?;
    let wanted = Wanted { owner, ..app.into() };
    let (app, client_secret) =
        partner::add_app(&super::acting(ctx), wanted, Vec::new()).await.map_err(|error| match (error, id) {
            (PartnerError::AppTaken, Some(id)) => CliError::failure(format!("there is an application {id} already")),
            (PartnerError::Inconsistent(why), _) => CliError::usage(why),
            (error, _) => CliError::failure(error),
        })?;
    show(ctx, &app, Fresh { client_secret, previous_until: None }, args.json).await
}

async fn set(ctx: &Context, args: SetArgs) -> Result<(), CliError> {
    let clears = args.no_homepage
        || args.no_owner
        || args.no_redirect_uris
        || args.no_post_logout_redirect_uris
        || args.no_resources;
    if args.name.is_none() && !clears && args.client == ClientArgs::default() {
        return Err(CliError::usage("nothing to change was given; `leadgate app set --help` lists what can be"));
    }
    let owner = args.client.owner.clone();
    let mut app = args.client.describe(find(ctx, &args.app.id).await?)?;
    if let Some(name) = args.name {
        app.name = name;
    }
    if args.no_homepage {
        app.homepage = None;
    }
    if args.no_owner {
        app.owner = None;
    }
    if args.no_redirect_uris {
        app.redirect_uris.clear();
    }
    if args.no_post_logout_redirect_uris {
        app.post_logout_redirect_uris.clear();
    }
    if args.no_resources {
        app.resources.clear();
    }
    let wanted = Wanted { owner, ..app.into() };
    let (app, client_secret) =
        partner::set_app(&super::acting(ctx), wanted).await.map_err(|error| failure(&args.app.id, error))?;
    show(ctx, &app, Fresh { client_secret, previous_until: None }, args.app.json).await
}

async fn find(ctx: &Context, id: &AppId) -> Result<App, CliError> {
    match partner::find_app(ctx, id).await {
        Err(PartnerError::UnknownApp) => {
            let known = partner::list_apps(ctx, None, args::MAX_LISTED).await.map_err(CliError::failure)?;
            Err(CliError::missing("application", id.as_str(), known.iter().map(|app| app.id.as_str())))
        }
        found => found.map_err(CliError::failure),
    }
}

async fn show(ctx: &Context, app: &App, fresh: Fresh, json: bool) -> Result<(), CliError> {
    show::one(app, &Owners::read(ctx).await?, &fresh, json)
}

pub(super) fn failure(id: &AppId, error: PartnerError) -> CliError {
    match error {
        PartnerError::UnknownApp => CliError::missing("application", id.as_str(), []),
        error => CliError::failure(error),
    }
}
