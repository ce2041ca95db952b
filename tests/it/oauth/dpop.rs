//! Tokens that are bound to a key of the client (RFC 9449).

use std::sync::atomic::{AtomicU32, Ordering};

use leadgate::crypto::token::sha256;
use serde_json::{Value, json};

use super::support::{
    Ask, BOUND, Client, Issued, POCKET, STUDIO, assert_error, at_once, challenge_of, claims, seconds,
};
use crate::support::http::request;
use crate::support::signer::{Signer, base64url, unsigned};
use crate::support::{ADA, Answer, ISSUER, World, both};

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

/// The claims of a proof that is good now. Each has a `jti` of its own.
fn proof_claims(world: &World, method: &str, path: &str) -> Value {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let jti = format!("proof-{}", MADE.fetch_add(1, Ordering::Relaxed));
    json!({"htm": method, "htu": format!("{ISSUER}{path}"), "iat": seconds(world), "jti": jti})
}

fn header(key: &Signer) -> Value {
    json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": key.jwk()})
}

fn proof(world: &World, key: &Signer) -> String {
    key.jws(&header(key), &proof_claims(world, "POST", "/oauth/token"))
}

/// Asks for a token with a proof.
async fn token(world: &World, client: &Client, proof: &str, fields: &[(&str, &str)]) -> Answer {
    client.post_with(world, "/oauth/token", &[("dpop", proof)], fields).await
}

/// A code that is swapped with a proof.
async fn connect(world: &World, client: &Client, key: &Signer) -> Issued {
    let ask = Ask::of(client).with("scope", "account_api");
    let code = ask.allowed(world, ADA).await.code();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", client.redirect_uri),
        ("code_verifier", &ask.verifier),
    ];
    Issued::of(&token(world, client, &proof(world, key), &fields).await)
}

/// Calls the API with a token and a proof for it.
async fn call(world: &World, scheme: &str, token: &str, proof: Option<&str>) -> Answer {
    let authorization = format!("{scheme} {token}");
    let mut headers = vec![("authorization", authorization.as_str())];
    headers.extend(proof.map(|proof| ("dpop", proof)));
    world.send(request("GET", "/v1/me", &headers, "")).await
}

fn call_claims(world: &World, token: &str) -> Value {
    let mut claims = proof_claims(world, "GET", "/v1/me");
    claims["ath"] = json!(base64url(&sha256(token.as_bytes())));
    claims
}

/// A token that was asked for with a proof is bound to its key, and says so.
async fn wire_b_a_token_is_bound_to_the_key(world: World) {
    let key = Signer::generate();
    for client in [STUDIO, POCKET, BOUND] {
        let issued = connect(&world, &client, &key).await;
        assert_eq!(issued.body["token_type"], "DPoP");
        assert_eq!(claims(&issued.access)["cnf"]["jkt"], key.thumbprint());
        let good = key.jws(&header(&key), &call_claims(&world, &issued.access));
        call(&world, "DPoP", &issued.access, Some(&good)).await.expect(200);
        if client.id != POCKET.id {
            let seen = client.introspect(&world, &issued.access).await;
            assert_eq!((&seen["token_type"], &seen["cnf"]["jkt"]), (&json!("DPoP"), &json!(key.thumbprint())));
        }
    }
    let issued = Issued::of(&token(&world, &STUDIO, &proof(&world, &key), &[GRANT]).await);
    assert_eq!(claims(&issued.access)["cnf"]["jkt"], key.thumbprint());
    let unbound = Issued::of(&STUDIO.token(&world, &[GRANT]).await);
    assert!(claims(&unbound.access).get("cnf").is_none());
}

