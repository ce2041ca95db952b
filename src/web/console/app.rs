//! One application: what there is to say of it, its settings, its usage, its end.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;

use super::{Answer, Body, Partner, Visit, app_form, head};
use crate::domain::app::App;
use crate::domain::auth_method::AuthMethod;
use crate::domain::button::Button;
use crate::domain::event::{Actor, Event};
use crate::domain::usage::UsageKind;
use crate::services::console::{self, ConsoleError, Overview};
use crate::services::usage::Series;
use crate::views::messages::done;
use crate::views::{
    ButtonRow, Cell, Chart, Confirmation, ConsoleApp, ConsoleConfirm, ConsoleForm, ConsoleSecret, ConsoleUsage, Fact,
    Form, FormField, Notice, Shown, Table,
};
use crate::web::forms::{field, see_other};
use crate::web::urls::route;

pub async fn show(visit: Visit, Path(id): Path<String>) -> Answer {
    let partner = visit.partner().await?;
    let overview = console::overview(&partner.web().ctx, partner.user(), &id).await;
    let overview = overview.map_err(|error| partner.failed(&error))?;
    Ok(overview_page(&partner, overview))
}

fn overview_page(partner: &Partner, overview: Overview) -> Response {
    let text = partner.text();
    let facts = facts(partner, &overview);
    let Overview { app, buttons, events, .. } = overview;
    let button = |button: Button| ButtonRow {
        address: partner.web().urls.filled(route::CONSOLE_BUTTON, button.id.as_str()),
        origins: button.origins.iter().map(ToString::to_string).collect(),
        id: button.id.into(),
    };
    partner.page(StatusCode::OK, |page| ConsoleApp {
        page,
        head: head(partner, &app, route::CONSOLE_APP),
        notice: partner.notice(&[("saved", text.app.saved), ("button-deleted", text.button.deleted)]),
        is_active: app.is_active(),
        logo: partner.web().urls.logo(&app),
        facts,
        buttons: buttons.into_iter().map(button).collect(),
        new_button: partner.app_page(route::CONSOLE_BUTTON_NEW, &app),
        events: event_table(partner, &events),
        delete: partner.app_page(route::CONSOLE_APP_DELETE, &app),
    })
}

fn facts(partner: &Partner, overview: &Overview) -> Vec<Fact> {
    let (text, app) = (partner.text(), &overview.app);
    let kind = match app.auth_method {
        AuthMethod::None => text.app.public,
        AuthMethod::PrivateKeyJwt => text.app.keyed,
        AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost => text.app.confidential,
    };
    let or_none = |list: String| if list.is_empty() { Fact::new("", text.app.none) } else { Fact::code("", list) };
    let named = |name: &str, fact: Fact| Fact { name: name.to_owned(), ..fact };
    let grants: Vec<_> = app.grant_types.iter().map(|grant| grant.short_name()).collect();
    let uris: Vec<_> = app.redirect_uris.iter().map(|uri| uri.as_str()).collect();
    let mut facts = vec![
        Fact::copyable("app-id", text.app_id, app.id.as_str()),
        Fact::new(text.app.users, text.connections_of(overview.connections)),
        Fact::new(text.app.client_type, kind),
        named(text.app.grants, or_none(grants.join(" "))),
        named(text.app.scopes, or_none(app.scopes.to_string())),
        named(text.app.redirect_uris, or_none(uris.join(" "))),
    ];
    facts.extend(app.homepage.as_ref().map(|homepage| Fact::code(text.app.homepage, homepage)));
    facts
}

fn event_table(partner: &Partner, events: &[Event]) -> Option<Table> {
    let text = &partner.text().app;
    let who = |actor: &Actor| match actor {
        Actor::User { id, email } if *id == partner.user().id => email.to_string(),
        // Who runs the place, and who had the application before, is not the partner's to know.
        _ => text.operator.to_owned(),
    };
    let row = |event: &Event| {
        vec![
            Cell::text(done(partner.lang(), event.action)),
            Cell::Time(event.at.to_rfc3339()),
            Cell::text(who(&event.actor)),
        ]
    };
    (!events.is_empty()).then(|| Table {
        caption: text.events.to_owned(),
        columns: [text.what, text.when, text.who].map(str::to_owned).into(),
        rows: events.iter().map(row).collect(),
    })
}

/// The page that shows a new secret once; where there is none, the way on.
pub fn made_page(partner: &Partner, app: &App, secret: Option<String>, sentence: &str) -> Response {
    let text = partner.text();
    let secrets = secret.map(|value| Shown { id: "client-secret", label: text.secret.label.to_owned(), value });
    partner.page(StatusCode::OK, |page| ConsoleSecret {
        page,
        head: head(partner, app, ""),
        notice: Some(Notice::good(sentence)),
        note: None,
        next_label: if secrets.is_some() { text.secret.go_on } else { text.app.overview }.to_owned(),
        secrets: secrets.into_iter().collect(),
        facts_title: text.app.overview.to_owned(),
        facts: vec![Fact::copyable("app-id", text.app_id, app.id.as_str())],
        next: partner.app_page(route::CONSOLE_APP, app),
    })
}

