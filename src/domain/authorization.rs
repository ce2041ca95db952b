//! An authorization request (RFC 6749 section 4.1.1, OpenID Connect Core 3.1.2.1) with what was verified
//! about it.

use serde::{Deserialize, Serialize};
use url::form_urlencoded;

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

/// What is sent to a client's redirect URI (RFC 6749 section 4.1.2). Holds the code: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizationResponse {
    pub target: RedirectTarget,
    /// In the order in which they are sent; `state` and `iss` among them.
    pub parameters: Vec<(&'static str, String)>,
}

impl AuthorizationResponse {
    /// Adds what every response has: the state as it came, and who answers (RFC 9207 section 2).
    pub fn new(target: RedirectTarget, issuer: &str, own: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        let mut parameters: Vec<_> = own.into_iter().collect();
        parameters.extend(target.state.clone().map(|state| ("state", state)));
        parameters.push(("iss", issuer.to_owned()));
        Self { target, parameters }
    }

    /// The address that the browser is sent to; with [`ResponseMode::FormPost`] it is the form's, and the parameters
    /// are its fields.
    pub fn location(&self) -> String {
        let uri = self.target.uri.as_str();
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.parameters);
        match self.target.mode {
            ResponseMode::FormPost => uri.to_owned(),
            ResponseMode::Fragment => format!("{uri}#{}", query.finish()),
            // A query that was registered is kept (RFC 6749 section 3.1.2).
            ResponseMode::Query if uri.contains('?') => format!("{uri}&{}", query.finish()),
            ResponseMode::Query => format!("{uri}?{}", query.finish()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(uri: &str, mode: ResponseMode, state: Option<&str>) -> AuthorizationResponse {
        let state = state.map(str::to_owned);
        let target = RedirectTarget { uri: uri.to_owned(), mode, state, is_verified: true };
        AuthorizationResponse::new(target, "https://as.test", [("code", "x".to_owned())])
    }

    #[test]
    fn b14_b17_b18_a_response_keeps_what_was_registered_and_the_state() {
        let location = |uri, mode, state| response(uri, mode, state).location();
        assert_eq!(
            location("https://a.test/cb?x=1", ResponseMode::Query, Some("ü &=%+")),
            "https://a.test/cb?x=1&code=x&state=%C3%BC+%26%3D%25%2B&iss=https%3A%2F%2Fas.test"
        );
        assert_eq!(
            location("com.example.app:/cb", ResponseMode::Query, None),
            "com.example.app:/cb?code=x&iss=https%3A%2F%2Fas.test"
        );
        assert_eq!(
            location("https://a.test/cb", ResponseMode::Fragment, Some("s")),
            "https://a.test/cb#code=x&state=s&iss=https%3A%2F%2Fas.test"
        );
        assert_eq!(location("https://a.test/cb", ResponseMode::FormPost, Some("s")), "https://a.test/cb");
    }
}
