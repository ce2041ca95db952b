//! What deliveries have to do with secrets, well and badly used: for the tests that look for them where none belongs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::sending::served;
use crate::support::{APP_ONE, World};

/// Answers the secrets; `typed` is a wrong one.
pub async fn run(world: &World, typed: &str) -> Vec<String> {
    let address = served(world).await;
    let secrets = ["pa55word-of-a-basic-delivery", "pa55word-of-a-digest-delivery", "t0ken-of-a-bearer-delivery"];
    let settings = [
        json!({"method": "basic", "username": "crm", "password": secrets[0]}),
        json!({"method": "digest", "username": "crm", "password": secrets[1], "algorithms": ["SHA-256", "MD5"]}),
        json!({"method": "bearer", "prefix": "Token", "token": secrets[2]}),
        json!({"method": "oauth2", "client_id": APP_ONE, "client_secret": "rate-finder-client-secret",
            "token_url": format!("{address}/oauth/token"), "scope": "lead_receiver"}),
    ];
    for settings in settings {
        let id = world.delivery(settings).await;
        let path = format!("/{id}/test");
        let own = json!({"url": format!("{address}/deliveries/{id}/receive"), "lead": {"FirstName": "Ada"}});
        let tested = world.api("POST", &path, Some(&own)).await.expect(200).json();
        assert_eq!(tested["status"], 200, "{tested}");
        for url in [format!("{address}/nothing"), "https://leads.example.com/".to_owned()] {
            world.api("POST", &path, Some(&json!({"url": url}))).await.expect(200);
        }
        let pair = STANDARD.encode(format!("crm:{typed}"));
        for wrong in [format!("Basic {pair}"), format!("Token {typed}"), format!("Bearer {typed}"), typed.to_owned()] {
            let answer = world.deliver(&id, Some(&wrong)).await;
            assert!([400, 401].contains(&answer.status), "{}", answer.text());
        }
        world.api("PATCH", &format!("/{id}"), Some(&json!({"name": "Renamed"}))).await.expect(200);
        world.api("GET", &format!("/{id}/exchanges"), None).await.expect(200);
    }
    secrets.map(str::to_owned).into()
}
