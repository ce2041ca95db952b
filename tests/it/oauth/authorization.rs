//! B: the authorization endpoint (RFC 6749 section 4.1, RFC 7636, RFC 9207, RFC 9700).

use leadgate::domain::ids::AppId;
use leadgate::services::partner;
use serde_json::json;

use super::support::{
    Ask, FORM, MACHINE, Mode, POCKET, PUSHING, RATE_FINDER, RIVAL, STUDIO, STUDIO_API, assert_page, register,
};
use crate::support::http::{form, request};
use crate::support::{ADA, ISSUER, PASSWORD, World, both};

/// B1, B2: to whom the server does not know it sends nobody: a page, whatever else is wrong.
async fn b1_b2_an_unknown_client_or_address_gets_a_page(world: World) {
    let ask = Ask::of(&STUDIO);
    let long = "x".repeat(5_000);
    for wrong in [
        ask.clone().without("client_id"),
        ask.clone().with("client_id", ""),
        ask.clone().with("client_id", "nobody"),
        ask.clone().with("client_id", "STUDIO"),
        ask.clone().with("client_id", "studio "),
        ask.clone().with("client_id", "\u{0}"),
        ask.clone().with("client_id", &long),
        ask.clone().with("client_id", RIVAL.id),
        ask.clone().with("redirect_uri", "https://evil.example/callback"),
        ask.clone().with("redirect_uri", RIVAL.redirect_uri),
        ask.clone().with("redirect_uri", "javascript:alert(1)"),
        ask.clone().with("redirect_uri", &long),
        ask.clone().with("redirect_uri", "https://evil.example/callback").without("response_type"),
        ask.clone().with("redirect_uri", "https://evil.example/callback").with("prompt", "none"),
    ] {
        let page = world.get(&wrong.address()).await;
        assert_page(&page, 400);
        assert!(
            !page.text().contains("href=\"https://evil") && !page.text().contains("href=\"javascript"),
            "{wrong:?}"
        );
    }
}

/// B4: who builds a client against a sandbox is told what is registered, and which slip it was.
async fn b4_a_sandbox_names_what_is_registered(world: World) {
    let ask = Ask::of(&STUDIO);
    let unlike = world.get(&ask.clone().with("redirect_uri", "http://x.test/").address()).await;
    let unlike = unlike.text();
    assert!(
        unlike.contains("not registered") && unlike.contains(&format!("Known: {}", STUDIO.redirect_uri)),
        "{unlike}"
    );
    let twice = world.get(&ask.and("redirect_uri", STUDIO.redirect_uri).address()).await;
    let twice = twice.text();
    assert!(twice.contains("redirect_uri is there twice") && !twice.contains("not registered"), "{twice}");
}

/// B4: elsewhere nobody who comes along is.
async fn b4_a_production_server_names_nothing(world: World) {
    let page = world.get(&Ask::of(&STUDIO).with("redirect_uri", "http://x.test/").address()).await;
    let page = page.text();
    assert!(page.contains("not registered") && !page.contains(STUDIO.redirect_uri), "{page}");
}

