//! The integration check (wire.md E): a right and a wrong integration, seen over HTTP; its three forms.

use std::collections::{BTreeMap, BTreeSet};

use leadgate::domain::check::Check;
use serde_json::{Value, json};

use super::assert_problem;
use crate::oauth::support::{Ask, Auth, Issued, RATE_FINDER, STUDIO};
use crate::support::http::request;
use crate::support::{ADA, APP_ONE, APP_TWO, Answer, Click, GRACE, PARTNER, SANDBOX_TOKEN, Tokens, World, both};

async fn check(world: &World, app: &str) -> Value {
    world.show(&format!("/checks/{app}")).await.expect(200).json()
}

/// The checks by how they came out.
fn names(report: &Value, status: &str) -> BTreeSet<String> {
    let checks = report["checks"].as_array().unwrap().iter().filter(|check| check["status"] == status);
    checks.map(|check| check["name"].as_str().unwrap().to_owned()).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn one<'r>(report: &'r Value, name: &str) -> &'r Value {
    let found = report["checks"].as_array().unwrap().iter().find(|check| check["name"] == name);
    found.unwrap_or_else(|| panic!("no check {name}"))
}

/// What the button's script says of a page that is right.
async fn doctor(world: &World, code: &str, detail: &str) {
    let kind = if code.starts_with("callback_") && !code.ends_with("threw") || code.ends_with("_loaded") {
        "fact"
    } else {
        "problem"
    };
    let body = json!({kind: code, "page": format!("{PARTNER}/sign-in"), "btn": "btn-one", "detail": detail});
    let headers = [("content-type", "text/plain"), ("origin", PARTNER)];
    world.send(request("POST", "/button/report", &headers, body.to_string())).await.expect(204);
}

async fn deny(world: &World, email: &str) {
    let mut actor = world.actor();
    let opened = actor.open(Click::on("btn-one", PARTNER)).await;
    let consent = actor.log_in(&opened, email).await.expect(200);
    actor.decide(&opened, &consent, "deny").await.expect(200);
}

/// Before anything happened nothing is known, and each check says what to do.
async fn e_nothing_is_known_of_an_integration_that_was_not_tried(world: World) {
    let report = check(&world, APP_ONE).await;
    let checks = report["checks"].as_array().unwrap();
    assert!(checks.len() >= 20);
    assert_eq!(report["summary"], json!({"pass": 0, "fail": 0, "not_seen": checks.len()}));
    assert_eq!((&report["app"], &report["name"]), (&json!(APP_ONE), &json!("Rate Finder")));
    assert_eq!(report["at"], "2026-11-22T09:15:30Z");
    for check in checks {
        assert_eq!((&check["status"], &check["evidence"]), (&json!("not_seen"), &Value::Null), "{check}");
        assert!(check["todo"].as_str().is_some_and(|text| text.len() > 10), "{check}");
        let help = check["help"].as_str().unwrap().split_once('#').unwrap();
        let anchor = format!("id=\"{}\"", help.1);
        assert!(help.0 == "https://auth.test/doctor" && world.get("/doctor").await.text().contains(&anchor), "{check}");
    }
}

