//! I: access tokens as JWTs (RFC 9068).

use std::collections::BTreeSet;

use leadgate::domain::signing_algorithm::SigningAlgorithm;
use leadgate::domain::timestamp::Timestamp;
use leadgate::entropy::{SystemEntropy, time_ordered_id};
use leadgate::services::keys;
use serde_json::{Value, json};

use super::support::{
    Auth, Client, FORM, Issued, MACHINE, STUDIO, STUDIO_API, at_once, basic, challenge_of, claims, parts,
    published_keys, register, seconds, verified,
};
use crate::support::http::{form, request};
use crate::support::signer::{Signer, base64url, unsigned};
use crate::support::world::START;
use crate::support::{ADA, Answer, ISSUER, World, both};

async fn userinfo(world: &World, token: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    world.send(request("GET", "/oauth/userinfo", &[("authorization", &bearer)], "")).await
}

/// A client that registered itself for an algorithm, and a token of it.
async fn token_of(world: &World, algorithm: &str) -> String {
    let metadata = json!({"grant_types": ["client_credentials"], "access_token_signing_alg": algorithm});
    let client = register(world, &metadata).await.expect(201).json();
    let credentials = basic(client["client_id"].as_str().unwrap(), client["client_secret"].as_str().unwrap());
    let headers = [("authorization", credentials.as_str()), ("content-type", FORM)];
    let body = form(&[("grant_type", "client_credentials")]);
    Issued::of(&world.send(request("POST", "/oauth/token", &headers, body)).await).access
}

/// I1: the type is `at+jwt`, the algorithm the client's choice, ES256 where it made none.
async fn i1_the_header_says_what_it_is(world: World) {
    for client in [STUDIO, MACHINE] {
        let issued = Issued::of(&client.token(&world, &[("grant_type", "client_credentials")]).await);
        let (header, _) = parts(&issued.access);
        assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!("ES256")), "{header}");
    }
    for algorithm in ["ES256", "RS256", "EdDSA"] {
        let token = token_of(&world, algorithm).await;
        let (header, _) = parts(&token);
        assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!(algorithm)), "{header}");
        verified(&world, &token).await;
        world.me(&token).await.expect(200);
    }
}

/// I2: every claim that RFC 9068 section 2.2 asks for.
async fn i2_the_claims_are_complete(world: World) {
    let now = seconds(&world);
    let issued = STUDIO.connect_for(&world, ADA, "account_api openid").await;
    let of_user = verified(&world, &issued.access).await;
    let issued = STUDIO.token(&world, &[("grant_type", "client_credentials"), ("scope", "data_api")]).await;
    let of_client = verified(&world, &Issued::of(&issued).access).await;
    for (claims, scope) in [(&of_user, "account_api openid"), (&of_client, "data_api")] {
        assert_eq!(
            (&claims["iss"], &claims["aud"], &claims["client_id"]),
            (&json!(ISSUER), &json!(ISSUER), &json!("studio"))
        );
        assert_eq!((&claims["iat"], &claims["exp"]), (&json!(now), &json!(now + 3_600)));
        let mut granted: Vec<&str> = claims["scope"].as_str().unwrap().split(' ').collect();
        granted.sort_unstable();
        assert_eq!(granted.join(" "), scope);
        assert!(!claims["jti"].as_str().unwrap().is_empty() && !claims["sub"].as_str().unwrap().is_empty());
        assert!(claims.get("email").is_none() && claims.get("name").is_none(), "nothing of the person: {claims}");
    }
    assert_eq!(of_user["auth_time"], now);
    assert_ne!(of_user["sub"], of_client["sub"]);
}

/// A token that this server's own key signed, with whatever header and claims.
async fn forge(world: &World, change_header: impl FnOnce(&mut Value), claims: &Value) -> String {
    let key = keys::signing_key(&world.ctx, SigningAlgorithm::Es256).await.unwrap();
    let mut header = json!({"typ": "at+jwt", "alg": "ES256", "kid": key.id()});
    change_header(&mut header);
    let input = unsigned(&header, claims);
    let signature = key.sign(input.as_bytes()).unwrap();
    format!("{input}.{}", base64url(&signature))
}

