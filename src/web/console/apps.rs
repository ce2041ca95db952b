//! The list of a partner's applications, and a new one.

use axum::http::StatusCode;
use axum::response::Response;

use super::app::made_page;
use super::{Answer, Body, Partner, Visit, app_form};
use crate::domain::app::App;
use crate::domain::ids::AppId;
use crate::services::console::{self, ConsoleError, Listed};
use crate::services::partner as clients;
use crate::views::{AppCard, ConsoleApps, ConsoleForm, Form, Head, Pager};
use crate::web::urls::route;

pub async fn list(visit: Visit) -> Answer {
    let partner = visit.partner().await?;
    let after = AppId::parse(&partner.asked("after")).ok();
    let listed = console::list(&partner.web().ctx, partner.user(), after.clone()).await;
    let (listed, has_more) = listed.map_err(|error| partner.failed(&error))?;
    let address = partner.path(route::CONSOLE);
    let last = listed.last().filter(|_| has_more).map(|last| format!("{address}?after={}", last.app.id));
    let pager = Pager { newest: after.map(|_| address), older: last };
    let text = partner.text();
    Ok(partner.page(StatusCode::OK, |page| ConsoleApps {
        page,
        notice: partner.notice(&[("deleted", text.delete.done)]),
        apps: listed.into_iter().map(|listed| card(&partner, listed)).collect(),
        pager,
        new: partner.path(route::CONSOLE_APP_NEW),
    }))
}

fn card(partner: &Partner, listed: Listed) -> AppCard {
    let Listed { app, connections, buttons } = listed;
    AppCard {
        address: partner.app_page(route::CONSOLE_APP, &app),
        logo: partner.web().urls.logo(&app),
        is_active: app.is_active(),
        connections: partner.text().connections_of(connections),
        buttons: partner.text().buttons_of(buttons),
        name: app.name,
        publisher: app.publisher,
        id: app.id.into(),
    }
}

/// What a new application is before anything was said of it.
fn draft(partner: &Partner) -> App {
    clients::draft_app(&partner.web().ctx, None, String::new())
}

fn form(partner: &Partner, app: &App) -> Form {
    let (action, back) = (partner.path(route::CONSOLE_APP_NEW), partner.path(route::CONSOLE));
    app_form::form(partner, action, app, partner.text().form.create, back)
}

fn page(partner: &Partner, form: Form) -> Response {
    let text = &partner.text().form;
    partner
        .page(Partner::status_of(&form), |page| ConsoleForm::new(page, Head::new(text.new_title), text.new_intro, form))
}

pub async fn ask(visit: Visit) -> Answer {
    let partner = visit.partner().await?;
    let form = form(&partner, &draft(&partner));
    Ok(page(&partner, form))
}

pub async fn create(visit: Visit, body: Body) -> Answer {
    let (partner, given) = visit.posted(body).await?;
    let draft = draft(&partner);
    let mut form = form(&partner, &draft);
    let Some(app) = app_form::read(&partner, &given, draft, &mut form) else { return Ok(page(&partner, form)) };
    match console::create_app(&partner.acting(), partner.user(), app).await {
        Ok((app, secret)) => Ok(made_page(&partner, &app, secret, partner.text().app.created)),
        Err(ConsoleError::Partner(error)) if app_form::refuse(&mut form, &error, &partner.text().form) => {
            Ok(page(&partner, form))
        }
        Err(error) => Err(partner.failed(&error)),
    }
}
