//! The program as a process, in a directory of its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;

use super::seen;

/// A directory that a test has for itself.
pub struct Directory(pub PathBuf);

impl Directory {
    pub fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("leadgate-cli-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// The program in this directory, with nothing of ours in its environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_leadgate"));
        let ours =
            std::env::vars_os().map(|(name, _)| name).filter(|name| name.to_string_lossy().starts_with("LEADGATE_"));
        for name in ours {
            command.env_remove(name);
        }
        command.args(arguments).current_dir(&self.0).stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::from(self.command(arguments).output().unwrap())
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.errors);
        serde_json::from_str(&ran.out).unwrap()
    }

    /// With the account, users, application and button that `leadgate init` shows.
    pub fn seeded() -> Self {
        Self::seeded_on(None)
    }

    /// The same on another database than the default.
    pub fn seeded_on(database_url: Option<&str>) -> Self {
        let directory = Self::new();
        assert_eq!(directory.run(&["init"]).code, 0);
        if let Some(url) = database_url {
            directory.write("leadgate.toml", &format!("database_url = \"{url}\"\n"));
        }
        let ran = directory.run(&["seed", "seed.toml"]);
        assert_eq!(ran.code, 0, "{}", ran.errors);
        directory
    }

    /// Starts a server and waits until it says that it is ready.
    pub fn serve(&self, arguments: &[&str]) -> Server {
        let arguments = [&["serve", "--listen", "127.0.0.1:0"], arguments].concat();
        self.spawn(&arguments).ready()
    }

    /// Starts a server, which may or may not come up.
    pub fn spawn(&self, arguments: &[&str]) -> Starting {
        self.spawn_with(&[], arguments)
    }

    /// The same with more in its environment.
    pub fn spawn_with(&self, environment: &[(String, String)], arguments: &[&str]) -> Starting {
        // Logs go to a file: a pipe that nobody reads would fill up.
        static LOGS: AtomicU32 = AtomicU32::new(0);
        let log = self.path(&format!("log-{}", LOGS.fetch_add(1, Ordering::Relaxed)));
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(std::fs::File::create(&log).unwrap());
        command.envs(environment.iter().cloned());
        Starting { child: Owned(command.spawn().unwrap()), log }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // N5: whatever the test was about, no secret that it was given is in the log of a server that it started.
        if !std::thread::panicking() {
            let seen = seen::search();
            let files = std::fs::read_dir(&self.0).unwrap().map(|file| file.unwrap());
            for log in files.filter(|file| file.file_name().to_string_lossy().starts_with("log-")) {
                seen.assert_none_in("a server's log", &std::fs::read(log.path()).unwrap());
            }
        }
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub struct Ran {
    pub code: i32,
    pub out: String,
    pub errors: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            errors: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Ends the process also where the test fails.
pub struct Owned(pub Child);

impl Drop for Owned {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub struct Starting {
    child: Owned,
    log: PathBuf,
}

impl Starting {
    /// Reads the banner to its last line, which ends with the issuer.
    pub fn ready(mut self) -> Server {
        let mut out = BufReader::new(self.child.0.stdout.take().unwrap());
        let mut banner = String::new();
        loop {
            let mut line = String::new();
            if out.read_line(&mut line).unwrap() == 0 {
                panic!("the server did not come up: {}", std::fs::read_to_string(&self.log).unwrap());
            }
            banner.push_str(&line);
            if line.starts_with("Ready at ") {
                let issuer = line.split_whitespace().next_back().unwrap().to_owned();
                return Server { child: self.child, issuer, banner, log: self.log, out };
            }
        }
    }
}

pub struct Server {
    pub child: Owned,
    pub issuer: String,
    pub banner: String,
    log: PathBuf,
    out: BufReader<ChildStdout>,
}

impl Server {
    /// Where it listens, which the issuer names where nothing else was asked for.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.issuer.rsplit(':').next().unwrap())
    }

    /// What it wrote after its banner, once it has ended.
    pub fn rest_of_output(&mut self) -> String {
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        rest
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// The value of one line of the banner.
    pub fn banner_value(&self, name: &str) -> Option<&str> {
        self.banner.lines().find_map(|line| line.trim_start().strip_prefix(name)).map(str::trim)
    }

    pub fn terminate(&self) {
        let pid = self.child.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    }

    pub fn exit_code(&mut self) -> Option<i32> {
        self.child.0.wait().unwrap().code()
    }
}

/// A port that nobody listens on at the moment.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// An answer that came over a socket.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    /// The status line and the headers.
    pub head: String,
    pub body: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|why| panic!("{why}: {self:?}"))
    }
}

/// Sends bytes and reads what comes until the other side closes.
pub fn exchange(address: &str, request: &[u8]) -> std::io::Result<Reply> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    // A server that refuses early may close before all is sent.
    let _ = stream.write_all(request);
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let broken = || std::io::Error::other(format!("no answer: {text}"));
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(broken)?;
    seen::note(&text);
    let status = head.get(9..12).and_then(|code| code.parse().ok()).ok_or_else(broken)?;
    Ok(Reply { status, head: head.to_owned(), body: body.to_owned() })
}

impl Server {
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> std::io::Result<Reply> {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        exchange(&self.address(), request.as_bytes())
    }

    pub fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], "").unwrap()
    }

    /// wire.md part E, with a sandbox token.
    pub fn authorize(&self, token: &str, user: &str, button: &str) -> std::io::Result<Reply> {
        let body = serde_json::json!({"user": user, "button": button, "decision": "allow"}).to_string();
        let bearer = format!("Bearer {token}");
        self.send(
            "POST",
            "/_sandbox/authorize",
            &[("Authorization", &bearer), ("Content-Type", "application/json")],
            &body,
        )
    }

    pub fn me(&self, token: &str) -> u16 {
        self.send("GET", "/v1/me", &[("Authorization", &format!("Bearer {token}"))], "").unwrap().status
    }
}
