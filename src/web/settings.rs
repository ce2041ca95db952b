//! Settings > API: credentials for connectors and integration platforms, in one form. What is made is an application like
//! any other: it is in the console too.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;

use super::Web;
use super::console::{Answer, Body, Partner, Visit, redirect_uris, refuse_app};
use super::error::method_not_allowed_page;
use super::extract::Pairs;
use super::forms::{field, see_other};
use super::urls::route;
use crate::domain::app::{App, MAX_NAME, is_name};
use crate::domain::grant_type::GrantType;
use crate::domain::ids::AppId;
use crate::domain::scope::Scope;
use crate::services::console::{self, ConsoleError, Listed};
use crate::services::{once, partner};
use crate::views::{ApiClients, Cell, Choice, ConsoleSecret, Fact, Form, FormField, Head, Pager, Shown, Table};

pub fn routes() -> Router<Arc<Web>> {
    Router::new().route(route::SETTINGS_API, get(show).post(create).fallback(other_method))
}

async fn other_method(State(web): State<Arc<Web>>, headers: HeaderMap) -> Response {
    method_not_allowed_page(&web, &headers)
}

/// What a client is for, from which its grants follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Connector,
    Code,
    Password,
    Credentials,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Connector, Self::Code, Self::Password, Self::Credentials];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Connector => "connector",
            Self::Code => "authorization_code",
            Self::Password => "password",
            Self::Credentials => "client_credentials",
        }
    }

    /// Users' passwords are for clients only where the operator lets them: a connector then goes by the code alone.
    fn grants(self, may_ask_passwords: bool) -> Vec<GrantType> {
        use GrantType::{AuthorizationCode, ClientCredentials, Password, RefreshToken};
        match self {
            Self::Connector if may_ask_passwords => vec![AuthorizationCode, RefreshToken, Password],
            Self::Connector | Self::Code => vec![AuthorizationCode, RefreshToken],
            Self::Password => vec![Password, RefreshToken],
            Self::Credentials => vec![ClientCredentials],
        }
    }

    const fn needs_callback(self) -> bool {
        matches!(self, Self::Connector | Self::Code)
    }

    fn is_offered(self, may_ask_passwords: bool) -> bool {
        self != Self::Password || may_ask_passwords
    }
}

fn may_ask_passwords(partner: &Partner) -> bool {
    partner.web().ctx.password_grant
}

fn kinds(partner: &Partner) -> Vec<Choice> {
    let text = &partner.text().api;
    let described = |kind| match kind {
        Kind::Connector => (text.connector, text.connector_hint),
        Kind::Code => (text.code, text.code_hint),
        Kind::Password => (text.password, text.password_hint),
        Kind::Credentials => (text.credentials, text.credentials_hint),
    };
    let choice = |kind: Kind| {
        let (label, hint) = described(kind);
        Choice::new(kind.as_str(), label, kind == Kind::Connector).hint(hint)
    };
    Kind::ALL.into_iter().filter(|kind| kind.is_offered(may_ask_passwords(partner))).map(choice).collect()
}

fn form(partner: &Partner) -> Form {
    let text = &partner.text().api;
    Form::new(partner.path(route::SETTINGS_API), partner.csrf(), text.create)
        .with_hidden("once", once::token(&partner.web().ctx))
        .with(FormField::text("name", text.name).max_length(MAX_NAME).required())
        .with(FormField::radios("kind", text.kind, kinds(partner)).required())
        .with(FormField::url("callback", text.callback).hint(text.callback_hint))
}

async fn show(visit: Visit) -> Answer {
    let partner = visit.partner().await?;
    page(&partner, form(&partner)).await
}

async fn page(partner: &Partner, form: Form) -> Answer {
    let after = AppId::parse(&partner.asked("after")).ok();
    let listed = console::list(&partner.web().ctx, partner.user(), after.clone()).await;
    let (listed, has_more) = listed.map_err(|error| partner.failed(&error))?;
    let address = partner.path(route::SETTINGS_API);
    let older = listed.last().filter(|_| has_more).map(|last| format!("{address}?after={}", last.app.id));
    let clients = (!listed.is_empty()).then(|| table(partner, &listed));
    let pager = Pager { newest: after.map(|_| address), older };
    Ok(partner.page(Partner::status_of(&form), |page| ApiClients { page, clients, pager, form }))
}

fn table(partner: &Partner, listed: &[Listed]) -> Table {
    let text = &partner.text().api;
    let row = |Listed { app, .. }: &Listed| {
        let grants: Vec<_> = app.grant_types.iter().map(|grant| grant.short_name()).collect();
        vec![
            Cell::link(&app.name, partner.app_page(route::CONSOLE_APP, app)),
            Cell::code(app.id.as_str()),
            Cell::code(grants.join(" ")),
        ]
    };
    Table {
        caption: text.clients.to_owned(),
        columns: [text.name, text.client_id, text.grants].map(str::to_owned).into(),
        rows: listed.iter().map(row).collect(),
    }
}

