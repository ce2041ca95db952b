//! The device grant (RFC 8628).

use serde_json::{Value, json};

use super::support::{
    Auth, Client, DEVICE_GRANT, Issued, MACHINE, POCKET, RIVAL, STUDIO, assert_error, assert_not_stored, at_once,
    claims,
};
use crate::support::http::{escape, request};
use crate::support::{ADA, Actor, Answer, GRACE, ISSUER, World, both};

/// What a device shows and keeps.
struct Started {
    device_code: String,
    user_code: String,
    body: Value,
}

async fn start(world: &World, client: &Client, scope: &str) -> Started {
    let answer = client.post(world, "/oauth/device_authorization", &[("scope", scope)]).await.expect(200);
    assert_not_stored(&answer);
    let body = answer.json();
    let text = |name: &str| body[name].as_str().unwrap_or_else(|| panic!("{name}: {body}")).to_owned();
    Started { device_code: text("device_code"), user_code: text("user_code"), body }
}

async fn poll(world: &World, client: &Client, device_code: &str) -> Answer {
    client.token(world, &[("grant_type", DEVICE_GRANT), ("device_code", device_code)]).await
}

impl Actor {
    /// Types a code on the device page, and answers what comes of it.
    async fn type_code(&mut self, user_code: &str) -> Answer {
        let page = self.get("/device").await.expect(200);
        let csrf = page.csrf();
        self.post("/device", &[("csrf", &csrf), ("user_code", user_code)]).await
    }

    /// Goes the whole way from the device page to its last page.
    async fn settle(&mut self, user_code: &str, email: &str, decision: &str) -> Answer {
        let answer = self.type_code(user_code).await.expect(303);
        match self.go_on(answer, email, decision).await {
            Err(page) => page.expect(200),
            Ok(landing) => panic!("a device has no address to land at: {landing:?}"),
        }
    }
}

/// The whole way, for a public and a confidential client.
async fn wire_b_a_device_gets_its_tokens(world: World) {
    for client in [POCKET, STUDIO] {
        let started = start(&world, &client, "account_api openid").await;
        assert!(started.device_code.starts_with("lgd_"), "{}", started.body);
        let (left, right) = started.user_code.split_once('-').unwrap();
        for half in [left, right] {
            assert!(half.len() == 4 && half.chars().all(|c| "BCDFGHJKLMNPQRSTVWXZ".contains(c)), "{half}");
        }
        assert_eq!(started.body["verification_uri"], format!("{ISSUER}/device"));
        let complete = started.body["verification_uri_complete"].as_str().unwrap();
        assert_eq!(complete, format!("{ISSUER}/device?user_code={}", started.user_code));
        assert_eq!((&started.body["expires_in"], &started.body["interval"]), (&json!(600), &json!(5)));
        assert_error(&poll(&world, &client, &started.device_code).await, 400, "authorization_pending");

        let mut ada = world.actor();
        let page = ada.get(complete.strip_prefix(ISSUER).unwrap()).await.expect(200);
        assert!(page.text().contains(&format!("value=\"{}\"", started.user_code)), "{}", page.text());
        ada.settle(&started.user_code, ADA, "allow").await;
        world.advance(5);
        let issued = Issued::of(&poll(&world, &client, &started.device_code).await);
        assert_eq!(world.me(&issued.access).await.expect(200).json()["user"]["email"], ADA);
        assert_eq!(claims(issued.id_token())["aud"], client.id);
        Issued::of(&client.refresh(&world, issued.refresh()).await);
        world.advance(5);
        assert_error(&poll(&world, &client, &started.device_code).await, 400, "invalid_grant");
    }
}

/// A denial is told once the device asks.
async fn wire_b_a_denied_device_is_told(world: World) {
    let started = start(&world, &POCKET, "account_api").await;
    world.actor().settle(&started.user_code, ADA, "deny").await;
    assert_error(&poll(&world, &POCKET, &started.device_code).await, 400, "access_denied");
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM connections").await, 0);
}

/// Who polls too often is told to slow down, by five seconds each time.
async fn wire_b_a_hasty_device_is_slowed_down(world: World) {
    let started = start(&world, &POCKET, "account_api").await;
    let poll = async || poll(&world, &POCKET, &started.device_code).await;
    assert_error(&poll().await, 400, "authorization_pending");
    world.advance(4);
    assert_error(&poll().await, 400, "slow_down");
    world.advance(9);
    assert_error(&poll().await, 400, "slow_down");
    world.advance(15);
    assert_error(&poll().await, 400, "authorization_pending");
    world.actor().settle(&started.user_code, ADA, "allow").await;
    world.advance(15);
    Issued::of(&poll().await);
}

/// Ten minutes, for the device and for who types its code.
async fn wire_b_a_device_code_expires(world: World) {
    let started = start(&world, &POCKET, "account_api").await;
    world.advance(599);
    assert_error(&poll(&world, &POCKET, &started.device_code).await, 400, "authorization_pending");
    world.advance(1);
    assert_error(&poll(&world, &POCKET, &started.device_code).await, 400, "expired_token");
    let answer = world.actor().type_code(&started.user_code).await;
    assert!((400..500).contains(&answer.status) && answer.header("location").is_none(), "{answer:?}");
}

