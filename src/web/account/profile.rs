//! Who one is, and under which name.

use axum::response::Response;

use super::super::forms::{field, see_other};
use super::super::urls::route;
use super::super::visitor::{Answer, Posted, Visit};
use super::super::{Web, page};
use super::{Sheet, shown, status_of};
use crate::domain::app::{MAX_NAME, is_name};
use crate::domain::role::Role;
use crate::services::account::profile::{self, ProfileError};
use crate::services::login::SignedIn;
use crate::views::messages::ProfileTexts;
use crate::views::{AccountForm, Fact, Form, FormField, Problem};

pub async fn show(visit: Visit) -> Answer {
    let sheet = Sheet::of(&visit, route::ACCOUNT_PROFILE).await?;
    let is_saved = !visit.asked("saved").is_empty();
    let saved = is_saved.then(|| sheet.text().profile.saved.to_owned());
    let form = form(&visit.web, &sheet, &visit.signed_in);
    Ok(answer(sheet.noting(saved), &visit.signed_in, form))
}

pub async fn save(Posted { visit, form: given }: Posted) -> Answer {
    let sheet = Sheet::of(&visit, route::ACCOUNT_PROFILE).await?;
    let (web, signed_in) = (&visit.web, &visit.signed_in);
    let mut form = form(web, &sheet, signed_in);
    form.fill(&given);
    let (name, account) = (field(&given, "name").trim(), field(&given, "account_name").trim());
    let wrong = sheet.text().profile.name_wrong.with(&MAX_NAME.to_string());
    if !is_name(name) {
        form.refuse("name", &wrong);
    }
    if sheet.belonging.is_own && !is_name(account) {
        form.refuse("account_name", &wrong);
    }
    if form.is_refused() {
        return Ok(answer(sheet, signed_in, form));
    }
    let account_name = sheet.belonging.is_own.then(|| account.to_owned());
    match profile::rename(&visit.acting(), &signed_in.user, name.to_owned(), account_name).await {
        Ok(()) => Ok(see_other(&web.urls.path(&format!("{}?saved=1", route::ACCOUNT_PROFILE)))),
        Err(ProfileError::Store(error)) => Err(visit.failed(&error)),
        Err(ProfileError::Gone) => Err(page::error(web, &visit.headers, None, Problem::FormOutdated, None).into()),
    }
}

fn form(web: &Web, sheet: &Sheet, signed_in: &SignedIn) -> Form {
    let text = &sheet.text().profile;
    let name = FormField::text("name", text.name).value(&signed_in.user.name).autocomplete("name");
    let form = Form::new(web.urls.path(route::ACCOUNT_PROFILE), &sheet.head.csrf, text.submit)
        .with(name.max_length(MAX_NAME).required());
    if !sheet.belonging.is_own {
        return form;
    }
    let account = FormField::text("account_name", text.account_name).value(&sheet.belonging.account.name);
    form.with(account.autocomplete("organization").max_length(MAX_NAME).required())
}

fn answer(sheet: Sheet, signed_in: &SignedIn, form: Form) -> Response {
    let text = &sheet.text().profile;
    let nonce = sheet.page.nonce.clone();
    let view = AccountForm {
        title: text.title,
        intro: text.intro,
        ends: Vec::new(),
        note: (!sheet.belonging.is_own).then_some(text.account_shared),
        facts: facts(&sheet, signed_in),
        page: sheet.page,
        head: sheet.head,
        form,
    };
    shown(status_of(view.form.is_refused()), &nonce, &view)
}

fn facts(sheet: &Sheet, signed_in: &SignedIn) -> Vec<Fact> {
    let (text, user) = (&sheet.text().profile, &signed_in.user);
    let since = sheet.page.readable_time(&user.created_at.to_rfc3339());
    let mut facts = vec![
        Fact::new(text.email, user.email.as_str()),
        Fact::new(text.role, role(text, user.role)),
        Fact::new(text.since, since),
    ];
    if !sheet.belonging.is_own {
        facts.push(Fact::new(text.account_name, &sheet.belonging.account.name));
    }
    facts
}

fn role(text: &ProfileTexts, role: Role) -> &'static str {
    match role {
        Role::Member => text.member,
        Role::Partner => text.partner,
        Role::Admin => text.admin,
    }
}
