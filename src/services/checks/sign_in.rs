//! Signing in: what the user decided, and what the page made of it.

use super::page::CALLED;
use super::seen::{Seen, Verdict, fail, finding, found, is_grant, is_ok, is_resume, is_swap};
use crate::domain::doctor::Finding;
use crate::domain::journal::Entry;

/// A code was swapped for tokens, by the button's script or at the token endpoint.
pub fn sign_in_completed<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    let is_swap = |entry: &Entry| is_swap(entry) || is_grant(entry, "authorization_code");
    seen.latest(|entry| is_swap(entry) && is_ok(entry), |entry| is_swap(entry) && !is_ok(entry))
}

pub fn callback_got_result<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    let wrong = [Finding::NoCallback, Finding::CallbackNotFunction];
    seen.latest(|entry| found(entry, &[Finding::CallbackValid]), |entry| found(entry, &wrong))
}

/// What the callback did after the last denial: it returned, or it threw.
pub fn denial_handled<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    let denied = seen.last(|entry| entry.endpoint == "decision" && entry.request.body.contains("decision=deny"));
    let handled = seen.last(|entry| found(entry, &[Finding::CallbackDenied]));
    let threw = denied.and_then(|denied| {
        let then = seen.entries.iter().skip_while(|entry| entry.id != denied.id).skip(1);
        let mut called = then.copied().filter(|entry| found(entry, &CALLED) || found(entry, &[Finding::CallbackThrew]));
        called.next().filter(|entry| finding(entry) == Some(Finding::CallbackThrew))
    });
    match (threw, handled) {
        (Some(threw), _) => fail(threw),
        (None, Some(handled)) => Verdict::Pass(handled),
        (None, None) => Verdict::NotSeen,
    }
}

/// The detail of the report is the error that the callback got.
pub fn closed_popup_handled<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    let is_closed = |entry: &Entry| {
        let detail = entry.why.as_ref().is_some_and(|why| why.message.ends_with("[popup_closed]"));
        found(entry, &[Finding::CallbackFailed]) && detail
    };
    match seen.last(is_closed) {
        Some(closed) => Verdict::Pass(closed),
        None => seen.last(|entry| found(entry, &[Finding::OpenerSevered])).map_or(Verdict::NotSeen, fail),
    }
}

/// In a frame it does not happen.
pub fn returning_user_signed_in<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    let is_resumed = |entry: &Entry| is_resume(entry) && is_ok(entry) && entry.connection.is_some();
    seen.latest(is_resumed, |entry| found(entry, &[Finding::Framed]))
}
