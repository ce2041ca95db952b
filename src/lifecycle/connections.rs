//! Taking connections, and answering the requests of each.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Request, header};
use futures_util::FutureExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::socket::{Door, Doors, Entered, Peer, Sent, Socket, Stopping, received};

/// Bytes of a request's head; more is 431, and a target of more than half of it 414. A connection holds no more than that of what is not yet read or written.
const MAX_HEAD: usize = 128 * 1024;
/// How long to wait where the system has no more to give, such as file descriptors.
const BREATH: Duration = Duration::from_millis(100);

/// What every connection has in common.
#[derive(Clone)]
pub struct Connections {
    pub router: Router,
    pub tls: Option<TlsAcceptor>,
    pub doors: Arc<Doors>,
    /// Every answer tells its client to take another connection.
    pub stopping: Stopping,
    /// No more requests are taken.
    pub closed: watch::Receiver<bool>,
}

impl Connections {
    /// Takes connections until it is closed, and then answers what is still asked.
    pub async fn serve(self, listener: TcpListener) {
        let doors = self.doors.clone();
        tokio::select! {
            () = doors.keep() => {}
            () = self.take(listener) => {}
        }
    }

    async fn take(mut self, listener: TcpListener) {
        loop {
            tokio::select! {
                biased;
                () = closing(self.closed.clone()) => break,
                accepted = listener.accept() => self.took(accepted).await,
            }
        }
        // They were let in before the door was shut.
        while let Some(accepted) = listener.accept().now_or_never() {
            self.took(accepted).await;
        }
        drop(listener);
        self.doors.empty().await;
    }

    async fn took(&mut self, accepted: std::io::Result<(TcpStream, SocketAddr)>) {
        match accepted {
            Ok((stream, address)) => {
                self.doors.room().await;
                let entered = self.doors.enter();
                let id = entered.id;
                let task = tokio::spawn(self.clone().answer(entered, stream, address));
                self.doors.served_by(id, task.abort_handle());
            }
            // A client that left again is nobody's trouble; else the system has no more to give.
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(BREATH).await;
            }
        }
    }

    async fn answer(self, entered: Entered, stream: TcpStream, address: SocketAddr) {
        let door = entered.door.clone();
        let socket = Socket::new(stream, door.clone());
        let peer = socket.peer(address);
        match self.tls.clone() {
            None => self.converse(socket, door, peer).await,
            // The handshake is a part of what a client has so long for before its first request.
            Some(tls) => match tls.accept(socket).await {
                Ok(stream) => self.converse(stream, door, peer).await,
                Err(error) => tracing::debug!(%error, "a connection did not come to an agreement on TLS"),
            },
        }
        drop(entered);
    }

    async fn converse<S>(self, stream: S, door: Arc<Door>, peer: Peer)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (router, stopping) = (self.router, self.stopping);
        let service = service_fn(move |request: Request<Incoming>| {
            door.serves();
            let mut request = request.map(|body| received(body, &door));
            request.extensions_mut().insert(ConnectInfo(peer.clone()));
            let (answer, door, stopping) = (router.clone().oneshot(request), door.clone(), stopping.clone());
            async move {
                let mut answer = answer.await?;
                if stopping.has_begun() {
                    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(answer.map(|body| Sent::new(body, door)))
            }
        });
        let mut served =
            pin!(http1::Builder::new().max_buf_size(MAX_HEAD).serve_connection(TokioIo::new(stream), service));
        let mut closed = pin!(closing(self.closed).fuse());
        loop {
            tokio::select! {
                biased;
                done = served.as_mut() => {
                    if let Err(error) = done {
                        tracing::trace!(%error, "a connection ended early");
                    }
                    break;
                }
                () = &mut closed => served.as_mut().graceful_shutdown(),
            }
        }
    }
}

/// Waits until no more requests are taken.
async fn closing(mut closed: watch::Receiver<bool>) {
    // Whoever could close it is gone: then this does not end by itself either.
    if closed.wait_for(|closed| *closed).await.is_err() {
        std::future::pending().await
    }
}
