//! The program as a shell sees it: arguments, environment, files, exit codes and what it prints.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::program::{Directory, Owned, Ran, free_port};

const APP: &str = "0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001";

#[test]
fn init_writes_files_that_work_and_overwrites_nothing() {
    let directory = Directory::seeded();
    directory.write("seed.toml", "# mine\n");
    std::fs::remove_file(directory.0.join("leadgate.toml")).unwrap();
    let ran = directory.run(&["init"]);
    assert_eq!(ran.code, 1);
    assert!(ran.errors.contains("seed.toml is there already; --force"), "{}", ran.errors);
    assert!(!directory.0.join("leadgate.toml").exists(), "all or none");
    assert_eq!(directory.run(&["init", "--force"]).code, 0);
    assert_ne!(std::fs::read_to_string(directory.0.join("seed.toml")).unwrap(), "# mine\n");
}

/// R10: an operator rotates keys while servers run; the next key is announced, and the old one signs on.
#[test]
fn r10_keys_are_listed_and_rotated() {
    let directory = Directory::seeded();
    let states = |keys: &Value| -> Vec<String> {
        let state = |key: &Value| format!("{} {} {}", key["alg"], key["serial"], key["state"]).replace('"', "");
        keys.as_array().unwrap().iter().map(state).collect()
    };
    assert_eq!(states(&directory.json(&["keys", "list"])), ["ES256 1 signing"]);
    let first = directory.json(&["keys", "rotate", "--alg", "EdDSA"]);
    assert_eq!(states(&first), ["EdDSA 1 signing"], "there was none that could sign meanwhile");
    let rotated = directory.json(&["keys", "rotate"]);
    assert_eq!(states(&rotated), ["ES256 2 announced", "EdDSA 2 announced"], "each that has a key");
    let listed = directory.json(&["keys", "list"]);
    assert_eq!(states(&listed), ["ES256 1 signing", "ES256 2 announced", "EdDSA 1 signing", "EdDSA 2 announced"]);
    let mut names: Vec<&str> = listed[0].as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["alg", "created_at", "kid", "serial", "state"], "no key material");
    let table = directory.run(&["keys", "list"]).out;
    assert!(table.starts_with("KEY ID ") && table.lines().count() == 5, "{table}");
    assert_eq!(directory.run(&["keys", "rotate", "--alg", "HS256"]).code, 2);
}

#[test]
fn a_seed_that_is_applied_again_changes_nothing() {
    let directory = Directory::seeded();
    let again = directory.json(&["seed", "seed.toml"]);
    assert_eq!((&again["made"], &again["changed"]), (&Value::from(0), &Value::from(0)), "{again}");
}

#[test]
fn a_faulty_seed_names_file_line_and_key_and_leaves_the_database_alone() {
    let directory = Directory::new();
    directory.write(
        "bad.toml",
        "[[accounts]]\nid = \"acme\"\nname = \"Acme\"\n\n[[apps]]\nid = \"app\"\nname = \"App\"\nscpes = [\"account_api\"]\n",
    );
    let ran = directory.run(&["seed", "bad.toml"]);
    assert_eq!(ran.code, 1);
    assert_eq!(
        ran.errors,
        "leadgate: bad.toml:8:1: apps[0].scpes: unknown key; expected `scopes`, which is the nearest known\n"
    );
    assert!(!directory.0.join("data").exists(), "the file is judged before the database is opened");
}

