//! Deliveries: how leads are sent to a receiver, and what protects it (wire.md D).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::auth_params::is_token;
use super::ids::{DeliveryId, ExchangeId, UserId};
use super::target_url::TargetUrl;
use super::timestamp::Timestamp;

/// Longest user name, password and client secret, in bytes.
pub const MAX_CREDENTIAL: usize = 256;
/// Longest token of a receiver, in bytes.
pub const MAX_TOKEN: usize = 2_048;
/// Longest prefix of a token.
pub const MAX_PREFIX: usize = 32;
/// Longest scope that is asked for.
pub const MAX_SCOPE: usize = 500;
/// Longest address, in bytes.
pub const MAX_ADDRESS: usize = 2_000;
/// The scheme of a token where no other prefix is set (RFC 6750).
pub const BEARER: &str = "Bearer";

/// What somebody proves themselves with. It is written down in what is sealed, and nowhere else.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Credential(String);

impl Credential {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(…)")
    }
}

/// The hash of Digest (RFC 7616 section 3.3), the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DigestAlgorithm {
    #[serde(rename = "SHA-256")]
    Sha256,
    #[serde(rename = "MD5")]
    Md5,
}

impl DigestAlgorithm {
    pub const ALL: [Self; 2] = [Self::Sha256, Self::Md5];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Md5 => "MD5",
        }
    }

    /// Without regard to case, as parameters of schemes are often read.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str().eq_ignore_ascii_case(text))
    }
}

/// What a delivery is protected by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MethodKind {
    Basic,
    Digest,
    Bearer,
    OAuth2,
}

impl MethodKind {
    pub const ALL: [Self; 4] = [Self::Basic, Self::Digest, Self::Bearer, Self::OAuth2];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Digest => "digest",
            Self::Bearer => "bearer",
            Self::OAuth2 => "oauth2",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// The settings that it has.
    const fn fields(self) -> &'static [Field] {
        match self {
            Self::Basic => &[Field::Username, Field::Password],
            Self::Digest => &[Field::Username, Field::Password, Field::Algorithms],
            Self::Bearer => &[Field::Prefix, Field::Token],
            Self::OAuth2 => &[
                Field::TokenUrl,
                Field::GrantType,
                Field::ClientId,
                Field::ClientSecret,
                Field::Scope,
                Field::Username,
                Field::Password,
            ],
        }
    }
}

/// How a delivery gets its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenGrant {
    #[default]
    ClientCredentials,
    Password,
}

impl TokenGrant {
    pub const ALL: [Self; 2] = [Self::ClientCredentials, Self::Password];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::Password => "password",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

/// A name and a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    pub username: String,
    pub password: Credential,
}

/// A delivery's settings, of one of the four kinds. Written as JSON they are what is sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "lowercase")]
pub enum Settings {
    Basic(Login),
    Digest {
        login: Login,
        /// At least one, the strongest first.
        algorithms: Vec<DigestAlgorithm>,
    },
    Bearer {
        prefix: String,
        token: Credential,
    },
    OAuth2 {
        /// `None`: this server's own.
        token_url: Option<String>,
        grant: TokenGrant,
        /// At the receiver the token has to be this client's.
        client_id: Option<String>,
        client_secret: Option<Credential>,
        scope: Option<String>,
        /// The user of the password grant.
        user: Option<Login>,
    },
}

/// One setting, by its name on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Name,
    Method,
    Url,
    Username,
    Password,
    Algorithms,
    Prefix,
    Token,
    TokenUrl,
    GrantType,
    ClientId,
    ClientSecret,
    Scope,
}

impl Field {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Method => "method",
            Self::Url => "url",
            Self::Username => "username",
            Self::Password => "password",
            Self::Algorithms => "algorithms",
            Self::Prefix => "prefix",
            Self::Token => "token",
            Self::TokenUrl => "token_url",
            Self::GrantType => "grant_type",
            Self::ClientId => "client_id",
            Self::ClientSecret => "client_secret",
            Self::Scope => "scope",
        }
    }
}

/// What is wrong with a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    #[error("this setting is needed")]
    Missing,
    #[error("the method does not have this setting")]
    NotOfMethod,
    #[error("expected {0}")]
    Invalid(&'static str),
}

/// A setting that cannot be as it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}: {wrong}", field.as_str())]
pub struct SettingsError {
    pub field: Field,
    pub wrong: Wrong,
}

/// Settings as somebody gives them, before they are known to be good. What is `None` was left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    pub username: Option<String>,
    pub password: Option<Credential>,
    pub algorithms: Option<Vec<DigestAlgorithm>>,
    pub prefix: Option<String>,
    pub token: Option<Credential>,
    pub token_url: Option<String>,
    pub grant: Option<TokenGrant>,
    pub client_id: Option<String>,
    pub client_secret: Option<Credential>,
    pub scope: Option<String>,
}

