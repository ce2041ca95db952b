//! G: the password grant (RFC 6749 section 4.3), which RFC 9700 section 2.4 forbids: only where the server allows it
//! and only for an application that has it.

use leadgate::services::throttle::Limits;

use super::support::{Auth, FORM, Issued, MACHINE, POCKET, RATE_FINDER, STUDIO, assert_error, claims};
use crate::support::http::{form, from_address, request};
use crate::support::{ADA, Answer, GRACE, PASSWORD, Setup, World, both};

async fn by_password(world: &World, username: &str, password: &str) -> Answer {
    STUDIO.token(world, &[("grant_type", "password"), ("username", username), ("password", password)]).await
}

/// G5: an application that does not have the grant is told so.
async fn g5_an_application_needs_the_grant(world: World) {
    let fields = [("grant_type", "password"), ("username", ADA), ("password", PASSWORD)];
    for client in [RATE_FINDER, MACHINE, POCKET] {
        assert_error(&client.token(&world, &fields).await, 400, "unauthorized_client");
    }
    let issued = Issued::of(&STUDIO.token(&world, &fields).await);
    assert_eq!(world.me(&issued.access).await.expect(200).json()["user"]["email"], ADA);
    assert_eq!(issued.scope(), ["account_api", "data_api", "lead_receiver"]);
    assert!(claims(&issued.access)["sub"].as_str().unwrap().starts_with("user|"));
    Issued::of(&STUDIO.refresh(&world, issued.refresh()).await);
}

/// G5: where the server does not allow it, nobody has it.
async fn g5_where_it_is_not_allowed_nobody_has_it(world: World) {
    let fields = [("grant_type", "password"), ("username", ADA), ("password", PASSWORD)];
    for client in [STUDIO, RATE_FINDER] {
        assert_error(&client.token(&world, &fields).await, 400, "unsupported_grant_type");
    }
}

/// G6: an unknown user, a wrong password and a disabled user are one answer, after the same work.
async fn g6_bad_credentials_are_one_answer(world: World) {
    world.disable(GRACE).await;
    let wrong = by_password(&world, ADA, "wrong").await;
    assert_error(&wrong, 400, "invalid_grant");
    for (username, password) in [
        ("nobody@acme.test", PASSWORD),
        (GRACE, PASSWORD),
        (ADA, "Correct horse battery"),
        (ADA, "correct horse battery "),
        (ADA, " "),
        ("no address", PASSWORD),
        ("\u{0}", PASSWORD),
        (ADA, "\u{0}"),
        (ADA, &"x".repeat(2_000)),
    ] {
        let answer = by_password(&world, username, password).await;
        assert_eq!((answer.status, &answer.body), (400, &wrong.body), "{username} {password}");
    }
    // Case and blanks of an address do not matter, as on the login page.
    Issued::of(&by_password(&world, "ADA@Acme.test", PASSWORD).await);
    // The client is looked at first.
    let fields = [("grant_type", "password"), ("username", ADA), ("password", PASSWORD)];
    assert_error(&STUDIO.by(Auth::Basic("wrong")).token(&world, &fields).await, 401, "invalid_client");
    let fields = [&fields[..], &[("scope", "admin")]].concat();
    assert_error(&STUDIO.token(&world, &fields).await, 400, "invalid_scope");
}

/// G6: an unknown user takes as long as a known one. Each hash has the cost of the decoy.
async fn g6_an_unknown_user_takes_as_long(world: World) {
    let mut times = [vec![], vec![]];
    for _ in 0..15 {
        for (i, email) in [ADA, "nobody@acme.test"].into_iter().enumerate() {
            let began = tokio::time::Instant::now();
            assert_error(&by_password(&world, email, "wrong").await, 400, "invalid_grant");
            times[i].push(began.elapsed());
        }
    }
    let [known, unknown] = times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2]
    });
    assert!(unknown * 2 > known && known * 2 > unknown, "known {known:?}, unknown {unknown:?}");
}

/// G6, C10: guesses count together with those on the login form.
async fn g6_guesses_count_as_those_on_the_login_form(world: World) {
    let attempt = |password: &str| {
        let fields = [
            ("grant_type", "password"),
            ("username", ADA),
            ("password", password),
            ("client_id", STUDIO.id),
            ("client_secret", "studio-client-secret"),
        ];
        from_address(request("POST", "/oauth/token", &[("content-type", FORM)], form(&fields)), 1)
    };
    let mut somebody = world.actor();
    let csrf = somebody.get("/account").await.csrf();
    let login = |password: &str| {
        let body = form(&[("csrf", &csrf), ("email", ADA), ("password", password)]);
        from_address(request("POST", "/account/login", &[("content-type", FORM)], body), 1)
    };
    assert_error(&world.send(attempt("wrong")).await, 400, "invalid_grant");
    somebody.send(None, login("wrong")).await.expect(422);
    assert_error(&world.send(attempt("wrong")).await, 400, "invalid_grant");
    let slowed = world.send(attempt(PASSWORD)).await;
    assert_error(&slowed, 429, "slow_down");
    assert!(slowed.header("retry-after").is_some());
    somebody.send(None, login(PASSWORD)).await.expect(429);
    // The owner elsewhere gets in.
    Issued::of(&by_password(&world, ADA, PASSWORD).await);
}

/// G7: user name and password are posted, and not in an address.
async fn g7_no_password_is_taken_from_an_address(world: World) {
    let in_address = form(&[("username", ADA), ("password", PASSWORD)]);
    let fields = [("grant_type", "password")];
    let answer = STUDIO.post(&world, &format!("/oauth/token?{in_address}"), &fields).await;
    assert_error(&answer, 400, "invalid_request");
    let all = [("grant_type", "password"), ("username", ADA), ("password", PASSWORD)];
    for name in ["username", "password"] {
        let answer = STUDIO.post(&world, &format!("/oauth/token?{name}=x"), &all).await;
        assert_error(&answer, 400, "invalid_request");
    }
}

both! {
    g5_an_application_needs_the_grant,
    g6_bad_credentials_are_one_answer,
    g7_no_password_is_taken_from_an_address,
}
both! { with support::Setup::production(); g5_where_it_is_not_allowed_nobody_has_it }
both! { with super::with_a_costly_hash(); g6_an_unknown_user_takes_as_long }
both! { with super::three_logins_a_minute(); g6_guesses_count_as_those_on_the_login_form }

fn with_a_costly_hash() -> Setup {
    let from = "email = \"ada@acme.test\"\npassword_hash = \"@HASH@\"";
    Setup::default().with(from, &format!("email = \"ada@acme.test\"\npassword = \"{PASSWORD}\""))
}

fn three_logins_a_minute() -> Setup {
    Setup { limits: Limits { logins: 3, ..Limits::NONE }, ..Setup::default() }
}
