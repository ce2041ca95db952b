//! "Send a test lead": with the saved settings, to the delivery's target or another.

use axum::extract::Path;
use axum::response::Response;

use super::{Answer, Body, Partner, Visit, head, refuse};
use crate::domain::delivery::MAX_ADDRESS;
use crate::services::deliveries::{self, Opened, TestLead};
use crate::views::{ConsoleForm, Control, Form, FormField};
use crate::web::forms::{field, see_other};
use crate::web::urls::route;

fn form(partner: &Partner, opened: &Opened) -> Form {
    let text = partner.delivery_text();
    let delivery = &opened.delivery;
    let target = delivery.url.clone().unwrap_or_default();
    let lead = Control::Lines { text: deliveries::sample_lead().to_owned(), rows: 8 };
    Form::new(partner.delivery_page(route::CONSOLE_DELIVERY_TEST, delivery), partner.csrf(), text.send)
        .with(FormField::url("url", text.url).max_length(MAX_ADDRESS).hint(text.url_hint).value(target))
        .with(FormField::new("lead", text.lead, lead).hint(text.lead_hint).required())
}

fn page(partner: &Partner, opened: &Opened, form: Form) -> Response {
    let text = partner.delivery_text();
    let head = head(partner, &opened.delivery, route::CONSOLE_DELIVERY_TEST);
    partner.page(Partner::status_of(&form), |page| ConsoleForm {
        heading: Some(text.test.to_owned()),
        ..ConsoleForm::new(page, head, text.test_text, form)
    })
}

pub async fn ask(visit: Visit, Path(id): Path<String>) -> Answer {
    let partner = visit.partner().await?;
    let opened = partner.delivery(&id).await?;
    let form = form(&partner, &opened);
    Ok(page(&partner, &opened, form))
}

pub async fn send(visit: Visit, Path(id): Path<String>, body: Body) -> Answer {
    let (partner, given) = visit.posted(body).await?;
    let opened = partner.delivery(&id).await?;
    let mut form = form(&partner, &opened);
    form.fill(&given);
    let Some(lead) = TestLead::of(field(&given, "lead").replace("\r\n", "\n")) else {
        form.refuse("lead", partner.delivery_text().lead_bad);
        return Ok(page(&partner, &opened, form));
    };
    let url = Some(field(&given, "url").trim()).filter(|url| !url.is_empty()).map(str::to_owned);
    // Left empty it goes to the receiver, also where the delivery has a target.
    let url = url.unwrap_or_else(|| deliveries::receiver(&partner.web().ctx, opened.delivery.id));
    let acting = partner.acting();
    let acting = acting.for_owner(partner.user().id);
    match deliveries::send_test(&acting, opened.delivery.id, Some(url), lead).await {
        Ok(exchange) => {
            let address = route::CONSOLE_EXCHANGE.replace("{exchange}", &exchange.id.to_string());
            Ok(see_other(&partner.delivery_page(&address, &opened.delivery)))
        }
        Err(error) if refuse(&partner, &mut form, &error) => Ok(page(&partner, &opened, form)),
        Err(error) => Err(partner.delivery_failed(error)),
    }
}
