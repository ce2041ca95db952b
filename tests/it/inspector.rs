//! The inspector's way in, and its stream of what happens (wire.md E).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::extract::ConnectInfo;
use axum::http::Request;
use futures_util::StreamExt as _;
use leadgate::services::throttle::Limits;
use leadgate::socket::Peer;
use serde_json::{Value, json};
use tokio::time::timeout;
use tower::ServiceExt as _;

use crate::support::http::{form, request};
use crate::support::{ADA, APP_ONE, Answer, ISSUER, SANDBOX_TOKEN, Setup, Tokens, World, both, connect_by_api};

const HOST: &str = "auth.test";
const LOCAL: &str = "http://localhost:8080";
const CALLED: &str = "/_sandbox/clock";

/// `name=value` of the cookie that an answer sets.
fn cookie(answer: &Answer) -> String {
    let set = answer.set_cookies();
    let [only] = set[..] else { panic!("{set:?}") };
    only.split(';').next().unwrap().to_owned()
}

async fn post_token(world: &World, headers: &[(&str, &str)], token: &str) -> Answer {
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let headers = [&kind[..], headers].concat();
    world.send(request("POST", "/inspector/session", &headers, form(&[("token", token)]))).await
}

async fn sign_in(world: &World) -> String {
    let headers = [("host", HOST), ("origin", ISSUER), ("sec-fetch-site", "same-origin")];
    let answer = post_token(world, &headers, SANDBOX_TOKEN).await;
    assert_eq!(answer.location(), "/inspector");
    cookie(&answer)
}

async fn status(world: &World, path: &str, headers: &[(&str, &str)]) -> u16 {
    world.send(request("GET", path, headers, "")).await.status
}

async fn opens(world: &World, cookie: &str) -> bool {
    let headers = [("host", HOST), ("cookie", cookie), ("leadgate-inspector", "1")];
    match status(world, CALLED, &headers).await {
        200 => true,
        401 => false,
        other => panic!("{other}"),
    }
}

/// Everything has to be right: the cookie, the address, the sender, the header.
async fn e_a_session_opens_the_control_plane_to_the_inspectors_page_alone(world: World) {
    let cookie = sign_in(&world).await;
    let right = [("host", HOST), ("cookie", cookie.as_str()), ("leadgate-inspector", "1")];
    assert_eq!(status(&world, CALLED, &right).await, 200);
    let with = |name: &'static str, value: &'static str| [&right[..], &[(name, value)]].concat();
    for (headers, expected) in [
        (with("sec-fetch-site", "same-origin"), 200),
        (with("origin", ISSUER), 200),
        (with("sec-fetch-site", "cross-site"), 401),
        (with("sec-fetch-site", "same-site"), 401),
        (with("origin", "https://evil.test"), 401),
        (with("origin", "null"), 401),
        (with("host", HOST), 401),
        (right[1..].to_vec(), 401),
        (vec![right[0], right[2]], 401),
        (right[..2].to_vec(), 401),
        (vec![right[0], right[1], ("leadgate-inspector", "")], 401),
        (vec![("host", "evil.test"), right[1], right[2]], 401),
        (vec![("host", "auth.test:8080"), right[1], right[2]], 401),
        (vec![("host", "AUTH.test"), right[1], right[2]], 200),
    ] {
        assert_eq!(status(&world, CALLED, &headers).await, expected, "{headers:?}");
    }
    // The page and the stream come without the header, which a link or an EventSource cannot send.
    for (path, headers, expected) in [
        ("/inspector/events", vec![right[0], right[1], ("sec-fetch-site", "cross-site")], 403),
        ("/inspector/events", vec![("host", "evil.test"), right[1]], 403),
        ("/inspector/events", vec![right[0]], 403),
        ("/inspector/checks/nobody", vec![right[0], right[1]], 404),
    ] {
        assert_eq!(status(&world, path, &headers).await, expected, "{path} {headers:?}");
    }
    let check = format!("/inspector/checks/{APP_ONE}");
    let page = world.send(request("GET", &check, &right[..2], "")).await.expect(200);
    assert!(page.text().contains("Rate Finder"));
    let page = world.send(request("GET", &check, &right[..1], "")).await.expect(200);
    assert!(page.text().contains("name=\"token\"") && !page.text().contains("Rate Finder"), "asks for the token");
}