impl Given {
    fn has(&self, field: Field) -> bool {
        match field {
            Field::Name | Field::Method | Field::Url => false,
            Field::Username => self.username.is_some(),
            Field::Password => self.password.is_some(),
            Field::Algorithms => self.algorithms.is_some(),
            Field::Prefix => self.prefix.is_some(),
            Field::Token => self.token.is_some(),
            Field::TokenUrl => self.token_url.is_some(),
            Field::GrantType => self.grant.is_some(),
            Field::ClientId => self.client_id.is_some(),
            Field::ClientSecret => self.client_secret.is_some(),
            Field::Scope => self.scope.is_some(),
        }
    }

    /// What was left out as it was before.
    #[must_use]
    pub fn or(self, before: Self) -> Self {
        Self {
            username: self.username.or(before.username),
            password: self.password.or(before.password),
            algorithms: self.algorithms.or(before.algorithms),
            prefix: self.prefix.or(before.prefix),
            token: self.token.or(before.token),
            token_url: self.token_url.or(before.token_url),
            grant: self.grant.or(before.grant),
            client_id: self.client_id.or(before.client_id),
            client_secret: self.client_secret.or(before.client_secret),
            scope: self.scope.or(before.scope),
        }
    }

    /// Takes out what somebody set to nothing.
    pub fn clear(&mut self, field: Field) {
        match field {
            Field::Name | Field::Method | Field::Url => {}
            Field::Username => self.username = None,
            Field::Password => self.password = None,
            Field::Algorithms => self.algorithms = None,
            Field::Prefix => self.prefix = None,
            Field::Token => self.token = None,
            Field::TokenUrl => self.token_url = None,
            Field::GrantType => self.grant = None,
            Field::ClientId => self.client_id = None,
            Field::ClientSecret => self.client_secret = None,
            Field::Scope => self.scope = None,
        }
    }

    /// Leaves out what another method has.
    #[must_use]
    pub fn of_method(mut self, method: MethodKind) -> Self {
        for field in ALL_FIELDS.into_iter().filter(|field| !method.fields().contains(field)) {
            self.clear(field);
        }
        self
    }
}

const ALL_FIELDS: [Field; 10] = [
    Field::Username,
    Field::Password,
    Field::Algorithms,
    Field::Prefix,
    Field::Token,
    Field::TokenUrl,
    Field::GrantType,
    Field::ClientId,
    Field::ClientSecret,
    Field::Scope,
];

impl Settings {
    pub const fn kind(&self) -> MethodKind {
        match self {
            Self::Basic(_) => MethodKind::Basic,
            Self::Digest { .. } => MethodKind::Digest,
            Self::Bearer { .. } => MethodKind::Bearer,
            Self::OAuth2 { .. } => MethodKind::OAuth2,
        }
    }

    /// Judges what was given, and fills in what may be left out.
    pub fn read(method: MethodKind, given: Given) -> Result<Self, SettingsError> {
        if let Some(field) = ALL_FIELDS.into_iter().find(|field| given.has(*field) && !method.fields().contains(field))
        {
            return Err(SettingsError { field, wrong: Wrong::NotOfMethod });
        }
        match method {
            MethodKind::Basic => {
                let login = login(&given)?;
                // RFC 7617 section 2: the first colon divides.
                let has_colon = login.username.contains(':');
                check(!has_colon, Field::Username, "a user name without a colon")?;
                Ok(Self::Basic(login))
            }
            MethodKind::Digest => {
                let mut algorithms = given.algorithms.clone().unwrap_or_else(|| DigestAlgorithm::ALL.to_vec());
                algorithms.sort_unstable();
                algorithms.dedup();
                check(!algorithms.is_empty(), Field::Algorithms, "at least one of SHA-256 and MD5")?;
                Ok(Self::Digest { login: login(&given)?, algorithms })
            }
            MethodKind::Bearer => {
                let prefix = given.prefix.unwrap_or_else(|| BEARER.to_owned());
                let is_prefix = is_token(&prefix) && prefix.len() <= MAX_PREFIX;
                check(is_prefix, Field::Prefix, "one word of at most 32 letters, digits and dashes")?;
                let token = given.token.ok_or(missing(Field::Token))?;
                check(is_presentable(token.expose()), Field::Token, "1 to 2048 visible ASCII characters")?;
                Ok(Self::Bearer { prefix, token })
            }
            MethodKind::OAuth2 => oauth2(given),
        }
    }

