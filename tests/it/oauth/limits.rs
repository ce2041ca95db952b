//! What a request may not get around: a sign-in that was asked for, a consent, a limit, a registration that has changed.

use leadgate::services::throttle::Limits;
use serde_json::json;

use super::support::{
    Ask, FORM, Issued, MACHINE, POCKET, RATE_FINDER, STUDIO, STUDIO_API, assert_error, assert_page, basic, register,
};
use crate::support::http::{form, from_address, request};
use crate::support::{ADA, APP_ONE, GRACE, Setup, World, both, connect_by_api};

/// B22: a sign-in that is too old, or another user's, decides nothing: not by a form that was never shown either.
async fn wire_b_a_fresh_sign_in_cannot_be_skipped(world: World) {
    let mut ada = world.actor();
    ada.allow(&Ask::of(&STUDIO), ADA).await;
    let hint = STUDIO.connect_for(&world, GRACE, "openid").await;
    world.advance(60);
    // Every form of a session has the same token.
    let csrf = ada.get("/account").await.expect(200).csrf();
    for (name, value) in
        [("prompt", "login"), ("prompt", "select_account"), ("max_age", "59"), ("id_token_hint", hint.id_token())]
    {
        let answer = ada.get(&Ask::of(&STUDIO).with(name, value).address()).await;
        let dialog = answer.location().to_owned();
        assert!(ada.get(&dialog).await.is_login_page(), "{name}={value}");
        for decision in ["allow", "deny"] {
            let fields = [("csrf", csrf.as_str()), ("decision", decision)];
            let answer = ada.post(&format!("{dialog}/decision"), &fields).await;
            assert_page(&answer, 403);
        }
    }
}

/// RFC 8628 section 5.1: past the limit the right code is not looked at either.
async fn wire_b_guesses_at_user_codes_are_limited(world: World) {
    let device = POCKET.post(&world, "/oauth/device_authorization", &[]).await.expect(200).json();
    let mut ada = world.actor();
    let csrf = ada.get("/device").await.expect(200).csrf();
    let attempt = |from: u8, code: &str| {
        let headers = [("content-type", FORM)];
        from_address(request("POST", "/device", &headers, form(&[("csrf", &csrf), ("user_code", code)])), from)
    };
    for _ in 0..3 {
        ada.send(None, attempt(1, "BBBB-BBBB")).await.expect(422);
    }
    let right = device["user_code"].as_str().unwrap();
    let slowed = ada.send(None, attempt(1, right)).await.expect(429);
    assert!(slowed.header("retry-after").is_some());
    ada.send(None, attempt(2, right)).await.expect(303);
}

/// E10: past the limit the right secret is not looked at either, from there.
async fn e10_past_the_limit_no_secret_is_looked_at(world: World) {
    let attempt = |from: u8, secret: &str| {
        let authorization = basic(STUDIO.id, secret);
        let headers = [("content-type", FORM), ("authorization", authorization.as_str())];
        let body = form(&[("grant_type", "client_credentials")]);
        from_address(request("POST", "/oauth/token", &headers, body), from)
    };
    for _ in 0..3 {
        assert_error(&world.send(attempt(1, "wrong")).await, 401, "invalid_client");
    }
    assert_error(&world.send(attempt(1, "wrong")).await, 429, "slow_down");
    assert_error(&world.send(attempt(1, "studio-client-secret")).await, 429, "slow_down");
    Issued::of(&world.send(attempt(2, "studio-client-secret")).await);
}

/// What a back end is allowed does not reach the token of a button, which a page holds.
async fn wire_a2_a_button_gets_what_it_asked_for(world: World) {
    let page = connect_by_api(&world, ADA, "btn-one").await;
    let wide = Ask::of(&RATE_FINDER).with("scope", "account_api data_api openid email");
    let code = wide.allowed(&world, ADA).await.code();
    Issued::of(&RATE_FINDER.redeem(&world, &wide, &code).await);
    let refreshed = world.refresh(&page.refresh, APP_ONE).await.expect(200).json();
    let token = refreshed["authToken"].as_str().unwrap().to_owned();
    let state = RATE_FINDER.introspect(&world, &token).await;
    assert_eq!((&state["active"], &state["scope"]), (&json!(true), &json!("account_api")));
    let bearer = format!("Bearer {token}");
    world.send(request("GET", "/oauth/userinfo", &[("authorization", &bearer)], "")).await.expect(403);
    // One connection all the same: a button that asks for what was granted to the back end needs no question.
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM connections").await, 1);
}

