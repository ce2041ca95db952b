//! `/admin/users`: people with a login, and what an administrator does with them.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::routing::{MethodRouter, get};
use uuid::Uuid;

use super::super::Web;
use super::super::forms::field;
use super::super::urls::route;
use super::invitations::Offer;
use super::roles::{role_choices, role_name};
use super::visit::{Answer, Posted, Stop, Visit};
use super::{connections, events, invitations, list};
use crate::config::Secret;
use crate::config::expected;
use crate::config::seed::SeedPassword;
use crate::domain::app::MAX_NAME;
use crate::domain::event::{Action, TargetKind};
use crate::domain::ids::{MAX_TEXT_ID, UserId};
use crate::domain::role::Role;
use crate::domain::user::{User, UserState};
use crate::services::account::history::{self, Remembered};
use crate::services::administration::{self, UserOverview};
use crate::services::users::{self, Change, NewUser, UserError};
use crate::views::messages::{AdminTexts, done};
use crate::views::{ActionLink, AdminPart, Cell, Choice, Confirmation, Fact, Form, FormField, Shown, Tab, Table, Tone};

/// Consents that a user's page shows at most.
const SHOWN: i64 = 50;

pub fn routes() -> Router<Arc<Web>> {
    Router::new()
        .route(route::ADMIN_USERS, get(show_all))
        .route(route::ADMIN_NEW_USER, get(new).post(add))
        .route(route::ADMIN_USER, get(show))
        .route(route::ADMIN_USER_EDIT, get(edit).post(change))
        .route(route::ADMIN_USER_DISABLE, question(Deed::Disable))
        .route(route::ADMIN_USER_ENABLE, question(Deed::Enable))
        .route(route::ADMIN_USER_RESET, question(Deed::Reset))
        .route(route::ADMIN_USER_SIGN_OUT, question(Deed::SignOut))
        .route(route::ADMIN_USER_DELETE, question(Deed::Delete))
}

/// The user that an address names.
pub async fn find(visit: &Visit, id: &str) -> Result<User, Stop> {
    let id = Uuid::parse_str(id).map(UserId).map_err(|_| visit.nothing_here())?;
    users::find_by_id(&visit.web.ctx, id).await.map_err(|error| stopped(visit, error))
}

/// Where there is nothing that a form could say.
fn stopped(visit: &Visit, error: UserError) -> Stop {
    match error {
        UserError::Unknown => visit.nothing_here(),
        UserError::Store(error) => visit.failed(&error),
        other => visit.broke(&other),
    }
}

/// Says what is wrong beside the field that it is about.
fn refuse(visit: &Visit, form: &mut Form, error: UserError) -> Result<(), Stop> {
    let text = visit.text();
    match error {
        UserError::Taken => form.refuse("email", text.email_taken),
        UserError::UnknownAccount => form.refuse("account", text.account_unknown),
        UserError::Yourself => form.refuse("", text.not_yourself),
        UserError::LastAdmin => form.refuse("", text.last_admin),
        other => return Err(stopped(visit, other)),
    }
    Ok(())
}

/// The states that a list can be narrowed to.
pub fn state_choices(visit: &Visit) -> Vec<Choice> {
    let text = visit.text();
    [("", text.any), ("active", text.active), ("disabled", text.disabled)]
        .map(|(value, label)| Choice::new(value, label, false))
        .into()
}

/// What a list is to be narrowed to: `true` for the disabled.
pub fn asked_state(visit: &Visit) -> Option<bool> {
    match visit.asked("state") {
        "disabled" => Some(true),
        "active" => Some(false),
        _ => None,
    }
}

pub fn state_cell(visit: &Visit, is_active: bool) -> Cell {
    let text = visit.text();
    if is_active { Cell::badge(text.active, Tone::Good) } else { Cell::badge(text.disabled, Tone::Bad) }
}

