//! The program itself, several times on one PostgreSQL (rule R8): what one process did the next request at any other knows,
//! messages are sent by one of them, and all can be restarted one after the other without anybody noticing.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::program::{Directory, Reply, Server};
use crate::support::receiver::{self, Receiver};
use crate::support::{Database, Kind};

const TOKEN: &str = "lgx_the-sandbox-token-of-the-nodes";
const APP: &str = "0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001";
const BUTTON: &str = "btn-demonstration";
/// Longer than any machine needs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until it is so.
#[track_caller]
fn until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "{what}: it does not come");
        std::thread::yield_now();
    }
}

fn node(directory: &Directory, url: &str, more: &[&str]) -> Server {
    directory.serve(&[&["--database-url", url, "--sandbox-token", TOKEN], more].concat())
}

fn refresh_path(refresh: &str) -> String {
    format!("/authorize/refreshaccesstoken/{refresh}?appid={APP}")
}

/// A connection that is kept.
struct Kept(BufReader<TcpStream>);

struct Heard {
    status: u16,
    /// Whether the client is told to take another connection.
    closes: bool,
    body: String,
}

impl Kept {
    fn open(address: &str) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self(BufReader::new(stream)))
    }

    fn get(&mut self, path: &str, headers: &str) -> std::io::Result<Heard> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        self.0.get_mut().write_all(request.as_bytes())?;
        let mut heard = Heard { status: 0, closes: false, body: String::new() };
        let mut length = 0;
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(status) = line.strip_prefix("http/1.1 ") {
                heard.status = status[..3].parse().unwrap();
            }
            match line.split_once(": ") {
                Some(("content-length", value)) => length = value.parse().unwrap(),
                Some(("connection", "close")) => heard.closes = true,
                _ => {}
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        heard.body = String::from_utf8(body).unwrap();
        Ok(heard)
    }
}

/// Hands connections on to those who say that they are ready.
#[derive(Clone)]
struct Balancer {
    address: String,
    /// Where nodes listen, and whether they were ready when last asked.
    nodes: Arc<Mutex<Vec<(String, bool)>>>,
    next: Arc<AtomicUsize>,
}

impl Balancer {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let this = Self { address, nodes: Arc::default(), next: Arc::default() };
        let (takes, probes) = (this.clone(), this.clone());
        std::thread::spawn(move || listener.incoming().for_each(|client| takes.hand_on(client.unwrap())));
        std::thread::spawn(move || {
            while Arc::strong_count(&probes.nodes) > 1 {
                probes.probe()
            }
        });
        this
    }

    /// Asks each whether it is ready, as an operator's would: now and then.
    fn probe(&self) {
        let nodes: Vec<String> = self.nodes.lock().unwrap().iter().map(|(address, _)| address.clone()).collect();
        for address in nodes {
            let ready = Kept::open(&address).and_then(|mut kept| kept.get("/readyz", "Connection: close\r\n"));
            let is_ready = ready.is_ok_and(|heard| heard.status == 200);
            if let Some((_, known)) = self.nodes.lock().unwrap().iter_mut().find(|(other, _)| *other == address) {
                *known = is_ready;
            }
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }

    fn add(&self, node: &Server) {
        self.nodes.lock().unwrap().push((node.address(), true));
    }

    fn ready(&self) -> Vec<String> {
        let nodes = self.nodes.lock().unwrap();
        nodes.iter().filter(|(_, is_ready)| *is_ready).map(|(address, _)| address.clone()).collect()
    }

    /// Where one cannot be reached, the next is tried: nothing was asked yet.
    fn hand_on(&self, client: TcpStream) {
        let ready = self.ready();
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let reached = (0..ready.len()).find_map(|i| TcpStream::connect(&ready[(first + i) % ready.len()]).ok());
        let Some(node) = reached else { return };
        for (mut from, mut to) in [(client.try_clone().unwrap(), node.try_clone().unwrap()), (node, client)] {
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(std::net::Shutdown::Write);
            });
        }
    }
}

/// Asks for one thing after the other, with such a pause between them, until it is told to stop; answers how often it was
/// answered, and what went wrong.
fn ask_on(address: &str, refresh: &str, pause: Duration, stop: &AtomicBool) -> (usize, Vec<String>) {
    let (mut kept, mut answered, mut wrong) = (None, 0, Vec::new());
    while !stop.load(Ordering::Relaxed) {
        let mut connection = match kept.take() {
            Some(kept) => kept,
            None => Kept::open(address).unwrap(),
        };
        match connection.get(&refresh_path(refresh), "") {
            Ok(heard) if heard.status == 200 && heard.body.contains("\"valid\":true") => {
                answered += 1;
                kept = (!heard.closes).then_some(connection);
                // A connection on which nothing is asked just then is not to be closed under its client's hands.
                std::thread::park_timeout(pause);
            }
            Ok(heard) => wrong.push(format!("{}: {}", heard.status, heard.body)),
            Err(error) => wrong.push(error.to_string()),
        }
    }
    (answered, wrong)
}

