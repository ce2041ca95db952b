//! Deliveries (wire.md D): receivers under each method, the API that sets them up, and test leads that are sent.

mod api;
mod digest;
mod methods;
pub mod secrets;
mod sending;

use serde_json::{Value, json};

use crate::support::http::request;
use crate::support::{Answer, World};

pub const LEAD: &str = r#"{"FirstName":"Ada","Email":"ada@lead.test"}"#;
pub const JSON: (&str, &str) = ("content-type", "application/json");

impl World {
    /// A request to the API of deliveries, with the sandbox token.
    pub async fn api(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.operator_at(method, &format!("/api/deliveries{path}"), body).await
    }

    /// Makes a delivery; its id.
    pub async fn delivery(&self, settings: Value) -> String {
        let mut body = json!({"name": "Leads"});
        body.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        self.api("POST", "", Some(&body)).await.expect(201).json()["id"].as_str().unwrap().to_owned()
    }

    /// A lead for a delivery's receiver, with this `Authorization`.
    pub async fn deliver(&self, id: &str, authorization: Option<&str>) -> Answer {
        let headers: Vec<_> = [JSON].into_iter().chain(authorization.map(|value| ("authorization", value))).collect();
        self.send(request("POST", &receiver(id), &headers, LEAD)).await
    }

    pub async fn exchanges(&self, id: &str) -> Vec<Value> {
        let list = self.api("GET", &format!("/{id}/exchanges"), None).await.expect(200).json();
        list["exchanges"].as_array().unwrap().clone()
    }
}

pub fn receiver(id: &str) -> String {
    format!("/deliveries/{id}/receive")
}

/// The values of `WWW-Authenticate`, each of a field of its own.
pub fn challenges(answer: &Answer) -> Vec<&str> {
    answer.headers.get_all("www-authenticate").iter().map(|value| value.to_str().unwrap()).collect()
}
