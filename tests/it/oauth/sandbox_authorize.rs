//! The control plane: the outcome of an authorization request without a browser (wire.md part E).

use serde_json::{Value, json};

use super::support::{Ask, Issued, Landing, Mode, POCKET, STUDIO};
use crate::support::http::form;
use crate::support::{ADA, Answer, GRACE, ISSUER, World, both};

async fn authorize(world: &World, user: &str, decision: &str, address: &str) -> Answer {
    let body = json!({"user": user, "decision": decision, "authorize_url": address});
    world.sandbox_authorize(&body).await
}

#[track_caller]
fn assert_problem(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert!(answer.json().get("redirect_to").is_none());
}

/// What a browser would be sent to, for either decision; a consent persists as any other.
async fn part_e_a_decision_has_the_redirect_that_a_browser_gets(world: World) {
    let ask = Ask::of(&STUDIO).with("scope", "account_api");
    let denied = ask.decided(&world, ADA, "deny").await;
    assert_eq!(denied.error(), "access_denied");
    assert_eq!((denied.uri.as_str(), denied.value("state")), (STUDIO.redirect_uri, ask.value("state")));
    let allowed = ask.allowed(&world, ADA).await;
    assert_eq!((allowed.value("iss"), allowed.value("state")), (Some(ISSUER), ask.value("state")));
    Issued::of(&STUDIO.redeem(&world, &ask, &allowed.code()).await);
    let mut ada = world.actor();
    ada.sign_in(ADA).await;
    let again = ada.get(&ask.address()).await;
    let again = if again.location().starts_with('/') { ada.follow(&again).await } else { again };
    Landing::of(&again).expect("no question is asked").code();
    // The magic user never consents.
    assert_eq!(ask.allowed(&world, "deny@acme.test").await.error(), "access_denied");
    // The absolute address is as good.
    let answer = authorize(&world, ADA, "allow", &format!("{ISSUER}{}", ask.address())).await.expect(200);
    Landing::at(answer.json()["redirect_to"].as_str().unwrap()).code();
}

/// Each response mode has its form.
async fn part_e_each_response_mode_has_its_form(world: World) {
    let ask = Ask::of(&STUDIO);
    let landing = ask.clone().with("response_mode", "fragment").allowed(&world, ADA).await;
    assert_eq!(landing.mode, Mode::Fragment);
    landing.code();
    let posted = ask.clone().with("response_mode", "form_post");
    let answer = authorize(&world, ADA, "allow", &posted.address()).await.expect(200).json();
    assert_eq!(answer["redirect_to"], STUDIO.redirect_uri);
    assert_eq!((&answer["form"]["iss"], &answer["form"]["state"]), (&json!(ISSUER), &json!(ask.value("state"))));
    Issued::of(&STUDIO.redeem(&world, &posted, answer["form"]["code"].as_str().unwrap()).await);
}

/// An error that goes back to the client is a redirect here, too.
async fn part_e_an_error_for_the_client_is_a_redirect(world: World) {
    for (ask, error) in [
        (Ask::of(&STUDIO).with("scope", "admin"), "invalid_scope"),
        (Ask::of(&STUDIO).with("response_type", "token"), "unsupported_response_type"),
        (Ask::of(&POCKET).without_pkce(), "invalid_request"),
    ] {
        assert_eq!(ask.allowed(&world, ADA).await.error(), error);
    }
}

/// What a browser would be shown as a page is a problem, and never a `redirect_to`.
async fn part_e_an_error_on_a_page_is_a_problem(world: World) {
    let ask = Ask::of(&STUDIO);
    for address in [
        ask.clone().with("client_id", "nobody").address(),
        ask.clone().without("client_id").address(),
        ask.clone().with("redirect_uri", "https://evil.example/").address(),
        ask.clone().without("redirect_uri").address(),
        format!("/oauth/authorize?{}", form(&[("client_id", STUDIO.id), ("request_uri", "urn:x")])),
        "/oauth/authorize".to_owned(),
        "/oauth/token".to_owned(),
        "/account".to_owned(),
        format!("https://evil.example{}", ask.address()),
        String::new(),
        "\u{0}".to_owned(),
    ] {
        assert_problem(&authorize(&world, ADA, "allow", &address).await, 400);
    }
    for (user, decision, status) in [("nobody@acme.test", "allow", 404), (ADA, "maybe", 400), (ADA, "", 400)] {
        assert_problem(&authorize(&world, user, decision, &ask.address()).await, status);
    }
    world.disable(GRACE).await;
    assert_problem(&authorize(&world, GRACE, "allow", &ask.address()).await, 409);
    for body in [
        json!({"user": ADA, "decision": "allow"}),
        json!({"user": ADA, "decision": "allow", "button": "btn-one", "authorize_url": ask.address()}),
        json!({"user": ADA, "decision": "allow", "authorize_url": 7}),
    ] {
        assert_problem(&world.sandbox_authorize(&body).await, 400);
    }
    let nobody: Value = json!({"user": ADA, "decision": "allow", "authorize_url": ask.address()});
    assert_problem(&world.post_json("/_sandbox/authorize", &[], &nobody).await, 401);
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM connections").await, 0);
}

both! {
    part_e_a_decision_has_the_redirect_that_a_browser_gets,
    part_e_each_response_mode_has_its_form,
    part_e_an_error_for_the_client_is_a_redirect,
    part_e_an_error_on_a_page_is_a_problem,
}
