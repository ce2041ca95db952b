//! The journal's requests: listed, waited for, looked at, counted, taken away.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use super::{assert_problem, assert_problem_at, each};
use crate::support::http::request;
use crate::support::{ADA, APP_ONE, APP_TWO, Click, GRACE, PARTNER, Tokens, World, both, connect_by_api};

/// Ada is connected, was refreshed well and badly, and called the API; Grace is connected, too.
async fn scene(world: &World) -> (Tokens, Tokens) {
    let ada = connect_by_api(world, ADA, "btn-one").await;
    let grace = connect_by_api(world, GRACE, "btn-two").await;
    world.refresh(&ada.refresh, APP_ONE).await.expect(200);
    world.advance(60);
    world.refresh(&ada.refresh, APP_TWO).await.expect(200);
    world.refresh(&grace.refresh, APP_TWO).await.expect(200);
    world.me(&ada.access).await.expect(200);
    world.get("/oauth2/token").await.expect(404);
    (ada, grace)
}

async fn list(world: &World, query: &str) -> Vec<Value> {
    let answer = world.show(&format!("/requests{query}")).await.expect(200).json();
    answer["requests"].as_array().unwrap().clone()
}

fn endpoints(list: &[Value]) -> Vec<&str> {
    list.iter().map(|request| request["endpoint"].as_str().unwrap()).collect()
}

/// Newest first, with everything that wire.md names, and without the control plane's own.
async fn e_requests_are_listed_newest_first(world: World) {
    scene(&world).await;
    let all = list(&world, "").await;
    assert_eq!(endpoints(&all), ["(none)", "me", "refreshaccesstoken", "refreshaccesstoken", "refreshaccesstoken"]);
    let refused = &all[3];
    assert_eq!(refused["at"], "2026-11-22T09:16:30.000Z");
    assert_eq!((&refused["method"], &refused["status"]), (&json!("GET"), &json!(200)));
    assert_eq!(refused["route"], "/authorize/refreshaccesstoken/{*token}");
    assert!(refused["duration_ms"].is_u64() && refused["connection"].is_string() && refused["fault"].is_null());
    assert_eq!((&refused["app"], &refused["user"]), (&json!(APP_TWO), &json!(ADA)), "whose it is was looked up");
    assert_eq!((&refused["outcome"], &refused["why"]["rule"]), (&json!("refused"), &json!("refresh_token.other_app")));
    assert_eq!(refused["why"]["nearest"], format!("application {APP_ONE}"));
    assert!(all[4]["why"].is_null());
    assert_eq!(all[0]["why"]["nearest"], "/oauth/token");

    let answer = world.me("nonsense").await.expect(401);
    assert_eq!(list(&world, "?limit=1").await[0]["id"], answer.header("x-request-id").unwrap());
}

/// Criteria add up.
async fn e_requests_are_filtered(world: World) {
    scene(&world).await;
    let all = list(&world, "").await;
    for (query, expected) in [
        (format!("?app={APP_ONE}"), vec![&all[1], &all[4]]),
        (format!("?app={APP_TWO}&user={GRACE}"), vec![&all[2]]),
        ("?user=ADA@acme.test".to_owned(), vec![&all[1], &all[3], &all[4]]),
        ("?endpoint=me".to_owned(), vec![&all[1]]),
        ("?endpoint=/v1/me".to_owned(), vec![&all[1]]),
        ("?outcome=refused".to_owned(), vec![&all[0], &all[3]]),
        ("?outcome=error".to_owned(), vec![]),
        ("?since=2026-11-22T09:16:30Z".to_owned(), vec![&all[0], &all[1], &all[2], &all[3]]),
        ("?since=2026-11-22T10:16:30.001%2B01:00".to_owned(), vec![]),
        (format!("?after={}", all[2]["id"].as_str().unwrap()), vec![&all[0], &all[1]]),
        (format!("?connection={}", all[2]["connection"].as_str().unwrap()), vec![&all[2]]),
        ("?flow=00000000-0000-0000-0000-000000000000".to_owned(), vec![]),
        ("?limit=2".to_owned(), vec![&all[0], &all[1]]),
    ] {
        assert_eq!(list(&world, &query).await.iter().collect::<Vec<_>>(), expected, "{query}");
    }
}

