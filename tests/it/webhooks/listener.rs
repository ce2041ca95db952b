//! Machines without a public address, which ask for their messages.

use serde_json::{Value, json};

use super::support::{Made, soon};
use crate::sandbox::assert_problem;
use crate::support::{ADA, APP_ONE, APP_TWO, GRACE, World, both, connect_by_api};

both! {
    f_a_listener_takes_messages_and_reports,
    f_a_listener_is_answered_as_soon_as_there_is_something,
    f_what_a_listener_does_not_report_comes_again,
    f_a_listener_that_does_not_ask_is_swept,
    f_a_listener_hears_of_one_application_or_of_all,
    f_a_listener_is_not_disabled,
    f_a_listener_is_in_the_event_log,
}

async fn listener(world: &World, body: Value) -> Made {
    let made = world.make("/listeners", &body).await.expect(201).json();
    let text = |member: &str| made[member].as_str().unwrap().to_owned();
    Made { id: text("id"), secret: text("secret") }
}

async fn take(world: &World, listener: &Made, query: &str) -> Vec<Value> {
    let path = format!("/listeners/{}/messages{query}", listener.id);
    world.plane("POST", &path, None).await.expect(200).json()["messages"].as_array().unwrap().clone()
}

async fn report(world: &World, listener: &Made, message: &Value, outcome: Value) -> Value {
    let mut body = json!({"nr": message["nr"], "duration_ms": 3});
    body.as_object_mut().unwrap().extend(outcome.as_object().unwrap().clone());
    let path = format!("/listeners/{}/messages/{}/outcome", listener.id, message["id"].as_str().unwrap());
    world.make(&path, &body).await.expect(200).json()
}

/// In order for each connection: the next one comes when the one before was taken.
async fn f_a_listener_takes_messages_and_reports(world: World) {
    let listener = listener(&world, json!({"app": APP_ONE})).await;
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    world.disconnect(&tokens.refresh).await.expect(200);
    let first = take(&world, &listener, "").await;
    assert_eq!(first.len(), 1, "{first:?}");
    assert_eq!((&first[0]["type"], &first[0]["nr"]), (&json!("connection.created"), &json!(1)));
    assert!(take(&world, &listener, "").await.is_empty(), "it has it");
    let again = report(&world, &listener, &first[0], json!({"status": 500, "body": "no"})).await;
    assert!(again["retry_in_ms"].as_u64().unwrap() < 2_000);
    world.advance(2);
    let second = take(&world, &listener, "").await;
    assert_eq!((&second[0]["id"], &second[0]["body"]), (&first[0]["id"], &first[0]["body"]));
    let done = report(&world, &listener, &second[0], json!({"status": 204})).await;
    assert_eq!(done["retry_in_ms"], Value::Null);
    let next = take(&world, &listener, "").await;
    assert_eq!(next[0]["type"], "connection.revoked");
    let failed = report(&world, &listener, &next[0], json!({"error": "nobody listens there"})).await;
    assert!(failed["retry_in_ms"].is_u64());
    world.drop_it(&format!("/listeners/{}", listener.id)).await.expect(204);
    assert_problem(&world.drop_it(&format!("/listeners/{}", listener.id)).await, 404);
    assert_problem(&world.plane("POST", &format!("/listeners/{}/messages", listener.id), None).await, 404);
}

async fn f_a_listener_is_answered_as_soon_as_there_is_something(world: World) {
    let made = listener(&world, json!({})).await;
    let (asking, other) = (world.clone(), made.clone());
    let waiting = tokio::spawn(async move { take(&asking, &other, "?wait=25s").await });
    connect_by_api(&world, ADA, "btn-one").await;
    assert_eq!(soon(waiting).await.unwrap().len(), 1);
    for bad in ["?wait=26s", "?wait=soon", "?later=1"] {
        assert_problem(&world.plane("POST", &format!("/listeners/{}/messages{bad}", made.id), None).await, 400);
    }
}

async fn f_what_a_listener_does_not_report_comes_again(world: World) {
    let listener = listener(&world, json!({})).await;
    connect_by_api(&world, ADA, "btn-one").await;
    let first = take(&world, &listener, "").await;
    world.advance(21);
    let second = take(&world, &listener, "").await;
    assert_eq!((&first[0]["id"], &second[0]["nr"]), (&second[0]["id"], &json!(2)));
    // Who comes too late with the first attempt's outcome does not settle the second.
    report(&world, &listener, &first[0], json!({"error": "late"})).await;
    assert!(take(&world, &listener, "").await.is_empty());
    report(&world, &listener, &second[0], json!({"status": 200})).await;
    world.advance(21);
    assert!(take(&world, &listener, "").await.is_empty());
}

async fn f_a_listener_that_does_not_ask_is_swept(world: World) {
    let listener = listener(&world, json!({})).await;
    world.advance(170);
    take(&world, &listener, "").await;
    world.advance(170);
    leadgate::worker::sweep(&world.ctx).await.unwrap();
    take(&world, &listener, "").await;
    world.advance(200);
    leadgate::worker::sweep(&world.ctx).await.unwrap();
    assert_problem(&world.plane("POST", &format!("/listeners/{}/messages", listener.id), None).await, 404);
}

async fn f_a_listener_hears_of_one_application_or_of_all(world: World) {
    let (one, all) = (listener(&world, json!({"app": APP_TWO})).await, listener(&world, json!({})).await);
    connect_by_api(&world, ADA, "btn-one").await;
    connect_by_api(&world, GRACE, "btn-two").await;
    assert_eq!(take(&world, &one, "").await.len(), 1);
    assert_eq!(take(&world, &all, "").await.len(), 2);
    assert_eq!(world.show("/webhooks").await.json()["webhooks"], json!([]), "they are not among the webhooks");
    assert_problem(&world.show(&format!("/webhooks/{}", all.id)).await, 404);
    assert_problem(&world.make("/listeners", &json!({"app": "nothing"})).await, 404);
}

/// Nobody could enable it again.
async fn f_a_listener_is_not_disabled(world: World) {
    let listener = listener(&world, json!({})).await;
    connect_by_api(&world, ADA, "btn-one").await;
    let first = take(&world, &listener, "").await;
    report(&world, &listener, &first[0], json!({"status": 410})).await;
    connect_by_api(&world, GRACE, "btn-one").await;
    assert_eq!(take(&world, &listener, "").await.len(), 1);
}

async fn f_a_listener_is_in_the_event_log(world: World) {
    let listener = listener(&world, json!({"app": APP_ONE})).await;
    world.drop_it(&format!("/listeners/{}", listener.id)).await.expect(204);
    for action in ["webhook.created", "webhook.deleted"] {
        let log = world.show(&format!("/events?action={action}")).await.expect(200).json();
        assert_eq!(log["events"].as_array().unwrap().len(), 1, "{log}");
    }
}
