//! `leadgate bench`: how many requests in a second a running sandbox answers, and how long each takes. It brings an account, a
//! user, an application and a connection of its own, and takes them away again.

use std::time::Duration;

use clap::{Args, ValueEnum};
use reqwest::{Client, Method, RequestBuilder};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use url::Url;

use super::error::CliError;
use super::output;
use super::plane::{self, Plane, Trouble, deepest, told_to_stop};
use super::progress::{Unit, Watch};
use crate::config::{Flags, Settings};
use crate::domain::duration;
use crate::domain::origin::is_loopback;
use crate::domain::progress::Progress;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest measurement.
const MAX_DURATION: Duration = Duration::from_secs(600);
/// Where the button stands, which nobody clicks.
const ORIGIN: &str = "http://localhost:9";

#[derive(Debug, Args)]
pub struct BenchArgs {
    /// What is asked for, again and again
    #[arg(value_enum, default_value_t = Path::Refresh)]
    path: Path,
    /// For how long
    #[arg(long, value_name = "SPAN", default_value = "10s", value_parser = span)]
    duration: Duration,
    /// Clients, each of which sends a request when it has the answer to the one before
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1000))]
    clients: u16,
    /// Public base URL of the server [default: the setting issuer]
    #[arg(long, value_name = "URL", value_parser = plane::address)]
    server: Option<Url>,
    /// That a server on another machine is meant
    #[arg(long)]
    yes_really: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Path {
    /// An access token for a refresh token, as LeadExec's partners ask for one
    Refresh,
    /// An application's own token, by client credentials
    Token,
    /// Whether a token is good
    Introspect,
    /// Whose a token is
    Me,
}

fn span(text: &str) -> Result<Duration, String> {
    let span = duration::parse(text).map_err(|error| error.to_string())?;
    let is_good = !span.is_zero() && span <= MAX_DURATION;
    if is_good { Ok(span) } else { Err("a measurement takes up to 10m".to_owned()) }
}

#[derive(Debug, Default, Serialize)]
struct Figures {
    requests: u64,
    errors: u64,
    /// What the first error was.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    seconds: f64,
    per_second: f64,
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    max_ms: f64,
}

pub async fn run(flags: &Flags, args: BenchArgs) -> Result<(), CliError> {
    let settings = Settings::of_process(flags)?;
    let plane = Plane::of(&settings, args.server.as_ref())?;
    let is_near = Url::parse(&plane.server).is_ok_and(|url| is_loopback(&url));
    if !is_near && !args.yes_really {
        return Err(CliError::usage(format!(
            "{} is not on this machine, and this keeps it busy for {} s: say --yes-really if that is meant",
            plane.server,
            args.duration.as_secs()
        )));
    }
    let mut guests = Guests::default();
    let measured = tokio::select! {
        measured = measure(&plane, &args, &mut guests) => measured.map(Some),
        () = told_to_stop() => Ok(None),
    };
    let left = guests.leave(&plane).await;
    let figures = measured.map_err(|trouble| plane.refused(trouble))?;
    left.map_err(|trouble| plane.refused(trouble))?;
    let Some(figures) = figures else { return Ok(()) };
    print(&args, is_near, &figures)?;
    match &figures.error {
        Some(error) if figures.requests == 0 => Err(CliError::failure(format!("no request was answered: {error}"))),
        _ => Ok(()),
    }
}

async fn measure(plane: &Plane, args: &BenchArgs, guests: &mut Guests) -> Result<Figures, Trouble> {
    let means = guests.come(plane).await?;
    let client = Client::builder().pool_max_idle_per_host(usize::from(args.clients)).build();
    let client = client.map_err(|error| Trouble::Refused(deepest(&error)))?;
    let request = means.request(&client, &plane.server, args.path);
    let progress = Progress::default();
    progress.expect(u64::try_from(args.duration.as_millis()).unwrap_or(u64::MAX));
    let began = Instant::now();
    let measure = || progress.reach(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX));
    let watch = Watch { what: "bench", unit: Unit::Of("ms"), is_silent: args.json };
    Ok(watch.until(&progress, measure, load(&request, args.clients, args.duration)).await)
}

