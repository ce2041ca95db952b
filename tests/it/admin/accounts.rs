//! Accounts and their API keys.

use crate::support::{World, both};

/// R14: an account is made with an API key that is shown once, renamed, and deleted.
async fn r14_an_account_is_made_renamed_and_deleted(world: World) {
    let mut root = world.admin().await;
    for (fields, wrong) in [
        (vec![("name", "")], "name"),
        (vec![("name", "a\0b")], "name"),
        (vec![("name", "A"), ("id", "a b")], "id"),
        (vec![("name", "A"), ("id", "acme")], "id"),
    ] {
        assert!(!root.submit("/admin/new/account", &fields).await.expect(422).wrong(wrong).is_empty(), "{fields:?}");
    }
    let made = root.submit("/admin/new/account", &[("name", "New & Sons"), ("id", "new")]).await.expect(200);
    let key = made.shown("made-key");
    let shown = root.get("/admin/accounts/new").await.expect(200);
    assert!(!shown.text().contains(&key));
    assert_eq!(root.submit("/admin/accounts/new/edit", &[("name", " ")]).await.status, 422);
    let renamed = root.submit("/admin/accounts/new/edit", &[("name", "Newer")]).await;
    assert_eq!(renamed.location(), "/admin/accounts/new?done=account.changed");
    let event = &world.log(&mut root, "action=account.changed").await[0];
    assert_eq!(
        (&event["changes"][0]["before"], &event["changes"][0]["after"]),
        (&"New & Sons".into(), &"Newer".into())
    );
    assert_eq!(root.submit("/admin/accounts/new/delete", &[]).await.location(), "/admin/accounts?done=account.deleted");
    root.get("/admin/accounts/new").await.expect(404);
}

/// R14: an account that has users stays, and the page says why.
async fn r14_an_account_with_users_cannot_be_deleted(world: World) {
    let mut root = world.admin().await;
    let refused = root.submit("/admin/accounts/acme/delete", &[]).await.expect(422);
    assert!(refused.text().contains("The account has users"));
    root.get("/admin/accounts/acme").await.expect(200);
}

/// R14: keys are added, replaced and removed; each is shown once and known by its fingerprint.
async fn r14_api_keys_come_and_go(world: World) {
    let mut root = world.admin().await;
    let first = root.submit("/admin/accounts/acme/add-key", &[]).await.expect(200).shown("made-key");
    let page = root.get("/admin/accounts/acme").await.expect(200);
    assert!(!page.text().contains(&first));
    assert_eq!(page.text().matches("/remove\"").count(), 2);
    let remove = format!("/admin/accounts/acme/keys/{}", page.between("/admin/accounts/acme/keys/", "\"").unwrap());
    assert_eq!(root.submit(&remove, &[]).await.location(), "/admin/accounts/acme?done=account.changed");
    root.get(&remove).await.expect(404);
    assert_eq!(root.get("/admin/accounts/acme").await.text().matches("/remove\"").count(), 1);
    let csrf = root.get("/admin/accounts/acme/add-key").await.csrf();
    for _ in 1..100 {
        root.post("/admin/accounts/acme/add-key", &[("csrf", &csrf)]).await.expect(200);
    }
    let full = root.post("/admin/accounts/acme/add-key", &[("csrf", &csrf)]).await.expect(422);
    assert!(full.text().contains("at most 100"));
    root.submit("/admin/accounts/acme/replace-keys", &[]).await.expect(200).shown("made-key");
    assert_eq!(root.get("/admin/accounts/acme").await.text().matches("/remove\"").count(), 1);
    let log = world.log(&mut root, "action=account.changed&target=acme").await;
    assert_eq!(log.len(), 102, "one for each");
    assert!(log.iter().all(|event| !event.to_string().contains(&first)));
}

both! {
    r14_an_account_is_made_renamed_and_deleted,
    r14_an_account_with_users_cannot_be_deleted,
    r14_api_keys_come_and_go,
}
