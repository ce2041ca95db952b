//! What is told, and when.

use axum::http::HeaderMap;
use leadgate::clock::{Clock as _, SystemClock};
use leadgate::domain::email::Email;
use leadgate::domain::ids::AppId;
use leadgate::services::{partner, users};
use serde_json::{Value, json};

use super::support::{Received, Receiver};
use crate::oauth::support::RATE_FINDER;
use crate::support::statements::Statements;
use crate::support::{ADA, APP_ONE, Click, GRACE, Setup, World, both, connect_by_api};

both! {
    f_a_disconnect_is_heard_of_in_order,
    f_a_denial_is_heard_of_however_it_comes,
    f_every_end_of_a_connection_is_heard_of,
    f_a_refresh_of_a_standard_grant_is_heard_of,
    f_a_changed_application_is_heard_of,
    f_what_is_undone_is_not_told,
    f_a_webhook_hears_of_its_own_application_and_events,
    f_a_refresh_costs_nothing_where_nobody_hears_of_it,
    f_a_payload_has_the_clock_of_its_application,
    f_an_end_of_long_ago_is_heard_of,
}
both! { with super::now(); f_the_specifications_library_verifies_what_is_sent }

fn now() -> Setup {
    Setup { start: SystemClock.now(), ..Setup::default() }
}

/// N9: what a partner's server has to react to.
async fn f_a_disconnect_is_heard_of_in_order(world: World) {
    let (receiver, _work) = (Receiver::start().await, world.works());
    let webhook = world.webhook(&receiver.url("/hook")).await;
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    world.refresh(&tokens.refresh, APP_ONE).await.expect(200);
    world.disconnect(&tokens.refresh).await.expect(200);
    let received = receiver.wait_for(3).await;
    assert_eq!(receiver.kinds(), ["connection.created", "token.refreshed", "connection.revoked"]);
    let [created, refreshed, revoked] = [0, 1, 2].map(|nth: usize| received[nth].json()["data"].clone());
    for data in [&created, &refreshed, &revoked] {
        assert_eq!((&data["app"], &data["user"]), (&json!(APP_ONE), &json!(ADA)), "{data}");
        assert_eq!((&data["account"], &data["scopes"]), (&json!("acme"), &json!(["account_api"])), "{data}");
        assert_eq!(data["connection"], created["connection"]);
        assert!(data["sub"].is_string() && data["user_name"] == "Ada Buyer", "{data}");
    }
    assert_eq!(revoked["by"], "partner");
    assert!(refreshed["expires_at"].as_str().unwrap().ends_with('Z'));
    for one in &received {
        let text = String::from_utf8(one.body.to_vec()).unwrap();
        assert!(!text.contains("lga_") && !text.contains("lgr_"), "{text}");
        assert_eq!((one.path.as_str(), one.header("content-type")), ("/hook", "application/json"));
    }
    let log = world.settled(&webhook, "delivered").await;
    assert_eq!(log["type"], "connection.revoked");
}

/// The crate of the specification's authors is the oracle.
async fn f_the_specifications_library_verifies_what_is_sent(world: World) {
    let (receiver, _work) = (Receiver::start().await, world.works());
    let webhook = world.webhook(&receiver.url("/")).await;
    connect_by_api(&world, ADA, "btn-one").await;
    let one = receiver.wait_for(1).await.remove(0);
    let library = standardwebhooks::Webhook::new(&webhook.secret).unwrap();
    let verified = |body: &[u8], headers: &HeaderMap| library.verify(body, headers).is_ok();
    assert!(verified(&one.body, &one.headers));
    assert!(!verified(b"{}", &one.headers), "another body");
    let other = standardwebhooks::Webhook::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    assert!(other.verify(&one.body, &one.headers).is_err(), "another secret");
    // While a secret is being replaced, receivers with either take what is sent.
    let path = format!("/webhooks/{}/rotate-secret", webhook.id);
    let rotated = world.plane("POST", &path, None).await.expect(200).json();
    world.plane("POST", &format!("/webhooks/{}/test", webhook.id), None).await.expect(202);
    let test = receiver.wait_for(2).await.remove(1);
    let newer = standardwebhooks::Webhook::new(rotated["secret"].as_str().unwrap()).unwrap();
    assert!(verified(&test.body, &test.headers) && newer.verify(&test.body, &test.headers).is_ok());
    let at_once = world.make(&path, &json!({"overlap": "0s"})).await.expect(200).json();
    world.plane("POST", &format!("/webhooks/{}/test", webhook.id), None).await.expect(202);
    let last = receiver.wait_for(3).await.remove(2);
    let newest = standardwebhooks::Webhook::new(at_once["secret"].as_str().unwrap()).unwrap();
    assert!(newest.verify(&last.body, &last.headers).is_ok());
    assert!(newer.verify(&last.body, &last.headers).is_err(), "its time is over");
}

