//! The journal of one application, and the few questions that the checks ask of it.

use std::collections::HashSet;
use std::sync::Arc;

use super::Subject;
use crate::domain::app::App;
use crate::domain::doctor::Finding;
use crate::domain::ids::ConnectionId;
use crate::domain::journal::{Entry, Outcome};

/// How a check came out, with the entry that shows it; what is wrong fills the gap in its sentence.
#[derive(Debug)]
pub enum Verdict<'e> {
    Pass(&'e Entry),
    Fail(&'e Entry, String),
    NotSeen,
}

pub struct Seen<'e> {
    pub app: App,
    /// Oldest first.
    pub entries: Vec<&'e Entry>,
}

impl<'e> Seen<'e> {
    /// The entries that are about an application. Some name none: a first visit to its page, a token that was refused
    /// before it was looked up. They are its own where they name its button, come from its page, or carry a token that
    /// it is known to have.
    pub fn of(subject: &Subject, entries: &'e [Arc<Entry>]) -> Self {
        let tokens: HashSet<&str> =
            entries.iter().filter(|entry| is_named(subject, entry)).flat_map(|entry| tokens(entry)).collect();
        let is_its_own = |entry: &Entry| {
            is_named(subject, entry)
                || entry.app.is_none()
                    && (is_from_its_page(subject, entry) || self::tokens(entry).any(|token| tokens.contains(token)))
        };
        let entries = entries.iter().map(Arc::as_ref).filter(|entry| is_its_own(entry));
        // What asks in advance tells nothing of what follows.
        Self { app: subject.app.clone(), entries: entries.filter(|entry| entry.method != "OPTIONS").collect() }
    }

    pub fn all(&self, is: impl Fn(&Entry) -> bool) -> impl DoubleEndedIterator<Item = &'e Entry> {
        self.entries.iter().copied().filter(move |entry| is(entry))
    }

    pub fn last(&self, is: impl Fn(&Entry) -> bool) -> Option<&'e Entry> {
        self.all(is).next_back()
    }

    /// What was seen last decides: so a check passes again once what was wrong has been put right.
    pub fn latest(&self, good: impl Fn(&Entry) -> bool, bad: impl Fn(&Entry) -> bool) -> Verdict<'e> {
        match self.last(|entry| good(entry) || bad(entry)) {
            Some(entry) if bad(entry) => fail(entry),
            Some(entry) => Verdict::Pass(entry),
            None => Verdict::NotSeen,
        }
    }

    /// Once is too often: for what nobody should ever do, whatever came after it.
    pub fn never(&self, good: impl Fn(&Entry) -> bool, bad: impl Fn(&Entry) -> bool) -> Verdict<'e> {
        match (self.last(bad), self.last(good)) {
            (Some(entry), _) => fail(entry),
            (None, Some(entry)) => Verdict::Pass(entry),
            (None, None) => Verdict::NotSeen,
        }
    }

    /// Each connection that was seen, with its entries.
    pub fn connections(&self) -> Vec<Vec<&'e Entry>> {
        let mut ids: Vec<ConnectionId> = Vec::new();
        for id in self.entries.iter().filter_map(|entry| entry.connection) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids.into_iter().map(|id| self.all(|entry| entry.connection == Some(id)).collect()).collect()
    }
}

/// A failure in the journal's own words.
pub fn fail(entry: &Entry) -> Verdict<'_> {
    let value = match &entry.why {
        Some(why) => match &why.nearest {
            Some(nearest) => format!("{} ({nearest})", why.message),
            None => why.message.clone(),
        },
        None => String::new(),
    };
    Verdict::Fail(entry, value)
}

fn is_named(subject: &Subject, entry: &Entry) -> bool {
    let own = subject.app.id.as_str();
    let owner = entry.why.as_ref().and_then(|why| why.nearest.as_deref()?.strip_prefix("application "));
    let is_its_button = |id: &str| subject.buttons.iter().any(|button| button.id.as_str() == id);
    match &entry.app {
        Some(app) => app.as_str().eq_ignore_ascii_case(own) || owner == Some(own),
        None => owner == Some(own) || entry.button.as_deref().is_some_and(is_its_button),
    }
}

