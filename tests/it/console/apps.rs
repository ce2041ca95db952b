//! Applications: registered, changed, deleted.

use leadgate::domain::event::Action;

use super::{APP, assert_refused, error_of, shown, with};
use crate::support::http::{form, request};
use crate::support::{ADA, APP_ONE, Answer, PARTNER, World, both};

async fn client_credentials(world: &World, id: &str, secret: &str) -> Answer {
    let fields = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    world.send(request("POST", "/oauth/token", &headers, form(&fields))).await
}

/// What was shown once is good for a token, is on no other page, and who made it is written down.
async fn a_registered_application_works(world: World) {
    let mut ada = world.signed_in(ADA).await;
    let fields = [("grants", "client_credentials"), ("post_logout", "https://radar.test/bye")];
    let answer = ada.submit("/console/apps/new", &with(&APP, &fields)).await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let (id, secret) = (shown(&answer, "app-id").unwrap(), shown(&answer, "client-secret").unwrap());
    // The method that is registered is client_secret_basic.
    let basic = format!("Basic {}", base64_of(&format!("{id}:{secret}")));
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("authorization", basic.as_str())];
    let token = world.send(request("POST", "/oauth/token", &headers, "grant_type=client_credentials")).await;
    assert_eq!(token.expect(200).json()["scope"], "account_api");
    for page in
        [format!("/console/apps/{id}"), format!("/console/apps/{id}/edit"), format!("/console/apps/{id}/secret")]
    {
        let page = ada.get(&page).await.expect(200);
        assert!(!page.text().contains(&secret) && page.text().contains("Lead Radar"));
    }
    let list = ada.get("/console").await.expect(200);
    assert!(list.text().contains("Lead Radar") && list.text().contains("Radar &#38; Sons"), "{}", list.text());
    let event = world.events(Action::AppCreated).await.remove(0);
    assert_eq!((event.actor.name(), event.target.id, event.target.name), (ADA.into(), id, "Lead Radar".into()));
}

fn base64_of(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// A form that is refused keeps what was typed, and says what is wrong beside the field.
async fn a_bad_field_is_told_beside_it(world: World) {
    let mut ada = world.signed_in(ADA).await;
    let long = "x".repeat(121);
    for (field, value) in [
        ("name", ""),
        ("name", "   "),
        ("name", "a\u{7}b"),
        ("name", long.as_str()),
        ("publisher", long.as_str()),
        ("homepage", "javascript:alert(1)"),
        ("homepage", "radar.test"),
        ("client", ""),
        ("client", "other"),
        ("grants", "implicit"),
        ("grants", ""),
        ("scopes", "openid"),
        ("scopes", "admin"),
        ("redirect_uris", "http://radar.test/cb"),
        ("post_logout", "com.example.app:/bye"),
    ] {
        let mut changes = vec![(field, value)];
        if field != "publisher" {
            changes.push(("publisher", "Radar \"& Sons"));
        }
        let page = ada.submit("/console/apps/new", &with(&APP, &changes)).await;
        assert_refused(&page, field);
        let kept = if field == "publisher" { "Lead Radar" } else { "Radar &#34;&#38; Sons" };
        assert!(page.text().contains(kept), "{field}: {}", page.text());
        assert!(page.text().contains("value=\"account_api\" checked") || field == "scopes", "{field}");
    }
    let public =
        ada.submit("/console/apps/new", &with(&APP, &[("client", "public"), ("grants", "client_credentials")])).await;
    assert_refused(&public, "grants");
    let none: Vec<_> = APP.into_iter().filter(|(name, _)| *name != "grants").collect();
    assert_refused(&ada.submit("/console/apps/new", &none).await, "grants");
    assert!(world.events(Action::AppCreated).await.is_empty());
}

/// B6: a redirect URI that can never match is refused with the nearest valid form, line by line.
async fn b6_a_bad_address_comes_with_the_nearest_good_one(world: World) {
    let mut ada = world.signed_in(ADA).await;
    let typed = "https://radar.test/cb\nHTTPS://Radar.test/other#top\n\nlocalhost:3000/cb\njavascript:alert(1)";
    let page = ada.submit("/console/apps/new", &with(&APP, &[("redirect_uris", typed)])).await;
    assert_refused(&page, "redirect_uris");
    let error = error_of(&page, "redirect_uris").unwrap();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines.len(), 3, "{error}");
    assert!(lines[0].contains("Line 2:") && lines[0].contains("<code>https://radar.test/other</code>"), "{error}");
    assert!(lines[1].contains("Line 3:") && lines[1].contains("<code>http://localhost:3000/cb</code>"), "{error}");
    assert!(lines[2].contains("Line 4:") && !lines[2].contains("Write"), "{error}");
    assert!(page.text().contains(typed), "what was typed is still there");
    let good = "https://radar.test/cb\nhttps://radar.test/cb\n  http://localhost:3000/cb ";
    let (id, _) = ada.register(&[("redirect_uris", good)]).await;
    let edit = ada.get(&format!("/console/apps/{id}/edit")).await.expect(200);
    assert!(edit.text().contains("https://radar.test/cb\nhttp://localhost:3000/cb</textarea>"), "{}", edit.text());
}

