//! `leadgate delivery`: how leads are delivered and protected, and test leads.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;
use uuid::Uuid;

use super::error::CliError;
use super::{args, output};
use crate::config::Flags;
use crate::config::secret::SecretSource;
use crate::domain::delivery::{Credential, Delivery, DigestAlgorithm, Exchange, Field, Given, MethodKind, TokenGrant};
use crate::domain::email::Email;
use crate::domain::ids::DeliveryId;
use crate::services::deliveries::{self, DeliveryChange, DeliveryError, MAX_TEST_LEAD, NewDelivery, Opened, TestLead};
use crate::services::{Context, users};

#[derive(Debug, Subcommand)]
pub enum DeliveryCommand {
    /// Make a delivery.
    #[command(visible_alias = "create")]
    Add(AddArgs),
    /// List all deliveries.
    List(ListArgs),
    /// Show one delivery, without its secrets.
    Show(DeliveryArgs),
    /// Change a delivery; what is not given stays, secrets among it.
    #[command(visible_alias = "update")]
    Set(SetArgs),
    /// Delete a delivery with all that was received and sent by it.
    Delete(DeliveryArgs),
    /// Send a test lead with the delivery's settings, and show the exchange.
    Test(TestArgs),
    /// List what was received and sent, newest first.
    Exchanges(DeliveryArgs),
}