/// A parameter that is malformed, unknown or repeated is named.
async fn e_a_bad_parameter_is_named(world: World) {
    for (query, parameter) in [
        ("outcome=fine", "outcome"),
        ("since=yesterday", "since"),
        ("since=2026-11-22T09:16:30", "since"),
        ("limit=0", "limit"),
        ("limit=5001", "limit"),
        ("limit=-1", "limit"),
        ("wait=5", "wait"),
        ("wait=25001ms", "wait"),
        ("app=a%20b", "app"),
        ("user=", "user"),
        ("endpoint=", "endpoint"),
        ("flow=1", "flow"),
        ("connection=x", "connection"),
        ("after=x", "after"),
        ("outcom=ok", "outcom"),
        ("outcome=ok&outcome=ok", "outcome"),
    ] {
        let answer = world.show(&format!("/requests?{query}")).await;
        assert_problem(&answer, 400);
        assert_eq!(answer.json()["parameter"], parameter, "{query}");
    }
    let unknown = world.show("/requests?outcom=ok").await.json();
    assert!(unknown["detail"].as_str().unwrap().contains("`outcome`"), "the nearest is named: {unknown}");
    assert_problem(&world.show("/requests.har?limit=1").await, 400);
}

/// `wait`: at once where there is something, else when there is, and when the server stops.
async fn e_an_empty_list_is_held_back(world: World) {
    let soon = Duration::from_secs(20);
    let asked = timeout(soon, async {
        let waiting = list(&world, "?outcome=refused&endpoint=me&wait=25s");
        let others = async {
            connect_by_api(&world, ADA, "btn-one").await;
            world.get("/oauth2/token").await.expect(404);
            world.me("nonsense").await.expect(401);
        };
        tokio::join!(waiting, others).0
    });
    assert_eq!(endpoints(&asked.await.unwrap()), ["me"]);
    let at_once = timeout(soon, list(&world, "?outcome=refused&wait=25s")).await.unwrap();
    assert_eq!(endpoints(&at_once), ["me", "(none)"]);
    assert!(list(&world, "?outcome=fault&wait=1ms").await.is_empty());

    let tokens = connect_by_api(&world, GRACE, "btn-two").await;
    let of_grace = timeout(soon, async {
        let query = format!("?user={GRACE}&wait=25s");
        let waiting = list(&world, &query);
        tokio::join!(waiting, world.refresh(&tokens.refresh, APP_TWO)).0
    });
    assert_eq!(endpoints(&of_grace.await.unwrap()), ["refreshaccesstoken"], "whose it is has to be looked up");

    let stopped = timeout(soon, async {
        let waiting = list(&world, "?outcome=fault&wait=25s");
        tokio::join!(waiting, async { world.ctx.journal.close() }).0
    });
    assert!(stopped.await.unwrap().is_empty());
}