const REFUSE: crate::support::receiver::Reply = crate::support::receiver::Reply::Body(200, r#"{"allow":false}"#);

async fn f_a_denial_is_heard_of_however_it_comes(world: World) {
    let (receiver, _work) = (Receiver::start().await, world.works());
    world.webhook_for(&receiver.url("/"), Some(&["connection.denied"])).await;
    let denied = json!({"user": ADA, "button": "btn-one", "decision": "deny"});
    world.sandbox_authorize(&denied).await.expect(200);
    let mut grace = world.actor();
    let opened = grace.open(Click::on("btn-one", crate::support::PARTNER)).await;
    let consent = grace.log_in(&opened, GRACE).await.expect(200);
    grace.decide(&opened, &consent, "deny").await.expect(200);
    // A magic user, whom nobody asks.
    let magic = json!({"user": "deny@acme.test", "button": "btn-one", "decision": "allow"});
    world.sandbox_authorize(&magic).await.expect(200);
    // Where the application's own server refuses.
    let refusing = crate::support::receiver::Receiver::start([REFUSE]).await;
    let callback = json!({"url": format!("{}/", refusing.origin)});
    world.control("PUT", &format!("/apps/{APP_ONE}/callback"), &callback).await.expect(201);
    let allowed = json!({"user": ADA, "button": "btn-one", "decision": "allow"});
    assert_eq!(world.sandbox_authorize(&allowed).await.expect(200).json()["valid"], false);
    for told in receiver.wait_for(4).await {
        // Who denies an application something stays unknown to it.
        assert_eq!(told.json()["data"], json!({"app": APP_ONE, "scopes": ["account_api"]}));
    }
}

/// One after the other: who ended it is said.
async fn f_every_end_of_a_connection_is_heard_of(world: World) {
    let (receiver, _work) = (Receiver::start().await, world.works());
    world.webhook_for(&receiver.url("/"), Some(&["connection.revoked"])).await;
    let mut count = 0;
    let mut heard = async |by: &str| {
        count += 1;
        let last = receiver.wait_for(count).await.pop().unwrap().json();
        assert_eq!(last["data"]["by"], by, "{last}");
    };
    let connected = async || {
        connect_by_api(&world, ADA, "btn-one").await;
        let list = world.show(&format!("/connections?app={APP_ONE}")).await.expect(200).json();
        list["connections"][0]["id"].as_str().unwrap().to_owned()
    };
    let app = AppId::parse(APP_ONE).unwrap();

    let id = connected().await;
    world.drop_it(&format!("/connections/{id}")).await.expect(204);
    heard("operator").await;

    connected().await;
    world.disable(ADA).await;
    heard("operator").await;
    world.enable(ADA).await;

    connected().await;
    users::set_password(&world.operator(), &Email::parse(ADA).unwrap(), crate::support::PASSWORD).await.unwrap();
    heard("operator").await;

    connected().await;
    partner::disable_app(&world.operator(), &app).await.unwrap();
    heard("operator").await;
    partner::enable_app(&world.operator(), &app).await.unwrap();

    let short = json!({"user": "revoked-in-10s@acme.test", "button": "btn-one", "decision": "allow"});
    world.sandbox_authorize(&short).await.expect(200);
    world.advance(11);
    // By itself; that another one takes its place is no second end.
    heard("expiry").await;
    world.sandbox_authorize(&short).await.expect(200);

    users::delete(&world.operator(), &Email::parse("revoked-in-10s@acme.test").unwrap()).await.unwrap();
    heard("operator").await;

    let mut ada = world.actor();
    let tokens = ada.connect("btn-one", crate::support::PARTNER, ADA).await;
    let page = ada.get("/account").await.expect(200);
    let id = page.between("action=\"/account/connections/", "\"").unwrap();
    ada.post(&format!("/account/connections/{id}"), &[("csrf", &page.csrf())]).await.location();
    heard("user").await;
    assert_eq!(world.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], false);
}

async fn f_a_refresh_of_a_standard_grant_is_heard_of(world: World) {
    let (receiver, _work) = (Receiver::start().await, world.works());
    world.webhook_for(&receiver.url("/"), Some(&["token.refreshed"])).await;
    let issued = RATE_FINDER.connect(&world, ADA).await;
    RATE_FINDER.refresh(&world, issued.refresh()).await.expect(200);
    let data = receiver.wait_for(1).await[0].json()["data"].clone();
    assert_eq!((&data["app"], &data["user"]), (&json!(APP_ONE), &json!(ADA)));
    assert_eq!(receiver.received().len(), 1, "the first tokens are no refresh");
}

