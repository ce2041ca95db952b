//! Requests to a server that may die meanwhile, and how much is known of what they did.

use serde_json::Value;

use crate::program::{Reply, Server};

/// What a client knows of what it asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It was not asked for.
    Not,
    /// It was asked for, and no answer came, or one that it failed: either may be true.
    Perhaps,
    /// It was acknowledged.
    Done,
}

/// The answer, or `None` where the client cannot know what was done: none came, or it was a failure of the server's.
pub fn answer(server: &Server, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Option<Reply> {
    let reply = server.send(method, path, headers, body).ok()?;
    assert_ne!(reply.status, 500, "a fault is 503: {method} {path}: {reply:?}");
    (reply.status < 500).then_some(reply)
}

/// The same for an answer in JSON, which may have been cut off.
pub fn json(server: &Server, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Option<(u16, Value)> {
    let reply = answer(server, method, path, headers, body)?;
    Some((reply.status, serde_json::from_str(&reply.body).ok()?))
}

pub fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("{key}: {value}")).to_owned()
}
