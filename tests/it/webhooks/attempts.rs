//! What becomes of a message: success, retries, order, giving up, the log, and sending again.

use std::collections::BTreeSet;

use serde_json::json;

use super::support::Receiver;
use crate::support::{ADA, APP_ONE, GRACE, World, both, connect_by_api};

both! {
    f_a_refused_message_comes_again_as_it_was,
    f_a_later_message_of_a_connection_waits,
    f_connections_do_not_wait_for_each_other,
    f_a_slow_target_holds_up_no_other,
    f_a_message_is_given_up_and_the_next_one_comes,
    f_a_target_may_ask_for_patience,
    f_a_target_that_is_gone_is_left_alone,
    f_a_target_that_fails_for_days_is_left_alone,
    f_the_log_has_each_attempt,
    f_a_target_that_is_not_there_is_said_so,
    f_one_message_is_replayed,
    f_a_span_is_replayed,
    f_a_redirect_is_not_followed,
    f_a_replay_during_an_attempt_is_not_lost,
}

/// The same bytes under the same id, signed anew.
async fn f_a_refused_message_comes_again_as_it_was(world: World) {
    let (receiver, _work) = (Receiver::start().await, world.works());
    receiver.answers(&[500, 404]);
    let webhook = world.webhook(&receiver.url("/")).await;
    connect_by_api(&world, ADA, "btn-one").await;
    world.attempted(&webhook, 1).await;
    world.later(2);
    world.attempted(&webhook, 2).await;
    world.later(7);
    let received = receiver.wait_for(3).await;
    for one in &received {
        assert_eq!(one.body, received[0].body);
        assert_eq!(one.header("webhook-id"), received[0].header("webhook-id"));
    }
    let timestamps: BTreeSet<&str> = received.iter().map(|one| one.header("webhook-timestamp")).collect();
    let signatures: BTreeSet<&str> = received.iter().map(|one| one.header("webhook-signature")).collect();
    assert_eq!((timestamps.len(), signatures.len()), (3, 3));
    let log = world.settled(&webhook, "delivered").await;
    assert_eq!(log["attempts"], 3);
    world.later(100_000);
    connect_by_api(&world, GRACE, "btn-one").await;
    receiver.wait_for(4).await;
    assert_eq!(receiver.received().len(), 4, "what was taken does not come again");
}

/// In order for each connection, also where it takes long.
async fn f_a_later_message_of_a_connection_waits(world: World) {
    let (receiver, _work) = (Receiver::start().await, world.works());
    receiver.answers(&[500, 500]);
    let webhook = world.webhook(&receiver.url("/")).await;
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    receiver.wait_for(1).await;
    world.refresh(&tokens.refresh, APP_ONE).await.expect(200);
    world.disconnect(&tokens.refresh).await.expect(200);
    let first = world.deliveries(&webhook, "").await.pop().unwrap();
    for count in 2..=3 {
        // The attempt before has to be in the log, so that the next one is due.
        while world.sent(&webhook, &first["id"]).await["log"].as_array().unwrap().len() < count - 1 {
            tokio::task::yield_now().await;
        }
        world.later(10);
        receiver.wait_for(count).await;
    }
    receiver.wait_for(5).await;
    let kinds = receiver.kinds();
    assert_eq!(kinds[..3], ["connection.created", "connection.created", "connection.created"]);
    assert_eq!(kinds[3..], ["token.refreshed", "connection.revoked"]);
}

async fn f_connections_do_not_wait_for_each_other(world: World) {
    let (receiver, _work) = (Receiver::start().await, world.works());
    receiver.answers(&[500]);
    world.webhook(&receiver.url("/")).await;
    connect_by_api(&world, ADA, "btn-one").await;
    receiver.wait_for(1).await;
    connect_by_api(&world, GRACE, "btn-one").await;
    let received = receiver.wait_for(2).await;
    assert_eq!(received[1].json()["data"]["user"], GRACE, "the clock stands: nobody came again");
}

async fn f_a_slow_target_holds_up_no_other(world: World) {
    let (slow, quick, _work) = (Receiver::start().await, Receiver::start().await, world.works());
    world.webhook(&slow.url("/slow")).await;
    world.webhook(&quick.url("/")).await;
    for email in [ADA, GRACE, "slow5s@acme.test", "expired@acme.test"] {
        let consent = json!({"user": email, "app": APP_ONE});
        world.make("/connections", &consent).await.expect(201);
    }
    quick.wait_for(4).await;
    slow.open();
    slow.wait_for(4).await;
}