/// With the exchange, masked, and a line for a shell.
async fn e_a_request_is_shown_whole(world: World) {
    let (ada, _) = scene(&world).await;
    let id = list(&world, "?outcome=refused&endpoint=refreshaccesstoken").await[0]["id"].as_str().unwrap().to_owned();
    let shown = world.show(&format!("/requests/{id}")).await.expect(200).json();
    assert_eq!(shown["id"], id);
    assert_eq!(shown["app_at"], shown["at"]);
    let line = shown["request"]["line"].as_str().unwrap();
    assert!(line.starts_with("GET /authorize/refreshaccesstoken/lgr_***") && line.ends_with(APP_TWO), "{line}");
    assert_eq!(shown["response"]["line"], "200 OK");
    assert!(shown["response"]["body"].as_str().unwrap().starts_with(r#"{"authToken":null"#), "{shown}");
    let headers = shown["response"]["headers"].as_array().unwrap();
    assert!(headers.contains(&json!({"name": "cache-control", "value": "no-store"})));
    let curl = format!("curl -i 'https://auth.test/authorize/refreshaccesstoken/'\"$REFRESH_TOKEN\"'?appid={APP_TWO}'");
    assert_eq!(shown["curl"], curl);
    assert!(!shown.to_string().contains(&ada.refresh));

    let hyphenated = uuid::Uuid::parse_str(&id).unwrap().to_string();
    assert_eq!(world.show(&format!("/requests/{hyphenated}")).await.expect(200).json()["id"], id);
    for unknown in ["nonsense", "00000000000000000000000000000000", "%00"] {
        assert_problem(&world.show(&format!("/requests/{unknown}")).await, 404);
        assert_problem(&world.show(&format!("/requests/{unknown}/timeline")).await, 404);
    }
    world.drop_it("/requests").await.expect(204);
    assert!(list(&world, "").await.is_empty());
    assert_problem(&world.show(&format!("/requests/{id}")).await, 404);
}

/// One sign-in from the click to the disconnect, oldest first, and nothing of others'.
async fn e_a_sign_in_is_told_from_click_to_disconnect(world: World) {
    connect_by_api(&world, GRACE, "btn-one").await;
    let mut ada = world.actor();
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    world.refresh(&tokens.refresh, APP_ONE).await;
    world.refresh(&tokens.refresh, APP_TWO).await;
    world.me(&tokens.access).await;
    world.actor().open(Click::on("btn-one", PARTNER)).await;
    world.disconnect(&tokens.refresh).await;
    world.me(&tokens.access).await.expect(401);
    let newest = list(&world, "?limit=1").await[0]["id"].as_str().unwrap().to_owned();
    let story = world.show(&format!("/requests/{newest}/timeline")).await.expect(200).json();
    let expected = [
        "authorize",
        "dialog",
        "dialog",
        "login",
        "dialog",
        "decision",
        "token",
        "refreshaccesstoken",
        "refreshaccesstoken",
        "me",
        "disconnectapplicationtoken",
        "me",
    ];
    assert_eq!(each(&story, "requests", "endpoint"), expected);
    let first = story["requests"][0]["id"].as_str().unwrap();
    let same = world.show(&format!("/requests/{first}/timeline")).await.expect(200).json();
    assert_eq!(same, story, "from whichever of them");
}

async fn e_a_test_counts_requests(world: World) {
    scene(&world).await;
    let verify = async |matches: Value, count: Value| {
        let body = if count.is_null() { json!({"match": matches}) } else { json!({"match": matches, "count": count}) };
        world.make("/requests/verify", &body).await
    };
    let refreshes = json!({"endpoint": "refreshaccesstoken"});
    for count in [json!(3), json!({"exactly": 3}), json!({"at_least": 3}), json!({"at_most": 3}), Value::Null] {
        assert_eq!(verify(refreshes.clone(), count).await.expect(200).json(), json!({"matched": 3}));
    }
    for count in [json!(2), json!({"at_least": 4}), json!({"at_most": 2}), json!({"at_least": 4, "at_most": 5})] {
        let answer = verify(refreshes.clone(), count).await;
        assert_problem(&answer, 409);
        assert_eq!(answer.json()["matched"], 3);
    }
    assert_eq!(verify(json!({}), json!(5)).await.expect(200).json(), json!({"matched": 5}));

    let missed = verify(json!({"endpoint": "me", "user": GRACE}), json!(1)).await;
    assert_problem(&missed, 409);
    let missed = missed.json();
    assert_eq!(missed["matched"], 0);
    let near = |at: usize, member: &str| missed["near_misses"][at][member].clone();
    assert_eq!(
        (near(0, "criterion"), near(0, "expected"), near(0, "found")),
        (json!("user"), json!(GRACE), json!(ADA))
    );
    assert_eq!(near(0, "request")["endpoint"], "me");
    assert_eq!((near(1, "criterion"), near(1, "found")), (json!("endpoint"), json!("refreshaccesstoken")));
    assert_eq!(missed["near_misses"].as_array().unwrap().len(), 2, "what fails two criteria is not near");
    let detail = format!("Expected exactly 1, found 0. Of the nearest, user is `{ADA}`, not `{GRACE}`.");
    assert_eq!(missed["detail"], detail);

    for (body, pointer) in [
        (json!({"match": {"outcome": "fine"}}), "/match/outcome"),
        (json!({"match": {"endpont": "me"}}), "/match/endpont"),
        (json!({"match": {"limit": "1"}}), "/match/limit"),
        (json!({"match": {"app": 7}}), "/match/app"),
        (json!({}), "/match"),
        (json!({"match": {}, "count": -1}), "/count"),
        (json!({"match": {}, "count": "1"}), "/count"),
        (json!({"match": {}, "count": {}}), "/count"),
        (json!({"match": {}, "count": {"at_leest": 1}}), "/count/at_leest"),
        (json!({"match": {}, "count": {"exactly": 1, "at_most": 1}}), "/count"),
        (json!({"match": {}, "count": {"at_least": 2, "at_most": 1}}), "/count"),
        (json!({"match": {}, "wait": "1s"}), "/wait"),
    ] {
        assert_problem_at(&world.make("/requests/verify", &body).await, 400, pointer);
    }
}

/// What HAR 1.2 demands of each entry.
async fn e_the_archive_is_one(world: World) {
    let (ada, _) = scene(&world).await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = format!("grant_type=refresh_token&refresh_token={}&client_id=pocket", ada.refresh);
    world.send(request("POST", "/oauth/token?a=b%26c", &form, body)).await.expect(400);
    let answer = world.show("/requests.har").await.expect(200);
    assert_eq!(answer.header("content-disposition"), Some("attachment; filename=\"leadgate.har\""));
    let har = answer.json();
    let log = &har["log"];
    assert_eq!((&log["version"], &log["creator"]["name"]), (&json!("1.2"), &json!("Leadgate")));
    assert!(log["creator"]["version"].is_string());
    let entries = log["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 6);
    let is_object = |value: &Value, members: &[&str]| {
        members.iter().for_each(|member| assert!(!value[member].is_null(), "{member}: {value}"));
    };
    let mut before = String::new();
    for entry in entries {
        is_object(entry, &["startedDateTime", "time", "request", "response", "cache", "timings"]);
        let common = ["httpVersion", "cookies", "headers", "headersSize", "bodySize"];
        is_object(&entry["request"], &[&common[..], &["method", "url", "queryString"]].concat());
        is_object(&entry["response"], &[&common[..], &["status", "statusText", "content", "redirectURL"]].concat());
        is_object(&entry["response"]["content"], &["size", "mimeType"]);
        is_object(&entry["timings"], &["send", "wait", "receive"]);
        let started = entry["startedDateTime"].as_str().unwrap().to_owned();
        assert!(started >= before, "oldest first");
        before = started;
        for list in [&entry["request"]["headers"], &entry["response"]["headers"], &entry["request"]["queryString"]] {
            list.as_array().unwrap().iter().for_each(|pair| is_object(pair, &["name", "value"]));
        }
    }
    let token = &entries[5]["request"];
    assert!(token["url"].as_str().unwrap().starts_with("https://auth.test/oauth/token?a="), "{token}");
    assert_eq!(token["postData"]["mimeType"], "application/x-www-form-urlencoded");
    assert!(token["postData"]["text"].as_str().unwrap().contains("refresh_token=lgr_***"));
    assert_eq!(entries[5]["_outcome"], "refused");
    assert_eq!(world.show("/requests.har?endpoint=me").await.json()["log"]["entries"].as_array().unwrap().len(), 1);
}

both! {
    e_requests_are_listed_newest_first,
    e_requests_are_filtered,
    e_a_bad_parameter_is_named,
    e_an_empty_list_is_held_back,
    e_a_request_is_shown_whole,
    e_a_sign_in_is_told_from_click_to_disconnect,
    e_a_test_counts_requests,
    e_the_archive_is_one,
}
