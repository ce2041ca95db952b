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
        Self::start(Command::new(program).arg("--yardstick"))
    }

    pub async fn leadgate(database: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_leadgate"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--log-level", "warn", "--database-url", database]);
        command.env("LEADGATE_MASTER_KEY", MASTER_KEY);
        Self::start(&mut command)
    }

    /// Starts a server whose last line of output, when it is ready, ends with its address.
    fn start(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().expect("the server starts");
        let lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let port = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("Ready at http://")?.rsplit_once(':')?.1.parse::<u16>().ok());
        let port = port.expect("the server says where it is ready");
        Self { process, address: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    /// CPU time of the process so far, from `/proc`: fields 14 and 15, in ticks of a hundredth of a second.
    pub fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap_or_default();
        let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok());
        Duration::from_millis(ticks.sum::<u64>() * 10)
    }
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
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        println!("Ready at http://{}", listener.local_addr().expect("an address"));
        let fixed = get(async || ([(header::CONTENT_TYPE, "application/json")], ANSWER));
        axum::serve(listener, Router::new().route("/fixed", fixed)).await.expect("the yardstick serves");
    });
}
