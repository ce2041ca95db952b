//! What is connected, and the way to end it.

use super::support::{assert_guarded, log_in};
use crate::support::http::request;
use crate::support::{ADA, APP_ONE, Answer, Click, GRACE, OTHER, PARTNER, World, both, connect_by_api};

/// The form that ends the connection to the application of this name.
fn disconnect_form(page: &Answer, app: &str) -> String {
    let entry = page.text().split("<li class=\"panel app\">").find(|entry| entry.contains(app)).unwrap();
    let id = entry.split_once("action=\"/account/connections/").unwrap().1.split('"').next().unwrap();
    format!("/account/connections/{id}")
}

/// C14, wire.md A5: the login form at the same address, then each connected application with all that the user should know.
async fn c14_the_page_shows_what_is_connected(world: World) {
    let mut ada = world.actor();
    let login = ada.get("/account").await.expect(200);
    assert!(login.is_login_page());
    assert_guarded(&login);
    let empty = log_in(&mut ada, ADA).await;
    assert_guarded(&empty);
    assert!(!empty.text().contains("Disconnect</button>"));
    let one = connect_by_api(&world, ADA, "btn-wide").await;
    world.advance(60);
    connect_by_api(&world, ADA, "btn-two").await;
    connect_by_api(&world, GRACE, "btn-one").await;
    world.advance(60);
    assert_eq!(world.refresh(&one.refresh, APP_ONE).await.json()["valid"], true);
    let page = ada.get("/account").await.expect(200);
    for shown in ["Rate Finder", "Rate Finder Inc.", "Lead Desk", "Desk &#38; Sons", "title=\"data_api\"", ADA] {
        assert!(page.text().contains(shown) || page.text().contains(&shown.replace("&#38;", "&amp;")), "{shown}");
    }
    assert_eq!(page.text().matches(">Disconnect</button>").count(), 2, "one form for each");
    let entry = page.text().split("<li class=\"panel app\">").find(|entry| entry.contains("Rate Finder")).unwrap();
    assert!(entry.contains("datetime=\"2026-11-22T09:15:30Z\""), "since: {entry}");
    assert!(entry.contains("datetime=\"2026-11-22T09:17:30Z\""), "last used: {entry}");
    assert!(!page.text().contains(GRACE));
}

/// C14, H5, wire.md A5: a disconnect here has the effect of A3, at once.
async fn c14_a_disconnect_ends_tokens_at_once(world: World) {
    let mut ada = world.actor();
    let one = ada.connect("btn-one", PARTNER, ADA).await;
    let two = ada.connect("btn-two", PARTNER, ADA).await;
    let page = ada.get("/account").await;
    let action = disconnect_form(&page, "Rate Finder");
    let answer = ada.post(&action, &[("csrf", &page.csrf())]).await;
    assert!(answer.location().starts_with("/account?ended="));
    let after = ada.follow(&answer).await.expect(200);
    assert!(after.text().contains("role=\"status\"") && after.text().contains("Rate Finder"), "it says what it did");
    assert!(!after.text().contains("<li class=\"panel app\">\n<div>\n<h2 id=\"app-1\">Rate Finder"));
    world.me(&one.access).await.expect(401);
    assert_eq!(world.refresh(&one.refresh, APP_ONE).await.json()["valid"], false);
    world.me(&two.access).await.expect(200);
    // The same form again, from another tab: done is done.
    assert_eq!(ada.post(&action, &[("csrf", &page.csrf())]).await.status, 303);
}

/// C14: a user cannot end another user's connection, nor learn of it.
async fn c14_another_users_connection_is_out_of_reach(world: World) {
    let (mut ada, mut grace) = (world.actor(), world.actor());
    let hers = ada.connect("btn-one", PARTNER, ADA).await;
    let page = ada.get("/account").await;
    let action = disconnect_form(&page, "Rate Finder");
    let own = log_in(&mut grace, GRACE).await;
    let csrf = own.csrf();
    let refused = grace.post(&action, &[("csrf", &csrf)]).await.expect(404);
    assert!(!refused.text().contains("Rate Finder"));
    let id = action.split('/').nth(3).unwrap();
    let told = grace.get(&format!("/account?ended={id}")).await.expect(200);
    assert!(!told.text().contains("Rate Finder"));
    world.me(&hers.access).await.expect(200);
    world.disconnect(&hers.refresh).await;
    let told = grace.get(&format!("/account?ended={id}")).await.expect(200);
    assert!(!told.text().contains("Rate Finder"), "also when it has ended");
    for (path, status) in [
        ("/account/connections/01930000-0000-7000-8000-000000000000/disconnect", 404),
        ("/account/connections/x/disconnect", 404),
        ("/account/connections/%00/disconnect", 404),
    ] {
        assert_eq!(grace.post(path, &[("csrf", &csrf)]).await.status, status, "{path}");
    }
}

