//! Automatic sign-in: by the cookie of the partner's partition, or by the session where a browser still sends it.

use serde_json::{Value, json};

use crate::support::http::request;
use crate::support::{ADA, APP_ONE, Actor, Click, GRACE, OTHER, PARTNER, Setup, Tokens, World, both};

const DAY: u64 = 24 * 3_600;
const SHOP: &str = "https://shop.partner.test";

/// A browser that blocks third-party cookies, signed in on the partner's page.
async fn returning(world: &World) -> (Actor, Tokens) {
    let mut ada = world.actor();
    ada.jar.blocks_third_parties = true;
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    (ada, tokens)
}

async fn error_of(actor: &mut Actor, page: &str, btn: &str) -> Value {
    let result = actor.resume(page, &[btn]).await[btn].clone();
    assert_eq!(result["valid"] == true, result["error"].is_null(), "{result}");
    result["error"].clone()
}

/// P7, wire.md A1: who consented is signed in again without a click, also with third-party cookies blocked.
async fn p7_a_returning_user_is_signed_in_without_a_click(world: World) {
    let (mut ada, tokens) = returning(&world).await;
    world.advance(10);
    let result = ada.resume(PARTNER, &["btn-one"]).await["btn-one"].clone();
    assert_eq!(result.as_object().unwrap().len(), 8, "{result}");
    assert_eq!((&result["auto"], &result["buttonId"]), (&json!(true), &json!("btn-one")));
    let resumed = Tokens::of(&result);
    assert_eq!(resumed.refresh, tokens.refresh);
    assert_eq!(resumed.expires, "2026-11-22T10:15:40Z");
    world.me(&resumed.access).await.expect(200);
    world.me(&tokens.access).await.expect(200);
    assert_eq!(error_of(&mut world.actor(), PARTNER, "btn-one").await, "login_required", "nobody else");
}

/// P9, sign-in-button.md: a handle is good on the exact origin that it was made on, for its own application.
async fn p9_a_handle_is_good_on_its_own_origin_only(world: World) {
    let (mut ada, _) = returning(&world).await;
    assert_eq!(error_of(&mut ada, OTHER, "btn-one").await, "login_required", "another partition");
    assert_eq!(error_of(&mut ada, SHOP, "btn-all").await, "login_required", "same site and partition, other origin");
    // A cookie that was carried over by hand is no better.
    let (name, value) = (ada.jar.name("leadgate_r_").unwrap(), ada.jar.value("leadgate_r_").unwrap());
    let body = json!({"btns": ["btn-one", "btn-wide", "btn-two"]});
    let stolen = |page: &'static str| {
        let (world, body, cookie) = (world.clone(), body.clone(), format!("{name}={value}"));
        async move {
            world.post_json("/button/resume", &[("origin", page), ("cookie", &cookie)], &body).await.expect(200).json()
        }
    };
    assert_eq!(stolen(OTHER).await["results"]["btn-one"]["error"], "login_required");
    assert_eq!(stolen("http://localhost:9001").await["results"]["btn-one"]["error"], "login_required");
    let here = stolen(PARTNER).await;
    assert_eq!(here["results"]["btn-one"]["valid"], true, "the test's own premise");
    assert_eq!(here["results"]["btn-two"]["error"], "login_required", "another application");
    assert_eq!(error_of(&mut ada, PARTNER, "btn-one").await, Value::Null);
}

/// P7: two origins of one site share a partition, and do not oust each other's sign-in.
async fn p7_two_origins_of_one_site_are_both_signed_in(world: World) {
    let (mut ada, tokens) = returning(&world).await;
    let (opened, code) = ada.code(Click::on("btn-all", SHOP), ADA).await;
    ada.redeem(&opened, &code).await;
    for (page, btn) in [(PARTNER, "btn-one"), (SHOP, "btn-all"), (PARTNER, "btn-one")] {
        let resumed = Tokens::of(&ada.resume(page, &[btn]).await[btn]);
        assert_eq!(resumed.refresh, tokens.refresh, "{page}");
    }
}

