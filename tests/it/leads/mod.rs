//! LeadExec's published APIs (wire.md part C): token, lead receiver, data query, and what an operator sees of the leads.

mod insert;
mod kept;
mod nodes;
mod query;
mod token;

use serde_json::{Value, json};

use crate::support::{Answer, Setup, World};

pub const ACME_KEY: &str = "3f0f1c1e-0000-4000-8000-000000000001";
pub const ZENITH_KEY: &str = "3f0f1c1e-0000-4000-8000-000000000002";
pub const STUDIO: (&str, &str) = ("studio", "studio-client-secret");

/// The world of the other tests, with lead types, sources and campaigns.
pub fn setup() -> Setup {
    let plain = Setup::default();
    let seed = format!("{}{}", plain.seed, include_str!("seed.toml"));
    Setup { seed, ..plain }
}

pub fn credentials((id, secret): (&str, &str)) -> Value {
    json!({"client_id": id, "client_secret": secret, "grant_type": "client_credentials"})
}

/// A lead of no type in particular.
pub fn lead(fields: Value) -> Value {
    json!({"properties": {}, "fields": fields})
}

/// Leads for the account Zenith, which asks nothing of their source.
pub fn of_type(lid: i64, leads: Vec<Value>) -> Value {
    json!({"source": {"vid": 5, "lid": lid}, "leads": leads})
}

impl World {
    pub async fn api_token(&self, body: &Value) -> Answer {
        self.post_json("/v1/authorization/token", &[], body).await
    }

    /// A client's own token, in LeadExec's form.
    pub async fn own_token(&self, client: (&str, &str)) -> String {
        let answer = self.api_token(&credentials(client)).await.expect(200);
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    pub async fn post_leads(&self, headers: &[(&str, &str)], body: &Value) -> Answer {
        self.post_json("/v2/insert/general", headers, body).await
    }

    /// What came of leads that an account's key opens the door for.
    pub async fn insert(&self, key: &str, body: &Value) -> Vec<Value> {
        let answer = self.post_leads(&[("api-key", key)], body).await.expect(200);
        answer.json().as_array().unwrap().clone()
    }

    /// The `ResponseType` of each.
    pub async fn types(&self, key: &str, body: &Value) -> Vec<i64> {
        self.insert(key, body).await.iter().map(|answer| answer["ResponseType"].as_i64().unwrap()).collect()
    }

    pub async fn query(&self, token: &str, lead_type: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {token}");
        self.post_json(&format!("/v1/leads/query/{lead_type}"), &[("authorization", &bearer)], body).await
    }
}