#[derive(Debug, Args)]
pub struct AddArgs {
    /// What it is called
    #[arg(long, value_parser = args::name)]
    name: String,
    /// basic, digest, bearer or oauth2
    #[arg(long, value_parser = method)]
    method: MethodKind,
    /// E-mail address of the partner who has it in the console
    #[arg(long, value_name = "EMAIL", value_parser = Email::parse)]
    owner: Option<Email>,
    #[command(flatten)]
    settings: SettingsArgs,
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
pub struct DeliveryArgs {
    /// Id of the delivery
    id: Uuid,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct SetArgs {
    #[command(flatten)]
    delivery: DeliveryArgs,
    /// What it is called
    #[arg(long, value_parser = args::name)]
    name: Option<String>,
    /// basic, digest, bearer or oauth2; settings of another method are forgotten
    #[arg(long, value_parser = method)]
    method: Option<MethodKind>,
    #[command(flatten)]
    settings: SettingsArgs,
    /// Send test leads to its own receiver
    #[arg(long, conflicts_with = "url")]
    no_url: bool,
    /// Take tokens of any client at the receiver
    #[arg(long, conflicts_with = "client_id")]
    no_client_id: bool,
    /// Ask for no scope
    #[arg(long, conflicts_with = "scope")]
    no_scope: bool,
}

/// Secrets come from files, where neither the list of processes nor a shell's history shows them.
#[derive(Debug, Args)]
pub struct SettingsArgs {
    /// Where test leads go [default: its own receiver]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// User name, of basic, digest, and of oauth2 with the password grant
    #[arg(long)]
    username: Option<String>,
    /// File that holds the password; - is the standard input
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// SHA-256 or MD5, of digest; may be repeated [default: SHA-256]
    #[arg(long = "algorithm", value_name = "ALGORITHM", value_parser = algorithm)]
    algorithms: Vec<DigestAlgorithm>,
    /// Word before the token, of bearer [default: Bearer]
    #[arg(long)]
    prefix: Option<String>,
    /// File that holds the token, of bearer; - is the standard input
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Where oauth2 gets its token [default: this server]
    #[arg(long, value_name = "URL")]
    token_url: Option<String>,
    /// client_credentials or password, of oauth2
    #[arg(long, value_name = "GRANT", value_parser = grant)]
    grant_type: Option<TokenGrant>,
    /// Client id, of oauth2
    #[arg(long, value_name = "APP_ID")]
    client_id: Option<String>,
    /// File that holds the client secret, of oauth2; - is the standard input
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
    /// Scopes that oauth2 asks for, with spaces between them
    #[arg(long)]
    scope: Option<String>,
}

#[derive(Debug, Args)]
pub struct TestArgs {
    #[command(flatten)]
    delivery: DeliveryArgs,
    /// Where to send it, in place of the delivery's own target
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// File that holds the lead, JSON, XML or a form; - is the standard input [default: a sample]
    #[arg(long, value_name = "FILE")]
    lead: Option<PathBuf>,
}

fn method(text: &str) -> Result<MethodKind, String> {
    MethodKind::parse(text).ok_or_else(|| "basic, digest, bearer or oauth2".to_owned())
}

fn algorithm(text: &str) -> Result<DigestAlgorithm, String> {
    DigestAlgorithm::parse(text).ok_or_else(|| "SHA-256 or MD5".to_owned())
}

fn grant(text: &str) -> Result<TokenGrant, String> {
    TokenGrant::parse(text).ok_or_else(|| "client_credentials or password".to_owned())
}

impl SettingsArgs {
    fn given(&self) -> Result<Given, CliError> {
        let secret = |path: &Option<PathBuf>, key| path.as_ref().map(|path| read_secret(path, key)).transpose();
        Ok(Given {
            username: self.username.clone(),
            password: secret(&self.password_file, "--password-file")?,
            algorithms: Some(self.algorithms.clone()).filter(|list| !list.is_empty()),
            prefix: self.prefix.clone(),
            token: secret(&self.token_file, "--token-file")?,
            token_url: self.token_url.clone(),
            grant: self.grant_type,
            client_id: self.client_id.clone(),
            client_secret: secret(&self.client_secret_file, "--client-secret-file")?,
            scope: self.scope.clone(),
        })
    }
}

fn read_secret(path: &Path, key: &'static str) -> Result<Credential, CliError> {
    if path.as_os_str() != "-" {
        let secret = SecretSource::File { path: path.to_owned(), key }.read()?;
        return Ok(Credential::new(secret.expose()));
    }
    let text = read_stdin(MAX_TEST_LEAD)?;
    Ok(Credential::new(text.lines().next().unwrap_or_default()))
}

fn read_stdin(longest: usize) -> Result<String, CliError> {
    let mut text = String::new();
    // One byte more than is allowed shows that there is more.
    let limit = u64::try_from(longest).unwrap_or(u64::MAX).saturating_add(1);
    let read = std::io::stdin().lock().take(limit).read_to_string(&mut text);
    read.map_err(|error| CliError::failure(format!("the standard input could not be read: {error}")))?;
    Ok(text)
}

pub async fn run(flags: &Flags, command: DeliveryCommand) -> Result<(), CliError> {
    let ctx = super::open(flags).await?;
    match command {
        DeliveryCommand::Add(args) => add(&ctx, args).await,
        DeliveryCommand::List(args) => {
            let found = deliveries::list(&ctx, None, None, args::MAX_LISTED).await.map_err(failure)?;
            list(&ctx, found, args.json)
        }
        DeliveryCommand::Show(args) => {
            let opened = deliveries::find(&ctx, None, DeliveryId(args.id)).await.map_err(failure)?;
            show(&ctx, opened, args.json)
        }
        DeliveryCommand::Set(args) => set(&ctx, args).await,
        DeliveryCommand::Delete(args) => {
            deliveries::delete(&super::acting(&ctx), DeliveryId(args.id)).await.map_err(failure)?;
            output::deleted("delivery", &args.id.to_string(), args.json)
        }
        DeliveryCommand::Test(args) => test(&ctx, args).await,
        DeliveryCommand::Exchanges(args) => {
            let found = deliveries::exchanges(&ctx, None, DeliveryId(args.id), None, args::MAX_LISTED).await;
            exchanges(&found.map_err(failure)?, args.json)
        }
    }
}

async fn add(ctx: &Context, args: AddArgs) -> Result<(), CliError> {
    let owner = match &args.owner {
        Some(email) => Some(users::find(ctx, email).await.map_err(CliError::failure)?.id),
        None => None,
    };
    let given = args.settings.given()?;
    let new = NewDelivery { owner, name: args.name, method: args.method, url: args.settings.url, given };
    show(ctx, deliveries::create(&super::acting(ctx), new).await.map_err(failure)?, args.json)
}

async fn set(ctx: &Context, args: SetArgs) -> Result<(), CliError> {
    let given = args.settings.given()?;
    let cleared = [(Field::ClientId, args.no_client_id), (Field::Scope, args.no_scope)];
    let change = DeliveryChange {
        name: args.name,
        method: args.method,
        url: if args.no_url { Some(None) } else { args.settings.url.map(Some) },
        given,
        cleared: cleared.into_iter().filter(|(_, is_cleared)| *is_cleared).map(|(field, _)| field).collect(),
    };
    let id = DeliveryId(args.delivery.id);
    let changed = deliveries::change(&super::acting(ctx), id, change).await.map_err(failure)?;
    show(ctx, changed, args.delivery.json)
}

async fn test(ctx: &Context, args: TestArgs) -> Result<(), CliError> {
    let text = match &args.lead {
        None => deliveries::sample_lead().to_owned(),
        Some(path) if path.as_os_str() == "-" => read_stdin(MAX_TEST_LEAD)?,
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| CliError::failure(format!("{} could not be read: {error}", path.display())))?,
    };
    let lead = TestLead::of(text).ok_or_else(|| {
        CliError::usage(format!("a lead is a text of 1 to {MAX_TEST_LEAD} bytes, JSON, XML or a form"))
    })?;
    let sent = deliveries::send_test(&super::acting(ctx), DeliveryId(args.delivery.id), args.url, lead).await;
    let exchange = sent.map_err(failure)?;
    let is_taken = exchange.status.is_some_and(|status| (200..300).contains(&status));
    let exchange = ExchangeJson::from(&exchange);
    let why = exchange.why.map(str::to_owned);
    if args.delivery.json {
        output::json(&exchange)?;
    } else {
        for step in exchange.steps {
            let answer = step.response.as_ref().map_or("no answer", |answer| answer.line.as_str());
            output::line(&format!("{} -> {answer} ({} ms)", step.request.line, step.duration_ms))?;
        }
    }
    match why {
        Some(why) if !is_taken => Err(CliError::failure(why)),
        None if !is_taken => Err(CliError::failure("the target did not take the lead")),
        _ if args.delivery.json => Ok(()),
        why => output::line(why.as_deref().unwrap_or("the lead was taken")),
    }
}

fn failure(error: DeliveryError) -> CliError {
    match error {
        DeliveryError::Unknown => {
            CliError::failure("there is no delivery with this id; `leadgate delivery list` shows all")
        }
        DeliveryError::Settings(error) => CliError::usage(error),
        error => CliError::failure(error),
    }
}

#[derive(Serialize)]
struct DeliveryJson {
    id: String,
    name: String,
    method: &'static str,
    url: Option<String>,
    receive_url: String,
    owner_id: Option<String>,
    created_at: String,
}

impl DeliveryJson {
    fn of(ctx: &Context, delivery: Delivery) -> Self {
        Self {
            receive_url: deliveries::receiver(ctx, delivery.id),
            id: delivery.id.to_string(),
            name: delivery.name,
            method: delivery.method.as_str(),
            url: delivery.url,
            owner_id: delivery.owner.map(|owner| owner.to_string()),
            created_at: delivery.created_at.to_rfc3339(),
        }
    }
}

/// With the settings that are no secrets.
#[derive(Serialize)]
struct OpenedJson {
    #[serde(flatten)]
    delivery: DeliveryJson,
    username: Option<String>,
    algorithms: Option<Vec<&'static str>>,
    prefix: Option<String>,
    token_url: Option<String>,
    grant_type: Option<&'static str>,
    client_id: Option<String>,
    scope: Option<String>,
}

#[derive(Serialize)]
struct ExchangeJson<'e> {
    id: String,
    at: String,
    kind: &'static str,
    status: Option<u16>,
    why: Option<&'e str>,
    steps: &'e [crate::domain::delivery::Step],
    lead: Option<&'e str>,
    lead_type: Option<&'e str>,
}

