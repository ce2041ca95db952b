//! A disk that is full, that fails, and that loses power: `disk.c`, preloaded into the process that writes.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::asked::text;
use crate::cluster::Cluster;
use crate::kills::{AT_RANDOM, Dice, kill, kills, recovered};
use crate::load::{self, Book};
use crate::look::Graveyard;
use crate::program::{Directory, Server};
use crate::world::{self, Site};

/// How long a fault may go unnoticed under load.
const NOTICED: Duration = Duration::from_secs(30);

/// The disk of one test, and what it is told to do.
struct Disk {
    directory: Directory,
}

impl Disk {
    fn new() -> Self {
        let directory = Directory::new();
        // Also PostgreSQL's user reads, and takes back, what the disk was told.
        std::fs::set_permissions(&directory.0, std::fs::Permissions::from_mode(0o777)).unwrap();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/crash/disk.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(Self::library(&directory)).arg(source);
        assert!(compiler.status().unwrap().success(), "the C compiler is needed for {source}");
        Self { directory }
    }

    fn library(directory: &Directory) -> PathBuf {
        directory.path("disk.so")
    }

    /// The environment of a process whose files below a path are on this disk.
    fn of(&self, under: &Path, forgets: bool) -> Vec<(String, String)> {
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        let mut environment = vec![
            ("LD_PRELOAD".to_owned(), text(Self::library(&self.directory))),
            ("LEADGATE_TEST_DISK_UNDER".to_owned(), text(under.to_owned())),
            ("LEADGATE_TEST_DISK_SAYS".to_owned(), text(self.directory.path("says"))),
        ];
        environment
            .extend(forgets.then(|| ("LEADGATE_TEST_DISK_FORGETS".to_owned(), text(self.directory.path("phantoms")))));
        environment
    }

    fn tell(&self, what: &str) {
        // Whole, or not there.
        self.directory.write("next", what);
        std::fs::rename(self.directory.path("next"), self.directory.path("says")).unwrap();
    }

    fn is_told(&self) -> bool {
        self.directory.path("says").exists()
    }

    fn mend(&self) {
        let _ = std::fs::remove_file(self.directory.path("says"));
    }
}

/// For servers on SQLite, whose files are on this disk, which forgets.
fn on_sqlite(disk: &Disk) -> Site {
    let directory = Directory::new();
    let database = directory.path("leadgate.db");
    let environment = disk.of(&database, true);
    Site::with(environment, directory, &format!("sqlite://{}", database.display()))
}

/// Waits until the server says that it is not ready, and why.
fn noticed(server: &Server, reason: &str) {
    let began = Instant::now();
    loop {
        let ready = server.get("/readyz");
        if ready.status == 503 {
            assert_eq!(ready.json()["reason"], reason);
            return;
        }
        assert!(began.elapsed() < NOTICED, "the server does not notice that {reason}");
        std::thread::yield_now();
    }
}

/// The state of a process that is over and was not asked for yet is Z.
fn is_running(server: &Server) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.child.0.id())).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

/// Each surface says that it cannot, in its own form, and what only reads goes on.
fn assert_refused(server: &Server, access: &str, refresh: &str) {
    let swap = server.get(&format!("/authorize/refreshaccesstoken/{refresh}?appid=rates"));
    let body = swap.json();
    assert_eq!((swap.status, &body["valid"], body.as_object().unwrap().len()), (503, &json!(false), 5), "{body}");
    let end = server.get(&format!("/authorize/disconnectapplicationtoken/{refresh}"));
    assert_eq!((end.status, &end.json()["valid"]), (503, &json!(false)));
    let form = [("Content-Type", world::FORM)];
    let fields = "grant_type=client_credentials&client_id=robot&client_secret=robot-secret";
    let own = server.send("POST", "/oauth/token", &form, fields).unwrap();
    assert_eq!((own.status, &own.json()["error"]), (503, &json!("temporarily_unavailable")));
    let headers = [("api-key", world::API_KEY), ("Content-Type", "application/json")];
    let lead = r#"{"source":{"vid":5,"lid":1},"leads":[{"properties":{},"fields":{"Name":"x"}}]}"#;
    assert_eq!(server.send("POST", "/v2/insert/general", &headers, lead).unwrap().status, 503);
    assert_eq!(server.me(access), 200, "what only reads goes on");
    assert_eq!(server.get("/livez").status, 200);
}

/// A disk that does this under load: an error to each client, no lie to any, and no restart once it is mended.
fn a_fault_is_an_error_on_sqlite(what: &str, reason: &str) {
    let disk = Disk::new();
    let site = on_sqlite(&disk);
    let mut server = site.serve();
    // Nobody else's.
    let kept = world::connect(&server, world::USERS - 1).unwrap();
    let (access, refresh) = (text(&kept, "authToken"), text(&kept, "refreshToken"));
    let (mut books, mut graves) = (Vec::new(), Graveyard::default());
    for _ in 0..2 {
        books.push(load::until(&server, 1, 100, || {
            disk.tell(what);
            noticed(&server, reason);
        }));
        assert_refused(&server, &access, &refresh);
        disk.mend();
        recovered(&server);
        books.push(load::until(&server, 1, 100, || ()));
    }
    kill(&server);
    assert_eq!(server.exit_code(), None, "it was killed");
    let server = site.serve();
    let merged = Book::merged(books);
    let acknowledged = merged.acknowledged();
    graves.assert_as_acknowledged(&server, merged, 1);
    graves.assert_quiet(&server, 0, true);
    println!("{acknowledged} acknowledged beside a disk that is {what}");
}

