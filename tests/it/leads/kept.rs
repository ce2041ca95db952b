//! What an operator sees of the leads: in the control plane, in the administration; and how they go.

use serde_json::{Value, json};

use super::{ACME_KEY, STUDIO, ZENITH_KEY, lead, of_type};
use crate::sandbox::assert_problem;
use crate::support::http::request;
use crate::support::{World, both};

/// One of Acme's by its key, one by Studio's token, and three of Zenith's.
async fn some(world: &World) {
    let acme = json!({"source": {"vid": 1041, "lid": 1}, "leads": [{"properties": {"reference": "r-1"}, "fields": {"Name": "<b>Ada"}}]});
    assert_eq!(world.types(ACME_KEY, &acme).await, [0]);
    let bearer = format!("Bearer {}", world.own_token(STUDIO).await);
    world.advance(1);
    world.post_leads(&[("authorization", &bearer)], &acme).await.expect(200);
    world.advance(1);
    let leads = ["1", "2", "3"].map(|phone| lead(json!({"Phone": phone}))).to_vec();
    assert_eq!(world.types(ZENITH_KEY, &of_type(77, leads)).await, [0; 3]);
}

async fn listed(world: &World, query: &str) -> Vec<Value> {
    let answer = world.control("GET", &format!("/leads{query}"), &json!(null)).await.expect(200).json();
    answer["leads"].as_array().unwrap().clone()
}

/// wire.md part E: what arrived, newest first, narrowed, in pages.
async fn e_the_control_plane_shows_what_arrived(world: World) {
    some(&world).await;
    let all = listed(&world, "").await;
    let phones: Vec<&Value> = all.iter().map(|lead| &lead["fields"]["Phone"]).collect();
    assert_eq!(phones, [&json!("3"), &json!("2"), &json!("1"), &json!(null), &json!(null)]);
    assert_eq!((&all[4]["account"], &all[4]["app"], &all[4]["vid"]), (&json!("acme"), &json!(null), &json!(1041)));
    assert_eq!((&all[4]["reference"], &all[4]["received_at"]), (&json!("r-1"), &json!("2026-11-22T09:15:30Z")));
    for (query, count) in [
        ("?account=acme", 2),
        ("?app=studio", 1),
        ("?lead_type=77", 3),
        ("?account=acme&lead_type=77", 0),
        ("?account=x", 0),
    ] {
        assert_eq!(listed(&world, query).await.len(), count, "{query}");
    }
    let page = world.control("GET", "/leads?limit=2", &json!(null)).await.expect(200).json();
    let next = page["next"].as_str().unwrap();
    assert_eq!(listed(&world, &format!("?limit=2&after={next}")).await, all[2..4]);
    let one =
        world.control("GET", &format!("/leads/{}", all[0]["id"].as_str().unwrap()), &json!(null)).await.expect(200);
    assert_eq!(one.json(), all[0]);
    for nothing in ["x", "01930000-0000-7000-8000-000000000000"] {
        assert_problem(&world.control("GET", &format!("/leads/{nothing}"), &json!(null)).await, 404);
    }
    assert_problem(&world.control("GET", "/leads?after=x", &json!(null)).await, 400);
}

/// wire.md part E: what is deleted is gone, and what only it could have may come again; the log says who did it.
async fn e_leads_are_deleted(world: World) {
    some(&world).await;
    let roof = of_type(77, vec![lead(json!({"Phone": "1"}))]);
    assert_eq!(world.types(ZENITH_KEY, &roof).await, [6]);
    let deleted = world.control("DELETE", "/leads?account=zenith&lead_type=77", &json!(null)).await.expect(200);
    assert_eq!(deleted.json(), json!({"deleted": 3}));
    let answer = world.insert(ZENITH_KEY, &roof).await[0].clone();
    assert_eq!((&answer["ResponseType"], &answer["LeadIdentifier"]), (&json!(0), &json!(4)), "no number comes twice");
    assert_eq!(world.control("DELETE", "/leads", &json!(null)).await.expect(200).json(), json!({"deleted": 3}));
    assert_eq!(world.control("DELETE", "/leads", &json!(null)).await.expect(200).json(), json!({"deleted": 0}));
    let mut root = world.admin().await;
    let log = world.log(&mut root, "action=leads.deleted").await;
    assert_eq!(log.len(), 2, "what changed nothing is no event");
    assert_eq!(log[1]["changes"][0], json!({"field": "account", "before": null, "after": "zenith"}));
}