#[test]
fn a_reference_that_nothing_defines_is_refused_whole() {
    let directory = Directory::seeded();
    directory.write("more.toml", "[[apps]]\nid = \"new\"\nname = \"New\"\nowner = \"nobody@acme.test\"\n");
    let ran = directory.run(&["seed", "more.toml"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.errors.starts_with("leadgate: more.toml:4:9: apps[0].owner: found `nobody@acme.test`"),
        "{}",
        ran.errors
    );
    assert_eq!(directory.json(&["app", "list"]).as_array().unwrap().len(), 1);
}

#[test]
fn faulty_settings_exit_with_1_and_faulty_flags_with_2() {
    let directory = Directory::new();
    directory.write("leadgate.toml", "\nlisten = \"here\"\n");
    let ran = directory.run(&["migrate"]);
    assert_eq!(ran.code, 1);
    assert!(ran.errors.starts_with("leadgate: leadgate.toml:2:10: listen: found \"here\""), "{}", ran.errors);
    directory.write("leadgate.toml", "");
    assert_eq!(directory.run(&["migrate", "--mode", "prod"]).code, 2);
    assert_eq!(directory.run(&["frobnicate"]).code, 2);
    assert_eq!(directory.run(&["migrate", "--config", "absent.toml"]).code, 1);
    let ran = Ran::from(directory.command(&["migrate"]).env("LEADGATE_DATABSE_URL", "x").output().unwrap());
    assert_eq!(ran.code, 1);
    assert!(ran.errors.contains("`LEADGATE_DATABASE_URL`"), "{}", ran.errors);
}

#[test]
fn a_database_that_cannot_be_opened_is_named_without_its_password() {
    let directory = Directory::new();
    let closed = free_port();
    let postgres = format!("postgres://u:hunter2@127.0.0.1:{closed}/d");
    for url in ["sqlite:///dev/null/x.db", &postgres] {
        let ran = directory.run(&["user", "list", "--database-url", url]);
        assert_eq!(ran.code, 1, "{url}");
        assert!(ran.errors.starts_with("leadgate: ") && !ran.errors.contains("hunter2"), "{}", ran.errors);
        assert!(ran.out.is_empty(), "{}", ran.out);
    }
}

#[test]
fn production_refuses_what_is_not_safe() {
    let directory = Directory::seeded();
    let ran = directory.run(&["serve", "--issuer", "http://auth.example.com"]);
    assert_eq!(ran.code, 2);
    assert!(ran.errors.contains("production mode") && ran.errors.contains("https"), "{}", ran.errors);
    let ran = directory.run(&["seed", "seed.toml", "--issuer", "https://auth.example.com"]);
    assert_eq!(ran.code, 1);
    assert!(ran.errors.contains("publishes") && !ran.errors.contains("horse"), "{}", ran.errors);
}

#[test]
fn a_user_is_added_shown_disabled_and_deleted() {
    let directory = Directory::seeded();
    let added = directory.json(&["user", "add", "New@Acme.test", "--name", "New", "--account", "acme"]);
    assert_eq!((&added["email"], &added["role"]), (&Value::from("new@acme.test"), &Value::from("member")));
    assert_eq!(added["password"].as_str().unwrap().len(), 20, "made, and shown this once");
    let reset = directory.json(&["user", "set-password", "new@acme.test"]);
    assert_ne!(reset["password"], added["password"]);
    let shown = directory.json(&["user", "show", "new@acme.test"]);
    assert!(shown.get("password").is_none(), "{shown}");
    assert!(!directory.json(&["user", "disable", "new@acme.test"])["disabled_since"].is_null());
    assert!(directory.json(&["user", "enable", "new@acme.test"])["disabled_since"].is_null());
    assert_eq!(directory.json(&["user", "delete", "new@acme.test"])["deleted"], "new@acme.test");
    let ran = directory.run(&["user", "show", "new@acme.test"]);
    assert_eq!((ran.code, ran.errors.contains("there is no user new@acme.test")), (1, true), "{}", ran.errors);
}

#[test]
fn a_password_from_the_standard_input_is_not_shown() {
    let directory = Directory::seeded();
    let mut command = directory.command(&["user", "set-password", "ada@acme.test", "--password-stdin"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"hunter2hunter2\n").unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.errors);
    assert!(!ran.out.contains("hunter2"), "{}", ran.out);
    assert_eq!(directory.run(&["user", "set-password", "ada@acme.test", "--password-stdin"]).code, 1, "no input");
}

#[test]
fn a_client_secret_is_shown_once_and_replaced() {
    let directory = Directory::seeded();
    let added = directory.json(&["app", "add", "Second", "--owner", "ada@acme.test"]);
    let (id, secret) = (added["id"].as_str().unwrap(), added["client_secret"].as_str().unwrap());
    assert!(directory.json(&["app", "show", id]).get("client_secret").is_none());
    let rotated = directory.json(&["app", "rotate-secret", id]);
    assert_ne!(rotated["client_secret"].as_str().unwrap(), secret);
    let public = directory.json(&["app", "add", "Third", "--public"]);
    assert!(public.get("client_secret").is_none() && public["client_type"] == "public", "{public}");
    assert_eq!(directory.json(&["app", "delete", id])["deleted"], *id);
    assert_eq!(directory.run(&["app", "show", id]).code, 1);
}

#[test]
fn a_button_is_made_changed_and_deleted() {
    let directory = Directory::seeded();
    let made = directory.json(&["button", "add", "--app", APP, "--id", "b", "--origin", "https://a.test"]);
    assert!(made["scopes"].is_null(), "{made}");
    let changed = directory.json(&["button", "set", "b", "--return-url", "https://a.test/x", "--scope", "data_api"]);
    assert_eq!(changed["origins"][0], "https://a.test", "what is not given stays");
    assert_eq!((&changed["return_urls"][0], &changed["scopes"][0]), (&"https://a.test/x".into(), &"data_api".into()));
    let ran = directory.run(&["button", "set", "b", "--scope", "openid"]);
    assert_eq!(ran.code, 1, "its application may not have it");
    let ran = directory.run(&["button", "set", "b", "--origin", "https://A.test/"]);
    assert_eq!((ran.code, ran.errors.contains("https://a.test")), (2, true), "{}", ran.errors);
    assert_eq!(directory.json(&["button", "list", "--app", APP]).as_array().unwrap().len(), 2);
    assert_eq!(directory.json(&["button", "delete", "b"])["deleted"], "b");
}

#[test]
fn a_server_tells_when_it_is_ready_and_shares_its_database_with_commands() {
    let directory = Directory::seeded();
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let ran = directory.run(&["healthcheck", "--listen", &listen]);
    assert_eq!((ran.code, ran.errors.contains("is not ready")), (1, true), "{}", ran.errors);

    let mut serve = directory.command(&["serve", "--listen", &listen]);
    let mut server = Owned(serve.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let ran = directory.run(&["healthcheck", "--listen", &listen, "--wait", "30"]);
    assert_eq!(ran.code, 0, "{}", ran.errors);
    directory.json(&["user", "add", "second@acme.test", "--name", "Second", "--account", "acme"]);

    let asked = Command::new("kill").args(["-TERM", &server.0.id().to_string()]).status().unwrap();
    assert!(asked.success());
    assert_eq!(server.0.wait().unwrap().code(), Some(0), "SIGTERM is an orderly end");
    assert!(Path::new(&directory.0).join("data/leadgate.db").exists());
}
