//! Sign-in buttons of a partner's own.

use leadgate::domain::event::Action;

use super::{BUTTON, assert_refused, error_of, with};
use crate::support::{ADA, APP_ONE, GRACE, World, both};

/// A button that was made here signs users in on the page that it lists, and its snippet says how it looks.
async fn a_new_button_signs_in(world: World) {
    let mut ada = world.signed_in(ADA).await;
    let address = ada.make_button("studio", &[("id", "btn-radar"), ("return_urls", "https://radar.test/back")]).await;
    assert_eq!(address, "/console/buttons/btn-radar");
    let page = ada.get(&address).await.expect(200);
    for said in [
        "https://radar.test",
        "data-theme=&#34;dark&#34;",
        "data-size=&#34;large&#34;",
        "data-btnId=&#34;btn-radar&#34;",
    ] {
        assert!(page.text().contains(said), "{said}: {}", page.text());
    }
    let tokens = world.actor().connect("btn-radar", "https://radar.test", GRACE).await;
    assert_eq!(world.refresh(&tokens.refresh, "studio").await.json()["valid"], true);
    assert_eq!(world.events(Action::ButtonCreated).await[0].target.id, "btn-radar");
    assert!(ada.get("/console/apps/studio").await.expect(200).text().contains("btn-radar"));
}

/// B6: an origin that no browser ever sends is refused with the one that was meant.
async fn b6_a_bad_origin_comes_with_the_nearest_good_one(world: World) {
    let mut ada = world.signed_in(ADA).await;
    let page = format!("/console/apps/{APP_ONE}/buttons/new");
    for (typed, nearest) in [
        ("https://radar.test/", Some("https://radar.test")),
        ("HTTPS://RADAR.test:443", Some("https://radar.test")),
        ("radar.test", Some("https://radar.test")),
        ("localhost:3000", Some("http://localhost:3000")),
        ("https://*.radar.test", Some("https://radar.test")),
        ("https://bücher.example", Some("https://xn--bcher-kva.example")),
        ("javascript:alert(1)", None),
        ("null", None),
    ] {
        let answer = ada.submit(&page, &with(&BUTTON, &[("origins", typed)])).await;
        assert_refused(&answer, "origins");
        let error = error_of(&answer, "origins").unwrap();
        match nearest {
            Some(nearest) => assert!(error.contains(&format!("Write <code>{nearest}</code>.")), "{typed}: {error}"),
            None => assert!(!error.contains("Write"), "{typed}: {error}"),
        }
    }
    for (field, value) in [
        ("origins", ""),
        ("id", "no spaces"),
        ("id", "btn-two"),
        ("return_urls", "/back"),
        ("scopes", "openid"),
        ("theme", "pink"),
        ("size", ""),
    ] {
        assert_refused(&ada.submit(&page, &with(&BUTTON, &[(field, value)])).await, field);
    }
    assert!(world.events(Action::ButtonCreated).await.is_empty());
}

/// A button cannot ask for what its application may not have.
async fn a_button_is_no_wider_than_its_application(world: World) {
    let mut ada = world.signed_in(ADA).await;
    let (id, _) = ada.register(&[]).await;
    let page = format!("/console/apps/{id}/buttons/new");
    assert_refused(&ada.submit(&page, &with(&BUTTON, &[("scopes", "data_api")])).await, "scopes");
    let address = ada.make_button(&id, &[("scopes", "account_api")]).await;
    assert!(ada.get(&address).await.expect(200).text().contains("account_api"));
}

/// What is changed holds at once; a deleted button is known no more.
async fn a_button_is_changed_and_deleted(world: World) {
    let mut ada = world.signed_in(ADA).await;
    let address = ada.make_button("studio", &[("id", "btn-radar")]).await;
    let edit = format!("{address}/edit");
    assert!(!ada.get(&edit).await.expect(200).text().contains("name=\"id\""), "an id stays");
    let answer = ada.submit(&edit, &with(&BUTTON, &[("origins", "https://other.test"), ("theme", "light")])).await;
    assert_eq!(answer.location(), "/console/buttons/btn-radar?done=saved");
    let event = world.events(Action::ButtonChanged).await.remove(0);
    let fields: Vec<_> = event.changes.iter().map(|change| change.field.as_str()).collect();
    assert_eq!(fields, ["origins", "theme"]);
    let asked = ada.get(&format!("{address}/delete")).await.expect(200);
    assert!(asked.text().contains("https://other.test"));
    let answer = ada.submit(&format!("{address}/delete"), &[]).await;
    assert_eq!(answer.location(), "/console/apps/studio?done=button-deleted");
    ada.get(&address).await.expect(404);
    assert_eq!(world.events(Action::ButtonDeleted).await.len(), 1);
}

async fn an_application_has_at_most_fifty(world: World) {
    let mut ada = world.signed_in(ADA).await;
    for _ in 0..50 {
        ada.make_button("studio", &[]).await;
    }
    let page = ada.submit("/console/apps/studio/buttons/new", &BUTTON).await.expect(422);
    assert!(page.between("id=\"problems\"", "</div>").unwrap().contains("50"));
}

/// A button that lists this server's own page can be tried there, and is the one that is tried.
async fn a_button_can_be_tried(world: World) {
    let mut ada = world.signed_in(ADA).await;
    let elsewhere = ada.make_button("studio", &[("id", "btn-elsewhere")]).await;
    let page = ada.get(&elsewhere).await.expect(200);
    assert!(page.text().contains("list <code>https://auth.test</code>") && !page.text().contains("/?button="));
    let address = ada.make_button("studio", &[("id", "btn-here"), ("origins", "https://auth.test")]).await;
    let page = ada.get(&address).await.expect(200);
    let link = page.between("href=\"/?button=", "\"").unwrap().to_owned();
    let tried = ada.get(&format!("/?button={link}")).await.expect(200);
    assert!(tried.text().contains("data-btnId=\"btn-here\""));
    let other = ada.get("/?button=btn-elsewhere").await.expect(200);
    assert!(other.text().contains("data-btnId=\"btn-all\""), "which cannot be tried here");
}

both!(
    a_button_can_be_tried,
    a_button_is_changed_and_deleted,
    a_button_is_no_wider_than_its_application,
    a_new_button_signs_in,
    an_application_has_at_most_fifty,
    b6_a_bad_origin_comes_with_the_nearest_good_one,
);
