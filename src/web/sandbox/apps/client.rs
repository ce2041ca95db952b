//! What a request says of an application: the members of a seed file's `[[apps]]`.

use axum::http::StatusCode;
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::super::super::error::problem::Problem;
use super::super::values::{self, AsciiSecret, Given, List, Name, nullable, present};
use crate::config::expected;
use crate::domain::app::App;
use crate::domain::auth_method::AuthMethod;
use crate::domain::button::{Button, Size, Theme};
use crate::domain::email::Email;
use crate::domain::grant_type::GrantType;
use crate::domain::ids::{AppId, ButtonId};
use crate::domain::origin::Origin;
use crate::domain::redirect_uri::RedirectUri;
use crate::domain::resource::Resource;
use crate::domain::return_url::ReturnUrl;
use crate::domain::scope::Scope;
use crate::domain::signing_algorithm::SigningAlgorithm;
use crate::services::partner::{NewButton, Wanted};

/// A client's public keys: a JWK Set as an object, or as a text with JSON in it; kept as text.
pub struct Jwks(String);

impl<'de> Deserialize<'de> for Jwks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let set = match Value::deserialize(deserializer)? {
            Value::String(text) => serde_json::from_str(&text).unwrap_or(Value::Null),
            set => set,
        };
        expected::jwks(&set).map(Self).map_err(|expected| D::Error::custom(format_args!("Expected {expected}")))
    }
}

