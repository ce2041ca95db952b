//! The standard endpoints: what a client sends to them.

use super::seen::{Seen, Verdict, fail, header, is_authorization, is_grant, is_ok, is_token_endpoint, parameter, rule};
use crate::domain::auth_method::AuthMethod;
use crate::domain::journal::{Entry, Outcome};

/// RFC 6749 section 10.12; a pushed request has it in its form (RFC 9126).
pub fn state_sent<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    asks_with(seen, "state")
}

/// RFC 7636 section 4.3, and S256: its presence is all that can be seen, the method is the server's only one.
pub fn pkce_used<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    asks_with(seen, "code_challenge")
}

fn asks_with<'e>(seen: &Seen<'e>, name: &str) -> Verdict<'e> {
    let asks = |entry: &Entry| is_authorization(entry) && parameter(entry, "request_uri").is_none();
    seen.latest(
        |entry| asks(entry) && is_ok(entry) && parameter(entry, name).is_some(),
        |entry| asks(entry) && parameter(entry, name).is_none(),
    )
}

pub fn verifier_matches<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    refuses(seen, &["code.verifier", "code.verifier_malformed", "code.verifier_unexpected"])
}

pub fn redirect_uri_registered<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    let wrong = ["redirect_uri.not_registered", "redirect_uri.missing", "code.redirect_uri"];
    seen.latest(|entry| is_authorization(entry) && is_ok(entry), |entry| wrong.contains(&rule(entry)))
}

/// A minute, once, from the redirect to the token endpoint.
pub fn code_in_time<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    refuses(seen, &["code.expired"])
}

pub fn code_once<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    let is_good = |entry: &Entry| is_redemption(entry) && is_ok(entry);
    seen.never(is_good, |entry| is_redemption(entry) && rule(entry) == "code.used")
}

fn refuses<'e>(seen: &Seen<'e>, rules: &[&str]) -> Verdict<'e> {
    seen.latest(
        |entry| is_redemption(entry) && is_ok(entry),
        |entry| is_redemption(entry) && rules.contains(&rule(entry)),
    )
}

/// A code of either kind: the button's script swaps one, too.
fn is_redemption(entry: &Entry) -> bool {
    is_grant(entry, "authorization_code") || entry.route == "/button/token"
}

/// As it is registered (RFC 7591 section 2, `token_endpoint_auth_method`), and accepted.
pub fn client_authenticates<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    let registered = seen.app.auth_method;
    let is_other = |entry: &Entry| is_ok(entry) && used(entry) != registered;
    let is_refused = |entry: &Entry| entry.outcome == Outcome::Refused && rule(entry).starts_with("client.");
    let verdict = seen.latest(
        |entry| is_token_endpoint(entry) && is_ok(entry) && !is_other(entry),
        |entry| is_token_endpoint(entry) && (is_refused(entry) || is_other(entry)),
    );
    match verdict {
        Verdict::Fail(entry, _) if is_other(entry) => {
            Verdict::Fail(entry, format!("{} ({})", used(entry).as_str(), registered.as_str()))
        }
        verdict => verdict,
    }
}

fn used(entry: &Entry) -> AuthMethod {
    let is_basic = header(entry, "authorization").is_some_and(|value| value.starts_with("Basic "));
    match () {
        () if is_basic => AuthMethod::ClientSecretBasic,
        () if parameter(entry, "client_secret").is_some() => AuthMethod::ClientSecretPost,
        () if parameter(entry, "client_assertion").is_some() => AuthMethod::PrivateKeyJwt,
        () => AuthMethod::None,
    }
}

/// Each refresh hands out the next token, and to present a spent one is how a thief looks (RFC 9700 section 4.14).
pub fn newest_refresh_token_used<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    let is_refresh = |entry: &Entry| is_grant(entry, "refresh_token");
    match seen.last(|entry| is_refresh(entry) && rule(entry) == "refresh_token.reused") {
        Some(reused) => fail(reused),
        // The first refresh has nothing to forget.
        None => {
            let twice = seen
                .connections()
                .into_iter()
                .find_map(|connection| connection.into_iter().filter(|entry| is_refresh(entry) && is_ok(entry)).nth(1));
            twice.map_or(Verdict::NotSeen, Verdict::Pass)
        }
    }
}

/// RFC 7009: what is no longer needed. Its answer is 200 for every token, so a refusal is about the client.
pub fn tokens_revoked<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    let is_revocation = |entry: &Entry| entry.route == "/oauth/revoke";
    seen.latest(|entry| is_revocation(entry) && is_ok(entry), |entry| is_revocation(entry) && !is_ok(entry))
}