async fn f_a_message_is_given_up_and_the_next_one_comes(world: World) {
    let (receiver, _work) = (Receiver::start().await, world.works());
    receiver.answers(&[500; 11]);
    let webhook = world.webhook(&receiver.url("/")).await;
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    // Each pause, a quarter longer at most.
    let pauses = [2, 7, 38, 151, 751, 2_251, 4_501, 13_501, 27_001, 54_001, 0];
    for (attempt, pause) in (1..).zip(pauses) {
        world.attempted(&webhook, attempt).await;
        world.later(pause);
    }
    assert_eq!(world.settled(&webhook, "failed").await["attempts"], 11);
    world.disconnect(&tokens.refresh).await.expect(200);
    receiver.wait_for(12).await;
    assert_eq!(receiver.kinds().last().unwrap(), "connection.revoked");
}

async fn f_a_target_may_ask_for_patience(world: World) {
    let (receiver, _work) = (Receiver::start().await, world.works());
    receiver.asks_to_wait(429, "600");
    let webhook = world.webhook(&receiver.url("/")).await;
    connect_by_api(&world, ADA, "btn-one").await;
    let log = world.attempted(&webhook, 1).await;
    assert_eq!(log["next_attempt_at"], "2026-11-22T09:25:30.000Z");
    world.later(599);
    connect_by_api(&world, GRACE, "btn-one").await;
    assert_eq!(receiver.wait_for(2).await[1].json()["data"]["user"], GRACE);
    world.later(2);
    receiver.wait_for(3).await;
}

/// 410 Gone.
async fn f_a_target_that_is_gone_is_left_alone(world: World) {
    let (receiver, _work) = (Receiver::start().await, world.works());
    receiver.answers(&[410]);
    let webhook = world.webhook(&receiver.url("/")).await;
    connect_by_api(&world, ADA, "btn-one").await;
    world.settled(&webhook, "failed").await;
    let shown = world.show(&format!("/webhooks/{}", webhook.id)).await.expect(200).json();
    assert_eq!((&shown["disabled"], &shown["disabled_why"]), (&json!(true), &json!("gone")));
    connect_by_api(&world, GRACE, "btn-one").await;
    assert_eq!(world.deliveries(&webhook, "").await.len(), 1, "it hears of nothing");
    let events = world.show("/events?action=webhook.changed").await.expect(200).json();
    assert_eq!(events["events"].as_array().unwrap().len(), 1, "{events}");
}

async fn f_a_target_that_fails_for_days_is_left_alone(world: World) {
    let (receiver, _work) = (Receiver::start().await, world.works());
    receiver.answers(&[500, 500, 500]);
    let webhook = world.webhook(&receiver.url("/")).await;
    connect_by_api(&world, ADA, "btn-one").await;
    world.attempted(&webhook, 1).await;
    world.later(4 * 24 * 3_600);
    world.attempted(&webhook, 2).await;
    let path = format!("/webhooks/{}", webhook.id);
    assert_eq!(world.show(&path).await.json()["failing_since"], "2026-11-22T09:15:30Z");
    world.later(24 * 3_600);
    world.attempted(&webhook, 3).await;
    let shown = world.show(&path).await.expect(200).json();
    assert_eq!((&shown["disabled"], &shown["disabled_why"]), (&json!(true), &json!("failing")));
    // Who repairs it gets what waited.
    let changed = world.change(&path, &json!({"disabled": false})).await.expect(200).json();
    assert_eq!((&changed["disabled"], &changed["failing_since"]), (&json!(false), &json!(null)));
    world.later(60);
    receiver.wait_for(4).await;
    world.settled(&webhook, "delivered").await;
}

async fn f_the_log_has_each_attempt(world: World) {
    let (receiver, _work) = (Receiver::start().await, world.works());
    receiver.answers(&[503]);
    let webhook = world.webhook(&receiver.url("/?key=7")).await;
    connect_by_api(&world, ADA, "btn-one").await;
    world.attempted(&webhook, 1).await;
    world.later(2);
    let log = world.settled(&webhook, "delivered").await;
    let received = receiver.wait_for(2).await;
    assert_eq!(log["payload"], String::from_utf8(received[0].body.to_vec()).unwrap());
    for (nr, status) in [(1, 503), (2, 200)] {
        let attempt = &log["log"][nr - 1];
        assert_eq!((&attempt["nr"], &attempt["response"]["status"]), (&json!(nr), &json!(status)), "{log}");
        assert!(attempt["duration_ms"].is_u64() && attempt["at"].is_string());
        // PostgreSQL takes no NUL in a text.
        assert_eq!(attempt["response"]["body"], "thanks\u{fffd}");
        let has = |headers: &serde_json::Value, name: &str, value: &str| {
            headers.as_array().unwrap().contains(&json!([name, value]))
        };
        assert!(has(&attempt["response"]["headers"], "x-receiver", "(not kept)"), "{attempt}");
        let signature = received[nr - 1].header("webhook-signature");
        assert!(has(&attempt["request"]["headers"], "webhook-signature", signature), "{attempt}");
    }
    let none = world.deliveries(&webhook, "?status=failed").await;
    assert!(none.is_empty());
    assert_eq!(world.deliveries(&webhook, "?status=delivered&type=connection.created").await.len(), 1);
}

