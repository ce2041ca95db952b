//! The server as a process (wire.md parts 0 and G): its banner, its database, its end.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::program::{Directory, Owned, Server, exchange, free_port, mode};
use crate::support::{Database, Kind};

const TOKEN: &str = "lgx_the-sandbox-token-of-the-process-tests";
const APP: &str = "0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001";

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("{key}: {value}")).to_owned()
}

/// A server with the demonstration, a database of its own and a known sandbox token.
fn demonstration(directory: &Directory) -> Server {
    directory.serve(&["--sandbox-token", TOKEN])
}

#[test]
fn part_0_the_demonstration_works_as_its_banner_says() {
    let directory = Directory::new();
    let server = directory.serve(&[]);
    assert!(server.banner.trim_end().ends_with(&server.issuer), "{}", server.banner);
    assert!(server.issuer.starts_with("http://localhost:"), "{}", server.issuer);
    for magic in ["deny@", "slow5s@", "revoked-in-10s@", "expired@"] {
        assert!(server.banner.contains(magic), "{magic}: {}", server.banner);
    }
    let button = server.banner_value("Button id").unwrap();
    assert_eq!(server.banner_value("App ID"), Some(APP));
    assert_eq!(server.banner_value("Try it"), Some(format!("{}/", server.issuer).as_str()));
    let page = server.get("/");
    assert!(
        page.status == 200 && page.body.contains(button) && page.body.contains("correct horse battery"),
        "{page:?}"
    );
    let token = server.banner_value("Sandbox token").unwrap();
    let result = server.authorize(token, "ada@acme.test", button).unwrap().json();
    assert_eq!(server.me(&text(&result, "authToken")), 200);
    let refresh = server.get(&format!("/authorize/refreshaccesstoken/{}?appid={APP}", text(&result, "refreshToken")));
    assert_eq!(refresh.json()["valid"], true);
    assert_eq!(server.authorize("wrong", "ada@acme.test", button).unwrap().status, 401);
    let data = directory.path("data");
    assert!(data.join("leadgate.db").exists());
    let keys: Vec<_> = std::fs::read_dir(&data)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().contains("key"))
        .collect();
    assert_eq!(keys.len(), 1, "{keys:?}");
    assert_eq!(mode(&keys[0]), 0o600, "nobody else reads the master key");
}

#[test]
fn part_0_a_second_start_finds_everything_and_keeps_it() {
    let directory = Directory::new();
    let first = demonstration(&directory);
    let result = first.authorize(TOKEN, "ada@acme.test", "btn-demonstration").unwrap().json();
    first.terminate();
    drop(first);
    directory.json(&["user", "add", "new@acme.test", "--name", "New", "--account", "acme"]);
    let second = demonstration(&directory);
    assert_eq!(second.me(&text(&result, "authToken")), 200);
    let again = second.authorize(TOKEN, "ada@acme.test", "btn-demonstration").unwrap().json();
    assert_eq!(again["connectionId"], result["connectionId"]);
    assert_eq!(second.authorize(TOKEN, "new@acme.test", "btn-demonstration").unwrap().status, 200);
    // Its new address is allowed for the button, or the page that it names would not work.
    assert!(second.get("/").body.contains("btn-demonstration"));
}

#[test]
fn part_0_a_named_seed_replaces_the_demonstration() {
    let directory = Directory::new();
    assert_eq!(directory.run(&["init"]).code, 0);
    std::fs::remove_file(directory.path("leadgate.toml")).unwrap();
    let server = directory.serve(&["--seed", "seed.toml", "--sandbox-token", TOKEN]);
    assert!(!server.banner.contains("deny@"), "{}", server.banner);
    assert!(!server.banner.contains(TOKEN), "who set it knows it");
    assert_eq!(server.authorize(TOKEN, "ada@acme.test", "btn-rate-finder").unwrap().status, 200);
    assert_eq!(server.authorize(TOKEN, "ada@acme.test", "btn-demonstration").unwrap().status, 404);
}

