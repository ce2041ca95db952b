//! Secrets: shown once, rotated with an overlap, ended.

use leadgate::domain::event::Action;

use super::{assert_refused, shown};
use crate::support::http::request;
use crate::support::{ADA, Actor, Answer, World, both};

const PAGE: &str = "/console/apps/studio/secret";
const OLD: &str = "studio-client-secret";

async fn token(world: &World, secret: &str) -> Answer {
    use base64::Engine as _;
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("studio:{secret}"));
    let basic = format!("Basic {basic}");
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("authorization", basic.as_str())];
    world.send(request("POST", "/oauth/token", &headers, "grant_type=client_credentials")).await
}

async fn rotate(actor: &mut Actor, overlap: &str) -> String {
    let answer = actor.submit(PAGE, &[("overlap", overlap)]).await.expect(200);
    shown(&answer, "client-secret").unwrap()
}

/// E8: beside the new secret the old one is taken for as long as was chosen, and no longer.
async fn e8_the_old_secret_goes_on_for_a_while(world: World) {
    let mut ada = world.signed_in(ADA).await;
    let new = rotate(&mut ada, "1h").await;
    let page = ada.get(PAGE).await.expect(200);
    assert!(page.text().contains("2026-11-22 10:15 UTC") && !page.text().contains(&new));
    token(&world, &new).await.expect(200);
    token(&world, OLD).await.expect(200);
    world.advance(3_599);
    token(&world, OLD).await.expect(200);
    world.advance(1);
    token(&world, OLD).await.expect(401);
    token(&world, &new).await.expect(200);
    let event = world.events(Action::AppSecretRotated).await.remove(0);
    assert_eq!((event.actor.name(), event.target.id.as_str()), (ADA.into(), "studio"));
    assert!(event.changes.iter().all(|change| !format!("{change:?}").contains(&new)));
}

/// A page that is loaded again sends its form again: no third secret pushes out the one that still goes on.
async fn e8_a_form_that_was_sent_makes_no_second_secret(world: World) {
    let mut ada = world.signed_in(ADA).await;
    for (page, fields) in [
        (PAGE, vec![("overlap", "7d")]),
        ("/settings/api", vec![("name", "Twice"), ("kind", "connector"), ("callback", "https://twice.test/cb")]),
    ] {
        let form = ada.get(page).await.expect(200);
        let once = form.text().split_once("name=\"once\" value=\"").unwrap().1.split('"').next().unwrap().to_owned();
        let csrf = form.csrf();
        let mut fields = fields;
        fields.extend([("csrf", csrf.as_str()), ("once", once.as_str())]);
        shown(&ada.post(page, &fields).await.expect(200), "client-secret").unwrap();
        assert_eq!(ada.post(page, &fields).await.location(), page);
    }
    token(&world, OLD).await.expect(200);
    assert_eq!(world.events(Action::AppSecretRotated).await.len(), 1);
    assert_eq!(world.events(Action::AppCreated).await.len(), 1);
}

/// E8: without an overlap the old one ends at once; so it does when it is ended by hand.
async fn e8_the_old_secret_can_be_ended(world: World) {
    let mut ada = world.signed_in(ADA).await;
    let second = rotate(&mut ada, "7d").await;
    token(&world, OLD).await.expect(200);
    let page = ada.get(PAGE).await.expect(200);
    assert!(page.text().contains("action=\"/console/apps/studio/secret/previous\""));
    let previous = format!("{PAGE}/previous");
    assert_eq!(ada.submit_to(PAGE, &previous, &[]).await.location(), "/console/apps/studio/secret?done=revoked");
    token(&world, OLD).await.expect(401);
    assert_eq!(world.events(Action::AppSecretRevoked).await.len(), 1);
    assert_eq!(ada.submit_to(PAGE, &previous, &[]).await.location(), "/console/apps/studio/secret?done=nothing");
    assert_eq!(world.events(Action::AppSecretRevoked).await.len(), 1);
    let third = rotate(&mut ada, "0").await;
    token(&world, &second).await.expect(401);
    token(&world, &third).await.expect(200);
}

async fn only_what_is_offered_can_be_chosen(world: World) {
    let mut ada = world.signed_in(ADA).await;
    for overlap in ["", "2h", "-1", "365d"] {
        assert_refused(&ada.submit(PAGE, &[("overlap", overlap)]).await, "overlap");
    }
    assert_refused(&ada.submit(PAGE, &[]).await, "overlap");
    token(&world, OLD).await.expect(200);
    assert!(world.events(Action::AppSecretRotated).await.is_empty());
}

both!(
    e8_the_old_secret_goes_on_for_a_while,
    only_what_is_offered_can_be_chosen,
    e8_a_form_that_was_sent_makes_no_second_secret,
    e8_the_old_secret_can_be_ended
);
