//! Webhooks in the console: made, tested, read about, sent again, deleted.

use leadgate::domain::event::Action;

use super::{assert_refused, shown};
use crate::support::{ADA, APP_ONE, GRACE, World, both, connect_by_api};
use crate::webhooks::support::{Made, Receiver};

const NEW: &str = "/console/apps/0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001/webhooks/new";

both! {
    f_a_webhook_is_made_and_its_log_read,
    f_a_webhooks_form_says_what_is_wrong,
    f_a_secret_is_replaced_with_an_overlap,
}
both! { with crate::console::two_partners(); f_anothers_webhook_is_not_there }

async fn f_a_webhook_is_made_and_its_log_read(world: World) {
    let (receiver, _work) = (Receiver::start().await, world.works());
    let mut ada = world.signed_in(ADA).await;
    let list = ada.get(&format!("/console/apps/{APP_ONE}/webhooks")).await.expect(200);
    assert!(list.text().contains("No webhook yet"));
    let made = ada.submit(NEW, &[("url", &receiver.url("/")), ("events", "connection.created")]).await.expect(200);
    assert!(shown(&made, "webhook-secret").unwrap().starts_with("whsec_"));
    let id = shown(&made, "webhook-id").unwrap();
    let page = format!("/console/webhooks/{id}");
    assert!(!ada.get(&page).await.expect(200).text().contains("whsec_"), "shown once");
    receiver.answers(&[500]);
    connect_by_api(&world, ADA, "btn-one").await;
    let webhook = Made { id, secret: String::new() };
    let sent = world.attempted(&webhook, 1).await;
    let log = ada.get(&page).await.expect(200);
    assert!(log.text().contains("connection.created") && log.text().contains("Waiting"), "{}", log.text());
    let message = format!("{page}/messages/{}", sent["id"].as_str().unwrap());
    let shown = ada.get(&message).await.expect(200);
    for told in ["500", "webhook-signature: v1,", "x-receiver: (not kept)", "thanks", "connection.created"] {
        assert!(shown.text().contains(told), "{told}: {}", shown.text());
    }
    let replayed = ada.submit_to(&message, &format!("{message}/replay"), &[]).await;
    assert_eq!(replayed.location(), format!("{message}?done=replayed"));
    receiver.wait_for(2).await;
    world.settled(&webhook, "delivered").await;
    assert!(ada.get(&format!("{page}?status=delivered")).await.expect(200).text().contains("Delivered"));
    assert!(ada.get(&format!("{page}?status=failed")).await.expect(200).text().contains("Nothing was sent"));
    assert_eq!(ada.submit_to(&page, &format!("{page}/test"), &[]).await.location(), format!("{page}?done=tested"));
    receiver.wait_for(3).await;
    assert_eq!(receiver.kinds()[2], "webhook.test");
    let span = [("since", "2026-11-22T09:00:00Z"), ("until", ""), ("status", "delivered")];
    ada.submit(&format!("{page}/replay"), &span).await.location();
    receiver.wait_for(4).await;
    let edited = [("url", receiver.url("/other")), ("active", "on".to_owned())];
    let edited: Vec<_> = edited.iter().map(|(name, value)| (*name, value.as_str())).collect();
    ada.submit(&format!("{page}/edit"), &edited).await.location();
    assert!(ada.get(&page).await.expect(200).text().contains("/other"));
    ada.submit(&format!("{page}/edit"), &edited[..1]).await.location();
    assert!(ada.get(&page).await.expect(200).text().contains("Disabled"));
    let delete = format!("{page}/delete");
    assert_eq!(ada.submit(&delete, &[]).await.location(), format!("/console/apps/{APP_ONE}/webhooks?done=deleted"));
    ada.get(&page).await.expect(404);
    assert_eq!(world.events(Action::WebhookDeleted).await[0].actor.name(), ADA);
}

async fn f_a_webhooks_form_says_what_is_wrong(world: World) {
    let mut ada = world.signed_in(ADA).await;
    for url in ["", "/hooks", "https://partner.example/hooks", "http://u:p@localhost/"] {
        assert_refused(&ada.submit(NEW, &[("url", url)]).await, "url");
    }
    let webhook = world.webhook("http://localhost:9/").await;
    let page = format!("/console/webhooks/{}", webhook.id);
    assert_refused(&ada.submit(&format!("{page}/replay"), &[("since", "yesterday")]).await, "since");
    assert_refused(&ada.submit(&format!("{page}/secret"), &[("overlap", "1y")]).await, "overlap");
    assert_refused(&ada.submit(&format!("{page}/edit"), &[("url", "x")]).await, "url");
}

async fn f_a_secret_is_replaced_with_an_overlap(world: World) {
    let mut ada = world.signed_in(ADA).await;
    let webhook = world.webhook("http://localhost:9/").await;
    let page = format!("/console/webhooks/{}", webhook.id);
    let made = ada.submit(&format!("{page}/secret"), &[("overlap", "1h")]).await.expect(200);
    assert_ne!(shown(&made, "webhook-secret").unwrap(), webhook.secret);
    assert!(ada.get(&page).await.expect(200).text().contains("2026-11-22 10:15 UTC"));
    world.advance(3_600);
    assert!(!ada.get(&page).await.expect(200).text().contains("2026-11-22 10:15 UTC"));
}

/// Neither to look at nor to change, whatever its id.
async fn f_anothers_webhook_is_not_there(world: World) {
    let webhook = world.webhook("http://localhost:9/").await;
    let mut grace = world.signed_in(GRACE).await;
    let csrf = grace.get("/account").await.csrf();
    let page = format!("/console/webhooks/{}", webhook.id);
    for path in ["", "/edit", "/secret", "/replay", "/delete"] {
        grace.get(&format!("{page}{path}")).await.expect(404);
    }
    for path in ["/edit", "/secret", "/test", "/replay", "/delete"] {
        let fields = [
            ("csrf", csrf.as_str()),
            ("url", "http://localhost:9/x"),
            ("overlap", "0"),
            ("since", "2026-11-22T09:00:00Z"),
        ];
        grace.post(&format!("{page}{path}"), &fields).await.expect(404);
    }
    grace.post(NEW, &[("csrf", csrf.as_str()), ("url", "http://localhost:9/x")]).await.expect(404);
    assert_eq!(world.show("/webhooks").await.json()["webhooks"].as_array().unwrap().len(), 1);
}
