//! Connections that are closed without an answer: over real sockets.

use leadgate::domain::journal::Outcome;
use leadgate::services::journal::Query;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{db_tokens, rule, rule_after};
use crate::support::program::Directory;
use crate::support::{ADA, APP_ONE, SANDBOX_TOKEN, World, both, connect_by_api};

/// What comes on a connection until the other side closes it.
async fn bytes_for(address: std::net::SocketAddr, method: &str, path: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nHost: auth.test\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    // Closed in order or reset: either way without a byte.
    let _ = stream.read_to_end(&mut bytes).await;
    bytes
}

/// Not one byte, for GET and HEAD, before and after; then as if nothing had been.
async fn e_a_dropped_connection_carries_nothing(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    let address = world.listen().await;
    let path = format!("/authorize/refreshaccesstoken/{}?appid={APP_ONE}", tokens.refresh);
    let before = db_tokens(&world).await;
    let dropped = json!({"drop": true});
    world.put_faults(json!([rule("refreshaccesstoken", &dropped)])).await;
    assert_eq!(bytes_for(address, "GET", &path).await, b"");
    assert_eq!(db_tokens(&world).await, before, "before: nothing was done");
    world.put_faults(json!([rule_after("refreshaccesstoken", &dropped)])).await;
    assert_eq!(bytes_for(address, "GET", &path).await, b"");
    assert_eq!(db_tokens(&world).await, before + 1, "after: the token is there, and nobody has it");
    world.put_faults(json!([rule("refreshaccesstoken", &json!({"drop": true, "delay_ms": 20}))])).await;
    assert_eq!(bytes_for(address, "HEAD", &path).await, b"");
    assert_eq!(world.hits().await, [1]);
    assert_eq!(world.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], true);
    let faults = world.ctx.journal.list(&Query { outcome: Some(Outcome::Fault), ..Query::default() });
    assert_eq!(faults.iter().map(|entry| entry.status).collect::<Vec<_>>(), [0, 0, 0], "{faults:#?}");
}

/// An answer that went out before stays whole: only the connection's next one is cut.
async fn e_a_kept_connection_is_cut_at_the_fault(world: World) {
    let address = world.listen().await;
    world.put_faults(json!([rule("jwks.json", &json!({"drop": true}))])).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /livez HTTP/1.1\r\nHost: auth.test\r\n\r\n").await.unwrap();
    let mut first = vec![0; 4096];
    let mut read = 0;
    while !first[..read].ends_with(b"{\"status\":\"live\"}") {
        let more = stream.read(&mut first[read..]).await.unwrap();
        assert_ne!(more, 0, "it ended early: {}", String::from_utf8_lossy(&first[..read]));
        read += more;
    }
    stream.write_all(b"GET /.well-known/jwks.json HTTP/1.1\r\nHost: auth.test\r\n\r\n").await.unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert_eq!(rest, b"");
}

both! { e_a_dropped_connection_carries_nothing, e_a_kept_connection_is_cut_at_the_fault }

/// The program itself.
#[test]
fn e_the_program_drops_a_connection_once() {
    let directory = Directory::new();
    let server = directory.serve(&["--sandbox-token", SANDBOX_TOKEN]);
    let bearer = format!("Bearer {SANDBOX_TOKEN}");
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    let rules = json!([rule("jwks.json", &json!({"drop": true}))]).to_string();
    assert_eq!(server.send("PUT", "/_sandbox/faults", &headers, &rules).unwrap().status, 200);
    let path = "/.well-known/jwks.json";
    let why = server.send("GET", path, &[], "").expect_err("there is no answer");
    assert_eq!(why.to_string(), "no answer: ");
    assert_eq!(server.get(path).status, 200);
}
