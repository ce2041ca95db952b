//! The endpoints that a fault rule may name: each route of the emulated surfaces, with the form of its errors, with who may
//! read its answers, and with what a request to it says of itself.

use super::super::error::button::Code;
use super::super::urls::{below, route};
use crate::domain::fault::{Endpoint, Errors};
use crate::services::oauth::error::ErrorCode;

/// What an error looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// LeadExec's five keys.
    Refresh,
    /// `valid` and a sentence, JSON or JSONP.
    Disconnect,
    /// The object that `AuthorizeResult` gets.
    Result,
    /// The same, for each button of a page.
    Results,
    /// LeadExec's four keys of a token.
    ApiToken,
    /// RFC 6749 section 5.2.
    OAuth,
    /// The same with a challenge (RFC 6750 section 3).
    Bearer,
    /// Sent to the client by the browser (RFC 6749 section 4.1.2.1); a page where there is no client.
    Redirect,
    Page,
}

/// Pages of which other origins may read the answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    None,
    /// Those that are listed for a button.
    Listed,
    /// Those of the client that the request names.
    Clients,
    All,
}

pub struct Served {
    pub endpoint: Endpoint,
    pub form: Form,
    pub readers: Readers,
}

/// What a request says of itself.
#[derive(Clone, Copy)]
enum Shows {
    Nothing,
    App,
    User,
    Both,
}

const BUTTON: &[&str] = &button_codes([
    Code::OriginNotAllowed,
    Code::InvalidButton,
    Code::InvalidGrant,
    Code::AccessDenied,
    Code::RateLimited,
    Code::ServerError,
]);
const RESUME: &[&str] = &button_codes([
    Code::LoginRequired,
    Code::ConsentRequired,
    Code::InvalidButton,
    Code::OriginNotAllowed,
    Code::RateLimited,
    Code::ServerError,
]);
const TOKEN: &[&str] = &codes([
    ErrorCode::InvalidRequest,
    ErrorCode::InvalidClient,
    ErrorCode::InvalidGrant,
    ErrorCode::UnauthorizedClient,
    ErrorCode::UnsupportedGrantType,
    ErrorCode::InvalidScope,
    ErrorCode::InvalidTarget,
    ErrorCode::AccessDenied,
    ErrorCode::AuthorizationPending,
    ErrorCode::SlowDown,
    ErrorCode::ExpiredToken,
    ErrorCode::InvalidDpopProof,
    ErrorCode::ServerError,
    ErrorCode::TemporarilyUnavailable,
]);
const API_TOKEN: &[&str] = &codes([
    ErrorCode::InvalidRequest,
    ErrorCode::InvalidClient,
    ErrorCode::UnauthorizedClient,
    ErrorCode::UnsupportedGrantType,
    ErrorCode::InvalidScope,
    ErrorCode::SlowDown,
    ErrorCode::ServerError,
    ErrorCode::TemporarilyUnavailable,
]);
/// The other endpoints that clients call themselves.
const CLIENT: &[&str] = &codes([
    ErrorCode::InvalidRequest,
    ErrorCode::InvalidClient,
    ErrorCode::UnauthorizedClient,
    ErrorCode::InvalidScope,
    ErrorCode::InvalidTarget,
    ErrorCode::InvalidDpopProof,
    ErrorCode::SlowDown,
    ErrorCode::ServerError,
    ErrorCode::TemporarilyUnavailable,
]);
const REGISTRATION: &[&str] = &codes([
    ErrorCode::InvalidRequest,
    ErrorCode::InvalidToken,
    ErrorCode::InvalidRedirectUri,
    ErrorCode::InvalidClientMetadata,
    ErrorCode::ServerError,
    ErrorCode::TemporarilyUnavailable,
]);
const AUTHORIZATION: &[&str] = &codes([
    ErrorCode::InvalidRequest,
    ErrorCode::UnauthorizedClient,
    ErrorCode::AccessDenied,
    ErrorCode::UnsupportedResponseType,
    ErrorCode::InvalidScope,
    ErrorCode::InvalidTarget,
    ErrorCode::LoginRequired,
    ErrorCode::ConsentRequired,
    ErrorCode::RequestNotSupported,
    ErrorCode::RegistrationNotSupported,
    ErrorCode::ServerError,
    ErrorCode::TemporarilyUnavailable,
]);
const BEARER: &[&str] = &codes([
    ErrorCode::InvalidRequest,
    ErrorCode::InvalidToken,
    ErrorCode::InsufficientScope,
    ErrorCode::InvalidDpopProof,
    ErrorCode::ServerError,
    ErrorCode::TemporarilyUnavailable,
]);

