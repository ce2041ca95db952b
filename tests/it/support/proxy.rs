//! A network between the server and PostgreSQL, which can be cut. It has a thread and a runtime of its own, so that what is
//! counted of the server's is the server's.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    Open,
    /// Each piece of what is said arrives so much later.
    Slow(Duration),
    /// Nothing arrives, and nobody is told. What was open stays so and dead for good, as after a failover.
    Silent,
    /// What is open is reset, and whatever is opened.
    Cut,
}

pub struct Proxy {
    line: watch::Sender<Line>,
    url: String,
}

impl Proxy {
    /// Before the database at this URL.
    pub fn before(url: &str) -> Self {
        let mut url: url::Url = url.parse().unwrap();
        let to = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432));
        let (line, _) = watch::channel(Line::Open);
        let (told, (port, is_open)) = (line.clone(), std::sync::mpsc::channel());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                port.send(listener.local_addr().unwrap()).unwrap();
                accept(listener, to, &told).await;
            });
        });
        let at: SocketAddr = is_open.recv().unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(at.port())).unwrap();
        Self { line, url: url.into() }
    }

    /// Where the server finds its database.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    pub fn is(&self, line: Line) {
        self.line.send_replace(line);
    }
}

/// Ends when nobody can say any more what becomes of the line.
async fn accept(listener: TcpListener, to: String, line: &watch::Sender<Line>) {
    loop {
        let (inner, _) = listener.accept().await.unwrap();
        let (to, line) = (to.clone(), line.subscribe());
        tokio::spawn(async move {
            let mut line = line;
            if *line.borrow_and_update() == Line::Cut {
                let _ = inner.set_zero_linger();
                return;
            }
            let mut inner = inner;
            if *line.borrow() == Line::Silent {
                return linger(inner).await;
            }
            let Ok(mut outer) = TcpStream::connect(to).await else { return };
            let ((from_inner, to_inner), (from_outer, to_outer)) = (inner.split(), outer.split());
            let (there, back) = (line.clone(), line.clone());
            let fate = tokio::select! {
                () = pass(from_inner, to_outer, there) => None,
                () = pass(from_outer, to_inner, back) => None,
                fate = fate(line.clone()) => Some(fate),
            };
            match fate {
                Some(Line::Cut) => {
                    let _ = inner.set_zero_linger();
                }
                Some(Line::Silent) => {
                    // PostgreSQL knows nothing of it either, for as long as it lasts.
                    let _ = line.wait_for(|line| *line != Line::Silent).await;
                    drop(outer);
                    linger(inner).await;
                }
                _ => {}
            }
        });
    }
}

async fn fate(mut line: watch::Receiver<Line>) -> Line {
    match line.wait_for(|line| matches!(line, Line::Cut | Line::Silent)).await {
        Ok(line) => *line,
        Err(_) => Line::Cut,
    }
}

/// Takes whatever is said and answers nothing, until the other side has had enough.
async fn linger(mut inner: TcpStream) {
    let mut nothing = [0; 4096];
    while inner.read(&mut nothing).await.is_ok_and(|read| read > 0) {}
}

async fn pass(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, line: watch::Receiver<Line>) {
    let mut piece = vec![0; 64 * 1024];
    loop {
        let Ok(read @ 1..) = from.read(&mut piece).await else { return };
        let line = *line.borrow();
        if let Line::Slow(by) = line {
            tokio::time::sleep(by).await;
        }
        if to.write_all(&piece[..read]).await.is_err() {
            return;
        }
    }
}
