//! The outcome of a flow without a browser.

use serde_json::{Value, json};

use super::{assert_problem, assert_problem_at};
use crate::support::http::request;
use crate::support::{ADA, APP_ONE, Click, GRACE, PARTNER, SANDBOX_TOKEN, Tokens, World, both};

const PATH: &str = "/_sandbox/authorize";

fn ask(user: &str, button: &str, decision: &str) -> Value {
    json!({"user": user, "button": button, "decision": decision})
}

/// What `AuthorizeResult` would get, and the connection; it persists as any other consent.
async fn e_a_decision_has_the_dialogs_outcome(world: World) {
    let allowed = world.sandbox_authorize(&ask(ADA, "btn-one", "allow")).await.expect(200).json();
    let mut keys: Vec<&str> = allowed.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    let all = [
        "authToken",
        "auto",
        "buttonId",
        "connectionId",
        "error",
        "errorMessage",
        "expireDate",
        "refreshToken",
        "valid",
    ];
    assert_eq!(keys, all);
    assert_eq!((&allowed["auto"], &allowed["buttonId"]), (&json!(false), &json!("btn-one")));
    let tokens = Tokens::of(&allowed);
    world.me(&tokens.access).await.expect(200);
    let again = world.sandbox_authorize(&ask("ADA@acme.test", "btn-one", "allow")).await.expect(200).json();
    assert_eq!((&again["connectionId"], &again["refreshToken"]), (&allowed["connectionId"], &allowed["refreshToken"]));

    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    let finished = ada.log_in(&opened, ADA).await.expect(200);
    assert_eq!(Tokens::of(&ada.redeem(&opened, &finished.code()).await.json()).refresh, tokens.refresh, "no question");

    let denied = world.sandbox_authorize(&ask(GRACE, "btn-one", "deny")).await.expect(200).json();
    assert_eq!((&denied["valid"], &denied["error"]), (&json!(false), &json!("access_denied")));
    for null in ["refreshToken", "authToken", "expireDate", "connectionId"] {
        assert!(denied[null].is_null(), "{denied}");
    }
    let denied = world.sandbox_authorize(&ask("deny@acme.test", "btn-one", "allow")).await.expect(200).json();
    assert_eq!(denied["error"], "access_denied");
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM connections").await, 1);
    world.me(&tokens.access).await.expect(200);
}

/// A denial of who consented before changes nothing, as in the dialog.
async fn e_a_denial_leaves_an_earlier_consent_alone(world: World) {
    let tokens = Tokens::of(&world.sandbox_authorize(&ask(ADA, "btn-one", "allow")).await.json());
    let denied = world.sandbox_authorize(&ask(ADA, "btn-wide", "deny")).await.json();
    assert_eq!(denied["error"], "access_denied");
    assert_eq!(world.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], true);
}

/// Scopes may be fewer than the button asks for, never more.
async fn e_scopes_can_be_narrowed_only(world: World) {
    let with = |scopes: Value| json!({"user": ADA, "button": "btn-wide", "decision": "allow", "scopes": scopes});
    let narrow = world.sandbox_authorize(&with(json!(["data_api"]))).await.expect(200).json();
    assert_eq!(world.me(narrow["authToken"].as_str().unwrap()).await.status, 403);
    for wrong in
        [json!(["lead_receiver"]), json!(["data_api", "openid"]), json!(["admin"]), json!([""]), json!(["DATA_API"])]
    {
        assert_problem(&world.sandbox_authorize(&with(wrong)).await, 400);
    }
    // A wider consent widens the connection.
    let wide = world.sandbox_authorize(&with(json!(["account_api"]))).await.expect(200).json();
    assert_eq!(wide["connectionId"], narrow["connectionId"]);
    let me = world.me(wide["authToken"].as_str().unwrap()).await.expect(200).json();
    assert_eq!(me["scopes"], json!(["account_api", "data_api"]));
}

/// 401 without the token, before anything else is looked at.
async fn e_without_the_sandbox_token_it_is_401(world: World) {
    let body = ask(ADA, "btn-one", "allow");
    let almost = format!("Bearer {}x", &SANDBOX_TOKEN[..SANDBOX_TOKEN.len() - 1]);
    let padded = format!("Bearer {SANDBOX_TOKEN}x");
    let in_basic = format!("Basic {SANDBOX_TOKEN}");
    let good = format!("Bearer {SANDBOX_TOKEN}");
    for headers in [
        vec![],
        vec![("authorization", "Bearer")],
        vec![("authorization", "Bearer ")],
        vec![("authorization", almost.as_str())],
        vec![("authorization", &padded)],
        vec![("authorization", &in_basic)],
        vec![("authorization", &good), ("authorization", &good)],
        vec![("x-sandbox-token", SANDBOX_TOKEN)],
    ] {
        let answer = world.post_json(PATH, &headers, &body).await;
        assert_problem(&answer, 401);
        assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer "));
    }
    let in_query = format!("{PATH}?token={SANDBOX_TOKEN}&access_token={SANDBOX_TOKEN}");
    assert_problem(&world.post_json(&in_query, &[], &body).await, 401);
    assert_problem(&world.send(request("POST", PATH, &[], "no json")).await, 401);
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM connections").await, 0);
}

