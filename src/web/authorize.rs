//! LeadExec's two endpoints with the token in their path (wire.md A2, A3). Cookies are never read here.

mod jsonp;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Request, State};
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::{any, get, post};

use super::error::leadexec::{self, DisconnectAnswer, RefreshAnswer};
use super::error::{failed, refused, retry_after_header};
use super::extract::{self, Pairs, is_effectless, rest_of_path};
use super::urls::route;
use super::{Web, mask};
use crate::crypto::token::fingerprint;
use crate::domain::journal::Why;
use crate::domain::jsonp::{Callback, NotAName};
use crate::services::disconnect::{self, DisconnectError, DisconnectRefusal};
use crate::services::journal::note;
use crate::services::refresh::{self, RefreshError};
use crate::services::throttle::TooMany;

pub fn routes() -> Router<Arc<Web>> {
    let by_path = || {
        let others = async |method| other_method(method, "GET, HEAD, POST");
        get(disconnect_by_path).post(disconnect_by_path).fallback(others)
    };
    // With no token too, and with a slash and nothing behind it: a mistake gets the usual answer.
    Router::new()
        .route(route::REFRESH, any(refresh))
        .route(route::REFRESH_EMPTY, any(refresh))
        .route(route::REFRESH_TOKEN, any(refresh))
        .route(route::DISCONNECT, by_path())
        .route(route::DISCONNECT_EMPTY, by_path())
        .route(route::DISCONNECT_TOKEN, by_path())
        .route(route::DISCONNECT_FORM, post(disconnect_by_form).fallback(async |method| other_method(method, "POST")))
}

async fn refresh(State(web): State<Arc<Web>>, request: Request) -> Response {
    // Extractors of its parts would copy each.
    let (head, _) = request.into_parts();
    let token = rest_of_path(head.uri.path(), route::REFRESH);
    if head.method == Method::OPTIONS {
        return allowed("GET, HEAD");
    }
    if !matches!(head.method, Method::GET | Method::HEAD) {
        let answer = RefreshAnswer::refused(&token, leadexec::WRONG_METHOD);
        return with_allow(answer.respond(StatusCode::METHOD_NOT_ALLOWED), "GET, HEAD");
    }
    if is_effectless(&head.method, &head.headers) {
        return RefreshAnswer::refused(&token, leadexec::EFFECTLESS).respond(StatusCode::OK);
    }
    let query = Pairs::of_query(head.uri.query());
    let app = query.get("appid").unwrap_or(None);
    if app.is_none()
        && let Some(other) = query.names().find(|name| name.eq_ignore_ascii_case("appid"))
    {
        note::why(
            Why::new("appid.missing", "`appid` is missing; names are compared exactly").nearest(mask::scrub(other)),
        );
    }
    match refresh::refresh(&web.ctx, &token, app, extract::peer(&head.extensions)).await {
        Ok(granted) => RefreshAnswer::granted(&granted).respond(StatusCode::OK),
        Err(RefreshError::Refused(why)) => {
            refused("refreshaccesstoken", &why, Some(fingerprint(&token)));
            RefreshAnswer::refused(&token, leadexec::NOT_GOOD).respond(StatusCode::OK)
        }
        Err(RefreshError::TooMany(why, TooMany { retry_after })) => {
            refused("refreshaccesstoken", &why, Some(fingerprint(&token)));
            let answer = RefreshAnswer::refused(&token, leadexec::TOO_MANY);
            retry_after_header(answer.respond(StatusCode::TOO_MANY_REQUESTS), retry_after)
        }
        Err(RefreshError::Store(error)) => {
            let status = failed(&error);
            RefreshAnswer::refused(&token, leadexec::failure_sentence(status)).respond(status)
        }
    }
}