/// Lists are bounded, and so is the number of applications.
async fn lists_are_bounded(world: World) {
    let mut ada = world.signed_in(ADA).await;
    let lines = |count: usize| (0..count).map(|n| format!("https://radar.test/{n}\n")).collect::<String>();
    let many = lines(101);
    assert_refused(&ada.submit("/console/apps/new", &with(&APP, &[("redirect_uris", &many)])).await, "redirect_uris");
    let most = lines(100);
    ada.register(&[("redirect_uris", &most)]).await;
    // Two are of the seed, one was made.
    for _ in 3..100 {
        ada.register(&[]).await;
    }
    let page = ada.submit("/console/apps/new", &APP).await.expect(422);
    assert!(page.between("id=\"problems\"", "</div>").unwrap().contains("100"));
    let first = ada.get("/console").await.expect(200);
    assert_eq!(first.text().matches("class=\"panel own-app\"").count(), 50);
    let older = first.between("class=\"button older\" href=\"", "\"").unwrap().to_owned();
    let second = ada.get(&older).await.expect(200);
    assert_eq!(second.text().matches("class=\"panel own-app\"").count(), 50);
    assert!(!second.text().contains("button older"));
}

/// What is changed is written down with what it was; what nobody offered stays as it is.
async fn a_change_holds_and_is_written_down(world: World) {
    let mut ada = world.signed_in(ADA).await;
    let page = "/console/apps/studio/edit";
    let fields = with(&APP, &[("redirect_uris", "https://studio.test/new"), ("grants", "refresh_token")]);
    let answer = ada.submit(page, &fields).await;
    assert_eq!(answer.location(), "/console/apps/studio?done=saved");
    let overview = ada.follow(&answer).await.expect(200);
    assert!(overview.text().contains("role=\"status\"") && overview.text().contains("https://studio.test/new"));
    let event = world.events(Action::AppChanged).await.remove(0);
    let change = |field: &str| event.changes.iter().find(|change| change.field == field).cloned();
    assert_eq!(change("name").unwrap().before.as_deref(), Some("Lead Studio"));
    assert_eq!(change("redirect_uris").unwrap().after.as_deref(), Some("https://studio.test/new"));
    assert_eq!(change("resources"), None, "the console does not ask for them");
    assert_eq!(change("owner"), None);
    assert!(overview.text().contains(ADA), "who did it");
    // The same again changes nothing.
    ada.submit(page, &fields).await;
    assert_eq!(world.events(Action::AppChanged).await.len(), 1);
}

