//! What a person at a terminal sees while a sandbox serves: a line for each sign-in, each token and each refusal, read from
//! the journal.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;

use crate::domain::flow_line::{self, FlowLine};
use crate::domain::journal::{Entry, NO_ROUTE, Outcome};
use crate::services::Context;
use crate::services::journal::{Journal, Query, learn_users};

/// Lines that a person can follow in a second; more are counted.
const MAX_LINES: u32 = 20;
const SECOND: Duration = Duration::from_secs(1);

/// What a person decides on, and the word for no.
const DECISION: &str = "/dialog/{flow}/decision";
const DENIED: &str = "decision=deny";

/// Whether somebody looks on.
pub fn is_watched() -> bool {
    std::io::stdout().is_terminal()
}

/// Shows what comes, for as long as the process lives. On a thread of its own: a terminal may stand still.
pub fn show(ctx: Arc<Context>) {
    if !ctx.journal.is_on() {
        return;
    }
    // Where the log goes elsewhere, it is whole.
    ctx.journal.set_shown(std::io::stderr().is_terminal());
    let mut feed = ctx.journal.subscribe();
    let runtime = Handle::current();
    let has_colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let thread = std::thread::Builder::new().name("flows".into()).spawn(move || {
        let mut pace = Pace::new(Instant::now());
        loop {
            // What was left out is told when its second is over, and not with what comes hours later.
            let patience = if pace.left_out > 0 { pace.rest(Instant::now()) } else { Duration::MAX };
            match runtime.block_on(async { timeout(patience, feed.recv()).await }) {
                // To make a line costs more than to count one.
                Ok(Ok(entry)) if has_line(&entry) => {
                    if let Some(left_out) = pace.takes(Instant::now()) {
                        print(left_out, Some(&line(&ctx, &runtime, &entry, has_colours)));
                    }
                }
                Ok(Ok(_)) => {}
                Ok(Err(RecvError::Lagged(missed))) => pace.left_out += missed,
                Ok(Err(RecvError::Closed)) => return,
                Err(_) => print(std::mem::take(&mut pace.left_out), None),
            }
        }
    });
    if let Err(error) = thread {
        tracing::warn!(%error, "sign-ins are not shown");
    }
}

/// A closed standard output stream is no reason to stop serving.
fn print(left_out: u64, line: Option<&str>) {
    let mut out = std::io::stdout().lock();
    if left_out > 0 {
        let _ = writeln!(out, "          … and {left_out} more");
    }
    if let Some(line) = line {
        let _ = writeln!(out, "{line}");
    }
    let _ = out.flush();
}

/// How many lines there were in the present second.
struct Pace {
    since: Instant,
    lines: u32,
    left_out: u64,
}

impl Pace {
    fn new(now: Instant) -> Self {
        Self { since: now, lines: 0, left_out: 0 }
    }

    /// What is left of the present second.
    fn rest(&self, now: Instant) -> Duration {
        (self.since + SECOND).saturating_duration_since(now)
    }

    /// How many were left out before this one; `None`: this one is, too.
    fn takes(&mut self, now: Instant) -> Option<u64> {
        if now.duration_since(self.since) >= SECOND {
            (self.since, self.lines) = (now, 0);
        }
        if self.lines == MAX_LINES {
            self.left_out += 1;
            return None;
        }
        self.lines += 1;
        Some(std::mem::take(&mut self.left_out))
    }
}

fn is_denial(entry: &Entry) -> bool {
    entry.route == DECISION && entry.request.body.contains(DENIED)
}

/// Whether an entry is news.
fn has_line(entry: &Entry) -> bool {
    entry.outcome != Outcome::Ok
        || is_denial(entry)
        // What a browser asks before it asks (CORS) is told with what it asks.
        || entry.method != "OPTIONS"
            && match flow_line::story(&entry.route) {
            // Each page asks when it is opened; only somebody who is signed in by that is news.
            Some("resume") => entry.user.is_some() || entry.connection.is_some(),
            story => story.is_some(),
        }
}

