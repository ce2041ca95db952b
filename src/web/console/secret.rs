//! An application's secret: a new one, with or without an overlap, and the end of the old one.

use std::time::Duration;

use axum::extract::Path;
use axum::response::Response;

use super::app::made_page;
use super::{Answer, Body, Partner, Visit, head};
use crate::services::console::{self, Overview};
use crate::services::once;
use crate::views::{Choice, ConsoleForm, Form, FormField};
use crate::web::forms::{field, see_other};
use crate::web::urls::route;

const HOUR: u64 = 3_600;
/// How long the old secret may go on, as it is written in the form.
const OVERLAPS: [(&str, u64); 4] = [("0", 0), ("1h", HOUR), ("24h", 24 * HOUR), ("7d", 7 * 24 * HOUR)];
const USUAL: &str = "24h";

fn form(partner: &Partner, overview: &Overview) -> Form {
    let text = &partner.text().secret;
    let labels = [text.at_once, text.hour, text.day, text.week];
    let choice = |((value, _), label): (&(&str, u64), &str)| Choice::new(*value, label, *value == USUAL);
    let mut choices: Vec<_> = OVERLAPS.iter().zip(labels).map(choice).collect();
    choices[0] = choices[0].clone().hint(text.at_once_hint);
    let action = partner.app_page(route::CONSOLE_APP_SECRET, &overview.app);
    Form::new(action, partner.csrf(), text.submit)
        .with_hidden("once", once::token(&partner.web().ctx))
        .with(FormField::radios("overlap", text.overlap, choices).required())
}

fn page(partner: &Partner, overview: &Overview, form: Form) -> Response {
    let text = &partner.text().secret;
    let head = head(partner, &overview.app, route::CONSOLE_APP_SECRET);
    let previous = overview.previous_until.map(|until| until.to_rfc3339());
    partner.page(Partner::status_of(&form), |page| {
        let until = previous.map(|until| text.previous_until.with(&page.readable_time(&until)));
        let revoke =
            Form::new(partner.app_page(route::CONSOLE_APP_SECRET_PREVIOUS, &overview.app), partner.csrf(), text.revoke);
        let notice = partner.notice(&[("revoked", text.revoked), ("nothing", text.not_revoked)]);
        let view = if overview.has_secret {
            ConsoleForm {
                heading: Some(text.rotate.to_owned()),
                ..ConsoleForm::new(page, head, text.rotate_text, form)
            }
        } else {
            let intro = format!("{} {}", text.none, text.none_text);
            ConsoleForm { form: None, ..ConsoleForm::new(page, head, &intro, form) }
        };
        let other = until.map(|until| (format!("{until} {}", text.revoke_text), revoke.dangerous()));
        ConsoleForm { notice, others: other.into_iter().collect(), ..view }
    })
}

pub async fn ask(visit: Visit, Path(id): Path<String>) -> Answer {
    let partner = visit.partner().await?;
    let overview = partner.overview(&id).await?;
    let form = form(&partner, &overview);
    Ok(page(&partner, &overview, form))
}

pub async fn rotate(visit: Visit, Path(id): Path<String>, body: Body) -> Answer {
    let (partner, given) = visit.posted(body).await?;
    let overview = partner.overview(&id).await?;
    let text = &partner.text().secret;
    let chosen = OVERLAPS.iter().find(|(value, _)| *value == field(&given, "overlap"));
    let Some((_, seconds)) = chosen else {
        let mut form = form(&partner, &overview);
        form.refuse("overlap", text.overlap_missing);
        return Ok(page(&partner, &overview, form));
    };
    if !partner.sends_first(&given).await? {
        return Ok(see_other(&partner.app_page(route::CONSOLE_APP_SECRET, &overview.app)));
    }
    let overlap = Duration::from_secs(*seconds);
    let until = partner.web().ctx.now_for(&overview.app.id).plus(overlap).to_rfc3339();
    let rotated = console::rotate_secret(&partner.acting(), partner.user(), &id, overlap).await;
    let secret = rotated.map_err(|error| partner.failed(&error))?;
    let sentence = if overlap.is_zero() {
        text.old_ended.to_owned()
    } else {
        text.previous_until.with(&partner.readable_time(&until))
    };
    Ok(made_page(&partner, &overview.app, Some(secret), &sentence))
}

pub async fn revoke(visit: Visit, Path(id): Path<String>, body: Body) -> Answer {
    let (partner, _) = visit.posted(body).await?;
    let app = partner.app(&id).await?;
    let revoked = console::revoke_previous_secret(&partner.acting(), partner.user(), &id).await;
    let word = if revoked.map_err(|error| partner.failed(&error))? { "revoked" } else { "nothing" };
    Ok(partner.go(&partner.app_page(route::CONSOLE_APP_SECRET, &app), word))
}
