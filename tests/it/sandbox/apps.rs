//! Applications over the control plane.

use serde_json::{Value, json};

use super::{assert_problem, assert_problem_at, at, each};
use crate::support::http::{form, request};
use crate::support::{ADA, APP_ONE, Tokens, World, both, signer};

async fn token_status(world: &World, client: &str, secret: &str) -> u16 {
    let body = form(&[
        ("grant_type", "client_credentials"),
        ("client_id", client),
        ("client_secret", secret),
        ("scope", "account_api"),
    ]);
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    world.send(request("POST", "/oauth/token", &headers, body)).await.status
}

/// A secret that is made is shown once and works; what a GET shows can be sent again.
async fn e_an_app_is_registered_with_its_buttons(world: World) {
    let new = json!({
        "name": "Rate Watch",
        "token_endpoint_auth_method": "client_secret_post",
        "grant_types": ["client_credentials", "authorization_code", "device_code"],
        "redirect_uris": ["https://watch.test/callback"],
        "post_logout_redirect_uris": ["https://watch.test/bye"],
        "scopes": ["data_api", "account_api"],
        "resources": ["https://api.watch.test"],
        "access_token_signing_alg": "RS256",
        "id_token_signed_response_alg": "EdDSA",
        "owner": "ADA@acme.test",
        "buttons": [{"id": "btn-watch", "origins": ["https://watch.test"], "return_urls": ["https://watch.test/in"]}],
    });
    let made = world.make("/apps", &new).await.expect(201);
    let app = made.json();
    let id = app["id"].as_str().unwrap();
    assert_eq!(made.header("location"), Some(format!("/_sandbox/apps/{id}").as_str()));
    let secret = app["client_secret"].as_str().unwrap();
    assert_eq!(token_status(&world, id, secret).await, 200);
    assert_eq!(token_status(&world, id, "another").await, 401);

    let mut shown = world.show(&at("/apps", id)).await.expect(200).json();
    assert!(shown.get("client_secret").is_none(), "{shown}");
    for member in ["name", "token_endpoint_auth_method", "redirect_uris", "resources", "access_token_signing_alg"] {
        assert_eq!(shown[member], new[member], "{member}");
    }
    assert_eq!((&shown["publisher"], &shown["owner"]), (&json!("Rate Watch"), &json!(ADA)));
    assert_eq!(shown["scopes"], json!(["account_api", "data_api"]));
    assert_eq!(shown["buttons"][0]["id"], "btn-watch");
    let button = world.show("/buttons/btn-watch").await.expect(200).json();
    assert_eq!((&button["app"], &button["scopes"]), (&json!(id), &Value::Null));
    world.sandbox_authorize(&json!({"user": ADA, "button": "btn-watch", "decision": "allow"})).await.expect(200);

    world.drop_it(&at("/apps", id)).await.expect(204);
    shown.as_object_mut().unwrap().remove("created_at");
    let again = world.make("/apps", &shown).await.expect(201).json();
    assert_eq!((&again["id"], &again["buttons"]), (&shown["id"], &shown["buttons"]));
}