/// A grant holds no more than its client may have now.
async fn f6_a_client_loses_what_it_is_no_longer_registered_for(world: World) {
    let grants = json!(["authorization_code", "refresh_token"]);
    let metadata =
        |scope: &str| json!({"redirect_uris": ["https://new.test/cb"], "grant_types": grants.clone(), "scope": scope});
    let client = register(&world, &metadata("account_api data_api")).await.expect(201).json();
    let id = client["client_id"].as_str().unwrap();
    let authorization = basic(id, client["client_secret"].as_str().unwrap());
    let token = async |fields: &[(&str, &str)]| {
        let headers = [("content-type", FORM), ("authorization", authorization.as_str())];
        world.send(request("POST", "/oauth/token", &headers, form(fields))).await
    };
    let address = format!("/oauth/authorize?response_type=code&client_id={id}&scope=account_api+data_api");
    let mut ada = world.actor();
    let answer = ada.get(&address).await;
    let code = ada.go_on(answer, ADA, "allow").await.unwrap().code();
    let first = Issued::of(&token(&[("grant_type", "authorization_code"), ("code", &code)]).await);
    let manage = async |scope: &str| {
        let bearer = format!("Bearer {}", client["registration_access_token"].as_str().unwrap());
        let headers = [("content-type", "application/json"), ("authorization", bearer.as_str())];
        let mut body = metadata(scope);
        body["client_id"] = json!(id);
        let path = format!("/oauth/register/{id}");
        world.send(request("PUT", &path, &headers, body.to_string())).await.expect(200)
    };
    manage("account_api").await;
    let second = Issued::of(&token(&[("grant_type", "refresh_token"), ("refresh_token", first.refresh())]).await);
    assert_eq!(second.scope(), ["account_api"]);
    manage("lead_receiver").await;
    let third = token(&[("grant_type", "refresh_token"), ("refresh_token", second.refresh())]).await;
    assert_error(&third, 400, "invalid_grant");
}

/// F2: a spent token is a theft whatever comes with it.
async fn f2_a_bad_scope_does_not_hide_a_theft(world: World) {
    let first = STUDIO.connect(&world, ADA).await;
    let second = Issued::of(&STUDIO.refresh(&world, first.refresh()).await);
    world.me(&second.access).await.expect(200);
    let fields = [("grant_type", "refresh_token"), ("refresh_token", first.refresh()), ("scope", "no_such_scope")];
    assert_error(&STUDIO.token(&world, &fields).await, 400, "invalid_grant");
    assert!(!STUDIO.is_active(&world, second.refresh()).await, "the family has ended");
}

/// F3: what is refused for its scope is no use.
async fn f3_a_refused_call_is_no_use(world: World) {
    let first = STUDIO.connect_for(&world, ADA, "openid").await;
    let second = Issued::of(&STUDIO.refresh(&world, first.refresh()).await);
    world.me(&second.access).await.expect(403);
    Issued::of(&STUDIO.refresh(&world, first.refresh()).await);
}

/// F3: an access token is accepted, or the refresh token before it is honoured once more: never both.
async fn f3_a_use_and_a_replay_exclude_each_other(world: World) {
    for _ in 0..20 {
        let first = STUDIO.connect(&world, ADA).await;
        let second = Issued::of(&STUDIO.refresh(&world, first.refresh()).await);
        let (used, replayed) = tokio::join!(world.me(&second.access), STUDIO.refresh(&world, first.refresh()));
        assert!(used.status != 200 || replayed.status != 200, "{used:?} {replayed:?}");
        assert!(used.status == 200 || replayed.status == 200, "{used:?} {replayed:?}");
    }
}

/// B9: what a database cannot keep is refused before it is kept.
async fn b9_control_characters_are_refused(world: World) {
    for name in ["nonce", "login_hint"] {
        for value in ["a\0b", "a\u{1}", "\u{7f}"] {
            let landing = Ask::of(&STUDIO).with(name, value).refused(&world).await;
            assert_eq!(landing.error(), "invalid_request", "{name}");
        }
    }
}

/// An application that gets the id of a deleted one gets none of its tokens.
async fn wire_b_no_token_outlives_its_client(world: World) {
    let issued = Issued::of(&MACHINE.token(&world, &[("grant_type", "client_credentials")]).await);
    world.me(&issued.access).await.expect(200);
    world.delete_app("machine").await;
    world.me(&issued.access).await.expect(401);
    world.seed_again().await;
    Issued::of(&MACHINE.token(&world, &[("grant_type", "client_credentials")]).await);
    world.me(&issued.access).await.expect(401);
}

/// What was allowed for this server is asked for again where it is for another API, and the page says so.
async fn wire_b_another_api_is_consented_to_by_itself(world: World) {
    let mut ada = world.actor();
    ada.allow(&Ask::of(&STUDIO), ADA).await;
    let page = ada.first_page(&Ask::of(&STUDIO).with("resource", STUDIO_API)).await;
    assert!(page.text().contains(STUDIO_API), "{}", page.text());
    let silent = ada.get(&Ask::of(&STUDIO).with("resource", STUDIO_API).with("prompt", "none").address()).await;
    assert!(silent.location().contains("error=consent_required"), "{}", silent.location());
}

fn three_refusals_a_minute() -> Setup {
    Setup { limits: Limits { refusals: 3, ..Limits::NONE }, ..Setup::default() }
}

both! {
    wire_b_a_fresh_sign_in_cannot_be_skipped,
    wire_a2_a_button_gets_what_it_asked_for,
    f6_a_client_loses_what_it_is_no_longer_registered_for,
    f2_a_bad_scope_does_not_hide_a_theft,
    f3_a_refused_call_is_no_use,
    f3_a_use_and_a_replay_exclude_each_other,
    b9_control_characters_are_refused,
    wire_b_no_token_outlives_its_client,
    wire_b_another_api_is_consented_to_by_itself,
}
both! {
    with super::three_refusals_a_minute();
    wire_b_guesses_at_user_codes_are_limited,
    e10_past_the_limit_no_secret_is_looked_at,
}
