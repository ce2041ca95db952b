//! The list of a partner's deliveries, a delivery's own page, and what came and went by it.

use axum::extract::Path;
use uuid::Uuid;

use super::{Answer, Body, OK, Partner, Visit, head};
use crate::domain::delivery::{Delivery, Exchange, ExchangeKind, Message, Settings};
use crate::domain::ids::{DeliveryId, ExchangeId};
use crate::services::deliveries::{self, Opened};
use crate::views::{
    Cell, Confirmation, ConsoleConfirm, ConsoleDeliveries, ConsoleDelivery, ConsoleExchange, Fact, Form, Notice, Pager,
    Problem, StepView, Table, Tone,
};
use crate::web::urls::route;

/// Deliveries, and exchanges, on one page.
const PAGE: i64 = 20;

/// A page out of what was read, of which one more was asked for than is shown; whether there are more.
fn cut<T>(mut read: Vec<T>) -> (Vec<T>, bool) {
    let page = usize::try_from(PAGE).unwrap_or_default();
    let has_more = read.len() > page;
    read.truncate(page);
    (read, has_more)
}

pub async fn list(visit: Visit) -> Answer {
    let partner = visit.partner().await?;
    let text = partner.delivery_text();
    let after = Uuid::parse_str(&partner.asked("after")).ok().map(DeliveryId);
    let found = deliveries::list(&partner.web().ctx, Some(partner.user().id), after, PAGE + 1).await;
    let (found, has_more) = cut(found.map_err(|error| partner.delivery_failed(error))?);
    let address = partner.path(route::CONSOLE_DELIVERIES);
    let older = found.last().filter(|_| has_more).map(|last| format!("{address}?after={}", last.id));
    let row = |delivery: &Delivery| {
        vec![
            Cell::link(delivery.name.as_str(), partner.delivery_page(route::CONSOLE_DELIVERY, delivery)),
            Cell::text(text.method_of(delivery.method)),
            delivery.url.as_ref().map_or_else(|| Cell::text(text.own_receiver), Cell::code),
        ]
    };
    let table = Table {
        caption: text.title.to_owned(),
        columns: [text.name, text.method, text.url].map(str::to_owned).into(),
        rows: found.iter().map(row).collect(),
    };
    Ok(partner.page(OK, |page| ConsoleDeliveries {
        page,
        notice: partner.notice(&[("deleted", text.deleted)]),
        deliveries: Some(table).filter(|table| !table.rows.is_empty()),
        pager: Pager { newest: after.map(|_| address), older },
        new: partner.path(route::CONSOLE_DELIVERY_NEW),
        apps: partner.path(route::CONSOLE),
    }))
}

pub async fn show(visit: Visit, Path(id): Path<String>) -> Answer {
    let partner = visit.partner().await?;
    let opened = partner.delivery(&id).await?;
    let text = partner.delivery_text();
    let delivery = &opened.delivery;
    let before = Uuid::parse_str(&partner.asked("after")).ok().map(ExchangeId);
    let (ctx, owner) = (&partner.web().ctx, Some(partner.user().id));
    let found = deliveries::exchanges(ctx, owner, delivery.id, before, PAGE + 1).await;
    let (found, has_more) = cut(found.map_err(|error| partner.delivery_failed(error))?);
    let address = partner.delivery_page(route::CONSOLE_DELIVERY, delivery);
    let older = found.last().filter(|_| has_more).map(|last| format!("{address}?after={}", last.id));
    let table = Table {
        caption: text.exchanges.to_owned(),
        columns: [text.when, text.what, text.status, text.why].map(str::to_owned).into(),
        rows: found.iter().map(|exchange| row(&partner, delivery, exchange)).collect(),
    };
    Ok(partner.page(OK, |page| ConsoleDelivery {
        page,
        head: head(&partner, delivery, route::CONSOLE_DELIVERY),
        notice: partner.notice(&[("created", text.created), ("saved", text.saved)]),
        facts: facts(&partner, &opened),
        command: command(&opened.settings, &deliveries::receiver(ctx, delivery.id)),
        exchanges: Some(table).filter(|table| !table.rows.is_empty()),
        pager: Pager { newest: before.map(|_| address), older },
        delete: partner.delivery_page(route::CONSOLE_DELIVERY_DELETE, delivery),
    }))
}

fn row(partner: &Partner, delivery: &Delivery, exchange: &Exchange) -> Vec<Cell> {
    let address = route::CONSOLE_EXCHANGE.replace("{exchange}", &exchange.id.to_string());
    let when = partner.readable_time(&exchange.at.to_rfc3339());
    let tone = match exchange.kind {
        ExchangeKind::Received => Tone::Good,
        ExchangeKind::Refused => Tone::Bad,
        ExchangeKind::Sent => Tone::Plain,
    };
    vec![
        Cell::link(when, partner.delivery_page(&address, delivery)),
        Cell::badge(partner.delivery_text().kind_of(exchange.kind), tone),
        exchange.status.map_or(Cell::Empty, |status| Cell::text(status.to_string())),
        exchange.why.as_ref().map_or(Cell::Empty, Cell::text),
    ]
}