/// Without a secret, keys or a method it is public, as in a seed file; with a secret it has that.
async fn e_credentials_are_as_in_a_seed_file(world: World) {
    let public = world.make("/apps", &json!({"id": "p", "name": "P"})).await.expect(201).json();
    assert_eq!(public["token_endpoint_auth_method"], "none");
    assert_eq!(public["grant_types"], json!(["authorization_code", "refresh_token"]));
    assert_eq!(public["scopes"], json!(["account_api"]));
    assert!(public.get("client_secret").is_none());

    let chosen = json!({"id": "c", "name": "C", "client_secret": "chosen", "grant_types": ["client_credentials"]});
    let app = world.make("/apps", &chosen).await.expect(201).json();
    assert_eq!(app["token_endpoint_auth_method"], "client_secret_basic");
    assert!(app.get("client_secret").is_none(), "who chose it knows it");
    assert_eq!(token_status(&world, "c", "chosen").await, 200);
    world.change("/apps/c", &json!({"client_secret": "other"})).await.expect(200);
    assert_eq!(token_status(&world, "c", "chosen").await, 401);
    assert_eq!(token_status(&world, "c", "other").await, 200);
    assert_problem_at(&world.change("/apps/c", &json!({"client_secret": null})).await, 400, "/grant_types");
    let opened = json!({"client_secret": null, "grant_types": ["authorization_code"]});
    let app = world.change("/apps/c", &opened).await.expect(200).json();
    assert_eq!(app["token_endpoint_auth_method"], "none");
    assert_eq!(token_status(&world, "c", "other").await, 401);

    let closed = json!({"token_endpoint_auth_method": "client_secret_basic", "grant_types": ["client_credentials"]});
    let app = world.change("/apps/p", &closed).await.expect(200).json();
    assert_eq!(token_status(&world, "p", app["client_secret"].as_str().unwrap()).await, 200);
    let same = world.change("/apps/p", &json!({"name": "P two"})).await.expect(200).json();
    assert!(same.get("client_secret").is_none());
    assert_eq!(token_status(&world, "p", app["client_secret"].as_str().unwrap()).await, 200);

    let set = json!({"keys": [signer::KEYED.jwk()]});
    let keyed = json!({"id": "k", "name": "K", "token_endpoint_auth_method": "private_key_jwt", "jwks": set});
    let app = world.make("/apps", &keyed).await.expect(201).json();
    assert_eq!(app["jwks"]["keys"][0]["kty"], set["keys"][0]["kty"]);
    assert_problem_at(&world.change("/apps/k", &json!({"jwks": null})).await, 400, "/jwks");
    let app = world.change("/apps/k", &json!({"client_secret": "x"})).await.expect(200).json();
    assert_eq!((&app["token_endpoint_auth_method"], &app["jwks"]), (&json!("client_secret_basic"), &Value::Null));
}

/// What is left out stays, a list is replaced whole, null unsets.
async fn e_a_change_is_what_it_names(world: World) {
    let path = at("/apps", APP_ONE);
    let before = world.show(&path).await.expect(200).json();
    let after = world.change(&path, &json!({})).await.expect(200).json();
    assert_eq!(after, before, "nothing was named");
    let after = world.change(&path, &json!({"owner": null, "publisher": null, "redirect_uris": []})).await.json();
    let mut expected = before.clone();
    expected["owner"] = Value::Null;
    expected["publisher"] = json!("Rate Finder");
    expected["redirect_uris"] = json!([]);
    assert_eq!(after, expected);
    let after = world.change(&path, &json!({"scopes": ["data_api"], "dpop_bound_access_tokens": true})).await.json();
    assert_eq!((&after["scopes"], &after["dpop_bound_access_tokens"]), (&json!(["data_api"]), &json!(true)));
    assert_eq!(token_status(&world, APP_ONE, "rate-finder-client-secret").await, 400, "not a scope of it any more");
}

/// Deleting an application leaves no working token.
async fn e_a_deleted_app_leaves_nothing(world: World) {
    let allow = json!({"user": ADA, "button": "btn-one", "decision": "allow"});
    let tokens = Tokens::of(&world.sandbox_authorize(&allow).await.json());
    let path = at("/apps", APP_ONE);
    world.drop_it(&path).await.expect(204);
    assert_eq!(world.me(&tokens.access).await.status, 401);
    assert_eq!(world.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], false);
    assert_problem(&world.show(&path).await, 404);
    assert_problem(&world.drop_it(&path).await, 404);
    assert_problem(&world.change(&path, &json!({"name": "x"})).await, 404);
    assert_problem(&world.show("/buttons/btn-one").await, 404);
    assert_eq!(world.show("/connections").await.json()["connections"], json!([]));
}