    /// The same as somebody would give it.
    pub fn given(&self) -> Given {
        let of_login = |login: &Login| Given {
            username: Some(login.username.clone()),
            password: Some(login.password.clone()),
            ..Given::default()
        };
        match self {
            Self::Basic(login) => of_login(login),
            Self::Digest { login, algorithms } => Given { algorithms: Some(algorithms.clone()), ..of_login(login) },
            Self::Bearer { prefix, token } => {
                Given { prefix: Some(prefix.clone()), token: Some(token.clone()), ..Given::default() }
            }
            Self::OAuth2 { token_url, grant, client_id, client_secret, scope, user } => Given {
                token_url: token_url.clone(),
                grant: Some(*grant),
                client_id: client_id.clone(),
                client_secret: client_secret.clone(),
                scope: scope.clone(),
                ..user.as_ref().map(of_login).unwrap_or_default()
            },
        }
    }

    /// Every secret of the settings, for what has to be kept out of what people are shown.
    pub fn secrets(&self) -> Vec<&str> {
        match self {
            Self::Basic(login) | Self::Digest { login, .. } => vec![login.password.expose()],
            Self::Bearer { token, .. } => vec![token.expose()],
            Self::OAuth2 { client_secret, user, .. } => {
                let password = user.as_ref().map(|user| user.password.expose());
                client_secret.as_ref().map(Credential::expose).into_iter().chain(password).collect()
            }
        }
    }
}

const fn missing(field: Field) -> SettingsError {
    SettingsError { field, wrong: Wrong::Missing }
}

fn check(is_good: bool, field: Field, expected: &'static str) -> Result<(), SettingsError> {
    if is_good { Ok(()) } else { Err(SettingsError { field, wrong: Wrong::Invalid(expected) }) }
}

fn is_line(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len()) && !text.contains(char::is_control)
}

fn is_presentable(token: &str) -> bool {
    (1..=MAX_TOKEN).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic())
}

fn login(given: &Given) -> Result<Login, SettingsError> {
    let username = given.username.clone().ok_or(missing(Field::Username))?;
    let password = given.password.clone().ok_or(missing(Field::Password))?;
    check(is_line(&username, MAX_CREDENTIAL), Field::Username, "a user name of 1 to 256 bytes on one line")?;
    check(is_line(password.expose(), MAX_CREDENTIAL), Field::Password, "a password of 1 to 256 bytes on one line")?;
    Ok(Login { username, password })
}

fn oauth2(given: Given) -> Result<Settings, SettingsError> {
    let grant = given.grant.unwrap_or_default();
    let user = match grant {
        TokenGrant::Password => Some(login(&given)?),
        TokenGrant::ClientCredentials => None,
    };
    let stray = [(Field::Username, given.username.is_some()), (Field::Password, given.password.is_some())];
    if let Some((field, _)) = stray.into_iter().find(|(_, is_there)| *is_there && user.is_none()) {
        return Err(SettingsError { field, wrong: Wrong::NotOfMethod });
    }
    if let Some(url) = &given.token_url {
        check(
            TargetUrl::parse(url).is_ok(),
            Field::TokenUrl,
            "an address such as `https://auth.example.com/oauth/token`",
        )?;
    }
    // RFC 6749 appendices A.1 to A.4.
    let is_visible = |text: &str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let is_id = |text: &str| (1..=MAX_CREDENTIAL).contains(&text.len()) && is_visible(text);
    let printable = "1 to 256 printable ASCII characters";
    check(given.client_id.as_deref().is_none_or(is_id), Field::ClientId, printable)?;
    let secret = given.client_secret.as_ref().map(Credential::expose);
    check(secret.is_none_or(is_id), Field::ClientSecret, printable)?;
    if secret.is_some() && given.client_id.is_none() {
        return Err(missing(Field::ClientId));
    }
    let is_scope =
        |text: &str| (1..=MAX_SCOPE).contains(&text.len()) && is_visible(text) && !text.contains(['"', '\\']);
    check(given.scope.as_deref().is_none_or(is_scope), Field::Scope, "names of scopes, with spaces between them")?;
    let Given { token_url, client_id, client_secret, scope, .. } = given;
    Ok(Settings::OAuth2 { token_url, grant, client_id, client_secret, scope, user })
}

/// A delivery, without what is secret of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub id: DeliveryId,
    /// Whose it is; `None`: the operator's.
    pub owner: Option<UserId>,
    pub name: String,
    pub method: MethodKind,
    /// Where test leads go; `None`: to its own receiver.
    pub url: Option<String>,
    pub created_at: Timestamp,
}

