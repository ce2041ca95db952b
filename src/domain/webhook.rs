//! Webhooks: what an application is told of, when it is told again, and what is written down of it (wire.md F).

use std::time::Duration;

use serde::Serialize;
use url::Url;

use super::access_token::user_subject;
use super::ids::{AccountId, AppId, ConnectionId, WebhookId, WebhookMessageId};
use super::scope::{Scope, ScopeSet};
use super::timestamp::Timestamp;
use super::user::User;

/// Webhooks that an application may have.
pub const MAX_WEBHOOKS: i64 = 20;
/// How long one attempt may take, from the name's resolution to the last byte of the answer.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// For how long a message is one sender's: longer than an attempt takes, so that who died with it does not keep it.
pub const LEASE: Duration = Duration::from_secs(20);
/// When the attempt after the first, second, … follows; after the last of them the message is given up.
pub const RETRIES: [Duration; 10] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(2 * 60),
    Duration::from_secs(10 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(3_600),
    Duration::from_secs(3 * 3_600),
    Duration::from_secs(6 * 3_600),
    Duration::from_secs(12 * 3_600),
];
/// Longest time that a target may ask for with `Retry-After`.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(3_600);
/// A target that has not taken anything for so long is disabled.
pub const FAILING_FOR: Duration = Duration::from_secs(5 * 24 * 3_600);
/// A listener that has not asked for so long is gone.
pub const LISTENER_GONE: Duration = Duration::from_secs(3 * 60);
/// How long the secret that was replaced signs too.
pub const DEFAULT_OVERLAP: Duration = Duration::from_secs(24 * 3_600);

/// What there is to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Topic {
    #[serde(rename = "connection.created")]
    ConnectionCreated,
    #[serde(rename = "connection.denied")]
    ConnectionDenied,
    #[serde(rename = "connection.revoked")]
    ConnectionRevoked,
    #[serde(rename = "token.refreshed")]
    TokenRefreshed,
    #[serde(rename = "app.updated")]
    AppUpdated,
    /// Sent on demand, whatever else the webhook is for.
    #[serde(rename = "webhook.test")]
    Test,
}

impl Topic {
    /// Those that a webhook can be for.
    pub const SUBSCRIBABLE: [Self; 5] = [
        Self::ConnectionCreated,
        Self::ConnectionDenied,
        Self::ConnectionRevoked,
        Self::TokenRefreshed,
        Self::AppUpdated,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConnectionCreated => "connection.created",
            Self::ConnectionDenied => "connection.denied",
            Self::ConnectionRevoked => "connection.revoked",
            Self::TokenRefreshed => "token.refreshed",
            Self::AppUpdated => "app.updated",
            Self::Test => "webhook.test",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::SUBSCRIBABLE.into_iter().chain([Self::Test]).find(|topic| topic.as_str() == text)
    }

    /// Its place in a [`Topics`] as it is stored.
    pub const fn bit(self) -> i64 {
        match self {
            Self::ConnectionCreated => 1,
            Self::ConnectionDenied => 2,
            Self::ConnectionRevoked => 4,
            Self::TokenRefreshed => 8,
            Self::AppUpdated => 16,
            Self::Test => 0,
        }
    }
}

/// What a webhook is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topics(i64);

impl Topics {
    /// Whatever there is, also what later versions add.
    pub const ALL: Self = Self(i64::MAX);

    /// `None` for none at all.
    pub fn of(topics: impl IntoIterator<Item = Topic>) -> Option<Self> {
        let bits = topics.into_iter().fold(0, |bits, topic| bits | topic.bit());
        (bits != 0).then_some(Self(bits))
    }

    pub const fn from_bits(bits: i64) -> Self {
        Self(bits)
    }

    pub const fn bits(self) -> i64 {
        self.0
    }

    pub const fn contains(self, topic: Topic) -> bool {
        self.0 & topic.bit() != 0
    }

    pub fn iter(self) -> impl Iterator<Item = Topic> {
        Topic::SUBSCRIBABLE.into_iter().filter(move |topic| self.contains(*topic))
    }