#[test]
fn part_0_commands_work_while_a_server_runs() {
    let directory = Directory::new();
    let server = demonstration(&directory);
    let result = server.authorize(TOKEN, "ada@acme.test", "btn-demonstration").unwrap().json();
    let access = text(&result, "authToken");
    let added = directory.json(&["button", "add", "--app", APP, "--id", "btn-new", "--origin", "https://new.test"]);
    assert_eq!(added["id"], "btn-new");
    assert_eq!(server.authorize(TOKEN, "ada@acme.test", "btn-new").unwrap().status, 200);
    let preflight = server.send("OPTIONS", "/button/token", &[("Origin", "https://new.test")], "").unwrap();
    assert_eq!(preflight.status, 204);
    directory.json(&["button", "delete", "btn-new"]);
    assert_eq!(server.send("OPTIONS", "/button/token", &[("Origin", "https://new.test")], "").unwrap().status, 403);
    assert_eq!(server.me(&access), 200);
    directory.json(&["user", "disable", "ada@acme.test"]);
    assert_eq!(server.me(&access), 401, "at once");
    directory.json(&["app", "delete", APP]);
    assert_eq!(server.authorize(TOKEN, "grace@acme.test", "btn-demonstration").unwrap().status, 404);
    directory.write("late.toml", LATE_SEED);
    directory.json(&["seed", "late.toml"]);
    assert_eq!(server.authorize(TOKEN, "eve@late.test", "btn-late").unwrap().status, 200);
}

const LATE_SEED: &str = r#"
[[accounts]]
id = "late"
name = "Late"

[[users]]
email = "eve@late.test"
password = "correct horse"
name = "Eve"
account = "late"

[[apps]]
id = "late"
name = "Late"

[[apps.buttons]]
id = "btn-late"
origins = ["https://late.test"]
"#;

/// Part G: SIGTERM lets a request finish, takes no new ones, and ends with 0.
#[tokio::test]
async fn part_g_sigterm_lets_a_request_finish() {
    let directory = Directory::new();
    let mut server = demonstration(&directory);
    let body = json!({"user": "slow5s@acme.test", "button": "btn-demonstration", "decision": "allow"}).to_string();
    let head = format!(
        "POST /_sandbox/authorize HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: \
         application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all((head + &body).as_bytes()).unwrap();
    // It is being answered once its token is recorded: from then on it is held back for five seconds.
    let database = directory.path("data/leadgate.db");
    let recorded = || async {
        use sqlx::{ConnectOptions as _, Executor as _, Row as _};
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&database).read_only(true);
        let mut conn = options.connect().await.unwrap();
        conn.fetch_one("SELECT COUNT(*) FROM access_tokens").await.unwrap().get::<i64, _>(0)
    };
    while recorded().await == 0 {
        tokio::task::yield_now().await;
    }
    server.terminate();
    while TcpStream::connect(server.address()).is_ok_and(is_served) {
        tokio::task::yield_now().await;
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"valid\":true"), "{answer}");
    assert_eq!(server.exit_code(), Some(0), "{}", server.log());
}

/// Whether somebody answers on this connection.
fn is_served(mut stream: TcpStream) -> bool {
    let mut byte = [0];
    stream.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").is_ok()
        && stream.read(&mut byte).is_ok_and(|read| read == 1)
}

/// R6: what was acknowledged before a kill -9 holds after it: no disconnect is forgotten, no token lost.
#[test]
fn r6_a_kill_loses_nothing_that_was_acknowledged() {
    let directory = Directory::new();
    for _ in 0..3 {
        let mut server = demonstration(&directory);
        let (mut ended, mut alive) = (Vec::new(), Vec::new());
        for user in ["ada@acme.test", "grace@acme.test"] {
            let result = server.authorize(TOKEN, user, "btn-demonstration").unwrap().json();
            let (refresh, access) = (text(&result, "refreshToken"), text(&result, "authToken"));
            if user.starts_with("ada") {
                let done = server.get(&format!("/authorize/disconnectapplicationtoken/{refresh}"));
                assert_eq!(done.json()["valid"], true);
                ended.push((refresh, access));
            } else {
                alive.push((refresh, access));
            }
        }
        // Killed in the middle of a load, whose acknowledged tokens count too.
        let refresh = alive[0].0.clone();
        let issued = std::thread::scope(|scope| {
            let load: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let mut issued = Vec::new();
                        while issued.len() < 200 {
                            let path = format!("/authorize/refreshaccesstoken/{refresh}?appid={APP}");
                            match server.send("GET", &path, &[], "") {
                                Ok(reply) if reply.status == 200 => match serde_json::from_str::<Value>(&reply.body) {
                                    Ok(body) => issued.push(text(&body, "authToken")),
                                    Err(_) => break,
                                },
                                _ => break,
                            }
                            if issued.len() == 20 {
                                let pid = server.child.0.id().to_string();
                                let _ = std::process::Command::new("kill").args(["-KILL", &pid]).status();
                            }
                        }
                        issued
                    })
                })
                .collect();
            load.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(issued.len() >= 20 && issued.len() < 800, "{}", issued.len());
        assert_eq!(server.exit_code(), None, "it was killed");
        let server = demonstration(&directory);
        for access in issued.iter().chain([&alive[0].1]) {
            assert_eq!(server.me(access), 200, "an acknowledged token is lost");
        }
        for (refresh, access) in &ended {
            assert_eq!(server.me(access), 401);
            let reply = server.get(&format!("/authorize/refreshaccesstoken/{refresh}?appid={APP}"));
            assert_eq!(reply.json()["valid"], false, "an acknowledged disconnect is lost");
        }
        server.terminate();
    }
}