async fn show_all(visit: Visit) -> Answer {
    let text = visit.text();
    let path = visit.path(route::ADMIN_USERS);
    let search = users::Search {
        text: list::looked_for(&visit, "q"),
        role: Role::parse(visit.asked("role")).ok(),
        account: expected::account_id(visit.asked("account")).ok(),
        is_disabled: asked_state(&visit),
        before: Uuid::parse_str(visit.asked("after")).ok().map(UserId),
    };
    let found = users::search(&visit.web.ctx, search, list::READ).await.map_err(|error| visit.failed(&error))?;
    let (found, pager) = list::page(&visit, &path, found, |user| user.id.to_string());
    let mut roles = vec![Choice::new("", text.any, true)];
    roles.extend(role_choices(&visit, None));
    let fields = vec![
        FormField::text("q", text.find_user).max_length(200),
        FormField::select("role", text.role, roles),
        FormField::select("state", text.state, state_choices(&visit)),
        FormField::text("account", text.account_id).max_length(MAX_TEXT_ID),
    ];
    let table = Table {
        caption: text.users.to_owned(),
        columns: [text.user, text.role, text.account, text.state, text.since].map(str::to_owned).into(),
        rows: found.iter().map(|user| row(&visit, user)).collect(),
    };
    let mut view = visit.draw(text.users);
    view.links = vec![
        Tab::new(text.invite, visit.path(route::ADMIN_NEW_INVITATION), false),
        Tab::new(text.new_user, visit.path(route::ADMIN_NEW_USER), false),
    ];
    view.parts = vec![AdminPart::Filter(list::filter(&visit, &path, fields)), list::table(&visit, table), pager];
    visit.show(&view)
}

fn row(visit: &Visit, user: &User) -> Vec<Cell> {
    let address = visit.at(route::ADMIN_USER, user.id);
    vec![
        Cell::Two { text: user.email.to_string(), more: user.name.clone(), address: Some(address) },
        Cell::text(role_name(visit, user.role)),
        Cell::link(user.account.as_str(), visit.at(route::ADMIN_ACCOUNT, &user.account)),
        state_cell(visit, user.is_active()),
        Cell::Time(user.created_at.to_rfc3339()),
    ]
}

async fn show(visit: Visit, Path(id): Path<String>) -> Answer {
    let text = visit.text();
    let user = find(&visit, &id).await?;
    let overview = administration::user(&visit.web.ctx, &user).await.map_err(|error| visit.failed(&error))?;
    let log = events::newest_of(&visit, TargetKind::User, &user.id.to_string()).await?;
    let mut view = visit.draw(user.email.as_str());
    view.links = vec![Tab::new(text.edit, visit.at(route::ADMIN_USER_EDIT, user.id), false)];
    view.parts.push(AdminPart::Facts(facts(&visit, &user)));
    view.parts.push(AdminPart::Heading(text.connections.to_owned()));
    let connected = overview.connections.iter().map(|found| connections::row_of_user(&visit, found)).collect();
    view.parts.push(list::table(&visit, connections::table_of_user(&visit, connected)));
    view.parts.push(AdminPart::Heading(text.sessions.to_owned()));
    view.parts.push(list::table(&visit, sessions(&visit, &overview)));
    view.parts.push(AdminPart::Heading(text.consents.to_owned()));
    view.parts.push(consents(&visit, &user).await?);
    view.parts.push(AdminPart::Heading(text.last_events.to_owned()));
    view.parts.push(log);
    view.parts.push(AdminPart::Actions(actions(&visit, &user)));
    visit.show(&view)
}

fn facts(visit: &Visit, user: &User) -> Vec<Fact> {
    let text = visit.text();
    let state = match user.state {
        UserState::Active => text.active.to_owned(),
        UserState::Disabled { since } => text.disabled_since.with(&visit.page.readable_time(&since.to_rfc3339())),
    };
    vec![
        Fact::new(text.name, user.name.as_str()),
        Fact::new(text.role, role_name(visit, user.role)),
        Fact::new(text.state, state),
        Fact::code(text.account, user.account.as_str()),
        Fact::code(text.id, user.id.to_string()),
        Fact::new(text.since, visit.page.readable_time(&user.created_at.to_rfc3339())),
    ]
}

