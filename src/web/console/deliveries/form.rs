//! The Authentication tab: what is asked of a delivery, by its method.

use axum::extract::Path;
use axum::response::Response;

use super::{Answer, Body, OK, Partner, Visit, head, refuse};
use crate::domain::app::MAX_NAME;
use crate::domain::delivery::{
    Credential, DigestAlgorithm, Field, Given, MAX_ADDRESS, MAX_CREDENTIAL, MAX_PREFIX, MAX_SCOPE, MAX_TOKEN,
    MethodKind, TokenGrant,
};
use crate::services::deliveries::{self, DeliveryChange, NewDelivery, Opened};
use crate::views::{Choice, ConsoleDeliveryMethod, ConsoleForm, Form, FormField, Head, MethodChoice, Problem, Tab};
use crate::web::extract::Pairs;
use crate::web::forms::field;
use crate::web::urls::route;

/// Settings that may be taken away by leaving them empty.
const OPTIONAL: [Field; 3] = [Field::TokenUrl, Field::ClientId, Field::Scope];

pub async fn ask_new(visit: Visit) -> Answer {
    let partner = visit.partner().await?;
    let Some(method) = MethodKind::parse(&partner.asked("method")) else { return Ok(choose(&partner)) };
    let form = new_form(&partner, method);
    Ok(new_page(&partner, form))
}

fn choose(partner: &Partner) -> Response {
    let text = partner.delivery_text();
    let address = partner.path(route::CONSOLE_DELIVERY_NEW);
    let choice = |method: MethodKind| MethodChoice {
        label: text.method_of(method).to_owned(),
        hint: text.hint_of(method).to_owned(),
        address: format!("{address}?method={}", method.as_str()),
    };
    let choices = MethodKind::ALL.map(choice).into();
    let back = partner.path(route::CONSOLE_DELIVERIES);
    partner.page(OK, |page| ConsoleDeliveryMethod { page, choices, back })
}

pub async fn create(visit: Visit, body: Body) -> Answer {
    let (partner, given) = visit.posted(body).await?;
    let method = MethodKind::parse(field(&given, "method")).ok_or_else(|| partner.refused(Problem::InvalidRequest))?;
    let mut form = new_form(&partner, method);
    form.fill(&given);
    let new = NewDelivery {
        owner: Some(partner.user().id),
        name: field(&given, "name").trim().to_owned(),
        method,
        url: text_of(&given, "url"),
        given: read(&given, method),
    };
    match deliveries::create(&partner.acting(), new).await {
        Ok(Opened { delivery, .. }) => {
            Ok(partner.go(&partner.delivery_page(route::CONSOLE_DELIVERY, &delivery), "created"))
        }
        Err(error) if refuse(&partner, &mut form, &error) => Ok(new_page(&partner, form)),
        Err(error) => Err(partner.delivery_failed(error)),
    }
}

pub async fn ask(visit: Visit, Path(id): Path<String>) -> Answer {
    let partner = visit.partner().await?;
    let opened = partner.delivery(&id).await?;
    let method = MethodKind::parse(&partner.asked("method")).unwrap_or(opened.delivery.method);
    let form = edit_form(&partner, &opened, method);
    Ok(edit_page(&partner, &opened, form))
}

pub async fn save(visit: Visit, Path(id): Path<String>, body: Body) -> Answer {
    let (partner, given) = visit.posted(body).await?;
    let opened = partner.delivery(&id).await?;
    let method = MethodKind::parse(field(&given, "method")).ok_or_else(|| partner.refused(Problem::InvalidRequest))?;
    let mut form = edit_form(&partner, &opened, method);
    form.fill(&given);
    let settings = read(&given, method);
    let is_left_out = |field: &Field| text_of(&given, field.as_str()).is_none();
    let change = DeliveryChange {
        name: Some(field(&given, "name").trim().to_owned()),
        method: Some(method),
        url: Some(text_of(&given, "url")),
        cleared: OPTIONAL.into_iter().filter(is_left_out).collect(),
        given: settings,
    };
    let acting = partner.acting();
    match deliveries::change(&acting.for_owner(partner.user().id), opened.delivery.id, change).await {
        Ok(Opened { delivery, .. }) => {
            Ok(partner.go(&partner.delivery_page(route::CONSOLE_DELIVERY, &delivery), "saved"))
        }
        Err(error) if refuse(&partner, &mut form, &error) => Ok(edit_page(&partner, &opened, form)),
        Err(error) => Err(partner.delivery_failed(error)),
    }
}

fn new_form(partner: &Partner, method: MethodKind) -> Form {
    let text = partner.delivery_text();
    let form = Form::new(partner.path(route::CONSOLE_DELIVERY_NEW), partner.csrf(), text.create)
        .back_to(partner.path(route::CONSOLE_DELIVERIES));
    let form = form.with(FormField::text("name", text.name).required().max_length(MAX_NAME));
    settings(partner, form, method, &Given::default(), false).with(target(partner, None))
}

fn new_page(partner: &Partner, form: Form) -> Response {
    let text = partner.delivery_text();
    let status = Partner::status_of(&form);
    partner.page(status, |page| ConsoleForm::new(page, Head::new(text.new), text.settings_text, form))
}

fn edit_form(partner: &Partner, opened: &Opened, method: MethodKind) -> Form {
    let text = partner.delivery_text();
    let Opened { delivery, settings: before } = opened;
    let form = Form::new(partner.delivery_page(route::CONSOLE_DELIVERY_EDIT, delivery), partner.csrf(), text.save)
        .back_to(partner.delivery_page(route::CONSOLE_DELIVERY, delivery));
    let name = FormField::text("name", text.name).required().max_length(MAX_NAME).value(delivery.name.clone());
    let is_same = method == delivery.method;
    settings(partner, form.with(name), method, &before.given(), is_same).with(target(partner, delivery.url.as_deref()))
}

