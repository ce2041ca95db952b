//! From listening to the last answer: signals, draining, and what happens when background work dies.

mod connections;

use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::socket::{Bounds, Doors, Stopping};
use crate::telemetry::CONNECTIONS_LIMIT;
pub use connections::Connections;

/// How long requests may take to finish once the server was told to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// Connections without TLS beside those with it: each is shown the way.
const MAX_PLAIN: usize = 256;
/// Connections for metrics.
const MAX_SCRAPERS: usize = 64;

/// What is served, and how it ends.
pub struct Serving {
    pub router: Router,
    /// Connections are of TLS.
    pub tls: Option<TlsAcceptor>,
    /// What is answered without TLS, on an address of its own.
    pub plain: Option<(TcpListener, Router)>,
    /// Metrics, where they have a listener of their own.
    pub metrics: Option<(TcpListener, Router)>,
    pub bounds: Bounds,
    /// Begun as soon as the server is told to stop.
    pub stopping: Stopping,
    /// How long requests are still taken from then on: until whoever sends them has noticed.
    pub delay: Duration,
}

/// Serves until SIGTERM or SIGINT, then lets requests finish; `wind_up` ends those that would go on. `background` never ends by itself: when it
/// does, it crashed, and the server stops with an error rather than limp on.
///
/// # Errors
/// When the listener fails or the background work crashed.
pub async fn serve(
    listener: TcpListener,
    serving: Serving,
    background: JoinHandle<()>,
    wind_up: impl FnOnce(),
) -> std::io::Result<()> {
    let Serving { router, tls, plain, metrics, bounds, stopping, delay } = serving;
    let (close, closed) = tokio::sync::watch::channel(false);
    CONNECTIONS_LIMIT.of([]).set(f64::from(u32::try_from(bounds.connections).unwrap_or(u32::MAX)));
    let doors = Doors::new(bounds);
    let connections = Connections { router: router.with_state(()), tls, doors, stopping: stopping.clone(), closed };
    // With doors of its own: who comes there takes no place from clients.
    let beside = |(listener, router): (TcpListener, Router), most: usize| {
        let doors = Doors::new(Bounds { connections: bounds.connections.min(most), ..bounds });
        Connections { router: router.with_state(()), tls: None, doors, ..connections.clone() }.serve(listener)
    };
    let plain = plain.map(|plain| beside(plain, MAX_PLAIN));
    let mut scraped = metrics.map(|metrics| tokio::spawn(beside(metrics, MAX_SCRAPERS)));
    let scrapes_end = async {
        match &mut scraped {
            Some(scraped) => scraped.await,
            None => std::future::pending().await,
        }
    };
    let mut server = tokio::spawn(async {
        let plain = async {
            if let Some(plain) = plain {
                plain.await;
            }
        };
        tokio::join!(connections.serve(listener), plain);
    });
    let mut background = background;
    let outcome = tokio::select! {
        ended = &mut server => return Err(std::io::Error::other(match ended {
            Ok(()) => "it takes no more connections".to_owned(),
            Err(crash) => crash.to_string(),
        })),
        crash = &mut background => Err(std::io::Error::other(match crash {
            Ok(()) => "the background work ended".to_owned(),
            Err(why) => format!("the background work crashed: {why}"),
        })),
        ended = scrapes_end => Err(std::io::Error::other(match ended {
            Ok(()) => "metrics are served no more".to_owned(),
            Err(crash) => format!("the serving of metrics crashed: {crash}"),
        })),
        () = told_to_stop() => Ok(()),
    };
    stopping.begin();
    if outcome.is_ok() && !delay.is_zero() {
        tracing::info!("stopping: not ready any more; requests are still taken for {delay:?}");
        // Who is in a hurry says so again.
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = told_to_stop() => {}
        }
    }
    tracing::info!("stopping: requests in flight may finish");
    close.send_replace(true);
    wind_up();
    if tokio::time::timeout(DRAIN, &mut server).await.is_err() {
        tracing::warn!("some requests did not finish within {DRAIN:?}");
        server.abort();
    }
    background.abort();
    if let Some(scraped) = scraped {
        scraped.abort();
    }
    outcome
}

/// SIGTERM from a supervisor or container, SIGINT from a terminal.
async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "signals cannot be received; stop the process by SIGKILL");
            std::future::pending().await
        }
    }
}
