//! What operators do with commands, on both databases, as a shell sees it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::both;
use crate::support::program::{Directory, Ran};

const APP: &str = "0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001";

both! { of commands;
    an_account_is_made_renamed_and_deleted,
    connections_are_listed_and_ended,
}

fn an_account_is_made_renamed_and_deleted(directory: &Directory) {
    let made = directory.json(&["account", "add", "Zenith", "--id", "zenith"]);
    assert_eq!(made["api_key"].as_str().unwrap().len(), 36, "made, and shown this once: {made}");
    assert_eq!(directory.json(&["account", "show", "zenith"]), json!({"id": "zenith", "name": "Zenith"}));
    let replaced = directory.json(&["account", "set", "zenith", "--name", "Zenith Loans", "--new-api-key"]);
    assert_eq!(replaced["name"], "Zenith Loans");
    assert_ne!(replaced["api_key"], made["api_key"]);
    assert!(directory.json(&["account", "set", "zenith", "--no-api-keys"]).get("api_key").is_none());
    let without = directory.json(&["account", "add", "Keyless", "--no-api-key"]);
    assert!(without.get("api_key").is_none() && without["id"].as_str().unwrap().len() == 36, "{without}");

    let ids = |listed: &Value| listed.as_array().unwrap().iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&directory.json(&["account", "list"])), [json!("acme"), json!("zenith"), without["id"].clone()]);
    for (arguments, code, told) in [
        (&["account", "add", "Again", "--id", "acme"][..], 1, "there is an account acme already"),
        (&["account", "add", "Bad", "--id", "a b"], 2, "an id is"),
        (&["account", "set", "zenith"], 2, "--name"),
        (&["account", "show", "nobody"], 1, "`leadgate account list` shows all"),
        (&["account", "delete", "acme"], 1, "has users"),
    ] {
        let ran = directory.run(arguments);
        assert!(ran.code == code && ran.errors.contains(told), "{arguments:?}: {} {}", ran.code, ran.errors);
    }
    assert_eq!(directory.json(&["account", "delete", "zenith"]), json!({"deleted": "zenith"}));
    assert_eq!(directory.json(&["account", "list"]).as_array().unwrap().len(), 2);
}

fn connections_are_listed_and_ended(directory: &Directory) {
    const TOKEN: &str = "lgx_the-sandbox-token-of-this-test";
    assert_eq!(directory.json(&["connection", "list"]), json!([]));
    let server = directory.serve(&["--sandbox-token", TOKEN]);
    let connected = server.authorize(TOKEN, "grace@acme.test", "btn-rate-finder").unwrap().json();
    let token = connected["authToken"].as_str().unwrap();
    assert_eq!(server.me(token), 200, "{connected}");

    let listed = directory.json(&["connection", "list", "--app", APP, "--user", "grace@acme.test"]);
    let id = listed[0]["id"].as_str().unwrap();
    assert_eq!((&listed[0]["user"], &listed[0]["app"]), (&json!("grace@acme.test"), &json!(APP)));
    assert_eq!(listed[0]["scopes"], json!(["account_api"]));
    assert_eq!(directory.json(&["connection", "show", id]), listed[0]);
    assert_eq!(directory.json(&["connection", "list", "--user", "ada@acme.test"]), json!([]));
    let table = directory.run(&["connection", "list"]).out;
    assert!(table.starts_with("CONNECTION ID ") && table.lines().count() == 2, "{table}");

    assert_eq!(directory.json(&["connection", "end", id]), json!({"ended": id}));
    assert_eq!(server.me(token), 401, "what was issued from it is over");
    assert_eq!(directory.json(&["connection", "list"]), json!([]));
    for (arguments, told) in [
        (["connection", "end", id], "was ended by the operator"),
        (["connection", "show", "01890000-0000-7000-8000-000000000000"], "`leadgate connection list` shows all"),
    ] {
        let ran = directory.run(&arguments);
        assert!(ran.code == 1 && ran.errors.contains(told), "{arguments:?}: {}", ran.errors);
    }
    for arguments in [["--app", "no-such-app"], ["--user", "nobody@acme.test"]] {
        assert_eq!(directory.run(&[&["connection", "list"][..], &arguments].concat()).code, 1, "{arguments:?}");
    }
}

fn piped(directory: &Directory, arguments: &[&str], input: &str) -> Ran {
    let mut command = directory.command(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that reads nothing may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    Ran::from(child.wait_with_output().unwrap())
}

#[test]
fn a_password_that_is_piped_and_not_asked_for_is_told_of() {
    let directory = Directory::seeded();
    for command in [
        &["user", "set-password", "ada@acme.test"][..],
        &["user", "add", "new@acme.test", "--name", "New", "--account", "acme"],
    ] {
        let ran = piped(&directory, command, "hunter2hunter2\n");
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.errors);
        assert!(ran.errors.contains("--password-stdin") && ran.errors.contains("--make-password"), "{}", ran.errors);
        let ran = piped(&directory, &[command, &["--make-password", "--json"]].concat(), "hunter2hunter2\n");
        assert_eq!(ran.code, 0, "{}", ran.errors);
        let made: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(made["password"].as_str().unwrap().len(), 20);
    }
}

#[test]
fn every_shell_gets_a_script_that_names_each_command() {
    let directory = Directory::new();
    let help = directory.run(&["--help"]).out;
    let names = ["serve", "account", "user", "app", "button", "connection", "keys", "completions"];
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = directory.run(&["completions", shell]);
        assert_eq!(ran.code, 0, "{shell}: {}", ran.errors);
        for name in names {
            assert!(help.contains(name) && ran.out.contains(name), "{shell} does not complete {name}");
        }
        assert!(ran.out.contains("set-password") && ran.out.contains("database-url"), "{shell}");
    }
    let ran = directory.run(&["completions", "tcsh"]);
    assert!(ran.code == 2 && ran.errors.contains("powershell"), "{}", ran.errors);
}

/// The script, in the shell itself: what it proposes after each of these lines.
#[test]
fn bash_completes_commands_and_options() {
    let directory = Directory::new();
    directory.write("leadgate.bash", &directory.run(&["completions", "bash"]).out);
    for (line, proposed) in [
        ("leadgate ", "account"),
        ("leadgate us", "user"),
        ("leadgate user set-", "set-password"),
        ("leadgate user add --pass", "--password-stdin"),
        ("leadgate completions ", "fish"),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let script = format!(
            "source ./leadgate.bash; COMP_WORDS=({line}); [ -n \"{last}\" ] || COMP_WORDS+=(''); COMP_CWORD={at}; \
             _leadgate leadgate '{last}' '{before}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            last = words[words.len() - 1],
            at = words.len() - 1,
            before = words[words.len() - 2],
        );
        let ran = Ran::from(Command::new("bash").args(["-c", &script]).current_dir(&directory.0).output().unwrap());
        assert!(ran.out.lines().any(|word| word == proposed), "{line}: {}{}", ran.out, ran.errors);
    }
}

/// Shells that are on this machine read their script without complaint.
#[test]
fn installed_shells_accept_their_script() {
    let directory = Directory::new();
    for (shell, check) in [("bash", &["-n"][..]), ("zsh", &["-n"]), ("fish", &["--no-execute"])] {
        let script = directory.path(shell);
        std::fs::write(&script, directory.run(&["completions", shell]).out).unwrap();
        let Ok(output) = Command::new(shell).args(check).arg(&script).output() else {
            assert_ne!(shell, "bash", "bash is on every machine that runs ./test");
            continue;
        };
        assert!(output.status.success() && output.stderr.is_empty(), "{shell}: {output:?}");
    }
}
