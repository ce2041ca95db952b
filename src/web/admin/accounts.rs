//! `/admin/accounts`: LeadExec's customers, with their API keys.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::routing::{MethodRouter, get};

use super::super::Web;
use super::super::extract::Pairs;
use super::super::forms::field;
use super::super::urls::route;
use super::visit::{Answer, Posted, Stop, Visit};
use super::{events, list};
use crate::config::expected;
use crate::domain::account::Account;
use crate::domain::app::MAX_NAME;
use crate::domain::event::{Action, TargetKind};
use crate::domain::ids::{AccountId, MAX_TEXT_ID};
use crate::services::accounts::{self, AccountError, ApiKey, NewAccount};
use crate::services::leads;
use crate::views::messages::done;
use crate::views::{ActionLink, AdminPart, Cell, Confirmation, Fact, Form, FormField, Shown, Tab, Table};

pub fn routes() -> Router<Arc<Web>> {
    Router::new()
        .route(route::ADMIN_ACCOUNTS, get(show_all))
        .route(route::ADMIN_NEW_ACCOUNT, get(new).post(add))
        .route(route::ADMIN_ACCOUNT, get(show))
        .route(route::ADMIN_ACCOUNT_EDIT, get(edit).post(rename))
        .route(route::ADMIN_ACCOUNT_ADD_KEY, question(Deed::AddKey))
        .route(route::ADMIN_ACCOUNT_REPLACE_KEYS, question(Deed::ReplaceKeys))
        .route(route::ADMIN_ACCOUNT_REMOVE_KEY, get(ask_remove).post(remove))
        .route(route::ADMIN_ACCOUNT_DELETE, question(Deed::Delete))
}

async fn find(visit: &Visit, id: &str) -> Result<Account, Stop> {
    let id = AccountId::parse(id).map_err(|_| visit.nothing_here())?;
    accounts::find(&visit.web.ctx, &id).await.map_err(|error| stopped(visit, error))
}

fn stopped(visit: &Visit, error: AccountError) -> Stop {
    match error {
        AccountError::Unknown | AccountError::UnknownKey => visit.nothing_here(),
        AccountError::Store(error) => visit.failed(&error),
        other => visit.broke(&other),
    }
}

fn refuse(visit: &Visit, form: &mut Form, error: AccountError) -> Result<(), Stop> {
    let text = visit.text();
    match error {
        AccountError::Taken => form.refuse("id", text.account_taken),
        AccountError::HasUsers => form.refuse("", text.account_has_users),
        AccountError::TooManyKeys => form.refuse("", text.too_many_keys),
        other => return Err(stopped(visit, other)),
    }
    Ok(())
}

async fn show_all(visit: Visit) -> Answer {
    let text = visit.text();
    let path = visit.path(route::ADMIN_ACCOUNTS);
    let after = AccountId::parse(visit.asked("after")).ok();
    let found = accounts::search(&visit.web.ctx, list::looked_for(&visit, "q"), after, list::READ).await;
    let found = found.map_err(|error| visit.failed(&error))?;
    let (found, pager) = list::page(&visit, &path, found, |account| account.id.to_string());
    let row = |account: &Account| {
        vec![
            Cell::link(account.name.as_str(), visit.at(route::ADMIN_ACCOUNT, &account.id)),
            Cell::code(account.id.as_str()),
        ]
    };
    let table = Table {
        caption: text.accounts.to_owned(),
        columns: [text.name, text.id].map(str::to_owned).into(),
        rows: found.iter().map(row).collect(),
    };
    let mut view = visit.draw(text.accounts);
    view.links = vec![Tab::new(text.new_account, visit.path(route::ADMIN_NEW_ACCOUNT), false)];
    let fields = vec![FormField::text("q", text.find_account).max_length(200)];
    view.parts = vec![AdminPart::Filter(list::filter(&visit, &path, fields)), list::table(&visit, table), pager];
    visit.show(&view)
}

async fn show(visit: Visit, Path(id): Path<String>) -> Answer {
    let text = visit.text();
    let account = find(&visit, &id).await?;
    let overview = accounts::overview(&visit.web.ctx, &account.id).await.map_err(|error| visit.failed(&error))?;
    let log = events::newest_of(&visit, TargetKind::Account, account.id.as_str()).await?;
    let mut view = visit.draw(account.name.as_str());
    let leads = leads::count(&visit.web.ctx, &account.id).await.map_err(|error| visit.failed(&error))?;
    let its_leads = list::narrowed(&visit.path(route::ADMIN_LEADS), [("account", account.id.as_str())]);
    let users = list::narrowed(&visit.path(route::ADMIN_USERS), [("account", account.id.as_str())]);
    view.links = vec![
        Tab::new(text.users_of_account.with(&overview.users.to_string()), users, false),
        Tab::new(text.leads_of_account.with(&leads.to_string()), its_leads, false),
        Tab::new(text.rename, visit.at(route::ADMIN_ACCOUNT_EDIT, &account.id), false),
    ];
    let facts = vec![Fact::new(text.name, account.name.as_str()), Fact::code(text.id, account.id.as_str())];
    view.parts = vec![
        AdminPart::Facts(facts),
        AdminPart::Heading(text.api_keys.to_owned()),
        AdminPart::Text(text.api_keys_text.to_owned()),
        list::table(&visit, keys(&visit, &account, &overview.api_keys)),
        AdminPart::Heading(text.last_events.to_owned()),
        log,
        AdminPart::Actions([Deed::AddKey, Deed::ReplaceKeys, Deed::Delete].map(|d| d.link(&visit, &account)).into()),
    ];
    visit.show(&view)
}

