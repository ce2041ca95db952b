//! Settings > API: what is shown is what works.

use std::collections::BTreeMap;

use leadgate::domain::event::Action;

use super::{assert_refused, shown};
use crate::support::http::{escape, form, request};
use crate::support::{ADA, Answer, GRACE, PASSWORD, World, both};

const PAGE: &str = "/settings/api";
const CALLBACK: &str = "http://localhost:33333/";

fn client(kind: &'static str) -> [(&'static str, &'static str); 3] {
    [("name", "Reports"), ("kind", kind), ("callback", CALLBACK)]
}

/// The connection string, read as a connector reads it.
fn connection_string(page: &Answer) -> BTreeMap<String, String> {
    let string = shown(page, "connection-string").unwrap();
    let parts = string.split(';').filter(|part| !part.is_empty()).map(|part| part.split_once('=').unwrap());
    parts.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

async fn token(world: &World, page: &Answer, id: &str, secret: &str, fields: &[(&str, &str)]) -> Answer {
    use base64::Engine as _;
    let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}")));
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("authorization", basic.as_str())];
    let url = shown(page, "token-url").unwrap();
    world.send(request("POST", url.strip_prefix("https://auth.test").unwrap(), &headers, form(fields))).await
}

/// A connector gets tokens with what its connection string says: with the password, and again with the refresh token.
async fn a_connector_works_with_its_connection_string(world: World) {
    let mut ada = world.signed_in(ADA).await;
    let page = ada.submit(PAGE, &client("connector")).await.expect(200);
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let string = connection_string(&page);
    assert_eq!((string["AuthScheme"].as_str(), string["InitiateOAuth"].as_str()), ("OAuth", "GETANDREFRESH"));
    assert_eq!((string["CallbackURL"].as_str(), string["User"].as_str()), (CALLBACK, ADA));
    let (id, secret) = (&string["OAuthClientId"], &string["OAuthClientSecret"]);
    assert_eq!((Some(id), Some(secret)), (shown(&page, "client-id").as_ref(), shown(&page, "client-secret").as_ref()));
    let fields = [("grant_type", "password"), ("username", &string["User"]), ("password", PASSWORD)];
    let answer = token(&world, &page, id, secret, &fields).await.expect(200).json();
    world.me(answer["access_token"].as_str().unwrap()).await.expect(200);
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", answer["refresh_token"].as_str().unwrap())];
    token(&world, &page, id, secret, &refresh).await.expect(200);
    assert!(!ada.get(PAGE).await.expect(200).text().contains(secret.as_str()), "it was shown once");
    assert!(ada.get(PAGE).await.expect(200).text().contains(id.as_str()));
    assert_eq!(world.events(Action::AppCreated).await[0].target.name, "Reports");
}

/// A platform's credential works with the settings that are shown: authorization URL, token URL, redirect URI, scopes.
async fn a_generic_credential_works_with_its_settings(world: World) {
    let mut ada = world.signed_in(ADA).await;
    let page = ada.submit(PAGE, &client("authorization_code")).await.expect(200);
    let fact = |id: &str| shown(&page, id).unwrap_or_else(|| panic!("no {id}"));
    assert_eq!((fact("base-uri"), fact("response-type")), ("https://auth.test".into(), "code".into()));
    assert_eq!((fact("grant-type"), fact("redirect-uri")), ("authorization_code".into(), CALLBACK.into()));
    let (id, secret) = (fact("client-id"), fact("client-secret"));
    let url = format!(
        "{}?response_type={}&client_id={}&redirect_uri={}&scope={}&state=s",
        fact("authorization-url").strip_prefix("https://auth.test").unwrap(),
        fact("response-type"),
        escape(&id),
        escape(&fact("redirect-uri")),
        escape(&fact("scopes")),
    );
    let body = serde_json::json!({"user": GRACE, "decision": "allow", "authorize_url": url});
    let to = world.sandbox_authorize(&body).await.expect(200).json()["redirect_to"].as_str().unwrap().to_owned();
    let code = to.split_once("code=").unwrap().1.split('&').next().unwrap();
    let fields = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK)];
    let answer = token(&world, &page, &id, &secret, &fields).await.expect(200).json();
    assert_eq!(answer["scope"], fact("scopes"));
    world.me(answer["access_token"].as_str().unwrap()).await.expect(200);
}

async fn a_platform_acts_for_itself_or_with_a_password(world: World) {
    let mut ada = world.signed_in(ADA).await;
    let page = ada.submit(PAGE, &client("client_credentials")).await.expect(200);
    let (id, secret) = (shown(&page, "client-id").unwrap(), shown(&page, "client-secret").unwrap());
    token(&world, &page, &id, &secret, &[("grant_type", "client_credentials")]).await.expect(200);
    assert_eq!(shown(&page, "authorization-url"), None, "it has no use for one");
    let page = ada.submit(PAGE, &[("name", "Sync"), ("kind", "password")]).await.expect(200);
    let (id, secret) = (shown(&page, "client-id").unwrap(), shown(&page, "client-secret").unwrap());
    let fields = [("grant_type", "password"), ("username", GRACE), ("password", PASSWORD)];
    token(&world, &page, &id, &secret, &fields).await.expect(200);
}

async fn a_bad_field_is_told_beside_it(world: World) {
    let mut ada = world.signed_in(ADA).await;
    for (fields, field) in [
        ([("name", ""), ("kind", "connector"), ("callback", CALLBACK)], "name"),
        ([("name", "Reports"), ("kind", ""), ("callback", CALLBACK)], "kind"),
        ([("name", "Reports"), ("kind", "implicit"), ("callback", CALLBACK)], "kind"),
        ([("name", "Reports"), ("kind", "connector"), ("callback", "")], "callback"),
        ([("name", "Reports"), ("kind", "authorization_code"), ("callback", "http://a.test/cb")], "callback"),
    ] {
        let page = ada.submit(PAGE, &fields).await;
        assert_refused(&page, field);
        assert!(field == "name" || page.text().contains("value=\"Reports\""), "{field}");
    }
    assert!(world.events(Action::AppCreated).await.is_empty());
}

/// G5: where the operator lets no client take passwords, none is made that would.
async fn g5_no_client_for_passwords_where_there_are_none(world: World) {
    let mut ada = world.signed_in(ADA).await;
    assert!(!ada.get(PAGE).await.expect(200).text().contains("value=\"password\""));
    assert_refused(&ada.submit(PAGE, &client("password")).await, "kind");
    let page = ada.submit(PAGE, &client("connector")).await.expect(200);
    let string = connection_string(&page);
    assert!(!string.contains_key("Password") && !string.contains_key("User"), "{string:?}");
}

both!(
    a_bad_field_is_told_beside_it,
    a_connector_works_with_its_connection_string,
    a_generic_credential_works_with_its_settings,
    a_platform_acts_for_itself_or_with_a_password,
);
both!(with support::Setup::production(); g5_no_client_for_passwords_where_there_are_none);
