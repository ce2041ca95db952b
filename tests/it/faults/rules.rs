//! The set of rules: what is shown of it, and which are refused.

use serde_json::{Value, json};

use super::rule;
use crate::support::http::request;
use crate::support::{ADA, APP_ONE, World, both};

/// What was left out is shown as it was understood.
async fn e_a_set_is_shown_as_it_was_understood(world: World) {
    let given = json!([
        {"match": {"endpoint": "token"}, "effect": {"status": 500}},
        {"id": "mine", "match": {"endpoint": "/oauth/token", "app": APP_ONE, "user": "ADA@acme.test"}, "times": "always",
         "when": "after", "effect": {"delay_ms": 25000, "body": {"a": [1]}}},
        {"match": {"endpoint": "me"}, "times": 7, "effect": {"drop": true, "delay_ms": 1}},
        {"match": {"endpoint": "resume"}, "effect": {"error": "login_required", "status": 599}},
    ]);
    let shown = json!([
        {"id": "fault-1", "match": {"endpoint": "token"}, "times": 1, "when": "before", "effect": {"status": 500}, "hits": 0},
        {"id": "mine", "match": {"endpoint": "/oauth/token", "app": APP_ONE, "user": ADA}, "times": "always",
         "when": "after", "effect": {"delay_ms": 25000, "status": 200, "content_type": "application/json", "body": {"a": [1]}}, "hits": 0},
        {"id": "fault-3", "match": {"endpoint": "me"}, "times": 7, "when": "before", "effect": {"drop": true, "delay_ms": 1}, "hits": 0},
        {"id": "fault-4", "match": {"endpoint": "resume"}, "times": 1, "when": "before", "effect": {"error": "login_required", "status": 599}, "hits": 0},
    ]);
    assert_eq!(world.faults("PUT", &given).await.expect(200).json(), shown);
    let listed = world.faults("GET", &Value::Null).await.expect(200);
    assert_eq!((listed.json(), listed.header("cache-control")), (shown, Some("no-store")));
}

