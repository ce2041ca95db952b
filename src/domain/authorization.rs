//! An authorization request (RFC 6749 section 4.1.1, OpenID Connect Core 3.1.2.1) with what was verified
//! about it.

use serde::{Deserialize, Serialize};

use super::ids::AppId;
use super::resource::Resource;
use super::scope::ScopeSet;
use super::timestamp::Timestamp;

/// Longest `state`, `nonce` or other free text of a request, in bytes.
pub const MAX_FREE_TEXT: usize = 4_096;

/// What was asked for. Everything in it was checked against the client's registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    pub client: AppId,
    pub target: RedirectTarget,
    /// Whether the request named the redirect URI: then the code's redemption has to (RFC 6749 section 4.1.3).
    pub redirect_uri_given: bool,
    pub scopes: ScopeSet,
    pub nonce: Option<String>,
    pub code_challenge: Option<String>,
    pub resource: Option<Resource>,
    /// The key that the code is bound to (RFC 9449 section 10).
    pub dpop_jkt: Option<String>,
    pub interaction: Interaction,
    /// What the e-mail field is filled with.
    pub login_hint: Option<String>,
    /// The user that an ID token of ours names: nobody else will do.
    pub subject_hint: Option<String>,
    pub lang: Option<String>,
}

/// Where the response goes, and how. Made only from a registered redirect URI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedirectTarget {
    /// The redirect URI of the request: a registered one, or that with another port on a loopback address.
    pub uri: String,
    pub mode: ResponseMode,
    /// Given back unchanged.
    pub state: Option<String>,
    /// Whether the URI belongs to the client for certain: an https one does; a loopback port or a
    /// private-use scheme belongs to whoever takes it first (RFC 8252 section 8.6).
    pub is_verified: bool,
}

/// How the parameters of the response travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    Query,
    Fragment,
    /// OAuth 2.0 Form Post Response Mode.
    FormPost,
}

impl ResponseMode {
    pub const ALL: [ResponseMode; 3] = [ResponseMode::Query, ResponseMode::Fragment, ResponseMode::FormPost];

    pub const fn as_str(self) -> &'static str {
        match self {
            ResponseMode::Query => "query",
            ResponseMode::Fragment => "fragment",
            ResponseMode::FormPost => "form_post",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        ResponseMode::ALL.into_iter().find(|mode| mode.as_str() == text)
    }
}

/// What the user may, or must, be asked (`prompt` and `max_age`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interaction {
    /// `prompt=none`: no page may be shown.
    pub silent: bool,
    /// `prompt=consent`: the consent step is shown even where nothing new is asked for.
    pub consent: bool,
    /// A sign-in from before this moment does not do: `prompt=login`, `prompt=select_account`, `max_age`.
    pub signed_in_since: Option<Timestamp>,
}
