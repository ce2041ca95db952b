//! Users: made, invited, changed, kept out; and that there is always somebody left who can undo it.

use super::support::ROOT;
use crate::support::{ADA, GRACE, PARTNER, World, both};

/// R14: a user that an administrator made can sign in with the password that was shown, once.
async fn r14_a_user_is_made_with_a_password_that_is_shown_once(world: World) {
    let mut root = world.admin().await;
    let fields =
        [("email", "Lin@Acme.test"), ("name", "Lin <b>Tester"), ("account", "Acme Mortgage"), ("role", "partner")];
    let made = root.submit("/admin/new/user", &fields).await.expect(200);
    let password = made.shown("made-password");
    assert_eq!((made.shown("made-email").as_str(), password.len()), ("lin@acme.test", 20));
    assert_eq!(made.header("cache-control"), Some("no-store"));
    let page = made.between("href=\"/admin/users/", "\"").unwrap().to_owned();
    let shown = root.get(&format!("/admin/users/{page}")).await.expect(200);
    assert!(shown.text().contains("Lin &#60;b&#62;Tester") || shown.text().contains("Lin &lt;b&gt;Tester"), "C12");
    assert!(!shown.text().contains(&password));
    let mut lin = world.actor();
    let csrf = lin.get("/account").await.csrf();
    let form = [("csrf", csrf.as_str()), ("email", "lin@acme.test"), ("password", password.as_str())];
    assert_eq!(lin.post("/account/login", &form).await.status, 303);
    let event = &world.log(&mut root, "action=user.created").await[0];
    assert_eq!(
        (event["actor"]["name"].as_str(), event["target"]["name"].as_str()),
        (Some(ROOT), Some("lin@acme.test"))
    );
    assert!(!event.to_string().contains(&password));
}

/// R14: what is wrong is said beside its field, and what was typed stays.
async fn r14_what_is_wrong_with_a_user_is_said_beside_the_field(world: World) {
    let mut root = world.admin().await;
    let long = "x".repeat(121);
    for (fields, wrong) in [
        (vec![("email", ""), ("name", "A"), ("account", "acme"), ("role", "member")], "email"),
        (vec![("email", "nobody"), ("name", "A"), ("account", "acme"), ("role", "member")], "email"),
        (vec![("email", ADA), ("name", "A"), ("account", "acme"), ("role", "member")], "email"),
        (vec![("email", "a@b.test"), ("name", " "), ("account", "acme"), ("role", "member")], "name"),
        (vec![("email", "a@b.test"), ("name", &long), ("account", "acme"), ("role", "member")], "name"),
        (vec![("email", "a@b.test"), ("name", "a\0b"), ("account", "acme"), ("role", "member")], "name"),
        (vec![("email", "a@b.test"), ("name", "A"), ("account", "nowhere"), ("role", "member")], "account"),
        (vec![("email", "a@b.test"), ("name", "A"), ("account", "x\0y"), ("role", "member")], "account"),
        (vec![("email", "a@b.test"), ("name", "A"), ("account", "acme"), ("role", "root")], "role"),
        (vec![("email", "a@b.test"), ("name", "A"), ("account", "acme")], "role"),
    ] {
        let again = root.submit("/admin/new/user", &fields).await.expect(422);
        assert!(!again.wrong(wrong).is_empty(), "{fields:?}");
        assert!(again.text().contains(&format!("href=\"#{wrong}")), "the summary leads to it: {fields:?}");
        let email = fields[0].1;
        assert!(again.text().contains(&format!("value=\"{email}\"")), "{email} stays");
    }
    assert_eq!(world.log(&mut root, "action=user.created&actor=root@acme.test").await.len(), 0);
}

/// R14, F8: a new e-mail address is the login from then on, ends nothing, and is nobody else's.
async fn r14_f8_an_email_address_can_change(world: World) {
    let mut root = world.admin().await;
    let mut ada = world.actor();
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    let page = user_page(&world, ADA).await;
    let edit = format!("{page}/edit");
    let fields = |email| [("email", email), ("name", "Ada B."), ("account", "acme"), ("role", "partner")];
    let taken = root.submit(&edit, &fields(GRACE)).await.expect(422);
    assert!(!taken.wrong("email").is_empty());
    let answer = root.submit(&edit, &fields("ada.b@acme.test")).await;
    assert_eq!(answer.location(), format!("{page}?done=user.changed"));
    assert!(root.follow(&answer).await.expect(200).text().contains("role=\"status\""));
    world.me(&tokens.access).await.expect(200);
    assert!(ada.get("/account").await.expect(200).text().contains("ada.b@acme.test"), "the session stays");
    world.signed_in("ada.b@acme.test").await;
    let event = &world.log(&mut root, "action=user.changed").await[0];
    let fields: Vec<_> = event["changes"].as_array().unwrap().iter().map(|change| change["field"].clone()).collect();
    assert_eq!(fields, ["email", "name"]);
    assert_eq!(event["changes"][0]["before"], ADA);
    assert_eq!(event["changes"][0]["after"], "ada.b@acme.test");
}

