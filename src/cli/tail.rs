//! `leadgate tail`: a running sandbox's journal as it grows. It asks over the control plane, which holds an answer back until
//! there is something in it.

use std::fmt;
use std::io::IsTerminal as _;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};
use url::Url;
use url::form_urlencoded::Serializer;

use super::error::CliError;
use super::output;
use super::plane::{self, Plane, Trouble, told_to_stop};
use crate::config::{Flags, Settings};
use crate::domain::duration;
use crate::domain::flow_line::{self, FlowLine};
use crate::domain::ids::AppId;
use crate::domain::journal::Outcome;
use crate::domain::timestamp::Timestamp;

/// How long the server holds an empty answer back.
const WAIT: &str = "20s";
/// Requests in an answer: all that the journal keeps.
const LIMIT: &str = "5000";
/// How long to wait before the server is asked again, where it did not answer.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub struct TailArgs {
    /// Only this endpoint: the last word of its route, such as refreshaccesstoken or token
    #[arg(long, value_name = "NAME")]
    endpoint: Option<String>,
    /// Only answers with this status, such as 400 or 4xx
    #[arg(long, value_name = "STATUS")]
    status: Option<StatusFilter>,
    /// Only requests of this application
    #[arg(long, value_name = "APP_ID", value_parser = AppId::parse)]
    app: Option<AppId>,
    /// Only requests of this user
    #[arg(long, value_name = "EMAIL")]
    user: Option<String>,
    /// Only what was refused
    #[arg(long)]
    refused: bool,
    /// Also what came before: so long ago at most in real time, such as 10m, or since a moment in RFC 3339 by the server's clock
    #[arg(long, value_name = "SPAN")]
    since: Option<Since>,
    /// Public base URL of the server [default: the setting issuer]
    #[arg(long, value_name = "URL", value_parser = plane::address)]
    server: Option<Url>,
    /// Print a line of JSON for each request
    #[arg(long)]
    json: bool,
}

/// One status, or a class of them.
#[derive(Debug, Clone)]
struct StatusFilter(RangeInclusive<u64>);

impl FromStr for StatusFilter {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str =
            "expected a status such as 400, a class such as 4xx, or 0 for a connection that was dropped";
        if let Some(class) = text.strip_suffix("xx") {
            let class: u64 = class.parse().ok().filter(|class| (1..=5).contains(class)).ok_or(EXPECTED)?;
            return Ok(Self(class * 100..=class * 100 + 99));
        }
        let status: u64 = text.parse().ok().filter(|status| *status < 600).ok_or(EXPECTED)?;
        Ok(Self(status..=status))
    }
}

#[derive(Debug, Clone)]
enum Since {
    Span(Duration),
    Moment(Timestamp),
}

#[derive(Debug)]
struct SinceError;

impl fmt::Display for SinceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a span such as 10m, or a moment such as 2026-11-22T09:15:30Z")
    }
}

impl std::error::Error for SinceError {}

impl FromStr for Since {
    type Err = SinceError;

    fn from_str(text: &str) -> Result<Self, SinceError> {
        let span = duration::parse(text).ok().map(Self::Span);
        span.or_else(|| Timestamp::parse_rfc3339(text).map(Self::Moment)).ok_or(SinceError)
    }
}

pub async fn run(flags: &Flags, args: TailArgs) -> Result<(), CliError> {
    let settings = Settings::of_process(flags)?;
    let plane = Plane::of(&settings, args.server.as_ref())?;
    tokio::select! {
        ended = follow(&plane, &args) => ended,
        () = told_to_stop() => Ok(()),
    }
}

