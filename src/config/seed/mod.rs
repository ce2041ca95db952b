//! The seed file: accounts, users, applications and buttons that should be there.
//!
//! It is declarative: applying it twice changes nothing. What the file alone can show to be wrong is found here;
//! only whether an account or an owner that the file does not define is in the database is left to that.

mod client;
mod leads;
mod read;
mod values;

use std::path::Path;

use super::document::Document;
use super::error::{ConfigError, Fault, Place, read_text_file};
use super::secret::Secret;
use crate::domain::auth_method::AuthMethod;
use crate::domain::button::{Size, Theme};
use crate::domain::campaign::Criteria;
use crate::domain::email::Email;
use crate::domain::grant_type::GrantType;
use crate::domain::ids::{AccountId, AppId, ButtonId};
use crate::domain::origin::Origin;
use crate::domain::redirect_uri::RedirectUri;
use crate::domain::resource::Resource;
use crate::domain::return_url::ReturnUrl;
use crate::domain::role::Role;
use crate::domain::scope::ScopeSet;
use crate::domain::signing_algorithm::SigningAlgorithm;
use crate::domain::user::PasswordHash;

/// A seed file that is valid in itself.
#[derive(Debug, Clone, Default)]
pub struct SeedFile {
    pub accounts: Vec<SeedAccount>,
    pub users: Vec<SeedUser>,
    pub apps: Vec<SeedApp>,
    pub lead_types: Vec<SeedLeadType>,
    pub sources: Vec<SeedSource>,
    pub campaigns: Vec<SeedCampaign>,
}

#[derive(Debug, Clone)]
pub struct SeedAccount {
    /// `None`: a new id is made, unless there is an account of this name already.
    pub id: Option<AccountId>,
    pub name: String,
    /// Keys for the lead receiver; `None`: one is made.
    pub api_keys: Option<Vec<Secret>>,
}

#[derive(Debug, Clone)]
pub struct SeedUser {
    pub email: Email,
    pub password: SeedPassword,
    pub name: String,
    /// An account's id, or the name of one whose id is left out.
    pub account: Reference<String>,
    pub role: Role,
}

#[derive(Debug, Clone)]
pub enum SeedPassword {
    Plain(Secret),
    /// Checked to be argon2id of bounded cost.
    Hash(PasswordHash),
}

#[derive(Debug, Clone)]
pub struct SeedApp {
    pub id: AppId,
    pub name: String,
    pub publisher: String,
    pub client: SeedClient,
    pub owner: Option<Reference<Email>>,
    /// `None`: as it is.
    pub is_disabled: Option<bool>,
    pub buttons: Vec<SeedButton>,
}

/// What an application is as an OAuth client.
#[derive(Debug, Clone)]
pub struct SeedClient {
    pub auth_method: AuthMethod,
    /// Of a client that authenticates with one, and of no other.
    pub client_secret: Option<Secret>,
    /// A JWK Set in JSON: of a client that authenticates with a key, and of no other.
    pub jwks: Option<String>,
    pub grant_types: Vec<GrantType>,
    pub redirect_uris: Vec<RedirectUri>,
    pub post_logout_redirect_uris: Vec<ReturnUrl>,
    pub scopes: ScopeSet,
    pub resources: Vec<Resource>,
    pub access_token_alg: SigningAlgorithm,
    pub id_token_alg: SigningAlgorithm,
    pub requires_dpop: bool,
    pub requires_par: bool,
}

#[derive(Debug, Clone)]
pub struct SeedButton {
    pub id: ButtonId,
    pub origins: Vec<Origin>,
    pub return_urls: Vec<ReturnUrl>,
    /// `None`: each API scope of its application.
    pub scopes: Option<ScopeSet>,
    /// `None`: as it is.
    pub theme: Option<Theme>,
    /// `None`: as it is.
    pub size: Option<Size>,
}

/// A kind of lead, and what the lead receiver asks of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedLeadType {
    /// What a lead gives as its `lid`.
    pub uid: u32,
    pub name: String,
    /// Fields that may not be left out.
    pub required: Vec<String>,
    /// Fields whose value may come once only.
    pub unique: Vec<String>,
}

/// Who sends leads to an account.
#[derive(Debug, Clone)]
pub struct SeedSource {
    /// What a lead gives as its `vid`.
    pub vid: u32,
    pub name: String,
    /// An account's id, or the name of one whose id is left out.
    pub account: Reference<String>,
    pub is_enabled: bool,
}

/// Which leads of a source are taken.
#[derive(Debug, Clone)]
pub struct SeedCampaign {
    /// What a lead gives as its `aid`.
    pub aid: u32,
    /// A source's `vid`.
    pub source: Reference<u32>,
    /// The `lid` of its leads.
    pub lead_type: u32,
    pub name: String,
    pub is_enabled: bool,
    /// `None`: any number.
    pub daily_cap: Option<u32>,
    pub criteria: Criteria,
}

/// A mention of something that the file defines, or else the database has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference<T> {
    pub to: T,
    /// Whether the file itself defines it.
    pub in_file: bool,
    place: Place,
    key: String,
}

impl<T: std::fmt::Display> Reference<T> {
    /// The error where the database does not have it either.
    #[must_use]
    pub fn unresolved(&self) -> ConfigError {
        let found = format!("found `{}`, which neither this file nor the database has", self.to);
        Fault::new(self.place.clone(), self.key.clone(), found, "what one of the two defines").into()
    }
}

impl SeedFile {
    /// Reads and checks the text of a seed file. `path` is for the error messages.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with line, column and key.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        Document::read(path, text, read::seed_file)
    }

    /// Reads and checks a seed file.
    ///
    /// # Errors
    /// When it cannot be read, and as for [`SeedFile::parse`].
    pub fn open(path: &Path) -> Result<Self, ConfigError> {
        let text = read_text_file(path, "seed", "a readable seed file, as `leadgate init` writes")?;
        Self::parse(path, &text)
    }

    /// Refuses secrets that everybody can read in the demonstration or in the example that `leadgate init` writes:
    /// in production they are no secrets.
    ///
    /// # Errors
    /// One fault for each account, user and application that has such a secret.
    pub fn refuse_published_secrets(&self, path: &Path) -> Result<(), ConfigError> {
        let mut faults = super::error::Faults::default();
        let place = || Place::WholeFile(path.to_owned());
        for account in &self.accounts {
            if account.api_keys.iter().flatten().any(super::demonstration::is_published) {
                let key = format!("api_keys of {}", account.name);
                faults.push(Fault::new(place(), key, PUBLISHED, "keys of your own in production mode"));
            }
        }
        for user in &self.users {
            if let SeedPassword::Plain(password) = &user.password
                && super::demonstration::is_published(password)
            {
                let key = format!("password of {}", user.email);
                faults.push(Fault::new(place(), key, PUBLISHED, "a password of your own in production mode"));
            }
        }
        for app in &self.apps {
            if app.client.client_secret.as_ref().is_some_and(super::demonstration::is_published) {
                let key = format!("client_secret of {}", app.id);
                faults.push(Fault::new(place(), key, PUBLISHED, "a secret of your own in production mode"));
            }
        }
        faults.into_result(())
    }
}

const PUBLISHED: &str = "found one that Leadgate itself publishes";

#[cfg(test)]
mod tests;
