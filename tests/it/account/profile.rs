//! One's name, and that of the account.

use super::support::{assert_guarded, assert_refused, log_in, signed_in};
use crate::support::{ADA, GRACE, PARTNER, World, both};

/// C14, wire.md A5: a user changes the name that applications see.
async fn c14_a_name_is_changed(world: World) {
    let (mut ada, csrf) = signed_in(&world, ADA).await;
    let page = ada.get("/account/profile").await.expect(200);
    assert_guarded(&page);
    assert!(page.text().contains("value=\"Ada Buyer\"") && page.text().contains(ADA));
    let answer = ada.post("/account/profile", &[("csrf", &csrf), ("name", "  Ada King ")]).await;
    assert_eq!(answer.location(), "/account/profile?saved=1");
    let page = ada.follow(&answer).await.expect(200);
    assert!(page.text().contains("value=\"Ada King\"") && page.text().contains("role=\"status\""));
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    assert_eq!(world.me(&tokens.access).await.json()["user"]["name"], "Ada King");
}

/// C14, C12: a name that will not do is said beside the field, with what was typed, as text.
async fn c14_c12_a_wrong_name_is_kept_and_refused(world: World) {
    let (mut grace, csrf) = signed_in(&world, GRACE).await;
    let long = format!("<b>{}", "x".repeat(200));
    for (name, account, field) in
        [("", "Zenith", "name"), (long.as_str(), "Zenith", "name"), ("Grace", "", "account_name")]
    {
        let fields = [("csrf", csrf.as_str()), ("name", name), ("account_name", account)];
        let page = grace.post("/account/profile", &fields).await;
        assert_refused(&page, field);
        assert!(page.text().contains(&format!("value=\"{}\"", name.replace('<', "&#60;").replace('>', "&#62;"))));
    }
    assert!(grace.get("/account/profile").await.text().contains("value=\"Grace Seller\""), "nothing was changed");
}

/// C14: the name of an account that others belong to is not one user's to change.
async fn c14_a_shared_account_keeps_its_name(world: World) {
    let (mut ada, csrf) = signed_in(&world, ADA).await;
    assert!(!ada.get("/account/profile").await.text().contains("name=\"account_name\""));
    ada.post("/account/profile", &[("csrf", &csrf), ("name", "Ada"), ("account_name", "Mine")]).await.location();
    assert!(ada.get("/account").await.text().contains("Acme Mortgage"));
    let (mut grace, csrf) = signed_in(&world, GRACE).await;
    grace.post("/account/profile", &[("csrf", &csrf), ("name", "Grace"), ("account_name", "Mine")]).await.location();
    assert!(grace.get("/account").await.text().contains("· Mine"), "that of her own is");
}

/// C7: neither is changed by a form that is not this browser's.
async fn c7_a_profile_cannot_be_changed_from_elsewhere(world: World) {
    let (mut ada, _) = signed_in(&world, ADA).await;
    let (_, theirs) = signed_in(&world, GRACE).await;
    for wrong in ["", "x", &theirs] {
        ada.post("/account/profile", &[("csrf", wrong), ("name", "Mallory")]).await.expect(403);
    }
    world.actor().post("/account/profile", &[("csrf", &theirs), ("name", "Mallory")]).await.expect(403);
    assert!(log_in(&mut world.actor(), ADA).await.text().contains("Ada Buyer"));
}

both! {
    c14_a_name_is_changed,
    c14_c12_a_wrong_name_is_kept_and_refused,
    c14_a_shared_account_keeps_its_name,
    c7_a_profile_cannot_be_changed_from_elsewhere,
}
