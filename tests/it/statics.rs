//! The files that pages load (rules O10, O12), the start page, and a server below a path.

use axum::http::Method;

use crate::support::http::request;
use crate::support::{ADA, Actor, Click, PARTNER, PASSWORD, Setup, World, both};

const SCRIPT: &str = "/js/le-app-button.js";
const BUTTON: &str = include_str!("../../static/le-app-button.js");
const STYLE: &str = "/css/le-app-button.css";

/// O10: any page may load the button's two files, http or https, and keep them.
async fn o10_the_buttons_files_are_for_any_page(world: World) {
    for (path, kind) in [(SCRIPT, "text/javascript; charset=utf-8"), (STYLE, "text/css; charset=utf-8")] {
        let mut ada = Actor::new(&world);
        ada.connect("btn-one", PARTNER, ADA).await;
        let headers = [("origin", "http://anything.example"), ("sec-fetch-site", "cross-site")];
        let answer = ada.send(Some("http://anything.example"), request("GET", path, &headers, "")).await.expect(200);
        for (name, value) in [
            ("content-type", kind),
            ("access-control-allow-origin", "*"),
            ("cross-origin-resource-policy", "cross-origin"),
            ("cache-control", "public, max-age=3600"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}: {name}");
        }
        assert!(answer.set_cookies().is_empty());
        assert!(answer.header("access-control-allow-credentials").is_none());
        let tag = answer.header("etag").unwrap().to_owned();
        for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let again = world.send(request("GET", path, &[("if-none-match", &known)], "")).await.expect(304);
            assert!(again.body.is_empty() && again.header("etag") == Some(&tag), "{known}");
            assert_eq!(again.header("access-control-allow-origin"), Some("*"));
        }
        world.send(request("GET", path, &[("if-none-match", "\"other\"")], "")).await.expect(200);
        assert!(world.get(&format!("{path}?v=1")).await.expect(200).body == answer.body);
        let head = world.send(request(Method::HEAD.as_str(), path, &[], "")).await.expect(200);
        assert!(head.body.is_empty(), "the script asks so whether the server can be reached");
    }
}

