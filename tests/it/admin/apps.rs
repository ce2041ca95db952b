//! Applications, their connections, and the keys that tokens are signed with.

use super::support::ROOT;
use crate::support::{ADA, APP_ONE, GRACE, PARTNER, World, both, connect_by_api};

/// R14, B23: a disabled application has no working token and signs nobody in; enabled again, it may.
async fn r14_a_disabled_app_has_no_working_token(world: World) {
    let mut root = world.admin().await;
    let tokens = world.actor().connect("btn-one", PARTNER, ADA).await;
    let page = format!("/admin/apps/{APP_ONE}");
    let question = root.get(&format!("{page}/disable")).await.expect(200);
    assert!(question.text().contains("Connections: 1"), "it says what ends");
    let answer = root.submit(&format!("{page}/disable"), &[]).await;
    assert_eq!(answer.location(), format!("{page}?done=app.disabled"));
    world.me(&tokens.access).await.expect(401);
    assert_eq!(world.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], false);
    let start = root.get("/admin").await.expect(200);
    assert!(start.text().contains("Disabled applications: 1"), "{}", start.text());
    let listed = root.get("/admin/apps?state=disabled").await.expect(200);
    assert!(listed.text().contains("Rate Finder") && !listed.text().contains("Lead Desk"));
    assert_eq!(root.submit(&format!("{page}/enable"), &[]).await.location(), format!("{page}?done=app.enabled"));
    world.me(&tokens.access).await.expect(401);
    let again = world.actor().connect("btn-one", PARTNER, ADA).await;
    world.me(&again.access).await.expect(200);
}

/// R14: a deleted application leaves no working token and no button.
async fn r14_a_deleted_app_leaves_nothing_that_works(world: World) {
    let mut root = world.admin().await;
    let tokens = world.actor().connect("btn-one", PARTNER, ADA).await;
    let page = format!("/admin/apps/{APP_ONE}");
    assert_eq!(root.submit(&format!("{page}/delete"), &[]).await.location(), "/admin/apps?done=app.deleted");
    root.get(&page).await.expect(404);
    world.me(&tokens.access).await.expect(401);
    assert_eq!(world.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], false);
    assert!(!root.get("/admin/connections").await.text().contains("Rate Finder"));
}

/// R14: the owner changes to a user who is there, or to nobody.
async fn r14_an_app_gets_another_owner(world: World) {
    let mut root = world.admin().await;
    let owner = format!("/admin/apps/{APP_ONE}/owner");
    for wrong in ["x", "nobody@acme.test"] {
        let again = root.submit(&owner, &[("owner", wrong)]).await.expect(422);
        assert!(!again.wrong("owner").is_empty() && again.text().contains(&format!("value=\"{wrong}\"")));
    }
    for (email, listed) in [(GRACE, 1), ("", 0)] {
        assert_eq!(root.submit(&owner, &[("owner", email)]).await.status, 303);
        let found = root.get(&format!("/admin/apps?q={GRACE}")).await.expect(200);
        assert_eq!(found.text().matches(&format!("href=\"/admin/apps/{APP_ONE}\"")).count(), listed, "{email}");
    }
}

/// R14: a connection ends at once, and only that one.
async fn r14_a_connection_ends_at_once(world: World) {
    let mut root = world.admin().await;
    let one = connect_by_api(&world, ADA, "btn-one").await;
    let two = connect_by_api(&world, ADA, "btn-two").await;
    let list = root.get(&format!("/admin/connections?user={ADA}&app={APP_ONE}")).await.expect(200);
    assert_eq!(list.text().matches("/end\"").count(), 1);
    let end = format!("/admin/connections/{}", list.between("href=\"/admin/connections/", "\"").unwrap());
    let answer = root.submit(&end, &[]).await;
    assert!(answer.location().ends_with("?done=connection.ended"));
    world.me(&one.access).await.expect(401);
    world.me(&two.access).await.expect(200);
    root.get(&end).await.expect(404);
    let event = &world.log(&mut root, "action=connection.ended").await[0];
    assert_eq!(event["actor"]["name"], ROOT);
}

/// R14, I5: a rotated key is announced at once and signs later; tokens of the old one stay good.
async fn r14_i5_a_key_is_rotated(world: World) {
    let mut root = world.admin().await;
    let before = root.get("/admin/keys").await.expect(200);
    assert!(before.text().contains("ES256") && !before.text().contains("Announced"));
    assert_eq!(root.submit("/admin/keys/rotate", &[]).await.expect(422).wrong("algorithm"), "Choose an algorithm.");
    assert_eq!(root.submit("/admin/keys/rotate", &[("algorithm", "none")]).await.status, 422);
    let answer = root.submit("/admin/keys/rotate", &[("algorithm", "ES256")]).await;
    let after = root.follow(&answer).await.expect(200);
    assert!(after.text().contains("Announced") && after.text().contains("Signs"));
    assert!(root.get("/admin").await.text().contains("its next key signs from 2026-11-22 09:25 UTC on"));
    assert_eq!(world.log(&mut root, "action=keys.rotated").await.len(), 1);
}

both! {
    r14_a_disabled_app_has_no_working_token,
    r14_a_deleted_app_leaves_nothing_that_works,
    r14_an_app_gets_another_owner,
    r14_a_connection_ends_at_once,
    r14_i5_a_key_is_rotated,
}
