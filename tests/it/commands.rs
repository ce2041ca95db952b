//! What operators do with commands, on both databases, as a shell sees it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use leadgate::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::support::program::{Directory, Ran};
use crate::support::{ADA, GRACE, PARTNER, Setup, World, both, connect_by_api};

const APP: &str = "0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001";

both! { of commands;
    an_account_is_made_renamed_and_deleted,
    connections_are_listed_and_ended,
}

fn an_account_is_made_renamed_and_deleted(directory: &Directory) {
    let made = directory.json(&["account", "add", "Zenith", "--id", "zenith"]);
    assert_eq!(made["api_key"].as_str().unwrap().len(), 36, "made, and shown this once: {made}");
    let shown = directory.json(&["account", "show", "zenith"]);
    assert_eq!((&shown["name"], &shown["users"], shown.get("api_key")), (&json!("Zenith"), &json!(0), None));
    let first = shown["api_keys"][0]["fingerprint"].as_str().unwrap();
    let added = directory.json(&["account", "key", "add", "zenith"]);
    assert_eq!((added["api_key"].is_string(), added["api_keys"].as_array().unwrap().len()), (true, 2));
    let left = directory.json(&["account", "key", "remove", "zenith", first]);
    assert_eq!(left["api_keys"].as_array().unwrap().len(), 1);
    assert_ne!(left["api_keys"][0]["fingerprint"], first);
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
        (&["account", "key", "remove", "zenith", "0000000000000000"], 1, "no such API key"),
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
    let mut shown = directory.json(&["connection", "show", id]);
    // That it was used is written down within a second, which may be between the two.
    shown["last_used_at"] = listed[0]["last_used_at"].clone();
    assert_eq!(shown, listed[0]);
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

/// The program beside a server that runs in this process: on the same database, with the same keys.
fn beside(world: &World) -> Directory {
    let directory = Directory::new();
    let key = format!("{}Bwc=", "BwcH".repeat(10));
    assert_eq!(world.setup.master_key, [7; 32], "which that is");
    let (url, issuer) = (world.database.url(), world.setup.issuer);
    directory.write(
        "leadgate.toml",
        &format!("database_url = \"{url}\"\nissuer = \"{issuer}\"\nmode = \"sandbox\"\nmaster_key = \"{key}\"\n"),
    );
    directory
}

fn len(listed: &Value) -> usize {
    listed.as_array().unwrap().len()
}

/// Commands go by the machine's clock, so the world begins now.
fn now() -> Setup {
    Setup { start: SystemClock.now(), ..Setup::default() }
}

both! { with super::now();
    a_user_is_renamed_moved_and_given_another_address,
    a_user_is_looked_into_and_signed_out,
    links_for_a_password_are_made_listed_and_taken_back,
    b23_an_application_is_disabled_and_enabled,
    a_secret_is_rotated_and_the_old_one_revoked,
    c16_a_logo_is_set_from_a_file_and_removed,
    what_ends_is_told_before_it_is_deleted,
    usage_is_shown_by_days,
    r14_what_was_done_is_listed_and_filtered,
}

async fn a_user_is_renamed_moved_and_given_another_address(world: World) {
    let shell = beside(&world);
    let changed =
        shell.json(&["user", "set", ADA, "--name", "Ada B.", "--account", "Zenith Lending", "--role", "admin"]);
    let fields = ["email", "name", "account", "role"].map(|name| changed[name].as_str().unwrap());
    assert_eq!(fields, [ADA, "Ada B.", "zenith", "admin"]);
    assert_eq!(shell.json(&["user", "set", ADA, "--email", "Countess@acme.test"])["email"], "countess@acme.test");
    assert_eq!(shell.json(&["user", "show", "countess@acme.test"])["name"], "Ada B.", "what is not given stays");
    for (arguments, code, told) in [
        (["countess@acme.test", "--email", GRACE], 1, "already"),
        (["countess@acme.test", "--account", "nowhere"], 1, "`leadgate account list`"),
        ([ADA, "--name", "Ada"], 1, "there is no user"),
        (["countess@acme.test", "--role", "king"], 2, "partner"),
    ] {
        let ran = shell.run(&[&["user", "set"][..], &arguments].concat());
        assert!(ran.code == code && ran.errors.contains(told), "{arguments:?}: {}", ran.errors);
    }
    assert_eq!(shell.run(&["user", "set", "countess@acme.test"]).code, 2, "nothing to change");
}

async fn a_user_is_looked_into_and_signed_out(world: World) {
    let shell = beside(&world);
    let mut ada = world.actor();
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    let sessions = shell.json(&["user", "sessions", ADA]);
    assert_eq!(len(&sessions), 1);
    let names: Vec<&String> = sessions[0].as_object().unwrap().keys().collect();
    assert_eq!(names, ["address", "expires_at", "opened_at", "user_agent"], "no id, which is half of a cookie");

    let consents = shell.json(&["user", "consents", ADA]);
    assert_eq!((len(&consents), &consents[0]["app"]), (1, &json!(APP)));
    assert_eq!((&consents[0]["through"], &consents[0]["ended_at"]), (&json!("button"), &Value::Null));
    let export = shell.json(&["user", "export", ADA]);
    assert_eq!((&export["format"], &export["user"]["email"]), (&json!("leadgate-export-1"), &json!(ADA)));
    assert_eq!((len(&export["sessions"]), len(&export["connections"])), (1, 1));
    assert!(!export.to_string().contains(&tokens.refresh), "nothing in it opens anything");

    assert_eq!(shell.json(&["user", "end-sessions", ADA]), json!({"email": ADA, "sessions_ended": 1}));
    assert_eq!(shell.json(&["user", "sessions", ADA]), json!([]));
    assert!(ada.get("/account").await.expect(200).is_login_page());
    assert_eq!(world.refresh(&tokens.refresh, APP).await.json()["valid"], true, "connections stay");
    let id = consents[0]["connection"].as_str().unwrap();
    shell.json(&["connection", "end", id]);
    assert_eq!(shell.json(&["user", "consents", ADA])[0]["ended_by"], "operator");
    assert!(shell.run(&["user", "consents", ADA]).out.contains("ended by the operator"));
    for command in ["sessions", "consents", "export", "end-sessions"] {
        let ran = shell.run(&["user", command, "nobody@acme.test"]);
        assert!(ran.code == 1 && ran.errors.contains("there is no user"), "{command}: {}", ran.errors);
    }
}

async fn links_for_a_password_are_made_listed_and_taken_back(world: World) {
    let shell = beside(&world);
    let invited = shell.json(&["user", "invite", "new@acme.test", "--account", "acme", "--role", "member"]);
    let link = invited["link"].as_str().unwrap();
    assert!(link.starts_with("https://auth.test/invitation?token=lg"), "{link}");
    let reset = shell.json(&["user", "reset", ADA]);
    assert_ne!(reset["link"], invited["link"]);
    let open = shell.json(&["invitation", "list"]);
    let told = |one: &Value| ["email", "role", "to"].map(|name| one[name].as_str().unwrap().to_owned());
    assert_eq!(told(&open[0]), [ADA, "partner", "reset"]);
    assert_eq!(told(&open[1]), ["new@acme.test", "member", "join"]);
    assert_eq!(open[1]["account"], "acme");
    assert!(!open.to_string().contains(link.rsplit('=').next().unwrap()), "a link is shown once");

    let id = open[1]["id"].as_str().unwrap();
    assert_eq!(shell.json(&["invitation", "revoke", id]), json!({"revoked": id}));
    assert_eq!(len(&shell.json(&["invitation", "list"])), 1);
    for (arguments, told) in [
        (&["invitation", "revoke", id][..], "`leadgate invitation list`"),
        (&["user", "invite", ADA], "already"),
        (&["user", "invite", "new@acme.test", "--account", "nowhere"], "`leadgate account list`"),
        (&["user", "reset", "nobody@acme.test"], "there is no user"),
    ] {
        let ran = shell.run(arguments);
        assert!(ran.code == 1 && ran.errors.contains(told), "{arguments:?}: {}", ran.errors);
    }
}

/// B23: a disabled application can do nothing, and what it had is over.
async fn b23_an_application_is_disabled_and_enabled(world: World) {
    let shell = beside(&world);
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    assert_eq!(world.refresh(&tokens.refresh, APP).await.json()["valid"], true);
    assert!(shell.json(&["app", "disable", APP])["disabled_since"].is_string());
    assert_eq!(world.refresh(&tokens.refresh, APP).await.json()["valid"], false);
    assert!(shell.run(&["app", "list"]).out.lines().any(|row| row.contains(APP) && row.ends_with("disabled")));
    assert_eq!(shell.json(&["connection", "list", "--app", APP]), json!([]), "they ended");
    assert!(shell.json(&["app", "enable", APP])["disabled_since"].is_null());
    assert_eq!(world.refresh(&tokens.refresh, APP).await.json()["valid"], false, "what was ended stays ended");
    let again = connect_by_api(&world, ADA, "btn-one").await;
    assert_eq!(world.refresh(&again.refresh, APP).await.json()["valid"], true);
    for command in ["disable", "enable"] {
        assert_eq!(shell.run(&["app", command, "no-such-app"]).code, 1, "{command}");
    }
}

async fn a_secret_is_rotated_and_the_old_one_revoked(world: World) {
    let shell = beside(&world);
    assert_eq!(shell.json(&["app", "secret", "revoke", APP])["revoked"], false, "there was no other");
    let rotated = shell.json(&["app", "secret", "rotate", APP]);
    assert!(rotated["previous_client_secret_expires_at"].is_string(), "{rotated}");
    assert_eq!(shell.json(&["app", "secret", "revoke", APP]), json!({"app": APP, "revoked": true}));
    assert_eq!(shell.json(&["app", "secret", "revoke", APP])["revoked"], false);
    let before = shell.json(&["app", "rotate-secret", APP, "--overlap", "1h"]);
    assert!(before["client_secret"].is_string(), "by its former name, too");
    assert_eq!(shell.run(&["app", "secret", "rotate", "no-such-app"]).code, 1);
}

/// C16: a picture is written anew or refused, by a command as by the console.
async fn c16_a_logo_is_set_from_a_file_and_removed(world: World) {
    let shell = beside(&world);
    let png = image::DynamicImage::new_rgb8(8, 8);
    png.save_with_format(shell.path("logo"), image::ImageFormat::Png).unwrap();
    let logo = shell.json(&["app", "logo", "set", APP, "logo"])["logo"].clone();
    assert!(logo.is_string() && shell.json(&["app", "show", APP])["logo"] == logo, "{logo}");
    shell.write("logo.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>");
    std::fs::write(shell.path("long"), vec![0; 600 * 1024]).unwrap();
    for (file, told) in [("logo.svg", "neither PNG nor WebP"), ("long", "more than"), ("absent", "absent: ")] {
        let ran = shell.run(&["app", "logo", "set", APP, file]);
        assert!(ran.code == 1 && ran.errors.contains(told), "{file}: {}", ran.errors);
    }
    assert_eq!(shell.json(&["app", "show", APP])["logo"], logo, "what was refused changed nothing");
    assert!(shell.json(&["app", "logo", "remove", APP])["logo"].is_null());
    assert_eq!(shell.run(&["app", "logo", "remove", "no-such-app"]).code, 1);
}

async fn what_ends_is_told_before_it_is_deleted(world: World) {
    let shell = beside(&world);
    world.actor().connect("btn-one", PARTNER, ADA).await;
    let told = shell.json(&["user", "delete", ADA, "--dry-run"]);
    assert_eq!((&told["would_delete"], &told["ends"]), (&json!(ADA), &json!({"sessions": 1, "connections": 1})));
    assert!(told["leaves"]["applications_without_owner"].as_u64().unwrap() >= 1, "{told}");
    let buttons = len(&shell.json(&["button", "list", "--app", APP]));
    let told = shell.json(&["app", "delete", APP, "--dry-run"]);
    let ends = json!({"buttons": buttons, "connections": 1});
    assert_eq!(told, json!({"would_delete": APP, "ends": ends}));
    assert_eq!(len(&shell.json(&["connection", "list", "--user", ADA])), 1, "nothing was done");
    let text = shell.run(&["app", "delete", APP, "--dry-run"]).out;
    assert_eq!(text, format!("with the application {APP} end buttons: {buttons}, connections: 1\n"));

    assert_eq!(shell.json(&["app", "delete", APP]), json!({"deleted": APP, "ends": ends}));
    assert_eq!(shell.json(&["user", "delete", ADA])["deleted"], ADA);
    assert_eq!(shell.run(&["user", "show", ADA]).code, 1);
}

async fn usage_is_shown_by_days(world: World) {
    let shell = beside(&world);
    let tokens = world.actor().connect("btn-one", PARTNER, ADA).await;
    world.refresh(&tokens.refresh, APP).await;
    // What a running server counts it writes down in passing.
    world.ctx.store.flush_notes().await.unwrap();
    let usage = shell.json(&["app", "usage", APP]);
    let (days, today) = (len(&usage["days"]), usage["days"].as_array().unwrap().last().unwrap());
    assert_eq!((&usage["app"], days), (&json!(APP), 30));
    assert_eq!((&today["connections"], &today["errors"]), (&json!(1), &json!(0)));
    assert_eq!(today["refreshes"], 1);
    let table = shell.run(&["app", "usage", APP]).out;
    assert!(table.starts_with("DAY ") && table.lines().count() == 31, "{table}");
    assert_eq!(shell.run(&["app", "usage", "no-such-app"]).code, 1);
}

/// R14: who changed something, when, from where, and what.
async fn r14_what_was_done_is_listed_and_filtered(world: World) {
    let shell = beside(&world);
    shell.json(&["app", "set", APP, "--name", "Renamed"]);
    shell.json(&["account", "add", "Third", "--id", "third"]);
    world.actor().connect("btn-one", PARTNER, ADA).await;
    let events = |filter: &[&str]| shell.json(&[&["event", "list"][..], filter].concat());

    let changed = &events(&["--action", "app.changed"])[0];
    assert_eq!((&changed["actor"]["kind"], &changed["from"]), (&json!("command_line"), &Value::Null));
    assert_eq!((&changed["target"]["kind"], &changed["target"]["id"]), (&json!("app"), &json!(APP)));
    assert_eq!(changed["changes"], json!([{"field": "name", "before": "Rate Finder", "after": "Renamed"}]));
    assert_eq!(events(&["--target", "third"])[0]["action"], "account.created");
    assert_eq!(events(&["--kind", "account", "--limit", "1"])[0]["target"]["id"], "third");
    let all = events(&[]);
    let is_opened = |events: &Value| events.as_array().unwrap().iter().any(|one| one["action"] == "session.opened");
    assert!(is_opened(&all) && !is_opened(&events(&["--changes"])));
    assert!(events(&["--actor", ADA]).as_array().unwrap().iter().all(|one| one["actor"]["name"] == ADA));
    assert_eq!(events(&["--since", "1h"]), all);
    assert_eq!(events(&["--since", "2999-01-01T00:00:00Z"]), json!([]));
    let newest = all[0]["id"].as_str().unwrap();
    assert_eq!(events(&["--before", newest]).as_array().unwrap()[..], all.as_array().unwrap()[1..]);
    let table = shell.run(&["event", "list", "--action", "app.changed"]).out;
    assert!(table.contains("name: Rate Finder \u{2192} Renamed"), "{table}");
    for wrong in [["--action", "app.eaten"], ["--kind", "cake"], ["--since", "yesterday"], ["--limit", "0"]] {
        assert_eq!(shell.run(&[&["event", "list"][..], &wrong].concat()).code, 2, "{wrong:?}");
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