/// sign-in-button.md: a handle under another application's cookie name opens nothing.
async fn p9_a_handle_is_good_for_its_own_application_only(world: World) {
    let (mut ada, _) = returning(&world).await;
    let handle = ada.jar.value("leadgate_r_").unwrap();
    let mut second = world.actor();
    second.connect("btn-two", PARTNER, GRACE).await;
    let other_name = second.jar.name("leadgate_r_").unwrap();
    assert_ne!(Some(&other_name), ada.jar.name("leadgate_r_").as_ref());
    let headers = [("origin", PARTNER), ("cookie", &format!("{other_name}={handle}"))];
    let results = world.post_json("/button/resume", &headers, &json!({"btns": ["btn-two", "btn-one"]})).await.json();
    for btn in ["btn-one", "btn-two"] {
        assert_eq!(results["results"][btn]["error"], "login_required", "{results}");
    }
    for bad in ["", "x", "lgh_", &format!("{}A", &handle[..67]), &handle.replace("lgh_", "lgs_"), &"x".repeat(4000)] {
        if *bad == handle {
            continue;
        }
        let name = ada.jar.name("leadgate_r_").unwrap();
        let headers = [("origin", PARTNER), ("cookie", &format!("{name}={bad}"))];
        let results = world.post_json("/button/resume", &headers, &json!({"btns": ["btn-one"]})).await.json();
        assert_eq!(results["results"]["btn-one"]["error"], "login_required", "{bad}");
    }
    assert_eq!(error_of(&mut ada, PARTNER, "btn-one").await, Value::Null);
}

/// sign-in-button.md: three tabs that reload together all hold the old handle, and none of them loses; a
/// minute later the old one is dead.
async fn p7_rotation_has_a_minute_of_grace(world: World) {
    let (ada, _) = returning(&world).await;
    let tabs: Vec<Actor> = (0..3).map(|_| ada.clone()).collect();
    let mut handles = vec![ada.jar.value("leadgate_r_").unwrap()];
    for mut tab in tabs.clone() {
        assert_eq!(error_of(&mut tab, PARTNER, "btn-one").await, Value::Null);
        handles.push(tab.jar.value("leadgate_r_").unwrap());
        world.advance(19);
    }
    handles.sort_unstable();
    handles.dedup();
    assert_eq!(handles.len(), 4, "each answer brings a fresh handle");
    world.advance(2);
    assert_eq!(error_of(&mut ada.clone(), PARTNER, "btn-one").await, Value::Null, "59 s");
    world.advance(1);
    assert_eq!(error_of(&mut ada.clone(), PARTNER, "btn-one").await, "login_required", "60 s, not prolonged by use");
}

/// sign-in-button.md: ninety days from the last visit.
async fn p7_a_handle_lives_ninety_days(world: World) {
    let (mut ada, _) = returning(&world).await;
    let (mut idle, _) = returning(&world).await;
    for _ in 0..3 {
        world.advance(90 * DAY - 61);
        assert_eq!(error_of(&mut ada, PARTNER, "btn-one").await, Value::Null, "each visit begins ninety days anew");
    }
    assert_eq!(error_of(&mut idle, PARTNER, "btn-one").await, "login_required");
    let (mut late, _) = returning(&world).await;
    world.advance(90 * DAY);
    assert_eq!(error_of(&mut late, PARTNER, "btn-one").await, "login_required");
}

/// sign-in-button.md: sweeping away what is over leaves a handle alone that outlives its session.
async fn p7_a_handle_survives_the_sweeper(world: World) {
    let (mut ada, tokens) = returning(&world).await;
    for _ in 0..4 {
        world.advance(89 * DAY);
        leadgate::worker::sweep(&world.ctx).await.unwrap();
        assert_eq!(error_of(&mut ada, PARTNER, "btn-one").await, Value::Null);
    }
    assert!(ada.get("/account").await.is_login_page(), "the session itself is long over");
    assert_eq!(world.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], true);
    world.advance(92 * DAY);
    leadgate::worker::sweep(&world.ctx).await.unwrap();
    for table in ["sessions", "resume_handles", "codes", "flows", "access_tokens"] {
        assert_eq!(world.database.db_count(&format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
    }
    assert_eq!(world.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], true, "a connection is never swept");
}

