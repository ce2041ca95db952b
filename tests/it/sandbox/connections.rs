//! Connections over the control plane.

use serde_json::json;

use super::{assert_problem, assert_problem_at, at, each};
use crate::support::{ADA, APP_ONE, APP_TWO, Click, GRACE, PARTNER, World, both};

/// A connection is what "Allow" makes: its refresh token works, and the user is not asked again.
async fn e_a_connection_is_as_by_consent(world: World) {
    let new = json!({"user": ADA, "app": APP_ONE, "scopes": ["account_api"]});
    let made = world.make("/connections", &new).await.expect(201);
    let connection = made.json();
    let id = connection["id"].as_str().unwrap();
    assert_eq!(made.header("location"), Some(format!("/_sandbox/connections/{id}").as_str()));
    assert_eq!((&connection["user"], &connection["app"]), (&json!(ADA), &json!(APP_ONE)));
    assert_eq!(
        (&connection["scopes"], &connection["sign_in_scopes"]),
        (&json!(["account_api"]), &json!(["account_api"]))
    );
    let refresh = connection["refresh_token"].as_str().unwrap();
    assert_eq!(world.refresh(refresh, APP_ONE).await.json()["valid"], true);
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    ada.log_in(&opened, ADA).await.expect(200).code();

    let shown = world.show(&at("/connections", id)).await.expect(200).json();
    assert!(shown.get("refresh_token").is_none(), "{shown}");
    assert!(shown["last_used_at"].is_string(), "{shown}");
    let wider = json!({"user": ADA, "app": APP_ONE});
    let wider = world.make("/connections", &wider).await.expect(200).json();
    assert_eq!((&wider["id"], &wider["refresh_token"]), (&connection["id"], &connection["refresh_token"]));
    assert_eq!(wider["scopes"], json!(["account_api", "data_api", "lead_receiver"]));

    world.drop_it(&at("/connections", id)).await.expect(204);
    assert_eq!(world.refresh(refresh, APP_ONE).await.json()["valid"], false);
    let ended = world.show(&at("/connections", id)).await;
    assert_problem(&ended, 404);
    assert!(ended.json()["detail"].as_str().unwrap().contains("operator"), "{}", ended.json());
    assert_problem(&world.drop_it(&at("/connections", id)).await, 404);
    let again = world.make("/connections", &new).await.expect(201).json();
    assert_ne!(again["id"], connection["id"]);
}

async fn e_connections_are_listed_by_user_and_application(world: World) {
    for (user, app) in [(ADA, APP_ONE), (ADA, APP_TWO), (GRACE, APP_ONE)] {
        world.make("/connections", &json!({"user": user, "app": app})).await.expect(201);
        world.advance(1);
    }
    let users = async |query: &str| {
        let list = world.show(&format!("/connections{query}")).await.expect(200).json();
        each(&list, "connections", "user").into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(users("").await, [ADA, ADA, GRACE]);
    assert_eq!(users(&format!("?app={APP_ONE}")).await, [ADA, GRACE]);
    assert_eq!(users("?user=Ada%40acme.test").await, [ADA, ADA]);
    assert_eq!(users(&format!("?user=grace%40zenith.test&app={APP_TWO}")).await, [""; 0]);
    assert_eq!(users("?user=nobody%40acme.test").await, [""; 0]);
    let id = world.show("/users/grace%40zenith.test").await.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(users(&format!("?user={id}")).await, [GRACE]);
    world.drop_it(&at("/users", GRACE)).await.expect(204);
    assert_eq!(users("").await, [ADA, ADA]);
}

async fn e_what_a_connection_cannot_be(world: World) {
    for (body, status, pointer) in [
        (json!({"app": APP_ONE}), 400, "/user"),
        (json!({"user": ADA}), 400, "/app"),
        (json!({"user": "nobody@acme.test", "app": APP_ONE}), 404, "/user"),
        (json!({"user": "nobody", "app": APP_ONE}), 400, "/user"),
        (json!({"user": ADA, "app": "nothing"}), 404, "/app"),
        (json!({"user": ADA, "app": APP_TWO, "scopes": ["lead_receiver"]}), 400, "/scopes"),
        (json!({"user": ADA, "app": APP_TWO, "scopes": []}), 400, "/scopes"),
        (json!({"user": ADA, "app": APP_TWO, "scopes": ["nothing"]}), 400, "/scopes/0"),
        (json!({"user": "deny@acme.test", "app": APP_ONE}), 409, "/user"),
        (json!({"user": ADA, "app": APP_ONE, "scope": []}), 400, "/scope"),
    ] {
        assert_problem_at(&world.make("/connections", &body).await, status, pointer);
    }
    world.disable(GRACE).await;
    assert_problem_at(&world.make("/connections", &json!({"user": GRACE, "app": APP_ONE})).await, 409, "/user");
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM connections").await, 0);
    assert_problem(&world.show("/connections/nothing").await, 404);
    let patched = world.change("/connections/01930000-0000-7000-8000-000000000000", &json!({})).await;
    assert_problem(&patched, 405);
    assert_eq!(patched.header("allow"), Some("GET,HEAD,DELETE"));
    // One whose time is over is not there any more.
    let short = json!({"user": "revoked-in-10s@acme.test", "app": APP_ONE});
    let short = world.make("/connections", &short).await.expect(201).json();
    assert!(short["expires_at"].is_string());
    world.advance(10);
    assert_problem(&world.show(&at("/connections", short["id"].as_str().unwrap())).await, 404);
    assert_eq!(world.show("/connections").await.json()["connections"], json!([]));
}

both! {
    e_a_connection_is_as_by_consent,
    e_connections_are_listed_by_user_and_application,
    e_what_a_connection_cannot_be,
}