impl<'e> From<&'e Exchange> for ExchangeJson<'e> {
    fn from(exchange: &'e Exchange) -> Self {
        Self {
            id: exchange.id.to_string(),
            at: exchange.at.to_rfc3339(),
            kind: exchange.kind.as_str(),
            status: exchange.status,
            why: exchange.why.as_deref(),
            steps: &exchange.steps,
            lead: exchange.lead.as_deref(),
            lead_type: exchange.lead_type.as_deref(),
        }
    }
}

fn list(ctx: &Context, found: Vec<Delivery>, json: bool) -> Result<(), CliError> {
    let found: Vec<_> = found.into_iter().map(|delivery| DeliveryJson::of(ctx, delivery)).collect();
    if json {
        return output::json(&found);
    }
    let rows: Vec<_> = found.into_iter().map(|one| [one.id, one.name, one.method.to_owned()]).collect();
    output::table(["ID", "NAME", "METHOD"], &rows)
}

fn show(ctx: &Context, opened: Opened, json: bool) -> Result<(), CliError> {
    let given = opened.settings.given();
    let shown = OpenedJson {
        delivery: DeliveryJson::of(ctx, opened.delivery),
        username: given.username,
        algorithms: given.algorithms.map(|list| list.into_iter().map(DigestAlgorithm::as_str).collect()),
        prefix: given.prefix,
        token_url: given.token_url,
        grant_type: given.grant.map(TokenGrant::as_str),
        client_id: given.client_id,
        scope: given.scope,
    };
    if json {
        return output::json(&shown);
    }
    let text = Option::<String>::unwrap_or_default;
    output::fields(&[
        ("id", shown.delivery.id),
        ("name", shown.delivery.name),
        ("method", shown.delivery.method.to_owned()),
        ("receiver", shown.delivery.receive_url),
        ("target", text(shown.delivery.url)),
        ("user name", text(shown.username)),
        ("algorithms", shown.algorithms.unwrap_or_default().join(" ")),
        ("prefix", text(shown.prefix)),
        ("token URL", text(shown.token_url)),
        ("grant type", shown.grant_type.unwrap_or_default().to_owned()),
        ("client id", text(shown.client_id)),
        ("scope", text(shown.scope)),
        ("created", shown.delivery.created_at),
    ])
}

fn exchanges(found: &[Exchange], json: bool) -> Result<(), CliError> {
    if json {
        return output::json(&found.iter().map(ExchangeJson::from).collect::<Vec<_>>());
    }
    let row = |exchange: &Exchange| {
        let status = exchange.status.map(|status| status.to_string()).unwrap_or_default();
        let why = exchange.why.clone().unwrap_or_default();
        [exchange.at.to_rfc3339(), exchange.kind.as_str().to_owned(), status, why]
    };
    output::table(["AT", "KIND", "STATUS", "WHY"], &found.iter().map(row).collect::<Vec<_>>())
}
