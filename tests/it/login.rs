//! Signing in to the server itself: sessions, guesses, and where a login leads.

use std::time::Duration;

use leadgate::services::throttle::Limits;

use crate::support::http::{form, from_address, request};
use crate::support::{ADA, Answer, Click, GRACE, PARTNER, PASSWORD, Setup, World, both};

/// C5: what a browser is told about the cookies, and that they tell nothing.
async fn c5_the_cookies_are_closed_to_scripts_and_hold_only_handles(world: World) {
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    let answer = ada.post_login(&opened, ADA, PASSWORD).await;
    let cookies = answer.set_cookies();
    let cookie = |part: &str| *cookies.iter().find(|cookie| cookie.contains(part)).unwrap();
    let has = |cookie: &str, attribute: &str| cookie.split("; ").any(|given| given == attribute);
    let session = cookie("leadgate_session_");
    assert!(session.starts_with("__Host-"), "{session}");
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "Secure"] {
        assert!(has(session, attribute), "{attribute}: {session}");
    }
    let button = cookie("leadgate_button_");
    for attribute in ["HttpOnly", "SameSite=None", "Path=/button/resume", "Secure"] {
        assert!(has(button, attribute), "{attribute}: {button}");
    }
    for cookie in &cookies {
        assert!(!cookie.contains("Domain="), "{cookie}");
        let value = cookie.split(';').next().unwrap().split_once('=').unwrap().1;
        assert!(value.len() == 68 && !value.contains('@') && !value.starts_with("lga_"), "{cookie}");
    }
    assert_ne!(ada.jar.value("_session_").unwrap()[25..], ada.jar.value("_button_").unwrap()[25..], "two secrets");
}

/// C5 on plain http: no `__Host-` and no `Secure` for the server's own, or no browser would keep them.
async fn c5_on_plain_http_the_session_can_be_kept(world: World) {
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", "http://localhost:9001")).await;
    let answer = ada.post_login(&opened, ADA, PASSWORD).await;
    let session = *answer.set_cookies().iter().find(|cookie| cookie.contains("leadgate_session_")).unwrap();
    assert!(session.starts_with("leadgate_session_") && !session.contains("Secure"), "{session}");
    assert!(session.contains("HttpOnly") && session.contains("SameSite=Lax"), "{session}");
}

/// C6: "Not you?" ends the session on the server, and the next login opens another one.
async fn c6_switching_users_ends_the_session(world: World) {
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    let consent = ada.log_in(&opened, ADA).await.expect(200);
    let before = ada.clone();
    assert!(!before.clone().get("/account").await.is_login_page(), "signed in");
    let switch = format!("{}/switch", opened.path);
    ada.post(&switch, &[("csrf", "wrong")]).await.expect(403);
    assert!(!before.clone().get("/account").await.is_login_page(), "nothing happened");
    let answer = ada.post(&switch, &[("csrf", &consent.csrf())]).await;
    assert!(ada.follow(&answer).await.is_login_page());
    assert!(before.clone().get("/account").await.is_login_page(), "ended for whoever holds it");
    ada.log_in(&opened, GRACE).await.expect(200);
    assert!(ada.get("/account").await.text().contains(GRACE));
    assert_ne!(ada.jar.value("_session_"), before.jar.value("_session_"));
}

/// C6: a login while one is signed in replaces the session on the server, not only in the browser.
async fn c6_a_second_login_ends_the_first_session(world: World) {
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    let csrf = ada.get(&opened.path).await.csrf();
    ada.log_in(&opened, ADA).await.expect(200);
    let before = ada.clone();
    // The login form that was open in another tab.
    let fields = [("csrf", csrf.as_str()), ("email", ADA), ("password", PASSWORD)];
    ada.post(&format!("{}/login", opened.path), &fields).await.location();
    assert!(!ada.get("/account").await.is_login_page());
    assert!(before.clone().get("/account").await.is_login_page(), "the session before is dead");
}

/// C6: no cookie of another kind, and no invented one, is a session.
async fn c6_only_a_session_is_a_session(world: World) {
    let mut ada = world.actor();
    ada.connect("btn-one", PARTNER, ADA).await;
    let name = ada.jar.name("_session_").unwrap();
    let session = ada.jar.value("_session_").unwrap();
    let button = ada.jar.value("_button_").unwrap();
    let page = |value: String| {
        let world = world.clone();
        let name = name.clone();
        async move {
            world.send(request("GET", "/account", &[("cookie", &format!("{name}={value}"))], "")).await.expect(200)
        }
    };
    assert!(!page(session.clone()).await.is_login_page(), "the test's own premise");
    let renamed = format!("lgs_{}", &button[4..]);
    let last = if session.ends_with('A') { "B" } else { "A" };
    let altered = format!("{}{last}", &session[..session.len() - 1]);
    for value in
        [ada.jar.value("_browser_").unwrap(), button, renamed, altered, String::new(), "lgs_".into(), "x".repeat(5000)]
    {
        assert!(page(value.clone()).await.is_login_page(), "{value}");
    }
}

