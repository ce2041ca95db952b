//! Tokens that a test gets without a flow, and ends when it wants.

use serde_json::{Value, json};

use super::{assert_problem, assert_problem_at};
use crate::support::http::{form, request};
use crate::support::{ADA, APP_ONE, APP_TWO, GRACE, World, both};

async fn tokens(world: &World, body: &Value) -> (String, u64, String) {
    let made = world.make("/tokens", body).await.expect(200);
    assert_eq!(made.header("cache-control"), Some("no-store"));
    let made = made.json();
    let text = |member: &str| made[member].as_str().unwrap().to_owned();
    (text("access_token"), made["expires_in"].as_u64().unwrap(), text("refresh_token"))
}

async fn end(world: &World, how: &str, token: &str) -> Value {
    let answer = world.make(&format!("/tokens/{how}"), &json!({"token": token})).await.expect(200);
    assert!(!answer.text().contains(token), "it is not echoed");
    answer.json()
}

/// Of the standard class: the body of the token endpoint's answer.
async fn standard(world: &World, fields: &[(&str, &str)]) -> Value {
    let fields = [fields, &[("client_id", "studio"), ("client_secret", "studio-client-secret")]].concat();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    world.send(request("POST", "/oauth/token", &headers, form(&fields))).await.json()
}

/// Tokens as a sign-in gives them; scopes and lifetime that are named are the access token's own.
async fn e_tokens_without_a_flow(world: World) {
    let (access, lifetime, refresh) = tokens(&world, &json!({"user": ADA, "app": APP_ONE})).await;
    assert_eq!(lifetime, 3_600);
    let me = world.me(&access).await.expect(200).json();
    assert_eq!(me["scopes"], json!(["account_api", "data_api", "lead_receiver"]));
    assert_eq!(world.refresh(&refresh, APP_ONE).await.json()["valid"], true);

    let narrow = json!({"user": ADA, "app": APP_ONE, "scopes": ["data_api"], "expires_in": 60});
    let (access, lifetime, same) = tokens(&world, &narrow).await;
    assert_eq!((lifetime, &same), (60, &refresh));
    assert_eq!(world.me(&access).await.status, 403, "it is for nothing but data_api");
    let short = json!({"user": ADA, "app": APP_ONE, "scopes": ["account_api"], "expires_in": 60});
    let (access, ..) = tokens(&world, &short).await;
    let refreshed = world.refresh(&refresh, APP_ONE).await.json()["authToken"].as_str().unwrap().to_owned();
    world.advance(59);
    assert_eq!(world.me(&access).await.expect(200).json()["scopes"], json!(["account_api"]));
    world.advance(1);
    assert_eq!(world.me(&access).await.status, 401);
    world.me(&refreshed).await.expect(200);

    let long = json!({"user": ADA, "app": APP_ONE, "expires_in": 315_360_000});
    let (access, lifetime, _) = tokens(&world, &long).await;
    assert_eq!(lifetime, 315_360_000);
    world.advance(100_000_000);
    world.me(&access).await.expect(200);
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM connections").await, 1);
}

async fn e_what_tokens_cannot_be_made(world: World) {
    for (body, status, pointer) in [
        (json!({"user": ADA}), 400, "/app"),
        (json!({"user": "nobody@acme.test", "app": APP_ONE}), 404, "/user"),
        (json!({"user": ADA, "app": "nothing"}), 404, "/app"),
        (json!({"user": ADA, "app": APP_TWO, "scopes": ["lead_receiver"]}), 400, "/scopes"),
        (json!({"user": ADA, "app": APP_ONE, "expires_in": 0}), 400, "/expires_in"),
        (json!({"user": ADA, "app": APP_ONE, "expires_in": -1}), 400, "/expires_in"),
        (json!({"user": ADA, "app": APP_ONE, "expires_in": 1.5}), 400, "/expires_in"),
        (json!({"user": ADA, "app": APP_ONE, "expires_in": 315_360_001}), 400, "/expires_in"),
        (json!({"user": ADA, "app": APP_ONE, "expires_in": "60"}), 400, "/expires_in"),
        (json!({"user": ADA, "app": APP_ONE, "expiresIn": 60}), 400, "/expiresIn"),
        (json!({"user": "deny@acme.test", "app": APP_ONE}), 409, "/user"),
    ] {
        assert_problem_at(&world.make("/tokens", &body).await, status, pointer);
    }
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM access_tokens").await, 0);
}

