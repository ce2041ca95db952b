//! ID tokens and userinfo (OpenID Connect Core).

use leadgate::crypto::token::sha256;
use serde_json::{Value, json};

use super::support::{Ask, FORM, Issued, POCKET, STUDIO, basic, claims, parts, register, seconds, verified};
use crate::support::http::{form, request};
use crate::support::signer::base64url;
use crate::support::{ADA, Answer, GRACE, ISSUER, World, both};

async fn userinfo(world: &World, token: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    world.send(request("GET", "/oauth/userinfo", &[("authorization", &bearer)], "")).await
}

/// Every claim of an ID token, and no claim of a scope that was not granted.
async fn wire_b_an_id_token_says_who_signed_in(world: World) {
    let now = seconds(&world);
    let person = [("name", json!("Ada Buyer")), ("email", json!(ADA)), ("email_verified", json!(true))];
    for (scope, shown) in [
        ("openid", &[][..]),
        ("openid profile", &person[..1]),
        ("openid email", &person[1..]),
        ("openid profile email account_api", &person),
    ] {
        let ask = Ask::of(&STUDIO).with("scope", scope).with("nonce", "a nonce & more");
        let code = ask.allowed(&world, ADA).await.code();
        let issued = Issued::of(&STUDIO.redeem(&world, &ask, &code).await);
        let (header, _) = parts(issued.id_token());
        assert_eq!(header["alg"], "RS256", "OpenID's own default");
        assert_ne!(header["typ"], "at+jwt");
        let claims = verified(&world, issued.id_token()).await;
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!(ISSUER), &json!("studio")));
        assert_eq!((&claims["iat"], &claims["auth_time"]), (&json!(now), &json!(now)));
        assert!(claims["exp"].as_i64().unwrap() > now);
        assert_eq!(claims["nonce"], "a nonce & more");
        assert_eq!(claims["at_hash"], base64url(&sha256(issued.access.as_bytes())[..16]));
        assert_eq!(claims["sub"], super::support::claims(&issued.access)["sub"]);
        assert!(claims.get("azp").is_none_or(|azp| azp == "studio"));
        let seen = userinfo(&world, &issued.access).await.expect(200).json();
        assert_eq!(seen["sub"], claims["sub"]);
        for (name, value) in &person {
            let expected = shown.iter().any(|(shown, _)| shown == name).then_some(value);
            assert_eq!((claims.get(*name), seen.get(*name)), (expected, expected), "{scope}: {name}");
        }
    }
    let without = Ask::of(&STUDIO).with("scope", "openid");
    let code = without.allowed(&world, ADA).await.code();
    let issued = Issued::of(&STUDIO.redeem(&world, &without, &code).await);
    assert!(claims(issued.id_token()).get("nonce").is_none());
}

/// A refresh brings a fresh one: the same person and login, without the nonce (section 12.2).
async fn wire_b_a_refresh_brings_a_fresh_id_token(world: World) {
    let login = seconds(&world);
    let ask = Ask::of(&POCKET).with("scope", "openid email").with("nonce", "n");
    let code = ask.allowed(&world, ADA).await.code();
    let first = Issued::of(&POCKET.redeem(&world, &ask, &code).await);
    world.advance(1_000);
    let second = Issued::of(&POCKET.refresh(&world, first.refresh()).await);
    let (before, after) = (claims(first.id_token()), verified(&world, second.id_token()).await);
    for same in ["iss", "sub", "aud", "auth_time", "email"] {
        assert_eq!(before[same], after[same], "{same}");
    }
    assert_eq!((&after["auth_time"], &after["iat"]), (&json!(login), &json!(login + 1_000)));
    assert!(after.get("nonce").is_none(), "{after}");
    assert_eq!(after["at_hash"], base64url(&sha256(second.access.as_bytes())[..16]));
    // Who narrows `openid` away gets none.
    let fields = [("grant_type", "refresh_token"), ("refresh_token", second.refresh()), ("scope", "email")];
    let narrow = Issued::of(&POCKET.token(&world, &fields).await);
    assert!(narrow.body.get("id_token").is_none());
    userinfo(&world, &narrow.access).await.expect(403);
}

/// It is signed as the client registered.
async fn wire_b_a_client_chooses_the_algorithm(world: World) {
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        let metadata = json!({
            "redirect_uris": ["https://new.test/callback"], "id_token_signed_response_alg": algorithm,
        });
        let client = register(&world, &metadata).await.expect(201).json();
        let text = |name: &str| client[name].as_str().unwrap();
        let ask = Ask::of(&STUDIO)
            .with("client_id", text("client_id"))
            .with("redirect_uri", "https://new.test/callback")
            .with("scope", "openid");
        let code = ask.allowed(&world, ADA).await.code();
        let credentials = basic(text("client_id"), text("client_secret"));
        let headers = [("authorization", credentials.as_str()), ("content-type", FORM)];
        let body = form(&[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", "https://new.test/callback"),
            ("code_verifier", &ask.verifier),
        ]);
        let issued = Issued::of(&world.send(request("POST", "/oauth/token", &headers, body)).await);
        assert_eq!(parts(issued.id_token()).0["alg"], algorithm);
        assert_eq!(verified(&world, issued.id_token()).await["aud"], client["client_id"]);
    }
}

/// One person is one subject for all clients (the metadata's `public`), and no two persons are.
async fn wire_b_a_subject_is_one_person(world: World) {
    let subject = async |client: super::support::Client, email: &str| -> Value {
        claims(client.connect_for(&world, email, "openid").await.id_token())["sub"].clone()
    };
    assert_eq!(subject(STUDIO, ADA).await, subject(POCKET, ADA).await);
    assert_ne!(subject(STUDIO, ADA).await, subject(STUDIO, GRACE).await);
}

both! {
    wire_b_an_id_token_says_who_signed_in,
    wire_b_a_refresh_brings_a_fresh_id_token,
    wire_b_a_client_chooses_the_algorithm,
    wire_b_a_subject_is_one_person,
}
