//! A client's own token, in LeadExec's form: JSON in, four keys out. Behind it is the grant of RFC 6749 section 4.4.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest as _, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::post;
use serde_json::Value;

use super::super::Web;
use super::super::error::{api_token, refused};
use super::super::extract::{self, BodyError, LATE_BODY, Pairs};
use super::super::urls::route;
use crate::domain::grant_type::GrantType;
use crate::services::oauth::client_auth::{self, ClientAuthError, Credentials};
use crate::services::oauth::error::{ErrorCode, Invalid};
use crate::services::oauth::token::{self, TokenError, TokenRequest};

pub fn routes() -> Router<Arc<Web>> {
    Router::new().route(route::API_TOKEN, post(issue).fallback(async || api_token::method_not_allowed()))
}

/// What a client says of itself.
struct Asked {
    client_id: String,
    client_secret: String,
    grant_type: String,
}

async fn issue(State(web): State<Arc<Web>>, request: Request) -> Response {
    let headers = request.headers().clone();
    let from = extract::peer(request.extensions());
    let body = Bytes::from_request(request, &()).await;
    match read(&headers, body) {
        Ok(asked) => answer(&web, asked, from).await,
        Err((status, why)) => {
            refused(route::API_TOKEN, &why, None);
            api_token::refused(status, why.code)
        }
    }
}

/// All three members, as texts; others are nobody's business.
fn read(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Asked, (StatusCode, Invalid)> {
    let bad = |description| (StatusCode::BAD_REQUEST, Invalid::request(description));
    let body: Value = extract::json(headers, body).map_err(|error| {
        let description = match error {
            BodyError::TooLarge => "The body is larger than 64 KiB.",
            BodyError::WrongType => "Send JSON: Content-Type: application/json.",
            BodyError::Malformed => "The body is no JSON.",
            BodyError::Late => LATE_BODY,
        };
        (error.status(), Invalid::request(description))
    })?;
    let member = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    Ok(Asked {
        client_id: member("client_id").ok_or(bad("client_id is missing, or no text."))?,
        client_secret: member("client_secret").ok_or(bad("client_secret is missing, or no text."))?,
        grant_type: member("grant_type").ok_or(bad("grant_type is missing, or no text."))?,
    })
}

async fn answer(web: &Web, asked: Asked, from: Option<IpAddr>) -> Response {
    if asked.grant_type != GrantType::ClientCredentials.as_str() {
        let why = Invalid::new(ErrorCode::UnsupportedGrantType, "grant_type is not client_credentials.");
        refused(route::API_TOKEN, &why, None);
        return api_token::invalid(why.code);
    }
    let credentials = Credentials::Secret { id: asked.client_id, secret: asked.client_secret };
    let client = match client_auth::authenticate(&web.ctx, &credentials, &[], from).await {
        Ok(client) => client,
        Err(ClientAuthError::Store(error)) => return api_token::store_failed(&error),
        Err(why) => {
            refused(route::API_TOKEN, &why, None);
            return match why {
                ClientAuthError::TooMany(_, span) | ClientAuthError::NotLookedAt(span) => api_token::too_many(span),
                ClientAuthError::Refused(_) | ClientAuthError::Store(_) => api_token::invalid(ErrorCode::InvalidClient),
            };
        }
    };
    // Without a scope it is for all that the application may do with APIs.
    let parameters = Pairs::parse(b"grant_type=client_credentials");
    let request = TokenRequest { client: &client, parameters: &parameters, dpop_jkt: None, from, tried: None };
    match token::token(&web.ctx, request).await {
        Ok(tokens) => api_token::issued(&tokens.access_token, tokens.expires_in.as_secs()),
        Err(TokenError::Store(error)) => api_token::store_failed(&error),
        Err(why) => {
            refused(route::API_TOKEN, &why, None);
            match (&why, why.invalid()) {
                (TokenError::TooMany(span), _) => api_token::too_many(*span),
                (TokenError::Busy(span), _) => api_token::busy(*span),
                (_, invalid) => api_token::invalid(invalid.map_or(ErrorCode::InvalidRequest, |invalid| invalid.code)),
            }
        }
    }
}
