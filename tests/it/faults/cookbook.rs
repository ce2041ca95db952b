//! Each recipe of docs/sandbox.md does what it says.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::db_tokens;
use crate::oauth::support::{Ask, Issued, Landing, RATE_FINDER, STUDIO, assert_error};
use crate::support::http::request;
use crate::support::{ADA, APP_ONE, Answer, Click, GRACE, PARTNER, World, both, connect_by_api};

/// The recipes, by the id of their rule.
fn recipes() -> BTreeMap<String, Value> {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sandbox.md")).unwrap();
    let section = page.split("\n## ").find(|section| section.starts_with("Faults")).unwrap();
    let blocks = section.split("```json\n").skip(1).map(|block| block.split("```").next().unwrap());
    blocks
        .map(|block| {
            let rules: Value = serde_json::from_str(block).unwrap();
            (rules[0]["id"].as_str().unwrap().to_owned(), rules)
        })
        .collect()
}

/// A request whose answer is dropped breaks off, where there is no socket to close.
async fn assert_dropped(world: &World, path: &str) {
    use tower::ServiceExt as _;
    let response = world.router.clone().oneshot(request("GET", path, &[], "")).await.unwrap();
    assert!(axum::body::to_bytes(response.into_body(), usize::MAX).await.is_err());
}

async fn e_each_recipe_does_what_it_says(world: World) {
    let recipes = recipes();
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    let grace = connect_by_api(&world, GRACE, "btn-one").await;
    let refresh = async || world.refresh(&tokens.refresh, APP_ONE).await;
    let is_refreshed = |answer: &Answer| answer.json()["valid"] == true && answer.json()["authToken"] != "";
    for (id, rules) in &recipes {
        world.put_faults(rules.clone()).await;
        match id.as_str() {
            "lost-refresh" => {
                let before = db_tokens(&world).await;
                let path = format!("/authorize/refreshaccesstoken/{}?appid={APP_ONE}", tokens.refresh);
                assert_dropped(&world, &path).await;
                assert_eq!(db_tokens(&world).await, before + 1);
                assert!(is_refreshed(&refresh().await));
            }
            "lost-rotation" => {
                world.put_faults(json!([])).await;
                let issued = STUDIO.connect(&world, ADA).await;
                // The same rule with an answer that can be read here.
                let mut seen = rules.clone();
                seen[0]["effect"] = json!({"status": 502});
                world.put_faults(seen).await;
                STUDIO.refresh(&world, issued.refresh()).await.expect(502);
                Issued::of(&STUDIO.refresh(&world, issued.refresh()).await);
            }
            "down-twice" => {
                for _ in 0..2 {
                    assert!(refresh().await.expect(503).header("retry-after").is_some());
                }
                assert!(is_refreshed(&refresh().await));
            }
            "html-page" => {
                let answer = refresh().await.expect(200);
                assert_eq!(answer.header("content-type"), Some("text/html"));
                assert!(answer.text().starts_with("<html>"));
            }
            "empty-token" => {
                let answer = refresh().await.expect(200);
                assert_eq!((&answer.json()["valid"], &answer.json()["authToken"]), (&json!(true), &json!("")));
            }
            "silent-disconnect" => {
                let path = format!("/authorize/disconnectapplicationtoken/{}?callback=cb", grace.refresh);
                let answer = world.get(&path).await.expect(200);
                assert_eq!((answer.text(), answer.header("content-type")), ("", Some("text/javascript")));
                world.me(&grace.access).await.expect(401);
            }
            "consent-gone" => {
                assert_error(&RATE_FINDER.refresh(&world, "lgf_x").await, 400, "invalid_grant");
                let answer = RATE_FINDER.token(&world, &[("grant_type", "client_credentials")]).await;
                Issued::of(&answer);
            }
            "slow" => {
                let begun = Instant::now();
                world.me(&tokens.access).await.expect(200);
                assert!(begun.elapsed() >= Duration::from_millis(300));
                assert!(super::fault_of(&world.me(&grace.access).await).is_none());
            }
            "no-resume" => {
                let mut ada = world.actor();
                ada.connect("btn-one", PARTNER, ADA).await;
                assert_eq!(ada.resume(PARTNER, &["btn-one"]).await["btn-one"]["error"], "login_required");
            }
            "try-later" => {
                let landing = Landing::of(&world.get(&Ask::of(&STUDIO).address()).await).unwrap();
                assert_eq!(landing.value("error"), Some("temporarily_unavailable"));
            }
            "limited" => {
                let mut ada = world.actor();
                let (opened, code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
                let answer = ada.redeem(&opened, &code).await.expect(429);
                assert_eq!(
                    (&answer.json()["error"], answer.header("retry-after")),
                    (&json!("rate_limited"), Some("1"))
                );
                assert_eq!(ada.redeem(&opened, &code).await.json()["valid"], true);
            }
            other => panic!("no test follows the recipe {other}"),
        }
    }
    assert_eq!(recipes.len(), 11);
}

both! { e_each_recipe_does_what_it_says }