/// The address of a user's page.
async fn user_page(world: &World, email: &str) -> String {
    let user = world.control("GET", &format!("/users/{email}"), &serde_json::Value::Null).await.expect(200).json();
    format!("/admin/users/{}", user["id"].as_str().unwrap())
}

/// R14, F8: who is disabled is out at once, and what was open is over; enabled again, they may sign in.
async fn r14_f8_a_disabled_user_has_no_working_token(world: World) {
    let mut root = world.admin().await;
    let mut ada = world.actor();
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    let page = user_page(&world, ADA).await;
    let question = root.get(&format!("{page}/disable")).await.expect(200);
    assert!(question.text().contains("Rate Finder"), "it says what ends: {}", question.text());
    let answer = root.submit(&format!("{page}/disable"), &[]).await;
    assert_eq!(answer.location(), format!("{page}?done=user.disabled"));
    world.me(&tokens.access).await.expect(401);
    assert!(ada.get("/account").await.expect(200).is_login_page());
    assert_eq!(root.submit(&format!("{page}/reset-password"), &[]).await.status, 422, "first enable");
    assert_eq!(root.submit(&format!("{page}/enable"), &[]).await.status, 303);
    world.signed_in(ADA).await;
    world.me(&tokens.access).await.expect(401);
}

/// R14: a deleted user leaves no session and no working token, and is gone from every list.
async fn r14_a_deleted_user_leaves_nothing_that_works(world: World) {
    let mut root = world.admin().await;
    let mut ada = world.actor();
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    let page = user_page(&world, ADA).await;
    assert_eq!(root.submit(&format!("{page}/delete"), &[]).await.location(), "/admin/users?done=user.deleted");
    world.me(&tokens.access).await.expect(401);
    assert!(ada.get("/account").await.expect(200).is_login_page());
    root.get(&page).await.expect(404);
    assert!(!root.get("/admin/users").await.expect(200).text().contains(ADA));
    assert!(root.get("/admin/connections").await.expect(200).text().contains("There is nothing here"));
    assert_eq!(world.log(&mut root, "action=user.deleted").await[0]["target"]["name"], ADA);
}

/// R14: sessions end at once; connections stay.
async fn r14_sessions_end_at_once(world: World) {
    let mut root = world.admin().await;
    let mut ada = world.actor();
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    let page = user_page(&world, ADA).await;
    assert!(root.get(&page).await.expect(200).text().contains("Rate Finder"));
    assert_eq!(
        root.submit(&format!("{page}/end-sessions"), &[]).await.location(),
        format!("{page}?done=session.all_ended")
    );
    assert!(ada.get("/account").await.expect(200).is_login_page());
    world.me(&tokens.access).await.expect(200);
}

/// R14: a reset's link is shown once, and lets the user choose another password.
async fn r14_a_password_is_reset_by_a_link(world: World) {
    let mut root = world.admin().await;
    let page = user_page(&world, ADA).await;
    let made = root.submit(&format!("{page}/reset-password"), &[]).await.expect(200);
    let link = made.shown("made-link");
    assert!(link.starts_with("https://auth.test/invitation?token=lgv_"), "{link}");
    world.signed_in(ADA).await;
    let open = root.get("/admin/invitations").await.expect(200);
    assert!(open.text().contains(ADA) && !open.text().contains("lgv_"));
    assert_eq!(world.log(&mut root, "action=user.reset_offered").await.len(), 1);
}

/// R14: an invitation is shown once, listed while it is open, and revoked.
async fn r14_an_invitation_is_made_and_revoked(world: World) {
    let mut root = world.admin().await;
    for (fields, wrong) in [
        (vec![("email", ""), ("role", "member")], "email"),
        (vec![("email", "x"), ("role", "member")], "email"),
        (vec![("email", ADA), ("role", "member")], "email"),
        (vec![("email", "new@acme.test")], "role"),
        (vec![("email", "new@acme.test"), ("role", "member"), ("account", "nowhere")], "account"),
    ] {
        assert!(!root.submit("/admin/new/invitation", &fields).await.expect(422).wrong(wrong).is_empty(), "{fields:?}");
    }
    let fields = [("email", "new@acme.test"), ("role", "partner"), ("account", "acme")];
    let made = root.submit("/admin/new/invitation", &fields).await.expect(200);
    assert!(made.shown("made-link").contains("lgv_"));
    let open = root.get("/admin/invitations").await.expect(200);
    let revoke = format!("/admin/invitations/{}", open.between("/admin/invitations/", "\"").unwrap());
    assert_eq!(root.submit(&revoke, &[]).await.location(), "/admin/invitations?done=user.invitation_revoked");
    assert!(!root.get("/admin/invitations").await.expect(200).text().contains("new@acme.test"));
    let csrf = root.get("/admin/new/user").await.csrf();
    root.post(&revoke, &[("csrf", &csrf)]).await.expect(404);
}