/// A page and a back end that do everything right, by the button.
async fn e_a_right_integration_passes(world: World) {
    for fact in ["stylesheet_loaded", "callback_found"] {
        doctor(&world, fact, "").await;
    }
    deny(&world, GRACE).await;
    doctor(&world, "callback_denied", "access_denied").await;
    doctor(&world, "callback_failed", "popup_closed").await;
    let mut ada = world.actor();
    ada.resume(PARTNER, &["btn-one"]).await;
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    doctor(&world, "callback_valid", "click").await;
    world.me(&tokens.access).await.expect(200);
    assert_eq!(ada.resume(PARTNER, &["btn-one"]).await["btn-one"]["valid"], true);
    doctor(&world, "callback_valid", "auto").await;

    let first = world.refresh(&tokens.refresh, APP_ONE).await.json();
    world.plane("POST", "/clock", Some(&json!({"app": APP_ONE, "advance": "1h"}))).await.expect(200);
    world.me(first["authToken"].as_str().unwrap()).await.expect(401);
    let second = Tokens::of(&world.refresh(&tokens.refresh, APP_ONE).await.json());
    world.me(&second.access).await.expect(200);
    assert_eq!(world.disconnect(&tokens.refresh).await.json()["valid"], true);

    let again = ada.connect("btn-one", PARTNER, ADA).await;
    let account = ada.get("/account").await;
    let end = account.between("action=\"/account/connections/", "\"").unwrap().to_owned();
    ada.post(&format!("/account/connections/{end}"), &[("csrf", &account.csrf())]).await.location();
    assert_eq!(world.refresh(&again.refresh, APP_ONE).await.json()["valid"], false);
    ada.connect("btn-one", PARTNER, ADA).await;

    let report = check(&world, APP_ONE).await;
    let passed = [
        "script_from_issuer",
        "stylesheet_loaded",
        "button_known",
        "origin_listed",
        "callback_defined",
        "callback_returns",
        "policy_fits",
        "opener_kept",
        "sign_in_completed",
        "callback_got_result",
        "denial_handled",
        "closed_popup_handled",
        "returning_user_signed_in",
        "app_id_right",
        "refresh_in_back_end",
        "refreshed_once_an_hour",
        "expired_token_refreshed",
        "tokens_out_of_queries",
        "scope_suffices",
        "no_probing",
        "disconnect_called",
        "disconnect_names_token",
        "nothing_after_disconnect",
        "revocation_noticed",
        "verifier_matches",
        "code_in_time",
        "code_once",
        "refusal_accepted",
    ];
    assert_eq!(names(&report, "pass"), set(&passed));
    // The user ended the connection: the last refresh was refused, as it had to be.
    assert_eq!(names(&report, "fail"), set(&["refresh_works"]));
    let shown = &one(&report, "refreshed_once_an_hour")["evidence"];
    assert_eq!(shown["sentence"], "GET /authorize/refreshaccesstoken/{*token} 200");
    let id = shown["request"].as_str().unwrap().parse().unwrap();
    assert_eq!(world.ctx.journal.find(id).unwrap().endpoint, "refreshaccesstoken");
    assert_eq!(names(&check(&world, APP_TWO).await, "fail"), set(&[]), "it is another application");
}

/// A page and a back end that do what one ought not to.
async fn e_a_wrong_integration_is_told_what_is_wrong(world: World) {
    doctor(&world, "callback_threw", "TypeError: result is null").await;
    let mut ada = world.actor();
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    let unknown = json!({"problem": "unknown_button", "page": "https://other.test/", "btn": "btn-oen"});
    let headers = [("content-type", "text/plain"), ("origin", "https://other.test")];
    world.send(request("POST", "/button/report", &headers, unknown.to_string())).await.expect(204);
    let from_page = [("origin", PARTNER), ("sec-fetch-site", "cross-site")];
    let address = format!("/authorize/refreshaccesstoken/{}?appid={APP_ONE}", tokens.refresh);
    for _ in 0..3 {
        world.send(request("GET", &address, &from_page, "")).await.expect(200);
    }
    world.send(request("HEAD", &address, &[], "")).await.expect(200);
    world.refresh(&tokens.refresh, &APP_ONE.to_uppercase()).await;
    world.get(&format!("/v1/me?access_token={}", tokens.access)).await;
    world.me(&tokens.access).await.expect(200);
    let sample = [("referer", "https://partner.test/account")];
    world
        .send(request("GET", "/authorize/disconnectapplicationtoken/[object%20Object]", &sample, ""))
        .await
        .expect(200);
    let report = check(&world, APP_ONE).await;
    let sentence = |name: &str| one(&report, name)["evidence"]["sentence"].as_str().unwrap().to_owned();
    assert!(sentence("callback_returns").contains("[TypeError: result is null]"), "{report}");
    assert!(sentence("button_known").contains("(btn-one)"), "the nearest: {report}");
    assert!(sentence("refresh_in_back_end").contains(PARTNER), "{report}");
    assert!(sentence("refreshed_once_an_hour").contains(" 3 times"), "{report}");
    for name in ["app_id_right", "no_probing", "tokens_out_of_queries", "disconnect_names_token"] {
        assert_eq!(one(&report, name)["status"], "fail", "{name}: {report}");
    }
    assert_eq!(world.disconnect(&tokens.refresh).await.json()["valid"], true);
    world.refresh(&tokens.refresh, APP_ONE).await;
    world.me(&tokens.access).await.expect(401);
    for _ in 0..3 {
        world.refresh(&tokens.refresh, APP_ONE).await;
    }
    let report = check(&world, APP_ONE).await;
    for name in ["nothing_after_disconnect", "refusal_accepted", "refresh_works"] {
        assert_eq!(one(&report, name)["status"], "fail", "{name}: {report}");
    }
    assert_eq!(one(&report, "disconnect_names_token")["status"], "pass", "put right");
    let text = report.to_string();
    assert!(!text.contains(&tokens.refresh) && !text.contains(&tokens.access), "no token is shown");
    world.ctx.journal.clear();
    assert_eq!(check(&world, APP_ONE).await["summary"]["fail"], 0, "an emptied journal begins anew");
}