/// What was made for this, by the control plane's addresses.
#[derive(Default)]
struct Guests {
    /// In the order in which they came; they leave in the other.
    places: Vec<String>,
}

/// What requests are made with.
struct Means {
    app: String,
    secret: String,
    refresh_token: String,
    access_token: String,
}

impl Guests {
    async fn make(&mut self, plane: &Plane, kind: &str, body: Value) -> Result<Value, Trouble> {
        let made = plane.send(Method::POST, &format!("/{kind}"), Some(body)).await?;
        let id = made["id"].as_str().ok_or_else(|| not_asked_for(kind))?;
        self.places.push(format!("/{kind}/{id}"));
        Ok(made)
    }

    async fn come(&mut self, plane: &Plane) -> Result<Means, Trouble> {
        let account = self.make(plane, "accounts", json!({ "name": "Bench" })).await?;
        // Two at once do not get in each other's way: the account's id is its own.
        let id = account["id"].as_str().unwrap_or_default();
        let email = format!("bench-{id}@leadgate.test");
        let person = json!({ "email": email, "password": id, "name": "Bench", "account": id });
        self.make(plane, "users", person).await?;
        let grants = ["client_credentials", "refresh_token", "authorization_code"];
        let app = json!({
            "name": "Bench", "grant_types": grants, "scopes": ["account_api", "data_api"],
            "token_endpoint_auth_method": "client_secret_basic", "redirect_uris": [format!("{ORIGIN}/callback")],
        });
        let app = self.make(plane, "apps", app).await?;
        let secret = app["client_secret"].as_str().ok_or_else(|| not_asked_for("apps"))?;
        let button = json!({ "app": app["id"], "origins": [ORIGIN], "scopes": ["account_api"] });
        let button = self.make(plane, "buttons", button).await?;
        let decided = json!({ "user": email, "button": button["id"], "decision": "allow" });
        let result = plane.send(Method::POST, "/authorize", Some(decided)).await?;
        let text = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(|| not_asked_for("authorize"));
        Ok(Means {
            app: text(&app["id"])?,
            secret: secret.to_owned(),
            refresh_token: text(&result["refreshToken"])?,
            access_token: text(&result["authToken"])?,
        })
    }

    /// Also after a failure; the first thing that cannot be undone is told.
    async fn leave(self, plane: &Plane) -> Result<(), Trouble> {
        let mut outcome = Ok(());
        for place in self.places.iter().rev() {
            match plane.send(Method::DELETE, place, None).await {
                Ok(_) | Err(Trouble::Unknown(_)) => {}
                Err(trouble) => outcome = outcome.and(Err(trouble)),
            }
        }
        outcome
    }
}

fn not_asked_for(what: &str) -> Trouble {
    Trouble::Refused(format!("its answer at /_sandbox/{what} is not what was asked for"))
}

impl Means {
    fn request(&self, client: &Client, server: &str, path: Path) -> RequestBuilder {
        let form = "application/x-www-form-urlencoded";
        let post = |address: &str, body: String| {
            let call = client.post(format!("{server}{address}")).basic_auth(&self.app, Some(&self.secret));
            call.header("content-type", form).body(body)
        };
        let call = match path {
            Path::Refresh => {
                let address = format!("/authorize/refreshaccesstoken/{}?appid={}", self.refresh_token, self.app);
                client.get(format!("{server}{address}"))
            }
            Path::Token => post("/oauth/token", "grant_type=client_credentials".to_owned()),
            Path::Introspect => post("/oauth/introspect", format!("token={}", self.access_token)),
            Path::Me => client.get(format!("{server}/v1/me")).bearer_auth(&self.access_token),
        };
        call.timeout(PATIENCE)
    }
}

/// What one client saw.
#[derive(Default)]
struct Seen {
    /// Microseconds.
    latencies: Vec<u32>,
    errors: u64,
    error: Option<String>,
}

