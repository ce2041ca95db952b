//! What clients find out by themselves: the server's metadata (RFC 8414, OpenID Connect Discovery 1.0) and its keys
//! (RFC 7517).

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use axum::{Json, Router};
use serde::Serialize;
use serde_json::{Value, json};

use super::super::Web;
use super::super::bearer::DPOP_ALGORITHMS;
use super::super::error::oauth::method_not_allowed;
use super::super::urls::route;
use crate::domain::auth_method::AuthMethod;
use crate::domain::authorization::ResponseMode;
use crate::domain::grant_type::GrantType;
use crate::domain::scope::Scope;
use crate::domain::signing_algorithm::SigningAlgorithm;
use crate::services::keys;

pub fn routes() -> Router<Arc<Web>> {
    Router::new()
        .route(route::SERVER_METADATA, document())
        .route(route::OPENID_METADATA, document())
        .route(route::JWKS, get(jwks).fallback(other_method))
}

/// The documents of an issuer with a path, which lie at the root of its origin (RFC 8414 section 3.1).
pub fn at_the_root(base: &str) -> Router<Arc<Web>> {
    Router::new()
        .route(&format!("{}{base}", route::SERVER_METADATA), document())
        .route(&format!("{}{base}", route::OPENID_METADATA), document())
}

fn document() -> MethodRouter<Arc<Web>> {
    get(metadata).fallback(other_method)
}

async fn other_method() -> Response {
    method_not_allowed("GET, HEAD")
}

/// For any page and cache.
fn public(caching: &'static str, body: &impl Serialize) -> Response {
    let headers = [
        (header::CACHE_CONTROL, HeaderValue::from_static(caching)),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (StatusCode::OK, headers, Json(body)).into_response()
}

/// One document serves both standards: the names do not collide. Every address in it starts with the issuer, whatever a
/// request says of its host.
async fn metadata(State(web): State<Arc<Web>>) -> Response {
    public("public, max-age=300", &document_of(&web))
}

fn document_of(web: &Web) -> Value {
    let url = |route: &str| web.urls.public(route);
    let algorithms = SigningAlgorithm::ALL.map(SigningAlgorithm::as_str);
    let grants: Vec<&str> = GrantType::ALL
        .into_iter()
        .filter(|grant| *grant != GrantType::Password || web.ctx.password_grant)
        .map(GrantType::as_str)
        .collect();
    let methods = AuthMethod::ALL.map(AuthMethod::as_str);
    let confidential: Vec<&str> =
        AuthMethod::ALL.into_iter().filter(|method| *method != AuthMethod::None).map(AuthMethod::as_str).collect();
    json!({
        "issuer": web.ctx.issuer,
        "authorization_endpoint": url(route::OAUTH_AUTHORIZE),
        "token_endpoint": url(route::TOKEN),
        "revocation_endpoint": url(route::REVOKE),
        "introspection_endpoint": url(route::INTROSPECT),
        "userinfo_endpoint": url(route::USERINFO),
        "pushed_authorization_request_endpoint": url(route::PAR),
        "device_authorization_endpoint": url(route::DEVICE_AUTHORIZATION),
        "registration_endpoint": url(route::REGISTER),
        "end_session_endpoint": url(route::END_SESSION),
        "jwks_uri": url(route::JWKS),
        "scopes_supported": Scope::ALL.map(Scope::as_str),
        "response_types_supported": ["code"],
        "response_modes_supported": ResponseMode::ALL.map(ResponseMode::as_str),
        "grant_types_supported": grants,
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": DPOP_ALGORITHMS,
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": DPOP_ALGORITHMS,
        "introspection_endpoint_auth_methods_supported": confidential,
        "introspection_endpoint_auth_signing_alg_values_supported": DPOP_ALGORITHMS,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "require_pushed_authorization_requests": false,
        "dpop_signing_alg_values_supported": DPOP_ALGORITHMS,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": algorithms,
        "claims_supported":
            ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "azp", "name", "email", "email_verified"],
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "ui_locales_supported": ["en", "es"],
    })
}

/// The public keys (RFC 7517 section 5).
async fn jwks(State(web): State<Arc<Web>>) -> Response {
    match keys::jwks(&web.ctx).await {
        Ok(jwks) => public("public, max-age=300", &jwks),
        // Whoever verifies a token now is better off with the keys that are here than with none.
        Err(error) => {
            tracing::warn!(%error, "the published keys may be incomplete");
            public("no-store", &keys::known_jwks(&web.ctx))
        }
    }
}
