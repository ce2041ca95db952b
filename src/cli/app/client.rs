//! What the flags of `leadgate app add` and `leadgate app set` say of an application.

use std::path::{Path, PathBuf};

use clap::Args;

use super::super::args;
use super::super::error::CliError;
use crate::domain::app::App;
use crate::domain::auth_method::AuthMethod;
use crate::domain::email::Email;
use crate::domain::grant_type::GrantType;
use crate::domain::redirect_uri::RedirectUri;
use crate::domain::resource::Resource;
use crate::domain::return_url::ReturnUrl;
use crate::domain::scope::Scope;
use crate::domain::signing_algorithm::SigningAlgorithm;
use crate::services::partner;

/// What is not named stays as it is; a list is replaced whole.
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub struct ClientArgs {
    /// Publisher, as the consent page shows it [default: the name]
    #[arg(long, value_parser = args::name)]
    publisher: Option<String>,
    /// Address of its home page, which the consent page links to
    #[arg(long, value_name = "URL", value_parser = args::homepage)]
    homepage: Option<String>,
    /// E-mail address of the user who may edit it
    #[arg(long, value_name = "EMAIL", value_parser = Email::parse)]
    pub owner: Option<Email>,
    /// client_secret_basic, client_secret_post, private_key_jwt or none [default: client_secret_basic]
    #[arg(long, value_name = "METHOD", value_parser = AuthMethod::parse)]
    auth_method: Option<AuthMethod>,
    /// A public client, without a secret: the same as --auth-method none
    #[arg(long, conflicts_with = "auth_method")]
    public: bool,
    /// File with its public keys, a JWK Set in JSON, for private_key_jwt
    #[arg(long, value_name = "FILE")]
    jwks_file: Option<PathBuf>,
    /// Grant type, device_code for short; may be repeated [default: authorization_code and refresh_token]
    #[arg(long = "grant", visible_alias = "grant-type", value_name = "GRANT", value_parser = GrantType::named)]
    grants: Vec<GrantType>,
    /// Redirect URI, matched exactly; may be repeated
    #[arg(long = "redirect-uri", value_name = "URL", value_parser = RedirectUri::parse)]
    redirect_uris: Vec<RedirectUri>,
    /// Address that a logout may lead to, matched exactly; may be repeated
    #[arg(long = "post-logout-redirect-uri", value_name = "URL", value_parser = ReturnUrl::parse)]
    post_logout_redirect_uris: Vec<ReturnUrl>,
    /// What users may be asked for; may be repeated [default: account_api]
    #[arg(long = "scope", value_name = "SCOPE", value_parser = Scope::parse)]
    scopes: Vec<Scope>,
    /// API, other than this server's own, that it may ask tokens for; may be repeated
    #[arg(long = "resource", value_name = "URI", value_parser = Resource::parse)]
    resources: Vec<Resource>,
    /// What its access tokens are signed with: ES256, RS256 or EdDSA [default: ES256]
    #[arg(long, value_name = "ALG", value_parser = SigningAlgorithm::parse)]
    access_token_alg: Option<SigningAlgorithm>,
    /// What its ID tokens are signed with [default: RS256]
    #[arg(long, value_name = "ALG", value_parser = SigningAlgorithm::parse)]
    id_token_alg: Option<SigningAlgorithm>,
    /// Whether all its tokens have to be bound to a key (DPoP) [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    require_dpop: Option<bool>,
    /// Whether it has to push its authorization requests (PAR) [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    require_par: Option<bool>,
}

impl ClientArgs {
    /// The application as they describe it.
    pub fn describe(self, mut app: App) -> Result<App, CliError> {
        let method = self.auth_method.or(self.public.then_some(AuthMethod::None));
        set(&mut app.publisher, self.publisher);
        app.homepage = self.homepage.or(app.homepage);
        set(&mut app.auth_method, method);
        if app.auth_method == AuthMethod::PrivateKeyJwt {
            if let Some(path) = &self.jwks_file {
                app.jwks = Some(read_keys(path)?);
            }
        } else if self.jwks_file.is_some() {
            return Err(CliError::usage("--jwks-file is for --auth-method private_key_jwt"));
        } else {
            app.jwks = None;
        }
        set_list(&mut app.grant_types, self.grants);
        set_list(&mut app.redirect_uris, self.redirect_uris);
        set_list(&mut app.post_logout_redirect_uris, self.post_logout_redirect_uris);
        set_list(&mut app.resources, self.resources);
        if !self.scopes.is_empty() {
            app.scopes = self.scopes.into_iter().collect();
        }
        set(&mut app.access_token_alg, self.access_token_alg);
        set(&mut app.id_token_alg, self.id_token_alg);
        set(&mut app.requires_dpop, self.require_dpop);
        set(&mut app.requires_par, self.require_par);
        Ok(app)
    }
}

fn set<T>(value: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *value = given;
    }
}

/// Each once, in the order in which they were given.
fn set_list<T: PartialEq>(list: &mut Vec<T>, given: Vec<T>) {
    if given.is_empty() {
        return;
    }
    list.clear();
    for item in given {
        if !list.contains(&item) {
            list.push(item);
        }
    }
}

fn read_keys(path: &Path) -> Result<String, CliError> {
    let failure = |why: &dyn std::fmt::Display| CliError::failure(format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| failure(&error))?;
    partner::client_keys(&text).map_err(|error| failure(&error))
}