/// B3, B4: a redirect URI is compared byte for byte (RFC 9700 section 2.1).
async fn b3_b4_the_redirect_uri_is_compared_byte_for_byte(world: World) {
    let ask = Ask::of(&STUDIO);
    for good in ["https://studio.test/callback", "https://studio.test/back?from=leadgate"] {
        assert!(world.get(&ask.clone().with("redirect_uri", good).address()).await.location().contains("/dialog/"));
    }
    for wrong in [
        "https://studio.test/callback/",
        "https://studio.test/Callback",
        "https://STUDIO.test/callback",
        "HTTPS://studio.test/callback",
        "http://studio.test/callback",
        "https://studio.test/callback?",
        "https://studio.test/callback?x=1",
        "https://studio.test/callback#",
        "https://studio.test/callback#x",
        "https://studio.test/%63allback",
        "https://studio.test%2Fcallback",
        "https://studio.test/callback%00",
        "https://studio.test/callback\u{0}",
        "https://studio.test/callback;x",
        "https://studio.test\\callback",
        "https://studio.test/\\callback",
        "https://studio.test/x/../callback",
        "https://studio.test/./callback",
        "https://studio.test//callback",
        "https://studio.test:443/callback",
        "https://studio.test./callback",
        "https://studio.test@evil.example/callback",
        "https://evil.example@studio.test/callback",
        "https://evil.example\\@studio.test/callback",
        "https://studio.test.evil.example/callback",
        "https://evil.example/https://studio.test/callback",
        "https://\u{455}tudio.test/callback",
        "https://xn--studio-.test/callback",
        " https://studio.test/callback",
        "https://studio.test/callback ",
        "\thttps://studio.test/callback",
        "https://studio.test/call\tback",
        "https://studio.test/callback\n",
        "https://studio.test/callback\r\nx: y",
        "//studio.test/callback",
        "https:studio.test/callback",
        "https:/studio.test/callback",
        "/callback",
        "studio.test/callback",
        "https://studio.test/back",
        "https://studio.test/back?from=Leadgate",
        "https://studio.test/back?from=leadgate&x=1",
        "https://studio.test/back?x=1&from=leadgate",
        "https://studio.test/callback?from=leadgate",
    ] {
        assert_page(&world.get(&ask.clone().with("redirect_uri", wrong).address()).await, 400);
    }
}

/// B4, B6, B18: what cannot be registered: a fragment, plain http, schemes that run or read something, and a query
/// that an answer could be mistaken for.
async fn b4_b6_b18_bad_redirect_uris_cannot_be_registered(world: World) {
    for bad in [
        "https://app.test/callback#",
        "https://app.test/callback#x",
        "http://app.test/callback",
        "http://10.0.0.1/callback",
        "http://localhost.evil.example/callback",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "vbscript:x",
        "about:blank",
        "https://user:password@app.test/callback",
        "https://app.test/callback?code=x",
        "https://app.test/callback?state=x",
        "https://app.test/callback?a=b&error=x",
        "https://app.test/callback?iss=x",
        "/callback",
        "",
    ] {
        let answer = register(&world, &json!({"redirect_uris": ["https://app.test/good", bad]})).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]),
            (400, &json!("invalid_redirect_uri")),
            "{bad}: {answer:?}"
        );
    }
    let good =
        json!(["https://app.test/callback?a=b", "http://127.0.0.1/cb", "http://localhost:8080/cb", "com.example:/cb"]);
    assert_eq!(register(&world, &json!({"redirect_uris": good})).await.expect(201).json()["redirect_uris"], good);
}

/// B5: of an http address on a loopback IP the port may vary, and nothing else (RFC 8252 section 7.3).
async fn b5_a_loopback_address_may_vary_its_port(world: World) {
    for good in [
        "http://127.0.0.1/callback",
        "http://127.0.0.1:1/callback",
        "http://127.0.0.1:51004/callback",
        "http://127.0.0.1:65535/callback",
        "http://[::1]:9200/callback",
        "http://[::1]:51004/callback",
        "com.example.pocket:/callback",
    ] {
        let ask = Ask::of(&POCKET).with("redirect_uri", good);
        let landing = world.actor().allow(&ask, ADA).await;
        assert_eq!(landing.uri, good);
        POCKET.redeem(&world, &ask, &landing.code()).await.expect(200);
    }
    for wrong in [
        "http://127.0.0.1:51004/other",
        "http://127.0.0.1:51004/callback/",
        "http://127.0.0.1:51004/Callback",
        "http://127.0.0.1:51004/callback?x=1",
        "http://127.0.0.1:51004/callback#x",
        "http://127.0.0.1:51004/%63allback",
        "http://127.0.0.1:99999/callback",
        "http://127.0.0.1:-1/callback",
        "http://127.0.0.1:0x50/callback",
        "http://127.0.0.1:+80/callback",
        "http://127.0.0.1:80 /callback",
        "http://127.0.0.1:80@evil.example/callback",
        "http://127.0.0.1:80\\@evil.example/callback",
        "http://127.0.0.1:80:80/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://127.0.0.1:80.evil.example/callback",
        "http://127.0.0.2:80/callback",
        "http://127.1:80/callback",
        "http://2130706433:80/callback",
        "http://0.0.0.0:80/callback",
        "http://localhost:80/callback",
        "http://localhost.evil.tld/callback",
        "http://[::1]:80@evil.example/callback",
        "http://[::2]:80/callback",
        "http://[0:0:0:0:0:0:0:1]:80/callback",
        "https://127.0.0.1:51004/callback",
        "https://pocket.test:8443/callback",
        "com.example.pocket:80/callback",
        "com.example.pocket:/callback/",
        "com.example.pocket://callback",
        "COM.example.pocket:/callback",
    ] {
        assert_page(&world.get(&Ask::of(&POCKET).with("redirect_uri", wrong).address()).await, 400);
    }
    // The code is for the port that was asked for.
    let ask = Ask::of(&POCKET).with("redirect_uri", "http://127.0.0.1:51004/callback");
    let code = world.actor().allow(&ask, ADA).await.code();
    let elsewhere = ask.with("redirect_uri", "http://127.0.0.1:51005/callback");
    assert_eq!(POCKET.redeem(&world, &elsewhere, &code).await.expect(400).json()["error"], "invalid_grant");
}

