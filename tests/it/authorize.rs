//! LeadExec's two endpoints with the token in their path (wire.md A2 to A4, rules N).

use leadgate::services::throttle::Limits;
use serde_json::{Value, json};

use crate::support::http::{escape, form, from_address, request};
use crate::support::{ADA, APP_ONE, APP_TWO, Answer, GRACE, PARTNER, Setup, Tokens, World, both, connect_by_api};

const REFRESH: &str = "/authorize/refreshaccesstoken";
const DISCONNECT: &str = "/authorize/disconnectapplicationtoken";

/// wire.md A4.
#[track_caller]
pub fn assert_a4(answer: &Answer) {
    for (name, value) in [
        ("content-type", "application/json"),
        ("cache-control", "no-store"),
        ("pragma", "no-cache"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-robots-tag", "noindex"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}: {answer:?}");
    }
    assert!(answer.set_cookies().is_empty() && answer.header("location").is_none(), "{answer:?}");
    assert!(answer.header("access-control-allow-origin").is_none(), "no CORS: {answer:?}");
}

#[track_caller]
fn assert_refused(answer: &Answer, token: &str) {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_refused_with(answer, token);
}

#[track_caller]
pub fn assert_refused_with(answer: &Answer, token: &str) {
    assert_a4(answer);
    let body = answer.json();
    let sentence = body["errorMessage"].as_str().unwrap_or_default();
    assert!(!sentence.is_empty(), "{body}");
    let expected =
        json!({"valid": false, "refreshToken": token, "authToken": null, "expireDate": null, "errorMessage": sentence});
    assert_eq!(body, expected);
}

async fn db_tokens(world: &World) -> i64 {
    world.database.db_count("SELECT COUNT(*) FROM access_tokens").await
}

