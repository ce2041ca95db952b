//! `leadgate lead`: leads that the lead receiver took.

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::error::CliError;
use super::{args, output};
use crate::config::Flags;
use crate::domain::field_value::{self, Fields};
use crate::domain::ids::{AccountId, AppId, LeadId};
use crate::domain::lead::{Lead, Properties};
use crate::services::leads::{self, Filter, LeadError};

#[derive(Debug, Subcommand)]
pub enum LeadCommand {
    /// List leads, newest first.
    List(ListArgs),
    /// Show one lead.
    Show(ShowArgs),
    /// Delete leads; others may have what only they could have.
    Delete(DeleteArgs),
}

#[derive(Debug, Args)]
pub struct Narrowed {
    /// Only those of this account
    #[arg(long, value_name = "ACCOUNT_ID", value_parser = AccountId::parse)]
    account: Option<AccountId>,
    /// Only those that came with a token of this application
    #[arg(long, value_name = "APP_ID", value_parser = AppId::parse)]
    app: Option<AppId>,
    /// Only those of this type
    #[arg(long, value_name = "LID", value_parser = clap::value_parser!(u32).range(1..))]
    lead_type: Option<u32>,
}

impl From<Narrowed> for Filter {
    fn from(narrowed: Narrowed) -> Self {
        Self { account: narrowed.account, app: narrowed.app, lead_type: narrowed.lead_type.map(i64::from) }
    }
}

#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    narrowed: Narrowed,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Lead id, as `leadgate lead list` shows it
    id: Uuid,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct DeleteArgs {
    #[command(flatten)]
    narrowed: Narrowed,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub async fn run(flags: &Flags, command: LeadCommand) -> Result<(), CliError> {
    let ctx = super::open(flags).await?;
    match command {
        LeadCommand::List(ListArgs { narrowed, json }) => {
            let found = leads::list(&ctx, narrowed.into(), None, args::MAX_LISTED).await.map_err(CliError::failure)?;
            list(&found, json)
        }
        LeadCommand::Show(ShowArgs { id, json }) => {
            let lead = leads::find(&ctx, LeadId(id)).await.map_err(|error| match error {
                LeadError::Unknown => {
                    CliError::failure(format!("there is no lead {id}; `leadgate lead list` shows all"))
                }
                error @ LeadError::Store(_) => CliError::failure(error),
            })?;
            show(&LeadJson::from(&lead), json)
        }
        LeadCommand::Delete(DeleteArgs { narrowed, json }) => {
            let deleted = leads::delete(&super::acting(&ctx), narrowed.into()).await.map_err(CliError::failure)?;
            if json {
                return output::json(&serde_json::json!({ "deleted": deleted }));
            }
            output::line(&format!("deleted {deleted} leads"))
        }
    }
}

#[derive(Serialize)]
struct LeadJson<'a> {
    id: String,
    /// What its sender got as `LeadIdentifier`.
    number: i64,
    account: &'a str,
    lead_type: i64,
    vid: i64,
    aid: Option<i64>,
    /// Null: it came with an API key.
    app: Option<&'a str>,
    received_at: String,
    properties: &'a Properties,
    fields: &'a Fields,
}

impl<'a> From<&'a Lead> for LeadJson<'a> {
    fn from(lead: &'a Lead) -> Self {
        Self {
            id: lead.id.to_string(),
            number: lead.number,
            account: lead.account.as_str(),
            lead_type: lead.lead_type,
            vid: lead.source,
            aid: lead.campaign,
            app: lead.app.as_ref().map(AppId::as_str),
            received_at: lead.received_at.to_rfc3339(),
            properties: &lead.properties,
            fields: &lead.fields,
        }
    }
}

fn list(found: &[Lead], json: bool) -> Result<(), CliError> {
    let found: Vec<LeadJson<'_>> = found.iter().map(LeadJson::from).collect();
    if json {
        return output::json(&found);
    }
    let row = |lead: &LeadJson<'_>| {
        let numbers = [lead.number, lead.lead_type, lead.vid].map(|number| number.to_string());
        let [number, lead_type, vid] = numbers;
        [lead.id.clone(), number, lead.account.to_owned(), lead_type, vid, lead.received_at.clone()]
    };
    let rows: Vec<[String; 6]> = found.iter().map(row).collect();
    output::table(["LEAD ID", "NUMBER", "ACCOUNT ID", "TYPE", "VID", "RECEIVED"], &rows)
}

fn show(lead: &LeadJson<'_>, json: bool) -> Result<(), CliError> {
    if json {
        return output::json(lead);
    }
    let field = |(name, value): (&String, &Value)| format!("{name}: {}", field_value::text(value));
    let aid = lead.aid.map_or_else(|| "(none)".to_owned(), |aid| aid.to_string());
    output::fields(&[
        ("lead id", lead.id.clone()),
        ("number", lead.number.to_string()),
        ("account id", lead.account.to_owned()),
        ("type", lead.lead_type.to_string()),
        ("vid", lead.vid.to_string()),
        ("aid", aid),
        ("App ID", lead.app.unwrap_or("(an API key)").to_owned()),
        ("received", lead.received_at.clone()),
        ("reference", lead.properties.reference.clone().unwrap_or_default()),
        ("fields", lead.fields.iter().map(field).collect::<Vec<_>>().join("\n")),
    ])
}