fn keys(visit: &Visit, account: &Account, keys: &[ApiKey]) -> Table {
    let text = visit.text();
    let row = |key: &ApiKey| {
        let address = visit.at(route::ADMIN_ACCOUNT_REMOVE_KEY, &account.id).replace("{key}", &key.fingerprint);
        vec![
            Cell::code(key.fingerprint.as_str()),
            Cell::Time(key.added_at.to_rfc3339()),
            Cell::Link { text: text.remove.to_owned(), address },
        ]
    };
    Table {
        caption: text.api_keys.to_owned(),
        columns: vec![text.fingerprint.to_owned(), text.since.to_owned(), String::new()],
        rows: keys.iter().map(row).collect(),
    }
}

fn new_form(visit: &Visit) -> Form {
    let text = visit.text();
    visit
        .form(visit.path(route::ADMIN_NEW_ACCOUNT), text.create)
        .with(FormField::text("name", text.name).max_length(MAX_NAME).required())
        .with(FormField::text("id", text.id).max_length(MAX_TEXT_ID).hint(text.id_hint))
        .back_to(visit.path(route::ADMIN_ACCOUNTS))
}

/// The name that was typed; what is wrong with it is said in the form.
fn name(visit: &Visit, form: &mut Form, given: &Pairs) -> Option<String> {
    let text = visit.text();
    form.fill(given);
    let given = field(given, "name").trim();
    match expected::name(given) {
        Ok(name) => Some(name),
        Err(_) => {
            form.refuse("name", if given.is_empty() { text.name_missing } else { text.name_wrong });
            None
        }
    }
}

async fn new(visit: Visit) -> Answer {
    visit.ask(visit.text().new_account, Some(visit.text().new_account_text), new_form(&visit))
}

async fn add(Posted { visit, form: given }: Posted) -> Answer {
    let text = visit.text();
    let mut form = new_form(&visit);
    let name = name(&visit, &mut form, &given);
    let id = match field(&given, "id").trim() {
        "" => Ok(None),
        id => AccountId::parse(id).map(Some),
    };
    if id.is_err() {
        form.refuse("id", text.id_hint);
    }
    if let (Some(name), Ok(id)) = (name, id) {
        match accounts::add(&visit.acting(), NewAccount { id, name, api_keys: None }).await {
            Ok((account, made)) => return show_key(&visit, &account, Action::AccountCreated, made.unwrap_or_default()),
            Err(error) => refuse(&visit, &mut form, error)?,
        }
    }
    visit.ask(text.new_account, Some(text.new_account_text), form)
}

/// A fresh API key, the only time.
fn show_key(visit: &Visit, account: &Account, action: Action, key: String) -> Answer {
    let text = visit.text();
    let mut view = visit.draw(done(visit.page.lang, action));
    view.links = vec![Tab::new(text.to_account, visit.at(route::ADMIN_ACCOUNT, &account.id), false)];
    view.parts = vec![
        AdminPart::Shown(vec![Shown { id: "made-key", label: text.api_key.to_owned(), value: key }]),
        AdminPart::Facts(vec![Fact::new(text.name, account.name.as_str()), Fact::code(text.id, account.id.as_str())]),
    ];
    visit.show(&view)
}

fn edit_form(visit: &Visit, account: &Account) -> Form {
    let text = visit.text();
    visit
        .form(visit.at(route::ADMIN_ACCOUNT_EDIT, &account.id), text.save)
        .with(FormField::text("name", text.name).max_length(MAX_NAME).value(account.name.as_str()).required())
        .back_to(visit.at(route::ADMIN_ACCOUNT, &account.id))
}

async fn edit(visit: Visit, Path(id): Path<String>) -> Answer {
    let account = find(&visit, &id).await?;
    let form = edit_form(&visit, &account);
    visit.ask(&account.name, None, form)
}

async fn rename(Path(id): Path<String>, Posted { visit, form: given }: Posted) -> Answer {
    let account = find(&visit, &id).await?;
    let mut form = edit_form(&visit, &account);
    if let Some(name) = name(&visit, &mut form, &given) {
        match accounts::change(&visit.acting(), &account.id, Some(name), None).await {
            Ok(_) => return visit.done(Action::AccountChanged, &visit.at(route::ADMIN_ACCOUNT, &account.id)),
            Err(error) => refuse(&visit, &mut form, error)?,
        }
    }
    visit.ask(&account.name, None, form)
}

