//! `/api/deliveries`: who may, what is kept, and what is never shown.

use leadgate::domain::event::Action;
use serde_json::{Value, json};

use super::JSON;
use crate::sandbox::{assert_problem, assert_problem_at};
use crate::support::http::request;
use crate::support::{ADA, Actor, Answer, GRACE, ISSUER, Setup, World, both};

const PASSWORD: &str = "pa55word-of-a-delivery";

/// wire.md D: made, shown, listed, changed, deleted; a secret that is left out stays, and none is shown.
async fn part_d_a_delivery_is_made_changed_and_deleted(world: World) {
    let body = json!({"name": "Leads", "method": "basic", "username": "crm", "password": PASSWORD});
    let made = world.api("POST", "", Some(&body)).await.expect(201);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(made.header("location"), Some(format!("/api/deliveries/{id}").as_str()));
    assert_eq!(made.json()["receive_url"], format!("{ISSUER}/deliveries/{id}/receive"));
    let path = format!("/{id}");
    let shown = world.api("GET", &path, None).await.expect(200);
    assert_eq!((shown.json()["username"].as_str(), shown.json()["method"].as_str()), (Some("crm"), Some("basic")));
    let change = json!({"method": "digest", "algorithms": ["MD5", "SHA-256"], "url": "http://localhost:9000/leads"});
    let changed = world.api("PATCH", &path, Some(&change)).await.expect(200);
    assert_eq!(changed.json()["algorithms"], json!(["SHA-256", "MD5"]));
    assert_eq!(world.deliver(&id, None).await.expect(401).headers.get_all("www-authenticate").iter().count(), 2);
    let back = world.api("PATCH", &path, Some(&json!({"method": "basic", "url": null}))).await.expect(200);
    assert_eq!((&back.json()["url"], back.json().get("algorithms")), (&Value::Null, None));
    use base64::Engine as _;
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("crm:{PASSWORD}"));
    world.deliver(&id, Some(&format!("Basic {pair}"))).await.expect(200);
    let list = world.api("GET", "", None).await.expect(200);
    assert_eq!(list.json()["deliveries"][0]["id"], id.as_str());
    let events = format!("{:?}", world.events(Action::DeliveryChanged).await);
    for answer in [&made, &shown, &changed, &back, &list] {
        assert!(!answer.text().contains(PASSWORD), "{}", answer.text());
    }
    assert!(!events.contains(PASSWORD) && events.contains("algorithms"), "{events}");
    world.api("DELETE", &path, None).await.expect(204);
    world.api("GET", &path, None).await.expect(404);
    world.api("DELETE", &path, None).await.expect(404);
    world.api("GET", &format!("{path}/exchanges"), None).await.expect(404);
    world.api("POST", &format!("{path}/test"), None).await.expect(404);
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM delivery_exchanges").await, 0);
    assert_eq!(world.events(Action::DeliveryDeleted).await[0].target.name, "Leads");
}

/// wire.md D: what is wrong with a setting is said where it is.
async fn part_d_a_bad_setting_is_pointed_at(world: World) {
    let base = json!({"name": "Leads", "method": "basic", "username": "crm", "password": "x"});
    for (pointer, change) in [
        ("/name", json!({"name": ""})),
        ("/name", json!({"name": null})),
        ("/method", json!({"method": "kerberos"})),
        ("/username", json!({"username": null})),
        ("/username", json!({"username": "a:b"})),
        ("/password", json!({"password": ""})),
        ("/token", json!({"token": "x"})),
        ("/algorithms", json!({"method": "digest", "algorithms": []})),
        ("/algorithms/0", json!({"method": "digest", "algorithms": ["SHA-1"]})),
        ("/url", json!({"url": "ftp://a.test"})),
        ("/owner", json!({"owner": "nobody@acme.test"})),
        ("/grant_type", json!({"method": "oauth2", "grant_type": "implicit"})),
        ("/colour", json!({"colour": "red"})),
    ] {
        let mut body = base.clone();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        assert_problem_at(&world.api("POST", "", Some(&body)).await, 400, pointer);
    }
    let id = world.delivery(json!({"method": "bearer", "token": "x"})).await;
    let answer = world.api("PATCH", &format!("/{id}"), Some(&json!({"prefix": "two words"}))).await;
    assert_problem_at(&answer, 400, "/prefix");
    let answer = world.api("PATCH", &format!("/{id}"), Some(&json!({"method": "basic", "username": "crm"}))).await;
    assert_problem_at(&answer, 400, "/password");
    let answer = world.api("POST", &format!("/{id}/test"), Some(&json!({"lead": 7}))).await;
    assert_problem_at(&answer, 400, "/lead");
    let answer = world.api("POST", &format!("/{id}/test"), Some(&json!({"url": "file:///etc/passwd"}))).await;
    assert_problem_at(&answer, 400, "/url");
}

