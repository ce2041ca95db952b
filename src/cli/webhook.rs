//! `leadgate webhook`: who is told what happens, and what was sent. The server sends; a command writes down what to send,
//! which a server on the same database finds within a second.

use std::time::Duration;

use clap::{Args, Subcommand};
use serde::Serialize;
use url::Url;
use uuid::Uuid;

use super::error::CliError;
use super::{args, output};
use crate::config::Flags;
use crate::domain::duration;
use crate::domain::ids::{AppId, WebhookId, WebhookMessageId};
use crate::domain::target_url::{TargetUrl, TargetUrlError};
use crate::domain::timestamp::Timestamp;
use crate::domain::webhook::{Attempt, Delivery, Outcome, Sent, Topic, Topics, Webhook, WebhookState};
use crate::services::Context;
use crate::services::webhooks::{self, Change, New, WebhookError, log};

#[derive(Debug, Subcommand)]
pub enum WebhookCommand {
    /// Make a webhook for an application; its secret is shown this once.
    Add(AddArgs),
    /// List all webhooks, or those of one application.
    List(ListArgs),
    /// Show one webhook.
    Show(WebhookArgs),
    /// Change a webhook; what is not given stays.
    Set(SetArgs),
    /// Delete a webhook with its log.
    Delete(WebhookArgs),
    /// Make a new secret, shown this once; the old one signs too for a while.
    RotateSecret(RotateArgs),
    /// Send a message of the type webhook.test.
    Test(WebhookArgs),
    /// List what was sent and what waits, newest first, or show one message with each attempt.
    Deliveries(DeliveriesArgs),
    /// Send one message again, or those of a span of time.
    Replay(ReplayArgs),
}

#[derive(Debug, Args)]
pub struct AddArgs {
    /// App ID of its application
    #[arg(long, value_name = "APP_ID", value_parser = AppId::parse)]
    app: AppId,
    /// Where messages are sent; its host has to be one that the setting outgoing_allow lists
    #[arg(long, value_parser = target)]
    url: Url,
    /// What it is told of, with commas between, such as connection.created,connection.revoked [default: all]
    #[arg(long, value_name = "EVENT", value_delimiter = ',', value_parser = topic)]
    events: Vec<Topic>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only those of this application
    #[arg(long, value_name = "APP_ID", value_parser = AppId::parse)]
    app: Option<AppId>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct WebhookArgs {
    /// Webhook id
    id: Uuid,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct SetArgs {
    #[command(flatten)]
    webhook: WebhookArgs,
    #[command(flatten)]
    changes: ChangeArgs,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct ChangeArgs {
    /// Where messages are sent
    #[arg(long, value_parser = target)]
    url: Option<Url>,
    /// What it is told of, with commas between
    #[arg(long, value_name = "EVENT", value_delimiter = ',', value_parser = topic)]
    events: Vec<Topic>,
    /// Send nothing to it
    #[arg(long)]
    disable: bool,
    /// Go on, beginning with what waited
    #[arg(long, conflicts_with = "disable")]
    enable: bool,
}

#[derive(Debug, Args)]
pub struct RotateArgs {
    #[command(flatten)]
    webhook: WebhookArgs,
    /// How long the old secret signs too, such as 90s, 24h or 7d; 0s: not at all
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = duration::parse)]
    overlap: Duration,
}

#[derive(Debug, Args)]
pub struct DeliveriesArgs {
    #[command(flatten)]
    webhook: WebhookArgs,
    /// Show this message with each attempt, msg_…
    #[arg(value_name = "MESSAGE", value_parser = message)]
    message: Option<WebhookMessageId>,
    /// Only those of which this became: pending, delivered or failed
    #[arg(long, value_parser = delivery)]
    status: Option<Delivery>,
    /// How many at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=1000))]
    limit: i64,
}

#[derive(Debug, Args)]
pub struct ReplayArgs {
    #[command(flatten)]
    webhook: WebhookArgs,
    /// This message, msg_…
    #[arg(value_name = "MESSAGE", value_parser = message, required_unless_present = "since", conflicts_with = "since")]
    message: Option<WebhookMessageId>,
    /// Those that were made from this moment on, such as 2026-11-22T09:00:00Z
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Timestamp>,
    /// And before this one [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment, requires = "since")]
    until: Option<Timestamp>,
    /// Only those of which this became: pending, delivered or failed
    #[arg(long, value_parser = delivery, requires = "since")]
    status: Option<Delivery>,
}

fn target(text: &str) -> Result<Url, TargetUrlError> {
    TargetUrl::parse(text).map(TargetUrl::into_url)
}

pub(super) fn topic(text: &str) -> Result<Topic, String> {
    let known = Topic::SUBSCRIBABLE.into_iter().find(|topic| topic.as_str() == text);
    known.ok_or_else(|| format!("one of {}", Topics::ALL.listed()))
}

fn delivery(text: &str) -> Result<Delivery, String> {
    Delivery::parse(text).ok_or_else(|| "pending, delivered or failed".to_owned())
}

fn message(text: &str) -> Result<WebhookMessageId, String> {
    WebhookMessageId::read(text).ok_or_else(|| "msg_ and 32 hexadecimal digits".to_owned())
}

fn moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_rfc3339(text).ok_or_else(|| "a moment of RFC 3339, such as 2026-11-22T09:00:00Z".to_owned())
}