/// B7: it may be left out by whoever registered one only.
async fn b7_without_a_redirect_uri_there_must_be_one_registered(world: World) {
    for ask in [Ask::of(&STUDIO), Ask::of(&POCKET)] {
        assert_page(&world.get(&ask.clone().without("redirect_uri").address()).await, 400);
        assert_page(&world.get(&ask.with("redirect_uri", "").address()).await, 400);
    }
    let landing = Ask::of(&RATE_FINDER).without("redirect_uri").allowed(&world, ADA).await;
    assert_eq!(landing.uri, RATE_FINDER.redirect_uri);
    landing.code();
}

/// B8: a code is all that there is.
async fn b8_the_response_type_is_code(world: World) {
    let ask = Ask::of(&STUDIO);
    for (ask, error) in [
        (ask.clone().without("response_type"), "invalid_request"),
        (ask.clone().with("response_type", ""), "invalid_request"),
        (ask.clone().with("response_type", "token"), "unsupported_response_type"),
        (ask.clone().with("response_type", "id_token"), "unsupported_response_type"),
        (ask.clone().with("response_type", "code token"), "unsupported_response_type"),
        (ask.clone().with("response_type", "code id_token"), "unsupported_response_type"),
        (ask.clone().with("response_type", "none"), "unsupported_response_type"),
        (ask.clone().with("response_type", "CODE"), "unsupported_response_type"),
        (ask.clone().with("response_type", "\u{0}"), "unsupported_response_type"),
    ] {
        let landing = ask.refused(&world).await;
        assert_eq!(landing.error(), error, "{ask:?}");
        assert_eq!((landing.uri.as_str(), landing.value("state")), (STUDIO.redirect_uri, ask.value("state")));
    }
}

/// B9: no parameter comes twice (RFC 6749 section 3.1).
async fn b9_no_parameter_comes_twice(world: World) {
    let ask = Ask::of(&STUDIO).with("scope", "account_api");
    for (name, value) in [
        ("response_type", "code"),
        ("scope", "account_api"),
        ("state", "another"),
        ("code_challenge_method", "S256"),
        ("code_challenge", ask.value("code_challenge").unwrap()),
    ] {
        let landing = ask.clone().and(name, value).refused(&world).await;
        assert_eq!(landing.error(), "invalid_request", "{name}");
        assert_eq!(landing.uri, STUDIO.redirect_uri);
    }
    for (name, value) in [("nonce", "n"), ("prompt", "login"), ("max_age", "1"), ("response_mode", "query")] {
        let landing = ask.clone().and(name, value).and(name, value).refused(&world).await;
        assert_eq!(landing.error(), "invalid_request", "{name}");
        assert_eq!(landing.value("state"), ask.value("state"));
    }
    assert_page(&world.get(&ask.clone().and("client_id", STUDIO.id).address()).await, 400);
    assert_page(&world.get(&ask.clone().and("client_id", RIVAL.id).address()).await, 400);
    assert_page(&world.get(&ask.clone().and("redirect_uri", STUDIO.redirect_uri).address()).await, 400);
    assert_page(&world.get(&ask.and("redirect_uri", "https://evil.example/callback").address()).await, 400);
}

