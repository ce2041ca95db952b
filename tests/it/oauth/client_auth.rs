//! E: client authentication (RFC 6749 section 2.3, RFC 7523).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use leadgate::domain::ids::AppId;
use leadgate::services::partner;
use leadgate::services::throttle::Limits;
use serde_json::{Value, json};

use super::support::{
    ASSERTION_TYPE, Ask, Auth, FORM, Issued, MACHINE, POCKET, RIVAL, STUDIO, assert_error, assertion_claims, basic,
    keyed, register, seconds,
};
use crate::support::http::{form, from_address, request};
use crate::support::signer::{KEYED, Signer, unsigned};
use crate::support::{ADA, Answer, ISSUER, Setup, World, both};

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

/// Asks for a token with these headers and fields, and nothing else.
async fn ask(world: &World, authorization: Option<&str>, fields: &[(&str, &str)]) -> Answer {
    let mut headers = vec![("content-type", FORM)];
    headers.extend(authorization.map(|value| ("authorization", value)));
    world.send(request("POST", "/oauth/token", &headers, form(&[&[GRANT], fields].concat()))).await
}

/// E1: both parts of HTTP Basic are form-url-encoded inside (RFC 6749 section 2.3.1).
async fn e1_basic_is_form_url_encoded_inside(world: World) {
    let Auth::Basic(secret) = RIVAL.auth else { panic!() };
    Issued::of(&ask(&world, Some(&basic(RIVAL.id, secret)), &[]).await);
    let of = |inside: &str| format!("Basic {}", STANDARD.encode(inside));
    for good in [
        "rival:r%2576l%3As%2Bcr%26t%3Dv%2F+al",
        "rival:r%2576l%3as%2bcr%26t%3dv%2f%20al",
        "%72%69val:r%2576l:s%2Bcr&t=v/%20al",
    ] {
        Issued::of(&ask(&world, Some(&of(good)), &[]).await);
    }
    for scheme in ["basic", "BASIC", "bAsIc"] {
        let value = basic(RIVAL.id, secret).replacen("Basic", scheme, 1);
        Issued::of(&ask(&world, Some(&value), &[]).await);
    }
    for wrong in [
        // Not encoded at all: `%76` is a `v` and `+` a space.
        "rival:r%76l:s+cr&t=v/ al",
        // Encoded once too often.
        "rival:r%252576l%253As%252Bcr%2526t%253Dv%252F%2Bal",
        "rival:r%2576l%3As%2Bcr%26t%3Dv%2F+al%C3%BC",
        "rival:r%2576l%3As%2Bcr%26t%3Dv%2F+al%00",
    ] {
        assert_error(&ask(&world, Some(&of(wrong)), &[]).await, 401, "invalid_client");
    }
    Issued::of(&ask(&world, None, &[("client_id", RIVAL.id), ("client_secret", secret)]).await);
}

/// E2: who is not who it says: 401, with a challenge unless it used another way than the challenge's.
async fn e2_bad_credentials_are_401(world: World) {
    for (id, secret) in [
        (STUDIO.id, "wrong"),
        (STUDIO.id, "studio-client-secret "),
        (STUDIO.id, "Studio-client-secret"),
        (STUDIO.id, "studio-client-secre"),
        (STUDIO.id, "machine-client-secret"),
        ("nobody", "studio-client-secret"),
        ("STUDIO", "studio-client-secret"),
        ("", "studio-client-secret"),
    ] {
        let answer = ask(&world, Some(&basic(id, secret)), &[]).await;
        assert_error(&answer, 401, "invalid_client");
        assert!(answer.header("www-authenticate").is_some(), "{answer:?}");
        if !id.is_empty() {
            let answer = ask(&world, None, &[("client_id", id), ("client_secret", secret)]).await;
            assert_error(&answer, 401, "invalid_client");
            assert!(answer.header("www-authenticate").is_none(), "{answer:?}");
        }
    }
    let nothing = ask(&world, None, &[]).await;
    assert_error(&nothing, 401, "invalid_client");
    assert!(nothing.header("www-authenticate").is_some(), "{nothing:?}");
    for path in ["/oauth/revoke", "/oauth/introspect", "/oauth/par", "/oauth/device_authorization"] {
        let answer = STUDIO.by(Auth::Basic("wrong")).post(&world, path, &[("token", "x")]).await;
        assert_error(&answer, 401, "invalid_client");
    }
}