/// What became of a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExchangeKind {
    /// Our receiver took it.
    Received,
    /// Our receiver refused it.
    Refused,
    /// A test lead that was sent.
    Sent,
}

impl ExchangeKind {
    pub const ALL: [Self; 3] = [Self::Received, Self::Refused, Self::Sent];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Refused => "refused",
            Self::Sent => "sent",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A request or an answer, for people: no secret is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The request line, or the status with its phrase.
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// One request with its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub request: Message,
    /// `None` where there was none.
    pub response: Option<Message>,
    pub duration_ms: u64,
}

/// A lead on its way, with each request that it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    pub id: ExchangeId,
    pub delivery: DeliveryId,
    /// By the server's clock.
    pub at: Timestamp,
    pub kind: ExchangeKind,
    /// Of the last answer; `None`: there was none.
    pub status: Option<u16>,
    /// What was wrong, in one sentence.
    pub why: Option<String>,
    pub steps: Vec<Step>,
    /// As it was sent; of a refused one nothing is kept.
    pub lead: Option<String>,
    /// The media type that it said it was of.
    pub lead_type: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic() -> Given {
        let password = Some(Credential::new("p:ä"));
        Given { username: Some("ada".to_owned()), password, ..Given::default() }
    }

    #[test]
    fn part_d_settings_are_read_as_they_are_given() {
        let bearer = Given { token: Some(Credential::new("t0ken")), ..Given::default() };
        let oauth = Given { grant: Some(TokenGrant::Password), client_id: Some("app".to_owned()), ..basic() };
        for (method, given) in [
            (MethodKind::Basic, basic()),
            (MethodKind::Digest, basic()),
            (MethodKind::Bearer, bearer),
            (MethodKind::OAuth2, oauth),
            (MethodKind::OAuth2, Given::default()),
        ] {
            let settings = Settings::read(method, given).unwrap();
            assert_eq!(settings.kind(), method);
            assert_eq!(Settings::read(method, settings.given()).as_ref(), Ok(&settings));
            let sealed = serde_json::to_string(&settings).unwrap();
            assert_eq!(serde_json::from_str::<Settings>(&sealed).unwrap(), settings);
        }
    }

    #[test]
    fn q9_md5_is_offered_where_it_is_configured() {
        let algorithms = |given| match Settings::read(MethodKind::Digest, Given { algorithms: given, ..basic() }) {
            Ok(Settings::Digest { algorithms, .. }) => algorithms,
            other => panic!("{other:?}"),
        };
        let (sha, md5) = (DigestAlgorithm::Sha256, DigestAlgorithm::Md5);
        assert_eq!(algorithms(None), [sha, md5]);
        assert_eq!(algorithms(Some(vec![sha])), [sha]);
        assert_eq!(algorithms(Some(vec![md5, sha, md5])), [sha, md5], "the strongest first");
        assert_eq!(algorithms(Some(vec![md5])), [md5]);
    }

    #[test]
    fn part_d_a_bad_setting_is_named() {
        let of = |method, given| Settings::read(method, given).unwrap_err();
        let named = |method, given| of(method, given).field;
        assert_eq!(of(MethodKind::Basic, Given::default()), missing(Field::Username));
        assert_eq!(named(MethodKind::Basic, Given { username: Some("a:b".to_owned()), ..basic() }), Field::Username);
        assert_eq!(named(MethodKind::Digest, Given { algorithms: Some(vec![]), ..basic() }), Field::Algorithms);
        assert_eq!(of(MethodKind::Bearer, basic()).wrong, Wrong::NotOfMethod);
        let bearer = |prefix: &str, token: &str| Given {
            prefix: Some(prefix.to_owned()),
            token: Some(Credential::new(token)),
            ..Given::default()
        };
        assert_eq!(named(MethodKind::Bearer, bearer("two words", "x")), Field::Prefix);
        assert_eq!(named(MethodKind::Bearer, bearer("Token", "x y")), Field::Token);
        let oauth = |given: Given| named(MethodKind::OAuth2, given);
        assert_eq!(oauth(Given { token_url: Some("ftp://a.test".to_owned()), ..Given::default() }), Field::TokenUrl);
        assert_eq!(oauth(basic()), Field::Username, "there is no user in a client's own grant");
        assert_eq!(oauth(Given { client_secret: Some(Credential::new("x")), ..Given::default() }), Field::ClientId);
    }

    #[test]
    fn q11_no_secret_is_in_a_debug() {
        let settings = Settings::read(MethodKind::Basic, basic()).unwrap();
        assert!(!format!("{settings:?} {:?}", settings.given()).contains("p:ä"));
        assert_eq!(settings.secrets(), ["p:ä"]);
    }
}
