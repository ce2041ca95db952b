//! What an operator does to users, applications and buttons, and what is left of them (rules R14, F8, B23).

use leadgate::config::Secret;
use leadgate::config::seed::SeedFile;
use leadgate::config::seed::SeedPassword;
use leadgate::domain::email::Email;
use leadgate::domain::ids::{AppId, ButtonId};
use leadgate::domain::usage::UsageKind;
use leadgate::services::login::{self, Browser, LoginError};
use leadgate::services::seed::{self, Audience};
use leadgate::services::throttle::Limits;
use leadgate::services::{partner, usage, users};
use serde_json::json;

use crate::support::http::{from_address, request};
use crate::support::{
    ADA, APP_ONE, APP_TWO, Actor, Click, GRACE, OTHER, PARTNER, PASSWORD, Setup, Tokens, World, both, connect_by_api,
};

async fn signed_in(world: &World, btn: &str) -> (Actor, Tokens) {
    let mut ada = world.actor();
    let tokens = ada.connect(btn, PARTNER, ADA).await;
    (ada, tokens)
}

/// Nothing of a connection works any more.
async fn assert_dead(world: &World, actor: &mut Actor, tokens: &Tokens, app: &str) {
    world.me(&tokens.access).await.expect(401);
    assert_eq!(world.refresh(&tokens.refresh, app).await.json()["valid"], false);
    assert_eq!(world.disconnect(&tokens.refresh).await.json()["valid"], false);
    assert_ne!(actor.resume(PARTNER, &["btn-one"]).await["btn-one"]["valid"], true);
}

/// R14: a deleted application leaves no working token, button or code; others are untouched.
async fn r14_a_deleted_application_leaves_nothing(world: World) {
    let (mut ada, one) = signed_in(&world, "btn-one").await;
    let two = ada.connect("btn-two", PARTNER, ADA).await;
    let (opened, code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
    let open = ada.open(Click::on("btn-wide", PARTNER)).await;
    partner::delete_app(&world.operator(), &AppId::parse(APP_ONE).unwrap()).await.unwrap();
    assert_dead(&world, &mut ada, &one, APP_ONE).await;
    assert_eq!(ada.redeem(&opened, &code).await.json()["valid"], false);
    assert!(ada.get(&open.path).await.expect(403).handover().is_none());
    ada.get(&Click::on("btn-one", PARTNER).address()).await.expect(400);
    let page = ada.get("/account").await.expect(200);
    assert!(!page.text().contains("Rate Finder") && page.text().contains("Lead Desk"));
    assert_eq!(world.refresh(&two.refresh, APP_TWO).await.json()["valid"], true);
    // An origin that only its buttons had is no longer judged in.
    let preflight = world.send(request("OPTIONS", "/button/token", &[("origin", OTHER)], "")).await;
    assert_eq!(preflight.status, 403);
}

/// B23, R14: a disabled application signs nobody in, and what it had is over; once it is enabled users connect anew.
async fn b23_a_disabled_application_signs_nobody_in(world: World) {
    let (mut ada, one) = signed_in(&world, "btn-one").await;
    let two = ada.connect("btn-two", PARTNER, ADA).await;
    let (opened, code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
    let mut grace = world.actor();
    let open = grace.open(Click::on("btn-one", PARTNER)).await;
    let consent = grace.log_in(&open, GRACE).await;
    assert!(consent.is_consent_page());
    let app = AppId::parse(APP_ONE).unwrap();
    partner::disable_app(&world.operator(), &app).await.unwrap();
    partner::disable_app(&world.operator(), &app).await.expect("twice is once");
    assert_dead(&world, &mut ada, &one, APP_ONE).await;
    assert_eq!(ada.redeem(&opened, &code).await.json()["valid"], false);
    // Before anybody is asked to log in: for a new click, and for a dialog that was open.
    let refused = world.actor().get(&Click::on("btn-one", PARTNER).address()).await.expect(400);
    assert!(!refused.is_login_page());
    assert!(grace.get(&open.path).await.expect(403).handover().is_none());
    let decision = format!("{}/decision", open.path);
    let allowed = grace.post(&decision, &[("csrf", &consent.csrf()), ("decision", "allow")]).await;
    assert!(!allowed.text().contains("lgc_"), "{allowed:?}");
    assert_eq!(world.refresh(&two.refresh, APP_TWO).await.json()["valid"], true, "another application");

    partner::enable_app(&world.operator(), &app).await.unwrap();
    assert_dead(&world, &mut ada, &one, APP_ONE).await;
    let anew = ada.connect("btn-one", PARTNER, ADA).await;
    assert_ne!(anew.refresh, one.refresh);
    world.me(&anew.access).await.expect(200);
}

/// What an application does is counted by days, and every node's counts are one sum.
async fn usage_is_counted_by_days(world: World) {
    let (_, tokens) = signed_in(&world, "btn-one").await;
    let other = world.another_node().await;
    for node in [&world, &world, &other] {
        assert_eq!(node.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], true);
    }
    world.advance(24 * 3_600);
    world.refresh(&tokens.refresh, APP_ONE).await;
    world.disconnect(&tokens.refresh).await;
    assert_eq!(world.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], false);
    other.ctx.store.flush_notes().await.unwrap();
    let app = AppId::parse(APP_ONE).unwrap();
    let series = usage::of_app(&world.ctx, &app).await.unwrap();
    let last_two = |kind| {
        let one = series.iter().find(|series| series.kind == kind).unwrap();
        assert_eq!(one.days.len(), usage::DAYS);
        [one.days[usage::DAYS - 2].1, one.days[usage::DAYS - 1].1]
    };
    assert_eq!(last_two(UsageKind::Connections), [1, 0]);
    assert_eq!(last_two(UsageKind::Refreshes), [3, 1]);
    assert_eq!(last_two(UsageKind::Errors), [0, 1]);
    partner::delete_app(&world.operator(), &app).await.unwrap();
    world.refresh(&tokens.refresh, APP_ONE).await;
    let nothing = usage::of_app(&world.ctx, &app).await.expect("of what is gone nothing is counted");
    assert!(nothing.iter().all(|series| series.days.iter().all(|(_, count)| *count == 0)));
}

