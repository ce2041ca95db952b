//! What people see at a terminal, and programs do not: a line for each flow, how far a long command is, a running sandbox's
//! requests, and errors that say what to do.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::program::{Directory, Owned, Ran, Server, exchange, free_port};

const TOKEN: &str = "lgx_the-sandbox-token-of-the-terminal-tests";
const APP: &str = "0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001";
/// Generous: the machine may be busy.
const SOON: Duration = Duration::from_secs(60);

/// The same command as at a terminal of its own (util-linux); what it shows goes to the file.
fn at_a_terminal(directory: &Directory, words: &[&str], shown: &str) -> Command {
    let plain = directory.command(&[]);
    let program = plain.get_program().to_str().unwrap();
    let line: Vec<String> = [&[program], words].concat().iter().map(|word| format!("'{word}'")).collect();
    let mut command = Command::new("script");
    command.args(["--quiet", "--flush", "--return", "--command", &line.join(" "), shown]).current_dir(&directory.0);
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).env("TERM", "xterm").env_remove("NO_COLOR");
    command
}

fn wait_for(what: &str, there: impl Fn() -> bool) {
    let end = Instant::now() + SOON;
    while !there() {
        assert!(Instant::now() < end, "{what}");
        std::thread::yield_now();
    }
}

/// A server at a terminal, and what that shows.
struct AtTerminal {
    directory: Directory,
    address: String,
    _server: Owned,
}

impl AtTerminal {
    fn serve(more: &[&str], no_color: bool) -> Self {
        let directory = Directory::new();
        let address = format!("127.0.0.1:{}", free_port());
        let words = [&["serve", "--listen", &address, "--sandbox-token", TOKEN], more].concat();
        let mut command = at_a_terminal(&directory, &words, "shown");
        if no_color {
            command.env("NO_COLOR", "1");
        }
        let server = Owned(command.spawn().unwrap());
        let at = Self { directory, address, _server: server };
        wait_for("the server is ready", || at.shown().contains("Ready at "));
        at
    }

    fn shown(&self) -> String {
        std::fs::read_to_string(self.directory.path("shown")).unwrap_or_default()
    }

    fn get(&self, path: &str) {
        self.ask("GET", path, "");
    }

    /// `headers` are whole lines.
    fn ask(&self, method: &str, path: &str, headers: &str) {
        let request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
        exchange(&self.address, request.as_bytes()).unwrap();
    }

