//! Becoming a partner by oneself: anybody in a sandbox, nobody elsewhere.

use super::support::{assert_guarded, assert_refused, log_in, log_in_with, signed_in};
use crate::support::http::{form, from_address, request};
use crate::support::{ADA, Actor, Answer, GRACE, PASSWORD, World, both};

const LIN: [(&str, &str); 4] =
    [("name", "Lin Tester"), ("email", "lin@new.test"), ("company", "New Co"), ("password", "a long enough one")];

/// Posts the form with one field replaced.
async fn sign_up(actor: &mut Actor, name: &str, value: &str) -> Answer {
    let csrf = actor.get("/sign-up").await.expect(200).csrf();
    let mut fields = vec![("csrf", csrf.as_str())];
    fields.extend(LIN.map(|(field, given)| (field, if field == name { value } else { given })));
    actor.post("/sign-up", &fields).await
}

/// C6, wire.md part 0: who signs up is a partner with an account of their own, and signed in.
async fn c6_a_sandbox_makes_partners(world: World) {
    let mut lin = world.actor();
    assert!(lin.get("/account").await.text().contains("href=\"/sign-up\""), "the login form says so");
    assert_guarded(&lin.get("/sign-up").await);
    let answer = sign_up(&mut lin, "", "").await;
    assert_eq!(answer.location(), "/console");
    let page = lin.get("/account/profile").await.expect(200);
    for shown in ["Lin Tester", "lin@new.test", "New Co", "Partner"] {
        assert!(page.text().contains(shown), "{shown}");
    }
    assert_eq!(lin.get("/sign-up").await.location(), "/console", "once is enough");
    log_in_with(&mut world.actor(), "lin@new.test", "a long enough one").await;
    let export = lin.get("/account/export").await.json();
    assert_eq!(export["user"]["role"], "partner");
    assert!(export["events"].to_string().contains("user.signed_up"));
}

/// C12, C10: what will not do is said beside its field, with what was typed but for the password.
async fn c10_c12_a_sign_up_that_will_not_do_is_shown_again(world: World) {
    let mut lin = world.actor();
    let long = "x".repeat(121);
    for (field, value) in [
        ("name", ""),
        ("name", long.as_str()),
        ("company", " "),
        ("email", ""),
        ("email", "lin"),
        ("email", ADA),
        ("email", " ADA@acme.test"),
        ("password", "short"),
        ("password", "lin@new.test"),
    ] {
        let page = sign_up(&mut lin, field, value).await;
        assert_refused(&page, field);
        assert!(!page.text().contains("a long enough one") && !page.text().contains("value=\"short\""));
        if field != "name" {
            assert!(page.text().contains("value=\"Lin Tester\""));
        }
    }
    let mut late = world.actor();
    let csrf = late.get("/account").await.csrf();
    let fields = [("csrf", csrf.as_str()), ("email", "lin@new.test"), ("password", "a long enough one")];
    late.post("/account/login", &fields).await.expect(422);
}

/// C7: nobody is signed up, and no member promoted, by a form that is not this browser's.
async fn c7_a_sign_up_cannot_be_forged(world: World) {
    let mut lin = world.actor();
    let foreign = world.actor().get("/sign-up").await.csrf();
    lin.get("/sign-up").await;
    for wrong in ["", "x", &foreign] {
        let mut fields = vec![("csrf", wrong)];
        fields.extend(LIN);
        lin.post("/sign-up", &fields).await.expect(403);
    }
    let csrf = lin.get("/sign-up").await.csrf();
    let mut fields = vec![("csrf", csrf.as_str())];
    fields.extend(LIN);
    let cross = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "cross-site")];
    lin.send(None, request("POST", "/sign-up", &cross, form(&fields))).await.expect(403);
    let (mut grace, _) = signed_in(&world, GRACE).await;
    grace.post("/sign-up/partner", &[("csrf", &csrf)]).await.expect(403);
    grace.post("/sign-up/partner", &[]).await.expect(403);
    grace.get("/sign-up/partner").await.expect(405);
    assert!(grace.get("/account/profile").await.text().contains("Member"));
}