async fn f_a_target_that_is_not_there_is_said_so(world: World) {
    let _work = world.works();
    let webhook = world.webhook("http://127.0.0.1:9/").await;
    connect_by_api(&world, ADA, "btn-one").await;
    let attempt = world.attempted(&webhook, 1).await["log"][0].clone();
    assert_eq!(attempt["response"], json!(null));
    assert!(attempt["error"].as_str().unwrap().contains("could not be reached"), "{attempt}");
}

async fn f_one_message_is_replayed(world: World) {
    let (receiver, _work) = (Receiver::start().await, world.works());
    let webhook = world.webhook(&receiver.url("/")).await;
    connect_by_api(&world, ADA, "btn-one").await;
    let log = world.settled(&webhook, "delivered").await;
    let path = format!("/webhooks/{}/deliveries/{}/replay", webhook.id, log["id"].as_str().unwrap());
    world.plane("POST", &path, None).await.expect(202);
    let received = receiver.wait_for(2).await;
    assert_eq!(received[0].body, received[1].body);
    assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
    assert_eq!(world.attempted(&webhook, 2).await["attempts"], 2, "one message, and both attempts in its log");
}

async fn f_a_span_is_replayed(world: World) {
    let (receiver, _work) = (Receiver::start().await, world.works());
    receiver.answers(&[410]);
    let webhook = world.webhook(&receiver.url("/")).await;
    connect_by_api(&world, ADA, "btn-one").await;
    world.settled(&webhook, "failed").await;
    let path = format!("/webhooks/{}", webhook.id);
    world.change(&path, &json!({"disabled": false})).await.expect(200);
    world.advance(60);
    connect_by_api(&world, GRACE, "btn-one").await;
    world.settled(&webhook, "delivered").await;
    let replay = format!("{path}/replay");
    let replayed = async |body| world.make(&replay, &body).await.expect(202).json()["replayed"].as_u64().unwrap();
    let (all, none) = ("2026-11-22T09:00:00Z", "2026-11-22T09:01:00Z");
    assert_eq!(replayed(json!({"since": all, "until": none})).await, 0);
    assert_eq!(replayed(json!({"since": all, "status": "failed"})).await, 1);
    receiver.wait_for(3).await;
    world.settled(&webhook, "delivered").await;
    while !world.deliveries(&webhook, "?status=pending").await.is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(replayed(json!({"since": "2026-11-22T09:16:00Z"})).await, 1, "the later one");
    assert_eq!(receiver.wait_for(4).await[3].json()["data"]["user"], GRACE);
    for bad in [json!({"since": "yesterday"}), json!({}), json!({"since": all, "status": "lost"})] {
        world.make(&replay, &bad).await.expect(400);
    }
}

/// Where it leads to was not agreed upon.
async fn f_a_redirect_is_not_followed(world: World) {
    let (receiver, _work) = (Receiver::start().await, world.works());
    receiver.answers(&[302]);
    let webhook = world.webhook(&receiver.url("/")).await;
    connect_by_api(&world, ADA, "btn-one").await;
    let log = world.attempted(&webhook, 1).await;
    assert_eq!((&log["status"], &log["log"][0]["response"]["status"]), (&json!("pending"), &json!(302)));
}

/// Which settles nothing any more.
async fn f_a_replay_during_an_attempt_is_not_lost(world: World) {
    let (receiver, _work) = (Receiver::start().await, world.works());
    let webhook = world.webhook(&receiver.url("/slow")).await;
    connect_by_api(&world, ADA, "btn-one").await;
    receiver.wait_for(1).await;
    let message = world.deliveries(&webhook, "").await.remove(0)["id"].as_str().unwrap().to_owned();
    let path = format!("/webhooks/{}/deliveries/{message}/replay", webhook.id);
    world.plane("POST", &path, None).await.expect(202);
    receiver.wait_for(2).await;
    receiver.open();
    world.settled(&webhook, "delivered").await;
}