    /// A refresh token of Ada's.
    fn connect(&self) -> String {
        let body = r#"{"user":"ada@acme.test","button":"btn-demonstration","decision":"allow"}"#;
        let head = format!(
            "POST /_sandbox/authorize HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {TOKEN}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let reply = exchange(&self.address, head.as_bytes()).unwrap();
        reply.json()["refreshToken"].as_str().unwrap().to_owned()
    }
}

#[test]
fn a_terminal_shows_a_line_for_each_flow_and_says_nothing_twice() {
    let at = AtTerminal::serve(&[], true);
    let token = at.connect();
    at.get(&format!("/authorize/refreshaccesstoken/{token}?appid={APP}"));
    at.get(&format!("/authorize/disconnectapplicationtoken/{token}"));
    at.get(&format!("/authorize/refreshaccesstoken/{token}?appid={APP}"));
    wait_for("the refusal is shown", || at.shown().contains("  refused: "));
    let shown = at.shown();
    let lines: Vec<&str> = shown.lines().skip_while(|line| !line.contains("Ready at ")).skip(1).collect();
    let find = |word: &str| -> Vec<&&str> { lines.iter().filter(|line| line.contains(word)).collect() };
    assert_eq!((find("  refresh  ").len(), find("  disconnect  ").len(), find("refused").len()), (2, 1, 1), "{shown}");
    assert!(find("  refresh  ")[0].contains("ada@acme.test  0c9a51ce…  ok"), "{shown}");
    assert!(find("refused")[0].contains("just now") || find("refused")[0].contains("s ago"), "{shown}");
    assert!(!shown.contains(&token) && !lines.concat().contains('\u{1b}'), "no token, and no colour: {shown}");
}

#[test]
fn a_terminal_tells_what_was_asked_for_where_nothing_is_and_no_preflights() {
    let at = AtTerminal::serve(&[], true);
    let asks = "Origin: http://localhost:3000\r\nAccess-Control-Request-Method: POST\r\n";
    at.ask("OPTIONS", "/button/token", asks);
    at.get("/oauth/tokn");
    at.ask("DELETE", "/oauth/token", "");
    wait_for("the refusals are shown", || at.shown().contains(" It takes "));
    let shown = at.shown();
    assert!(
        shown.contains("  GET /oauth/***  refused: There is nothing at this address. Nearest: /oauth/token"),
        "{shown}"
    );
    assert!(shown.contains(" It takes POST"), "{shown}");
    assert!(!shown.contains("sign-in"), "{shown}");
}

#[test]
fn what_a_flood_left_out_is_told_when_it_is_over() {
    let at = AtTerminal::serve(&[], true);
    for _ in 0..200 {
        at.get("/v1/me");
    }
    wait_for("the rest is counted", || at.shown().contains(" more"));
    let counted = || {
        let shown = at.shown();
        let more = |line: &str| line.trim().strip_prefix("… and ")?.strip_suffix(" more")?.parse::<usize>().ok();
        shown.lines().filter(|line| line.contains("refused")).count() + shown.lines().filter_map(more).sum::<usize>()
    };
    wait_for("each is shown or counted, though nothing follows", || counted() == 200);
}

#[test]
fn a_terminal_has_colours_and_no_lines_where_it_is_to_be_quiet() {
    let at = AtTerminal::serve(&[], false);
    at.get(&format!("/authorize/refreshaccesstoken/wrong?appid={APP}"));
    wait_for("the refusal is shown", || at.shown().contains("\u{1b}[33mrefused: "));
    let quiet = AtTerminal::serve(&["--quiet"], true);
    quiet.get(&format!("/authorize/refreshaccesstoken/wrong?appid={APP}"));
    // Then it is the log's to tell.
    wait_for("the refusal is logged", || quiet.shown().contains("refused"));
    assert!(!quiet.shown().contains("  refused: "), "{}", quiet.shown());
}

#[test]
fn where_nobody_looks_on_there_are_no_lines_but_the_logs() {
    let directory = Directory::new();
    let mut server = directory.serve(&["--sandbox-token", TOKEN]);
    server.get(&format!("/authorize/refreshaccesstoken/wrong?appid={APP}"));
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));
    assert_eq!(server.log().matches("refused").count(), 1, "{}", server.log());
    assert_eq!(server.rest_of_output(), "", "and nothing beside it");
}

/// Users whose passwords take a while to hash.
fn large_seed(directory: &Directory) {
    let mut seed = String::from("[[accounts]]\nid = \"big\"\nname = \"Big\"\n");
    for nth in 0..24 {
        seed.push_str(&format!(
            "\n[[users]]\nemail = \"u{nth}@big.test\"\npassword = \"password {nth}\"\nname = \"U\"\naccount = \"big\"\n"
        ));
    }
    directory.write("big.toml", &seed);
}

#[test]
fn a_long_command_shows_how_far_it_is_on_a_terminal_alone() {
    let directory = Directory::new();
    large_seed(&directory);
    let status = at_a_terminal(&directory, &["seed", "big.toml"], "shown").status().unwrap();
    let shown = std::fs::read_to_string(directory.path("shown")).unwrap();
    assert!(status.success(), "{shown}");
    assert!(
        shown.contains("% ") && shown.contains("of about 25 accounts and users") && shown.contains(" left"),
        "{shown}"
    );
    assert!(shown.contains("25 made, 0 changed"), "{shown}");
    let piped = directory.run(&["seed", "big.toml"]);
    assert_eq!(piped.out, "0 made, 0 changed, 25 as they were\n");
    assert!(!piped.errors.contains(['%', '\r', '\u{1b}']), "{}", piped.errors);
    let json = directory.run(&["seed", "big.toml", "--json"]);
    assert!(json.code == 0 && json.errors.is_empty(), "{}", json.errors);
}

#[test]
fn tail_counts_a_span_in_real_time() {
    let directory = Directory::new();
    let server = directory.serve(&["--sandbox-token", TOKEN]);
    server.get("/v1/me");
    let body = r#"{"advance":"40d"}"#;
    let head = format!(
        "POST /_sandbox/clock HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    assert_eq!(exchange(&server.address(), head.as_bytes()).unwrap().status, 200);
    let line = Tail::of(&directory, &server, &[]).line();
    assert!(line.contains("GET  me "), "{line}");
    // What was before the span is not shown, and whatever comes is.
    let mut late = Tail::since("1ms", &directory, &server, &[]);
    let is_read = AtomicBool::new(false);
    let line = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_read.load(Ordering::Relaxed) {
                server.get("/oauth/userinfo");
            }
        });
        let line = late.line();
        is_read.store(true, Ordering::Relaxed);
        line
    });
    assert!(line.contains("GET  userinfo "), "{line}");
}