/// wire.md part 0: a member of a sandbox becomes a partner by one button; a partner stays one.
async fn c6_a_member_becomes_a_partner_under_another_session(world: World) {
    let (mut grace, csrf) = signed_in(&world, GRACE).await;
    let page = grace.get("/sign-up").await.expect(200);
    assert!(page.text().contains("action=\"/sign-up/partner\"") && !page.text().contains("name=\"password\""));
    let mut before = grace.clone();
    assert_eq!(grace.post("/sign-up/partner", &[("csrf", &csrf)]).await.location(), "/console");
    // C6: who may do more has another session, and the one before is over.
    assert!(before.get("/account/profile").await.is_login_page());
    grace.post("/sign-up/partner", &[("csrf", &csrf)]).await.expect(403);
    let profile = grace.get("/account/profile").await;
    assert!(profile.text().contains("Partner"));
    let csrf = profile.csrf();
    assert_eq!(grace.post("/sign-up/partner", &[("csrf", &csrf)]).await.location(), "/console");
    assert!(grace.get("/account/export").await.text().contains("\"after\":\"partner\""));
}

/// C10: one address cannot make users without end, whatever it says about itself.
async fn c10_sign_ups_are_counted_for_each_address(world: World) {
    let mut lin = world.actor();
    let csrf = lin.get("/sign-up").await.csrf();
    let attempt = |from: u8, nth: usize| {
        let email = format!("lin{nth}@new.test");
        let mut fields = vec![("csrf", csrf.as_str()), ("email", &email)];
        fields.extend(LIN.into_iter().filter(|(name, _)| *name != "email"));
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("x-forwarded-for", "198.51.100.1")];
        from_address(request("POST", "/sign-up", &headers, form(&fields)), from)
    };
    let mut slowed = None;
    for nth in 0..40 {
        let answer = lin.send(None, attempt(1, nth)).await;
        if answer.status == 429 {
            slowed = Some((nth, answer));
            break;
        }
        answer.location();
    }
    let (nth, answer) = slowed.expect("there is a limit");
    assert!(nth >= 30 && answer.header("retry-after").is_some(), "{nth}");
    lin.send(None, attempt(2, 41)).await.location();
}

/// C9, R12: in production nobody signs up alone, and nobody learns who is there.
async fn r12_c9_production_takes_an_invitation(world: World) {
    let mut lin = world.actor();
    assert!(!lin.get("/account").await.text().contains("/sign-up"));
    let page = lin.get("/sign-up").await.expect(200);
    assert!(page.text().contains("invitation") && !page.text().contains("<form"), "{}", page.text());
    let csrf = lin.get("/account").await.csrf();
    let mut bodies = Vec::new();
    for email in ["lin@new.test", ADA] {
        let fields =
            [("csrf", csrf.as_str()), ("name", "Lin"), ("email", email), ("company", "C"), ("password", PASSWORD)];
        let answer = lin.post("/sign-up", &fields).await;
        assert!(answer.status == 200 && answer.text().contains("invitation"));
        bodies.push(answer.text().len());
    }
    assert_eq!(bodies[0], bodies[1]);
    let (mut grace, csrf) = signed_in(&world, GRACE).await;
    grace.post("/sign-up/partner", &[("csrf", &csrf)]).await.expect(200);
    assert!(grace.get("/account/profile").await.text().contains("Member"));
    assert!(!log_in(&mut world.actor(), ADA).await.is_login_page());
}

both! {
    c6_a_sandbox_makes_partners,
    c10_c12_a_sign_up_that_will_not_do_is_shown_again,
    c7_a_sign_up_cannot_be_forged,
    c6_a_member_becomes_a_partner_under_another_session,
    c10_sign_ups_are_counted_for_each_address,
}
both! { with support::Setup::production(); r12_c9_production_takes_an_invitation }
