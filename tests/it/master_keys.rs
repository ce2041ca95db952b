//! Master keys and signing keys are rotated by command while servers run (rules R9, R10): docs/keys.md.

use serde_json::{Value, json};

use crate::support::load::{Load, assert_kept};
use crate::support::program::{Directory, Server};
use crate::support::{Database, Kind};

const TOKEN: &str = "lgx_the-sandbox-token-of-the-master-keys";
const APP: &str = "0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001";
const KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

fn key_file(directory: &Directory, name: &str, text: &str) {
    directory.write(name, text);
    std::process::Command::new("chmod").arg("600").arg(directory.path(name)).status().unwrap();
}

/// The program on a database, with a master key file of its own.
struct Node<'d> {
    directory: &'d Directory,
    url: String,
    key: &'static str,
}

impl Node<'_> {
    fn settings(&self) -> [&str; 4] {
        ["--database-url", &self.url, "--master-key-file", self.key]
    }

    fn serve(&self) -> Server {
        self.directory.serve(&[&self.settings()[..], &["--sandbox-token", TOKEN]].concat())
    }

    fn json(&self, arguments: &[&str]) -> Value {
        self.directory.json(&[arguments, &self.settings()].concat())
    }

    fn refused(&self, arguments: &[&str], why: &str) {
        let ran = self.directory.run(&[arguments, &self.settings()].concat());
        assert!(ran.code == 1 && ran.errors.contains(why), "{arguments:?}: {} {}", ran.code, ran.errors);
    }

    /// Id, state and values of each master key.
    fn keys(&self) -> Vec<(String, String, u64)> {
        listed(&self.json(&["keys", "master", "list"]))
    }
}

