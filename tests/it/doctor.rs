//! The button doctor's reports (wire.md part E): who may send them, what the journal keeps of them, and their explanation.

use std::sync::Arc;

use leadgate::domain::doctor::Finding;
use leadgate::domain::journal::{Entry, Outcome};
use leadgate::services::journal::Query;
use serde_json::{Value, json};

use crate::support::http::{escape, from_address, request};
use crate::support::{APP_ONE, Answer, PARTNER, World, both};

const PATH: &str = "/button/report";
const TEXT: [(&str, &str); 1] = [("content-type", "text/plain;charset=UTF-8")];

/// As the page that it tells of sends it.
async fn report(world: &World, report: &Value) -> Answer {
    let origin: Vec<&str> = report["page"].as_str().unwrap_or_default().split('/').take(3).collect();
    report_from(world, &origin.join("/"), report).await
}

async fn report_from(world: &World, origin: &str, report: &Value) -> Answer {
    let headers = [("content-type", "text/plain;charset=UTF-8"), ("origin", origin)];
    world.send(request("POST", PATH, &headers, report.to_string())).await
}

fn newest(world: &World) -> Arc<Entry> {
    world.ctx.journal.list(&Query { limit: Some(1), ..Query::default() }).remove(0)
}

fn entries(world: &World) -> usize {
    world.ctx.journal.list(&Query::default()).len()
}

