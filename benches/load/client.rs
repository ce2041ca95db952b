//! Load: keep-alive connections that each send the next request when the last was answered.

use std::net::SocketAddr;
use std::ops::Range;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What one round gave.
pub struct Measured {
    pub answers: usize,
    elapsed: Duration,
    /// Sorted.
    latencies: Vec<Duration>,
    /// Of the server's process.
    pub cpu: Duration,
}

impl Measured {
    pub fn per_second(&self) -> f64 {
        self.answers as f64 / self.elapsed.as_secs_f64()
    }

    pub fn quantile(&self, q: f64) -> Duration {
        let at = (self.latencies.len() as f64 * q) as usize;
        self.latencies.get(at.min(self.latencies.len() - 1)).copied().unwrap_or_default()
    }
}

/// What one client sends.
#[derive(Clone)]
pub enum Traffic {
    /// The same requests, in turn.
    Fixed(Vec<Vec<u8>>),
    /// Refresh tokens that rotate: each answer brings the next (RFC 6749 section 6).
    Rotating { authorization: String, tokens: Vec<String> },
}

impl Traffic {
    fn request(&self, turn: usize) -> Vec<u8> {
        match self {
            Self::Fixed(requests) => requests[turn % requests.len()].clone(),
            Self::Rotating { authorization, tokens } => {
                let token = &tokens[turn % tokens.len()];
                post("/oauth/token", authorization, &format!("grant_type=refresh_token&refresh_token={token}"))
            }
        }
    }

    fn answered(&mut self, turn: usize, body: &[u8]) {
        let Self::Rotating { tokens, .. } = self else { return };
        let text = std::str::from_utf8(body).expect("JSON is text");
        let (_, rest) = text.split_once("\"refresh_token\":\"").expect("a refresh token");
        let (token, _) = rest.split_once('"').expect("a whole refresh token");
        let at = turn % tokens.len();
        token.clone_into(&mut tokens[at]);
    }
}

/// A GET without a body.
pub fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes()
}

/// A form with client credentials.
pub fn post(path: &str, authorization: &str, form: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {authorization}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    )
    .into_bytes()
}

/// Lets each client send its traffic; answers the figures, and the traffic as it goes on.
pub async fn load(address: SocketAddr, clients: Vec<Traffic>, span: Duration) -> (Measured, Vec<Traffic>) {
    let started = Instant::now();
    let run = |traffic| tokio::spawn(run_client(address, traffic, started + span));
    let tasks: Vec<_> = clients.into_iter().map(run).collect();
    let (mut latencies, mut clients) = (Vec::new(), Vec::new());
    for task in tasks {
        let (own, traffic) = task.await.expect("a client does not panic");
        latencies.extend(own);
        clients.push(traffic);
    }
    let elapsed = started.elapsed();
    latencies.sort_unstable();
    (Measured { answers: latencies.len(), elapsed, latencies, cpu: Duration::ZERO }, clients)
}

async fn run_client(address: SocketAddr, mut traffic: Traffic, until: Instant) -> (Vec<Duration>, Traffic) {
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    stream.set_nodelay(true).expect("TCP_NODELAY");
    let mut latencies = Vec::new();
    let mut buffer = vec![0; 16 * 1024];
    for turn in 0.. {
        let request = traffic.request(turn);
        let sent = Instant::now();
        if sent >= until {
            break;
        }
        stream.write_all(&request).await.expect("the server reads");
        let body = read_answer(&mut stream, &mut buffer).await;
        latencies.push(sent.elapsed());
        traffic.answered(turn, &buffer[body]);
    }
    (latencies, traffic)
}

/// Reads one answer and checks that it is a success: a refusal is quick and would flatter. Answers where in the buffer
/// its body is.
async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) -> Range<usize> {
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await.expect("the server answers");
        assert!(read > 0, "the server closed the connection");
        filled += read;
        let Some(head) = find(&buffer[..filled], b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(&buffer[..head]).expect("headers are text");
        let length =
            text.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let length: usize = length.expect("answers have a length");
        if filled >= head + 4 + length {
            let body = head + 4..head + 4 + length;
            let start = &buffer[body.clone()];
            let is_success =
                [&b"{\"valid\":true"[..], b"{\"access_token\":"].iter().any(|sign| start.starts_with(sign));
            assert!(is_success, "not a success: {}", String::from_utf8_lossy(start));
            return body;
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
