//! Members of requests and answers that every kind of object has: values of the domain, lists, pages.

use std::fmt;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use url::Url;

use super::super::Web;
use super::super::error::oauth;
use super::super::error::problem::Problem;
use crate::config::expected::{self, MAX_LIST};
use crate::config::secret::Secret;
use crate::crypto::webhook_signature::WebhookSecret;
use crate::domain::action_callback::OnFailure;
use crate::domain::auth_method::AuthMethod;
use crate::domain::button::{Size, Theme};
use crate::domain::email::Email;
use crate::domain::grant_type::GrantType;
use crate::domain::ids::{AccountId, AppId, ButtonId};
use crate::domain::origin::Origin;
use crate::domain::redirect_uri::RedirectUri;
use crate::domain::resource::Resource;
use crate::domain::return_url::ReturnUrl;
use crate::domain::role::Role;
use crate::domain::scope::{Scope, ScopeSet};
use crate::domain::signing_algorithm::SigningAlgorithm;
use crate::domain::target_url::TargetUrl;
use crate::domain::user::PasswordHash;
use crate::domain::webhook::{Delivery, Topic};

/// A text that is read as a seed file's is.
pub struct Given<T>(pub T);

/// A value that has a reading; the error says what is expected.
pub trait Readable: Sized {
    fn read(text: &str) -> Result<Self, String>;
}

macro_rules! readable {
    ($($type:ty => $read:path),+ $(,)?) => {
        $(impl Readable for $type {
            fn read(text: &str) -> Result<Self, String> {
                $read(text)
            }
        })+
    };
}

readable! {
    AccountId => expected::account_id,
    AppId => expected::app_id,
    ButtonId => expected::button_id,
    Email => expected::email,
    Role => expected::role,
    Scope => expected::scope,
    GrantType => expected::grant_type,
    AuthMethod => expected::auth_method,
    SigningAlgorithm => expected::signing_algorithm,
    Origin => expected::origin,
    ReturnUrl => expected::return_url,
    RedirectUri => expected::redirect_uri,
    Resource => expected::resource,
    PasswordHash => expected::password_hash,
    Size => expected::size,
    Theme => expected::theme,
    TargetUrl => expected::target_url,
    OnFailure => expected::on_failure,
    Topic => expected::topic,
    Delivery => expected::delivery,
    Url => expected::webhook_url,
    WebhookSecret => expected::webhook_secret,
    Name => name,
    Password => password,
    AsciiSecret => ascii_secret,
}

/// A name that is shown to people.
pub struct Name(pub String);
/// A password in the clear, as a request alone has it.
pub struct Password(pub Secret);
/// A client secret or an API key that somebody chose.
#[derive(PartialEq)]
pub struct AsciiSecret(pub Secret);

fn name(text: &str) -> Result<Name, String> {
    expected::name(text).map(Name)
}

fn password(text: &str) -> Result<Password, String> {
    expected::password(text).map(Password)
}

fn ascii_secret(text: &str) -> Result<AsciiSecret, String> {
    expected::ascii_secret(text).map(AsciiSecret)
}

impl<'de, T: Readable> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        T::read(&text).map(Self).map_err(|expected| D::Error::custom(format_args!("Expected {expected}")))
    }
}

/// A list of such values, each once.
pub struct List<T>(pub Vec<T>);

impl<'de, T: Readable + PartialEq> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Vec::<Given<T>>::deserialize(deserializer)?;
        if given.len() > MAX_LIST {
            return Err(D::Error::custom(format_args!("Expected at most {MAX_LIST} elements")));
        }
        let mut values = Vec::with_capacity(given.len());
        for Given(value) in given {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        Ok(Self(values))
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl From<List<Scope>> for ScopeSet {
    fn from(scopes: List<Scope>) -> Self {
        scopes.0.into_iter().collect()
    }
}

/// A member of a change that may be `null`, which is not the same as left out.
pub fn nullable<'de, T: Deserialize<'de>, D: Deserializer<'de>>(given: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(given).map(Some)
}

/// A member of a change that may be left out, but not be `null`.
pub fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(given: D) -> Result<Option<T>, D::Error> {
    T::deserialize(given).map(Some)
}

/// How many objects a list has where nothing else is asked for, and at most.
pub const DEFAULT_PAGE: i64 = 100;
pub const MAX_PAGE: i64 = 1_000;

pub const fn default_page() -> i64 {
    DEFAULT_PAGE
}

/// Which page of a list.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many at most.
    #[serde(default = "default_page")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    pub limit: i64,
    /// Those after this one: the `next` of the page before.
    #[serde(default)]
    pub after: Option<String>,
}

/// How many are to be read: one more than are shown tells whether there are more.
pub fn page(limit: i64) -> Result<i64, Problem> {
    if (1..=MAX_PAGE).contains(&limit) {
        Ok(limit + 1)
    } else {
        Err(Problem::new(StatusCode::BAD_REQUEST, "Invalid query", "Expected 1 to 1000.").in_query("limit"))
    }
}

/// A page out of what was read, and what to ask for as `after` to get the next one.
pub fn cut<T>(mut read: Vec<T>, limit: i64, id: impl Fn(&T) -> String) -> (Vec<T>, Option<String>) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = read.len() > limit;
    read.truncate(limit);
    let next = read.last().filter(|_| has_more).map(id);
    (read, next)
}

/// What stands in `after` where nothing has that id.
pub fn no_such_page() -> Problem {
    let detail = "`after` is the id that the page before has as `next`; nothing has this one any more.";
    Problem::new(StatusCode::BAD_REQUEST, "Invalid query", detail).in_query("after")
}

/// An object that was made, and where it is from now on.
pub fn created(web: &Web, collection: &str, id: impl fmt::Display, object: &impl Serialize) -> Response {
    let mut response = oauth::json(StatusCode::CREATED, object);
    // Ids are plain, or escaped by the caller.
    if let Ok(location) = HeaderValue::from_str(&web.urls.path(&format!("{collection}/{id}"))) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

pub fn ok(object: &impl Serialize) -> Response {
    oauth::json(StatusCode::OK, object)
}

/// Scopes as a list of names.
pub fn names(scopes: &ScopeSet) -> Vec<&'static str> {
    scopes.iter().map(Scope::as_str).collect()
}
