//! Lists of the control plane: bounded, in pages.

use serde_json::json;

use super::{assert_problem, each};
use crate::support::{ADA, World, both};

/// Page after page gives each object once, oldest first.
async fn r5_e_lists_come_in_pages(world: World) {
    for n in 0..5 {
        world.advance(1);
        world.make("/accounts", &json!({"id": format!("a{n}"), "name": "A"})).await.expect(201);
        let app = json!({"id": format!("app{n}"), "name": "A", "buttons": [{"id": format!("b{n}"), "origins": []}]});
        world.make("/apps", &app).await.expect(201);
        let user =
            json!({"email": format!("u{n}@a.test"), "password_hash": world.hash(), "name": "U", "account": "a0"});
        world.make("/users", &user).await.expect(201);
        world.make("/connections", &json!({"user": ADA, "app": format!("app{n}")})).await.expect(201);
    }
    for (collection, by) in
        [("accounts", "id"), ("apps", "id"), ("buttons", "id"), ("users", "email"), ("connections", "app")]
    {
        let whole = world.show(&format!("/{collection}?limit=1000")).await.expect(200).json();
        assert!(whole["next"].is_null());
        let whole = each(&whole, collection, by);
        assert!(whole.len() >= 5, "{collection}: {whole:?}");
        let mut pages = Vec::new();
        let mut query = "?limit=2".to_owned();
        loop {
            let page = world.show(&format!("/{collection}{query}")).await.expect(200).json();
            let part = each(&page, collection, by).into_iter().map(str::to_owned).collect::<Vec<_>>();
            assert!((1..=2).contains(&part.len()), "{collection}: {part:?}");
            pages.extend(part);
            match page["next"].as_str() {
                Some(next) => query = format!("?limit=2&after={next}"),
                None => break,
            }
        }
        assert_eq!(pages, whole, "{collection}");
        for bad in ["limit=0", "limit=1001", "limit=-1", "limit=x", "limit=", "limit=99999999999999999999", "after=%00"]
        {
            let answer = world.show(&format!("/{collection}?{bad}")).await;
            assert_problem(&answer, 400);
            assert_eq!(answer.json()["parameter"], bad.split('=').next().unwrap(), "{collection}?{bad}");
        }
    }
}

both! { r5_e_lists_come_in_pages }
