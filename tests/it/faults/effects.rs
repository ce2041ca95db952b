//! What a fault answers, in each surface's form, and what is done and not done.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::{db_tokens, fault_of, rule, rule_after};
use crate::authorize::assert_refused_with;
use crate::oauth::support::{Ask, Issued, Landing, POCKET, STUDIO, assert_error, assert_page};
use crate::support::http::{form, request};
use crate::support::{ADA, APP_ONE, Answer, Click, PARTNER, Tokens, World, both, connect_by_api};

const DISCONNECT: &str = "/authorize/disconnectapplicationtoken";
const JSON: (&str, &str) = ("content-type", "application/json");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn button(path: &str, body: &Value) -> Request<Body> {
    request("POST", path, &[JSON, ("origin", PARTNER)], body.to_string())
}

/// A status alone is an error in the endpoint's own form, whatever the status (wire.md A4).
async fn e_a_status_keeps_the_endpoints_form(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    for status in [400, 429, 500, 503] {
        world.put_faults(json!([rule("refreshaccesstoken", &json!({"status": status}))])).await;
        let answer = world.refresh(&tokens.refresh, APP_ONE).await.expect(status);
        assert_refused_with(&answer, &tokens.refresh);
        assert_eq!(answer.header("retry-after").is_some(), status == 429 || status == 503, "{status}");

        world.put_faults(json!([rule("disconnectapplicationtoken", &json!({"status": status}))])).await;
        let answer = world.get(&format!("{DISCONNECT}/{}?callback=cb", tokens.refresh)).await.expect(status);
        assert_eq!(answer.header("content-type"), Some("application/json"), "a script element runs 200 only");
        assert_eq!((answer.json()["valid"].clone(), answer.json().as_object().unwrap().len()), (json!(false), 2));

        let asked = json!({"btn": "btn-one", "btns": ["btn-one"], "code": "x", "code_verifier": "x"});
        for (path, named) in [("/button/token", json!("btn-one")), ("/button/resume", Value::Null)] {
            world.put_faults(json!([rule(path, &json!({"status": status}))])).await;
            let answer = world.send(button(path, &asked)).await.expect(status);
            let body = answer.json();
            let code = if status == 429 { "rate_limited" } else { "server_error" };
            assert_eq!((&body["error"], &body["valid"], &body["buttonId"]), (&json!(code), &json!(false), &named));
            assert_eq!(body.as_object().unwrap().len(), 8, "{body}");
            assert_eq!(answer.header("access-control-allow-origin"), Some(PARTNER), "the script can read it");
        }

        world.put_faults(json!([rule("/oauth/token", &json!({"status": status}))])).await;
        let answer = STUDIO.token(&world, &[("grant_type", "client_credentials")]).await;
        let code = match status {
            400 => "invalid_request",
            429 => "slow_down",
            503 => "temporarily_unavailable",
            _ => "server_error",
        };
        assert_error(&answer, status, code);

        for (path, endpoint) in [("/account", "account"), ("/oauth/authorize", "/oauth/authorize")] {
            world.put_faults(json!([rule(endpoint, &json!({"status": status}))])).await;
            let answer = world.get(path).await;
            assert_page(&answer, status);
            assert!(answer.text().contains(&format!("class=\"status\">{status}<")), "{}", answer.text());
        }
    }
    world.put_faults(json!([rule("me", &json!({"status": 401})), rule("jwks.json", &json!({"status": 502}))])).await;
    let answer = world.me(&tokens.access).await.expect(401);
    assert!(answer.header("www-authenticate").unwrap().contains("error=\"invalid_token\""), "{answer:?}");
    let answer = world.get("/.well-known/jwks.json").await.expect(502);
    assert_eq!(
        (answer.json()["error"].as_str(), answer.header("access-control-allow-origin")),
        (Some("server_error"), Some("*"))
    );
    world.put_faults(json!([rule("refreshaccesstoken", &json!({"status": 204}))])).await;
    assert!(world.refresh(&tokens.refresh, APP_ONE).await.expect(204).body.is_empty());
    assert_eq!(world.refresh(&tokens.refresh, APP_ONE).await.expect(200).json()["valid"], true, "and it is over");
}

