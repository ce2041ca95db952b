//! A request's id: whose it is, and where it is found again.

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;

use crate::sandbox::support::assert_problem;
use crate::support::http::{from_address, request};
use crate::support::program::Directory;
use crate::support::{Setup, World, both};

const GIVEN: &str = "019aa1b2c3d47e5f8a9b0c1d2e3f4a5b";
const PROXY: u8 = 1;

fn with_id(id: &str) -> Request<Body> {
    request("GET", "/v1/me", &[("host", "localhost"), ("x-request-id", id)], "")
}

/// Of a proxy of the operator's it is taken, as it is written; of anybody else it is not.
async fn part_g_a_trusted_proxys_id_is_the_requests(world: World) {
    let hyphens = "019AA1B2-C3D4-7E5F-8A9B-0C1D2E3F4A5C";
    for id in [GIVEN, hyphens] {
        let answer = world.send(from_address(with_id(id), PROXY)).await.expect(401);
        assert_eq!(answer.header("x-request-id"), Some(id));
        let found = world.show(&format!("/requests/{id}")).await.expect(200).json();
        assert_eq!(found["route"], "/v1/me", "the journal has it under that id: {found}");
    }
    for (id, from) in [(GIVEN, 2), ("made-up", PROXY), ("019aa1b2c3d47e5f8a9b0c1d2e3f4a5", PROXY), ("", PROXY)] {
        let answer = world.send(from_address(with_id(id), from)).await.expect(401);
        let ours = answer.header("x-request-id").unwrap();
        assert!(ours != id && ours.len() == 32, "{id:?} from {from}: {ours}");
    }
    // Without an address nobody is believed.
    assert_ne!(world.send(with_id(GIVEN)).await.header("x-request-id"), Some(GIVEN));
}

/// Each form of an error has it where its form has room: the header always, problems and pages also in the body.
async fn part_g_errors_show_the_requests_id(world: World) {
    let problem = world.plane("GET", "/users/nobody@acme.test", None).await;
    assert_problem(&problem, 404);
    assert_eq!(problem.json()["request_id"], problem.header("x-request-id").unwrap());
    assert_eq!(problem.header("content-length"), Some(problem.text().len().to_string().as_str()));
    let head = world.send(request("HEAD", "/_sandbox/users", &[("host", "localhost")], "")).await;
    assert!(head.status == 401 && head.text().is_empty(), "{head:?}");
    let page = world.get("/nowhere").await.expect(404);
    assert!(page.text().contains(page.header("x-request-id").unwrap()), "{}", page.text());
    let keys = world.refresh("nonsense", "nonsense").await;
    assert!(keys.header("x-request-id").is_some());
    assert_eq!(keys.json().as_object().map(serde_json::Map::len), Some(5), "LeadExec's five keys stay five");
}

fn behind_a_proxy() -> Setup {
    Setup { trusted_proxies: "192.0.2.1", ..Setup::default() }
}

both! { with super::behind_a_proxy(); part_g_a_trusted_proxys_id_is_the_requests }
both! { part_g_errors_show_the_requests_id }

/// Both forms of the log have the id in the line of a refusal.
#[test]
fn part_g_the_log_has_the_requests_id_in_either_form() {
    for format in ["json", "text"] {
        let directory = Directory::new();
        let server = directory.serve(&["--log-format", format]);
        let reply = server.get("/authorize/refreshaccesstoken/nonsense?appid=nonsense");
        let id = reply.head.lines().find_map(|line| line.strip_prefix("x-request-id: ")).unwrap().to_owned();
        let log = server.log();
        let line = log.lines().find(|line| line.contains(&id)).unwrap_or_else(|| panic!("{id}: {log}"));
        assert!(line.contains("refused"), "{line}");
        if format == "json" {
            let line: Value = serde_json::from_str(line).unwrap();
            assert_eq!((&line["span"]["id"], &line["message"]), (&Value::from(id), &Value::from("refused")), "{line}");
        }
    }
}
