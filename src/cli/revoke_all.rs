//! `leadgate revoke-all`: the end of every sign-in.

use clap::Args;
use serde::Serialize;

use super::error::CliError;
use super::output;
use super::progress::{Unit, Watch};
use crate::config::Flags;
use crate::services::revoke_all;

#[derive(Debug, Args)]
pub struct RevokeAllArgs {
    /// That it is meant
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct RevokedJson {
    connections_ended: usize,
    sessions_ended: u64,
    offers_withdrawn: u64,
}

pub async fn run(flags: &Flags, args: &RevokeAllArgs) -> Result<(), CliError> {
    if !args.yes {
        return Err(CliError::usage(
            "this ends every connection, grant and session: every user has to sign in and to allow every application \
             anew. Say --yes if that is meant",
        ));
    }
    let ctx = super::open(flags).await?;
    let watch = Watch { what: "revoke-all", unit: Unit::Of("sessions and connections"), is_silent: args.json };
    let acting = super::acting(&ctx);
    let revoked = watch.over(revoke_all::revoke_all(&acting)).await.map_err(CliError::failure)?;
    if args.json {
        return output::json(&RevokedJson {
            connections_ended: revoked.connections,
            sessions_ended: revoked.sessions,
            offers_withdrawn: revoked.offers,
        });
    }
    output::line(&format!(
        "ended {} connections and {} sessions, and withdrew {} invitations and registration tokens",
        revoked.connections, revoked.sessions, revoked.offers
    ))?;
    output::line(
        "What stays: passwords, client secrets, API keys, and the registration access tokens with which clients that \
         registered themselves may be changed or deleted.",
    )
}