/// sign-in-button.md, P7, N9: dead at logout, at a disconnect by either side, and when the user is disabled.
async fn p7_a_handle_dies_with_its_session_connection_and_user(world: World) {
    let (mut ada, tokens) = returning(&world).await;
    let csrf = ada.get("/account").await.csrf();
    let before = ada.clone();
    ada.post("/logout", &[("csrf", &csrf)]).await.location();
    assert_eq!(error_of(&mut before.clone(), PARTNER, "btn-one").await, "login_required", "logout");
    assert_eq!(world.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], true, "the connection outlives it");

    let (mut ada, tokens) = returning(&world).await;
    world.disconnect(&tokens.refresh).await;
    assert_eq!(error_of(&mut ada, PARTNER, "btn-one").await, "login_required", "disconnect by the partner");
    // Consenting again makes another connection: the old handle does not come back to life with it.
    returning(&world).await;
    assert_eq!(error_of(&mut ada, PARTNER, "btn-one").await, "login_required", "a dead handle stays dead");

    let (mut ada, _) = returning(&world).await;
    let page = ada.get("/account").await;
    let action = format!("/account/connections/{}", page.between("/account/connections/", "\"").unwrap());
    ada.post(&action, &[("csrf", &page.csrf())]).await.location();
    assert_eq!(error_of(&mut ada, PARTNER, "btn-one").await, "login_required", "disconnect by the user");

    let (mut ada, _) = returning(&world).await;
    world.disable(ADA).await;
    assert_eq!(error_of(&mut ada, PARTNER, "btn-one").await, "login_required", "disabled");
    world.enable(ADA).await;
    assert_eq!(error_of(&mut ada, PARTNER, "btn-one").await, "login_required", "enabling signs nobody in");
}

/// sign-in-button.md: a second site of the same application is silent only where the browser sends the
/// button-session cookie to other sites.
async fn p7_a_second_site_needs_third_party_cookies(world: World) {
    for blocks in [true, false] {
        let mut ada = world.actor();
        ada.jar.blocks_third_parties = blocks;
        let tokens = ada.connect("btn-one", PARTNER, ADA).await;
        let result = ada.resume(OTHER, &["btn-one"]).await["btn-one"].clone();
        if blocks {
            assert_eq!(result["error"], "login_required");
            // There a click opens a pop-up that needs no answer.
            let opened = ada.open(Click::on("btn-one", OTHER)).await;
            let code = ada.get(&opened.path).await.expect(200).code();
            assert_eq!(Tokens::of(&ada.redeem(&opened, &code).await.json()).refresh, tokens.refresh);
        } else {
            assert_eq!(Tokens::of(&result).refresh, tokens.refresh);
        }
        assert_eq!(error_of(&mut ada, OTHER, "btn-one").await, Value::Null, "now it has a handle of its own");
    }
}

/// The session cookie itself is not one that partner pages may send, and the button's is no session.
async fn p9_a_session_cookie_resumes_nothing(world: World) {
    let mut ada = world.actor();
    ada.connect("btn-one", PARTNER, ADA).await;
    let session = format!("{}={}", ada.jar.name("_session_").unwrap(), ada.jar.value("_session_").unwrap());
    let renamed = format!("{}={}", ada.jar.name("_button_").unwrap(), ada.jar.value("_session_").unwrap());
    let button = format!("{}={}", ada.jar.name("_button_").unwrap(), ada.jar.value("_button_").unwrap());
    for (cookie, error) in
        [(session, json!("login_required")), (renamed, json!("login_required")), (button, Value::Null)]
    {
        let headers = [("origin", OTHER), ("cookie", cookie.as_str())];
        let results = world.post_json("/button/resume", &headers, &json!({"btns": ["btn-one"]})).await.json();
        assert_eq!(results["results"]["btn-one"]["error"], error, "{cookie}");
    }
}