/// I3: what the server did not sign as an access token is none.
async fn i3_a_forged_token_is_refused(world: World) {
    let issued = STUDIO.connect_for(&world, ADA, "account_api openid").await;
    let (header, good) = parts(&issued.access);
    let same = forge(&world, |_| {}, &good).await;
    world.me(&same).await.expect(200);

    let thief = Signer::generate();
    let signature = issued.access.rsplit('.').next().unwrap();
    let with = |name: &str, value: Value| {
        let mut changed = header.clone();
        changed[name] = value;
        changed
    };
    let published = published_keys(&world).await;
    let public = serde_json::to_vec(&published[header["kid"].as_str().unwrap()]).unwrap();
    let hs256 = with("alg", json!("HS256"));
    let mut bad = vec![
        ("none", format!("{}.", unsigned(&with("alg", json!("none")), &good))),
        ("none, with the signature", format!("{}.{signature}", unsigned(&with("alg", json!("none")), &good))),
        ("HS256, signed with the public key", hmac(&public, &hs256, &good)),
        ("another key under the same id", thief.jws(&header, &good)),
        ("an unknown key id", thief.jws(&with("kid", json!("unknown")), &good)),
        ("its own key", thief.jws(&with("jwk", thief.jwk()), &good)),
        ("a key from elsewhere", thief.jws(&with("jku", json!("https://evil.example/jwks.json")), &good)),
        ("a certificate from elsewhere", thief.jws(&with("x5u", json!("https://evil.example/x.pem")), &good)),
        ("a key id that is a path", thief.jws(&with("kid", json!("../../dev/null")), &good)),
        ("an ID token", issued.id_token().to_owned()),
        ("no signature", issued.access.rsplit_once('.').unwrap().0.to_owned()),
        ("an empty signature", format!("{}.", issued.access.rsplit_once('.').unwrap().0)),
    ];
    // Signed by the server's own key, so that nothing but the header or the claim is wrong.
    for (what, name, value) in [
        ("jku", "jku", json!("https://evil.example/jwks.json")),
        ("jwk", "jwk", thief.jwk()),
        ("x5u", "x5u", json!("https://evil.example/x.pem")),
        ("crit", "crit", json!(["exp"])),
        ("an ID token's type", "typ", json!("JWT")),
        ("another type", "typ", json!("logout+jwt")),
        ("no type", "typ", Value::Null),
        ("no key id", "kid", Value::Null),
        ("another algorithm", "alg", json!("RS256")),
        ("another curve", "alg", json!("ES384")),
    ] {
        let change = |header: &mut Value| match value {
            Value::Null => drop(header.as_object_mut().unwrap().remove(name)),
            value => header[name] = value,
        };
        bad.push((what, forge(&world, change, &good).await));
    }
    for (what, name, value) in [
        ("another audience", "aud", json!("https://other.test")),
        ("another audience, as a list", "aud", json!(["https://other.test"])),
        ("no audience", "aud", Value::Null),
        ("another issuer", "iss", json!("https://other.test")),
        ("another issuer, nearly the same", "iss", json!(format!("{ISSUER}/"))),
        ("no issuer", "iss", Value::Null),
        ("expired", "exp", json!(seconds(&world))),
        ("an expiry that is no number", "exp", json!("later")),
        ("no expiry", "exp", Value::Null),
        ("no id", "jti", Value::Null),
        ("an id of no token", "jti", json!("0199d9a0-0000-7000-8000-000000000000")),
    ] {
        let mut claims = good.clone();
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value,
        }
        bad.push((what, forge(&world, |_| {}, &claims).await));
    }
    let mut taken = Vec::new();
    for (what, token) in bad {
        for answer in [world.me(&token).await, userinfo(&world, &token).await] {
            if answer.status == 401 {
                assert!(challenge_of(&answer, "Bearer").contains("error=\"invalid_token\""), "{what}");
            } else {
                taken.push(format!("{what}: {}", answer.status));
            }
        }
        if STUDIO.introspect(&world, &token).await != json!({"active": false}) {
            taken.push(format!("{what}: active"));
        }
    }
    assert!(taken.is_empty(), "{taken:#?}");
    world.me(&issued.access).await.expect(200);
}

