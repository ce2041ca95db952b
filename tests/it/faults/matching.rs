//! Which requests a rule is for, and how often.

use serde_json::{Value, json};

use super::{fault_of, rule};
use crate::oauth::support::{Ask, POCKET, RIVAL, STUDIO, keyed};
use crate::support::http::request;
use crate::support::{
    ADA, APP_ONE, APP_TWO, Answer, Click, GRACE, PARTNER, PASSWORD, Tokens, World, both, connect_by_api,
};

fn for_app(endpoint: &str, app: &str) -> Value {
    json!([{"match": {"endpoint": endpoint, "app": app}, "times": "always", "effect": {"status": 500}}])
}

fn for_user(endpoint: &str, user: &str) -> Value {
    json!([{"match": {"endpoint": endpoint, "user": user}, "times": "always", "effect": {"status": 500}}])
}

/// Whether a fault acted, where an answer without one would have another status.
#[track_caller]
fn acted(answer: &Answer) -> bool {
    assert_eq!(answer.status == 500, fault_of(answer).is_some(), "{answer:?}");
    answer.status == 500
}

/// The first that matches and has a use left, and it alone.
async fn e_rules_act_in_their_order(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    world
        .put_faults(json!([
            {"id": "other", "match": {"endpoint": "me"}, "effect": {"status": 500}},
            {"id": "twice", "match": {"endpoint": "refreshaccesstoken"}, "times": 2, "effect": {"status": 501}},
            {"id": "late", "match": {"endpoint": "refreshaccesstoken"}, "when": "after", "effect": {"status": 502}},
            {"id": "always", "match": {"endpoint": "refreshaccesstoken"}, "times": "always", "effect": {"status": 503}},
        ]))
        .await;
    for (status, id) in [(501, "twice"), (501, "twice"), (502, "late"), (503, "always"), (503, "always")] {
        assert_eq!(fault_of(&world.refresh(&tokens.refresh, APP_ONE).await.expect(status)), Some(id));
    }
    assert_eq!(world.hits().await, [0, 2, 1, 2]);
    world.faults("DELETE", &Value::Null).await.expect(204);
    assert_eq!(world.hits().await, [0; 0]);
    assert_eq!(fault_of(&world.refresh(&tokens.refresh, APP_ONE).await.expect(200)), None);
}

/// Of many requests at once exactly as many meet a rule as it has uses, before and after alike.
async fn e_counts_are_exact_for_requests_at_once(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    for when in ["before", "after"] {
        let rule = json!({"match": {"endpoint": "refreshaccesstoken", "app": APP_ONE}, "times": 3, "when": when, "effect": {"status": 503}});
        world.put_faults(json!([rule])).await;
        let requests: Vec<_> = (0..24)
            .map(|_| {
                let (world, refresh) = (world.clone(), tokens.refresh.clone());
                tokio::spawn(async move { world.refresh(&refresh, APP_ONE).await.status })
            })
            .collect();
        let mut failed = 0;
        for request in requests {
            failed += usize::from(request.await.unwrap() == 503);
        }
        assert_eq!((failed, world.hits().await), (3, vec![3]), "{when}");
    }
}

/// At LeadExec's endpoints: by `appid`, and by whom the refresh token is of.
async fn e_a_refresh_token_tells_whose_it_is(world: World) {
    let ada = connect_by_api(&world, ADA, "btn-one").await;
    let grace = connect_by_api(&world, GRACE, "btn-two").await;
    world.put_faults(for_app("refreshaccesstoken", APP_ONE)).await;
    assert!(acted(&world.refresh(&ada.refresh, APP_ONE).await));
    assert!(acted(&world.refresh("no-token", APP_ONE).await), "the request says so");
    assert!(acted(&world.refresh(&ada.refresh, "").await), "the token says so");
    assert!(!acted(&world.refresh(&grace.refresh, APP_TWO).await));
    world.put_faults(for_user("refreshaccesstoken", "GRACE@zenith.test")).await;
    assert!(!acted(&world.refresh(&ada.refresh, APP_ONE).await));
    assert!(acted(&world.refresh(&grace.refresh, APP_TWO).await));
    assert!(!acted(&world.refresh(&format!("{}x", grace.refresh), APP_TWO).await), "no token of hers");
    world.put_faults(for_user("disconnect", ADA)).await;
    let by_form = |token: &str| {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        request("POST", "/authorize/disconnect", &headers, format!("token={token}"))
    };
    assert!(acted(&world.send(by_form(&ada.refresh)).await));
    let body = world.send(by_form(&grace.refresh)).await.expect(200).json();
    assert_eq!(body["valid"], true, "the form was handed on as it came");
}

