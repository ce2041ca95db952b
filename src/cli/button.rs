//! `leadgate button`: sign-in buttons of applications.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::error::CliError;
use super::{app, args, output};
use crate::config::Flags;
use crate::domain::button::{Button, Size, Theme};
use crate::domain::ids::{AppId, ButtonId};
use crate::domain::origin::Origin;
use crate::domain::return_url::ReturnUrl;
use crate::domain::scope::Scope;
use crate::services::Context;
use crate::services::partner::{self, NewButton, PartnerError};

#[derive(Debug, Subcommand)]
pub enum ButtonCommand {
    /// Make a button for an application.
    Add(AddArgs),
    /// List all buttons, or those of one application.
    List(ListArgs),
    /// Show one button.
    Show(ButtonArgs),
    /// Change a button; what is not given stays. A list is replaced whole.
    Set(SetArgs),
    /// Delete a button. Connections that were made through it stay.
    Delete(ButtonArgs),
}

#[derive(Debug, Args)]
pub struct AddArgs {
    /// App ID of its application
    #[arg(long, value_name = "APP_ID", value_parser = AppId::parse)]
    app: AppId,
    /// Button id, which the page has as data-btnId [default: a new UUID]
    #[arg(long, value_parser = ButtonId::parse)]
    id: Option<ButtonId>,
    /// Origin that it may be used on, scheme://host[:port]; may be repeated
    #[arg(long = "origin", value_name = "ORIGIN", required = true, value_parser = Origin::parse)]
    origins: Vec<Origin>,
    /// Address that a sign-in may return to, matched exactly; may be repeated
    #[arg(long = "return-url", value_name = "URL", value_parser = ReturnUrl::parse)]
    return_urls: Vec<ReturnUrl>,
    /// What a click asks for; may be repeated [default: each API scope of the application]
    #[arg(long = "scope", value_name = "SCOPE", value_parser = Scope::parse)]
    scopes: Vec<Scope>,
    /// How its snippet has it look: auto (as the user's system), light or dark
    #[arg(long, value_parser = theme, default_value = "auto")]
    theme: Theme,
    /// How large: small, medium or large
    #[arg(long, value_parser = size, default_value = "medium")]
    size: Size,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only those of this application
    #[arg(long, value_name = "APP_ID", value_parser = AppId::parse)]
    app: Option<AppId>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct ButtonArgs {
    /// Button id
    #[arg(value_parser = ButtonId::parse)]
    id: ButtonId,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct SetArgs {
    #[command(flatten)]
    button: ButtonArgs,
    #[command(flatten)]
    changes: ChangeArgs,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct ChangeArgs {
    /// Origin that it may be used on; may be repeated
    #[arg(long = "origin", value_name = "ORIGIN", value_parser = Origin::parse)]
    origins: Vec<Origin>,
    /// Address that a sign-in may return to; may be repeated
    #[arg(long = "return-url", value_name = "URL", value_parser = ReturnUrl::parse)]
    return_urls: Vec<ReturnUrl>,
    /// No return address at all
    #[arg(long, conflicts_with = "return_urls")]
    no_return_urls: bool,
    /// What a click asks for; may be repeated
    #[arg(long = "scope", value_name = "SCOPE", value_parser = Scope::parse)]
    scopes: Vec<Scope>,
    /// Ask for each API scope of the application
    #[arg(long, conflicts_with = "scopes")]
    all_scopes: bool,
    /// How its snippet has it look: auto (as the user's system), light or dark
    #[arg(long, value_parser = theme)]
    theme: Option<Theme>,
    /// How large: small, medium or large
    #[arg(long, value_parser = size)]
    size: Option<Size>,
}

fn theme(text: &str) -> Result<Theme, String> {
    Theme::parse(text).ok_or_else(|| "auto, light or dark".to_owned())
}

fn size(text: &str) -> Result<Size, String> {
    Size::parse(text).ok_or_else(|| "small, medium or large".to_owned())
}

pub async fn run(flags: &Flags, command: ButtonCommand) -> Result<(), CliError> {
    let ctx = super::open(flags).await?;
    match command {
        ButtonCommand::Add(args) => add(&ctx, args).await,
        ButtonCommand::List(list) => {
            if let Some(app) = &list.app {
                partner::find_app(&ctx, app).await.map_err(|error| app::failure(app, error))?;
            }
            let buttons = partner::list_buttons(&ctx, list.app, None, args::MAX_LISTED).await;
            let buttons = buttons.map_err(CliError::failure)?;
            list_buttons(&buttons, list.json)
        }
        ButtonCommand::Show(args) => show(&find(&ctx, &args.id).await?, args.json),
        ButtonCommand::Set(args) => set(&ctx, args).await,
        ButtonCommand::Delete(args) => {
            partner::delete_button(&super::acting(&ctx), &args.id).await.map_err(|error| failure(&args.id, error))?;
            output::deleted("button", args.id.as_str(), args.json)
        }
    }
}

async fn add(ctx: &Context, args: AddArgs) -> Result<(), CliError> {
    let scopes = (!args.scopes.is_empty()).then(|| args.scopes.into_iter().collect());
    let (app, id) = (args.app.clone(), args.id.clone());
    let new = NewButton {
        id: args.id,
        app: args.app,
        origins: args.origins,
        return_urls: args.return_urls,
        scopes,
        theme: args.theme,
        size: args.size,
    };
    let button = partner::add_button(&super::acting(ctx), new).await.map_err(|error| match (error, id) {
        (PartnerError::ButtonTaken, Some(id)) => CliError::failure(format!("there is a button {id} already")),
        (error, _) => app::failure(&app, error),
    })?;
    show(&button, args.json)
}

async fn set(ctx: &Context, args: SetArgs) -> Result<(), CliError> {
    let mut button = find(ctx, &args.button.id).await?;
    let changes = args.changes;
    if !changes.origins.is_empty() {
        button.origins = changes.origins;
    }
    if changes.no_return_urls || !changes.return_urls.is_empty() {
        button.return_urls = changes.return_urls;
    }
    if changes.all_scopes {
        button.scopes = None;
    } else if !changes.scopes.is_empty() {
        button.scopes = Some(changes.scopes.into_iter().collect());
    }
    button.theme = changes.theme.unwrap_or(button.theme);
    button.size = changes.size.unwrap_or(button.size);
    let button =
        partner::set_button(&super::acting(ctx), button).await.map_err(|error| failure(&args.button.id, error))?;
    show(&button, args.button.json)
}

async fn find(ctx: &Context, id: &ButtonId) -> Result<Button, CliError> {
    match partner::find_button(ctx, id).await {
        Err(PartnerError::UnknownButton) => {
            let known = partner::list_buttons(ctx, None, None, args::MAX_LISTED).await.map_err(CliError::failure)?;
            Err(CliError::missing("button", id.as_str(), known.iter().map(|button| button.id.as_str())))
        }
        found => found.map_err(CliError::failure),
    }
}

fn failure(id: &ButtonId, error: PartnerError) -> CliError {
    match error {
        PartnerError::UnknownButton => CliError::missing("button", id.as_str(), []),
        error => CliError::failure(error),
    }
}

#[derive(Serialize)]
struct ButtonJson<'a> {
    id: &'a str,
    app: &'a str,
    origins: Vec<&'a str>,
    return_urls: Vec<&'a str>,
    /// Null: each API scope of the application.
    scopes: Option<Vec<&'static str>>,
    theme: &'static str,
    size: &'static str,
    created_at: String,
}

impl<'a> From<&'a Button> for ButtonJson<'a> {
    fn from(button: &'a Button) -> Self {
        Self {
            id: button.id.as_str(),
            app: button.app.as_str(),
            origins: button.origins.iter().map(Origin::as_str).collect(),
            return_urls: button.return_urls.iter().map(ReturnUrl::as_str).collect(),
            scopes: button.scopes.as_ref().map(args::scope_names),
            theme: button.theme.as_str(),
            size: button.size.as_str(),
            created_at: button.created_at.to_rfc3339(),
        }
    }
}

fn list_buttons(buttons: &[Button], json: bool) -> Result<(), CliError> {
    let buttons: Vec<ButtonJson<'_>> = buttons.iter().map(ButtonJson::from).collect();
    if json {
        return output::json(&buttons);
    }
    let rows: Vec<[String; 3]> = buttons
        .iter()
        .map(|button| {
            let origins = match button.origins.as_slice() {
                [first, _, ..] => format!("{first} and {} more", button.origins.len() - 1),
                origins => origins.concat(),
            };
            [button.id.to_owned(), button.app.to_owned(), origins]
        })
        .collect();
    output::table(["BUTTON ID", "APP ID", "ORIGINS"], &rows)
}

fn show(button: &Button, json: bool) -> Result<(), CliError> {
    let button = ButtonJson::from(button);
    if json {
        return output::json(&button);
    }
    let scopes =
        button.scopes.as_ref().map_or_else(|| "each API scope of the application".to_owned(), |s| s.join("\n"));
    output::fields(&[
        ("button id", button.id.to_owned()),
        ("App ID", button.app.to_owned()),
        ("origins", button.origins.join("\n")),
        ("return URLs", button.return_urls.join("\n")),
        ("scopes", scopes),
        ("theme", button.theme.to_owned()),
        ("size", button.size.to_owned()),
        ("created", button.created_at.clone()),
    ])
}
