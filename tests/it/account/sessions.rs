//! Where one is signed in.

use super::support::{assert_guarded, log_in, signed_in};
use crate::support::http::{form, from_address, request};
use crate::support::{ADA, Actor, Answer, GRACE, World, both};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// Signs in from an address with a browser that says its name.
async fn log_in_from(world: &World, octet: u8, user_agent: &str) -> Actor {
    // Of one millisecond there is no order.
    world.advance(1);
    let mut actor = world.actor();
    let csrf = actor.get("/account").await.csrf();
    let body = form(&[("csrf", &csrf), ("email", ADA), ("password", crate::support::PASSWORD)]);
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("user-agent", user_agent)];
    actor.send(None, from_address(request("POST", "/account/login", &headers, body), octet)).await.location();
    actor
}

/// The form that ends the session that was opened from this address.
fn end_form(page: &Answer, address: &str) -> String {
    let row = page.text().split("<tr ").find(|row| row.contains(address)).unwrap();
    row.split_once("action=\"").unwrap().1.split('"').next().unwrap().to_owned()
}

/// C14: each session with where it was opened, this one marked.
async fn c14_sessions_are_listed_with_where_they_were_opened(world: World) {
    let mut here = log_in_from(&world, 7, FIREFOX).await;
    log_in_from(&world, 8, "<script>alert(1)</script>").await;
    signed_in(&world, GRACE).await;
    let page = here.get("/account/sessions").await.expect(200);
    assert_guarded(&page);
    let rows: Vec<_> = page.text().split("<tr ").skip(2).collect();
    assert_eq!(rows.len(), 2, "one's own only");
    assert!(rows[0].contains("A browser") && rows[0].contains("192.0.2.8") && rows[0].contains("End"));
    assert!(rows[1].contains("Firefox (Linux)") && rows[1].contains("192.0.2.7") && rows[1].contains("This browser"));
    assert!(!page.text().contains("<script>alert"));
}

/// C6, C14: a session that is ended is dead at once, on another node too; the others live on.
async fn c6_an_ended_session_is_dead_at_once(world: World) {
    let second = world.another_node().await;
    let mut here = log_in_from(&world, 7, FIREFOX).await;
    let mut there = log_in_from(&world, 8, FIREFOX).await;
    let mut third = log_in_from(&world, 9, FIREFOX).await;
    let page = here.get("/account/sessions").await;
    let answer = here.post(&end_form(&page, "192.0.2.8"), &[("csrf", &page.csrf())]).await;
    assert!(here.follow(&answer).await.text().contains("role=\"status\""));
    assert!(there.at(&second).get("/account").await.is_login_page());
    assert!(there.get("/account").await.is_login_page());
    assert!(!third.get("/account").await.is_login_page());
    let page = here.get("/account/sessions").await;
    here.post("/account/sessions/end", &[("csrf", &page.csrf())]).await.location();
    assert!(third.at(&second).get("/account").await.is_login_page());
    assert!(!here.get("/account").await.is_login_page(), "this one stays");
    assert!(!here.get("/account/sessions").await.text().contains("/account/sessions/end\""), "nothing left to end");
}

/// C14: another user's session is out of reach, and looks like one that does not exist.
async fn c14_another_users_session_is_out_of_reach(world: World) {
    let mut ada = log_in_from(&world, 7, FIREFOX).await;
    log_in_from(&world, 8, FIREFOX).await;
    let action = end_form(&ada.get("/account/sessions").await, "192.0.2.8");
    let (mut grace, csrf) = signed_in(&world, GRACE).await;
    let theirs = grace.post(&action, &[("csrf", &csrf)]).await.expect(404);
    let unknown = "/account/sessions/01930000-0000-7000-8000-000000000000/end";
    let nobodys = grace.post(unknown, &[("csrf", &csrf)]).await.expect(404);
    let comparable =
        |page: &Answer| page.text().split("<main").nth(1).unwrap().split("<p class=\"ref").next().unwrap().len();
    assert_eq!(comparable(&theirs), comparable(&nobodys));
    grace.post("/account/sessions/x/end", &[("csrf", &csrf)]).await.expect(404);
    grace.post("/account/sessions/end", &[("csrf", &csrf)]).await.location();
    let page = ada.get("/account/sessions").await;
    assert!(page.text().contains("192.0.2.8"), "hers are all there");
    for wrong in ["", "x", &csrf] {
        ada.post(&action, &[("csrf", wrong)]).await.expect(403);
        ada.post("/account/sessions/end", &[("csrf", wrong)]).await.expect(403);
    }
    ada.get(&action).await.expect(405);
}

/// C14: the list has pages.
async fn c14_many_sessions_are_listed_page_by_page(world: World) {
    let mut ada = world.actor();
    log_in(&mut ada, ADA).await;
    world.advance(1);
    for _ in 0..60 {
        log_in(&mut world.actor(), ADA).await;
    }
    let first = ada.get("/account/sessions").await;
    assert_eq!(first.text().matches("<tr ").count(), 51);
    let older = first.between("class=\"button older\" href=\"", "\"").unwrap().to_owned();
    let last = ada.get(&older).await.expect(200);
    assert_eq!(last.text().matches("<tr ").count(), 12);
    assert!(last.text().contains("This browser") && !last.text().contains("class=\"button older\""));
    ada.get("/account/sessions?after=x").await.expect(200);
}

both! {
    c14_sessions_are_listed_with_where_they_were_opened,
    c6_an_ended_session_is_dead_at_once,
    c14_another_users_session_is_out_of_reach,
    c14_many_sessions_are_listed_page_by_page,
}
