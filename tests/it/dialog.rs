//! The dialog's pages: what they need, what they send, and whom they let in.

use serde_json::json;

use crate::support::http::request;
use crate::support::{ADA, APP_ONE, Answer, Click, ISSUER, OTHER, PARTNER, Tokens, World, both};

/// C1, C2, C3, C4, B20, P5: the headers of a page in the pop-up.
#[track_caller]
pub fn assert_guarded(page: &Answer) {
    assert_eq!(page.header("x-frame-options"), Some("DENY"));
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("referrer-policy"), Some("same-origin"));
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(page.header("cross-origin-opener-policy"), Some("unsafe-none"));
    assert_eq!(page.header("cross-origin-resource-policy"), Some("same-origin"));
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.header("permissions-policy").unwrap().contains("camera=()"));
    assert!(!page.headers.keys().any(|name| name.as_str().starts_with("access-control-")), "{:?}", page.headers);
    let policy = page.header("content-security-policy").unwrap();
    for directive in
        ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'", "form-action 'self'"]
    {
        assert!(policy.split("; ").any(|part| part == directive), "{directive}: {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"), "{policy}");
    assert_nothing_foreign(page);
    // A nonce only means something where each script has it and no attribute runs one.
    let nonce = policy.split("script-src 'nonce-").nth(1).unwrap().split('\'').next().unwrap();
    assert!(nonce.len() >= 22, "{nonce}");
    for tag in page.text().split("<script").skip(1) {
        assert!(tag.split('>').next().unwrap().contains(&format!("nonce=\"{nonce}\"")), "{tag}");
    }
    for attribute in [" style=", " onclick=", " onload=", "javascript:"] {
        assert!(!page.text().contains(attribute), "{attribute} in {}", page.text());
    }
}

/// C4: whatever a page loads or leads to is the server's own.
#[track_caller]
fn assert_nothing_foreign(page: &Answer) {
    for attribute in ["src=\"", "action=\"", "<link rel=\"stylesheet\" href=\""] {
        for value in page.text().split(attribute).skip(1) {
            let value = value.split('"').next().unwrap();
            assert!(value.starts_with('/') && !value.starts_with("//"), "{attribute}{value}");
        }
    }
}

/// wire.md A1: the whole way, by a person with a password.
async fn wire_a1_a_sign_in_hands_over_a_code_that_is_worth_tokens(world: World) {
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER).with("return_to", "https://partner.test/signin")).await;
    let login = ada.get(&opened.path).await.expect(200);
    assert!(login.is_login_page());
    let consent = ada.log_in(&opened, ADA).await.expect(200);
    let finished = ada.decide(&opened, &consent, "allow").await.expect(200);
    let mut handover = finished.handover().unwrap();
    let code = finished.code();
    handover["result"]["code"] = "…".into();
    let expected = json!({
        "mode": "popup", "target": PARTNER, "state": opened.click.state,
        "result": {"iss": ISSUER, "code": "…"}, "return_to": "https://partner.test/signin",
    });
    assert_eq!(handover, expected);

    let answer = ada.redeem(&opened, &code).await.expect(200);
    let result = answer.json();
    let mut keys: Vec<&str> = result.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    let all = ["authToken", "auto", "buttonId", "error", "errorMessage", "expireDate", "refreshToken", "valid"];
    assert_eq!(keys, all);
    assert_eq!((&result["buttonId"], &result["auto"]), (&json!("btn-one"), &json!(false)));
    assert!(result["error"].is_null() && result["errorMessage"].is_null(), "{result}");
    let tokens = Tokens::of(&result);
    assert_eq!(tokens.expires, "2026-11-22T10:15:30Z", "an hour from now");
    assert_eq!(world.me(&tokens.access).await.expect(200).json()["user"]["email"], ADA);
    assert_eq!(world.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], true);
}

