//! L: which pages may read an answer.

use serde_json::json;

use super::support::{Ask, FORM, POCKET, STUDIO, basic};
use crate::support::http::{form, request};
use crate::support::{ADA, Answer, World, both};

const POCKET_PAGE: &str = "https://pocket.test";
const STUDIO_PAGE: &str = "https://studio.test";
/// What a page may call, of its own client.
const CALLED: [&str; 4] = ["/oauth/token", "/oauth/revoke", "/oauth/par", "/oauth/device_authorization"];
/// Origins that are nobody's, many of which look like somebody's.
const FOREIGN: [&str; 10] = [
    "null",
    "https://evil.example",
    "https://pocket.test.evil.example",
    "https://evilpocket.test",
    "https://pocket.test:8443",
    "http://pocket.test",
    "https://POCKET.test",
    "https://pocket.test/",
    "https://sub.pocket.test",
    "",
];

#[track_caller]
fn assert_closed(answer: &Answer) {
    let open = answer.headers.keys().find(|name| name.as_str().starts_with("access-control"));
    assert!(open.is_none(), "{answer:?}");
}

#[track_caller]
fn assert_open_to(answer: &Answer, origin: &str) {
    assert_eq!(answer.header("access-control-allow-origin"), Some(origin), "{answer:?}");
    assert!(answer.header("access-control-allow-credentials").is_none(), "{answer:?}");
    assert!(answer.header("vary").unwrap().to_lowercase().contains("origin"), "{answer:?}");
}

/// L1: what the server says of itself is for any page, without credentials.
async fn l1_metadata_and_keys_are_for_any_page(world: World) {
    for path in
        ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration", "/.well-known/jwks.json"]
    {
        for headers in [vec![], vec![("origin", "https://evil.example")], vec![("origin", "null")]] {
            let answer = world.send(request("GET", path, &headers, "")).await.expect(200);
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
            assert!(answer.header("access-control-allow-credentials").is_none());
            assert!(answer.header("cache-control").unwrap().contains("max-age="), "{path}");
        }
    }
    // Userinfo too: nothing but the token in the header opens it.
    let issued = STUDIO.connect_for(&world, ADA, "openid").await;
    let bearer = format!("Bearer {}", issued.access);
    let headers = [("authorization", bearer.as_str()), ("origin", "https://any.test")];
    for (headers, status) in [(&headers[..], 200), (&headers[1..], 401)] {
        let answer = world.send(request("GET", "/oauth/userinfo", headers, "")).await.expect(status);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert!(answer.header("access-control-allow-credentials").is_none());
    }
}

/// L2, L6: a page calls for the client whose redirect URI it is at; errors are as readable as successes.
async fn l2_l6_a_page_calls_for_its_own_client(world: World) {
    let ask = Ask::of(&POCKET);
    let code = ask.allowed(&world, ADA).await.code();
    let good = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", POCKET.redirect_uri),
        ("code_verifier", &ask.verifier),
    ];
    let origin = [("origin", POCKET_PAGE)];
    let redeemed = POCKET.post_with(&world, "/oauth/token", &origin, &good).await.expect(200);
    assert_open_to(&redeemed, POCKET_PAGE);
    let again = POCKET.post_with(&world, "/oauth/token", &origin, &good).await.expect(400);
    assert_open_to(&again, POCKET_PAGE);
    for path in CALLED {
        let answer = POCKET.post_with(&world, path, &origin, &[("token", "x"), ("scope", "admin")]).await;
        assert_open_to(&answer, POCKET_PAGE);
    }
    // The client is the one that the request names, however it does so and whether or not it shows that it is.
    let headers = [("origin", STUDIO_PAGE)];
    assert_open_to(&STUDIO.post_with(&world, "/oauth/token", &headers, &[("grant_type", "x")]).await, STUDIO_PAGE);
    let wrong = basic(STUDIO.id, "wrong");
    let headers = [("content-type", FORM), ("origin", STUDIO_PAGE), ("authorization", wrong.as_str())];
    let refused = world.send(request("POST", "/oauth/token", &headers, form(&[("grant_type", "x")]))).await;
    assert_open_to(&refused.expect(401), STUDIO_PAGE);
    // Another client's page is a stranger.
    for path in CALLED {
        let answer = POCKET.post_with(&world, path, &[("origin", STUDIO_PAGE)], &[("token", "x")]).await;
        assert_closed(&answer);
    }
}

/// L3: an origin is compared as a whole.
async fn l3_a_foreign_origin_reads_nothing(world: World) {
    for origin in FOREIGN {
        for path in CALLED {
            let answer = POCKET.post_with(&world, path, &[("origin", origin)], &[("token", "x")]).await;
            assert_closed(&answer);
            let headers = [("origin", origin), ("access-control-request-method", "POST")];
            assert_closed(&world.send(request("OPTIONS", path, &headers, "")).await);
        }
    }
    let twice = [("content-type", FORM), ("origin", POCKET_PAGE), ("origin", "https://evil.example")];
    let body = form(&[("client_id", POCKET.id), ("grant_type", "x")]);
    assert_closed(&world.send(request("POST", "/oauth/token", &twice, body)).await);
}

/// L4: what is not for pages is closed to all of them, its own client's too.
async fn l4_the_rest_is_closed(world: World) {
    let dialog = world.get(&Ask::of(&POCKET).address()).await.location().to_owned();
    for path in ["/oauth/authorize", &dialog, "/device", "/oauth/logout", "/oauth/introspect", "/oauth/register"] {
        for method in ["GET", "POST", "OPTIONS"] {
            for origin in [POCKET_PAGE, STUDIO_PAGE, "null"] {
                let headers = [("origin", origin), ("access-control-request-method", "POST")];
                assert_closed(&world.send(request(method, path, &headers, "")).await);
            }
        }
    }
    let issued = STUDIO.connect(&world, ADA).await;
    let fields = [("token", issued.access.as_str())];
    assert_closed(&STUDIO.post_with(&world, "/oauth/introspect", &[("origin", STUDIO_PAGE)], &fields).await);
    let metadata = json!({"redirect_uris": ["https://pocket.test/cb"]});
    assert_closed(&world.post_json("/oauth/register", &[("origin", POCKET_PAGE)], &metadata).await);
}

/// L5: a pre-flight allows a form, client credentials and a proof, to the pages of any client.
async fn l5_a_preflight_allows_no_more_than_is_needed(world: World) {
    for path in CALLED {
        for origin in [POCKET_PAGE, STUDIO_PAGE, "https://rival.test", "http://127.0.0.1:9100"] {
            let headers = [
                ("origin", origin),
                ("access-control-request-method", "POST"),
                ("access-control-request-headers", "authorization,dpop,x-other"),
            ];
            let answer = world.send(request("OPTIONS", path, &headers, "")).await.expect(204);
            assert_open_to(&answer, origin);
            assert_eq!(answer.header("access-control-allow-methods"), Some("POST"), "{path}");
            let allowed = answer.header("access-control-allow-headers").unwrap().to_lowercase();
            let mut allowed: Vec<&str> = allowed.split(',').map(str::trim).collect();
            allowed.sort_unstable();
            assert_eq!(allowed, ["authorization", "content-type", "dpop"], "{path}");
            assert!(answer.body.is_empty());
        }
    }
}

both! {
    l1_metadata_and_keys_are_for_any_page,
    l2_l6_a_page_calls_for_its_own_client,
    l3_a_foreign_origin_reads_nothing,
    l4_the_rest_is_closed,
    l5_a_preflight_allows_no_more_than_is_needed,
}