/// R3: headers over the limit are 431, a flood of idle connections holds up nobody, and what is no HTTP is 400.
#[test]
fn r3_headers_over_the_limit_are_431_and_idle_connections_harmless() {
    let directory = Directory::new();
    let server = demonstration(&directory);
    let many: String = (0..300).map(|i| format!("X-{i}: y\r\n")).collect();
    for headers in [many, format!("X: {}\r\n", "y".repeat(1_000_000))] {
        let request = format!("GET /livez HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        let reply = exchange(&server.address(), request.as_bytes()).unwrap();
        assert_eq!(reply.status, 431);
    }
    let long = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "x".repeat(70_000));
    assert!((400..500).contains(&exchange(&server.address(), long.as_bytes()).unwrap().status));
    for garbage in
        ["\0\0\0\0\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"]
    {
        let reply = exchange(&server.address(), garbage.as_bytes());
        assert!(reply.is_err() || (400..506).contains(&reply.unwrap().status), "{garbage}");
    }
    let idle: Vec<TcpStream> = (0..300)
        .map(|_| {
            let mut stream = TcpStream::connect(server.address()).unwrap();
            stream.write_all(b"POST /button/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n").unwrap();
            stream
        })
        .collect();
    assert_eq!(server.get("/readyz").status, 200);
    assert_eq!(server.authorize(TOKEN, "ada@acme.test", "btn-demonstration").unwrap().status, 200);
    drop(idle);
}

/// N5: the real program's log, at its most talkative.
#[test]
fn n5_the_programs_log_holds_no_secret() {
    let directory = Directory::new();
    let server = directory.serve(&["--sandbox-token", TOKEN, "--log-level", "trace", "--log-format", "json"]);
    let mut secrets = vec![TOKEN.to_owned(), "app-secret".to_owned()];
    let result = server.authorize(TOKEN, "ada@acme.test", "btn-demonstration").unwrap().json();
    let (refresh, access) = (text(&result, "refreshToken"), text(&result, "authToken"));
    for _ in 0..10 {
        let path = format!("/authorize/refreshaccesstoken/{refresh}");
        secrets.push(text(&server.get(&format!("{path}?appid={APP}")).json(), "authToken"));
        assert_eq!(server.get(&format!("{path}?appid=other")).status, 200);
        assert_eq!(server.get(&format!("/Authorize/{refresh}")).status, 404);
        assert_eq!(server.me(&access), 200);
        assert_eq!(server.me(&format!("{access}x")), 401);
    }
    let path = format!("/authorize/disconnectapplicationtoken/{refresh}?callback=nameOfTheCallback");
    assert_eq!(server.get(&path).status, 200);
    secrets.extend([refresh, access, "nameOfTheCallback".to_owned()]);
    let log = server.log();
    assert!(log.lines().count() > 20, "{log}");
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(&secret));
        assert!(line.is_none(), "{secret} is in the log: {line:?}");
        assert!(!server.banner.contains(&secret), "{secret} is in the banner");
    }
    for line in log.lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "each line is one JSON object: {line}");
    }
}

