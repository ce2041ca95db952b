//! Users and accounts over the control plane.

use serde_json::{Value, json};

use super::{assert_problem, assert_problem_at, at};
use crate::support::{ADA, APP_ONE, Click, GRACE, PARTNER, PASSWORD, Tokens, World, both};

/// A user who was made signs in with the password that was given.
async fn e_a_user_is_made_and_signs_in(world: World) {
    let new = json!({"email": "Lin@ACME.test", "password": PASSWORD, "name": "Lin", "account": "Acme Mortgage"});
    let made = world.make("/users", &new).await.expect(201);
    let user = made.json();
    assert_eq!(made.header("location").unwrap(), format!("/_sandbox/users/{}", user["id"].as_str().unwrap()));
    assert_eq!((&user["email"], &user["account"]), (&json!("lin@acme.test"), &json!("acme")));
    assert_eq!((&user["role"], &user["disabled"], &user["magic"]), (&json!("member"), &json!(false), &Value::Null));
    assert!(!made.text().contains("password") && !made.text().contains(PASSWORD));
    assert_eq!(world.show(&at("/users", user["id"].as_str().unwrap())).await.json(), user);
    assert_eq!(world.show("/users/LIN%40acme.test").await.json(), user);

    let mut lin = world.actor();
    let opened = lin.open(Click::on("btn-one", PARTNER)).await;
    lin.log_in(&opened, "lin@acme.test").await.expect(200);
    let hashed = json!({
        "email": "hal@acme.test", "password_hash": world.hash(), "name": "Hal", "account": "acme", "role": "admin",
        "disabled": true,
    });
    let hal = world.make("/users", &hashed).await.expect(201).json();
    assert_eq!((&hal["role"], &hal["disabled"]), (&json!("admin"), &json!(true)));
    let allow = json!({"user": "hal@acme.test", "button": "btn-one", "decision": "allow"});
    assert_problem_at(&world.sandbox_authorize(&allow).await, 409, "/user");
    // A name that would be magic in the demonstration is a name like any other.
    let plain = json!({"email": "deny@zenith.test", "password": PASSWORD, "name": "Deny", "account": "zenith"});
    assert_eq!(world.make("/users", &plain).await.expect(201).json()["magic"], Value::Null);
    assert_eq!(world.show("/users/deny%40acme.test").await.json()["magic"], "deny");
}

/// What a change ends is ended.
async fn e_a_user_is_changed(world: World) {
    let allow = json!({"user": ADA, "button": "btn-one", "decision": "allow"});
    let path = at("/users", ADA);
    let tokens = Tokens::of(&world.sandbox_authorize(&allow).await.json());
    let changed = world.change(&path, &json!({"name": "Ada B.", "role": "admin", "account": "zenith"})).await.json();
    assert_eq!((&changed["name"], &changed["role"]), (&json!("Ada B."), &json!("admin")));
    assert_eq!(changed["account"], "zenith");
    assert_eq!(world.change(&path, &json!({})).await.expect(200).json(), changed);
    world.me(&tokens.access).await.expect(200);

    let changed = world.change(&path, &json!({"disabled": true})).await.expect(200).json();
    assert_eq!(changed["disabled"], true);
    assert_eq!(world.me(&tokens.access).await.status, 401);
    assert_problem(&world.sandbox_authorize(&allow).await, 409);
    assert_eq!(world.change(&path, &json!({"disabled": false})).await.json()["disabled"], false);
    assert_eq!(world.me(&tokens.access).await.status, 401, "what was ended stays ended");

    let tokens = Tokens::of(&world.sandbox_authorize(&allow).await.expect(200).json());
    world.change(&path, &json!({"password": "another password"})).await.expect(200);
    assert_eq!(world.me(&tokens.access).await.status, 401);
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    ada.post_login(&opened, ADA, PASSWORD).await.expect(422);
    world.change(&path, &json!({"password_hash": world.hash()})).await.expect(200);
    ada.log_in(&opened, ADA).await.expect(200);
}

/// Nothing of a deleted user works.
async fn e_a_deleted_user_leaves_nothing(world: World) {
    let allow = json!({"user": ADA, "button": "btn-one", "decision": "allow"});
    let tokens = Tokens::of(&world.sandbox_authorize(&allow).await.json());
    let path = at("/users", ADA);
    world.drop_it(&path).await.expect(204);
    assert_eq!(world.me(&tokens.access).await.status, 401);
    assert_eq!(world.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], false);
    assert_problem(&world.show(&path).await, 404);
    assert_problem(&world.drop_it(&path).await, 404);
    assert_problem(&world.change(&path, &json!({})).await, 404);
    assert_eq!(world.show(&at("/apps", APP_ONE)).await.json()["owner"], Value::Null);
}

