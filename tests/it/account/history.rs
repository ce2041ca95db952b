//! What was allowed, and what became of it.

use super::support::{assert_guarded, signed_in};
use crate::oauth::support::STUDIO;
use crate::support::{ADA, GRACE, PARTNER, World, both, connect_by_api};

/// C14: each consent with what it was for, through what, and how its connection ended; also after that.
async fn c14_the_history_outlives_connections_and_applications(world: World) {
    let (mut ada, _) = signed_in(&world, ADA).await;
    let empty = ada.get("/account/history").await.expect(200);
    assert_guarded(&empty);
    assert!(empty.text().contains("Nothing was allowed yet"));
    let one = ada.connect("btn-one", PARTNER, ADA).await;
    ada.connect("btn-one", PARTNER, ADA).await;
    let rows = |text: &str| text.split("<tr ").skip(2).map(str::to_owned).collect::<Vec<_>>();
    let page = ada.get("/account/history").await;
    assert_eq!(rows(page.text()).len(), 1, "a sign-in that asks for nothing new is no consent");
    assert!(rows(page.text())[0].contains("Rate Finder") && rows(page.text())[0].contains("Sign-in button"));
    assert!(rows(page.text())[0].contains("Connected"));
    world.advance(60);
    ada.connect("btn-wide", PARTNER, ADA).await;
    world.advance(60);
    STUDIO.connect(&world, ADA).await;
    let page = ada.get("/account/history").await;
    let told = rows(page.text());
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].contains("Lead Studio") && told[0].contains("Standard grant"));
    world.disconnect(&one.refresh).await;
    let page = ada.get("/account/history").await;
    assert_eq!(page.text().matches("Ended by the application").count(), 2, "both of that connection");
    world.delete_app(crate::support::APP_ONE).await;
    let page = ada.get("/account/history").await;
    assert_eq!(page.text().matches("Gone with the application").count(), 2);
    assert!(page.text().contains("Rate Finder"), "by the name that it had");
}

/// C14: nobody reads another user's history, whatever page they ask for.
async fn c14_another_users_history_is_out_of_reach(world: World) {
    connect_by_api(&world, ADA, "btn-one").await;
    let (mut ada, csrf) = signed_in(&world, ADA).await;
    let export = ada.get("/account/export").await.json();
    let connection = export["consents"][0]["connection"].as_str().unwrap().to_owned();
    let (mut grace, _) = signed_in(&world, GRACE).await;
    for after in ["", "x", "ffffffff-ffff-7fff-bfff-ffffffffffff", &connection] {
        let page = grace.get(&format!("/account/history?after={after}")).await.expect(200);
        assert!(!page.text().contains("Rate Finder"), "{after}");
    }
    ada.post("/account/history", &[("csrf", &csrf)]).await.expect(405);
    assert!(world.get("/account/history").await.is_login_page());
}

/// C14: a user's own "Disconnect" and an operator's hand are told apart.
async fn c14_the_history_says_who_ended_it(world: World) {
    let (mut ada, _) = signed_in(&world, ADA).await;
    ada.connect("btn-one", PARTNER, ADA).await;
    let page = ada.get("/account").await;
    let action = page.between("action=\"/account/connections/", "\"").unwrap().to_owned();
    ada.post(&format!("/account/connections/{action}"), &[("csrf", &page.csrf())]).await.location();
    assert!(ada.get("/account/history").await.text().contains("Ended by you"));
    connect_by_api(&world, GRACE, "btn-one").await;
    world.disable(GRACE).await;
    world.enable(GRACE).await;
    let (mut grace, _) = signed_in(&world, GRACE).await;
    assert!(grace.get("/account/history").await.text().contains("Ended by an administrator"));
}

both! {
    c14_the_history_outlives_connections_and_applications,
    c14_another_users_history_is_out_of_reach,
    c14_the_history_says_who_ended_it,
}
