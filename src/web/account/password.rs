//! Another password, and what ends with the old one.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;

use super::super::error::retry_after_header;
use super::super::extract::Pairs;
use super::super::forms::{field, see_other};
use super::super::login::{browser, login_failed, refuse_busy};
use super::super::urls::route;
use super::super::visitor::{Answer, Posted, Visit};
use super::super::{Web, cookies};
use super::{Sheet, shown, status_of};
use crate::domain::user::{PasswordProblem, check_password};
use crate::services::account::password;
use crate::services::login::LoginError;
use crate::services::throttle::TooMany;
use crate::views::messages::PasswordTexts;
use crate::views::{AccountForm, Form, FormField, Page};

const PRESENT: &str = "present_password";
const NEW: &str = "new_password";
const AGAIN: &str = "new_password_again";

pub async fn show(visit: Visit) -> Answer {
    let sheet = Sheet::of(&visit, route::ACCOUNT_PASSWORD).await?;
    let is_changed = !visit.asked("changed").is_empty();
    let changed = is_changed.then(|| sheet.text().password.changed.to_owned());
    let form = form(&visit.web, &sheet);
    Ok(answer(sheet.noting(changed), form, None))
}

pub async fn change(Posted { visit, form: given }: Posted) -> Answer {
    let sheet = Sheet::of(&visit, route::ACCOUNT_PASSWORD).await?;
    let (web, signed_in) = (&visit.web, &visit.signed_in);
    let mut form = form(web, &sheet);
    check(&mut form, &sheet.page, &given, signed_in.user.email.as_str());
    if form.is_refused() {
        return Ok(answer(sheet, form, None));
    }
    let (present, new) = (field(&given, PRESENT), field(&given, NEW));
    let browser = browser(&visit.headers, &visit.extensions);
    match password::change(&visit.acting(), signed_in, present, new, &browser).await {
        Ok(session) => {
            let mut response = see_other(&web.urls.path(&format!("{}?changed=1", route::ACCOUNT_PASSWORD)));
            cookies::set(response.headers_mut(), cookies::signed_in(web, session));
            Ok(response)
        }
        Err(LoginError::WrongCredentials) => {
            form.refuse(PRESENT, sheet.text().password.present_wrong);
            Ok(answer(sheet, form, None))
        }
        Err(LoginError::TooMany(TooMany { retry_after })) => {
            let seconds = retry_after.as_secs().max(1).to_string();
            form.refuse("", &sheet.page.text().login.too_many_attempts.with(&seconds));
            Ok(answer(sheet, form, Some((StatusCode::TOO_MANY_REQUESTS, retry_after))))
        }
        Err(LoginError::Busy(busy)) => {
            refuse_busy(&mut form, &sheet.page, route::ACCOUNT_PASSWORD, busy);
            Ok(answer(sheet, form, Some((StatusCode::SERVICE_UNAVAILABLE, busy.retry_after))))
        }
        Err(error) => Err(login_failed(web, &visit.headers, error).into()),
    }
}

fn form(web: &Web, sheet: &Sheet) -> Form {
    let text = &sheet.text().password;
    Form::new(web.urls.path(route::ACCOUNT_PASSWORD), &sheet.head.csrf, text.submit)
        .with(FormField::password(PRESENT, text.present, "current-password").required())
        .with(FormField::password(NEW, text.new, "new-password").hint(text.new_hint).required())
        .with(FormField::password(AGAIN, text.again, "new-password").required())
}

/// What can be said without looking at the present password.
fn check(form: &mut Form, page: &Page, given: &Pairs, email: &str) {
    let text = &page.text().account.password;
    let (present, new) = (field(given, PRESENT), field(given, NEW));
    if present.is_empty() {
        form.refuse(PRESENT, page.text().login.password_missing);
    }
    if let Err(problem) = check_password(new, email) {
        form.refuse(NEW, problem_text(text, problem));
    } else if new == present {
        form.refuse(NEW, text.same);
    } else if new != field(given, AGAIN) {
        form.refuse(AGAIN, text.differs);
    }
}

/// What is wrong with a password that somebody chose.
pub fn problem_text(text: &PasswordTexts, problem: PasswordProblem) -> &'static str {
    match problem {
        PasswordProblem::TooShort => text.too_short,
        PasswordProblem::TooLong => text.too_long,
        PasswordProblem::IsEmail => text.is_email,
    }
}

/// `later`: the status where the same may be sent again after a while.
fn answer(sheet: Sheet, form: Form, later: Option<(StatusCode, Duration)>) -> Response {
    let text = &sheet.text().password;
    let nonce = sheet.page.nonce.clone();
    let view = AccountForm {
        title: text.title,
        intro: text.intro,
        ends: text.ends.to_vec(),
        note: Some(text.stays),
        facts: Vec::new(),
        page: sheet.page,
        head: sheet.head,
        form,
    };
    match later {
        Some((status, span)) => retry_after_header(shown(status, &nonce, &view), span),
        None => shown(status_of(view.form.is_refused()), &nonce, &view),
    }
}