/// `leadgate tail`, and what it prints.
struct Tail {
    child: Owned,
    out: BufReader<ChildStdout>,
}

impl Tail {
    fn of(directory: &Directory, server: &Server, more: &[&str]) -> Self {
        Self::since("1h", directory, server, more)
    }

    fn since(since: &str, directory: &Directory, server: &Server, more: &[&str]) -> Self {
        let words = ["tail", "--since", since, "--server", &server.issuer, "--sandbox-token", TOKEN];
        let mut child: Child = directory.command(&[&words, more].concat()).stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child: Owned(child), out }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.out.read_line(&mut line).unwrap() > 0, "it has ended");
        line
    }

    fn interrupt(&mut self) -> Option<i32> {
        let pid = self.child.0.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        self.child.0.wait().unwrap().code()
    }
}

#[test]
fn tail_shows_what_comes_with_its_reason_and_goes_on_after_a_restart() {
    let directory = Directory::new();
    let listen = format!("127.0.0.1:{}", free_port());
    let serve = ["serve", "--listen", &listen, "--sandbox-token", TOKEN];
    let mut server = directory.spawn(&serve).ready();
    let refuse = |server: &Server| server.get(&format!("/authorize/refreshaccesstoken/wrong?appid={APP}"));
    refuse(&server);
    let mut all = Tail::of(&directory, &server, &["--json"]);
    let mut refused = Tail::of(&directory, &server, &["--refused", "--endpoint", "me", "--status", "4xx"]);
    let first: Value = serde_json::from_str(&all.line()).unwrap();
    assert_eq!((&first["endpoint"], &first["outcome"]), (&"refreshaccesstoken".into(), &"refused".into()), "{first}");
    server.get("/v1/me");
    let line = refused.line();
    assert!(line.contains("GET  me ") && line.contains("401 refused: "), "{line}");
    let second: Value = serde_json::from_str(&all.line()).unwrap();
    assert_eq!((&second["endpoint"], &second["status"]), (&"me".into(), &401.into()), "{second}");
    server.terminate();
    server.exit_code();
    let note: Value = serde_json::from_str(&all.line()).unwrap();
    assert!(note["note"].as_str().is_some_and(|note| note.contains("does not answer")), "{note}");
    let server = directory.spawn(&serve).ready();
    let back: Value = serde_json::from_str(&all.line()).unwrap();
    assert_eq!(back["note"], "the server is back");
    refuse(&server);
    let third: Value = serde_json::from_str(&all.line()).unwrap();
    assert_eq!(third["endpoint"], "refreshaccesstoken", "once, and not what came before: {third}");
    assert_eq!(all.interrupt(), Some(0));
    // Nobody reads any more: it ends by itself, without a word.
    let mut unread = Tail::of(&directory, &server, &[]);
    unread.line();
    drop(std::mem::replace(
        &mut unread.out,
        BufReader::new(Command::new("true").stdout(Stdio::piped()).spawn().unwrap().stdout.unwrap()),
    ));
    let ended = loop {
        refuse(&server);
        if let Some(status) = unread.child.0.try_wait().unwrap() {
            break status;
        }
    };
    assert_eq!(ended.code(), Some(0));
}

#[test]
fn bench_measures_and_leaves_nothing_behind() {
    let directory = Directory::new();
    let server = directory.serve(&["--sandbox-token", TOKEN]);
    let all = || -> Vec<usize> {
        let lists = ["account", "user", "app", "button", "connection"];
        lists.map(|kind| directory.json(&[kind, "list"]).as_array().unwrap().len()).to_vec()
    };
    let before = all();
    for path in ["refresh", "token", "introspect", "me"] {
        let words = [
            "bench",
            path,
            "--duration",
            "300ms",
            "--clients",
            "2",
            "--server",
            &server.issuer,
            "--sandbox-token",
            TOKEN,
        ];
        let figures = directory.json(&words);
        assert!(figures["requests"].as_u64().unwrap() > 0 && figures["errors"] == 0, "{path}: {figures}");
        assert!(figures["p50_ms"].as_f64().unwrap() <= figures["p99_ms"].as_f64().unwrap(), "{path}: {figures}");
    }
    assert_eq!(all(), before);
    let far = directory.run(&["bench", "--server", "https://auth.example.com", "--sandbox-token", TOKEN]);
    assert!(far.code == 2 && far.errors.contains("--yes-really"), "{}", far.errors);
}