/// E3: one way to authenticate at a time (RFC 6749 section 2.3).
async fn e3_two_ways_at_once_are_refused(world: World) {
    let good = basic(STUDIO.id, "studio-client-secret");
    let secret = ("client_secret", "studio-client-secret");
    let assertion = KEYED.jws(&json!({"alg": "ES256"}), &assertion_claims(&world, "keyed"));
    let by_key = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion.as_str())];
    for (authorization, fields) in [
        (Some(good.as_str()), vec![secret]),
        (Some(&good), vec![("client_id", STUDIO.id), secret]),
        (Some(&good), vec![("client_id", STUDIO.id), ("client_secret", "wrong")]),
        (Some(&good), by_key.to_vec()),
        (None, [&by_key[..], &[("client_id", "keyed"), secret]].concat()),
    ] {
        assert_error(&ask(&world, authorization, &fields).await, 400, "invalid_request");
    }
    // Who it is may be said twice, if it is the same.
    Issued::of(&ask(&world, Some(&good), &[("client_id", STUDIO.id)]).await);
    let other = ask(&world, Some(&good), &[("client_id", MACHINE.id)]).await;
    assert!(matches!(other.status, 400 | 401), "{other:?}");
}

/// E5: a public client is who it says for what is its own, and gets nothing for itself.
async fn e5_a_public_client_says_who_it_is(world: World) {
    let request = Ask::of(&POCKET);
    let code = request.allowed(&world, ADA).await.code();
    Issued::of(&POCKET.redeem(&world, &request, &code).await);
    let answer = ask(&world, None, &[("client_id", POCKET.id)]).await;
    assert_error(&answer, 400, "unauthorized_client");
    // A confidential one is not believed.
    for client in [STUDIO, RIVAL, MACHINE, keyed()] {
        assert_error(&client.by(Auth::None).token(&world, &[GRANT]).await, 401, "invalid_client");
        assert_error(&client.by(Auth::Basic("")).token(&world, &[GRANT]).await, 401, "invalid_client");
        assert_error(&client.by(Auth::Post("")).token(&world, &[GRANT]).await, 401, "invalid_client");
    }
    let request = Ask::of(&STUDIO);
    let code = request.allowed(&world, ADA).await.code();
    assert_error(&STUDIO.by(Auth::None).redeem(&world, &request, &code).await, 401, "invalid_client");
    assert_error(&ask(&world, None, &[]).await, 401, "invalid_client");
}

/// E6: no header is too bad.
async fn e6_no_header_is_too_bad(world: World) {
    let of = |inside: &[u8]| format!("Basic {}", STANDARD.encode(inside));
    let long = of(&vec![b'x'; 48_000]);
    for bad in [
        "Basic",
        "Basic ",
        "Basic  ",
        "Basic !!!",
        "Basic c3R1ZGlv",
        "Basic c3R1ZGlvOg",
        "Basic =",
        "Basic a b",
        "Basic c3R1ZGlvOnN0dWRpby1jbGllbnQtc2VjcmV0, Basic x",
        &of(b"studio"),
        &of(b":"),
        &of(b"studio:"),
        &of(b":studio-client-secret"),
        &of(b"studio:studio-client-secret\0"),
        &of(b"stu\0dio:studio-client-secret"),
        &of(b"studio:%zz"),
        &of(b"studio:%"),
        &of(b"studio:\xff\xfe"),
        &of(b"studio:%ff%fe"),
        &long,
    ] {
        let answer = ask(&world, Some(bad), &[]).await;
        assert!((400..500).contains(&answer.status), "{bad}: {answer:?}");
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(matches!(error.as_str(), "invalid_client" | "invalid_request"), "{bad}: {error}");
        assert_error(&answer, answer.status, &error);
    }
    let good = basic(STUDIO.id, "studio-client-secret");
    let twice = [("content-type", FORM), ("authorization", good.as_str()), ("authorization", &good)];
    let answer = world.send(request("POST", "/oauth/token", &twice, form(&[GRANT]))).await;
    assert!(matches!(answer.status, 400 | 401), "{answer:?}");
    for other in ["Bearer x", "Digest x", "Negotiate x"] {
        assert_error(&ask(&world, Some(other), &[]).await, 401, "invalid_client");
    }
}

/// E7: an answer does not tell an unknown client from a wrong secret.
async fn e7_an_unknown_client_looks_like_a_wrong_secret(world: World) {
    let wrong = ask(&world, Some(&basic(STUDIO.id, "wrong")), &[]).await;
    let wrong_key = Signer::generate().jws(&json!({"alg": "ES256"}), &assertion_claims(&world, "keyed"));
    for answer in [
        ask(&world, Some(&basic("nobody", "wrong")), &[]).await,
        ask(&world, Some(&basic("keyed", "wrong")), &[]).await,
        ask(&world, Some(&basic(&"x".repeat(200), "wrong")), &[]).await,
        ask(&world, None, &[("client_id", "nobody"), ("client_secret", "wrong")]).await,
        ask(&world, None, &[("client_id", STUDIO.id), ("client_secret", "wrong")]).await,
        ask(&world, None, &[("client_id", "nobody")]).await,
        ask(&world, None, &[("client_assertion_type", ASSERTION_TYPE), ("client_assertion", &wrong_key)]).await,
    ] {
        assert_eq!((answer.status, &answer.body), (401, &wrong.body));
    }
}

