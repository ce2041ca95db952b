//! The servers that are measured, each a process of its own.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use axum::Router;
use axum::http::header;
use axum::routing::get;

/// The settings of every process of this bench: a master key, so that tokens can be made beforehand.
pub const MASTER_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

pub struct Server {
    process: Child,
    pub address: SocketAddr,
}

impl Server {
    pub async fn yardstick() -> Self {
        let program = std::env::current_exe().expect("this program");
        let address = free_address();
        Self::start(Command::new(program).args(["--yardstick", &address.to_string()]), address)
    }

    /// `mode` is `sandbox`, which keeps a journal, or `production`, which has none.
    pub async fn leadgate(database: &str, mode: &str) -> Self {
        let address = free_address();
        let mut command = Command::new(env!("CARGO_BIN_EXE_leadgate"));
        command.args(["serve", "--listen", &address.to_string(), "--log-level", "warn", "--database-url", database]);
        command.args(["--mode", mode, "--issuer", "https://bench.test"]);
        command.env("LEADGATE_MASTER_KEY", MASTER_KEY);
        Self::start(&mut command, address)
    }

    /// Starts a server that says when it is ready.
    fn start(command: &mut Command, address: SocketAddr) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().expect("the server starts");
        let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.starts_with("Ready at ")), "the server did not get ready");
        Self { process, address }
    }

    /// CPU time of the process so far, from `/proc`: fields 14 and 15, in ticks of a hundredth of a second.
    pub fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap_or_default();
        let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok());
        Duration::from_millis(ticks.sum::<u64>() * 10)
    }
}

/// A port that nobody listens on.
fn free_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address")
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The yardstick: axum and nothing else, with an answer of A2's size.
pub fn run_yardstick() {
    const ANSWER: &str = concat!(
        r#"{"valid":true,"refreshToken":"lgr_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","#,
        r#""authToken":"lga_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","#,
        r#""expireDate":"2026-11-22T10:15:30Z","errorMessage":null}"#
    );
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let address = std::env::args().nth(2).expect("an address to listen on");
        let listener = tokio::net::TcpListener::bind(&address).await.expect("a free port");
        println!("Ready at http://{address}");
        let fixed = get(async || ([(header::CONTENT_TYPE, "application/json")], ANSWER));
        axum::serve(listener, Router::new().route("/fixed", fixed)).await.expect("the yardstick serves");
    });
}
