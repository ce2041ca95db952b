//! `leadgate event`: what happened, by whom, from where.

use std::time::Duration;

use clap::{Args, Subcommand};
use serde::Serialize;
use uuid::Uuid;

use super::error::CliError;
use super::{args, output};
use crate::config::Flags;
use crate::domain::duration;
use crate::domain::event::{Action, Change, Event, TargetKind};
use crate::domain::ids::EventId;
use crate::domain::timestamp::Timestamp;
use crate::services::Context;
use crate::services::audit::{self, Wanted};

#[derive(Debug, Subcommand)]
pub enum EventCommand {
    /// List what happened, newest first.
    List(ListArgs),
}

#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only of this action, such as app.created
    #[arg(long, value_parser = action)]
    action: Option<Action>,
    /// Only by this one: an e-mail address, a client_id, or the login of a command line
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// Only about this kind of thing, such as app or user
    #[arg(long, value_parser = kind)]
    kind: Option<TargetKind>,
    /// Only about what has this id or name
    #[arg(long, value_name = "ID")]
    target: Option<String>,
    /// Only since then: a moment such as 2026-11-22T12:00:00Z, or a time ago such as 90m, 24h or 7d
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Since>,
    /// Only older ones than the event with this id
    #[arg(long, value_name = "ID")]
    before: Option<Uuid>,
    /// Only changes, without signing in and consenting: the audit log
    #[arg(long)]
    changes: bool,
    /// Events to list at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=args::MAX_LISTED))]
    limit: i64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy)]
enum Since {
    At(Timestamp),
    Ago(Duration),
}

impl Since {
    fn moment(self, ctx: &Context) -> Timestamp {
        match self {
            Self::At(moment) => moment,
            Self::Ago(span) => ctx.now().minus(span),
        }
    }
}

fn since(text: &str) -> Result<Since, String> {
    if let Some(moment) = Timestamp::parse_rfc3339(text) {
        return Ok(Since::At(moment));
    }
    let no_moment = |_| "neither a moment such as 2026-11-22T12:00:00Z nor a time such as 90m, 24h or 7d".to_owned();
    duration::parse(text).map(Since::Ago).map_err(no_moment)
}

fn action(text: &str) -> Result<Action, String> {
    Action::parse(text).ok_or_else(|| one_of(Action::ALL.iter().map(|action| action.as_str())))
}

fn kind(text: &str) -> Result<TargetKind, String> {
    TargetKind::parse(text).ok_or_else(|| one_of(TargetKind::ALL.iter().map(|kind| kind.as_str())))
}

fn one_of<'a>(words: impl Iterator<Item = &'a str>) -> String {
    format!("one of {}", words.collect::<Vec<_>>().join(", "))
}

pub async fn run(flags: &Flags, command: EventCommand) -> Result<(), CliError> {
    let ctx = super::open(flags).await?;
    let EventCommand::List(args) = command;
    let wanted = Wanted {
        action: args.action,
        actor: args.actor,
        kind: args.kind,
        target: args.target,
        before: args.before.map(EventId),
        since: args.since.map(|since| since.moment(&ctx)),
        changes_only: args.changes,
    };
    let events = audit::list(&ctx, wanted, args.limit).await.map_err(CliError::failure)?;
    print(&events, args.json)
}

#[derive(Serialize)]
struct EventJson<'a> {
    id: String,
    at: String,
    action: &'static str,
    actor: ActorJson,
    /// The address that the request came from; null where there was no request.
    from: Option<String>,
    target: TargetJson<'a>,
    changes: &'a [Change],
}

#[derive(Serialize)]
struct ActorJson {
    kind: &'static str,
    id: String,
    name: String,
}

#[derive(Serialize)]
struct TargetJson<'a> {
    kind: &'static str,
    id: &'a str,
    name: &'a str,
}

impl<'a> From<&'a Event> for EventJson<'a> {
    fn from(event: &'a Event) -> Self {
        let (actor, target) = (&event.actor, &event.target);
        Self {
            id: event.id.to_string(),
            at: event.at.to_rfc3339(),
            action: event.action.as_str(),
            actor: ActorJson { kind: actor.kind(), id: actor.id(), name: actor.name() },
            from: event.from.map(|address| address.to_string()),
            target: TargetJson { kind: target.kind.as_str(), id: &target.id, name: &target.name },
            changes: &event.changes,
        }
    }
}

impl EventJson<'_> {
    fn actor(&self) -> String {
        let kind = self.actor.kind.replace('_', " ");
        if self.actor.name.is_empty() { kind } else { format!("{kind} {}", self.actor.name) }
    }

    fn target(&self) -> String {
        let name = if self.target.name.is_empty() { self.target.id } else { self.target.name };
        name.to_owned()
    }

    fn changes(&self) -> String {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "(none)".to_owned());
        let told = |change: &Change| match &change.before {
            None => format!("{}: {}", change.field, value(&change.after)),
            before => format!("{}: {} → {}", change.field, value(before), value(&change.after)),
        };
        self.changes.iter().map(told).collect::<Vec<_>>().join("; ")
    }
}

fn print(events: &[Event], json: bool) -> Result<(), CliError> {
    let events: Vec<EventJson<'_>> = events.iter().map(EventJson::from).collect();
    if json {
        return output::json(&events);
    }
    let row = |event: &EventJson<'_>| {
        let from = event.from.clone().unwrap_or_default();
        [event.at.clone(), event.action.to_owned(), event.actor(), from, event.target(), event.changes()]
    };
    let rows: Vec<[String; 6]> = events.iter().map(row).collect();
    output::table(["WHEN", "ACTION", "WHO", "FROM", "WHAT", "CHANGES"], &rows)
}