/// B10: what is not known is ignored, what is empty is not there.
async fn b10_unknown_parameters_are_ignored_and_empty_ones_absent(world: World) {
    let ask = Ask::of(&STUDIO)
        .with("unknown", "x")
        .with("audience", "y")
        .with("scope", "")
        .with("state", "")
        .with("prompt", "")
        .with("nonce", "")
        .with("max_age", "")
        .with("response_mode", "")
        .with("resource", "")
        .with("request_uri", "")
        .with("code_challenge", "")
        .with("code_challenge_method", "");
    let landing = ask.allowed(&world, ADA).await;
    assert!(landing.value("state").is_none(), "{landing:?}");
    let issued = STUDIO.redeem(&world, &ask.without_pkce(), &landing.code()).await.expect(200).json();
    assert_eq!(issued["scope"], "account_api data_api lead_receiver", "none asked for: all that the client has");
    let challenge = Ask::of(&POCKET).with("code_challenge", "");
    assert_eq!(challenge.refused(&world).await.error(), "invalid_request", "a public client gave none");
}

/// B11: a scope is one that the server knows and the client has.
async fn b11_a_scope_is_known_and_the_clients(world: World) {
    for (client, scope) in [
        (STUDIO, "admin"),
        (STUDIO, "account_api admin"),
        (STUDIO, "ACCOUNT_API"),
        (STUDIO, "account_api,data_api"),
        (STUDIO, "account_api\tdata_api"),
        (STUDIO, "account_api\""),
        (STUDIO, "account_api\\"),
        (STUDIO, "\"account_api\""),
        (STUDIO, "account_apï"),
        (STUDIO, "account_api\u{0}"),
        (POCKET, "lead_receiver"),
        (POCKET, "account_api lead_receiver"),
        (RIVAL, "openid lead_receiver"),
    ] {
        let ask = Ask::of(&client).with("scope", scope);
        let landing = ask.refused(&world).await;
        assert_eq!(landing.error(), "invalid_scope", "{scope:?}");
        assert_eq!(landing.value("state"), ask.value("state"));
    }
    let ask = Ask::of(&RIVAL).with("scope", "openid profile email offline_access data_api");
    let code = ask.allowed(&world, ADA).await.code();
    let scope = RIVAL.redeem(&world, &ask, &code).await.expect(200).json()["scope"].as_str().unwrap().to_owned();
    let mut granted: Vec<&str> = scope.split(' ').collect();
    granted.sort_unstable();
    assert_eq!(granted, ["data_api", "email", "offline_access", "openid", "profile"], "any client may ask who it is");
}

/// B12: a public client proves possession (RFC 7636), a confidential one may.
async fn b12_a_public_client_needs_a_challenge(world: World) {
    let landing = Ask::of(&POCKET).without_pkce().refused(&world).await;
    assert_eq!(landing.error(), "invalid_request");
    let ask = Ask::of(&STUDIO).without_pkce();
    let code = ask.allowed(&world, ADA).await.code();
    STUDIO.redeem(&world, &ask, &code).await.expect(200);
}

/// B13: S256 is the only method, and a challenge is one that it can have made.
async fn b13_the_challenge_is_one_of_s256(world: World) {
    for client in [STUDIO, POCKET] {
        let ask = Ask::of(&client);
        let good = ask.value("code_challenge").unwrap().to_owned();
        for wrong in [
            ask.clone().with("code_challenge_method", "plain"),
            ask.clone().with("code_challenge_method", "s256"),
            ask.clone().with("code_challenge_method", "S512"),
            ask.clone().with("code_challenge_method", ""),
            ask.clone().without("code_challenge_method"),
            ask.clone().with("code_challenge", &good[1..]),
            ask.clone().with("code_challenge", &"a".repeat(129)),
            ask.clone().with("code_challenge", &format!("{good}=")),
            ask.clone().with("code_challenge", &format!("{}+", &good[1..])),
            ask.clone().with("code_challenge", &format!("{} ", &good[1..])),
            ask.clone().with("code_challenge", &"ü".repeat(43)),
        ] {
            let landing = wrong.refused(&world).await;
            assert_eq!(landing.error(), "invalid_request", "{wrong:?}");
            assert_eq!(landing.value("state"), ask.value("state"));
        }
    }
}