/// What cannot be is refused with its place, and leaves nothing behind.
async fn e_what_an_app_cannot_be(world: World) {
    let with = |member: &str, value: Value| {
        let mut body = json!({"id": "new", "name": "New"});
        body[member] = value;
        body
    };
    let buttons = |button: Value| with("buttons", json!([{"origins": []}, button]));
    for (body, status, pointer) in [
        (json!({}), 400, "/name"),
        (with("name", json!(" ")), 400, "/name"),
        (with("name", json!("x".repeat(121))), 400, "/name"),
        (with("id", json!("a b")), 400, "/id"),
        (with("id", json!("x".repeat(65))), 400, "/id"),
        (with("id", json!(APP_ONE)), 409, "/id"),
        (with("owner", json!("nobody@acme.test")), 404, "/owner"),
        (with("owner", json!("nobody")), 400, "/owner"),
        (with("grant_types", json!(["implicit"])), 400, "/grant_types/0"),
        (with("grant_types", json!(["client_credentials"])), 400, "/grant_types"),
        (with("grant_types", json!(null)), 400, "/grant_types"),
        (with("redirect_uris", json!(["https://a.test/cb", "/cb"])), 400, "/redirect_uris/1"),
        (with("redirect_uris", json!("https://a.test/cb")), 400, "/redirect_uris"),
        (with("post_logout_redirect_uris", json!(["http://a.test/"])), 400, "/post_logout_redirect_uris/0"),
        (with("scopes", json!(["acount_api"])), 400, "/scopes/0"),
        (with("resources", json!(["nowhere"])), 400, "/resources/0"),
        (with("access_token_signing_alg", json!("HS256")), 400, "/access_token_signing_alg"),
        (with("token_endpoint_auth_method", json!("private_key_jwt")), 400, "/jwks"),
        (with("jwks", json!({"keys": []})), 400, "/jwks"),
        (with("jwks", json!({"keys": [signer::KEYED.jwk()]})), 400, "/jwks"),
        (with("client_secret", json!("é")), 400, "/client_secret"),
        (with("client_secret", json!("x".repeat(257))), 400, "/client_secret"),
        (with("dpop_bound_access_tokens", json!("yes")), 400, "/dpop_bound_access_tokens"),
        (with("redirect_uri", json!([])), 400, "/redirect_uri"),
        (buttons(json!({"origins": ["https://a.test/page"]})), 400, "/buttons/1/origins/0"),
        (buttons(json!({"origins": [], "scopes": ["data_api"]})), 400, "/buttons"),
        (buttons(json!({"origins": [], "id": "btn-one"})), 409, "/buttons"),
        (with("buttons", json!([{"id": "b", "origins": []}, {"id": "b", "origins": []}])), 409, "/buttons"),
        (with("buttons", json!(vec![json!({"origins": []}); 101])), 400, "/buttons"),
        (with("resources", json!(vec!["https://a.test"; 101])), 400, "/resources"),
    ] {
        let answer = world.make("/apps", &body).await;
        assert_problem_at(&answer, status, pointer);
        assert_problem(&world.show("/apps/new").await, 404);
    }
    let nearest = world.make("/apps", &with("scopes", json!(["acount_api"]))).await.json();
    assert!(nearest["detail"].as_str().unwrap().contains("`account_api`"), "{nearest}");
    let nearest = world.make("/apps", &with("redirect_uri", json!([]))).await.json();
    assert!(nearest["detail"].as_str().unwrap().contains("`redirect_uris`"), "{nearest}");
    let path = at("/apps", APP_ONE);
    assert_problem_at(&world.change(&path, &json!({"id": "x"})).await, 400, "/id");
    assert_problem_at(&world.change(&path, &json!({"buttons": []})).await, 400, "/buttons");
    assert_problem_at(&world.change(&path, &json!({"owner": "nobody@acme.test"})).await, 404, "/owner");
    assert!(each(&world.show("/apps").await.json(), "apps", "id").contains(&APP_ONE));
}

both! {
    e_an_app_is_registered_with_its_buttons,
    e_credentials_are_as_in_a_seed_file,
    e_a_change_is_what_it_names,
    e_a_deleted_app_leaves_nothing,
    e_what_an_app_cannot_be,
}
