//! `/admin/events`: what happened, by whom, from where. The changes of it are the audit log.

use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use uuid::Uuid;

use super::super::Web;
use super::super::event_object::EventObject;
use super::super::urls::route;
use super::list;
use super::visit::{Answer, Stop, Visit};
use crate::domain::event::{Action, Actor, Event, Target, TargetKind};
use crate::domain::ids::EventId;
use crate::domain::timestamp::Timestamp;
use crate::services::audit::{self, Wanted};
use crate::views::messages::done;
use crate::views::{AdminPart, Choice, EventChange, EventRow, FormField, Tab};

/// How many an object's own page shows.
const NEWEST: i64 = 10;
/// How many a file has at most.
const MAX_EXPORTED: usize = 10_000;

pub fn routes() -> Router<Arc<Web>> {
    Router::new().route(route::ADMIN_EVENTS, get(show))
}

async fn show(visit: Visit) -> Answer {
    let wanted = wanted(&visit);
    let text = visit.text();
    let path = visit.path(route::ADMIN_EVENTS);
    let mut filter = list::filter(&visit, &path, fields(&visit));
    // A filter that is not understood is not one that lets everything through.
    if wanted.since.is_none() && !visit.asked("since").trim().is_empty() {
        filter.refuse("since", text.since_wrong);
    }
    if wanted.action.is_none() && !visit.asked("action").is_empty() {
        filter.refuse("action", text.action_wrong);
    }
    if filter.is_refused() {
        let mut view = visit.draw(text.events);
        view.parts = vec![AdminPart::Filter(filter)];
        return visit.show_as(StatusCode::UNPROCESSABLE_ENTITY, &view);
    }
    if visit.asked("format") == "jsonl" {
        return export(&visit, wanted).await;
    }
    let found = audit::list(&visit.web.ctx, wanted, list::READ).await.map_err(|error| visit.failed(&error))?;
    let (found, pager) = list::page(&visit, &path, found, |event| event.id.to_string());
    let mut view = visit.draw(text.events);
    view.lead = Some(text.events_text.to_owned());
    view.links = vec![Tab::new(text.as_json_lines, list::address(&visit, &path, &[("format", "jsonl")]), false)];
    view.parts = vec![AdminPart::Filter(filter), rows(&visit, &found), pager];
    visit.show(&view)
}

fn fields(visit: &Visit) -> Vec<FormField> {
    let text = visit.text();
    let mut actions = vec![Choice::new("", text.any, true)];
    let label = |action: Action| format!("{} ({})", done(visit.page.lang, action), action.as_str());
    actions.extend(Action::ALL.iter().map(|action| Choice::new(action.as_str(), label(*action), false)));
    vec![
        FormField::select("action", text.what, actions),
        FormField::text("actor", text.who).hint(text.who_hint).max_length(254),
        FormField::text("target", text.on).hint(text.on_hint).max_length(254),
        FormField::text("since", text.since).hint(text.since_hint).max_length(20),
        FormField::check("changes", text.changes_only, false),
    ]
}

fn wanted(visit: &Visit) -> Wanted {
    let given = |name| Some(list::looked_for(visit, name)).filter(|text| !text.is_empty());
    Wanted {
        action: Action::parse(visit.asked("action")),
        actor: given("actor"),
        target: given("target"),
        since: given("since").and_then(|text| since(&text)),
        before: Uuid::parse_str(visit.asked("after")).ok().map(EventId),
        changes_only: !visit.asked("changes").is_empty(),
        kind: None,
    }
}

/// A day, or a moment, of UTC.
fn since(text: &str) -> Option<Timestamp> {
    Timestamp::parse_rfc3339(text).or_else(|| Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z")))
}

/// What is known of one thing, newest first, and the way to the rest.
pub async fn newest_of(visit: &Visit, kind: TargetKind, id: &str) -> Result<AdminPart, Stop> {
    let found = audit::of_target(&visit.web.ctx, kind, id, NEWEST).await.map_err(|error| visit.failed(&error))?;
    Ok(rows(visit, &found))
}

fn rows(visit: &Visit, events: &[Event]) -> AdminPart {
    if events.is_empty() {
        return AdminPart::Nothing(visit.text().nothing.to_owned());
    }
    AdminPart::Events(events.iter().map(|event| row(visit, event)).collect())
}

fn row(visit: &Visit, event: &Event) -> EventRow {
    let changes = event.changes.iter().cloned();
    EventRow {
        at: event.at.to_rfc3339(),
        action: done(visit.page.lang, event.action),
        code: event.action.as_str(),
        actor: actor(visit, &event.actor),
        from: event.from.map(|address| address.to_string()),
        target: Some(event.target.name.clone())
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| event.target.id.clone()),
        address: address(visit, &event.target),
        changes: changes
            .map(|change| EventChange { field: change.field, before: change.before, after: change.after })
            .collect(),
    }
}

fn actor(visit: &Visit, actor: &Actor) -> String {
    let text = visit.text();
    let kind = match actor {
        Actor::User { email, .. } => return email.to_string(),
        Actor::Anybody => text.anybody,
        Actor::CommandLine { .. } => text.command_line,
        Actor::ControlPlane => text.control_plane,
        Actor::Client { .. } => text.client,
        Actor::Server => text.server,
    };
    let name = actor.name();
    if name.is_empty() { kind.to_owned() } else { format!("{kind}: {name}") }
}

/// Where the thing is, if it still is.
fn address(visit: &Visit, target: &Target) -> Option<String> {
    let route = match target.kind {
        TargetKind::Account => route::ADMIN_ACCOUNT,
        TargetKind::App => route::ADMIN_APP,
        TargetKind::User => route::ADMIN_USER,
        TargetKind::Keys => return Some(visit.path(route::ADMIN_KEYS)),
        _ => return None,
    };
    (!target.id.is_empty()).then(|| visit.at(route, &target.id))
}

/// One JSON object a line. Where there is more, the last line says so.
async fn export(visit: &Visit, wanted: Wanted) -> Answer {
    let limit = i64::try_from(MAX_EXPORTED + 1).unwrap_or(i64::MAX);
    let mut found = audit::list(&visit.web.ctx, wanted, limit).await.map_err(|error| visit.failed(&error))?;
    let is_cut = found.len() > MAX_EXPORTED;
    found.truncate(MAX_EXPORTED);
    let last = found.last().map(|event| event.id.to_string());
    let mut lines = String::new();
    let objects = found.into_iter().map(|event| serde_json::to_string(&EventObject::from(event)));
    for line in objects {
        lines.push_str(&line.map_err(|error| visit.broke(&error))?);
        lines.push('\n');
    }
    if let Some(last) = last.filter(|_| is_cut) {
        lines.push_str(&serde_json::json!({ "cut_after": MAX_EXPORTED, "next": last }).to_string());
        lines.push('\n');
    }
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"leadgate-events.jsonl\""),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, lines).into_response())
}