async fn f_a_changed_application_is_heard_of(world: World) {
    let (receiver, _work) = (Receiver::start().await, world.works());
    world.webhook_for(&receiver.url("/"), Some(&["app.updated"])).await;
    let change = json!({"name": "Rate Finder Two", "redirect_uris": ["https://secret-place.test/callback"]});
    world.change(&format!("/apps/{APP_ONE}"), &change).await.expect(200);
    // Nothing is different.
    world.change(&format!("/apps/{APP_ONE}"), &change).await.expect(200);
    partner::disable_app(&world.operator(), &AppId::parse(APP_ONE).unwrap()).await.unwrap();
    let received = receiver.wait_for(2).await;
    let data: Vec<Value> = received.iter().map(|one| one.json()["data"].clone()).collect();
    assert_eq!(data[0]["action"], "app.changed");
    assert_eq!(data[0]["changed"], json!(["name", "redirect_uris"]));
    assert!(!String::from_utf8_lossy(&received[0].body).contains("secret-place"), "which, and not what");
    assert_eq!((&data[1]["action"], &data[1]["app"]), (&json!("app.disabled"), &json!(APP_ONE)));
}

/// A code that is refused, a user who is gone: what the transaction did not do, nobody hears of.
async fn f_what_is_undone_is_not_told(world: World) {
    let webhook = world.webhook("http://127.0.0.1:9/").await;
    world.disable(GRACE).await;
    let body = json!({"user": GRACE, "button": "btn-one", "decision": "allow"});
    assert!(world.sandbox_authorize(&body).await.status >= 400);
    world.disconnect("lgr_nothing").await;
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    world.disconnect(&tokens.refresh).await.expect(200);
    world.disconnect(&tokens.refresh).await;
    let log = world.deliveries(&webhook, "").await;
    let kinds: Vec<&str> = log.iter().map(|one| one["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["connection.revoked", "connection.created"], "each once");
}

async fn f_a_webhook_hears_of_its_own_application_and_events(world: World) {
    let narrow = world.webhook_for("http://127.0.0.1:9/", Some(&["connection.revoked"])).await;
    let wide = world.webhook("http://127.0.0.1:9/").await;
    connect_by_api(&world, ADA, "btn-two").await;
    assert!(world.deliveries(&wide, "").await.is_empty(), "that is another application's button");
    connect_by_api(&world, ADA, "btn-one").await;
    assert!(world.deliveries(&narrow, "").await.is_empty());
    assert_eq!(world.deliveries(&wide, "").await.len(), 1);
    world.change(&format!("/webhooks/{}", wide.id), &json!({"disabled": true})).await.expect(200);
    connect_by_api(&world, GRACE, "btn-one").await;
    assert_eq!(world.deliveries(&wide, "").await.len(), 1, "a disabled one hears of nothing");
}

/// The hot path: also where the application has a webhook for other things.
async fn f_a_refresh_costs_nothing_where_nobody_hears_of_it(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    let statements = Statements::counted();
    let cost = async || statements.of(async { world.refresh(&tokens.refresh, APP_ONE).await.expect(200) }).await;
    let bare = cost().await;
    assert!(bare > 0, "nothing was counted");
    world.webhook_for("http://127.0.0.1:9/", Some(&["connection.created", "connection.revoked"])).await;
    assert_eq!(cost().await, bare);
    let webhook = world.webhook_for("http://127.0.0.1:9/", Some(&["token.refreshed"])).await;
    assert!(cost().await > bare);
    assert_eq!(world.deliveries(&webhook, "").await.len(), 1, "it is written before the answer leaves");
}

async fn f_a_payload_has_the_clock_of_its_application(world: World) {
    let (receiver, _work) = (Receiver::start().await, world.works());
    world.webhook(&receiver.url("/")).await;
    world.make("/clock", &json!({"app": APP_ONE, "advance": "400d"})).await.expect(200);
    connect_by_api(&world, ADA, "btn-one").await;
    let one: Received = receiver.wait_for(1).await.remove(0);
    assert!(one.json()["timestamp"].as_str().unwrap().starts_with("2027-12-27T"), "{}", one.json());
    // Receivers refuse what is not of now, whatever a test's clock shows.
    assert_eq!(one.header("webhook-timestamp"), world.ctx.real_now().unix_seconds().to_string());
}

/// While nobody looked, and by whichever clock.
async fn f_an_end_of_long_ago_is_heard_of(world: World) {
    let receiver = Receiver::start().await;
    world.webhook_for(&receiver.url("/"), Some(&["connection.revoked"])).await;
    let short = json!({"user": "revoked-in-10s@acme.test", "button": "btn-one", "decision": "allow"});
    world.sandbox_authorize(&short).await.expect(200);
    world.make("/clock", &json!({"app": APP_ONE, "advance": "5h"})).await.expect(200);
    let _work = world.works();
    assert_eq!(receiver.wait_for(1).await[0].json()["data"]["by"], "expiry");
}
