//! The action call-back of an application: where its own server is asked before a user is connected.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;

use super::{Answer, Body, Partner, Visit, head};
use crate::domain::action_callback::{ActionCallback, CallResult, LastCall, OnFailure};
use crate::domain::allow_list::NotAllowed;
use crate::domain::app::App;
use crate::domain::target_url::TargetUrl;
use crate::services::console::{self, ConsoleError};
use crate::services::once;
use crate::views::messages::CallbackTexts;
use crate::views::{Choice, ConsoleForm, ConsoleSecret, Fact, Form, FormField, Notice, Shown};
use crate::web::extract::Pairs;
use crate::web::forms::{field, see_other};
use crate::web::urls::route;

const URL: &str = "url";
const ON_FAILURE: &str = "on_failure";

fn form(partner: &Partner, app: &App, callback: Option<&ActionCallback>) -> Form {
    let text = &partner.text().callback;
    let chosen = callback.map_or(OnFailure::default(), |callback| callback.on_failure);
    let choice = |one: OnFailure, label| Choice::new(one.as_str(), label, one == chosen);
    let choices =
        vec![choice(OnFailure::Allow, text.on_failure_allow), choice(OnFailure::Refuse, text.on_failure_refuse)];
    let url = callback.map(|callback| callback.url.to_string()).unwrap_or_default();
    Form::new(partner.app_page(route::CONSOLE_APP_CALLBACK, app), partner.csrf(), text.submit)
        .with_hidden("once", once::token(&partner.web().ctx))
        .with(FormField::url(URL, text.url).value(url).hint(text.url_hint).required())
        .with(FormField::radios(ON_FAILURE, text.on_failure, choices).required())
}

fn page(partner: &Partner, app: &App, callback: Option<&ActionCallback>, form: Form) -> Response {
    let text = &partner.text().callback;
    let head = head(partner, app, route::CONSOLE_APP_CALLBACK);
    let last = callback.and_then(|callback| callback.last.as_ref());
    let done = partner.notice(&[("saved", text.saved), ("removed", text.removed), ("nothing", text.none)]);
    let tested = last.filter(|_| partner.asked("done") == "tested").map(|last| result(text, last));
    partner.page(Partner::status_of(&form), |page| {
        let called = last.map(|last| {
            let moment = text.called.with(&page.readable_time(&last.at.to_rfc3339()));
            format!("{moment} {} ", result(text, last).text)
        });
        ConsoleForm {
            notice: tested.or(done),
            others: if callback.is_some() { others(partner, app, called) } else { Vec::new() },
            ..ConsoleForm::new(page, head, text.text, form)
        }
    })
}

/// What else there is to do with a call-back.
fn others(partner: &Partner, app: &App, called: Option<String>) -> Vec<(String, Form)> {
    let text = &partner.text().callback;
    let form = |route: &str, label: &str| Form::new(partner.app_page(route, app), partner.csrf(), label);
    let rotate = form(route::CONSOLE_APP_CALLBACK_ROTATE, text.rotate);
    vec![
        (called.unwrap_or_default() + text.test_text, form(route::CONSOLE_APP_CALLBACK_TEST, text.test)),
        (text.rotate_text.to_owned(), rotate.with_hidden("once", once::token(&partner.web().ctx))),
        (text.remove_text.to_owned(), form(route::CONSOLE_APP_CALLBACK_REMOVE, text.remove).dangerous()),
    ]
}

fn result(text: &CallbackTexts, last: &LastCall) -> Notice {
    match last.result {
        CallResult::Allowed => Notice::good(text.allowed.with(&last.took.as_millis().to_string())),
        CallResult::Refused if last.detail.is_empty() => Notice::good(text.refused_silently),
        CallResult::Refused => Notice::good(text.refused.with(&last.detail)),
        CallResult::Failed => Notice::bad(text.failed.with(&last.detail)),
    }
}

pub async fn ask(visit: Visit, Path(id): Path<String>) -> Answer {
    let partner = visit.partner().await?;
    let (app, callback) = find(&partner, &id).await?;
    let form = form(&partner, &app, callback.as_ref());
    Ok(page(&partner, &app, callback.as_ref(), form))
}

async fn find(partner: &Partner, id: &str) -> Result<(App, Option<ActionCallback>), super::Stop> {
    console::callback(&partner.web().ctx, partner.user(), id).await.map_err(|error| partner.failed(&error))
}

