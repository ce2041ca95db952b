//! Scripted faults (wire.md part E): what goes wrong, at which endpoint, for whom, and how often. Never by chance.

use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::Value;

use super::email::Email;
use super::ids::{AppId, MAX_TEXT_ID};
use super::journal::endpoint_name;

/// Rules that a set may have.
pub const MAX_RULES: usize = 100;
/// Longest delay: a request in which it happens stays below the server's own limit.
pub const MAX_DELAY: Duration = Duration::from_secs(25);
/// Longest body that a rule sends, in bytes.
pub const MAX_FAULT_BODY: usize = 64 * 1024;
/// Longest sentence where an endpoint's errors are sentences, in bytes.
pub const MAX_SENTENCE: usize = 1_000;
/// Longest `content_type`, in bytes.
const MAX_CONTENT_TYPE: usize = 255;

/// An endpoint as far as a rule has to know it.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint {
    /// As the router writes it.
    pub route: &'static str,
    pub errors: Errors,
    /// Whether a request to it says which application it is about, or is of a browser that a user signed in with.
    pub shows_app: bool,
    pub shows_user: bool,
}

/// What the errors of an endpoint are, in its own form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errors {
    /// A status and nothing else that could be chosen.
    Status,
    /// A sentence for people.
    Sentence,
    /// One of these.
    Codes(&'static [&'static str]),
}

impl Endpoint {
    /// The last fixed word of the route; of the root, which has none, the root.
    pub fn name(&self) -> &'static str {
        match endpoint_name(self.route) {
            "" => self.route,
            name => name,
        }
    }

    /// Whether it is what a rule calls so: by its name, or by its route, with or without the token at the end.
    fn is_called(&self, name: &str) -> bool {
        name == self.name() || name == self.route || (name.starts_with('/') && bare(name) == bare(self.route))
    }
}

/// A route without the token in its path: `/a/{*b}` and `/a/` are `/a`.
pub fn bare(route: &str) -> &str {
    let route = route.split_once("/{*").map_or(route, |(fixed, _)| fixed);
    if route.len() > 1 { route.trim_end_matches('/') } else { route }
}

/// A rule as somebody wrote it.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    pub id: Option<String>,
    pub endpoint: String,
    pub app: Option<String>,
    pub user: Option<String>,
    pub times: Option<Times>,
    pub when: Option<When>,
    pub status: Option<u16>,
    pub delay_ms: Option<u64>,
    pub drop: bool,
    pub body: Option<Value>,
    pub content_type: Option<String>,
    pub error: Option<String>,
}

/// A rule that can act.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub id: String,
    /// As it was written: a name, which several endpoints may have, or a route.
    pub endpoint: String,
    /// The endpoints that it acts at: those of this name that can have the effect, and show whom it is about.
    pub routes: Vec<&'static str>,
    pub app: Option<AppId>,
    pub user: Option<Email>,
    pub times: Times,
    pub when: When,
    pub effect: Effect,
}

/// How often a rule acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    AtMost(NonZeroU32),
    Always,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// In place of what the endpoint does: nothing of it happens.
    Before,
    /// Once the endpoint has done it, durably: only the answer is another one.
    After,
}

impl When {
    pub const fn as_str(self) -> &'static str {
        match self {
            When::Before => "before",
            When::After => "after",
        }
    }

    /// For people.
    pub const fn of_the_effect(self) -> &'static str {
        match self {
            When::Before => "before anything was done",
            When::After => "after the request was carried out",
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// The answer is what it would be, and comes late.
    Late(Duration),
    /// Another answer, or none, perhaps late.
    Instead { delay: Option<Duration>, answer: Answer },
}

#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The connection is closed without one byte.
    Dropped,
    /// An error in the endpoint's own form.
    Status(u16),
    /// The same, of this kind; with the status that it has there where none is given.
    Error { error: String, status: Option<u16> },
    /// These very bytes.
    Exactly { status: u16, content_type: String, body: Body },
}

/// What is sent as it is.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    Text(String),
    Json(Value),
}

impl Body {
    fn of(value: Value) -> Self {
        match value {
            Value::String(text) => Self::Text(text),
            json => Self::Json(json),
        }
    }

