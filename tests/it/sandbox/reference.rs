//! The reference, as people read it.

use leadgate::web::urls::route;

use crate::support::http::request;
use crate::support::{World, both};

/// Every operation of the document with a command; no token is needed, and none is shown.
async fn e_the_reference_shows_every_operation(world: World) {
    let page = world.get(route::SANDBOX_DOCS).await.expect(200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(!page.text().contains(crate::support::SANDBOX_TOKEN));
    let document = world.get(route::SANDBOX_OPENAPI).await.expect(200).json();
    let mut shown = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values().filter(|member| member.get("operationId").is_some()) {
            let id = operation["operationId"].as_str().unwrap();
            assert!(page.text().contains(&format!(r#"id="{id}""#)), "{id}");
            assert!(page.text().contains(&format!("<code>{path}</code>")), "{path}");
            shown += 1;
        }
    }
    assert!(shown > 25, "{shown}");
    let token = "curl -X POST &#39;https://auth.test/_sandbox/tokens&#39; \\\n  -H &#34;Authorization: Bearer $SANDBOX_TOKEN&#34;";
    assert!(page.text().contains(token), "{}", page.text());
    // Members of members, their kinds and whether they are needed.
    for text in ["match.endpoint", "<code>apps[].buttons[].origins</code>", "string or null", "1 to 1000"] {
        assert!(page.text().contains(text), "{text}");
    }
}

async fn e_the_reference_speaks_spanish(world: World) {
    let spanish = [("accept-language", "es")];
    let page = world.send(request("GET", route::SANDBOX_DOCS, &spanish, "")).await.expect(200);
    assert!(page.text().contains("<h1>API de control</h1>") && page.text().contains(r#"<html lang="es">"#));
    for entrance in [route::SANDBOX, route::SANDBOX_SLASH] {
        assert_eq!(world.get(entrance).await.expect(303).location(), route::SANDBOX_DOCS);
    }
}

/// Below the issuer's path, so is all of it.
async fn e_the_reference_knows_its_path(world: World) {
    let page = world.get("/t1/_sandbox/docs").await.expect(200);
    assert!(page.text().contains("https://auth.test/t1/_sandbox/apps"));
    assert!(page.text().contains(r#"href="/t1/_sandbox/openapi.json""#));
    assert_eq!(world.get("/t1/_sandbox").await.expect(303).location(), "/t1/_sandbox/docs");
    let document = world.get("/t1/_sandbox/openapi.json").await.expect(200).json();
    assert_eq!(document["servers"][0]["url"], "https://auth.test/t1");
    // Unknown parameters are refused below a path too.
    world.get("/t1/_sandbox/openapi.json?x").await.expect(400);
}

both! { e_the_reference_shows_every_operation, e_the_reference_speaks_spanish }
both! { with support::Setup::at("https://auth.test/t1"); e_the_reference_knows_its_path }
