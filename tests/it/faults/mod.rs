//! Scripted faults (wire.md part E).

mod cookbook;
mod drop;
mod effects;
mod journal;
mod matching;
mod rules;

use serde_json::{Value, json};

use crate::support::{Answer, World};

impl World {
    async fn faults(&self, method: &str, body: &Value) -> Answer {
        self.control(method, "/faults", body).await
    }

    /// Sets the rules.
    async fn put_faults(&self, rules: Value) {
        self.faults("PUT", &rules).await.expect(200);
    }

    /// How often each acted.
    async fn hits(&self) -> Vec<u64> {
        let rules = self.faults("GET", &Value::Null).await.expect(200).json();
        rules.as_array().unwrap().iter().map(|rule| rule["hits"].as_u64().unwrap()).collect()
    }
}

/// A rule that acts once, before.
fn rule(endpoint: &str, effect: &Value) -> Value {
    json!({"match": {"endpoint": endpoint}, "effect": effect})
}

/// The same, afterwards.
fn rule_after(endpoint: &str, effect: &Value) -> Value {
    json!({"match": {"endpoint": endpoint}, "when": "after", "effect": effect})
}

async fn db_tokens(world: &World) -> i64 {
    world.database.db_count("SELECT COUNT(*) FROM access_tokens").await
}

#[track_caller]
fn fault_of(answer: &Answer) -> Option<&str> {
    answer.header("x-leadgate-fault")
}
