//! Load: keep-alive connections that each send the next request when the last was answered.

use std::net::SocketAddr;
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

/// Asks for `paths` in turn, each client starting at a place of its own.
pub async fn load(address: SocketAddr, paths: &[String], clients: usize, span: Duration, round: usize) -> Measured {
    let started = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|client| {
            let requests: Vec<Vec<u8>> = (0..paths.len().min(5_000))
                .map(|i| &paths[(client * 7_919 + round * 104_729 + i) % paths.len()])
                .map(|path| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes())
                .collect();
            tokio::spawn(run_client(address, requests, started + span))
        })
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.expect("a client does not panic"));
    }
    let elapsed = started.elapsed();
    latencies.sort_unstable();
    Measured { answers: latencies.len(), elapsed, latencies, cpu: Duration::ZERO }
}

async fn run_client(address: SocketAddr, requests: Vec<Vec<u8>>, until: Instant) -> Vec<Duration> {
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    stream.set_nodelay(true).expect("TCP_NODELAY");
    let mut latencies = Vec::new();
    let mut buffer = vec![0; 16 * 1024];
    for request in requests.iter().cycle() {
        let sent = Instant::now();
        if sent >= until {
            break;
        }
        stream.write_all(request).await.expect("the server reads");
        read_answer(&mut stream, &mut buffer).await;
        latencies.push(sent.elapsed());
    }
    latencies
}

/// Reads one answer and checks that it is a success: a refusal is quick and would flatter.
async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) {
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
            let body = &buffer[head + 4..head + 4 + length];
            assert!(body.starts_with(b"{\"valid\":true"), "not a success: {}", String::from_utf8_lossy(body));
            return;
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