fn listed(answer: &Value) -> Vec<(String, String, u64)> {
    assert_eq!(answer["lost"], 0, "{answer}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let keys = answer["keys"].as_array().unwrap().iter();
    keys.map(|key| (text(&key["id"]), text(&key["state"]), key["values"].as_u64().unwrap())).collect()
}

fn plane(server: &Server, method: &str, path: &str, body: &Value) -> Value {
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    let answer = server.send(method, &format!("/_sandbox{path}"), &headers, &body.to_string()).unwrap();
    assert!((200..300).contains(&answer.status), "{method} {path}: {answer:?}");
    serde_json::from_str(&answer.body).unwrap_or_default()
}

fn webhook(server: &Server) -> String {
    let body = json!({"app": APP, "url": "http://127.0.0.1:9/hook"});
    plane(server, "POST", "/webhooks", &body)["id"].as_str().unwrap().to_owned()
}

/// R10: the master key is rotated, and retired, while a server works on; whatever is sealed is under the new key then, also
/// in snapshots and in the worlds beside this one; no token is refused meanwhile, and none afterwards.
async fn r10_the_master_key_rotates_under_load(kind: Kind) {
    let database = Database::make(kind).await;
    let directory = Directory::new();
    key_file(&directory, "a.key", KEY);
    directory.write("password", "pa55word-of-a-delivery");
    let node = Node { directory: &directory, url: database.url(), key: "a.key" };
    let mut server = node.serve();
    let hook = webhook(&server);
    plane(&server, "POST", &format!("/webhooks/{hook}/rotate-secret"), &json!({}));
    node.json(&[
        "delivery",
        "add",
        "--name",
        "CRM",
        "--method",
        "basic",
        "--username",
        "u",
        "--password-file",
        "password",
    ]);
    node.json(&["app", "callback", "set", APP, "http://127.0.0.1:9/ask"]);
    plane(&server, "PUT", "/snapshots/before", &json!({}));
    plane(&server, "POST", "/namespaces", &json!({}));
    let before = node.keys();
    let [(old, state, values)] = &before[..] else { panic!("{before:?}") };
    // Two keys, two secrets of the webhook, delivery and call-back, and three of these again in the snapshot.
    assert!(state == "current" && *values >= 10, "{before:?}");
    node.refused(&["keys", "master", "retire", old], "seals");
    node.refused(&["keys", "master", "retire", "00000000"], "no master key");

    let load = Load::on(&server, TOKEN);
    let acknowledged = std::thread::scope(|scope| {
        load.start(scope);
        load.go_on();
        let rotated = node.json(&["keys", "master", "rotate"]);
        assert_eq!(rotated["resealed"], *values, "{rotated}");
        load.go_on();
        node.json(&["keys", "rotate"]);
        load.go_on();
        let retired = node.json(&["keys", "master", "retire", old]);
        assert_eq!(retired, json!({"retired": old}));
        load.go_on();
        load.end()
    });
    assert!(acknowledged.refused.is_empty(), "{:?}", acknowledged.refused);
    assert_kept(&server, &acknowledged);
    let after = node.keys();
    assert!(after.len() == 1 && after[0].0 != *old && after[0].1 == "current", "{after:?}");
    let text = std::fs::read_to_string(directory.path("a.key")).unwrap();
    assert!(!text.contains(KEY.trim_end_matches('=')) && text.lines().count() == 1, "the old key is gone");
    // The server that ran meanwhile seals under the new key too.
    webhook(&server);
    assert_eq!(node.keys()[0].2, after[0].2 + 1);
    plane(&server, "POST", "/snapshots/before/restore", &json!({}));
    for action in ["keys.master_rotated", "keys.master_retired"] {
        let events = node.json(&["event", "list", "--action", action]);
        assert_eq!(events.as_array().map(Vec::len), Some(1), "{events}");
    }
    server.terminate();
    assert_eq!(server.exit_code(), Some(0), "{}", server.log());
    let server = node.serve();
    assert_eq!(plane(&server, "GET", &format!("/webhooks/{hook}"), &json!({}))["id"], hook.as_str());
    let keys = node.keys();
    assert_eq!(keys.len(), 1, "and nothing is lost: {keys:?}");
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r10_the_master_key_rotates_under_load_on_sqlite() {
    r10_the_master_key_rotates_under_load(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r10_the_master_key_rotates_under_load_on_postgres() {
    r10_the_master_key_rotates_under_load(Kind::Postgres).await;
}

/// R10: who rotates while somebody else does waits for him, and no key is lost under which something lies sealed.
#[test]
fn r10_rotations_and_retirements_at_once_lose_nothing() {
    let directory = Directory::seeded();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| directory.json(&["keys", "master", "rotate"]));
        }
    });
    let keys = listed(&directory.json(&["keys", "master", "list"]));
    assert!(keys.len() == 4 && keys[1..].iter().all(|key| key.1 == "old" && key.2 == 0), "{keys:?}");
    std::thread::scope(|scope| {
        for (id, ..) in &keys[1..] {
            let directory = &directory;
            scope.spawn(move || directory.json(&["keys", "master", "retire", id]));
        }
    });
    let left = listed(&directory.json(&["keys", "master", "list"]));
    assert_eq!(left, keys[..1]);
}

