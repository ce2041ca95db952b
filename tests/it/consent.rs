//! Consent: asked for once, by forms that nobody else can post.

use serde_json::json;

use crate::support::http::{form, request};
use crate::support::{ADA, Actor, Click, GRACE, Opened, PARTNER, PASSWORD, Setup, Tokens, World, both};

/// How many connections there are, and with which scopes.
async fn db_connections(world: &World) -> i64 {
    world.database.db_count("SELECT COUNT(*) FROM connections").await
}

/// C7: a form without the token of this browser, or with that of another, is refused and changes nothing.
async fn c7_a_form_of_another_browser_is_refused(world: World) {
    let (mut ada, mut mallory) = (world.actor(), world.actor());
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    let login_csrf = ada.get(&opened.path).await.csrf();
    let theirs = mallory.open(Click::on("btn-one", PARTNER)).await;
    let their_login_csrf = mallory.get(&theirs.path).await.csrf();
    let login = format!("{}/login", opened.path);
    for csrf in [Some(their_login_csrf.as_str()), Some(""), Some("AAAA"), Some("!"), None] {
        let mut fields = vec![("email", ADA), ("password", PASSWORD)];
        fields.extend(csrf.map(|csrf| ("csrf", csrf)));
        ada.post(&login, &fields).await.expect(403);
        assert!(ada.jar.value("_session_").is_none());
    }
    let consent = ada.log_in(&opened, ADA).await;
    let their_consent_csrf = mallory.log_in(&theirs, GRACE).await.csrf();
    let decision = format!("{}/decision", opened.path);
    for csrf in [Some(their_consent_csrf.as_str()), Some(login_csrf.as_str()), Some(""), None] {
        let mut fields = vec![("decision", "allow")];
        fields.extend(csrf.map(|csrf| ("csrf", csrf)));
        ada.post(&decision, &fields).await.expect(403);
    }
    assert_eq!(db_connections(&world).await, 0);
    ada.decide(&opened, &consent, "allow").await.expect(200).code();
}

/// C7: a browser that says that another site sent the form is believed, also with the right token.
async fn c7_a_form_from_another_site_is_refused(world: World) {
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    let login_csrf = ada.get(&opened.path).await.csrf();
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "cross-site")];
    let login = form(&[("csrf", &login_csrf), ("email", ADA), ("password", PASSWORD)]);
    ada.send(None, request("POST", &format!("{}/login", opened.path), &headers, login)).await.expect(403);
    let consent = ada.log_in(&opened, ADA).await;
    let decision = form(&[("csrf", &consent.csrf()), ("decision", "allow")]);
    ada.send(None, request("POST", &format!("{}/decision", opened.path), &headers, decision)).await.expect(403);
    let account_csrf = ada.get("/account").await.csrf();
    ada.send(None, request("POST", "/logout", &headers, form(&[("csrf", &account_csrf)]))).await.expect(403);
    assert_eq!(db_connections(&world).await, 0);
    assert!(!ada.get("/account").await.is_login_page());
}

/// C8: a form cannot ask for more than the flow does: what it adds is not looked at.
async fn c8_what_a_form_adds_is_ignored(world: World) {
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    let csrf = ada.log_in(&opened, ADA).await.csrf();
    let fields = [
        ("csrf", csrf.as_str()),
        ("decision", "allow"),
        ("scope", "lead_receiver"),
        ("scopes", "data_api"),
        ("btn", "btn-wide"),
        ("app", crate::support::APP_TWO),
        ("client_id", crate::support::APP_TWO),
        ("origin", "https://evil.example"),
        ("return_to", "https://evil.example/"),
        ("redirect_uri", "https://evil.example/"),
        ("state", "another"),
    ];
    let finished = ada.post(&format!("{}/decision", opened.path), &fields).await.expect(200);
    assert!(!finished.text().contains("evil"));
    let handover = finished.handover().unwrap();
    assert_eq!((&handover["target"], &handover["state"]), (&json!(PARTNER), &json!(opened.click.state)));
    let tokens = Tokens::of(&ada.redeem(&opened, &finished.code()).await.json());
    let me = world.me(&tokens.access).await.json();
    assert_eq!((&me["scopes"], &me["app"]["id"]), (&json!(["account_api"]), &json!(crate::support::APP_ONE)));
}