async fn disconnect_by_path(State(web): State<Arc<Web>>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    let token = rest_of_path(head.uri.path(), route::DISCONNECT);
    let callback = match callback_of(&head.method, &Pairs::of_query(head.uri.query())) {
        Ok(callback) => callback,
        Err(NotAName) => {
            return DisconnectAnswer::refused(leadexec::BAD_CALLBACK).respond(StatusCode::BAD_REQUEST);
        }
    };
    let done = if is_effectless(&head.method, &head.headers) {
        Done::refused(leadexec::EFFECTLESS)
    } else {
        disconnect(&web, &token, extract::peer(&head.extensions)).await
    };
    match callback {
        // A script element only runs an answer of status 200.
        Some(callback) if done.status == StatusCode::OK => jsonp::respond(&callback, &done.answer),
        _ => done.respond(),
    }
}

/// JSONP is for script elements, which only ever GET.
fn callback_of(method: &Method, query: &Pairs) -> Result<Option<Callback>, NotAName> {
    if method == Method::POST { Ok(None) } else { Callback::of(query) }
}

/// A refusal by A3 with this status, in the form that was asked for.
pub fn disconnect_failed(method: &Method, query: &Pairs, status: StatusCode, sentence: &str) -> Response {
    let answer = DisconnectAnswer::refused(sentence);
    match callback_of(method, query) {
        // A script element only runs an answer of status 200.
        Ok(Some(callback)) if status == StatusCode::OK => jsonp::respond(&callback, &answer),
        _ => answer.respond(status),
    }
}

async fn disconnect_by_form(
    State(web): State<Arc<Web>>,
    headers: HeaderMap,
    extensions: Extensions,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let form = match extract::form(&headers, body) {
        Ok(form) => form,
        Err(error) => return DisconnectAnswer::refused(leadexec::BAD_BODY).respond(error.status()),
    };
    let Ok(Some(token)) = form.get("token") else {
        return DisconnectAnswer::refused(leadexec::BAD_BODY).respond(StatusCode::BAD_REQUEST);
    };
    disconnect(&web, token, extract::peer(&extensions)).await.respond()
}

/// An answer of A3 before its form, JSON or JSONP, is chosen.
struct Done {
    status: StatusCode,
    answer: DisconnectAnswer<'static>,
    retry_after: Option<Duration>,
}

impl Done {
    fn refused(sentence: &'static str) -> Self {
        Self { status: StatusCode::OK, answer: DisconnectAnswer::refused(sentence), retry_after: None }
    }

    fn respond(self) -> Response {
        let response = self.answer.respond(self.status);
        match self.retry_after {
            Some(span) => retry_after_header(response, span),
            None => response,
        }
    }
}

async fn disconnect(web: &Web, token: &str, from: Option<IpAddr>) -> Done {
    match disconnect::by_token(&web.ctx, token, from).await {
        Ok(_) => Done { status: StatusCode::OK, answer: DisconnectAnswer::DONE, retry_after: None },
        Err(DisconnectError::Refused(why)) => {
            refused("disconnectapplicationtoken", &why, Some(fingerprint(token)));
            let sentence = match why {
                DisconnectRefusal::ObjectObject => leadexec::OBJECT_OBJECT,
                _ => leadexec::NOT_CONNECTED,
            };
            Done::refused(sentence)
        }
        Err(DisconnectError::TooMany(why, TooMany { retry_after })) => {
            refused("disconnectapplicationtoken", &why, Some(fingerprint(token)));
            let answer = DisconnectAnswer::refused(leadexec::TOO_MANY);
            Done { status: StatusCode::TOO_MANY_REQUESTS, answer, retry_after: Some(retry_after) }
        }
        Err(DisconnectError::Store(error)) => {
            let status = failed(&error);
            Done { status, ..Done::refused(leadexec::failure_sentence(status)) }
        }
    }
}

fn other_method(method: Method, methods: &'static str) -> Response {
    if method == Method::OPTIONS {
        return allowed(methods);
    }
    let answer = DisconnectAnswer::refused(leadexec::WRONG_METHOD).respond(StatusCode::METHOD_NOT_ALLOWED);
    with_allow(answer, methods)
}

/// OPTIONS answers which methods there are, and nothing that would let another origin in.
fn allowed(methods: &'static str) -> Response {
    with_allow(leadexec::no_content(), methods)
}

fn with_allow(mut response: Response, methods: &'static str) -> Response {
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
    response
}
