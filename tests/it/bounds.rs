//! Clients that are slow, or do nothing at all, over real sockets (rule R3): each is bounded, and none is in anybody's way.

use std::net::SocketAddr;
use std::time::Duration;

use leadgate::socket::Bounds;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::oauth::support::FORM;
use crate::support::{ADA, APP_ONE, SANDBOX_TOKEN, World, both, connect_by_api};

/// Longer than any machine needs.
const PATIENCE: Duration = Duration::from_secs(30);

/// As in earnest, but that nobody has to wait for it.
const BRIEF: Bounds = Bounds {
    connections: 1_000,
    head: Duration::from_millis(300),
    idle: Duration::from_millis(1_500),
    body: Duration::from_millis(300),
    answer: Duration::from_millis(500),
    tick: Duration::from_millis(50),
};

async fn open(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

/// All that comes until the other side closes, which it does within a time that no machine needs.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    // Closed in order or reset.
    let _ = read.expect("the connection stays open");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Sends a byte now and then until nobody takes one any more.
async fn drip(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let dripping = async {
        loop {
            tokio::select! {
                read = stream.read_buf(&mut answer) => if matches!(read, Ok(0) | Err(_)) { return },
                () = tokio::time::sleep(Duration::from_millis(20)) => {
                    if stream.write_all(b"a").await.is_err() {
                        return;
                    }
                }
            }
        }
    };
    tokio::time::timeout(PATIENCE, dripping).await.expect("the connection stays open");
    String::from_utf8_lossy(&answer).into_owned()
}

async fn is_served(address: SocketAddr, path: &str) -> bool {
    let mut stream = open(address).await;
    let request = format!("GET {path} HTTP/1.1\r\nHost: auth.test\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    rest(&mut stream).await.starts_with("HTTP/1.1 200")
}

/// R3: a head that drips is not waited for, on a new connection and on one that was used; nor is one that never begins.
async fn r3_a_head_that_drips_is_not_waited_for(world: World) {
    let address = world.listen_within(BRIEF).await;
    let mut silent = open(address).await;
    let mut new = open(address).await;
    new.write_all(b"GET /livez HTTP/1.1\r\nX: ").await.unwrap();
    assert_eq!(drip(&mut new).await, "");
    assert_eq!(rest(&mut silent).await, "");
    let mut used = open(address).await;
    used.write_all(b"GET /livez HTTP/1.1\r\nHost: auth.test\r\n\r\n").await.unwrap();
    used.write_all(b"GET /livez HTTP/1.1\r\nX: ").await.unwrap();
    let answers = drip(&mut used).await;
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 1, "{answers}");
}

/// R3: a body that drips is 408 in the route's own form, and its connection ends.
async fn r3_a_body_that_drips_is_408(world: World) {
    let address = world.listen_within(BRIEF).await;
    for (path, kind, form) in [
        ("/account/login", FORM, "text/html"),
        ("/oauth/token", FORM, "application/json"),
        ("/authorize/disconnect", FORM, "application/json"),
        ("/button/token", "application/json", "application/json"),
        ("/v1/authorization/token", "application/json", "application/json"),
        ("/_sandbox/authorize", "application/json", "application/problem+json"),
    ] {
        let mut stream = open(address).await;
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: auth.test\r\nOrigin: https://partner.test\r\nContent-Type: {kind}\r\n\
             Authorization: Bearer {SANDBOX_TOKEN}\r\nContent-Length: 60000\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let answer = drip(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{path}: {answer}");
        assert!(answer.contains(&format!("content-type: {form}")), "{path}: {answer}");
    }
}

/// R3: who asks and does not read is not written to for ever.
async fn r3_who_takes_no_answer_is_cut_off(world: World) {
    let address = world.listen_within(BRIEF).await;
    let mut stream = open(address).await;
    let request = b"GET /js/le-app-button.js HTTP/1.1\r\nHost: auth.test\r\n\r\n".repeat(100);
    let asking = async { while stream.write_all(&request).await.is_ok() {} };
    tokio::time::timeout(PATIENCE, asking).await.expect("the connection stays open");
    assert!(is_served(address, "/livez").await);
}

/// R3: a connection may be kept for the next request, for a while.
async fn r3_an_idle_connection_is_kept_for_a_while(world: World) {
    let address = world.listen_within(BRIEF).await;
    let mut stream = open(address).await;
    for pause in [0, 500, 500] {
        tokio::time::sleep(Duration::from_millis(pause)).await;
        stream.write_all(b"GET /livez HTTP/1.1\r\nHost: auth.test\r\n\r\n").await.unwrap();
        let mut answer = vec![0; 4096];
        let read = tokio::time::timeout(PATIENCE, stream.read(&mut answer)).await.unwrap().unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 200"), "longer than a head may take, and it is still there");
    }
    assert_eq!(rest(&mut stream).await, "");
}

/// R3: a flood of connections that say nothing, or almost nothing, leaves room: `/livez` and `/readyz` are answered, and no
/// more are open than may be.
async fn r3_a_flood_of_connections_leaves_room(world: World) {
    let patient = Duration::from_secs(600);
    let bounds = Bounds { connections: 64, head: patient, idle: patient, body: patient, answer: patient, ..BRIEF };
    let address = world.listen_within(bounds).await;
    let mut flood = Vec::new();
    for nth in 0..400 {
        let mut stream = open(address).await;
        let said: &[u8] = match nth % 3 {
            0 => b"",
            1 => b"GET /livez HTTP/1.1\r\nX: ",
            _ => b"POST /oauth/token HTTP/1.1\r\nHost: auth.test\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\na",
        };
        // It may be closed by now.
        let _ = stream.write_all(said).await;
        flood.push(stream);
        if nth % 40 == 39 {
            assert!(is_served(address, "/livez").await && is_served(address, "/readyz").await, "after {nth}");
        }
    }
    let mut still_open = 0;
    for stream in &mut flood {
        let read = tokio::time::timeout(Duration::from_millis(10), stream.read_u8()).await;
        still_open += usize::from(read.is_err());
    }
    assert!(still_open <= 64, "{still_open}");
}

/// R3: what the server is at work on is not closed to make room.
async fn r3_no_request_gives_way_to_a_flood(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    let rule = json!([{"match": {"endpoint": "refreshaccesstoken"}, "times": 4, "effect": {"delay_ms": 1500}}]);
    world.control("PUT", "/faults", &rule).await.expect(200);
    let address = world.listen_within(Bounds { connections: 8, ..BRIEF }).await;
    let path = format!("/authorize/refreshaccesstoken/{}?appid={APP_ONE}", tokens.refresh);
    let slow: Vec<_> = (0..4)
        .map(|_| {
            let path = path.clone();
            tokio::spawn(async move { is_served(address, &path).await })
        })
        .collect();
    let mut flood = Vec::new();
    while !slow.iter().all(tokio::task::JoinHandle::is_finished) {
        flood.push(open(address).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for request in slow {
        assert!(request.await.unwrap());
    }
}

both! {
    r3_a_head_that_drips_is_not_waited_for,
    r3_a_body_that_drips_is_408,
    r3_who_takes_no_answer_is_cut_off,
    r3_an_idle_connection_is_kept_for_a_while,
    r3_a_flood_of_connections_leaves_room,
    r3_no_request_gives_way_to_a_flood,
}
