//! Back-ups and their way back (rules R7, R9), with the real program and PostgreSQL's own tools: docs/backup.md.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::load::{APP, Acknowledged, Load, PASSWORD, assert_kept, grant};
use crate::support::program::{Directory, Ran, Server, free_port, mode};
use crate::support::{Database, Kind};

const TOKEN: &str = "lgx_the-sandbox-token-of-the-backup-tests";
const KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

/// A database, and a directory to run the program in that has its master key.
struct Place {
    directory: Directory,
    url: String,
    kind: Kind,
    /// The issuer follows from it, and signed tokens name that.
    listen: String,
}

impl Place {
    fn on(database: &Database) -> Self {
        let directory = Directory::new();
        directory.write("master.key", KEY);
        Command::new("chmod").arg("600").arg(directory.path("master.key")).status().unwrap();
        let listen = format!("127.0.0.1:{}", free_port());
        Self { directory, url: database.url(), kind: database.kind, listen }
    }

    fn settings(&self) -> [&str; 4] {
        ["--database-url", &self.url, "--master-key-file", "master.key"]
    }

    fn serve(&self) -> Server {
        let own = ["serve", "--listen", &self.listen, "--sandbox-token", TOKEN];
        self.directory.spawn(&[&own[..], &self.settings()].concat()).ready()
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.directory.run(&[arguments, &self.settings()].concat())
    }

    /// As docs/backup.md says, on either database.
    fn back_up(&self, file: &Path) {
        let file = file.to_str().unwrap();
        match self.kind {
            Kind::Sqlite => {
                let ran = self.run(&["backup", file, "--json"]);
                assert_eq!(ran.code, 0, "{}", ran.errors);
            }
            Kind::Postgres => postgres("pg_dump", &["--format=custom", &format!("--file={file}"), &self.url]),
        }
    }

    fn restore(&self, file: &Path) {
        let file = file.to_str().unwrap();
        match self.kind {
            Kind::Sqlite => {
                let ran = self.run(&["restore", file, "--json"]);
                assert_eq!(ran.code, 0, "{}", ran.errors);
            }
            Kind::Postgres => {
                let database = format!("--dbname={}", self.url);
                let how = ["--clean", "--if-exists", "--single-transaction", "--no-owner"];
                postgres("pg_restore", &[&how[..], &[&database, file]].concat());
            }
        }
    }
}

fn postgres(tool: &str, arguments: &[&str]) {
    let ran = Command::new(tool).args(arguments).output().unwrap_or_else(|why| panic!("{tool}: {why}"));
    assert!(ran.status.success(), "{tool}: {}", String::from_utf8_lossy(&ran.stderr));
}

