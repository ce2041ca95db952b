//! Bad input everywhere (rules R1 to R3, E6, N7): each route under each method takes malformed, oversized,
//! wrongly encoded and missing input, answers in its own form, and is never to blame (5xx) or out of its depth
//! (a panic, which would fail the test).

use axum::body::Body;
use serde_json::json;

use crate::support::http::{escape, request};
use crate::support::{ADA, Answer, Click, PARTNER, SANDBOX_TOKEN, World, both};

/// Ends an attribute, a text and a string, wherever it is put as it is.
const MARKER: &str = "zq7marker\"'><zq7marker>\\";

const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Page,
    Json,
    Problem,
    /// Files: what they are.
    Any,
}

/// Every route, with how it answers.
fn routes(flow: &str) -> Vec<(String, Form)> {
    let marker = escape(MARKER);
    let id = "01930000-0000-7000-8000-000000000000";
    [
        ("/", Form::Page),
        ("/account", Form::Page),
        ("/account/login", Form::Page),
        (&format!("/account/connections/{id}/disconnect"), Form::Page),
        (&format!("/account/connections/{marker}/disconnect"), Form::Page),
        ("/logout", Form::Page),
        (flow, Form::Page),
        (&format!("{flow}/login"), Form::Page),
        (&format!("{flow}/decision"), Form::Page),
        (&format!("{flow}/switch"), Form::Page),
        (&format!("/dialog/{marker}"), Form::Page),
        (&format!("/dialog/{marker}/login"), Form::Page),
        ("/button/authorize", Form::Page),
        ("/button/token", Form::Json),
        ("/button/resume", Form::Json),
        (&format!("/button/{marker}"), Form::Json),
        ("/authorize/refreshaccesstoken", Form::Json),
        (&format!("/authorize/refreshaccesstoken/{marker}"), Form::Json),
        ("/authorize/disconnectapplicationtoken", Form::Json),
        (&format!("/authorize/disconnectapplicationtoken/{marker}"), Form::Json),
        ("/authorize/disconnect", Form::Json),
        (&format!("/authorize/{marker}"), Form::Json),
        ("/v1/me", Form::Json),
        (&format!("/v1/{marker}"), Form::Json),
        ("/.well-known/jwks.json", Form::Json),
        (&format!("/.well-known/{marker}"), Form::Json),
        ("/.well-known/oauth-authorization-server", Form::Json),
        ("/.well-known/openid-configuration", Form::Json),
        ("/oauth/authorize", Form::Page),
        (&format!("/oauth/authorize?client_id={marker}&redirect_uri={marker}&state={marker}"), Form::Page),
        (&format!("/oauth/authorize?client_id=app-one&redirect_uri={marker}&state={marker}"), Form::Page),
        ("/oauth/token", Form::Json),
        (&format!("/oauth/token?code={marker}&client_secret={marker}"), Form::Json),
        ("/oauth/revoke", Form::Json),
        ("/oauth/introspect", Form::Json),
        ("/oauth/userinfo", Form::Json),
        ("/oauth/par", Form::Json),
        ("/oauth/device_authorization", Form::Json),
        ("/oauth/register", Form::Json),
        (&format!("/oauth/register/{marker}"), Form::Json),
        ("/oauth/logout", Form::Page),
        (&format!("/oauth/logout?post_logout_redirect_uri={marker}&id_token_hint={marker}"), Form::Page),
        ("/device", Form::Page),
        (&format!("/device?user_code={marker}"), Form::Page),
        (&format!("/oauth/{marker}"), Form::Json),
        ("/_sandbox/authorize", Form::Problem),
        ("/_sandbox/registration-tokens", Form::Problem),
        ("/_sandbox/clock", Form::Problem),
        ("/_sandbox/apps", Form::Problem),
        ("/_sandbox/apps/machine", Form::Problem),
        (&format!("/_sandbox/apps/{marker}"), Form::Problem),
        ("/_sandbox/buttons", Form::Problem),
        ("/_sandbox/buttons/btn-two", Form::Problem),
        (&format!("/_sandbox/buttons/{marker}"), Form::Problem),
        ("/_sandbox/users", Form::Problem),
        ("/_sandbox/users/deny@acme.test", Form::Problem),
        (&format!("/_sandbox/users/{marker}"), Form::Problem),
        ("/_sandbox/accounts", Form::Problem),
        ("/_sandbox/accounts/zenith", Form::Problem),
        (&format!("/_sandbox/accounts/{marker}"), Form::Problem),
        ("/_sandbox/connections", Form::Problem),
        (&format!("/_sandbox/connections/{id}"), Form::Problem),
        (&format!("/_sandbox/connections/{marker}"), Form::Problem),
        ("/_sandbox/tokens", Form::Problem),
        ("/_sandbox/tokens/expire", Form::Problem),
        ("/_sandbox/tokens/revoke", Form::Problem),
        ("/_sandbox/openapi.json", Form::Any),
        ("/_sandbox/docs", Form::Any),
        ("/_sandbox/fidelity", Form::Any),
        (&format!("/_sandbox/{marker}"), Form::Problem),
        ("/_sandbox/snapshots", Form::Problem),
        (&format!("/_sandbox/snapshots/{marker}"), Form::Problem),
        ("/_sandbox/snapshots/%ff%00", Form::Problem),
        (&format!("/_sandbox/snapshots/{marker}/restore"), Form::Problem),
        (&format!("/_sandbox/namespaces/{marker}"), Form::Problem),
        ("/_sandbox/namespaces/%ff%00", Form::Problem),
        (&format!("/ns/{marker}"), Form::Page),
        (&format!("/ns/{marker}/account"), Form::Page),
        ("/ns/%ff%00/v1/me", Form::Json),
        ("/ns/0123456789abcdef/authorize/refreshaccesstoken/x", Form::Json),
        (&format!("/ns/0123456789abcdef/_sandbox/{marker}"), Form::Problem),
        (&format!("/.well-known/openid-configuration/ns/{marker}"), Form::Json),
        (&format!("/{marker}"), Form::Page),
        (&format!("/static/{marker}"), Form::Any),
        ("/js/le-app-button.js", Form::Any),
        ("/css/le-app-button.css", Form::Any),
        ("/livez", Form::Any),
        ("/readyz", Form::Any),
    ]
    .map(|(path, form)| (path.to_owned(), form))
    .into()
}