/// C8: a decision is `allow` or `deny`, once; anything else decides nothing.
async fn c8_an_unclear_decision_decides_nothing(world: World) {
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    let consent = ada.log_in(&opened, ADA).await;
    let csrf = consent.csrf();
    let path = format!("{}/decision", opened.path);
    for decisions in [vec![], vec![""], vec!["ALLOW"], vec!["yes"], vec!["allow", "deny"], vec!["deny", "allow"]] {
        let fields: Vec<_> =
            decisions.iter().map(|decision| ("decision", *decision)).chain([("csrf", csrf.as_str())]).collect();
        ada.post(&path, &fields).await.expect(400);
    }
    assert_eq!(db_connections(&world).await, 0);
    ada.decide(&opened, &consent, "allow").await.expect(200).code();
}

async fn assert_closed(actor: &mut Actor, opened: &Opened, status: u16) {
    let page = actor.get(&opened.path).await.expect(status);
    assert!(page.handover().is_none(), "{}", page.text());
    for (step, fields) in
        [("login", [("email", ADA), ("password", PASSWORD)]), ("decision", [("decision", "allow"), ("csrf", "x")])]
    {
        let page = actor.post(&format!("{}/{step}", opened.path), &fields).await.expect(status);
        assert!(page.handover().is_none());
    }
}

/// C8: a flow has one outcome.
async fn c8_a_finished_flow_has_no_second_outcome(world: World) {
    let mut ada = world.actor();
    for decision in ["allow", "deny"] {
        let opened = ada.open(Click::on(if decision == "allow" { "btn-one" } else { "btn-two" }, PARTNER)).await;
        let page = ada.get(&opened.path).await;
        let consent = if page.is_login_page() { ada.log_in(&opened, ADA).await } else { page };
        ada.decide(&opened, &consent, decision).await.expect(200);
        assert_closed(&mut ada, &opened, 410).await;
        ada.decide(&opened, &consent, "allow").await.expect(410);
    }
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM codes").await, 1);
    assert_eq!(db_connections(&world).await, 1);
}

/// C8: two answers at once are still one outcome.
async fn c8_of_two_decisions_at_once_one_counts(world: World) {
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    let consent = ada.log_in(&opened, ADA).await;
    let answers = futures_util::future::join_all((0..10).map(|_| {
        let (mut ada, opened, consent) = (ada.clone(), opened.clone(), consent.clone());
        async move { ada.decide(&opened, &consent, "allow").await.status }
    }))
    .await;
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|status| matches!(status, 200 | 410)), "{answers:?}");
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM codes").await, 1);
}

/// C8: a flow is of the browser that opened it, whoever is signed in elsewhere.
async fn c8_a_flow_of_another_browser_is_refused(world: World) {
    let (mut ada, mut grace) = (world.actor(), world.actor());
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    let consent = ada.log_in(&opened, ADA).await;
    let theirs = grace.open(Click::on("btn-one", PARTNER)).await;
    let their_consent = grace.log_in(&theirs, GRACE).await;
    assert_closed(&mut grace, &opened, 403).await;
    grace.decide(&opened, &their_consent, "allow").await.expect(403);
    grace.decide(&opened, &consent, "allow").await.expect(403);
    assert_closed(&mut world.actor(), &opened, 403).await;
    assert_eq!(db_connections(&world).await, 0);
}

/// A dialog that stood open for ten minutes is over.
async fn c8_a_flow_ends_after_ten_minutes(world: World) {
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    let consent = ada.log_in(&opened, ADA).await;
    world.advance(10 * 60 - 1);
    ada.get(&opened.path).await.expect(200);
    world.advance(1);
    assert_closed(&mut ada, &opened, 410).await;
    ada.decide(&opened, &consent, "allow").await.expect(410);
    for unknown in ["/dialog/01930000-0000-7000-8000-000000000000", "/dialog/x", "/dialog/%00", "/dialog/..%2f"] {
        ada.get(unknown).await.expect(410);
    }
}

/// C13: who consented is not asked again, but for more; the answer for more holds for less too.
async fn c13_consent_is_asked_for_again_only_for_more(world: World) {
    let mut ada = world.actor();
    let first = ada.connect("btn-one", PARTNER, ADA).await;
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    ada.get(&opened.path).await.expect(200).code();
    let opened = ada.open(Click::on("btn-wide", PARTNER)).await;
    let consent = ada.get(&opened.path).await.expect(200);
    assert!(consent.is_consent_page(), "data_api was not consented to");
    ada.decide(&opened, &consent, "deny").await.expect(200);
    let opened = ada.open(Click::on("btn-wide", PARTNER)).await;
    let consent = ada.get(&opened.path).await.expect(200);
    assert!(consent.is_consent_page(), "a denial is no consent");
    let code = ada.decide(&opened, &consent, "allow").await.code();
    let wide = Tokens::of(&ada.redeem(&opened, &code).await.json());
    assert_eq!(wide.refresh, first.refresh, "one connection, one refresh token");
    assert_eq!(world.me(&wide.access).await.json()["scopes"], json!(["account_api", "data_api"]));
    for btn in ["btn-one", "btn-wide"] {
        let opened = ada.open(Click::on(btn, PARTNER)).await;
        ada.get(&opened.path).await.expect(200).code();
    }
    assert_eq!(db_connections(&world).await, 1);
    // Of another application nothing was said.
    let opened = ada.open(Click::on("btn-two", PARTNER)).await;
    assert!(ada.get(&opened.path).await.is_consent_page());
}

