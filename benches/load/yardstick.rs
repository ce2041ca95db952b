//! What nothing of the kind can be faster than: axum alone, and axum before a file that each request is written to.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::sync::{mpsc, oneshot};

/// An answer of A2's size.
const ANSWER: &str = concat!(
    r#"{"valid":true,"refreshToken":"lgr_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","#,
    r#""authToken":"lga_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","#,
    r#""expireDate":"2026-11-22T10:15:30Z","errorMessage":null}"#
);
/// As much as a recorded access token: three ids, a hash, scopes, two moments.
const RECORD: [u8; 128] = [b'r'; 128];

/// The process of a yardstick: `--yardstick bare|log ADDRESS DIRECTORY`.
pub fn run(arguments: &[String]) {
    let [kind, address, directory] = arguments else { panic!("a kind, an address and a directory") };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let router = match kind.as_str() {
            "bare" => Router::new().route("/fixed", get(async || answer())),
            _ => Router::new().route("/fixed", get(logged)).with_state(open_log(Path::new(directory))),
        };
        let listener = tokio::net::TcpListener::bind(address).await.expect("a free port");
        println!("Ready at http://{address}");
        axum::serve(listener, router).await.expect("the yardstick serves");
    });
}

fn answer() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], ANSWER)
}

type Log = mpsc::UnboundedSender<oneshot::Sender<()>>;

/// Answers after the request's record is on the disk.
async fn logged(log: axum::extract::State<Log>) -> impl IntoResponse {
    let (written, is_written) = oneshot::channel();
    log.send(written).expect("the log is written for as long as the server runs");
    is_written.await.expect("the log is written");
    answer()
}

/// A thread that appends a record for each request: all that came while the batch before was on its way to the disk are
/// one batch, with one `fdatasync`.
fn open_log(directory: &Path) -> Log {
    let path = directory.join(format!("raw-{}.log", std::process::id()));
    let mut file = File::options().create(true).append(true).open(path).expect("a file");
    let (log, mut waiting) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        let mut batch: Vec<oneshot::Sender<()>> = Vec::new();
        while waiting.blocking_recv_many(&mut batch, 1_024) > 0 {
            file.write_all(&RECORD.repeat(batch.len())).expect("room on the disk");
            file.sync_data().expect("a disk");
            for written in batch.drain(..) {
                // The client may be gone.
                let _ = written.send(());
            }
        }
    });
    log
}