/// An error is a code of the surface's own, with the status that it has there.
async fn e_an_error_is_the_surfaces_own(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    world.put_faults(json!([rule("refreshaccesstoken", &json!({"error": "Come back <later>."}))])).await;
    let answer = world.refresh(&tokens.refresh, APP_ONE).await.expect(200);
    assert_refused_with(&answer, &tokens.refresh);
    assert_eq!(answer.json()["errorMessage"], "Come back <later>.");

    world.put_faults(json!([rule("disconnectapplicationtoken", &json!({"error": "</script>"}))])).await;
    let answer = world.get(&format!("{DISCONNECT}/{}?callback=cb", tokens.refresh)).await.expect(200);
    let script = "/**/typeof cb===\"function\"&&cb({\"valid\":false,\"errorMessage\":\"\\u003c/script\\u003e\"});";
    assert_eq!(answer.text(), script);

    for (error, status) in [
        ("invalid_client", 401),
        ("invalid_grant", 400),
        ("authorization_pending", 400),
        ("server_error", 500),
        ("temporarily_unavailable", 503),
    ] {
        world.put_faults(json!([rule("token", &json!({"error": error}))])).await;
        assert_error(&STUDIO.token(&world, &[("grant_type", "client_credentials")]).await, status, error);
    }
    world.put_faults(json!([rule("/oauth/token", &json!({"error": "invalid_grant", "status": 418}))])).await;
    assert_error(&STUDIO.token(&world, &[("grant_type", "client_credentials")]).await, 418, "invalid_grant");

    let asked = json!({"btn": "btn-one", "code": "x", "code_verifier": "x"});
    for (error, status) in
        [("invalid_grant", 200), ("origin_not_allowed", 403), ("rate_limited", 429), ("server_error", 500)]
    {
        world.put_faults(json!([rule("/button/token", &json!({"error": error}))])).await;
        assert_eq!(world.send(button("/button/token", &asked)).await.expect(status).json()["error"], error);
    }
    world.put_faults(json!([rule("resume", &json!({"error": "consent_required"}))])).await;
    let answer = world.send(button("/button/resume", &json!({"btns": ["btn-one", "btn-wide"]}))).await.expect(200);
    for btn in ["btn-one", "btn-wide"] {
        let result = &answer.json()["results"][btn];
        assert_eq!((&result["error"], &result["auto"]), (&json!("consent_required"), &json!(true)), "{result}");
        assert_eq!(result.as_object().unwrap().len(), 8);
    }
    for (error, status) in [("invalid_token", 401), ("insufficient_scope", 403)] {
        world.put_faults(json!([rule("me", &json!({"error": error}))])).await;
        let answer = world.me(&tokens.access).await.expect(status);
        assert!(answer.header("www-authenticate").unwrap().contains(&format!("error=\"{error}\"")), "{answer:?}");
    }
}

/// RFC 6749 section 4.1.2.1: the client gets the error with its state; who is no client's browser gets a page.
async fn e_the_authorization_endpoint_sends_the_error_to_the_client(world: World) {
    let error = json!({"error": "temporarily_unavailable"});
    world.put_faults(json!([rule("/oauth/authorize", &error), rule("/oauth/authorize", &error)])).await;
    let ask = Ask::of(&STUDIO);
    let landing = Landing::of(&world.get(&ask.address()).await).unwrap();
    assert_eq!((landing.value("error"), landing.value("state")), (Some("temporarily_unavailable"), ask.value("state")));
    assert_eq!((landing.value("iss"), landing.uri.as_str()), (Some("https://auth.test"), STUDIO.redirect_uri));
    assert_page(&world.get(&Ask::of(&STUDIO).with("redirect_uri", "https://evil.test/").address()).await, 400);
    assert_eq!(world.hits().await, [1, 1]);
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM flows").await, 0, "no dialog was begun");
}

/// A body is sent as it is, with the headers that make it arrive and no others of the endpoint.
async fn e_a_body_is_sent_as_it_is(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    let empty = json!({"valid": true, "authToken": ""});
    for (effect, status, kind, text) in [
        (json!({"body": "<h1>Bad gateway"}), 200, "text/plain; charset=utf-8", "<h1>Bad gateway".to_owned()),
        (json!({"body": "<h1>", "content_type": "text/html", "status": 502}), 502, "text/html", "<h1>".to_owned()),
        (json!({"body": empty}), 200, "application/json", empty.to_string()),
        (json!({"body": [1, null]}), 200, "application/json", "[1,null]".to_owned()),
        (json!({"body": null}), 200, "application/json", "null".to_owned()),
        (
            json!({"body": "{\"valid\":tr", "content_type": "application/json"}),
            200,
            "application/json",
            "{\"valid\":tr".to_owned(),
        ),
        (json!({"body": ""}), 200, "text/plain; charset=utf-8", String::new()),
    ] {
        world.put_faults(json!([rule("refreshaccesstoken", &effect)])).await;
        let answer = world.refresh(&tokens.refresh, APP_ONE).await.expect(status);
        assert_eq!((answer.header("content-type"), answer.text()), (Some(kind), text.as_str()), "{effect}");
        assert_eq!(fault_of(&answer), Some("fault-1"));
        let of_all = ["x-request-id", "x-content-type-options", "strict-transport-security"];
        let arriving = ["content-type", "content-length", "cache-control", "x-leadgate-fault"];
        let others = answer.headers.keys().filter(|name| !of_all.contains(&name.as_str()));
        let others: Vec<_> = others.filter(|name| !arriving.contains(&name.as_str())).collect();
        assert_eq!(others, Vec::<&axum::http::HeaderName>::new(), "{answer:?}");
    }
    let path = format!("{DISCONNECT}/{}?callback=cb", tokens.refresh);
    world.put_faults(json!([rule("disconnectapplicationtoken", &json!({"body": "cb(1"}))])).await;
    assert_eq!(world.get(&path).await.expect(200).text(), "cb(1");
    world.put_faults(json!([rule("resume", &json!({"body": "nonsense"}))])).await;
    let answer = world.send(button("/button/resume", &json!({"btns": ["btn-one"]}))).await.expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), Some(PARTNER));
}

