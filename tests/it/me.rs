//! The first door that an access token opens, `GET /v1/me` (RFC 6750, rules H), and the published keys (A8).

use serde_json::json;

use crate::support::http::request;
use crate::support::{ADA, APP_ONE, Answer, Click, PARTNER, World, both, connect_by_api};

async fn with(world: &World, headers: &[(&str, &str)]) -> Answer {
    world.send(request("GET", "/v1/me", headers, "")).await
}

#[track_caller]
fn challenge(answer: &Answer) -> &str {
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("Bearer realm=\""), "{challenge}");
    challenge
}

/// wire.md part C: who the token acts for.
async fn c_me_tells_whom_the_token_acts_for(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-wide").await;
    let answer = world.me(&tokens.access).await.expect(200);
    let me = answer.json();
    assert_eq!((&me["user"]["email"], &me["user"]["name"]), (&json!(ADA), &json!("Ada Buyer")));
    assert_eq!(me["account"], json!({"id": "acme", "name": "Acme Mortgage"}));
    assert_eq!((&me["app"]["id"], &me["scopes"]), (&json!(APP_ONE), &json!(["account_api", "data_api"])));
    assert_eq!(me["expiresAt"], "2026-11-22T10:15:30Z");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(!answer.text().contains("hash") && !answer.text().contains(&tokens.access));
}

/// H1: without a token the challenge has no error.
async fn h1_without_a_token_the_challenge_is_bare(world: World) {
    for headers in [vec![], vec![("authorization", "Basic YTpi")], vec![("authorization", "Digest x")]] {
        let answer = with(&world, &headers).await.expect(401);
        assert_eq!(challenge(&answer), "Bearer realm=\"leadgate\"");
    }
}

/// H2: bad, narrow, and two at once.
async fn h2_each_refusal_has_its_error(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    let last = if tokens.access.ends_with('A') { 'B' } else { 'A' };
    let altered = format!("{}{last}", &tokens.access[..67]);
    let long = "x".repeat(6_000);
    let mut bodies = Vec::new();
    for bad in ["x", "lga_", &altered, &tokens.access.to_uppercase(), &long, "null", "undefined"] {
        let answer = world.me(bad).await.expect(401);
        assert!(challenge(&answer).contains("error=\"invalid_token\""), "{bad}");
        bodies.push(answer.body);
    }
    world.advance(3_600);
    let expired = world.me(&tokens.access).await.expect(401);
    assert!(challenge(&expired).contains("error=\"invalid_token\""));
    bodies.push(expired.body);
    assert!(bodies.iter().all(|body| *body == bodies[0]), "one answer for all");

    let body = json!({"user": ADA, "button": "btn-all", "decision": "allow", "scopes": ["data_api"]});
    world.disconnect(&tokens.refresh).await;
    let narrow = world.sandbox_authorize(&body).await.expect(200).json();
    let answer = world.me(narrow["authToken"].as_str().unwrap()).await.expect(403);
    let text = challenge(&answer);
    assert!(text.contains("error=\"insufficient_scope\"") && text.contains("scope=\"account_api\""), "{text}");
    let bearer = format!("Bearer {}", narrow["authToken"].as_str().unwrap());
    for headers in [
        vec![("authorization", bearer.as_str()), ("authorization", &bearer)],
        vec![("authorization", "Bearer a b")],
        vec![("authorization", "Bearer ")],
        vec![("authorization", "Bearer")],
    ] {
        let answer = with(&world, &headers).await.expect(400);
        assert!(challenge(&answer).contains("error=\"invalid_request\""), "{headers:?}");
    }
}

/// H3, H4: a token counts in the header only, whatever the scheme's case.
async fn h3_h4_the_token_stands_in_the_header(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        let value = format!("{scheme} {}", tokens.access);
        with(&world, &[("authorization", &value)]).await.expect(200);
    }
    for name in ["access_token", "token", "bearer"] {
        let path = format!("/v1/me?{name}={}", tokens.access);
        let answer = world.get(&path).await.expect(401);
        assert!(!challenge(&answer).contains("error="), "not even looked at");
    }
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let body = format!("access_token={}", tokens.access);
    world.send(request("GET", "/v1/me", &kind, body.clone())).await.expect(401);
    world.send(request("POST", "/v1/me", &kind, body)).await.expect(405);
    let cookie = format!("access_token={}", tokens.access);
    with(&world, &[("cookie", &cookie)]).await.expect(401);
}

/// H5: revoked is refused at once, by either side's disconnect and by disabling the user.
async fn h5_a_dead_token_is_refused_at_once(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    world.disconnect(&tokens.refresh).await;
    world.me(&tokens.access).await.expect(401);
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    world.disable(ADA).await;
    world.me(&tokens.access).await.expect(401);
    assert_eq!(world.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], false);
    world.enable(ADA).await;
    world.me(&tokens.access).await.expect(401);
}

/// H6: only an access token is one.
async fn h6_no_other_secret_is_an_access_token(world: World) {
    let mut ada = world.actor();
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    let (_, code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
    let jar = ["_session_", "_button_", "_browser_", "leadgate_r_"].map(|part| ada.jar.value(part).unwrap());
    for secret in jar.into_iter().chain([tokens.refresh, code]) {
        world.me(&secret).await.expect(401);
        world.me(&format!("lga_{}", &secret[4..])).await.expect(401);
    }
    world.me(&tokens.access).await.expect(200);
}

/// A8, L1: the public halves only, for any page, and the same on each node.
async fn a8_l1_only_public_keys_are_published(world: World) {
    let answer = world.get("/.well-known/jwks.json").await.expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert!(answer.header("access-control-allow-credentials").is_none());
    assert!(answer.header("cache-control").unwrap().contains("max-age="));
    let keys = answer.json()["keys"].as_array().unwrap().clone();
    assert!(!keys.is_empty());
    for key in &keys {
        for public in ["kid", "alg", "use", "kty"] {
            assert!(key[public].is_string(), "{public}: {key}");
        }
        for private in ["d", "p", "q", "dp", "dq", "qi", "k", "oth"] {
            assert!(key.get(private).is_none(), "{private}: {key}");
        }
    }
    let second = world.another_node().await.get("/.well-known/jwks.json").await;
    assert_eq!(second.body, answer.body, "another node, or the same after a restart");
    for method in ["POST", "PUT", "DELETE"] {
        world.send(request(method, "/.well-known/jwks.json", &[], "")).await.expect(405);
    }
}

both! {
    c_me_tells_whom_the_token_acts_for,
    h1_without_a_token_the_challenge_is_bare,
    h2_each_refusal_has_its_error,
    h3_h4_the_token_stands_in_the_header,
    h5_a_dead_token_is_refused_at_once,
    h6_no_other_secret_is_an_access_token,
    a8_l1_only_public_keys_are_published,
}
