//! K: introspection (RFC 7662).

use leadgate::services::throttle::Limits;
use serde_json::json;

use super::support::{
    Ask, Auth, FORM, Issued, MACHINE, POCKET, RATE_FINDER, RIVAL, STUDIO, assert_error, assert_not_stored, basic,
    claims, keyed, seconds,
};
use crate::support::http::{form, from_address, request};
use crate::support::{ADA, ISSUER, Setup, World, both, connect_by_api};

const PATH: &str = "/oauth/introspect";

/// K1: who does not show who it is learns nothing.
async fn k1_who_asks_has_to_be_known(world: World) {
    let issued = STUDIO.connect(&world, ADA).await;
    let token = [("token", issued.access.as_str())];
    let bearer = format!("Bearer {}", issued.access);
    for headers in [vec![("content-type", FORM)], vec![("content-type", FORM), ("authorization", &bearer)]] {
        assert_error(&world.send(request("POST", PATH, &headers, form(&token))).await, 401, "invalid_client");
    }
    for auth in [Auth::None, Auth::Basic("wrong"), Auth::Post("wrong")] {
        assert_error(&STUDIO.by(auth).post(&world, PATH, &token).await, 401, "invalid_client");
    }
    let own = POCKET.connect(&world, ADA).await;
    assert_error(&POCKET.post(&world, PATH, &[("token", &own.access)]).await, 401, "invalid_client");
}

/// K2, K6: all that a resource server needs, in an answer that nobody keeps.
async fn k2_k6_a_living_token_is_described(world: World) {
    let issued = STUDIO.connect_for(&world, ADA, "account_api data_api").await;
    let of_jwt = claims(&issued.access);
    let now = seconds(&world);
    let answer = STUDIO.post(&world, PATH, &[("token", &issued.access)]).await.expect(200);
    assert_not_stored(&answer);
    let seen = answer.json();
    let expected = json!({
        "active": true, "scope": "account_api data_api", "client_id": "studio", "username": ADA,
        "token_type": "Bearer", "exp": now + 3_600, "iat": now, "sub": of_jwt["sub"], "aud": ISSUER, "iss": ISSUER,
        "jti": of_jwt["jti"],
    });
    assert_eq!(seen, expected);
    // No `jti`, and the day on which it will have been idle too long.
    let expected = json!({
        "active": true, "scope": "account_api data_api", "client_id": "studio", "username": ADA,
        "token_type": "refresh_token", "exp": now + 30 * 24 * 3_600, "iat": now, "sub": of_jwt["sub"], "aud": ISSUER,
        "iss": ISSUER,
    });
    assert_eq!(STUDIO.introspect(&world, issued.refresh()).await, expected);
    for hint in ["access_token", "refresh_token", "x", ""] {
        let fields = [("token", issued.access.as_str()), ("token_type_hint", hint)];
        assert_eq!(STUDIO.post(&world, PATH, &fields).await.expect(200).json()["active"], true, "{hint}");
    }
    for client in [MACHINE, keyed()] {
        let issued = Issued::of(&client.token(&world, &[("grant_type", "client_credentials")]).await);
        let of_jwt = claims(&issued.access);
        // No `username`: nobody stands behind it.
        let expected = json!({
            "active": true, "scope": of_jwt["scope"], "client_id": client.id, "token_type": "Bearer",
            "exp": of_jwt["exp"], "iat": of_jwt["iat"], "sub": of_jwt["sub"], "aud": ISSUER, "iss": ISSUER,
            "jti": of_jwt["jti"],
        });
        assert_eq!(client.introspect(&world, &issued.access).await, expected);
    }
}

/// K2: also the opaque tokens of the button's sign-in.
async fn k2_a_button_s_token_is_described(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    let seen = RATE_FINDER.introspect(&world, &tokens.access).await;
    assert_eq!((&seen["active"], &seen["scope"]), (&json!(true), &json!("account_api")), "{seen}");
    assert_eq!((&seen["client_id"], &seen["username"]), (&json!(RATE_FINDER.id), &json!(ADA)), "{seen}");
    assert_eq!(seen["exp"], json!(seconds(&world) + 3_600));
    world.disconnect(&tokens.refresh).await;
    assert_eq!(RATE_FINDER.introspect(&world, &tokens.access).await, json!({"active": false}));
}

