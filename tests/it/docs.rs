//! The documentation at `/docs`: in a sandbox and in production, below a path, and for browsers that have it already.

use crate::support::http::request;
use crate::support::{World, both};

async fn the_index_leads_to_every_page(world: World) {
    let index = world.get("/docs").await.expect(200);
    assert_eq!(index.header("content-type"), Some("text/html; charset=utf-8"));
    let pages: Vec<&str> =
        index.text().split("href=\"/docs").skip(1).filter_map(|rest| rest.split(['"', '#']).next()).collect();
    assert!(pages.contains(&"/quick-start") && pages.contains(&"/wire") && pages.len() > 40, "{pages:?}");
    for page in pages {
        world.get(&format!("/docs{page}")).await.expect(200);
    }
    for home in ["/", "/_sandbox/docs", "/doctor"] {
        assert!(world.get(home).await.expect(200).text().contains("href=\"/docs\""), "{home}");
    }
}

async fn a_browser_that_has_the_page_gets_nothing_again(world: World) {
    let page = world.get("/docs/sign-in-button").await.expect(200);
    let tag = page.header("etag").unwrap().to_owned();
    assert_eq!(page.header("cache-control"), Some("private, no-cache"));
    assert!(page.header("content-security-policy").unwrap().contains("script-src 'self';"), "no nonce: it is kept");
    let again = world.send(request("GET", "/docs/sign-in-button", &[("if-none-match", &tag)], "")).await.expect(304);
    assert!(again.body.is_empty() && again.header("etag") == Some(&tag));
    assert_eq!(again.header("content-security-policy"), page.header("content-security-policy"));
    let spanish = [("accept-language", "es"), ("if-none-match", tag.as_str())];
    world.send(request("GET", "/docs/sign-in-button", &spanish, "")).await.expect(200);
}

async fn a_sandbox_shows_buttons_that_work_and_its_own_address(world: World) {
    let page = world.get("/docs/sign-in-button").await.expect(200);
    assert!(page.text().contains(r#"<div class="live">"#) && page.text().contains(r#"data-btnId="btn-all""#));
    assert!(page.text().contains("YOUR-BUTTON-ID"), "the listing stays what one copies");
    assert!(page.text().contains("https://auth.test/css/le-app-button.css"));
    assert!(!page.text().contains("http://localhost:8080"));
    assert_eq!(page.header("cross-origin-opener-policy"), Some("same-origin-allow-popups"), "or the pop-up is cut off");
}

async fn production_has_the_pages_and_no_buttons(world: World) {
    let page = world.get("/docs/sign-in-button").await.expect(200);
    assert!(!page.text().contains(r#"<div class="live">"#) && !page.text().contains("/js/le-app-button.js\" defer"));
    assert!(world.get("/").await.expect(200).text().contains("href=\"/docs\""));
}

/// As people type them, and as links between files are.
async fn other_names_of_a_page_lead_to_it(world: World) {
    for (asked, page) in [
        ("/docs/", "/docs"),
        ("/docs/README.md", "/docs"),
        ("/docs/oauth.md", "/docs/oauth"),
        ("/docs/oauth/", "/docs/oauth"),
        ("/docs/adr/README.md", "/docs/adr"),
    ] {
        assert_eq!(world.get(asked).await.expect(308).header("location"), Some(page), "{asked}");
        world.get(page).await.expect(200);
    }
    for nothing in ["/docs/nothing", "/docs/../Cargo.toml", "/docs/%2e%2e/Cargo.toml", "/docs/oauth/x", "/docs/%ff"] {
        let answer = world.get(nothing).await;
        assert!(matches!(answer.status, 400 | 404), "{nothing}: {}", answer.status);
    }
    world.send(request("POST", "/docs/oauth", &[], "")).await.expect(405);
}

async fn a_search_shows_what_was_asked_as_text(world: World) {
    let found = world.get("/docs/search?q=popup_severed").await.expect(200);
    assert!(found.text().contains("href=\"/docs/errors#"), "the table of codes");
    let hostile = world.get("/docs/search?q=%3Cscript%3Ealert(1)%3C/script%3E").await.expect(200);
    assert!(!hostile.text().contains("<script>alert") && hostile.text().contains("&#60;script&#62;"));
    for odd in ["", "?q=", "?q=%20", "?q=%ff", "?q=%F0%9F%A6%80", &format!("?q={}", "a%20".repeat(500))] {
        world.get(&format!("/docs/search{odd}")).await.expect(200);
    }
}

async fn below_a_path_every_address_is_below_it(world: World) {
    let page = world.get("/t1/docs/quick-start").await.expect(200);
    for part in page.text().split(" href=\"/").skip(1).chain(page.text().split(" src=\"/").skip(1)) {
        assert!(part.starts_with("t1/"), "an address beside the path: {}", part.split('"').next().unwrap_or_default());
    }
    assert_eq!(world.get("/t1/docs/oauth.md").await.expect(308).header("location"), Some("/t1/docs/oauth"));
}

both! {
    the_index_leads_to_every_page,
    a_browser_that_has_the_page_gets_nothing_again,
    a_sandbox_shows_buttons_that_work_and_its_own_address,
    other_names_of_a_page_lead_to_it,
    a_search_shows_what_was_asked_as_text,
}
both! { with support::Setup::production(); production_has_the_pages_and_no_buttons }
both! { with support::Setup::at("https://auth.test/t1"); below_a_path_every_address_is_below_it }
