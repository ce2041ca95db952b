//! JSONP at the disconnect (wire.md A3, rules O).

use crate::support::http::{escape, request};
use crate::support::{ADA, APP_ONE, Answer, Click, PARTNER, World, both, connect_by_api};

const DISCONNECT: &str = "/authorize/disconnectapplicationtoken";

#[track_caller]
fn assert_script(answer: &Answer, name: &str, json: &str) {
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text(), format!("/**/typeof {name}===\"function\"&&{name}({json});"));
    for (header, value) in [
        ("content-type", "text/javascript; charset=utf-8"),
        ("content-disposition", "attachment; filename=\"f.txt\""),
        ("cache-control", "no-store"),
        ("pragma", "no-cache"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-robots-tag", "noindex"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
        ("cross-origin-resource-policy", "cross-origin"),
    ] {
        assert_eq!(answer.header(header), Some(value), "{header}");
    }
    assert!(answer.set_cookies().is_empty());
}

/// O1, wire.md A3: with a callback a script, without one JSON; jQuery's `_` is ignored.
async fn o1_a_callback_makes_the_answer_a_script(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    let path = format!("{DISCONNECT}/{}", tokens.refresh);
    let plain = world.get(&format!("{DISCONNECT}/x?_=1700000000000")).await.expect(200);
    assert_eq!(plain.header("content-type"), Some("application/json"));
    let answer = world.get(&format!("{path}?callback=jQuery1124_1&_=1700000000000")).await;
    assert_script(&answer, "jQuery1124_1", "{\"valid\":true,\"errorMessage\":null}");
    world.me(&tokens.access).await.expect(401);
}

/// O2, O4: dotted names pass; a business error is 200, because a page cannot see other statuses.
async fn o2_o4_names_pass_and_business_errors_are_200(world: World) {
    let sentence = world.get(&format!("{DISCONNECT}/x")).await.json()["errorMessage"].as_str().unwrap().to_owned();
    let json = format!("{{\"valid\":false,\"errorMessage\":\"{sentence}\"}}");
    let part = "a".repeat(64);
    let longest = [part.as_str(); 5].join(".");
    for name in ["cb", "$", "_", "$.each", "package.myCallback", "a.b.c.d.e", "jQuery370_17", "CWS0123456789", &longest]
    {
        assert_script(&world.get(&format!("{DISCONNECT}/x?callback={name}")).await, name, &json);
    }
}

/// O2, O3: anything else is 400 in JSON, is not echoed, and ends nothing.
async fn o3_what_is_no_name_is_refused_and_not_echoed(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    let path = format!("{DISCONNECT}/{}", tokens.refresh);
    let mut queries: Vec<String> = [
        "alert(1)//",
        "a;b",
        "a(",
        "a\n",
        "\n",
        "</script>",
        "a\u{2028}",
        "a[0]",
        "a['b']",
        "a b",
        "1a",
        ".a",
        "a.",
        "a..b",
        "a.b.c.d.e.f",
        "ä",
        "a\u{0}",
        "MARKER-x",
        "MARKER`",
        "'MARKER'",
        "\u{feff}a",
        "%61",
        "function",
        "\\u0061(",
    ]
    .iter()
    .filter(|name| **name != "function")
    .map(|name| format!("callback={}", escape(name)))
    .collect();
    queries.push(format!("callback={}", "A".repeat(65)));
    queries.push(format!("callback={}", "M".repeat(10_000)));
    queries.extend(
        ["callback=", "callback", "callback[]=MARKER", "callback=a&callback=a", "callback=a&callback[]=b"]
            .map(str::to_owned),
    );
    queries.push("x=1&callback=&callback=MARKER".to_owned());
    for query in queries {
        let answer = world.get(&format!("{path}?{query}")).await.expect(400);
        crate::authorize::assert_a4(&answer);
        assert_eq!(answer.json()["valid"], false, "{query}");
        assert!(
            !answer.text().contains("MARKER") && !answer.text().contains("MMM") && !answer.text().contains("alert"),
            "{query}"
        );
    }
    world.me(&tokens.access).await.expect(200);
}

