use std::net::IpAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::resolver::permitted;
use super::*;

/// Answers `count` connections with these bytes, and tells what came in.
async fn server(answer: Vec<u8>, count: usize) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = tokio::spawn(async move {
        let mut heard = Vec::new();
        for _ in 0..count {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4_096];
            let read = socket.read(&mut request).await.unwrap();
            heard.push(String::from_utf8_lossy(&request[..read]).into_owned());
            // The other side may have heard enough.
            let _ = socket.write_all(&answer).await;
        }
        heard
    });
    (port, heard)
}

fn call(url: &str) -> Call {
    let url = Url::parse(url).unwrap();
    Call { url, headers: Vec::new(), body: b"{}".to_vec(), timeout: Duration::from_secs(20) }
}

fn loopback() -> Outgoing {
    Outgoing::new(AllowList::loopback(), false)
}

#[tokio::test]
async fn an_answer_comes_back_with_what_was_sent_to_a_name_below_localhost() {
    let answer = b"HTTP/1.1 202 Accepted\r\nX-Told: so\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok".to_vec();
    let (port, heard) = server(answer, 1).await;
    let mut call = call(&format!("http://partner.localhost:{port}/hook?x=1"));
    call.headers = vec![("webhook-id".to_owned(), "msg_1".to_owned())];
    let answered = loopback().call(call).await.unwrap();
    assert_eq!((answered.status, answered.body.as_slice(), answered.is_cut), (202, b"ok".as_slice(), false));
    assert!(answered.headers.contains(&("x-told".to_owned(), "so".to_owned())));
    let heard = heard.await.unwrap().remove(0);
    assert!(heard.starts_with("POST /hook?x=1 HTTP/1.1\r\n") && heard.contains("webhook-id: msg_1\r\n"), "{heard}");
    assert!(heard.contains("user-agent: Leadgate/"), "{heard}");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let (inner, reached) = server(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec(), 1).await;
    for status in [301, 302, 303, 307, 308] {
        let to = format!(
            "HTTP/1.1 {status} Moved\r\nlocation: http://127.0.0.1:{inner}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        let (port, _) = server(to.into_bytes(), 1).await;
        assert_eq!(loopback().call(call(&format!("http://127.0.0.1:{port}/"))).await.unwrap().status, status);
    }
    assert!(!reached.is_finished(), "nobody came to where they point");
}

#[tokio::test]
async fn what_is_not_listed_is_not_even_resolved() {
    for url in ["http://a.test/", "http://169.254.169.254/latest/meta-data", "http://[fd00::1]/", "ftp://localhost/"] {
        assert!(matches!(loopback().call(call(url)).await, Err(CallError::NotAllowed(_))), "{url}");
    }
    let production = Outgoing::new("hooks.example.com, loopback".parse().unwrap(), true);
    let judged = |url: &str| production.judge(&Url::parse(url).unwrap());
    assert_eq!(judged("http://hooks.example.com/"), Err(NotAllowed::PlainHttp));
    assert_eq!(judged("https://hooks.example.com/"), Ok(()));
    assert_eq!(judged("http://localhost:9000/"), Ok(()));
}

#[test]
fn a_listed_name_that_points_inside_reaches_nothing() {
    let allow: AllowList = "hooks.example.com".parse().unwrap();
    let addresses = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpAddr>>();
    let refused = permitted(&allow, "hooks.example.com", addresses(&["127.0.0.1", "10.0.0.1"])).unwrap_err();
    assert!(matches!(refused.downcast_ref(), Some(NotAllowed::Address { .. })), "{refused}");
    let mixed = addresses(&["8.8.8.8", "169.254.169.254"]);
    assert_eq!(permitted(&allow, "hooks.example.com", mixed).unwrap(), addresses(&["8.8.8.8"]));
    assert!(permitted(&allow, "hooks.example.com", Vec::new()).is_err());
}

/// The resolver's refusal is found again below the client's own errors. `ip6-localhost` and the machine's own name stand in
/// for a name that points inside: what `/etc/hosts` gives is all that a test without a name server has.
#[tokio::test]
async fn the_resolvers_refusal_is_what_the_caller_is_told() {
    let host = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    let inside = host
        .lines()
        .filter_map(|line| line.split('#').next()?.split_whitespace().map(str::to_owned).collect::<Vec<_>>().into())
        .filter(|words: &Vec<String>| words.len() > 1 && words[0].parse::<IpAddr>().is_ok())
        .flat_map(|words| words.into_iter().skip(1))
        .find(|name| !crate::domain::allow_list::is_loopback_name(name) && !name.contains("multicast"));
    let name = inside.expect("the machine's /etc/hosts names something beside localhost");
    let outgoing = Outgoing::new(name.parse().unwrap(), false);
    let refused = outgoing.call(call(&format!("http://{name}:9/"))).await.unwrap_err();
    assert!(matches!(refused, CallError::NotAllowed(NotAllowed::Address { .. })), "{refused}");
}

#[tokio::test]
async fn size_and_time_are_bounded() {
    let mut endless = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
    endless.extend(std::iter::repeat_n(b'x', MAX_BODY + 5));
    let (port, _) = server(endless, 1).await;
    let answered = loopback().call(call(&format!("http://127.0.0.1:{port}/"))).await.unwrap();
    assert_eq!((answered.body.len(), answered.is_cut), (MAX_BODY, true));

    let exact = [b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".as_slice(), &[b'x'; MAX_BODY]].concat();
    let (port, _) = server(exact, 1).await;
    let answered = loopback().call(call(&format!("http://127.0.0.1:{port}/"))).await.unwrap();
    assert_eq!((answered.body.len(), answered.is_cut), (MAX_BODY, false));

    // Nobody accepts what the system has queued.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let timeout = Duration::from_millis(50);
    let url = format!("http://127.0.0.1:{}/", silent.local_addr().unwrap().port());
    let late = loopback().call(Call { timeout, ..call(&url) }).await;
    assert_eq!(late, Err(CallError::TimedOut(timeout)));
}

#[tokio::test]
async fn errors_say_what_is_wrong_and_nothing_of_the_path() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let refused = loopback().call(call(&format!("http://{free}/secret-path"))).await.unwrap_err().to_string();
    assert!(refused.contains("127.0.0.1") && refused.contains("refused") && !refused.contains("secret"), "{refused}");
    let mut bad = call("http://127.0.0.1:1/");
    bad.headers = vec![("authorization".to_owned(), "a\r\nb: c".to_owned())];
    assert_eq!(loopback().call(bad).await, Err(CallError::Header));
}