/// Bodies with the types that they claim.
fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    const FORM: &str = "application/x-www-form-urlencoded";
    const JSON: &str = "application/json";
    let fields = [
        "csrf",
        "email",
        "password",
        "continue_as",
        "decision",
        "token",
        "btn",
        "code",
        "state",
        "origin",
        "client_id",
        "client_secret",
        "grant_type",
        "refresh_token",
        "scope",
        "redirect_uri",
        "user_code",
        "username",
    ];
    let marked: Vec<String> = fields.iter().map(|field| format!("{field}={}", escape(MARKER))).collect();
    let members = json!({
        "btn": MARKER, "code": MARKER, "code_verifier": MARKER, "btns": [MARKER, "\u{0}"], "return_to": MARKER,
        "user": MARKER, "button": MARKER, "decision": MARKER, "id": MARKER, "name": MARKER, "app": MARKER,
        "email": MARKER, "origins": [MARKER], "token": MARKER, "scopes": [MARKER], "account": MARKER,
    });
    vec![
        ("", vec![]),
        (FORM, marked.join("&").into_bytes()),
        (FORM, [marked.join("&"), marked.join("&")].join("&").into_bytes()),
        (FORM, b"csrf=%ff%fe&email=%00&password=%&&&=&=x&decision".to_vec()),
        (FORM, vec![b'a'; 65_537]),
        ("application/x-www-form-urlencoded; charset=utf-16", vec![0xff, 0xfe, 0x00, 0x80]),
        ("multipart/form-data", b"--x\r\n".to_vec()),
        (JSON, members.to_string().into_bytes()),
        (JSON, b"{\"btns\":[1e999]}".to_vec()),
        (JSON, vec![b'['; 60_000]),
        (JSON, vec![b' '; 70_000]),
        (JSON, b"\xff\xfe{".to_vec()),
        ("text/plain", MARKER.as_bytes().to_vec()),
        ("\u{7f}\u{7f}", vec![0; 10]),
    ]
}

