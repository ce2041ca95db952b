//! Clients that register themselves (RFC 7591) and look after their registration (RFC 7592).

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde::Serialize;
use serde_json::{Map, Value};

use super::super::Web;
use super::super::error::oauth::{
    invalid, json as respond, method_not_allowed, no_store, store_failed, too_many, with_status,
};
use super::super::error::refused;
use super::super::extract::{self, Bearer, BodyError, LATE_BODY};
use super::super::urls::route;
use crate::crypto::token::fingerprint;
use crate::domain::app::App;
use crate::domain::grant_type::GrantType;
use crate::domain::redirect_uri::RedirectUri;
use crate::domain::return_url::ReturnUrl;
use crate::services::audit::By;
use crate::services::oauth::error::{ErrorCode, Invalid};
use crate::services::oauth::registration::{self, Managed, Registered, RegistrationError};

pub fn routes() -> Router<Arc<Web>> {
    let at_all = post(register).fallback(async || method_not_allowed("POST"));
    let at_one = get(show).put(replace).delete(delete).fallback(async || method_not_allowed("GET, HEAD, PUT, DELETE"));
    Router::new().route(route::REGISTER, at_all).route(route::REGISTER_CLIENT, at_one)
}

/// RFC 7591 section 3.2.1, RFC 7592 section 3.
#[derive(Serialize)]
struct ClientInformation<'a> {
    client_id: &'a str,
    client_id_issued_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
    /// Zero: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret_expires_at: Option<u8>,
    registration_access_token: &'a str,
    registration_client_uri: String,
    token_endpoint_auth_method: &'static str,
    grant_types: Vec<&'static str>,
    response_types: &'static [&'static str],
    redirect_uris: Vec<&'a str>,
    post_logout_redirect_uris: Vec<&'a str>,
    client_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_uri: Option<&'a str>,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks: Option<Value>,
    id_token_signed_response_alg: &'static str,
    access_token_signing_alg: &'static str,
    dpop_bound_access_tokens: bool,
    require_pushed_authorization_requests: bool,
}

impl<'a> ClientInformation<'a> {
    fn new(web: &Web, Registered { app, client_secret, access_token }: &'a Registered) -> Self {
        let App { id, name, homepage, auth_method, grant_types, redirect_uris, .. } = app;
        Self {
            client_id: id.as_str(),
            client_id_issued_at: app.created_at.unix_seconds(),
            client_secret: client_secret.as_deref(),
            client_secret_expires_at: auth_method.has_secret().then_some(0),
            registration_access_token: access_token,
            registration_client_uri: web.urls.registration(id),
            token_endpoint_auth_method: auth_method.as_str(),
            grant_types: grant_types.iter().map(|grant| grant.as_str()).collect(),
            response_types: if app.has_grant(GrantType::AuthorizationCode) { &["code"] } else { &[] },
            redirect_uris: redirect_uris.iter().map(RedirectUri::as_str).collect(),
            post_logout_redirect_uris: app.post_logout_redirect_uris.iter().map(ReturnUrl::as_str).collect(),
            client_name: name,
            client_uri: homepage.as_deref(),
            scope: app.scopes.to_string(),
            jwks: app.jwks.as_deref().and_then(|jwks| serde_json::from_str(jwks).ok()),
            id_token_signed_response_alg: app.id_token_alg.as_str(),
            access_token_signing_alg: app.access_token_alg.as_str(),
            dpop_bound_access_tokens: app.requires_dpop,
            require_pushed_authorization_requests: app.requires_par,
        }
    }
}

async fn register(
    State(web): State<Arc<Web>>,
    headers: HeaderMap,
    extensions: Extensions,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let registered = async {
        let token = presented(&headers)?;
        let from = extract::peer(&extensions);
        let authorized = registration::authorize(&web.ctx, &token, from).await;
        authorized.map_err(|why| explain(why, &token))?;
        let metadata = read(&headers, body)?;
        registration::register(&web.ctx.acting(By::client(None, from)), &metadata)
            .await
            .map_err(|why| explain(why, &token))
    };
    match registered.await {
        Ok(registered) => respond(StatusCode::CREATED, &ClientInformation::new(&web, &registered)),
        Err(answer) => *answer,
    }
}