/// C1 to C4, B20, P5.
async fn c1_c2_c3_c4_every_page_of_the_dialog_is_guarded(world: World) {
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    let login = ada.get(&opened.path).await;
    assert_guarded(&login);
    let again = ada.post_login(&opened, ADA, "wrong").await;
    assert!(again.is_login_page());
    assert_guarded(&again);
    let consent = ada.log_in(&opened, ADA).await;
    assert!(consent.is_consent_page());
    assert_guarded(&consent);
    let finished = ada.decide(&opened, &consent, "deny").await;
    assert_guarded(&finished);
    let error = ada.get("/button/authorize?btn=none").await.expect(400);
    assert_guarded(&error);
    let mut nonces: Vec<_> = [login, again, consent, finished, error]
        .iter()
        .map(|page| page.header("content-security-policy").unwrap().to_owned())
        .collect();
    nonces.dedup();
    assert_eq!(nonces.len(), 5, "a nonce is used once");
}

/// C3: the address that the browser keeps has nothing of the click's parameters, and nobody caches the hop.
async fn c3_the_click_leaves_its_parameters_behind(world: World) {
    let click = Click::on("btn-one", PARTNER);
    let answer = world.get(&click.address()).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("referrer-policy"), Some("same-origin"));
    let location = answer.location();
    assert!(!location.contains('?') && !location.contains(&click.state), "{location}");
}

/// C13, wire.md A1: the consent page says who asks, for what, for whose account, and where the answer goes.
async fn c13_the_consent_page_names_what_is_at_stake(world: World) {
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-wide", PARTNER)).await;
    let page = ada.log_in(&opened, ADA).await.expect(200);
    for named in ["Rate Finder", "Rate Finder Inc.", "Acme Mortgage", "Ada Buyer", ADA, PARTNER] {
        assert!(page.text().contains(named), "{named}: {}", page.text());
    }
    assert!(page.text().contains("title=\"account_api\"") && page.text().contains("title=\"data_api\""));
    assert!(!page.text().contains("lead_receiver"), "the button does not ask for it");
    for button in [">Allow</button>", ">Cancel</button>"] {
        assert!(page.text().contains(button), "{button}");
    }
}

/// P1: the target is the registered origin that was clicked on, and only that.
async fn p1_the_target_is_the_registered_origin(world: World) {
    for origin in [PARTNER, OTHER, "http://localhost:9001"] {
        let mut ada = world.actor();
        let opened = ada.open(Click::on("btn-one", origin)).await;
        let login = ada.get(&opened.path).await;
        let handover = login.handover().unwrap();
        assert_eq!(handover["target"], origin);
        assert!(handover["result"].is_null(), "nothing to hand over yet: {handover}");
    }
}

/// P2, P9: a page that is not listed gets an error page without anything to post, and no flow.
async fn p2_p9_an_unlisted_origin_gets_a_page_and_nothing_posted(world: World) {
    let click = |origin: &str| Click::on("btn-one", origin);
    for (origin, status) in [
        ("https://evil.example", 403),
        ("https://partner.test.evil.example", 403),
        ("https://evil.partner.test", 403),
        ("http://partner.test", 403),
        ("https://partner.test:8443", 403),
        ("https://partner.test:443", 403),
        ("https://partner.test/", 403),
        ("https://PARTNER.test", 403),
        ("https://partner.test@evil.example", 403),
        ("null", 403),
        ("*", 403),
    ] {
        let mut ada = world.actor();
        let page = ada.get(&click(origin).address()).await.expect(status);
        assert!(page.handover().is_none(), "{origin}: {}", page.text());
        assert!(page.header("location").is_none());
        assert_guarded(&page);
    }
    // A button of one application does not open for the origin of another's.
    let page = world.get(&Click::on("btn-two", OTHER).address()).await.expect(403);
    assert!(page.handover().is_none());
    let page = world.get(&Click::on("btn-none", PARTNER).address()).await.expect(400);
    assert!(page.handover().is_none());
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM flows").await, 0);
}