/// C13, wire.md A1: a button that asks for more than was consented to waits for a click.
async fn c13_a_wider_button_waits_for_a_click(world: World) {
    let (mut ada, tokens) = returning(&world).await;
    let results = ada.resume(PARTNER, &["btn-wide", "btn-one"]).await;
    assert_eq!(results["btn-wide"]["error"], "consent_required");
    assert_eq!(Tokens::of(&results["btn-one"]).refresh, tokens.refresh);
    let opened = ada.open(Click::on("btn-wide", PARTNER)).await;
    let consent = ada.get(&opened.path).await;
    let code = ada.decide(&opened, &consent, "allow").await.code();
    ada.redeem(&opened, &code).await;
    let results = ada.resume(PARTNER, &["btn-wide", "btn-one"]).await;
    let (wide, one) = (Tokens::of(&results["btn-wide"]), Tokens::of(&results["btn-one"]));
    assert_eq!(wide.refresh, one.refresh, "so the script fires once for the application");
}

/// wire.md A1: each button has its own answer, in one request.
async fn wire_a1_each_button_of_a_page_has_its_answer(world: World) {
    let (mut ada, _) = returning(&world).await;
    let btns = ["btn-one", "btn-two", "btn-none", "btn-all", "btn-one", "", "\u{0}", "x y"];
    let results = ada.resume(PARTNER, &btns).await;
    assert_eq!(results.as_object().unwrap().len(), 7, "each once: {results}");
    assert_eq!(results["btn-one"]["valid"], true);
    for (btn, error) in [
        ("btn-two", "login_required"),
        ("btn-none", "invalid_button"),
        ("btn-all", "origin_not_allowed"),
        ("", "invalid_button"),
        ("\u{0}", "invalid_button"),
    ] {
        let result = &results[btn];
        assert_eq!((&result["error"], &result["valid"]), (&json!(error), &json!(false)), "{btn}");
        assert_eq!((&result["buttonId"], &result["auto"]), (&json!(btn), &json!(true)));
        assert_eq!(result.as_object().unwrap().len(), 8);
    }
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM access_tokens").await, 2, "one for the application");
}

/// wire.md A1: whether a page may be returned to is judged exactly.
async fn wire_a1_return_registered_is_exact(world: World) {
    let mut ada = world.actor();
    for (btns, return_to, expected) in [
        (json!(["btn-one"]), json!("https://partner.test/signin"), true),
        (json!(["btn-one"]), json!("https://partner.test/signin/"), false),
        (json!(["btn-one"]), json!("https://partner.test/signin?a"), false),
        (json!(["btn-one"]), json!("https://partner.test/SignIn"), false),
        (json!(["btn-one"]), json!(""), false),
        (json!(["btn-one"]), Value::Null, false),
        (json!(["btn-wide"]), json!("https://partner.test/signin"), false),
        (json!(["btn-one", "btn-wide"]), json!("https://partner.test/signin"), false),
        (json!(["btn-one", "btn-none"]), json!("https://partner.test/signin"), true),
        (json!(["btn-none"]), json!("https://partner.test/signin"), false),
        (json!([]), json!("https://partner.test/signin"), false),
    ] {
        let body = json!({"btns": btns, "return_to": return_to});
        let answer = ada.fetch(PARTNER, "/button/resume", &body).await.expect(200).json();
        assert_eq!(answer["return_registered"], expected, "{body}");
    }
    let answer = ada.fetch(PARTNER, "/button/resume", &json!({"btns": ["btn-one"]})).await.expect(200).json();
    assert_eq!(answer["return_registered"], false);
}