/// R6, R13: with a full disk what writes is 503 in its own form, `/readyz` says so, and nothing acknowledged is lost.
#[test]
fn r6_r13_a_full_disk_is_an_error_and_no_lie_on_sqlite() {
    a_fault_is_an_error_on_sqlite("full", "the database's disk is full");
}

/// R6, R13: the same where fsync fails, and what it should have flushed is lost.
#[test]
fn r6_r13_a_failed_fsync_is_an_error_and_no_lie_on_sqlite() {
    a_fault_is_an_error_on_sqlite("broken", "the database's disk fails");
}

/// R6: whatever was answered had reached the disk: a power cut, which takes all that no fsync has flushed, takes none of it.
#[test]
fn r6_a_power_cut_loses_nothing_on_sqlite() {
    let disk = Disk::new();
    let site = on_sqlite(&disk);
    let (mut dice, mut graves, mut acknowledged) = (Dice::throw(), Graveyard::default(), 0);
    let mut server = site.serve();
    let cuts = kills();
    for round in 0..cuts {
        let book = load::until(&server, 1_000 + round, dice.below(AT_RANDOM), || {
            disk.tell("cut");
            while is_running(&server) {
                std::thread::yield_now();
            }
        });
        disk.mend();
        acknowledged += book.acknowledged();
        server = site.serve();
        graves.assert_as_acknowledged(&server, book, 1_000 + round);
        graves.assert_quiet(&server, round, round + 1 == cuts);
    }
    println!("{cuts} power cuts, {acknowledged} acknowledged, {} of them revoked for good", graves.len());
}

/// R6: what a failed fsync was about can be read after a restart and is not on the disk: nothing that is acknowledged then
/// depends on it.
#[test]
fn r6_a_failed_fsync_is_not_believed_after_a_restart_on_sqlite() {
    let disk = Disk::new();
    let site = on_sqlite(&disk);
    let (mut dice, mut graves) = (Dice::throw(), Graveyard::default());
    let mut server = site.serve();
    let rounds = kills();
    for round in 0..rounds {
        let lead_type = 1_000 + round;
        let before = load::until(&server, lead_type, dice.below(AT_RANDOM), || {
            disk.tell("treacherous");
            noticed(&server, "the database's disk fails");
            kill(&server);
        });
        disk.mend();
        assert_eq!(server.exit_code(), None, "it was killed");
        server = site.serve();
        let after = load::until(&server, lead_type, 0, || {
            disk.tell("cut");
            while is_running(&server) {
                std::thread::yield_now();
            }
        });
        disk.mend();
        server = site.serve();
        graves.assert_as_acknowledged(&server, Book::merged(vec![before, after]), lead_type);
        graves.assert_quiet(&server, round, round + 1 == rounds);
    }
}

/// R6, R13: PostgreSQL cannot make a table larger: 503, and all goes on once it can.
#[test]
fn r6_r13_a_full_disk_is_an_error_and_no_lie_on_postgres() {
    let disk = Disk::new();
    let cluster = Cluster::start_with(|data| disk.of(&data.join("base"), false));
    let site = Site::on(&cluster.url);
    let server = site.serve();
    let mut graves = Graveyard::default();
    let broken = load::until(&server, 1, 100, || {
        disk.tell("full");
        noticed(&server, "the database's disk is full");
    });
    assert_eq!(server.get("/livez").status, 200);
    disk.mend();
    recovered(&server);
    let after = load::until(&server, 1, 100, || ());
    graves.assert_as_acknowledged(&server, Book::merged(vec![broken, after]), 1);
    graves.assert_quiet(&server, 0, true);
}

/// R6, R13: PostgreSQL's log cannot be flushed, at which it stops and recovers by itself: errors meanwhile, and no lie.
#[test]
fn r6_r13_a_failed_fsync_is_an_error_and_no_lie_on_postgres() {
    let disk = Disk::new();
    let cluster = Cluster::start_with(|data| disk.of(&data.join("pg_wal"), false));
    let site = Site::on(&cluster.url);
    let server = site.serve();
    let mut graves = Graveyard::default();
    let broken = load::until(&server, 1, 100, || {
        disk.tell("broken once");
        while disk.is_told() {
            std::thread::yield_now();
        }
    });
    cluster.lets_in();
    recovered(&server);
    assert!(cluster.log().contains("PANIC"), "it has stopped for it: {}", cluster.log());
    let after = load::until(&server, 1, 100, || ());
    graves.assert_as_acknowledged(&server, Book::merged(vec![broken, after]), 1);
    graves.assert_quiet(&server, 0, true);
}
