//! The swap of a code for the result object: once, by the page that it was handed to.

use serde_json::{Value, json};

use crate::support::http::request;
use crate::support::{ADA, APP_ONE, Answer, Click, GRACE, OTHER, PARTNER, Tokens, World, both};

async fn redeem(world: &World, origin: &str, btn: &str, code: &str, verifier: &str) -> Answer {
    let body = json!({"btn": btn, "code": code, "code_verifier": verifier});
    world.post_json("/button/token", &[("origin", origin)], &body).await
}

#[track_caller]
fn assert_invalid_grant(answer: &Answer) {
    assert_eq!(answer.status, 200);
    let result = answer.json();
    assert_eq!((&result["valid"], &result["error"]), (&json!(false), &json!("invalid_grant")), "{result}");
    for key in ["refreshToken", "authToken", "expireDate"] {
        assert!(result[key].is_null(), "{result}");
    }
    assert_eq!(result.as_object().unwrap().len(), 8, "{result}");
    assert!(answer.set_cookies().is_empty());
}

/// D4: fifty at once, one wins, on either database.
async fn d4_of_fifty_redemptions_at_once_one_is_valid(world: World) {
    let mut ada = world.actor();
    let (opened, code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let (world, code, verifier) = (world.clone(), code.clone(), opened.click.verifier.clone());
            tokio::spawn(async move { redeem(&world, PARTNER, "btn-one", &code, &verifier).await.expect(200).json() })
        })
        .collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    let valid: Vec<&Value> = results.iter().filter(|result| result["valid"] == true).collect();
    assert_eq!(valid.len(), 1, "{results:#?}");
    assert_eq!(results.iter().filter(|result| result["error"] == "invalid_grant").count(), 49);
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM access_tokens").await, 1);
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM resume_handles").await, 1);
}

