//! Restarts, several nodes, resets and namespaces.

use serde_json::json;

use super::support::Receiver;
use crate::support::{ADA, APP_ONE, GRACE, Kind, World, both, connect_by_api};

both! {
    f_what_waits_survives_a_restart,
    f_who_dies_with_a_message_does_not_keep_it,
    f_two_nodes_send_each_message_once,
    f_another_node_hears_of_a_new_webhook,
    f_a_reset_takes_webhooks_along,
    f_a_namespace_has_webhooks_of_its_own,
    f_old_messages_are_swept,
    f_what_waits_is_not_swept_as_surplus,
    f_a_look_at_a_long_history_is_bounded,
}

async fn f_what_waits_survives_a_restart(world: World) {
    let receiver = Receiver::start().await;
    receiver.answers(&[500]);
    let webhook = {
        let _work = world.works();
        let webhook = world.webhook(&receiver.url("/")).await;
        connect_by_api(&world, ADA, "btn-one").await;
        world.attempted(&webhook, 1).await;
        webhook
    };
    let tokens = connect_by_api(&world, GRACE, "btn-one").await;
    let restarted = world.another_node().await;
    restarted.advance(5);
    let _work = restarted.works();
    receiver.wait_for(3).await;
    restarted.disconnect(&tokens.refresh).await.expect(200);
    receiver.wait_for(4).await;
    restarted.settled(&webhook, "delivered").await;
    let mut kinds = receiver.kinds();
    kinds.sort_unstable();
    assert_eq!(kinds, ["connection.created", "connection.created", "connection.created", "connection.revoked"]);
}

/// The lease of whoever claimed a message and is no more runs out.
async fn f_who_dies_with_a_message_does_not_keep_it(world: World) {
    let receiver = Receiver::start().await;
    world.webhook(&receiver.url("/slow")).await;
    {
        let _work = world.works();
        connect_by_api(&world, ADA, "btn-one").await;
        receiver.wait_for(1).await;
    }
    receiver.open();
    let restarted = world.another_node().await;
    let _work = restarted.works();
    restarted.later(21);
    let received = receiver.wait_for(2).await;
    assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"), "at least once");
}

async fn f_two_nodes_send_each_message_once(world: World) {
    let second = world.another_node().await;
    let (receiver, _one, _two) = (Receiver::start().await, world.works(), second.works());
    world.webhook(&receiver.url("/")).await;
    for nth in 0..20 {
        let node = if nth % 2 == 0 { &world } else { &second };
        let tokens = connect_by_api(node, ADA, "btn-one").await;
        node.disconnect(&tokens.refresh).await.expect(200);
    }
    let received = receiver.wait_for(40).await;
    let mut ids: Vec<&str> = received.iter().map(|one| one.header("webhook-id")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 40, "each once");
    let mut begun = std::collections::BTreeSet::new();
    for one in &received {
        let connection = one.json()["data"]["connection"].as_str().unwrap().to_owned();
        assert_eq!(begun.insert(connection), one.kind() == "connection.created", "in order for each connection");
    }
}