/// The page without what differs from one request to the next.
fn comparable(answer: &Answer, email: &str) -> String {
    let csrf = answer.csrf();
    let policy = answer.header("content-security-policy").unwrap();
    let nonce = policy.split("nonce-").nth(1).unwrap().split('\'').next().unwrap();
    answer.text().replace(&csrf, "CSRF").replace(nonce, "NONCE").replace(email, "EMAIL")
}

/// C9: an unknown user, a wrong password and a disabled user look alike, and take as long.
async fn c9_an_unknown_user_looks_like_a_wrong_password(world: World) {
    world.disable(GRACE).await;
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    let (mut bodies, mut times) = (Vec::new(), vec![Vec::new(), Vec::new()]);
    for round in 0..15 {
        for (i, email) in [ADA, "nobody@acme.test"].into_iter().enumerate() {
            let began = tokio::time::Instant::now();
            let answer = ada.post_login(&opened, email, "wrong").await.expect(422);
            times[i].push(began.elapsed());
            if round == 0 {
                bodies.push(comparable(&answer, email));
            }
        }
    }
    let disabled = ada.post_login(&opened, GRACE, PASSWORD).await.expect(422);
    bodies.push(comparable(&disabled, GRACE));
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:#?}");
    let median = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2]
    };
    let (known, unknown) = (median(&mut times[0]), median(&mut times[1]));
    // Without the decoy an unknown user takes a tenth of the time.
    assert!(unknown * 2 > known && known * 2 > unknown, "known {known:?}, unknown {unknown:?}");
}

/// C10: guesses from one address are slowed down, whatever it says about itself; the owner elsewhere gets in.
async fn c10_guesses_are_counted_for_address_and_login(world: World) {
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    let csrf = ada.get(&opened.path).await.csrf();
    let path = format!("{}/login", opened.path);
    let attempt = |from: u8, email: &str, password: &str, claims: &str| {
        let body = form(&[("csrf", &csrf), ("email", email), ("password", password)]);
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("x-forwarded-for", claims)];
        from_address(request("POST", &path, &headers, body), from)
    };
    for i in 0..3 {
        ada.send(None, attempt(1, ADA, "wrong", &format!("198.51.100.{i}"))).await.expect(422);
    }
    for (i, email) in [ADA, "ADA@acme.test"].into_iter().enumerate() {
        let slowed = ada.send(None, attempt(1, email, PASSWORD, &format!("203.0.113.{i}"))).await.expect(429);
        let seconds: u64 = slowed.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&seconds), "{seconds}");
        assert!(slowed.is_login_page(), "it can be tried again from there");
    }
    ada.send(None, attempt(2, ADA, PASSWORD, "192.0.2.1")).await.location();
    // The account page's form is no way around.
    let mut other = world.actor();
    let csrf = other.get("/account").await.csrf();
    let body = form(&[("csrf", &csrf), ("email", ADA), ("password", PASSWORD)]);
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let again = request("POST", "/account/login", &headers, body);
    other.send(None, from_address(again, 1)).await.expect(429);
}

/// C10: in a sandbox that configures none, no limit fires.
async fn c10_a_sandbox_slows_nobody_down(world: World) {
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    for _ in 0..30 {
        ada.post_login(&opened, ADA, "wrong").await.expect(422);
    }
    ada.post_login(&opened, ADA, PASSWORD).await.location();
}

/// C11: there is no parameter that leads a login elsewhere.
async fn c11_a_login_leads_to_our_own_pages_only(world: World) {
    for evil in ["//evil.example", "/\\evil.example", "https:evil.example", "%2F%2Fevil.example", "javascript:alert(1)"]
    {
        let mut ada = world.actor();
        let query: Vec<String> = ["next", "return_to", "redirect_uri", "continue", "url", "ended"]
            .iter()
            .map(|name| format!("{name}={}", crate::support::http::escape(evil)))
            .collect();
        let page = ada.get(&format!("/account?{}", query.join("&"))).await.expect(200);
        assert!(!page.text().contains("evil"), "{}", page.text());
        let csrf = page.csrf();
        let fields = [
            ("csrf", csrf.as_str()),
            ("email", ADA),
            ("password", PASSWORD),
            ("next", evil),
            ("return_to", evil),
            ("redirect_uri", evil),
        ];
        let answer = ada.post(&format!("/account/login?{}", query.join("&")), &fields).await;
        assert_eq!(answer.location(), "/account");
        let page = ada.get(&format!("/account?{}", query.join("&"))).await.expect(200);
        assert!(!page.text().contains("evil"), "{}", page.text());
    }
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    assert_eq!(ada.post_login(&opened, ADA, PASSWORD).await.location(), opened.path, "B19: 303, to the dialog");
}