/// wire.md A1: a missing, repeated or malformed parameter is told on a page.
async fn wire_a1_a_click_with_a_wrong_parameter_is_told_on_a_page(world: World) {
    let good = Click::on("btn-one", PARTNER).address();
    assert_eq!(world.get(&good).await.status, 303);
    let without = |name: &str| {
        let (path, query) = good.split_once('?').unwrap();
        let kept: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with(&format!("{name}="))).collect();
        format!("{path}?{}", kept.join("&"))
    };
    for name in ["btn", "origin", "state", "code_challenge"] {
        let page = world.get(&without(name)).await;
        assert!(matches!(page.status, 400 | 403), "{name}: {}", page.status);
        assert_guarded(&page);
        world.get(&format!("{good}&{name}=x")).await.expect(400);
    }
    for (name, value) in [
        ("state", "x".repeat(513)),
        ("code_challenge", "short".to_owned()),
        ("code_challenge", "!".repeat(43)),
        ("code_challenge", "a".repeat(44)),
        ("mode", "window".to_owned()),
    ] {
        world.get(&format!("{}&{name}={value}", without(name))).await.expect(400);
    }
}

/// wire.md A1, redirect mode: the whole page comes back, to a registered address of the clicked origin only.
async fn wire_a1_redirect_mode_returns_to_a_registered_address_only(world: World) {
    let mut ada = world.actor();
    let back = "https://partner.test/signin";
    let click = Click::on("btn-one", PARTNER).with("mode", "redirect").with("return_to", back);
    let (opened, _) = ada.code(click, ADA).await;
    assert!(opened.path.starts_with("/dialog/"));
    let click = Click::on("btn-one", PARTNER).with("mode", "redirect").with("return_to", back);
    let opened = ada.open(click).await;
    let finished = ada.get(&opened.path).await.expect(200);
    assert_eq!(finished.headers.get("location"), None, "form-action 'self' would block a redirect");
    let handover = finished.handover().unwrap();
    assert_eq!((&handover["mode"], &handover["return_to"]), (&json!("redirect"), &json!(back)));
    for return_to in [
        "https://partner.test/signin/",
        "https://partner.test/SIGNIN",
        "https://partner.test/signin?x=1",
        "https://partner.test/signin#x",
        "https://partner.test/other",
        // Registered, but of another origin than the one that was clicked on.
        "https://other.test/back",
        "//evil.example",
        "javascript:alert(1)",
        "",
    ] {
        let click = Click::on("btn-one", PARTNER).with("mode", "redirect").with("return_to", return_to);
        let page = world.get(&click.address()).await.expect(400);
        assert!(page.handover().is_none(), "{return_to}");
        // In a pop-up the address only serves to recover, and is left out.
        let opened = world.actor().open(Click::on("btn-one", PARTNER).with("return_to", return_to)).await;
        assert!(!opened.path.is_empty());
    }
    world.get(&Click::on("btn-one", PARTNER).with("mode", "redirect").address()).await.expect(400);
}

