//! The tables of a seed file, one function for each.

use super::client;
use super::leads;
use super::values::{self, MAX_ENTRIES, Unique};
use super::{Reference, SeedAccount, SeedApp, SeedButton, SeedFile, SeedPassword, SeedUser};
use crate::config::document::{Document, Located, Section};
use crate::config::expected;
use crate::domain::email::Email;
use crate::domain::role::Role;
use crate::domain::scope::ScopeSet;

/// What must not come twice, across the whole file.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) accounts: Unique,
    api_keys: Unique,
    users: Unique,
    apps: Unique,
    buttons: Unique,
    pub(super) lead_types: Unique,
    pub(super) sources: Unique,
    pub(super) campaigns: Unique,
}

pub fn seed_file<'t>(document: &mut Document<'t>, root: &Section<'_, 't>) -> SeedFile {
    root.refuse_unknown(document, &["accounts", "users", "apps", "lead_types", "sources", "campaigns"]);
    let mut seen = Seen::default();
    // In this order, whatever the order in the file: what is mentioned is read before what mentions it.
    SeedFile {
        accounts: entries(document, root, "accounts", |document, section| account(document, section, &mut seen)),
        users: entries(document, root, "users", |document, section| user(document, section, &mut seen)),
        apps: entries(document, root, "apps", |document, section| app(document, section, &mut seen)),
        lead_types: entries(document, root, "lead_types", |d, section| leads::lead_type(d, section, &mut seen)),
        sources: entries(document, root, "sources", |d, section| leads::source(d, section, &mut seen)),
        campaigns: entries(document, root, "campaigns", |d, section| leads::campaign(d, section, &mut seen)),
    }
}

fn entries<'t, T>(
    document: &mut Document<'t>,
    parent: &Section<'_, 't>,
    name: &str,
    mut read: impl FnMut(&mut Document<'t>, &Section<'_, 't>) -> Option<T>,
) -> Vec<T> {
    let sections = parent.tables(document, name);
    if sections.len() > MAX_ENTRIES {
        let at = sections[MAX_ENTRIES].location();
        document.fault(&at, format!("found {} entries", sections.len()), format!("at most {MAX_ENTRIES}"));
        return Vec::new();
    }
    sections.iter().filter_map(|section| read(document, section)).collect()
}

fn account<'t>(document: &mut Document<'t>, section: &Section<'_, 't>, seen: &mut Seen) -> Option<SeedAccount> {
    section.refuse_unknown(document, &["id", "name", "api_keys"]);
    let id = section.text(document, "id");
    let id_is_given = id.is_some();
    let id = values::parsed(document, id, expected::account_id);
    let given_name = section.required_text(document, "name");
    let name = values::name(document, given_name.clone());
    if let Some(id) = &id {
        seen.accounts.take(document, id, id.value.as_str(), "another id");
    }
    if let (false, Some(name)) = (id_is_given, &given_name) {
        seen.accounts.take(document, name, &name.value, "another name, or an id for one of the two");
    }
    let api_keys = values::list(document, section, "api_keys", |document, key| {
        let is_new = seen.api_keys.take(document, &key, &key.value, "a key of its own for each account");
        values::secret(document, key, expected::ascii_secret).filter(|_| is_new)
    });
    Some(SeedAccount { id: id.map(|id| id.value), name: name?, api_keys: api_keys.map(|keys| keys.value) })
}

fn user<'t>(document: &mut Document<'t>, section: &Section<'_, 't>, seen: &mut Seen) -> Option<SeedUser> {
    section.refuse_unknown(document, &["email", "password", "password_hash", "name", "account", "role"]);
    let email = section.required_text(document, "email");
    let email = values::email(document, email);
    if let Some(email) = &email {
        seen.users.take(document, email, email.value.as_str(), "one entry for each address");
    }
    let password = password(document, section);
    let name = section.required_text(document, "name");
    let name = values::name(document, name);
    let account = section.required_text(document, "account").map(|account| {
        let in_file = seen.accounts.contains(&account.value);
        reference(document, account, in_file)
    });
    let given_role = section.text(document, "role");
    let role = match given_role {
        None => Some(Role::Member),
        given => values::parsed(document, given, expected::role).map(|role| role.value),
    };
    Some(SeedUser { email: email?.value, password: password?, name: name?, account: account?, role: role? })
}