fn edit_page(partner: &Partner, opened: &Opened, form: Form) -> Response {
    let text = partner.delivery_text();
    let delivery = &opened.delivery;
    let address = partner.delivery_page(route::CONSOLE_DELIVERY_EDIT, delivery);
    let status = Partner::status_of(&form);
    let method =
        form.hidden.iter().find(|hidden| hidden.name == "method").and_then(|hidden| MethodKind::parse(&hidden.value));
    let way = |one: MethodKind| {
        Tab::new(text.method_of(one), format!("{address}?method={}", one.as_str()), Some(one) == method)
    };
    let ways = MethodKind::ALL.map(way).into();
    partner.page(status, |page| ConsoleForm {
        heading: Some(text.authentication.to_owned()),
        ways: Some((text.method.to_owned(), ways)),
        ..ConsoleForm::new(page, head(partner, delivery, route::CONSOLE_DELIVERY_EDIT), text.settings_text, form)
    })
}

fn target(partner: &Partner, url: Option<&str>) -> FormField {
    let text = partner.delivery_text();
    FormField::url("url", text.url).max_length(MAX_ADDRESS).hint(text.url_hint).value(url.unwrap_or_default())
}

/// The fields of a method. `is_kept`: what is secret was set before, and stays where the field is left empty.
fn settings(partner: &Partner, form: Form, method: MethodKind, before: &Given, is_kept: bool) -> Form {
    let text = partner.delivery_text();
    let value = |given: &Option<String>| given.clone().unwrap_or_default();
    let secret = |name, label: &str, longest| {
        let field = FormField::password(name, label, "new-password").max_length(longest);
        if is_kept { field.hint(text.keep) } else { field.required() }
    };
    let username =
        || FormField::text("username", text.username).max_length(MAX_CREDENTIAL).value(value(&before.username));
    let form = form.with_hidden("method", method.as_str());
    match method {
        MethodKind::Basic => form.with(username().required()).with(secret("password", text.password, MAX_CREDENTIAL)),
        MethodKind::Digest => {
            let chosen = before.algorithms.clone().unwrap_or_else(|| vec![DigestAlgorithm::Sha256]);
            let choice = |one: DigestAlgorithm| Choice::new(one.as_str(), one.as_str(), chosen.contains(&one));
            let algorithms = DigestAlgorithm::ALL.map(choice).into();
            form.with(username().required())
                .with(secret("password", text.password, MAX_CREDENTIAL))
                .with(FormField::checks("algorithms", text.algorithms, algorithms).hint(text.algorithms_hint))
        }
        MethodKind::Bearer => {
            let prefix = before.prefix.clone().unwrap_or_else(|| crate::domain::delivery::BEARER.to_owned());
            let prefix = FormField::text("prefix", text.prefix).required().max_length(MAX_PREFIX).value(prefix);
            form.with(prefix.hint(text.prefix_hint)).with(secret("token", text.token, MAX_TOKEN))
        }
        MethodKind::OAuth2 => {
            let chosen = before.grant.unwrap_or_default();
            let choice = |one: TokenGrant| Choice::new(one.as_str(), text.grant_of(one), one == chosen);
            let token_url = FormField::url("token_url", text.token_url).max_length(MAX_ADDRESS);
            let optional = |name, label: &str, longest| {
                let field = FormField::password(name, label, "new-password").max_length(longest);
                if is_kept { field.hint(text.keep) } else { field }
            };
            let client_id = FormField::text("client_id", text.client_id).max_length(MAX_CREDENTIAL);
            let scope = FormField::text("scope", text.scope).max_length(MAX_SCOPE);
            form.with(token_url.hint(text.token_url_hint).value(value(&before.token_url)))
                .with(FormField::radios("grant_type", text.grant, TokenGrant::ALL.map(choice).into()))
                .with(client_id.hint(text.client_id_hint).value(value(&before.client_id)))
                .with(optional("client_secret", text.client_secret, MAX_CREDENTIAL))
                .with(scope.value(value(&before.scope)))
                .with(username().under(text.of_password))
                .with(optional("password", text.password, MAX_CREDENTIAL))
        }
    }
}

/// A field that has something in it.
fn text_of(given: &Pairs, name: &str) -> Option<String> {
    Some(field(given, name).trim()).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// What the form says of this method. A secret is taken as it was typed.
fn read(given: &Pairs, method: MethodKind) -> Given {
    let secret = |name: &str| Some(field(given, name)).filter(|text| !text.is_empty()).map(Credential::new);
    let chosen = given.iter().filter(|(name, _)| *name == "algorithms");
    let algorithms = chosen.filter_map(|(_, value)| DigestAlgorithm::parse(value)).collect();
    let grant = TokenGrant::parse(field(given, "grant_type")).unwrap_or_default();
    let has_user = method != MethodKind::OAuth2 || grant == TokenGrant::Password;
    let settings = Given {
        username: text_of(given, "username").filter(|_| has_user),
        password: secret("password").filter(|_| has_user),
        algorithms: Some(algorithms),
        prefix: text_of(given, "prefix"),
        token: secret("token"),
        token_url: text_of(given, "token_url"),
        grant: Some(grant),
        client_id: text_of(given, "client_id"),
        client_secret: secret("client_secret"),
        scope: text_of(given, "scope"),
    };
    settings.of_method(method)
}