    /// For people: names with commas between them.
    pub fn listed(self) -> String {
        self.iter().map(Topic::as_str).collect::<Vec<_>>().join(", ")
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    pub id: WebhookId,
    /// `None`: each application, which only a listener can be for.
    pub app: Option<AppId>,
    pub target: Target,
    pub topics: Topics,
    pub state: WebhookState,
    /// Since when every attempt has failed.
    pub failing_since: Option<Timestamp>,
    /// Until when the secret that was replaced signs too.
    pub previous_until: Option<Timestamp>,
    pub created_at: Timestamp,
}

/// Who gets the messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    Endpoint(Url),
    /// A developer's machine that asks for them, and did last at this moment.
    Listener {
        polled_at: Timestamp,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookState {
    Active,
    /// Gets no new messages; those that wait go on waiting.
    Disabled {
        since: Timestamp,
        why: DisabledWhy,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisabledWhy {
    /// Somebody wanted it.
    Switched,
    /// The target answered 410 Gone.
    Gone,
    /// It has not taken anything for [`FAILING_FOR`].
    Failing,
}

impl DisabledWhy {
    pub const ALL: [Self; 3] = [Self::Switched, Self::Gone, Self::Failing];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Switched => "switched",
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.as_str() == text)
    }
}

impl Webhook {
    pub fn is_active(&self) -> bool {
        self.state == WebhookState::Active
    }

    pub fn url(&self) -> Option<&Url> {
        match &self.target {
            Target::Endpoint(url) => Some(url),
            Target::Listener { .. } => None,
        }
    }
}

/// How far a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    Pending,
    Delivered,
    /// Given up.
    Failed,
}

impl Delivery {
    pub const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Failed];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// What is sent, the same bytes at each attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub id: WebhookMessageId,
    pub topic: Topic,
    /// Messages of one lane arrive in order: a connection's, or what else is told of the application.
    pub lane: String,
    pub payload: String,
    /// Real time.
    pub created_at: Timestamp,
}

/// A message on its way to one webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    pub message: Message,
    pub state: Delivery,
    /// How many were begun.
    pub attempts: u32,
    /// When the next one is due; of a message that is pending.
    pub next_attempt_at: Option<Timestamp>,
}

/// One attempt, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// From 1 on.
    pub nr: u32,
    /// Real time.
    pub at: Timestamp,
    pub took: Duration,
    /// The header fields that were sent.
    pub headers: Vec<(String, String)>,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Answered {
        status: u16,
        headers: Vec<(String, String)>,
        body: String,
    },
    /// Why there was no answer, for people.
    Unanswered(String),
}

impl Outcome {
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Answered { status, .. } => Some(*status),
            Self::Unanswered(_) => None,
        }
    }
}

/// What an attempt comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Delivered,
    /// Tried again so much later.
    Again {
        after: Duration,
    },
    GivenUp,
    /// The target wants nothing any more.
    Gone,
}

/// Judges the `nr`-th attempt since the message was last begun with; `jitter` is out of 0..=255.
pub fn judge(outcome: &Outcome, nr: u32, jitter: u8) -> Verdict {
    let status = outcome.status();
    match status {
        Some(200..=299) => return Verdict::Delivered,
        Some(410) => return Verdict::Gone,
        _ => {}
    }
    let place = usize::try_from(nr.saturating_sub(1)).unwrap_or(usize::MAX);
    let Some(pause) = RETRIES.get(place) else { return Verdict::GivenUp };
    let after = jittered(*pause, jitter);
    match asked_for(outcome) {
        Some(asked) => Verdict::Again { after: after.max(asked.min(MAX_RETRY_AFTER)) },
        None => Verdict::Again { after },
    }
}

/// From three quarters to five quarters of a pause, so that those who failed together do not come back together.
fn jittered(pause: Duration, jitter: u8) -> Duration {
    pause * (384 + u32::from(jitter)) / 512
}

/// `Retry-After` in seconds (RFC 9110 section 10.2.3), of an answer that is one to wait for.
fn asked_for(outcome: &Outcome) -> Option<Duration> {
    let Outcome::Answered { status: 429 | 503, headers, .. } = outcome else { return None };
    let (_, value) = headers.iter().find(|(name, _)| name == "retry-after")?;
    value.trim().parse().ok().map(Duration::from_secs)
}

/// Whom it is about, as far as the user lets the application know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// The e-mail address, where a scope opens it.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// The same as userinfo, ID tokens and introspection have it.
    sub: String,
    /// The same as for `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
    account: AccountId,
}

impl Subject {
    /// `scopes` are those that the user allowed: what no token of theirs would tell, no message does.
    fn of(user: &User, scopes: &ScopeSet) -> Self {
        let opens = |claim| scopes.contains(Scope::AccountApi) || scopes.contains(claim);
        Self {
            user: opens(Scope::Email).then(|| user.email.to_string()),
            sub: user_subject(user.id),
            user_name: opens(Scope::Profile).then(|| user.name.clone()),
            account: user.account.clone(),
        }
    }
}

/// What is told, all of it. No token is ever in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct News {
    #[serde(rename = "type")]
    pub topic: Topic,
    #[serde(serialize_with = "rfc3339")]
    pub timestamp: Timestamp,
    pub data: NewsData,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewsData {
    pub app: AppId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionId>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<&'static str>>,
    /// Who did it: of a connection that ended, of an application that changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<&'static str>,
    /// Of a refresh: when the new access token expires.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "optional_rfc3339")]
    pub expires_at: Option<Timestamp>,
    /// Of an application: what was done, and which of its fields are different.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<Vec<String>>,
}

fn rfc3339<S: serde::Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_rfc3339_millis())
}

fn optional_rfc3339<S: serde::Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serializer.serialize_str(&at.to_rfc3339()),
        None => serializer.serialize_none(),
    }
}

