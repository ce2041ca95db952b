//! `leadgate keys master`: the keys that whatever has to be kept secret is sealed under.

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::boot;
use crate::cli::error::CliError;
use crate::cli::progress::{Unit, Watch};
use crate::cli::{acting, output};
use crate::config::{Flags, Settings};
use crate::services::Context;
use crate::services::master_keys::{self, ListedMasterKey, MasterKeyState};

#[derive(Debug, Subcommand)]
pub enum MasterCommand {
    /// List the master keys, and how much is sealed under each.
    List(ListArgs),
    /// Write a new master key into the key file, and seal everything anew under it.
    ///
    /// Servers that read this file need no restart. Where nodes have copies of it, --announce first.
    Rotate(RotateArgs),
    /// Seal anew, under the present master key, what another one seals.
    Reseal(ListArgs),
    /// Take a master key that nothing needs any more out of the key file.
    Retire(RetireArgs),
}

#[derive(Debug, Args)]
pub struct ListArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct RotateArgs {
    /// Only write the new key into the file, for it to be copied to the other nodes; without this, the same command then
    /// rotates to it
    #[arg(long)]
    announce: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct RetireArgs {
    /// As `leadgate keys master list` shows it
    id: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub async fn run(flags: &Flags, command: MasterCommand) -> Result<(), CliError> {
    let settings = Settings::of_process(flags)?;
    // First: who opens the database makes the key file where there is none yet.
    let ctx = boot::open_context(&settings).await.map_err(CliError::failure)?;
    match command {
        MasterCommand::List(args) => show(&ctx, None, args.json).await,
        MasterCommand::Rotate(args) => {
            // Until all is sealed anew: a key that another command put in before it would be rotated past.
            let keys = boot::lock_master_keys(&settings).map_err(CliError::failure)?;
            boot::add_master_key(&keys, args.announce).map_err(CliError::failure)?;
            let resealed = if args.announce { None } else { Some(reseal(&ctx, args.json).await?) };
            show(&ctx, resealed, args.json).await
        }
        MasterCommand::Reseal(args) => {
            let resealed = reseal(&ctx, args.json).await?;
            show(&ctx, Some(resealed), args.json).await
        }
        MasterCommand::Retire(args) => {
            let id = boot::master_key_id(&args.id).map_err(CliError::usage)?;
            let keys = boot::lock_master_keys(&settings).map_err(CliError::failure)?;
            master_keys::check_unneeded(&ctx, id).await.map_err(CliError::failure)?;
            boot::remove_master_key(&keys, id).map_err(CliError::failure)?;
            master_keys::retired(&acting(&ctx), id).await.map_err(CliError::failure)?;
            output::done("retired", "master key", &args.id, args.json)
        }
    }
}

async fn reseal(ctx: &Context, is_silent: bool) -> Result<u64, CliError> {
    let watch = Watch { what: "reseal", unit: Unit::Of("sealed values"), is_silent };
    let acting = acting(ctx);
    watch.over(master_keys::reseal(&acting)).await.map_err(CliError::failure)
}

#[derive(Serialize)]
struct MasterKeysJson {
    keys: Vec<MasterKeyJson>,
    /// Values that none of them opens.
    lost: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    resealed: Option<u64>,
}

#[derive(Serialize)]
struct MasterKeyJson {
    id: String,
    state: &'static str,
    values: u64,
}

impl From<&ListedMasterKey> for MasterKeyJson {
    fn from(key: &ListedMasterKey) -> Self {
        Self { id: key.id.to_string(), state: key.state.as_str(), values: key.values }
    }
}

async fn show(ctx: &Context, resealed: Option<u64>, json: bool) -> Result<(), CliError> {
    let (listed, lost) = master_keys::list(ctx).await.map_err(CliError::failure)?;
    if json {
        return output::json(&MasterKeysJson {
            keys: listed.iter().map(MasterKeyJson::from).collect(),
            lost,
            resealed,
        });
    }
    let row = |key: &ListedMasterKey| [key.id.to_string(), key.state.as_str().to_owned(), key.values.to_string()];
    output::table(["MASTER KEY", "STATE", "SEALED VALUES"], &listed.iter().map(row).collect::<Vec<_>>())?;
    if let Some(resealed) = resealed {
        output::line(&format!("{resealed} values were sealed anew."))?;
    }
    if lost > 0 {
        output::line(&format!("{lost} values open under none of them: a master key is missing here."))?;
    }
    if listed.iter().any(|key| key.state == MasterKeyState::Next) {
        output::line("Copy the key file to every other node, then run `leadgate keys master rotate`.")?;
    }
    let old = listed.iter().find(|key| key.state == MasterKeyState::Old && key.values == 0);
    if let Some(old) = old {
        output::line(&format!(
            "{} is needed for older back-ups only; `leadgate keys master retire {}` takes it out of the file.",
            old.id, old.id
        ))?;
    }
    Ok(())
}
