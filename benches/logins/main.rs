//! `cargo bench --bench logins`: how soon probes and tokens are answered while logins wait for their turn at argon2.
//!
//! A server with the demonstration, and a login on each of `--logins N` connections at once, 500 where it is left out: all
//! wait. Until the last is answered, `/livez`, `/readyz` and a token of the client's own are asked for in turn.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// The demonstration's application, as HTTP Basic.
const BASIC: &str = "MGM5YTUxY2UtOGYwZS00ZjBlLTlkNGUtN2I3ZjBmMGYwMDAxOmFwcC1zZWNyZXQ=";

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    // `cargo test --benches` runs this too, to see that it works.
    let least = if arguments.iter().any(|argument| argument == "--bench") { 500 } else { 10 };
    let given = arguments.iter().position(|argument| argument == "--logins").and_then(|at| arguments.get(at + 1));
    let logins = given.and_then(|text| text.parse().ok()).unwrap_or(least);
    let server = Server::start();
    measure(&server, logins).await;
}

async fn measure(server: &Server, logins: usize) {
    let address = server.address;
    let login = token_request("grant_type=password&username=nobody%40acme.test&password=wrong");
    let probes = [
        ("/livez", "GET /livez HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".to_owned()),
        ("/readyz", "GET /readyz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".to_owned()),
        ("/oauth/token", token_request("grant_type=client_credentials")),
    ];
    let (idle, began) = (server.resident(), Instant::now());
    let mut waiting = JoinSet::new();
    for _ in 0..logins {
        let login = login.clone();
        waiting.spawn(async move { ask(address, &login).await });
    }
    let (mut refused, mut later, mut seen) = (0, 0, [const { Vec::new() }; 3]);
    let mut answered = |status: u16| match status {
        400 => refused += 1,
        503 => later += 1,
        _ => panic!("a login was answered {status}"),
    };
    while !waiting.is_empty() {
        for ((name, probe), seen) in probes.iter().zip(&mut seen) {
            let asked = Instant::now();
            assert_eq!(ask(address, probe).await, 200, "{name}");
            seen.push(asked.elapsed());
        }
        while let Some(status) = waiting.try_join_next() {
            answered(status.expect("a login that was sent"));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    println!("{logins} logins: {refused} looked at, {later} told to come again, in {:.1?}", began.elapsed());
    println!("resident: {idle} KiB before, {} KiB after", server.resident());
    for ((name, _), mut seen) in probes.iter().zip(seen) {
        seen.sort_unstable();
        let [half, most] = [seen.len() / 2, seen.len() - 1].map(|at| seen[at]);
        println!("{name:<14} p50 {half:>9.2?}   most {most:>9.2?}   of {}", seen.len());
    }
}

fn token_request(form: &str) -> String {
    format!(
        "POST /oauth/token HTTP/1.1\r\nHost: bench\r\nConnection: close\r\nAuthorization: Basic {BASIC}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    )
}

/// The status of an answer, on a connection of its own.
async fn ask(address: SocketAddr, request: &str) -> u16 {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("a request is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
}

struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_leadgate"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--log-level", "error", "--database-url", "sqlite::memory:"]);
        let mut process = command.stdout(Stdio::piped()).spawn().expect("the server starts");
        let lines = BufReader::new(process.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        let mut addresses = lines.filter_map(|line| {
            let port = line.strip_prefix("Ready at http://")?.rsplit(':').next()?.parse().ok()?;
            Some(SocketAddr::from(([127, 0, 0, 1], port)))
        });
        let address = addresses.next().expect("the server says where it is");
        // What it still has to say is read, or it would wait for us.
        std::thread::spawn(move || addresses.for_each(drop));
        Self { process, address }
    }

    /// What it has in memory, in KiB; zero where the system does not tell.
    fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