/// B14: what the client remembers a request by comes back as it was.
async fn b14_the_state_comes_back_as_it_was(world: World) {
    let long = "ß&=%+ ".repeat(256);
    for state in
        ["a b", "&=%+#?", "%26%3D", "päss\u{1F511}", "\"'<>\\", "https://evil.example/?code=x#y", long.as_str()]
    {
        let ask = Ask::of(&STUDIO).with("state", state);
        assert_eq!(ask.allowed(&world, ADA).await.value("state"), Some(state));
        assert_eq!(ask.decided(&world, ADA, "deny").await.value("state"), Some(state));
        let posted = ask.clone().with("response_mode", "form_post");
        assert_eq!(world.actor().allow(&posted, ADA).await.value("state"), Some(state), "nor does it leave a page");
        assert_eq!(ask.with("scope", "admin").refused(&world).await.value("state"), Some(state));
    }
    let ask = Ask::of(&STUDIO).without("state");
    assert!(ask.allowed(&world, ADA).await.value("state").is_none());
    assert!(ask.with("scope", "admin").refused(&world).await.value("state").is_none());
}

/// B15: a form works as well as a query, from another site's page too; anything else is told.
async fn b15_a_request_may_be_posted(world: World) {
    let ask = Ask::of(&STUDIO);
    let post = |kind: &'static str, body: String| {
        let headers = [("content-type", kind), ("origin", "https://studio.test"), ("sec-fetch-site", "cross-site")];
        request("POST", "/oauth/authorize", &headers, body)
    };
    let body = form(&ask.pairs());
    let mut ada = world.actor();
    for kind in [FORM, "application/x-www-form-urlencoded; charset=UTF-8"] {
        let answer = ada.send(None, post(kind, body.clone())).await;
        let landing = ada.go_on(answer, ADA, "allow").await.unwrap();
        assert_eq!((landing.uri.as_str(), landing.value("state")), (STUDIO.redirect_uri, ask.value("state")));
        STUDIO.redeem(&world, &ask, &landing.code()).await.expect(200);
    }
    let members: serde_json::Map<_, _> = ask.fields.iter().map(|(k, v)| (k.clone(), json!(v))).collect();
    for (kind, body) in [
        ("application/json", json!(members).to_string()),
        ("text/plain", body.clone()),
        ("multipart/form-data; boundary=x", body.clone()),
        ("application/json", "{".to_owned()),
        (FORM, String::new()),
        (FORM, "%".repeat(100)),
    ] {
        let answer = world.send(post(kind, body)).await;
        assert!((400..500).contains(&answer.status) && answer.header("location").is_none(), "{kind}: {answer:?}");
    }
    for method in ["PUT", "DELETE", "PATCH"] {
        let answer = world.send(request(method, &ask.address(), &[], "")).await.expect(405);
        assert!(answer.header("allow").unwrap().contains("POST"));
    }
}

/// B16: a denial comes back as one, and leaves nothing.
async fn b16_a_denial_comes_back(world: World) {
    let ask = Ask::of(&STUDIO);
    let mut ada = world.actor();
    let landing = ada.decide_on(&ask, ADA, "deny").await;
    assert_eq!(landing.error(), "access_denied");
    assert_eq!((landing.uri.as_str(), landing.value("state")), (STUDIO.redirect_uri, ask.value("state")));
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM connections").await, 0);
    assert!(ada.first_page(&ask).await.is_consent_page(), "it is asked again");
}

