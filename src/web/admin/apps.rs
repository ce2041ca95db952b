//! `/admin/apps`: every partner's applications.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::routing::{MethodRouter, get};

use super::super::Web;
use super::super::forms::field;
use super::super::urls::route;
use super::users::{asked_state, state_cell, state_choices};
use super::visit::{Answer, Posted, Stop, Visit};
use super::{events, list};
use crate::domain::app::{App, AppState};
use crate::domain::email::Email;
use crate::domain::event::{Action, TargetKind};
use crate::domain::ids::AppId;
use crate::domain::usage::UsageKind;
use crate::services::partner::{self, PartnerError, Search};
use crate::services::{administration, usage, users};
use crate::store::StoreError;
use crate::views::messages::AdminTexts;
use crate::views::{ActionLink, AdminPart, Cell, Chart, Confirmation, Fact, Form, FormField, Tab, Table};

/// Buttons that an application's page shows at most.
const SHOWN: i64 = 50;

pub fn routes() -> Router<Arc<Web>> {
    Router::new()
        .route(route::ADMIN_APPS, get(show_all))
        .route(route::ADMIN_APP, get(show))
        .route(route::ADMIN_APP_OWNER, get(ask_owner).post(set_owner))
        .route(route::ADMIN_APP_DISABLE, question(Deed::Disable))
        .route(route::ADMIN_APP_ENABLE, question(Deed::Enable))
        .route(route::ADMIN_APP_DELETE, question(Deed::Delete))
}

async fn find(visit: &Visit, id: &str) -> Result<App, Stop> {
    let id = AppId::parse(id).map_err(|_| visit.nothing_here())?;
    partner::find_app(&visit.web.ctx, &id).await.map_err(|error| stopped(visit, error))
}

fn stopped(visit: &Visit, error: PartnerError) -> Stop {
    match error {
        PartnerError::UnknownApp => visit.nothing_here(),
        PartnerError::Store(error) => visit.failed(&error),
        other => visit.broke(&other),
    }
}

/// The owner's e-mail address; empty where there is none.
async fn owner_of(visit: &Visit, app: &App) -> Result<String, Stop> {
    let Some(owner) = app.owner else { return Ok(String::new()) };
    match users::find_by_id(&visit.web.ctx, owner).await {
        Ok(user) => Ok(user.email.to_string()),
        Err(users::UserError::Store(error)) => Err(visit.failed(&error)),
        // Deleted in this moment: from then on nobody is the owner.
        Err(_) => Ok(String::new()),
    }
}

async fn show_all(visit: Visit) -> Answer {
    let text = visit.text();
    let path = visit.path(route::ADMIN_APPS);
    let search = Search {
        text: list::looked_for(&visit, "q"),
        is_disabled: asked_state(&visit),
        before: AppId::parse(visit.asked("after")).ok(),
    };
    let found = partner::search_apps(&visit.web.ctx, search, list::READ).await.map_err(|error| visit.failed(&error))?;
    let (found, pager) = list::page(&visit, &path, found, |app| app.id.to_string());
    let mut rows = Vec::with_capacity(found.len());
    for app in &found {
        let address = Some(visit.at(route::ADMIN_APP, &app.id));
        let owner = owner_of(&visit, app).await?;
        rows.push(vec![
            Cell::Two { text: app.name.clone(), more: app.id.to_string(), address },
            Cell::text(app.publisher.as_str()),
            if owner.is_empty() { Cell::Empty } else { Cell::text(owner) },
            state_cell(&visit, app.is_active()),
            Cell::Time(app.created_at.to_rfc3339()),
        ]);
    }
    let table = Table {
        caption: text.apps.to_owned(),
        columns: [text.app, text.publisher, text.owner, text.state, text.since].map(str::to_owned).into(),
        rows,
    };
    let fields = vec![
        FormField::text("q", text.find_app).max_length(200),
        FormField::select("state", text.state, state_choices(&visit)),
    ];
    let mut view = visit.draw(text.apps);
    view.parts = vec![AdminPart::Filter(list::filter(&visit, &path, fields)), list::table(&visit, table), pager];
    visit.show(&view)
}

