//! H: access tokens of this part at the doors that they open: userinfo and `/v1/me` (RFC 6750).

use leadgate::domain::email::Email;
use leadgate::services::users;

use super::support::{Ask, FORM, Issued, STUDIO, challenge_of, claims};
use crate::support::http::{form, request};
use crate::support::{ADA, Answer, World, both, connect_by_api};

const DOORS: [&str; 2] = ["/oauth/userinfo", "/v1/me"];
const ALL: &str = "openid profile email account_api";

async fn at(world: &World, path: &str, headers: &[(&str, &str)]) -> Answer {
    world.send(request("GET", path, headers, "")).await
}

async fn with(world: &World, path: &str, token: &str) -> Answer {
    at(world, path, &[("authorization", &format!("Bearer {token}"))]).await
}

#[track_caller]
fn challenge(answer: &Answer) -> &str {
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    challenge_of(answer, "Bearer")
}

/// H1: without a token the challenge has no error.
async fn h1_without_a_token_the_challenge_is_bare(world: World) {
    for path in DOORS {
        for headers in [vec![], vec![("authorization", "Basic YTpi")], vec![("cookie", "access_token=x")]] {
            let answer = at(&world, path, &headers).await.expect(401);
            assert_eq!(challenge(&answer), "Bearer realm=\"leadgate\"", "{path}");
        }
    }
}

/// H2: bad, narrow, and two at once.
async fn h2_each_refusal_has_its_error(world: World) {
    let issued = STUDIO.connect_for(&world, ADA, ALL).await;
    let altered = format!("{}{}", &issued.access[..issued.access.len() - 4], "AAAA");
    for path in DOORS {
        with(&world, path, &issued.access).await.expect(200);
        for bad in ["x", "a.b.c", "..", &altered, &issued.access[1..], &"x".repeat(6_000), "null"] {
            let answer = with(&world, path, bad).await.expect(401);
            assert!(challenge(&answer).contains("error=\"invalid_token\""), "{path} {bad}");
        }
        let bearer = format!("Bearer {}", issued.access);
        for headers in [
            vec![("authorization", bearer.as_str()), ("authorization", &bearer)],
            vec![("authorization", "Bearer a b")],
            vec![("authorization", "Bearer")],
        ] {
            let answer = at(&world, path, &headers).await.expect(400);
            assert!(challenge(&answer).contains("error=\"invalid_request\""), "{path} {headers:?}");
        }
    }
    let narrow = STUDIO.connect_for(&world, ADA, "openid data_api").await;
    let answer = with(&world, "/v1/me", &narrow.access).await.expect(403);
    let text = challenge(&answer);
    assert!(text.contains("error=\"insufficient_scope\"") && text.contains("scope=\"account_api\""), "{text}");
    let narrow = STUDIO.connect_for(&world, ADA, "account_api profile email").await;
    let answer = with(&world, "/oauth/userinfo", &narrow.access).await.expect(403);
    let text = challenge(&answer);
    assert!(text.contains("error=\"insufficient_scope\"") && text.contains("scope=\"openid\""), "{text}");

    world.advance(3_599);
    with(&world, "/v1/me", &issued.access).await.expect(200);
    world.advance(1);
    for path in DOORS {
        let expired = with(&world, path, &issued.access).await.expect(401);
        assert!(challenge(&expired).contains("error=\"invalid_token\""));
    }
}

/// H3: a token in an address does not count.
async fn h3_a_token_in_an_address_does_not_count(world: World) {
    let issued = STUDIO.connect_for(&world, ADA, ALL).await;
    for path in DOORS {
        for name in ["access_token", "token", "bearer"] {
            let answer = at(&world, &format!("{path}?{name}={}", issued.access), &[]).await;
            assert!(matches!(answer.status, 400 | 401), "{path} {name}: {answer:?}");
            assert!(!answer.text().contains(ADA));
        }
    }
}

/// H4: the scheme may be in any case; a form brings a token only where a form may be.
async fn h4_the_token_stands_in_the_header(world: World) {
    let issued = STUDIO.connect_for(&world, ADA, ALL).await;
    for path in DOORS {
        for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
            let value = format!("{scheme} {}", issued.access);
            at(&world, path, &[("authorization", &value)]).await.expect(200);
        }
    }
    let body = form(&[("access_token", &issued.access)]);
    for (method, kind) in [("GET", FORM), ("POST", "application/json"), ("POST", "text/plain"), ("POST", "")] {
        for path in DOORS {
            let answer = world.send(request(method, path, &[("content-type", kind)], body.clone())).await;
            assert!((400..500).contains(&answer.status), "{method} {kind} {path}: {answer:?}");
        }
    }
    // OpenID Connect Core, section 5.3.1: userinfo may be asked by POST.
    let bearer = format!("Bearer {}", issued.access);
    world.send(request("POST", "/oauth/userinfo", &[("authorization", &bearer)], "")).await.expect(200);
}

/// H5: what was ended is refused at once, signed or not.
async fn h5_a_dead_token_is_refused_at_once(world: World) {
    let mut ada = world.actor();
    let ask = Ask::of(&STUDIO).with("scope", ALL);
    let code = ada.allow(&ask, ADA).await.code();
    let issued = Issued::of(&STUDIO.redeem(&world, &ask, &code).await);
    let second = world.another_node().await;
    ada.disconnect("Lead Studio").await;
    for path in DOORS {
        with(&world, path, &issued.access).await.expect(401);
        with(&second, path, &issued.access).await.expect(401);
    }
    let issued = STUDIO.connect_for(&world, ADA, ALL).await;
    STUDIO.revoke(&world, &issued.access).await.expect(200);
    for path in DOORS {
        with(&world, path, &issued.access).await.expect(401);
        with(&second, path, &issued.access).await.expect(401);
    }
    let issued = STUDIO.connect_for(&world, ADA, ALL).await;
    world.disable(ADA).await;
    with(&world, "/oauth/userinfo", &issued.access).await.expect(401);
    world.enable(ADA).await;
    with(&world, "/oauth/userinfo", &issued.access).await.expect(401);
    let issued = STUDIO.connect_for(&world, ADA, ALL).await;
    users::set_password(&world.operator(), &Email::parse(ADA).unwrap(), "a new password").await.unwrap();
    with(&world, "/oauth/userinfo", &issued.access).await.expect(401);
}

/// H6: only an access token is one.
async fn h6_no_other_secret_is_an_access_token(world: World) {
    let ask = Ask::of(&STUDIO).with("scope", ALL);
    let code = ask.allowed(&world, ADA).await.code();
    let unused = ask.allowed(&world, ADA).await.code();
    let issued = Issued::of(&STUDIO.redeem(&world, &ask, &code).await);
    let button = connect_by_api(&world, ADA, "btn-one").await;
    let jti = claims(&issued.access)["jti"].as_str().unwrap().to_owned();
    for path in DOORS {
        for secret in [&code, &unused, issued.refresh(), issued.id_token(), &button.refresh, &jti] {
            with(&world, path, secret).await.expect(401);
        }
        with(&world, path, &issued.access).await.expect(200);
    }
    // The button's opaque tokens are another class, without `openid`.
    with(&world, "/v1/me", &button.access).await.expect(200);
    with(&world, "/oauth/userinfo", &button.access).await.expect(403);
}

both! {
    h1_without_a_token_the_challenge_is_bare,
    h2_each_refusal_has_its_error,
    h3_a_token_in_an_address_does_not_count,
    h4_the_token_stands_in_the_header,
    h5_a_dead_token_is_refused_at_once,
    h6_no_other_secret_is_an_access_token,
}