/// Ends where the server refuses, or nobody reads any more.
async fn follow(plane: &Plane, args: &TailArgs) -> Result<(), CliError> {
    let (mut after, mut earliest) = begin(plane, args).await.map_err(|trouble| plane.refused(trouble))?;
    if !args.json && std::io::stdout().is_terminal() {
        note(args, &format!("following {}; Ctrl-C ends", plane.server))?;
    }
    let mut is_away = false;
    loop {
        // Who waits for it to come back hears so at once.
        let wait = if is_away { "0s" } else { WAIT };
        match requests(plane, args, &after, wait).await {
            Ok(found) => {
                if std::mem::take(&mut is_away) {
                    note(args, "the server is back")?;
                }
                // What was asked for comes newest first.
                for request in found.iter().rev() {
                    if shows(args, earliest, request) && !output::streamed(&written(args, request))? {
                        return Ok(());
                    }
                }
                // Later ones are later.
                earliest = None;
                after = found.first().and_then(|request| request["id"].as_str()).map(Position::after).unwrap_or(after);
            }
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

/// Where in the journal to go on.
enum Position {
    Since(String),
    After(String),
    Beginning,
}

impl Position {
    fn after(id: &str) -> Self {
        Self::After(id.to_owned())
    }
}

/// At what is there already, unless more is asked for. A moment is by the server's clock, as the journal is; a span is of real
/// time, as people mean it, whatever was done to that clock: answers also the earliest that is within it.
async fn begin(plane: &Plane, args: &TailArgs) -> Result<(Position, Option<Timestamp>), Trouble> {
    Ok(match &args.since {
        Some(Since::Moment(moment)) => (Position::Since(moment.to_rfc3339_millis()), None),
        Some(Since::Span(span)) => {
            let clock = plane.send(Method::GET, "/clock", None).await?;
            let now = clock["real_now"].as_str().and_then(Timestamp::parse_rfc3339);
            let now = now.ok_or_else(|| Trouble::Refused("its answer has no clock".to_owned()))?;
            (Position::Beginning, Some(now.minus(*span)))
        }
        None => {
            let last = plane.send(Method::GET, "/requests?limit=1", None).await?;
            (last["requests"][0]["id"].as_str().map_or(Position::Beginning, Position::after), None)
        }
    })
}

async fn requests(plane: &Plane, args: &TailArgs, from: &Position, wait: &str) -> Result<Vec<Value>, Trouble> {
    let mut query = Serializer::new(String::new());
    query.append_pair("wait", wait).append_pair("limit", LIMIT);
    match from {
        Position::Since(moment) => drop(query.append_pair("since", moment)),
        Position::After(id) => drop(query.append_pair("after", id)),
        Position::Beginning => {}
    }
    for (name, value) in [("endpoint", &args.endpoint), ("user", &args.user)] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    if let Some(app) = &args.app {
        query.append_pair("app", app.as_str());
    }
    if args.refused {
        query.append_pair("outcome", Outcome::Refused.as_str());
    }
    let mut answer = plane.send(Method::GET, &format!("/requests?{}", query.finish()), None).await?;
    match answer["requests"].take() {
        Value::Array(found) => Ok(found),
        _ => Err(Trouble::Refused("its answer is not what was asked for".to_owned())),
    }
}

fn shows(args: &TailArgs, earliest: Option<Timestamp>, request: &Value) -> bool {
    let status = request["status"].as_u64().unwrap_or_default();
    let is_new = earliest.is_none_or(|earliest| came(request).is_some_and(|came| came >= earliest));
    is_new && args.status.as_ref().is_none_or(|wanted| wanted.0.contains(&status))
}

/// When a request came, in real time.
fn came(request: &Value) -> Option<Timestamp> {
    request["real_at"].as_str().and_then(Timestamp::parse_rfc3339)
}

fn written(args: &TailArgs, request: &Value) -> String {
    if args.json {
        return request.to_string();
    }
    let text = |member: &str| request[member].as_str();
    let outcome = text("outcome").and_then(Outcome::parse).unwrap_or(Outcome::Error);
    let status = request["status"].as_u64().unwrap_or_default();
    let answered = if status == 0 { "dropped".to_owned() } else { status.to_string() };
    let said = match (outcome, text("fault"), request["why"]["message"].as_str()) {
        (Outcome::Ok, ..) => answered,
        (Outcome::Fault, Some(rule), _) => format!("{answered} fault {rule} acted"),
        (outcome, _, Some(why)) => {
            let rule = request["why"]["rule"].as_str().unwrap_or_default();
            let nearest = flow_line::nearest(rule, request["why"]["nearest"].as_str());
            format!("{answered} {}: {why}{nearest}", outcome.as_str())
        }
        (outcome, ..) => format!("{answered} {}", outcome.as_str()),
    };
    let what = format!("{:4} {:24}", text("method").unwrap_or_default(), text("endpoint").unwrap_or_default());
    let line = FlowLine {
        at: came(request).unwrap_or_else(|| Timestamp::from_unix_seconds(0)),
        what: &what,
        user: text("user"),
        button: text("button"),
        app: text("app"),
        outcome,
        said: &said,
        took: Duration::from_millis(request["duration_ms"].as_u64().unwrap_or_default()),
    };
    line.render(output::has_colours())
}

/// Something about the connection, beside the requests.
fn note(args: &TailArgs, text: &str) -> Result<(), CliError> {
    if args.json {
        return output::line(&json!({ "note": text }).to_string());
    }
    output::line(&format!("· {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_one_or_a_class() {
        let takes = |filter: &str, status| filter.parse::<StatusFilter>().unwrap().0.contains(&status);
        assert!(takes("404", 404) && !takes("404", 405) && takes("4xx", 499) && !takes("4xx", 500) && takes("0", 0));
        for wrong in ["", "x", "6xx", "600", "-1", "4x"] {
            assert!(wrong.parse::<StatusFilter>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn since_is_a_span_or_a_moment() {
        assert!(matches!("10m".parse(), Ok(Since::Span(span)) if span == Duration::from_secs(600)));
        assert!(matches!("2026-11-22T09:15:30Z".parse(), Ok(Since::Moment(_))));
        assert!("yesterday".parse::<Since>().is_err());
    }
}