/// A bound token is worth nothing without its key.
async fn wire_b_a_stolen_token_is_worth_nothing(world: World) {
    let (key, thief) = (Signer::generate(), Signer::generate());
    let issued = connect(&world, &STUDIO, &key).await;
    let access = issued.access.as_str();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut claims = call_claims(&world, access);
        change(&mut claims);
        key.jws(&header(&key), &claims)
    };
    let used = with(&|_| {});
    call(&world, "DPoP", access, Some(&used)).await.expect(200);
    let other = Issued::of(&STUDIO.token(&world, &[GRANT]).await).access;
    for (what, scheme, proof) in [
        ("as a bearer token", "Bearer", None),
        ("as a bearer token with a proof", "Bearer", Some(with(&|_| {}))),
        ("without a proof", "DPoP", None),
        ("a proof of another key", "DPoP", Some(thief.jws(&header(&thief), &call_claims(&world, access)))),
        ("a proof that names the key only", "DPoP", Some(thief.jws(&header(&key), &call_claims(&world, access)))),
        ("a proof that was used", "DPoP", Some(used)),
        ("for another token", "DPoP", Some(with(&|claims| claims["ath"] = call_claims(&world, &other)["ath"].clone()))),
        ("for no token", "DPoP", Some(with(&|claims| drop(claims.as_object_mut().unwrap().remove("ath"))))),
        ("for another method", "DPoP", Some(with(&|claims| claims["htm"] = json!("POST")))),
        (
            "for another address",
            "DPoP",
            Some(with(&|claims| claims["htu"] = json!(format!("{ISSUER}/oauth/userinfo")))),
        ),
        ("of yesterday", "DPoP", Some(with(&|claims| claims["iat"] = json!(seconds(&world) - 86_400)))),
        ("of tomorrow", "DPoP", Some(with(&|claims| claims["iat"] = json!(seconds(&world) + 86_400)))),
        ("no proof at all", "DPoP", Some("x".to_owned())),
    ] {
        let answer = call(&world, scheme, access, proof.as_deref()).await;
        assert_eq!(answer.status, 401, "{what}: {answer:?}");
        let challenge = challenge_of(&answer, if scheme == "Bearer" { "Bearer" } else { "DPoP" });
        let is_told = challenge.contains("invalid_dpop_proof") || challenge.contains("invalid_token");
        assert!(is_told, "{what}: {challenge}");
    }
    // Nor is an unbound one made better by a proof.
    let proof = key.jws(&header(&key), &call_claims(&world, &other));
    call(&world, "DPoP", &other, Some(&proof)).await.expect(401);
    let good = with(&|_| {});
    let authorization = format!("DPoP {access}");
    let twice = [("authorization", authorization.as_str()), ("dpop", &good), ("dpop", &good)];
    let answer = world.send(request("GET", "/v1/me", &twice, "")).await;
    assert!(matches!(answer.status, 400 | 401), "two proofs: {answer:?}");
}

/// What is no proof for this request brings no token (RFC 9449 section 4.3).
async fn wire_b_a_bad_proof_brings_no_token(world: World) {
    let key = Signer::generate();
    let now = seconds(&world);
    let mut bad = Vec::new();
    for (what, name, value) in [
        ("another method", "htm", json!("GET")),
        ("no method", "htm", Value::Null),
        ("another endpoint", "htu", json!(format!("{ISSUER}/oauth/revoke"))),
        ("another host", "htu", json!("https://evil.example/oauth/token")),
        ("no address", "htu", Value::Null),
        ("too old", "iat", json!(now - 600)),
        ("from the future", "iat", json!(now + 600)),
        ("no time", "iat", Value::Null),
        ("a time that is no number", "iat", json!("now")),
        ("no id", "jti", Value::Null),
        ("an empty id", "jti", json!("")),
        ("a long id", "jti", json!("x".repeat(5_000))),
    ] {
        let mut claims = proof_claims(&world, "POST", "/oauth/token");
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value,
        }
        bad.push((what, key.jws(&header(&key), &claims)));
    }
    let good_claims = || proof_claims(&world, "POST", "/oauth/token");
    let with = |name: &str, value: Value| {
        let mut header = header(&key);
        header[name] = value;
        header
    };
    bad.push(("another type", key.jws(&with("typ", json!("JWT")), &good_claims())));
    bad.push(("HS256", key.jws(&with("alg", json!("HS256")), &good_claims())));
    bad.push(("none", format!("{}.", unsigned(&with("alg", json!("none")), &good_claims()))));
    bad.push(("no key", key.jws(&with("jwk", Value::Null), &good_claims())));
    bad.push(("a symmetric key", key.jws(&with("jwk", json!({"kty": "oct", "k": "AAAA"})), &good_claims())));
    let mut private = key.jwk();
    private["d"] = json!("AAAA");
    bad.push(("a private key", key.jws(&with("jwk", private), &good_claims())));
    bad.push(("another key's signature", Signer::generate().jws(&header(&key), &good_claims())));
    bad.push(("no JWT", "x".to_owned()));
    bad.push(("nothing", String::new()));
    bad.push(("long", "x".repeat(20_000)));
    for (what, proof) in bad {
        let answer = token(&world, &STUDIO, &proof, &[GRANT]).await;
        assert_eq!(answer.json()["error"], "invalid_dpop_proof", "{what}: {answer:?}");
        assert_error(&answer, 400, "invalid_dpop_proof");
    }
    let (one, other) = (proof(&world, &key), proof(&world, &key));
    let answer = STUDIO.post_with(&world, "/oauth/token", &[("dpop", &one), ("dpop", &other)], &[GRANT]).await;
    assert_error(&answer, 400, "invalid_dpop_proof");
    // A query and a fragment of the address do not count (section 4.3, step 9).
    let mut claims = proof_claims(&world, "POST", "/oauth/token");
    claims["htu"] = json!(format!("{ISSUER}/oauth/token?x=y#z"));
    Issued::of(&token(&world, &STUDIO, &key.jws(&header(&key), &claims), &[GRANT]).await);
}