/// The client as it is to be. `None` where something is wrong, which the form then says.
fn read(partner: &Partner, given: &Pairs, form: &mut Form) -> Option<(App, Kind)> {
    form.fill(given);
    let text = partner.text();
    let name = field(given, "name").trim();
    if !is_name(name) {
        form.refuse("name", &text.form.name_bad.with(&MAX_NAME.to_string()));
    }
    let passwords = may_ask_passwords(partner);
    let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == field(given, "kind") && kind.is_offered(passwords));
    if kind.is_none() {
        form.refuse("kind", text.api.kind_missing);
    }
    let redirect_uris = redirect_uris("callback", given, form, text);
    if redirect_uris.is_empty() && !form.is_refused() && kind.is_some_and(Kind::needs_callback) {
        form.refuse("callback", text.api.callback_missing);
    }
    let kind = kind.filter(|_| !form.is_refused())?;
    let draft = partner::draft_app(&partner.web().ctx, None, name.to_owned());
    let scopes = Scope::ALL.into_iter().filter(|scope| scope.is_api()).collect();
    Some((App { grant_types: kind.grants(passwords), redirect_uris, scopes, ..draft }, kind))
}

async fn create(visit: Visit, body: Body) -> Answer {
    let (partner, given) = visit.posted(body).await?;
    let mut form = form(&partner);
    let Some((app, kind)) = read(&partner, &given, &mut form) else { return page(&partner, form).await };
    if !partner.sends_first(&given).await? {
        return Ok(see_other(&partner.path(route::SETTINGS_API)));
    }
    match console::create_app(&partner.acting(), partner.user(), app).await {
        Ok((app, secret)) => Ok(made_page(&partner, &app, kind, secret.unwrap_or_default())),
        Err(ConsoleError::Partner(error)) if refuse_app(&mut form, &error, &partner.text().form) => {
            page(&partner, form).await
        }
        Err(error) => Err(partner.failed(&error)),
    }
}

/// All that a connector or a platform asks for, the only time that the secret is shown.
fn made_page(partner: &Partner, app: &App, kind: Kind, secret: String) -> Response {
    let text = &partner.text().api;
    let shown = |id, label: &str, value: String| Shown { id, label: label.to_owned(), value };
    let mut secrets = vec![
        shown("client-id", text.client_id, app.id.to_string()),
        shown("client-secret", text.client_secret, secret.clone()),
    ];
    if kind == Kind::Connector {
        let string = connection_string(app, &secret, partner.user().email.as_str(), text.own_password);
        secrets.push(shown("connection-string", text.connection_string, string));
    }
    let has_password = kind == Kind::Connector && app.has_grant(GrantType::Password);
    partner.page(StatusCode::OK, |page| ConsoleSecret {
        page,
        head: Head::new(text.made.with(&app.name)),
        notice: None,
        secrets,
        note: has_password.then(|| text.connection_string_hint.to_owned()),
        facts_title: text.settings.to_owned(),
        facts: settings(partner, app, kind),
        next: partner.app_page(route::CONSOLE_APP, app),
        next_label: text.back.to_owned(),
    })
}

/// As such connectors read it: names and values, semicolons between. A value that holds one stands in quotes, doubled
/// where it holds those.
fn connection_string(app: &App, secret: &str, user: &str, password: &str) -> String {
    let callback = app.redirect_uris.first().map(|uri| uri.as_str()).unwrap_or_default();
    let mut parts = vec![
        ("AuthScheme", "OAuth"),
        ("InitiateOAuth", "GETANDREFRESH"),
        ("OAuthClientId", app.id.as_str()),
        ("OAuthClientSecret", secret),
    ];
    if app.has_grant(GrantType::Password) {
        parts.extend([("User", user), ("Password", password)]);
    }
    parts.push(("CallbackURL", callback));
    parts.iter().map(|(name, value)| format!("{name}={};", quoted(value))).collect()
}

fn quoted(value: &str) -> String {
    let is_plain = !value.contains([';', '"', '\'']) && value.trim() == value;
    if is_plain { value.to_owned() } else { format!("\"{}\"", value.replace('"', "\"\"")) }
}

/// What a generic OAuth credential asks for, besides the client id and secret.
fn settings(partner: &Partner, app: &App, kind: Kind) -> Vec<Fact> {
    let (text, urls) = (&partner.text().api, &partner.web().urls);
    let grant = if kind == Kind::Connector { Kind::Code } else { kind }.as_str();
    let mut facts = vec![Fact::copyable("grant-type", text.grant_type, grant)];
    facts.push(Fact::copyable("base-uri", text.base_uri, urls.public("")));
    if app.has_grant(GrantType::AuthorizationCode) {
        facts.push(Fact::copyable("authorization-url", text.authorization_url, urls.public(route::OAUTH_AUTHORIZE)));
        facts.push(Fact::copyable("response-type", text.response_type, "code"));
    }
    facts.push(Fact::copyable("token-url", text.token_url, urls.public(route::TOKEN)));
    if let Some(uri) = app.redirect_uris.first() {
        facts.push(Fact::copyable("redirect-uri", text.redirect_uri, uri.as_str()));
    }
    facts.push(Fact::copyable("scopes", text.scopes, app.scopes.to_string()));
    facts.push(Fact::copyable("introspection-url", text.introspection_url, urls.public(route::INTROSPECT)));
    facts
}
