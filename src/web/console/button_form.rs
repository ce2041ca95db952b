//! What is asked of a button, and how the answers are read.

use super::Partner;
use super::addresses::{chosen_scopes, origins, return_urls, scope_choices};
use crate::domain::app::App;
use crate::domain::button::{Button, Size, Theme};
use crate::domain::ids::{AppId, ButtonId, MAX_TEXT_ID};
use crate::domain::scope::ScopeSet;
use crate::services::partner::{NewButton, PartnerError};
use crate::views::messages::ConsoleTexts;
use crate::views::{Choice, Form, FormField};
use crate::web::extract::Pairs;
use crate::web::forms::field;

/// A button before anything was said of it.
pub fn draft(app: &AppId) -> NewButton {
    NewButton {
        id: None,
        app: app.clone(),
        origins: Vec::new(),
        return_urls: Vec::new(),
        scopes: None,
        theme: Theme::default(),
        size: Size::default(),
    }
}

/// What of a button can be edited.
pub fn of(button: &Button) -> NewButton {
    NewButton {
        id: Some(button.id.clone()),
        app: button.app.clone(),
        origins: button.origins.clone(),
        return_urls: button.return_urls.clone(),
        scopes: button.scopes.clone(),
        theme: button.theme,
        size: button.size,
    }
}

/// The form with a button's answers in it; the id is asked for while there is none.
pub fn form(partner: &Partner, form: Form, app: &App, button: &NewButton) -> Form {
    let text = &partner.text().button;
    let form = match button.id {
        Some(_) => form,
        None => form.with(FormField::text("id", text.id).max_length(MAX_TEXT_ID).hint(text.id_hint)),
    };
    let chosen = button.scopes.clone().unwrap_or_default();
    let scopes = scope_choices(&app.scopes, &chosen, partner.lang());
    let themes = Theme::ALL.map(|theme| Choice::new(theme.as_str(), text.theme(theme), theme == button.theme));
    let sizes = Size::ALL.map(|size| Choice::new(size.as_str(), text.size(size), size == button.size));
    form.with(FormField::lines("origins", text.origins).values(&button.origins).hint(text.origins_hint).required())
        .with(FormField::lines("return_urls", text.return_urls).values(&button.return_urls).hint(text.return_urls_hint))
        .with(FormField::checks("scopes", text.scopes, scopes).hint(text.scopes_hint))
        .with(FormField::select("theme", text.theme, themes.into()).under(text.look))
        .with(FormField::select("size", text.size, sizes.into()))
}

/// The button as it is to be. `None` where something is wrong, which the form then says.
pub fn read(partner: &Partner, given: &Pairs, before: NewButton, app: &App, form: &mut Form) -> Option<NewButton> {
    form.fill(given);
    let text = partner.text();
    let button = NewButton {
        id: before.id.or_else(|| id(given, form, text)),
        origins: origins("origins", given, form, text),
        return_urls: return_urls("return_urls", given, form, text),
        scopes: scopes(given, app, form, text),
        theme: chosen(given, "theme", Theme::parse, form, text).unwrap_or_default(),
        size: chosen(given, "size", Size::parse, form, text).unwrap_or_default(),
        ..before
    };
    if !form.is_refused() && button.origins.is_empty() {
        form.refuse("origins", text.button.origin_missing);
    }
    (!form.is_refused()).then_some(button)
}

fn id(given: &Pairs, form: &mut Form, text: &ConsoleTexts) -> Option<ButtonId> {
    let id = field(given, "id").trim();
    if id.is_empty() {
        return None;
    }
    let parsed = ButtonId::parse(id).ok();
    if parsed.is_none() {
        form.refuse("id", text.button.id_bad);
    }
    parsed
}

/// `None` where nothing was chosen: all that the application has.
fn scopes(given: &Pairs, app: &App, form: &mut Form, text: &ConsoleTexts) -> Option<ScopeSet> {
    let chosen = chosen_scopes(given).filter(|chosen| app.scopes.covers(chosen));
    if chosen.is_none() {
        form.refuse("scopes", &text.button.scopes_too_wide.with(&app.scopes.to_string()));
    }
    chosen.filter(|chosen| !chosen.is_empty())
}

fn chosen<T>(
    given: &Pairs,
    name: &'static str,
    parse: fn(&str) -> Option<T>,
    form: &mut Form,
    text: &ConsoleTexts,
) -> Option<T> {
    let chosen = parse(field(given, name));
    if chosen.is_none() {
        form.refuse(name, text.form.unknown_choice);
    }
    chosen
}

/// Says beside the form what was found out only when the button was written. `false` where it is nothing of the kind.
pub fn refuse(form: &mut Form, error: &PartnerError, text: &ConsoleTexts) -> bool {
    match error {
        PartnerError::ButtonTaken => form.refuse("id", text.button.id_taken),
        PartnerError::TooManyButtons(most) => form.refuse("", &text.button.too_many.with(&most.to_string())),
        PartnerError::WiderButton { scopes, .. } => {
            form.refuse("scopes", &text.button.scopes_too_wide.with(&scopes.to_string()));
        }
        _ => return false,
    }
    true
}
