//! A person with a browser.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, header};
use serde_json::Value;
use tower::ServiceExt as _;
use url::Url;

use super::http::{form, request};
use super::jar::{From, Jar};
use super::{Answer, World};

#[derive(Clone)]
pub struct Actor {
    router: Router,
    issuer: &'static str,
    pub jar: Jar,
}

impl Actor {
    pub fn new(world: &World) -> Self {
        Self { router: world.router.clone(), issuer: world.setup.issuer, jar: Jar::default() }
    }

    /// The same browser, whose requests another node gets.
    pub fn at(&self, world: &World) -> Self {
        Self { router: world.router.clone(), issuer: world.setup.issuer, ..self.clone() }
    }

    /// A request with the cookies that a browser would send; `page` is the origin of the page on top.
    pub async fn send(&mut self, page: Option<&str>, mut request: Request<Body>) -> Answer {
        let base = self.base();
        let path = request.uri().path_and_query().unwrap().as_str();
        if !path.starts_with(&base) {
            *request.uri_mut() = format!("{base}{path}").parse().unwrap();
        }
        let from = From { issuer: self.issuer, page };
        if let Some(cookies) = self.jar.header(from, request.uri().path()) {
            request.headers_mut().insert(header::COOKIE, HeaderValue::from_str(&cookies).unwrap());
        }
        let answer = Answer::of(self.router.clone().oneshot(request).await.unwrap()).await;
        self.jar.keep(from, &answer.set_cookies());
        answer
    }

    /// The path that the server lies below.
    fn base(&self) -> String {
        Url::parse(self.issuer).unwrap().path().trim_end_matches('/').to_owned()
    }

    /// Opens an address of the server.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(None, request("GET", path, &[], Body::empty())).await
    }

    /// Posts a form of one of the server's pages.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let origin = Url::parse(self.issuer).unwrap().origin().ascii_serialization();
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("origin", origin.as_str()),
            ("sec-fetch-site", "same-origin"),
        ];
        self.send(None, request("POST", path, &headers, form(fields))).await
    }

    /// Follows a 303.
    pub async fn follow(&mut self, answer: &Answer) -> Answer {
        self.get(answer.location()).await
    }

    /// What the button's script does on a partner's page: a CORS request with credentials.
    pub async fn fetch(&mut self, page: &str, path: &str, body: &Value) -> Answer {
        let headers = [("content-type", "application/json"), ("origin", page)];
        self.send(Some(page), request("POST", path, &headers, body.to_string())).await
    }
}
