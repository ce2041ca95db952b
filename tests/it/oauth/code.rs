//! D: the swap of an authorization code (RFC 6749 section 4.1.3, RFC 7636, RFC 9700 section 4.8).

use leadgate::domain::email::Email;
use leadgate::services::users;
use serde_json::json;

use super::support::{
    Ask, Client, DEVICE_GRANT, FORM, Issued, MACHINE, POCKET, RATE_FINDER, RIVAL, STUDIO, assert_error,
    assert_not_stored, at_once,
};
use crate::support::http::{form, request};
use crate::support::{ADA, GRACE, World, both};

/// A request that a user allowed, with its code.
async fn asked(world: &World, client: &Client) -> (Ask, String) {
    let ask = Ask::of(client).with("scope", "account_api");
    let code = ask.allowed(world, ADA).await.code();
    (ask, code)
}

/// D1, D2: the tokens, in JSON that nobody keeps.
async fn d1_d2_a_code_is_worth_tokens(world: World) {
    for client in [STUDIO, POCKET] {
        let ask = Ask::of(&client).with("scope", "account_api openid");
        let code = world.actor().allow(&ask, ADA).await.code();
        let answer = client.redeem(&world, &ask, &code).await.expect(200);
        assert_not_stored(&answer);
        let issued = Issued::of(&answer);
        assert_eq!((&issued.body["token_type"], &issued.body["expires_in"]), (&json!("Bearer"), &json!(3600)));
        let mut scope = issued.scope();
        scope.sort_unstable();
        assert_eq!(scope, ["account_api", "openid"]);
        assert!(issued.refresh().starts_with("lgf_"), "{}", issued.body);
        issued.id_token();
        assert_eq!(world.me(&issued.access).await.expect(200).json()["user"]["email"], ADA);
    }
    // Who did not ask for `openid` gets no ID token.
    let issued = STUDIO.connect(&world, GRACE).await;
    assert!(issued.body.get("id_token").is_none(), "{}", issued.body);
}

/// D3: a second use of a code ends what the first one brought.
async fn d3_a_second_use_ends_what_the_first_one_brought(world: World) {
    for client in [STUDIO, POCKET] {
        let (ask, code) = asked(&world, &client).await;
        let issued = Issued::of(&client.redeem(&world, &ask, &code).await);
        world.me(&issued.access).await.expect(200);
        assert_error(&client.redeem(&world, &ask, &code).await, 400, "invalid_grant");
        world.me(&issued.access).await.expect(401);
        assert_error(&client.refresh(&world, issued.refresh()).await, 400, "invalid_grant");
    }
    // What another consent brought stays.
    let other = STUDIO.connect(&world, ADA).await;
    let (ask, code) = asked(&world, &STUDIO).await;
    Issued::of(&STUDIO.redeem(&world, &ask, &code).await);
    assert_error(&STUDIO.redeem(&world, &ask, &code).await, 400, "invalid_grant");
    world.me(&other.access).await.expect(200);
}

/// D3: tokens that a refresh brought meanwhile end, too.
async fn d3_a_second_use_ends_what_was_refreshed_meanwhile(world: World) {
    let (ask, code) = asked(&world, &STUDIO).await;
    let first = Issued::of(&STUDIO.redeem(&world, &ask, &code).await);
    let second = Issued::of(&STUDIO.refresh(&world, first.refresh()).await);
    assert_error(&STUDIO.redeem(&world, &ask, &code).await, 400, "invalid_grant");
    world.me(&second.access).await.expect(401);
    assert_error(&STUDIO.refresh(&world, second.refresh()).await, 400, "invalid_grant");
}

/// D4: of fifty at once one is good.
async fn d4_of_fifty_at_once_one_is_good(world: World) {
    one_of_fifty(&world, std::slice::from_ref(&world)).await;
}

/// D4, R8: also across two nodes.
async fn d4_r8_of_fifty_at_once_on_two_nodes_one_is_good(world: World) {
    one_of_fifty(&world, &[world.clone(), world.another_node().await]).await;
}

