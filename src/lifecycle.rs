//! From listening to the last answer: signals, draining, and what happens when background work dies.

use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::socket::{Peer, Sockets};

/// How long requests may take to finish once the server was told to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// Serves until SIGTERM or SIGINT, then lets requests finish; `wind_up` ends those that would go on. `background` never ends by itself: when it
/// does, it crashed, and the server stops with an error rather than limp on.
///
/// # Errors
/// When the listener fails or the background work crashed.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    background: JoinHandle<()>,
    wind_up: impl FnOnce(),
) -> std::io::Result<()> {
    let (stop, stopping) = tokio::sync::watch::channel(());
    let mut until_stopped = stopping.clone();
    let server = axum::serve(Sockets(listener), router.into_make_service_with_connect_info::<Peer>())
        .with_graceful_shutdown(async move {
            let _ = until_stopped.changed().await;
        });
    let mut server = tokio::spawn(server.into_future());
    let mut background = background;
    let outcome = tokio::select! {
        ended = &mut server => return ended.unwrap_or_else(|crash| Err(std::io::Error::other(crash))),
        crash = &mut background => Err(std::io::Error::other(match crash {
            Ok(()) => "the background work ended".to_owned(),
            Err(why) => format!("the background work crashed: {why}"),
        })),
        () = told_to_stop() => Ok(()),
    };
    tracing::info!("stopping: requests in flight may finish");
    drop(stop);
    wind_up();
    if tokio::time::timeout(DRAIN, &mut server).await.is_err() {
        tracing::warn!("some requests did not finish within {DRAIN:?}");
        server.abort();
    }
    background.abort();
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
