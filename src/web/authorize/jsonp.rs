//! JSONP, as jQuery's `dataType: 'jsonp'` asks for it (wire.md A3).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::super::error::leadexec::{self, DisconnectAnswer};
use crate::domain::jsonp::Callback;

/// The answer as a script that calls the function, if it is one.
pub fn respond(callback: &Callback, answer: &DisconnectAnswer<'_>) -> Response {
    let name = callback.as_str();
    // The comment in front keeps the first bytes ours, whatever the name is.
    let body = format!("/**/typeof {name}===\"function\"&&{name}({});", answer.json());
    let mut response = leadexec::isolated(leadexec::answer(StatusCode::OK, "text/javascript; charset=utf-8", body));
    response
        .headers_mut()
        .insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"f.txt\""));
    response
}