async fn one_of_fifty(world: &World, nodes: &[World]) {
    let (ask, code) = asked(world, &STUDIO).await;
    let answers = at_once(50, nodes, |node| {
        let (ask, code) = (ask.clone(), code.clone());
        async move { STUDIO.redeem(&node, &ask, &code).await }
    })
    .await;
    let (good, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!(good.len(), 1, "{good:#?}");
    for answer in refused {
        assert_error(answer, 400, "invalid_grant");
    }
}

/// D5: another client does not get it, and cannot spoil it for its owner.
async fn d5_a_code_of_another_client_is_refused_and_not_burnt(world: World) {
    for owner in [STUDIO, POCKET] {
        let (ask, code) = asked(&world, &owner).await;
        for other in [RIVAL, RATE_FINDER] {
            assert_error(&other.redeem(&world, &ask, &code).await, 400, "invalid_grant");
            let own = ask.clone().with("redirect_uri", other.redirect_uri);
            assert_error(&other.redeem(&world, &own, &code).await, 400, "invalid_grant");
        }
        Issued::of(&owner.redeem(&world, &ask, &code).await);
    }
}

/// D6: the redirect URI is the one of the request, byte for byte; a wrong one burns the code.
async fn d6_the_redirect_uri_is_that_of_the_request(world: World) {
    let back = "https://studio.test/back?from=leadgate";
    for wrong in [back, "https://studio.test/callback/", "https://STUDIO.test/callback", "https://evil.example/"] {
        let (ask, code) = asked(&world, &STUDIO).await;
        let other = ask.clone().with("redirect_uri", wrong);
        assert_error(&STUDIO.redeem(&world, &other, &code).await, 400, "invalid_grant");
        assert_error(&STUDIO.redeem(&world, &ask, &code).await, 400, "invalid_grant");
    }
    for missing in [Ask::of(&STUDIO).with("redirect_uri", ""), Ask::of(&STUDIO).without("redirect_uri")] {
        let (ask, code) = asked(&world, &STUDIO).await;
        let missing = Ask { verifier: ask.verifier, ..missing };
        assert_error(&STUDIO.redeem(&world, &missing, &code).await, 400, "invalid_grant");
    }
    // Who left it out may leave it out, or give the only one that it can have been.
    let ask = Ask::of(&RATE_FINDER).without("redirect_uri");
    for given in [ask.clone(), Ask::of(&RATE_FINDER)] {
        let code = ask.allowed(&world, ADA).await.code();
        let given = Ask { verifier: ask.verifier.clone(), ..given };
        Issued::of(&RATE_FINDER.redeem(&world, &given, &code).await);
    }
    let code = ask.allowed(&world, ADA).await.code();
    let other = ask.with("redirect_uri", "http://127.0.0.1:9100/other");
    assert_error(&RATE_FINDER.redeem(&world, &other, &code).await, 400, "invalid_grant");
}

/// D7: a code lives for sixty seconds.
async fn d7_a_code_lives_for_a_minute(world: World) {
    let (ask, code) = asked(&world, &STUDIO).await;
    world.advance(59);
    Issued::of(&STUDIO.redeem(&world, &ask, &code).await);
    let (ask, code) = asked(&world, &STUDIO).await;
    world.advance(60);
    assert_error(&STUDIO.redeem(&world, &ask, &code).await, 400, "invalid_grant");
}

/// D8: a wrong verifier burns the code; a missing or malformed one brings nothing.
async fn d8_the_verifier_is_that_of_the_challenge(world: World) {
    let (long, short, wide) = ("a".repeat(129), "a".repeat(42), "ü".repeat(43));
    for client in [STUDIO, POCKET] {
        let (ask, code) = asked(&world, &client).await;
        let wrong = Ask { verifier: "verifier-of-somebody-else-abcdefghijklmnopqrstuvwxyz".into(), ..ask.clone() };
        assert_error(&client.redeem(&world, &wrong, &code).await, 400, "invalid_grant");
        assert_error(&client.redeem(&world, &ask, &code).await, 400, "invalid_grant");

        let (ask, code) = asked(&world, &client).await;
        assert_error(&client.redeem(&world, &ask.clone().without_pkce(), &code).await, 400, "invalid_grant");
        // What a comparison of the "plain" kind would take.
        let (ask, code) = asked(&world, &client).await;
        let plain = Ask { verifier: ask.value("code_challenge").unwrap().to_owned(), ..ask.clone() };
        assert_error(&client.redeem(&world, &plain, &code).await, 400, "invalid_grant");

        for malformed in [long.as_str(), &short, &wide, "", "a b", &format!("{}=", "a".repeat(43))] {
            let (ask, code) = asked(&world, &client).await;
            let wrong = Ask { verifier: malformed.to_owned(), ..ask };
            let answer = client.redeem(&world, &wrong, &code).await.expect(400);
            let error = answer.json()["error"].as_str().unwrap().to_owned();
            assert!(matches!(error.as_str(), "invalid_grant" | "invalid_request"), "{malformed}: {error}");
            assert_error(&answer, 400, &error);
        }
    }
}

/// D9: a verifier without a challenge is a request that somebody stripped (RFC 9700 section 4.8.2).
async fn d9_a_verifier_without_a_challenge_is_refused(world: World) {
    let stripped = Ask::of(&STUDIO).without_pkce();
    let code = stripped.allowed(&world, ADA).await.code();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", STUDIO.redirect_uri),
        ("code_verifier", &stripped.verifier),
    ];
    let answer = STUDIO.token(&world, &fields).await.expect(400);
    let error = answer.json()["error"].as_str().unwrap().to_owned();
    assert!(matches!(error.as_str(), "invalid_grant" | "invalid_request"), "{error}");
    assert_error(&answer, 400, &error);
}