/// N1, wire.md A2: exactly five keys, and a token that works for an hour.
async fn n1_a_refresh_answers_exactly_five_keys(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    world.advance(100);
    let answer = world.refresh(&tokens.refresh, APP_ONE).await.expect(200);
    assert_a4(&answer);
    let body = answer.json();
    let access = body["authToken"].as_str().unwrap();
    let expected = json!({
        "valid": true, "refreshToken": tokens.refresh, "authToken": access,
        "expireDate": "2026-11-22T10:17:10Z", "errorMessage": null,
    });
    assert_eq!(body, expected);
    assert!(access.starts_with("lga_") && access.len() == 68, "{access}");
    assert!(access.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')), "{access}");
    world.me(access).await.expect(200);
}

/// N2, N3, wire.md A2: whatever is wrong, the sentence is one: it tells neither "the token exists" nor "the
/// application is not the one".
async fn n2_n3_a_refusal_never_tells_the_token_from_the_application(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    let other_app = connect_by_api(&world, ADA, "btn-two").await;
    let revoked = connect_by_api(&world, GRACE, "btn-one").await;
    world.disconnect(&revoked.refresh).await;
    let altered = format!("{}{}", &tokens.refresh[..70], if tokens.refresh.ends_with('A') { "Q" } else { "A" });
    let good = &tokens.refresh;
    let upper = APP_ONE.to_uppercase();
    let mut sentences = Vec::new();
    for (token, query) in [
        (good.as_str(), format!("appid={APP_TWO}")),
        (good, "appid=0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0009".to_owned()),
        (good, format!("appid={upper}")),
        (good, format!("appid=%20{APP_ONE}")),
        (good, format!("appid={APP_ONE}%20")),
        (good, format!("appid={APP_ONE}%00")),
        (good, format!("appid={APP_ONE}&appid={APP_ONE}")),
        (good, format!("APPID={APP_ONE}")),
        (good, "appid=".to_owned()),
        (good, "appid".to_owned()),
        (good, String::new()),
        (good, format!("appid={}", "x".repeat(5000))),
        (&other_app.refresh, format!("appid={APP_ONE}")),
        (&revoked.refresh, format!("appid={APP_ONE}")),
        (&altered, format!("appid={APP_ONE}")),
        ("lgr_unknown", format!("appid={APP_ONE}")),
        ("x", format!("appid={APP_ONE}")),
    ] {
        let answer = world.get(&format!("{REFRESH}/{token}?{query}")).await;
        assert_refused(&answer, token);
        sentences.push(answer.json()["errorMessage"].as_str().unwrap().to_owned());
    }
    sentences.dedup();
    assert_eq!(sentences.len(), 1, "{sentences:?}");
    let body = |answer: Answer| String::from_utf8(answer.body.to_vec()).unwrap();
    let foreign = body(world.refresh(good, APP_TWO).await).replace(good.as_str(), "T");
    assert_eq!(foreign, body(world.refresh(&altered, APP_TWO).await).replace(&altered, "T"), "byte for byte");
    assert_eq!(db_tokens(&world).await, 3, "nothing was issued");
    assert_eq!(world.refresh(good, APP_ONE).await.json()["valid"], true);
}

/// N4, wire.md A4: the headers are on every answer, errors and other methods included.
async fn n4_the_headers_are_on_every_answer(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    for (method, path, status) in [
        ("GET", format!("{REFRESH}/{}?appid={APP_ONE}", tokens.refresh), 200),
        ("GET", format!("{REFRESH}/x"), 200),
        ("GET", REFRESH.to_owned(), 200),
        ("GET", format!("{REFRESH}/"), 200),
        ("POST", format!("{REFRESH}/{}?appid={APP_ONE}", tokens.refresh), 405),
        ("DELETE", format!("{REFRESH}/x"), 405),
        ("GET", format!("{DISCONNECT}/x"), 200),
        ("GET", DISCONNECT.to_owned(), 200),
        ("POST", format!("{DISCONNECT}/x"), 200),
        ("PUT", format!("{DISCONNECT}/x"), 405),
        ("GET", format!("{DISCONNECT}/x?callback=alert(1)"), 400),
        ("POST", "/authorize/disconnect".to_owned(), 415),
        ("GET", "/authorize/disconnect".to_owned(), 405),
        ("GET", "/authorize/unknown/x".to_owned(), 404),
        ("GET", "/authorize".to_owned(), 404),
    ] {
        let answer = world.send(request(method, &path, &[], "")).await.expect(status);
        assert_a4(&answer);
        assert_eq!(answer.json()["valid"], status == 200 && path.contains("lgr_"), "{method} {path}");
    }
    let answer = world.get(&format!("{DISCONNECT}/x")).await;
    assert_eq!(answer.header("content-security-policy"), Some("default-src 'none'; frame-ancestors 'none'; sandbox"));
    assert_eq!(answer.header("cross-origin-resource-policy"), Some("cross-origin"));
}

/// N6: never a redirect, which would put the token into a `Location` and a history.
async fn n6_there_is_never_a_redirect(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    let token = &tokens.refresh;
    for path in [
        format!("{REFRESH}/{token}/?appid={APP_ONE}"),
        format!("{REFRESH}//{token}?appid={APP_ONE}"),
        format!("//authorize/refreshaccesstoken/{token}?appid={APP_ONE}"),
        format!("/authorize//refreshaccesstoken/{token}?appid={APP_ONE}"),
        format!("/Authorize/RefreshAccessToken/{token}?appid={APP_ONE}"),
        format!("/authorize/refreshaccesstoken/{token}/..?appid={APP_ONE}"),
        format!("{DISCONNECT}/{token}/"),
        format!("/AUTHORIZE/DISCONNECTAPPLICATIONTOKEN/{token}"),
    ] {
        let answer = world.get(&path).await;
        assert!(matches!(answer.status, 200 | 404), "{path}: {}", answer.status);
        assert!(answer.header("location").is_none(), "{path}");
        assert!(!answer.text().contains("lga_"), "{path}: not this token");
        if answer.status == 404 {
            assert!(!answer.text().contains(token), "{path}: not echoed");
        }
    }
    assert_eq!(world.refresh(token, APP_ONE).await.json()["valid"], true);
}

/// N7: percent-encoding is decoded once, and nothing of it is a failure of ours.
async fn n7_a_path_is_decoded_once(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    let encoded: String = tokens.refresh.bytes().map(|b| format!("%{b:02X}")).collect();
    let answer = world.get(&format!("{REFRESH}/{encoded}?appid={APP_ONE}")).await;
    assert_eq!((&answer.json()["valid"], &answer.json()["refreshToken"]), (&json!(true), &json!(tokens.refresh)));
    let twice = escape(&encoded);
    let answer = world.get(&format!("{REFRESH}/{twice}?appid={APP_ONE}")).await;
    assert_refused(&answer, &encoded);
    let long = "x".repeat(8_000);
    for (path, token) in [
        ("%2e%2e", ".."),
        ("%2e%2e%2f%2e%2e%2fetc", "../../etc"),
        ("a%2Fb", "a/b"),
        ("a/b/c", "a/b/c"),
        ("%00", "\u{0}"),
        ("%ff%fe", "\u{fffd}\u{fffd}"),
        ("%", "%"),
        ("%zz", "%zz"),
        ("[object%20Object]", "[object Object]"),
        ("%255Bobject", "%5Bobject"),
        ("%22%3E%3Cscript%3E", "\"><script>"),
        ("%E2%80%A8", "\u{2028}"),
        (long.as_str(), long.as_str()),
    ] {
        let answer = world.get(&format!("{REFRESH}/{path}?appid={APP_ONE}")).await;
        assert_refused(&answer, token);
        assert!(!answer.text().contains("<script>") && !answer.text().contains('\u{2028}'), "escaped: {path}");
        let answer = world.get(&format!("{DISCONNECT}/{path}")).await.expect(200);
        assert_eq!(answer.json()["valid"], false, "{path}");
    }
}

/// N8, wire.md A3 and A4: a HEAD or a prefetch does nothing at either.
async fn n8_a_head_or_prefetch_does_nothing(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    let before = db_tokens(&world).await;
    let refresh = format!("{REFRESH}/{}?appid={APP_ONE}", tokens.refresh);
    let disconnect = format!("{DISCONNECT}/{}", tokens.refresh);
    let ways = [
        ("HEAD", None),
        ("GET", Some(("sec-purpose", "prefetch"))),
        ("GET", Some(("sec-purpose", "prefetch;prerender"))),
        ("GET", Some(("purpose", "prefetch"))),
        ("GET", Some(("purpose", "Prefetch"))),
        ("GET", Some(("x-moz", "prefetch"))),
    ];
    for (method, header) in ways {
        let headers: Vec<_> = header.into_iter().collect();
        let answer = world.send(request(method, &refresh, &headers, "")).await.expect(200);
        if method == "GET" {
            assert_refused(&answer, &tokens.refresh);
        } else {
            assert!(answer.body.is_empty());
        }
        let answer = world.send(request(method, &disconnect, &headers, "")).await.expect(200);
        if method == "GET" {
            assert_eq!(answer.json()["valid"], false);
        }
        let jsonp = format!("{disconnect}?callback=cb");
        world.send(request(method, &jsonp, &headers, "")).await.expect(200);
    }
    assert_eq!(db_tokens(&world).await, before);
    world.me(&tokens.access).await.expect(200);
}

/// N8: POST to the refresh is 405, also with the token in a body; OPTIONS lets nobody in.
async fn n8_other_methods_are_refused(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    let path = format!("{REFRESH}/{}?appid={APP_ONE}", tokens.refresh);
    for method in ["POST", "PUT", "PATCH", "DELETE", "TRACE", "FOO"] {
        let answer = world.send(request(method, &path, &[], "x=1")).await.expect(405);
        assert_refused_with(&answer, &tokens.refresh);
        assert_eq!(answer.header("allow"), Some("GET, HEAD"));
    }
    for path in [path, format!("{DISCONNECT}/{}", tokens.refresh)] {
        let headers = [("origin", PARTNER), ("access-control-request-method", "GET")];
        let answer = world.send(request("OPTIONS", &path, &headers, "")).await.expect(204);
        assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control")), "{answer:?}");
    }
    world.me(&tokens.access).await.expect(200);
}

/// wire.md A4: a GET with any content type and no body is fine.
async fn wire_a4_a_get_may_have_any_content_type(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    for kind in ["application/json", "application/json; charset=utf-8", "text/xml", "x", "multipart/form-data"] {
        let path = format!("{REFRESH}/{}?appid={APP_ONE}", tokens.refresh);
        let answer = world.send(request("GET", &path, &[("content-type", kind)], "")).await;
        assert_eq!(answer.json()["valid"], true, "{kind}");
        let path = format!("{DISCONNECT}/x?callback=cb");
        let answer = world.send(request("GET", &path, &[("content-type", kind)], "")).await.expect(200);
        assert!(answer.text().starts_with("/**/"), "{kind}");
    }
}

/// N9, H5, wire.md A3: a disconnect ends the refresh token, each access token and automatic sign-in at once, and
/// nothing else.
async fn n9_a_disconnect_ends_the_whole_connection_and_no_other(world: World) {
    let mut ada = world.actor();
    let one = ada.connect("btn-one", PARTNER, ADA).await;
    let two = ada.connect("btn-two", PARTNER, ADA).await;
    let graces = world.actor().connect("btn-one", PARTNER, GRACE).await;
    let second = world.refresh(&one.refresh, APP_ONE).await.json()["authToken"].as_str().unwrap().to_owned();
    let answer = world.disconnect(&one.refresh).await.expect(200);
    assert_a4(&answer);
    assert_eq!(answer.json(), json!({"valid": true, "errorMessage": null}));
    for access in [&one.access, &second] {
        world.me(access).await.expect(401);
    }
    assert_refused(&world.refresh(&one.refresh, APP_ONE).await, &one.refresh);
    let results = ada.resume(PARTNER, &["btn-one", "btn-two"]).await;
    assert_eq!(results["btn-one"]["error"], "login_required");
    assert_eq!(Tokens::of(&results["btn-two"]).refresh, two.refresh);
    world.me(&two.access).await.expect(200);
    world.me(&graces.access).await.expect(200);
    assert_eq!(world.refresh(&graces.refresh, APP_ONE).await.json()["valid"], true);
    let page = ada.get("/account").await;
    assert!(!page.text().contains("Rate Finder") && page.text().contains("Lead Desk"));
    // Again, and with what was never a token.
    for token in [one.refresh.as_str(), "unknown", "lgr_", ""] {
        let body = world.disconnect(token).await.expect(200).json();
        assert_eq!(body["valid"], false);
        assert!(!body["errorMessage"].as_str().unwrap().is_empty());
        assert_eq!(body.as_object().unwrap().len(), 2);
    }
    // It is asked for again, because the consent is gone.
    let opened = ada.open(crate::support::Click::on("btn-one", PARTNER)).await;
    assert!(ada.get(&opened.path).await.is_consent_page());
}

/// wire.md A3: for who would keep the token out of URLs.
async fn wire_a3_a_disconnect_can_be_posted(world: World) {
    let by_path = connect_by_api(&world, ADA, "btn-one").await;
    let answer = world.send(request("POST", &format!("{DISCONNECT}/{}", by_path.refresh), &[], "")).await.expect(200);
    assert_eq!(answer.json()["valid"], true);
    world.me(&by_path.access).await.expect(401);
    let by_form = connect_by_api(&world, ADA, "btn-one").await;
    let post = |kind: &str, body: String| request("POST", "/authorize/disconnect", &[("content-type", kind)], body);
    let kind = "application/x-www-form-urlencoded";
    for (kind, body, status) in [
        (kind, String::new(), 400),
        (kind, "token=".into(), 400),
        (kind, form(&[("token", &by_form.refresh), ("token", "x")]), 400),
        (kind, form(&[("TOKEN", &by_form.refresh)]), 400),
        ("application/json", json!({"token": by_form.refresh}).to_string(), 415),
        (kind, "x".repeat(70_000), 413),
        (kind, "token=%ff".into(), 200),
    ] {
        let answer = world.send(post(kind, body)).await.expect(status);
        assert_a4(&answer);
        assert_eq!(answer.json()["valid"], false);
    }
    world.me(&by_form.access).await.expect(200);
    let in_query = format!("/authorize/disconnect?token={}", by_form.refresh);
    world.send(request("POST", &in_query, &[("content-type", kind)], "")).await.expect(400);
    world.me(&by_form.access).await.expect(200);
    assert_eq!(world.send(post(kind, form(&[("token", &by_form.refresh)]))).await.json()["valid"], true);
    world.me(&by_form.access).await.expect(401);
}

/// N10: cookies are never read: a signed-in browser gets what anybody gets.
async fn n10_cookies_are_never_read(world: World) {
    let mut ada = world.actor();
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    for path in [REFRESH, DISCONNECT] {
        for token in ["", "x", "me", "[object%20Object]"] {
            let path = format!("{path}/{token}?appid={APP_ONE}");
            let (with, without) = (ada.get(&path).await, world.get(&path).await);
            assert_eq!(with.body, without.body, "{path}");
            assert!(with.set_cookies().is_empty());
        }
    }
    assert_eq!(ada.get(&format!("{REFRESH}/{}?appid={APP_ONE}", tokens.refresh)).await.json()["valid"], true);
    world.me(&tokens.access).await.expect(200);
}

/// N11: nothing but a refresh token of this kind is one.
async fn n11_no_other_secret_is_a_refresh_token(world: World) {
    let mut ada = world.actor();
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    let jar = ["_session_", "_button_", "_browser_", "leadgate_r_"].map(|part| ada.jar.value(part).unwrap());
    for secret in jar.into_iter().chain([tokens.access.clone(), tokens.access.replace("lga_", "lgr_")]) {
        assert_refused(&world.refresh(&secret, APP_ONE).await, &secret);
        assert_eq!(world.disconnect(&secret).await.json()["valid"], false);
    }
    world.me(&tokens.access).await.expect(200);
}

/// N12, wire.md A2: guesses are slowed down with the five keys; what a partner really needs is not.
async fn n12_guesses_are_slowed_down_and_good_tokens_are_not(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    assert!(tokens.refresh.len() >= 71, "at least 160 random bits: {}", tokens.refresh.len());
    let guess = |from: u8, claims: &str| {
        let headers = [("x-forwarded-for", claims), ("forwarded", "for=198.51.100.7")];
        from_address(request("GET", &format!("{REFRESH}/lgr_guess?appid={APP_ONE}"), &headers, ""), from)
    };
    for i in 0..5 {
        assert_refused(&world.send(guess(1, &format!("198.51.100.{i}"))).await, "lgr_guess");
    }
    let slowed = world.send(guess(1, "203.0.113.9")).await.expect(429);
    assert_refused_with(&slowed, "lgr_guess");
    assert!((1..=60).contains(&slowed.header("retry-after").unwrap().parse::<u64>().unwrap()));
    let good = request("GET", &format!("{REFRESH}/{}?appid={APP_ONE}", tokens.refresh), &[], "");
    assert_eq!(world.send(from_address(good, 1)).await.expect(200).json()["valid"], true);
    world.send(guess(2, "192.0.2.1")).await.expect(200);
    let disconnect = || from_address(request("GET", &format!("{DISCONNECT}/lgr_guess?callback=cb"), &[], ""), 3);
    for _ in 0..5 {
        world.send(disconnect()).await.expect(200);
    }
    let slowed = world.send(disconnect()).await.expect(429);
    assert_a4(&slowed);
    assert_eq!(slowed.json()["valid"], false);
    let good = request("GET", &format!("{DISCONNECT}/{}", tokens.refresh), &[], "");
    assert_eq!(world.send(from_address(good, 3)).await.expect(200).json()["valid"], true);
}

/// N13: 3600 s, to the second; an earlier token lives on.
async fn n13_an_access_token_lives_an_hour_beside_its_successors(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    world.advance(1_800);
    let second = world.refresh(&tokens.refresh, APP_ONE).await.json()["authToken"].as_str().unwrap().to_owned();
    assert_ne!(second, tokens.access);
    world.me(&tokens.access).await.expect(200);
    world.advance(1_799);
    world.me(&tokens.access).await.expect(200);
    world.advance(1);
    world.me(&tokens.access).await.expect(401);
    world.me(&second).await.expect(200);
    world.advance(1_800);
    world.me(&second).await.expect(401);
    assert_eq!(world.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], true, "the refresh token does not age");
}

