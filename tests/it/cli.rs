//! The program as a shell sees it: arguments, environment, files, exit codes and what it prints.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

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
    assert!(rotated["previous_client_secret_expires_at"].is_string(), "{rotated}");
    let rotated = directory.json(&["app", "rotate-secret", id, "--overlap", "0s"]);
    assert!(rotated.get("previous_client_secret_expires_at").is_none(), "{rotated}");
    assert_eq!(directory.run(&["app", "rotate-secret", id, "--overlap", "1 day"]).code, 2);
    let public = directory.json(&["app", "add", "Third", "--public"]);
    assert!(public.get("client_secret").is_none() && public["client_type"] == "public", "{public}");
    assert_eq!(directory.json(&["app", "delete", id])["deleted"], *id);
    assert_eq!(directory.run(&["app", "show", id]).code, 1);
}

const KEYS: &str = r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "one",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

#[test]
fn an_application_is_made_and_changed_in_all_that_a_client_can_be() {
    let directory = Directory::seeded();
    directory.write("keys.json", KEYS);
    let made = directory.json(&[
        "app",
        "add",
        "Keys",
        "--id=keys",
        "--auth-method=private_key_jwt",
        "--jwks-file=keys.json",
        "--grant=client_credentials",
        "--grant=device_code",
        "--post-logout-redirect-uri=https://a.test/bye",
        "--resource=https://api.a.test",
        "--access-token-alg=EdDSA",
        "--id-token-alg=ES256",
        "--require-dpop",
        "--require-par=true",
    ]);
    let expected = json!({
        "id": "keys", "name": "Keys", "publisher": "Keys", "client_type": "confidential",
        "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["client_credentials", "urn:ietf:params:oauth:grant-type:device_code"],
        "redirect_uris": [], "post_logout_redirect_uris": ["https://a.test/bye"], "scopes": ["account_api"],
        "resources": ["https://api.a.test"], "access_token_signing_alg": "EdDSA",
        "id_token_signed_response_alg": "ES256", "dpop_bound_access_tokens": true,
        "require_pushed_authorization_requests": true, "owner": null, "created_at": made["created_at"],
        "homepage": null, "logo": null, "disabled_since": null,
        "jwks": made["jwks"],
    });
    assert_eq!(made, expected);
    assert_eq!(made["jwks"]["keys"][0]["kid"], "one");
    let text = directory.run(&["app", "show", "keys"]).out;
    assert!(text.contains("public keys:      one\n") && text.contains("requires DPoP:    yes\n"), "{text}");

    let changed = directory.json(&[
        "app",
        "set",
        "keys",
        "--name=Renamed",
        "--owner=ada@acme.test",
        "--redirect-uri=https://a.test/cb",
        "--require-dpop=false",
        "--no-resources",
    ]);
    let mut expected = made;
    expected["name"] = json!("Renamed");
    expected["owner"] = json!("ada@acme.test");
    expected["redirect_uris"] = json!(["https://a.test/cb"]);
    expected["dpop_bound_access_tokens"] = json!(false);
    expected["resources"] = json!([]);
    assert_eq!(changed, expected, "what is not given stays");

    let with_secret = directory.json(&["app", "set", "keys", "--auth-method", "client_secret_post"]);
    assert!(with_secret["client_secret"].is_string() && with_secret.get("jwks").is_none(), "{with_secret}");
    let renamed = directory.json(&["app", "set", "keys", "--name", "Again", "--no-owner"]);
    assert!(renamed["owner"].is_null(), "{renamed}");
    assert!(renamed.get("client_secret").is_none(), "the secret stays, and is not shown: {renamed}");
    let public = directory.json(&["app", "set", "keys", "--public", "--grant", "authorization_code"]);
    assert_eq!(public["client_type"], "public");
    assert_eq!(directory.run(&["app", "rotate-secret", "keys"]).code, 1, "it has no secret any more");
}

