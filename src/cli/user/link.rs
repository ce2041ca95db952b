//! `leadgate user invite`, `leadgate user reset`: links by which somebody chooses a password.

use clap::Args;
use serde::Serialize;

use super::super::error::CliError;
use super::super::{acting, output};
use super::{UserArgs, find};
use crate::domain::email::Email;
use crate::domain::ids::AccountId;
use crate::domain::role::Role;
use crate::services::Context;
use crate::services::invitations::{self, InvitationError, NewUser, Offered};

#[derive(Debug, Args)]
pub struct InviteArgs {
    /// E-mail address, which will be the login
    #[arg(value_parser = Email::parse)]
    email: Email,
    /// member, partner (may register applications) or admin
    #[arg(long, default_value = "partner", value_parser = Role::parse)]
    role: Role,
    /// Id of the account to belong to [default: one of their own, which they name]
    #[arg(long, value_name = "ACCOUNT_ID", value_parser = AccountId::parse)]
    account: Option<AccountId>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub async fn invite(ctx: &Context, args: InviteArgs) -> Result<(), CliError> {
    let named = args.account.clone();
    let new = NewUser { email: args.email, role: args.role, account: args.account };
    let offered = invitations::invite(&acting(ctx), new).await.map_err(|error| match (error, named) {
        (InvitationError::UnknownAccount, Some(id)) => {
            CliError::failure(format!("there is no account {id}; `leadgate account list` shows all"))
        }
        (error, _) => CliError::failure(error),
    })?;
    show(&offered, args.json)
}

pub async fn reset(ctx: &Context, UserArgs { email, json }: UserArgs) -> Result<(), CliError> {
    let user = find(ctx, &email).await?;
    show(&invitations::reset(&acting(ctx), user.id).await.map_err(CliError::failure)?, json)
}

#[derive(Serialize)]
struct LinkJson<'a> {
    email: &'a str,
    link: &'a str,
    expires_at: String,
}

fn show(offered: &Offered, json: bool) -> Result<(), CliError> {
    let invitation = &offered.invitation;
    let (email, link) = (invitation.email.as_str(), offered.link.as_str());
    let link = LinkJson { email, link, expires_at: invitation.expires_at.to_rfc3339() };
    if json {
        return output::json(&link);
    }
    output::fields(&[
        ("email", link.email.to_owned()),
        ("link", output::shown_once(link.link)),
        ("good until", link.expires_at),
    ])
}
