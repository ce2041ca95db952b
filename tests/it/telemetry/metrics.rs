//! What is counted, and who may see it.

use leadgate::telemetry::{ALL, PROCESS};
use leadgate::web::urls::route;

use super::scraped::Scraped;
use crate::oauth::support::{FORM, basic};
use crate::support::http::request;
use crate::support::program::{Directory, Server, exchange};
use crate::support::{ADA, APP_ONE, APP_TWO, Click, Kind, PARTNER, PASSWORD, Setup, World, both, run};

fn at_home() -> Setup {
    Setup::at("http://localhost:8080")
}

/// Each thing once or twice, and the metric that tells of it.
async fn part_g_what_happens_is_counted(world: World) {
    let before = Scraped::of(&world).await;
    let mut ada = world.actor();
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    world.refresh(&tokens.refresh, APP_ONE).await.expect(200);
    world.refresh(&tokens.refresh, APP_ONE).await.expect(200);
    world.refresh(&tokens.refresh, APP_TWO).await.expect(200);
    world.me(&tokens.access).await.expect(200);
    world.me("nonsense").await.expect(401);
    let basic = basic("machine", "machine-client-secret");
    let headers = [("host", "localhost"), ("authorization", &*basic), ("content-type", FORM)];
    world.send(request("POST", "/oauth/token", &headers, "grant_type=client_credentials")).await.expect(200);
    let mut stranger = world.actor();
    let opened = stranger.open(Click::on("btn-one", PARTNER)).await;
    stranger.post_login(&opened, ADA, "wrong").await;
    world.disconnect(&tokens.refresh).await.expect(200);
    world.get("/nowhere").await.expect(404);
    let after = Scraped::of(&world).await;
    let grew = |name: &str, labels: &[(&str, &str)]| after.value(name, labels) - before.value(name, labels);
    let expect = |name: &str, labels: &[(&str, &str)], least: f64| {
        let grown = grew(name, labels);
        assert!(grown >= least, "{name} {labels:?}: {grown}\n{}", after.0);
    };
    let refresh = ("route", "/authorize/refreshaccesstoken/{*token}");
    let requests = "leadgate_http_requests_total";
    expect(requests, &[("method", "GET"), refresh, ("status", "2xx")], 3.0);
    expect(requests, &[("method", "GET"), ("route", "/v1/me"), ("status", "4xx")], 1.0);
    expect(requests, &[("route", "(none)"), ("status", "4xx")], 1.0);
    expect("leadgate_http_request_duration_seconds_count", &[refresh], 3.0);
    expect("leadgate_http_request_duration_seconds_bucket", &[refresh, ("le", "+Inf")], 3.0);
    expect("leadgate_tokens_issued_total", &[("grant", "refreshaccesstoken")], 2.0);
    expect("leadgate_tokens_issued_total", &[("grant", "button")], 1.0);
    expect("leadgate_tokens_issued_total", &[("grant", "client_credentials")], 1.0);
    let refused = [("endpoint", "refreshaccesstoken"), ("reason", "refresh_token.other_app")];
    expect("leadgate_refusals_total", &refused, 1.0);
    expect("leadgate_sign_ins_total", &[("kind", "button"), ("outcome", "begun")], 2.0);
    expect("leadgate_sign_ins_total", &[("kind", "button"), ("outcome", "allowed")], 1.0);
    expect("leadgate_logins_total", &[("outcome", "ok")], 1.0);
    expect("leadgate_logins_total", &[("outcome", "refused")], 1.0);
    expect("leadgate_disconnects_total", &[("by", "partner")], 1.0);
    expect("leadgate_store_commit_duration_seconds_count", &[], 5.0);
    let issues = if world.ctx.store.has_shared_namespaces() { "issues" } else { "writer" };
    expect("leadgate_store_batch_size_sum", &[("queue", issues)], 3.0);
    assert_eq!(after.value("leadgate_store_up", &[]), 1.0);
    assert_eq!(after.value("leadgate_store_writable", &[]), 1.0);
    assert!(after.value("leadgate_store_connections_limit", &[]) >= 1.0);
    assert_eq!(after.value("leadgate_http_requests_in_flight", &[]), 1.0, "this scrape is one");
    assert!(after.value("leadgate_passwords_waiting_limit", &[]) > 100.0);
}

/// R13: whoever is at work on an outage sees it in the numbers.
async fn r13_a_scrape_is_answered_while_the_database_is_away(world: World) {
    world.ctx.store.close().await;
    let scraped = Scraped::of(&world).await;
    assert_eq!(scraped.value("leadgate_store_up", &[]), 0.0);
    assert!(scraped.value("leadgate_webhook_lag_seconds", &[]).is_nan(), "what is not known is no number");
}