/// R14: a deleted button is unknown at once; the connection that was made through it stays.
async fn r14_a_deleted_button_is_unknown(world: World) {
    let (mut ada, tokens) = signed_in(&world, "btn-one").await;
    let (opened, code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
    partner::delete_button(&world.operator(), &ButtonId::parse("btn-one").unwrap()).await.unwrap();
    assert_eq!(ada.redeem(&opened, &code).await.json()["error"], "invalid_button");
    assert_eq!(ada.resume(PARTNER, &["btn-one"]).await["btn-one"]["error"], "invalid_button");
    assert_eq!(world.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], true);
}

/// R14: a deleted user leaves nothing, and another who gets the address inherits nothing.
async fn r14_a_deleted_user_leaves_nothing(world: World) {
    let (mut ada, tokens) = signed_in(&world, "btn-one").await;
    let email = Email::parse(ADA).unwrap();
    users::delete(&world.operator(), &email).await.unwrap();
    assert_dead(&world, &mut ada, &tokens, APP_ONE).await;
    assert!(ada.get("/account").await.expect(200).is_login_page());
    let new = users::NewUser {
        email,
        name: "Another Ada".into(),
        account: "acme".into(),
        role: leadgate::domain::role::Role::Member,
        password: SeedPassword::Plain(Secret::new(PASSWORD)),
        is_disabled: false,
    };
    users::add(&world.operator(), new).await.unwrap();
    assert_dead(&world, &mut ada, &tokens, APP_ONE).await;
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    assert!(ada.log_in(&opened, ADA).await.is_consent_page(), "nobody consented for her");
}

/// F8: a new password ends every session and connection of the user, and of nobody else.
async fn f8_a_new_password_ends_what_the_old_one_opened(world: World) {
    let (mut ada, tokens) = signed_in(&world, "btn-one").await;
    let theirs = connect_by_api(&world, GRACE, "btn-one").await;
    users::set_password(&world.operator(), &Email::parse(ADA).unwrap(), "a new password").await.unwrap();
    assert_dead(&world, &mut ada, &tokens, APP_ONE).await;
    assert!(ada.get("/account").await.is_login_page());
    world.me(&theirs.access).await.expect(200);
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    ada.post_login(&opened, ADA, PASSWORD).await.expect(422);
    ada.post_login(&opened, ADA, "a new password").await.location();
}

