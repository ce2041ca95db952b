//! Refreshing and using tokens: mostly what the back end does.

use std::time::Duration;

use super::seen::{Seen, Verdict, fail, header, is_api, is_disconnect, is_ok, is_refresh, refreshed, rule};
use crate::domain::connection::ACCESS_TOKEN_LIFETIME;
use crate::domain::journal::{Entry, Outcome};

/// Refreshes of one connection within an hour that are too many: two may be one before the other was heard of.
const TOO_MANY: usize = 3;
/// How long before its expiry a token may be replaced and count as refreshed once an hour.
const MARGIN: Duration = Duration::from_secs(15 * 60);

pub fn refresh_works<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    seen.latest(refreshed, |entry| is_refresh(entry) && entry.outcome == Outcome::Refused)
}

pub fn app_id_right<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    let wrong = ["appid.missing", "appid.malformed", "appid.case", "refresh_token.other_app"];
    seen.latest(refreshed, |entry| is_refresh(entry) && wrong.contains(&rule(entry)))
}

/// A browser says of every request to another origin where it comes from. (Some programs send `Sec-Fetch-Mode`, too.) The
/// server's own page, where everything can be tried, may refresh.
pub fn refresh_in_back_end<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    let is_own_page = |entry: &Entry| header(entry, "sec-fetch-site") == Some("same-origin");
    let is_page = |entry: &Entry| header(entry, "origin").is_some() || header(entry, "sec-fetch-site").is_some();
    let from_page = |entry: &Entry| is_refresh(entry) && is_page(entry) && !is_own_page(entry);
    let value = |entry: &Entry| header(entry, "origin").or(header(entry, "referer")).unwrap_or_default().to_owned();
    match seen.last(from_page) {
        Some(entry) => Verdict::Fail(entry, value(entry)),
        None => seen.last(|entry| refreshed(entry) && !is_page(entry)).map_or(Verdict::NotSeen, Verdict::Pass),
    }
}

/// By the application's clock, so that a test which moves it passes in no time. It passes with the first token that was
/// replaced near the end of its hour.
pub fn refreshed_once_an_hour<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    let mut once = Verdict::NotSeen;
    for connection in seen.connections() {
        let refreshes: Vec<&Entry> = connection.into_iter().filter(|entry| refreshed(entry)).collect();
        let within_an_hour = |window: &&[&Entry]| match *window {
            [first, .., last] => last.app_at >= first.app_at && last.app_at.since(first.app_at) < ACCESS_TOKEN_LIFETIME,
            _ => false,
        };
        if let Some([.., last]) = refreshes.windows(TOO_MANY).rfind(within_an_hour) {
            let hour = refreshes
                .iter()
                .filter(|entry| entry.app_at <= last.app_at && last.app_at.since(entry.app_at) < ACCESS_TOKEN_LIFETIME);
            return Verdict::Fail(last, hour.count().to_string());
        }
        let apart = |pair: &&[&Entry]| pair[1].app_at.since(pair[0].app_at) >= ACCESS_TOKEN_LIFETIME - MARGIN;
        if let Some([_, later]) = refreshes.windows(2).rfind(apart) {
            once = Verdict::Pass(later);
        }
    }
    once
}

/// 401 for an expired token, then a refresh, then the call again.
pub fn expired_token_refreshed<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    let mut verdict = Verdict::NotSeen;
    for connection in seen.connections() {
        let is_expired = |entry: &Entry| is_api(entry) && rule(entry) == "access_token.expired";
        let Some(at) = connection.iter().position(|entry| is_expired(entry)) else { continue };
        let then = &connection[at + 1..];
        let again = then.iter().take_while(|entry| !is_new_token(entry)).filter(|entry| is_expired(entry)).nth(1);
        if let Some(again) = again {
            return fail(again);
        }
        if let Some(refresh) = then.iter().position(|entry| is_new_token(entry))
            && let Some(call) = then[refresh..].iter().find(|entry| is_api(entry) && is_ok(entry))
        {
            verdict = Verdict::Pass(call);
        }
    }
    verdict
}

fn is_new_token(entry: &Entry) -> bool {
    is_ok(entry) && (is_refresh(entry) || entry.route == "/oauth/token")
}

/// Addresses are logged everywhere. A2 and A3 carry a token in their path, as LeadExec has it; their query is another
/// matter.
pub fn tokens_out_of_queries<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    const SECRETS: [&str; 7] =
        ["access_token", "refresh_token", "token", "authtoken", "refreshtoken", "client_secret", "password"];
    let named = |entry: &Entry| {
        let query = entry.request.line.split_once('?').map_or("", |(_, query)| query);
        let names = query.split('&').filter_map(|pair| pair.split_once('=').map(|(name, _)| name));
        names.map(str::to_ascii_lowercase).find(|name| SECRETS.contains(&name.as_str()))
    };
    match seen.last(|entry| named(entry).is_some()) {
        Some(entry) => Verdict::Fail(entry, named(entry).unwrap_or_default()),
        None => {
            let carries = |entry: &Entry| is_api(entry) || is_refresh(entry) || entry.route == "/oauth/token";
            seen.last(|entry| carries(entry) && is_ok(entry)).map_or(Verdict::NotSeen, Verdict::Pass)
        }
    }
}

pub fn scope_suffices<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    seen.latest(|entry| is_api(entry) && is_ok(entry), |entry| is_api(entry) && rule(entry) == "access_token.scope")
}

/// HEAD and prefetches do nothing there, but a token in an address that is asked for in advance has been somewhere.
pub fn no_probing<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    let carries_token = |entry: &Entry| is_refresh(entry) || is_disconnect(entry);
    let in_advance = |entry: &Entry| {
        let says =
            |name: &str| header(entry, name).is_some_and(|value| value.to_ascii_lowercase().contains("prefetch"));
        entry.method == "HEAD" || ["sec-purpose", "purpose", "x-purpose", "x-moz"].into_iter().any(says)
    };
    match seen.last(|entry| carries_token(entry) && in_advance(entry)) {
        Some(entry) => Verdict::Fail(entry, entry.method.clone()),
        None => seen.last(|entry| carries_token(entry) && is_ok(entry)).map_or(Verdict::NotSeen, Verdict::Pass),
    }
}
