//! An application's webhooks: made, changed, tested, deleted, and the list of what was sent.

use std::time::Duration;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use url::Url;

use super::{Answer, Body, Partner, Visit, head, webhook_form, webhook_log};
use crate::crypto::webhook_signature::WebhookSecret;
use crate::domain::app::App;
use crate::domain::webhook::{DisabledWhy, MAX_WEBHOOKS, Topics, Webhook, WebhookState};
use crate::services::console::ConsoleError;
use crate::services::once;
use crate::services::webhooks::{self, Change, New, WebhookError};
use crate::views::{
    Cell, Choice, Confirmation, ConsoleConfirm, ConsoleForm, ConsoleSecret, ConsoleWebhook, ConsoleWebhooks, Fact,
    Form, FormField, Notice, Shown, Table, Tone,
};
use crate::web::forms::{field, see_other};
use crate::web::urls::route;

const HOUR: u64 = 3_600;
/// How long the old secret may sign too, as it is written in the form.
const OVERLAPS: [(&str, u64); 4] = [("0", 0), ("1h", HOUR), ("24h", 24 * HOUR), ("7d", 7 * 24 * HOUR)];
const USUAL: &str = "24h";

/// The address of one of a webhook's pages.
pub fn at(partner: &Partner, route: &str, webhook: &Webhook) -> String {
    partner.web().urls.filled(route, webhook.id.to_string())
}

/// What happened to a webhook that was not refused beside the form.
fn failed(partner: &Partner, error: WebhookError) -> super::Stop {
    partner.failed(&ConsoleError::from(error))
}

fn state(partner: &Partner, webhook: &Webhook) -> &'static str {
    let text = &partner.text().webhook;
    match webhook.state {
        WebhookState::Active => text.active,
        WebhookState::Disabled { why: DisabledWhy::Switched, .. } => text.disabled,
        WebhookState::Disabled { why: DisabledWhy::Gone, .. } => text.gone,
        WebhookState::Disabled { why: DisabledWhy::Failing, .. } => text.failing,
    }
}

fn topics(partner: &Partner, webhook: &Webhook) -> String {
    if webhook.topics == Topics::ALL { partner.text().webhook.every_event.to_owned() } else { webhook.topics.listed() }
}

fn url(webhook: &Webhook) -> String {
    webhook.url().map(Url::to_string).unwrap_or_default()
}

pub async fn list(visit: Visit, Path(app): Path<String>) -> Answer {
    let partner = visit.partner().await?;
    let app = partner.app(&app).await?;
    let listed = webhooks::list(&partner.web().ctx, Some(app.id.clone()), None, MAX_WEBHOOKS).await;
    let listed = listed.map_err(|error| partner.failed(&ConsoleError::Store(error)))?;
    let text = &partner.text().webhook;
    let row = |webhook: &Webhook| {
        let tone = if webhook.is_active() { Tone::Good } else { Tone::Bad };
        vec![
            Cell::link(url(webhook), at(&partner, route::CONSOLE_WEBHOOK, webhook)),
            Cell::text(topics(&partner, webhook)),
            Cell::badge(state(&partner, webhook), tone),
        ]
    };
    let table = Table {
        caption: text.title.to_owned(),
        columns: [text.url, text.events, text.state].map(str::to_owned).into(),
        rows: listed.iter().map(row).collect(),
    };
    Ok(partner.page(StatusCode::OK, |page| ConsoleWebhooks {
        page,
        head: head(&partner, &app, route::CONSOLE_WEBHOOKS),
        notice: partner.notice(&[("deleted", text.deleted)]),
        webhooks: (!listed.is_empty()).then_some(table),
        new: partner.app_page(route::CONSOLE_WEBHOOK_NEW, &app),
    }))
}

fn facts(partner: &Partner, webhook: &Webhook) -> Vec<Fact> {
    let text = &partner.text().webhook;
    let mut facts = vec![
        Fact::copyable("webhook-id", text.id, webhook.id.to_string()),
        Fact::new(text.state, state(partner, webhook)),
        Fact::new(text.events, topics(partner, webhook)),
    ];
    let previous = webhook.previous_until.filter(|until| partner.web().ctx.real_now() < *until);
    facts.extend(previous.map(|until| {
        let sentence = text.previous_until.with(&partner.readable_time(&until.to_rfc3339()));
        Fact::new(text.secret, sentence)
    }));
    facts
}