/// Twelve hours of the machine's time, whatever the test clock says.
async fn e_a_session_ends(world: World) {
    let cookie = sign_in(&world).await;
    world.control("POST", "/clock", &json!({"advance": "30d"})).await.expect(200);
    world.advance(12 * 3_600 - 1);
    assert!(opens(&world, &cookie).await);
    world.advance(1);
    assert!(!opens(&world, &cookie).await);
}

/// A cookie that says something else than what was given out, or was given out elsewhere, is none.
async fn e_a_session_cannot_be_made_up(world: World) {
    let cookie = sign_in(&world).await;
    let (name, value) = cookie.split_once('=').unwrap();
    let (until, mac) = value.split_once('.').unwrap();
    let later = until.parse::<i64>().unwrap() + 1;
    for forged in [
        format!("{later}.{mac}"),
        format!("{until}."),
        until.to_owned(),
        format!("{until}.{}", "A".repeat(43)),
        format!("{until}.{}", &mac[..42]),
        format!("-{value}"),
        format!(".{mac}"),
        String::new(),
        SANDBOX_TOKEN.to_owned(),
    ] {
        assert!(!opens(&world, &format!("{name}={forged}")).await, "{forged}");
    }
    // Another world has another issuer, and the same token.
    let made = world.control("POST", "/namespaces", &Value::Null).await.expect(201).json();
    let below = format!("/ns/{}", made["id"].as_str().unwrap());
    let post = request(
        "POST",
        &format!("{below}/inspector/session"),
        &[("content-type", "application/x-www-form-urlencoded"), ("host", HOST)],
        form(&[("token", SANDBOX_TOKEN)]),
    );
    let answer = world.send(post).await;
    assert_eq!(answer.location(), format!("{below}/inspector"));
    let other = self::cookie(&answer);
    let (other_name, other_value) = other.split_once('=').unwrap();
    assert_ne!(other_name, name);
    assert!(!opens(&world, &format!("{name}={other_value}")).await);
    let there = format!("{below}{CALLED}");
    let headers = |cookie| [("host", HOST), ("cookie", cookie), ("leadgate-inspector", "1")];
    assert_eq!(status(&world, &there, &headers(&other)).await, 200);
    assert_eq!(status(&world, &there, &headers(&format!("{other_name}={value}"))).await, 401);
}

/// `HttpOnly`, `SameSite=Strict`; the token is never shown.
async fn e_the_token_is_traded_for_a_cookie(world: World) {
    let headers = [("host", HOST), ("sec-fetch-site", "same-origin")];
    let answer = post_token(&world, &headers, &format!(" {SANDBOX_TOKEN}\n")).await;
    answer.location();
    let set = answer.set_cookies()[0].to_owned();
    assert!(set.starts_with("__Host-leadgate_inspector_"), "{set}");
    for attribute in ["HttpOnly", "SameSite=Strict", "Secure", "Path=/", "Max-Age=43200"] {
        assert!(set.split("; ").any(|given| given == attribute), "{attribute}: {set}");
    }
    assert!(!set.contains(SANDBOX_TOKEN) && !set.contains("Domain"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));

    for wrong in ["", "nonsense", &SANDBOX_TOKEN[1..]] {
        let answer = post_token(&world, &headers, wrong).await.expect(422);
        assert!(answer.set_cookies().is_empty() && answer.text().contains("role=\"alert\""));
    }
    for from in [
        [("host", HOST), ("sec-fetch-site", "cross-site")],
        [("host", HOST), ("sec-fetch-site", "same-site")],
        [("host", HOST), ("origin", "https://evil.test")],
        [("host", "evil.test"), ("sec-fetch-site", "same-origin")],
    ] {
        assert!(post_token(&world, &from, SANDBOX_TOKEN).await.expect(403).set_cookies().is_empty(), "{from:?}");
    }
    let page = world.send(request("GET", "/inspector", &[("host", HOST)], "")).await.expect(200);
    assert!(page.text().contains("action=\"/inspector/session\"") && page.set_cookies().is_empty());
    let elsewhere = world.send(request("GET", "/inspector", &[("host", "10.0.0.7:8080")], "")).await.expect(200);
    assert!(elsewhere.text().contains("href=\"https://auth.test/inspector\""), "says where it is");
    assert!(!elsewhere.text().contains("<form"));
    for page in [page, elsewhere] {
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("script-src 'self';"), "{policy}");
        assert!(!page.text().contains(SANDBOX_TOKEN));
    }
}