/// D10: the vector of RFC 7636, appendix B.
async fn d10_the_vector_of_rfc_7636_passes(world: World) {
    let mut ask = Ask::of(&STUDIO).with("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    ask.verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into();
    let code = ask.allowed(&world, ADA).await.code();
    Issued::of(&STUDIO.redeem(&world, &ask, &code).await);
}

/// D11: a grant is named, known, and the client's.
async fn d11_a_grant_is_named_known_and_the_clients(world: World) {
    for fields in [vec![], vec![("grant_type", "")], vec![("code", "x")]] {
        assert_error(&STUDIO.token(&world, &fields).await, 400, "invalid_request");
    }
    for unknown in ["code", "x", "\u{0}", "authorization_code "] {
        assert_error(&STUDIO.token(&world, &[("grant_type", unknown)]).await, 400, "unsupported_grant_type");
    }
    for (client, grant, field) in [
        (MACHINE, "authorization_code", "code"),
        (MACHINE, "refresh_token", "refresh_token"),
        (RATE_FINDER, "password", "username"),
        (RATE_FINDER, DEVICE_GRANT, "device_code"),
    ] {
        let fields = [("grant_type", grant), (field, "x"), ("password", "x")];
        assert_error(&client.token(&world, &fields).await, 400, "unauthorized_client");
    }
    for (grant, field) in [("authorization_code", "code"), ("refresh_token", "refresh_token"), ("password", "username")]
    {
        assert_error(&STUDIO.token(&world, &[("grant_type", grant)]).await, 400, "invalid_request");
        assert_error(&STUDIO.token(&world, &[("grant_type", grant), (field, "")]).await, 400, "invalid_request");
    }
}

/// D12: no parameter comes twice; what is not known is ignored.
async fn d12_no_parameter_comes_twice(world: World) {
    let (ask, code) = asked(&world, &POCKET).await;
    let good = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("client_id", POCKET.id),
        ("redirect_uri", POCKET.redirect_uri),
        ("code_verifier", &ask.verifier),
    ];
    let send = |fields: &[(&str, &str)]| {
        let body = form(fields);
        let world = world.clone();
        async move { world.send(request("POST", "/oauth/token", &[("content-type", FORM)], body)).await }
    };
    for (name, value) in good {
        for second in [value, "another"] {
            assert_error(&send(&[&good[..], &[(name, second)]].concat()).await, 400, "invalid_request");
        }
    }
    for name in ["scope", "refresh_token", "client_assertion"] {
        let twice = [(name, "account_api"), (name, "account_api")];
        assert_error(&send(&[&good[..], &twice].concat()).await, 400, "invalid_request");
    }
    Issued::of(&send(&[&good[..], &[("unknown", "x"), ("state", "y")]].concat()).await);
}

/// D13, E4: what is secret is posted, and not in an address.
async fn d13_e4_nothing_secret_is_taken_from_an_address(world: World) {
    let (ask, code) = asked(&world, &POCKET).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("client_id", POCKET.id),
        ("redirect_uri", POCKET.redirect_uri),
        ("code_verifier", &ask.verifier),
    ];
    let in_address = format!("/oauth/token?{}", form(&fields));
    for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH"] {
        let answer = world.send(request(method, &in_address, &[], "")).await.expect(405);
        assert!(answer.header("allow").unwrap().contains("POST"), "{answer:?}");
    }
    let kind = [("content-type", FORM)];
    assert_error(&world.send(request("POST", &in_address, &kind, "")).await, 400, "invalid_request");
    for name in ["client_secret", "code", "refresh_token", "password", "client_assertion", "code_verifier"] {
        let answer = POCKET.post(&world, &format!("/oauth/token?{name}=x"), &fields[..2]).await;
        assert_error(&answer, 400, "invalid_request");
        assert!(!answer.text().contains(&code));
    }
    let with_secret = [("grant_type", "client_credentials"), ("client_id", STUDIO.id)];
    let path = "/oauth/token?client_secret=studio-client-secret";
    assert_error(&world.send(request("POST", path, &kind, form(&with_secret))).await, 400, "invalid_request");
    Issued::of(&POCKET.redeem(&world, &ask, &code).await);
}

