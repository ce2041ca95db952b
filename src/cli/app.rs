//! `leadgate app`: partner applications.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::args;
use super::error::CliError;
use super::output;
use crate::config::Flags;
use crate::domain::app::{App, ClientType};
use crate::domain::email::Email;
use crate::domain::grant_type::GrantType;
use crate::domain::ids::AppId;
use crate::domain::redirect_uri::RedirectUri;
use crate::domain::scope::Scope;
use crate::services::partner::{self, NewApp, PartnerError};
use crate::services::{Context, users};

#[derive(Debug, Subcommand)]
pub enum AppCommand {
    /// Register an application; its client secret is shown this once.
    Add(AddArgs),
    /// List all applications.
    List(ListArgs),
    /// Show one application.
    Show(AppArgs),
    /// Replace the client secret; the new one is shown this once, the old one is void at once.
    RotateSecret(AppArgs),
    /// Delete an application with its buttons and connections.
    Delete(AppArgs),
}

#[derive(Debug, Args)]
pub struct AddArgs {
    /// Name, as the consent page shows it
    #[arg(value_parser = args::name)]
    name: String,
    /// App ID, which is the client_id too [default: a new UUID]
    #[arg(long, value_parser = AppId::parse)]
    id: Option<AppId>,
    /// Publisher, as the consent page shows it [default: the name]
    #[arg(long, value_parser = args::name)]
    publisher: Option<String>,
    /// A public client, without a secret
    #[arg(long)]
    public: bool,
    /// Grant type; may be repeated
    #[arg(long = "grant-type", value_name = "GRANT", default_values = ["authorization_code", "refresh_token"], value_parser = GrantType::parse)]
    grant_types: Vec<GrantType>,
    /// Redirect URI, matched exactly; may be repeated
    #[arg(long = "redirect-uri", value_name = "URL", value_parser = RedirectUri::parse)]
    redirect_uris: Vec<RedirectUri>,
    /// What users may be asked for; may be repeated
    #[arg(long = "scope", value_name = "SCOPE", default_values = ["account_api"], value_parser = Scope::parse)]
    scopes: Vec<Scope>,
    /// E-mail address of the user who may edit it
    #[arg(long, value_name = "EMAIL", value_parser = Email::parse)]
    owner: Option<Email>,
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

pub async fn run(flags: &Flags, command: AppCommand) -> Result<(), CliError> {
    match command {
        AppCommand::Add(add) => run_add(flags, add).await,
        AppCommand::List(list) => {
            let ctx = super::open(flags).await?;
            let apps = partner::list_apps(&ctx, args::MAX_LISTED).await.map_err(CliError::failure)?;
            list_apps(&apps, &Owners::read(&ctx).await?, list.json)
        }
        AppCommand::Show(args) => {
            let ctx = super::open(flags).await?;
            let app = partner::find_app(&ctx, &args.id).await.map_err(|error| failure(&args.id, error))?;
            show(&app, &Owners::read(&ctx).await?, None, args.json)
        }
        AppCommand::RotateSecret(args) => {
            let ctx = super::open(flags).await?;
            let secret = partner::rotate_secret(&ctx, &args.id, std::time::Duration::ZERO)
                .await
                .map_err(|error| failure(&args.id, error))?;
            let app = partner::find_app(&ctx, &args.id).await.map_err(|error| failure(&args.id, error))?;
            show(&app, &Owners::read(&ctx).await?, Some(&secret), args.json)
        }
        AppCommand::Delete(args) => {
            let ctx = super::open(flags).await?;
            partner::delete_app(&ctx, &args.id).await.map_err(|error| failure(&args.id, error))?;
            output::deleted("application", args.id.as_str(), args.json)
        }
    }
}

async fn run_add(flags: &Flags, add: AddArgs) -> Result<(), CliError> {
    if add.public && add.grant_types.contains(&GrantType::ClientCredentials) {
        return Err(CliError::usage("a public client cannot have the grant client_credentials: it has no secret"));
    }
    let ctx = super::open(flags).await?;
    let id = add.id.clone();
    let new = NewApp {
        id: add.id,
        publisher: add.publisher.unwrap_or_else(|| add.name.clone()),
        name: add.name,
        owner: add.owner,
        client_type: if add.public { ClientType::Public } else { ClientType::Confidential },
        grant_types: add.grant_types,
        redirect_uris: add.redirect_uris,
        scopes: add.scopes.into_iter().collect(),
    };
    let (app, secret) = partner::add_app(&ctx, new).await.map_err(|error| match (error, id) {
        (PartnerError::AppTaken, Some(id)) => CliError::failure(format!("there is an application {id} already")),
        (error, _) => CliError::failure(error),
    })?;
    show(&app, &Owners::read(&ctx).await?, secret.as_deref(), add.json)
}

pub(super) fn failure(id: &AppId, error: PartnerError) -> CliError {
    match error {
        PartnerError::UnknownApp => {
            CliError::failure(format!("there is no application {id}; `leadgate app list` shows all"))
        }
        error => CliError::failure(error),
    }
}

/// The e-mail addresses of owners: people do not know users by their ids.
struct Owners(Vec<(crate::domain::ids::UserId, Email)>);

impl Owners {
    async fn read(ctx: &Context) -> Result<Self, CliError> {
        let users = users::list(ctx, args::MAX_LISTED).await.map_err(CliError::failure)?;
        Ok(Self(users.into_iter().map(|user| (user.id, user.email)).collect()))
    }

