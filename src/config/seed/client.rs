//! What an application of a seed file is as an OAuth client. The keys have the names of RFC 7591 section 2 where that
//! has one.

use super::SeedClient;
use super::values;
use crate::config::document::{Document, Located, Section};
use crate::config::expected;
use crate::config::secret::Secret;
use crate::domain::app::{DEFAULT_ACCESS_TOKEN_ALG, DEFAULT_ID_TOKEN_ALG};
use crate::domain::auth_method::AuthMethod;
use crate::domain::grant_type::GrantType;
use crate::domain::scope::{Scope, ScopeSet};
use crate::domain::signing_algorithm::SigningAlgorithm;

const METHOD: &str = "token_endpoint_auth_method";

pub const KEYS: &[&str] = &[
    METHOD,
    "client_secret",
    "jwks",
    "grant_types",
    "redirect_uris",
    "post_logout_redirect_uris",
    "scopes",
    "resources",
    "access_token_signing_alg",
    "id_token_signed_response_alg",
    "dpop_bound_access_tokens",
    "require_pushed_authorization_requests",
];

pub fn client<'t>(document: &mut Document<'t>, section: &Section<'_, 't>) -> SeedClient {
    let Credentials { auth_method, client_secret, jwks } = credentials(document, section);
    let redirect_uris = values::list(document, section, "redirect_uris", values::element(expected::redirect_uri));
    let after_logout =
        values::list(document, section, "post_logout_redirect_uris", values::element(expected::return_url));
    let scopes = values::scopes(document, section, None);
    let resources = values::list(document, section, "resources", values::element(expected::resource));
    let access_token_alg = algorithm(document, section, "access_token_signing_alg");
    let id_token_alg = algorithm(document, section, "id_token_signed_response_alg");
    SeedClient {
        auth_method,
        client_secret,
        jwks,
        grant_types: grant_types(document, section, auth_method),
        redirect_uris: redirect_uris.map(|uris| uris.value).unwrap_or_default(),
        post_logout_redirect_uris: after_logout.map(|uris| uris.value).unwrap_or_default(),
        scopes: scopes.unwrap_or_else(|| ScopeSet::from_iter([Scope::AccountApi])),
        resources: resources.map(|resources| resources.value).unwrap_or_default(),
        access_token_alg: access_token_alg.unwrap_or(DEFAULT_ACCESS_TOKEN_ALG),
        id_token_alg: id_token_alg.unwrap_or(DEFAULT_ID_TOKEN_ALG),
        requires_dpop: is_on(document, section, "dpop_bound_access_tokens"),
        requires_par: is_on(document, section, "require_pushed_authorization_requests"),
    }
}

struct Credentials {
    auth_method: AuthMethod,
    client_secret: Option<Secret>,
    jwks: Option<String>,
}

fn credentials<'t>(document: &mut Document<'t>, section: &Section<'_, 't>) -> Credentials {
    let secret = section.text(document, "client_secret");
    let keys = section.json(document, "jwks");
    let given = section.text(document, METHOD);
    let named = values::parsed(document, given, expected::auth_method).map(|method| method.value);
    let implied = if section.has("client_secret") { AuthMethod::ClientSecretBasic } else { AuthMethod::None };
    let auth_method = named.unwrap_or(implied);
    // What goes with a method that could not be read, nobody knows.
    if named.is_some() || !section.has(METHOD) {
        check_beside(document, section, auth_method, "client_secret", auth_method.has_secret());
        check_beside(document, section, auth_method, "jwks", auth_method == AuthMethod::PrivateKeyJwt);
    }
    Credentials {
        auth_method,
        client_secret: secret.and_then(|secret| values::secret(document, secret, expected::ascii_secret)),
        jwks: keys.and_then(|keys| values::jwks(document, &keys)),
    }
}

/// Whether what a method needs is there, and nothing else.
fn check_beside<'t>(
    document: &mut Document<'t>,
    section: &Section<'_, 't>,
    method: AuthMethod,
    name: &str,
    is_needed: bool,
) {
    match (section.location_of(name), section.location_of(METHOD)) {
        (None, Some(at)) if is_needed => {
            document.fault(&at, format!("found `{method}` without `{name}`"), format!("`{name}` beside it"));
        }
        (Some(at), _) if !is_needed => {
            document.fault(&at, format!("found `{name}` beside the method `{method}`"), "what the method needs alone");
        }
        _ => {}
    }
}

fn grant_types<'t>(document: &mut Document<'t>, section: &Section<'_, 't>, method: AuthMethod) -> Vec<GrantType> {
    let given = values::list(document, section, "grant_types", |document, given| {
        let at: Located<()> = given.with(());
        let grant = values::parsed(document, Some(given), expected::grant_type)?.value;
        if method == AuthMethod::None && grant == GrantType::ClientCredentials {
            let found = "found `client_credentials` without a `client_secret` or `jwks`";
            document.fault(&at, found, "credentials: this grant is nothing without them (RFC 6749 section 4.4)");
            return None;
        }
        Some(grant)
    });
    let Some(given) = given else { return GrantType::DEFAULT.to_vec() };
    let mut grants = Vec::new();
    for grant in given.value {
        // One of them has two names.
        if !grants.contains(&grant) {
            grants.push(grant);
        }
    }
    grants
}

fn algorithm<'t>(document: &mut Document<'t>, section: &Section<'_, 't>, name: &str) -> Option<SigningAlgorithm> {
    let given = section.text(document, name);
    values::parsed(document, given, expected::signing_algorithm).map(|algorithm| algorithm.value)
}

fn is_on<'t>(document: &mut Document<'t>, section: &Section<'_, 't>, name: &str) -> bool {
    section.boolean(document, name).is_some_and(|switch| switch.value)
}