/// The arguments of a server on this database that shares its master key with others.
fn on(url: &str) -> [&str; 6] {
    ["serve", "--listen", "127.0.0.1:0", "--database-url", url, "--sandbox-token"]
}

/// Three servers that start at once on an empty database agree on one set of keys and one demonstration.
async fn start_at_once(kind: Kind) {
    let database = Database::make(kind).await;
    let directory = Directory::new();
    let url = database.url();
    let arguments = [&on(&url)[..], &[TOKEN]].concat();
    let starting: Vec<_> = (0..3).map(|_| directory.spawn(&arguments)).collect();
    let servers: Vec<Server> = starting.into_iter().map(|starting| starting.ready()).collect();
    let keys: Vec<String> = servers.iter().map(|server| server.get("/.well-known/jwks.json").body).collect();
    assert!(keys.iter().all(|set| *set == keys[0]), "{keys:#?}");
    let result = servers[0].authorize(TOKEN, "ada@acme.test", "btn-demonstration").unwrap().json();
    for server in &servers {
        assert_eq!(server.me(&text(&result, "authToken")), 200);
        let path = format!("/authorize/refreshaccesstoken/{}?appid={APP}", text(&result, "refreshToken"));
        assert_eq!(server.get(&path).json()["valid"], true);
    }
    for mut server in servers {
        server.terminate();
        assert_eq!(server.exit_code(), Some(0), "{}", server.log());
    }
    database.remove().await;
}

#[tokio::test]
async fn part_0_three_servers_may_start_at_once_on_sqlite() {
    start_at_once(Kind::Sqlite).await;
}

#[tokio::test]
async fn part_0_three_servers_may_start_at_once_on_postgres() {
    start_at_once(Kind::Postgres).await;
}

/// A database of a later version is left alone, and the program says so.
async fn refuse_a_newer_database(kind: Kind) {
    let database = Database::make(kind).await;
    let directory = Directory::new();
    let url = database.url();
    let migrated = directory.run(&["migrate", "--database-url", &url]);
    assert_eq!((migrated.code, migrated.out.contains("is up to date")), (0, true), "{}", migrated.errors);
    assert_eq!(directory.run(&["migrate", "--database-url", &url]).code, 0, "again changes nothing");
    let blob = if kind == Kind::Sqlite { "X'00'" } else { "'\\x00'" };
    let row = format!(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'later', true, {blob}, 0)"
    );
    database.db_execute(&row).await;
    for arguments in [vec!["serve", "--listen", "127.0.0.1:0"], vec!["migrate"], vec!["user", "list"]] {
        let ran = directory.run(&[&arguments[..], &["--database-url", &url]].concat());
        assert_eq!(ran.code, 1, "{arguments:?}");
        let last = ran.errors.lines().last().unwrap();
        assert!(last.contains("newer than this program") && last.contains("9999"), "{}", ran.errors);
        assert!(last.starts_with("leadgate: ") && ran.out.is_empty(), "{}", ran.errors);
    }
    database.remove().await;
}

#[tokio::test]
async fn part_0_a_newer_sqlite_database_is_refused() {
    refuse_a_newer_database(Kind::Sqlite).await;
}

#[tokio::test]
async fn part_0_a_newer_postgres_database_is_refused() {
    refuse_a_newer_database(Kind::Postgres).await;
}

#[tokio::test]
async fn part_0_a_database_that_is_none_is_refused_with_a_reason() {
    let directory = Directory::new();
    directory.write("garbage.db", &"this is no database\n".repeat(500));
    std::fs::create_dir(directory.path("directory.db")).unwrap();
    let database = Database::make(Kind::Postgres).await;
    let missing = database.url();
    database.remove().await;
    for url in ["sqlite://garbage.db", "sqlite://directory.db", "sqlite:///proc/leadgate/x.db", &missing] {
        let ran = directory.run(&["serve", "--listen", "127.0.0.1:0", "--database-url", url]);
        assert_eq!(ran.code, 1, "{url}: {}", ran.errors);
        assert!(ran.errors.contains("--database-url") || ran.errors.contains("could not be"), "{}", ran.errors);
        assert!(!ran.errors.contains("panicked") && ran.out.is_empty(), "{}", ran.errors);
    }
    assert_eq!(std::fs::read_to_string(directory.path("garbage.db")).unwrap().len(), 10_000, "left alone");
}