/// R7: whatever was acknowledged before a back-up began is in it, while connections are made, used and ended, and refresh
/// tokens rotated; and each restores to a database that is whole.
async fn back_up_under_load(kind: Kind, rounds: usize) {
    let database = Database::make(kind).await;
    let place = Place::on(&database);
    let server = place.serve();
    let load = Load::on(&server, TOKEN);
    let file = |round: usize| place.directory.path(&format!("backup-{round}"));
    let taken: Vec<(PathBuf, Acknowledged)> = std::thread::scope(|scope| {
        load.start(scope);
        let taken = (0..rounds).map(|round| {
            load.go_on();
            let before = load.so_far();
            place.back_up(&file(round));
            (file(round), before)
        });
        let taken = taken.collect();
        load.go_on();
        let all = load.end();
        assert!(all.refused.is_empty(), "{:?}", all.refused);
        taken
    });
    drop(server);
    for (file, before) in taken {
        let other = Database::make(kind).await;
        let elsewhere = Place { listen: place.listen.clone(), ..Place::on(&other) };
        elsewhere.restore(&file);
        let restored = elsewhere.serve();
        assert_kept(&restored, &before);
        drop(restored);
        other.remove().await;
    }
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r7_back_ups_under_load_have_what_was_acknowledged_on_sqlite() {
    back_up_under_load(Kind::Sqlite, 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r7_back_ups_under_load_have_what_was_acknowledged_on_postgres() {
    back_up_under_load(Kind::Postgres, 5).await;
}

/// What was ended after the back-up is back, and a refresh token that was rotated since is taken for stolen;
/// `revoke-all` ends whatever there is.
async fn an_older_database_and_revoke_all(kind: Kind) {
    let database = Database::make(kind).await;
    let place = Place::on(&database);
    let mut server = place.serve();
    let connected = server.authorize(TOKEN, "ada@acme.test", "btn-demonstration").unwrap().json();
    let (refresh, access) = (connected["refreshToken"].as_str().unwrap(), connected["authToken"].as_str().unwrap());
    let password = [("grant_type", "password"), ("username", "grace@acme.test"), PASSWORD];
    let (_, first) = grant(&server, &password).unwrap();
    let own = place.run(&["keys", "registration-token", "--json"]);
    assert_eq!(own.code, 0, "{}", own.errors);
    let file = place.directory.path("backup");
    place.back_up(&file);
    let rotate =
        |server: &Server, refresh: &str| grant(server, &[("grant_type", "refresh_token"), ("refresh_token", refresh)]);
    let (_, second) = rotate(&server, &first).unwrap();
    let (_, third) = rotate(&server, &second).unwrap();
    assert_eq!(server.get(&format!("/authorize/disconnectapplicationtoken/{refresh}")).json()["valid"], true);
    assert_eq!(server.me(access), 401);
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));

    place.restore(&file);
    let mut server = place.serve();
    assert_eq!(server.me(access), 200, "the disconnect is undone, as docs/backup.md says");
    let refused = rotate(&server, &third).unwrap_err();
    assert!(refused.contains("invalid_grant"), "{refused}");
    assert!(rotate(&server, &first).unwrap_err().contains("invalid_grant"), "the grant has ended over it");
    let (_, fresh) = grant(&server, &password).unwrap();
    let unmeant = place.run(&["revoke-all"]);
    assert!(unmeant.code == 2 && unmeant.errors.contains("--yes"), "{}", unmeant.errors);
    assert_eq!(server.me(access), 200);
    let revoked = place.run(&["revoke-all", "--yes", "--json"]);
    assert_eq!(revoked.code, 0, "{}", revoked.errors);
    let counts: serde_json::Value = serde_json::from_str(&revoked.out).unwrap();
    assert_eq!((&counts["connections_ended"], &counts["offers_withdrawn"]), (&2.into(), &1.into()), "{counts}");
    assert_eq!(server.me(access), 401, "at once, on a server that runs");
    let again = server.get(&format!("/authorize/refreshaccesstoken/{refresh}?appid={APP}"));
    assert_eq!(again.json()["valid"], false);
    assert!(rotate(&server, &fresh).is_err());
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r7_what_was_ended_since_is_back_and_revoke_all_ends_it_on_sqlite() {
    an_older_database_and_revoke_all(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r7_what_was_ended_since_is_back_and_revoke_all_ends_it_on_postgres() {
    an_older_database_and_revoke_all(Kind::Postgres).await;
}

/// A back-up replaces nothing unless told, is its owner's alone, and says what it lacks.
#[test]
fn r7_a_back_up_is_guarded_and_says_what_it_lacks() {
    let directory = Directory::seeded();
    let ran = directory.run(&["backup", "today"]);
    assert_eq!(ran.code, 0, "{}", ran.errors);
    assert!(ran.out.contains("does NOT hold the master key") && ran.out.contains("leadgate.key"), "{}", ran.out);
    assert_eq!(mode(&directory.path("today")), 0o600);
    let first = std::fs::read(directory.path("today")).unwrap();
    let again = directory.run(&["backup", "today"]);
    assert!(again.code == 1 && again.errors.contains("--force"), "{}", again.errors);
    assert_eq!(std::fs::read(directory.path("today")).unwrap(), first);
    assert_eq!(directory.json(&["backup", "today", "--force"])["bytes"], first.len());
    let nowhere = directory.run(&["backup", "no/such/place"]);
    assert!(nowhere.code == 1 && nowhere.errors.contains("no/such/place"), "{}", nowhere.errors);
    let none = directory.run(&["backup", "other", "--database-url", "sqlite://none.db"]);
    assert!(none.code == 1 && none.errors.contains("no database none.db"), "{}", none.errors);
    assert!(!directory.path("other").exists() && !directory.path("none.db").exists());
    let names = std::fs::read_dir(&directory.0).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(!names.into_iter().any(|name| name.to_string_lossy().contains(".part")), "no draft is left");
}

/// What cannot be restored leaves the database alone, and what was there is kept.
#[test]
fn r7_a_restore_looks_before_it_changes_anything() {
    let directory = Directory::seeded();
    directory.json(&["backup", "good"]);
    directory.json(&["user", "add", "late@acme.test", "--name", "Late", "--account", "acme"]);
    let before = directory.json(&["user", "list"]).as_array().unwrap().len();
    directory.write("text", "no database at all\n");
    let mut damaged = std::fs::read(directory.path("good")).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 4096].fill(0x5a);
    std::fs::write(directory.path("damaged"), damaged).unwrap();
    std::fs::write(directory.path("empty"), "").unwrap();
    let key = directory.path("data/leadgate.key");
    let good_key = std::fs::read_to_string(&key).unwrap();
    let refused = |file: &str, why: &str| {
        let ran = directory.run(&["restore", file]);
        assert!(ran.code == 1 && ran.errors.contains(why), "{file}: {}", ran.errors);
        assert!(!ran.errors.contains(good_key.trim()));
    };
    refused("missing", "missing could not be read");
    refused("text", "Take another");
    refused("damaged", "damaged");
    refused("empty", "no database of Leadgate's");
    std::fs::write(&key, KEY).unwrap();
    refused("good", "do not open under this master key");
    std::fs::write(&key, &good_key).unwrap();
    let server = directory.serve(&["--sandbox-token", TOKEN]);
    refused("good", "stop it first");
    assert_eq!(server.get("/readyz").status, 200);
    drop(server);
    assert_eq!(directory.json(&["user", "list"]).as_array().unwrap().len(), before, "all of that changed nothing");

    let ran = directory.run(&["restore", "good"]);
    assert_eq!(ran.code, 0, "{}", ran.errors);
    assert!(ran.out.contains("It is from 20") && ran.out.contains("revoke-all"), "{}", ran.out);
    assert_eq!(directory.json(&["user", "list"]).as_array().unwrap().len(), before - 1);
    let kept = std::fs::read_dir(directory.path("data")).unwrap().map(|entry| entry.unwrap().path());
    let kept = kept.into_iter().find(|path| path.to_string_lossy().contains(".before-")).unwrap();
    let kept = format!("sqlite://{}", kept.display());
    let key = key.to_str().unwrap();
    let listed = directory.json(&["user", "list", "--database-url", &kept, "--master-key-file", key]);
    assert_eq!(listed.as_array().unwrap().len(), before, "what was there is kept, whole");
}

/// A killed server's log is part of its database: a back-up has it, and a restore leaves none beside the new one.
#[test]
fn r7_what_a_killed_server_left_in_its_log_is_backed_up_and_kept() {
    let directory = Directory::new();
    let mut server = directory.serve(&["--sandbox-token", TOKEN]);
    let file = directory.path("early");
    assert_eq!(directory.run(&["backup", file.to_str().unwrap()]).code, 0);
    let connected = server.authorize(TOKEN, "ada@acme.test", "btn-demonstration").unwrap().json();
    let access = connected["authToken"].as_str().unwrap();
    server.child.0.kill().unwrap();
    server.exit_code();
    assert!(std::fs::metadata(directory.path("data/leadgate.db-wal")).unwrap().len() > 0, "the test's own premise");
    assert_eq!(directory.run(&["backup", "late"]).code, 0);
    assert_eq!(directory.run(&["restore", "early"]).code, 0);
    let server = directory.serve(&["--sandbox-token", TOKEN]);
    assert_eq!(server.me(access), 401, "the back-up is older");
    drop(server);
    let ran = directory.run(&["restore", "late"]);
    assert_eq!(ran.code, 0, "{}", ran.errors);
    assert_eq!(directory.serve(&["--sandbox-token", TOKEN]).me(access), 200);
}

/// Neither command takes a file that the server lives on for a back-up, whatever it is called.
#[test]
fn r7_the_servers_own_files_are_no_back_ups() {
    let directory = Directory::seeded();
    std::os::unix::fs::symlink(directory.path("data"), directory.path("elsewhere")).unwrap();
    let (database, key) = (directory.path("data/leadgate.db"), directory.path("data/leadgate.key"));
    let before = (std::fs::read(&database).unwrap(), std::fs::read(&key).unwrap());
    for own in
        ["leadgate.db", "leadgate.db-wal", "leadgate.db-shm", "leadgate.db-journal", "leadgate.db.lock", "leadgate.key"]
    {
        for place in ["data", "elsewhere"] {
            let ran = directory.run(&["backup", &format!("{place}/{own}"), "--force"]);
            assert!(ran.code == 1 && ran.errors.contains("the server lives on"), "{place}/{own}: {}", ran.errors);
        }
    }
    let ran = directory.run(&["restore", "elsewhere/leadgate.db"]);
    assert!(ran.code == 1 && ran.errors.contains("the server lives on"), "{}", ran.errors);
    assert_eq!((std::fs::read(&database).unwrap(), std::fs::read(&key).unwrap()), before);
}

/// A log without its database would be taken for the restored one's; one of the back-up's own is not passed over.
#[test]
fn r7_a_log_belongs_to_its_database_alone() {
    let directory = Directory::seeded();
    directory.json(&["backup", "good"]);
    let users = directory.json(&["user", "list"]);
    for log in ["-wal", "-shm", "-journal"] {
        directory.write(&format!("data/leadgate.db{log}"), "of another database");
    }
    std::fs::remove_file(directory.path("data/leadgate.db")).unwrap();
    let ran = directory.run(&["restore", "good"]);
    assert_eq!(ran.code, 0, "{}", ran.errors);
    for log in ["-wal", "-shm", "-journal"] {
        assert!(!directory.path(&format!("data/leadgate.db{log}")).exists(), "{log}");
    }
    assert_eq!(directory.json(&["user", "list"]), users);
    let names: Vec<_> = std::fs::read_dir(directory.path("data")).unwrap().map(|of| of.unwrap().file_name()).collect();
    let kept = |end: &str| {
        names.iter().any(|name| name.to_string_lossy().contains(".before-") && name.to_string_lossy().ends_with(end))
    };
    assert!(kept("-wal") && kept("-journal"), "{names:?}");

    directory.write("good-wal", "what came later");
    let ran = directory.run(&["restore", "good"]);
    assert!(ran.code == 1 && ran.errors.contains("good-wal lies beside"), "{}", ran.errors);
}

/// Whether a server runs does not hang on what SQLite makes of a damaged file.
#[test]
fn r7_a_damaged_database_under_a_server_is_in_use() {
    let directory = Directory::seeded();
    directory.json(&["backup", "good"]);
    let server = directory.serve(&["--sandbox-token", TOKEN]);
    let database = directory.path("data/leadgate.db");
    std::fs::write(&database, [0x5a; 8192]).unwrap();
    let ran = directory.run(&["restore", "good"]);
    assert!(ran.code == 1 && ran.errors.contains("stop it first"), "{}", ran.errors);
    assert_eq!(std::fs::read(&database).unwrap(), [0x5a; 8192], "left alone");
    drop(server);
    let ran = directory.run(&["restore", "good"]);
    assert_eq!(ran.code, 0, "{}", ran.errors);
    assert_eq!(directory.run(&["user", "list"]).code, 0);
}

/// On PostgreSQL the commands name its own tools, as they are to be typed, but for the password.
#[test]
fn r7_on_postgres_its_own_tools_are_named() {
    let directory = Directory::new();
    let url = "postgres://leadgate:hunter2@db.test/leadgate";
    for (command, tool) in [("backup", "pg_dump --format=custom --file='today' '"), ("restore", "pg_restore --clean")] {
        let ran = directory.run(&[command, "today", "--database-url", url]);
        assert!(ran.code == 1 && ran.errors.contains(tool), "{}", ran.errors);
        assert!(ran.errors.contains("db.test/leadgate") && !ran.errors.contains("hunter2"), "{}", ran.errors);
    }
}