/// An access token of LeadExec's class ends alone; its refresh token ends with all of the connection.
async fn e_leadexec_tokens_expire_and_are_revoked(world: World) {
    let ada = json!({"user": ADA, "app": APP_ONE});
    for how in ["expire", "revoke"] {
        let (access, _, refresh) = tokens(&world, &ada).await;
        let (other, ..) = tokens(&world, &ada).await;
        let outcome = end(&world, how, &access).await;
        assert_eq!((&outcome["kind"], &outcome["app"]), (&json!("access_token"), &json!(APP_ONE)));
        assert_eq!(outcome["changed"], true);
        assert_eq!(world.me(&access).await.status, 401);
        world.me(&other).await.expect(200);
        assert_eq!(end(&world, how, &access).await["changed"], false);

        let outcome = end(&world, how, &refresh).await;
        assert_eq!((&outcome["kind"], &outcome["changed"]), (&json!("refresh_token"), &json!(true)));
        assert_eq!(world.me(&other).await.status, 401);
        assert_eq!(world.refresh(&refresh, APP_ONE).await.json()["valid"], false);
        assert_eq!(end(&world, how, &refresh).await["changed"], false);
        assert_eq!(world.show("/connections").await.json()["connections"], json!([]));
        // A consent after that makes another connection.
        assert_ne!(tokens(&world, &ada).await.2, refresh);
        end(&world, "revoke", &tokens(&world, &ada).await.2).await;
    }
    let entries = world.ctx.journal.list(&leadgate::services::journal::Query::default());
    let whys: Vec<String> =
        entries.iter().filter_map(|entry| entry.why.as_ref().map(|why| why.message.clone())).collect();
    assert!(whys.iter().any(|why| why.contains("the connection expired")), "{whys:?}");
    assert!(whys.iter().any(|why| why.contains("ended by an operator")), "{whys:?}");
}

/// Those of the standard class: signed access tokens, and refresh tokens that stand for their grant.
async fn e_standard_tokens_expire_and_are_revoked(world: World) {
    let password = [("grant_type", "password"), ("username", GRACE), ("password", crate::support::PASSWORD)];
    for how in ["expire", "revoke"] {
        let given = standard(&world, &[&password[..], &[("scope", "account_api")]].concat()).await;
        let text = |member: &str| given[member].as_str().unwrap().to_owned();
        world.me(&text("access_token")).await.expect(200);
        let outcome = end(&world, how, &text("access_token")).await;
        assert_eq!((&outcome["kind"], &outcome["changed"]), (&json!("access_token"), &json!(true)));
        let refused = world.me(&text("access_token")).await;
        assert_eq!(refused.status, 401);
        let refreshed =
            standard(&world, &[("grant_type", "refresh_token"), ("refresh_token", &text("refresh_token"))]).await;
        let next = refreshed["refresh_token"].as_str().unwrap();
        let outcome = end(&world, how, next).await;
        assert_eq!((&outcome["kind"], &outcome["app"]), (&json!("refresh_token"), &json!("studio")));
        let refused = standard(&world, &[("grant_type", "refresh_token"), ("refresh_token", next)]).await;
        assert_eq!(refused["error"], "invalid_grant");
        assert_eq!(end(&world, how, next).await["changed"], false);
    }
    let own = standard(&world, &[("grant_type", "client_credentials"), ("scope", "account_api")]).await;
    let own = own["access_token"].as_str().unwrap();
    assert!(end(&world, "expire", own).await["connection"].is_null());
    assert_eq!(world.me(own).await.status, 401);
    let whys = world.ctx.journal.list(&leadgate::services::journal::Query::default());
    let whys: Vec<String> = whys.iter().filter_map(|entry| entry.why.as_ref().map(|why| why.message.clone())).collect();
    assert!(whys.iter().any(|why| why.contains("access token expired")), "{whys:?}");
}

/// A token ends by its application's clock.
async fn e_a_token_expires_by_its_applications_clock(world: World) {
    let (access, ..) = tokens(&world, &json!({"user": ADA, "app": APP_ONE, "expires_in": 60})).await;
    let app = Some(leadgate::domain::ids::AppId::parse(APP_ONE).unwrap());
    let advance = leadgate::services::clocks::Change::Advance(std::time::Duration::from_secs(60));
    leadgate::services::clocks::change(&world.ctx, app, advance).await.unwrap();
    assert_eq!(world.me(&access).await.status, 401);
    let (access, lifetime, _) = tokens(&world, &json!({"user": ADA, "app": APP_ONE, "expires_in": 60})).await;
    assert_eq!(lifetime, 60);
    world.me(&access).await.expect(200);
}

async fn e_a_token_that_nobody_gave_is_404(world: World) {
    let (access, _, refresh) = tokens(&world, &json!({"user": ADA, "app": APP_ONE})).await;
    let other_end = format!("{}x", &refresh[..refresh.len() - 1]);
    for token in ["", "x", "lga_", "lgr_x", "lgf_", "a.b.c", "\u{0}", &"x".repeat(10_000), &access[1..], &other_end] {
        for how in ["expire", "revoke"] {
            let answer = world.make(&format!("/tokens/{how}"), &json!({"token": token})).await;
            assert_problem_at(&answer, 404, "/token");
            assert!(token.len() < 5 || !answer.text().contains(token));
        }
    }
    for body in [json!({}), json!({"token": 7}), json!({"token": access, "x": 1}), json!([access])] {
        let answer = world.make("/tokens/revoke", &body).await;
        assert_problem(&answer, 400);
        assert!(!answer.text().contains(&access));
    }
    world.me(&access).await.expect(200);
    world.make("/tokens/revoke", &json!({"token": access})).await.expect(200);
}

both! {
    e_tokens_without_a_flow,
    e_what_tokens_cannot_be_made,
    e_leadexec_tokens_expire_and_are_revoked,
    e_standard_tokens_expire_and_are_revoked,
    e_a_token_expires_by_its_applications_clock,
    e_a_token_that_nobody_gave_is_404,
}
