//! Sign-in buttons: how they look, where they work, and what is put on the partner's page.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;

use super::{Answer, Body, Partner, Visit, button_form, head};
use crate::domain::app::App;
use crate::domain::button::Button;
use crate::services::console::{self, ConsoleError};
use crate::services::partner::NewButton;
use crate::views::{Confirmation, ConsoleButton, ConsoleConfirm, ConsoleForm, Fact, Form, Problem, Snippet, Snippets};
use crate::web::urls::route;

pub async fn show(visit: Visit, Path(id): Path<String>) -> Answer {
    let partner = visit.partner().await?;
    let (button, app) = partner.button(&id).await?;
    let snippet = Snippet {
        lang: partner.lang(),
        issuer: partner.web().ctx.issuer.clone(),
        button_id: button.id.to_string(),
        theme: button.theme,
        size: button.size,
    };
    let snippets = snippet.all().map_err(|error| {
        tracing::error!(%error, "a snippet could not be rendered");
        partner.refused(Problem::Internal)
    })?;
    Ok(button_page(&partner, &button, &app, snippets))
}

fn button_page(partner: &Partner, button: &Button, app: &App, snippets: Snippets) -> Response {
    let text = &partner.text().button;
    let web = partner.web();
    let address = |route: &str| web.urls.filled(route, button.id.as_str());
    let is_here = web.ctx.sandbox && button.allows_origin(&web.origin);
    partner.page(StatusCode::OK, |page| ConsoleButton {
        page,
        head: head(partner, app, ""),
        notice: partner.notice(&[("created", text.created), ("saved", text.saved)]),
        id: button.id.to_string(),
        theme: button.theme,
        size: button.size,
        facts: facts(partner, button),
        edit: address(route::CONSOLE_BUTTON_EDIT),
        delete: address(route::CONSOLE_BUTTON_DELETE),
        try_it: is_here.then(|| format!("{}?button={}", web.urls.path(route::HOME), button.id)),
        own_origin: web.ctx.sandbox.then(|| web.origin.to_string()),
        snippets,
    })
}

fn facts(partner: &Partner, button: &Button) -> Vec<Fact> {
    let text = partner.text();
    let joined = |items: Vec<&str>| items.join(" ");
    let mut facts = vec![
        Fact::copyable("button-id", text.button.id, button.id.as_str()),
        Fact::code(text.button.origins, joined(button.origins.iter().map(|origin| origin.as_str()).collect())),
    ];
    if !button.return_urls.is_empty() {
        let urls = button.return_urls.iter().map(|url| url.as_str()).collect();
        facts.push(Fact::code(text.button.return_urls, joined(urls)));
    }
    facts.push(match &button.scopes {
        Some(scopes) => Fact::code(text.button.scopes, scopes.to_string()),
        None => Fact::new(text.button.scopes, text.button.scopes_all),
    });
    facts
}

/// The form for a button of this application: a new one, or one that there is.
fn form(partner: &Partner, app: &App, button: &NewButton) -> Form {
    let text = partner.text();
    let form = match &button.id {
        None => Form::new(partner.app_page(route::CONSOLE_BUTTON_NEW, app), partner.csrf(), text.button.create)
            .back_to(partner.app_page(route::CONSOLE_APP, app)),
        Some(id) => {
            let address = |route: &str| partner.web().urls.filled(route, id.as_str());
            Form::new(address(route::CONSOLE_BUTTON_EDIT), partner.csrf(), text.form.save)
                .back_to(address(route::CONSOLE_BUTTON))
        }
    };
    button_form::form(partner, form, app, button)
}

fn page(partner: &Partner, app: &App, button: &NewButton, form: Form) -> Response {
    let text = &partner.text().button;
    let title = button.id.as_ref().map_or(text.new_title.to_owned(), |id| text.edit_title.with(id.as_str()));
    partner.page(Partner::status_of(&form), |page| ConsoleForm {
        heading: Some(title),
        has_preview: true,
        ..ConsoleForm::new(page, head(partner, app, ""), text.intro, form)
    })
}