fn sessions(visit: &Visit, overview: &UserOverview) -> Table {
    let text = visit.text();
    let row = |session: &crate::domain::session::Session| {
        vec![
            Cell::Time(session.created_at.to_rfc3339()),
            session.address.map_or(Cell::Empty, |address| Cell::code(address.to_string())),
            session.user_agent.as_deref().map_or(Cell::Empty, Cell::text),
            Cell::Time(session.expires_at.to_rfc3339()),
        ]
    };
    Table {
        caption: text.sessions.to_owned(),
        columns: [text.opened, text.from, text.browser, text.until].map(str::to_owned).into(),
        rows: overview.sessions.iter().map(row).collect(),
    }
}

async fn consents(visit: &Visit, user: &User) -> Result<AdminPart, Stop> {
    let text = visit.text();
    let given = history::list(&visit.web.ctx, user.id, None, SHOWN).await.map_err(|error| visit.failed(&error))?;
    let row = |Remembered { consent, .. }: &Remembered| {
        vec![
            Cell::text(consent.app_name.as_str()),
            Cell::code(consent.scopes.to_string()),
            Cell::Time(consent.given_at.to_rfc3339()),
        ]
    };
    let table = Table {
        caption: text.consents.to_owned(),
        columns: [text.app, text.scopes, text.when].map(str::to_owned).into(),
        rows: given.iter().map(row).collect(),
    };
    Ok(list::table(visit, table))
}

fn actions(visit: &Visit, user: &User) -> Vec<ActionLink> {
    let keep_out = if user.is_active() { Deed::Disable } else { Deed::Enable };
    [Deed::Reset, Deed::SignOut, keep_out, Deed::Delete].map(|deed| deed.link(visit, user)).into()
}

/// What a new user and an old one have alike.
fn user_form(visit: &Visit, action: String, submit: &str, role: Role) -> Form {
    let text = visit.text();
    visit
        .form(action, submit)
        .with(FormField::email("email", text.email).autocomplete("off").required())
        .with(FormField::text("name", text.name).max_length(MAX_NAME).required())
        .with(FormField::text("account", text.account_id_or_name).hint(text.account_hint).required())
        .with(FormField::radios("role", text.role, role_choices(visit, Some(role))).required())
}

/// The fields of a user, as far as they can be read; what is wrong is said in the form.
struct Typed {
    email: Option<crate::domain::email::Email>,
    name: Option<String>,
    account: Option<String>,
    role: Option<Role>,
}

fn read(visit: &Visit, form: &mut Form, given: &super::super::extract::Pairs) -> Typed {
    let text = visit.text();
    form.fill(given);
    let mut take = |name: &'static str, sentence: &str| {
        let value = field(given, name).trim();
        if value.is_empty() {
            form.refuse(name, sentence);
        }
        Some(value).filter(|value| !value.is_empty())
    };
    let email = take("email", text.email_missing).map(expected::email);
    let name = take("name", text.name_missing).map(expected::name);
    let account = take("account", text.account_unknown).map(expected::name);
    let role = take("role", text.role_missing).map(Role::parse);
    if matches!(email, Some(Err(_))) {
        form.refuse("email", text.email_wrong);
    }
    if matches!(name, Some(Err(_))) {
        form.refuse("name", text.name_wrong);
    }
    if matches!(account, Some(Err(_))) {
        form.refuse("account", text.account_unknown);
    }
    if matches!(role, Some(Err(_))) {
        form.refuse("role", text.role_missing);
    }
    Typed {
        email: email.and_then(Result::ok),
        name: name.and_then(Result::ok),
        account: account.and_then(Result::ok),
        role: role.and_then(Result::ok),
    }
}

fn new_form(visit: &Visit) -> Form {
    let text = visit.text();
    user_form(visit, visit.path(route::ADMIN_NEW_USER), text.create, Role::Member)
        .back_to(visit.path(route::ADMIN_USERS))
}

