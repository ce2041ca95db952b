//! What is different between two states of a thing, for the event log. Secrets are never among it.

use crate::domain::app::App;
use crate::domain::button::Button;
use crate::domain::delivery::{Delivery, Settings};
use crate::domain::event::Change;
use crate::domain::target_url::TargetUrl;
use crate::domain::user::User;

fn joined<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(" ")
}

pub fn of_app(before: &App, after: &App) -> Vec<Change> {
    let redirects = |app: &App| joined(app.redirect_uris.iter().map(|uri| uri.as_str()));
    let returns = |app: &App| joined(app.post_logout_redirect_uris.iter().map(|uri| uri.as_str()));
    let owner = |app: &App| app.owner.map(|owner| owner.to_string()).unwrap_or_default();
    let homepage = |app: &App| app.homepage.clone().unwrap_or_default();
    let grants = |app: &App| joined(app.grant_types.iter().map(|grant| grant.as_str()));
    let resources = |app: &App| joined(app.resources.iter().map(|resource| resource.as_str()));
    let keys = |app: &App| app.jwks.clone().unwrap_or_default();
    let both = [
        Change::of("name", &before.name, &after.name),
        Change::of("publisher", &before.publisher, &after.publisher),
        Change::of("homepage", homepage(before), homepage(after)),
        Change::of("owner", owner(before), owner(after)),
        Change::of("token_endpoint_auth_method", before.auth_method.as_str(), after.auth_method.as_str()),
        Change::of("grant_types", grants(before), grants(after)),
        Change::of("redirect_uris", redirects(before), redirects(after)),
        Change::of("post_logout_redirect_uris", returns(before), returns(after)),
        Change::of("scopes", &before.scopes, &after.scopes),
        Change::of("resources", resources(before), resources(after)),
        Change::of("jwks", keys(before), keys(after)),
        Change::of("access_token_signing_alg", before.access_token_alg.as_str(), after.access_token_alg.as_str()),
        Change::of("id_token_signed_response_alg", before.id_token_alg.as_str(), after.id_token_alg.as_str()),
        Change::of("dpop_bound_access_tokens", before.requires_dpop, after.requires_dpop),
        Change::of("require_pushed_authorization_requests", before.requires_par, after.requires_par),
    ];
    both.into_iter().flatten().collect()
}

pub fn of_button(before: &Button, after: &Button) -> Vec<Change> {
    let origins = |button: &Button| joined(button.origins.iter().map(|origin| origin.as_str()));
    let returns = |button: &Button| joined(button.return_urls.iter().map(|url| url.as_str()));
    let scopes = |button: &Button| button.scopes.as_ref().map(ToString::to_string).unwrap_or_default();
    let both = [
        Change::of("app", &before.app, &after.app),
        Change::of("origins", origins(before), origins(after)),
        Change::of("return_urls", returns(before), returns(after)),
        Change::of("scopes", scopes(before), scopes(after)),
        Change::of("theme", before.theme.as_str(), after.theme.as_str()),
        Change::of("size", before.size.as_str(), after.size.as_str()),
    ];
    both.into_iter().flatten().collect()
}

/// Of a target's address: its path and its query may hold something secret.
fn origin(url: Option<&str>) -> String {
    url.and_then(|url| TargetUrl::parse(url).ok()).map(|url| url.origin()).unwrap_or_default()
}

/// `None` before it is made.
pub fn of_delivery(before: Option<(&Delivery, &Settings)>, after: (&Delivery, &Settings)) -> Vec<Change> {
    let described = |(delivery, settings): (&Delivery, &Settings)| {
        let given = settings.given();
        [
            ("name", delivery.name.clone()),
            ("method", delivery.method.as_str().to_owned()),
            ("url", origin(delivery.url.as_deref())),
            ("username", given.username.unwrap_or_default()),
            ("algorithms", joined(given.algorithms.iter().flatten().map(|one| one.as_str()))),
            ("prefix", given.prefix.unwrap_or_default()),
            ("token_url", origin(given.token_url.as_deref())),
            ("grant_type", given.grant.map(|grant| grant.as_str()).unwrap_or_default().to_owned()),
            ("client_id", given.client_id.unwrap_or_default()),
            ("scope", given.scope.unwrap_or_default()),
        ]
    };
    let after = described(after);
    let before = before.map(described).unwrap_or_else(|| after.clone().map(|(name, _)| (name, String::new())));
    before.into_iter().zip(after).filter_map(|((name, before), (_, after))| Change::of(name, before, after)).collect()
}

/// Whether one is disabled and passwords are events of their own.
pub fn of_user(before: &User, after: &User) -> Vec<Change> {
    let both = [
        Change::of("email", &before.email, &after.email),
        Change::of("name", &before.name, &after.name),
        Change::of("account", &before.account, &after.account),
        Change::of("role", before.role.as_str(), after.role.as_str()),
    ];
    both.into_iter().flatten().collect()
}