#[track_caller]
fn assert_sound(answer: &Answer, form: Form, what: &str) {
    assert!(answer.status < 500, "{what}: {answer:?}");
    assert!(!answer.status.to_string().starts_with('1'), "{what}: {}", answer.status);
    let text = String::from_utf8_lossy(&answer.body);
    for leaked in ["panicked", "src/", "RUST_BACKTRACE", "SELECT ", "sqlx", "rejection", "Failed to "] {
        assert!(!text.contains(leaked) || form == Form::Any, "{leaked} in the answer to {what}: {text}");
    }
    let kind = answer.header("content-type").unwrap_or_default();
    if kind.starts_with("text/html") || kind.starts_with("text/javascript") {
        assert!(
            !text.contains("<zq7marker>") && !text.contains("zq7marker\"") && !text.contains("zq7marker'"),
            "{what}: {text}"
        );
    } else if text.contains("zq7marker") {
        // JSON that echoes what is documented to be echoed is never taken for anything else.
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{what}: {text}");
    }
    if let Some(location) = answer.header("location") {
        assert!(location.starts_with('/') && !location.starts_with("//"), "{what}: {location}");
    }
    for value in answer.headers.values() {
        assert!(!String::from_utf8_lossy(value.as_bytes()).contains("zq7marker"), "{what}: {:?}", answer.headers);
    }
    if !answer.body.is_empty() {
        let expected = match form {
            Form::Page => "text/html; charset=utf-8",
            Form::Json => "application/json",
            Form::Problem if answer.status < 400 => "application/json",
            Form::Problem => "application/problem+json",
            Form::Any => return,
        };
        assert_eq!(kind, expected, "{what}: {text}");
    }
}

/// What the answer may hold of what was sent: the refresh token of A2, a button's id, an e-mail address that
/// was typed. Anything else is not echoed at all.
fn may_echo(path: &str) -> bool {
    path.starts_with("/authorize/refreshaccesstoken/") || path.starts_with("/button/") || path.ends_with("/login")
}

/// R1: every route, method and body; with the cookies and origin that get past the first check, and without.
async fn r1_no_input_is_too_bad(world: World) {
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    ada.log_in(&opened, ADA).await.expect(200);
    let token = format!("Bearer {SANDBOX_TOKEN}");
    for (path, form) in routes(&opened.path) {
        for method in METHODS {
            for (i, (kind, body)) in bodies().into_iter().enumerate() {
                let mut headers: Vec<(&str, &str)> = vec![];
                if kind.is_ascii() && !kind.contains('\u{7f}') {
                    headers.push(("content-type", kind));
                }
                if path.starts_with("/button/") {
                    headers.push(("origin", PARTNER));
                }
                if form == Form::Problem {
                    headers.push(("authorization", &token));
                }
                let what = format!("{method} {path} with body {i} ({kind})");
                let answer = ada.send(None, request(method, &path, &headers, Body::from(body))).await;
                assert_sound(&answer, form, &what);
                if !may_echo(&path) {
                    assert!(!String::from_utf8_lossy(&answer.body).contains("zq7marker"), "{what}: {answer:?}");
                }
            }
        }
    }
    assert!(!ada.get("/account").await.is_login_page(), "nothing of it signed her out");
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM connections").await, 0);
}

/// N7, R1: queries and paths.
async fn n7_no_query_or_path_is_too_bad(world: World) {
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    let names = ["btn", "origin", "state", "code_challenge", "mode", "return_to", "lang", "appid", "callback", "ended"];
    let marked: Vec<String> = names.iter().map(|name| format!("{name}={}", escape(MARKER))).collect();
    let queries = [
        marked.join("&"),
        [marked.join("&"), marked.join("&")].join("&"),
        "%ff=%fe&%&=&&==&%00".to_owned(),
        "lang=%E2%80%A8&lang".to_owned(),
        format!("btn=btn-one&origin={}&lang={}", escape(PARTNER), "x".repeat(8_000)),
        "x".repeat(8_000),
        "a&".repeat(4_000),
        "a[]=1&a[b]=2&__proto__=3".to_owned(),
    ];
    for (path, form) in routes(&opened.path) {
        for method in ["GET", "HEAD", "POST"] {
            for query in &queries {
                let what = format!("{method} {path}?{}", &query[..query.len().min(60)]);
                let answer = ada.send(None, request(method, &format!("{path}?{query}"), &[], "")).await;
                // A callback that is no name is refused in JSON.
                assert_sound(&answer, form, &what);
                if !may_echo(&path) {
                    assert!(!String::from_utf8_lossy(&answer.body).contains("zq7marker"), "{what}");
                }
            }
        }
    }
    let long = "x".repeat(8_192);
    for path in [
        format!("/{long}"),
        format!("/dialog/{long}"),
        format!("/dialog/{long}/login"),
        format!("/static/{long}"),
        format!("/account/connections/{long}/disconnect"),
        "/dialog/%ff".to_owned(),
        "/account/connections/%ff%fe/disconnect".to_owned(),
        "/static/%ff".to_owned(),
        "/static/..%2f..%2fCargo.toml".to_owned(),
        "/static/%2e%2e/%2e%2e/etc/passwd".to_owned(),
        "/static/".to_owned(),
        "/dialog/".to_owned(),
        "//".to_owned(),
        "/%00".to_owned(),
        "/.%2e/".to_owned(),
        "*".to_owned(),
    ] {
        for method in ["GET", "POST"] {
            let answer = ada.send(None, request(method, &path, &[], "")).await;
            assert!((400..500).contains(&answer.status), "{method} {}: {answer:?}", &path[..path.len().min(60)]);
            assert!(!answer.text().contains("[package]") && !answer.text().contains("root:"), "{path}");
        }
    }
}