pub async fn run(flags: &Flags, command: WebhookCommand) -> Result<(), CliError> {
    let ctx = super::open(flags).await?;
    match command {
        WebhookCommand::Add(args) => add(&ctx, args).await,
        WebhookCommand::List(list) => {
            let found = webhooks::list(&ctx, list.app, None, args::MAX_LISTED).await.map_err(CliError::failure)?;
            list_webhooks(&found, list.json)
        }
        WebhookCommand::Show(args) => show(&find(&ctx, args.id).await?, None, args.json),
        WebhookCommand::Set(args) => set(&ctx, args).await,
        WebhookCommand::Delete(WebhookArgs { id, json }) => {
            webhooks::delete(&super::acting(&ctx), WebhookId(id)).await.map_err(|error| failure(id, error))?;
            output::deleted("webhook", &id.to_string(), json)
        }
        WebhookCommand::RotateSecret(args) => rotate(&ctx, args).await,
        WebhookCommand::Test(WebhookArgs { id, json }) => {
            let sent = webhooks::test(&super::acting(&ctx), WebhookId(id)).await.map_err(|error| failure(id, error))?;
            output::done("sent", "test", &sent.written(), json)
        }
        WebhookCommand::Deliveries(args) => deliveries(&ctx, args).await,
        WebhookCommand::Replay(args) => replay(&ctx, args).await,
    }
}

async fn add(ctx: &Context, args: AddArgs) -> Result<(), CliError> {
    let topics = Topics::of(args.events).unwrap_or(Topics::ALL);
    let app = args.app.clone();
    let new = New { app: args.app, url: args.url, topics, secret: None };
    let (webhook, secret) = webhooks::create(&super::acting(ctx), new).await.map_err(|error| match error {
        WebhookError::UnknownApp => super::app::failure(&app, crate::services::partner::PartnerError::UnknownApp),
        error => CliError::failure(error),
    })?;
    show(&webhook, Some(secret.expose()), args.json)
}

async fn set(ctx: &Context, args: SetArgs) -> Result<(), CliError> {
    let WebhookArgs { id, json } = args.webhook;
    let ChangeArgs { url, events, disable, enable } = args.changes;
    let change = Change { url, topics: Topics::of(events), is_disabled: (disable || enable).then_some(disable) };
    let changed = webhooks::change(&super::acting(ctx), WebhookId(id), change).await;
    show(&changed.map_err(|error| failure(id, error))?, None, json)
}