/// R14: administrators cannot shut themselves out.
async fn r14_an_administrator_cannot_do_it_to_themselves(world: World) {
    let mut root = world.admin().await;
    let page = user_page(&world, ROOT).await;
    for deed in ["disable", "delete"] {
        let refused = root.submit(&format!("{page}/{deed}"), &[]).await.expect(422);
        assert!(refused.text().contains("ask another administrator"), "{}", refused.text());
    }
    let demoted = [("email", ROOT), ("name", "R"), ("account", "acme"), ("role", "member")];
    root.submit(&format!("{page}/edit"), &demoted).await.expect(422);
    let renamed = [("email", ROOT), ("name", "Root"), ("account", "acme"), ("role", "admin")];
    assert_eq!(root.submit(&format!("{page}/edit"), &renamed).await.status, 303, "anything else is fine");
    root.get("/admin").await.expect(200);
}

/// R14: two administrators who demote each other at once: one stays.
async fn r14_of_two_who_demote_each_other_one_stays(world: World) {
    let (mut one, mut two) = (world.admin_called("one@acme.test").await, world.admin_called("two@acme.test").await);
    let (first, second) = (user_page(&world, "one@acme.test").await, user_page(&world, "two@acme.test").await);
    let (csrf_one, csrf_two) =
        (one.get(&format!("{second}/edit")).await.csrf(), two.get(&format!("{first}/edit")).await.csrf());
    let (edit_one, edit_two) = (format!("{first}/edit"), format!("{second}/edit"));
    let role = |csrf, email| [("csrf", csrf), ("email", email), ("name", "N"), ("account", "acme"), ("role", "member")];
    let (form_one, form_two) = (role(csrf_one.as_str(), "two@acme.test"), role(csrf_two.as_str(), "one@acme.test"));
    let (a, b) = tokio::join!(one.post(&edit_two, &form_one), two.post(&edit_one, &form_two));
    let done = [a.status, b.status].iter().filter(|status| **status == 303).count();
    assert_eq!(done, 1, "{} {}", a.status, b.status);
    let mut left = 0;
    for email in ["one@acme.test", "two@acme.test"] {
        let user = world.control("GET", &format!("/users/{email}"), &serde_json::Value::Null).await.json();
        left += usize::from(user["role"] == "admin");
    }
    assert_eq!(left, 1);
}

/// R14: nobody else finds anything at these addresses; who is not signed in is asked to.
async fn r14_the_administration_is_for_administrators(world: World) {
    world.make_user("member@acme.test", "member").await;
    let page = user_page(&world, GRACE).await;
    for path in ["/admin", "/admin/users", "/admin/events", "/admin/keys/rotate", "/admin/new/user", &page] {
        let asked = world.actor().get(path).await.expect(200);
        assert!(asked.is_login_page(), "{path}");
        for email in ["member@acme.test", ADA] {
            let mut other = world.signed_in(email).await;
            other.get(path).await.expect(404);
            let csrf = other.get("/account").await.csrf();
            let form = [("csrf", csrf.as_str()), ("algorithm", "ES256"), ("email", "x@y.test")];
            let status = other.post(path, &form).await.status;
            assert!([404, 405].contains(&status), "{email} {path}: {status}");
        }
    }
    let mut root = world.admin().await;
    for path in [
        "/admin/users/x",
        "/admin/users/01930000-0000-7000-8000-000000000000",
        "/admin/apps/nothing",
        "/admin/apps/%00",
        "/admin/accounts/nothing",
        "/admin/connections/x/end",
        "/admin/invitations/x/revoke",
        "/admin/accounts/acme/keys/x/remove",
    ] {
        root.get(path).await.expect(404);
    }
    // A session that was an administrator's, and is a member's now.
    world.control("PATCH", &format!("/users/{ROOT}"), &serde_json::json!({"role": "member"})).await.expect(200);
    root.get("/admin").await.expect(404);
}

both! {
    r14_a_user_is_made_with_a_password_that_is_shown_once,
    r14_what_is_wrong_with_a_user_is_said_beside_the_field,
    r14_f8_an_email_address_can_change,
    r14_f8_a_disabled_user_has_no_working_token,
    r14_a_deleted_user_leaves_nothing_that_works,
    r14_sessions_end_at_once,
    r14_a_password_is_reset_by_a_link,
    r14_an_invitation_is_made_and_revoked,
    r14_an_administrator_cannot_do_it_to_themselves,
    r14_the_administration_is_for_administrators,
}

both! { on many threads; r14_of_two_who_demote_each_other_one_stays }
