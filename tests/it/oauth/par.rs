//! Pushed authorization requests (RFC 9126).

use super::support::{
    Ask, Auth, Client, Issued, POCKET, PUSHING, RIVAL, STUDIO, assert_error, assert_not_stored, assert_page, keyed,
};
use crate::support::http::{form, request};
use crate::support::{ADA, Answer, World, both};

async fn push(world: &World, client: &Client, ask: &Ask) -> Answer {
    let own = client.credentials(world).1;
    // The client names itself by its credentials or in the form, not both.
    let fields: Vec<_> = ask.pairs().into_iter().filter(|(name, _)| !own.iter().any(|(own, _)| own == name)).collect();
    client.post(world, "/oauth/par", &fields).await
}

async fn pushed(world: &World, client: &Client, ask: &Ask) -> String {
    let answer = push(world, client, ask).await.expect(201);
    assert_not_stored(&answer);
    let body = answer.json();
    assert_eq!(body["expires_in"], 90);
    let uri = body["request_uri"].as_str().unwrap().to_owned();
    assert!(uri.starts_with("urn:ietf:params:oauth:request_uri:lgp_"), "{uri}");
    uri
}

fn address(client: &Client, uri: &str) -> String {
    format!("/oauth/authorize?{}", form(&[("client_id", client.id), ("request_uri", uri)]))
}

/// The whole way, for each kind of client.
async fn wire_b_a_pushed_request_is_carried_out(world: World) {
    for client in [STUDIO, POCKET, PUSHING, keyed()] {
        let ask = Ask::of(&client).with("scope", "account_api");
        let uri = pushed(&world, &client, &ask).await;
        let mut ada = world.actor();
        let answer = ada.get(&address(&client, &uri)).await;
        let landing = ada.go_on(answer, ADA, "allow").await.unwrap();
        assert_eq!((landing.uri.as_str(), landing.value("state")), (client.redirect_uri, ask.value("state")));
        let issued = Issued::of(&client.redeem(&world, &ask, &landing.code()).await);
        assert_eq!(issued.body["scope"], "account_api");
    }
}

/// What was pushed counts, and not what somebody puts beside it.
async fn wire_b_what_stands_beside_it_is_ignored(world: World) {
    let ask = Ask::of(&STUDIO).with("scope", "account_api");
    let uri = pushed(&world, &STUDIO, &ask).await;
    let beside = form(&[
        ("scope", "data_api"),
        ("redirect_uri", "https://studio.test/back?from=leadgate"),
        ("state", "another"),
        ("code_challenge", &"a".repeat(43)),
    ]);
    let mut ada = world.actor();
    let answer = ada.get(&format!("{}&{beside}", address(&STUDIO, &uri))).await;
    let landing = ada.go_on(answer, ADA, "allow").await.unwrap();
    assert_eq!((landing.uri.as_str(), landing.value("state")), (STUDIO.redirect_uri, ask.value("state")));
    let issued = Issued::of(&STUDIO.redeem(&world, &ask, &landing.code()).await);
    assert_eq!(issued.body["scope"], "account_api");
}

/// Once, for ninety seconds, by its own client.
async fn wire_b_a_pushed_request_is_good_once(world: World) {
    let ask = Ask::of(&STUDIO);
    let uri = pushed(&world, &STUDIO, &ask).await;
    assert_page(&world.get(&address(&RIVAL, &uri)).await, 400);
    world.actor().get(&address(&STUDIO, &uri)).await.location();
    assert_page(&world.get(&address(&STUDIO, &uri)).await, 400);
    let uri = pushed(&world, &STUDIO, &ask).await;
    world.advance(89);
    world.get(&address(&STUDIO, &uri)).await.location();
    let uri = pushed(&world, &STUDIO, &ask).await;
    world.advance(90);
    assert_page(&world.get(&address(&STUDIO, &uri)).await, 400);
    let urn = "urn:ietf:params:oauth:request_uri:";
    for wrong in
        ["x", urn, &format!("{urn}lgp_"), &format!("{urn}{}", "x".repeat(5_000)), "https://evil.example/request.jwt"]
    {
        assert_page(&world.get(&address(&STUDIO, wrong)).await, 400);
    }
    assert_page(&world.get(&format!("/oauth/authorize?{}", form(&[("request_uri", &uri)]))).await, 400);
}

/// A pushed request is judged as any other, at once, and in JSON.
async fn wire_b_a_bad_request_is_refused_when_it_is_pushed(world: World) {
    let ask = Ask::of(&STUDIO);
    for (wrong, error) in [
        (ask.clone().with("redirect_uri", "https://evil.example/callback"), "invalid_request"),
        (ask.clone().with("redirect_uri", "https://studio.test/callback/"), "invalid_request"),
        (ask.clone().without("redirect_uri"), "invalid_request"),
        (ask.clone().without("response_type"), "invalid_request"),
        (ask.clone().with("response_type", "token"), "unsupported_response_type"),
        (ask.clone().with("scope", "admin"), "invalid_scope"),
        (ask.clone().with("code_challenge_method", "plain"), "invalid_request"),
        (ask.clone().with("prompt", "none login"), "invalid_request"),
        (ask.clone().with("resource", "https://elsewhere.test"), "invalid_target"),
        (ask.clone().with("request_uri", "urn:ietf:params:oauth:request_uri:lgp_x"), "invalid_request"),
        (ask.clone().with("request", "eyJ"), "request_not_supported"),
        (ask.clone().and("state", "twice"), "invalid_request"),
    ] {
        assert_error(&push(&world, &STUDIO, &wrong).await, 400, error);
    }
    assert_error(&push(&world, &POCKET, &Ask::of(&POCKET).without_pkce()).await, 400, "invalid_request");
    assert_error(&push(&world, &RIVAL, &ask.with("redirect_uri", RIVAL.redirect_uri)).await, 400, "invalid_request");
    for auth in [Auth::None, Auth::Basic("wrong")] {
        assert_error(&push(&world, &STUDIO.by(auth), &Ask::of(&STUDIO)).await, 401, "invalid_client");
    }
    for method in ["GET", "PUT", "DELETE"] {
        let answer = world.send(request(method, "/oauth/par", &[], "")).await.expect(405);
        assert!(answer.header("allow").unwrap().contains("POST"), "{answer:?}");
        assert_eq!(answer.json()["error"], "invalid_request");
    }
}

both! {
    wire_b_a_pushed_request_is_carried_out,
    wire_b_what_stands_beside_it_is_ignored,
    wire_b_a_pushed_request_is_good_once,
    wire_b_a_bad_request_is_refused_when_it_is_pushed,
}
