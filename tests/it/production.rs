//! Production mode, as an operator starts it: what is there, and what is not.

use std::process::Stdio;

use leadgate::web::urls::route;
use serde_json::json;

use crate::support::http::{form, request};
use crate::support::program::{Directory, Owned, Reply, exchange, free_port};
use crate::support::{ADA, Answer, PASSWORD, World, both};

/// What a browser sends to a server behind a proxy that ends TLS.
fn ask(listen: &str, method: &str, path: &str, headers: &str, body: &str) -> Reply {
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: auth.example.com\r\nConnection: close\r\n{headers}");
    exchange(listen, format!("{head}Content-Length: {length}\r\n\r\n{body}").as_bytes()).unwrap()
}

/// The value of a header, where it is there.
fn header<'r>(reply: &'r Reply, name: &str) -> Option<&'r str> {
    let lines = reply.head.lines().filter_map(|line| line.split_once(": "));
    lines.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// A path of this route.
fn example(route: &str) -> String {
    let id = "01930000-0000-7000-8000-000000000000";
    let segment = |segment: &str| if segment.starts_with('{') { id.to_owned() } else { segment.to_owned() };
    route.split('/').map(segment).collect::<Vec<_>>().join("/")
}

fn is_of_the_sandbox(route: &str) -> bool {
    ["/_sandbox", "/inspector", "/doctor", "/button/report"].iter().any(|prefix| route.starts_with(prefix))
}

/// R12, C5: the first start of an empty server in production: nobody is there, nothing of the sandbox is, and the first
/// administrator comes from the server's own machine.
#[test]
fn r12_c5_a_first_start_in_production_lets_nobody_in() {
    const ISSUER: [&str; 2] = ["--issuer", "https://auth.example.com"];
    let directory = Directory::new();
    let listen = format!("127.0.0.1:{}", free_port());
    let arguments = [&["serve", "--listen", &listen][..], &ISSUER].concat();
    let (out, errors) = (directory.path("out"), directory.path("errors"));
    let mut command = directory.command(&arguments);
    command.stdout(std::fs::File::create(&out).unwrap()).stderr(std::fs::File::create(&errors).unwrap());
    let _child = Owned(command.stdin(Stdio::null()).spawn().unwrap());
    assert_eq!(directory.run(&["healthcheck", "--listen", &listen, "--wait", "30"]).code, 0);

    for list in ["user", "app", "button", "account"] {
        assert_eq!(directory.json(&[&[list, "list"][..], &ISSUER].concat()), json!([]), "{list}");
    }
    for route in route::ALL.iter().filter(|route| is_of_the_sandbox(route)) {
        for method in ["GET", "POST", "PUT", "DELETE"] {
            let reply = ask(&listen, method, &example(route), "Authorization: Bearer lgx_x\r\n", "");
            assert_eq!(reply.status, 404, "{method} {route}");
        }
    }
    let login = ask(&listen, "GET", "/account", "", "");
    assert_eq!(header(&login, "strict-transport-security"), Some("max-age=31536000"));
    let cookie = header(&login, "set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-") && cookie.contains("; Secure"), "{cookie}");
    assert!(cookie.contains("; HttpOnly") && cookie.contains("; Path=/") && !cookie.contains("Domain"), "{cookie}");
    assert!(ask(&listen, "GET", "/sign-up", "", "").body.contains("invitation"));
    assert!(!ask(&listen, "GET", "/", "", "").body.contains(PASSWORD));

    let sign_in = |email: &str, password: &str| {
        let page = ask(&listen, "GET", "/account", "", "");
        let cookie = header(&page, "set-cookie").unwrap().split(';').next().unwrap().to_owned();
        let csrf = page.body.split_once("name=\"csrf\" value=\"").unwrap().1.split('"').next().unwrap().to_owned();
        let headers = format!(
            "Cookie: {cookie}\r\nContent-Type: application/x-www-form-urlencoded\r\nOrigin: https://auth.example.com\r\n"
        );
        ask(
            &listen,
            "POST",
            "/account/login",
            &headers,
            &form(&[("csrf", &csrf), ("email", email), ("password", password)]),
        )
    };
    assert_eq!(sign_in(ADA, PASSWORD).status, 422, "who is in the demonstration is not here");
    directory.json(&[&["account", "add", "Operations", "--id", "operations"][..], &ISSUER].concat());
    let root = ["user", "add", "root@example.com", "--name", "Ruth Root", "--account", "operations", "--role", "admin"];
    let made = directory.json(&[&root[..], &ISSUER].concat());
    let password = made["password"].as_str().unwrap();
    let signed_in = sign_in("root@example.com", password);
    assert_eq!((signed_in.status, header(&signed_in, "location")), (303, Some("/account")));
    let said = [out, errors].map(|file| std::fs::read_to_string(file).unwrap());
    assert!(!said[0].to_lowercase().contains("token"), "{}", said[0]);
    assert!(!said[1].contains(password) && said[1].contains("--trusted-proxies"), "{}", said[1]);
}