/// What can be shown of the settings.
fn facts(partner: &Partner, opened: &Opened) -> Vec<Fact> {
    let text = partner.delivery_text();
    let delivery = &opened.delivery;
    let given = opened.settings.given();
    let receiver = deliveries::receiver(&partner.web().ctx, delivery.id);
    let mut facts = vec![
        Fact::copyable("receiver", text.receiver, receiver),
        Fact::new(text.method, text.method_of(delivery.method)),
    ];
    let algorithms = given.algorithms.map(|list| list.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(", "));
    for (name, value) in [
        (text.username, given.username),
        (text.algorithms, algorithms),
        (text.prefix, given.prefix),
        (text.token_url, given.token_url),
        (text.grant, given.grant.map(|grant| text.grant_of(grant).to_owned())),
        (text.client_id, given.client_id),
        (text.scope, given.scope),
    ] {
        facts.extend(value.map(|value| Fact::code(name, value)));
    }
    facts.push(match &delivery.url {
        Some(url) => Fact::code(text.url, url),
        None => Fact::new(text.url, text.own_receiver),
    });
    facts
}

/// A command that sends a lead to the receiver; what is secret stands there in capitals.
fn command(settings: &Settings, receiver: &str) -> String {
    let credentials = match settings {
        Settings::Basic(_) => "--basic --user 'USERNAME:PASSWORD'".to_owned(),
        Settings::Digest { .. } => "--digest --user 'USERNAME:PASSWORD'".to_owned(),
        Settings::Bearer { prefix, .. } => {
            // A prefix may have an apostrophe in it (RFC 9110 section 5.6.2).
            format!("--header 'Authorization: {} TOKEN'", prefix.replace('\'', r"'\''"))
        }
        Settings::OAuth2 { .. } => "--header 'Authorization: Bearer ACCESS_TOKEN'".to_owned(),
    };
    let lead = r#"'{"FirstName": "Test", "Email": "test.lead@example.com"}'"#;
    format!("curl {credentials} \\\n  --header 'Content-Type: application/json' \\\n  --data {lead} \\\n  {receiver}")
}

pub async fn exchange(visit: Visit, Path((id, exchange)): Path<(String, String)>) -> Answer {
    let partner = visit.partner().await?;
    let opened = partner.delivery(&id).await?;
    let exchange = Uuid::parse_str(&exchange).map_err(|_| partner.refused(Problem::NotFound))?;
    let (ctx, owner) = (&partner.web().ctx, Some(partner.user().id));
    let found = deliveries::exchange(ctx, owner, opened.delivery.id, ExchangeId(exchange)).await;
    let found = found.map_err(|error| partner.delivery_failed(error))?;
    let text = partner.delivery_text();
    let step = |(nth, step): (usize, &crate::domain::delivery::Step)| StepView {
        title: text.step.with(&(nth + 1).to_string()),
        duration: format!("{} ms", step.duration_ms),
        request: written(&step.request),
        answer: step.response.as_ref().map(written),
    };
    let mut facts = vec![Fact::new(text.when, partner.readable_time(&found.at.to_rfc3339()))];
    facts.extend(found.status.map(|status| Fact::new(text.status, status.to_string())));
    Ok(partner.page(OK, |page| ConsoleExchange {
        page,
        head: head(&partner, &opened.delivery, ""),
        title: text.kind_of(found.kind).to_owned(),
        outcome: found.why.clone().map_or_else(|| Notice::good(text.taken), Notice::bad),
        facts,
        steps: found.steps.iter().enumerate().map(step).collect(),
        lead: found.lead.clone(),
    }))
}

fn written(message: &Message) -> String {
    let headers: String = message.headers.iter().map(|(name, value)| format!("\n{name}: {value}")).collect();
    let body = if message.body.is_empty() { String::new() } else { format!("\n\n{}", message.body) };
    format!("{}{headers}{body}", message.line)
}

pub async fn ask_to_delete(visit: Visit, Path(id): Path<String>) -> Answer {
    let partner = visit.partner().await?;
    let Opened { delivery, .. } = partner.delivery(&id).await?;
    let text = partner.delivery_text();
    let confirmation = Confirmation {
        title: text.delete_title.with(&delivery.name),
        text: text.delete_text.to_owned(),
        ends: [text.delete_receiver, text.delete_exchanges].map(str::to_owned).into(),
        form: Form::new(partner.delivery_page(route::CONSOLE_DELIVERY_DELETE, &delivery), partner.csrf(), text.delete)
            .dangerous()
            .back_to(partner.delivery_page(route::CONSOLE_DELIVERY, &delivery)),
    };
    Ok(partner.page(OK, |page| ConsoleConfirm { page, confirmation }))
}

pub async fn delete(visit: Visit, Path(id): Path<String>, body: Body) -> Answer {
    let (partner, _) = visit.posted(body).await?;
    let Opened { delivery, .. } = partner.delivery(&id).await?;
    let acting = partner.acting();
    let deleted = deliveries::delete(&acting.for_owner(partner.user().id), delivery.id).await;
    deleted.map_err(|error| partner.delivery_failed(error))?;
    Ok(partner.go(&partner.path(route::CONSOLE_DELIVERIES), "deleted"))
}