/// C7: a disconnect needs the session, its own CSRF token, and a form of our own page.
async fn c7_a_disconnect_cannot_be_forged(world: World) {
    let (mut ada, mut grace) = (world.actor(), world.actor());
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    let page = ada.get("/account").await;
    let (action, csrf) = (disconnect_form(&page, "Rate Finder"), page.csrf());
    let theirs = log_in(&mut grace, GRACE).await.csrf();
    for wrong in ["", "x", &theirs] {
        ada.post(&action, &[("csrf", wrong)]).await.expect(403);
    }
    ada.post(&action, &[]).await.expect(403);
    ada.post(&action, &[("csrf", &csrf), ("csrf", &csrf)]).await.expect(403);
    world.actor().post(&action, &[("csrf", &csrf)]).await.expect(403);
    let body = crate::support::http::form(&[("csrf", &csrf)]);
    let kind = "application/x-www-form-urlencoded";
    let cross = [("content-type", kind), ("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")];
    ada.send(None, request("POST", &action, &cross, body.clone())).await.expect(403);
    ada.send(None, request("POST", &action, &[("content-type", "text/plain")], body.clone())).await.expect(415);
    ada.get(&action).await.expect(405);
    ada.get(&format!("{action}?{body}")).await.expect(405);
    world.me(&tokens.access).await.expect(200);
    ada.post(&action, &[("csrf", &csrf)]).await.location();
    world.me(&tokens.access).await.expect(401);
}

/// C15: no GET, no image and no foreign form logs out.
async fn c15_a_get_does_not_log_out(world: World) {
    let mut ada = world.actor();
    let page = log_in(&mut ada, ADA).await;
    let csrf = page.csrf();
    ada.get("/logout").await.expect(405);
    ada.get(&format!("/logout?csrf={csrf}")).await.expect(405);
    ada.post("/logout", &[]).await.expect(403);
    ada.post("/logout", &[("csrf", "x")]).await.expect(403);
    ada.post(&format!("/logout?csrf={csrf}"), &[]).await.expect(403);
    assert!(!ada.get("/account").await.is_login_page());
    let evil = Some("https://evil.example");
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    ada.send(evil, request("POST", "/logout", &headers, format!("csrf={csrf}"))).await.expect(403);
    assert!(!ada.get("/account").await.is_login_page());
}

/// C6, wire.md A5: a logout ends the session on the server, and everything that hangs on it.
async fn c6_a_logout_is_final(world: World) {
    let mut ada = world.actor();
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    let page = ada.get("/account").await;
    let before = ada.clone();
    let answer = ada.post("/logout", &[("csrf", &page.csrf())]).await;
    assert_eq!(answer.location(), "/account");
    assert!(ada.jar.value("_session_").is_none() && ada.jar.value("_button_").is_none(), "taken back");
    assert!(ada.get("/account").await.is_login_page());
    let mut stolen = before.clone();
    assert!(stolen.get("/account").await.is_login_page());
    stolen.post("/logout", &[("csrf", &page.csrf())]).await.expect(403);
    for origin in [PARTNER, OTHER] {
        assert_eq!(stolen.resume(origin, &["btn-one"]).await["btn-one"]["error"], "login_required", "{origin}");
    }
    world.me(&tokens.access).await.expect(200);
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    assert!(ada.get(&opened.path).await.is_login_page());
}

/// A session is over after thirty days, and at once for a disabled user.
async fn c6_a_session_ends(world: World) {
    let mut ada = world.actor();
    log_in(&mut ada, ADA).await;
    world.advance(30 * 24 * 3_600 - 1);
    assert!(!ada.get("/account").await.is_login_page());
    world.advance(1);
    assert!(ada.get("/account").await.is_login_page());
    log_in(&mut ada, ADA).await;
    world.disable(ADA).await;
    assert!(ada.get("/account").await.is_login_page());
    world.enable(ADA).await;
    assert!(ada.get("/account").await.is_login_page(), "enabling signs nobody in");
}

both! {
    c14_the_page_shows_what_is_connected,
    c14_a_disconnect_ends_tokens_at_once,
    c14_another_users_connection_is_out_of_reach,
    c7_a_disconnect_cannot_be_forged,
    c15_a_get_does_not_log_out,
    c6_a_logout_is_final,
    c6_a_session_ends,
}
