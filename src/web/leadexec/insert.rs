//! The lead receiver: a list of leads in, and for each of them what came of it.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use axum::routing::post;
use serde::Serialize;

use super::super::Web;
use super::super::bearer::{self, Access, authorized};
use super::super::error::{oauth, refused};
use super::super::extract::{self, Bearer};
use super::super::urls::route;
use crate::domain::lead::{PostError, Posted, ResponseType};
use crate::domain::scope::Scope;
use crate::services::accounts;
use crate::services::leads::{self, Outcome, Refused, Sender, UnknownKey};
use crate::services::oauth::error::{ErrorCode, Invalid};

/// Largest body, in bytes.
const MAX_POST: usize = 1024 * 1024;
const TOO_LARGE: &str = "The body is larger than 1 MiB.";
const API_KEY: &str = "api-key";
/// Whom refused API keys are counted for: they name nobody.
const COUNTED_AS: &str = "api-key";

pub fn routes() -> Router<Arc<Web>> {
    let other = async || oauth::method_not_allowed("POST");
    Router::new().route(route::LEAD_INSERT, post(insert).layer(DefaultBodyLimit::max(MAX_POST)).fallback(other))
}

/// LeadExec's names.
#[derive(Serialize)]
struct PostResponse {
    #[serde(rename = "PostID")]
    post_id: String,
    #[serde(rename = "isValidPost")]
    is_valid_post: bool,
    #[serde(rename = "ResponseType")]
    response_type: u8,
    #[serde(rename = "ResponseDetail")]
    response_detail: String,
    #[serde(rename = "LeadIdentifier")]
    lead_identifier: Option<i64>,
    #[serde(rename = "VendorAccountAssigned")]
    vendor_account_assigned: Option<i64>,
    #[serde(rename = "PendingQCReview")]
    pending_qc_review: bool,
}

impl From<&Outcome> for PostResponse {
    fn from(outcome: &Outcome) -> Self {
        let (response_type, response_detail) = match &outcome.result {
            Ok(_) => (ResponseType::NoError, "The lead was accepted".to_owned()),
            Err(why) => (why.response_type(), why.detail()),
        };
        let accepted = outcome.result.as_ref().ok();
        Self {
            post_id: outcome.post.to_string(),
            is_valid_post: accepted.is_some(),
            response_type: response_type as u8,
            response_detail,
            lead_identifier: accepted.map(|accepted| accepted.number),
            vendor_account_assigned: accepted.and_then(|accepted| accepted.campaign),
            pending_qc_review: false,
        }
    }
}

async fn insert(State(web): State<Arc<Web>>, request: Request) -> Response {
    let (method, headers) = (request.method().clone(), request.headers().clone());
    let from = extract::peer(request.extensions());
    // Who may post nothing is told so before anything of the body is read.
    let sender = match sender(&web, &method, &headers, from).await {
        Ok(sender) => sender,
        Err(answer) => return *answer,
    };
    let body = Bytes::from_request(request, &()).await;
    match receive(&web, sender, &headers, body).await {
        Ok(answer) => answer,
        Err(answer) => *answer,
    }
}

async fn receive(
    web: &Web,
    sender: Sender,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Box<Response>> {
    let body = super::json(headers, body, TOO_LARGE)?;
    let posted = Posted::read(&body).map_err(|error| Box::new(not_leads(error)))?;
    let outcomes = leads::receive(&web.ctx, sender, posted).await;
    let outcomes = outcomes.map_err(|error| Box::new(oauth::store_failed(&error)))?;
    if let Some(why) = Refused::among(&outcomes) {
        refused(route::LEAD_INSERT, &why, None);
    }
    let answers: Vec<PostResponse> = outcomes.iter().map(PostResponse::from).collect();
    Ok(oauth::json(StatusCode::OK, &answers))
}

fn not_leads(error: PostError) -> Response {
    let invalid = Invalid::request(error.description());
    match error {
        PostError::TooMany => oauth::with_status(StatusCode::PAYLOAD_TOO_LARGE, invalid),
        _ => oauth::invalid(invalid),
    }
}

/// Whoever an API key, or else an access token, stands for.
async fn sender(
    web: &Web,
    method: &Method,
    headers: &HeaderMap,
    from: Option<IpAddr>,
) -> Result<Sender, Box<Response>> {
    let mut keys = headers.get_all(API_KEY).iter();
    let Some(key) = keys.next() else {
        let access = Access { method, path: route::LEAD_INSERT, headers, form: None };
        return authorized(web, route::LEAD_INSERT, access, Scope::LeadReceiver).await.map(Sender::with_token);
    };
    if keys.next().is_some() || Bearer::of(headers) != Bearer::None {
        return Err(Box::new(oauth::invalid(Invalid::request("Send one API key, or one access token."))));
    }
    of_api_key(web, headers, key, from).await
}

async fn of_api_key(
    web: &Web,
    headers: &HeaderMap,
    key: &HeaderValue,
    from: Option<IpAddr>,
) -> Result<Sender, Box<Response>> {
    // Looked up whatever was refused before: behind a proxy everybody comes from one address, and 128 bits are not guessed.
    let found = match key.to_str() {
        Ok(key) => accounts::of_api_key(&web.ctx, key).await.map_err(|error| Box::new(oauth::store_failed(&error)))?,
        Err(_) => None,
    };
    let Some(account) = found else {
        web.ctx.throttle.refusal(from, COUNTED_AS).map_err(|span| {
            refused(route::LEAD_INSERT, &span, None);
            Box::new(oauth::too_many(span))
        })?;
        refused(route::LEAD_INSERT, &UnknownKey, None);
        let invalid = Invalid::new(ErrorCode::InvalidToken, "The API key is unknown");
        return Err(Box::new(bearer::failed(StatusCode::UNAUTHORIZED, headers, invalid)));
    };
    Ok(Sender::with_api_key(account))
}
