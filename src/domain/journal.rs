//! What is kept of a request in the sandbox: who asked for what, what came of it and why. Everything here
//! was masked when it was made: there is no secret to be shown by mistake.

use std::borrow::Cow;

use uuid::Uuid;

use super::ids::{AppId, ConnectionId, FlowId};
use super::timestamp::Timestamp;

/// What a route is called in the journal and in fault rules: its last fixed word (wire.md E); empty for the root.
pub fn endpoint_name(route: &str) -> &str {
    route.rsplit('/').find(|word| !word.is_empty() && !word.starts_with('{')).unwrap_or_default()
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    Ok,
    /// The server said no, in whatever form its surface has for that: also with status 200.
    Refused,
    /// The server failed.
    Error,
    /// A scripted fault acted on it.
    Fault,
}

impl Outcome {
    pub const ALL: [Outcome; 4] = [Outcome::Ok, Outcome::Refused, Outcome::Error, Outcome::Fault];

    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Refused => "refused",
            Outcome::Error => "error",
            Outcome::Fault => "fault",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// The rule that refused it: a short name that the documentation explains.
    pub rule: Cow<'static, str>,
    /// One sentence about this request.
    pub message: String,
    /// What would have matched, or whose the presented thing is.
    pub nearest: Option<String>,
}

/// What stands for the route and the endpoint of a request that has none.
pub const NO_ROUTE: &str = "(none)";

impl Why {
    pub fn new(rule: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { rule: rule.into(), message: message.into(), nearest: None }
    }

    #[must_use]
    pub fn nearest(mut self, nearest: impl Into<String>) -> Self {
        self.nearest = Some(nearest.into());
        self
    }
}

/// One direction of an exchange, masked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// `GET /v1/me` or `200 OK`.
    pub line: String,
    pub headers: Vec<(String, String)>,
    /// A form or JSON with its secrets masked; for anything else a word about what it was.
    pub body: String,
}

impl Message {
    /// Bytes of its text.
    fn size(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        self.line.len() + headers + self.body.len()
    }
}

/// A request and what came of it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Time-ordered; the request's id in logs and on error pages.
    pub id: Uuid,
    /// By the server's clock.
    pub at: Timestamp,
    /// By the clock of its application; the same where it has none of its own.
    pub app_at: Timestamp,
    /// By the machine's clock, which no test moves.
    pub real_at: Timestamp,
    pub method: String,
    /// The route's template below the issuer's path, or `(none)`.
    pub route: String,
    /// The route's last fixed word (wire.md E), which names it in filters and fault rules.
    pub endpoint: String,
    /// 0 where the connection was dropped without an answer.
    pub status: u16,
    /// Real time, in microseconds.
    pub duration_us: u64,
    pub app: Option<AppId>,
    /// The user's e-mail address.
    pub user: Option<String>,
    pub button: Option<String>,
    pub flow: Option<FlowId>,
    pub connection: Option<ConnectionId>,
    pub outcome: Outcome,
    /// There for everything that was refused.
    pub why: Option<Why>,
    /// The id of the fault rule that acted.
    pub fault: Option<String>,
    pub request: Message,
    pub response: Message,
}

#[cfg(test)]
impl Entry {
    /// A request that was served, of nobody: each test changes what it is about.
    pub fn sample(method: &str, route: &str) -> Self {
        let at = Timestamp::from_micros(0);
        Self {
            id: Uuid::nil(),
            at,
            app_at: at,
            real_at: at,
            method: method.into(),
            route: route.into(),
            endpoint: endpoint_name(route).into(),
            status: 200,
            duration_us: 1,
            app: None,
            user: None,
            button: None,
            flow: None,
            connection: None,
            outcome: Outcome::Ok,
            why: None,
            fault: None,
            request: Message { line: format!("{method} {route}"), ..Message::default() },
            response: Message::default(),
        }
    }
}

impl Entry {
    /// About how many bytes of memory it takes.
    pub fn size(&self) -> usize {
        let why = self.why.as_ref().map_or(0, |why| why.message.len() + why.nearest.as_ref().map_or(0, String::len));
        size_of::<Self>() + self.route.len() + self.endpoint.len() + why + self.request.size() + self.response.size()
    }
}
