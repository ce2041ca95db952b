//! Requests, briefly written.

use std::net::{IpAddr, SocketAddr};

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request};
use leadgate::lifecycle::Connections;
use leadgate::socket::{Bounds, Doors, Peer, Stopping};
use serde_json::Value;
use tokio::net::TcpListener;
use tower::ServiceExt as _;
use url::form_urlencoded;

pub use super::search::escape;
use super::{Answer, SANDBOX_TOKEN, World};

pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Request<Body> {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.into()).unwrap()
}

/// The same request, from an address of its own.
pub fn from_address(mut request: Request<Body>, last_octet: u8) -> Request<Body> {
    let address = SocketAddr::new(IpAddr::from([192, 0, 2, last_octet]), 40_000);
    request.extensions_mut().insert(ConnectInfo(Peer::at(address)));
    request
}

pub fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

impl World {
    /// Serves it on a port of its own, until the test is over.
    pub async fn listen(&self) -> SocketAddr {
        self.listen_within(Bounds::default()).await
    }

    /// The same with other bounds.
    pub async fn listen_within(&self, bounds: Bounds) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (open, closed) = tokio::sync::watch::channel(false);
        let router = self.router.clone().with_state(());
        let connections = Connections { router, doors: Doors::new(bounds), stopping: Stopping::default(), closed };
        tokio::spawn(async move {
            connections.serve(listener).await;
            drop(open);
        });
        address
    }

    /// A request without any browser.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        Answer::of(self.router.clone().oneshot(request).await.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(request("GET", path, &[], Body::empty())).await
    }

    /// wire.md A2.
    pub async fn refresh(&self, token: &str, app: &str) -> Answer {
        self.get(&format!("/authorize/refreshaccesstoken/{token}?appid={app}")).await
    }

    /// wire.md A3.
    pub async fn disconnect(&self, token: &str) -> Answer {
        self.get(&format!("/authorize/disconnectapplicationtoken/{token}")).await
    }

    pub async fn me(&self, token: &str) -> Answer {
        self.send(request("GET", "/v1/me", &[("authorization", &format!("Bearer {token}"))], Body::empty())).await
    }

    pub async fn post_json(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let headers = [headers, &[("content-type", "application/json")]].concat();
        self.send(request("POST", path, &headers, body.to_string())).await
    }

    /// A request to the control plane (wire.md part E), with its token.
    pub async fn control(&self, method: &str, path: &str, body: &Value) -> Answer {
        let token = format!("Bearer {SANDBOX_TOKEN}");
        let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        self.send(request(method, &format!("/_sandbox{path}"), &headers, body)).await
    }

    /// wire.md part E.
    pub async fn sandbox_authorize(&self, body: &Value) -> Answer {
        let token = format!("Bearer {SANDBOX_TOKEN}");
        self.post_json("/_sandbox/authorize", &[("authorization", &token)], body).await
    }
}
