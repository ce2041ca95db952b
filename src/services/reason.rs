//! The reasons of refusals, by name (wire.md E: `why`). Clients are told what the surface allows; who runs the sandbox
//! can look up which rule it was, when what it tells of happened, and what would have matched. docs/reasons.md explains
//! each name; a test holds the two together.

mod table;

use super::journal::note;
use crate::domain::journal::Why;
use crate::domain::timestamp::Timestamp;

/// A refusal that can be looked up. Its text is one sentence about this request, without a full stop.
pub trait Reason: std::fmt::Display {
    /// Its name.
    fn rule(&self) -> &'static str;

    /// When what it tells of happened, by the clock that the request goes by.
    fn at(&self) -> Option<Timestamp> {
        None
    }

    /// What would have matched, or whose the presented thing is.
    fn nearest(&self) -> Option<String> {
        None
    }
}

/// Writes a reason down for the request in hand.
pub fn note(reason: &(impl Reason + ?Sized)) {
    let mut why = Why::new(reason.rule(), reason.to_string());
    why.nearest = reason.nearest();
    note::why_at(why, reason.at());
}

/// The candidate that is most like what was given, where one is like it at all.
pub fn likest<'c>(given: &str, candidates: impl Iterator<Item = &'c str>) -> Option<String> {
    let given = given.to_ascii_lowercase();
    let likeness = |candidate: &str| strsim::normalized_levenshtein(&given, &candidate.to_ascii_lowercase());
    let ranked = candidates.map(|candidate| (likeness(candidate), candidate));
    let best = ranked.max_by(|(left, _), (right, _)| left.total_cmp(right));
    best.filter(|(likeness, _)| *likeness >= 0.5).map(|(_, candidate)| candidate.to_owned())
}
