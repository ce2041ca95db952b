//! What the administration shows, by the control plane: the event log, usage, invitations, disabled applications.

use serde_json::json;

use super::{assert_problem, assert_problem_at, each};
use crate::support::{ADA, APP_ONE, GRACE, World, both, connect_by_api};

/// wire.md E: the event log in pages, newest first, narrowed.
async fn e_events_are_listed(world: World) {
    for n in 0..5 {
        world.make("/accounts", &json!({"id": format!("a{n}"), "name": "Made"})).await.expect(201);
    }
    world.change("/accounts/a0", &json!({"name": "Renamed"})).await.expect(200);
    world.signed_in(ADA).await;
    let changed = world.show("/events?action=account.changed").await.expect(200).json();
    assert_eq!(changed["events"][0]["actor"]["kind"], "control_plane");
    assert_eq!(changed["events"][0]["changes"], json!([{"field": "name", "before": "Made", "after": "Renamed"}]));
    let (mut found, mut query) = (Vec::new(), "?action=account.created&limit=2".to_owned());
    loop {
        let page = world.show(&format!("/events{query}")).await.expect(200).json();
        found.extend(page["events"].as_array().unwrap().iter().map(|event| event["target"]["id"].clone()));
        match page["next"].as_str() {
            Some(next) => query = format!("?action=account.created&limit=2&after={next}"),
            None => break,
        }
    }
    assert_eq!(found, ["a4", "a3", "a2", "a1", "a0"]);
    for (query, expected) in [
        ("target=a3", 1),
        ("kind=account&target=a0", 2),
        ("kind=user&target=a0", 0),
        ("actor=ada%40acme.test", 1),
        ("actor=ada%40acme.test&changes=true", 0),
        ("since=2026-11-23T00:00:00Z", 0),
        ("target=%25", 0),
    ] {
        let found = world.show(&format!("/events?{query}")).await.expect(200).json();
        assert_eq!(each(&found, "events", "id").len(), expected, "{query}: {found}");
    }
    for bad in ["action=app.eaten", "kind=x", "since=today", "after=x", "actor=%00", "limit=0"] {
        let answer = world.show(&format!("/events?{bad}")).await;
        assert_problem(&answer, 400);
        assert_eq!(answer.json()["parameter"], bad.split('=').next().unwrap(), "{bad}");
    }
}

/// wire.md E, B23: a disabled application has no working token; enabled again, it may connect anew.
async fn e_an_app_is_disabled(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    let app = world.change(&format!("/apps/{APP_ONE}"), &json!({"disabled": true})).await.expect(200).json();
    assert_eq!(app["disabled"], true);
    world.me(&tokens.access).await.expect(401);
    assert_eq!(world.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], false);
    let app = world.change(&format!("/apps/{APP_ONE}"), &json!({"disabled": false})).await.expect(200).json();
    assert_eq!(app["disabled"], false);
    world.me(&tokens.access).await.expect(401);
    world.me(&connect_by_api(&world, ADA, "btn-one").await.access).await.expect(200);
    let made = world.make("/apps", &json!({"id": "off", "name": "Off", "disabled": true})).await.expect(201).json();
    assert_eq!(made["disabled"], true);
}

/// wire.md E: a button's snippet has a look.
async fn e_a_button_has_a_theme_and_a_size(world: World) {
    let new = json!({"app": APP_ONE, "id": "b", "origins": [], "theme": "dark"});
    let made = world.make("/buttons", &new).await.expect(201).json();
    assert_eq!((&made["theme"], &made["size"]), (&json!("dark"), &json!("medium")));
    let changed = world.change("/buttons/b", &json!({"size": "large"})).await.expect(200).json();
    assert_eq!((&changed["theme"], &changed["size"]), (&json!("dark"), &json!("large")));
    assert_problem_at(&world.change("/buttons/b", &json!({"theme": "drak"})).await, 400, "/theme");
    let app = world.show(&format!("/apps/{APP_ONE}")).await.json();
    let nested = app["buttons"].as_array().unwrap().iter().find(|button| button["id"] == "b").unwrap();
    assert_eq!(nested["theme"], "dark");
}

/// wire.md E: an e-mail address changes, and is nobody else's.
async fn e_an_email_address_changes(world: World) {
    let changed = world.change(&format!("/users/{ADA}"), &json!({"email": "Ada.B@acme.test"})).await.expect(200).json();
    assert_eq!(changed["email"], "ada.b@acme.test");
    world.signed_in("ada.b@acme.test").await;
    assert_problem_at(&world.change("/users/ada.b@acme.test", &json!({"email": GRACE})).await, 409, "/email");
}

/// wire.md E: usage by day.
async fn e_usage_is_shown(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    world.refresh(&tokens.refresh, APP_ONE).await.expect(200);
    let days = world.show(&format!("/apps/{APP_ONE}/usage")).await.expect(200).json()["days"].clone();
    let days = days.as_array().unwrap();
    assert_eq!(days.len(), 30);
    assert_eq!(days[29]["date"], "2026-11-22");
    assert_eq!(days[29]["refreshes"], 1, "{}", days[29]);
    assert_problem(&world.show("/apps/nothing/usage").await, 404);
}

/// wire.md E: an invitation's link.
async fn e_a_user_is_invited(world: World) {
    let made =
        world.make("/invitations", &json!({"email": "new@acme.test", "account": "acme"})).await.expect(201).json();
    assert!(made["link"].as_str().unwrap().contains("/invitation?token=lgv_"), "{made}");
    assert_eq!((&made["role"], &made["expires_at"]), (&json!("member"), &json!("2026-11-29T09:15:30Z")));
    assert_problem_at(&world.make("/invitations", &json!({"email": ADA})).await, 409, "/email");
    let nowhere = json!({"email": "other@acme.test", "account": "nowhere"});
    assert_problem_at(&world.make("/invitations", &nowhere).await, 404, "/account");
}

both! {
    e_events_are_listed,
    e_an_app_is_disabled,
    e_a_button_has_a_theme_and_a_size,
    e_an_email_address_changes,
    e_usage_is_shown,
    e_a_user_is_invited,
}
