//! Who may see the console, and what becomes of the others.

use leadgate::domain::event::Action;

use super::APP;
use crate::support::http::{form, request};
use crate::support::{ADA, GRACE, PASSWORD, World, both};

const MEMBER: &str = "deny@acme.test";

/// C11: who is not signed in gets the login form, and then the page that was asked for.
async fn c11_a_login_leads_back_to_the_page(world: World) {
    for page in ["/console", "/console/apps/new", "/console/apps/studio/edit", "/settings/api"] {
        let mut ada = world.actor();
        let login = ada.get(page).await.expect(200);
        assert!(login.is_login_page(), "{page}");
        let next = login.between("name=\"next\" value=\"", "\"").unwrap().to_owned();
        let fields = [("csrf", &*login.csrf()), ("next", &next), ("email", ADA), ("password", PASSWORD)];
        let answer = ada.post("/account/login", &fields).await;
        assert_eq!(answer.location(), page);
        assert!(!ada.follow(&answer).await.expect(200).is_login_page());
    }
}

/// In a sandbox a member becomes a partner with one form, which is written down; before that, no form of the console works.
async fn a_member_of_a_sandbox_becomes_a_partner(world: World) {
    let mut dan = world.signed_in(MEMBER).await;
    let page = dan.get("/console").await.expect(200);
    assert!(page.text().contains("action=\"/sign-up/partner\""));
    let csrf = page.csrf();
    for action in ["/console/apps/new", "/settings/api", "/console/apps/studio/delete"] {
        dan.post(action, &[&[("csrf", csrf.as_str())], &APP[..]].concat()).await.expect(404);
    }
    assert_eq!(dan.post("/sign-up/partner", &[("csrf", &csrf)]).await.location(), "/console");
    assert!(dan.get("/console").await.expect(200).text().contains("href=\"/console/apps/new\""));
    let events = world.events(Action::UserChanged).await;
    assert_eq!((events.len(), events[0].actor.name(), events[0].target.name.as_str()), (1, MEMBER.into(), MEMBER));
    assert_eq!(events[0].changes[0].after.as_deref(), Some("partner"));
}

/// In production mode it takes an invitation.
async fn nobody_else_becomes_a_partner_by_themselves(world: World) {
    let mut dan = world.signed_in(MEMBER).await;
    let page = dan.get("/console").await.expect(403);
    assert!(!page.text().contains("action=\"/sign-up/partner\""));
    let csrf = dan.get("/account").await.expect(200).csrf();
    let answer = dan.post("/sign-up/partner", &[("csrf", &csrf)]).await;
    assert!(answer.header("location").is_none() && answer.set_cookies().is_empty(), "{answer:?}");
    dan.get("/console").await.expect(403);
    assert!(world.events(Action::UserChanged).await.is_empty());
    world.signed_in(ADA).await.get("/console").await.expect(200);
}

/// C7: each form of the console needs the CSRF token of this session, and a page of ours that it comes from.
async fn c7_no_form_of_the_console_can_be_forged(world: World) {
    let mut ada = world.signed_in(ADA).await;
    let mut grace = world.signed_in(GRACE).await;
    let button = ada.make_button("studio", &[("id", "btn-own")]).await;
    let theirs = grace.get("/console/apps/new").await.expect(200).csrf();
    let own = ada.get("/console/apps/new").await.expect(200).csrf();
    let forms = [
        "/console/apps/new".to_owned(),
        "/console/apps/studio/edit".to_owned(),
        "/console/apps/studio/secret".to_owned(),
        "/console/apps/studio/secret/previous".to_owned(),
        "/console/apps/studio/logo/remove".to_owned(),
        "/console/apps/studio/delete".to_owned(),
        "/console/apps/studio/buttons/new".to_owned(),
        format!("{button}/edit"),
        format!("{button}/delete"),
        "/settings/api".to_owned(),
    ];
    let before = world.events(Action::AppChanged).await.len();
    for action in &forms {
        let answers = [("name", "Lead Studio"), ("overlap", "0"), ("kind", "connector")];
        for wrong in ["", "x", &theirs] {
            ada.post(action, &[&[("csrf", wrong)], &answers[..]].concat()).await.expect(403);
        }
        ada.post(action, &answers).await.expect(403);
        world.actor().post(action, &[("csrf", &own)]).await.expect(403);
        let body = form(&[&[("csrf", own.as_str())], &answers[..]].concat());
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "cross-site")];
        ada.send(None, request("POST", action, &headers, body)).await.expect(403);
    }
    assert_eq!(world.events(Action::AppChanged).await.len(), before);
    assert_eq!(world.events(Action::AppSecretRotated).await.len(), 0);
    ada.get(&button).await.expect(200);
}

/// C1 to C3: no page of the console can be framed, or kept by anybody.
async fn c1_c2_c3_the_pages_are_guarded(world: World) {
    let mut ada = world.signed_in(ADA).await;
    for path in
        ["/console", "/console/apps/new", "/console/apps/studio", "/console/apps/studio/delete", "/settings/api"]
    {
        let page = ada.get(path).await.expect(200);
        assert_eq!(page.header("x-frame-options"), Some("DENY"), "{path}");
        assert_eq!(page.header("cache-control"), Some("no-store"), "{path}");
        let policy = page.header("content-security-policy").unwrap();
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    }
    ada.send(None, request("PUT", "/console", &[], "")).await.expect(405);
    ada.get("/console/nothing").await.expect(404);
    assert_eq!(
        world.control("GET", "/requests?endpoint=console", &serde_json::Value::Null).await.json()["requests"],
        serde_json::json!([])
    );
}

both!(a_member_of_a_sandbox_becomes_a_partner, c1_c2_c3_the_pages_are_guarded, c11_a_login_leads_back_to_the_page,);
both!(with crate::console::two_partners(); c7_no_form_of_the_console_can_be_forged);
both!(with support::Setup::production(); nobody_else_becomes_a_partner_by_themselves);