/// R8: nodes are ended and replaced one after the other, under load, and every request is answered: none has to be asked again.
#[tokio::test(flavor = "multi_thread")]
async fn r8_a_rolling_restart_loses_no_request() {
    let (database, directory) = (Database::make(Kind::Postgres).await, Directory::new());
    let url = database.url();
    let start = || node(&directory, &url, &["--shutdown-delay", "1s"]);
    let mut nodes = vec![start(), start()];
    let balancer = Balancer::start();
    nodes.iter().for_each(|node| balancer.add(node));
    let tokens = nodes[0].authorize(TOKEN, "ada@acme.test", BUTTON).unwrap().json();
    let refresh = tokens["refreshToken"].as_str().unwrap();
    let stop = AtomicBool::new(false);
    let heard = std::thread::scope(|scope| {
        let pauses = [0, 0, 20, 20, 40, 40].map(Duration::from_millis);
        let load = pauses.map(|pause| {
            let (address, stop) = (&balancer.address, &stop);
            scope.spawn(move || ask_on(address, refresh, pause, stop))
        });
        for _ in 0..2 {
            let next = start();
            balancer.add(&next);
            nodes.push(next);
            let mut old = nodes.remove(0);
            let address = old.address();
            old.terminate();
            until("the balancer knows", || !balancer.ready().contains(&address));
            assert_eq!(old.exit_code(), Some(0), "{}", old.log());
        }
        stop.store(true, Ordering::Relaxed);
        load.into_iter().map(|asks| asks.join().unwrap()).collect::<Vec<_>>()
    });
    for (answered, wrong) in heard {
        assert!(wrong.is_empty(), "{} of {answered}: {:?}", wrong.len(), &wrong[..wrong.len().min(5)]);
        assert!(answered > 10, "{answered}");
    }
    for node in &nodes {
        assert_eq!(node.me(tokens["authToken"].as_str().unwrap()), 200);
    }
    drop(nodes);
    database.remove().await;
}

/// R8: who is told to stop says first that it is not ready, and still answers: on new connections, and on old ones, whose
/// clients it sends elsewhere.
#[test]
fn r8_who_stops_says_so_first() {
    let directory = Directory::new();
    let mut server = directory.serve(&["--sandbox-token", TOKEN, "--shutdown-delay", "10m"]);
    let mut kept = Kept::open(&server.address()).unwrap();
    let mut other = Kept::open(&server.address()).unwrap();
    assert!(!kept.get("/livez", "").unwrap().closes && !other.get("/livez", "").unwrap().closes);
    server.terminate();
    until("/readyz tells", || server.get("/readyz").status == 503);
    assert_eq!(server.get("/readyz").json()["reason"], "the server is stopping");
    assert_eq!(server.get("/livez").status, 200, "it lives");
    let heard = kept.get("/livez", "").unwrap();
    assert!(heard.status == 200 && heard.closes, "and the client is told to take another");
    // Whoever says it twice is in a hurry. A connection on which nothing is asked holds up nobody.
    server.terminate();
    assert_eq!(server.exit_code(), Some(0), "{}", server.log());
    assert!(other.get("/livez", "").is_err());
}

/// A call of the control plane.
fn control(server: &Server, path: &str, body: &Value) -> Reply {
    let headers = [("Authorization", &*format!("Bearer {TOKEN}")), ("Content-Type", "application/json")];
    server.send("POST", path, &headers, &body.to_string()).unwrap()
}

/// R8: a disconnect at one node is seen by the next request at each, and each is told once to who wants to hear of it.
#[tokio::test(flavor = "multi_thread")]
async fn r8_a_disconnect_is_known_at_each_node_and_told_once() {
    const ROUNDS: usize = 9;
    let (database, directory) = (Database::make(Kind::Postgres).await, Directory::new());
    let url = database.url();
    let nodes: Vec<Server> = (0..3).map(|_| node(&directory, &url, &[])).collect();
    let receiver = Receiver::start([receiver::Reply::Body(200, "")]).await;
    let webhook = json!({"app": APP, "url": format!("{}/hook", receiver.origin),
        "events": ["connection.created", "connection.revoked"]});
    assert_eq!(control(&nodes[0], "/_sandbox/webhooks", &webhook).status, 201);
    for round in 0..ROUNDS {
        let at = |step: usize| &nodes[(round + step) % nodes.len()];
        let result = at(0).authorize(TOKEN, "ada@acme.test", BUTTON).unwrap().json();
        let text = |name: &str| result[name].as_str().unwrap().to_owned();
        let (refresh, access) = (text("refreshToken"), text("authToken"));
        for node in &nodes {
            assert_eq!(node.me(&access), 200);
            assert_eq!(node.get(&refresh_path(&refresh)).json()["valid"], true);
        }
        let disconnect = format!("/authorize/disconnectapplicationtoken/{refresh}");
        assert_eq!(at(1).get(&disconnect).json()["valid"], true);
        for step in [2, 0, 1] {
            assert_eq!(at(step).me(&access), 401, "round {round}, {step} further");
            assert_eq!(at(step).get(&refresh_path(&refresh)).json()["valid"], false);
            assert_eq!(at(step).get(&disconnect).json()["valid"], false);
        }
    }
    until("all was told", || receiver.received().len() >= 2 * ROUNDS);
    for mut node in nodes {
        node.terminate();
        assert_eq!(node.exit_code(), Some(0), "{}", node.log());
    }
    let received = receiver.received();
    let mut ids: Vec<&str> = received.iter().map(|one| one.header("webhook-id")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((received.len(), ids.len()), (2 * ROUNDS, 2 * ROUNDS), "each once, by one of the three");
    database.remove().await;
}
