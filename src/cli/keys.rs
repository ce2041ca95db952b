//! `leadgate keys`: the keys that tokens are signed with, those that they are sealed under, and tokens for clients that
//! register themselves.

mod master;

use std::collections::BTreeSet;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::error::CliError;
use super::output;
use crate::config::Flags;
use crate::domain::duration;
use crate::domain::signing_algorithm::SigningAlgorithm;
use crate::services::Context;
use crate::services::keys::{self, ListedKey};
use crate::services::oauth::registration::{self, InitialToken};

#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// List the signing keys.
    List(ListArgs),
    /// Make the next signing key; it is published at once and signs ten minutes later.
    ///
    /// Servers that run need no restart. What the old key signed stays good until it expires.
    Rotate(RotateArgs),
    /// The keys that all others, and other secrets, are sealed under.
    #[command(subcommand)]
    Master(master::MasterCommand),
    /// Make an initial access token, with which clients may register themselves; it is shown this once.
    RegistrationToken(RegistrationTokenArgs),
}

#[derive(Debug, Args)]
pub struct ListArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct RotateArgs {
    /// Algorithm: ES256, RS256 or EdDSA; may be repeated [default: each that has a key]
    #[arg(long = "alg", value_name = "ALG", value_parser = SigningAlgorithm::parse)]
    algorithms: Vec<SigningAlgorithm>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct RegistrationTokenArgs {
    /// How long it is good, such as 30m, 24h or 7d; at most 365d
    #[arg(long, value_name = "DURATION", default_value = "1d", value_parser = lifetime)]
    expires_in: Duration,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn lifetime(text: &str) -> Result<Duration, String> {
    let lifetime = duration::parse(text).map_err(|error| error.to_string())?;
    if registration::is_token_lifetime(lifetime) { Ok(lifetime) } else { Err("1s to 365d".to_owned()) }
}

pub async fn run(flags: &Flags, command: KeysCommand) -> Result<(), CliError> {
    match command {
        KeysCommand::List(args) => show(&keys::list(&super::open(flags).await?), args.json),
        KeysCommand::Rotate(args) => rotate(&super::open(flags).await?, args).await,
        KeysCommand::Master(command) => master::run(flags, command).await,
        KeysCommand::RegistrationToken(args) => make_registration_token(&super::open(flags).await?, &args).await,
    }
}

async fn rotate(ctx: &Context, args: RotateArgs) -> Result<(), CliError> {
    let algorithms: BTreeSet<_> = if args.algorithms.is_empty() {
        keys::list(ctx).iter().map(|key| key.algorithm).collect()
    } else {
        args.algorithms.into_iter().collect()
    };
    let mut made = Vec::with_capacity(algorithms.len());
    for algorithm in algorithms {
        made.push(keys::rotate(&super::acting(ctx), algorithm).await.map_err(CliError::failure)?);
    }
    show(&made, args.json)
}

#[derive(Serialize)]
struct RegistrationTokenJson {
    token: String,
    expires_at: String,
}

async fn make_registration_token(ctx: &Context, args: &RegistrationTokenArgs) -> Result<(), CliError> {
    let InitialToken { token, expires_at } =
        registration::make_token(&super::acting(ctx), args.expires_in).await.map_err(CliError::failure)?;
    let expires_at = expires_at.to_rfc3339();
    if args.json {
        return output::json(&RegistrationTokenJson { token, expires_at });
    }
    output::fields(&[("token", output::shown_once(&token)), ("expires", expires_at)])
}

#[derive(Serialize)]
struct KeyJson<'a> {
    kid: &'a str,
    alg: &'static str,
    serial: u16,
    state: &'static str,
    created_at: String,
}

impl<'a> From<&'a ListedKey> for KeyJson<'a> {
    fn from(key: &'a ListedKey) -> Self {
        Self {
            kid: &key.id,
            alg: key.algorithm.as_str(),
            serial: key.serial,
            state: key.state.as_str(),
            created_at: key.created_at.to_rfc3339(),
        }
    }
}

fn show(keys: &[ListedKey], json: bool) -> Result<(), CliError> {
    let keys: Vec<KeyJson<'_>> = keys.iter().map(KeyJson::from).collect();
    if json {
        return output::json(&keys);
    }
    let row = |key: &KeyJson<'_>| {
        [key.kid.to_owned(), key.alg.to_owned(), key.serial.to_string(), key.state.to_owned(), key.created_at.clone()]
    };
    let rows: Vec<[String; 5]> = keys.iter().map(row).collect();
    output::table(["KEY ID", "ALGORITHM", "SERIAL", "STATE", "CREATED"], &rows)
}