/// A public client that becomes a confidential one gets a secret, shown once; the other way it loses it.
async fn a_client_may_change_its_kind(world: World) {
    let mut ada = world.signed_in(ADA).await;
    let (id, none) = ada.register(&[("client", "public")]).await;
    assert_eq!(none, None);
    let page = format!("/console/apps/{id}/edit");
    let answer = ada.submit(&page, &APP).await.expect(200);
    let secret = shown(&answer, "client-secret").unwrap();
    assert_eq!(ada.submit(&page, &with(&APP, &[("client", "public")])).await.status, 303);
    client_credentials(&world, &id, &secret).await.expect(401);
    let secret = ada.get(&format!("/console/apps/{id}/secret")).await.expect(200);
    assert!(!secret.text().contains("name=\"overlap\""), "there is none to rotate");
}

/// R14: it takes its name to delete an application; then no token of it works.
async fn r14_a_deleted_application_is_gone(world: World) {
    let mut ada = world.signed_in(ADA).await;
    let tokens = world.actor().connect("btn-one", PARTNER, ADA).await;
    let page = format!("/console/apps/{APP_ONE}/delete");
    let asked = ada.get(&page).await.expect(200);
    for said in ["3 buttons", "1 connection", "Rate Finder"] {
        assert!(asked.text().contains(said), "{said}: {}", asked.text());
    }
    assert_refused(&ada.submit(&page, &[("name", "Rate")]).await, "name");
    world.me(&tokens.access).await.expect(200);
    let answer = ada.submit(&page, &[("name", " Rate Finder ")]).await;
    assert_eq!(answer.location(), "/console?done=deleted");
    assert!(!ada.follow(&answer).await.expect(200).text().contains("Rate Finder"));
    world.me(&tokens.access).await.expect(401);
    assert_eq!(world.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], false);
    ada.get(&page).await.expect(404);
    assert_eq!(world.events(Action::AppDeleted).await[0].target.name, "Rate Finder");
}

/// What an application did is drawn, and said in figures.
async fn usage_is_counted_by_days(world: World) {
    let mut ada = world.signed_in(ADA).await;
    let tokens = world.actor().connect("btn-one", PARTNER, ADA).await;
    for _ in 0..3 {
        world.refresh(&tokens.refresh, APP_ONE).await;
    }
    world.advance(24 * 3_600);
    world.refresh(&tokens.refresh, APP_ONE).await;
    let page = ada.get(&format!("/console/apps/{APP_ONE}/usage")).await.expect(200);
    let total = |id: &str| {
        let caption =
            page.between(&format!("id=\"{id}-title\">"), "</figcaption>").unwrap_or_else(|| panic!("{}", page.text()));
        caption.split_once("<strong>").unwrap().1.split('<').next().unwrap().to_owned()
    };
    assert_eq!((total("connections"), total("refreshes"), total("errors")), ("1".into(), "4".into(), "0".into()));
    assert!(page.text().contains("2026-11-23"));
}

/// C12: markup in a name is text everywhere.
async fn c12_markup_in_a_name_is_text(world: World) {
    let mut ada = world.signed_in(ADA).await;
    let hostile = "</title><script>alert(1)</script>";
    let (id, _) = ada.register(&[("name", hostile), ("publisher", hostile)]).await;
    for page in ["", "/edit", "/secret", "/logo", "/usage", "/delete", "/buttons/new"] {
        let page = ada.get(&format!("/console/apps/{id}{page}")).await.expect(200);
        assert!(!page.text().contains("<script>alert"));
    }
}

/// G5: users' passwords are not offered where the operator does not let clients take them.
async fn g5_the_password_grant_is_the_operators_to_offer(world: World) {
    let mut ada = world.signed_in(ADA).await;
    assert!(!ada.get("/console/apps/new").await.expect(200).text().contains("value=\"password\""));
    assert_refused(&ada.submit("/console/apps/new", &with(&APP, &[("grants", "password")])).await, "grants");
}

both!(
    a_bad_field_is_told_beside_it,
    a_change_holds_and_is_written_down,
    a_client_may_change_its_kind,
    a_registered_application_works,
    b6_a_bad_address_comes_with_the_nearest_good_one,
    c12_markup_in_a_name_is_text,
    lists_are_bounded,
    r14_a_deleted_application_is_gone,
    usage_is_counted_by_days,
);
both!(with support::Setup::production(); g5_the_password_grant_is_the_operators_to_offer);