/// E8: a secret that the server makes has 128 bits at least, is shown once, and is stored as a hash.
async fn e8_a_secret_is_long_and_shown_once(world: World) {
    let metadata = json!({"grant_types": ["client_credentials"]});
    let client = register(&world, &metadata).await.expect(201).json();
    let text = |name: &str| client[name].as_str().unwrap();
    let secret = text("client_secret");
    assert!(secret.len() >= 22, "{secret}");
    Issued::of(&ask(&world, Some(&basic(text("client_id"), secret)), &[]).await);
    let bearer = format!("Bearer {}", text("registration_access_token"));
    let path = text("registration_client_uri").strip_prefix(ISSUER).unwrap();
    let shown = world.send(request("GET", path, &[("authorization", &bearer)], "")).await.expect(200);
    assert!(!shown.text().contains(secret), "{}", shown.text());
    let dump = world.database.db_dump().await;
    assert!(!dump.windows(secret.len()).any(|window| window == secret.as_bytes()));
}

/// E8: after a rotation the secret before is good for the overlap, and no longer.
async fn e8_a_rotated_secret_overlaps(world: World) {
    let id = AppId::parse(STUDIO.id).unwrap();
    let new = partner::rotate_secret(&world.operator(), &id, Duration::from_secs(3_600)).await.unwrap();
    assert!(new.len() >= 22, "{new}");
    let old = basic(STUDIO.id, "studio-client-secret");
    Issued::of(&ask(&world, Some(&basic(STUDIO.id, &new)), &[]).await);
    Issued::of(&ask(&world, Some(&old), &[]).await);
    world.advance(3_599);
    Issued::of(&ask(&world, Some(&old), &[]).await);
    world.advance(1);
    assert_error(&ask(&world, Some(&old), &[]).await, 401, "invalid_client");
    Issued::of(&ask(&world, Some(&basic(STUDIO.id, &new)), &[]).await);
}

/// E9: a client with a key uses nothing else; a secret may come in either way.
async fn e9_a_client_authenticates_as_it_registered(world: World) {
    Issued::of(&keyed().token(&world, &[GRANT]).await);
    for auth in [Auth::None, Auth::Basic("x"), Auth::Post("x")] {
        assert_error(&keyed().by(auth).token(&world, &[GRANT]).await, 401, "invalid_client");
    }
    let assertion = Signer::generate().jws(&json!({"alg": "ES256"}), &assertion_claims(&world, STUDIO.id));
    let fields = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion.as_str())];
    assert_error(&ask(&world, None, &fields).await, 401, "invalid_client");
    for auth in [Auth::Basic("studio-client-secret"), Auth::Post("studio-client-secret")] {
        Issued::of(&STUDIO.by(auth).token(&world, &[GRANT]).await);
    }
    for method in ["client_secret_basic", "client_secret_post"] {
        let metadata = json!({"grant_types": ["client_credentials"], "token_endpoint_auth_method": method});
        let client = register(&world, &metadata).await.expect(201).json();
        let (id, secret) = (client["client_id"].as_str().unwrap(), client["client_secret"].as_str().unwrap());
        Issued::of(&ask(&world, Some(&basic(id, secret)), &[]).await);
        Issued::of(&ask(&world, None, &[("client_id", id), ("client_secret", secret)]).await);
    }
}

/// Asks with an assertion whose claims were changed.
async fn assert_by(world: &World, change: impl FnOnce(&mut Value)) -> Answer {
    let mut claims = assertion_claims(world, "keyed");
    change(&mut claims);
    let assertion = KEYED.jws(&json!({"alg": "ES256", "typ": "JWT"}), &claims);
    ask(world, None, &[("client_assertion_type", ASSERTION_TYPE), ("client_assertion", &assertion)]).await
}

