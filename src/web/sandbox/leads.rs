//! Leads that the lead receiver took.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::super::Web;
use super::super::error::problem::{Problem, sentence};
use super::super::urls::route;
use super::auth::Operator;
use super::query::{Id, Query};
use super::values::{self, Given, no_such_page, ok, page};
use crate::domain::ids::{AccountId, AppId, LeadId};
use crate::domain::lead::Lead;
use crate::services::leads::{self, Filter, LeadError};

pub fn routes() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::default().routes(routes!(list, delete)).routes(routes!(show))
}

/// A lead, as it was posted.
#[derive(Serialize, ToSchema)]
struct LeadObject {
    #[schema(value_type = Uuid)]
    id: LeadId,
    /// What its sender got as `LeadIdentifier`: counted within the account.
    number: i64,
    /// Whose it is.
    #[schema(example = "acme")]
    account: String,
    /// Its `lid`.
    #[schema(example = 4204)]
    lead_type: i64,
    /// Its lead source.
    #[schema(example = 1041)]
    vid: i64,
    /// Its campaign; null: none was named.
    aid: Option<i64>,
    /// Whose token it came with; null: it came with an API key.
    app: Option<String>,
    /// By the clock of that application, or the server's.
    #[schema(format = DateTime)]
    received_at: String,
    reference: Option<String>,
    no_sell: bool,
    /// In hours. Nothing waits for it.
    send_delay: Option<f64>,
    /// Nothing is ever sent there.
    return_url: Option<String>,
    #[schema(value_type = Object)]
    fields: Map<String, Value>,
}

impl From<Lead> for LeadObject {
    fn from(lead: Lead) -> Self {
        Self {
            id: lead.id,
            number: lead.number,
            account: lead.account.into(),
            lead_type: lead.lead_type,
            vid: lead.source,
            aid: lead.campaign,
            app: lead.app.map(Into::into),
            received_at: lead.received_at.to_rfc3339(),
            reference: lead.properties.reference,
            no_sell: lead.properties.no_sell,
            send_delay: lead.properties.send_delay,
            return_url: lead.properties.return_url,
            fields: lead.fields,
        }
    }
}

/// A page of leads, newest first.
#[derive(Serialize, ToSchema)]
struct LeadList {
    leads: Vec<LeadObject>,
    /// What `after` has to be for the next page; null: there is none.
    next: Option<String>,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct LeadQuery {
    /// Only those of this account.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    account: Option<Given<AccountId>>,
    /// Only those that came with a token of this application.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    app: Option<Given<AppId>>,
    /// Only those of this type: their `lid`.
    #[serde(default)]
    #[param(value_type = Option<i64>, minimum = 0, maximum = 4294967295_i64)]
    lead_type: Option<u32>,
    /// How many at most. Of large ones fewer are shown: at most 8 MiB.
    #[serde(default = "values::default_page")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: i64,
    /// Those after this one, which are older: the `next` of the page before.
    #[serde(default)]
    after: Option<String>,
}

/// Which leads are deleted.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Deleted {
    /// Only those of this account.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    account: Option<Given<AccountId>>,
    /// Only those that came with a token of this application.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    app: Option<Given<AppId>>,
    /// Only those of this type: their `lid`.
    #[serde(default)]
    #[param(value_type = Option<i64>, minimum = 0, maximum = 4294967295_i64)]
    lead_type: Option<u32>,
}

/// How many were deleted.
#[derive(Serialize, ToSchema)]
struct DeletedLeads {
    deleted: u64,
}

fn filter(account: Option<Given<AccountId>>, app: Option<Given<AppId>>, lead_type: Option<u32>) -> Filter {
    Filter {
        account: account.map(|Given(account)| account),
        app: app.map(|Given(app)| app),
        lead_type: lead_type.map(i64::from),
    }
}

/// List leads
///
/// Those that were taken, of each account, as they were posted.
#[utoipa::path(
    get,
    path = route::SANDBOX_LEADS,
    tag = "leads",
    operation_id = "listLeads",
    params(LeadQuery),
    responses((status = 200, description = "A page of them, newest first.", body = LeadList)),
)]
async fn list(State(web): State<Arc<Web>>, Query(query): Query<LeadQuery>) -> Result<Response, Problem> {
    page(query.limit)?;
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let after = match query.after {
        Some(after) => Some(find(&web, &after).await.map_err(|problem| problem.or(no_such_page))?.id),
        None => None,
    };
    let which = filter(query.account, query.app, query.lead_type);
    let (found, has_more) = leads::page(&web.ctx, which, after, limit).await?;
    let next = found.last().filter(|_| has_more).map(|lead| lead.id.to_string());
    Ok(ok(&LeadList { leads: found.into_iter().map(LeadObject::from).collect(), next }))
}

/// Delete leads
///
/// All, or those of an account, an application or a type. What is unique may come again.
#[utoipa::path(
    delete,
    path = route::SANDBOX_LEADS,
    tag = "leads",
    operation_id = "deleteLeads",
    params(Deleted),
    responses((status = 200, description = "How many that were.", body = DeletedLeads)),
)]
async fn delete(
    State(web): State<Arc<Web>>,
    Operator(by): Operator,
    Query(query): Query<Deleted>,
) -> Result<Response, Problem> {
    let which = filter(query.account, query.app, query.lead_type);
    let deleted = leads::delete(&web.ctx.acting(by), which).await?;
    Ok(ok(&DeletedLeads { deleted }))
}

/// Show a lead
///
/// As it was posted.
#[utoipa::path(
    get,
    path = route::SANDBOX_LEAD,
    tag = "leads",
    operation_id = "showLead",
    params(("id" = String, Path, description = "Its id: the `PostID` that its sender got.")),
    responses(
        (status = 200, description = "The lead.", body = LeadObject),
        (status = 404, description = "There is no such lead.", body = Problem),
    ),
)]
async fn show(State(web): State<Arc<Web>>, Id(id): Id) -> Result<Response, Problem> {
    Ok(ok(&LeadObject::from(find(&web, &id).await?)))
}

async fn find(web: &Web, id: &str) -> Result<Lead, Problem> {
    let id = Uuid::parse_str(id).map(LeadId).map_err(|_| explain(LeadError::Unknown))?;
    leads::find(&web.ctx, id).await.map_err(explain)
}

fn explain(error: LeadError) -> Problem {
    let detail = sentence(&error.to_string());
    match error {
        LeadError::Unknown => Problem::not_found(detail),
        LeadError::Store(error) => error.into(),
    }
}