    pub fn text(&self) -> String {
        match self {
            Body::Text(text) => text.clone(),
            Body::Json(json) => json.to_string(),
        }
    }

    const fn usual_type(&self) -> &'static str {
        match self {
            Body::Text(_) => "text/plain; charset=utf-8",
            Body::Json(_) => "application/json",
        }
    }
}

/// Why a rule is not taken: what is wrong, and where in the rule (RFC 6901).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {reason}")]
pub struct Unfit {
    pub pointer: &'static str,
    pub reason: String,
}

impl Unfit {
    pub fn new(pointer: &'static str, reason: impl Into<String>) -> Self {
        Self { pointer, reason: reason.into() }
    }
}

/// Whom a request is about, as far as it says so: each application and user that it names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Who {
    pub apps: Vec<AppId>,
    pub users: Vec<Email>,
}

impl Rule {
    /// Reads a rule for these endpoints. `id` is for one that was written without; `nearest` finds the word that was
    /// perhaps meant.
    ///
    /// # Errors
    /// Where it contradicts itself, or could never act.
    pub fn of(draft: Draft, id: String, endpoints: &[Endpoint], suggest: Suggest) -> Result<Self, Unfit> {
        let id = match &draft.id {
            Some(given) => AppId::parse(given).map(|_| given.clone()).map_err(|_| {
                Unfit::new("/id", format!("An id is 1 to {MAX_TEXT_ID} characters out of A-Z a-z 0-9 . _ -"))
            })?,
            None => id,
        };
        let app = draft.app.as_deref().map(AppId::parse).transpose();
        let app = app.map_err(|why| Unfit::new("/match/app", format!("No application has this id: {why}")))?;
        let user = draft.user.as_deref().map(Email::parse).transpose();
        let user = user.map_err(|why| Unfit::new("/match/user", format!("No user has this login: {why}")))?;
        let routes = routes(&draft, endpoints, suggest)?;
        Ok(Self {
            id,
            routes,
            app,
            user,
            times: draft.times.unwrap_or(Times::AtMost(NonZeroU32::MIN)),
            when: draft.when.unwrap_or(When::Before),
            endpoint: draft.endpoint.clone(),
            effect: effect(draft)?,
        })
    }

    pub fn is_for(&self, route: &str) -> bool {
        self.routes.contains(&route)
    }

    /// Whether it has to be known whom a request is about.
    pub fn names_somebody(&self) -> bool {
        self.app.is_some() || self.user.is_some()
    }

    /// Whether nothing is left for a rule that comes after this one.
    pub fn hides(&self, later: &Rule) -> bool {
        fn covers<T: PartialEq>(own: Option<&T>, theirs: Option<&T>) -> bool {
            own.is_none() || own == theirs
        }
        self.times == Times::Always
            && later.routes.iter().all(|route| self.is_for(route))
            && covers(self.app.as_ref(), later.app.as_ref())
            && covers(self.user.as_ref(), later.user.as_ref())
    }

    pub fn matches(&self, who: &Who) -> bool {
        self.app.as_ref().is_none_or(|app| who.apps.contains(app))
            && self.user.as_ref().is_none_or(|user| who.users.contains(user))
    }
}

/// What to expect in place of an unknown word, out of the known ones.
pub type Suggest = fn(&str, &[&str]) -> String;

