//! The action call-back: an application's own server is asked before a user is connected (wire.md F).

use leadgate::crypto::webhook_signature::{self, WebhookSecret};
use leadgate::domain::event::Action;
use leadgate::domain::timestamp::Timestamp;
use serde_json::{Value, json};

use crate::oauth::request::{Ask, Landing};
use crate::oauth::support::{Issued, STUDIO, assert_error};
use crate::support::receiver::{Received, Receiver, Reply};
use crate::support::{ADA, APP_ONE, Actor, Answer, Click, GRACE, PARTNER, PASSWORD, World, both, connect_by_api};

const ALLOW: Reply = Reply::Body(200, r#"{"allow":true}"#);
const REFUSE: Reply = Reply::Body(200, r#"{"allow":false,"message":"Your trial is over, <b>sorry</b>."}"#);
const MESSAGE: &str = "Your trial is over, <b>sorry</b>.";

/// Has an application's server asked; answers the signing secret.
async fn set(world: &World, app: &str, receiver: &Receiver, on_failure: &str) -> WebhookSecret {
    let body = json!({"url": format!("{}/callback?x=1", receiver.origin), "on_failure": on_failure});
    let set = world.control("PUT", &format!("/apps/{app}/callback"), &body).await.expect(201).json();
    WebhookSecret::parse(set["secret"].as_str().unwrap()).unwrap()
}

async fn show(world: &World, app: &str) -> Value {
    world.control("GET", &format!("/apps/{app}/callback"), &Value::Null).await.expect(200).json()
}

async fn connections(world: &World) -> i64 {
    world.database.db_count("SELECT COUNT(*) FROM connections").await
}

/// Clicks on a button, signs in and presses "Allow".
async fn click(world: &World, email: &str) -> (Actor, Answer) {
    let mut actor = world.actor();
    let opened = actor.open(Click::on("btn-one", PARTNER)).await;
    let consent = actor.log_in(&opened, email).await.expect(200);
    let answer = actor.decide(&opened, &consent, "allow").await;
    (actor, answer)
}

async fn newest(world: &World, endpoint: &str) -> Value {
    let list = world.control("GET", &format!("/requests?endpoint={endpoint}&limit=1"), &Value::Null).await;
    list.expect(200).json()["requests"][0].clone()
}

#[track_caller]
fn assert_signed(received: &Received, secret: &WebhookSecret) {
    let at = Timestamp::from_unix_seconds(received.header("webhook-timestamp").parse().unwrap());
    let id = received.header("webhook-id");
    assert!(id.starts_with("msg_"), "{id}");
    let expected = webhook_signature::headers([secret], id, at, &received.body);
    assert_eq!(received.header("webhook-signature"), expected[2].1);
}

/// Allowed: the connection that was asked about is the one that is made, and nobody is asked about it again.
async fn part_f_the_applications_server_is_asked_before_a_connection_is_made(world: World) {
    let receiver = Receiver::start([ALLOW]).await;
    let secret = set(&world, APP_ONE, &receiver, "allow").await;
    let (mut ada, answer) = click(&world, ADA).await;
    answer.expect(200).code();
    let [asked] = receiver.received().try_into().unwrap();
    assert_eq!((asked.path.as_str(), asked.header("content-type")), ("/callback?x=1", "application/json"));
    assert_signed(&asked, &secret);
    let told = asked.json();
    assert_eq!(told["type"], "connection.created");
    assert_eq!((&told["data"]["app"], &told["data"]["user"]), (&json!(APP_ONE), &json!(ADA)));
    assert_eq!((&told["data"]["scopes"], &told["data"]["account"]), (&json!(["account_api"]), &json!("acme")));
    let made = world.control("GET", "/connections", &Value::Null).await.json();
    assert_eq!(made["connections"][0]["id"], told["data"]["connection"]);
    let last = &show(&world, APP_ONE).await["last_call"];
    assert_eq!((&last["result"], &last["detail"]), (&json!("allowed"), &json!("")));
    // Whoever is connected was asked about then, also where more is asked for.
    ada.connect("btn-one", PARTNER, ADA).await;
    ada.connect("btn-wide", PARTNER, ADA).await;
    assert_eq!(receiver.received().len(), 1);
}

/// Refused at a button: the user reads why, the page gets it as an error, and nothing is connected.
async fn part_f_a_refusal_reaches_the_user_and_the_page(world: World) {
    let receiver = Receiver::start([REFUSE]).await;
    set(&world, APP_ONE, &receiver, "allow").await;
    let (_, answer) = click(&world, ADA).await;
    let page = answer.expect(200);
    assert!(page.text().contains("Rate Finder did not accept the connection"), "{}", page.text());
    assert!(page.text().contains("&#60;b&#62;sorry") && !page.text().contains("<b>"), "{}", page.text());
    let result = &page.handover().unwrap()["result"];
    assert_eq!((&result["error"], &result["error_description"]), (&json!("access_denied"), &json!(MESSAGE)));
    assert_eq!(connections(&world).await, 0);
    let why = &newest(&world, "decision").await["why"];
    assert_eq!(why["rule"], "callback.refused");
    assert!(!why.to_string().contains("trial"), "what somebody else wrote is not in the journal: {why}");
    // The same by the control plane.
    let body = json!({"user": GRACE, "button": "btn-one", "decision": "allow"});
    let result = world.sandbox_authorize(&body).await.expect(200).json();
    assert_eq!((&result["valid"], &result["error"]), (&json!(false), &json!("access_denied")));
    assert_eq!((&result["errorMessage"], &result["connectionId"]), (&json!(MESSAGE), &Value::Null));
    receiver.answer(Reply::Body(200, r#"{"allow":false}"#));
    let result = world.sandbox_authorize(&body).await.expect(200).json();
    assert_eq!(result["errorMessage"], "The application's action call-back refused the connection.");
    assert_eq!(connections(&world).await, 0);
    // It is no verdict for ever.
    receiver.answer(ALLOW);
    connect_by_api(&world, GRACE, "btn-one").await;
}

/// Refused at the authorization endpoint: the user reads why, and goes on to the client with an error, in each mode.
async fn part_f_a_refusal_goes_on_to_the_client(world: World) {
    let receiver = Receiver::start([REFUSE]).await;
    set(&world, STUDIO.id, &receiver, "allow").await;
    for mode in ["query", "fragment", "form_post"] {
        let ask = Ask::of(&STUDIO).with("scope", "account_api").with("response_mode", mode);
        let mut ada = world.actor();
        let first = ada.get(&ask.address()).await;
        let landing = match ada.go_on(first, ADA, "allow").await {
            Err(page) => {
                assert!(page.text().contains("Your trial is over"), "{}", page.text());
                let address = page.between("class=\"button primary wide\" href=\"", "\"").unwrap();
                Landing::at(&address.replace("&#38;", "&"))
            }
            // The page is the form that goes on.
            Ok(landing) => landing,
        };
        assert_eq!(landing.uri, STUDIO.redirect_uri, "{mode}");
        assert_eq!((landing.error(), landing.value("state")), ("access_denied", ask.value("state")), "{mode}");
    }
    let ask = Ask::of(&STUDIO);
    assert_eq!(ask.allowed(&world, ADA).await.error(), "access_denied");
    let fields = [("grant_type", "password"), ("username", ADA), ("password", PASSWORD)];
    assert_error(&STUDIO.token(&world, &fields).await, 400, "invalid_grant");
    assert_eq!(newest(&world, "token").await["why"]["rule"], "callback.refused");
    assert_eq!(connections(&world).await, 0);
    receiver.answer(ALLOW);
    Issued::of(&STUDIO.token(&world, &fields).await);
}

/// No answer that counts: what the application chose holds, and it can see what was wrong.
async fn part_f_without_an_answer_the_applications_choice_holds(world: World) {
    let receiver = Receiver::start([ALLOW]).await;
    set(&world, APP_ONE, &receiver, "allow").await;
    let elsewhere = Receiver::start([REFUSE]).await;
    let failures = [
        (Reply::Body(500, r#"{"allow":false}"#), "it answered 500"),
        (Reply::Body(200, "ok"), "its answer is no JSON object"),
        (Reply::Body(200, r#"{"allow":"no"}"#), "no member \"allow\""),
        (Reply::Redirect(format!("{}/callback", elsewhere.origin)), "it answered 307"),
        (Reply::Silence, "no whole answer within 3000 ms"),
    ];
    let put = |on_failure: &str| {
        let body = json!({"url": format!("{}/again", receiver.origin), "on_failure": on_failure});
        let world = world.clone();
        async move { world.control("PUT", &format!("/apps/{APP_ONE}/callback"), &body).await.expect(200).json() }
    };
    for (reply, detail) in failures {
        receiver.answer(reply);
        let changed = put("refuse").await;
        assert_eq!((&changed["secret"], &changed["last_call"]), (&Value::Null, &Value::Null));
        let (_, page) = click(&world, ADA).await;
        let result = page.expect(200).handover().unwrap()["result"].clone();
        assert_eq!(result["error"], "access_denied", "{detail}");
        assert_eq!(newest(&world, "decision").await["why"]["rule"], "callback.failed");
        let last = &show(&world, APP_ONE).await["last_call"];
        assert_eq!(last["result"], "failed");
        assert!(last["detail"].as_str().unwrap().contains(detail), "{last}");
        assert_eq!(connections(&world).await, 0);
    }
    assert!(elsewhere.received().is_empty(), "no redirect is followed");
    receiver.answer(Reply::Body(500, ""));
    put("allow").await;
    let (_, page) = click(&world, ADA).await;
    page.expect(200).code();
    assert_eq!(connections(&world).await, 1);
}

/// Denials are told, and whatever is answered changes nothing.
async fn part_f_a_denial_is_told(world: World) {
    let receiver = Receiver::start([ALLOW]).await;
    set(&world, APP_ONE, &receiver, "allow").await;
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    let consent = ada.log_in(&opened, ADA).await.expect(200);
    let page = ada.decide(&opened, &consent, "deny").await.expect(200);
    assert_eq!(page.handover().unwrap()["result"]["error"], "access_denied");
    world.sandbox_authorize(&json!({"user": GRACE, "button": "btn-one", "decision": "deny"})).await.expect(200);
    let told: Vec<Value> = receiver.received().iter().map(Received::json).collect();
    assert_eq!(told.len(), 2);
    for told in told {
        // Who denies an application something stays unknown to it.
        let data = json!({"app": APP_ONE, "scopes": ["account_api"]});
        assert_eq!((&told["type"], &told["data"]), (&json!("connection.denied"), &data));
    }
    assert_eq!(connections(&world).await, 0);
}

/// What the server may not call is refused when it is set, with what to do; what is no address, too.
async fn part_f_a_target_is_one_that_may_be_called(world: World) {
    for (url, why) in [
        ("https://hooks.example.com/x", "outgoing_allow"),
        ("http://169.254.169.254/latest/meta-data", "outgoing_allow"),
        ("http://10.0.0.1/", "outgoing_allow"),
        ("ftp://localhost/", "http or https"),
        ("http://ada:secret@localhost/", "no user name"),
        ("/callback", "http or https"),
    ] {
        let body = json!({"url": url});
        let problem = world.control("PUT", &format!("/apps/{APP_ONE}/callback"), &body).await.expect(400).json();
        assert_eq!(problem["pointer"], "/url", "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(why), "{problem}");
    }
    let body = json!({"url": "http://localhost:1/", "on_failure": "alow"});
    let problem = world.control("PUT", &format!("/apps/{APP_ONE}/callback"), &body).await.expect(400).json();
    assert_eq!(problem["pointer"], "/on_failure", "{problem}");
    let good = json!({"url": "http://localhost:1/"});
    world.control("PUT", "/apps/nobody/callback", &good).await.expect(404);
    for (method, path) in [("GET", ""), ("POST", "/test"), ("POST", "/rotate-secret")] {
        world.control(method, &format!("/apps/{APP_ONE}/callback{path}"), &Value::Null).await.expect(404);
    }
    world.control("DELETE", &format!("/apps/{APP_ONE}/callback"), &Value::Null).await.expect(204);
}

/// From the secret's making to its end: it is stored sealed, signs what is sent, is replaced at once, and is in no log.
async fn part_f_a_callbacks_secret_is_shown_once_and_kept_sealed(world: World) {
    let receiver = Receiver::start([ALLOW]).await;
    let first = set(&world, APP_ONE, &receiver, "refuse").await;
    let path = format!("/apps/{APP_ONE}/callback");
    assert!(show(&world, APP_ONE).await.get("secret").is_none());
    let tested = world.control("POST", &format!("{path}/test"), &Value::Null).await.expect(200).json();
    assert_eq!(tested["result"], "allowed");
    let sample = receiver.received().pop().unwrap();
    assert_signed(&sample, &first);
    assert_eq!((&sample.json()["type"], &sample.json()["data"]), (&json!("webhook.test"), &json!({"app": APP_ONE})));
    let rotated = world.control("POST", &format!("{path}/rotate-secret"), &Value::Null).await.expect(200).json();
    let second = WebhookSecret::parse(rotated["secret"].as_str().unwrap()).unwrap();
    assert_ne!(first, second);
    // Also on a node that is started anew.
    let node = world.another_node().await;
    node.control("POST", &format!("{path}/test"), &Value::Null).await.expect(200);
    assert_signed(&receiver.received().pop().unwrap(), &second);
    let dump = world.database.db_dump().await;
    for secret in [&first, &second] {
        let written = secret.expose();
        for needle in [written.as_bytes(), written.trim_start_matches("whsec_").as_bytes(), secret.as_bytes()] {
            assert!(!dump.windows(needle.len()).any(|window| window == needle), "a secret lies in the database");
        }
    }
    let count = world.control("DELETE", &path, &Value::Null).await.expect(204);
    assert!(count.body.is_empty());
    world.control("GET", &path, &Value::Null).await.expect(404);
    for action in [Action::AppCallbackSet, Action::AppCallbackSecretRotated, Action::AppCallbackRemoved] {
        assert_eq!(world.events(action).await.len(), 1, "{action:?}");
    }
    let set = &world.events(Action::AppCallbackSet).await[0];
    let fields: Vec<_> = set.changes.iter().map(|change| (change.field.as_str(), change.after.as_deref())).collect();
    assert_eq!(fields, [("host", Some("127.0.0.1")), ("on_failure", Some("refuse"))]);
}

/// The console's page: what is wrong beside its field, the secret once, a test with what came of it.
async fn a_partner_sets_a_callback_in_the_console(world: World) {
    let receiver = Receiver::start([REFUSE]).await;
    let mut ada = world.signed_in(ADA).await;
    let page = "/console/apps/studio/callback";
    for (url, told) in [("nowhere", "whole address"), ("https://a.test/x", "may not call a.test")] {
        let wrong = ada.submit(page, &[("url", url), ("on_failure", "allow")]).await.expect(422);
        assert!(wrong.text().contains(told) && wrong.text().contains(&format!("value=\"{url}\"")), "{}", wrong.text());
    }
    let url = format!("{}/cb", receiver.origin);
    let once = ada.get(page).await.between("name=\"once\" value=\"", "\"").unwrap().to_owned();
    let fields = [("once", once.as_str()), ("url", &url), ("on_failure", "refuse")];
    let made = ada.submit(page, &fields).await.expect(200);
    assert!(made.text().contains("whsec_"), "{}", made.text());
    let tested = ada.submit_to(page, &format!("{page}/test"), &[]).await;
    let shown = ada.follow(&tested).await.expect(200);
    assert!(shown.text().contains("Your server refused it, and says: Your trial is over"), "{}", shown.text());
    assert!(shown.text().contains(&url) && !shown.text().contains("whsec_"), "{}", shown.text());
    // What is loaded again makes no second secret.
    let once = ada.get(page).await.between("/rotate-secret", "</form>").unwrap().to_owned();
    let once = once.split("name=\"once\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let rotate = format!("{page}/rotate-secret");
    let rotated = ada.submit_to(page, &rotate, &[("once", &once)]).await.expect(200);
    assert!(rotated.text().contains("whsec_"));
    assert_eq!(ada.submit_to(page, &rotate, &[("once", &once)]).await.location(), page);
    let removed = ada.submit_to(page, &format!("{page}/remove"), &[]).await;
    let shown = ada.follow(&removed).await.expect(200);
    assert!(shown.text().contains("not asked any more") && !shown.text().contains(&url), "{}", shown.text());
}

both!(
    part_f_the_applications_server_is_asked_before_a_connection_is_made,
    part_f_a_refusal_reaches_the_user_and_the_page,
    part_f_a_refusal_goes_on_to_the_client,
    part_f_without_an_answer_the_applications_choice_holds,
    part_f_a_denial_is_told,
    part_f_a_target_is_one_that_may_be_called,
    part_f_a_callbacks_secret_is_shown_once_and_kept_sealed,
    a_partner_sets_a_callback_in_the_console,
);