impl News {
    /// With nothing but the application.
    pub fn new(topic: Topic, app: AppId, timestamp: Timestamp) -> Self {
        let data = NewsData {
            app,
            connection: None,
            subject: None,
            scopes: None,
            by: None,
            expires_at: None,
            action: None,
            changed: None,
        };
        Self { topic, timestamp, data }
    }

    pub fn with_scopes(mut self, scopes: &ScopeSet) -> Self {
        self.data.scopes = Some(scopes.iter().map(Scope::as_str).collect());
        self
    }

    /// Of a connection: whose it is, and what was allowed.
    pub fn about(mut self, user: &User, connection: ConnectionId, scopes: &ScopeSet) -> Self {
        self.data.subject = Some(Subject::of(user, scopes));
        self.data.connection = Some(connection);
        self.with_scopes(scopes)
    }

    /// In which order it arrives.
    pub fn lane(&self) -> String {
        let data = &self.data;
        data.connection.map_or_else(|| data.app.to_string(), |connection| format!("connection/{connection}"))
    }

    pub fn message(&self, id: WebhookMessageId, created_at: Timestamp) -> Message {
        let payload = serde_json::to_string(self).expect("it has string keys and no map, which is all that can fail");
        Message { id, topic: self.topic, lane: self.lane(), payload, created_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, headers: &[(&str, &str)]) -> Outcome {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Outcome::Answered { status, headers, body: String::new() }
    }

    #[test]
    fn part_f_the_first_retry_comes_within_two_seconds() {
        for jitter in [0, 128, 255] {
            let Verdict::Again { after } = judge(&answered(500, &[]), 1, jitter) else { panic!("no retry") };
            assert!((Duration::from_millis(700)..Duration::from_millis(1_300)).contains(&after), "{after:?}");
        }
    }

    #[test]
    fn part_f_pauses_grow_until_a_message_is_given_up() {
        let unanswered = Outcome::Unanswered("nobody there".to_owned());
        let mut last = Duration::ZERO;
        for nr in 1..=10 {
            let Verdict::Again { after } = judge(&unanswered, nr, 0) else { panic!("given up after {nr}") };
            assert!(after > last, "{nr}");
            last = after;
        }
        assert_eq!(judge(&unanswered, 11, 0), Verdict::GivenUp);
        assert_eq!(judge(&unanswered, u32::MAX, 0), Verdict::GivenUp);
    }

    #[test]
    fn part_f_a_status_says_what_becomes_of_a_message() {
        for status in [200, 204, 299] {
            assert_eq!(judge(&answered(status, &[]), 1, 0), Verdict::Delivered);
        }
        // No redirect is followed: where it leads to was not agreed upon.
        for status in [302, 400, 404, 500] {
            assert!(matches!(judge(&answered(status, &[]), 1, 0), Verdict::Again { .. }), "{status}");
        }
        assert_eq!(judge(&answered(410, &[]), 1, 0), Verdict::Gone);
    }

    #[test]
    fn part_f_a_target_may_ask_for_patience_within_bounds() {
        let after = |status, value| match judge(&answered(status, &[("retry-after", value)]), 1, 0) {
            Verdict::Again { after } => after.as_secs(),
            other => panic!("{other:?}"),
        };
        assert_eq!(after(429, "7"), 7);
        assert_eq!(after(503, " 120 "), 120);
        assert_eq!(after(503, "999999999"), 3_600);
        for (status, ignored) in [(500, "7"), (429, "-1"), (429, "soon"), (429, "")] {
            assert_eq!(after(status, ignored), 0, "{status} {ignored}");
        }
    }

    #[test]
    fn part_f_what_is_said_later_of_a_connection_has_its_lane() {
        let app = AppId::parse("finder").unwrap();
        let at = Timestamp::from_micros(1_795_342_530_250_000);
        let mut news = News::new(Topic::AppUpdated, app, at);
        assert_eq!(news.lane(), "finder");
        assert_eq!(
            serde_json::to_string(&news).unwrap(),
            r#"{"type":"app.updated","timestamp":"2026-11-22T10:15:30.250Z","data":{"app":"finder"}}"#
        );
        news.data.connection = Some(ConnectionId(uuid::Uuid::from_u128(7)));
        assert_eq!(news.lane(), "connection/00000000-0000-0000-0000-000000000007");
    }

    #[test]
    fn part_f_topics_are_read_as_they_are_written() {
        for topic in Topic::SUBSCRIBABLE {
            assert_eq!(Topic::parse(topic.as_str()), Some(topic));
            assert!(Topics::ALL.contains(topic) && !Topics::ALL.contains(Topic::Test));
            assert_eq!(Topics::of([topic]).unwrap().iter().collect::<Vec<_>>(), [topic]);
        }
        assert_eq!(Topics::of([]), None);
        assert_eq!(Topic::parse("connection.ended"), None);
    }
}