/// R10: nodes with copies of the key file get the new key announced first; one that has not heard yet serves on, and what it
/// seals keeps the old key from being retired.
async fn nodes_with_copies(kind: Kind) {
    let database = Database::make(kind).await;
    let directory = Directory::new();
    key_file(&directory, "a.key", KEY);
    key_file(&directory, "b.key", KEY);
    let copy = || key_file(&directory, "b.key", &std::fs::read_to_string(directory.path("a.key")).unwrap());
    let (a, b) = ("a.key", "b.key");
    let a = Node { directory: &directory, url: database.url(), key: a };
    let b = Node { directory: &directory, url: database.url(), key: b };
    let (first, second) = (a.serve(), b.serve());
    webhook(&first);
    let announced = listed(&a.json(&["keys", "master", "rotate", "--announce"]));
    let states = |keys: &[(String, String, u64)]| keys.iter().map(|key| key.1.clone()).collect::<Vec<_>>();
    assert_eq!(states(&announced), ["next", "current"]);
    assert_eq!(announced[0].2, 0, "nothing is sealed under it yet");
    copy();
    let rotated = listed(&a.json(&["keys", "master", "rotate"]));
    assert_eq!(states(&rotated), ["current", "old"]);
    assert_eq!((&rotated[0].0, rotated[1].2), (&announced[0].0, 0), "that which was announced, and no third");
    // This one opens what is under the new key, and seals under the old one still.
    let result = second.authorize(TOKEN, "ada@acme.test", "btn-demonstration").unwrap().json();
    assert_eq!(first.me(result["authToken"].as_str().unwrap()), 200);
    webhook(&second);
    a.refused(&["keys", "master", "retire", &rotated[1].0], "1 sealed values still need");
    assert_eq!(b.keys().len(), 2);
    copy();
    webhook(&second);
    assert_eq!(a.keys()[1].2, 1, "it has heard");
    assert_eq!(a.json(&["keys", "master", "reseal"])["resealed"], 1);
    a.json(&["keys", "master", "retire", &rotated[1].0]);
    copy();

    // Where the announcement was left out, the other node serves on, and recovers as soon as it has the key.
    a.json(&["keys", "master", "rotate"]);
    assert_eq!(second.me(result["authToken"].as_str().unwrap()), 200);
    b.refused(&["user", "list"], "do not open under this master key");
    copy();
    webhook(&second);
    assert_eq!(states(&b.keys()), ["current", "old"]);
    drop((first, second));
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r8_r10_nodes_with_copies_of_the_key_file_on_sqlite() {
    nodes_with_copies(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r8_r10_nodes_with_copies_of_the_key_file_on_postgres() {
    nodes_with_copies(Kind::Postgres).await;
}

/// R10: where the keys are in the environment, the command says what to do, and several are read there too.
#[test]
fn r10_keys_in_the_environment_are_rotated_by_hand() {
    let directory = Directory::new();
    let run = |keys: &str, arguments: &[&str]| {
        crate::support::program::Ran::from(
            directory.command(arguments).env("LEADGATE_MASTER_KEY", keys).output().unwrap(),
        )
    };
    let new = "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=";
    assert_eq!(run(KEY, &["user", "list"]).code, 0);
    let told = run(KEY, &["keys", "master", "rotate"]);
    assert!(
        told.code == 1 && told.errors.contains("LEADGATE_MASTER_KEY") && told.errors.contains("reseal"),
        "{}",
        told.errors
    );
    let states = |keys: &str| {
        let ran = run(keys, &["keys", "master", "list", "--json"]);
        assert_eq!(ran.code, 0, "{}", ran.errors);
        let keys = listed(&serde_json::from_str(&ran.out).unwrap());
        keys.into_iter().map(|(_, state, values)| format!("{state} {values}")).collect::<Vec<_>>()
    };
    assert_eq!(states(&format!("next {new} {KEY}")), ["next 0", "current 2"]);
    assert_eq!(states(&format!("{new} {KEY}")), ["current 0", "old 2"]);
    assert_eq!(run(&format!("{new} {KEY}"), &["keys", "master", "reseal"]).code, 0);
    assert_eq!(states(new), ["current 2"]);
    let wrong = run(KEY, &["user", "list"]);
    assert!(wrong.code == 1 && wrong.errors.contains("do not open"), "{}", wrong.errors);
    let many = run(&format!("{KEY} ").repeat(9), &["user", "list"]);
    assert!(many.code == 1 && many.errors.contains("more than 8"), "{}", many.errors);
}

/// R10: a key file of another database, and one that was cut short, stop the start, with a reason and untouched.
#[test]
fn r10_another_databases_key_file_is_refused() {
    let (directory, other) = (Directory::seeded(), Directory::seeded());
    let key = directory.path("data/leadgate.key");
    let (own, foreign) =
        (std::fs::read_to_string(&key).unwrap(), std::fs::read_to_string(other.path("data/leadgate.key")).unwrap());
    for (text, why) in [
        (foreign.as_str(), "do not open under this master key"),
        (&own[..20], "holds no master key"),
        ("", "holds no master key"),
        (&format!("next {own}"), "no key of it seals"),
    ] {
        std::fs::write(&key, text).unwrap();
        let ran = directory.run(&["serve", "--listen", "127.0.0.1:0"]);
        assert!(ran.code == 1 && ran.errors.contains(why), "{}", ran.errors);
        assert!(!ran.errors.contains(own.trim()) && !ran.errors.contains(foreign.trim()));
        assert_eq!(std::fs::read_to_string(&key).unwrap(), text, "left alone");
    }
    std::fs::write(&key, own).unwrap();
    assert_eq!(directory.run(&["user", "list"]).code, 0);
}
