//! The journal as an HTTP Archive (HAR 1.2), which browsers' developer tools and many others read. Masked, as all of it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::super::Web;
use crate::domain::journal::{Entry, Message};
use crate::domain::pairs::Pairs;

/// The archive of these entries, given newest first; in it the oldest comes first.
pub fn archive(web: &Web, entries: &[Arc<Entry>]) -> Value {
    json!({
        "log": {
            "version": "1.2",
            "creator": {"name": "Leadgate", "version": env!("CARGO_PKG_VERSION")},
            "comment": "Secrets are masked. Times are those of the server's clock.",
            "entries": entries.iter().rev().map(|entry| archived(web, entry)).collect::<Vec<_>>(),
        }
    })
}

fn archived(web: &Web, entry: &Entry) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "no request lasts for centuries")]
    let took = entry.duration_us as f64 / 1_000.0;
    json!({
        "startedDateTime": entry.at.to_rfc3339_millis(),
        "time": took,
        "request": request(web, entry),
        "response": response(entry),
        "cache": {},
        "timings": {"send": 0, "wait": took, "receive": 0},
        // Members of ours begin with an underscore, as the format asks.
        "_id": entry.id.simple().to_string(),
        "_route": entry.route,
        "_outcome": entry.outcome.as_str(),
        "_why": entry.why.as_ref().map(|why| json!({"rule": why.rule, "message": why.message, "nearest": why.nearest})),
        "_app": entry.app.as_ref().map(ToString::to_string),
        "_user": web.ctx.journal.user_of(entry),
    })
}

fn request(web: &Web, entry: &Entry) -> Value {
    let target = entry.request.line.split_once(' ').map_or("/", |(_, target)| target);
    let query = Pairs::of_query(target.split_once('?').map(|(_, query)| query));
    let mut request = json!({
        "method": entry.method,
        "url": format!("{}{target}", web.origin),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": headers(&entry.request),
        "queryString": query.iter().map(|(name, value)| json!({"name": name, "value": value})).collect::<Vec<_>>(),
        "headersSize": -1,
        "bodySize": -1,
    });
    if !entry.request.body.is_empty() {
        request["postData"] = json!({"mimeType": content_type(&entry.request), "text": entry.request.body});
    }
    request
}

fn response(entry: &Entry) -> Value {
    let status_text = entry.response.line.split_once(' ').map_or("", |(_, text)| text);
    json!({
        "status": entry.status,
        "statusText": status_text,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": headers(&entry.response),
        "content": {
            "size": entry.response.body.len(),
            "mimeType": content_type(&entry.response),
            "text": entry.response.body,
        },
        "redirectURL": header(&entry.response, "location").unwrap_or_default(),
        "headersSize": -1,
        "bodySize": -1,
    })
}

fn headers(message: &Message) -> Vec<Value> {
    message.headers.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
}

fn header<'m>(message: &'m Message, wanted: &str) -> Option<&'m str> {
    message.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
}

fn content_type(message: &Message) -> &str {
    header(message, "content-type").unwrap_or("application/octet-stream")
}