/// D14: the body is a form, whatever its character set is called.
async fn d14_the_body_is_a_form(world: World) {
    let fields =
        [("grant_type", "client_credentials"), ("client_id", STUDIO.id), ("client_secret", "studio-client-secret")];
    let members = json!({"grant_type": "client_credentials", "client_id": STUDIO.id});
    for (kind, body) in [
        ("application/json", members.to_string()),
        ("application/json", form(&fields)),
        ("text/plain", form(&fields)),
        ("multipart/form-data; boundary=x", form(&fields)),
        ("application/x-www-form-urlencodedx", form(&fields)),
        ("", form(&fields)),
    ] {
        let answer = world.send(request("POST", "/oauth/token", &[("content-type", kind)], body)).await;
        assert_error(&answer, 400, "invalid_request");
    }
    assert_error(&world.send(request("POST", "/oauth/token", &[], form(&fields))).await, 400, "invalid_request");
    for kind in ["application/x-www-form-urlencoded; charset=UTF-8", "Application/X-WWW-Form-URLEncoded;charset=utf-8"]
    {
        Issued::of(&world.send(request("POST", "/oauth/token", &[("content-type", kind)], form(&fields))).await);
    }
}

/// R3: a body over the limit is 413, in the endpoint's own form.
async fn r3_a_body_over_the_limit_is_413(world: World) {
    let long = "x".repeat(70_000);
    for path in ["/oauth/token", "/oauth/revoke", "/oauth/introspect", "/oauth/par", "/oauth/device_authorization"] {
        assert_error(&STUDIO.post(&world, path, &[("token", &long)]).await, 413, "invalid_request");
    }
}

/// D15: disabled, disconnected, or with a new password between code and exchange.
async fn d15_a_code_is_dead_once_its_user_took_it_back(world: World) {
    let mut ada = world.actor();
    let ask = Ask::of(&STUDIO);
    let code = ada.allow(&ask, ADA).await.code();
    ada.disconnect("Lead Studio").await;
    assert_error(&STUDIO.redeem(&world, &ask, &code).await, 400, "invalid_grant");

    let code = ada.allow(&ask, ADA).await.code();
    world.disable(ADA).await;
    assert_error(&STUDIO.redeem(&world, &ask, &code).await, 400, "invalid_grant");
    world.enable(ADA).await;
    assert_error(&STUDIO.redeem(&world, &ask, &code).await, 400, "invalid_grant");

    let code = ask.allowed(&world, GRACE).await.code();
    users::set_password(&world.operator(), &Email::parse(GRACE).unwrap(), "a new password").await.unwrap();
    assert_error(&STUDIO.redeem(&world, &ask, &code).await, 400, "invalid_grant");
}

/// D16: an answer does not tell an unknown code from a used, expired, burnt or foreign one.
async fn d16_refused_codes_look_alike(world: World) {
    let (expired, expired_code) = asked(&world, &STUDIO).await;
    world.advance(60);
    let (used, used_code) = asked(&world, &STUDIO).await;
    Issued::of(&STUDIO.redeem(&world, &used, &used_code).await);
    let (foreign, foreign_code) = asked(&world, &RIVAL).await;
    let (fresh, fresh_code) = asked(&world, &STUDIO).await;
    let altered = format!("{}{}", &fresh_code[..67], if fresh_code.ends_with('A') { 'B' } else { 'A' });
    let answers = [
        STUDIO.redeem(&world, &expired, &expired_code).await,
        STUDIO.redeem(&world, &used, &used_code).await,
        STUDIO.redeem(&world, &foreign, &foreign_code).await,
        STUDIO.redeem(&world, &fresh, &altered).await,
        STUDIO.redeem(&world, &fresh, "lgo_").await,
        STUDIO.redeem(&world, &fresh, "lgo_\u{0}").await,
        STUDIO.redeem(&world, &fresh, "x").await,
        STUDIO.redeem(&world, &fresh, &"x".repeat(10_000)).await,
        STUDIO.redeem(&world, &Ask { verifier: "a".repeat(43), ..fresh.clone() }, &fresh_code).await,
    ];
    for answer in &answers {
        assert_error(answer, 400, "invalid_grant");
        assert_eq!(answer.body, answers[0].body);
    }
}

both! {
    d1_d2_a_code_is_worth_tokens,
    d3_a_second_use_ends_what_the_first_one_brought,
    d3_a_second_use_ends_what_was_refreshed_meanwhile,
    d5_a_code_of_another_client_is_refused_and_not_burnt,
    d6_the_redirect_uri_is_that_of_the_request,
    d7_a_code_lives_for_a_minute,
    d8_the_verifier_is_that_of_the_challenge,
    d9_a_verifier_without_a_challenge_is_refused,
    d10_the_vector_of_rfc_7636_passes,
    d11_a_grant_is_named_known_and_the_clients,
    d12_no_parameter_comes_twice,
    d13_e4_nothing_secret_is_taken_from_an_address,
    d14_the_body_is_a_form,
    d15_a_code_is_dead_once_its_user_took_it_back,
    d16_refused_codes_look_alike,
    r3_a_body_over_the_limit_is_413,
}
both! { on many threads; d4_of_fifty_at_once_one_is_good, d4_r8_of_fifty_at_once_on_two_nodes_one_is_good }