pub const ENDPOINTS: &[Served] = &[
    refresh(route::REFRESH),
    refresh(route::REFRESH_EMPTY),
    refresh(route::REFRESH_TOKEN),
    disconnect(route::DISCONNECT),
    disconnect(route::DISCONNECT_EMPTY),
    disconnect(route::DISCONNECT_TOKEN),
    disconnect(route::DISCONNECT_FORM),
    page(route::BUTTON_AUTHORIZE, Shows::Both),
    served(route::BUTTON_TOKEN, Form::Result, Errors::Codes(BUTTON), Shows::Both, Readers::Listed),
    served(route::BUTTON_RESUME, Form::Results, Errors::Codes(RESUME), Shows::Both, Readers::Listed),
    served(route::BUTTON_REPORT, Form::Result, Errors::Status, Shows::Nothing, Readers::None),
    page(route::DIALOG, Shows::Both),
    page(route::DIALOG_LOGIN, Shows::Both),
    page(route::DIALOG_DECISION, Shows::Both),
    page(route::DIALOG_SWITCH, Shows::Both),
    page(route::ACCOUNT, Shows::User),
    page(route::ACCOUNT_LOGIN, Shows::User),
    page(route::ACCOUNT_DISCONNECT, Shows::Both),
    page(route::ACCOUNT_PROFILE, Shows::User),
    page(route::ACCOUNT_PASSWORD, Shows::User),
    page(route::ACCOUNT_SESSIONS, Shows::User),
    page(route::ACCOUNT_SESSIONS_END, Shows::User),
    page(route::ACCOUNT_SESSION_END, Shows::User),
    page(route::ACCOUNT_HISTORY, Shows::User),
    page(route::ACCOUNT_DATA, Shows::User),
    page(route::ACCOUNT_EXPORT, Shows::User),
    page(route::LOGOUT, Shows::User),
    page(route::BUTTON_SCRIPT, Shows::Nothing),
    page(route::BUTTON_STYLE, Shows::Nothing),
    served(route::ME, Form::Bearer, Errors::Codes(BEARER), Shows::Both, Readers::None),
    served(route::API_TOKEN, Form::ApiToken, Errors::Codes(API_TOKEN), Shows::App, Readers::None),
    served(route::LEAD_INSERT, Form::Bearer, Errors::Codes(BEARER), Shows::Both, Readers::None),
    served(route::LEAD_QUERY, Form::Bearer, Errors::Codes(BEARER), Shows::Both, Readers::None),
    served(route::SERVER_METADATA, Form::OAuth, Errors::Status, Shows::Nothing, Readers::All),
    served(route::OPENID_METADATA, Form::OAuth, Errors::Status, Shows::Nothing, Readers::All),
    served(route::JWKS, Form::OAuth, Errors::Status, Shows::Nothing, Readers::All),
    served(route::OAUTH_AUTHORIZE, Form::Redirect, Errors::Codes(AUTHORIZATION), Shows::Both, Readers::None),
    served(route::TOKEN, Form::OAuth, Errors::Codes(TOKEN), Shows::Both, Readers::Clients),
    served(route::REVOKE, Form::OAuth, Errors::Codes(CLIENT), Shows::Both, Readers::Clients),
    served(route::INTROSPECT, Form::OAuth, Errors::Codes(CLIENT), Shows::Both, Readers::None),
    served(route::USERINFO, Form::Bearer, Errors::Codes(BEARER), Shows::Both, Readers::All),
    served(route::PAR, Form::OAuth, Errors::Codes(CLIENT), Shows::App, Readers::Clients),
    served(route::DEVICE_AUTHORIZATION, Form::OAuth, Errors::Codes(CLIENT), Shows::App, Readers::Clients),
    page(route::DEVICE, Shows::Both),
    served(route::REGISTER, Form::OAuth, Errors::Codes(REGISTRATION), Shows::Nothing, Readers::None),
    served(route::REGISTER_CLIENT, Form::OAuth, Errors::Codes(REGISTRATION), Shows::App, Readers::None),
    page(route::END_SESSION, Shows::Both),
    served(route::RECEIVE, Form::OAuth, Errors::Status, Shows::Nothing, Readers::None),
];

const fn served(route: &'static str, form: Form, errors: Errors, shows: Shows, readers: Readers) -> Served {
    let shows_app = matches!(shows, Shows::App | Shows::Both);
    let shows_user = matches!(shows, Shows::User | Shows::Both);
    Served { endpoint: Endpoint { route, errors, shows_app, shows_user }, form, readers }
}

const fn refresh(route: &'static str) -> Served {
    served(route, Form::Refresh, Errors::Sentence, Shows::Both, Readers::None)
}

const fn disconnect(route: &'static str) -> Served {
    served(route, Form::Disconnect, Errors::Sentence, Shows::Both, Readers::None)
}

const fn page(route: &'static str, shows: Shows) -> Served {
    served(route, Form::Page, Errors::Status, shows, Readers::None)
}

const fn codes<const N: usize>(codes: [ErrorCode; N]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut at = 0;
    while at < N {
        names[at] = codes[at].as_str();
        at += 1;
    }
    names
}

const fn button_codes<const N: usize>(codes: [Code; N]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut at = 0;
    while at < N {
        names[at] = codes[at].as_str();
        at += 1;
    }
    names
}

/// The endpoint of a route as the router matched it, below the issuer's path.
pub fn of_matched(matched: &str, base: &str) -> Option<&'static Served> {
    let route = below(base, matched);
    ENDPOINTS.iter().find(|served| served.endpoint.route == route)
}

#[cfg(test)]
mod tests {
    use super::super::super::urls;
    use super::*;

    /// So that a route that is added is not forgotten here.
    #[test]
    fn e_every_route_of_the_emulated_surfaces_may_be_named() {
        for route in route::ALL {
            let first = route.split('/').nth(1).unwrap();
            assert_eq!(of_matched(route, "").is_some(), urls::is_emulated(first), "{route}");
        }
    }

    #[test]
    fn e_a_route_is_known_below_the_issuers_path() {
        let route_of = |matched: &str| of_matched(matched, "/t1").map(|served| served.endpoint.route);
        assert_eq!(route_of("/t1/oauth/token"), Some(route::TOKEN));
        assert_eq!(route_of("/t1/account"), Some(route::ACCOUNT));
        assert_eq!(route_of("/.well-known/openid-configuration/t1"), Some(route::OPENID_METADATA));
        assert_eq!(route_of("/livez"), None);
    }
}