/// R10: a master key that is missing, wrong, malformed or open to others stops the start, with a reason.
#[test]
fn r10_the_master_key_is_guarded() {
    let directory = Directory::new();
    assert_eq!(directory.run(&["user", "list"]).code, 0);
    let data = directory.path("data");
    let find = |path: &std::path::Path| path.to_string_lossy().contains("key");
    let key = std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path()).find(|path| find(path)).unwrap();
    let good = std::fs::read_to_string(&key).unwrap();
    let refused = |reason: &str| {
        let ran = directory.run(&["serve", "--listen", "127.0.0.1:0"]);
        assert_eq!(ran.code, 1, "{}", ran.errors);
        assert!(ran.errors.contains(reason) && !ran.errors.contains(good.trim()), "{}", ran.errors);
    };
    std::process::Command::new("chmod").arg("644").arg(&key).status().unwrap();
    refused("chmod 600");
    std::process::Command::new("chmod").arg("600").arg(&key).status().unwrap();
    std::fs::write(&key, "c2hvcnQ=").unwrap();
    refused("holds no master key");
    std::fs::write(&key, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
    refused("do not open under this master key");
    std::fs::remove_file(&key).unwrap();
    refused("is missing");
    assert!(!key.exists(), "none is made over keys that are there");
    let mut given = directory.command(&["user", "list"]);
    let given = given.env("LEADGATE_MASTER_KEY", good.trim()).output().unwrap();
    assert_eq!(given.status.code(), Some(0), "{}", String::from_utf8_lossy(&given.stderr));
    let mut wrong = directory.command(&["user", "list"]);
    let wrong = wrong.env("LEADGATE_MASTER_KEY", "not a key").output().unwrap();
    assert_eq!(wrong.status.code(), Some(1));
    assert!(!String::from_utf8_lossy(&wrong.stderr).contains("not a key"));
}

/// An address that is taken is named; nothing hangs.
#[test]
fn part_0_a_taken_address_is_told() {
    let directory = Directory::new();
    let server = demonstration(&directory);
    let ran = directory.run(&["serve", "--listen", &server.address()]);
    assert_eq!(ran.code, 1);
    assert!(ran.errors.contains(&server.address()) && ran.errors.contains("--listen"), "{}", ran.errors);
}

/// Production mode over the wire: no control plane, no demonstration, no secret in the banner.
/// wire.md part 0: what everybody can read in the source is no secret, also when a sandbox left it behind.
#[test]
fn part_0_production_refuses_the_demonstrations_secrets() {
    let directory = Directory::new();
    drop(demonstration(&directory));
    let listen = format!("127.0.0.1:{}", free_port());
    let ran = directory.run(&["serve", "--issuer", "https://auth.example.com", "--listen", &listen]);
    assert_eq!(ran.code, 1, "{}", ran.errors);
    for holder in ["ada@acme.test", "client secret", "API key"] {
        assert!(ran.errors.contains(holder), "{holder}: {}", ran.errors);
    }
    assert!(!ran.errors.contains("app-secret"), "and does not repeat them: {}", ran.errors);
}

#[test]
fn part_0_production_has_no_sandbox() {
    let directory = Directory::new();
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let mut command = directory.command(&["serve", "--issuer", "https://auth.example.com", "--listen", &listen]);
    let log = std::fs::File::create(directory.path("out")).unwrap();
    let _child = Owned(command.stdout(log).stderr(Stdio::null()).spawn().unwrap());
    let ran = directory.run(&["healthcheck", "--listen", &listen, "--wait", "30"]);
    assert_eq!(ran.code, 0, "{}", ran.errors);
    let get = |path: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: auth.example.com\r\nConnection: close\r\n\r\n");
        exchange(&listen, request.as_bytes()).unwrap()
    };
    assert_eq!(get("/_sandbox/authorize").status, 404);
    assert_eq!(get("/account").status, 200);
    assert!(!get("/account").body.contains("Continue as"));
    let banner = std::fs::read_to_string(directory.path("out")).unwrap();
    assert!(banner.contains("https://auth.example.com") && !banner.contains("token"), "{banner}");
    assert_eq!(directory.json(&["user", "list", "--issuer", "https://auth.example.com"]), json!([]));
}