/// The line of an entry.
fn line(ctx: &Context, runtime: &Handle, entry: &Entry, has_colours: bool) -> String {
    let is_denial = is_denial(entry);
    let what = match flow_line::story(&entry.route) {
        _ if is_denial => "sign-in",
        Some(what) => what,
        None => entry.endpoint.as_str(),
    };
    if entry.user.is_none() && entry.connection.is_some() {
        // What cannot be looked up is not shown; the request itself was served.
        let _ = runtime.block_on(learn_users(ctx));
    }
    // Of what nothing is there for, all that can be said is what was asked.
    let what = if entry.route == NO_ROUTE { entry.request.line.as_str() } else { what };
    let why = entry.why.as_ref().map(|why| why.message.as_str());
    let nearest = entry.why.as_ref().map(|why| flow_line::nearest(&why.rule, why.nearest.as_deref()));
    let said = match (entry.outcome, &entry.fault, why) {
        (Outcome::Ok, ..) if is_denial => "denied".to_owned(),
        (Outcome::Ok, ..) if what == "sign-in" => "allowed".to_owned(),
        (Outcome::Ok, ..) => "ok".to_owned(),
        (Outcome::Fault, Some(rule), _) => format!("fault {rule} acted ({})", entry.status),
        (outcome, _, Some(why)) => format!("{}: {why}{}", outcome.as_str(), nearest.unwrap_or_default()),
        (outcome, ..) => format!("{} ({})", outcome.as_str(), entry.status),
    };
    let user = ctx.journal.user_of(entry);
    let line = FlowLine {
        at: entry.real_at,
        what,
        user: user.as_deref(),
        button: entry.button.as_deref(),
        app: entry.app.as_ref().map(|app| app.as_str()),
        outcome: entry.outcome,
        said: &said,
        took: if what == "sign-in" { since_click(&ctx.journal, entry) } else { own(entry) },
    };
    line.render(has_colours)
}

fn own(entry: &Entry) -> Duration {
    Duration::from_micros(entry.duration_us)
}

/// How long it is since the click that led here, as far as the journal goes back. The page's own request names a code and no
/// flow: that was the last of its connection.
fn since_click(journal: &Journal, entry: &Entry) -> Duration {
    let of_connection = || {
        let connection = Some(entry.connection?);
        journal.list(&Query { connection, ..Query::default() }).iter().find_map(|one| one.flow)
    };
    let Some(flow) = entry.flow.or_else(of_connection) else { return own(entry) };
    let steps = journal.list(&Query { flow: Some(flow), ..Query::default() });
    steps.last().map_or(own(entry), |first| entry.real_at.since(first.real_at) + own(entry))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::ids::{ConnectionId, FlowId};
    use crate::domain::timestamp::Timestamp;

    /// At this second, after so long a request.
    fn entry(second: i64, route: &str, took: Duration) -> Entry {
        let duration_us = u64::try_from(took.as_micros()).unwrap();
        let id = Uuid::from_u128(u128::try_from(second).unwrap());
        Entry { id, real_at: Timestamp::from_unix_seconds(second), duration_us, ..Entry::sample("POST", route) }
    }

    #[test]
    fn a_sign_in_is_timed_from_its_click() {
        let (flow, connection) = (FlowId(Uuid::from_u128(1)), ConnectionId(Uuid::from_u128(2)));
        let second = Duration::from_secs(1);
        let journal = Journal::new(true);
        let token = Entry { connection: Some(connection), ..entry(30, "/button/token", second) };
        assert_eq!(since_click(&journal, &token), second, "of which nothing is known");
        journal.record(Entry { flow: Some(flow), ..entry(10, "/dialog/{flow}", second) });
        journal.record(Entry { flow: Some(flow), connection: Some(connection), ..entry(20, DECISION, second) });
        journal.record(token.clone());
        assert_eq!(since_click(&journal, &token), Duration::from_secs(21));
        let denied = Entry { flow: Some(flow), ..entry(25, DECISION, second) };
        assert_eq!(since_click(&journal, &denied), Duration::from_secs(16));
    }

    #[test]
    fn preflights_and_steps_on_the_way_are_no_news() {
        let soon = Duration::ZERO;
        let preflight = Entry { method: "OPTIONS".into(), ..entry(1, "/button/token", soon) };
        assert!(!has_line(&preflight) && !has_line(&entry(1, "/dialog/{flow}", soon)));
        assert!(has_line(&entry(1, "/button/token", soon)));
        assert!(has_line(&Entry { outcome: Outcome::Refused, ..preflight }));
    }

    #[test]
    fn a_flood_is_counted_and_not_shown() {
        let began = Instant::now();
        let mut pace = Pace::new(began);
        let taken = (0..MAX_LINES + 5).filter(|_| pace.takes(began).is_some()).count();
        assert_eq!(taken, MAX_LINES as usize);
        assert_eq!(pace.takes(began + SECOND), Some(5));
        assert_eq!(pace.takes(began + SECOND), Some(0));
    }
}