/// They go with their account, and with the world.
async fn e_leads_go_with_their_account_and_with_a_reset(world: World) {
    let key = "3f0f1c1e-0000-4000-8000-00000000000a";
    world.control("POST", "/accounts", &json!({"id": "brief", "name": "Brief", "api_keys": [key]})).await.expect(201);
    assert_eq!(world.types(key, &of_type(77, vec![lead(json!({"Phone": "1"}))])).await, [0]);
    world.control("DELETE", "/accounts/brief", &json!(null)).await.expect(204);
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM leads").await, 0);
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM lead_unique_values").await, 0);
    some(&world).await;
    world.control("POST", "/reset", &json!(null)).await.expect(200);
    assert_eq!(listed(&world, "").await.len(), 0);
    let campaigned = json!({"source": {"vid": 1043, "lid": 1}, "leads": [{"fields": {"a": 1}}]});
    assert_eq!(world.types(ACME_KEY, &campaigned).await, [4], "its sources are seeded again");
}

/// R14, C12: administrators see them in lists, and each by itself, as text whatever it is.
async fn r14_c12_administrators_see_leads(world: World) {
    some(&world).await;
    let mut root = world.admin().await;
    let account = root.get("/admin/accounts/acme").await.expect(200);
    assert!(account.text().contains("href=\"/admin/leads?account=acme\"") && account.text().contains("Leads: 2"));
    let list = root.get("/admin/leads?account=acme").await.expect(200);
    assert_eq!(list.text().matches("href=\"/admin/leads/").count(), 2, "{}", list.text());
    for (query, count) in [("type=77", 3), ("app=studio", 1), ("type=x", 0), ("account=%3Cb%3E", 0), ("", 5)] {
        let list = root.get(&format!("/admin/leads?{query}")).await.expect(200);
        assert_eq!(list.text().matches("href=\"/admin/leads/").count(), count, "{query}");
    }
    let address = list.between("href=\"/admin/leads/", "\"").unwrap().to_owned();
    let page = root.get(&format!("/admin/leads/{address}")).await.expect(200);
    assert!(page.text().contains("&#60;b&#62;Ada") && page.text().contains("r-1") && !page.text().contains("<b>Ada"));
    root.get("/admin/leads/x").await.expect(404);
    let spanish = root.send(None, request("GET", "/admin/leads", &[("accept-language", "es")], "")).await.expect(200);
    assert!(spanish.text().contains("primero lo más reciente"));
    let mut ada = world.signed_in(crate::support::ADA).await;
    ada.get("/admin/leads").await.expect(404);
    ada.get(&format!("/admin/leads/{address}")).await.expect(404);
}

/// Applying the seed again changes nothing; what it says anew holds.
async fn part_c_sources_and_campaigns_are_seeded_once(world: World) {
    world.seed_again().await;
    let count = async |table: &str| world.database.db_count(&format!("SELECT COUNT(*) FROM {table}")).await;
    assert_eq!((count("lead_sources").await, count("campaigns").await), (2, 3));
    let mut changed = world.clone();
    changed.setup = changed.setup.with("daily_cap = 2", "daily_cap = 1");
    changed.seed_again().await;
    let body =
        json!({"source": {"vid": 1041, "lid": 77, "aid": 9}, "leads": [{"fields": {"a": 1}}, {"fields": {"a": 2}}]});
    assert_eq!(world.types(ACME_KEY, &body).await, [0, 8]);
}

both! { with crate::leads::setup();
    e_the_control_plane_shows_what_arrived,
    e_leads_are_deleted,
    e_leads_go_with_their_account_and_with_a_reset,
    r14_c12_administrators_see_leads,
    part_c_sources_and_campaigns_are_seeded_once,
}
