//! Webhooks over the control plane: made, shown, changed, deleted.

use serde_json::{Value, json};

use super::support::{Made, Receiver};
use crate::sandbox::{assert_problem, assert_problem_at, each};
use crate::support::{APP_ONE, APP_TWO, Setup, World, both};

both! {
    f_a_webhook_is_made_changed_and_deleted,
    f_what_a_webhook_cannot_be,
    f_webhooks_are_listed_by_application,
    f_a_test_is_sent,
    f_a_secret_is_shown_once_and_not_stored_in_the_clear,
    f_there_is_an_end_to_webhooks,
}
both! { with super::public(); f_a_target_has_to_be_on_the_list }

fn public() -> Setup {
    Setup { outgoing_allow: "hooks.partner.test", ..Setup::default() }
}

async fn f_a_webhook_is_made_changed_and_deleted(world: World) {
    let new = json!({"app": APP_ONE, "url": "http://localhost:9/hooks?x=1", "events": ["connection.created"]});
    let made = world.make("/webhooks", &new).await.expect(201);
    let path = made.header("location").unwrap().strip_prefix("/_sandbox").unwrap().to_owned();
    let made = made.json();
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    assert_eq!((&made["events"], &made["disabled"]), (&json!(["connection.created"]), &json!(false)));
    let shown = world.show(&path).await.expect(200).json();
    assert_eq!((&shown["url"], shown.get("secret")), (&json!("http://localhost:9/hooks?x=1"), None));
    let change = json!({"url": "http://127.0.0.1:9/", "events": ["app.updated", "token.refreshed"], "disabled": true});
    let changed = world.change(&path, &change).await.expect(200).json();
    assert_eq!(changed["events"], json!(["token.refreshed", "app.updated"]));
    assert_eq!((&changed["disabled"], &changed["disabled_why"]), (&json!(true), &json!("switched")));
    assert_eq!(world.change(&path, &json!({})).await.expect(200).json(), changed);
    world.plane("POST", &format!("{path}/rotate-secret"), None).await.expect(200);
    world.drop_it(&path).await.expect(204);
    for answer in [
        world.show(&path).await,
        world.drop_it(&path).await,
        world.change(&path, &json!({})).await,
        world.plane("POST", &format!("{path}/test"), None).await,
        world.plane("POST", &format!("{path}/rotate-secret"), None).await,
        world.show(&format!("{path}/deliveries")).await,
        world.make(&format!("{path}/replay"), &json!({"since": "2026-11-22T09:00:00Z"})).await,
        world.show("/webhooks/nothing").await,
    ] {
        assert_problem(&answer, 404);
    }
    let events = world.show("/events").await.expect(200).json();
    let mut actions = each(&events, "events", "action");
    actions.retain(|action| action.starts_with("webhook."));
    assert_eq!(actions, ["webhook.deleted", "webhook.secret_rotated", "webhook.changed", "webhook.created"]);
    assert!(!events.to_string().contains("x=1"), "an address' query may hold what is nobody's business");
}

async fn f_what_a_webhook_cannot_be(world: World) {
    let with = |member: &str, value: Value| {
        let mut body = json!({"app": APP_ONE, "url": "http://localhost:9/"});
        body[member] = value;
        body
    };
    for (body, status, pointer, says) in [
        (json!({"app": APP_ONE}), 400, "/url", "missing"),
        (json!({"url": "http://localhost:9/"}), 400, "/app", "missing"),
        (with("app", json!("nothing")), 404, "/app", "no application"),
        (with("url", json!("/hooks")), 400, "/url", "absolute"),
        (with("url", json!("http://u:p@localhost/")), 400, "/url", "password"),
        (with("url", json!("https://partner.example/hooks")), 400, "/url", "outgoing_allow"),
        (with("url", json!("http://169.254.169.254/")), 400, "/url", "outgoing_allow"),
        (with("url", json!("ftp://localhost/")), 400, "/url", "https://"),
        (with("events", json!([])), 400, "/events", "at least one"),
        (with("events", json!(["connection.ended"])), 400, "/events/0", "connection.denied"),
        (with("secret", json!("hunter2")), 400, "/secret", "whsec_"),
        (with("uri", json!("x")), 400, "/uri", "`url`"),
    ] {
        let answer = world.make("/webhooks", &body).await;
        assert_problem_at(&answer, status, pointer);
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(says) && !detail.contains("hunter2"), "{detail}");
    }
    assert_eq!(world.show("/webhooks").await.json()["webhooks"], json!([]));
    let webhook = world.webhook("http://localhost:9/").await;
    let path = format!("/webhooks/{}", webhook.id);
    assert_problem_at(&world.change(&path, &json!({"url": "https://partner.example/"})).await, 400, "/url");
    assert_problem_at(&world.change(&path, &json!({"events": []})).await, 400, "/events");
    assert_problem_at(&world.make(&format!("{path}/rotate-secret"), &json!({"overlap": "31d"})).await, 400, "/overlap");
    for query in ["?status=lost", "?limit=0", "?before=msg_1", "?type=nothing", "?page=2"] {
        assert_problem(&world.show(&format!("{path}/deliveries{query}")).await, 400);
    }
    let missing = format!("{path}/deliveries/msg_{}", "0".repeat(32));
    assert_problem(&world.show(&missing).await, 404);
    assert_problem(&world.plane("POST", &format!("{missing}/replay"), None).await, 404);
}

