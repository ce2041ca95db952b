//! `leadgate doctor`: what it finds, what it says to do, and that it changes nothing (rules N5, R10): docs/doctor.md.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::support::program::{Directory, free_port, mode};
use crate::support::{Database, Kind};

/// What it told.
struct Told {
    code: i32,
    report: Value,
}

fn doctor(directory: &Directory, arguments: &[&str]) -> Told {
    let ran = directory.run(&[&["doctor", "--json"], arguments].concat());
    let report = serde_json::from_str(&ran.out).unwrap_or_else(|why| panic!("{why}: {} {}", ran.out, ran.errors));
    Told { code: ran.code, report }
}

impl Told {
    /// The finding of an area whose text has this in it; each but a good one says what to do, here or in its text.
    #[track_caller]
    fn assert(&self, level: &str, area: &str, text: &str) -> &Self {
        let findings = self.report["findings"].as_array().unwrap();
        let is_it = |finding: &&Value| {
            finding["area"] == area && finding["level"] == level && finding["found"].as_str().unwrap().contains(text)
        };
        assert!(findings.iter().any(|finding| is_it(&finding)), "{level} {area} {text}: {:#}", self.report);
        assert_eq!(self.code, i32::from(self.report["problems"] != 0), "{:#}", self.report);
        self
    }
}

/// Each file below a directory, with what is in it.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if !["-wal", "-shm", ".lock", "log-0"].iter().any(|end| path.to_string_lossy().ends_with(end)) {
            found.insert(path.display().to_string(), std::fs::read(&path).unwrap());
        }
    }
    found
}

#[test]
fn a_healthy_server_has_no_problem_and_nothing_is_changed() {
    let directory = Directory::new();
    doctor(&directory, &[]).assert("ok", "database", "first start makes it").assert("ok", "keys", "no master key yet");
    assert!(files(&directory.0).is_empty(), "a look makes no files");
    let port = free_port().to_string();
    let listen = format!("127.0.0.1:{port}");
    let server = directory.spawn(&["serve", "--listen", &listen]).ready();
    let before = files(&directory.0);
    let told = doctor(&directory, &["--listen", &listen]);
    told.assert("ok", "configuration", "sandbox mode").assert("ok", "database", "up to date");
    told.assert("ok", "keys", "opens the server's keys").assert("ok", "clock", "it is 20");
    told.assert("ok", "reachability", "leads to this server's metadata");
    assert_eq!((told.code, &told.report["problems"]), (0, &0.into()), "{:#}", told.report);
    assert_eq!(files(&directory.0), before);
    let key = std::fs::read_to_string(directory.path("data/leadgate.key")).unwrap();
    assert!(!told.report.to_string().contains(key.trim()));
    let text = directory.run(&["doctor", "--listen", &listen]).out;
    assert!(text.ends_with("0 problems, 0 warnings\n") && text.starts_with("ok  "), "{text}");

    let elsewhere = Directory::new();
    let other = elsewhere.spawn(&["serve", "--listen", "127.0.0.1:0"]).ready();
    let address = format!("http://{}", other.address());
    let told = doctor(&directory, &["--listen", &listen, "--issuer", &address]);
    told.assert("problem", "reachability", "its metadata names \"http://localhost");
    let nowhere = format!("http://localhost:{}", free_port());
    let told = doctor(&directory, &["--listen", &listen, "--issuer", &nowhere]);
    told.assert("problem", "reachability", "does not answer from here");
    let unknown =
        doctor(&directory, &["--listen", &listen, "--mode", "sandbox", "--issuer", "http://no-such-host.invalid"]);
    unknown.assert("problem", "reachability", "no-such-host.invalid does not answer");
    drop(server);
    doctor(&directory, &["--listen", &listen]).assert("warning", "reachability", "no server is ready");
}

