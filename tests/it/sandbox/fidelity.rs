//! The fidelity ledger.

use leadgate::web::urls::route;

use crate::support::http::request;
use crate::support::{Answer, World, both};

async fn asked(world: &World, accept: &str) -> Answer {
    world.send(request("GET", route::SANDBOX_FIDELITY, &[("accept", accept)], "")).await.expect(200)
}

/// JSON for programs, a page for browsers, with the same rows, and without a token.
async fn e_the_ledger_is_json_and_a_page(world: World) {
    let json = world.get(route::SANDBOX_FIDELITY).await.expect(200);
    assert_eq!(json.header("content-type"), Some("application/json"));
    let rows = json.json()["behaviours"].as_array().unwrap().clone();
    let page = asked(&world, "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8").await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(page.header("vary"), Some("accept"));
    for row in &rows {
        let id = row["id"].as_str().unwrap();
        assert!(page.text().contains(&format!(r#"<div id="{id}">"#)), "{id}");
        assert!(["documented", "inferred", "ours"].contains(&row["fidelity"].as_str().unwrap()), "{row}");
        assert!(row["behaviour"].is_string() && row["source"].is_string() && row["routes"].is_array(), "{row}");
    }
    for (accept, is_page) in [
        ("application/json", false),
        ("*/*", false),
        ("application/json, text/html", false),
        ("text/html", true),
        ("", false),
    ] {
        let is_html = asked(&world, accept).await.header("content-type").unwrap().starts_with("text/html");
        assert_eq!(is_html, is_page, "{accept}");
    }
    let lifetime = rows.iter().find(|row| row["id"] == "A2-lifetime").unwrap();
    assert_eq!((lifetime["surface"].as_str(), lifetime["fidelity"].as_str()), (Some("A2"), Some("documented")));
    let home = world.get("/").await.expect(200);
    assert!(home.text().contains(r#"href="/_sandbox/fidelity""#) && home.text().contains(r#"href="/_sandbox/docs""#));
}

both! { e_the_ledger_is_json_and_a_page }