/// N14: other verbs are 404 in JSON, and say nothing of what was asked for.
async fn n14_unknown_verbs_are_not_echoed(world: World) {
    for path in [
        "/authorize/revoke/MARKER",
        "/authorize/MARKER",
        "/authorize/refreshaccesstokenMARKER",
        "/authorize/x?MARKER=1",
    ] {
        let answer = world.get(path).await.expect(404);
        assert_a4(&answer);
        assert!(!answer.text().contains("MARKER"), "{}", answer.text());
    }
}

/// wire.md part E: the magic users, at the dialog's end and here.
async fn e_magic_users_go_their_one_way(world: World) {
    let soon = connect_by_api(&world, "revoked-in-10s@acme.test", "btn-one").await;
    world.advance(9);
    world.me(&soon.access).await.expect(200);
    assert_eq!(world.refresh(&soon.refresh, APP_ONE).await.json()["valid"], true);
    world.advance(1);
    world.me(&soon.access).await.expect(401);
    assert_refused(&world.refresh(&soon.refresh, APP_ONE).await, &soon.refresh);
    assert_eq!(world.disconnect(&soon.refresh).await.json()["valid"], false);
    let again = connect_by_api(&world, "revoked-in-10s@acme.test", "btn-one").await;
    assert_ne!(again.refresh, soon.refresh);
    world.me(&again.access).await.expect(200);

    let expired = connect_by_api(&world, "expired@acme.test", "btn-one").await;
    world.me(&expired.access).await.expect(401);
    let refreshed = world.refresh(&expired.refresh, APP_ONE).await.json();
    assert_eq!((&refreshed["valid"], &refreshed["expireDate"]), (&Value::from(true), &json!("2026-11-22T09:15:40Z")));
    world.me(refreshed["authToken"].as_str().unwrap()).await.expect(401);
}

