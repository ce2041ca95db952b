//! The page that the button is on: mostly what the button doctor reported of it.

use super::seen::{Seen, Verdict, finding, found, is_ok, is_resume, is_swap, rule};
use crate::domain::doctor::Finding;
use crate::domain::journal::Entry;

/// Every report came with the script, so any but these shows that it was loaded as it has to be. A sign-in shows that what
/// was wrong has been put right.
pub fn script_from_issuer<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    let wrong = [Finding::ScriptHost, Finding::ScriptDetached, Finding::ScriptShadowed];
    match seen.latest(is_swapped, |entry| found(entry, &wrong)) {
        Verdict::NotSeen => seen.last(|entry| finding(entry).is_some()).map_or(Verdict::NotSeen, Verdict::Pass),
        known => known,
    }
}

pub fn stylesheet_loaded<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    let wrong = [Finding::StylesheetMissing, Finding::CspStyle];
    seen.latest(|entry| found(entry, &[Finding::StylesheetLoaded]), |entry| found(entry, &wrong))
}

/// The doctor finds a button whatever its id is; the server knows it when it answers for it.
pub fn button_known<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    let wrong = [Finding::NoButton, Finding::EmptyButtonId, Finding::UnknownButton];
    let is_unknown = |entry: &Entry| found(entry, &wrong) || is_of_button(entry) && rule(entry) == "button.unknown";
    seen.latest(|entry| is_of_button(entry) && is_ok(entry), is_unknown)
}

pub fn origin_listed<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    let wrong = [Finding::OriginNotListed, Finding::OpaqueOrigin];
    let is_refused =
        |entry: &Entry| is_of_button(entry) && ["button.origin", "button.origin_missing"].contains(&rule(entry));
    seen.latest(|entry| is_of_button(entry) && is_ok(entry), |entry| found(entry, &wrong) || is_refused(entry))
}

pub fn callback_defined<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    let wrong = [Finding::NoCallback, Finding::CallbackNotFunction];
    seen.latest(|entry| found(entry, &CALLED) || found(entry, &[Finding::CallbackFound]), |entry| found(entry, &wrong))
}

pub fn callback_returns<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    seen.latest(|entry| found(entry, &CALLED), |entry| found(entry, &[Finding::CallbackThrew]))
}

/// Each thing that a policy can block is put right by another sign that it is no longer blocked.
pub fn policy_fits<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    let cured = |problem: Finding, is_cure: &dyn Fn(&Entry) -> bool| {
        seen.latest(is_cure, |entry| finding(entry) == Some(problem))
    };
    let verdicts = [
        cured(Finding::CspConnect, &is_of_button),
        cured(Finding::CspScript, &|entry| found(entry, &CALLED)),
        cured(Finding::CspStyle, &|entry| found(entry, &[Finding::StylesheetLoaded])),
    ];
    let failed = verdicts.into_iter().find(|verdict| matches!(verdict, Verdict::Fail(..)));
    failed.unwrap_or_else(|| seen.last(is_of_button).map_or(Verdict::NotSeen, Verdict::Pass))
}

/// A page that was cut off and recovered through its return address has its code swapped in the end.
pub fn opener_kept<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    seen.latest(is_swapped, |entry| found(entry, &[Finding::OpenerSevered, Finding::PopupBlocked]))
}

/// Only what asks for a way back shows whether there is one.
pub fn return_address_registered<'e>(seen: &Seen<'e>) -> Verdict<'e> {
    let is_opened = |entry: &Entry| {
        entry.route == "/button/authorize" && entry.request.line.contains("mode=redirect") && is_ok(entry)
    };
    let wrong = [Finding::ReturnNotRegistered];
    seen.latest(is_opened, |entry| found(entry, &wrong) || rule(entry) == "button.return_url")
}

/// The callback was called, and came back.
pub const CALLED: [Finding; 3] = [Finding::CallbackValid, Finding::CallbackDenied, Finding::CallbackFailed];

/// What only the button's script asks for.
fn is_of_button(entry: &Entry) -> bool {
    is_resume(entry) || is_swap(entry)
}

fn is_swapped(entry: &Entry) -> bool {
    is_swap(entry) && is_ok(entry)
}