/// wire.md A1: what is no such request has the result's form, readable by the page.
async fn wire_a1_a_malformed_resume_has_the_results_form(world: World) {
    let many = json!({"btns": (0..51).map(|i| format!("btn-{i}")).collect::<Vec<_>>()}).to_string();
    let oversized = json!({"btns": ["x".repeat(70_000)]}).to_string();
    for (kind, body, status) in [
        ("application/json", "", 400),
        ("application/json", "{}", 400),
        ("application/json", "{\"btns\":\"btn-one\"}", 400),
        ("application/json", "{\"btns\":[1]}", 400),
        ("application/json", "{\"btns\":[\"btn-one\"],\"return_to\":7}", 400),
        ("application/json", many.as_str(), 400),
        ("application/json", oversized.as_str(), 413),
        ("text/plain", "{\"btns\":[\"btn-one\"]}", 415),
    ] {
        let headers = [("origin", PARTNER), ("content-type", kind)];
        let answer = world.send(request("POST", "/button/resume", &headers, body.to_owned())).await.expect(status);
        assert_eq!(answer.header("access-control-allow-origin"), Some(PARTNER));
        assert_eq!((&answer.json()["valid"], answer.json().as_object().unwrap().len()), (&json!(false), 8));
    }
}

/// One connection for a user and application; what one user's browser holds never answers for another's.
async fn p7_two_users_of_one_page_are_kept_apart(world: World) {
    let (mut ada, hers) = returning(&world).await;
    let mut grace = world.actor();
    let theirs = grace.connect("btn-one", PARTNER, GRACE).await;
    assert_eq!(Tokens::of(&ada.resume(PARTNER, &["btn-one"]).await["btn-one"]).refresh, hers.refresh);
    assert_eq!(Tokens::of(&grace.resume(PARTNER, &["btn-one"]).await["btn-one"]).refresh, theirs.refresh);
    let me = world.me(&theirs.access).await.json();
    assert_eq!((&me["user"]["email"], &me["account"]["id"]), (&json!(GRACE), &json!("zenith")));
}

/// sign-in-button.md, headers: two servers on ports of one host share a cookie jar, and must not share cookies.
async fn p7_cookies_carry_the_issuer_in_their_names(world: World) {
    let mut ada = world.actor();
    ada.connect("btn-one", "http://localhost:9001", ADA).await;
    let here: Vec<_> =
        ["_session_", "_button_", "_browser_", "leadgate_r_"].map(|part| ada.jar.name(part).unwrap()).into();
    let setup = Setup::at("http://localhost:8081");
    let neighbour = World::start(world.database.clone(), &Setup { master_key: world.setup.master_key, ..setup }).await;
    let mut there = neighbour.actor();
    there.connect("btn-one", "http://localhost:9001", ADA).await;
    for (part, name) in ["_session_", "_button_", "_browser_", "leadgate_r_"].into_iter().zip(here) {
        assert_ne!(there.jar.name(part).unwrap(), name);
    }
}

both! {
    p7_a_returning_user_is_signed_in_without_a_click,
    p7_two_origins_of_one_site_are_both_signed_in,
    p9_a_handle_is_good_on_its_own_origin_only,
    p9_a_handle_is_good_for_its_own_application_only,
    p7_rotation_has_a_minute_of_grace,
    p7_a_handle_lives_ninety_days,
    p7_a_handle_survives_the_sweeper,
    p7_a_handle_dies_with_its_session_connection_and_user,
    p7_a_second_site_needs_third_party_cookies,
    p9_a_session_cookie_resumes_nothing,
    c13_a_wider_button_waits_for_a_click,
    wire_a1_each_button_of_a_page_has_its_answer,
    wire_a1_return_registered_is_exact,
    wire_a1_a_malformed_resume_has_the_results_form,
    p7_two_users_of_one_page_are_kept_apart,
}
both! { with support::Setup::at("http://localhost:8080"); p7_cookies_carry_the_issuer_in_their_names }