/// Any page is heard, unasked; it learns nothing.
async fn e_a_report_is_heard_from_any_origin(world: World) {
    let page = format!("{PARTNER}/sign-in");
    let problem = json!({"problem": "unknown_button", "page": page, "btn": "btn-oen", "detail": "x"});
    let answer = report(&world, &problem).await.expect(204);
    assert!(answer.body.is_empty() && answer.set_cookies().is_empty());
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("cross-origin-resource-policy", "cross-origin"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    let entry = newest(&world);
    let why = entry.why.as_ref().unwrap();
    assert_eq!((entry.outcome, why.rule.as_ref()), (Outcome::Refused, "doctor.unknown_button"));
    assert_eq!((why.nearest.as_deref(), entry.button.as_deref()), (Some("btn-one"), Some("btn-oen")));
    assert!(why.message.contains(&page) && why.message.ends_with("[x]"), "{}", why.message);
    assert_eq!(entry.app, None, "two applications have buttons on that page");

    let fact = json!({"fact": "callback_valid", "page": page, "btn": "btn-one", "detail": "auto"});
    report(&world, &fact).await.expect(204);
    let entry = newest(&world);
    assert_eq!((entry.outcome, entry.why.as_ref().unwrap().rule.as_ref()), (Outcome::Ok, "doctor.callback_valid"));
    assert_eq!((entry.app.as_ref().unwrap().as_str(), entry.endpoint.as_str()), (APP_ONE, "report"));
}

/// Whose page it is: the button's, or the only application's on that origin.
async fn e_a_report_belongs_to_an_application_where_that_is_certain(world: World) {
    for (origin, button, app) in [
        ("https://other.test", None, Some(APP_ONE)),
        (PARTNER, None, None),
        ("https://stranger.test", None, None),
        ("https://stranger.test", Some("btn-one"), Some(APP_ONE)),
    ] {
        let mut body = json!({"problem": "framed", "page": format!("{origin}/")});
        if let Some(button) = button {
            body["btn"] = json!(button);
        }
        report(&world, &body).await.expect(204);
        assert_eq!(newest(&world).app.as_ref().map(|app| app.as_str()), app, "{origin} {button:?}");
    }
}

/// What was probably meant: an origin of the same host, a registered address.
async fn e_a_report_names_what_is_nearest(world: World) {
    for (problem, page, nearest) in [
        ("origin_not_listed", "http://partner.test/", Some(PARTNER)),
        ("origin_not_listed", "http://localhost:3000/", Some("http://localhost:9001")),
        ("return_not_registered", "https://partner.test/sign-in", Some("https://partner.test/signin")),
        ("popup_blocked", "https://partner.test/signin/", Some("https://partner.test/signin")),
        ("callback_threw", "https://partner.test/signin/", None),
    ] {
        report(&world, &json!({"problem": problem, "page": page, "btn": "btn-one"})).await.expect(204);
        assert_eq!(newest(&world).why.as_ref().unwrap().nearest.as_deref(), nearest, "{problem} {page}");
    }
}

/// Where a page's policy leaves no other way: an element's address, which answers a script without a word in it.
async fn e_a_report_may_come_by_an_element(world: World) {
    let body = json!({"problem": "csp_connect", "page": "https://other.test/"}).to_string();
    let address = format!("{PATH}?report={}", escape(&body));
    let answer = world.get(&address).await.expect(200);
    assert_eq!(answer.header("content-type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert!(answer.body.is_empty());
    assert_eq!(newest(&world).why.as_ref().unwrap().rule, "doctor.csp_connect");
    for (method, headers) in [("HEAD", vec![]), ("GET", vec![("sec-purpose", "prefetch")])] {
        world.send(request(method, &address, &headers, "")).await.expect(204);
        assert!(newest(&world).why.is_none());
    }
    for wrong in ["", "?report=", "?report=%7B%7D", "?reprot=x", &format!("?report={body}&report={body}")] {
        world.get(&format!("{PATH}{}", wrong.replace('"', "%22"))).await.expect(400);
    }
    let long = json!({"problem": "framed", "page": "https://other.test/", "detail": "x".repeat(5_000)}).to_string();
    world.get(&format!("{PATH}?report={}", escape(&long))).await.expect(400);
}

/// Known codes, known members, bounded texts; no address with a query or a fragment.
async fn e_what_is_no_report_is_refused(world: World) {
    let page = "https://partner.test/";
    for wrong in [
        json!({"problem": "something", "page": page}),
        json!({"problem": "callback_valid", "page": page}),
        json!({"fact": "no_button", "page": page}),
        json!({"problem": "no_button", "fact": "button_found", "page": page}),
        json!({"page": page}),
        json!({"problem": "no_button"}),
        json!({"problem": "no_button", "page": page, "token": "x"}),
        json!({"problem": "disconnect_event", "page": page}),
        json!({"problem": "server_unreachable", "page": page}),
        json!({"problem": "no_button", "page": "https://partner.test/?code=x"}),
        json!({"problem": "no_button", "page": "https://partner.test/#x"}),
        json!({"problem": "no_button", "page": "partner.test"}),
        json!({"problem": "no_button", "page": page, "detail": "a\nb"}),
        json!({"problem": "no_button", "page": page, "btn": "x".repeat(501)}),
        json!({"problem": "no_button", "page": page, "btn": 7}),
        json!([]),
        json!("no_button"),
    ] {
        let answer = report(&world, &wrong).await.expect(400);
        assert!(answer.body.is_empty());
        assert!(newest(&world).why.as_ref().is_none_or(|why| Finding::of_rule(&why.rule).is_none()), "{wrong}");
    }
    report(&world, &json!({"problem": "no_button", "page": page, "detail": "x".repeat(5_000)})).await.expect(413);
    let good = json!({"problem": "no_button", "page": page});
    world.post_json(PATH, &[], &good).await.expect(415);
    world.send(request("POST", PATH, &[], good.to_string())).await.expect(415);
    for method in ["PUT", "DELETE", "PATCH"] {
        world.send(request(method, PATH, &[], "")).await.expect(405);
    }
}

/// No secret of a page gets into the journal, whatever the page sends.
async fn e_a_report_keeps_no_token(world: World) {
    let token = format!("lgr_{}", "AQIDBAUGBwgJCgsMDQ4PEA".repeat(2));
    let other = "c2VjcmV0LW9mLXRoZS1wYWdl";
    let body = json!({
        "problem": "callback_threw",
        "page": format!("https://partner.test/session/{other}{other}"),
        "btn": "btn-one",
        "detail": format!("Error: {token} and {other}")
    });
    report(&world, &body).await.expect(204);
    let body = json!({"problem": "callback_threw", "page": "https://partner.test/", "btn": token, "detail": token});
    world.get(&format!("{PATH}?report={}", escape(&body.to_string()))).await.expect(200);
    let kept = format!("{:?}", world.ctx.journal.list(&Query::default()));
    assert!(kept.contains("doctor.callback_threw"));
    assert!(!kept.contains(&token) && !kept.contains(other), "{kept}");
}

/// A page speaks for itself: another's check cannot be made to pass, or to fail.
async fn e_nobody_reports_for_another_page(world: World) {
    let body = json!({"fact": "callback_valid", "page": "https://partner.test/", "btn": "btn-one"});
    report_from(&world, "https://evil.example", &body).await.expect(403);
    let from = [("referer", "https://evil.example/x")];
    let path = format!("{PATH}?report={}", escape(&body.to_string()));
    world.send(request("GET", &path, &from, "")).await.expect(403);
    assert!(newest(&world).app.is_none(), "it counts for no application");
    report_from(&world, "null", &json!({"problem": "framed", "page": "file:"})).await.expect(204);
}

/// One address cannot fill the journal; what is too much is not in it.
async fn e_pages_cannot_fill_the_journal(world: World) {
    let body = json!({"problem": "framed", "page": "https://partner.test/"}).to_string();
    let mut statuses = Vec::new();
    for _ in 0..700 {
        statuses.push(world.send(from_address(request("POST", PATH, &TEXT, body.clone()), 7)).await.status);
    }
    let heard = statuses.iter().filter(|status| **status == 204).count();
    assert!(heard >= 600 && statuses.contains(&429), "{heard}");
    assert_eq!(entries(&world), heard);
    world.send(from_address(request("POST", PATH, &TEXT, body), 8)).await.expect(204);
}

/// The page that the console's links lead to, in both languages; reading it is no business of the journal.
async fn e_every_code_is_explained(world: World) {
    for (language, words) in [("en", "What to do"), ("es", "Qué hacer")] {
        let page = world.send(request("GET", "/doctor", &[("accept-language", language)], "")).await.expect(200);
        for finding in Finding::ALL {
            assert!(page.text().contains(&format!("id=\"{}\"", finding.as_str())), "{finding:?}");
        }
        assert!(page.text().contains(words));
        assert!(page.header("content-security-policy").unwrap().contains("default-src 'none'"));
    }
    assert_eq!(entries(&world), 0);
}

/// Production knows no doctor.
async fn e_production_has_no_doctor(world: World) {
    let body = json!({"problem": "framed", "page": "https://partner.test/"});
    assert_eq!(report(&world, &body).await.expect(404).json()["error"], "not_found");
    world.get(&format!("{PATH}?report={}", escape(&body.to_string()))).await.expect(404);
    world.get("/doctor").await.expect(404);
}

both! {
    e_a_report_is_heard_from_any_origin,
    e_a_report_belongs_to_an_application_where_that_is_certain,
    e_a_report_names_what_is_nearest,
    e_a_report_may_come_by_an_element,
    e_what_is_no_report_is_refused,
    e_a_report_keeps_no_token,
    e_nobody_reports_for_another_page,
    e_pages_cannot_fill_the_journal,
    e_every_code_is_explained,
}
both! { with support::Setup::production(); e_production_has_no_doctor }

/// The page of the documentation has a section for each code, and no other.
#[test]
fn e_the_documentation_explains_every_code() {
    let text = include_str!("../../docs/button-doctor.md");
    let mut sections: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let mut codes: Vec<&str> = Finding::problems().map(Finding::as_str).collect();
    sections.sort_unstable();
    codes.sort_unstable();
    assert_eq!(sections, codes);
    for fact in Finding::ALL.into_iter().filter(|finding| finding.is_fact()) {
        assert!(text.contains(&format!("| `{}` |", fact.as_str())), "{fact:?}");
    }
}
