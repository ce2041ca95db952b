//! `leadgate connection`: users' consents to applications.

use clap::{Args, Subcommand};
use serde::Serialize;
use uuid::Uuid;

use super::error::CliError;
use super::{app, args, output, user};
use crate::config::Flags;
use crate::domain::connection::{Connection, ConnectionState};
use crate::domain::email::Email;
use crate::domain::ids::{AppId, ConnectionId};
use crate::domain::timestamp::Timestamp;
use crate::services::connections::{self, ConnectionError, Filter};
use crate::services::{Context, partner, users};

#[derive(Debug, Subcommand)]
pub enum ConnectionCommand {
    /// List the connections that have not ended, oldest first.
    List(ListArgs),
    /// Show one connection.
    Show(ConnectionArgs),
    /// End a connection, and with it whatever was issued from it.
    End(ConnectionArgs),
}

#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only those to this application
    #[arg(long, value_name = "APP_ID", value_parser = AppId::parse)]
    app: Option<AppId>,
    /// Only those of this user
    #[arg(long, value_name = "EMAIL", value_parser = Email::parse)]
    user: Option<Email>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct ConnectionArgs {
    /// Connection id, as `leadgate connection list` shows it
    id: Uuid,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub async fn run(flags: &Flags, command: ConnectionCommand) -> Result<(), CliError> {
    let ctx = super::open(flags).await?;
    match command {
        ConnectionCommand::List(args) => list(&ctx, args).await,
        ConnectionCommand::Show(ConnectionArgs { id, json }) => {
            let (connection, email) = connections::find(&ctx, ConnectionId(id)).await.map_err(|e| failure(id, e))?;
            show(&ConnectionJson::new(&connection, &email), json)
        }
        ConnectionCommand::End(ConnectionArgs { id, json }) => {
            connections::end(&super::acting(&ctx), ConnectionId(id)).await.map_err(|error| failure(id, error))?;
            output::done("ended", "connection", &id.to_string(), json)
        }
    }
}

async fn list(ctx: &Context, args: ListArgs) -> Result<(), CliError> {
    if let Some(id) = &args.app {
        partner::find_app(ctx, id).await.map_err(|error| app::failure(id, error))?;
    }
    let user = match &args.user {
        Some(email) => Some(users::find(ctx, email).await.map_err(|error| user::failure(email, error))?.id),
        None => None,
    };
    let filter = Filter { app: args.app, user, after: None };
    let found = connections::list(ctx, filter, args::MAX_LISTED).await.map_err(CliError::failure)?;
    let found: Vec<_> = found.iter().map(|(connection, email)| ConnectionJson::new(connection, email)).collect();
    if args.json {
        return output::json(&found);
    }
    let row = |one: &ConnectionJson<'_>| {
        let last_used = one.last_used_at.clone().unwrap_or_else(|| "never".to_owned());
        [one.id.clone(), one.user.to_owned(), one.app.to_owned(), one.created_at.clone(), last_used]
    };
    let rows: Vec<[String; 5]> = found.iter().map(row).collect();
    output::table(["CONNECTION ID", "USER", "APP ID", "CREATED", "LAST USED"], &rows)
}

fn failure(id: Uuid, error: ConnectionError) -> CliError {
    match error {
        ConnectionError::Unknown => {
            CliError::failure(format!("there is no connection {id}; `leadgate connection list` shows all"))
        }
        error => CliError::failure(error),
    }
}

#[derive(Serialize)]
struct ConnectionJson<'a> {
    id: String,
    user: &'a str,
    app: &'a str,
    scopes: Vec<&'static str>,
    created_at: String,
    last_used_at: Option<String>,
    /// Null: it ends when somebody ends it.
    expires_at: Option<String>,
}

impl<'a> ConnectionJson<'a> {
    fn new(connection: &'a Connection, email: &'a str) -> Self {
        Self {
            id: connection.id.to_string(),
            user: email,
            app: connection.app.as_str(),
            scopes: args::scope_names(&connection.scopes),
            created_at: connection.created_at.to_rfc3339(),
            last_used_at: connection.last_used_at.map(Timestamp::to_rfc3339),
            expires_at: match connection.state {
                ConnectionState::Expiring { at } => Some(at.to_rfc3339()),
                ConnectionState::Active | ConnectionState::Ended { .. } => None,
            },
        }
    }
}

fn show(connection: &ConnectionJson<'_>, json: bool) -> Result<(), CliError> {
    if json {
        return output::json(connection);
    }
    let or = |time: &Option<String>, none: &str| time.clone().unwrap_or_else(|| none.to_owned());
    output::fields(&[
        ("connection id", connection.id.clone()),
        ("user", connection.user.to_owned()),
        ("App ID", connection.app.to_owned()),
        ("scopes", connection.scopes.join("\n")),
        ("created", connection.created_at.clone()),
        ("last used", or(&connection.last_used_at, "never")),
        ("expires", or(&connection.expires_at, "when it is ended")),
    ])
}