fn password<'t>(document: &mut Document<'t>, section: &Section<'_, 't>) -> Option<SeedPassword> {
    match (section.text(document, "password"), section.text(document, "password_hash")) {
        (Some(plain), None) => values::secret(document, plain, expected::password).map(SeedPassword::Plain),
        (None, Some(hash)) => values::secret(document, hash, expected::password_hash).map(SeedPassword::Hash),
        (Some(_), Some(hash)) => {
            document.fault(&hash, "found `password_hash` beside `password`", "one of the two");
            None
        }
        (None, None) => {
            if !section.has("password") && !section.has("password_hash") {
                let at = section.location();
                document.fault(&at, "`password` is missing", "`password` or `password_hash`");
            }
            None
        }
    }
}

fn app<'t>(document: &mut Document<'t>, section: &Section<'_, 't>, seen: &mut Seen) -> Option<SeedApp> {
    section.refuse_unknown(
        document,
        &[&["id", "name", "publisher", "owner", "disabled", "buttons"], client::KEYS].concat(),
    );
    let id = section.required_text(document, "id");
    let id = values::parsed(document, id, expected::app_id);
    if let Some(id) = &id {
        seen.apps.take(document, id, id.value.as_str(), "one entry for each application");
    }
    let name = section.required_text(document, "name");
    let name = values::name(document, name);
    let publisher = section.text(document, "publisher");
    let publisher = if publisher.is_some() { values::name(document, publisher) } else { name.clone() };
    let client = client::client(document, section);
    let owner = section.text(document, "owner");
    let owner = owner_reference(document, owner, seen);
    let is_disabled = section.boolean(document, "disabled").map(|switch| switch.value);
    let buttons =
        entries(document, section, "buttons", |document, section| button(document, section, &client.scopes, seen));
    Some(SeedApp { id: id?.value, name: name?, publisher: publisher?, client, owner, is_disabled, buttons })
}

fn owner_reference(
    document: &mut Document<'_>,
    given: Option<Located<String>>,
    seen: &Seen,
) -> Option<Reference<Email>> {
    let email = values::email(document, given)?;
    let in_file = seen.users.contains(email.value.as_str());
    Some(reference(document, email, in_file))
}

pub(super) fn reference<T>(document: &Document<'_>, to: Located<T>, in_file: bool) -> Reference<T> {
    Reference { place: document.place(to.offset), key: to.key, to: to.value, in_file }
}

fn button<'t>(
    document: &mut Document<'t>,
    section: &Section<'_, 't>,
    app_scopes: &ScopeSet,
    seen: &mut Seen,
) -> Option<SeedButton> {
    section.refuse_unknown(document, &["id", "origins", "return_urls", "scopes", "theme", "size"]);
    let id = section.required_text(document, "id");
    let id = values::parsed(document, id, expected::button_id);
    if let Some(id) = &id {
        seen.buttons.take(document, id, id.value.as_str(), "an id of its own for each button of all applications");
    }
    let origins = values::list(document, section, "origins", values::element(expected::origin));
    if !section.has("origins") {
        let at = section.location();
        document.fault(&at, "`origins` is missing", "the origins of the pages that the button stands on");
    }
    let return_urls = values::list(document, section, "return_urls", values::element(expected::return_url));
    let scopes = values::scopes(document, section, Some(app_scopes));
    let (theme, size) = (section.text(document, "theme"), section.text(document, "size"));
    Some(SeedButton {
        theme: values::parsed(document, theme, expected::theme).map(|theme| theme.value),
        size: values::parsed(document, size, expected::size).map(|size| size.value),
        id: id?.value,
        origins: origins?.value,
        return_urls: return_urls.map(|urls| urls.value).unwrap_or_default(),
        scopes,
    })
}
