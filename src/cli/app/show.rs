//! How `leadgate app` prints applications.

use serde::Serialize;
use serde_json::Value;

use super::super::error::CliError;
use super::super::{args, output};
use crate::domain::app::{App, AppState, ClientType, LogoId};
use crate::domain::email::Email;
use crate::domain::ids::UserId;
use crate::domain::redirect_uri::RedirectUri;
use crate::domain::resource::Resource;
use crate::domain::return_url::ReturnUrl;
use crate::domain::timestamp::Timestamp;
use crate::services::{Context, users};

/// The e-mail addresses of owners: people do not know users by their ids.
pub struct Owners(Vec<(UserId, Email)>);

impl Owners {
    pub async fn read(ctx: &Context) -> Result<Self, CliError> {
        let users = users::list(ctx, None, args::MAX_LISTED).await.map_err(CliError::failure)?;
        Ok(Self(users.into_iter().map(|user| (user.id, user.email)).collect()))
    }

    fn of(&self, app: &App) -> Option<String> {
        let owner = app.owner?;
        let email = self.0.iter().find(|(id, _)| *id == owner).map(|(_, email)| email.to_string());
        email.or_else(|| Some(owner.to_string()))
    }
}

/// What is shown this once.
#[derive(Default)]
pub struct Fresh {
    pub client_secret: Option<String>,
    /// Until when the secret before it is taken too.
    pub previous_until: Option<Timestamp>,
}

/// The keys have the names of the seed file.
#[derive(Serialize)]
struct AppJson<'a> {
    id: &'a str,
    name: &'a str,
    publisher: &'a str,
    homepage: Option<&'a str>,
    /// What tells it from another logo.
    logo: Option<&'a str>,
    client_type: &'static str,
    token_endpoint_auth_method: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks: Option<Value>,
    grant_types: Vec<&'static str>,
    redirect_uris: Vec<&'a str>,
    post_logout_redirect_uris: Vec<&'a str>,
    scopes: Vec<&'static str>,
    resources: Vec<&'a str>,
    access_token_signing_alg: &'static str,
    id_token_signed_response_alg: &'static str,
    dpop_bound_access_tokens: bool,
    require_pushed_authorization_requests: bool,
    owner: Option<String>,
    disabled_since: Option<String>,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_client_secret_expires_at: Option<String>,
}

impl<'a> AppJson<'a> {
    fn new(app: &'a App, owners: &Owners, fresh: &'a Fresh) -> Self {
        Self {
            id: app.id.as_str(),
            name: &app.name,
            publisher: &app.publisher,
            homepage: app.homepage.as_deref(),
            logo: app.logo.as_ref().map(LogoId::as_str),
            client_type: match app.client_type() {
                ClientType::Confidential => "confidential",
                ClientType::Public => "public",
            },
            token_endpoint_auth_method: app.auth_method.as_str(),
            jwks: app.jwks.as_deref().and_then(|jwks| serde_json::from_str(jwks).ok()),
            grant_types: app.grant_types.iter().map(|grant| grant.as_str()).collect(),
            redirect_uris: app.redirect_uris.iter().map(RedirectUri::as_str).collect(),
            post_logout_redirect_uris: app.post_logout_redirect_uris.iter().map(ReturnUrl::as_str).collect(),
            scopes: args::scope_names(&app.scopes),
            resources: app.resources.iter().map(Resource::as_str).collect(),
            access_token_signing_alg: app.access_token_alg.as_str(),
            id_token_signed_response_alg: app.id_token_alg.as_str(),
            dpop_bound_access_tokens: app.requires_dpop,
            require_pushed_authorization_requests: app.requires_par,
            owner: owners.of(app),
            disabled_since: match app.state {
                AppState::Active => None,
                AppState::Disabled { since } => Some(since.to_rfc3339()),
            },
            created_at: app.created_at.to_rfc3339(),
            client_secret: fresh.client_secret.as_deref(),
            previous_client_secret_expires_at: fresh.previous_until.map(Timestamp::to_rfc3339),
        }
    }

    fn state(&self) -> &'static str {
        if self.disabled_since.is_some() { "disabled" } else { "active" }
    }

    /// One line for each key: its id, or that it has none.
    fn key_ids(&self) -> String {
        let keys = self.jwks.iter().filter_map(|jwks| jwks["keys"].as_array()).flatten();
        keys.map(|key| key["kid"].as_str().unwrap_or("(without kid)")).collect::<Vec<_>>().join("\n")
    }
}

pub fn list(apps: &[App], owners: &Owners, json: bool) -> Result<(), CliError> {
    let fresh = Fresh::default();
    let apps: Vec<AppJson<'_>> = apps.iter().map(|app| AppJson::new(app, owners, &fresh)).collect();
    if json {
        return output::json(&apps);
    }
    let rows: Vec<[String; 6]> = apps
        .iter()
        .map(|app| {
            let owner = app.owner.clone().unwrap_or_default();
            [app.id, app.name, app.publisher, app.client_type, owner.as_str(), app.state()].map(str::to_owned)
        })
        .collect();
    output::table(["APP ID", "NAME", "PUBLISHER", "TYPE", "OWNER", "STATE"], &rows)
}

pub fn one(app: &App, owners: &Owners, fresh: &Fresh, json: bool) -> Result<(), CliError> {
    let app = AppJson::new(app, owners, fresh);
    if json {
        return output::json(&app);
    }
    let yes = |is_on: bool| if is_on { "yes" } else { "no" }.to_owned();
    let mut fields = vec![
        ("App ID", app.id.to_owned()),
        ("name", app.name.to_owned()),
        ("publisher", app.publisher.to_owned()),
        ("homepage", app.homepage.unwrap_or_default().to_owned()),
        ("logo", app.logo.unwrap_or_default().to_owned()),
        ("type", app.client_type.to_owned()),
        ("authenticates by", app.token_endpoint_auth_method.to_owned()),
        ("public keys", app.key_ids()),
        ("grant types", app.grant_types.join("\n")),
        ("redirect URIs", app.redirect_uris.join("\n")),
        ("post-logout URIs", app.post_logout_redirect_uris.join("\n")),
        ("scopes", app.scopes.join("\n")),
        ("resources", app.resources.join("\n")),
        ("access tokens", app.access_token_signing_alg.to_owned()),
        ("ID tokens", app.id_token_signed_response_alg.to_owned()),
        ("requires DPoP", yes(app.dpop_bound_access_tokens)),
        ("requires PAR", yes(app.require_pushed_authorization_requests)),
        ("owner", app.owner.clone().unwrap_or_default()),
        ("state", app.state().to_owned()),
        ("created", app.created_at.clone()),
    ];
    fields.extend(app.client_secret.map(|secret| ("client secret", output::shown_once(secret))));
    fields
        .extend(app.previous_client_secret_expires_at.map(|until| ("previous secret", format!("taken until {until}"))));
    output::fields(&fields)
}