/// E9, RFC 7523 section 3: an assertion is of its client, for this server, good now, and good once.
async fn e9_an_assertion_is_for_this_server_and_good_once(world: World) {
    let now = seconds(&world);
    let endpoint = format!("{ISSUER}/oauth/token");
    for audience in [json!(ISSUER), json!([ISSUER]), json!(endpoint), json!([endpoint, ISSUER])] {
        Issued::of(&assert_by(&world, |claims| claims["aud"] = audience).await);
    }
    Issued::of(&assert_by(&world, |claims| claims["exp"] = json!(now + 3_600)).await);
    let mut claims = assertion_claims(&world, "keyed");
    let mut refused = Vec::new();
    for (name, value) in [
        ("aud", json!("https://other.test")),
        // Another server that got it could bring it here.
        ("aud", json!([ISSUER, "https://other.test"])),
        ("aud", json!([])),
        ("aud", json!(format!("{ISSUER}/"))),
        ("aud", Value::Null),
        ("iss", json!("studio")),
        ("iss", json!(ISSUER)),
        ("iss", Value::Null),
        ("sub", json!("studio")),
        ("sub", Value::Null),
        // A minute is left to clocks that are apart.
        ("exp", json!(now - 60)),
        ("exp", json!(now + 3_661)),
        ("exp", json!("soon")),
        ("exp", json!(-1)),
        ("exp", Value::Null),
        ("nbf", json!(now + 61)),
        ("iat", json!(now + 61)),
        ("jti", Value::Null),
        ("jti", json!("")),
    ] {
        let answer = assert_by(&world, |claims| match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value,
        })
        .await;
        refused.push((format!("{name} {}", answer.text()), answer));
    }
    let header = json!({"alg": "ES256"});
    let good = KEYED.jws(&header, &claims);
    claims["jti"] = json!("unsigned");
    let hs256 = json!({"alg": "HS256"});
    for (what, assertion) in [
        ("none", format!("{}.", unsigned(&json!({"alg": "none"}), &claims))),
        ("HS256", KEYED.jws(&hs256, &claims)),
        ("another key", Signer::generate().jws(&header, &claims)),
        ("its own key", {
            let own = Signer::generate();
            own.jws(&json!({"alg": "ES256", "jwk": own.jwk()}), &claims)
        }),
        ("cut off", good[..good.len() - 2].to_owned()),
        ("no JWT", "x".to_owned()),
        ("long", format!("{good}{}", "A".repeat(20_000))),
    ] {
        let fields = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion.as_str())];
        refused.push((what.to_owned(), ask(&world, None, &fields).await));
    }
    for (what, answer) in refused {
        assert_eq!(answer.status, 401, "{what}: {answer:?}");
        assert_error(&answer, 401, "invalid_client");
    }
    let fields = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", good.as_str())];
    Issued::of(&ask(&world, None, &fields).await);
    assert_error(&ask(&world, None, &fields).await, 401, "invalid_client");
    assert_error(&ask(&world.another_node().await, None, &fields).await, 401, "invalid_client");
    let mismatch = KEYED.jws(&header, &assertion_claims(&world, "keyed"));
    for fields in [
        vec![("client_assertion", mismatch.as_str())],
        vec![("client_assertion_type", "x"), ("client_assertion", &mismatch)],
        vec![("client_assertion_type", ASSERTION_TYPE)],
        vec![("client_id", "studio"), ("client_assertion_type", ASSERTION_TYPE), ("client_assertion", &mismatch)],
    ] {
        let answer = ask(&world, None, &fields).await;
        assert!(matches!(answer.status, 400 | 401), "{fields:?}: {answer:?}");
    }
}

/// E10: guesses at a secret are slowed down for who makes them; the client elsewhere gets in.
async fn e10_guesses_at_a_secret_are_slowed_down(world: World) {
    let attempt = |from: u8, secret: &str, claims: &str| {
        let authorization = basic(STUDIO.id, secret);
        let headers = [("content-type", FORM), ("authorization", authorization.as_str()), ("x-forwarded-for", claims)];
        from_address(request("POST", "/oauth/token", &headers, form(&[GRANT])), from)
    };
    for i in 0..3 {
        let answer = world.send(attempt(1, "wrong", &format!("198.51.100.{i}"))).await;
        assert_error(&answer, 401, "invalid_client");
    }
    let slowed = world.send(attempt(1, "wrong", "198.51.100.9")).await;
    assert_error(&slowed, 429, "slow_down");
    let wait: u64 = slowed.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    Issued::of(&world.send(attempt(2, "studio-client-secret", "192.0.2.1")).await);
    // Another client behind the same address is not held up.
    let other = basic(MACHINE.id, "machine-client-secret");
    let headers = [("content-type", FORM), ("authorization", other.as_str())];
    Issued::of(&world.send(from_address(request("POST", "/oauth/token", &headers, form(&[GRANT])), 1)).await);
}

both! {
    e1_basic_is_form_url_encoded_inside,
    e2_bad_credentials_are_401,
    e3_two_ways_at_once_are_refused,
    e5_a_public_client_says_who_it_is,
    e6_no_header_is_too_bad,
    e7_an_unknown_client_looks_like_a_wrong_secret,
    e8_a_secret_is_long_and_shown_once,
    e8_a_rotated_secret_overlaps,
    e9_a_client_authenticates_as_it_registered,
    e9_an_assertion_is_for_this_server_and_good_once,
}
both! { with super::three_refusals_a_minute(); e10_guesses_at_a_secret_are_slowed_down }

fn three_refusals_a_minute() -> Setup {
    Setup { limits: Limits { refusals: 3, ..Limits::NONE }, ..Setup::default() }
}
