//! A partner application: OAuth's client (RFC 6749 section 2), with what it registered (RFC 7591 section 2).

use url::Url;

use super::auth_method::AuthMethod;
use super::grant_type::GrantType;
use super::ids::{AppId, UserId};
use super::redirect_uri::RedirectUri;
use super::resource::Resource;
use super::return_url::{MAX_RETURN_URL, ReturnUrl};
use super::scope::{Scope, ScopeSet};
use super::signing_algorithm::SigningAlgorithm;
use super::timestamp::Timestamp;

/// Longest name or publisher, in characters.
pub const MAX_NAME: usize = 120;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    pub id: AppId,
    pub name: String,
    pub publisher: String,
    pub homepage: Option<String>,
    /// The user who may edit it; an application of the operator's has none.
    pub owner: Option<UserId>,
    pub auth_method: AuthMethod,
    pub grant_types: Vec<GrantType>,
    /// Compared byte for byte, but for the port on a loopback address.
    pub redirect_uris: Vec<RedirectUri>,
    /// Where a browser may be sent after a logout, compared byte for byte.
    pub post_logout_redirect_uris: Vec<ReturnUrl>,
    /// What a user may be asked for.
    pub scopes: ScopeSet,
    /// APIs, other than this server's own, that it may ask tokens for (RFC 8707).
    pub resources: Vec<Resource>,
    /// Its public keys, a JWK Set in JSON, checked when it was written (RFC 7517).
    pub jwks: Option<String>,
    pub access_token_alg: SigningAlgorithm,
    pub id_token_alg: SigningAlgorithm,
    /// Takes no bearer tokens, only such as are bound to a key (RFC 9449 section 5.2).
    pub requires_dpop: bool,
    /// Has to push its authorization requests (RFC 9126 section 6).
    pub requires_par: bool,
    pub logo: Option<LogoId>,
    pub state: AppState,
    pub created_at: Timestamp,
}

/// Whether it may do anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppState {
    Active,
    /// Signs nobody in and gets no token; what it had is over.
    Disabled {
        since: Timestamp,
    },
}

/// What tells one logo from another, in hexadecimal: it is in the logo's address, which so can be kept for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoId(String);

impl LogoId {
    /// Hexadecimal digits of the image's hash, 8 to 64.
    pub fn parse(text: &str) -> Option<Self> {
        let good = (8..=64).contains(&text.len()) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        good.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// RFC 6749 section 2.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientType {
    /// Can keep a credential: a secret, or a private key.
    Confidential,
    /// Cannot.
    Public,
}

/// The signing algorithm of access tokens where nothing else was asked for: the cheapest to make and check
/// that every library has.
pub const DEFAULT_ACCESS_TOKEN_ALG: SigningAlgorithm = SigningAlgorithm::Es256;
/// The same for ID tokens: OpenID Connect Dynamic Client Registration section 2.
pub const DEFAULT_ID_TOKEN_ALG: SigningAlgorithm = SigningAlgorithm::Rs256;

/// Whether a text can be a name or a publisher: people see it.
pub fn is_name(text: &str) -> bool {
    let fits = (1..=MAX_NAME).contains(&text.chars().count());
    fits && !text.trim().is_empty() && !text.chars().any(char::is_control)
}

/// Whether a text can be the address of an application's home page: people may follow it.
pub fn is_homepage(text: &str) -> bool {
    let is_plain = text.len() <= MAX_RETURN_URL && text.bytes().all(|b| b.is_ascii_graphic());
    is_plain && Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

/// What an application cannot be, though each of its parts may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Inconsistent {
    #[error("the grant client_credentials is for clients that authenticate (RFC 6749 section 4.4)")]
    PublicWithClientCredentials,
    #[error("private_key_jwt needs the public keys of the client")]
    NoKeys,
}

impl App {
    /// A confidential client that signs users in, before more is said of it.
    pub fn new(id: AppId, name: String, created_at: Timestamp) -> Self {
        Self {
            id,
            publisher: name.clone(),
            name,
            homepage: None,
            owner: None,
            auth_method: AuthMethod::ClientSecretBasic,
            grant_types: GrantType::DEFAULT.to_vec(),
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            scopes: ScopeSet::from_iter([Scope::AccountApi]),
            resources: Vec::new(),
            jwks: None,
            access_token_alg: DEFAULT_ACCESS_TOKEN_ALG,
            id_token_alg: DEFAULT_ID_TOKEN_ALG,
            requires_dpop: false,
            requires_par: false,
            logo: None,
            state: AppState::Active,
            created_at,
        }
    }

    pub fn is_active(&self) -> bool {
        self.state == AppState::Active
    }

    /// Whether its parts go together.
    pub fn check(&self) -> Result<(), Inconsistent> {
        if self.client_type() == ClientType::Public && self.has_grant(GrantType::ClientCredentials) {
            return Err(Inconsistent::PublicWithClientCredentials);
        }
        if self.auth_method == AuthMethod::PrivateKeyJwt && self.jwks.is_none() {
            return Err(Inconsistent::NoKeys);
        }
        Ok(())
    }

    pub fn client_type(&self) -> ClientType {
        if self.auth_method == AuthMethod::None { ClientType::Public } else { ClientType::Confidential }
    }

    pub fn has_grant(&self, grant: GrantType) -> bool {
        self.grant_types.contains(&grant)
    }

    /// The address that an answer asked for at `requested` is sent to; `None` where that is not registered. Only for a
    /// public client may the port of a loopback address vary (wire.md B): a confidential one runs where it is known.
    pub fn redirect_uri(&self, requested: &str) -> Option<RedirectUri> {
        let is_registered = |registered: &RedirectUri| match self.client_type() {
            ClientType::Confidential => registered.as_str() == requested,
            ClientType::Public => registered.matches(requested),
        };
        let found = self.redirect_uris.iter().any(is_registered);
        found.then(|| RedirectUri::parse(requested).ok()).flatten()
    }

    /// What is left of scopes that were granted before: those of the API have to be registered still.
    pub fn still_permitted(&self, granted: &ScopeSet) -> ScopeSet {
        granted.iter().filter(|scope| !scope.is_api() || self.scopes.contains(*scope)).collect()
    }

    /// Each scope that a user's grant may still have.
    pub fn may_have(&self) -> ScopeSet {
        self.still_permitted(&Scope::ALL.into_iter().collect())
    }

    /// Whether tokens for this API may be issued; this server's own needs no registration.
    pub fn may_reach(&self, resource: Option<&Resource>) -> bool {
        resource.is_none_or(|resource| self.resources.contains(resource))
    }

    /// What a request for `asked` may be granted: scopes of the API have to be registered, those about the
    /// user's identity are the user's to give. `None` where it asks for more.
    pub fn permits(&self, asked: &ScopeSet) -> bool {
        self.scopes.covers(&asked.api_only())
    }
}
