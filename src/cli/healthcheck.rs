//! `leadgate healthcheck`: for containers and scripts that wait for a server.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use clap::Args;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::error::CliError;
use super::output;
use crate::config::{Flags, Settings};

/// How long one answer may take: a server that is slower is not ready.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long to wait between two questions.
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug, Args)]
pub struct HealthcheckArgs {
    /// Keep asking for this many seconds until the server is ready
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=3600))]
    wait: u64,
}

pub async fn run(flags: &Flags, args: &HealthcheckArgs) -> Result<(), CliError> {
    let address = reachable(Settings::of_process(flags)?.listen);
    let deadline = Instant::now() + Duration::from_secs(args.wait);
    loop {
        match ask(address).await {
            Ok(()) => return output::line(&format!("{address} is ready")),
            Err(problem) if Instant::now() >= deadline => {
                return Err(CliError::failure(format!(
                    "{address} is not ready: {problem}. Start a server with `leadgate serve`, or name its address with --listen"
                )));
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}

/// The address to ask for what a server listens on: one that listens on all is asked on loopback.
pub(super) fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

pub(super) async fn ask(address: SocketAddr) -> Result<(), String> {
    match timeout(PATIENCE, status_of_readyz(address)).await {
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
        Ok(Err(error)) => Err(error.to_string()),
        Ok(Ok(None)) => Err("what answers there does not speak HTTP".to_owned()),
        Ok(Ok(Some(200))) => Ok(()),
        Ok(Ok(Some(status))) => Err(format!("/readyz answered {status}")),
    }
}

async fn status_of_readyz(address: SocketAddr) -> std::io::Result<Option<u16>> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut start = Vec::new();
    // A status line is short; more than this is no answer of ours.
    stream.take(64).read_to_end(&mut start).await?;
    Ok(status(&start))
}

/// The code of a status line (RFC 9112 section 4).
fn status(start: &[u8]) -> Option<u16> {
    let rest = start.strip_prefix(b"HTTP/1.")?.get(2..5)?;
    std::str::from_utf8(rest).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn server_that_says(answer: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 512];
            let _ = stream.read(&mut request).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        address
    }

    #[tokio::test]
    async fn only_200_is_ready() {
        let ready = server_that_says("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        assert_eq!(ask(ready).await, Ok(()));
        let busy = server_that_says("HTTP/1.1 503 Service Unavailable\r\n\r\n").await;
        assert_eq!(ask(busy).await, Err("/readyz answered 503".to_owned()));
        let stranger = server_that_says("SSH-2.0-OpenSSH\r\n").await;
        assert!(ask(stranger).await.unwrap_err().contains("does not speak HTTP"));
    }

    #[tokio::test]
    async fn a_port_that_nobody_listens_on_is_not_ready() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        assert!(ask(address).await.is_err());
    }

    #[test]
    fn a_server_on_all_addresses_is_asked_on_loopback() {
        for (listen, asked) in [("0.0.0.0:80", "127.0.0.1:80"), ("[::]:80", "[::1]:80"), ("10.0.0.1:80", "10.0.0.1:80")]
        {
            assert_eq!(reachable(listen.parse().unwrap()).to_string(), asked);
        }
    }
}