async fn e_guesses_are_limited_where_a_limit_is_set(world: World) {
    let from = |token: &str| {
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("host", HOST)];
        crate::support::http::from_address(
            request("POST", "/inspector/session", &headers, form(&[("token", token)])),
            1,
        )
    };
    for _ in 0..3 {
        world.send(from("guess")).await.expect(422);
    }
    let refused = world.send(from(SANDBOX_TOKEN)).await.expect(429);
    assert!(refused.header("retry-after").is_some() && refused.set_cookies().is_empty());
}

/// A request as it comes over a connection.
fn connected(peer: [u8; 4], headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = request("GET", "/inspector", headers, "");
    let address = SocketAddr::new(IpAddr::from(peer), 40_000);
    request.extensions_mut().insert(ConnectInfo(Peer::at(address)));
    request
}

/// On a developer's own machine it opens by itself: issuer, peer and address are all of this machine.
async fn e_on_ones_own_machine_it_opens_by_itself(world: World) {
    let (here, home) = ([127, 0, 0, 1], ("host", "localhost:8080"));
    let answer = world.send(connected(here, &[home])).await.expect(200);
    let cookie = cookie(&answer);
    assert!(answer.text().contains("id=\"rows\""));
    let headers = [home, ("cookie", cookie.as_str()), ("leadgate-inspector", "1")];
    assert_eq!(status(&world, CALLED, &headers).await, 200);
    let again = world.send(connected([10, 0, 0, 1], &headers[..2])).await.expect(200);
    assert!(again.set_cookies().is_empty() && again.text().contains("id=\"rows\""), "a session is a session");
    for (peer, headers) in [
        (here, vec![("host", "127.0.0.1:8080")]),
        (here, vec![("host", "localhost:8081")]),
        (here, vec![("host", "rebound.test:8080")]),
        (here, vec![]),
        (here, vec![home, ("x-forwarded-for", "203.0.113.7")]),
        (here, vec![home, ("forwarded", "for=203.0.113.7")]),
        ([172, 17, 0, 1], vec![home]),
    ] {
        let answer = world.send(connected(peer, &headers)).await.expect(200);
        assert!(answer.set_cookies().is_empty() && !answer.text().contains("id=\"rows\""), "{peer:?} {headers:?}");
    }
    let no_peer = world.send(request("GET", "/inspector", &[home], "")).await.expect(200);
    assert!(no_peer.set_cookies().is_empty());
}

/// Not on an issuer that others can reach, wherever the request comes from.
async fn e_on_a_server_it_asks_for_the_token(world: World) {
    let answer = world.send(connected([127, 0, 0, 1], &[("host", HOST)])).await.expect(200);
    assert!(answer.set_cookies().is_empty() && answer.text().contains("name=\"token\""));
}

async fn e_production_has_no_inspector(world: World) {
    for path in ["/inspector", "/inspector/events", "/inspector/checks/x"] {
        assert_eq!(status(&world, path, &[("host", HOST)]).await, 404, "{path}");
    }
    assert_eq!(post_token(&world, &[("host", HOST)], "").await.status, 404);
    assert!(!world.get("/").await.text().contains("/inspector"));
}

/// The stream, event by event.
struct Events {
    body: BodyDataStream,
    text: String,
}

impl Events {
    async fn open(world: &World, cookie: &str, path: &str, last: Option<&str>) -> Self {
        let mut headers = vec![("host", HOST), ("cookie", cookie)];
        headers.extend(last.map(|id| ("last-event-id", id)));
        let response = world.router.clone().oneshot(request("GET", path, &headers, "")).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body().into_data_stream(), text: String::new() }
    }

    /// The next one's type and data; `None` at the end.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                let found = field("data:").map(|data| {
                    let data: Value = serde_json::from_str(data).unwrap();
                    assert!(data["id"].is_null() || field("id:") == data["id"].as_str(), "{event}");
                    (field("event:").unwrap().to_owned(), data)
                });
                self.text = rest.to_owned();
                match found {
                    Some(found) => return Some(found),
                    None => continue,
                }
            }
            let chunk = timeout(Duration::from_secs(20), self.body.next()).await.expect("nothing came")?;
            self.text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
        }
    }

    async fn expect_start(&mut self, is_fresh: bool) {
        assert_eq!(self.next().await, Some(("start".to_owned(), json!({"fresh": is_fresh}))));
    }

    /// The endpoint and the id of the next request.
    async fn request(&mut self) -> (String, String) {
        let (kind, data) = self.next().await.unwrap();
        assert_eq!(kind, "request");
        (data["endpoint"].as_str().unwrap().to_owned(), data["id"].as_str().unwrap().to_owned())
    }
}

