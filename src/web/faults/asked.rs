//! A request as a fault rule sees it: read before it is handled, and handed on as it came.

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, Uri};
use futures_util::stream::{self, StreamExt as _};
use serde_json::Value;

use super::super::basic::Basic;
use super::super::extract::{Bearer, Pairs, is_type, rest_of_path};
use super::super::urls::route;
use super::super::{MAX_BODY, Web, cookies};
use super::endpoints::{Form, Served};
use crate::domain::ids::{ConnectionId, FlowId};
use crate::services::faults::Clue;
use crate::services::resume::MAX_BUTTONS;

pub struct Asked {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub query: Pairs,
    pub form: Pairs,
    json: Value,
}

impl Asked {
    /// Reads a request. A body that is too large, or breaks off, is left to who handles it.
    pub async fn read(request: Request) -> (Self, Request) {
        let (parts, body) = request.into_parts();
        let (bytes, body) = held(body).await;
        let (method, uri, headers) = (parts.method.clone(), parts.uri.clone(), parts.headers.clone());
        let is_form = is_type(&headers, "application/x-www-form-urlencoded");
        let form = if is_form { Pairs::parse(&bytes) } else { Pairs::default() };
        let json = if is_type(&headers, "application/json") { serde_json::from_slice(&bytes).ok() } else { None };
        let query = Pairs::of_query(uri.query());
        let asked = Self { method, uri, headers, query, form, json: json.unwrap_or_default() };
        (asked, Request::from_parts(parts, body))
    }

    /// Ids of buttons, as they came.
    pub fn buttons(&self) -> Vec<&str> {
        let many = self.json.get("btns").and_then(Value::as_array);
        let one = self.json.get("btn").and_then(Value::as_str).or(self.query.get("btn").ok().flatten());
        many.into_iter().flatten().filter_map(Value::as_str).chain(one).collect()
    }

    /// All that tells whom it is about.
    pub fn clues(&self, web: &Web, served: &Served) -> Vec<Clue> {
        let mut clues = self.in_path(web, served);
        for (name, clue) in NAMED {
            let member = self.json.get(name).and_then(Value::as_str);
            let given = [self.query.get(name).ok().flatten(), self.form.get(name).ok().flatten(), member];
            clues.extend(given.into_iter().flatten().map(|value| clue(value.to_owned())));
        }
        clues.extend(self.buttons().into_iter().take(MAX_BUTTONS).map(|id| Clue::Button(id.to_owned())));
        if let Basic::Credentials { id, .. } = Basic::of(&self.headers) {
            clues.push(Clue::App(id));
        }
        if let Bearer::Token(token) | Bearer::Dpop(token) = Bearer::of(&self.headers) {
            clues.push(Clue::Token(token));
        }
        // Where no cookie is read, it is nobody's word.
        match served.form {
            Form::Page | Form::Redirect => clues.extend(cookies::session(web, &self.headers).map(Clue::Session)),
            Form::Results => {
                clues.extend(cookies::button_session(web, &self.headers).map(Clue::ButtonSession));
                clues.extend(cookies::resume_handles(&self.headers).into_iter().map(Clue::Token));
            }
            Form::Refresh | Form::Disconnect | Form::Result | Form::ApiToken | Form::OAuth | Form::Bearer => {}
        }
        clues
    }

    fn in_path(&self, web: &Web, served: &Served) -> Vec<Clue> {
        let path = self.uri.path();
        match served.form {
            Form::Refresh => return vec![Clue::Token(rest_of_path(path, route::REFRESH).into_owned())],
            Form::Disconnect => return vec![Clue::Token(rest_of_path(path, route::DISCONNECT).into_owned())],
            _ => {}
        }
        let path = path.strip_prefix(web.urls.base()).unwrap_or(path);
        let parts = served.endpoint.route.split('/').zip(path.split('/'));
        parts
            .filter_map(|(template, given)| match template {
                "{flow}" => given.parse().ok().map(|id| Clue::Flow(FlowId(id))),
                "{connection}" => given.parse().ok().map(|id| Clue::Connection(ConnectionId(id))),
                "{client_id}" => Some(Clue::App(given.to_owned())),
                _ => None,
            })
            .collect()
    }
}

type Reads = fn(String) -> Clue;

/// Parameters and members, in a query, a form or JSON.
const NAMED: [(&str, Reads); 12] = [
    ("appid", Clue::App),
    ("client_id", Clue::App),
    ("client_assertion", Clue::Assertion),
    ("code", Clue::Token),
    ("device_code", Clue::Token),
    ("refresh_token", Clue::Token),
    ("access_token", Clue::Token),
    ("token", Clue::Token),
    ("user_code", Clue::UserCode),
    ("email", Clue::Email),
    ("continue_as", Clue::Email),
    ("username", Clue::Email),
];

/// A body, where it is whole and no larger than any that is read here; and the same to be read again.
async fn held(body: Body) -> (Bytes, Body) {
    let mut rest = body.into_data_stream();
    let mut chunks = Vec::new();
    let mut size = 0;
    while size <= MAX_BODY {
        match rest.next().await {
            Some(Ok(chunk)) => {
                size += chunk.len();
                chunks.push(Ok(chunk));
            }
            Some(Err(error)) => {
                chunks.push(Err(error));
                return (Bytes::new(), Body::from_stream(stream::iter(chunks)));
            }
            None => {
                let bytes = Bytes::from(chunks.into_iter().flatten().collect::<Vec<_>>().concat());
                return (bytes.clone(), Body::from(bytes));
            }
        }
    }
    (Bytes::new(), Body::from_stream(stream::iter(chunks).chain(rest)))
}