/// F8: the same where a seed file brings the new password.
async fn f8_a_password_in_a_seed_file_ends_as_much(world: World) {
    let (mut ada, tokens) = signed_in(&world, "btn-one").await;
    let text = world.setup.seed.replacen("password_hash = \"@HASH@\"", "password = \"a new password\"", 1);
    let text = text.replace("@HASH@", &world.hash());
    let seed = SeedFile::parse("seed.toml".as_ref(), &text).unwrap();
    assert_eq!(seed::apply(&world.operator(), &seed, Audience::Demonstration).await.unwrap().changed, 1);
    assert_dead(&world, &mut ada, &tokens, APP_ONE).await;
    assert!(ada.get("/account").await.is_login_page());
}

/// F8: a login whose password was right when it was looked at, and is no more when its session would open.
async fn f8_a_login_in_flight_does_not_survive_a_new_password(world: World) {
    let who = login::with_password(&world.ctx, ADA, PASSWORD, None).await.unwrap();
    let email = Email::parse(ADA).unwrap();
    users::set_password(&world.operator(), &email, "a new password").await.unwrap();
    assert!(matches!(
        login::open_session(&world.ctx, &who, None, &Browser::default()).await,
        Err(LoginError::WrongCredentials)
    ));
    let who = login::with_password(&world.ctx, ADA, "a new password", None).await.unwrap();
    users::disable(&world.operator(), &email).await.unwrap();
    assert!(matches!(
        login::open_session(&world.ctx, &who, None, &Browser::default()).await,
        Err(LoginError::WrongCredentials)
    ));
    users::enable(&world.operator(), &email).await.unwrap();
    assert!(login::open_session(&world.ctx, &who, None, &Browser::default()).await.is_ok());
}

/// B20, L4: no page is readable by another origin, whatever method and header it comes with.
async fn b20_no_page_is_readable_by_another_origin(world: World) {
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    let click = Click::on("btn-one", PARTNER).address();
    for path in ["/", "/account", "/logout", &click, &opened.path, &format!("{}/login", opened.path)] {
        for method in ["GET", "POST", "OPTIONS"] {
            let headers = [("origin", PARTNER), ("access-control-request-method", "POST")];
            let answer = ada.send(None, request(method, path, &headers, "")).await;
            let cors = answer.headers.keys().find(|name| name.as_str().starts_with("access-control"));
            assert!(cors.is_none(), "{method} {path}: {cors:?}");
        }
    }
}

/// N12, wire.md A1: guesses at codes are slowed down, in the result's form, readable by the page.
async fn wire_a1_guesses_at_codes_are_slowed_down(world: World) {
    let (mut ada, _) = signed_in(&world, "btn-one").await;
    let (opened, code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
    let swap = |code: &str, from: u8| {
        let body = json!({"btn": "btn-one", "code": code, "code_verifier": opened.click.verifier}).to_string();
        let headers = [("content-type", "application/json"), ("origin", PARTNER)];
        from_address(request("POST", "/button/token", &headers, body), from)
    };
    for _ in 0..2 {
        assert_eq!(world.send(swap("lgc_guess", 1)).await.expect(200).json()["error"], "invalid_grant");
    }
    let slowed = world.send(swap("lgc_guess", 1)).await.expect(429);
    let result = slowed.json();
    assert_eq!((&result["error"], result.as_object().unwrap().len()), (&json!("rate_limited"), 8), "{result}");
    assert!(slowed.header("retry-after").is_some());
    assert_eq!(slowed.header("access-control-allow-origin"), Some(PARTNER));
    Tokens::of(&world.send(swap(&code, 1)).await.expect(200).json());
}

both! {
    r14_a_deleted_application_leaves_nothing,
    b23_a_disabled_application_signs_nobody_in,
    usage_is_counted_by_days,
    r14_a_deleted_button_is_unknown,
    r14_a_deleted_user_leaves_nothing,
    f8_a_new_password_ends_what_the_old_one_opened,
    f8_a_password_in_a_seed_file_ends_as_much,
    f8_a_login_in_flight_does_not_survive_a_new_password,
    b20_no_page_is_readable_by_another_origin,
}
both! { with super::two_refusals_a_minute(); wire_a1_guesses_at_codes_are_slowed_down }

fn two_refusals_a_minute() -> Setup {
    Setup { limits: Limits { refusals: 2, ..Limits::NONE }, ..Setup::default() }
}
