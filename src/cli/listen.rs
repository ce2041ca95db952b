//! `leadgate listen`: brings a sandbox's messages to a developer's machine that has no public address. It asks the server
//! for them over the control plane, hands them on as they are, signature and all, and reports what came of each.

use std::io::IsTerminal as _;
use std::time::Duration;

use clap::Args;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;
use url::Url;

use super::error::CliError;
use super::plane::{self, Plane, Trouble, told_to_stop};
use super::{output, webhook};
use crate::config::{Flags, Secret, Settings, expected};
use crate::domain::ids::AppId;
use crate::domain::webhook::{PATIENCE, Topic};

/// How long the server holds an empty answer back.
const WAIT: &str = "20s";
/// How long to wait before the server is asked again, where it did not answer.
const PAUSE: Duration = Duration::from_secs(1);
/// How much of an answer is reported, in bytes.
const KEPT_BODY: usize = 4 * 1024;

#[derive(Debug, Args)]
pub struct ListenArgs {
    /// Where messages are brought to, such as http://localhost:3000/webhooks
    #[arg(long, value_name = "URL", value_parser = plane::address, required_unless_present = "print")]
    forward_to: Option<Url>,
    /// Bring them nowhere: print them only
    #[arg(long, conflicts_with = "forward_to")]
    print: bool,
    /// Only what happens to this application [default: to any]
    #[arg(long, value_name = "APP_ID", value_parser = AppId::parse)]
    app: Option<AppId>,
    /// Only these, with commas between, such as connection.created,connection.revoked [default: all]
    #[arg(long, value_name = "EVENT", value_delimiter = ',', value_parser = webhook::topic)]
    events: Vec<Topic>,
    /// Public base URL of the server [default: the setting issuer]
    #[arg(long, value_name = "URL", value_parser = plane::address)]
    server: Option<Url>,
    /// What signs, whsec_… [default: made and printed at each start]
    #[arg(long, value_name = "SECRET", value_parser = secret)]
    secret: Option<Secret>,
    /// Print a line of JSON for each message
    #[arg(long)]
    json: bool,
}

fn secret(text: &str) -> Result<Secret, String> {
    expected::webhook_secret(text).map(|_| Secret::new(text))
}

/// What a listener is made with, and goes on with after the server was started anew.
#[derive(Clone)]
struct Listener {
    id: String,
    secret: String,
}