#[test]
fn the_manual_has_a_page_for_each_command_that_man_reads() {
    let directory = Directory::new();
    let page = directory.run(&["man"]);
    assert!(page.code == 0 && page.out.contains(".TH") && page.out.contains("impersonate"), "{}", page.out);
    assert_eq!(directory.run(&["man", "--directory", "man"]).code, 0);
    for name in ["leadgate.1", "leadgate-impersonate.1", "leadgate-app-add.1", "leadgate-keys-master-rotate.1"] {
        assert!(directory.path("man").join(name).exists(), "{name}");
    }
    let pages: Vec<_> = std::fs::read_dir(directory.path("man")).unwrap().map(|page| page.unwrap().path()).collect();
    let read = Command::new("mandoc").args(["-T", "lint", "-W", "error"]).args(&pages).output();
    let read = read.expect("mandoc reads the manual: install it, or run ./test");
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stdout));
}

/// An error says what is wrong and what to do next.
#[test]
fn errors_come_with_the_next_step() {
    let directory = Directory::seeded();
    let server = directory.serve(&["--sandbox-token", TOKEN]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let (busy, closed) = (taken.local_addr().unwrap().to_string(), free_port());
    let nobody = format!("http://127.0.0.1:{closed}");
    let postgres = format!("postgres://u:p@127.0.0.1:{closed}/d");
    let at_closed = format!("127.0.0.1:{closed}");
    let rows: &[(&[&str], &[&str])] = &[
        (&["serve", "--listen", &busy], &["Another server runs there", "--listen"]),
        (&["serve", "--listen", "203.0.113.9:8443"], &["no such address", "127.0.0.1"]),
        (&["migrate", "--database-url", &postgres], &["Check that it is there", "--database-url"]),
        (&["migrate", "--database-url", "mysql://x"], &["sqlite://"]),
        (&["seed", "absent.toml"], &["absent.toml", "leadgate init"]),
        (&["serve", "--config", "absent.toml"], &["absent.toml", "leadgate init"]),
        (&["serve", "--mode", "sandbx"], &["`sandbox` or `production`"]),
        (&["user", "show", "adda@acme.test"], &["nearest is ada@acme.test", "leadgate user list"]),
        (&["app", "show", "nothing-like-it-at-all-999"], &["leadgate app list"]),
        (&["button", "show", "btn-rate-findr"], &["nearest is btn-rate-finder", "leadgate button list"]),
        (&["account", "show", "acmee"], &["nearest is acme", "leadgate account list"]),
        (&["tail"], &["--sandbox-token", "prints it when it starts"]),
        (&["tail", "--since", "1h", "--sandbox-token", TOKEN, "--server", &nobody], &["leadgate serve"]),
        (&["listen", "--print"], &["--sandbox-token"]),
        (
            &["tail", "--sandbox-token", "wrong", "--server", &server.issuer],
            &["refuses this sandbox token", "LEADGATE_SANDBOX_TOKEN"],
        ),
        (&["tail", "--sandbox-token", TOKEN, "--server", &nobody], &["leadgate serve", "--server"]),
        (
            &["tail", "--sandbox-token", TOKEN, "--server", &server.issuer, "--endpoint", "refreshacesstoken"],
            &["`refreshaccesstoken`"],
        ),
        (&["bench", "--sandbox-token", TOKEN, "--server", &nobody], &["leadgate serve", "--server"]),
        (&["listen", "--print", "--sandbox-token", TOKEN, "--server", &nobody], &["leadgate serve", "--server"]),
        (&["healthcheck", "--listen", &at_closed], &["leadgate serve", "--listen"]),
        (&["backup", "leadgate.bak", "--database-url", "sqlite://absent.db"], &["--database-url"]),
        (&["restore", "absent.bak"], &["stop it first"]),
        (&["man", "--directory", "/dev/null/man"], &["--directory"]),
        (&["impersonate", "--trust", "--directory", "/dev/null/ca"], &["--directory"]),
    ];
    for (words, wanted) in rows {
        let ran: Ran = directory.run(words);
        assert_ne!(ran.code, 0, "{words:?}");
        for text in *wanted {
            assert!(ran.errors.contains(text), "{words:?}: {text}: {}", ran.errors);
        }
        assert!(!ran.errors.contains("hunter2") && ran.out.is_empty(), "{words:?}: {}", ran.out);
    }
}
