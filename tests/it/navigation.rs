//! The header of pages that are for everybody: where it leads depends on who is signed in.

use crate::support::{ADA, Actor, GRACE, PASSWORD, World, both};

/// What the header of this page offers besides what everybody gets.
async fn offered(actor: &mut Actor, path: &str) -> (bool, bool) {
    let page = actor.get(path).await.expect(200);
    (page.text().contains("href=\"/console\""), page.text().contains("href=\"/admin\""))
}

async fn signed_in(world: &World, email: &str) -> Actor {
    let mut actor = world.actor();
    let csrf = actor.get("/account").await.expect(200).csrf();
    actor.post("/account/login", &[("csrf", &csrf), ("email", email), ("password", PASSWORD)]).await.expect(303);
    actor
}

async fn in_production_the_console_is_for_partners(world: World) {
    assert_eq!(offered(&mut world.actor(), "/").await, (false, false));
    assert_eq!(offered(&mut signed_in(&world, GRACE).await, "/").await, (false, false), "a member");
    let mut ada = signed_in(&world, ADA).await;
    assert_eq!(offered(&mut ada, "/").await, (true, false), "a partner");
    assert_eq!(offered(&mut ada, "/account").await, (true, false));
}

/// Anybody can become a partner of a sandbox.
async fn in_a_sandbox_the_console_is_for_all_and_administration_for_admins(world: World) {
    let mut nobody = world.actor();
    let mut admin = signed_in(&world, ADA).await;
    for path in ["/", "/doctor", "/_sandbox/docs"] {
        assert_eq!(offered(&mut nobody, path).await, (true, false), "{path}");
        assert_eq!(offered(&mut admin, path).await, (true, true), "{path}");
    }
}

both! { with support::Setup::production(); in_production_the_console_is_for_partners }
both! {
    with support::Setup::default().with("role = \"partner\"", "role = \"admin\"");
    in_a_sandbox_the_console_is_for_all_and_administration_for_admins
}
