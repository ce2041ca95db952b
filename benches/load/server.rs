//! The servers that are measured, each a process of its own.

use std::io::{BufRead as _, BufReader, Lines};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use super::processes;

/// Of every server of this bench, so that tokens can be made beforehand.
pub const MASTER_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// Opens the control plane of those that have one.
pub const SANDBOX_TOKEN: &str = "the-sandbox-token-of-this-bench-and-of-nothing-else";

pub struct Server {
    process: Child,
    pub address: SocketAddr,
    /// From its start.
    pub ready_after: Duration,
    /// MiB, before the first request.
    pub idle_memory: f64,
    /// What it said before it was ready.
    pub said: Vec<String>,
    /// Kept open: a server that cannot write to it might stop.
    _output: Lines<BufReader<ChildStdout>>,
}

impl Server {
    /// One of this program's own: `bare` or `log`.
    pub fn yardstick(kind: &str, directory: &Path) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|why| why.to_string())?;
        let address = free_address();
        Self::start(Command::new(program).args(["--yardstick", kind, &address.to_string()]).arg(directory), address)
    }

    /// Leadgate on this database. `mode` is `sandbox`, which keeps a journal, or `production`, which has none.
    pub fn leadgate(database: &str, mode: &str, directory: &Path) -> Result<Self, String> {
        let address = free_address();
        let mut command = leadgate_command(address, database, directory);
        command.args(["--mode", mode, "--issuer", "https://bench.test"]);
        if mode == "sandbox" {
            command.args(["--sandbox-token", SANDBOX_TOKEN]);
        }
        Self::start(&mut command, address)
    }

    /// As it starts where nothing is said: a sandbox, and where the database is empty, with the demonstration.
    pub fn demonstration(database: &str, directory: &Path) -> Result<Self, String> {
        let address = free_address();
        let mut command = leadgate_command(address, database, directory);
        Self::start(command.args(["--sandbox-token", SANDBOX_TOKEN]), address)
    }

    /// Starts a server that says when it is ready.
    pub fn start(command: &mut Command, address: SocketAddr) -> Result<Self, String> {
        let started = Instant::now();
        let mut process = command.stdout(Stdio::piped()).spawn().map_err(|why| why.to_string())?;
        let mut output = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        let mut said = Vec::new();
        let is_ready = output.by_ref().map_while(Result::ok).any(|line| {
            said.push(line);
            said.last().is_some_and(|line| line.starts_with("Ready at "))
        });
        let ready_after = started.elapsed();
        if !is_ready {
            let _ = process.kill();
            let status = process.wait().map_err(|why| why.to_string())?;
            return Err(format!("it did not get ready: {status}"));
        }
        let idle_memory = processes::memory(process.id(), "VmRSS");
        Ok(Self { process, address, ready_after, idle_memory, said, _output: output })
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// CPU time so far, with that of processes which it started.
    pub fn cpu(&self) -> Duration {
        processes::cpu_of_tree(self.pid())
    }

    /// The most memory that it had, in MiB.
    pub fn peak_memory(&self) -> f64 {
        processes::memory(self.pid(), "VmHWM")
    }
}

/// `LEADGATE_BENCH_PROGRAM` names another build, to compare two.
fn leadgate_command(address: SocketAddr, database: &str, directory: &Path) -> Command {
    let program = std::env::var_os("LEADGATE_BENCH_PROGRAM").unwrap_or(env!("CARGO_BIN_EXE_leadgate").into());
    // It is started in another directory.
    let program = Path::new(&program).canonicalize().expect("LEADGATE_BENCH_PROGRAM names a program");
    let mut command = Command::new(program);
    command.args(["serve", "--listen", &address.to_string(), "--log-level", "warn", "--database-url", database]);
    command.env("LEADGATE_MASTER_KEY", MASTER_KEY).current_dir(directory);
    command
}

/// A port that nobody listens on.
pub fn free_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address")
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