/// The endpoints that a rule can act at.
fn routes(draft: &Draft, endpoints: &[Endpoint], suggest: Suggest) -> Result<Vec<&'static str>, Unfit> {
    let mut called: Vec<&Endpoint> = endpoints.iter().filter(|endpoint| endpoint.is_called(&draft.endpoint)).collect();
    if called.is_empty() {
        let is_route = draft.endpoint.starts_with('/');
        let mut known: Vec<&str> =
            endpoints.iter().map(|endpoint| if is_route { endpoint.route } else { endpoint.name() }).collect();
        known.sort_unstable();
        known.dedup();
        let expected = suggest(&draft.endpoint, &known);
        return Err(Unfit::new("/match/endpoint", format!("There is no such endpoint; expected {expected}.")));
    }
    let mut keep =
        |pointer, wanted: bool, fits: &dyn Fn(&Endpoint) -> bool, reason: &dyn Fn(&[&Endpoint]) -> String| {
            let fitting: Vec<&Endpoint> = called.iter().copied().filter(|endpoint| !wanted || fits(endpoint)).collect();
            if fitting.is_empty() {
                return Err(Unfit::new(pointer, reason(&called)));
            }
            called = fitting;
            Ok(())
        };
    keep("/match/app", draft.app.is_some(), &|endpoint| endpoint.shows_app, &|_| {
        "A request to this endpoint does not say which application it is about: the rule could never act.".to_owned()
    })?;
    keep("/match/user", draft.user.is_some(), &|endpoint| endpoint.shows_user, &|_| {
        "A request to this endpoint does not say which user it is about: the rule could never act.".to_owned()
    })?;
    let error = draft.error.as_deref().unwrap_or_default();
    let has_error = |endpoint: &Endpoint| match endpoint.errors {
        Errors::Status => false,
        Errors::Sentence => !error.is_empty() && error.len() <= MAX_SENTENCE,
        Errors::Codes(codes) => codes.contains(&error),
    };
    keep("/effect/error", draft.error.is_some(), &has_error, &|called| no_such_error(error, called, suggest))?;
    Ok(called.into_iter().map(|endpoint| endpoint.route).collect())
}

fn no_such_error(error: &str, called: &[&Endpoint], suggest: Suggest) -> String {
    if called.iter().any(|endpoint| endpoint.errors == Errors::Sentence) {
        return format!("Here it is the sentence in `errorMessage`: 1 to {MAX_SENTENCE} bytes.");
    }
    let mut codes: Vec<&str> = called
        .iter()
        .flat_map(|endpoint| match endpoint.errors {
            Errors::Codes(codes) => codes,
            Errors::Status | Errors::Sentence => &[],
        })
        .copied()
        .collect();
    codes.sort_unstable();
    codes.dedup();
    if codes.is_empty() {
        return "This endpoint's errors have no code: give a `status`, or a `body`.".to_owned();
    }
    format!("This endpoint has no such error; expected {}.", suggest(error, &codes))
}

fn effect(draft: Draft) -> Result<Effect, Unfit> {
    let delay = match draft.delay_ms {
        None => None,
        Some(millis) if (1..=MAX_DELAY.as_millis()).contains(&u128::from(millis)) => {
            Some(Duration::from_millis(millis))
        }
        Some(_) => {
            return Err(Unfit::new("/effect/delay_ms", format!("A delay is 1 to {} ms.", MAX_DELAY.as_millis())));
        }
    };
    if draft.status.is_some_and(|status| !(200..=599).contains(&status)) {
        return Err(Unfit::new("/effect/status", "A status is 200 to 599."));
    }
    if draft.drop {
        let given = [
            (draft.status.is_some(), "/effect/status"),
            (draft.error.is_some(), "/effect/error"),
            (draft.body.is_some(), "/effect/body"),
            (draft.content_type.is_some(), "/effect/content_type"),
        ];
        if let Some((_, pointer)) = given.into_iter().find(|(given, _)| *given) {
            return Err(Unfit::new(pointer, "With `drop` nothing is sent."));
        }
        return Ok(Effect::Instead { delay, answer: Answer::Dropped });
    }
    if draft.content_type.is_some() && draft.body.is_none() {
        return Err(Unfit::new("/effect/content_type", "It is there for a `body`, and there is none."));
    }
    let answer = match (draft.body, draft.error, draft.status) {
        (Some(_), Some(_), _) => {
            return Err(Unfit::new("/effect/error", "It makes the body, and `body` is one: give one of them."));
        }
        (Some(body), None, status) => exactly(Body::of(body), status.unwrap_or(200), draft.content_type)?,
        (None, Some(error), status) => Answer::Error { error, status },
        (None, None, Some(status)) => Answer::Status(status),
        (None, None, None) => {
            return delay.map(Effect::Late).ok_or_else(|| {
                Unfit::new("/effect", "It has no effect: give `status`, `error`, `body`, `delay_ms` or `drop`.")
            });
        }
    };
    Ok(Effect::Instead { delay, answer })
}