async fn show(visit: Visit, Path(id): Path<String>) -> Answer {
    let text = visit.text();
    let app = find(&visit, &id).await?;
    let ctx = &visit.web.ctx;
    let failed = |error: StoreError| visit.failed(&error);
    let owner = owner_of(&visit, &app).await?;
    let connections = administration::connections_of(ctx, &app.id).await.map_err(failed)?;
    let charts = usage::of_app(ctx, &app.id).await.map_err(failed)?.into_iter().map(|series| chart(&visit, series));
    let log = events::newest_of(&visit, TargetKind::App, app.id.as_str()).await?;
    let mut view = visit.draw(app.name.as_str());
    let all = list::narrowed(&visit.path(route::ADMIN_CONNECTIONS), [("app", app.id.as_str())]);
    view.links = vec![Tab::new(text.connections_of_app.with(&connections.to_string()), all, false)];
    view.parts = vec![
        AdminPart::Facts(facts(&visit, &app, owner)),
        AdminPart::Heading(text.usage.to_owned()),
        AdminPart::Charts(charts.collect()),
        AdminPart::Heading(text.buttons.to_owned()),
        buttons(&visit, &app).await?,
        AdminPart::Heading(text.last_events.to_owned()),
        log,
        AdminPart::Actions(actions(&visit, &app)),
    ];
    visit.show(&view)
}

fn facts(visit: &Visit, app: &App, owner: String) -> Vec<Fact> {
    let text = visit.text();
    let state = match app.state {
        AppState::Active => text.active.to_owned(),
        AppState::Disabled { since } => text.disabled_since.with(&visit.page.readable_time(&since.to_rfc3339())),
    };
    let joined = |words: Vec<&str>| words.join(" ");
    let mut facts = vec![
        Fact::code(text.id, app.id.as_str()),
        Fact::new(text.state, state),
        Fact::new(text.owner, if owner.is_empty() { text.nobody.to_owned() } else { owner }),
        Fact::new(text.publisher, app.publisher.as_str()),
        Fact::code(text.auth_method, app.auth_method.as_str()),
        Fact::code(text.grants, joined(app.grant_types.iter().map(|grant| grant.short_name()).collect())),
        Fact::code(text.scopes, app.scopes.to_string()),
    ];
    if !app.redirect_uris.is_empty() {
        let uris = app.redirect_uris.iter().map(|uri| uri.as_str()).collect();
        facts.push(Fact::code(text.redirect_uris, joined(uris)));
    }
    facts.push(Fact::new(text.since, visit.page.readable_time(&app.created_at.to_rfc3339())));
    facts
}

fn chart(visit: &Visit, series: usage::Series) -> Chart {
    let text = visit.text();
    let days = series.days.iter().map(|(day, count)| (day.to_date(), *count));
    match series.kind {
        UsageKind::Connections => Chart::new("connections", text.connections, days),
        UsageKind::Refreshes => Chart::new("refreshes", text.refreshes, days),
        UsageKind::Errors => Chart::new("errors", text.errors, days).bad(),
    }
}

async fn buttons(visit: &Visit, app: &App) -> Result<AdminPart, Stop> {
    let text = visit.text();
    let found = partner::list_buttons(&visit.web.ctx, Some(app.id.clone()), None, SHOWN).await;
    let found = found.map_err(|error| stopped(visit, error))?;
    let row = |button: &crate::domain::button::Button| {
        let origins = button.origins.iter().map(|origin| origin.as_str()).collect::<Vec<_>>().join(" ");
        vec![Cell::code(button.id.as_str()), if origins.is_empty() { Cell::Empty } else { Cell::code(origins) }]
    };
    let table = Table {
        caption: text.buttons.to_owned(),
        columns: [text.id, text.origins].map(str::to_owned).into(),
        rows: found.iter().map(row).collect(),
    };
    Ok(list::table(visit, table))
}

fn actions(visit: &Visit, app: &App) -> Vec<ActionLink> {
    let text = visit.text();
    let owner = ActionLink {
        title: text.change_owner.to_owned(),
        label: text.change_owner.to_owned(),
        text: text.change_owner_text.to_owned(),
        address: visit.at(route::ADMIN_APP_OWNER, &app.id),
        is_dangerous: false,
    };
    let state = if app.is_active() { Deed::Disable } else { Deed::Enable };
    vec![owner, state.link(visit, app), Deed::Delete.link(visit, app)]
}

fn owner_form(visit: &Visit, app: &App, owner: &str) -> Form {
    let text = visit.text();
    visit
        .form(visit.at(route::ADMIN_APP_OWNER, &app.id), text.save)
        .with(FormField::email("owner", text.email).autocomplete("off").hint(text.owner_hint).value(owner))
        .back_to(visit.at(route::ADMIN_APP, &app.id))
}