async fn by(actor: &mut Actor, method: &str, path: &str, more: &[(&str, &str)], body: &str) -> Answer {
    let headers = [&[JSON], more].concat();
    actor.send(None, request(method, path, &headers, body.to_owned())).await
}

const NEW: &str = r#"{"name":"Leads","method":"bearer","token":"t0ken"}"#;

/// wire.md D: the sandbox token or an administrator's session, and no page of another site.
async fn part_d_the_api_is_for_the_token_and_administrators(world: World) {
    let path = "/api/deliveries";
    assert_problem(&world.get(path).await, 401);
    let wrong = [("authorization", "Bearer wrong")];
    assert_problem(&world.send(request("GET", path, &wrong, "")).await, 401);
    let mut partner = world.signed_in(ADA).await;
    assert_problem(&by(&mut partner, "GET", path, &[], "").await, 401);
    let mut root = world.admin().await;
    let origin = [("origin", ISSUER)];
    let made = by(&mut root, "POST", path, &origin, NEW).await.expect(201);
    assert!(made.json()["owner_id"].is_string(), "an administrator's own");
    by(&mut root, "POST", path, &[("sec-fetch-site", "same-origin")], NEW).await.expect(201);
    by(&mut root, "GET", path, &[("sec-fetch-site", "none")], "").await.expect(200);
    for foreign in [[("origin", "https://evil.test")], [("sec-fetch-site", "cross-site")], [("origin", "null")]] {
        assert_problem(&by(&mut root, "POST", path, &foreign, NEW).await, 401);
        assert_problem(&by(&mut root, "GET", path, &foreign, "").await, 401);
    }
    let id = made.json()["id"].as_str().unwrap().to_owned();
    // An operation without a body is one that any page may send.
    let test = format!("{path}/{id}/test");
    let mixed: &[(&str, &str)] = &[("origin", "https://evil.test"), ("sec-fetch-site", "same-origin")];
    for unproved in [&[][..], &[("sec-fetch-site", "none")], &[("sec-fetch-site", "same-site")], mixed] {
        let empty = request("POST", &test, unproved, "");
        assert_problem(&root.send(None, empty).await, 401);
        assert_problem(&by(&mut root, "DELETE", &format!("{path}/{id}"), unproved, "").await, 401);
    }
    root.send(None, request("POST", &test, &origin, "")).await.expect(200);
    by(&mut root, "DELETE", &format!("{path}/{id}"), &origin, "").await.expect(204);
    assert_eq!(world.events(Action::DeliveryCreated).await.len(), 2);
    let plain = [("content-type", "text/plain")];
    assert_eq!(root.send(None, request("POST", path, &[origin, plain].concat(), NEW)).await.status, 415);
    assert_problem(&world.api("GET", "?colour=red", None).await, 400);
    assert_problem(&world.api("PUT", "", None).await, 405);
    assert_problem(&world.api("GET", "/nothing", None).await, 404);
}