fn form(partner: &Partner, app: &App) -> Form {
    let (action, back) = (partner.app_page(route::CONSOLE_APP_EDIT, app), partner.app_page(route::CONSOLE_APP, app));
    app_form::form(partner, action, app, partner.text().form.save, back)
}

fn page(partner: &Partner, app: &App, form: Form) -> Response {
    let intro = partner.text().form.edit_intro;
    let head = head(partner, app, route::CONSOLE_APP_EDIT);
    partner.page(Partner::status_of(&form), |page| ConsoleForm::new(page, head, intro, form))
}

pub async fn ask(visit: Visit, Path(id): Path<String>) -> Answer {
    let partner = visit.partner().await?;
    let app = partner.app(&id).await?;
    let form = form(&partner, &app);
    Ok(page(&partner, &app, form))
}

pub async fn save(visit: Visit, Path(id): Path<String>, body: Body) -> Answer {
    let (partner, given) = visit.posted(body).await?;
    let before = partner.app(&id).await?;
    let mut form = form(&partner, &before);
    let Some(wanted) = app_form::read(&partner, &given, before.clone(), &mut form) else {
        return Ok(page(&partner, &before, form));
    };
    match console::edit_app(&partner.acting(), partner.user(), wanted).await {
        // It has a secret from now on.
        Ok((app, Some(secret))) => Ok(made_page(&partner, &app, Some(secret), partner.text().app.saved)),
        Ok((app, None)) => Ok(partner.go(&partner.app_page(route::CONSOLE_APP, &app), "saved")),
        Err(ConsoleError::Partner(error)) if app_form::refuse(&mut form, &error, &partner.text().form) => {
            Ok(page(&partner, &before, form))
        }
        Err(error) => Err(partner.failed(&error)),
    }
}

pub async fn usage(visit: Visit, Path(id): Path<String>) -> Answer {
    let partner = visit.partner().await?;
    let usage = console::usage(&partner.web().ctx, partner.user(), &id).await;
    let (app, series) = usage.map_err(|error| partner.failed(&error))?;
    Ok(partner.page(StatusCode::OK, |page| ConsoleUsage {
        page,
        head: head(&partner, &app, route::CONSOLE_APP_USAGE),
        charts: series.into_iter().map(|series| chart(&partner, series)).collect(),
    }))
}

fn chart(partner: &Partner, Series { kind, days }: Series) -> Chart {
    let days = days.into_iter().map(|(day, count)| (day.to_date(), count));
    let chart = Chart::new(kind.as_str(), partner.text().usage_of(kind), days);
    if kind == UsageKind::Errors { chart.bad() } else { chart }
}

/// What ends with an application, and its name to be typed.
fn confirmation(partner: &Partner, overview: &Overview) -> Confirmation {
    let (text, app) = (partner.text(), &overview.app);
    let buttons = i64::try_from(overview.buttons.len()).unwrap_or(i64::MAX);
    let name = FormField::text("name", text.delete.name.with(&app.name)).required();
    let (action, back) = (partner.app_page(route::CONSOLE_APP_DELETE, app), partner.app_page(route::CONSOLE_APP, app));
    Confirmation {
        title: text.delete.title.with(&app.name),
        text: text.delete.text.to_owned(),
        ends: vec![
            text.delete.ends_buttons.with(&text.buttons_of(buttons)),
            text.delete.ends_connections.with(&text.connections_of(overview.connections)),
            text.delete.ends_tokens.to_owned(),
            text.delete.ends_record.to_owned(),
        ],
        form: Form::new(action, partner.csrf(), text.delete.button).dangerous().back_to(back).with(name),
    }
}

async fn asked_to_delete(partner: &Partner, id: &str) -> Result<(App, Confirmation), ConsoleError> {
    let overview = console::overview(&partner.web().ctx, partner.user(), id).await?;
    let confirmation = confirmation(partner, &overview);
    Ok((overview.app, confirmation))
}

pub async fn ask_to_delete(visit: Visit, Path(id): Path<String>) -> Answer {
    let partner = visit.partner().await?;
    let (_, confirmation) = asked_to_delete(&partner, &id).await.map_err(|error| partner.failed(&error))?;
    Ok(partner.page(StatusCode::OK, |page| ConsoleConfirm { page, confirmation }))
}

pub async fn delete(visit: Visit, Path(id): Path<String>, body: Body) -> Answer {
    let (partner, given) = visit.posted(body).await?;
    let (app, mut confirmation) = asked_to_delete(&partner, &id).await.map_err(|error| partner.failed(&error))?;
    if field(&given, "name").trim() != app.name.trim() {
        confirmation.form.fill(&given);
        confirmation.form.refuse("name", partner.text().delete.name_wrong);
        let status = Partner::status_of(&confirmation.form);
        return Ok(partner.page(status, |page| ConsoleConfirm { page, confirmation }));
    }
    let deleted = console::delete_app(&partner.acting(), partner.user(), &id).await;
    deleted.map_err(|error| partner.failed(&error))?;
    Ok(see_other(&format!("{}?done=deleted", partner.path(route::CONSOLE))))
}