#[test]
fn an_application_that_cannot_be_is_refused_and_left_alone() {
    let directory = Directory::seeded();
    directory.write("keys.json", KEYS);
    directory.write("private.json", &KEYS.replace("\"kid\"", "\"d\": \"hunter2\", \"kid\""));
    let before = directory.json(&["app", "list"]);
    for (arguments, code, told) in [
        (&["app", "add", "X", "--public", "--grant", "client_credentials"][..], 2, "client_credentials"),
        (&["app", "add", "X", "--auth-method", "private_key_jwt"], 2, "public keys"),
        (&["app", "add", "X", "--jwks-file", "keys.json"], 2, "--auth-method private_key_jwt"),
        (&["app", "add", "X", "--auth-method", "private_key_jwt", "--jwks-file", "none.json"], 1, "none.json"),
        (
            &["app", "add", "X", "--auth-method", "private_key_jwt", "--jwks-file", "private.json"],
            1,
            "private.json: the client's keys: the key is not a public one",
        ),
        (&["app", "add", "X", "--auth-method", "client_secret_jwt"], 2, "client_secret_basic"),
        (&["app", "set", APP], 2, "nothing to change"),
        (&["app", "set", APP, "--public"], 1, "client_credentials"),
        (&["app", "set", APP, "--owner", "nobody@acme.test"], 1, "owner"),
        (&["app", "set", "no-such-app", "--name", "X"], 1, "there is no application no-such-app"),
        (&["app", "set", APP, "--redirect-uri", "http://a.test/"], 2, "https"),
        (&["app", "set", APP, "--resource", "/api"], 2, "absolute URI"),
    ] {
        let ran = directory.run(arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {}", ran.errors);
        assert!(ran.errors.contains(told) && !ran.errors.contains("hunter2"), "{arguments:?}: {}", ran.errors);
    }
    assert_eq!(directory.json(&["app", "list"]), before);
}

#[test]
fn a_seed_file_says_all_that_a_client_can_be() {
    let directory = Directory::seeded();
    let credentials = format!("token_endpoint_auth_method = \"private_key_jwt\"\njwks = '''{KEYS}'''\n");
    let rest = r#"
        grant_types = ["device_code"]
        redirect_uris = ["https://b.test/", "https://a.test/"]
        post_logout_redirect_uris = ["https://a.test/bye"]
        resources = ["urn:a:b"]
        access_token_signing_alg = "RS256"
        id_token_signed_response_alg = "EdDSA"
        dpop_bound_access_tokens = true
        require_pushed_authorization_requests = true
    "#;
    let seed = |credentials: &str| {
        directory.write("more.toml", &format!("[[apps]]\nid = \"keys\"\nname = \"Keys\"\n{credentials}{rest}"));
        directory.json(&["seed", "more.toml"])
    };
    assert_eq!(seed(&credentials)["made"], 1);
    let shown = directory.json(&["app", "show", "keys"]);
    let expected = json!({
        "id": "keys", "name": "Keys", "publisher": "Keys", "client_type": "confidential",
        "token_endpoint_auth_method": "private_key_jwt", "jwks": shown["jwks"],
        "grant_types": ["urn:ietf:params:oauth:grant-type:device_code"],
        "redirect_uris": ["https://b.test/", "https://a.test/"],
        "post_logout_redirect_uris": ["https://a.test/bye"], "scopes": ["account_api"], "resources": ["urn:a:b"],
        "access_token_signing_alg": "RS256", "id_token_signed_response_alg": "EdDSA",
        "dpop_bound_access_tokens": true, "require_pushed_authorization_requests": true, "owner": null,
        "created_at": shown["created_at"], "homepage": null, "logo": null, "disabled_since": null,
    });
    assert_eq!(shown, expected);
    assert_eq!(shown["jwks"]["keys"][0]["kid"], "one");
    assert_eq!(seed(&credentials)["unchanged"], 1);
    assert_eq!(seed("client_secret = \"s\"\n")["changed"], 1);
    let shown = directory.json(&["app", "show", "keys"]);
    assert_eq!((&shown["token_endpoint_auth_method"], shown.get("jwks")), (&json!("client_secret_basic"), None));
    assert_eq!(seed(&credentials)["changed"], 1);
    assert_eq!(directory.run(&["app", "rotate-secret", "keys"]).code, 1, "the secret is gone");
}

#[test]
fn a_registration_token_is_shown_with_its_end() {
    let directory = Directory::seeded();
    let made = directory.json(&["keys", "registration-token", "--expires-in", "1h30m"]);
    assert!(made["token"].as_str().unwrap().starts_with("lgi_") && made["expires_at"].is_string(), "{made}");
    let ran = directory.run(&["keys", "registration-token"]);
    assert!(ran.out.starts_with("token:   lgi_") && ran.out.contains("shown this once"), "{}", ran.out);
    for wrong in ["0s", "366d", "1", "day"] {
        assert_eq!(directory.run(&["keys", "registration-token", "--expires-in", wrong]).code, 2, "{wrong}");
    }
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