/// wire.md part E: the magic user who never consents.
async fn e_the_magic_user_deny_is_never_asked(world: World) {
    let mut dan = world.actor();
    let opened = dan.open(Click::on("btn-one", PARTNER)).await;
    let finished = dan.log_in(&opened, "deny@acme.test").await.expect(200);
    assert_eq!(finished.handover().unwrap()["result"]["error"], "access_denied");
    assert_eq!(db_connections(&world).await, 0);
}

/// B23: a button whose registration changed since the click, or that is gone, gives nothing.
async fn b23_a_button_that_lost_its_origin_gives_nothing(world: World) {
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    let consent = ada.log_in(&opened, ADA).await;
    world.database.db_execute("DELETE FROM button_origins WHERE origin = 'https://partner.test'").await;
    let page = ada.decide(&opened, &consent, "allow").await.expect(403);
    assert!(page.handover().is_none());
    assert_eq!(db_connections(&world).await, 0);
}

/// C12: names that are markup are shown as text on every page.
async fn c12_hostile_names_and_input_are_text_everywhere(world: World) {
    let mut ada = world.actor();
    let mut click = Click::on("btn-one", PARTNER);
    click.state = "</script><img src=x onerror=alert(9)>".into();
    let opened = ada.open(click.with("lang", "en\"><img src=x>")).await;
    let mut pages = vec![ada.get(&opened.path).await.expect(200)];
    pages.push(ada.post_login(&opened, "\"><img src=x onerror=alert(8)>@a.test", "\"><img src=x>").await);
    let consent = ada.log_in(&opened, ADA).await.expect(200);
    assert!(consent.text().contains("alert(1)") && consent.text().contains("alert(2)"), "the names are shown");
    pages.push(ada.decide(&opened, &consent, "allow").await.expect(200));
    pages.push(consent);
    pages.push(ada.get("/account").await.expect(200));
    pages.push(ada.get("/").await.expect(200));
    pages.push(ada.get("/account?ended=%22%3E%3Cimg%20src=x%3E").await);
    pages.push(ada.get("/%22%3E%3Cimg%20src=x%3E").await.expect(404));
    pages.push(ada.get("/button/authorize?btn=%22%3E%3Cimg%20src=x%3E").await.expect(400));
    for page in &pages {
        assert!(!page.text().contains("<img src=x"), "{}", page.text());
        assert!(!page.text().contains("<script>alert"), "{}", page.text());
        assert!(!page.text().contains("\"onmouseover="), "{}", page.text());
        assert!(!page.text().contains("alert(8)") || page.is_login_page());
    }
}

both! {
    c7_a_form_of_another_browser_is_refused,
    c7_a_form_from_another_site_is_refused,
    c8_what_a_form_adds_is_ignored,
    c8_an_unclear_decision_decides_nothing,
    c8_a_finished_flow_has_no_second_outcome,
    c8_a_flow_of_another_browser_is_refused,
    c8_a_flow_ends_after_ten_minutes,
    c13_consent_is_asked_for_again_only_for_more,
    e_the_magic_user_deny_is_never_asked,
    b23_a_button_that_lost_its_origin_gives_nothing,
}
both! { on many threads; c8_of_two_decisions_at_once_one_counts }
both! { with super::with_hostile_names(); c12_hostile_names_and_input_are_text_everywhere }

fn with_hostile_names() -> Setup {
    Setup::default()
        .with("name = \"Rate Finder\"", "name = '<img src=x onerror=alert(1)>'")
        .with("\"Rate Finder Inc.\"", "'\"><script>alert(2)</script>'")
        .with("name = \"Ada Buyer\"", "name = '\"onmouseover=alert(3) <img src=x>'")
        .with("name = \"Acme Mortgage\"", "name = \"</title><img src=x onerror=alert(4)>\\u2028\"")
}