/// A proof is good once, whoever takes it first (section 11.1).
async fn wire_b_a_proof_is_good_once(world: World) {
    let key = Signer::generate();
    let nodes = [world.clone(), world.another_node().await];
    let proof = proof(&world, &key);
    let answers = at_once(20, &nodes, |node| {
        let proof = proof.clone();
        async move { token(&node, &STUDIO, &proof, &[GRANT]).await }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "{answers:#?}");
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        assert_error(answer, 400, "invalid_dpop_proof");
    }
}

/// A public client's refresh token is bound too: it has no other credentials (section 5).
async fn wire_b_a_public_clients_refresh_token_is_bound(world: World) {
    let (key, other) = (Signer::generate(), Signer::generate());
    let issued = connect(&world, &POCKET, &key).await;
    let fields = [("grant_type", "refresh_token"), ("refresh_token", issued.refresh())];
    for answer in [POCKET.token(&world, &fields).await, token(&world, &POCKET, &proof(&world, &other), &fields).await] {
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(matches!(error.as_str(), "invalid_grant" | "invalid_dpop_proof"), "{error}");
        assert_error(&answer, 400, &error);
    }
    let next = Issued::of(&token(&world, &POCKET, &proof(&world, &key), &fields).await);
    assert_eq!(
        (&next.body["token_type"], &claims(&next.access)["cnf"]["jkt"]),
        (&json!("DPoP"), &json!(key.thumbprint()))
    );
    // A confidential client shows who it is by its secret, and may change its key.
    let issued = connect(&world, &STUDIO, &key).await;
    let fields = [("grant_type", "refresh_token"), ("refresh_token", issued.refresh())];
    let next = Issued::of(&token(&world, &STUDIO, &proof(&world, &other), &fields).await);
    assert_eq!(claims(&next.access)["cnf"]["jkt"], other.thumbprint());
}

/// Who registered for bound tokens gets no other (section 5.2).
async fn wire_b_a_client_may_want_bound_tokens_only(world: World) {
    let answer = BOUND.token(&world, &[GRANT]).await;
    let error = answer.json()["error"].as_str().unwrap().to_owned();
    assert!(matches!(error.as_str(), "invalid_dpop_proof" | "invalid_request"), "{error}");
    assert_error(&answer, 400, &error);
    Issued::of(&token(&world, &BOUND, &proof(&world, &Signer::generate()), &[GRANT]).await);
}

/// A code that was asked for with a key is swapped with that key only (section 10).
async fn wire_b_a_code_may_be_bound_to_a_key(world: World) {
    let (key, thief) = (Signer::generate(), Signer::generate());
    for is_right in [false, true] {
        let ask = Ask::of(&POCKET).with("dpop_jkt", &key.thumbprint());
        let code = ask.allowed(&world, ADA).await.code();
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", POCKET.redirect_uri),
            ("code_verifier", &ask.verifier),
        ];
        let answer = if is_right {
            token(&world, &POCKET, &proof(&world, &key), &fields).await
        } else {
            POCKET.token(&world, &fields).await.expect(400);
            let code = ask.allowed(&world, ADA).await.code();
            let fields = [&[fields[0], ("code", code.as_str())], &fields[2..]].concat();
            token(&world, &POCKET, &proof(&world, &thief), &fields).await
        };
        assert_eq!(answer.status == 200, is_right, "{answer:?}");
    }
}

/// wire.md part C: a proof is for the address that is called, also where a lead type is in it.
async fn part_c_a_proof_is_for_the_address_that_is_called(world: World) {
    let key = Signer::generate();
    let issued = Issued::of(&token(&world, &STUDIO, &proof(&world, &key), &[GRANT]).await);
    let authorization = format!("DPoP {}", issued.access);
    for (path, called, status) in [
        ("/v1/leads/query/4204", "/v1/leads/query/4204", 200),
        ("/v1/leads/query/4204", "/v1/leads/query/4205", 401),
        ("/v1/leads/query/{lead_type}", "/v1/leads/query/4204", 401),
        ("/v2/insert/general", "/v2/insert/general", 200),
        ("/v1/me", "/v2/insert/general", 401),
    ] {
        let mut claims = proof_claims(&world, "POST", path);
        claims["ath"] = json!(base64url(&sha256(issued.access.as_bytes())));
        let proof = key.jws(&header(&key), &claims);
        let body = json!({"StartDate": "2026-11-22", "EndDate": "2026-11-22"});
        let body = if called.contains("insert") { json!({"leads": []}) } else { body };
        let headers = [("authorization", authorization.as_str()), ("dpop", &proof)];
        world.post_json(called, &headers, &body).await.expect(status);
    }
}

both! {
    part_c_a_proof_is_for_the_address_that_is_called,
    wire_b_a_token_is_bound_to_the_key,
    wire_b_a_stolen_token_is_worth_nothing,
    wire_b_a_bad_proof_brings_no_token,
    wire_b_a_public_clients_refresh_token_is_bound,
    wire_b_a_client_may_want_bound_tokens_only,
    wire_b_a_code_may_be_bound_to_a_key,
}
both! { on many threads; wire_b_a_proof_is_good_once }