/// What can be done with an account, once a page has asked whether it should be.
#[derive(Clone, Copy)]
enum Deed {
    AddKey,
    ReplaceKeys,
    Delete,
}

impl Deed {
    const fn route(self) -> &'static str {
        match self {
            Self::AddKey => route::ADMIN_ACCOUNT_ADD_KEY,
            Self::ReplaceKeys => route::ADMIN_ACCOUNT_REPLACE_KEYS,
            Self::Delete => route::ADMIN_ACCOUNT_DELETE,
        }
    }

    /// What it comes to, and the button.
    fn words(self, visit: &Visit) -> [&'static str; 2] {
        let text = visit.text();
        match self {
            Self::AddKey => [text.add_key_text, text.add_key],
            Self::ReplaceKeys => [text.replace_keys_text, text.replace_keys],
            Self::Delete => [text.delete_account_text, text.delete],
        }
    }

    fn link(self, visit: &Visit, account: &Account) -> ActionLink {
        let [text, label] = self.words(visit);
        let address = visit.at(self.route(), &account.id);
        let is_dangerous = !matches!(self, Self::AddKey);
        ActionLink { title: label.to_owned(), label: label.to_owned(), text: text.to_owned(), address, is_dangerous }
    }
}

fn question(deed: Deed) -> MethodRouter<Arc<Web>> {
    let ask = move |visit: Visit, Path(id): Path<String>| async move {
        let account = find(&visit, &id).await?;
        visit.confirm(confirmation(&visit, &account, deed).await?)
    };
    get(ask).post(move |Path(id): Path<String>, Posted { visit, .. }: Posted| async move {
        let account = find(&visit, &id).await?;
        act(&visit, &account, deed).await
    })
}

async fn confirmation(visit: &Visit, account: &Account, deed: Deed) -> Result<Confirmation, Stop> {
    let [text, submit] = deed.words(visit);
    let link = deed.link(visit, account);
    let overview = accounts::overview(&visit.web.ctx, &account.id).await.map_err(|error| visit.failed(&error))?;
    let keys = overview.api_keys.iter().map(|key| visit.text().api_key_called.with(&key.fingerprint));
    let ends = if link.is_dangerous { keys.collect() } else { Vec::new() };
    let mut form = visit.form(link.address, submit).back_to(visit.at(route::ADMIN_ACCOUNT, &account.id));
    form.is_dangerous = link.is_dangerous;
    Ok(Confirmation { title: format!("{submit}: {}", account.name), text: text.to_owned(), ends, form })
}

async fn act(visit: &Visit, account: &Account, deed: Deed) -> Answer {
    let acting = visit.acting();
    let outcome = match deed {
        Deed::AddKey => accounts::add_api_key(&acting, &account.id).await.map(Some),
        Deed::ReplaceKeys => accounts::replace_api_keys(&acting, &account.id).await.map(Some),
        Deed::Delete => accounts::delete(&acting, &account.id).await.map(|()| None),
    };
    match outcome {
        Ok(Some(key)) => show_key(visit, account, Action::AccountChanged, key),
        Ok(None) => visit.done(Action::AccountDeleted, &visit.path(route::ADMIN_ACCOUNTS)),
        Err(error) => {
            let mut again = confirmation(visit, account, deed).await?;
            refuse(visit, &mut again.form, error)?;
            visit.confirm(again)
        }
    }
}

/// The account, and the one of its keys that an address names.
async fn find_key(visit: &Visit, id: &str, key: &str) -> Result<(Account, ApiKey), Stop> {
    let account = find(visit, id).await?;
    let overview = accounts::overview(&visit.web.ctx, &account.id).await.map_err(|error| visit.failed(&error))?;
    let key = overview.api_keys.into_iter().find(|one| one.fingerprint == key).ok_or_else(|| visit.nothing_here())?;
    Ok((account, key))
}

async fn ask_remove(visit: Visit, Path((id, key)): Path<(String, String)>) -> Answer {
    let text = visit.text();
    let (account, key) = find_key(&visit, &id, &key).await?;
    let address = visit.at(route::ADMIN_ACCOUNT_REMOVE_KEY, &account.id).replace("{key}", &key.fingerprint);
    visit.confirm(Confirmation {
        title: format!("{}: {}", text.remove_key, account.name),
        text: text.remove_key_text.to_owned(),
        ends: vec![text.api_key_called.with(&key.fingerprint)],
        form: visit.form(address, text.remove).back_to(visit.at(route::ADMIN_ACCOUNT, &account.id)).dangerous(),
    })
}

async fn remove(Path((id, key)): Path<(String, String)>, Posted { visit, .. }: Posted) -> Answer {
    let (account, key) = find_key(&visit, &id, &key).await?;
    let removed = accounts::remove_api_key(&visit.acting(), &account.id, &key.fingerprint).await;
    removed.map_err(|error| stopped(&visit, error))?;
    visit.done(Action::AccountChanged, &visit.at(route::ADMIN_ACCOUNT, &account.id))
}
