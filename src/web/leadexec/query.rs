//! The data query: which leads of a type an account received.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use axum::routing::post;
use serde_json::{Value, json};

use super::super::Web;
use super::super::bearer::{Access, authorized, failed};
use super::super::error::{oauth, refused, retry_after_header};
use super::super::urls::route;
use crate::domain::ids::AccountId;
use crate::domain::lead::{self, Lead};
use crate::domain::lead_query::LeadQuery;
use crate::domain::scope::Scope;
use crate::services::leads::{self, PATIENCE, QueryFailure, Sender};
use crate::services::oauth::error::{ErrorCode, Invalid};

const TOO_LARGE: &str = "The body is larger than 64 KiB.";

pub fn routes() -> Router<Arc<Web>> {
    let other = async || oauth::method_not_allowed("POST");
    Router::new().route(route::LEAD_QUERY, post(query).fallback(other))
}

async fn query(
    State(web): State<Arc<Web>>,
    Path(lead_type): Path<String>,
    method: Method,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let account = match account(&web, &lead_type, &method, &headers).await {
        Ok(account) => account,
        Err(answer) => return *answer,
    };
    match find(&web, &account, &lead_type, &headers, body).await {
        Ok(answer) => answer,
        Err(answer) => *answer,
    }
}

/// Whose leads they are.
async fn account(web: &Web, lead_type: &str, method: &Method, headers: &HeaderMap) -> Result<AccountId, Box<Response>> {
    let path = route::LEAD_QUERY.replace("{lead_type}", lead_type);
    let access = Access { method, path: &path, headers, form: None };
    let token = authorized(web, route::LEAD_QUERY, access, Scope::DataApi).await?;
    Sender::with_token(token).account.ok_or_else(|| {
        let invalid = Invalid::new(ErrorCode::AccessDenied, "The application's owner belongs to no account");
        Box::new(failed(StatusCode::FORBIDDEN, headers, invalid))
    })
}

async fn find(
    web: &Web,
    account: &AccountId,
    lead_type: &str,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Box<Response>> {
    let bad = |description| Box::new(oauth::invalid(Invalid::request(description)));
    let Some(lead_type) = lead::lead_type(lead_type) else {
        return Err(bad("LeadTypeUID, in the path, is no whole number from 1."));
    };
    let body = super::json(headers, body, TOO_LARGE)?;
    let query = LeadQuery::read(&body).map_err(|error| bad(error.description()))?;
    match leads::query(&web.ctx, account, lead_type, query).await {
        Ok(found) => {
            let leads: Vec<Value> = found.leads.iter().map(shown).collect();
            Ok(oauth::json(StatusCode::OK, &json!({"Total": found.total, "Leads": leads})))
        }
        Err(why @ QueryFailure::TooMany) => {
            refused(route::LEAD_QUERY, &why, None);
            Err(bad(
                "More than 100000 leads would have to be looked into. Bring StartDate and EndDate closer together.",
            ))
        }
        Err(why @ QueryFailure::TooLarge) => {
            refused(route::LEAD_QUERY, &why, None);
            Err(bad(
                "The answer would be larger than 8 MiB. Ask for fewer leads with Take, or for some of their Fields.",
            ))
        }
        Err(why @ QueryFailure::Busy) => {
            refused(route::LEAD_QUERY, &why, None);
            let busy = Invalid::new(ErrorCode::TemporarilyUnavailable, "Too many searches are running. Try again.");
            Err(Box::new(retry_after_header(oauth::with_status(StatusCode::SERVICE_UNAVAILABLE, busy), PATIENCE)))
        }
        Err(QueryFailure::Store(error)) => Err(Box::new(oauth::store_failed(&error))),
    }
}

/// By the names that it was posted with.
fn shown(lead: &Lead) -> Value {
    let properties = &lead.properties;
    json!({
        "UID": lead.id,
        "Properties": {
            "leadIdentifier": lead.number,
            "receivedDate": lead.received_at.to_rfc3339_millis(),
            "vid": lead.source,
            "lid": lead.lead_type,
            "aid": lead.campaign,
            "reference": properties.reference,
            "noSell": properties.no_sell,
            "sendDelay": properties.send_delay,
            "returnURL": properties.return_url,
        },
        "Fields": lead.fields,
    })
}
