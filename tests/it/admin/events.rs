//! The event log: who did what, when, from where.

use leadgate::worker;
use serde_json::json;

use super::support::ROOT;
use crate::support::http::{form, from_address, request};
use crate::support::{ADA, World, both};

/// R14: a change says who, when, from where, what before and what after.
async fn r14_a_change_is_in_the_log(world: World) {
    let mut root = world.admin().await;
    let csrf = root.get("/admin/accounts/acme/edit").await.csrf();
    world.advance(60);
    let body = form(&[("csrf", &csrf), ("name", "Acme <i>Lending")]);
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    root.send(None, from_address(request("POST", "/admin/accounts/acme/edit", &headers, body), 7)).await.expect(303);
    let event = &world.log(&mut root, "action=account.changed").await[0];
    assert_eq!(event["at"], "2026-11-22T09:16:30Z");
    assert_eq!((&event["actor"]["kind"], &event["actor"]["name"]), (&json!("user"), &json!(ROOT)));
    assert_eq!(event["from"], "192.0.2.7");
    assert_eq!((&event["target"]["kind"], &event["target"]["id"]), (&json!("account"), &json!("acme")));
    let change = json!([{"field": "name", "before": "Acme Mortgage", "after": "Acme <i>Lending"}]);
    assert_eq!(event["changes"], change);
    let page = root.get("/admin/events").await.expect(200);
    assert!(page.text().contains("<del>Acme Mortgage</del>") && page.text().contains("192.0.2.7"));
    assert!(!page.text().contains("<i>Lending"), "C12");
    assert!(root.get("/admin/accounts/acme").await.expect(200).text().contains("<del>Acme Mortgage</del>"));
}

/// R14: the log is filtered by what, who, on what, since when; the audit log leaves out signing in.
async fn r14_the_log_is_filtered(world: World) {
    let mut root = world.admin().await;
    world.signed_in(ADA).await;
    root.submit("/admin/accounts/acme/edit", &[("name", "One")]).await;
    world.advance(24 * 3_600);
    let mut root = world.signed_in(ROOT).await;
    root.submit("/admin/accounts/zenith/edit", &[("name", "Two")]).await;
    for (query, targets) in [
        ("action=account.changed", vec!["Two", "One"]),
        ("action=account.changed&since=2026-11-23", vec!["Two"]),
        ("action=account.changed&since=2026-11-22T00:00:00Z", vec!["Two", "One"]),
        ("action=account.changed&target=acme", vec!["One"]),
        ("target=Two", vec!["Two"]),
        ("action=account.changed&actor=root@acme.test", vec!["Two", "One"]),
        ("action=account.changed&actor=ada@acme.test", vec![]),
        ("action=account.changed&actor=%25", vec![]),
    ] {
        let found = world.log(&mut root, query).await;
        let names: Vec<_> = found.iter().map(|event| event["target"]["name"].as_str().unwrap()).collect();
        assert_eq!(names, targets, "{query}");
    }
    let whole = world.log(&mut root, "").await;
    assert!(whole.iter().any(|event| event["action"] == "session.opened"), "{whole:?}");
    let audit = world.log(&mut root, "changes=on").await;
    assert!(audit.iter().all(|event| event["action"] != "session.opened") && !audit.is_empty());
    assert!(root.get("/admin/events?changes=on").await.text().contains("checked"));
}

/// R14: events are kept for 400 days.
async fn r14_events_go_after_400_days(world: World) {
    let mut root = world.admin().await;
    root.submit("/admin/accounts/acme/edit", &[("name", "Old")]).await;
    world.advance(399 * 24 * 3_600);
    worker::sweep(&world.ctx).await.unwrap();
    let mut root = world.signed_in(ROOT).await;
    assert_eq!(world.log(&mut root, "target=Old").await.len(), 1);
    world.advance(2 * 24 * 3_600);
    worker::sweep(&world.ctx).await.unwrap();
    assert_eq!(world.log(&mut root, "target=Old").await.len(), 0);
}

both! { r14_a_change_is_in_the_log, r14_the_log_is_filtered, r14_events_go_after_400_days }