async fn e_what_a_user_cannot_be(world: World) {
    let with = |member: &str, value: Value| {
        let mut body = json!({"email": "new@acme.test", "password": "p", "name": "New", "account": "acme"});
        body[member] = value;
        body
    };
    for (body, status, pointer) in [
        (with("email", json!(ADA)), 409, "/email"),
        (with("email", json!("ADA@acme.test ")), 409, "/email"),
        (with("email", json!("nobody")), 400, "/email"),
        (with("account", json!("nothing")), 404, "/account"),
        (with("account", json!("\u{0}")), 400, "/account"),
        (with("name", json!("")), 400, "/name"),
        (with("role", json!("amdin")), 400, "/role"),
        (with("password", json!("")), 400, "/password"),
        (with("password", json!("x".repeat(1_025))), 400, "/password"),
        (with("password", json!(null)), 400, "/password"),
        (with("password", json!(["hunter2"])), 400, "/password"),
        (with("password_hash", json!(world.hash())), 400, "/password_hash"),
        (with("disabled", json!("no")), 400, "/disabled"),
        (with("magic", json!("deny")), 400, "/magic"),
        (
            json!({"email": "new@acme.test", "password_hash": "hunter2", "name": "N", "account": "acme"}),
            400,
            "/password_hash",
        ),
    ] {
        let answer = world.make("/users", &body).await;
        assert_problem_at(&answer, status, pointer);
        assert!(!answer.text().contains("hunter2"), "{}", answer.text());
        assert_problem(&world.show("/users/new%40acme.test").await, 404);
    }
    let path = at("/users", ADA);
    assert_problem_at(&world.change(&path, &json!({"account": "nothing"})).await, 404, "/account");
    assert_problem_at(&world.change(&path, &json!({"email": GRACE})).await, 409, "/email");
    assert_problem_at(&world.change(&path, &json!({"email": "nobody"})).await, 400, "/email");
    assert_problem_at(&world.change(&path, &json!({"name": null})).await, 400, "/name");
    assert_problem_at(
        &world.change(&path, &json!({"password": "a", "password_hash": world.hash()})).await,
        400,
        "/password_hash",
    );
    for odd in [
        "",
        "%00",
        "%ff",
        "a%2Fb",
        "..%2f..",
        "%F0%9F%A6%80",
        &"x".repeat(4_000),
        "01930000-0000-7000-8000-000000000000",
    ] {
        for method in ["GET", "DELETE"] {
            let answer = world.plane(method, &format!("/users/{odd}"), None).await;
            assert_problem(&answer, 404);
        }
    }
}

/// An API key that is made is shown once; none is ever shown again.
async fn e_accounts_have_keys_that_are_not_shown(world: World) {
    let made = world.make("/accounts", &json!({"name": "Northwind"})).await.expect(201).json();
    let id = made["id"].as_str().unwrap();
    assert_eq!(made["api_keys"].as_array().unwrap().len(), 1);
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM account_api_keys").await, 3);
    let shown = world.show(&at("/accounts", id)).await.expect(200).json();
    assert_eq!(shown, json!({"id": id, "name": "Northwind"}));
    let chosen = json!({"id": "own", "name": "Own", "api_keys": ["one", "two", "two"]});
    assert_eq!(world.make("/accounts", &chosen).await.expect(201).json(), json!({"id": "own", "name": "Own"}));
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM account_api_keys WHERE account_id = 'own'").await, 2);
    let changed = world.change("/accounts/own", &json!({"name": "Owned", "api_keys": ["two", "three", "four"]})).await;
    assert_eq!(changed.expect(200).json(), json!({"id": "own", "name": "Owned"}));
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM account_api_keys WHERE account_id = 'own'").await, 3);
    for (path, body, status, pointer) in [
        ("/accounts", json!({}), 400, "/name"),
        ("/accounts", json!({"id": "acme", "name": "A"}), 409, "/id"),
        ("/accounts", json!({"id": "a/b", "name": "A"}), 400, "/id"),
        ("/accounts", json!({"name": "A", "api_keys": ["five", "one?", "two"]}), 409, "/api_keys/2"),
        ("/accounts", json!({"name": "A", "api_keys": ["\u{7}"]}), 400, "/api_keys/0"),
    ] {
        assert_problem_at(&world.make(path, &body).await, status, pointer);
    }
    assert_problem_at(&world.change("/accounts/acme", &json!({"api_keys": ["four"]})).await, 409, "/api_keys/0");
    assert_problem_at(&world.change("/accounts/acme", &json!({"name": null})).await, 400, "/name");
    assert_problem(&world.change("/accounts/nothing", &json!({"name": "A"})).await, 404);

    assert_problem(&world.drop_it("/accounts/acme").await, 409);
    world.drop_it("/accounts/own").await.expect(204);
    assert_problem(&world.drop_it("/accounts/own").await, 404);
    assert_problem(&world.show("/accounts/own").await, 404);
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM account_api_keys WHERE account_id = 'own'").await, 0);
}

both! {
    e_a_user_is_made_and_signs_in,
    e_a_user_is_changed,
    e_a_deleted_user_leaves_nothing,
    e_what_a_user_cannot_be,
    e_accounts_have_keys_that_are_not_shown,
}
