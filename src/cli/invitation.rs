//! `leadgate invitation`: links for a password that were not used yet.

use clap::{Args, Subcommand};
use serde::Serialize;
use uuid::Uuid;

use super::error::CliError;
use super::{args, output};
use crate::config::Flags;
use crate::domain::ids::InvitationId;
use crate::domain::invitation::{Invitation, InvitedTo};
use crate::services::invitations::{self, InvitationError};

#[derive(Debug, Subcommand)]
pub enum InvitationCommand {
    /// List the invitations and resets that can still be used, newest first.
    List(ListArgs),
    /// Take an invitation back; its link leads nowhere from then on.
    Revoke(RevokeArgs),
}

#[derive(Debug, Args)]
pub struct ListArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct RevokeArgs {
    /// Its id, as `leadgate invitation list` shows it
    id: Uuid,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub async fn run(flags: &Flags, command: InvitationCommand) -> Result<(), CliError> {
    let ctx = super::open(flags).await?;
    match command {
        InvitationCommand::List(args) => {
            let open = invitations::list(&ctx, None, args::MAX_LISTED).await.map_err(CliError::failure)?;
            list(&open, args.json)
        }
        InvitationCommand::Revoke(RevokeArgs { id, json }) => {
            invitations::revoke(&super::acting(&ctx), InvitationId(id)).await.map_err(|error| match error {
                InvitationError::Unknown => CliError::failure(format!(
                    "there is no invitation {id} that can still be used; `leadgate invitation list` shows all"
                )),
                error => CliError::failure(error),
            })?;
            output::done("revoked", "invitation", &id.to_string(), json)
        }
    }
}

#[derive(Serialize)]
struct InvitationJson<'a> {
    id: String,
    email: &'a str,
    role: &'static str,
    /// `join` or `reset`.
    to: &'static str,
    /// Of whom is invited to join one that exists.
    account: Option<&'a str>,
    created_at: String,
    expires_at: String,
}

impl<'a> From<&'a Invitation> for InvitationJson<'a> {
    fn from(invitation: &'a Invitation) -> Self {
        let (to, account) = match &invitation.to {
            InvitedTo::Join { account } => ("join", account.as_ref().map(|account| account.as_str())),
            InvitedTo::Reset { .. } => ("reset", None),
        };
        Self {
            id: invitation.id.to_string(),
            email: invitation.email.as_str(),
            role: invitation.role.as_str(),
            to,
            account,
            created_at: invitation.created_at.to_rfc3339(),
            expires_at: invitation.expires_at.to_rfc3339(),
        }
    }
}

fn list(open: &[Invitation], json: bool) -> Result<(), CliError> {
    let open: Vec<InvitationJson<'_>> = open.iter().map(InvitationJson::from).collect();
    if json {
        return output::json(&open);
    }
    let row = |one: &InvitationJson<'_>| {
        let [email, role, to] = [one.email, one.role, one.to].map(str::to_owned);
        [one.id.clone(), email, role, to, one.expires_at.clone()]
    };
    let rows: Vec<[String; 5]> = open.iter().map(row).collect();
    output::table(["INVITATION ID", "EMAIL", "ROLE", "TO", "EXPIRES"], &rows)
}
