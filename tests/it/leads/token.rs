//! `POST /v1/authorization/token`.

use serde_json::json;

use super::{STUDIO, credentials};
use crate::support::http::{from_address, request};
use crate::support::{World, both};

fn refusal(error: &str) -> serde_json::Value {
    json!({"access_token": null, "token_type": null, "expires_in": null, "error": error})
}

/// wire.md part C: four keys, an hour, and every API scope that the application has.
async fn part_c_a_client_gets_a_token_of_an_hour(world: World) {
    let answer = world.api_token(&credentials(STUDIO)).await.expect(200);
    let body = answer.json();
    assert_eq!(body.as_object().unwrap().len(), 4, "{body}");
    assert_eq!(
        (&body["token_type"], &body["expires_in"], &body["error"]),
        (&json!("Bearer"), &json!(3600), &json!(null))
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let token = body["access_token"].as_str().unwrap();
    let me = world.me(token).await.expect(200).json();
    assert_eq!(me["scopes"], json!(["account_api", "data_api", "lead_receiver"]));
    assert_eq!((&me["account"]["id"], &me["user"]), (&json!("acme"), &json!(null)));
    world.advance(3_599);
    world.me(token).await.expect(200);
    world.advance(1);
    world.me(token).await.expect(401);
}

/// Of an application that may also ask for what stands for a user, the API's scopes alone.
async fn part_c_no_scope_of_a_users_is_in_it(world: World) {
    let token = world.own_token(("orphan", "orphan-client-secret")).await;
    let answer = world.me(&token).await.expect(403);
    assert!(answer.header("www-authenticate").unwrap().contains("insufficient_scope"));
}

/// wire.md part C: whoever is not believed gets 401 and the same four keys, whatever is wrong.
async fn part_c_a_client_that_is_not_believed_is_401(world: World) {
    for (id, secret) in [
        ("studio", "wrong"),
        ("nobody", "studio-client-secret"),
        ("", ""),
        ("studio", ""),
        ("pocket", "x"),
        ("a b", "x"),
    ] {
        let answer = world.api_token(&credentials((id, secret))).await.expect(401);
        assert_eq!(answer.json(), refusal("invalid_client"), "{id} {secret}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

/// What is no such request is 400, in the same form.
async fn part_c_what_cannot_be_read_is_400_in_the_same_form(world: World) {
    let whole = credentials(STUDIO);
    for missing in ["client_id", "client_secret", "grant_type"] {
        for value in [None, Some(json!(null)), Some(json!(5)), Some(json!(["x"]))] {
            let mut body = whole.clone();
            match value {
                None => body.as_object_mut().unwrap().remove(missing),
                Some(value) => body.as_object_mut().unwrap().insert(missing.to_owned(), value),
            };
            assert_eq!(world.api_token(&body).await.expect(400).json(), refusal("invalid_request"), "{body}");
        }
    }
    for grant in ["password", "authorization_code", "CLIENT_CREDENTIALS", ""] {
        let mut body = whole.clone();
        body["grant_type"] = json!(grant);
        assert_eq!(world.api_token(&body).await.expect(400).json(), refusal("unsupported_grant_type"), "{grant}");
    }
    for body in ["", "{", "[]", "null", "\"x\"", "a=b"] {
        let request = request("POST", "/v1/authorization/token", &[("content-type", "application/json")], body);
        assert_eq!(world.send(request).await.expect(400).json(), refusal("invalid_request"), "{body}");
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let form = request("POST", "/v1/authorization/token", &form, "grant_type=client_credentials");
    assert_eq!(world.send(form).await.expect(415).json(), refusal("invalid_request"));
    let large = json!({"client_id": "x".repeat(70_000)});
    assert_eq!(world.api_token(&large).await.expect(413).json(), refusal("invalid_request"));
    let get = world.get("/v1/authorization/token").await.expect(405);
    assert_eq!((get.header("allow"), get.json()), (Some("POST"), refusal("invalid_request")));
}

/// An application that may not act for itself, and one that takes tokens bound to a key only.
async fn part_c_a_client_needs_the_grant(world: World) {
    let pushing = credentials(("pushing", "pushing-client-secret"));
    assert_eq!(world.api_token(&pushing).await.expect(400).json(), refusal("unauthorized_client"));
    let bound = credentials(("bound", "bound-client-secret"));
    assert_eq!(world.api_token(&bound).await.expect(400).json(), refusal("invalid_dpop_proof"));
}

/// E10: guesses are counted as at the other token endpoint.
async fn part_c_guesses_are_limited(world: World) {
    let guess = |secret: &str| {
        let body = credentials(("studio", secret)).to_string();
        from_address(request("POST", "/v1/authorization/token", &[("content-type", "application/json")], body), 9)
    };
    for _ in 0..3 {
        world.send(guess("wrong")).await.expect(401);
    }
    let limited = world.send(guess("wrong")).await.expect(429);
    assert_eq!(limited.json(), refusal("slow_down"));
    assert!(limited.header("retry-after").is_some());
    world.send(guess(STUDIO.1)).await.expect(429);
}

both! { with crate::leads::setup();
    part_c_a_client_gets_a_token_of_an_hour,
    part_c_no_scope_of_a_users_is_in_it,
    part_c_a_client_that_is_not_believed_is_401,
    part_c_what_cannot_be_read_is_400_in_the_same_form,
    part_c_a_client_needs_the_grant,
}

pub mod limited {
    use leadgate::services::throttle::Limits;

    use super::super::setup;
    use super::part_c_guesses_are_limited;
    use crate::support::{Setup, both};

    pub fn with_limits() -> Setup {
        Setup { limits: Limits { refusals: 3, ..Limits::NONE }, ..setup() }
    }

    both! { with crate::leads::token::limited::with_limits(); part_c_guesses_are_limited }
}
