//! F: what is left of a refresh token when the server dies in the middle of a refresh.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::support::{FORM, challenge};
use crate::support::http::form;
use crate::support::program::{Directory, Reply, Server};
use crate::support::{Database, Kind};

const TOKEN: &str = "lgx_the-sandbox-token-of-the-crash-test";
const VERIFIER: &str = "verifier-of-the-crash-test-abcdefghijklmnopqrstuvwxyz";
const SEED: &str = r#"
[[accounts]]
id = "acme"
name = "Acme"

[[users]]
email = "ada@acme.test"
password = "correct horse"
name = "Ada"
account = "acme"

[[apps]]
id = "pocket"
name = "Pocket"
redirect_uris = ["https://pocket.test/callback"]
"#;

fn token(server: &Server, fields: &[(&str, &str)]) -> std::io::Result<Reply> {
    let fields = [fields, &[("client_id", "pocket")]].concat();
    server.send("POST", "/oauth/token", &[("Content-Type", FORM)], &form(&fields))
}

fn refresh(server: &Server, token: &str) -> std::io::Result<Reply> {
    self::token(server, &[("grant_type", "refresh_token"), ("refresh_token", token)])
}

fn refresh_token(body: &Value) -> String {
    body["refresh_token"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
}

fn connect(server: &Server) -> String {
    let address = format!(
        "/oauth/authorize?{}",
        form(&[
            ("response_type", "code"),
            ("client_id", "pocket"),
            ("redirect_uri", "https://pocket.test/callback"),
            ("code_challenge", &challenge(VERIFIER)),
            ("code_challenge_method", "S256"),
        ])
    );
    let body = json!({"user": "ada@acme.test", "decision": "allow", "authorize_url": address}).to_string();
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    let sent_to = server.send("POST", "/_sandbox/authorize", &headers, &body).unwrap().json();
    let sent_to: url::Url = sent_to["redirect_to"].as_str().unwrap_or_else(|| panic!("{sent_to}")).parse().unwrap();
    let code = sent_to.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", "https://pocket.test/callback"),
        ("code_verifier", VERIFIER),
    ];
    refresh_token(&token(server, &fields).unwrap().json())
}

/// A client that refreshes until nobody answers. The last token that it has, and the one before.
fn refresh_until_killed(server: &Server, first: String) -> (String, Option<String>) {
    let refreshed = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while refreshed.load(Ordering::Relaxed) < 20 {
                std::thread::yield_now();
            }
            let pid = server.child.0.id().to_string();
            assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
        });
        let (mut last, mut before) = (first, None);
        while let Ok(reply) = refresh(server, &last) {
            // What was cut off in the middle never came.
            let Ok(body) = serde_json::from_str::<Value>(&reply.body) else { break };
            assert_eq!(reply.status, 200, "{body}");
            before = Some(std::mem::replace(&mut last, refresh_token(&body)));
            refreshed.fetch_add(1, Ordering::Relaxed);
        }
        (last, before)
    })
}

async fn crash(kind: Kind) {
    let database = Database::make(kind).await;
    let directory = Directory::new();
    directory.write("seed.toml", SEED);
    let url = database.url();
    let arguments = ["--database-url", &url, "--seed", "seed.toml", "--sandbox-token", TOKEN];
    for _ in 0..3 {
        let mut server = directory.serve(&arguments);
        let first = connect(&server);
        let (last, before) = refresh_until_killed(&server, first);
        assert_eq!(server.exit_code(), None, "it was killed");
        let server = directory.serve(&arguments);
        // Either it was not consumed, or its successor got lost on the way and was never used.
        let next = refresh(&server, &last).unwrap();
        assert_eq!(next.status, 200, "{next:?}");
        let next = refresh(&server, &refresh_token(&next.json())).unwrap();
        assert_eq!(next.status, 200, "{next:?}");
        // Two of them never work: the one before is spent, and to present it is to end them all.
        assert_eq!(refresh(&server, &before.unwrap()).unwrap().status, 400);
        assert_eq!(refresh(&server, &refresh_token(&next.json())).unwrap().status, 400);
        server.terminate();
    }
    database.remove().await;
}

/// F10, R6: the token that the client has works after the crash, and none beside it.
#[tokio::test]
async fn f10_r6_after_a_crash_one_token_works_on_sqlite() {
    crash(Kind::Sqlite).await;
}

/// F10, R6: the same on PostgreSQL.
#[tokio::test]
async fn f10_r6_after_a_crash_one_token_works_on_postgres() {
    crash(Kind::Postgres).await;
}