/// At the button's endpoints: by button, code and cookies.
async fn e_a_button_tells_its_application(world: World) {
    let click = async |btn: &str| world.get(&Click::on(btn, PARTNER).address()).await;
    world.put_faults(for_app("/button/authorize", APP_TWO)).await;
    assert!(acted(&click("btn-two").await) && !acted(&click("btn-one").await));

    let mut ada = world.actor();
    let (opened, code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
    world
        .put_faults(json!([
            {"match": {"endpoint": "/button/token", "user": ADA}, "effect": {"status": 500}},
            {"match": {"endpoint": "/button/token", "app": APP_TWO}, "effect": {"status": 500}},
        ]))
        .await;
    assert!(acted(&ada.redeem(&opened, &code).await), "the code is hers");
    Tokens::of(&ada.redeem(&opened, &code).await.expect(200).json());
    assert_eq!(world.hits().await, [1, 0]);

    let mut blocking = world.actor();
    blocking.jar.blocks_third_parties = true;
    blocking.connect("btn-one", PARTNER, GRACE).await;
    let resume = json!({"btns": ["btn-one"]});
    world.put_faults(for_user("resume", GRACE)).await;
    assert!(acted(&blocking.fetch(PARTNER, "/button/resume", &resume).await), "by the page's own cookie");
    assert!(!acted(&ada.fetch(PARTNER, "/button/resume", &resume).await));
    world.put_faults(for_user("resume", ADA)).await;
    assert!(acted(&ada.fetch(PARTNER, "/button/resume", &resume).await));
    world.put_faults(for_app("resume", APP_TWO)).await;
    assert!(!acted(&ada.fetch(PARTNER, "/button/resume", &resume).await));
    assert!(acted(&ada.fetch(PARTNER, "/button/resume", &json!({"btns": ["btn-one", "btn-two"]})).await));
}

/// On pages: by the login that is typed, by the session, by the dialog's application.
async fn e_pages_tell_who_is_there(world: World) {
    world
        .put_faults(json!([
            {"match": {"endpoint": "/dialog/{flow}/login", "user": GRACE}, "effect": {"status": 500}},
            {"match": {"endpoint": "/dialog/{flow}", "app": APP_TWO}, "effect": {"status": 500}},
            {"match": {"endpoint": "account", "user": ADA}, "effect": {"status": 500}},
        ]))
        .await;
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    assert!(!acted(&ada.post_login(&opened, ADA, PASSWORD).await));
    assert!(acted(&ada.get("/account").await) && !acted(&ada.get("/account").await));
    let mut grace = world.actor();
    let opened = grace.open(Click::on("btn-one", PARTNER)).await;
    assert!(acted(&grace.post_login(&opened, " Grace@Zenith.test", PASSWORD).await));
    assert!(!acted(&grace.get("/account").await), "she is not signed in");
    let opened = grace.open(Click::on("btn-two", PARTNER)).await;
    assert!(acted(&grace.get(&opened.path).await));
    assert_eq!(world.hits().await, [1, 1, 1]);
}

/// At the standard endpoints: by whatever names the client, and by code and tokens.
async fn e_clients_are_known_however_they_say_who_they_are(world: World) {
    world.put_faults(for_app("/oauth/token", "studio")).await;
    let grant = [("grant_type", "client_credentials")];
    assert!(acted(&STUDIO.token(&world, &grant).await), "by the header");
    assert!(!acted(&RIVAL.token(&world, &grant).await));
    world.put_faults(for_app("/oauth/token", "pocket")).await;
    assert!(acted(&POCKET.token(&world, &grant).await), "by the form");
    world.put_faults(for_app("/oauth/token", "keyed")).await;
    let with_assertion_only = {
        let (_, fields) = keyed().credentials(&world);
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .filter(|(name, _)| *name != "client_id")
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        request("POST", "/oauth/token", &headers, crate::support::http::form(&fields))
    };
    assert!(acted(&world.send(with_assertion_only).await), "by the assertion");
    world.put_faults(for_app("/oauth/authorize", "rival")).await;
    assert!(
        acted(&world.get(&Ask::of(&RIVAL).address()).await) && !acted(&world.get(&Ask::of(&STUDIO).address()).await)
    );

    world.put_faults(json!([])).await;
    let (ada, grace) = (STUDIO.connect(&world, ADA).await, STUDIO.connect(&world, GRACE).await);
    let ask = Ask::of(&STUDIO);
    let code = ask.allowed(&world, GRACE).await.code();
    world.put_faults(for_user("token", GRACE)).await;
    assert!(acted(&STUDIO.redeem(&world, &ask, &code).await), "by the code");
    assert!(acted(&STUDIO.refresh(&world, grace.refresh()).await), "by the refresh token");
    assert!(!acted(&STUDIO.refresh(&world, ada.refresh()).await));
    let password = [("grant_type", "password"), ("username", GRACE), ("password", PASSWORD)];
    assert!(acted(&STUDIO.token(&world, &password).await), "by the name");
    for endpoint in ["me", "introspect", "revoke"] {
        world.put_faults(for_user(endpoint, GRACE)).await;
        let mut answers = Vec::new();
        for access in [&grace.access, &ada.access] {
            answers.push(match endpoint {
                "me" => world.me(access).await,
                _ => STUDIO.post(&world, &format!("/oauth/{endpoint}"), &[("token", access)]).await,
            });
        }
        assert!(acted(&answers[0]) && !acted(&answers[1]), "{endpoint}: {answers:?}");
    }
}

/// A body is handed on as it came, also one that is too large to be looked at.
async fn e_a_body_that_is_too_large_is_left_to_the_endpoint(world: World) {
    world.put_faults(for_app("/button/token", APP_ONE)).await;
    let headers = [("origin", PARTNER)];
    let padded = json!({"btn": "btn-one", "code": "x".repeat(70_000), "code_verifier": "x"});
    let answer = world.post_json("/button/token", &headers, &padded).await;
    assert_eq!((answer.status, fault_of(&answer)), (413, None));
    let cut =
        request("POST", "/button/token", &[("content-type", "application/json"), headers[0]], "{\"btn\":\"btn-one\"");
    let answer = world.send(cut).await;
    assert_eq!((answer.status, fault_of(&answer)), (400, None), "what is no JSON names nobody");
}

/// HEAD is no way around a rule, and a rule for one route leaves its namesakes alone.
async fn e_a_whole_route_is_exact(world: World) {
    world
        .put_faults(json!([
            rule("/authorize/disconnect", &json!({"status": 500})),
            rule("/account", &json!({"status": 500}))
        ]))
        .await;
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    assert!(!acted(&world.get("/account/connections/x/disconnect").await));
    assert!(acted(&world.send(request("HEAD", "/account", &[], "")).await));
    world.disconnect(&tokens.refresh).await.expect(200);
    assert_eq!(world.hits().await, [0, 1]);
}

both! {
    e_rules_act_in_their_order,
    e_a_refresh_token_tells_whose_it_is,
    e_a_button_tells_its_application,
    e_pages_tell_who_is_there,
    e_clients_are_known_however_they_say_who_they_are,
    e_a_body_that_is_too_large_is_left_to_the_endpoint,
    e_a_whole_route_is_exact,
}
both! { on many threads; e_counts_are_exact_for_requests_at_once }
