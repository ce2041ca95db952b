//! `POST /deliveries/{id}/receive`: takes a lead under the one method that the delivery's settings demand (wire.md D).

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{DefaultBodyLimit, OriginalUri, Path, State};
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::post;
use serde_json::json;
use uuid::Uuid;

use super::super::Web;
use super::super::error::{oauth, refused};
use super::super::extract;
use super::super::urls::route;
use crate::crypto::digest::Credentials;
use crate::domain::ids::DeliveryId;
use crate::services::bearer::BearerError;
use crate::services::deliveries::{
    self, DeliveryError, NoLead, Opened, Presented, ReceiverRefusal, Witnessed, authentication_info, challenges,
};
use crate::services::reason::Reason;
use crate::store::StoreError;

/// Largest lead, in bytes.
const MAX_LEAD: usize = 256 * 1024;
const AUTHENTICATION_INFO: HeaderName = HeaderName::from_static("authentication-info");

pub fn routes() -> Router<Arc<Web>> {
    let handlers = post(receive).layer(DefaultBodyLimit::max(MAX_LEAD)).fallback(other_method);
    Router::new().route(route::RECEIVE, handlers)
}

async fn other_method() -> Response {
    oauth::method_not_allowed("POST")
}

async fn receive(
    State(web): State<Arc<Web>>,
    id: Result<Path<Uuid>, PathRejection>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    extensions: Extensions,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let presented = Presented {
        authorization: headers.get_all(header::AUTHORIZATION).iter().map(HeaderValue::as_bytes).collect(),
        method: "POST",
        target,
        address: extract::peer(&extensions),
    };
    let Ok(Path(id)) = id else { return unknown() };
    let began = web.ctx.real_now();
    let (opened, admitted) = match deliveries::admit(&web.ctx, DeliveryId(id), &presented).await {
        Ok(found) => found,
        Err(DeliveryError::Store(error)) => return oauth::store_failed(&error),
        Err(_) => return unknown(),
    };
    let witness = |answer: &Answer, size| Witnessed {
        line: format!("POST {}", uri.path()),
        request: listed(&headers),
        size,
        status: (answer.status.as_u16(), answer.status.canonical_reason().unwrap_or_default()),
        response: listed(answer.response.headers()),
        answer: answer.text.clone(),
        took: web.ctx.real_now().since(began),
    };
    let size = body.as_ref().map_or(0, Bytes::len);
    let credentials = match admitted {
        Ok(credentials) => credentials,
        Err(ReceiverRefusal::Store(error)) => return oauth::store_failed(&error),
        Err(why) => {
            let answer = refuse(&web, &opened, &why);
            return note_refused(&web, &opened, &why, witness(&answer, size), answer).await;
        }
    };
    match read(&headers, body) {
        Ok(lead) => {
            let exchange = deliveries::begin_received(&web.ctx, &opened);
            let answer = Answer::new(StatusCode::OK, &json!({"id": exchange.id, "received": true}));
            let answer = answer.proving(&opened, credentials.as_ref());
            let witnessed = witness(&answer, size);
            match deliveries::keep_received(&web.ctx, &opened, lead, exchange, witnessed).await {
                Ok(()) => answer.response,
                Err(error) => oauth::store_failed(&error),
            }
        }
        Err(why) => {
            let answer = no_lead(why).proving(&opened, credentials.as_ref());
            note_refused(&web, &opened, &why, witness(&answer, size), answer).await
        }
    }
}

/// An answer, and its body as text.
struct Answer {
    status: StatusCode,
    text: String,
    response: Response,
}

impl Answer {
    fn new(status: StatusCode, body: &serde_json::Value) -> Self {
        Self { status, text: body.to_string(), response: oauth::json(status, body) }
    }

    fn error(status: StatusCode, error: &str, description: &str) -> Self {
        Self::new(status, &json!({"error": error, "error_description": description}))
    }

    /// Proves the server to a client that proved itself with Digest (RFC 7616 section 3.5).
    fn proving(mut self, opened: &Opened, credentials: Option<&Credentials>) -> Self {
        let proof = credentials.and_then(|credentials| authentication_info(opened, credentials));
        if let Some(proof) = proof.and_then(|proof| HeaderValue::try_from(proof).ok()) {
            self.response.headers_mut().insert(AUTHENTICATION_INFO, proof);
        }
        self
    }
}

fn read(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<deliveries::Lead, NoLead> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => NoLead::TooLarge,
        _ => NoLead::MediaType,
    })?;
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    deliveries::read_lead(content_type, &body)
}

/// Who sends it is told what to prove, and not what was wrong.
fn refuse(web: &Web, opened: &Opened, why: &ReceiverRefusal) -> Answer {
    let mut answer = match why {
        ReceiverRefusal::TooMany(too_many) => {
            let response = oauth::too_many(*too_many);
            return Answer { status: response.status(), text: String::new(), response };
        }
        ReceiverRefusal::Malformed => {
            let description = "Send one Authorization header that can be read.";
            return Answer::error(StatusCode::BAD_REQUEST, "invalid_request", description);
        }
        ReceiverRefusal::Token(BearerError::Scope { .. }) => {
            let description = "The access token was not granted the scope lead_receiver.";
            Answer::error(StatusCode::FORBIDDEN, "insufficient_scope", description)
        }
        ReceiverRefusal::Missing | ReceiverRefusal::OtherScheme => {
            let description = "Send the credentials that WWW-Authenticate asks for.";
            Answer::error(StatusCode::UNAUTHORIZED, "unauthorized", description)
        }
        _ => Answer::error(StatusCode::UNAUTHORIZED, "unauthorized", "The credentials are not right."),
    };
    for challenge in challenges(&web.ctx, opened, why) {
        if let Ok(value) = HeaderValue::try_from(challenge) {
            answer.response.headers_mut().append(header::WWW_AUTHENTICATE, value);
        }
    }
    answer
}

fn no_lead(why: NoLead) -> Answer {
    let status = match why {
        NoLead::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        _ => StatusCode::BAD_REQUEST,
    };
    Answer::error(status, "invalid_request", &super::super::error::problem::sentence(&why.to_string()))
}

/// Logs and records a refusal. That it cannot be recorded is no reason to answer otherwise.
async fn note_refused(web: &Web, opened: &Opened, why: &impl Reason, witnessed: Witnessed, answer: Answer) -> Response {
    refused(route::RECEIVE, why, None);
    let recorded: Result<(), StoreError> = deliveries::keep_refused(&web.ctx, opened, why.to_string(), witnessed).await;
    if let Err(error) = recorded {
        tracing::warn!(%error, "a refused lead could not be recorded");
    }
    answer.response
}

fn unknown() -> Response {
    Answer::error(StatusCode::NOT_FOUND, "not_found", "There is no delivery at this address.").response
}

fn listed(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().take(64).map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}
