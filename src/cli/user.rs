//! `leadgate user`: people with a LeadExec login.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::args::{self, Password, PasswordArgs};
use super::error::CliError;
use super::output;
use crate::config::Flags;
use crate::config::seed::SeedPassword;
use crate::domain::email::Email;
use crate::domain::magic::Magic;
use crate::domain::role::Role;
use crate::domain::user::{User, UserState};
use crate::services::Context;
use crate::services::users::{self, Change, NewUser, UserError};

#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add a user to an account that exists.
    Add(AddArgs),
    /// List all users.
    List(ListArgs),
    /// Show one user.
    Show(UserArgs),
    /// Change a user; what is not given stays.
    Set(SetArgs),
    /// Set a password; the user's sessions and connections end.
    SetPassword(SetPasswordArgs),
    /// Keep a user out; sessions and connections end.
    Disable(UserArgs),
    /// Let a disabled user in again.
    Enable(UserArgs),
    /// Delete a user with sessions and connections.
    Delete(UserArgs),
}

#[derive(Debug, Args)]
pub struct AddArgs {
    /// E-mail address, which is the login
    #[arg(value_parser = Email::parse)]
    email: Email,
    /// Name, as applications are shown it
    #[arg(long, value_parser = args::name)]
    name: String,
    /// Id or name of the account that the user belongs to
    #[arg(long)]
    account: String,
    /// member, partner (may register applications) or admin
    #[arg(long, default_value = "member", value_parser = Role::parse)]
    role: Role,
    #[command(flatten)]
    password: PasswordArgs,
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
pub struct UserArgs {
    /// E-mail address
    #[arg(value_parser = Email::parse)]
    email: Email,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct SetArgs {
    #[command(flatten)]
    user: UserArgs,
    #[command(flatten)]
    changes: ChangeArgs,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct ChangeArgs {
    /// Name, as applications are shown it
    #[arg(long, value_parser = args::name)]
    name: Option<String>,
    /// Id or name of the account that the user belongs to
    #[arg(long)]
    account: Option<String>,
    /// member, partner (may register applications) or admin
    #[arg(long, value_parser = Role::parse)]
    role: Option<Role>,
}

#[derive(Debug, Args)]
pub struct SetPasswordArgs {
    #[command(flatten)]
    user: UserArgs,
    #[command(flatten)]
    password: PasswordArgs,
}

pub async fn run(flags: &Flags, command: UserCommand) -> Result<(), CliError> {
    let ctx = super::open(flags).await?;
    match command {
        UserCommand::Add(args) => add(&ctx, args).await,
        UserCommand::List(list) => {
            list_users(&users::list(&ctx, None, args::MAX_LISTED).await.map_err(CliError::failure)?, list.json)
        }
        UserCommand::Show(args) => {
            let user = users::find(&ctx, &args.email).await.map_err(|error| failure(&args.email, error))?;
            show(&user, None, args.json)
        }
        UserCommand::Set(args) => set(&ctx, args).await,
        UserCommand::SetPassword(args) => set_password(&ctx, args).await,
        UserCommand::Disable(args) => {
            let user =
                users::disable(&super::acting(&ctx), &args.email).await.map_err(|error| failure(&args.email, error))?;
            show(&user, None, args.json)
        }
        UserCommand::Enable(args) => {
            let user =
                users::enable(&super::acting(&ctx), &args.email).await.map_err(|error| failure(&args.email, error))?;
            show(&user, None, args.json)
        }
        UserCommand::Delete(args) => {
            let user =
                users::delete(&super::acting(&ctx), &args.email).await.map_err(|error| failure(&args.email, error))?;
            output::deleted("user", user.email.as_str(), args.json)
        }
    }
}

async fn add(ctx: &Context, args: AddArgs) -> Result<(), CliError> {
    let password = args.password.password(ctx)?;
    let account = args.account.clone();
    let new = NewUser {
        email: args.email,
        name: args.name,
        account: args.account,
        role: args.role,
        password: SeedPassword::Plain(password.secret.clone()),
        is_disabled: false,
    };
    let user = users::add(&super::acting(ctx), new).await.map_err(|error| no_account(&account, error))?;
    show(&user, Some(&password), args.json)
}

async fn set(ctx: &Context, args: SetArgs) -> Result<(), CliError> {
    let SetArgs { user: UserArgs { email, json }, changes: ChangeArgs { name, account, role } } = args;
    let user = users::find(ctx, &email).await.map_err(|error| failure(&email, error))?;
    let named = account.clone().unwrap_or_default();
    let change = Change { name, account, role, ..Change::default() };
    let user = users::change(&super::acting(ctx), user.id, change).await.map_err(|error| no_account(&named, error))?;
    show(&user, None, json)
}

async fn set_password(ctx: &Context, args: SetPasswordArgs) -> Result<(), CliError> {
    let password = args.password.password(ctx)?;
    let email = args.user.email;
    let user = users::set_password(&super::acting(ctx), &email, password.secret.expose()).await;
    show(&user.map_err(|error| failure(&email, error))?, Some(&password), args.user.json)
}

fn no_account(account: &str, error: UserError) -> CliError {
    match error {
        UserError::UnknownAccount => CliError::failure(format!(
            "there is no account with the id or name `{account}`; `leadgate account list` shows all"
        )),
        error => CliError::failure(error),
    }
}

pub(super) fn failure(email: &Email, error: UserError) -> CliError {
    match error {
        UserError::Unknown => CliError::failure(format!("there is no user {email}; `leadgate user list` shows all")),
        error => CliError::failure(error),
    }
}

#[derive(Serialize)]
struct UserJson<'a> {
    id: String,
    email: &'a str,
    name: &'a str,
    account: &'a str,
    role: &'static str,
    magic: Option<&'static str>,
    disabled_since: Option<String>,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
}

impl<'a> UserJson<'a> {
    fn new(user: &'a User, password: Option<&'a Password>) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email.as_str(),
            name: &user.name,
            account: user.account.as_str(),
            role: user.role.as_str(),
            magic: user.magic.map(Magic::as_str),
            disabled_since: match user.state {
                UserState::Active => None,
                UserState::Disabled { since } => Some(since.to_rfc3339()),
            },
            created_at: user.created_at.to_rfc3339(),
            password: password.filter(|password| password.is_generated).map(|password| password.secret.expose()),
        }
    }
}

fn list_users(users: &[User], json: bool) -> Result<(), CliError> {
    let users: Vec<UserJson<'_>> = users.iter().map(|user| UserJson::new(user, None)).collect();
    if json {
        return output::json(&users);
    }
    let rows: Vec<[String; 5]> = users
        .iter()
        .map(|user| [user.email, user.name, user.account, user.role, state(user)].map(str::to_owned))
        .collect();
    output::table(["EMAIL", "NAME", "ACCOUNT", "ROLE", "STATE"], &rows)
}

fn state(user: &UserJson<'_>) -> &'static str {
    if user.disabled_since.is_some() { "disabled" } else { "active" }
}

fn show(user: &User, password: Option<&Password>, json: bool) -> Result<(), CliError> {
    let user = UserJson::new(user, password);
    if json {
        return output::json(&user);
    }
    let mut fields = vec![
        ("email", user.email.to_owned()),
        ("name", user.name.to_owned()),
        ("account", user.account.to_owned()),
        ("role", user.role.to_owned()),
        ("state", state(&user).to_owned()),
        ("created", user.created_at.clone()),
    ];
    fields.extend(user.magic.map(|magic| ("magic", magic.to_owned())));
    fields.extend(user.password.map(|password| ("password", output::shown_once(password))));
    output::fields(&fields)
}