#[derive(Debug, Clone, Deserialize)]
struct Message {
    id: String,
    nr: u32,
    #[serde(rename = "type")]
    kind: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// What came of a message at the developer's machine, as it is reported.
#[derive(Debug, Clone, Serialize)]
struct Report {
    nr: u32,
    duration_ms: u64,
    status: Option<u16>,
    headers: Vec<(String, String)>,
    body: Option<String>,
    error: Option<String>,
}

pub async fn run(flags: &Flags, args: ListenArgs) -> Result<(), CliError> {
    let settings = Settings::of_process(flags)?;
    let plane = Plane::of(&settings, args.server.as_ref())?;
    let server = plane.server.clone();
    let listener = plane.register(&args, None).await.map_err(|trouble| plane.refused(trouble))?;
    announce(&args, &server, &listener)?;
    let mut present = listener;
    tokio::select! {
        ended = listen(&plane, &args, &mut present) => return ended,
        () = told_to_stop() => {}
    }
    // Where the server is gone, it forgets the listener by itself.
    let _ = plane.send(Method::DELETE, &format!("/listeners/{}", present.id), None).await;
    Ok(())
}

/// Ends only where the server refuses.
async fn listen(plane: &Plane, args: &ListenArgs, present: &mut Listener) -> Result<(), CliError> {
    let mut is_away = false;
    loop {
        let taken = plane.take(&present.id).await;
        match taken {
            Ok(messages) => {
                if std::mem::take(&mut is_away) {
                    note(args, "the server is back")?;
                }
                hand_on(plane, args, &present.id, messages).await?;
            }
            // It was started anew, or reset: the same secret goes on.
            Err(Trouble::Unknown(_)) => match plane.register(args, Some(&present.secret)).await {
                Ok(again) => *present = again,
                Err(Trouble::Away(_)) => tokio::time::sleep(PAUSE).await,
                Err(refusal) => return Err(plane.refused(refusal)),
            },
            Err(Trouble::Away(why)) => {
                if !std::mem::replace(&mut is_away, true) {
                    note(args, &format!("the server does not answer ({why}); it is asked again"))?;
                }
                tokio::time::sleep(PAUSE).await;
            }
            Err(refusal) => return Err(plane.refused(refusal)),
        }
    }
}

/// Messages that came together are of different connections: none waits for another.
async fn hand_on(plane: &Plane, args: &ListenArgs, listener: &str, messages: Vec<Message>) -> Result<(), CliError> {
    let mut tasks = JoinSet::new();
    for message in messages {
        let (plane, listener, target) = (plane.clone(), listener.to_owned(), args.forward_to.clone());
        tasks.spawn(async move {
            let report = match target {
                Some(target) => forwarded(&plane.client, target, &message).await,
                None => Report::printed(&message),
            };
            let reported = plane.report(&listener, &message, &report).await;
            (message, report, reported.ok().flatten())
        });
    }
    while let Some(done) = tasks.join_next().await {
        let (message, report, retry) = done.map_err(CliError::failure)?;
        print(args, &message, &report, retry)?;
    }
    Ok(())
}

impl Report {
    /// Of a message that goes nowhere.
    fn printed(message: &Message) -> Self {
        Self { nr: message.nr, duration_ms: 0, status: Some(200), headers: Vec::new(), body: None, error: None }
    }
}

/// Brings a message to the developer's machine, as the server would.
async fn forwarded(client: &Client, target: Url, message: &Message) -> Report {
    let mut headers = HeaderMap::new();
    for (name, value) in &message.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    let began = Instant::now();
    let call = client.post(target).headers(headers).body(message.body.clone()).timeout(PATIENCE);
    let answered = async {
        let response = call.send().await?;
        let (status, headers) = (response.status().as_u16(), listed(response.headers()));
        Ok::<_, reqwest::Error>((status, headers, beginning(response).await?))
    };
    let answered = answered.await;
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    match answered {
        Ok((status, headers, body)) => {
            Report { nr: message.nr, duration_ms, status: Some(status), headers, body: Some(body), error: None }
        }
        Err(error) => {
            let error = Some(plane::deepest(&error));
            Report { nr: message.nr, duration_ms, status: None, headers: Vec::new(), body: None, error }
        }
    }
}

async fn beginning(mut response: Response) -> Result<String, reqwest::Error> {
    let mut body = Vec::new();
    while body.len() < KEPT_BODY {
        let Some(chunk) = response.chunk().await? else { break };
        let room = KEPT_BODY - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    Ok(String::from_utf8_lossy(&body).into_owned())
}

fn listed(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().take(32).map(|(name, value)| (name.to_string(), text(value))).collect()
}

/// What a listener does there.
impl Plane {
    /// Makes a listener, with the secret that it had before.
    async fn register(&self, args: &ListenArgs, known: Option<&str>) -> Result<Listener, Trouble> {
        let mut body = json!({});
        if let Some(app) = &args.app {
            body["app"] = json!(app.as_str());
        }
        if !args.events.is_empty() {
            body["events"] = args.events.iter().map(|topic| topic.as_str()).collect();
        }
        let given = known.map(str::to_owned).or_else(|| args.secret.as_ref().map(|secret| secret.expose().to_owned()));
        if let Some(secret) = given {
            body["secret"] = json!(secret);
        }
        let made = self.send(Method::POST, "/listeners", Some(body)).await?;
        let text = |member: &str| made[member].as_str().map(str::to_owned);
        let (Some(id), Some(secret)) = (text("id"), text("secret")) else {
            return Err(Trouble::Refused("what answers there is no Leadgate server that has webhooks".to_owned()));
        };
        Ok(Listener { id, secret })
    }

    async fn take(&self, listener: &str) -> Result<Vec<Message>, Trouble> {
        let mut answer = self.send(Method::POST, &format!("/listeners/{listener}/messages?wait={WAIT}"), None).await?;
        let messages = serde_json::from_value(answer["messages"].take());
        messages.map_err(|_| Trouble::Refused("the server's answer is not what was asked for".to_owned()))
    }

    /// Answers after how many milliseconds the message comes again, if it does.
    async fn report(&self, listener: &str, message: &Message, report: &Report) -> Result<Option<u64>, Trouble> {
        let path = format!("/listeners/{listener}/messages/{}/outcome", message.id);
        let body = serde_json::to_value(report).map_err(|error| Trouble::Refused(error.to_string()))?;
        Ok(self.send(Method::POST, &path, Some(body)).await?["retry_in_ms"].as_u64())
    }
}

fn announce(args: &ListenArgs, server: &str, listener: &Listener) -> Result<(), CliError> {
    let target = args.forward_to.as_ref().map(Url::as_str);
    if args.json {
        let ready = json!({ "ready": true, "server": server, "forward_to": target, "secret": listener.secret });
        return output::line(&ready.to_string());
    }
    output::line(&format!("Listening to {server}; Ctrl-C ends."))?;
    if let Some(target) = target {
        output::line(&format!("Messages are brought to {target}."))?;
    }
    output::line(&format!("They are signed with {}", listener.secret))
}

/// Something about the connection, beside the messages.
fn note(args: &ListenArgs, text: &str) -> Result<(), CliError> {
    if args.json {
        return output::line(&json!({ "note": text }).to_string());
    }
    output::line(&coloured(&format!("· {text}"), "2"))
}

fn print(args: &ListenArgs, message: &Message, report: &Report, retry: Option<u64>) -> Result<(), CliError> {
    let payload: Value = serde_json::from_str(&message.body).unwrap_or_default();
    if args.json {
        let line = json!({
            "id": message.id,
            "type": message.kind,
            "attempt": message.nr,
            "payload": payload,
            "status": report.status,
            "error": report.error,
            "duration_ms": report.duration_ms,
            "retry_in_ms": retry,
        });
        return output::line(&line.to_string());
    }
    let data = &payload["data"];
    let about = data["user"].as_str().or(data["app"].as_str()).unwrap_or_default();
    let is_good = report.status.is_some_and(|status| (200..300).contains(&status));
    let came = match (&args.forward_to, report.status, &report.error) {
        (None, ..) => String::new(),
        (_, Some(status), _) => coloured(&format!("{status}"), if is_good { "32" } else { "31" }),
        (_, None, error) => coloured(error.as_deref().unwrap_or("no answer"), "31"),
    };
    let took = if args.forward_to.is_some() { format!(" in {} ms", report.duration_ms) } else { String::new() };
    let again = retry.map(|pause| format!("; again in {pause} ms")).unwrap_or_default();
    let when = payload["timestamp"].as_str().unwrap_or_default();
    let kind = coloured(&format!("{:20}", message.kind), "1");
    output::line(&format!("{when}  {kind}  {about}  {came}{took}{again}  {}", message.id))
}

/// On a terminal alone, and not where colours are not wanted.
fn coloured(text: &str, code: &str) -> String {
    // Control characters in it could drive the terminal.
    let text: String = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    } else {
        text
    }
}