/// wire.md A1: a failed login shows the form again with what was typed, but for the password.
async fn wire_a1_a_failed_login_keeps_what_was_typed(world: World) {
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    for (email, password) in [(ADA, "not-my-password"), (ADA, ""), ("not an address", "not-my-password")] {
        let again = ada.post_login(&opened, email, password).await;
        assert!((400..500).contains(&again.status), "{}", again.status);
        assert!(again.text().contains(&format!("value=\"{email}\"")), "{}", again.text());
        assert!(!again.text().contains("not-my-password") && again.text().contains("role=\"alert\""));
        assert!(again.handover().unwrap()["result"].is_null());
    }
    // Case and blanks around an address do not matter; of a password everything does.
    assert_eq!(ada.post_login(&opened, ADA, "Correct horse battery").await.status, 422);
    assert_eq!(ada.post_login(&opened, ADA, "correct horse battery ").await.status, 422);
    assert_eq!(ada.post_login(&opened, "ADA@Acme.test", PASSWORD).await.status, 303);
}

/// wire.md A1: in a sandbox each seeded user is a button.
async fn wire_a1_a_sandbox_offers_its_users_with_one_click(world: World) {
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    let login = ada.get(&opened.path).await;
    for name in ["Ada Buyer", "Grace Seller", "Dan Deny"] {
        assert!(login.text().contains(&format!("Continue as {name}")), "{name}: {}", login.text());
    }
    let csrf = login.csrf();
    let path = format!("{}/login", opened.path);
    ada.post(&path, &[("csrf", &csrf), ("continue_as", "nobody@acme.test")]).await.expect(422);
    let answer = ada.post(&path, &[("csrf", &csrf), ("continue_as", GRACE)]).await;
    let consent = ada.follow(&answer).await;
    assert!(consent.is_consent_page() && consent.text().contains("Zenith Lending"));
}

/// R12, wire.md part 0: in production mode nobody is offered, and nobody gets in without a password.
async fn wire_a1_production_has_no_one_click_users(world: World) {
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    let login = ada.get(&opened.path).await;
    assert!(!login.text().contains("Continue as") && !login.text().contains("Ada Buyer"), "{}", login.text());
    let csrf = login.csrf();
    let answer = ada.post(&format!("{}/login", opened.path), &[("csrf", &csrf), ("continue_as", ADA)]).await;
    assert!(answer.status == 422 && answer.is_login_page(), "{answer:?}");
    assert!(ada.jar.value("_session_").is_none());
    assert!(ada.log_in(&opened, ADA).await.is_consent_page());
}

both! {
    c5_the_cookies_are_closed_to_scripts_and_hold_only_handles,
    c6_switching_users_ends_the_session,
    c6_a_second_login_ends_the_first_session,
    c6_only_a_session_is_a_session,
    c10_a_sandbox_slows_nobody_down,
    c11_a_login_leads_to_our_own_pages_only,
    wire_a1_a_failed_login_keeps_what_was_typed,
    wire_a1_a_sandbox_offers_its_users_with_one_click,
}
both! { with support::Setup::at("http://localhost:8080"); c5_on_plain_http_the_session_can_be_kept }
both! { with support::Setup::production(); wire_a1_production_has_no_one_click_users }
both! { with super::with_a_costly_hash(); c9_an_unknown_user_looks_like_a_wrong_password }
both! { with super::three_logins_a_minute(); c10_guesses_are_counted_for_address_and_login }

/// Hashed at the cost that the decoy has too; in production mode, whose login page does not list anybody.
fn with_a_costly_hash() -> Setup {
    let from = "email = \"ada@acme.test\"\npassword_hash = \"@HASH@\"";
    Setup::production().with(from, &format!("email = \"ada@acme.test\"\npassword = \"{PASSWORD}\""))
}

fn three_logins_a_minute() -> Setup {
    Setup { limits: Limits { logins: 3, ..Limits::NONE }, ..Setup::default() }
}