/// Before: nothing of the request is carried out.
async fn e_before_nothing_is_done(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    let mut ada = world.actor();
    let (opened, code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
    let ask = Ask::of(&STUDIO);
    let authorization_code = ask.allowed(&world, ADA).await.code();
    let endpoints = ["refreshaccesstoken", "disconnectapplicationtoken", "/button/token", "/oauth/token", "/logout"];
    world.put_faults(endpoints.iter().map(|endpoint| rule(endpoint, &json!({"status": 500}))).collect()).await;
    let before = db_tokens(&world).await;
    world.refresh(&tokens.refresh, APP_ONE).await.expect(500);
    world.disconnect(&tokens.refresh).await.expect(500);
    let lost = ada.redeem(&opened, &code).await.expect(500);
    assert!(lost.set_cookies().is_empty());
    STUDIO.redeem(&world, &ask, &authorization_code).await.expect(500);
    world.send(request("POST", "/logout", &[FORM], "")).await.expect(500);
    assert_eq!(world.hits().await, [1; 5]);
    assert_eq!(db_tokens(&world).await, before);
    world.me(&tokens.access).await.expect(200);
    Tokens::of(&ada.redeem(&opened, &code).await.expect(200).json());
    Issued::of(&STUDIO.redeem(&world, &ask, &authorization_code).await);
}

/// After: all of it is carried out, durably, and only the answer is another one.
async fn e_after_only_the_answer_is_lost(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    let failed = json!({"status": 503});
    world.put_faults(json!([rule_after("refreshaccesstoken", &failed)])).await;
    let before = db_tokens(&world).await;
    assert_refused_with(&world.refresh(&tokens.refresh, APP_ONE).await.expect(503), &tokens.refresh);
    assert_eq!(db_tokens(&world).await, before + 1, "the token that nobody has");
    assert_eq!(world.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], true);

    world.put_faults(json!([rule_after("disconnectapplicationtoken", &json!({"body": ""}))])).await;
    let answer = world.get(&format!("{DISCONNECT}/{}?callback=cb", tokens.refresh)).await.expect(200);
    assert_eq!(answer.text(), "", "the callback never runs");
    world.me(&tokens.access).await.expect(401);
    assert_eq!(world.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], false);

    world.put_faults(json!([rule_after("/button/token", &failed)])).await;
    let mut ada = world.actor();
    let (opened, code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
    let answer = ada.redeem(&opened, &code).await.expect(503);
    assert!(answer.set_cookies().is_empty(), "cookies are part of what is lost");
    assert_eq!(answer.header("access-control-allow-origin"), Some(PARTNER));
    assert_eq!(ada.redeem(&opened, &code).await.json()["error"], "invalid_grant", "the code is spent");
}

/// After, with rotating refresh tokens: the spent one is honoured once more (wire.md part B).
async fn e_a_lost_rotation_can_be_recovered(world: World) {
    let issued = STUDIO.connect(&world, ADA).await;
    world.put_faults(json!([rule_after("/oauth/token", &json!({"status": 502}))])).await;
    assert_error(&STUDIO.refresh(&world, issued.refresh()).await, 502, "server_error");
    let again = Issued::of(&STUDIO.refresh(&world, issued.refresh()).await);
    assert_ne!(again.refresh, issued.refresh);
    world.me(&again.access).await.expect(200);
}

/// A delay alone changes nothing but the time; with an answer it comes before that.
async fn e_a_delay_holds_the_answer_back(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    let delay = Duration::from_millis(60);
    for (effect, when, status) in [
        (json!({"delay_ms": 60}), "before", 200),
        (json!({"delay_ms": 60}), "after", 200),
        (json!({"delay_ms": 60, "status": 500}), "before", 500),
        (json!({"delay_ms": 60, "body": "late"}), "after", 200),
    ] {
        world.put_faults(json!([{"match": {"endpoint": "me"}, "when": when, "effect": effect}])).await;
        let begun = Instant::now();
        let answer = world.me(&tokens.access).await.expect(status);
        assert!(begun.elapsed() >= delay, "{effect} {when}");
        assert_eq!(fault_of(&answer), Some("fault-1"));
        assert_eq!(answer.text().contains("ada@acme.test"), effect == json!({"delay_ms": 60}), "{effect}");
    }
}