fn exactly(body: Body, status: u16, content_type: Option<String>) -> Result<Answer, Unfit> {
    if body.text().len() > MAX_FAULT_BODY {
        return Err(Unfit::new("/effect/body", format!("It is larger than {} KiB.", MAX_FAULT_BODY / 1024)));
    }
    // RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5.
    if matches!(status, 204 | 205 | 304) {
        return Err(Unfit::new("/effect/body", format!("An answer with status {status} has none.")));
    }
    let content_type = content_type.unwrap_or_else(|| body.usual_type().to_owned());
    let is_plain = content_type.bytes().all(|b| (0x20..0x7f).contains(&b));
    if !is_plain || !content_type.contains('/') || content_type.len() > MAX_CONTENT_TYPE {
        return Err(Unfit::new("/effect/content_type", "It is written type/subtype, as in `text/html`."));
    }
    Ok(Answer::Exactly { status, content_type, body })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const fn endpoint(route: &'static str, errors: Errors, shows_app: bool, shows_user: bool) -> Endpoint {
        Endpoint { route, errors, shows_app, shows_user }
    }

    const ENDPOINTS: &[Endpoint] = &[
        endpoint("/", Errors::Status, false, false),
        endpoint("/authorize/refreshaccesstoken", Errors::Sentence, true, true),
        endpoint("/button/token", Errors::Codes(&["invalid_grant", "server_error"]), true, false),
        endpoint("/oauth/token", Errors::Codes(&["invalid_grant", "slow_down"]), true, true),
        endpoint("/dialog/{flow}/login", Errors::Status, false, true),
    ];

    fn rule(draft: Draft) -> Result<Rule, Unfit> {
        Rule::of(draft, "fault-1".to_owned(), ENDPOINTS, |_, known| known.join(" "))
    }

    fn at(endpoint: &str) -> Draft {
        Draft { endpoint: endpoint.to_owned(), status: Some(500), ..Draft::default() }
    }

    #[test]
    fn e_an_endpoint_is_called_by_its_last_fixed_word_or_its_route() {
        let routes = |name: &str| rule(at(name)).map(|rule| rule.routes);
        assert_eq!(routes("token").unwrap(), ["/button/token", "/oauth/token"]);
        assert_eq!(routes("/oauth/token").unwrap(), ["/oauth/token"]);
        assert_eq!(routes("login").unwrap(), ["/dialog/{flow}/login"]);
        assert_eq!(routes("/").unwrap(), ["/"]);
        for name in [
            "refreshaccesstoken",
            "/authorize/refreshaccesstoken",
            "/authorize/refreshaccesstoken/",
            "/authorize/refreshaccesstoken/{*token}",
        ] {
            assert_eq!(routes(name).unwrap(), ["/authorize/refreshaccesstoken"], "{name}");
        }
        for name in ["", "oauth", "Token", "oauth/token", "/oauth/token/x", "{flow}", "/token"] {
            assert_eq!(routes(name).unwrap_err().pointer, "/match/endpoint", "{name}");
        }
    }

    #[test]
    fn e_a_name_means_the_endpoints_where_the_rule_can_act() {
        let error = |error: &str| Draft { status: None, error: Some(error.into()), ..at("token") };
        assert_eq!(rule(error("invalid_grant")).unwrap().routes.len(), 2);
        assert_eq!(rule(error("slow_down")).unwrap().routes, ["/oauth/token"]);
        let of_user = Draft { user: Some("Ada@acme.test".into()), ..at("token") };
        assert_eq!(rule(of_user.clone()).unwrap().routes, ["/oauth/token"]);
        let nowhere = Draft { status: None, error: Some("server_error".into()), ..of_user };
        assert_eq!(rule(nowhere).unwrap_err().pointer, "/effect/error", "neither of the two has both");
    }

    #[test]
    fn e_what_is_left_out_has_one_meaning() {
        let rule = rule(at("token")).unwrap();
        assert_eq!(
            (rule.id.as_str(), rule.times, rule.when),
            ("fault-1", Times::AtMost(NonZeroU32::MIN), When::Before)
        );
        assert!(!rule.names_somebody() && rule.matches(&Who::default()));
        assert_eq!(rule.effect, Effect::Instead { delay: None, answer: Answer::Status(500) });
    }

    #[test]
    fn e_a_rule_is_for_whom_it_names() {
        let app = AppId::parse("one").unwrap();
        let of = |app: Option<&str>, user: Option<&str>| {
            rule(Draft { app: app.map(str::to_owned), user: user.map(str::to_owned), ..at("/oauth/token") }).unwrap()
        };
        let ada = Email::parse("ada@acme.test").unwrap();
        let who = Who { apps: vec![AppId::parse("two").unwrap(), app], users: vec![ada] };
        assert!(of(Some("one"), None).matches(&who) && of(Some("two"), Some("ADA@acme.test")).matches(&who));
        assert!(!of(Some("One"), None).matches(&who) && !of(Some("one"), Some("b@acme.test")).matches(&who));
        assert!(!of(None, Some("ada@acme.test")).matches(&Who::default()));
    }

    #[test]
    fn e_a_body_is_sent_as_it_is() {
        let of = |body: Value, content_type: Option<&str>| {
            let draft =
                Draft { status: None, body: Some(body), content_type: content_type.map(str::to_owned), ..at("token") };
            match rule(draft).unwrap().effect {
                Effect::Instead { delay: None, answer: Answer::Exactly { status: 200, content_type, body } } => {
                    (content_type, body.text())
                }
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(of(json!("<p>"), None), ("text/plain; charset=utf-8".into(), "<p>".into()));
        assert_eq!(of(json!({"valid": true}), None), ("application/json".into(), "{\"valid\":true}".into()));
        assert_eq!(of(Value::Null, None).1, "null");
        assert_eq!(of(json!(""), Some("text/html")), ("text/html".into(), String::new()));
    }

    #[test]
    fn e_a_rule_that_contradicts_itself_or_could_never_act_is_refused() {
        let base = || at("token");
        let plain = || Draft { status: None, ..base() };
        for (draft, pointer) in [
            (Draft { id: Some("a b".into()), ..base() }, "/id"),
            (Draft { id: Some(String::new()), ..base() }, "/id"),
            (Draft { app: Some("a b".into()), ..base() }, "/match/app"),
            (Draft { user: Some("ada".into()), ..base() }, "/match/user"),
            (Draft { app: Some("one".into()), ..at("/") }, "/match/app"),
            (Draft { user: Some("ada@acme.test".into()), ..at("/button/token") }, "/match/user"),
            (plain(), "/effect"),
            (Draft { delay_ms: Some(0), ..base() }, "/effect/delay_ms"),
            (Draft { delay_ms: Some(25_001), ..base() }, "/effect/delay_ms"),
            (Draft { delay_ms: Some(u64::MAX), ..base() }, "/effect/delay_ms"),
            (Draft { status: Some(199), ..base() }, "/effect/status"),
            (Draft { status: Some(600), ..base() }, "/effect/status"),
            (Draft { drop: true, ..base() }, "/effect/status"),
            (Draft { drop: true, error: Some("invalid_grant".into()), ..plain() }, "/effect/error"),
            (Draft { drop: true, body: Some(json!("")), ..plain() }, "/effect/body"),
            (Draft { drop: true, content_type: Some("text/html".into()), ..plain() }, "/effect/content_type"),
            (Draft { content_type: Some("text/html".into()), ..base() }, "/effect/content_type"),
            (Draft { body: Some(json!("")), content_type: Some("html".into()), ..plain() }, "/effect/content_type"),
            (
                Draft { body: Some(json!("")), content_type: Some("a/b\r\nc: d".into()), ..plain() },
                "/effect/content_type",
            ),
            (Draft { body: Some(json!("x".repeat(MAX_FAULT_BODY + 1))), ..plain() }, "/effect/body"),
            (Draft { body: Some(json!("x")), status: Some(204), ..plain() }, "/effect/body"),
            (Draft { body: Some(json!("x")), error: Some("invalid_grant".into()), ..plain() }, "/effect/error"),
            (Draft { error: Some("invalid_grnat".into()), ..plain() }, "/effect/error"),
            (Draft { error: Some("invalid_grant".into()), status: None, ..at("login") }, "/effect/error"),
            (Draft { error: Some(String::new()), status: None, ..at("refreshaccesstoken") }, "/effect/error"),
        ] {
            let what = format!("{draft:?}");
            assert_eq!(rule(draft).expect_err(&what).pointer, pointer, "{what}");
        }
    }
}