/// B17, A5: every answer names its issuer, whichever way it goes back.
async fn b17_a5_every_answer_names_its_issuer(world: World) {
    let metadata = world.get("/.well-known/oauth-authorization-server").await.expect(200).json();
    assert_eq!(
        (&metadata["issuer"], &metadata["authorization_response_iss_parameter_supported"]),
        (&json!(ISSUER), &json!(true))
    );
    let modes =
        [("query", Mode::Query), ("fragment", Mode::Fragment), ("form_post", Mode::FormPost), ("", Mode::Query)];
    // A denial first: who allowed it once is not asked again.
    for decision in ["deny", "allow"] {
        for (mode, expected) in modes {
            let ask = Ask::of(&STUDIO).with("response_mode", mode);
            let landing = world.actor().decide_on(&ask, ADA, decision).await;
            assert_eq!((landing.mode, landing.value("iss")), (expected, Some(ISSUER)), "{landing:?}");
            assert_eq!((landing.uri.as_str(), landing.value("state")), (STUDIO.redirect_uri, ask.value("state")));
            assert_eq!(landing.value("code").is_some(), decision == "allow");
            let refused = ask.with("scope", "admin").refused(&world).await;
            assert_eq!((refused.mode, refused.error()), (expected, "invalid_scope"), "an error takes the same way");
        }
    }
    let landing = Ask::of(&STUDIO).with("response_mode", "web_message").refused(&world).await;
    assert_eq!((landing.mode, landing.error()), (Mode::Query, "invalid_request"));
}

/// B18: a query that was registered stays, and the answer is put behind it.
async fn b18_a_registered_query_is_kept(world: World) {
    let ask = Ask::of(&STUDIO.at("https://studio.test/back?from=leadgate"));
    let answer = world.actor().get(&ask.clone().with("scope", "admin").address()).await;
    assert!(answer.location().starts_with("https://studio.test/back?from=leadgate&"), "{}", answer.location());
    let landing = ask.allowed(&world, ADA).await;
    assert_eq!(landing.uri, "https://studio.test/back?from=leadgate");
    STUDIO.redeem(&world, &ask, &landing.code()).await.expect(200);
}

/// B19: after a form with credentials comes 303, at each step (RFC 9700 section 4.12).
async fn b19_after_each_form_comes_303(world: World) {
    let mut ada = world.actor();
    let ask = Ask::of(&STUDIO);
    let path = ada.get(&ask.address()).await.location().to_owned();
    let csrf = ada.get(&path).await.csrf();
    let fields = [("csrf", csrf.as_str()), ("email", ADA), ("password", PASSWORD)];
    let login = ada.post(&format!("{path}/login"), &fields).await.expect(303);
    let consent = ada.follow(&login).await.expect(200);
    let csrf = consent.csrf();
    let decided = ada.post(&format!("{path}/decision"), &[("csrf", &csrf), ("decision", "allow")]).await.expect(303);
    assert!(decided.location().starts_with("https://studio.test/callback?"), "{decided:?}");
    assert_eq!(decided.header("cache-control"), Some("no-store"));
    assert!(matches!(decided.header("referrer-policy"), Some("no-referrer" | "same-origin")), "{decided:?}");
}

/// B20, L4: no page of another origin can read the endpoint, nor any page that it leads to.
async fn b20_l4_no_page_is_readable_by_another_origin(world: World) {
    let mut ada = world.actor();
    let ask = Ask::of(&STUDIO);
    let dialog = ada.get(&ask.address()).await.location().to_owned();
    for path in [ask.address().as_str(), "/oauth/authorize", &dialog, "/device", "/oauth/logout"] {
        for method in ["GET", "POST", "OPTIONS"] {
            let headers = [("origin", "https://studio.test"), ("access-control-request-method", "POST")];
            let answer = ada.send(None, request(method, path, &headers, "")).await;
            let cors = answer.headers.keys().find(|name| name.as_str().starts_with("access-control"));
            assert!(cors.is_none(), "{method} {path}: {cors:?}");
        }
    }
}