async fn f_a_target_has_to_be_on_the_list(world: World) {
    let body = |url: &str| json!({"app": APP_ONE, "url": url});
    world.make("/webhooks", &body("https://hooks.partner.test/in")).await.expect(201);
    for other in ["http://localhost:9/", "http://127.0.0.1:9/", "http://[::1]:9/", "https://partner.test/"] {
        assert_problem_at(&world.make("/webhooks", &body(other)).await, 400, "/url");
    }
}

async fn f_webhooks_are_listed_by_application(world: World) {
    let first = world.webhook("http://localhost:9/1").await;
    let second = world.webhook("http://localhost:9/2").await;
    world.make("/webhooks", &json!({"app": APP_TWO, "url": "http://localhost:9/3"})).await.expect(201);
    let all = world.show("/webhooks").await.expect(200).json();
    assert_eq!(all["webhooks"].as_array().unwrap().len(), 3);
    let own = world.show(&format!("/webhooks?app={APP_ONE}")).await.expect(200).json();
    let mut ids = each(&own, "webhooks", "id");
    ids.sort_unstable();
    let mut made = [first.id.as_str(), second.id.as_str()];
    made.sort_unstable();
    assert_eq!(ids, made);
    let page = world.show("/webhooks?limit=2").await.expect(200).json();
    let rest = world.show(&format!("/webhooks?limit=2&after={}", page["next"].as_str().unwrap())).await.expect(200);
    assert_eq!((rest.json()["webhooks"].as_array().unwrap().len(), &rest.json()["next"]), (1, &Value::Null));
}

async fn f_a_test_is_sent(world: World) {
    let (receiver, _work) = (Receiver::start().await, world.works());
    let webhook = world.webhook_for(&receiver.url("/"), Some(&["app.updated"])).await;
    let sent = world.plane("POST", &format!("/webhooks/{}/test", webhook.id), None).await.expect(202).json();
    let one = receiver.wait_for(1).await.remove(0);
    assert_eq!((one.kind().as_str(), one.header("webhook-id")), ("webhook.test", sent["id"].as_str().unwrap()));
    assert_eq!(one.json()["data"], json!({"app": APP_ONE}));
}

async fn f_a_secret_is_shown_once_and_not_stored_in_the_clear(world: World) {
    let chosen = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let body = json!({"app": APP_ONE, "url": "http://localhost:9/", "secret": chosen});
    let made = world.make("/webhooks", &body).await.expect(201).json();
    assert_eq!(made["secret"], chosen);
    let webhook = Made { id: made["id"].as_str().unwrap().to_owned(), secret: String::new() };
    for path in ["/webhooks".to_owned(), format!("/webhooks/{}", webhook.id), "/events".to_owned()] {
        assert!(!world.show(&path).await.text().contains("whsec_"), "{path}");
    }
    // 24 bytes of a secret are 52 when they are sealed: a nonce, and a tag.
    let sealed = "SELECT COUNT(*) FROM webhooks WHERE length(secret) = 52";
    assert_eq!(world.database.db_count(sealed).await, 1);
}

async fn f_there_is_an_end_to_webhooks(world: World) {
    for _ in 0..20 {
        world.webhook("http://localhost:9/").await;
    }
    assert_problem(&world.make("/webhooks", &json!({"app": APP_ONE, "url": "http://localhost:9/"})).await, 409);
    world.make("/webhooks", &json!({"app": APP_TWO, "url": "http://localhost:9/"})).await.expect(201);
}
