//! `/admin/leads`: what the lead receiver took.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use uuid::Uuid;

use super::super::Web;
use super::super::urls::route;
use super::list;
use super::visit::{Answer, Stop, Visit};
use crate::domain::field_value;
use crate::domain::ids::{AccountId, AppId, LeadId, MAX_TEXT_ID};
use crate::domain::lead::{self, Lead};
use crate::services::leads::{self, Filter, LeadError};
use crate::views::{AdminPart, Cell, Fact, FormField, Table};

/// Digits of the longest `lid`.
const MAX_LID: usize = 10;

pub fn routes() -> Router<Arc<Web>> {
    Router::new().route(route::ADMIN_LEADS, get(show_all)).route(route::ADMIN_LEAD, get(show))
}

/// What the list is narrowed by; `None`: by what nothing can have.
fn wanted(visit: &Visit) -> Option<Filter> {
    let asked = |name: &str| Some(visit.asked(name).trim()).filter(|text| !text.is_empty());
    Some(Filter {
        account: asked("account").map(AccountId::parse).transpose().ok()?,
        app: asked("app").map(AppId::parse).transpose().ok()?,
        lead_type: match asked("type") {
            Some(text) => Some(lead::lead_type(text)?),
            None => None,
        },
    })
}

async fn show_all(visit: Visit) -> Answer {
    let text = visit.text();
    let path = visit.path(route::ADMIN_LEADS);
    let before = Uuid::parse_str(visit.asked("after")).ok().map(LeadId);
    let found = match wanted(&visit) {
        Some(filter) => leads::list(&visit.web.ctx, filter, before, list::READ).await,
        None => Ok(Vec::new()),
    };
    let found = found.map_err(|error| visit.failed(&error))?;
    let (found, pager) = list::page(&visit, &path, found, |lead| lead.id.to_string());
    let fields = vec![
        FormField::text("account", text.account_id).max_length(MAX_TEXT_ID),
        FormField::text("app", text.app_id).max_length(MAX_TEXT_ID),
        FormField::text("type", text.lead_type).max_length(MAX_LID),
    ];
    let table = Table {
        caption: text.leads.to_owned(),
        columns: [text.lead, text.account, text.lead_type, text.lead_source, text.app, text.received]
            .map(str::to_owned)
            .into(),
        rows: found.iter().map(|lead| row(&visit, lead)).collect(),
    };
    let mut view = visit.draw(text.leads);
    view.lead = Some(text.leads_text.to_owned());
    view.parts = vec![AdminPart::Filter(list::filter(&visit, &path, fields)), list::table(&visit, table), pager];
    visit.show(&view)
}

fn row(visit: &Visit, lead: &Lead) -> Vec<Cell> {
    vec![
        Cell::link(lead.number.to_string(), visit.at(route::ADMIN_LEAD, lead.id)),
        Cell::link(lead.account.as_str(), visit.at(route::ADMIN_ACCOUNT, &lead.account)),
        Cell::code(lead.lead_type.to_string()),
        Cell::code(lead.source.to_string()),
        app(visit, lead),
        Cell::Time(lead.received_at.to_rfc3339()),
    ]
}

/// What it came with.
fn app(visit: &Visit, lead: &Lead) -> Cell {
    match &lead.app {
        Some(app) => Cell::link(app.as_str(), visit.at(route::ADMIN_APP, app)),
        None => Cell::text(visit.text().api_key),
    }
}

async fn show(visit: Visit, Path(id): Path<String>) -> Answer {
    let text = visit.text();
    let lead = find(&visit, &id).await?;
    let properties = &lead.properties;
    let mut facts = vec![
        Fact::code(text.id, lead.id.to_string()),
        Fact::code(text.account_id, lead.account.as_str()),
        Fact::code(text.lead_type, lead.lead_type.to_string()),
        Fact::code(text.lead_source, lead.source.to_string()),
        Fact::new(text.received, visit.page.readable_time(&lead.received_at.to_rfc3339())),
    ];
    facts.extend(lead.campaign.map(|aid| Fact::code(text.campaign, aid.to_string())));
    facts.extend(lead.app.as_ref().map(|app| Fact::code(text.app_id, app.as_str())));
    // As they were posted, by the names that they were posted under.
    facts.extend(properties.reference.as_ref().map(|reference| Fact::new("reference", reference)));
    facts.extend(properties.no_sell.then(|| Fact::code("noSell", "true")));
    facts.extend(properties.send_delay.map(|delay| Fact::code("sendDelay", delay.to_string())));
    facts.extend(properties.return_url.as_ref().map(|address| Fact::code("returnURL", address)));
    let row =
        |(name, value): (&String, &serde_json::Value)| vec![Cell::code(name), Cell::text(field_value::text(value))];
    let fields = Table {
        caption: text.lead_fields.to_owned(),
        columns: [text.name, text.value].map(str::to_owned).into(),
        rows: lead.fields.iter().map(row).collect(),
    };
    let mut view = visit.draw(text.lead_called.with(&lead.number.to_string()));
    view.parts =
        vec![AdminPart::Facts(facts), AdminPart::Heading(text.lead_fields.to_owned()), list::table(&visit, fields)];
    visit.show(&view)
}

async fn find(visit: &Visit, id: &str) -> Result<Lead, Stop> {
    let id = Uuid::parse_str(id).map(LeadId).map_err(|_| visit.nothing_here())?;
    leads::find(&visit.web.ctx, id).await.map_err(|error| match error {
        LeadError::Unknown => visit.nothing_here(),
        LeadError::Store(error) => visit.failed(&error),
    })
}
