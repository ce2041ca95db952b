//! What was sent to a webhook: listed, shown with each attempt, sent again.

use std::time::Duration;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;

use super::webhook::at;
use super::{Answer, Body, Partner, Visit, head};
use crate::domain::app::App;
use crate::domain::ids::WebhookMessageId;
use crate::domain::timestamp::Timestamp;
use crate::domain::webhook::{Attempt, Delivery, Outcome, Sent, Webhook};
use crate::services::console::ConsoleError;
use crate::services::webhooks::log;
use crate::views::{
    AttemptPart, Cell, Choice, ConsoleForm, ConsoleMessage, Fact, Form, FormField, Pager, Tab, Table, Tone,
};
use crate::web::extract::Pairs;
use crate::web::forms::field;
use crate::web::urls::route;

/// Messages on one page of the list.
const PAGE: usize = 25;

/// The list on a webhook's page.
pub struct Log {
    pub filters: Vec<Tab>,
    pub messages: Option<Table>,
    pub pager: Pager,
}

fn result(partner: &Partner, state: Delivery) -> (&'static str, Tone) {
    let text = &partner.text().webhook;
    match state {
        Delivery::Pending => (text.pending, Tone::Plain),
        Delivery::Delivered => (text.delivered, Tone::Good),
        Delivery::Failed => (text.failed, Tone::Bad),
    }
}

fn message_page(partner: &Partner, route: &str, webhook: &Webhook, id: WebhookMessageId) -> String {
    at(partner, route, webhook).replace("{message}", &id.written())
}

pub async fn log(partner: &Partner, webhook: &Webhook) -> Result<Log, super::Stop> {
    let state = Delivery::parse(&partner.asked("status"));
    let before = WebhookMessageId::read(&partner.asked("before"));
    let filter = log::Filter { state, before, topic: None };
    let limit = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    let found = log::messages(&partner.web().ctx, webhook.id, filter, limit).await;
    let mut found = found.map_err(|error| partner.failed(&ConsoleError::Store(error)))?;
    let has_more = found.len() > PAGE;
    found.truncate(PAGE);
    let own = at(partner, route::CONSOLE_WEBHOOK, webhook);
    let narrowed = state.map_or_else(|| format!("{own}?"), |state| format!("{own}?status={}&", state.as_str()));
    let older = found.last().filter(|_| has_more).map(|last| format!("{narrowed}before={}", last.message.id.written()));
    let newest = before.map(|_| narrowed.trim_end_matches(['?', '&']).to_owned());
    Ok(Log {
        filters: filters(partner, &own, state),
        messages: table(partner, webhook, &found),
        pager: Pager { newest, older },
    })
}

fn filters(partner: &Partner, own: &str, state: Option<Delivery>) -> Vec<Tab> {
    let any = Tab::new(partner.text().webhook.any_result, own, state.is_none());
    let of = |one: Delivery| {
        let address = format!("{own}?status={}", one.as_str());
        Tab::new(result(partner, one).0, address, state == Some(one))
    };
    std::iter::once(any).chain(Delivery::ALL.map(of)).collect()
}

fn table(partner: &Partner, webhook: &Webhook, found: &[Sent]) -> Option<Table> {
    let text = &partner.text().webhook;
    let row = |sent: &Sent| {
        let (word, tone) = result(partner, sent.state);
        let address = message_page(partner, route::CONSOLE_WEBHOOK_MESSAGE, webhook, sent.message.id);
        vec![
            Cell::link(sent.message.topic.as_str(), address),
            Cell::Time(sent.message.created_at.to_rfc3339()),
            Cell::badge(word, tone),
            Cell::text(sent.attempts.to_string()),
        ]
    };
    (!found.is_empty()).then(|| Table {
        caption: text.log.to_owned(),
        columns: [text.event, text.when, text.result, text.attempts].map(str::to_owned).into(),
        rows: found.iter().map(row).collect(),
    })
}

/// Names and values, one pair a line.
fn lines(headers: &[(String, String)]) -> String {
    headers.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n")
}

fn part(partner: &Partner, attempt: &Attempt) -> AttemptPart {
    let (came, response, is_good) = match &attempt.outcome {
        Outcome::Answered { status, headers, body } => {
            (status.to_string(), format!("{}\n\n{body}", lines(headers)), (200..300).contains(status))
        }
        Outcome::Unanswered(why) => (partner.text().webhook.no_answer.to_owned(), why.clone(), false),
    };
    AttemptPart {
        nr: attempt.nr,
        title: partner.text().webhook.attempt_title.with(&attempt.nr.to_string()),
        at: attempt.at.to_rfc3339(),
        duration: format!("{} ms", attempt.took.as_millis()),
        came,
        is_good,
        request: lines(&attempt.headers),
        response,
    }
}

