//! A connection to PostgreSQL that dies without a word: a failover, or a forgetful NAT. It costs the requests that
//! wait on it, and no later one.

use std::sync::Arc;
use std::time::Duration;

use leadgate::store::{Location, Store, StoreError};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::{Bench, NOW};
use crate::support::{Database, Kind};

/// Passes connections on until it is told to go silent: those that are open then carry nothing any more, and
/// are not closed. New ones work.
async fn proxy(to: String) -> (u16, watch::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (silence, _) = watch::channel(());
    let told = silence.clone();
    tokio::spawn(async move {
        loop {
            let (mut inner, _) = listener.accept().await.unwrap();
            let (to, mut silent) = (to.clone(), told.subscribe());
            tokio::spawn(async move {
                let mut outer = TcpStream::connect(to).await.unwrap();
                tokio::select! {
                    _ = copy_bidirectional(&mut inner, &mut outer) => {}
                    _ = silent.changed() => std::future::pending::<()>().await,
                }
            });
        }
    });
    (port, silence)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn silent_connections_are_given_up() {
    let database = Database::make(Kind::Postgres).await;
    let mut url: url::Url = database.url().parse().unwrap();
    let real = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432));
    let (port, silence) = proxy(real).await;
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(port)).unwrap();
    let store = Arc::new(Store::open(&Location::Postgres(url.into())).await.unwrap());
    let bench = Bench { store: store.clone(), database: database.clone() };
    let connection = bench.connected(1).await.remove(0);
    assert!(store.issue(super::issue::issue(&connection)).await.unwrap().is_some());

    silence.send(()).unwrap();
    // The pool holds a few dead connections; each is found out once, and replaced.
    let recovered = tokio::time::timeout(Duration::from_secs(60), async {
        loop {
            match store.issue(super::issue::issue(&connection)).await {
                Ok(issued) => break issued,
                Err(StoreError::Unavailable(..)) => {}
                Err(other) => panic!("{other}"),
            }
        }
    });
    assert!(recovered.await.expect("the hot path recovers").is_some());
    let id = connection.id;
    let ended = store.write(move |conn| {
        Box::pin(leadgate::store::connections::end(conn, id, NOW, leadgate::domain::connection::EndedBy::User))
    });
    let ended = tokio::time::timeout(Duration::from_secs(60), ended).await.expect("so do writes");
    assert!(matches!(ended, Ok(Some(_)) | Err(StoreError::Unavailable(..))));
    tokio::time::timeout(Duration::from_secs(10), store.close()).await.expect("and it can be closed");
    database.remove().await;
}