pub async fn show(visit: Visit, Path(id): Path<String>) -> Answer {
    let partner = visit.partner().await?;
    let (webhook, app) = partner.webhook(&id).await?;
    let log = webhook_log::log(&partner, &webhook).await?;
    let text = &partner.text().webhook;
    Ok(partner.page(StatusCode::OK, |page| ConsoleWebhook {
        page,
        head: head(&partner, &app, route::CONSOLE_WEBHOOKS),
        notice: partner.notice(&[("saved", text.saved), ("tested", text.tested), ("replayed", text.replayed)]),
        url: url(&webhook),
        is_active: webhook.is_active(),
        facts: facts(&partner, &webhook),
        edit: at(&partner, route::CONSOLE_WEBHOOK_EDIT, &webhook),
        rotate: at(&partner, route::CONSOLE_WEBHOOK_SECRET, &webhook),
        replay: at(&partner, route::CONSOLE_WEBHOOK_REPLAY, &webhook),
        delete: at(&partner, route::CONSOLE_WEBHOOK_DELETE, &webhook),
        test: Form::new(at(&partner, route::CONSOLE_WEBHOOK_TEST, &webhook), partner.csrf(), text.test),
        filters: log.filters,
        messages: log.messages,
        pager: log.pager,
    }))
}

fn new_form(partner: &Partner, app: &App) -> Form {
    let form =
        Form::new(partner.app_page(route::CONSOLE_WEBHOOK_NEW, app), partner.csrf(), partner.text().webhook.create)
            .with_hidden("once", once::token(&partner.web().ctx))
            .back_to(partner.app_page(route::CONSOLE_WEBHOOKS, app));
    webhook_form::form(partner, form, None)
}

fn form_page(partner: &Partner, app: &App, heading: &str, intro: &str, form: Form) -> Response {
    partner.page(Partner::status_of(&form), |page| ConsoleForm {
        heading: Some(heading.to_owned()),
        ..ConsoleForm::new(page, head(partner, app, route::CONSOLE_WEBHOOKS), intro, form)
    })
}

pub async fn ask_new(visit: Visit, Path(app): Path<String>) -> Answer {
    let partner = visit.partner().await?;
    let app = partner.app(&app).await?;
    let text = &partner.text().webhook;
    Ok(form_page(&partner, &app, text.new, text.intro, new_form(&partner, &app)))
}

pub async fn create(visit: Visit, Path(app): Path<String>, body: Body) -> Answer {
    let (partner, given) = visit.posted(body).await?;
    let app = partner.app(&app).await?;
    let text = &partner.text().webhook;
    let mut form = new_form(&partner, &app);
    let Some(read) = webhook_form::read(&given, &mut form, text) else {
        return Ok(form_page(&partner, &app, text.new, text.intro, form));
    };
    if !partner.sends_first(&given).await? {
        return Ok(see_other(&partner.app_page(route::CONSOLE_WEBHOOKS, &app)));
    }
    let new = New { app: app.id.clone(), url: read.url, topics: read.topics, secret: None };
    match webhooks::create(&partner.acting().for_owner(partner.user().id), new).await {
        Ok((webhook, secret)) => Ok(secret_page(&partner, &app, &webhook, &secret, text.created)),
        Err(error) if webhook_form::refuse(&mut form, &error, text) => {
            Ok(form_page(&partner, &app, text.new, text.intro, form))
        }
        Err(error) => Err(failed(&partner, error)),
    }
}

/// The page that shows a secret once.
fn secret_page(partner: &Partner, app: &App, webhook: &Webhook, secret: &WebhookSecret, sentence: &str) -> Response {
    let text = partner.text();
    let shown = Shown { id: "webhook-secret", label: text.webhook.secret.to_owned(), value: secret.expose() };
    partner.page(StatusCode::OK, |page| ConsoleSecret {
        page,
        head: head(partner, app, route::CONSOLE_WEBHOOKS),
        notice: Some(Notice::good(sentence)),
        secrets: vec![shown],
        note: None,
        facts_title: text.app.overview.to_owned(),
        facts: vec![
            Fact::copyable("webhook-id", text.webhook.id, webhook.id.to_string()),
            Fact::code(text.webhook.url, url(webhook)),
        ],
        next: at(partner, route::CONSOLE_WEBHOOK, webhook),
        next_label: text.secret.go_on.to_owned(),
    })
}

fn edit_form(partner: &Partner, webhook: &Webhook) -> Form {
    let form = Form::new(at(partner, route::CONSOLE_WEBHOOK_EDIT, webhook), partner.csrf(), partner.text().form.save)
        .back_to(at(partner, route::CONSOLE_WEBHOOK, webhook));
    webhook_form::form(partner, form, Some(webhook))
}

pub async fn ask(visit: Visit, Path(id): Path<String>) -> Answer {
    let partner = visit.partner().await?;
    let (webhook, app) = partner.webhook(&id).await?;
    let text = &partner.text().webhook;
    Ok(form_page(&partner, &app, text.edit, text.intro, edit_form(&partner, &webhook)))
}