fn is_from_its_page(subject: &Subject, entry: &Entry) -> bool {
    let Some(from) = header(entry, "origin").or_else(|| header(entry, "referer")) else { return false };
    let may_be = entry.button.is_none() || rule(entry) == "button.unknown" || found(entry, &[Finding::UnknownButton]);
    may_be && subject.buttons.iter().any(|button| button.origins.iter().any(|own| own.as_str() == from))
}

/// The masked tokens in a request and its answer: a fingerprint tells one from another.
fn tokens(entry: &Entry) -> impl Iterator<Item = &str> {
    requested(entry).chain(tokens_in(&entry.response.body))
}

fn requested(entry: &Entry) -> impl Iterator<Item = &str> {
    let texts = [entry.request.line.as_str(), header(entry, "authorization").unwrap_or_default(), &entry.request.body];
    texts.into_iter().flat_map(tokens_in)
}

fn tokens_in(text: &str) -> impl Iterator<Item = &str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_-*".contains(c);
    let is_token = |word: &&str| (word.starts_with("lg") || word.starts_with("eyJ")) && word.contains("***");
    text.split(move |c: char| !is_word(c)).filter(is_token)
}

/// The token that a request carries, masked.
pub fn presented(entry: &Entry) -> Option<&str> {
    requested(entry).next()
}

/* What entries are */

pub fn header<'h>(entry: &'h Entry, name: &str) -> Option<&'h str> {
    entry.request.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
}

pub fn rule(entry: &Entry) -> &str {
    entry.why.as_ref().map_or("", |why| why.rule.as_ref())
}

/// What the button doctor reported.
pub fn finding(entry: &Entry) -> Option<Finding> {
    Finding::of_rule(rule(entry))
}

pub fn found(entry: &Entry, findings: &[Finding]) -> bool {
    finding(entry).is_some_and(|finding| findings.contains(&finding))
}

pub fn is_ok(entry: &Entry) -> bool {
    entry.outcome == Outcome::Ok
}

/// wire.md A2, by whatever method.
pub fn is_refresh(entry: &Entry) -> bool {
    entry.route.starts_with("/authorize/refreshaccesstoken")
}

/// A2 that gave a token.
pub fn refreshed(entry: &Entry) -> bool {
    is_refresh(entry) && entry.method == "GET" && is_ok(entry)
}

/// wire.md A3, in each of its forms.
pub fn is_disconnect(entry: &Entry) -> bool {
    entry.route.starts_with("/authorize/disconnect")
}

/// The swap of a button's code.
pub fn is_swap(entry: &Entry) -> bool {
    entry.route == "/button/token"
}

/// Automatic sign-in.
pub fn is_resume(entry: &Entry) -> bool {
    entry.route == "/button/resume"
}

pub fn is_token_endpoint(entry: &Entry) -> bool {
    entry.route == "/oauth/token"
}

/// A request of this grant type at the token endpoint.
pub fn is_grant(entry: &Entry, grant: &str) -> bool {
    is_token_endpoint(entry) && parameter(entry, "grant_type").as_deref() == Some(grant)
}

/// An authorization request, in the query or pushed.
pub fn is_authorization(entry: &Entry) -> bool {
    entry.route == "/oauth/authorize" || entry.route == "/oauth/par"
}

/// A call to an API with an access token.
pub fn is_api(entry: &Entry) -> bool {
    ["/v1/", "/v2/"].iter().any(|api| entry.route.starts_with(api)) || entry.route == "/oauth/userinfo"
}

/// A parameter of the query or of a form, as the journal shows it.
pub fn parameter(entry: &Entry, name: &str) -> Option<String> {
    let query = entry.request.line.split_once('?').map_or("", |(_, query)| query);
    let value = |text: &str| {
        let pair = text.split('&').find(|pair| pair.split_once('=').is_some_and(|(own, _)| own == name))?;
        pair.split_once('=').map(|(_, value)| value.to_owned())
    };
    value(query).or_else(|| value(&entry.request.body))
}