/// A person may type small letters, blanks or no hyphen; anything else is the same form again.
async fn wire_b_a_code_may_be_typed_carelessly(world: World) {
    for change in [str::to_lowercase, |code: &str| code.replace('-', ""), |code: &str| format!(" {code} ")] {
        let started = start(&world, &POCKET, "account_api").await;
        world.actor().settle(&change(&started.user_code), ADA, "allow").await;
        Issued::of(&poll(&world, &POCKET, &started.device_code).await);
    }
    let long = "B".repeat(5_000);
    for wrong in ["", "BBBB-BBBB", "AAAA-EEEE", "x", "\"><img src=x>", "\u{0}", &long] {
        let answer = world.actor().type_code(wrong).await;
        assert!((400..500).contains(&answer.status), "{wrong}: {answer:?}");
        assert!(answer.text().contains("name=\"user_code\"") && !answer.text().contains("<img src=x"), "{wrong}");
    }
    let page = world.get(&format!("/device?user_code={}", escape("\"><img src=x>"))).await.expect(200);
    assert!(!page.text().contains("<img src=x"), "C12: {}", page.text());
}

/// C7, C8: the form is this browser's own, and a code is settled once.
async fn c7_c8_a_code_is_settled_once_by_a_form_of_ours(world: World) {
    let started = start(&world, &POCKET, "account_api").await;
    let mut ada = world.actor();
    let foreign = world.actor().get("/device").await.csrf();
    for csrf in ["", "wrong", &foreign] {
        let fields = [("csrf", csrf), ("user_code", started.user_code.as_str())];
        let answer = ada.post("/device", &fields).await;
        assert_eq!(answer.status, 403, "{answer:?}");
    }
    let csrf = ada.get("/device").await.csrf();
    let body = crate::support::http::form(&[("csrf", &csrf), ("user_code", &started.user_code)]);
    let headers =
        [("content-type", super::support::FORM), ("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
    ada.send(None, request("POST", "/device", &headers, body)).await.expect(403);
    ada.settle(&started.user_code, ADA, "allow").await;
    let answer = world.actor().type_code(&started.user_code).await;
    assert!((400..500).contains(&answer.status), "{answer:?}");
    Issued::of(&poll(&world, &POCKET, &started.device_code).await);
}

/// The code is its client's, who has to have the grant; its user has to stay.
async fn wire_b_a_device_code_is_its_clients(world: World) {
    let started = start(&world, &POCKET, "account_api").await;
    world.actor().settle(&started.user_code, ADA, "allow").await;
    for other in [RIVAL, STUDIO] {
        assert_error(&poll(&world, &other, &started.device_code).await, 400, "invalid_grant");
    }
    Issued::of(&poll(&world, &POCKET, &started.device_code).await);
    for wrong in ["x", "lgd_", "\u{0}", &"x".repeat(10_000)] {
        assert_error(&poll(&world, &POCKET, wrong).await, 400, "invalid_grant");
    }
    let path = "/oauth/device_authorization";
    assert_error(&MACHINE.post(&world, path, &[]).await, 400, "unauthorized_client");
    assert_error(&POCKET.post(&world, path, &[("scope", "lead_receiver")]).await, 400, "invalid_scope");
    assert_error(&STUDIO.by(Auth::None).post(&world, path, &[]).await, 401, "invalid_client");
    world.send(request("GET", path, &[], "")).await.expect(405);

    let started = start(&world, &POCKET, "account_api").await;
    world.actor().settle(&started.user_code, GRACE, "allow").await;
    world.disable(GRACE).await;
    assert_error(&poll(&world, &POCKET, &started.device_code).await, 400, "invalid_grant");
}

/// C1, C13: the pages are guarded, and the consent names the code and warns.
async fn c1_c13_the_device_pages_are_guarded_and_name_the_code(world: World) {
    let started = start(&world, &POCKET, "account_api").await;
    let mut ada = world.actor();
    let page = ada.get("/device").await.expect(200);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!((page.header("x-frame-options"), page.header("cache-control")), (Some("DENY"), Some("no-store")));
    ada.sign_in(ADA).await;
    let answer = ada.type_code(&started.user_code).await.expect(303);
    let consent = ada.follow(&answer).await.expect(200);
    assert!(consent.is_consent_page(), "{}", consent.text());
    for named in [started.user_code.as_str(), "Pocket Leads", "title=\"account_api\"", "Acme Mortgage"] {
        assert!(consent.text().contains(named), "{named}: {}", consent.text());
    }
    // A device is nobody's until somebody says so, each time.
    ada.settle(&started.user_code, ADA, "allow").await;
    let again = start(&world, &POCKET, "account_api").await;
    let answer = ada.type_code(&again.user_code).await.expect(303);
    assert!(ada.follow(&answer).await.is_consent_page());
}

/// R8: of polls at once, on two nodes, one brings tokens.
async fn r8_a_device_code_is_good_once_across_nodes(world: World) {
    let nodes = [world.clone(), world.another_node().await];
    for _ in 0..3 {
        let started = start(&nodes[0], &POCKET, "account_api").await;
        nodes[1].actor().settle(&started.user_code, ADA, "allow").await;
        world.advance(6);
        let polls = at_once(30, &nodes, |node| {
            let code = started.device_code.clone();
            async move { poll(&node, &POCKET, &code).await.status }
        });
        let good = polls.await.into_iter().filter(|status| *status == 200).count();
        assert_eq!(good, 1);
    }
}

both! { on many threads; r8_a_device_code_is_good_once_across_nodes }
both! {
    wire_b_a_device_gets_its_tokens,
    wire_b_a_denied_device_is_told,
    wire_b_a_hasty_device_is_slowed_down,
    wire_b_a_device_code_expires,
    wire_b_a_code_may_be_typed_carelessly,
    c7_c8_a_code_is_settled_once_by_a_form_of_ours,
    wire_b_a_device_code_is_its_clients,
    c1_c13_the_device_pages_are_guarded_and_name_the_code,
}