/// The standard endpoints: a right client, and then one that does everything once more.
async fn e_a_standard_client_is_checked(world: World) {
    let mut ada = world.actor();
    let ask = Ask::of(&STUDIO);
    let code = ada.allow(&ask, ADA).await.code();
    let first = Issued::of(&STUDIO.redeem(&world, &ask, &code).await);
    let second = Issued::of(&STUDIO.refresh(&world, first.refresh()).await);
    let third = Issued::of(&STUDIO.refresh(&world, second.refresh()).await);
    STUDIO.revoke(&world, third.refresh()).await.expect(200);
    let report = check(&world, STUDIO.id).await;
    let passed = [
        "sign_in_completed",
        "tokens_out_of_queries",
        "state_sent",
        "pkce_used",
        "verifier_matches",
        "redirect_uri_registered",
        "code_in_time",
        "code_once",
        "client_authenticates",
        "newest_refresh_token_used",
        "tokens_revoked",
    ];
    assert_eq!((names(&report, "pass"), names(&report, "fail")), (set(&passed), set(&[])));

    ada.get(&Ask::of(&STUDIO).without_pkce().without("state").address()).await;
    let ask = Ask::of(&STUDIO);
    let code = ada.allow(&ask, ADA).await.code();
    let used = Issued::of(&STUDIO.redeem(&world, &ask, &code).await);
    let next = Issued::of(&STUDIO.refresh(&world, used.refresh()).await);
    STUDIO.refresh(&world, next.refresh()).await.expect(200);
    STUDIO.refresh(&world, used.refresh()).await.expect(400);
    STUDIO.redeem(&world, &ask, &code).await.expect(400);
    let ask = Ask::of(&STUDIO);
    let late = ada.allow(&ask, ADA).await.code();
    world.advance(61);
    STUDIO.redeem(&world, &ask, &late).await.expect(400);
    ada.get(&Ask::of(&STUDIO).with("redirect_uri", "https://studio.test/callbacks").address()).await.expect(400);
    STUDIO.by(Auth::Basic("no-secret-of-the-studio")).revoke(&world, used.refresh()).await.expect(401);
    STUDIO.by(Auth::Basic("no-secret-of-the-studio")).refresh(&world, used.refresh()).await.expect(401);
    let report = check(&world, STUDIO.id).await;
    let failed = [
        "sign_in_completed",
        "redirect_uri_registered",
        "code_in_time",
        "code_once",
        "client_authenticates",
        "newest_refresh_token_used",
        "tokens_revoked",
    ];
    let found = names(&report, "fail");
    assert!(found.is_superset(&set(&failed)), "{found:?}");
    let by_post = RATE_FINDER.by(Auth::Post("rate-finder-client-secret"));
    by_post.token(&world, &[("grant_type", "client_credentials")]).await.expect(200);
    let report = check(&world, APP_ONE).await;
    let sentence = &one(&report, "client_authenticates")["evidence"]["sentence"];
    assert!(sentence.as_str().unwrap().contains("client_secret_post (client_secret_basic)"), "{sentence}");
}

async fn accepting(world: &World, app: &str, accept: &str) -> Answer {
    let token = format!("Bearer {SANDBOX_TOKEN}");
    let headers = [("authorization", token.as_str()), ("accept", accept), ("accept-language", "es")];
    world.send(request("GET", &format!("/_sandbox/checks/{app}"), &headers, "")).await
}