/// wire.md A1: a denial hands over `access_denied`, no code, and leaves nothing behind.
async fn wire_a1_a_denial_hands_over_an_error_and_makes_no_connection(world: World) {
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    let consent = ada.log_in(&opened, ADA).await;
    let finished = ada.decide(&opened, &consent, "deny").await.expect(200);
    let handover = finished.handover().unwrap();
    assert_eq!(handover["state"], opened.click.state.as_str());
    assert_eq!((&handover["result"]["error"], &handover["result"]["iss"]), (&json!("access_denied"), &json!(ISSUER)));
    assert!(handover["result"].get("code").is_none(), "{handover}");
    for table in ["codes", "connections", "access_tokens"] {
        assert_eq!(world.database.db_count(&format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
    }
}

/// P6: a state that would break out of a script element, or of a string in it, comes back as it was.
async fn p6_a_hostile_state_comes_back_and_breaks_nothing(world: World) {
    for state in [
        "</script><script>alert(1)</script>",
        "\u{2028}\u{2029}",
        "\"'\\&amp;<!--",
        "{{7*7}}${x}",
        "é%00%3C",
        "\u{202e}x",
    ] {
        let mut click = Click::on("btn-one", PARTNER);
        state.clone_into(&mut click.state);
        let mut ada = world.actor();
        let opened = ada.open(click).await;
        let page = ada.get(&opened.path).await.expect(200);
        assert_guarded(&page);
        assert_eq!(page.handover().unwrap()["state"], state);
        assert_eq!(page.text().matches("<script").count(), page.text().matches("</script>").count());
        let inside = page.between("id=\"le-dialog\"", "</script>").unwrap();
        assert!(!inside.contains(['\u{2028}', '\u{2029}', '&']) && !inside.contains("<!--"), "{inside}");
    }
}

/// N8's rule for the dialog: what is fetched ahead, or only asked about, opens and decides nothing.
async fn n8_a_prefetch_of_the_dialog_has_no_effect(world: World) {
    let mut ada = world.actor();
    ada.connect("btn-one", PARTNER, ADA).await;
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    let click = Click::on("btn-one", PARTNER).address();
    let counted = "SELECT (SELECT COUNT(*) FROM flows) + 1000 * (SELECT COUNT(*) FROM codes)";
    let before = world.database.db_count(counted).await;
    for (method, headers) in
        [("HEAD", vec![]), ("GET", vec![("sec-purpose", "prefetch;prerender")]), ("GET", vec![("purpose", "prefetch")])]
    {
        for path in [opened.path.as_str(), &click] {
            let answer = ada.send(None, request(method, path, &headers, "")).await;
            assert!(answer.body.is_empty() && answer.set_cookies().is_empty(), "{method} {path}: {answer:?}");
            assert!(answer.header("location").is_none());
        }
    }
    assert_eq!(world.database.db_count(counted).await, before);
    ada.get(&opened.path).await.expect(200).code();
}

/// The dialog speaks the partner page's language, else the browser's.
async fn the_dialog_speaks_the_language_that_is_asked_for(world: World) {
    for (lang, accepted, expected) in [
        (Some("es-MX"), "en", "lang=\"es\""),
        (Some("en-GB"), "es", "lang=\"en\""),
        (None, "es-AR,es;q=0.9", "lang=\"es\""),
        (Some("xx"), "es", "lang=\"es\""),
        (None, "", "lang=\"en\""),
    ] {
        let mut ada = world.actor();
        let click = Click::on("btn-one", PARTNER);
        let opened = ada.open(if let Some(lang) = lang { click.with("lang", lang) } else { click }).await;
        let headers = [("accept-language", accepted)];
        let page = ada.send(None, request("GET", &opened.path, &headers, "")).await.expect(200);
        assert!(page.text().contains(expected), "{lang:?} {accepted}: {}", page.text());
    }
}

both! {
    wire_a1_a_sign_in_hands_over_a_code_that_is_worth_tokens,
    c1_c2_c3_c4_every_page_of_the_dialog_is_guarded,
    c3_the_click_leaves_its_parameters_behind,
    c13_the_consent_page_names_what_is_at_stake,
    p1_the_target_is_the_registered_origin,
    p2_p9_an_unlisted_origin_gets_a_page_and_nothing_posted,
    wire_a1_a_click_with_a_wrong_parameter_is_told_on_a_page,
    wire_a1_redirect_mode_returns_to_a_registered_address_only,
    wire_a1_a_denial_hands_over_an_error_and_makes_no_connection,
    n8_a_prefetch_of_the_dialog_has_no_effect,
    p6_a_hostile_state_comes_back_and_breaks_nothing,
    the_dialog_speaks_the_language_that_is_asked_for,
}
