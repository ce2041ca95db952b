//! Buttons over the control plane.

use serde_json::{Value, json};

use super::{assert_problem, assert_problem_at, each};
use crate::support::{ADA, APP_ONE, APP_TWO, Click, World, both};

/// A button works at once where it is listed, and not any more where it is not.
async fn e_a_button_is_made_changed_and_deleted(world: World) {
    let new = json!({"app": APP_TWO, "id": "btn-new", "origins": ["https://new.test"], "scopes": ["data_api"]});
    let made = world.make("/buttons", &new).await.expect(201);
    assert_eq!(made.header("location"), Some("/_sandbox/buttons/btn-new"));
    assert_eq!(made.json()["return_urls"], json!([]));
    let mut ada = world.actor();
    ada.get(&Click::on("btn-new", "https://new.test").address()).await.expect(303);
    let moved = json!({"origins": ["https://newer.test"], "return_urls": ["https://newer.test/in"], "scopes": null});
    let changed = world.change("/buttons/btn-new", &moved).await.expect(200).json();
    assert_eq!((&changed["origins"], &changed["scopes"]), (&json!(["https://newer.test"]), &Value::Null));
    assert_eq!((&changed["app"], &changed["return_urls"]), (&json!(APP_TWO), &json!(["https://newer.test/in"])));
    ada.get(&Click::on("btn-new", "https://new.test").address()).await.expect(403);
    let same = world.change("/buttons/btn-new", &json!({})).await.expect(200).json();
    assert_eq!(same, changed);
    let given = world.change("/buttons/btn-new", &json!({"app": APP_ONE})).await.expect(200).json();
    assert_eq!(given["app"], APP_ONE);
    world.drop_it("/buttons/btn-new").await.expect(204);
    assert_problem(&world.drop_it("/buttons/btn-new").await, 404);
    assert_problem(&world.show("/buttons/btn-new").await, 404);
    assert_problem(&world.change("/buttons/btn-new", &json!({})).await, 404);
    let unknown = json!({"user": ADA, "button": "btn-new", "decision": "allow"});
    assert_problem_at(&world.sandbox_authorize(&unknown).await, 404, "/button");
    let without_id = world.make("/buttons", &json!({"app": APP_TWO, "origins": []})).await.expect(201).json();
    world.show(&format!("/buttons/{}", without_id["id"].as_str().unwrap())).await.expect(200);
}

async fn e_what_a_button_cannot_be(world: World) {
    let with = |member: &str, value: Value| {
        let mut body = json!({"app": APP_TWO, "id": "new", "origins": ["https://a.test"]});
        body[member] = value;
        body
    };
    for (body, status, pointer, says) in [
        (json!({"app": APP_TWO}), 400, "/origins", "missing"),
        (json!({"origins": []}), 400, "/app", "missing"),
        (with("app", json!("nothing")), 404, "/app", "no application"),
        (with("id", json!("btn-one")), 409, "/id", "already"),
        (with("id", json!("btn one")), 400, "/id", "A-Z"),
        (with("origins", json!(["https://a.test", "https://A.test:443/x"])), 400, "/origins/1", "`https://a.test`"),
        (with("origins", json!(["*"])), 400, "/origins/0", "wildcard"),
        (with("return_urls", json!(["http://a.test/in"])), 400, "/return_urls/0", "https"),
        (with("scopes", json!(["lead_receiver"])), 400, "/scopes", "account_api data_api"),
        (with("orgins", json!([])), 400, "/orgins", "`origins`"),
    ] {
        let answer = world.make("/buttons", &body).await;
        assert_problem_at(&answer, status, pointer);
        assert!(answer.json()["detail"].as_str().unwrap().contains(says), "{}", answer.json());
        assert_problem(&world.show("/buttons/new").await, 404);
    }
    assert_problem_at(&world.change("/buttons/btn-two", &json!({"scopes": ["lead_receiver"]})).await, 400, "/scopes");
    assert_problem_at(&world.change("/buttons/btn-two", &json!({"app": "nothing"})).await, 404, "/app");
    assert_problem_at(&world.change("/buttons/btn-two", &json!({"origins": null})).await, 400, "/origins");
    assert_problem_at(&world.change("/buttons/btn-two", &json!({"id": "x"})).await, 400, "/id");
    // One of another application's may not go to one that has fewer scopes than it asks for.
    let wide = json!({"app": APP_ONE, "id": "wide", "origins": [], "scopes": ["lead_receiver"]});
    world.make("/buttons", &wide).await.expect(201);
    assert_problem_at(&world.change("/buttons/wide", &json!({"app": APP_TWO})).await, 400, "/scopes");
}

async fn e_buttons_are_listed_by_application(world: World) {
    let all = world.show("/buttons").await.expect(200).json();
    let mut ids = each(&all, "buttons", "id");
    ids.sort_unstable();
    assert_eq!(ids, ["btn-all", "btn-one", "btn-two", "btn-wide"]);
    let of_two = world.show(&format!("/buttons?app={APP_TWO}")).await.expect(200).json();
    assert_eq!(each(&of_two, "buttons", "id"), ["btn-two"]);
    assert_eq!(world.show("/buttons?app=nothing").await.expect(200).json()["buttons"], json!([]));
    assert_problem(&world.show("/buttons?app=a%20b").await, 400);
}

both! {
    e_a_button_is_made_changed_and_deleted,
    e_what_a_button_cannot_be,
    e_buttons_are_listed_by_application,
}
