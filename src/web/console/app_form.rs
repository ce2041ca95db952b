//! What is asked of an application, and how the answers are read.

use super::Partner;
use super::addresses::{chosen_scopes, other_scopes, redirect_uris, return_urls, scope_choices};
use crate::domain::app::{App, Inconsistent, MAX_NAME, is_homepage, is_name};
use crate::domain::auth_method::AuthMethod;
use crate::domain::grant_type::GrantType;
use crate::domain::return_url::MAX_RETURN_URL;
use crate::domain::scope::{Scope, ScopeSet};
use crate::services::partner::PartnerError;
use crate::views::messages::AppFormTexts;
use crate::views::{Choice, Form, FormField};
use crate::web::extract::Pairs;
use crate::web::forms::field;

const CONFIDENTIAL: &str = "confidential";
const PUBLIC: &str = "public";

/// The form with an application's answers in it. `submit` is the label of its button.
pub fn form(partner: &Partner, action: String, app: &App, submit: &str, back: String) -> Form {
    let text = &partner.text().form;
    let publisher = if app.publisher == app.name { "" } else { &app.publisher };
    let limit = |field: FormField, length| field.max_length(length);
    Form::new(action, partner.csrf(), submit)
        .back_to(back)
        .with(limit(FormField::text("name", text.name).value(&app.name), MAX_NAME).hint(text.name_hint).required())
        .with(limit(FormField::text("publisher", text.publisher).value(publisher), MAX_NAME).hint(text.publisher_hint))
        .with(
            limit(FormField::url("homepage", text.homepage), MAX_RETURN_URL)
                .value(app.homepage.as_deref().unwrap_or_default()),
        )
        .with(FormField::radios("client", text.client, client_choices(text, app)).under(text.access).required())
        .with(FormField::checks("grants", text.grants, grant_choices(partner, app)))
        .with(
            FormField::checks("scopes", text.scopes, scope_choices(&all_scopes(), &app.scopes, partner.lang()))
                .hint(text.scopes_hint),
        )
        .with(
            FormField::lines("redirect_uris", text.redirect_uris)
                .under(text.addresses)
                .values(&app.redirect_uris)
                .hint(text.redirect_uris_hint),
        )
        .with(
            FormField::lines("post_logout", text.post_logout)
                .values(&app.post_logout_redirect_uris)
                .hint(text.post_logout_hint),
        )
}

fn all_scopes() -> ScopeSet {
    Scope::ALL.into_iter().collect()
}

fn client_choices(text: &AppFormTexts, app: &App) -> Vec<Choice> {
    let is_public = app.auth_method == AuthMethod::None;
    vec![
        Choice::new(CONFIDENTIAL, text.confidential, !is_public).hint(text.confidential_hint),
        Choice::new(PUBLIC, text.public, is_public).hint(text.public_hint),
    ]
}

/// Users' passwords are for clients only where the operator lets them (wire.md B).
fn grant_choices(partner: &Partner, app: &App) -> Vec<Choice> {
    let text = &partner.text().form;
    let may_ask =
        |grant: &GrantType| *grant != GrantType::Password || partner.web().ctx.password_grant || app.has_grant(*grant);
    let choice = |grant: GrantType| {
        Choice::new(grant.short_name(), grant.short_name(), app.has_grant(grant)).hint(text.grant(grant))
    };
    GrantType::ALL.into_iter().filter(may_ask).map(choice).collect()
}

/// The application as it is to be. `None` where something is wrong, which the form then says.
pub fn read(partner: &Partner, given: &Pairs, before: App, form: &mut Form) -> Option<App> {
    form.fill(given);
    let text = partner.text();
    let name = name(given, "name", form, &text.form);
    let publisher = if field(given, "publisher").trim().is_empty() {
        name.clone()
    } else {
        self::name(given, "publisher", form, &text.form)
    };
    let auth_method = auth_method(given, &before, form, &text.form);
    let grant_types = grants(partner, given, &before, form);
    let scopes = scopes(given, &before, form, &text.form);
    let app = App {
        name,
        publisher,
        homepage: homepage(given, form, &text.form),
        auth_method: auth_method.unwrap_or(before.auth_method),
        grant_types,
        scopes,
        redirect_uris: redirect_uris("redirect_uris", given, form, text),
        post_logout_redirect_uris: return_urls("post_logout", given, form, text),
        ..before
    };
    if !form.is_refused()
        && let Err(why) = app.check()
    {
        refuse_inconsistent(form, why, &text.form);
    }
    (!form.is_refused()).then_some(app)
}

fn name(given: &Pairs, what: &'static str, form: &mut Form, text: &AppFormTexts) -> String {
    let name = field(given, what).trim();
    if !is_name(name) {
        form.refuse(what, &text.name_bad.with(&MAX_NAME.to_string()));
    }
    name.to_owned()
}

fn homepage(given: &Pairs, form: &mut Form, text: &AppFormTexts) -> Option<String> {
    let homepage = field(given, "homepage").trim();
    if !homepage.is_empty() && !is_homepage(homepage) {
        form.refuse("homepage", text.homepage_bad);
    }
    (!homepage.is_empty()).then(|| homepage.to_owned())
}

/// A client that authenticates with a key, which an operator set up, goes on doing so.
fn auth_method(given: &Pairs, before: &App, form: &mut Form, text: &AppFormTexts) -> Option<AuthMethod> {
    match field(given, "client") {
        CONFIDENTIAL if before.auth_method == AuthMethod::None => Some(AuthMethod::ClientSecretBasic),
        CONFIDENTIAL => Some(before.auth_method),
        PUBLIC => Some(AuthMethod::None),
        _ => {
            form.refuse("client", text.client_missing);
            None
        }
    }
}

fn grants(partner: &Partner, given: &Pairs, before: &App, form: &mut Form) -> Vec<GrantType> {
    let text = &partner.text().form;
    let offered = grant_choices(partner, before);
    let names: Vec<&str> = given.iter().filter(|(name, _)| *name == "grants").map(|(_, value)| value).collect();
    let is_offered = |name: &&str| offered.iter().any(|choice| choice.value == **name);
    if names.is_empty() {
        form.refuse("grants", text.grants_missing);
    } else if !names.iter().all(is_offered) {
        form.refuse("grants", text.unknown_choice);
    }
    GrantType::ALL.into_iter().filter(|grant| names.contains(&grant.short_name())).collect()
}

fn scopes(given: &Pairs, before: &App, form: &mut Form, text: &AppFormTexts) -> ScopeSet {
    let Some(chosen) = chosen_scopes(given) else {
        form.refuse("scopes", text.unknown_choice);
        return before.scopes.clone();
    };
    chosen.iter().chain(other_scopes(before)).collect()
}

fn refuse_inconsistent(form: &mut Form, why: Inconsistent, text: &AppFormTexts) {
    let place = match why {
        Inconsistent::PublicWithClientCredentials => "grants",
        Inconsistent::NoKeys => "client",
    };
    form.refuse(place, text.inconsistent(why));
}

/// Says beside the form what was found out only when the application was written. `false` where it is nothing of the kind.
pub fn refuse(form: &mut Form, error: &PartnerError, text: &AppFormTexts) -> bool {
    match error {
        PartnerError::TooManyApps(most) => form.refuse("", &text.too_many_apps.with(&most.to_string())),
        PartnerError::Inconsistent(why) => refuse_inconsistent(form, *why, text),
        _ => return false,
    }
    true
}