/// B21: a thousand codes: 256 random bits each, all different, with no structure but what tells their kind.
async fn b21_codes_are_random(world: World) {
    let ask = Ask::of(&STUDIO);
    let mut secrets = std::collections::BTreeSet::new();
    for _ in 0..1_000 {
        let code = ask.allowed(&world, ADA).await.code();
        assert!(code.starts_with("lgo_") && code.len() == 68, "{code}");
        // `lgo_`, then base64url of 16 bytes that tell the row, and of 32 that are drawn.
        assert!(secrets.insert(code[26..].to_owned()), "the same secret twice");
    }
    // A place whose character never, or nearly always, is the same would tell something.
    for place in 0..41 {
        let mut seen = std::collections::BTreeMap::<u8, usize>::new();
        for secret in &secrets {
            *seen.entry(secret.as_bytes()[place]).or_default() += 1;
        }
        assert!(seen.len() > 55, "{} characters of 64 at {place}", seen.len());
        assert!(seen.values().all(|count| *count < 60), "{seen:?} at {place}");
    }
}

/// B23: an application that was deleted gets a page before any login, and nothing at the end of one.
async fn b23_a_deleted_application_gets_nothing(world: World) {
    let mut ada = world.actor();
    let ask = Ask::of(&STUDIO);
    let path = ada.get(&ask.address()).await.location().to_owned();
    partner::delete_app(&world.operator(), &AppId::parse(STUDIO.id).unwrap()).await.unwrap();
    assert_page(&ada.get(&ask.address()).await, 400);
    let page = ada.get(&path).await;
    assert!((400..500).contains(&page.status) && !page.is_login_page(), "{page:?}");
}

/// wire.md B: what a client may not do, and what the server does not know, is told to the client.
async fn wire_b_each_refusal_has_its_error(world: World) {
    for (ask, error) in [
        (Ask::of(&MACHINE), "unauthorized_client"),
        (Ask::of(&STUDIO).with("request", "eyJ"), "request_not_supported"),
        (Ask::of(&STUDIO).with("registration", "{}"), "registration_not_supported"),
        (Ask::of(&STUDIO).with("prompt", "none login"), "invalid_request"),
        (Ask::of(&STUDIO).with("prompt", "create"), "invalid_request"),
        (Ask::of(&STUDIO).with("prompt", "LOGIN"), "invalid_request"),
        (Ask::of(&STUDIO).with("max_age", "-1"), "invalid_request"),
        (Ask::of(&STUDIO).with("max_age", "1.5"), "invalid_request"),
        (Ask::of(&STUDIO).with("max_age", "soon"), "invalid_request"),
        (Ask::of(&STUDIO).with("resource", "https://elsewhere.test"), "invalid_target"),
        (Ask::of(&STUDIO).with("resource", "no address"), "invalid_target"),
        (Ask::of(&RIVAL).with("resource", STUDIO_API), "invalid_target"),
        (Ask::of(&PUSHING), "invalid_request"),
    ] {
        let landing = ask.refused(&world).await;
        assert_eq!(landing.error(), error, "{ask:?}");
        assert_eq!(landing.value("state"), ask.value("state"));
    }
    for good in [STUDIO_API, ISSUER] {
        Ask::of(&STUDIO).with("resource", good).allowed(&world, ADA).await.code();
    }
}

both! { with support::Setup::production(); b4_a_production_server_names_nothing }

both! {
    b4_a_sandbox_names_what_is_registered,
    b1_b2_an_unknown_client_or_address_gets_a_page,
    b3_b4_the_redirect_uri_is_compared_byte_for_byte,
    b4_b6_b18_bad_redirect_uris_cannot_be_registered,
    b5_a_loopback_address_may_vary_its_port,
    b7_without_a_redirect_uri_there_must_be_one_registered,
    b8_the_response_type_is_code,
    b9_no_parameter_comes_twice,
    b10_unknown_parameters_are_ignored_and_empty_ones_absent,
    b11_a_scope_is_known_and_the_clients,
    b12_a_public_client_needs_a_challenge,
    b13_the_challenge_is_one_of_s256,
    b14_the_state_comes_back_as_it_was,
    b15_a_request_may_be_posted,
    b16_a_denial_comes_back,
    b17_a5_every_answer_names_its_issuer,
    b18_a_registered_query_is_kept,
    b19_after_each_form_comes_303,
    b20_l4_no_page_is_readable_by_another_origin,
    b21_codes_are_random,
    b23_a_deleted_application_gets_nothing,
    wire_b_each_refusal_has_its_error,
}