pub async fn save(visit: Visit, Path(id): Path<String>, body: Body) -> Answer {
    let (partner, given) = visit.posted(body).await?;
    let (webhook, app) = partner.webhook(&id).await?;
    let text = &partner.text().webhook;
    let mut form = edit_form(&partner, &webhook);
    let Some(read) = webhook_form::read(&given, &mut form, text) else {
        return Ok(form_page(&partner, &app, text.edit, text.intro, form));
    };
    let change = Change { url: Some(read.url), topics: Some(read.topics), is_disabled: Some(!read.is_active) };
    match webhooks::change(&partner.acting().for_owner(partner.user().id), webhook.id, change).await {
        Ok(_) => Ok(partner.go(&at(&partner, route::CONSOLE_WEBHOOK, &webhook), "saved")),
        Err(error) if webhook_form::refuse(&mut form, &error, text) => {
            Ok(form_page(&partner, &app, text.edit, text.intro, form))
        }
        Err(error) => Err(failed(&partner, error)),
    }
}

fn rotate_form(partner: &Partner, webhook: &Webhook) -> Form {
    let text = &partner.text().secret;
    let labels = [text.at_once, text.hour, text.day, text.week];
    let choice = |((value, _), label): (&(&str, u64), &str)| Choice::new(*value, label, *value == USUAL);
    let choices = OVERLAPS.iter().zip(labels).map(choice).collect();
    Form::new(at(partner, route::CONSOLE_WEBHOOK_SECRET, webhook), partner.csrf(), text.submit)
        .with_hidden("once", once::token(&partner.web().ctx))
        .back_to(at(partner, route::CONSOLE_WEBHOOK, webhook))
        .with(FormField::radios("overlap", text.overlap, choices).required())
}

pub async fn ask_to_rotate(visit: Visit, Path(id): Path<String>) -> Answer {
    let partner = visit.partner().await?;
    let (webhook, app) = partner.webhook(&id).await?;
    let text = &partner.text().webhook;
    Ok(form_page(&partner, &app, text.rotate, text.rotate_text, rotate_form(&partner, &webhook)))
}

pub async fn rotate(visit: Visit, Path(id): Path<String>, body: Body) -> Answer {
    let (partner, given) = visit.posted(body).await?;
    let (webhook, app) = partner.webhook(&id).await?;
    let text = &partner.text().webhook;
    let Some((_, seconds)) = OVERLAPS.iter().find(|(value, _)| *value == field(&given, "overlap")) else {
        let mut form = rotate_form(&partner, &webhook);
        form.refuse("overlap", partner.text().secret.overlap_missing);
        return Ok(form_page(&partner, &app, text.rotate, text.rotate_text, form));
    };
    if !partner.sends_first(&given).await? {
        return Ok(see_other(&at(&partner, route::CONSOLE_WEBHOOK, &webhook)));
    }
    let acting = partner.acting();
    let rotated =
        webhooks::rotate(&acting.for_owner(partner.user().id), webhook.id, Duration::from_secs(*seconds)).await;
    let secret = rotated.map_err(|error| failed(&partner, error))?;
    Ok(secret_page(&partner, &app, &webhook, &secret, text.rotated))
}

pub async fn test(visit: Visit, Path(id): Path<String>, body: Body) -> Answer {
    let (partner, _) = visit.posted(body).await?;
    let (webhook, _) = partner.webhook(&id).await?;
    let sent = webhooks::test(&partner.acting().for_owner(partner.user().id), webhook.id).await;
    sent.map_err(|error| failed(&partner, error))?;
    Ok(partner.go(&at(&partner, route::CONSOLE_WEBHOOK, &webhook), "tested"))
}

pub async fn ask_to_delete(visit: Visit, Path(id): Path<String>) -> Answer {
    let partner = visit.partner().await?;
    let (webhook, _) = partner.webhook(&id).await?;
    let text = &partner.text().webhook;
    let confirmation = Confirmation {
        title: text.delete_title.to_owned(),
        text: format!("{} {}", text.delete_text, url(&webhook)),
        ends: vec![text.delete_ends.to_owned()],
        form: Form::new(at(&partner, route::CONSOLE_WEBHOOK_DELETE, &webhook), partner.csrf(), text.delete)
            .dangerous()
            .back_to(at(&partner, route::CONSOLE_WEBHOOK, &webhook)),
    };
    Ok(partner.page(StatusCode::OK, |page| ConsoleConfirm { page, confirmation }))
}

pub async fn delete(visit: Visit, Path(id): Path<String>, body: Body) -> Answer {
    let (partner, _) = visit.posted(body).await?;
    let (webhook, app) = partner.webhook(&id).await?;
    let deleted = webhooks::delete(&partner.acting().for_owner(partner.user().id), webhook.id).await;
    deleted.map_err(|error| failed(&partner, error))?;
    Ok(partner.go(&partner.app_page(route::CONSOLE_WEBHOOKS, &app), "deleted"))
}