/// R12: what is not safe is refused before anything is listened on, and the message says what to do.
#[test]
fn r12_production_says_what_to_do() {
    let directory = Directory::new();
    for (arguments, words) in [
        (&["--issuer", "http://auth.example.com"][..], &["production mode", "https"][..]),
        (&["--mode", "production"], &["production mode", "https", "sandbox"]),
        (&["--issuer", "https://auth.example.com", "--sandbox-token", "lgx_x"], &["sandbox_token", "no control plane"]),
        (&["--issuer", "https://auth.example.com", "--database-url", "postgres://h/d"], &["master_key"]),
        (&["--trusted-proxies", "0.0.0.0/0"], &["trusted_proxies", "everybody"]),
        (&["--proxy-header", "x-real-ip"], &["proxy_header", "`x-forwarded-for` or `forwarded`"]),
    ] {
        let ran = directory.run(&[&["serve", "--listen", "127.0.0.1:0"], arguments].concat());
        assert!(ran.code > 0, "{arguments:?}");
        for word in words {
            assert!(ran.errors.contains(word), "{arguments:?}: {}", ran.errors);
        }
        assert!(!ran.errors.contains("lgx_x"), "{}", ran.errors);
    }
}

/// What is wrong with the headers of an answer of this route.
fn faults(answer: &Answer, route: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut want = |name: &str, is_good: &dyn Fn(&str) -> bool| {
        if !answer.header(name).is_some_and(is_good) {
            faults.push(format!("{name}: {:?}", answer.header(name)));
        }
    };
    want("x-content-type-options", &|value| value == "nosniff");
    want("x-request-id", &|value| !value.is_empty());
    let kind = answer.header("content-type").unwrap_or_default();
    if kind.starts_with("text/html") {
        want("x-frame-options", &|value| value == "DENY");
        // The documentation has nothing of anybody's: a browser keeps it, and asks each time.
        let is_kept = answer.status == 200 && route.starts_with(route::DOCS);
        want("cache-control", &|value| value == if is_kept { "private, no-cache" } else { "no-store" });
        want("referrer-policy", &|value| ["same-origin", "no-referrer"].contains(&value));
        want("cross-origin-opener-policy", &|value| !value.is_empty());
        want("permissions-policy", &|value| value.contains("camera=()"));
        want("content-security-policy", &|value| {
            let closed = ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'"];
            closed.iter().all(|part| value.contains(part)) && !value.contains("unsafe") && !value.contains('*')
        });
    }
    let revealing = ["server", "x-powered-by", "via"].into_iter().filter(|name| answer.header(name).is_some());
    faults.extend(revealing.map(|name| format!("{name} is there")));
    if answer.set_cookies().iter().any(|cookie| !cookie.starts_with("__Host-") && !cookie.starts_with("__Secure-")) {
        faults.push(format!("{:?}", answer.set_cookies()));
    }
    if answer.status >= 500 {
        faults.push(format!("status {}", answer.status));
    }
    faults
}

/// C1 to C5: each route, to anybody and to an administrator, has the headers that its form needs, whatever it answers.
async fn c1_c2_c3_c5_every_route_is_guarded(world: World) {
    guarded(world).await;
}

/// The same where there is no control plane, and browsers are told to come over https alone.
async fn c1_c2_c3_c5_every_route_is_guarded_in_production(world: World) {
    guarded(world).await;
}

async fn guarded(world: World) {
    // A sandbox may bear a name that is somebody else's, of which a browser should remember nothing.
    let only_https = (!world.setup.is_sandbox).then_some("max-age=31536000");
    let mut root = world.actor();
    if world.setup.is_sandbox {
        root = world.admin().await;
    }
    let mut anybody = world.actor();
    let mut wrong = Vec::new();
    for route in route::ALL {
        // They go on for as long as somebody listens.
        if ["/inspector/events", "/_sandbox/listeners/{id}/messages"].contains(route) {
            continue;
        }
        let path = example(route);
        for method in ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
            for who in [&mut anybody, &mut root] {
                // Whoever signs out is nobody afterwards.
                if *route == route::LOGOUT || method == "POST" && path.starts_with("/_sandbox/reset") {
                    continue;
                }
                let answer = who.send(None, request(method, &path, &[("accept", "text/html")], "")).await;
                wrong.extend(faults(&answer, route).into_iter().map(|fault| format!("{method} {route}: {fault}")));
                if answer.header("strict-transport-security") != only_https {
                    wrong.push(format!("{method} {route}: strict-transport-security"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

both! { c1_c2_c3_c5_every_route_is_guarded }
both! { with support::Setup::production(); c1_c2_c3_c5_every_route_is_guarded_in_production }

mod in_production {
    use crate::support;

    #[tokio::test]
    async fn c1_c2_c3_c5_every_route_is_guarded() {
        let test = super::c1_c2_c3_c5_every_route_is_guarded;
        support::run(support::Kind::Sqlite, support::Setup::production(), test).await;
    }
}