/// K3, K5, K7: of what is not alive, or not the caller's, nothing but that.
async fn k3_k5_k7_of_anything_else_nothing_is_told(world: World) {
    let ask = Ask::of(&STUDIO).with("scope", "account_api openid");
    let code = ask.allowed(&world, ADA).await.code();
    let unused = ask.allowed(&world, ADA).await.code();
    let issued = Issued::of(&STUDIO.redeem(&world, &ask, &code).await);
    let inactive = json!({"active": false});
    for other in [RIVAL, MACHINE, RATE_FINDER, keyed()] {
        for token in [issued.access.as_str(), issued.refresh()] {
            assert_eq!(other.introspect(&world, token).await, inactive, "{}", other.id);
        }
    }
    let button = connect_by_api(&world, ADA, "btn-one").await;
    let long = "x".repeat(10_000);
    for token in [
        "x",
        "a.b.c",
        "lga_",
        "lgf_",
        "\u{0}",
        "ü",
        &long,
        &code,
        &unused,
        issued.id_token(),
        &button.access,
        &button.refresh,
        &format!("{}x", issued.access),
        &format!("{} ", issued.refresh()),
    ] {
        let answer = STUDIO.post(&world, PATH, &[("token", token)]).await.expect(200);
        assert_not_stored(&answer);
        assert_eq!(answer.json(), inactive, "{token}");
    }
    let revoked = STUDIO.connect(&world, ADA).await;
    STUDIO.revoke(&world, revoked.refresh()).await.expect(200);
    assert_eq!(STUDIO.introspect(&world, &revoked.access).await, inactive);
    assert_eq!(STUDIO.introspect(&world, revoked.refresh()).await, inactive);
    world.advance(3_599);
    assert!(STUDIO.is_active(&world, &issued.access).await);
    world.advance(1);
    assert_eq!(STUDIO.introspect(&world, &issued.access).await, inactive);
    assert!(STUDIO.is_active(&world, issued.refresh()).await);
    world.advance(30 * 24 * 3_600);
    assert_eq!(STUDIO.introspect(&world, issued.refresh()).await, inactive);
}

/// K4: a token is posted, in a form.
async fn k4_a_token_is_posted(world: World) {
    let issued = STUDIO.connect(&world, ADA).await;
    let in_address = format!("{PATH}?token={}", issued.access);
    let credentials = basic(STUDIO.id, "studio-client-secret");
    for method in ["GET", "HEAD", "PUT", "DELETE"] {
        let headers = [("authorization", credentials.as_str())];
        let answer = world.send(request(method, &in_address, &headers, "")).await.expect(405);
        assert_eq!(answer.header("allow"), Some("POST"));
    }
    assert_error(&STUDIO.post(&world, &in_address, &[]).await, 400, "invalid_request");
    assert_error(&STUDIO.post(&world, &in_address, &[("token", &issued.access)]).await, 400, "invalid_request");
    for fields in [vec![], vec![("token", "")], vec![("token", "x"), ("token", "x")]] {
        assert_error(&STUDIO.post(&world, PATH, &fields).await, 400, "invalid_request");
    }
    let headers = [("authorization", credentials.as_str()), ("content-type", "application/json")];
    let body = json!({"token": issued.access}).to_string();
    assert_error(&world.send(request("POST", PATH, &headers, body)).await, 400, "invalid_request");
}

/// K6: who guesses is slowed down.
async fn k6_guesses_are_slowed_down(world: World) {
    let issued = STUDIO.connect(&world, ADA).await;
    let ask = |secret: &str, from: u8| {
        let credentials = basic(STUDIO.id, secret);
        let headers = [("authorization", credentials.as_str()), ("content-type", FORM)];
        from_address(request("POST", PATH, &headers, form(&[("token", &issued.access)])), from)
    };
    for _ in 0..3 {
        assert_error(&world.send(ask("wrong", 1)).await, 401, "invalid_client");
    }
    let slowed = world.send(ask("wrong", 1)).await;
    assert_error(&slowed, 429, "slow_down");
    assert!(slowed.header("retry-after").is_some());
    assert_eq!(world.send(ask("studio-client-secret", 2)).await.expect(200).json()["active"], true);
}

both! {
    k1_who_asks_has_to_be_known,
    k2_k6_a_living_token_is_described,
    k2_a_button_s_token_is_described,
    k3_k5_k7_of_anything_else_nothing_is_told,
    k4_a_token_is_posted,
}
both! { with super::three_refusals_a_minute(); k6_guesses_are_slowed_down }

fn three_refusals_a_minute() -> Setup {
    Setup { limits: Limits { refusals: 3, ..Limits::NONE }, ..Setup::default() }
}
