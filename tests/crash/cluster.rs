//! A PostgreSQL cluster of the test's own, as durable as in production: it is there to be killed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

pub struct Cluster {
    directory: PathBuf,
    environment: Vec<(String, String)>,
    pub url: String,
}

impl Cluster {
    pub fn start() -> Self {
        Self::start_with(|_| Vec::new())
    }

    /// The same with more in its environment, which may depend on where its files are.
    pub fn start_with(environment: impl FnOnce(&Path) -> Vec<(String, String)>) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("leadgate-crash-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir(&directory).unwrap();
        let environment = environment(&directory.join("data"));
        let started = run(&environment, &["start", "--durable", directory.to_str().unwrap()]);
        Self { directory, environment, url: started.trim().to_owned() }
    }

    /// Ends all of its processes as a power cut would.
    pub fn crash(&self) {
        run(&[], &["crash", self.directory.to_str().unwrap()]);
    }

    /// Starts it again; returns when it lets clients in.
    pub fn again(&self) {
        run(&self.environment, &["again", self.directory.to_str().unwrap()]);
    }

    /// Waits until it lets clients in after a crash of its own.
    pub fn lets_in(&self) {
        let asked = || Command::new("pg_isready").args(["-q", "-t", "1", "-d", &self.url]).status().unwrap();
        while !asked().success() {
            std::thread::yield_now();
        }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.join("data/server.log")).unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let stopped = script().args(["stop", self.directory.to_str().unwrap()]).status();
        if !stopped.is_ok_and(|status| status.success()) {
            eprintln!("the cluster in {} may still run", self.directory.display());
        }
    }
}

fn script() -> Command {
    Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/ephemeral-postgres"))
}

fn run(environment: &[(String, String)], arguments: &[&str]) -> String {
    let output = script().envs(environment.iter().cloned()).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