/// Declares a body with the members that a new application and a change have in common: serde cannot flatten them into
/// a type that refuses unknown ones.
macro_rules! with_client {
    ($(#[$about:meta])* $name:ident { $($own:tt)* }) => {
        #[derive(Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        $(#[$about])*
        pub struct $name {
            $($own)*
            /// Shown beside the name; null: the name.
            #[serde(default, deserialize_with = "nullable")]
            #[schema(value_type = Option<String>)]
            publisher: Option<Option<Given<Name>>>,
            /// The e-mail address of the user who may edit it; null: nobody.
            #[serde(default, deserialize_with = "nullable")]
            #[schema(value_type = Option<String>)]
            owner: Option<Option<Given<Email>>>,
            /// `client_secret_basic`, `client_secret_post`, `private_key_jwt` or `none`.
            #[serde(default, deserialize_with = "present")]
            #[schema(value_type = String)]
            token_endpoint_auth_method: Option<Given<AuthMethod>>,
            /// 1 to 256 printable ASCII characters; null: a public client, where no method says another thing.
            #[serde(default, deserialize_with = "nullable")]
            #[schema(value_type = Option<String>)]
            client_secret: Option<Option<Given<AsciiSecret>>>,
            /// The public keys, a JWK Set: of a client that authenticates with `private_key_jwt` alone.
            #[serde(default, deserialize_with = "nullable")]
            #[schema(value_type = Option<Object>)]
            jwks: Option<Option<Jwks>>,
            /// `authorization_code`, `refresh_token`, `client_credentials`, `password`, `device_code`.
            #[serde(default, deserialize_with = "present")]
            #[schema(value_type = Vec<String>)]
            grant_types: Option<List<GrantType>>,
            /// Matched exactly, but for the port of a public client's loopback address.
            #[serde(default, deserialize_with = "present")]
            #[schema(value_type = Vec<String>)]
            redirect_uris: Option<List<RedirectUri>>,
            /// Where a logout may lead to; matched exactly.
            #[serde(default, deserialize_with = "present")]
            #[schema(value_type = Vec<String>)]
            post_logout_redirect_uris: Option<List<ReturnUrl>>,
            /// What users may be asked for.
            #[serde(default, deserialize_with = "present")]
            #[schema(value_type = Vec<String>)]
            scopes: Option<List<Scope>>,
            /// APIs, other than this server's own, that it may ask tokens for (RFC 8707).
            #[serde(default, deserialize_with = "present")]
            #[schema(value_type = Vec<String>)]
            resources: Option<List<Resource>>,
            /// `ES256`, `RS256` or `EdDSA`.
            #[serde(default, deserialize_with = "present")]
            #[schema(value_type = String)]
            access_token_signing_alg: Option<Given<SigningAlgorithm>>,
            /// `RS256`, `ES256` or `EdDSA`.
            #[serde(default, deserialize_with = "present")]
            #[schema(value_type = String)]
            id_token_signed_response_alg: Option<Given<SigningAlgorithm>>,
            /// Whether its tokens have to be bound to a key (RFC 9449).
            #[serde(default, deserialize_with = "present")]
            #[schema(value_type = bool)]
            dpop_bound_access_tokens: Option<bool>,
            /// Whether it has to push its authorization requests (RFC 9126).
            #[serde(default, deserialize_with = "present")]
            #[schema(value_type = bool)]
            require_pushed_authorization_requests: Option<bool>,
            /// `true` lets it do nothing any more and ends what it has; `false` lets it go on.
            #[serde(default, deserialize_with = "present")]
            #[schema(value_type = bool)]
            pub disabled: Option<bool>,
        }

        impl $name {
            /// The application as it is to be.
            pub fn describe(self, mut app: App) -> Result<Wanted, Problem> {
                let credentials = Credentials {
                    method: self.token_endpoint_auth_method.map(|Given(method)| method),
                    secret: self.client_secret.map(|secret| secret.map(|Given(secret)| secret)),
                    jwks: self.jwks,
                };
                let client_secret = credentials.settle(&mut app)?;
                match self.publisher {
                    Some(Some(Given(Name(publisher)))) => app.publisher = publisher,
                    Some(None) => app.publisher.clone_from(&app.name),
                    None => {}
                }
                if let Some(None) = self.owner {
                    app.owner = None;
                }
                set(&mut app.grant_types, self.grant_types.map(|grants| grants.0));
                set(&mut app.redirect_uris, self.redirect_uris.map(|uris| uris.0));
                set(&mut app.post_logout_redirect_uris, self.post_logout_redirect_uris.map(|uris| uris.0));
                set(&mut app.scopes, self.scopes.map(Into::into));
                set(&mut app.resources, self.resources.map(|resources| resources.0));
                set(&mut app.access_token_alg, self.access_token_signing_alg.map(|Given(alg)| alg));
                set(&mut app.id_token_alg, self.id_token_signed_response_alg.map(|Given(alg)| alg));
                set(&mut app.requires_dpop, self.dpop_bound_access_tokens);
                set(&mut app.requires_par, self.require_pushed_authorization_requests);
                let owner = self.owner.flatten().map(|Given(owner)| owner);
                Ok(Wanted { app, owner, client_secret: client_secret.map(|AsciiSecret(secret)| secret) })
            }
        }
    };
}

fn set<T>(member: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *member = given;
    }
}

with_client! {
    /// An application to be registered.
    #[schema(example = json!({
        "name": "Rate Watch",
        "publisher": "Rate Watch Ltd.",
        "token_endpoint_auth_method": "client_secret_basic",
        "redirect_uris": ["http://127.0.0.1:9100/callback"],
        "scopes": ["account_api", "data_api"],
        "owner": "ada@acme.test",
        "buttons": [{"id": "btn-rate-watch", "origins": ["http://localhost:9001"]}],
    }))]
    NewApp {
        /// The App ID, which is the `client_id` too: 1 to 64 characters out of `A-Z a-z 0-9 . _ -`; made when left out.
        #[serde(default)]
        #[schema(value_type = Option<String>)]
        pub id: Option<Given<AppId>>,
        /// 1 to 120 characters, shown on the consent page.
        #[schema(value_type = String)]
        pub name: Given<Name>,
        /// Its sign-in buttons.
        #[serde(default)]
        pub buttons: Vec<NewNestedButton>,
    }
}