/// Each refusal says where and what to do, and the set before stays.
async fn e_a_rule_that_could_never_act_is_refused(world: World) {
    world.put_faults(json!([rule("me", &json!({"status": 500}))])).await;
    let with = |member: &str, value: Value| {
        let mut rule = rule("token", &json!({"status": 500}));
        rule[member] = value;
        rule
    };
    let effect = |effect: Value| rule("token", &effect);
    let of = |matched: Value| json!({"match": matched, "effect": {"status": 500}});
    let mut wrong = Vec::new();
    for (rule, pointer, says) in [
        // Not a rule at all.
        (json!(7), "", "object"),
        (json!({"effect": {"status": 500}}), "/match", "missing"),
        (json!({"match": {"endpoint": "token"}}), "/effect", "missing"),
        (of(json!({})), "/match/endpoint", "missing"),
        (with("tmies", json!(1)), "/tmies", "`times`"),
        (of(json!({"endpoint": "token", "usr": ADA})), "/match/usr", "`user`"),
        (effect(json!({"staus": 500})), "/effect/staus", "`status`"),
        (with("times", json!(0)), "/times", "from 1 on"),
        (with("times", json!(-1)), "/times", "from 1 on"),
        (with("times", json!(1.5)), "/times", "from 1 on"),
        (with("times", json!("twice")), "/times", "always"),
        (with("when", json!("later")), "/when", "`after`"),
        (with("id", json!("two words")), "/id", "characters"),
        (effect(json!({"status": "500"})), "/effect/status", "number"),
        (effect(json!({"drop": 1})), "/effect/drop", "true or false"),
        // Nothing that it could be for.
        (of(json!({"endpoint": "refreshacesstoken"})), "/match/endpoint", "`refreshaccesstoken`"),
        (of(json!({"endpoint": "/oauth/tokens"})), "/match/endpoint", "`/oauth/token`"),
        (of(json!({"endpoint": "faults"})), "/match/endpoint", "expected"),
        (of(json!({"endpoint": "token", "app": "studoi"})), "/match/app", "`studio`"),
        (of(json!({"endpoint": "token", "app": "no such app"})), "/match/app", "characters"),
        (of(json!({"endpoint": "token", "user": "adda@acme.test"})), "/match/user", "`ada@acme.test`"),
        (of(json!({"endpoint": "token", "user": "ada"})), "/match/user", "e-mail"),
        (of(json!({"endpoint": "jwks.json", "app": APP_ONE})), "/match/app", "does not say"),
        (of(json!({"endpoint": "jwks.json", "user": ADA})), "/match/user", "does not say"),
        (of(json!({"endpoint": "par", "user": ADA})), "/match/user", "does not say"),
        (of(json!({"endpoint": "/logout", "app": APP_ONE})), "/match/app", "does not say"),
        (of(json!({"endpoint": "resume", "app": "studio"})), "/match/app", "no button"),
        // Nothing that it could do.
        (effect(json!({})), "/effect", "no effect"),
        (effect(json!({"drop": false})), "/effect", "no effect"),
        (effect(json!({"delay_ms": 0})), "/effect/delay_ms", "25000"),
        (effect(json!({"delay_ms": 25_001})), "/effect/delay_ms", "25000"),
        (effect(json!({"status": 199})), "/effect/status", "200 to 599"),
        (effect(json!({"status": 600})), "/effect/status", "200 to 599"),
        (effect(json!({"status": 70_000})), "/effect/status", "number"),
        (effect(json!({"drop": true, "status": 500})), "/effect/status", "nothing is sent"),
        (effect(json!({"drop": true, "body": ""})), "/effect/body", "nothing is sent"),
        (effect(json!({"status": 500, "content_type": "text/html"})), "/effect/content_type", "none"),
        (effect(json!({"body": "", "content_type": "html"})), "/effect/content_type", "type/subtype"),
        (effect(json!({"body": "", "error": "invalid_grant"})), "/effect/error", "one of them"),
        (effect(json!({"body": "x", "status": 204})), "/effect/body", "204"),
        (effect(json!({"body": "x".repeat(64 * 1024 + 1)})), "/effect/body", "64 KiB"),
        (effect(json!({"error": "invalid_grnat"})), "/effect/error", "`invalid_grant`"),
        (rule("account", &json!({"error": "server_error"})), "/effect/error", "no code"),
        (rule("refreshaccesstoken", &json!({"error": ""})), "/effect/error", "1000"),
        (rule("resume", &json!({"error": "invalid_grant"})), "/effect/error", "no such error"),
    ] {
        // As the second of two, so that the pointer has to tell which.
        let set = json!([super::rule("me", &json!({"status": 500})), rule]);
        let answer = world.faults("PUT", &set).await.expect(400);
        let problem = answer.json();
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        let is_told = problem["detail"].as_str().unwrap().contains(says);
        if problem["pointer"] != format!("/1{pointer}") || !is_told {
            wrong.push(format!("{rule}: {problem}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let rule = |endpoint: &str, times: Value| json!({"match": {"endpoint": endpoint}, "times": times, "effect": {"status": 503}});
    let hidden = json!([rule("/oauth/token", json!("always")), rule("me", json!(1)), rule("/oauth/token", json!(1))]);
    assert_eq!(world.faults("PUT", &hidden).await.expect(400).json()["pointer"], "/2/match");
    let twice = json!([with("id", json!("a")), with("id", json!("a"))]);
    assert_eq!(world.faults("PUT", &twice).await.expect(400).json()["pointer"], "/1/id");
    let one = rule("me", &json!({"status": 500}));
    assert_eq!(world.faults("PUT", &json!(vec![&one; 101])).await.expect(400).json()["pointer"], "/100");
    assert_eq!(world.faults("PUT", &json!({"rules": []})).await.expect(400).json()["pointer"], "");
    world.faults("PUT", &json!(vec![rule("me", &json!({"body": "x".repeat(60_000)})); 18])).await.expect(413);
    assert_eq!(world.hits().await.len(), 1, "the set before");
    world.put_faults(json!(vec![one; 100])).await;
    assert_eq!(world.hits().await.len(), 100);
    world.put_faults(json!(vec![rule("me", &json!({"body": "x".repeat(60_000)})); 17])).await;
}

/// The counts of a set that is put again begin anew; other methods are 405; without the token it is 401.
async fn e_a_set_is_replaced_as_a_whole(world: World) {
    let always = json!([{"match": {"endpoint": "me"}, "times": "always", "effect": {"status": 500}}]);
    world.put_faults(always.clone()).await;
    world.me("x").await.expect(500);
    assert_eq!(world.hits().await, [1]);
    for method in ["GET", "PUT", "DELETE"] {
        let headers = [("content-type", "application/json")];
        world.send(request(method, "/_sandbox/faults", &headers, "[]")).await.expect(401);
    }
    world.faults("POST", &json!([])).await.expect(405);
    assert_eq!(world.hits().await, [1]);
    world.put_faults(always).await;
    assert_eq!(world.hits().await, [0]);
    world.put_faults(json!([])).await;
    world.me("x").await.expect(401);
}

both! {
    e_a_set_is_shown_as_it_was_understood,
    e_a_rule_that_could_never_act_is_refused,
    e_a_set_is_replaced_as_a_whole,
}
