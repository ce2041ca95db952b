//! What the journal keeps of a request that a rule acted on.

use std::sync::Arc;

use leadgate::domain::journal::{Entry, Outcome};
use leadgate::services::journal::Query;
use serde_json::json;

use super::{rule, rule_after};
use crate::support::{ADA, APP_ONE, World, both, connect_by_api};

fn last(world: &World) -> Arc<Entry> {
    world.ctx.journal.list(&Query { limit: Some(1), ..Query::default() }).remove(0)
}

/// The rule, and whom it met, also where the endpoint itself said nothing.
async fn e_the_journal_names_the_rule(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    for (when, effect, status) in [
        ("before", json!({"status": 503}), 503),
        ("after", json!({"body": "x"}), 200),
        ("before", json!({"delay_ms": 1}), 200),
    ] {
        world.put_faults(json!([{"id": "mine", "match": {"endpoint": "me"}, "when": when, "effect": effect}])).await;
        world.me(&tokens.access).await.expect(status);
        let entry = last(&world);
        assert_eq!((entry.outcome, entry.fault.as_deref(), entry.status), (Outcome::Fault, Some("mine"), status));
        let why = entry.why.as_ref().unwrap();
        assert!(why.rule == "fault" && why.message.contains("mine"), "{why:?}");
        assert_eq!((entry.app.as_ref().unwrap().as_str(), entry.user.as_deref()), (APP_ONE, Some(ADA)));
    }
    world.put_faults(json!([rule_after("me", &json!({"status": 503}))])).await;
    world.me("lga_x").await.expect(503);
    assert_ne!(last(&world).why.as_ref().unwrap().rule, "fault", "what the endpoint refused stands");
    world.put_faults(json!([rule("revoke", &json!({"status": 500}))])).await;
    world.me(&tokens.access).await.expect(200);
    assert_eq!((last(&world).outcome, last(&world).fault.as_deref()), (Outcome::Ok, None));
}

both! { e_the_journal_names_the_rule }