/// N5, R13: whatever a client sends, a label says what is in our own lists.
async fn n5_r13_no_label_has_what_a_client_made_up(world: World) {
    let tokens = crate::support::connect_by_api(&world, ADA, "btn-one").await;
    world.refresh(&tokens.refresh, APP_ONE).await.expect(200);
    world.refresh(&format!("{}x", tokens.refresh), APP_ONE).await.expect(200);
    for (method, path) in [
        ("GET", "/made-up-path/lgr_secret"),
        ("MADEUP", "/authorize/refreshaccesstoken/made-up"),
        ("POST", "/oauth/token"),
        ("GET", "/button/authorize?btn=made-up"),
        ("DELETE", "/_sandbox/users/made-up"),
    ] {
        world.send(request(method, path, &[("host", "made-up"), ("content-type", FORM)], "grant_type=made-up")).await;
    }
    world.send(request("POST", "/_sandbox/namespaces", &[], "{}")).await;
    let made = world.plane("POST", "/namespaces", Some(&serde_json::json!({}))).await;
    let namespace = made.json()["id"].as_str().map(str::to_owned).unwrap_or_else(|| panic!("{made:?}"));
    world.get(&format!("/ns/{namespace}/v1/me")).await.expect(401);
    let scraped = Scraped::of(&world).await;
    for secret in [tokens.refresh.as_str(), &tokens.access, APP_ONE, ADA, "made-up", "MADEUP", PASSWORD, &namespace] {
        assert!(!scraped.0.contains(secret), "{secret}: {}", scraped.0);
    }
    let rules = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reasons.md")).unwrap();
    for (name, (labels, _)) in scraped.samples() {
        for (label, value) in labels {
            let is_known = match label.as_str() {
                "route" => value == "(none)" || route::ALL.contains(&value.as_str()),
                "method" => ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"].contains(&&*value),
                "status" => ["1xx", "2xx", "3xx", "4xx", "5xx", "abandoned"].contains(&&*value),
                "reason" => name == "leadgate_http_connections_closed_total" || rules.contains(&format!("`{value}`")),
                "le" => value == "+Inf" || value.parse::<f64>().is_ok(),
                "version" => value == env!("CARGO_PKG_VERSION"),
                _ => value.len() < 30 && value.chars().all(|c| c.is_ascii_lowercase() || "_/-0123456789".contains(c)),
            };
            assert!(is_known, "{name}: {label}={value:?}");
        }
    }
    let known = |name: &str| ALL.iter().chain(PROCESS).any(|metric| metric.name == name);
    for name in scraped.types().keys() {
        assert!(known(name), "{name} is not in the catalogue");
    }
    assert!(scraped.value("leadgate_http_requests_total", &[("method", "other")]) >= 1.0);
    assert!(scraped.value("leadgate_http_requests_total", &[("route", "/v1/me")]) >= 1.0, "the namespace's");
}

both! { with super::at_home(); part_g_what_happens_is_counted, r13_a_scrape_is_answered_while_the_database_is_away, n5_r13_no_label_has_what_a_client_made_up }

/// R13: where strangers come there are none, unless a listener of their own is asked for.
#[tokio::test]
async fn r13_metrics_are_where_strangers_do_not_come() {
    for (setup, status) in [
        (Setup::production(), 404),
        (Setup { issuer: "http://localhost:8080", ..Setup::production() }, 404),
        (Setup::at("https://auth.test"), 404),
        (at_home(), 200),
    ] {
        run(Kind::Sqlite, setup, async |world: World| drop(world.get("/metrics").await.expect(status))).await;
    }
}

/// The address that the server's log names.
fn metrics_address(server: &Server) -> String {
    let log = server.log();
    let at = log.split_once("metrics are at http://").unwrap_or_else(|| panic!("{log}")).1;
    at.split('/').next().unwrap().to_owned()
}

fn get(address: &str, path: &str) -> crate::support::program::Reply {
    exchange(address, format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes()).unwrap()
}

/// R13, as a process: its own listener serves metrics and nothing else, and the other one no metrics.
#[test]
fn r13_metrics_have_a_listener_of_their_own_when_one_is_set() {
    let directory = Directory::new();
    let server = directory.serve(&["--metrics-listen", "127.0.0.1:0"]);
    assert_eq!(server.get("/metrics").status, 404);
    let address = metrics_address(&server);
    let scraped = Scraped(get(&address, "/metrics").body);
    for metric in ALL.iter().chain(PROCESS) {
        // A route or a reason is told from its first time on.
        let later =
            ["leadgate_http_requests_total", "leadgate_http_request_duration_seconds", "leadgate_refusals_total"];
        let later = later.contains(&metric.name);
        let told = scraped.types().get(metric.name).copied();
        assert!(told == Some(metric.kind.as_str()) || later && told.is_none(), "{}: {told:?}", metric.name);
    }
    let info = [("database", "sqlite"), ("mode", "sandbox"), ("version", env!("CARGO_PKG_VERSION"))];
    assert_eq!(scraped.value("leadgate_build_info", &info), 1.0);
    assert!(scraped.value("process_resident_memory_bytes", &[]) > 1e6);
    assert!(scraped.value("leadgate_http_connections_total", &[]) >= 1.0);
    for path in ["/", "/livez", "/v1/me", "/_sandbox/users"] {
        assert_eq!(get(&address, path).status, 404, "{path}");
    }
    let taken = Directory::new().run(&["serve", "--listen", "127.0.0.1:0", "--metrics-listen", &address]);
    assert!(taken.code != 0 && taken.errors.contains("--metrics-listen"), "{}", taken.errors);
    assert!(taken.errors.contains(&address), "{}", taken.errors);
}