async fn load(request: &RequestBuilder, clients: u16, span: Duration) -> Figures {
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..clients {
        if let Some(request) = request.try_clone() {
            tasks.spawn(one_client(request, began + span));
        }
    }
    let mut all = Seen::default();
    while let Some(Ok(seen)) = tasks.join_next().await {
        all.latencies.extend(seen.latencies);
        all.errors += seen.errors;
        all.error = all.error.or(seen.error);
    }
    figures(all, began.elapsed())
}

async fn one_client(request: RequestBuilder, until: Instant) -> Seen {
    let mut seen = Seen::default();
    while Instant::now() < until {
        let Some(call) = request.try_clone() else { break };
        let sent = Instant::now();
        match timeout(PATIENCE, answered(call)).await {
            Ok(Ok(())) => seen.latencies.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX)),
            failed => {
                seen.errors += 1;
                let why =
                    failed.map_or_else(|_| "no answer in time".to_owned(), |failed| failed.err().unwrap_or_default());
                seen.error.get_or_insert(why);
            }
        }
    }
    seen
}

/// A refusal is quick, and would flatter.
async fn answered(call: RequestBuilder) -> Result<(), String> {
    let response = call.send().await.map_err(|error| deepest(&error))?;
    let status = response.status();
    let body = response.bytes().await.map_err(|error| deepest(&error))?;
    let says_no = [&b"{\"valid\":false"[..], b"{\"active\":false"].iter().any(|no| body.starts_with(no));
    if status.is_success() && !says_no { Ok(()) } else { Err(format!("refused, with status {}", status.as_u16())) }
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn figures(mut seen: Seen, elapsed: Duration) -> Figures {
    seen.latencies.sort_unstable();
    let quantile = |part: f64| {
        let last = seen.latencies.len().saturating_sub(1);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a length")]
        let at = (last as f64 * part).round() as usize;
        f64::from(seen.latencies.get(at).copied().unwrap_or_default()) / 1e3
    };
    let seconds = elapsed.as_secs_f64();
    Figures {
        requests: seen.latencies.len() as u64,
        errors: seen.errors,
        seconds,
        per_second: seen.latencies.len() as f64 / seconds,
        p50_ms: quantile(0.5),
        p95_ms: quantile(0.95),
        p99_ms: quantile(0.99),
        max_ms: quantile(1.0),
        error: seen.error,
    }
}

fn print(args: &BenchArgs, is_near: bool, of: &Figures) -> Result<(), CliError> {
    if args.json {
        return output::json(of);
    }
    let errors = of.error.as_ref().map_or_else(|| of.errors.to_string(), |why| format!("{} ({why})", of.errors));
    output::fields(&[
        ("requests", format!("{} in {:.1} s, {} clients", of.requests, of.seconds, args.clients)),
        ("rate", format!("{:.0} in a second", of.per_second)),
        ("p50", format!("{:.2} ms", of.p50_ms)),
        ("p95", format!("{:.2} ms", of.p95_ms)),
        ("p99", format!("{:.2} ms", of.p99_ms)),
        ("longest", format!("{:.2} ms", of.max_ms)),
        ("errors", errors),
    ])?;
    if is_near {
        output::line(
            "This command and the server share the machine: by itself the server does more. A sandbox also keeps a journal.",
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_of_what_was_answered() {
        let seen =
            Seen { latencies: (1..=1_000).rev().map(|ms| ms * 1_000).collect(), errors: 3, error: Some("x".into()) };
        let of = figures(seen, Duration::from_secs(2));
        assert_eq!((of.requests, of.errors, of.per_second), (1_000, 3, 500.0));
        assert_eq!((of.p50_ms, of.p95_ms, of.p99_ms, of.max_ms), (501.0, 950.0, 990.0, 1_000.0));
        let none = figures(Seen::default(), Duration::from_secs(1));
        assert_eq!((none.requests, none.p99_ms), (0, 0.0));
    }

    #[test]
    fn a_measurement_has_an_end() {
        assert_eq!(span("5s"), Ok(Duration::from_secs(5)));
        assert!(span("0s").is_err() && span("1h").is_err() && span("x").is_err());
    }
}