/// Refreshes are told where it is known that somebody hears of them: after a second at most.
async fn f_another_node_hears_of_a_new_webhook(world: World) {
    let second = world.another_node().await;
    let webhook = world.webhook("http://127.0.0.1:9/").await;
    let tokens = connect_by_api(&second, ADA, "btn-one").await;
    leadgate::services::webhooks::reload(&second.ctx).await.unwrap();
    second.refresh(&tokens.refresh, APP_ONE).await.expect(200);
    let log = world.deliveries(&webhook, "").await;
    let kinds: Vec<&str> = log.iter().map(|one| one["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["token.refreshed", "connection.created"]);
}

async fn f_a_reset_takes_webhooks_along(world: World) {
    let webhook = world.webhook("http://127.0.0.1:9/").await;
    connect_by_api(&world, ADA, "btn-one").await;
    world.plane("PUT", "/snapshots/told", None).await;
    world.plane("POST", "/reset", None).await.expect(200);
    world.show(&format!("/webhooks/{}", webhook.id)).await.expect(404);
    world.plane("POST", "/snapshots/told/restore", None).await.expect(200);
    assert_eq!(world.deliveries(&webhook, "").await.len(), 1, "and a snapshot has them");
    let (receiver, _work) = (Receiver::start().await, world.works());
    world.change(&format!("/webhooks/{}", webhook.id), &json!({"url": receiver.url("/")})).await.expect(200);
    world.later(60);
    let received = receiver.wait_for(1).await;
    assert_eq!(received[0].kind(), "connection.created", "its secret opens as before");
}

/// Nothing is asked of a quiet namespace's store, and yet its messages come at once.
async fn f_a_namespace_has_webhooks_of_its_own(world: World) {
    let receiver = Receiver::start().await;
    let outside = world.webhook("http://127.0.0.1:9/").await;
    let made = world.make("/namespaces", &json!({"ttl": "10m"})).await.expect(201).json();
    let inside = |path: &str| format!("/ns/{}/_sandbox{path}", made["id"].as_str().unwrap());
    let token = format!("Bearer {}", crate::support::SANDBOX_TOKEN);
    let headers = [("authorization", token.as_str())];
    let webhook = json!({"app": APP_ONE, "url": receiver.url("/")});
    world.post_json(&inside("/webhooks"), &headers, &webhook).await.expect(201);
    let allow = json!({"user": ADA, "button": "btn-one", "decision": "allow"});
    world.post_json(&inside("/authorize"), &headers, &allow).await.expect(200);
    receiver.wait_for(1).await;
    assert!(world.deliveries(&outside, "").await.is_empty());
}

async fn f_old_messages_are_swept(world: World) {
    let webhook = world.webhook("http://127.0.0.1:9/").await;
    connect_by_api(&world, ADA, "btn-one").await;
    world.advance(29 * 24 * 3_600);
    leadgate::worker::sweep(&world.ctx).await.unwrap();
    assert_eq!(world.deliveries(&webhook, "").await.len(), 1);
    world.advance(2 * 24 * 3_600);
    leadgate::worker::sweep(&world.ctx).await.unwrap();
    assert!(world.deliveries(&webhook, "").await.is_empty());
}

async fn fill(world: &World, webhook: &str, state: &str, count: usize, lane: &str) {
    let id = |nth: usize| match world.database.kind {
        Kind::Sqlite => format!("x'{nth:032x}'"),
        Kind::Postgres => format!("CAST('{}' AS UUID)", uuid::Uuid::from_u128(nth as u128)),
    };
    let webhook = uuid::Uuid::parse_str(webhook).unwrap();
    let webhook = match world.database.kind {
        Kind::Sqlite => format!("x'{}'", webhook.simple()),
        Kind::Postgres => format!("CAST('{webhook}' AS UUID)"),
    };
    let base = if state == "pending" { 1_000_000 } else { 1 };
    let rows: Vec<String> = (0..count)
        .map(|nth| {
            let lane = if lane.is_empty() { format!("lane/{nth}") } else { lane.to_owned() };
            format!(
                "({webhook}, {}, 'app.updated', '{lane}', '{{}}', '{state}', 0, 0, 1, 0, {})",
                id(base + nth),
                world.ctx.real_now().as_micros()
            )
        })
        .collect();
    world.database.db_execute(&format!("INSERT INTO webhook_messages VALUES {}", rows.join(", "))).await;
}

/// The documented bound is of what is settled.
async fn f_what_waits_is_not_swept_as_surplus(world: World) {
    let webhook = world.webhook("http://127.0.0.1:9/").await;
    fill(&world, &webhook.id, "pending", 5_010, "").await;
    fill(&world, &webhook.id, "delivered", 5_010, "").await;
    leadgate::worker::sweep(&world.ctx).await.unwrap();
    let counted = async |state: &str| {
        world.database.db_count(&format!("SELECT COUNT(*) FROM webhook_messages WHERE state = '{state}'")).await
    };
    assert_eq!((counted("pending").await, counted("delivered").await), (5_010, 5_000));
}

/// One lane of thousands and all that was delivered: nothing but its first is claimed, and the next look finds nothing due.
async fn f_a_look_at_a_long_history_is_bounded(world: World) {
    let webhook = world.webhook("http://127.0.0.1:9/").await;
    fill(&world, &webhook.id, "delivered", 3_000, "one").await;
    fill(&world, &webhook.id, "pending", 3_000, "one").await;
    let claimed = leadgate::services::webhooks::sender::claim(&world.ctx, 64).await.unwrap();
    assert_eq!(claimed.len(), 1);
    let now = world.ctx.real_now().as_micros();
    let due = format!("SELECT COUNT(*) FROM webhook_messages WHERE state = 'pending' AND next_attempt_at <= {now}");
    assert_eq!(world.database.db_count(&due).await, 0, "what waits for another is not looked at");
    assert!(leadgate::services::webhooks::sender::claim(&world.ctx, 64).await.unwrap().is_empty());
}