async fn rotate(ctx: &Context, args: RotateArgs) -> Result<(), CliError> {
    let WebhookArgs { id, json } = args.webhook;
    let rotated = webhooks::rotate(&super::acting(ctx), WebhookId(id), args.overlap).await;
    let secret = rotated.map_err(|error| failure(id, error))?;
    show(&find(ctx, id).await?, Some(secret.expose()), json)
}

async fn find(ctx: &Context, id: Uuid) -> Result<Webhook, CliError> {
    webhooks::find(ctx, WebhookId(id)).await.map_err(|error| failure(id, error))
}

fn failure(id: Uuid, error: WebhookError) -> CliError {
    match error {
        WebhookError::Unknown => {
            CliError::failure(format!("there is no webhook {id}; `leadgate webhook list` shows all"))
        }
        error => CliError::failure(error),
    }
}

#[derive(Serialize)]
struct WebhookJson {
    id: String,
    app: Option<String>,
    url: Option<String>,
    events: Vec<&'static str>,
    disabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_why: Option<&'static str>,
    failing_since: Option<String>,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl WebhookJson {
    fn new(webhook: &Webhook, secret: Option<String>) -> Self {
        let disabled_why = match webhook.state {
            WebhookState::Active => None,
            WebhookState::Disabled { why, .. } => Some(why.as_str()),
        };
        Self {
            id: webhook.id.to_string(),
            app: webhook.app.as_ref().map(ToString::to_string),
            url: webhook.url().map(Url::to_string),
            events: webhook.topics.iter().map(Topic::as_str).collect(),
            disabled: disabled_why.is_some(),
            disabled_why,
            failing_since: webhook.failing_since.map(Timestamp::to_rfc3339),
            created_at: webhook.created_at.to_rfc3339(),
            secret,
        }
    }

    fn state(&self) -> String {
        match (self.disabled_why, &self.failing_since) {
            (Some(why), _) => format!("disabled ({why})"),
            (None, Some(since)) => format!("failing since {since}"),
            (None, None) => "active".to_owned(),
        }
    }
}

fn list_webhooks(found: &[Webhook], json: bool) -> Result<(), CliError> {
    let found: Vec<WebhookJson> = found.iter().map(|webhook| WebhookJson::new(webhook, None)).collect();
    if json {
        return output::json(&found);
    }
    let row = |one: &WebhookJson| {
        [one.id.clone(), one.app.clone().unwrap_or_default(), one.state(), one.url.clone().unwrap_or_default()]
    };
    output::table(["WEBHOOK ID", "APP ID", "STATE", "URL"], &found.iter().map(row).collect::<Vec<_>>())
}

fn show(webhook: &Webhook, secret: Option<String>, json: bool) -> Result<(), CliError> {
    let shown = WebhookJson::new(webhook, secret);
    if json {
        return output::json(&shown);
    }
    let mut fields = vec![
        ("webhook id", shown.id.clone()),
        ("App ID", shown.app.clone().unwrap_or_default()),
        ("URL", shown.url.clone().unwrap_or_default()),
        ("events", shown.events.join("\n")),
        ("state", shown.state()),
        ("created", shown.created_at.clone()),
    ];
    fields.extend(shown.secret.as_deref().map(|secret| ("secret", output::shown_once(secret))));
    output::fields(&fields)
}

#[derive(Serialize)]
struct DeliveryJson {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    status: &'static str,
    attempts: u32,
    next_attempt_at: Option<String>,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<Vec<AttemptJson>>,
}

#[derive(Serialize)]
struct AttemptJson {
    nr: u32,
    at: String,
    duration_ms: u128,
    request_headers: Vec<(String, String)>,
    status: Option<u16>,
    response_headers: Option<Vec<(String, String)>>,
    response_body: Option<String>,
    error: Option<String>,
}

impl From<&Sent> for DeliveryJson {
    fn from(sent: &Sent) -> Self {
        Self {
            id: sent.message.id.written(),
            kind: sent.message.topic.as_str(),
            status: sent.state.as_str(),
            attempts: sent.attempts,
            next_attempt_at: sent.next_attempt_at.map(Timestamp::to_rfc3339_millis),
            created_at: sent.message.created_at.to_rfc3339_millis(),
            payload: None,
            log: None,
        }
    }
}

impl From<Attempt> for AttemptJson {
    fn from(attempt: Attempt) -> Self {
        let status = attempt.outcome.status();
        let (response_headers, response_body, error) = match attempt.outcome {
            Outcome::Answered { headers, body, .. } => (Some(headers), Some(body), None),
            Outcome::Unanswered(why) => (None, None, Some(why)),
        };
        Self {
            nr: attempt.nr,
            at: attempt.at.to_rfc3339_millis(),
            duration_ms: attempt.took.as_millis(),
            request_headers: attempt.headers,
            status,
            response_headers,
            response_body,
            error,
        }
    }
}

async fn deliveries(ctx: &Context, args: DeliveriesArgs) -> Result<(), CliError> {
    let WebhookArgs { id, json } = args.webhook;
    let webhook = find(ctx, id).await?;
    if let Some(message) = args.message {
        let (sent, attempts) = log::message(ctx, webhook.id, message).await.map_err(|error| failure(id, error))?;
        return show_delivery(&sent, attempts, json);
    }
    let filter = log::Filter { state: args.status, ..log::Filter::default() };
    let found = log::messages(ctx, webhook.id, filter, args.limit).await.map_err(CliError::failure)?;
    let found: Vec<DeliveryJson> = found.iter().map(DeliveryJson::from).collect();
    if json {
        return output::json(&found);
    }
    let row = |one: &DeliveryJson| {
        let more = one.next_attempt_at.clone().map(|at| format!("next at {at}")).unwrap_or_default();
        [
            one.created_at.clone(),
            one.kind.to_owned(),
            one.status.to_owned(),
            one.attempts.to_string(),
            one.id.clone(),
            more,
        ]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    output::table(["TIME", "EVENT", "STATUS", "ATTEMPTS", "MESSAGE", ""], &rows)
}

fn show_delivery(sent: &Sent, attempts: Vec<Attempt>, json: bool) -> Result<(), CliError> {
    let log: Vec<AttemptJson> = attempts.into_iter().map(AttemptJson::from).collect();
    let shown = DeliveryJson::from(sent);
    if json {
        return output::json(&DeliveryJson { payload: Some(sent.message.payload.clone()), log: Some(log), ..shown });
    }
    let line = |one: &AttemptJson| {
        let came = one.status.map_or_else(|| one.error.clone().unwrap_or_default(), |status| status.to_string());
        format!("{}  {} ms  {came}", one.at, one.duration_ms)
    };
    output::fields(&[
        ("message", shown.id),
        ("event", shown.kind.to_owned()),
        ("status", shown.status.to_owned()),
        ("payload", sent.message.payload.clone()),
        ("attempts", log.iter().map(line).collect::<Vec<_>>().join("\n")),
    ])
}

async fn replay(ctx: &Context, args: ReplayArgs) -> Result<(), CliError> {
    let WebhookArgs { id, json } = args.webhook;
    let acting = super::acting(ctx);
    if let Some(message) = args.message {
        log::replay(&acting, WebhookId(id), message).await.map_err(|error| failure(id, error))?;
        return output::done("replayed", "message", &message.written(), json);
    }
    let until = args.until.unwrap_or_else(|| ctx.real_now().plus(Duration::from_secs(1)));
    let span = log::Span { since: args.since.unwrap_or(until), until, state: args.status };
    let replayed = log::replay_span(&acting, WebhookId(id), span).await.map_err(|error| failure(id, error))?;
    if json {
        return output::json(&serde_json::json!({ "replayed": replayed }));
    }
    output::line(&format!("{replayed} messages are sent again"))
}
