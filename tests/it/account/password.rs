//! Another password, and what ends with the old one.

use leadgate::services::throttle::Limits;

use super::support::{assert_guarded, assert_refused, log_in, log_in_with, signed_in};
use crate::support::http::{form, from_address, request};
use crate::support::{ADA, APP_ONE, Actor, Answer, GRACE, PARTNER, PASSWORD, Setup, World, both};

const NEW: &str = "an entirely new one";

async fn change(actor: &mut Actor, csrf: &str, present: &str, new: &str, again: &str) -> Answer {
    let fields = [("csrf", csrf), ("present_password", present), ("new_password", new), ("new_password_again", again)];
    actor.post("/account/password", &fields).await
}

/// F8, C6: a new password ends every other session, on each node, and every connection with its tokens; this browser stays
/// signed in, under another identifier.
async fn f8_c6_a_new_password_ends_what_the_old_one_opened(world: World) {
    let second = world.another_node().await;
    let (mut ada, csrf) = signed_in(&world, ADA).await;
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    let (mut elsewhere, _) = signed_in(&world, ADA).await;
    let mut stolen = ada.clone();
    let (mut grace, _) = signed_in(&world, GRACE).await;
    let page = ada.get("/account/password").await.expect(200);
    assert_guarded(&page);
    assert!(page.text().contains("every application is disconnected"), "it says so before");
    let answer = change(&mut ada, &csrf, PASSWORD, NEW, NEW).await;
    assert_eq!(answer.location(), "/account/password?changed=1");
    let after = ada.follow(&answer).await.expect(200);
    assert!(after.text().contains("role=\"status\"") && after.text().contains(ADA), "and after");
    assert_ne!(ada.jar.value("_session_"), stolen.jar.value("_session_"));
    assert!(stolen.get("/account").await.is_login_page(), "the identifier before is dead");
    assert!(elsewhere.at(&second).get("/account").await.is_login_page(), "on another node too");
    assert!(elsewhere.get("/account").await.is_login_page());
    world.me(&tokens.access).await.expect(401);
    assert_eq!(second.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], false);
    assert_ne!(ada.resume(PARTNER, &["btn-one"]).await["btn-one"]["valid"], true);
    assert!(!grace.get("/account").await.is_login_page(), "nobody else notices");
    log_in_with(&mut world.actor(), ADA, NEW).await;
    let mut late = world.actor();
    let csrf = late.get("/account").await.csrf();
    late.post("/account/login", &[("csrf", &csrf), ("email", ADA), ("password", PASSWORD)]).await.expect(422);
}

/// C10: what will not do is said beside its field; no password comes back.
async fn c10_a_weak_or_mistyped_password_is_refused(world: World) {
    let (mut ada, csrf) = signed_in(&world, ADA).await;
    let long = "x".repeat(1_025);
    for (present, new, again, field) in [
        ("", NEW, NEW, "present_password"),
        ("not-the-present-one", NEW, NEW, "present_password"),
        (PASSWORD, "", "", "new_password"),
        (PASSWORD, "seven77", "seven77", "new_password"),
        (PASSWORD, long.as_str(), long.as_str(), "new_password"),
        (PASSWORD, ADA, ADA, "new_password"),
        (PASSWORD, PASSWORD, PASSWORD, "new_password"),
        (PASSWORD, NEW, "something else", "new_password_again"),
    ] {
        let page = change(&mut ada, &csrf, present, new, again).await;
        assert_refused(&page, field);
        for typed in [present, new, again].into_iter().filter(|typed| !typed.is_empty() && *typed != ADA) {
            assert!(!page.text().contains(typed), "{typed}");
        }
    }
    log_in(&mut world.actor(), ADA).await;
}

/// C7: a password is not changed by a form that is not this browser's.
async fn c7_a_password_cannot_be_changed_from_elsewhere(world: World) {
    let (mut ada, csrf) = signed_in(&world, ADA).await;
    let (mut grace, theirs) = signed_in(&world, GRACE).await;
    for wrong in ["", "x", &theirs] {
        change(&mut ada, wrong, PASSWORD, NEW, NEW).await.expect(403);
    }
    change(&mut grace, &csrf, PASSWORD, NEW, NEW).await.expect(403);
    change(&mut world.actor(), &csrf, PASSWORD, NEW, NEW).await.expect(403);
    let fields = [("csrf", csrf.as_str()), ("present_password", PASSWORD), ("new_password", NEW)];
    let cross = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "cross-site")];
    ada.send(None, request("POST", "/account/password", &cross, form(&fields))).await.expect(403);
    log_in(&mut world.actor(), ADA).await;
}

/// C10: whoever sits down at an open browser cannot try the present password faster than at the login.
async fn c10_the_present_password_is_throttled_as_a_login_is(world: World) {
    let (mut ada, csrf) = signed_in(&world, ADA).await;
    let attempt = |present: &str| {
        let fields = [
            ("csrf", csrf.as_str()),
            ("present_password", present),
            ("new_password", NEW),
            ("new_password_again", NEW),
        ];
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        from_address(request("POST", "/account/password", &headers, form(&fields)), 9)
    };
    for _ in 0..3 {
        ada.send(None, attempt("wrong")).await.expect(422);
    }
    let slowed = ada.send(None, attempt(PASSWORD)).await.expect(429);
    assert!(slowed.header("retry-after").is_some() && slowed.text().contains("id=\"problems\""));
    assert!(!log_in(&mut world.actor(), ADA).await.is_login_page(), "elsewhere she gets in");
}

/// F8, R14: of two changes at once that both know the present password, one is made.
async fn f8_two_changes_at_once_leave_one_password(world: World) {
    let (mut here, first) = signed_in(&world, ADA).await;
    let (mut there, second) = signed_in(&world, ADA).await;
    let (one, other) = tokio::join!(
        change(&mut here, &first, PASSWORD, "the first new one", "the first new one"),
        change(&mut there, &second, PASSWORD, "the second new one", "the second new one"),
    );
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert!(matches!(statuses, [303, 403 | 422]), "{statuses:?}");
    let good = if one.status == 303 { "the first new one" } else { "the second new one" };
    log_in_with(&mut world.actor(), ADA, good).await;
}

both! {
    f8_c6_a_new_password_ends_what_the_old_one_opened,
    c10_a_weak_or_mistyped_password_is_refused,
    c7_a_password_cannot_be_changed_from_elsewhere,
    f8_two_changes_at_once_leave_one_password,
}
both! { with super::three_logins_a_minute(); c10_the_present_password_is_throttled_as_a_login_is }

fn three_logins_a_minute() -> Setup {
    Setup { limits: Limits { logins: 3, ..Limits::NONE }, ..Setup::default() }
}
