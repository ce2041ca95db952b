//! Single values of what an operator writes, in a seed file or in a request to the control plane: what each may be.
//! The error says what is expected in place of the text, and never repeats it.

use serde_json::Value;
use url::Url;

use super::nearest::suggestion;
use super::secret::Secret;
use crate::crypto::client_keys::ClientKeys;
use crate::crypto::password::check_phc;
use crate::crypto::webhook_signature::WebhookSecret;
use crate::domain::action_callback::OnFailure;
use crate::domain::app::{MAX_NAME, is_name};
use crate::domain::auth_method::AuthMethod;
use crate::domain::button::{Size, Theme};
use crate::domain::email::{Email, MAX_EMAIL};
use crate::domain::grant_type::GrantType;
use crate::domain::ids::{AccountId, AppId, ButtonId, IdError, MAX_TEXT_ID};
use crate::domain::origin::Origin;
use crate::domain::redirect_uri::RedirectUri;
use crate::domain::resource::Resource;
use crate::domain::return_url::ReturnUrl;
use crate::domain::role::Role;
use crate::domain::scope::Scope;
use crate::domain::signing_algorithm::SigningAlgorithm;
use crate::domain::target_url::TargetUrl;
use crate::domain::user::{MAX_PASSWORD, PasswordHash};
use crate::domain::webhook::{Delivery, Topic};

/// Most elements of one list.
pub const MAX_LIST: usize = 100;
/// Longest client secret and API key, in characters.
pub const MAX_SECRET: usize = 256;

/// A name that is shown to people.
pub fn name(text: &str) -> Result<String, String> {
    if is_name(text) { Ok(text.to_owned()) } else { Err(format!("1 to {MAX_NAME} visible characters")) }
}

fn id<T>(parsed: Result<T, IdError>) -> Result<T, String> {
    parsed.map_err(|_| format!("1 to {MAX_TEXT_ID} characters out of A-Z a-z 0-9 . _ -"))
}

pub fn account_id(text: &str) -> Result<AccountId, String> {
    id(AccountId::parse(text))
}

pub fn app_id(text: &str) -> Result<AppId, String> {
    id(AppId::parse(text))
}

pub fn button_id(text: &str) -> Result<ButtonId, String> {
    id(ButtonId::parse(text))
}

pub fn email(text: &str) -> Result<Email, String> {
    Email::parse(text).map_err(|_| format!("an e-mail address, name@host, of at most {MAX_EMAIL} characters"))
}

pub fn role(word: &str) -> Result<Role, String> {
    Role::parse(word).map_err(|_| suggestion(word, &Role::ALL.map(Role::as_str)))
}

pub fn grant_type(word: &str) -> Result<GrantType, String> {
    GrantType::named(word).map_err(|_| suggestion(word, &GrantType::ALL.map(GrantType::short_name)))
}

pub fn auth_method(word: &str) -> Result<AuthMethod, String> {
    AuthMethod::parse(word).map_err(|_| suggestion(word, &AuthMethod::ALL.map(AuthMethod::as_str)))
}

pub fn signing_algorithm(word: &str) -> Result<SigningAlgorithm, String> {
    SigningAlgorithm::parse(word).map_err(|_| suggestion(word, &SigningAlgorithm::ALL.map(SigningAlgorithm::as_str)))
}

pub fn scope(word: &str) -> Result<Scope, String> {
    Scope::parse(word).map_err(|_| suggestion(word, &Scope::ALL.map(Scope::as_str)))
}

pub fn theme(word: &str) -> Result<Theme, String> {
    Theme::parse(word).ok_or_else(|| suggestion(word, &Theme::ALL.map(Theme::as_str)))
}

pub fn target_url(text: &str) -> Result<TargetUrl, String> {
    TargetUrl::parse(text).map_err(|why| why.to_string())
}

pub fn on_failure(word: &str) -> Result<OnFailure, String> {
    OnFailure::parse(word).ok_or_else(|| suggestion(word, &OnFailure::ALL.map(OnFailure::as_str)))
}

pub fn size(word: &str) -> Result<Size, String> {
    Size::parse(word).ok_or_else(|| suggestion(word, &Size::ALL.map(Size::as_str)))
}

pub fn resource(text: &str) -> Result<Resource, String> {
    Resource::parse(text).map_err(|error| format!("an address such as `https://api.example.com`: {error}"))
}

pub fn origin(text: &str) -> Result<Origin, String> {
    Origin::parse(text).map_err(|error| match &error.nearest {
        Some(nearest) => format!("`{nearest}`: {}", error.problem),
        None => format!("an origin such as `https://www.example.com`: {}", error.problem),
    })
}

pub fn return_url(text: &str) -> Result<ReturnUrl, String> {
    let refused = "an address such as `https://www.example.com/signin`: it is refused because of this";
    ReturnUrl::parse(text).map_err(|error| format!("{refused}: {error}"))
}

pub fn redirect_uri(text: &str) -> Result<RedirectUri, String> {
    let refused = "an address such as `https://www.example.com/callback`: it is refused because of this";
    RedirectUri::parse(text).map_err(|error| format!("{refused}: {error}"))
}

/// What webhooks are told of.
pub fn topic(word: &str) -> Result<Topic, String> {
    let known = Topic::SUBSCRIBABLE.into_iter().find(|topic| topic.as_str() == word);
    known.ok_or_else(|| suggestion(word, &Topic::SUBSCRIBABLE.map(Topic::as_str)))
}

/// How far a webhook's message is.
pub fn delivery(word: &str) -> Result<Delivery, String> {
    Delivery::parse(word).ok_or_else(|| suggestion(word, &Delivery::ALL.map(Delivery::as_str)))
}

pub fn webhook_url(text: &str) -> Result<Url, String> {
    target_url(text).map(TargetUrl::into_url)
}

pub fn webhook_secret(text: &str) -> Result<WebhookSecret, String> {
    WebhookSecret::parse(text).map_err(|_| "`whsec_` and 24 to 64 bytes in base64".to_owned())
}

/// A client's public keys, in the form that is kept of them.
pub fn jwks(set: &Value) -> Result<String, String> {
    let keys = ClientKeys::from_json(set);
    keys.map(|keys| keys.to_json().to_string())
        .map_err(|error| format!("a JWK Set with the client's public keys (RFC 7517): {error}"))
}

/// A secret that goes through headers and forms: printable ASCII (RFC 6749 appendix A.2).
pub fn ascii_secret(text: &str) -> Result<Secret, String> {
    let good = (1..=MAX_SECRET).contains(&text.len()) && text.bytes().all(|b| (0x20..0x7f).contains(&b));
    if good { Ok(Secret::new(text)) } else { Err(format!("1 to {MAX_SECRET} printable ASCII characters")) }
}

pub fn password(text: &str) -> Result<Secret, String> {
    let good = (1..=MAX_PASSWORD).contains(&text.len());
    if good { Ok(Secret::new(text)) } else { Err(format!("a password of 1 to {MAX_PASSWORD} bytes")) }
}

pub fn password_hash(text: &str) -> Result<PasswordHash, String> {
    check_phc(text).map_err(|_| {
        "an argon2id hash in PHC form (`$argon2id$v=19$…`) that asks for at most m=262144, t=10, p=8".to_owned()
    })
}
