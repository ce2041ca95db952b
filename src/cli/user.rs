//! `leadgate user`: people with a LeadExec login.

mod consents;
mod delete;
mod link;
mod sessions;
mod show;

use clap::{Args, Subcommand};

use super::args::{self, PasswordArgs};
use super::error::CliError;
use super::{acting, output};
use crate::config::Flags;
use crate::config::seed::SeedPassword;
use crate::domain::email::Email;
use crate::domain::role::Role;
use crate::domain::user::User;
use crate::services::Context;
use crate::services::account::export;
use crate::services::users::{self, Change, NewUser, UserError};
use delete::DeleteArgs;
use link::InviteArgs;

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
    /// Make a link by which somebody becomes a user, shown this once; a newer one for the address replaces it.
    Invite(InviteArgs),
    /// Make a link by which a user chooses another password, shown this once; until then the present one stays good.
    Reset(UserArgs),
    /// Keep a user out; sessions and connections end.
    Disable(UserArgs),
    /// Let a disabled user in again.
    Enable(UserArgs),
    /// List where a user is signed in, newest first.
    Sessions(UserArgs),
    /// Sign a user out everywhere; connections stay.
    EndSessions(UserArgs),
    /// List what a user has allowed, and what became of it, newest first.
    Consents(UserArgs),
    /// Print all that is kept of a user, as JSON.
    Export(UserArgs),
    /// Delete a user with sessions and connections; applications of theirs stay, without an owner.
    Delete(DeleteArgs),
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
    /// E-mail address, which is the login; ends nothing
    #[arg(long = "email", value_name = "EMAIL", value_parser = Email::parse)]
    new_email: Option<Email>,
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
            show::list(&users::list(&ctx, None, args::MAX_LISTED).await.map_err(CliError::failure)?, list.json)
        }
        UserCommand::Show(args) => show::one(&find(&ctx, &args.email).await?, None, args.json),
        UserCommand::Set(args) => set(&ctx, args).await,
        UserCommand::SetPassword(args) => set_password(&ctx, args).await,
        UserCommand::Disable(args) => {
            let user = users::disable(&acting(&ctx), &args.email).await.map_err(|error| failure(&args.email, error))?;
            show::one(&user, None, args.json)
        }
        UserCommand::Enable(args) => {
            let user = users::enable(&acting(&ctx), &args.email).await.map_err(|error| failure(&args.email, error))?;
            show::one(&user, None, args.json)
        }
        UserCommand::Invite(args) => link::invite(&ctx, args).await,
        UserCommand::Reset(args) => link::reset(&ctx, args).await,
        UserCommand::Sessions(args) => sessions::list(&ctx, args).await,
        UserCommand::EndSessions(args) => sessions::end(&ctx, args).await,
        UserCommand::Consents(args) => consents::list(&ctx, args).await,
        UserCommand::Export(args) => {
            let user = find(&ctx, &args.email).await?;
            output::json(&export::export(&acting(&ctx), &user).await.map_err(CliError::failure)?)
        }
        UserCommand::Delete(args) => delete::run(&ctx, args).await,
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
    let user = users::add(&acting(ctx), new).await.map_err(|error| no_account(&account, error))?;
    show::one(&user, Some(&password), args.json)
}

async fn set(ctx: &Context, args: SetArgs) -> Result<(), CliError> {
    let SetArgs { user: UserArgs { email, json }, changes: ChangeArgs { new_email, name, account, role } } = args;
    let user = find(ctx, &email).await?;
    let named = account.clone().unwrap_or_default();
    let change = Change { email: new_email, name, account, role, ..Change::default() };
    let user = users::change(&acting(ctx), user.id, change).await.map_err(|error| no_account(&named, error))?;
    show::one(&user, None, json)
}

async fn set_password(ctx: &Context, args: SetPasswordArgs) -> Result<(), CliError> {
    let password = args.password.password(ctx)?;
    let email = args.user.email;
    let user = users::set_password(&acting(ctx), &email, password.secret.expose()).await;
    show::one(&user.map_err(|error| failure(&email, error))?, Some(&password), args.user.json)
}

async fn find(ctx: &Context, email: &Email) -> Result<User, CliError> {
    match users::find(ctx, email).await {
        Err(UserError::Unknown) => {
            let known = users::list(ctx, None, args::MAX_LISTED).await.map_err(CliError::failure)?;
            Err(CliError::missing("user", email.as_str(), known.iter().map(|user| user.email.as_str())))
        }
        found => found.map_err(CliError::failure),
    }
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
        UserError::Unknown => CliError::missing("user", email.as_str(), []),
        error => CliError::failure(error),
    }
}
