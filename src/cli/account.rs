//! `leadgate account`: LeadExec's customer accounts.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::error::CliError;
use super::{args, output};
use crate::config::{Flags, Secret};
use crate::domain::account::Account;
use crate::domain::ids::AccountId;
use crate::services::Context;
use crate::services::accounts::{self, AccountError, ApiKey, NewAccount};

#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Make an account; its API key is shown this once.
    Add(AddArgs),
    /// List all accounts.
    List(ListArgs),
    /// Show one account.
    Show(AccountArgs),
    /// Rename an account, or replace its API keys.
    Set(SetArgs),
    /// Its API keys, for the lead receiver.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Delete an account that nobody belongs to.
    Delete(AccountArgs),
}

#[derive(Debug, Args)]
pub struct AddArgs {
    /// Name, as its users know it
    #[arg(value_parser = args::name)]
    name: String,
    /// Account id [default: a new UUID]
    #[arg(long, value_parser = AccountId::parse)]
    id: Option<AccountId>,
    /// Without an API key, which the lead receiver would take
    #[arg(long)]
    no_api_key: bool,
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
pub struct AccountArgs {
    /// Account id
    #[arg(value_parser = AccountId::parse)]
    id: AccountId,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct SetArgs {
    #[command(flatten)]
    account: AccountArgs,
    #[command(flatten)]
    changes: ChangeArgs,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct ChangeArgs {
    /// Name, as its users know it
    #[arg(long, value_parser = args::name)]
    name: Option<String>,
    /// Make an API key, shown this once, in place of all that the account has
    #[arg(long)]
    new_api_key: bool,
    /// No API key at all
    #[arg(long, conflicts_with = "new_api_key")]
    no_api_keys: bool,
}

#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make one more API key, shown this once.
    Add(AccountArgs),
    /// Take one API key away.
    Remove(RemoveKeyArgs),
}

#[derive(Debug, Args)]
pub struct RemoveKeyArgs {
    #[command(flatten)]
    account: AccountArgs,
    /// The key's fingerprint, as `leadgate account show` has it
    fingerprint: String,
}

pub async fn run(flags: &Flags, command: AccountCommand) -> Result<(), CliError> {
    let ctx = super::open(flags).await?;
    match command {
        AccountCommand::Add(args) => add(&ctx, args).await,
        AccountCommand::List(args) => {
            let accounts = accounts::list(&ctx, None, args::MAX_LISTED).await.map_err(CliError::failure)?;
            list(&accounts, args.json)
        }
        AccountCommand::Show(args) => show(&ctx, &find(&ctx, &args.id).await?, None, args.json).await,
        AccountCommand::Set(args) => set(&ctx, args).await,
        AccountCommand::Key(KeyCommand::Add(AccountArgs { id, json })) => {
            let key = accounts::add_api_key(&super::acting(&ctx), &id).await.map_err(|error| failure(&id, error))?;
            show(&ctx, &find(&ctx, &id).await?, Some(&key), json).await
        }
        AccountCommand::Key(KeyCommand::Remove(RemoveKeyArgs { account: AccountArgs { id, json }, fingerprint })) => {
            let removed = accounts::remove_api_key(&super::acting(&ctx), &id, &fingerprint).await;
            removed.map_err(|error| failure(&id, error))?;
            show(&ctx, &find(&ctx, &id).await?, None, json).await
        }
        AccountCommand::Delete(args) => {
            accounts::delete(&super::acting(&ctx), &args.id).await.map_err(|error| failure(&args.id, error))?;
            output::deleted("account", args.id.as_str(), args.json)
        }
    }
}

async fn add(ctx: &Context, args: AddArgs) -> Result<(), CliError> {
    let api_keys = args.no_api_key.then(Vec::new);
    let new = NewAccount { id: args.id.clone(), name: args.name, api_keys };
    let (account, key) = accounts::add(&super::acting(ctx), new).await.map_err(|error| match (error, args.id) {
        (AccountError::Taken, Some(id)) => CliError::failure(format!("there is an account {id} already")),
        (error, _) => CliError::failure(error),
    })?;
    show(ctx, &account, key.as_deref(), args.json).await
}

async fn set(ctx: &Context, args: SetArgs) -> Result<(), CliError> {
    let SetArgs { account: AccountArgs { id, json }, changes } = args;
    let made = changes.new_api_key.then(|| accounts::make_api_key(ctx));
    let keys: Vec<Secret> = made.iter().map(Secret::new).collect();
    let replaced = (changes.new_api_key || changes.no_api_keys).then_some(keys.as_slice());
    let account = accounts::change(&super::acting(ctx), &id, changes.name, replaced).await;
    show(ctx, &account.map_err(|error| failure(&id, error))?, made.as_deref(), json).await
}

async fn find(ctx: &Context, id: &AccountId) -> Result<Account, CliError> {
    match accounts::find(ctx, id).await {
        Err(AccountError::Unknown) => {
            let known = accounts::list(ctx, None, args::MAX_LISTED).await.map_err(CliError::failure)?;
            Err(CliError::missing("account", id.as_str(), known.iter().map(|account| account.id.as_str())))
        }
        found => found.map_err(CliError::failure),
    }
}

fn failure(id: &AccountId, error: AccountError) -> CliError {
    match error {
        AccountError::Unknown => CliError::missing("account", id.as_str(), []),
        error => CliError::failure(error),
    }
}

#[derive(Serialize)]
struct AccountJson<'a> {
    id: &'a str,
    name: &'a str,
    users: i64,
    api_keys: Vec<ApiKeyJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<&'a str>,
}

/// A key itself is shown once.
#[derive(Serialize)]
struct ApiKeyJson<'a> {
    fingerprint: &'a str,
    added_at: String,
}

impl<'a> From<&'a ApiKey> for ApiKeyJson<'a> {
    fn from(key: &'a ApiKey) -> Self {
        Self { fingerprint: &key.fingerprint, added_at: key.added_at.to_rfc3339() }
    }
}

fn list(accounts: &[Account], json: bool) -> Result<(), CliError> {
    if json {
        let named = |account: &Account| serde_json::json!({ "id": account.id, "name": account.name });
        return output::json(&accounts.iter().map(named).collect::<Vec<_>>());
    }
    let rows: Vec<[String; 2]> =
        accounts.iter().map(|account| [account.id.to_string(), account.name.clone()]).collect();
    output::table(["ACCOUNT ID", "NAME"], &rows)
}

/// `api_key` is one that was made now.
async fn show(ctx: &Context, account: &Account, api_key: Option<&str>, json: bool) -> Result<(), CliError> {
    let overview = accounts::overview(ctx, &account.id).await.map_err(CliError::failure)?;
    let account = AccountJson {
        id: account.id.as_str(),
        name: &account.name,
        users: overview.users,
        api_keys: overview.api_keys.iter().map(ApiKeyJson::from).collect(),
        api_key,
    };
    if json {
        return output::json(&account);
    }
    let keys = account.api_keys.iter().map(|key| format!("{} of {}", key.fingerprint, key.added_at));
    let mut fields = vec![
        ("account id", account.id.to_owned()),
        ("name", account.name.to_owned()),
        ("users", account.users.to_string()),
        ("API keys", keys.collect::<Vec<_>>().join("\n")),
    ];
    fields.extend(api_key.map(|key| ("new API key", output::shown_once(key))));
    output::fields(&fields)
}
