//! LeadExec's two endpoints with the token in their path (wire.md A2, A3). Cookies are never read here.

mod jsonp;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};

use super::Web;
use super::error::leadexec::{self, DisconnectAnswer, RefreshAnswer};
use super::error::{failed, refused};
use super::extract::{self, Pairs, is_effectless, rest_of_path};
use super::urls::route;
use crate::crypto::token::fingerprint;
use crate::services::disconnect::{self, DisconnectError, DisconnectRefusal};
use crate::services::refresh::{self, RefreshError};

pub fn routes() -> Router<Arc<Web>> {
    Router::new()
        .route(route::REFRESH, any(refresh))
        .route(route::REFRESH_TOKEN, any(refresh))
        .route(route::DISCONNECT, get(disconnect_by_path).post(disconnect_by_path).fallback(other_method))
        .route(route::DISCONNECT_TOKEN, get(disconnect_by_path).post(disconnect_by_path).fallback(other_method))
        .route(route::DISCONNECT_FORM, post(disconnect_by_form).fallback(other_method))
}

async fn refresh(
    State(web): State<Arc<Web>>,
    method: Method,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let token = rest_of_path(uri.path(), route::REFRESH);
    if method == Method::OPTIONS {
        return allowed("GET, HEAD");
    }
    if !matches!(method, Method::GET | Method::HEAD) {
        let answer = RefreshAnswer::refused(&token, leadexec::WRONG_METHOD);
        return with_allow(answer.respond(StatusCode::METHOD_NOT_ALLOWED), "GET, HEAD");
    }
    if is_effectless(&method, &headers) {
        return RefreshAnswer::refused(&token, leadexec::EFFECTLESS).respond(StatusCode::OK);
    }
    let query = Pairs::of_query(query.as_deref());
    let app = query.get("appid").unwrap_or(None);
    match refresh::refresh(&web.ctx, &token, app).await {
        Ok(granted) => RefreshAnswer::granted(&granted).respond(StatusCode::OK),
        Err(RefreshError::Refused(why)) => {
            refused("refreshaccesstoken", &why, Some(fingerprint(&token)));
            RefreshAnswer::refused(&token, leadexec::NOT_GOOD).respond(StatusCode::OK)
        }
        Err(RefreshError::Store(error)) => {
            let status = failed(&error);
            RefreshAnswer::refused(&token, leadexec::failure_sentence(status)).respond(status)
        }
    }
}

async fn disconnect_by_path(
    State(web): State<Arc<Web>>,
    method: Method,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let token = rest_of_path(uri.path(), route::DISCONNECT);
    // JSONP is for script elements, which only ever GET.
    let callback = match method {
        Method::POST => None,
        _ => match jsonp::Callback::of(&Pairs::of_query(query.as_deref())) {
            Ok(callback) => callback,
            Err(jsonp::NotAName) => {
                return DisconnectAnswer::refused(leadexec::BAD_CALLBACK).respond(StatusCode::BAD_REQUEST);
            }
        },
    };
    let (status, answer) = if is_effectless(&method, &headers) {
        (StatusCode::OK, DisconnectAnswer::refused(leadexec::EFFECTLESS))
    } else {
        disconnect(&web, &token).await
    };
    match callback {
        // A script element only runs an answer of status 200.
        Some(callback) if status == StatusCode::OK => callback.respond(&answer),
        _ => answer.respond(status),
    }
}

async fn disconnect_by_form(
    State(web): State<Arc<Web>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let form = match extract::form(&headers, body) {
        Ok(form) => form,
        Err(error) => return DisconnectAnswer::refused(leadexec::BAD_BODY).respond(error.status()),
    };
    let Ok(Some(token)) = form.get("token") else {
        return DisconnectAnswer::refused(leadexec::BAD_BODY).respond(StatusCode::BAD_REQUEST);
    };
    let (status, answer) = disconnect(&web, token).await;
    answer.respond(status)
}

async fn disconnect(web: &Web, token: &str) -> (StatusCode, DisconnectAnswer<'static>) {
    match disconnect::by_token(&web.ctx, token).await {
        Ok(_) => (StatusCode::OK, DisconnectAnswer::DONE),
        Err(DisconnectError::Refused(why)) => {
            refused("disconnectapplicationtoken", &why, Some(fingerprint(token)));
            let sentence = match why {
                DisconnectRefusal::ObjectObject => leadexec::OBJECT_OBJECT,
                _ => leadexec::NOT_CONNECTED,
            };
            (StatusCode::OK, DisconnectAnswer::refused(sentence))
        }
        Err(DisconnectError::Store(error)) => {
            let status = failed(&error);
            (status, DisconnectAnswer::refused(leadexec::failure_sentence(status)))
        }
    }
}

async fn other_method(method: Method) -> Response {
    if method == Method::OPTIONS {
        return allowed("GET, HEAD, POST");
    }
    let answer = DisconnectAnswer::refused(leadexec::WRONG_METHOD).respond(StatusCode::METHOD_NOT_ALLOWED);
    with_allow(answer, "GET, HEAD, POST")
}

/// OPTIONS answers which methods there are, and nothing that would let another origin in.
fn allowed(methods: &'static str) -> Response {
    with_allow(StatusCode::NO_CONTENT.into_response(), methods)
}

fn with_allow(mut response: Response, methods: &'static str) -> Response {
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
    response
}