/// wire.md part E: a sandbox puts the button doctor in front of the script, in one file with a tag of its own.
async fn wire_e_a_sandbox_serves_the_doctor_with_the_script(world: World) {
    let answer = world.get(SCRIPT).await.expect(200);
    let (doctor, script) = answer.text().split_at(answer.body.len() - BUTTON.len());
    assert_eq!(script, BUTTON);
    assert!(doctor.ends_with(");\n") && doctor.contains(r#"(window, document, {"issuer":"https://auth.test","#));
    world.get("/static/le-app-button-doctor.js").await.expect(404);
}

/// O10: production serves the script alone.
async fn o10_production_serves_the_script_alone(world: World) {
    let answer = world.get(SCRIPT).await.expect(200);
    assert_eq!(answer.text(), BUTTON);
    let tag = answer.header("etag").unwrap();
    world.send(request("GET", SCRIPT, &[("if-none-match", tag)], "")).await.expect(304);
    assert_eq!(answer.header("cache-control"), Some("public, max-age=3600"));
}

/// O12: the script lives under a partner's policy: nothing is evaluated, nothing is written inline.
async fn o12_the_script_evaluates_nothing(world: World) {
    let script = world.get(SCRIPT).await;
    for forbidden in ["eval(", "new Function", "document.write", "innerHTML", ".style.cssText", "setAttribute('style'"]
    {
        assert!(!script.text().contains(forbidden), "{forbidden}");
    }
    let dialog = world.get("/static/dialog.js").await.expect(200);
    for forbidden in ["eval(", "new Function", "document.write", "innerHTML", "'*'", "\"*\""] {
        assert!(!dialog.text().contains(forbidden), "P1: {forbidden}");
    }
}

/// Our own pages' files are nobody else's, and nothing else is served.
async fn o10_other_files_stay_ours(world: World) {
    let mut ada = world.actor();
    let pages = [ada.get("/").await, ada.get("/account").await];
    for page in &pages {
        for part in page.text().split("=\"/static/").skip(1) {
            let path = format!("/static/{}", part.split('"').next().unwrap());
            let answer = world.get(&path).await.expect(200);
            assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"), "{path}");
            assert!(answer.header("access-control-allow-origin").is_none() && answer.header("etag").is_some());
        }
    }
    for path in
        ["/static/le-app-button.js", "/static/nothing.js", "/static/dialog", "/static/../Cargo.toml", "/js/x.js"]
    {
        world.get(path).await.expect(404);
    }
}

/// The start page of a sandbox: the button itself, and what a reader needs for a page of their own.
async fn the_start_page_of_a_sandbox_has_the_button(world: World) {
    let page = world.get("/").await.expect(200);
    for shown in [
        "btn-all",
        "0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001",
        "/js/le-app-button.js",
        "ada@acme.test",
        "Not affiliated with ClickPoint Software",
        "AuthorizeResult",
    ] {
        assert!(page.text().contains(shown), "{shown}");
    }
    assert!(!page.text().contains("rate-finder-client-secret") && !page.text().contains("$argon2id"));
    assert!(!page.text().contains(PASSWORD), "it shows the demonstration's password, and no other");
    assert_eq!(page.header("cross-origin-opener-policy"), Some("same-origin-allow-popups"), "or the pop-up is cut off");
    let policy = page.header("content-security-policy").unwrap();
    assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"), "{policy}");
}

/// Of a server in production: no button, no users, no control plane to read about.
async fn the_start_page_of_production_tells_nothing(world: World) {
    let page = world.get("/").await.expect(200);
    for hidden in ["ada@acme.test", "0c9a51ce", "btn-all", "_sandbox"] {
        assert!(!page.text().contains(hidden), "{hidden}");
    }
    assert!(page.text().contains("Not affiliated with ClickPoint Software"));
}

/// wire.md part 0: an issuer with a path has everything below it, but for the probes.
async fn part_0_an_issuer_with_a_path_has_all_below_it(world: World) {
    let mut ada = world.actor();
    let click = Click::on("btn-one", PARTNER).address();
    let answer = ada.get(&format!("/t1{click}")).await;
    let dialog = answer.location().to_owned();
    assert!(dialog.starts_with("/t1/dialog/"), "{dialog}");
    let login = ada.get(&dialog).await.expect(200);
    assert!(login.text().contains(&format!("action=\"{dialog}/login\"")) && login.text().contains("=\"/t1/static/"));
    for part in login.text().split("=\"/").skip(1) {
        assert!(part.starts_with("t1/"), "an address beside the path: {part}");
    }
    let csrf = login.csrf();
    let answer = ada.post(&format!("{dialog}/login"), &[("csrf", &csrf), ("email", ADA), ("password", PASSWORD)]).await;
    assert!(answer.set_cookies().iter().any(|cookie| cookie.contains("Path=/t1/button/resume")), "{answer:?}");
    let consent = ada.follow(&answer).await.expect(200);
    let fields = [("csrf", consent.csrf()), ("decision", "allow".to_owned())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let finished = ada.post(&format!("{dialog}/decision"), &fields).await.expect(200);
    assert_eq!(finished.handover().unwrap()["result"]["iss"], "https://auth.test/t1");
    for (path, status) in [
        ("/t1", 200),
        ("/t1/", 200),
        ("/t1/account", 200),
        ("/t1/js/le-app-button.js", 200),
        ("/t1/.well-known/jwks.json", 200),
        ("/t1/authorize/refreshaccesstoken/x", 200),
        ("/livez", 200),
        ("/readyz", 200),
        ("/account", 404),
        ("/js/le-app-button.js", 404),
        ("/authorize/refreshaccesstoken/x", 404),
    ] {
        assert_eq!(world.get(path).await.status, status, "{path}");
    }
}

both! {
    o10_the_buttons_files_are_for_any_page,
    o12_the_script_evaluates_nothing,
    wire_e_a_sandbox_serves_the_doctor_with_the_script,
    o10_other_files_stay_ours,
    the_start_page_of_a_sandbox_has_the_button,
}
both! {
    with support::Setup::production();
    the_start_page_of_production_tells_nothing,
    o10_production_serves_the_script_alone,
}
both! { with super::below_a_path(); part_0_an_issuer_with_a_path_has_all_below_it }

fn below_a_path() -> Setup {
    Setup::at("https://auth.test/t1")
}