async fn new(visit: Visit) -> Answer {
    visit.ask(visit.text().new_user, Some(visit.text().new_user_text), new_form(&visit))
}

async fn add(Posted { visit, form: given }: Posted) -> Answer {
    let text = visit.text();
    let mut form = new_form(&visit);
    let Typed { email: Some(email), name: Some(name), account: Some(account), role: Some(role) } =
        read(&visit, &mut form, &given)
    else {
        return visit.ask(text.new_user, Some(text.new_user_text), form);
    };
    let password = users::make_password(&visit.web.ctx);
    let new = NewUser {
        email,
        name,
        account,
        role,
        password: SeedPassword::Plain(Secret::new(password.as_str())),
        is_disabled: false,
    };
    match users::add(&visit.acting(), new).await {
        Ok(user) => {
            let shown = vec![
                Shown { id: "made-email", label: text.email.to_owned(), value: user.email.to_string() },
                Shown { id: "made-password", label: text.password.to_owned(), value: password },
            ];
            let mut view = visit.draw(done(visit.page.lang, Action::UserCreated));
            view.links = vec![Tab::new(text.to_user, visit.at(route::ADMIN_USER, user.id), false)];
            view.parts = vec![AdminPart::Shown(shown), AdminPart::Text(text.password_text.to_owned())];
            visit.show(&view)
        }
        Err(error) => {
            refuse(&visit, &mut form, error)?;
            visit.ask(text.new_user, Some(text.new_user_text), form)
        }
    }
}

fn edit_form(visit: &Visit, user: &User) -> Form {
    let address = visit.at(route::ADMIN_USER_EDIT, user.id);
    let mut form =
        user_form(visit, address, visit.text().save, user.role).back_to(visit.at(route::ADMIN_USER, user.id));
    for field in &mut form.fields {
        let stored = match field.name {
            "email" => user.email.as_str(),
            "name" => user.name.as_str(),
            "account" => user.account.as_str(),
            _ => continue,
        };
        *field = field.clone().value(stored);
    }
    form
}

async fn edit(visit: Visit, Path(id): Path<String>) -> Answer {
    let user = find(&visit, &id).await?;
    let form = edit_form(&visit, &user);
    visit.ask(user.email.as_str(), Some(visit.text().edit_user_text), form)
}

async fn change(Path(id): Path<String>, Posted { visit, form: given }: Posted) -> Answer {
    let user = find(&visit, &id).await?;
    let mut form = edit_form(&visit, &user);
    let typed = read(&visit, &mut form, &given);
    if !form.is_refused() {
        let Typed { email, name, account, role } = typed;
        let change = Change { email, name, account, role, ..Change::default() };
        match users::change(&visit.acting(), user.id, change).await {
            Ok(_) => return visit.done(Action::UserChanged, &visit.at(route::ADMIN_USER, user.id)),
            Err(error) => refuse(&visit, &mut form, error)?,
        }
    }
    visit.ask(user.email.as_str(), Some(visit.text().edit_user_text), form)
}

/// What can be done with a user, once a page has asked whether it should be.
#[derive(Clone, Copy, PartialEq)]
enum Deed {
    Disable,
    Enable,
    Reset,
    SignOut,
    Delete,
}