pub async fn ask_new(visit: Visit, Path(app): Path<String>) -> Answer {
    let partner = visit.partner().await?;
    let app = partner.app(&app).await?;
    let draft = button_form::draft(&app.id);
    let form = form(&partner, &app, &draft);
    Ok(page(&partner, &app, &draft, form))
}

pub async fn create(visit: Visit, Path(app): Path<String>, body: Body) -> Answer {
    let (partner, given) = visit.posted(body).await?;
    let app = partner.app(&app).await?;
    let draft = button_form::draft(&app.id);
    let mut form = form(&partner, &app, &draft);
    let Some(new) = button_form::read(&partner, &given, draft.clone(), &app, &mut form) else {
        return Ok(page(&partner, &app, &draft, form));
    };
    match console::create_button(&partner.acting(), partner.user(), new).await {
        Ok(button) => Ok(partner.go(&partner.web().urls.filled(route::CONSOLE_BUTTON, button.id.as_str()), "created")),
        Err(ConsoleError::Partner(error)) if button_form::refuse(&mut form, &error, partner.text()) => {
            Ok(page(&partner, &app, &draft, form))
        }
        Err(error) => Err(partner.failed(&error)),
    }
}

pub async fn ask(visit: Visit, Path(id): Path<String>) -> Answer {
    let partner = visit.partner().await?;
    let (button, app) = partner.button(&id).await?;
    let before = button_form::of(&button);
    let form = form(&partner, &app, &before);
    Ok(page(&partner, &app, &before, form))
}

pub async fn save(visit: Visit, Path(id): Path<String>, body: Body) -> Answer {
    let (partner, given) = visit.posted(body).await?;
    let (button, app) = partner.button(&id).await?;
    let before = button_form::of(&button);
    let mut form = form(&partner, &app, &before);
    let Some(wanted) = button_form::read(&partner, &given, before.clone(), &app, &mut form) else {
        return Ok(page(&partner, &app, &before, form));
    };
    let NewButton { origins, return_urls, scopes, theme, size, .. } = wanted;
    let wanted = Button { origins, return_urls, scopes, theme, size, ..button };
    match console::edit_button(&partner.acting(), partner.user(), wanted).await {
        Ok(button) => Ok(partner.go(&partner.web().urls.filled(route::CONSOLE_BUTTON, button.id.as_str()), "saved")),
        Err(ConsoleError::Partner(error)) if button_form::refuse(&mut form, &error, partner.text()) => {
            Ok(page(&partner, &app, &before, form))
        }
        Err(error) => Err(partner.failed(&error)),
    }
}

pub async fn ask_to_delete(visit: Visit, Path(id): Path<String>) -> Answer {
    let partner = visit.partner().await?;
    let (button, _) = partner.button(&id).await?;
    let text = &partner.text().button;
    let address = |route: &str| partner.web().urls.filled(route, button.id.as_str());
    let confirmation = Confirmation {
        title: text.delete_title.with(button.id.as_str()),
        text: text.delete_text.to_owned(),
        ends: button.origins.iter().map(|origin| text.delete_ends.with(origin.as_str())).collect(),
        form: Form::new(address(route::CONSOLE_BUTTON_DELETE), partner.csrf(), text.delete)
            .dangerous()
            .back_to(address(route::CONSOLE_BUTTON)),
    };
    Ok(partner.page(StatusCode::OK, |page| ConsoleConfirm { page, confirmation }))
}

pub async fn delete(visit: Visit, Path(id): Path<String>, body: Body) -> Answer {
    let (partner, _) = visit.posted(body).await?;
    let deleted = console::delete_button(&partner.acting(), partner.user(), &id).await;
    let app = deleted.map_err(|error| partner.failed(&error))?;
    Ok(partner.go(&partner.app_page(route::CONSOLE_APP, &app), "button-deleted"))
}
