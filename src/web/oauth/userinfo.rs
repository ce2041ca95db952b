//! The UserInfo endpoint (OpenID Connect Core section 5.3).

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;

use super::super::Web;
use super::super::bearer::{Access, authorized};
use super::super::error::oauth::{json, method_not_allowed};
use super::super::urls::route;
use crate::domain::access_token::Subject;
use crate::domain::scope::Scope;
use crate::services::oauth::issue::Profile;

pub fn routes() -> Router<Arc<Web>> {
    let other = async || readable(method_not_allowed("GET, HEAD, POST, OPTIONS"));
    let handlers = get(by_get).post(by_post).options(preflight).fallback(other);
    Router::new().route(route::USERINFO, handlers)
}

/// Any page may ask: what it needs is the token, and no cookie is looked at.
fn readable(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("www-authenticate"));
    response
}

async fn preflight() -> Response {
    let mut response = readable(StatusCode::NO_CONTENT.into_response());
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("authorization, content-type, dpop"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    response
}

#[derive(Serialize)]
struct Claims<'c> {
    sub: String,
    #[serde(flatten)]
    profile: Profile<'c>,
}

async fn by_get(State(web): State<Arc<Web>>, method: Method, headers: HeaderMap) -> Response {
    let access = Access { method: &method, path: route::USERINFO, headers: &headers, form: None };
    readable(answer(&web, access).await)
}

async fn by_post(State(web): State<Arc<Web>>, headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> Response {
    let access = Access { method: &Method::POST, path: route::USERINFO, headers: &headers, form: Some(body) };
    readable(answer(&web, access).await)
}

async fn answer(web: &Web, access: Access<'_>) -> Response {
    let token = match authorized(web, route::USERINFO, access, Scope::OpenId).await {
        Ok(token) => token,
        Err(answer) => return *answer,
    };
    match &token.subject {
        Subject::User { user, .. } => {
            json(StatusCode::OK, &Claims { sub: token.sub(), profile: Profile::of(user, &token.scopes) })
        }
        // `openid` is never granted to a client of its own.
        Subject::Client { .. } => StatusCode::FORBIDDEN.into_response(),
    }
}