/// O5: the JSON inside cannot end a script, and the token is not in it at all.
async fn o5_the_json_inside_is_escaped(world: World) {
    for token in ["</script><script>MARKER", "\u{2028}MARKER", "&MARKER", "\");MARKER(\""] {
        let answer = world.get(&format!("{DISCONNECT}/{}?callback=cb", escape(token))).await.expect(200);
        let inside =
            answer.text().strip_prefix("/**/typeof cb===\"function\"&&cb(").unwrap().strip_suffix(");").unwrap();
        assert!(!inside.contains(['<', '>', '&', '\u{2028}']) && !inside.contains("MARKER"), "{inside}");
    }
}

/// O7: what the published sample really sends when it is wired to a click as shown.
async fn o7_a_clicks_event_is_explained(world: World) {
    let plain = world.get(&format!("{DISCONNECT}/[object%20Object]")).await.expect(200).json();
    assert_eq!(plain["valid"], false);
    assert!(plain["errorMessage"].as_str().unwrap().contains("event"), "{plain}");
    let answer = world.get(&format!("{DISCONNECT}/[object%20Object]?callback=cb&_=1")).await.expect(200);
    assert!(answer.text().starts_with("/**/typeof cb") && answer.text().contains("event"), "{}", answer.text());
}

/// O8: a page that includes any address of ours as a script, with the victim's cookies, learns no secret.
async fn o8_no_address_gives_a_secret_to_a_script_element(world: World) {
    let mut ada = world.actor();
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    let opened = ada.open(Click::on("btn-wide", PARTNER)).await;
    let csrf = ada.get(&opened.path).await.csrf();
    let secrets: Vec<String> = ["_session_", "_button_", "_browser_", "leadgate_r_"]
        .map(|part| ada.jar.value(part).unwrap())
        .into_iter()
        .chain([tokens.refresh, tokens.access, csrf])
        .collect();
    let evil = "https://evil.example";
    for path in [
        "/",
        "/account",
        &opened.path,
        "/v1/me",
        "/authorize/refreshaccesstoken/x",
        "/authorize/disconnectapplicationtoken/x",
        "/button/resume",
        "/button/token",
        "/.well-known/jwks.json",
        "/js/le-app-button.js",
        "/readyz",
        "/_sandbox/authorize",
    ] {
        for query in ["", "?callback=cb", "?callback=cb&btns=btn-one&btn=btn-one"] {
            let headers = [("sec-fetch-dest", "script"), ("sec-fetch-site", "cross-site"), ("referer", evil)];
            let answer = ada.send(Some(evil), request("GET", &format!("{path}{query}"), &headers, "")).await;
            for secret in &secrets {
                assert!(!answer.text().contains(secret.as_str()), "{path}");
            }
            assert!(!answer.text().contains(ADA), "{path}: {}", answer.text());
            let readable = answer.header("access-control-allow-origin");
            assert!(readable.is_none() || (readable == Some("*") && answer.set_cookies().is_empty()), "{path}");
        }
    }
}

/// O9: only the disconnect knows callbacks.
async fn o9_a_callback_is_ignored_elsewhere(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    for path in [
        format!("/authorize/refreshaccesstoken/{}?appid={APP_ONE}&callback=MARKER", tokens.refresh),
        "/.well-known/jwks.json?callback=MARKER".to_owned(),
        "/readyz?callback=MARKER".to_owned(),
    ] {
        let answer = world.get(&path).await.expect(200);
        assert_eq!(answer.header("content-type"), Some("application/json"), "{path}");
        assert!(!answer.text().contains("MARKER"));
    }
    let bearer = format!("Bearer {}", tokens.access);
    let me = world.send(request("GET", "/v1/me?callback=MARKER", &[("authorization", &bearer)], "")).await.expect(200);
    assert!(me.json().is_object());
    let post = world.send(request("POST", &format!("{DISCONNECT}/x?callback=MARKER"), &[], "")).await.expect(200);
    assert!(!post.text().contains("MARKER"), "a script element only ever gets");
}

both! {
    o1_a_callback_makes_the_answer_a_script,
    o2_o4_names_pass_and_business_errors_are_200,
    o3_what_is_no_name_is_refused_and_not_echoed,
    o5_the_json_inside_is_escaped,
    o7_a_clicks_event_is_explained,
    o9_a_callback_is_ignored_elsewhere,
}
// Where no login page lists the sandbox's users.
both! { with support::Setup::production(); o8_no_address_gives_a_secret_to_a_script_element }