#[test]
fn what_is_wrong_with_the_configuration_is_told_all_at_once() {
    let directory = Directory::new();
    directory.write("leadgate.toml", "lisen = \"127.0.0.1:1\"\nmode = \"prod\"\n");
    let told = doctor(&directory, &[]);
    told.assert("problem", "configuration", "nearest known").assert("problem", "configuration", "mode");
    std::fs::remove_file(directory.path("leadgate.toml")).unwrap();
    let told = doctor(&directory, &["--mode", "production", "--issuer", "http://auth.example.com"]);
    told.assert("problem", "configuration", "https");
    doctor(&directory, &["--listen", "0.0.0.0:8080"]).assert("warning", "configuration", "open to every machine");
    doctor(&directory, &["--database-url", "sqlite::memory:"]).assert("warning", "configuration", "in memory");
    let loose =
        ["--logins-per-minute", "0", "--openings-per-minute", "0", "--password-grant", "true", "--log-level", "trace"];
    let production = ["--mode", "production", "--issuer", "https://localhost"];
    let told = doctor(&directory, &[&production[..], &loose].concat());
    told.assert("warning", "configuration", "only this machine").assert(
        "warning",
        "configuration",
        "logins_per_minute",
    );
    told.assert("warning", "configuration", "openings_per_minute");
    told.assert("warning", "configuration", "RFC 9700").assert("warning", "configuration", "trace");
    directory.write("master.key", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=");
    let postgres = "postgres://u:hunter2@db.invalid/leadgate";
    let far = ["--issuer", "https://auth.example.com", "--database-url", postgres, "--master-key-file", "master.key"];
    let told = doctor(&directory, &[&["--mode", "production"], &far[..]].concat());
    told.assert("warning", "configuration", "unencrypted").assert("problem", "database", "could not be opened");
    told.assert("warning", "configuration", "unencrypted");
    assert!(!told.report.to_string().contains("hunter2"));
}

#[test]
fn r10_what_is_wrong_with_the_master_key_is_told() {
    let directory = Directory::seeded();
    let key = directory.path("data/leadgate.key");
    let good = std::fs::read_to_string(&key).unwrap();
    let chmod = |mode: &str| std::process::Command::new("chmod").arg(mode).arg(&key).status().unwrap();
    chmod("644");
    doctor(&directory, &[]).assert("problem", "keys", "chmod 600");
    doctor(&directory, &["--master-key-file", "data/leadgate.key"]).assert("warning", "keys", "mode 644");
    chmod("600");
    assert_eq!(mode(&directory.path("data/leadgate.db")), 0o600, "it is made like that");
    let open = std::process::Command::new("chmod").arg("644").arg(directory.path("data/leadgate.db")).status();
    assert!(open.unwrap().success());
    doctor(&directory, &[]).assert("warning", "disk", "mode 644");
    std::fs::write(&key, &good[..10]).unwrap();
    doctor(&directory, &[]).assert("problem", "keys", "holds no master key");
    std::fs::write(&key, "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=").unwrap();
    doctor(&directory, &[]).assert("problem", "keys", "do not open under this master key");
    std::fs::remove_file(&key).unwrap();
    doctor(&directory, &[]).assert("problem", "keys", "is missing");
    assert!(!key.exists());
}

#[test]
fn a_clock_that_went_back_is_told() {
    let directory = Directory::seeded();
    let file = directory.path("data/leadgate.db");
    assert!(std::process::Command::new("touch").args(["-d", "+1 hour"]).arg(file).status().unwrap().success());
    doctor(&directory, &[]).assert("problem", "clock", "the clock went back");
}

/// Of the database itself, on both.
async fn what_is_wrong_with_the_database(kind: Kind) {
    let database = Database::make(kind).await;
    let directory = Directory::new();
    let url = database.url();
    let settings = ["--database-url", &url, "--master-key-file", "master.key"];
    directory.write("master.key", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=");
    let look = || doctor(&directory, &settings);
    look().assert("ok", "database", "first start makes it");
    let seeded = directory.run(&[&["user", "list"][..], &settings].concat());
    assert_eq!(seeded.code, 0, "{}", seeded.errors);
    look().assert("ok", "database", "up to date");

    directory.write("token", "t0ken-of-a-delivery");
    let add = ["delivery", "add", "--name", "CRM", "--method", "bearer", "--token-file", "token", "--json"];
    assert_eq!(directory.run(&[&add[..], &settings].concat()).code, 0);
    let key = std::fs::read_to_string(directory.path("master.key")).unwrap();
    directory.write("master.key", &format!("CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=\n{key}"));
    look().assert("warning", "keys", "3 values are sealed under an old master key");
    directory.write("master.key", &key);
    let bytes = if kind == Kind::Sqlite { "X'00'" } else { "'\\x00'" };
    database.db_execute(&format!("UPDATE deliveries SET settings = {bytes}")).await;
    look().assert("problem", "keys", "1 secrets of webhooks");
    database.db_execute("DELETE FROM deliveries").await;
    database
        .db_execute("UPDATE keys SET created_at = created_at - 40000000000000 WHERE purpose = 'signing-es256'")
        .await;
    look().assert("warning", "keys", "ES256 key signs since");

    let id = "ffffffff-ffff-7fff-bfff-ffffffffffff";
    let id = if kind == Kind::Sqlite { format!("X'{}'", id.replace('-', "")) } else { format!("'{id}'") };
    database
        .db_execute(&format!(
            "INSERT INTO events (id, at, action, actor_kind, actor_id, actor_name, target_kind, target_id, target_name, \
             changes) VALUES ({id}, 1, 'world.seeded', 'server', '', '', 'world', '', '', '[]')"
        ))
        .await;
    look().assert("problem", "clock", "the clock went back");
    database.db_execute("DELETE FROM events").await;
    look().assert("ok", "clock", "it is 20");

    if kind == Kind::Postgres {
        let name = url.rsplit('/').next().unwrap().split('?').next().unwrap();
        database.db_execute(&format!("ALTER DATABASE {name} SET synchronous_commit = off")).await;
        look().assert("problem", "database", "`synchronous_commit` is off");
        database.db_execute(&format!("ALTER DATABASE {name} RESET synchronous_commit")).await;
    } else {
        look().assert("ok", "disk", "are free at");
    }
    let last = database.db_count("SELECT MAX(version) FROM _sqlx_migrations").await;
    database.db_execute(&format!("UPDATE _sqlx_migrations SET checksum = {bytes} WHERE version = {last}")).await;
    look().assert("problem", "database", "different build");
    database.db_execute(&format!("UPDATE _sqlx_migrations SET success = false WHERE version = {last}")).await;
    look().assert("problem", "database", "middle of migration");
    database.db_execute(&format!("DELETE FROM _sqlx_migrations WHERE version = {last}")).await;
    look().assert("warning", "database", "older than this program, by one migration");
    database
        .db_execute(&format!(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (9999, 'later', true, {bytes}, 0)"
        ))
        .await;
    look().assert("problem", "database", "newer than this program");
    database.remove().await;
}

#[tokio::test]
async fn what_is_wrong_with_the_database_is_told_on_sqlite() {
    what_is_wrong_with_the_database(Kind::Sqlite).await;
}

#[tokio::test]
async fn what_is_wrong_with_the_database_is_told_on_postgres() {
    what_is_wrong_with_the_database(Kind::Postgres).await;
}