/// HS256 with a key that everybody knows.
fn hmac(key: &[u8], header: &Value, claims: &Value) -> String {
    use aws_lc_rs::hmac;
    let input = unsigned(header, claims);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), input.as_bytes());
    format!("{input}.{}", base64url(tag.as_ref()))
}

/// I4: a token for one resource is refused at another (RFC 8707).
async fn i4_a_token_is_for_one_resource(world: World) {
    let grant = ("grant_type", "client_credentials");
    let elsewhere = Issued::of(&STUDIO.token(&world, &[grant, ("resource", STUDIO_API)]).await);
    assert_eq!(claims(&elsewhere.access)["aud"], STUDIO_API);
    let refused = world.me(&elsewhere.access).await.expect(401);
    assert!(challenge_of(&refused, "Bearer").contains("error=\"invalid_token\""));
    assert_eq!(STUDIO.introspect(&world, &elsewhere.access).await["aud"], STUDIO_API, "whose server asks here");
    let here = Issued::of(&STUDIO.token(&world, &[grant, ("resource", ISSUER)]).await);
    world.me(&here.access).await.expect(200);

    let ask = super::support::Ask::of(&STUDIO).with("resource", STUDIO_API).with("scope", "account_api openid");
    let code = ask.allowed(&world, ADA).await.code();
    let issued = Issued::of(&STUDIO.redeem(&world, &ask, &code).await);
    assert_eq!(claims(&issued.access)["aud"], STUDIO_API);
    world.me(&issued.access).await.expect(401);
    let again = Issued::of(&STUDIO.refresh(&world, issued.refresh()).await);
    assert_eq!(claims(&again.access)["aud"], STUDIO_API, "a refresh does not widen it");
}

/// I6: no two tokens have one id, also from two nodes at one moment.
async fn i6_each_token_has_an_id_of_its_own(world: World) {
    let nodes = [world.clone(), world.another_node().await];
    let tokens = at_once(500, &nodes, |node| async move {
        Issued::of(&MACHINE.token(&node, &[("grant_type", "client_credentials")]).await).access
    })
    .await;
    let ids: BTreeSet<String> = tokens.iter().map(|token| claims(token)["jti"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), tokens.len());
    assert!(ids.iter().all(|id| id.parse::<uuid::Uuid>().is_ok()), "{ids:?}");
    // Nor do those of one grant.
    let first = STUDIO.connect(&world, ADA).await;
    let second = Issued::of(&STUDIO.refresh(&world, first.refresh()).await);
    assert_ne!(claims(&first.access)["jti"], claims(&second.access)["jti"]);
}

/// I6: nor have a hundred thousand that are drawn at one moment. It is what an access token's row is found by.
#[test]
fn i6_a_hundred_thousand_ids_of_one_moment_differ() {
    let now = Timestamp::from_micros(START);
    let ids: BTreeSet<uuid::Uuid> = (0..100_000).map(|_| time_ordered_id(&SystemEntropy, now)).collect();
    assert_eq!(ids.len(), 100_000);
}

/// wire.md B: a client that the token is not for learns nothing of it, whatever it authenticates with.
async fn wire_b_a_foreign_token_is_inactive(world: World) {
    let issued = STUDIO.connect(&world, ADA).await;
    let by_post = Client { auth: Auth::Post("machine-client-secret"), ..MACHINE };
    for client in [MACHINE, by_post, super::support::keyed()] {
        assert_eq!(client.introspect(&world, &issued.access).await, json!({"active": false}));
    }
}

both! {
    i1_the_header_says_what_it_is,
    i2_the_claims_are_complete,
    i3_a_forged_token_is_refused,
    i4_a_token_is_for_one_resource,
    wire_b_a_foreign_token_is_inactive,
}
both! { on many threads; i6_each_token_has_an_id_of_its_own }