impl Deed {
    const fn route(self) -> &'static str {
        match self {
            Self::Disable => route::ADMIN_USER_DISABLE,
            Self::Enable => route::ADMIN_USER_ENABLE,
            Self::Reset => route::ADMIN_USER_RESET,
            Self::SignOut => route::ADMIN_USER_SIGN_OUT,
            Self::Delete => route::ADMIN_USER_DELETE,
        }
    }

    /// The question, what it comes to, and the button.
    const fn words(self, text: &AdminTexts) -> [&'static str; 3] {
        match self {
            Self::Disable => [text.disable_user, text.disable_user_text, text.disable],
            Self::Enable => [text.enable_user, text.enable_user_text, text.enable],
            Self::Reset => [text.reset_password, text.reset_text, text.make_link],
            Self::SignOut => [text.end_sessions, text.end_sessions_text, text.end_sessions],
            Self::Delete => [text.delete_user, text.delete_user_text, text.delete],
        }
    }

    const fn is_dangerous(self) -> bool {
        matches!(self, Self::Disable | Self::SignOut | Self::Delete)
    }

    /// What of the user's ends with it.
    fn ends(self, text: &AdminTexts, overview: &UserOverview) -> Vec<String> {
        let sessions = text.sessions_number.with(&overview.sessions.len().to_string());
        let connections = overview.connections.iter().map(|(_, app)| text.connection_to.with(&app.name));
        match self {
            Self::Enable | Self::Reset => Vec::new(),
            Self::SignOut => vec![sessions],
            Self::Disable | Self::Delete => std::iter::once(sessions).chain(connections).collect(),
        }
    }

    fn link(self, visit: &Visit, user: &User) -> ActionLink {
        let [title, text, label] = self.words(visit.text());
        ActionLink {
            title: title.to_owned(),
            label: label.to_owned(),
            text: text.to_owned(),
            address: visit.at(self.route(), user.id),
            is_dangerous: self.is_dangerous(),
        }
    }
}

/// The page that asks, and what its button does.
fn question(deed: Deed) -> MethodRouter<Arc<Web>> {
    let ask = move |visit: Visit, Path(id): Path<String>| async move {
        let user = find(&visit, &id).await?;
        visit.confirm(confirmation(&visit, &user, deed).await?)
    };
    get(ask).post(move |Path(id): Path<String>, Posted { visit, .. }: Posted| async move {
        let user = find(&visit, &id).await?;
        act(&visit, &user, deed).await
    })
}

async fn confirmation(visit: &Visit, user: &User, deed: Deed) -> Result<Confirmation, Stop> {
    let overview = administration::user(&visit.web.ctx, user).await.map_err(|error| visit.failed(&error))?;
    let [title, text, submit] = deed.words(visit.text());
    let mut form = visit.form(visit.at(deed.route(), user.id), submit).back_to(visit.at(route::ADMIN_USER, user.id));
    form.is_dangerous = deed.is_dangerous();
    let ends = deed.ends(visit.text(), &overview);
    Ok(Confirmation { title: format!("{title}: {}", user.email), text: text.to_owned(), ends, form })
}

async fn act(visit: &Visit, user: &User, deed: Deed) -> Answer {
    let acting = visit.acting();
    let disabled = |is_disabled| Change { is_disabled: Some(is_disabled), ..Change::default() };
    let (done, action) = match deed {
        Deed::Disable => (users::change(&acting, user.id, disabled(true)).await.map(drop), Action::UserDisabled),
        Deed::Enable => (users::change(&acting, user.id, disabled(false)).await.map(drop), Action::UserEnabled),
        Deed::Reset => match invitations::offer_reset(visit, user).await? {
            Offer::Made(page) => return Ok(page),
            Offer::UserDisabled => return again(visit, user, deed, visit.text().reset_of_disabled).await,
        },
        Deed::SignOut => (
            administration::end_sessions(&acting, user).await.map(drop).map_err(UserError::from),
            Action::SessionsEnded,
        ),
        Deed::Delete => (users::delete(&acting, &user.email).await.map(drop), Action::UserDeleted),
    };
    match done {
        Ok(()) if deed == Deed::Delete => visit.done(action, &visit.path(route::ADMIN_USERS)),
        Ok(()) => visit.done(action, &visit.at(route::ADMIN_USER, user.id)),
        Err(error) => {
            let mut question = confirmation(visit, user, deed).await?;
            refuse(visit, &mut question.form, error)?;
            visit.confirm(question)
        }
    }
}

/// The question once more, with why not.
async fn again(visit: &Visit, user: &User, deed: Deed, why: &str) -> Answer {
    let mut question = confirmation(visit, user, deed).await?;
    question.form.refuse("", why);
    visit.confirm(question)
}