with_client! {
    /// What is to be different; what is left out stays, a list is replaced whole.
    #[schema(example = json!({"redirect_uris": ["http://127.0.0.1:9100/callback", "http://127.0.0.1:9100/other"]}))]
    AppChange {
        /// 1 to 120 characters, shown on the consent page.
        #[serde(default, deserialize_with = "present")]
        #[schema(value_type = String)]
        pub name: Option<Given<Name>>,
    }
}

/// How a client is to show that it is the one it names.
struct Credentials {
    method: Option<AuthMethod>,
    secret: Option<Option<AsciiSecret>>,
    jwks: Option<Option<Jwks>>,
}

impl Credentials {
    /// Writes method and keys; answers the secret that was chosen.
    fn settle(self, app: &mut App) -> Result<Option<AsciiSecret>, Problem> {
        app.auth_method = match (self.method, &self.secret) {
            (Some(method), _) => method,
            (None, Some(Some(_))) if !app.auth_method.has_secret() => AuthMethod::ClientSecretBasic,
            (None, Some(None)) if app.auth_method.has_secret() => AuthMethod::None,
            (None, _) => app.auth_method,
        };
        let method = app.auth_method;
        let secret = self.secret.flatten();
        if secret.is_some() && !method.has_secret() {
            return Err(beside("client_secret", method));
        }
        match self.jwks {
            Some(Some(_)) if method != AuthMethod::PrivateKeyJwt => return Err(beside("jwks", method)),
            Some(jwks) => app.jwks = jwks.map(|Jwks(set)| set),
            None => {}
        }
        if method != AuthMethod::PrivateKeyJwt {
            app.jwks = None;
        }
        Ok(secret)
    }
}

fn beside(member: &str, method: AuthMethod) -> Problem {
    let detail = format!("A client of the method `{method}` has no `{member}`: leave it out, or name another method.");
    Problem::new(StatusCode::BAD_REQUEST, "Invalid value", detail).at(format!("/{member}"))
}

/// A button of an application that is registered in the same request.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewNestedButton {
    /// Made when left out.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    id: Option<Given<ButtonId>>,
    /// Where it works: lower case, no path, no default port.
    #[schema(value_type = Vec<String>)]
    origins: List<Origin>,
    /// Where a sign-in may return to: https, http for loopback hosts only; matched exactly.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    return_urls: List<ReturnUrl>,
    /// What a click asks for, within the application's; left out or null: each of its API scopes.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    scopes: Option<List<Scope>>,
    /// How its snippet has it look: `auto`, `light` or `dark`.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String)]
    theme: Option<Given<Theme>>,
    /// `small`, `medium` or `large`.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String)]
    size: Option<Given<Size>>,
}

impl NewNestedButton {
    pub fn of(self, app: AppId) -> NewButton {
        NewButton {
            id: self.id.map(|Given(id)| id),
            app,
            origins: self.origins.0,
            return_urls: self.return_urls.0,
            scopes: self.scopes.map(Into::into),
            theme: self.theme.map_or(Theme::default(), |Given(theme)| theme),
            size: self.size.map_or(Size::default(), |Given(size)| size),
        }
    }
}

/// A button within its application.
#[derive(Serialize, ToSchema)]
pub struct NestedButton {
    #[schema(example = "btn-rate-finder")]
    id: String,
    origins: Vec<String>,
    return_urls: Vec<String>,
    /// Null: each API scope of the application.
    scopes: Option<Vec<&'static str>>,
    /// How its snippet has it look: `auto`, `light` or `dark`.
    #[schema(example = "auto")]
    theme: &'static str,
    /// `small`, `medium` or `large`.
    #[schema(example = "medium")]
    size: &'static str,
}

impl From<Button> for NestedButton {
    fn from(button: Button) -> Self {
        Self {
            id: button.id.into(),
            origins: button.origins.into_iter().map(String::from).collect(),
            return_urls: button.return_urls.into_iter().map(String::from).collect(),
            scopes: button.scopes.as_ref().map(values::names),
            theme: button.theme.as_str(),
            size: button.size.as_str(),
        }
    }
}