pub async fn set(visit: Visit, Path(id): Path<String>, body: Body) -> Answer {
    let (partner, given) = visit.posted(body).await?;
    let (app, callback) = find(&partner, &id).await?;
    let mut form = form(&partner, &app, callback.as_ref());
    let Some((url, on_failure)) = read(&partner, &given, &mut form) else {
        return Ok(page(&partner, &app, callback.as_ref(), form));
    };
    let address = partner.app_page(route::CONSOLE_APP_CALLBACK, &app);
    if callback.is_none() && !partner.sends_first(&given).await? {
        return Ok(see_other(&address));
    }
    match console::set_callback(&partner.acting(), partner.user(), &id, url, on_failure).await {
        Ok(Some(secret)) => Ok(secret_page(&partner, &app, secret, partner.text().callback.saved)),
        Ok(None) => Ok(partner.go(&address, "saved")),
        Err(ConsoleError::NotAllowed(why)) => {
            form.refuse(URL, &sentence(&partner.text().callback, &why));
            Ok(page(&partner, &app, callback.as_ref(), form))
        }
        Err(error) => Err(partner.failed(&error)),
    }
}

fn read(partner: &Partner, given: &Pairs, form: &mut Form) -> Option<(TargetUrl, OnFailure)> {
    let text = &partner.text().callback;
    form.fill(given);
    let (url, on_failure) = (TargetUrl::parse(field(given, URL)), OnFailure::parse(field(given, ON_FAILURE)));
    if url.is_err() {
        form.refuse(URL, text.url_wrong);
    }
    if on_failure.is_none() {
        form.refuse(ON_FAILURE, text.on_failure_missing);
    }
    url.ok().zip(on_failure)
}

fn sentence(text: &CallbackTexts, why: &NotAllowed) -> String {
    match why {
        NotAllowed::Scheme | NotAllowed::NoHost | NotAllowed::Userinfo => text.url_wrong.to_owned(),
        NotAllowed::PlainHttp => text.url_plain.to_owned(),
        NotAllowed::Host { host } | NotAllowed::Address { host, .. } => text.url_not_allowed.with(host),
    }
}

/// The page that shows a secret once.
fn secret_page(partner: &Partner, app: &App, secret: String, sentence: &str) -> Response {
    let text = partner.text();
    partner.page(StatusCode::OK, |page| ConsoleSecret {
        page,
        head: head(partner, app, route::CONSOLE_APP_CALLBACK),
        notice: Some(Notice::good(sentence)),
        secrets: vec![Shown { id: "callback-secret", label: text.callback.secret.to_owned(), value: secret }],
        note: Some(text.callback.secret_note.to_owned()),
        facts_title: text.app.overview.to_owned(),
        facts: vec![Fact::copyable("app-id", text.app_id, app.id.as_str())],
        next: partner.app_page(route::CONSOLE_APP_CALLBACK, app),
        next_label: text.secret.go_on.to_owned(),
    })
}

pub async fn rotate(visit: Visit, Path(id): Path<String>, body: Body) -> Answer {
    let (partner, given) = visit.posted(body).await?;
    let app = partner.app(&id).await?;
    if !partner.sends_first(&given).await? {
        return Ok(see_other(&partner.app_page(route::CONSOLE_APP_CALLBACK, &app)));
    }
    let rotated = console::rotate_callback_secret(&partner.acting(), partner.user(), &id).await;
    let secret = rotated.map_err(|error| partner.failed(&error))?;
    Ok(secret_page(&partner, &app, secret, partner.text().callback.rotated))
}

pub async fn test(visit: Visit, Path(id): Path<String>, body: Body) -> Answer {
    let (partner, _) = visit.posted(body).await?;
    let app = partner.app(&id).await?;
    let tested = console::test_callback(&partner.acting(), partner.user(), &id).await;
    tested.map_err(|error| partner.failed(&error))?;
    Ok(partner.go(&partner.app_page(route::CONSOLE_APP_CALLBACK, &app), "tested"))
}

pub async fn remove(visit: Visit, Path(id): Path<String>, body: Body) -> Answer {
    let (partner, _) = visit.posted(body).await?;
    let app = partner.app(&id).await?;
    let removed = console::remove_callback(&partner.acting(), partner.user(), &id).await;
    let word = if removed.map_err(|error| partner.failed(&error))? { "removed" } else { "nothing" };
    Ok(partner.go(&partner.app_page(route::CONSOLE_APP_CALLBACK, &app), word))
}