/// E6, R1: headers that no browser sends.
async fn e6_no_header_is_too_bad(world: World) {
    let long = "x".repeat(60_000);
    let cookies = "a=b; ".repeat(2_000);
    let values =
        [MARKER, "", " ", "=", ";;;;", "\u{1f}", "lgs_", "null", &long, &cookies, "\"unterminated", "a=\"b; c=d"];
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    // Without the token the control plane is one route.
    let routes = routes(&opened.path).into_iter();
    let routes = routes.filter(|(path, form)| *form != Form::Problem || path.ends_with("/authorize"));
    let routes: Vec<(String, Form)> = routes.collect();
    for (path, form) in &routes {
        let form = *form;
        for name in [
            "cookie",
            "authorization",
            "origin",
            "referer",
            "accept-language",
            "accept",
            "content-type",
            "if-none-match",
            "host",
            "x-forwarded-host",
            "x-forwarded-for",
            "forwarded",
            "sec-fetch-site",
            "sec-purpose",
            "content-length",
        ] {
            for value in values.iter().filter(|value| axum::http::HeaderValue::from_str(value).is_ok()) {
                for method in ["GET", "POST"] {
                    let answer = world.send(request(method, path, &[(name, value)], "")).await;
                    let what = format!("{method} {path} with {name}: {}", &value[..value.len().min(40)]);
                    assert_sound(&answer, form, &what);
                    let body = String::from_utf8_lossy(&answer.body);
                    assert!(
                        !body.contains("zq7marker") || may_echo(path) || path.contains("zq7marker"),
                        "{what}: {body}"
                    );
                }
            }
        }
    }
    let binary = axum::http::HeaderValue::from_bytes(b"\xff\xfe\x80").unwrap();
    for name in
        ["cookie", "authorization", "origin", "accept-language", "content-type", "sec-fetch-site", "if-none-match"]
    {
        for (path, form) in &routes {
            let mut bad = request("POST", path, &[], "");
            bad.headers_mut().insert(name, binary.clone());
            assert_sound(&world.send(bad).await, *form, &format!("{path} with a binary {name}"));
        }
    }
}

/// A7: a spoofed host changes no address that the server writes.
async fn a7_a_spoofed_host_changes_no_address(world: World) {
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    let headers = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "gopher"),
        ("forwarded", "host=evil.example;proto=http"),
        ("x-original-url", "/evil"),
    ];
    for path in
        ["/", "/account", &opened.path, &Click::on("btn-one", PARTNER).address(), "/.well-known/jwks.json", "/nothing"]
    {
        let answer = ada.send(None, request("GET", path, &headers, "")).await;
        assert!(!answer.text().contains("evil") && !answer.text().contains("gopher"), "{path}: {}", answer.text());
        assert!(answer.header("location").is_none_or(|to| !to.contains("evil")), "{path}");
    }
}

/// R3: a body over the limit is 413 in the route's own form, one at the limit is read.
async fn r3_a_body_over_the_limit_is_413(world: World) {
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    let form = "application/x-www-form-urlencoded";
    let token = format!("Bearer {SANDBOX_TOKEN}");
    let login = format!("{}/login", opened.path);
    for (path, kind, shape) in [
        (login.as_str(), form, Form::Page),
        ("/account/login", form, Form::Page),
        ("/logout", form, Form::Page),
        ("/authorize/disconnect", form, Form::Json),
        ("/button/token", "application/json", Form::Json),
        ("/button/resume", "application/json", Form::Json),
        ("/_sandbox/authorize", "application/json", Form::Problem),
    ] {
        for (size, over) in [(64 * 1024, false), (64 * 1024 + 1, true), (1024 * 1024, true)] {
            let headers = [("content-type", kind), ("origin", PARTNER), ("authorization", &token)];
            let answer = ada.send(None, request("POST", path, &headers, vec![b' '; size])).await;
            assert_eq!(answer.status == 413, over, "{path} with {size}: {}", answer.status);
            assert_sound(&answer, shape, path);
        }
    }
}

both! {
    r1_no_input_is_too_bad,
    n7_no_query_or_path_is_too_bad,
    e6_no_header_is_too_bad,
    a7_a_spoofed_host_changes_no_address,
    r3_a_body_over_the_limit_is_413,
}