/// A request that names a client, with a token that has to be that client's.
async fn open(
    web: &Web,
    client_id: Result<Path<String>, PathRejection>,
    headers: &HeaderMap,
    from: Option<IpAddr>,
) -> Result<Managed, Box<Response>> {
    let token = presented(headers)?;
    // What cannot be read is no client's id.
    let client_id = client_id.map_or_else(|_| String::new(), |Path(id)| id);
    registration::open(&web.ctx, &client_id, &token, from).await.map_err(|why| explain(why, &token))
}

async fn show(
    State(web): State<Arc<Web>>,
    client_id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    extensions: Extensions,
) -> Response {
    match open(&web, client_id, &headers, extract::peer(&extensions)).await {
        Ok(managed) => respond(StatusCode::OK, &ClientInformation::new(&web, &managed.into())),
        Err(answer) => *answer,
    }
}

async fn replace(
    State(web): State<Arc<Web>>,
    client_id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    extensions: Extensions,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let replaced = async {
        let from = extract::peer(&extensions);
        let managed = open(&web, client_id, &headers, from).await?;
        let metadata = read(&headers, body)?;
        let by = By::client(Some(managed.app.id.clone()), from);
        registration::replace(&web.ctx.acting(by), managed, &metadata).await.map_err(|why| explain(why, ""))
    };
    match replaced.await {
        Ok(registered) => respond(StatusCode::OK, &ClientInformation::new(&web, &registered)),
        Err(answer) => *answer,
    }
}

async fn delete(
    State(web): State<Arc<Web>>,
    client_id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    extensions: Extensions,
) -> Response {
    let from = extract::peer(&extensions);
    let managed = match open(&web, client_id, &headers, from).await {
        Ok(managed) => managed,
        Err(answer) => return *answer,
    };
    let by = By::client(Some(managed.app.id.clone()), from);
    match registration::delete(&web.ctx.acting(by), managed).await {
        Ok(()) => no_store(StatusCode::NO_CONTENT.into_response()),
        Err(error) => store_failed(&error),
    }
}

fn presented(headers: &HeaderMap) -> Result<String, Box<Response>> {
    const MISSING: &str = "Send a token for registration: Authorization: Bearer TOKEN";
    match Bearer::of(headers) {
        Bearer::Token(token) => Ok(token),
        // Nothing was tried, so the challenge names no error (RFC 6750 section 3.1).
        Bearer::None | Bearer::Dpop(_) => Err(Box::new(challenge("Bearer realm=\"leadgate\"", MISSING))),
        Bearer::Malformed => Err(Box::new(invalid(Invalid::request("Send one Authorization header with one token.")))),
    }
}

fn challenge(challenge: &'static str, description: &'static str) -> Response {
    let why = Invalid::new(ErrorCode::InvalidToken, description);
    let mut response = with_status(StatusCode::UNAUTHORIZED, why);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response
}

fn read(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Map<String, Value>, Box<Response>> {
    extract::json(headers, body).map_err(|error| {
        Box::new(match error {
            BodyError::TooLarge => {
                with_status(StatusCode::PAYLOAD_TOO_LARGE, Invalid::request("The body is larger than 64 KiB."))
            }
            BodyError::WrongType => invalid(Invalid::request("Send JSON: Content-Type: application/json.")),
            BodyError::Malformed => invalid(Invalid::request("The body is not a JSON object.")),
            BodyError::Late => with_status(error.status(), Invalid::request(LATE_BODY)),
        })
    })
}

fn explain(why: RegistrationError, token: &str) -> Box<Response> {
    const ENDPOINT: &str = "oauth/register";
    Box::new(match why {
        RegistrationError::Token(why) => {
            refused(ENDPOINT, &why, Some(fingerprint(token)));
            challenge("Bearer realm=\"leadgate\", error=\"invalid_token\"", "The token is unknown, or expired.")
        }
        RegistrationError::TooMany(why, slow_down) => {
            refused(ENDPOINT, &why, Some(fingerprint(token)));
            too_many(slow_down)
        }
        RegistrationError::TooManyClients(span) => {
            refused(ENDPOINT, &span, None);
            too_many(span)
        }
        RegistrationError::Invalid(why) => {
            refused(ENDPOINT, &why, None);
            invalid(why)
        }
        RegistrationError::Store(error) => store_failed(&error),
    })
}