/// D3: a code is good once, also for its owner.
async fn d3_a_code_is_good_once(world: World) {
    let mut ada = world.actor();
    let (opened, code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
    Tokens::of(&ada.redeem(&opened, &code).await.expect(200).json());
    assert_invalid_grant(&ada.redeem(&opened, &code).await);
}

/// D8: a wrong verifier burns the code; so does a missing one.
async fn d8_a_wrong_verifier_burns_the_code(world: World) {
    let long = "a".repeat(129);
    for wrong in ["verifier-of-somebody-else-abcdefghijklmnopqrstuvwxyz", "short", &long, "", "ü".repeat(43).as_str()]
    {
        let mut ada = world.actor();
        let (opened, code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
        assert_invalid_grant(&redeem(&world, PARTNER, "btn-one", &code, wrong).await);
        assert_invalid_grant(&ada.redeem(&opened, &code).await);
    }
    // The challenge is not a verifier (a "plain" comparison would take it).
    let mut ada = world.actor();
    let (opened, code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
    assert_invalid_grant(&redeem(&world, PARTNER, "btn-one", &code, &opened.click.challenge()).await);
}

/// D5, D6: another page or button does not get the code, and cannot spoil it for its owner.
async fn d5_a_wrong_origin_or_button_does_not_burn_the_code(world: World) {
    let mut ada = world.actor();
    let (opened, code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
    let verifier = opened.click.verifier.clone();
    for (origin, btn) in
        [(OTHER, "btn-one"), ("http://localhost:9001", "btn-one"), (PARTNER, "btn-wide"), (PARTNER, "btn-two")]
    {
        assert_invalid_grant(&redeem(&world, origin, btn, &code, &verifier).await);
    }
    let unlisted = redeem(&world, OTHER, "btn-two", &code, &verifier).await.expect(200);
    assert_eq!(unlisted.json()["error"], "origin_not_allowed");
    let unknown = redeem(&world, PARTNER, "btn-none", &code, &verifier).await.expect(200);
    assert_eq!(unknown.json()["error"], "invalid_button");
    redeem(&world, "https://evil.example", "btn-one", &code, &verifier).await.expect(403);
    Tokens::of(&ada.redeem(&opened, &code).await.expect(200).json());
}

/// D7: a code lives for sixty seconds.
async fn d7_a_code_expires_after_a_minute(world: World) {
    let mut ada = world.actor();
    let (opened, code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
    world.advance(59);
    Tokens::of(&ada.redeem(&opened, &code).await.json());
    let (opened, code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
    world.advance(60);
    assert_invalid_grant(&ada.redeem(&opened, &code).await);
}

/// D15: signed out, disconnected or disabled between code and exchange.
async fn d15_a_code_is_dead_once_its_user_left(world: World) {
    let mut ada = world.actor();
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    let (opened, code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
    assert_eq!(world.disconnect(&tokens.refresh).await.json()["valid"], true);
    assert_invalid_grant(&ada.redeem(&opened, &code).await);

    let (opened, code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
    let csrf = ada.get("/account").await.csrf();
    ada.post("/logout", &[("csrf", &csrf)]).await.location();
    assert_invalid_grant(&ada.redeem(&opened, &code).await);

    let mut grace = world.actor();
    let (opened, code) = grace.code(Click::on("btn-one", PARTNER), GRACE).await;
    world.disable(GRACE).await;
    assert_invalid_grant(&grace.redeem(&opened, &code).await);
    world.enable(GRACE).await;
    assert_invalid_grant(&grace.redeem(&opened, &code).await);
}

/// D10: the vector of RFC 7636, appendix B.
async fn d10_the_vector_of_rfc_7636_passes(world: World) {
    let mut click = Click::on("btn-one", PARTNER);
    click.verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into();
    assert!(click.address().contains("code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
    let mut ada = world.actor();
    let (opened, code) = ada.code(click, ADA).await;
    Tokens::of(&ada.redeem(&opened, &code).await.json());
}

/// D16: an answer does not tell an unknown code from a used, expired or foreign one.
async fn d16_refused_codes_look_alike(world: World) {
    let mut ada = world.actor();
    let (expired, expired_code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
    world.advance(60);
    let (used, used_code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
    ada.redeem(&used, &used_code).await;
    let (fresh, fresh_code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
    let altered = format!("{}{}", &fresh_code[..67], if fresh_code.ends_with('A') { 'B' } else { 'A' });
    let mut answers = vec![
        ada.redeem(&expired, &expired_code).await,
        ada.redeem(&used, &used_code).await,
        ada.redeem(&fresh, &altered).await,
        ada.redeem(&fresh, "").await,
        ada.redeem(&fresh, &"x".repeat(10_000)).await,
        ada.redeem(&fresh, "lgc_\u{0}").await,
        redeem(&world, OTHER, "btn-one", &fresh_code, &fresh.click.verifier).await,
    ];
    let (first, rest) = (answers.remove(0), answers);
    assert_invalid_grant(&first);
    for answer in rest {
        assert_eq!(answer.body, first.body);
    }
}

/// B21: codes are long, all different, and tell their kind only.
async fn b21_codes_are_secrets(world: World) {
    let mut ada = world.actor();
    let mut codes = Vec::new();
    for _ in 0..20 {
        let (_, code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
        assert!(code.starts_with("lgc_") && code.len() == 68, "{code}");
        codes.push(code[30..].to_owned());
    }
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), 20);
    let (_, code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
    world.me(&code).await.expect(401);
    assert_eq!(world.refresh(&code, APP_ONE).await.json()["valid"], false);
}

/// P8: tokens come with the swap and nowhere else.
async fn p8_no_page_holds_a_token(world: World) {
    let mut ada = world.actor();
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    let finished = ada.get(&opened.path).await.expect(200);
    for page in [finished, ada.get("/account").await, ada.get("/").await] {
        for secret in [&tokens.refresh, &tokens.access] {
            assert!(!page.text().contains(secret.as_str()));
        }
        assert!(!page.text().contains("lga_") && !page.text().contains("lgr_"));
    }
}

/// sign-in-button.md, headers: who may read the answer, and the cookie of the partner's partition.
async fn p7_the_swap_leaves_a_partitioned_cookie_that_names_no_application(world: World) {
    let mut ada = world.actor();
    let (opened, code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
    let answer = ada.redeem(&opened, &code).await.expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), Some(PARTNER));
    assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
    assert_eq!(answer.header("vary"), Some("Origin"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("cross-origin-resource-policy"), Some("cross-origin"));
    let cookies = answer.set_cookies();
    assert_eq!(cookies.len(), 1, "{cookies:?}");
    for attribute in ["Secure", "HttpOnly", "SameSite=None", "Partitioned", "Path=/button/", "Max-Age=7776000"] {
        assert!(cookies[0].split("; ").any(|given| given == attribute), "{attribute}: {}", cookies[0]);
    }
    assert!(!cookies[0].contains("0c9a51ce") && !cookies[0].contains(APP_ONE), "{}", cookies[0]);
}

/// L2, L3: an origin that is not listed reads nothing, and is judged before the body is.
async fn l3_an_unlisted_origin_is_refused_before_the_body(world: World) {
    let mut ada = world.actor();
    let (opened, code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
    let good = json!({"btn": "btn-one", "code": code, "code_verifier": opened.click.verifier}).to_string();
    for origin in [
        Some("null"),
        Some("https://partner.test.evil.tld"),
        Some("http://partner.test"),
        Some("https://partner.test:444"),
        Some("https://partner.test, https://evil.example"),
        Some("*"),
        Some(""),
        None,
    ] {
        for path in ["/button/token", "/button/resume"] {
            for body in [good.as_str(), "no json", ""] {
                let mut headers = vec![("content-type", "application/json")];
                headers.extend(origin.map(|origin| ("origin", origin)));
                let answer = world.send(request("POST", path, &headers, body.to_owned())).await.expect(403);
                assert!(answer.header("access-control-allow-origin").is_none(), "{origin:?}");
                assert_eq!(answer.json()["error"], "origin_not_allowed");
                let preflight = world.send(request("OPTIONS", path, &headers, "")).await.expect(403);
                assert!(preflight.header("access-control-allow-origin").is_none(), "{origin:?}");
            }
        }
    }
    let two = [("origin", PARTNER), ("origin", PARTNER), ("content-type", "application/json")];
    world.send(request("POST", "/button/token", &two, good)).await.expect(403);
    Tokens::of(&ada.redeem(&opened, &code).await.json());
}

/// L5: a pre-flight says what may be sent, and no more.
async fn l5_a_preflight_allows_a_json_post_only(world: World) {
    for path in ["/button/token", "/button/resume"] {
        let headers = [
            ("origin", PARTNER),
            ("access-control-request-method", "DELETE"),
            ("access-control-request-headers", "authorization, x-evil"),
        ];
        let answer = world.send(request("OPTIONS", path, &headers, "")).await.expect(204);
        assert_eq!(answer.header("access-control-allow-origin"), Some(PARTNER));
        assert_eq!(answer.header("access-control-allow-methods"), Some("POST"));
        assert_eq!(answer.header("access-control-allow-headers"), Some("content-type"));
        assert!(answer.body.is_empty());
        for method in ["GET", "PUT", "DELETE", "HEAD"] {
            assert_eq!(world.send(request(method, path, &[("origin", PARTNER)], "")).await.status, 405, "{method}");
        }
    }
}

/// L6, wire.md A1: what is no JSON of the right form has the result's form all the same, readable by the page.
async fn wire_a1_a_malformed_swap_has_the_results_form(world: World) {
    let json = "application/json";
    let oversized = format!("{{\"btn\":\"{}\"}}", "x".repeat(70_000));
    let deep = "[".repeat(20_000);
    for (kind, body, status) in [
        (json, "", 400),
        (json, "{}", 400),
        (json, "[]", 400),
        (json, "null", 400),
        (json, "{\"btn\":1,\"code\":2,\"code_verifier\":3}", 400),
        (json, "{\"btn\":\"btn-one\",\"code\":null,\"code_verifier\":\"\"}", 400),
        (json, "{\"btn\":\"\\ud800\"}", 400),
        (json, deep.as_str(), 400),
        (json, oversized.as_str(), 413),
        ("text/plain", "{}", 415),
        ("application/x-www-form-urlencoded", "btn=btn-one", 415),
        ("", "{}", 415),
    ] {
        let headers = [("origin", PARTNER), ("content-type", kind)];
        let answer = world.send(request("POST", "/button/token", &headers, body.to_owned())).await.expect(status);
        assert_eq!(answer.header("access-control-allow-origin"), Some(PARTNER));
        let result = answer.json();
        assert_eq!((result["valid"].clone(), result.as_object().unwrap().len()), (json!(false), 8), "{result}");
    }
    let bytes = vec![0xff, 0xfe, 0x00, b'{'];
    let headers = [("origin", PARTNER), ("content-type", json)];
    world.send(request("POST", "/button/token", &headers, bytes)).await.expect(400);
    let charset = [("origin", PARTNER), ("content-type", "application/json; charset=utf-8")];
    let body = json!({"btn": "btn-one", "code": "x", "code_verifier": "y", "more": 1}).to_string();
    assert_invalid_grant(&world.send(request("POST", "/button/token", &charset, body)).await);
}

/// sign-in-button.md: a connection has one refresh token, however often it is asked for; another consent is
/// another connection.
async fn wire_a2_a_connection_has_one_refresh_token_for_life(world: World) {
    let mut ada = world.actor();
    let first = ada.connect("btn-one", PARTNER, ADA).await;
    let mut elsewhere = world.actor();
    for origin in [PARTNER, OTHER] {
        world.advance(3_600);
        let again = ada.connect("btn-one", origin, ADA).await;
        assert_eq!(again.refresh, first.refresh);
        assert_ne!(again.access, first.access);
        assert_eq!(elsewhere.connect("btn-one", origin, ADA).await.refresh, first.refresh, "another browser");
    }
    let grace = world.actor().connect("btn-one", PARTNER, GRACE).await;
    assert_ne!(grace.refresh, first.refresh);
    assert_ne!(ada.connect("btn-two", PARTNER, ADA).await.refresh, first.refresh, "another application");
    world.disconnect(&first.refresh).await;
    let second = ada.connect("btn-one", PARTNER, ADA).await;
    assert_ne!(second.refresh, first.refresh);
    assert_eq!(world.refresh(&second.refresh, APP_ONE).await.json()["valid"], true);
    assert_eq!(world.refresh(&first.refresh, APP_ONE).await.json()["valid"], false, "the old one stays dead");
    assert_eq!(world.refresh(&grace.refresh, APP_ONE).await.json()["valid"], true);
}

both! {
    d3_a_code_is_good_once,
    d8_a_wrong_verifier_burns_the_code,
    d5_a_wrong_origin_or_button_does_not_burn_the_code,
    d7_a_code_expires_after_a_minute,
    d15_a_code_is_dead_once_its_user_left,
    d10_the_vector_of_rfc_7636_passes,
    d16_refused_codes_look_alike,
    b21_codes_are_secrets,
    p8_no_page_holds_a_token,
    p7_the_swap_leaves_a_partitioned_cookie_that_names_no_application,
    l3_an_unlisted_origin_is_refused_before_the_body,
    l5_a_preflight_allows_a_json_post_only,
    wire_a1_a_malformed_swap_has_the_results_form,
    wire_a2_a_connection_has_one_refresh_token_for_life,
}
both! { on many threads; d4_of_fifty_redemptions_at_once_one_is_valid }