/// What was, what comes, what is missed meanwhile; cleared, and at its end.
async fn e_the_stream_tells_what_happens(world: World) {
    let cookie = sign_in(&world).await;
    let tokens: Tokens = connect_by_api(&world, ADA, "btn-one").await;
    world.refresh(&tokens.refresh, APP_ONE).await;
    world.me("nonsense").await;
    let mut events = Events::open(&world, &cookie, "/inspector/events", None).await;
    events.expect_start(true).await;
    assert_eq!(events.request().await.0, "refreshaccesstoken", "oldest first");
    let (endpoint, last) = events.request().await;
    assert_eq!(endpoint, "me");
    world.refresh(&tokens.refresh, APP_ONE).await;
    let (kind, data) = events.next().await.unwrap();
    assert_eq!((kind.as_str(), &data["user"]), ("request", &json!(ADA)), "whose it is was looked up");
    drop(events);

    let mut resumed = Events::open(&world, &cookie, "/inspector/events?outcome=ok", Some(&last)).await;
    resumed.expect_start(false).await;
    assert_eq!(resumed.request().await.1, data["id"].as_str().unwrap(), "what came after the last one");
    world.me("nonsense").await;
    world.refresh(&tokens.refresh, APP_ONE).await;
    let (_, newest) = resumed.request().await;
    world.control("DELETE", "/requests", &Value::Null).await.expect(204);
    resumed.expect_start(true).await;
    world.me(&tokens.access).await.expect(200);
    assert_eq!(resumed.request().await.0, "me");

    let mut elsewhere = Events::open(&world, &cookie, "/inspector/events", Some(&newest)).await;
    elsewhere.expect_start(true).await;
    assert_eq!(elsewhere.request().await.0, "me", "what it had seen is gone: from the beginning");

    world.ctx.journal.close();
    assert_eq!(resumed.next().await, None, "a server that stops is not held up");
    assert_eq!(elsewhere.next().await, None);
}

/// Who reads too slowly gets the list anew, and not with holes in it.
async fn e_who_falls_behind_begins_anew(world: World) {
    let cookie = sign_in(&world).await;
    let mut events = Events::open(&world, &cookie, "/inspector/events", None).await;
    events.expect_start(true).await;
    for _ in 0..300 {
        world.me("nonsense").await;
    }
    events.expect_start(true).await;
    let newest = world.control("GET", "/requests?limit=1", &Value::Null).await.json()["requests"][0]["id"].clone();
    for nth in 1..=200 {
        let (_, id) = events.request().await;
        assert_eq!(nth == 200, newest == id.as_str(), "the last 200, each once");
    }
    world.get("/oauth2/token").await;
    assert_eq!(events.request().await.0, "(none)");
}

async fn e_listeners_are_bounded(world: World) {
    let cookie = sign_in(&world).await;
    let mut open = Vec::new();
    let headers = [("host", HOST), ("cookie", cookie.as_str())];
    for _ in 0..256 {
        let response = world.router.clone().oneshot(request("GET", "/inspector/events", &headers, "")).await.unwrap();
        assert_eq!(response.status(), 200);
        open.push(response);
    }
    world.send(request("GET", "/inspector/events", &headers, "")).await.expect(503);
    world.control("GET", "/requests?wait=1s", &Value::Null).await.expect(503);
    world.control("GET", "/requests", &Value::Null).await.expect(200);
    open.pop();
    world.control("GET", "/requests?wait=1ms", &Value::Null).await.expect(200);
}

both! {
    e_a_session_opens_the_control_plane_to_the_inspectors_page_alone,
    e_a_session_ends,
    e_a_session_cannot_be_made_up,
    e_the_token_is_traded_for_a_cookie,
    e_on_a_server_it_asks_for_the_token,
    e_the_stream_tells_what_happens,
    e_who_falls_behind_begins_anew,
    e_listeners_are_bounded,
}
both! { with support::Setup::at(super::LOCAL); e_on_ones_own_machine_it_opens_by_itself }
both! { with super::limited(); e_guesses_are_limited_where_a_limit_is_set }
both! { with support::Setup::production(); e_production_has_no_inspector }

fn limited() -> Setup {
    Setup { limits: Limits { logins: 3, ..Limits::NONE }, ..Setup::default() }
}