    fn of(&self, app: &App) -> Option<String> {
        let owner = app.owner?;
        let email = self.0.iter().find(|(id, _)| *id == owner).map(|(_, email)| email.to_string());
        email.or_else(|| Some(owner.to_string()))
    }
}

#[derive(Serialize)]
struct AppJson<'a> {
    id: &'a str,
    name: &'a str,
    publisher: &'a str,
    client_type: &'static str,
    grant_types: Vec<&'static str>,
    redirect_uris: Vec<&'a str>,
    scopes: Vec<&'static str>,
    owner: Option<String>,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
}

impl<'a> AppJson<'a> {
    fn new(app: &'a App, owners: &Owners, client_secret: Option<&'a str>) -> Self {
        Self {
            id: app.id.as_str(),
            name: &app.name,
            publisher: &app.publisher,
            client_type: match app.client_type() {
                ClientType::Confidential => "confidential",
                ClientType::Public => "public",
            },
            grant_types: app.grant_types.iter().map(|grant| grant.as_str()).collect(),
            redirect_uris: app.redirect_uris.iter().map(RedirectUri::as_str).collect(),
            scopes: args::scope_names(&app.scopes),
            owner: owners.of(app),
            created_at: app.created_at.to_rfc3339(),
            client_secret,
        }
    }
}

fn list_apps(apps: &[App], owners: &Owners, json: bool) -> Result<(), CliError> {
    let apps: Vec<AppJson<'_>> = apps.iter().map(|app| AppJson::new(app, owners, None)).collect();
    if json {
        return output::json(&apps);
    }
    let rows: Vec<[String; 5]> = apps
        .iter()
        .map(|app| {
            let owner = app.owner.clone().unwrap_or_default();
            [app.id.to_owned(), app.name.to_owned(), app.publisher.to_owned(), app.client_type.to_owned(), owner]
        })
        .collect();
    output::table(["APP ID", "NAME", "PUBLISHER", "TYPE", "OWNER"], &rows)
}

fn show(app: &App, owners: &Owners, client_secret: Option<&str>, json: bool) -> Result<(), CliError> {
    let app = AppJson::new(app, owners, client_secret);
    if json {
        return output::json(&app);
    }
    let mut fields = vec![
        ("App ID", app.id.to_owned()),
        ("name", app.name.to_owned()),
        ("publisher", app.publisher.to_owned()),
        ("type", app.client_type.to_owned()),
        ("grant types", app.grant_types.join("\n")),
        ("redirect URIs", app.redirect_uris.join("\n")),
        ("scopes", app.scopes.join("\n")),
        ("owner", app.owner.clone().unwrap_or_default()),
        ("created", app.created_at.clone()),
    ];
    fields.extend(app.client_secret.map(|secret| ("client secret", format!("{secret}\n(shown this once)"))));
    output::fields(&fields)
}