/// Errors are problem+json, and say what to send.
async fn e_errors_are_problems(world: World) {
    let token = format!("Bearer {SANDBOX_TOKEN}");
    for (body, status) in [
        (ask("nobody@acme.test", "btn-one", "allow"), 404),
        (ask("no address", "btn-one", "allow"), 404),
        (ask(ADA, "btn-none", "allow"), 404),
        (ask(ADA, "\u{0}", "allow"), 404),
        (ask(ADA, "btn-one", "ALLOW"), 400),
        (ask(ADA, "btn-one", ""), 400),
        (json!({"user": ADA, "button": "btn-one"}), 400),
        (json!({"user": ADA, "decision": "allow"}), 400),
        (json!({"user": 7, "button": "btn-one", "decision": "allow"}), 400),
        (json!({"user": ADA, "button": "btn-one", "decision": "allow", "scopes": "data_api"}), 400),
        (json!({"user": ADA, "button": "btn-one", "decision": "allow", "scpoes": []}), 400),
        (json!([]), 400),
        (json!({"user": "x".repeat(70_000)}), 413),
    ] {
        assert_problem(&world.sandbox_authorize(&body).await, status);
    }
    let headers = [("authorization", token.as_str()), ("content-type", "text/plain")];
    assert_problem(&world.send(request("POST", PATH, &headers, "{}")).await, 415);
    for method in ["GET", "PUT", "DELETE", "PATCH"] {
        let answer = world.send(request(method, PATH, &headers[..1], "")).await;
        assert_problem(&answer, 405);
        assert_eq!(answer.header("allow"), Some("POST"));
    }
    assert_problem(&world.get("/_sandbox/nothing/here").await, 404);
    world.disable(GRACE).await;
    assert_problem(&world.sandbox_authorize(&ask(GRACE, "btn-one", "allow")).await, 409);
}

/// A problem points at what is wrong (RFC 6901), and names the nearest known word.
async fn e_a_problem_says_where(world: World) {
    let with = |member: &str, value: Value| {
        let mut body = ask(ADA, "btn-one", "allow");
        body[member] = value;
        body
    };
    for (body, pointer, says) in [
        (with("scpoes", json!([])), "/scpoes", "`scopes`"),
        (with("decision", json!("alow")), "/decision", "`allow`"),
        (with("user", json!(7)), "/user", "a string"),
        (with("user", json!("nobody@acme.test")), "/user", "no user"),
        (with("button", json!("btn-none")), "/button", "no button"),
        (with("scopes", json!(["data_api", "admin"])), "/scopes", "account_api"),
        (with("scopes", json!([1])), "/scopes/0", "a string"),
        (with("authorize_url", json!("/oauth/authorize?x")), "/authorize_url", "not both"),
        (json!({"user": ADA, "decision": "allow"}), "/button", "authorize_url"),
        (json!({"button": "btn-one", "decision": "allow"}), "/user", "missing"),
    ] {
        let answer = world.sandbox_authorize(&body).await;
        assert_problem_at(&answer, if says.starts_with("no ") { 404 } else { 400 }, pointer);
        assert!(answer.json()["detail"].as_str().unwrap().contains(says), "{body}: {}", answer.json());
    }
    let long = with(&"x".repeat(5_000), json!(1));
    assert!(world.sandbox_authorize(&long).await.expect(400).body.len() < 1_000);
}

/// A parameter of the query that an operation does not know is refused, and named.
async fn e_an_unknown_parameter_is_refused(world: World) {
    for (path, meant) in
        [("/authorize?user=x", "nothing"), ("/users?limt=3", "`limit`"), ("/openapi.json?x", "nothing")]
    {
        let method = if path.starts_with("/authorize") { "POST" } else { "GET" };
        let answer = world.plane(method, path, None).await;
        assert_problem(&answer, 400);
        let problem = answer.json();
        assert!(path.contains(problem["parameter"].as_str().unwrap()), "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(meant), "{problem}");
    }
    world.show("/users?limit=3&limit=4").await.expect(400);
    world.plane("HEAD", "/users?limit=3", None).await.expect(200);
}

/// In production mode there is none of it, whatever token is sent.
async fn e_production_has_no_control_plane(world: World) {
    assert_problem(&world.sandbox_authorize(&ask(ADA, "btn-one", "allow")).await, 404);
    assert_problem(&world.post_json(PATH, &[("authorization", "Bearer ")], &json!({})).await, 404);
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM connections").await, 0);
    let home = world.get("/").await.expect(200);
    assert!(!home.text().contains("data-btnid") && !home.text().contains("data-btnId"), "no page to try it on");
}

both! {
    e_a_decision_has_the_dialogs_outcome,
    e_a_denial_leaves_an_earlier_consent_alone,
    e_scopes_can_be_narrowed_only,
    e_without_the_sandbox_token_it_is_401,
    e_errors_are_problems,
    e_a_problem_says_where,
    e_an_unknown_parameter_is_refused,
}
both! { with support::Setup::production(); e_production_has_no_control_plane }
