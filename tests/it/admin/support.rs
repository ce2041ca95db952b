//! What the tests of the administration have in common.

use serde_json::{Value, json};

use crate::support::{Actor, Answer, World};

pub const ROOT: &str = "root@acme.test";

impl World {
    /// A user of this role, made by the control plane; answers the id.
    pub async fn make_user(&self, email: &str, role: &str) -> String {
        let user =
            json!({"email": email, "password_hash": self.hash(), "name": "Somebody", "account": "acme", "role": role});
        let made = self.control("POST", "/users", &user).await.expect(201).json();
        made["id"].as_str().unwrap().to_owned()
    }

    /// An administrator, signed in.
    pub async fn admin(&self) -> Actor {
        self.admin_called(ROOT).await
    }

    pub async fn admin_called(&self, email: &str) -> Actor {
        self.make_user(email, "admin").await;
        self.signed_in(email).await
    }

    /// The newest events, as the log's file has them.
    pub async fn log(&self, admin: &mut Actor, query: &str) -> Vec<Value> {
        let file = admin.get(&format!("/admin/events?format=jsonl&{query}")).await.expect(200);
        assert_eq!(file.header("content-type"), Some("application/x-ndjson"));
        file.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Answer {
    /// What is shown once, by its id in the page.
    #[track_caller]
    pub fn shown(&self, id: &str) -> String {
        self.between(&format!("<code id=\"{id}\">"), "</code>").unwrap_or_else(|| panic!("{}", self.text())).to_owned()
    }

    /// What is wrong with a field, as it is said beside it.
    #[track_caller]
    pub fn wrong(&self, field: &str) -> &str {
        let said = self.between(&format!("id=\"{field}-error\">"), "</p>");
        said.unwrap_or_else(|| panic!("{field}: {}", self.text()))
    }
}
