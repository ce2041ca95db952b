//! The end of a connection, from either side.

use super::seen::{Seen, Verdict, fail, is_api, is_disconnect, is_ok, is_refresh, rule};
use crate::domain::journal::Entry;

const OBJECT_OBJECT: &str = "disconnect.object_object";
/// Requests with a dead token before they are too many: one to notice it, one that was under way.
const TOO_MANY: usize = 3;

pub fn disconnect_called<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    seen.latest(is_disconnected, |entry| is_disconnect(entry) && !is_ok(entry))
}

/// Wired to a click as it is, the published sample's function gets the click's event.
pub fn disconnect_names_token<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    seen.latest(is_disconnected, |entry| rule(entry) == OBJECT_OBJECT)
}

/// The partner ended it, so the partner knows. One request may have been under way.
pub fn nothing_after_disconnect<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    after_the_end(seen, is_disconnected, 2)
}

/// The user ended it, which the partner learns by a refusal.
pub fn revocation_noticed<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    let by_user = |entry: &Entry| entry.route.starts_with("/account/connections/") && is_ok(entry);
    after_the_end(seen, by_user, TOO_MANY)
}

/// Fails with the request that is one too many after the end of its connection.
fn after_the_end<'e>(seen: &Seen<'e>, is_end: impl Fn(&Entry) -> bool, too_many: usize) -> Verdict<'e> {
    let mut verdict = Verdict::NotSeen;
    for connection in seen.connections() {
        let Some(end) = connection.iter().position(|entry| is_end(entry)) else { continue };
        let mut uses = connection[end + 1..].iter().filter(|entry| is_refresh(entry) || is_api(entry));
        if let Some(one_more) = uses.nth(too_many - 1) {
            return fail(one_more);
        }
        verdict = Verdict::Pass(connection[end]);
    }
    verdict
}

fn is_disconnected(entry: &Entry) -> bool {
    is_disconnect(entry) && is_ok(entry) && entry.connection.is_some()
}
