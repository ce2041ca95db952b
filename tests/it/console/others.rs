//! What is another's does not exist: for each kind of thing, to look at and to change.

use leadgate::domain::event::Action;
use leadgate::store::events::Filter;

use super::logos::{PAGE as LOGO, picture, send};
use super::{APP, BUTTON, shown, with};
use crate::support::{ADA, APP_ONE, GRACE, World, both};

/// Grace is a partner, too. Whatever is Ada's answers her as if it were not there.
async fn another_partners_things_are_out_of_reach(world: World) {
    let mut grace = world.signed_in(GRACE).await;
    let list = grace.get("/console").await.expect(200);
    assert!(!list.text().contains("Rate Finder") && !list.text().contains("studio"));
    for page in [
        "/console/apps/studio",
        "/console/apps/studio/edit",
        "/console/apps/studio/logo",
        "/console/apps/studio/secret",
        "/console/apps/studio/callback",
        "/console/apps/studio/usage",
        "/console/apps/studio/delete",
        "/console/apps/studio/buttons/new",
        "/console/buttons/btn-one",
        "/console/buttons/btn-one/edit",
        "/console/buttons/btn-one/delete",
        // Nobody's.
        "/console/apps/rival",
        "/console/buttons/btn-two",
    ] {
        let theirs = grace.get(page).await.expect(404);
        let missing = page
            .replace("studio", "nothing")
            .replace("btn-one", "btn-nothing")
            .replace("rival", "none")
            .replace("btn-two", "btn-none");
        let none = grace.get(&missing).await.expect(404);
        assert_eq!(without_ids(theirs.text()), without_ids(none.text()), "{page}");
        assert!(!theirs.text().contains("Lead Studio"));
    }
}

/// But for what is of each answer alone.
fn without_ids(page: &str) -> String {
    let is_shared = |line: &&str| !line.contains("nonce") && !line.contains("reference") && !line.contains("<code>");
    page.lines().filter(is_shared).collect()
}

/// The same for each form; nothing changes, and nothing is written down.
async fn another_partners_things_cannot_be_changed(world: World) {
    let mut grace = world.signed_in(GRACE).await;
    let csrf = grace.get("/console/apps/new").await.expect(200).csrf();
    let before = world.changes_so_far().await;
    let name = [("name", "Lead Studio")];
    for (action, fields) in [
        ("/console/apps/studio/edit", &APP[..]),
        ("/console/apps/studio/secret", &[("overlap", "0")]),
        ("/console/apps/studio/secret/previous", &[]),
        ("/console/apps/studio/callback", &[("url", "http://localhost:1/"), ("on_failure", "allow")]),
        ("/console/apps/studio/callback/test", &[]),
        ("/console/apps/studio/callback/rotate-secret", &[]),
        ("/console/apps/studio/callback/remove", &[]),
        ("/console/apps/studio/logo/remove", &[]),
        ("/console/apps/studio/delete", &name),
        ("/console/apps/studio/buttons/new", &BUTTON),
        ("/console/buttons/btn-one/edit", &BUTTON),
        ("/console/buttons/btn-one/delete", &[]),
    ] {
        let fields = [&[("csrf", csrf.as_str())], fields].concat();
        grace.post(action, &fields).await.expect(404);
    }
    let part = |name: &str, value: &[u8]| {
        let head =
            format!("------a-boundary\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"x\"\r\n\r\n");
        [head.as_bytes(), value, b"\r\n"].concat()
    };
    let parts = [part("csrf", csrf.as_bytes()), part("logo", &picture(image::ImageFormat::Png))];
    send(&mut grace, LOGO, &parts).await.expect(404);
    assert_eq!(world.changes_so_far().await, before);
    let mut ada = world.signed_in(ADA).await;
    assert!(ada.get("/console/apps/studio").await.expect(200).text().contains("Lead Studio"));
    ada.get("/console/buttons/btn-one").await.expect(200);
}

/// A button stays with its application, and an application with its owner, whatever a form says.
async fn no_field_moves_a_thing_to_somebody_else(world: World) {
    let mut grace = world.signed_in(GRACE).await;
    let (id, _) = grace.register(&[]).await;
    let address = grace.make_button(&id, &[("id", "btn-grace")]).await;
    let more = [("app", APP_ONE), ("app_id", APP_ONE), ("id", "btn-one"), ("owner", ADA), ("owner_id", ADA)];
    assert_eq!(grace.submit(&format!("{address}/edit"), &with(&BUTTON, &more)).await.status, 303);
    assert_eq!(grace.submit(&format!("/console/apps/{id}/edit"), &with(&APP, &more)).await.status, 303);
    grace.get(&address).await.expect(200);
    let mut ada = world.signed_in(ADA).await;
    ada.get(&address).await.expect(404);
    assert!(!ada.get(&format!("/console/apps/{APP_ONE}")).await.expect(200).text().contains("btn-grace"));
    // An id that is taken by another's is taken.
    let page = format!("/console/apps/{id}/buttons/new");
    let taken = grace.submit(&page, &with(&BUTTON, &[("id", "btn-one")])).await.expect(422);
    assert!(!taken.text().contains("Rate Finder"));
    assert!(shown(&grace.get(&format!("/console/apps/{id}")).await.expect(200), "app-id").is_some());
}

impl World {
    /// How many changes were written down.
    async fn changes_so_far(&self) -> usize {
        let filter = Filter { changes_only: true, ..Filter::default() };
        let all = leadgate::services::audit::list(&self.ctx, filter, 1_000).await.unwrap();
        all.iter().filter(|event| event.action != Action::UserChanged).count()
    }
}

both!(
    with crate::console::two_partners();
    another_partners_things_are_out_of_reach,
    another_partners_things_cannot_be_changed,
    no_field_moves_a_thing_to_somebody_else,
);
