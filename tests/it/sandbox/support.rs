//! What the tests of the control plane have in common.

use serde_json::Value;

use crate::support::http::{escape, request};
use crate::support::{Answer, SANDBOX_TOKEN, World};

/// A problem of RFC 9457, whole, and with the headers that every answer of the control plane has.
#[track_caller]
pub fn assert_problem(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let problem = answer.json();
    assert_eq!(problem["status"], status);
    for member in ["type", "title", "detail"] {
        assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {problem}");
    }
}

/// The same, and it says where.
#[track_caller]
pub fn assert_problem_at(answer: &Answer, status: u16, pointer: &str) {
    assert_problem(answer, status);
    assert_eq!(answer.json()["pointer"], pointer, "{}", answer.json());
}

impl World {
    /// A request to the control plane, below `/_sandbox`, with the token.
    pub async fn plane(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.operator_at(method, &format!("/_sandbox{path}"), body).await
    }

    /// The same to any address.
    pub async fn operator_at(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let token = format!("Bearer {SANDBOX_TOKEN}");
        let with_token = ("authorization", token.as_str());
        match body {
            None => self.send(request(method, path, &[with_token], "")).await,
            Some(body) => {
                let headers = [with_token, ("content-type", "application/json")];
                self.send(request(method, path, &headers, body.to_string())).await
            }
        }
    }

    pub async fn show(&self, path: &str) -> Answer {
        self.plane("GET", path, None).await
    }

    pub async fn make(&self, path: &str, body: &Value) -> Answer {
        self.plane("POST", path, Some(body)).await
    }

    pub async fn change(&self, path: &str, body: &Value) -> Answer {
        self.plane("PATCH", path, Some(body)).await
    }

    pub async fn drop_it(&self, path: &str) -> Answer {
        self.plane("DELETE", path, None).await
    }
}

/// The address of one object.
pub fn at(collection: &str, id: &str) -> String {
    format!("{collection}/{}", escape(id))
}

/// A member of each object of a list, in order.
pub fn each<'l>(list: &'l Value, collection: &str, member: &str) -> Vec<&'l str> {
    list[collection].as_array().unwrap().iter().map(|object| object[member].as_str().unwrap()).collect()
}