pub async fn show(visit: Visit, Path((id, message)): Path<(String, String)>) -> Answer {
    let partner = visit.partner().await?;
    let (webhook, app) = partner.webhook(&id).await?;
    let id = read(&partner, &message)?;
    let found = log::message(&partner.web().ctx, webhook.id, id).await;
    let (sent, attempts) = found.map_err(|error| partner.failed(&error.into()))?;
    let text = &partner.text().webhook;
    let mut facts = vec![
        Fact::copyable("message-id", text.message, sent.message.id.written()),
        Fact::new(text.result, result(&partner, sent.state).0),
        Fact::new(text.when, partner.readable_time(&sent.message.created_at.to_rfc3339())),
    ];
    facts.extend(sent.next_attempt_at.map(|at| Fact::new(text.next_attempt, partner.readable_time(&at.to_rfc3339()))));
    let replay = message_page(&partner, route::CONSOLE_WEBHOOK_MESSAGE_REPLAY, &webhook, sent.message.id);
    Ok(partner.page(StatusCode::OK, |page| ConsoleMessage {
        page,
        head: head(&partner, &app, route::CONSOLE_WEBHOOKS),
        notice: partner.notice(&[("replayed", text.replayed)]),
        kind: sent.message.topic.as_str(),
        back: at(&partner, route::CONSOLE_WEBHOOK, &webhook),
        facts,
        payload: sent.message.payload.clone(),
        attempts: attempts.iter().map(|attempt| part(&partner, attempt)).collect(),
        replay: Form::new(replay, partner.csrf(), text.replay),
    }))
}

fn read(partner: &Partner, message: &str) -> Result<WebhookMessageId, super::Stop> {
    WebhookMessageId::read(message).ok_or_else(|| partner.failed(&ConsoleError::Unknown))
}

pub async fn replay_one(visit: Visit, Path((id, message)): Path<(String, String)>, body: Body) -> Answer {
    let (partner, _) = visit.posted(body).await?;
    let (webhook, _) = partner.webhook(&id).await?;
    let id = read(&partner, &message)?;
    let replayed = log::replay(&partner.acting().for_owner(partner.user().id), webhook.id, id).await;
    replayed.map_err(|error| partner.failed(&error.into()))?;
    Ok(partner.go(&message_page(&partner, route::CONSOLE_WEBHOOK_MESSAGE, &webhook, id), "replayed"))
}

fn form(partner: &Partner, webhook: &Webhook) -> Form {
    let text = &partner.text().webhook;
    let any = Choice::new("", text.any_result, true);
    let of = |one: Delivery| Choice::new(one.as_str(), result(partner, one).0, false);
    let day_before = partner.web().ctx.real_now().minus(Duration::from_secs(24 * 3_600));
    let since = FormField::text("since", text.since).value(day_before.to_rfc3339()).hint(text.moment_hint).required();
    Form::new(at(partner, route::CONSOLE_WEBHOOK_REPLAY, webhook), partner.csrf(), text.replay)
        .back_to(at(partner, route::CONSOLE_WEBHOOK, webhook))
        .with(since)
        .with(FormField::text("until", text.until))
        .with(FormField::select("status", text.result, std::iter::once(any).chain(Delivery::ALL.map(of)).collect()))
}

fn page(partner: &Partner, app: &App, form: Form) -> Response {
    let text = &partner.text().webhook;
    partner.page(Partner::status_of(&form), |page| ConsoleForm {
        heading: Some(text.replay_span.to_owned()),
        ..ConsoleForm::new(page, head(partner, app, route::CONSOLE_WEBHOOKS), text.replay_text, form)
    })
}

pub async fn ask(visit: Visit, Path(id): Path<String>) -> Answer {
    let partner = visit.partner().await?;
    let (webhook, app) = partner.webhook(&id).await?;
    let form = form(&partner, &webhook);
    Ok(page(&partner, &app, form))
}

fn span(partner: &Partner, given: &Pairs, form: &mut Form) -> Option<log::Span> {
    form.fill(given);
    let text = &partner.text().webhook;
    let now = partner.web().ctx.real_now().plus(Duration::from_secs(1));
    let since = Timestamp::parse_rfc3339(field(given, "since").trim());
    let until = match field(given, "until").trim() {
        "" => Some(now),
        written => Timestamp::parse_rfc3339(written),
    };
    if since.is_none() {
        form.refuse("since", text.moment_bad);
    }
    if until.is_none() {
        form.refuse("until", text.moment_bad);
    }
    Some(log::Span { since: since?, until: until?, state: Delivery::parse(field(given, "status")) })
}

pub async fn replay(visit: Visit, Path(id): Path<String>, body: Body) -> Answer {
    let (partner, given) = visit.posted(body).await?;
    let (webhook, app) = partner.webhook(&id).await?;
    let mut form = form(&partner, &webhook);
    let Some(span) = span(&partner, &given, &mut form) else { return Ok(page(&partner, &app, form)) };
    let replayed = log::replay_span(&partner.acting().for_owner(partner.user().id), webhook.id, span).await;
    replayed.map_err(|error| partner.failed(&error.into()))?;
    Ok(partner.go(&at(&partner, route::CONSOLE_WEBHOOK, &webhook), "replayed"))
}