#[track_caller]
fn readable_by(answer: &Answer) -> Option<&str> {
    answer.header("access-control-allow-origin")
}

/// A page reads a fault's answer where it could read the endpoint's own, and asking first costs no use.
async fn e_other_origins_read_what_they_could_read(world: World) {
    world
        .put_faults(json!([
            {"match": {"endpoint": "resume"}, "times": 3, "effect": {"status": 500}},
            {"match": {"endpoint": "/oauth/token"}, "times": 3, "effect": {"body": "x"}},
            {"match": {"endpoint": "userinfo"}, "effect": {"status": 500}},
        ]))
        .await;
    let asks = [("origin", PARTNER), ("access-control-request-method", "POST")];
    world.send(request("OPTIONS", "/button/resume", &asks, "")).await.expect(204);
    world.send(request("OPTIONS", "/oauth/token", &asks, "")).await.expect(204);
    assert_eq!(world.hits().await, [0, 0, 0]);
    let resume = |origin: &'static str| request("POST", "/button/resume", &[JSON, ("origin", origin)], "{}");
    assert_eq!(readable_by(&world.send(resume(PARTNER)).await.expect(500)), Some(PARTNER));
    assert_eq!(readable_by(&world.send(resume("https://evil.test")).await.expect(500)), None);
    let token = |origin: &'static str| {
        let body = form(&[("client_id", POCKET.id), ("grant_type", "refresh_token")]);
        request("POST", "/oauth/token", &[FORM, ("origin", origin)], body)
    };
    assert_eq!(readable_by(&world.send(token("https://pocket.test")).await.expect(200)), Some("https://pocket.test"));
    assert_eq!(readable_by(&world.send(token(PARTNER)).await.expect(200)), None);
    assert_eq!(readable_by(&world.get("/oauth/userinfo").await.expect(500)), Some("*"));
    assert_eq!(world.hits().await, [2, 2, 1]);
}

/// The control plane and probes have none, nor does a server in production.
async fn e_the_sandbox_itself_has_no_faults(world: World) {
    for endpoint in ["faults", "/_sandbox/authorize", "livez", "/readyz", "inspector", "doctor", "/"] {
        let answer = world.faults("PUT", &json!([rule(endpoint, &json!({"status": 500}))])).await.expect(400);
        assert_eq!(answer.json()["pointer"], "/0/match/endpoint", "{endpoint}");
    }
    // The same last word as of an endpoint that may have one.
    let always = json!([{"match": {"endpoint": "authorize"}, "times": "always", "effect": {"status": 500}}]);
    world.put_faults(always).await;
    connect_by_api(&world, ADA, "btn-one").await;
    world.get("/button/authorize").await.expect(500);
    world.get("/livez").await.expect(200);
    assert_eq!(world.hits().await, [1]);
}

async fn e_production_has_no_faults(world: World) {
    world.faults("PUT", &json!([])).await.expect(404);
}

/// Below the path of an issuer, and for its documents at the root of its origin.
async fn e_an_issuer_with_a_path_has_the_same_faults(world: World) {
    let rules = json!([
        rule("refreshaccesstoken", &json!({"status": 500})),
        {"match": {"endpoint": "oauth-authorization-server"}, "times": "always", "effect": {"status": 503}},
    ]);
    let headers = [("authorization", "Bearer lgx_the-sandbox-token-of-the-tests"), JSON];
    world.send(request("PUT", "/t1/_sandbox/faults", &headers, rules.to_string())).await.expect(200);
    let answer = world.get("/t1/authorize/refreshaccesstoken/a%2Fb?appid=x").await.expect(500);
    assert_refused_with(&answer, "a/b");
    world.get("/.well-known/oauth-authorization-server/t1").await.expect(503);
    world.get("/t1/.well-known/oauth-authorization-server").await.expect(503);
    world.get("/t1/.well-known/openid-configuration").await.expect(200);
}

both! {
    e_a_status_keeps_the_endpoints_form,
    e_an_error_is_the_surfaces_own,
    e_the_authorization_endpoint_sends_the_error_to_the_client,
    e_a_body_is_sent_as_it_is,
    e_before_nothing_is_done,
    e_after_only_the_answer_is_lost,
    e_a_lost_rotation_can_be_recovered,
    e_a_delay_holds_the_answer_back,
    e_other_origins_read_what_they_could_read,
    e_the_sandbox_itself_has_no_faults,
}
both! { with support::Setup::production(); e_production_has_no_faults }
both! { with support::Setup::at("https://auth.test/t1"); e_an_issuer_with_a_path_has_the_same_faults }
