//! What the real program leaves behind holds no secret that a run used (rules N5, R9): logs at their most talkative in both
//! formats, metrics, traces, the database, back-ups, the journal, lists, and answers that refuse. `crate::secrets` drives the pages.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use leadgate::crypto::seal::MasterKey;
use leadgate::store::{Store, keys};
use serde_json::{Value, json};

use crate::support::http::{escape, form};
use crate::support::program::{Directory, Reply, Server};
use crate::support::receiver::Receiver;
use crate::support::search::Search;
use crate::support::{Database, Kind};

const TOKEN: &str = "lgx_the-sandbox-token-of-the-leak-tests";
const APP: &str = "0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001";
const MASTER: [u8; 32] = [0x4b; 32];
const TYPED: &str = "wrong-pa55word-typed-by-mistake";
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("Content-Type", "application/json");

struct Run<'r> {
    directory: &'r Directory,
    url: String,
    /// Takes traces.
    collector: Receiver,
    search: Search,
    /// Where nothing may be found, by what it is.
    places: Vec<(String, Vec<u8>)>,
    /// Answers that hand secrets out: there they have to be found.
    handed_out: Vec<u8>,
}

impl Run<'_> {
    fn settings(&self) -> [String; 4] {
        let words = ["--database-url", &self.url, "--master-key-file", "master.key"];
        words.map(str::to_owned)
    }

    fn serve(&self, format: &str) -> Server {
        let settings = self.settings();
        let mut arguments: Vec<&str> = settings.iter().map(String::as_str).collect();
        arguments.extend(["--sandbox-token", TOKEN, "--log-level", "trace", "--log-format", format]);
        let environment = [("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), self.collector.origin.clone())];
        let arguments = [&["serve", "--listen", "127.0.0.1:0"], &arguments[..]].concat();
        self.directory.spawn_with(&environment, &arguments).ready()
    }

    /// A command's answer.
    fn command(&self, arguments: &[&str]) -> Value {
        let settings = self.settings();
        let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
        self.directory.json(&[arguments, &settings].concat())
    }

    /// Notes a secret that an answer hands out.
    fn take(&mut self, name: &str, answer: &Value, member: &str) -> String {
        let secret = answer[member].as_str().unwrap_or_else(|| panic!("{name}: {answer}")).to_owned();
        self.search.text(name, &secret);
        self.handed_out.extend(answer.to_string().into_bytes());
        secret
    }

    /// A request whose answer hands nothing out.
    fn refused(&mut self, server: &Server, method: &str, path: &str, headers: &[(&str, &str)], body: &str) {
        let reply = server.send(method, path, headers, body).unwrap();
        assert!(reply.status >= 400 || reply.body.contains("\"valid\":false"), "{method} {path}: {reply:?}");
        // LeadExec's five keys have the refresh token that was sent, as it was sent (wire.md part A).
        let sent = path.strip_prefix("/authorize/refreshaccesstoken/").and_then(|rest| rest.split('?').next());
        let body = sent.map_or(reply.body.clone(), |sent| {
            reply.body.replace(&format!("\"refreshToken\":\"{sent}\""), "\"refreshToken\":\"\"")
        });
        self.places.push((format!("the answer to {method}"), body.into_bytes()));
    }

    fn grant(&mut self, server: &Server, credentials: &str, fields: &[(&str, &str)]) -> Value {
        let basic = format!("Basic {}", STANDARD.encode(credentials));
        let reply = server.send("POST", "/oauth/token", &[FORM, ("Authorization", &basic)], &form(fields)).unwrap();
        self.search.text("credentials of a client", basic.trim_start_matches("Basic "));
        let answer = reply.json();
        for member in ["access_token", "refresh_token", "id_token"] {
            if answer[member].is_string() {
                self.take(member, &answer, member);
            }
        }
        if reply.status >= 400 {
            self.places.push(("the token endpoint's refusal".to_owned(), reply.body.into_bytes()));
        }
        answer
    }
}

fn plane(server: &Server, method: &str, path: &str, body: &Value) -> Reply {
    let bearer = format!("Bearer {TOKEN}");
    let reply = server
        .send(method, &format!("/_sandbox{path}"), &[("Authorization", &bearer), JSON], &body.to_string())
        .unwrap();
    assert!((200..300).contains(&reply.status), "{method} {path}: {reply:?}");
    reply
}

/// LeadExec's sign-in: used well, badly, and ended.
fn lead_exec(run: &mut Run<'_>, server: &Server) {
    for user in ["ada@acme.test", "grace@acme.test"] {
        let connected = server.authorize(TOKEN, user, "btn-demonstration").unwrap().json();
        let (refresh, access) = (
            run.take("a refresh token", &connected, "refreshToken"),
            run.take("an access token", &connected, "authToken"),
        );
        for _ in 0..3 {
            let refreshed = server.get(&format!("/authorize/refreshaccesstoken/{refresh}?appid={APP}")).json();
            run.take("a refreshed access token", &refreshed, "authToken");
        }
        assert_eq!(server.me(&access), 200);
        run.refused(server, "GET", &format!("/authorize/refreshaccesstoken/{refresh}?appid=other"), &[], "");
        run.refused(server, "GET", &format!("/authorize/refreshaccesstoken/{refresh}x?appid={APP}"), &[], "");
        run.refused(server, "GET", &format!("/Authorize/{}", escape(&refresh)), &[], "");
        run.refused(server, "POST", &format!("/authorize/refreshaccesstoken/{refresh}"), &[], "");
        run.refused(server, "GET", "/v1/me", &[("Authorization", &format!("Bearer {access}x"))], "");
        run.refused(server, "GET", "/v1/me", &[("Authorization", &format!("Basic {access}"))], "");
        assert_eq!(server.get(&format!("/authorize/disconnectapplicationtoken/{refresh}")).json()["valid"], true);
        run.refused(server, "GET", "/v1/me", &[("Authorization", &format!("Bearer {access}"))], "");
    }
    let without = [("Authorization", "Bearer lgx_the-sandbox-token-of-the-leak-testsx"), JSON];
    run.refused(server, "POST", "/_sandbox/authorize", &without, "{}");
}

/// The standard grants, and a client that registers itself.
fn oauth(run: &mut Run<'_>, server: &Server) {
    let rotated = run.command(&["app", "secret", "rotate", APP]);
    let secret = run.take("a client secret", &rotated, "client_secret");
    let eve = run.command(&["user", "add", "eve@acme.test", "--name", "Eve", "--account", "acme", "--make-password"]);
    let password = run.take("a password", &eve, "password");
    run.search.text("a wrong password", TYPED);
    let own = format!("{APP}:{secret}");
    let user = |password| [("grant_type", "password"), ("username", "eve@acme.test"), ("password", password)];
    let first = run.grant(server, &own, &user(&password));
    assert!(first["refresh_token"].is_string(), "{first}");
    run.grant(server, &own, &user(TYPED));
    run.grant(server, &format!("{APP}:{TYPED}"), &user(&password));
    let refresh = first["refresh_token"].as_str().unwrap();
    let renewed = run.grant(server, &own, &[("grant_type", "refresh_token"), ("refresh_token", refresh)]);
    assert_eq!(server.me(renewed["access_token"].as_str().unwrap()), 200);
    let theft = run.grant(server, &own, &[("grant_type", "refresh_token"), ("refresh_token", refresh)]);
    assert_eq!(theft["error"], "invalid_grant");
    run.grant(server, &own, &[("grant_type", "client_credentials")]);
    let basic = format!("Basic {}", STANDARD.encode(&own));
    let asked =
        server.send("POST", "/oauth/device_authorization", &[FORM, ("Authorization", &basic)], "").unwrap().json();
    let device = run.take("a device code", &asked, "device_code");
    let polled = [("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("device_code", device.as_str())];
    assert_eq!(run.grant(server, &own, &polled)["error"], "authorization_pending");

    let initial = run.take("an initial access token", &run.command(&["keys", "registration-token"]), "token");
    let bearer = format!("Bearer {initial}");
    let metadata = json!({"grant_types": ["client_credentials"]}).to_string();
    let registered =
        server.send("POST", "/oauth/register", &[("Authorization", &bearer), JSON], &metadata).unwrap().json();
    run.take("a registered client's secret", &registered, "client_secret");
    let manage = run.take("a registration access token", &registered, "registration_access_token");
    run.refused(server, "POST", "/oauth/register", &[("Authorization", &format!("Bearer {manage}")), JSON], &metadata);
}

/// What lies sealed, and what opens accounts.
fn others(run: &mut Run<'_>, server: &Server) {
    let body = json!({"app": APP, "url": "http://127.0.0.1:9/hook"});
    let hook = plane(server, "POST", "/webhooks", &body).json();
    let secret = run.take("a webhook's secret", &hook, "secret");
    run.search.bytes("a webhook's key", &STANDARD.decode(secret.trim_start_matches("whsec_")).unwrap());
    plane(server, "POST", &format!("/webhooks/{}/test", hook["id"].as_str().unwrap()), &json!({}));
    let callback = run.command(&["app", "callback", "set", APP, "http://127.0.0.1:9/ask"]);
    run.take("a call-back's secret", &callback, "secret");
    for (method, name) in [("basic", "pa55word-of-a-basic-delivery"), ("digest", "pa55word-of-a-digest-delivery")] {
        run.directory.write("typed", name);
        run.search.text("a delivery's password", name);
        run.search.text("a delivery's credentials", &STANDARD.encode(format!("crm:{name}")));
        let of =
            ["delivery", "add", "--name", "CRM", "--method", method, "--username", "crm", "--password-file", "typed"];
        let made = run.command(&of);
        let path = format!("/deliveries/{}/receive", made["id"].as_str().unwrap());
        let wrong = format!("Basic {}", STANDARD.encode(format!("crm:{TYPED}")));
        run.refused(server, "POST", &path, &[("Authorization", &wrong), JSON], "{}");
        run.places.push(("the answer of `delivery add`".to_owned(), made.to_string().into_bytes()));
    }
    std::fs::remove_file(run.directory.path("typed")).unwrap();
    let key = run.take("an API key", &run.command(&["account", "add", "Zenith", "--id", "zenith"]), "api_key");
    let bearer = format!("Bearer {key}");
    run.refused(server, "GET", "/v1/me", &[("Authorization", &bearer)], "");
    for arguments in [["user", "invite", "new@acme.test"], ["user", "reset", "grace@acme.test"]] {
        let link = run.command(&arguments)["link"].as_str().unwrap().to_owned();
        let token = link.split(['/', '=', '#', '?']).find(|part| part.starts_with("lgv_")).unwrap().to_owned();
        run.search.text("an invitation", &token);
        let path = link.split_once("://").unwrap().1.split_once('/').unwrap().1;
        for (path, status) in [(path.to_owned(), [200, 303]), (path.replace(&token, &format!("{token}x")), [410, 410])]
        {
            let reply = server.get(&format!("/{path}"));
            assert!(status.contains(&reply.status), "{reply:?}");
            run.places.push(("the page of an invitation".to_owned(), reply.body.into_bytes()));
        }
    }
}

/// What a person or a program reads back.
fn read_back(run: &mut Run<'_>, server: &Server) {
    let list = plane(server, "GET", "/requests?limit=5000", &Value::Null);
    let requests = list.json()["requests"].as_array().unwrap().clone();
    assert!(requests.len() > 10, "the test's own premise: {}", requests.len());
    for request in requests {
        let one = plane(server, "GET", &format!("/requests/{}", request["id"].as_str().unwrap()), &Value::Null);
        run.places.push(("an exchange of the journal".to_owned(), one.body.into_bytes()));
    }
    run.places.push(("the journal's list".to_owned(), list.body.into_bytes()));
    let archive = plane(server, "GET", "/requests.har", &Value::Null);
    run.places.push(("the journal's archive".to_owned(), archive.body.into_bytes()));
    assert!(server.get("/metrics").body.contains("leadgate_refusals_total{"), "the test's own premise");
    for page in ["/metrics", "/readyz", "/nothing-here"] {
        run.places.push((page.to_owned(), server.get(page).body.into_bytes()));
    }
    for command in [
        &["event", "list"][..],
        &["app", "list"],
        &["app", "show", APP],
        &["user", "list"],
        &["delivery", "list"],
        &["webhook", "list"],
        &["connection", "list"],
        &["invitation", "list"],
        &["account", "show", "zenith"],
        &["keys", "list"],
        &["keys", "master", "list"],
    ] {
        run.places.push((command.join(" "), run.command(command).to_string().into_bytes()));
    }
}

/// The server's own keys, as the master key opens them.
async fn own_keys(run: &mut Run<'_>, database: &Database) {
    run.search.text("the master key", &STANDARD.encode(MASTER));
    run.search.bytes("the master key", &MASTER);
    let store = Store::open(&database.location()).await.unwrap();
    let stored = store.read(|conn| Box::pin(keys::list(conn))).await.unwrap();
    store.close().await;
    assert!(stored.len() >= 2);
    for key in stored {
        let row = format!("keys/{}/{}", key.purpose, key.serial);
        let plain = MasterKey::new(&MASTER).open(&row, &key.sealed).unwrap();
        run.search.bytes(&row, &plain);
        run.search.text(&row, &STANDARD.encode(&plain));
        // The private number itself, which PKCS #8 wraps, and `d` of a JWK is (RFC 5958, RFC 7518 section 6.2.2).
        if key.purpose == "signing-es256" {
            run.search.bytes("a private key", &plain[36..68]);
        }
    }
}

async fn what_the_program_leaves(kind: Kind) {
    let database = Database::make(kind).await;
    let directory = Directory::new();
    directory.write("master.key", &STANDARD.encode(MASTER));
    Command::new("chmod").arg("600").arg(directory.path("master.key")).status().unwrap();
    let mut run = Run {
        directory: &directory,
        url: database.url(),
        collector: Receiver::start([]).await,
        search: Search::default(),
        places: Vec::new(),
        handed_out: Vec::new(),
    };
    run.search.text("the sandbox token", TOKEN);
    for format in ["json", "text"] {
        let mut server = run.serve(format);
        lead_exec(&mut run, &server);
        if format == "json" {
            oauth(&mut run, &server);
            others(&mut run, &server);
            run.command(&["keys", "rotate"]);
        }
        read_back(&mut run, &server);
        // While it runs: SQLite's write-ahead log is part of it.
        run.places.push(("the database".to_owned(), database.db_dump().await));
        server.terminate();
        assert_eq!(server.exit_code(), Some(0));
        assert!(server.log().lines().count() > 100, "{}", server.log());
        run.places.push((format!("the log, as {format}"), server.log().into_bytes()));
        let traces: Vec<u8> = run.collector.received().into_iter().flat_map(|received| received.body).collect();
        assert!(traces.windows(11).any(|part| part == b"store.issue"), "the test's own premise");
        run.places.push(("the traces".to_owned(), traces));
        run.places.push(("the banner".to_owned(), server.banner.into_bytes()));
    }
    own_keys(&mut run, &database).await;
    let file = directory.path("backup");
    if kind == Kind::Sqlite {
        run.command(&["backup", file.to_str().unwrap()]);
    } else {
        let to = format!("--file={}", file.display());
        assert!(Command::new("pg_dump").args([&to, &run.url]).status().unwrap().success());
    }
    let backup = std::fs::read(file).unwrap();
    assert!(backup.windows(13).any(|part| part == b"eve@acme.test"), "the test's own premise");
    run.places.push(("the back-up".to_owned(), backup));
    let doctor = directory.run(&["doctor", "--database-url", &run.url, "--master-key-file", "master.key"]);
    run.places.push(("what `doctor` says".to_owned(), (doctor.out + &doctor.errors).into_bytes()));
    assert!(run.search.len() > 300, "{}", run.search.len());
    assert!(run.search.find(&run.handed_out).len() >= 12, "it finds what is there");
    for (what, place) in &run.places {
        run.search.assert_none_in(what, place);
    }
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n5_r9_nothing_that_the_program_leaves_holds_a_secret_on_sqlite() {
    what_the_program_leaves(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n5_r9_nothing_that_the_program_leaves_holds_a_secret_on_postgres() {
    what_the_program_leaves(Kind::Postgres).await;
}
