//! What happens when something fails: a refusal is final, a failure of the server is not.

use std::collections::HashMap;
use std::time::Duration;

use super::seen::{Seen, Verdict, fail, is_api, is_ok, is_refresh, is_token_endpoint, presented, rule};
use crate::domain::journal::{Entry, Outcome};

/// Refusals of one token that are too many.
const TOO_MANY: usize = 4;
/// Rules by which a token is gone for good, so that asking again is of no use.
const FINAL: [&str; 9] = [
    "connection.disconnected",
    "connection.ended_by_user",
    "connection.ended_by_operator",
    "connection.expired",
    "connection.gone",
    "refresh_token.unknown",
    "refresh_token.expired",
    "refresh_token.reused",
    "grant.ended",
];

/// No storm of requests that can only be refused again.
pub fn refusal_accepted<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    let is_final = |entry: &Entry| asks_for_token(entry) && FINAL.contains(&rule(entry));
    let mut times: HashMap<&str, usize> = HashMap::new();
    for entry in seen.all(is_final) {
        let asked = times.entry(presented(entry).unwrap_or_default()).or_default();
        *asked += 1;
        if *asked == TOO_MANY {
            return fail(entry);
        }
    }
    seen.last(is_final).map_or(Verdict::NotSeen, Verdict::Pass)
}

/// `Retry-After` (RFC 9110 section 10.2.3) is waited for.
pub fn retry_waits<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    let mut verdict = Verdict::NotSeen;
    for (at, asked) in seen.entries.iter().enumerate() {
        let Some(wait) = retry_after(asked) else { continue };
        let Some(again) = seen.entries[at + 1..].iter().find(|entry| is_same_call(entry, asked)) else { continue };
        // Real time: so long is a client to wait, whatever a test's clock shows.
        let waited = again.real_at.since(asked.real_at);
        if waited < wait {
            return Verdict::Fail(again, wait.as_secs().to_string());
        }
        verdict = Verdict::Pass(again);
    }
    verdict
}

/// The same call as the one that failed was made again, and served.
pub fn fault_survived<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    let failed = |entry: &Entry| matches!(entry.outcome, Outcome::Fault | Outcome::Error);
    let Some(at) = seen.entries.iter().rposition(|entry| failed(entry)) else { return Verdict::NotSeen };
    let mut again = seen.entries[at + 1..].iter().filter(|entry| is_same_call(entry, seen.entries[at]));
    match again.clone().find(|entry| is_ok(entry)) {
        Some(served) => Verdict::Pass(served),
        None => again.next().map_or(Verdict::NotSeen, |entry| fail(entry)),
    }
}

fn asks_for_token(entry: &Entry) -> bool {
    is_refresh(entry) || is_token_endpoint(entry) || is_api(entry)
}

fn is_same_call(entry: &Entry, other: &Entry) -> bool {
    entry.route == other.route && entry.method == other.method && presented(entry) == presented(other)
}

fn retry_after(entry: &Entry) -> Option<Duration> {
    let value = entry.response.headers.iter().find(|(name, _)| name == "retry-after");
    value.and_then(|(_, value)| value.parse().ok()).map(Duration::from_secs)
}
