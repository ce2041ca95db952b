//! A login leads to the page that was asked for, and to none but our own (rule C11).

use crate::support::http::escape;
use crate::support::{ADA, PASSWORD, World, both};

/// C11, wire.md A5: the login form stands at the address that was asked for, and leads back there.
async fn c11_a_login_leads_back_to_the_page_that_was_asked_for(world: World) {
    for page in ["/account/history", "/account/password", "/account/sessions?after=x"] {
        let mut ada = world.actor();
        let login = ada.get(page).await.expect(200);
        assert!(login.is_login_page());
        let next = login.between("name=\"next\" value=\"", "\"").unwrap().to_owned();
        assert_eq!(next, page);
        let fields = [("csrf", login.csrf()), ("next", next.clone()), ("email", ADA.to_owned())];
        let with = |password: &'static str| {
            let mut fields: Vec<(&str, String)> = fields.to_vec();
            fields.push(("password", password.to_owned()));
            fields
        };
        let wrong = with("wrong");
        let wrong: Vec<_> = wrong.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let again = ada.post("/account/login", &wrong).await.expect(422);
        assert_eq!(again.between("name=\"next\" value=\"", "\""), Some(page), "also at the second try");
        let right = with(PASSWORD);
        let right: Vec<_> = right.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = ada.post("/account/login", &right).await;
        assert_eq!(answer.location(), page);
        assert!(!ada.follow(&answer).await.expect(200).is_login_page());
    }
}

/// C11: whatever else is asked for as a way back, it is the account page.
async fn c11_no_other_way_back_is_taken(world: World) {
    for evil in [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https:evil.example",
        "https://evil.example/account",
        "%2F%2Fevil.example",
        "javascript:alert(1)",
        "/account/../../evil",
        "/account\r\nSet-Cookie: a=b",
        "/account/%2e%2e/x",
        "/account@evil.example",
        "/logout",
        "/oauth/authorize?client_id=x",
        "/account?next=//evil.example",
    ] {
        let mut ada = world.actor();
        let login = ada.get(&format!("/account/history?next={}", escape(evil))).await.expect(200);
        let next = login.between("name=\"next\" value=\"", "\"").unwrap();
        assert!(next.starts_with("/account/history"), "{evil}: {next}");
        let csrf = login.csrf();
        let fields = [("csrf", csrf.as_str()), ("next", evil), ("email", ADA), ("password", PASSWORD)];
        let answer = ada.post("/account/login", &fields).await;
        assert_eq!(answer.location(), "/account", "{evil}");
    }
}

/// C11 below a path: the way back has it once.
async fn c11_the_way_back_lies_below_the_issuer(world: World) {
    let mut ada = world.actor();
    let login = ada.get("/account/history").await.expect(200);
    assert_eq!(login.between("name=\"next\" value=\"", "\""), Some("/account/history"));
    let csrf = login.csrf();
    let fields = [("csrf", csrf.as_str()), ("next", "/account/history"), ("email", ADA), ("password", PASSWORD)];
    assert_eq!(ada.post("/account/login", &fields).await.location(), "/t1/account/history");
}

both! {
    c11_a_login_leads_back_to_the_page_that_was_asked_for,
    c11_no_other_way_back_is_taken,
}
both! { with support::Setup::at("https://auth.test/t1"); c11_the_way_back_lies_below_the_issuer }