/// JUnit's form has a case for each check, and the counts of the JSON.
async fn e_junit_says_the_same(world: World) {
    let mut ada = world.actor();
    ada.connect("btn-one", PARTNER, ADA).await;
    doctor(&world, "callback_threw", "<b> & \"quotes\" ]]> of result").await;
    let report = check(&world, APP_ONE).await;
    for accept in ["application/xml", "text/xml;q=0.9", "application/json;q=0.1, application/xml"] {
        let answer = accepting(&world, APP_ONE, accept).await.expect(200);
        if accept.starts_with("application/json") {
            assert_eq!(answer.json(), report, "the first that is named");
            continue;
        }
        assert_eq!(answer.header("content-type"), Some("application/xml; charset=utf-8"));
        assert_eq!((answer.header("vary"), answer.header("cache-control")), (Some("Accept"), Some("no-store")));
        let document = roxmltree::Document::parse(answer.text()).unwrap();
        let suites = document.root_element();
        let suite = suites.children().find(|node| node.has_tag_name("testsuite")).unwrap();
        assert_eq!((suites.tag_name().name(), suite.attribute("name")), ("testsuites", Some("Rate Finder")));
        let counts = &report["summary"];
        for (attribute, count) in [("failures", &counts["fail"]), ("skipped", &counts["not_seen"])] {
            assert_eq!(suite.attribute(attribute), Some(count.to_string().as_str()), "{attribute}");
        }
        assert_eq!((suite.attribute("errors"), suite.attribute("timestamp")), (Some("0"), Some("2026-11-22T09:15:30")));
        let cases: BTreeMap<&str, &str> = suite
            .children()
            .filter(|node| node.has_tag_name("testcase"))
            .map(|case| {
                let outcome =
                    case.children().find(roxmltree::Node::is_element).map_or("pass", |node| node.tag_name().name());
                assert!(
                    case.attribute("classname").unwrap().starts_with("leadgate.")
                        && case.attribute("time") == Some("0")
                );
                (case.attribute("name").unwrap(), outcome)
            })
            .collect();
        assert_eq!(suite.attribute("tests"), Some(cases.len().to_string().as_str()));
        for (status, outcome) in [("pass", "pass"), ("fail", "failure"), ("not_seen", "skipped")] {
            let of = cases.iter().filter(|(_, found)| **found == outcome).map(|(name, _)| (*name).to_owned());
            assert_eq!(of.collect::<BTreeSet<_>>(), names(&report, status), "{outcome}");
        }
        let failure = suite.descendants().find(|node| node.has_tag_name("failure")).unwrap();
        assert!(failure.attribute("message").unwrap().contains("<b> & \"quotes\" ]]> of result"), "{failure:?}");
    }
}

/// Browsers name HTML first. The page is in their language, and links to what is the evidence.
async fn e_people_get_a_page(world: World) {
    let mut ada = world.actor();
    ada.connect("btn-one", PARTNER, ADA).await;
    doctor(&world, "callback_threw", "<b>of result</b>").await;
    let accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let page = accepting(&world, APP_ONE, accept).await.expect(200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let report = check(&world, APP_ONE).await;
    let id = one(&report, "sign_in_completed")["evidence"]["request"].as_str().unwrap().to_owned();
    for shown in ["Comprobación de la integración", "Rate Finder", APP_ONE, "Aún no visto", "&#60;b&#62;of result", &id]
    {
        assert!(page.text().contains(shown), "{shown}");
    }
    for check in report["checks"].as_array().unwrap() {
        assert!(page.text().contains(&format!("id=\"{}\"", check["name"].as_str().unwrap())));
    }
    for accept in ["*/*", "", "application/json, text/html", "image/png"] {
        let answer = accepting(&world, APP_ONE, accept).await.expect(200);
        assert_eq!(answer.header("content-type"), Some("application/json"), "{accept}");
    }
}

async fn e_the_check_needs_an_application_and_the_token(world: World) {
    for unknown in ["nobody", "a%20b", &"x".repeat(65)] {
        for accept in ["application/xml", "text/html", "*/*"] {
            assert_problem(&accepting(&world, unknown, accept).await, 404);
        }
    }
    assert_problem(&world.get(&format!("/_sandbox/checks/{APP_ONE}")).await, 401);
    assert_problem(&world.plane("POST", &format!("/checks/{APP_ONE}"), None).await, 405);
    let document = world.get("/_sandbox/openapi.json").await.json();
    assert!(document["paths"]["/_sandbox/checks/{app}"]["get"]["responses"]["200"].is_object());
}

async fn e_production_checks_nothing(world: World) {
    assert_problem(&accepting(&world, APP_ONE, "*/*").await, 404);
}

both! {
    e_nothing_is_known_of_an_integration_that_was_not_tried,
    e_a_right_integration_passes,
    e_a_wrong_integration_is_told_what_is_wrong,
    e_a_standard_client_is_checked,
    e_junit_says_the_same,
    e_people_get_a_page,
    e_the_check_needs_an_application_and_the_token,
}
both! { with support::Setup::production(); e_production_checks_nothing }

/// The page of the documentation has a row for each check, in their order, and no other.
#[test]
fn e_the_documentation_lists_every_check() {
    let text = include_str!("../../../docs/integration-check.md");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(name, _)| name));
    let checks: Vec<&str> = Check::ALL.iter().map(|check| check.as_str()).collect();
    assert_eq!(rows.collect::<Vec<_>>(), checks);
}