/// wire.md part E: the slow user's answers with tokens take five seconds of real time, and hold up nobody.
async fn e_the_slow_user_is_slow_and_alone(world: World) {
    let began = tokio::time::Instant::now();
    let slow = connect_by_api(&world, "slow5s@acme.test", "btn-one");
    let others = async {
        for _ in 0..5 {
            connect_by_api(&world, ADA, "btn-one").await;
        }
        began.elapsed()
    };
    let (slow, others) = tokio::join!(slow, others);
    assert!(began.elapsed().as_secs() >= 5 && others.as_secs() < 5, "{others:?}");
    world.me(&slow.access).await.expect(200);
}

both! {
    n1_a_refresh_answers_exactly_five_keys,
    n2_n3_a_refusal_never_tells_the_token_from_the_application,
    n4_the_headers_are_on_every_answer,
    n6_there_is_never_a_redirect,
    n7_a_path_is_decoded_once,
    n8_a_head_or_prefetch_does_nothing,
    n8_other_methods_are_refused,
    wire_a4_a_get_may_have_any_content_type,
    n9_a_disconnect_ends_the_whole_connection_and_no_other,
    wire_a3_a_disconnect_can_be_posted,
    n10_cookies_are_never_read,
    n11_no_other_secret_is_a_refresh_token,
    n13_an_access_token_lives_an_hour_beside_its_successors,
    n14_unknown_verbs_are_not_echoed,
    e_magic_users_go_their_one_way,
    e_the_slow_user_is_slow_and_alone,
}
both! { with super::five_refusals_a_minute(); n12_guesses_are_slowed_down_and_good_tokens_are_not }

fn five_refusals_a_minute() -> Setup {
    Setup { limits: Limits { refusals: 5, ..Limits::NONE }, ..Setup::default() }
}