/// wire.md D: in production there is no token, and the receivers work all the same.
async fn part_d_in_production_only_administrators_come_in(world: World) {
    world.api("GET", "", None).await.expect(401);
    world.deliver("01930000-0000-7000-8000-000000000000", None).await.expect(404);
}

/// R9: what a restart finds is what was there; Q11: under another master key nothing opens.
async fn q11_settings_are_sealed_and_outlive_a_restart(world: World) {
    let secret = "pa55word-that-is-nowhere";
    let id = world.delivery(json!({"method": "digest", "username": "crm", "password": secret})).await;
    let other = world.delivery(json!({"method": "bearer", "token": "t0ken-that-is-nowhere"})).await;
    let dump = world.database.db_dump().await;
    for secret in [secret, "t0ken-that-is-nowhere"] {
        assert!(!dump.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()), "{secret}");
    }
    let again = world.another_node().await;
    again.deliver(&other, Some("Bearer t0ken-that-is-nowhere")).await.expect(200);
    again.api("GET", &format!("/{id}"), None).await.expect(200);
    // A row that is copied over another does not open.
    let copied = "UPDATE deliveries SET settings = (SELECT settings FROM deliveries WHERE method = 'bearer')";
    world.database.db_execute(copied).await;
    world.api("GET", &format!("/{id}"), None).await.expect(500);
}

/// A delivery of somebody who is disabled takes no lead until they are back.
async fn part_d_a_disabled_owner_receives_nothing(world: World) {
    let id = world.delivery(json!({"method": "bearer", "token": "x", "owner": GRACE})).await;
    world.disable(GRACE).await;
    world.deliver(&id, Some("Bearer x")).await.expect(404);
    world.deliver(&id, None).await.expect(404);
    world.enable(GRACE).await;
    world.deliver(&id, Some("Bearer x")).await.expect(200);
}

/// What a target's path and query hold is in no event.
async fn part_d_events_have_a_targets_origin_alone(world: World) {
    let url = "http://localhost:9000/leads-of-k3y?key=k3y";
    let settings = json!({"method": "oauth2", "url": url, "token_url": url});
    let id = world.delivery(settings).await;
    world.api("PATCH", &format!("/{id}"), Some(&json!({"url": "http://localhost:9001/k3y"}))).await.expect(200);
    world.api("POST", &format!("/{id}/test"), Some(&json!({"url": url}))).await.expect(200);
    let mut told = String::new();
    for action in [Action::DeliveryCreated, Action::DeliveryChanged, Action::DeliveryTested] {
        told.push_str(&format!("{:?}", world.events(action).await));
    }
    assert!(!told.contains("k3y"), "{told}");
    assert!(told.contains("\"http://localhost:9000\"") && told.contains("\"http://localhost:9001\""), "{told}");
}

/// A user who is deleted takes their deliveries along.
async fn part_d_a_deleted_owner_takes_deliveries_along(world: World) {
    let id = world.delivery(json!({"method": "bearer", "token": "x", "owner": GRACE})).await;
    world.deliver(&id, Some("Bearer x")).await.expect(200);
    let users = world.show("/users?limit=1000").await.json();
    let grace = users["users"].as_array().unwrap().iter().find(|user| user["email"] == GRACE).unwrap().clone();
    world.drop_it(&format!("/users/{}", grace["id"].as_str().unwrap())).await.expect(204);
    world.deliver(&id, Some("Bearer x")).await.expect(404);
}

both!(
    part_d_a_bad_setting_is_pointed_at,
    part_d_a_deleted_owner_takes_deliveries_along,
    part_d_a_disabled_owner_receives_nothing,
    part_d_events_have_a_targets_origin_alone,
    part_d_a_delivery_is_made_changed_and_deleted,
    part_d_the_api_is_for_the_token_and_administrators,
    q11_settings_are_sealed_and_outlive_a_restart,
);
fn production() -> Setup {
    Setup::production()
}

both!(with super::production(); part_d_in_production_only_administrators_come_in);
