//! The TCP connections of clients: where each comes from, a switch that cuts it, and how long it may wait for its client.

mod bodies;
mod doors;

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

pub use bodies::{LateBody, Sent, received};
pub use doors::{Bounds, Door, Doors, Entered};

/// Set once, and for all who have a copy: the server is about to stop, and nobody should count on it any more.
#[derive(Debug, Clone, Default)]
pub struct Stopping(Arc<AtomicBool>);

impl Stopping {
    pub fn begin(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Once it is pulled, nothing more is written to its connection, which then closes.
#[derive(Debug, Clone, Default)]
struct Cut(Arc<AtomicBool>);

impl Cut {
    fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::Acquire) { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone)]
pub struct Peer {
    pub address: SocketAddr,
    cut: Cut,
}

impl Peer {
    /// One that is not connected: where the router is called as a function.
    pub fn at(address: SocketAddr) -> Self {
        Self { address, cut: Cut::default() }
    }

    /// Closes the connection as soon as an answer would be written to it, before its first byte.
    pub fn cut(&self) {
        self.cut.0.store(true, Ordering::Release);
    }
}

/// A connection.
pub struct Socket {
    stream: TcpStream,
    cut: Cut,
    door: Arc<Door>,
}

impl Socket {
    pub fn new(stream: TcpStream, door: Arc<Door>) -> Self {
        // Small answers, each waited for: none may be held back for the next.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
        Self { stream, cut: Cut::default(), door }
    }

    /// Who is at its other end, there at `address`.
    pub fn peer(&self, address: SocketAddr) -> Peer {
        Peer { address, cut: self.cut.clone() }
    }

    fn wrote(&self, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.door.wrote(polled.is_ready());
        polled
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.door.heard();
        }
        polled
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.cut.check()?;
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wrote(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.cut.check()?;
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.wrote(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