async fn ask_owner(visit: Visit, Path(id): Path<String>) -> Answer {
    let app = find(&visit, &id).await?;
    let form = owner_form(&visit, &app, &owner_of(&visit, &app).await?);
    visit.ask(&app.name, Some(visit.text().change_owner_text), form)
}

async fn set_owner(Path(id): Path<String>, Posted { visit, form: given }: Posted) -> Answer {
    let text = visit.text();
    let app = find(&visit, &id).await?;
    let mut form = owner_form(&visit, &app, "");
    form.fill(&given);
    let owner = match field(&given, "owner").trim() {
        "" => Ok(None),
        email => Email::parse(email).map(Some),
    };
    match owner {
        Err(_) => form.refuse("owner", text.email_wrong),
        Ok(owner) => match partner::set_owner(&visit.acting(), &app.id, owner).await {
            Ok(()) => return visit.done(Action::AppChanged, &visit.at(route::ADMIN_APP, &app.id)),
            Err(PartnerError::UnknownOwner) => form.refuse("owner", text.user_unknown),
            Err(other) => return Err(stopped(&visit, other)),
        },
    }
    visit.ask(&app.name, Some(text.change_owner_text), form)
}

/// What can be done with an application, once a page has asked whether it should be.
#[derive(Clone, Copy)]
enum Deed {
    Disable,
    Enable,
    Delete,
}

impl Deed {
    const fn route(self) -> &'static str {
        match self {
            Self::Disable => route::ADMIN_APP_DISABLE,
            Self::Enable => route::ADMIN_APP_ENABLE,
            Self::Delete => route::ADMIN_APP_DELETE,
        }
    }

    /// The question, what it comes to, and the button.
    const fn words(self, text: &AdminTexts) -> [&'static str; 3] {
        match self {
            Self::Disable => [text.disable_app, text.disable_app_text, text.disable],
            Self::Enable => [text.enable_app, text.enable_app_text, text.enable],
            Self::Delete => [text.delete_app, text.delete_app_text, text.delete],
        }
    }

    const fn is_dangerous(self) -> bool {
        !matches!(self, Self::Enable)
    }

    fn link(self, visit: &Visit, app: &App) -> ActionLink {
        let [title, text, label] = self.words(visit.text());
        ActionLink {
            title: title.to_owned(),
            label: label.to_owned(),
            text: text.to_owned(),
            address: visit.at(self.route(), &app.id),
            is_dangerous: self.is_dangerous(),
        }
    }
}

/// The page that asks, and what its button does.
fn question(deed: Deed) -> MethodRouter<Arc<Web>> {
    let ask = move |visit: Visit, Path(id): Path<String>| async move {
        let app = find(&visit, &id).await?;
        visit.confirm(confirmation(&visit, &app, deed).await?)
    };
    get(ask).post(move |Path(id): Path<String>, Posted { visit, .. }: Posted| async move {
        let app = find(&visit, &id).await?;
        act(&visit, &app, deed).await
    })
}

async fn confirmation(visit: &Visit, app: &App, deed: Deed) -> Result<Confirmation, Stop> {
    let text = visit.text();
    let connections = administration::connections_of(&visit.web.ctx, &app.id).await;
    let connections = connections.map_err(|error| visit.failed(&error))?;
    let [title, what, submit] = deed.words(text);
    let ends = match deed {
        Deed::Enable => Vec::new(),
        Deed::Disable => vec![text.connections_number.with(&connections.to_string())],
        Deed::Delete => vec![text.connections_number.with(&connections.to_string()), text.buttons.to_owned()],
    };
    let mut form = visit.form(visit.at(deed.route(), &app.id), submit).back_to(visit.at(route::ADMIN_APP, &app.id));
    form.is_dangerous = deed.is_dangerous();
    Ok(Confirmation { title: format!("{title}: {}", app.name), text: what.to_owned(), ends, form })
}

async fn act(visit: &Visit, app: &App, deed: Deed) -> Answer {
    let acting = visit.acting();
    let (done, action, back) = match deed {
        Deed::Disable => (partner::disable_app(&acting, &app.id).await, Action::AppDisabled, route::ADMIN_APP),
        Deed::Enable => (partner::enable_app(&acting, &app.id).await, Action::AppEnabled, route::ADMIN_APP),
        Deed::Delete => (partner::delete_app(&acting, &app.id).await, Action::AppDeleted, route::ADMIN_APPS),
    };
    done.map_err(|error| stopped(visit, error))?;
    visit.done(action, &visit.at(back, &app.id))
}
