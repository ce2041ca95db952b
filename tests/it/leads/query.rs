//! `POST /v1/leads/query/{LeadTypeUID}`.

use serde_json::{Value, json};

use super::{STUDIO, ZENITH_KEY, lead, of_type};
use crate::support::{ADA, Answer, GRACE, World, both, connect_by_api};

/// The day of the tests, and what else is asked for.
fn day(more: &Value) -> Value {
    let mut body = json!({"StartDate": "2026-11-22T00:00:00Z", "EndDate": "2026-11-22T23:59:59.999999Z"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// Five leads of Zenith's, in this order, and a token of its own.
async fn five(world: &World) -> String {
    let leads = [
        json!({"Name": "a", "State": "CA", "Amount": "9"}),
        json!({"name": "b", "State": "OR", "Amount": 100}),
        json!({"Name": "c", "State": "CA", "Amount": "20"}),
        json!({"Name": "d"}),
        json!({"Name": "e", "State": "WA", "Amount": "much"}),
    ];
    let body = of_type(1, leads.into_iter().map(lead).collect());
    assert_eq!(world.types(ZENITH_KEY, &body).await, [0; 5]);
    connect_by_api(world, GRACE, "btn-all").await.access
}

/// The names of those that are found.
fn names(answer: &Answer) -> String {
    let body = answer.json();
    let leads = body["Leads"].as_array().unwrap();
    let name = |lead: &Value| {
        lead["Fields"]
            .as_object()
            .unwrap()
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case("name"))
            .map(|(_, v)| v.as_str().unwrap().to_owned())
    };
    leads.iter().map(|lead| name(lead).unwrap_or_default()).collect()
}

/// wire.md part C: what was posted comes back, with what was said besides.
async fn part_c_what_was_posted_is_found_again(world: World) {
    let body = json!({
        "source": {"vid": 5, "lid": 1, "aid": 3, "sendDelay": 1.5, "returnURL": "https://p.test/done"},
        "leads": [{"properties": {"reference": "r-1", "noSell": true}, "fields": {"Name": "é \"'\\ \u{1F600}", "N": 1.5, "B": false, "E": null}}],
    });
    let post = world.insert(ZENITH_KEY, &body).await[0].clone();
    let token = connect_by_api(&world, GRACE, "btn-all").await.access;
    let answer = world.query(&token, "1", &day(&json!({}))).await.expect(200);
    let found = answer.json();
    assert_eq!(found["Total"], 1);
    let lead = &found["Leads"][0];
    assert_eq!((&lead["UID"], &lead["Fields"]), (&post["PostID"], &body["leads"][0]["fields"]));
    assert_eq!(
        lead["Properties"],
        json!({
            "leadIdentifier": 1, "receivedDate": "2026-11-22T09:15:30.000Z", "vid": 5, "lid": 1, "aid": 3,
            "reference": "r-1", "noSell": true, "sendDelay": 1.5, "returnURL": "https://p.test/done",
        })
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

/// wire.md part C: the operators, on fields whatever the case of their names.
async fn part_c_conditions_narrow(world: World) {
    let token = five(&world).await;
    for (query, expected) in [
        (json!({}), "abcde"),
        (json!({"State": "CA"}), "ac"),
        (json!({"STATE": {"$ne": "CA"}}), "bde"),
        (json!({"Amount": {"$gte": 9, "$lte": 20}}), "ac"),
        (json!({"Amount": {"$gt": 9, "$lt": 1_000}}), "bc"),
        (json!({"State": {"$in": ["WA", "OR"]}, "Name": {"$ne": "e"}}), "b"),
        (json!({"Amount": null}), "d"),
        (json!({"Name": "a' OR '1'='1"}), ""),
    ] {
        let answer = world.query(&token, "1", &day(&json!({"Query": query}))).await.expect(200);
        assert_eq!(names(&answer), expected, "{query}");
        assert_eq!(answer.json()["Total"], expected.len(), "{query}");
    }
}

/// wire.md part C: order, window and fields.
async fn part_c_order_and_window(world: World) {
    let token = five(&world).await;
    for (more, expected) in [
        (json!({"SortFields": ["Amount"]}), "dacbe"),
        (json!({"SortFields": ["Amount"], "SortOrder": 1}), "ebcad"),
        (json!({"SortFields": ["State", "Name"]}), "dacbe"),
        (json!({"SortOrder": 1}), "edcba"),
        (json!({"SortOrder": 1, "Query": {"State": "CA"}}), "ca"),
        (json!({"Skip": 1, "Take": 2}), "bc"),
        (json!({"Skip": 1, "Take": 2, "SortOrder": 1}), "dc"),
        (json!({"Skip": 1, "Take": 2, "SortFields": ["Name"], "SortOrder": 1}), "dc"),
        (json!({"Skip": 9}), ""),
    ] {
        let answer = world.query(&token, "1", &day(&more)).await.expect(200);
        assert_eq!(names(&answer), expected, "{more}");
        assert!(answer.json()["Total"] == 5 || more.get("Query").is_some(), "the whole, whatever is shown: {more}");
    }
    let answer = world.query(&token, "1", &day(&json!({"Fields": ["NAME", "Gone"], "Take": 1}))).await.expect(200);
    assert_eq!(answer.json()["Leads"][0]["Fields"], json!({"NAME": "a"}));
}

/// wire.md part C: both ends are included, to the precision in which they are written.
async fn part_c_both_ends_are_included(world: World) {
    let token = five(&world).await;
    world.advance(60);
    world.types(ZENITH_KEY, &of_type(1, vec![lead(json!({"Name": "f"}))])).await;
    for (start, end, expected) in [
        ("2026-11-22T09:15:30Z", "2026-11-22T09:15:30Z", "abcde"),
        ("2026-11-22T09:15:31Z", "2026-11-22T09:16:30Z", "f"),
        ("2026-11-22T09:15:30.000002Z", "2026-11-22T09:15:30.000003Z", "cd"),
        ("2026-11-22", "2026-11-22", "abcdef"),
        ("2026-11-21", "2026-11-21", ""),
        ("2026-11-22T09:16:31", "2026-11-23", ""),
    ] {
        let body = json!({"StartDate": start, "EndDate": end});
        assert_eq!(names(&world.query(&token, "1", &body).await.expect(200)), expected, "{start} {end}");
        let searched = json!({"StartDate": start, "EndDate": end, "SortFields": ["Name"]});
        assert_eq!(names(&world.query(&token, "1", &searched).await.expect(200)), expected, "{start} {end}");
    }
}

/// wire.md part C: any bad value is 400, and is named.
async fn part_c_a_bad_value_is_400_and_named(world: World) {
    let token = connect_by_api(&world, GRACE, "btn-all").await.access;
    for (more, named) in [
        (json!({"StartDate": "x"}), "StartDate"),
        (json!({"EndDate": "2026-11-22T10:00:00+02:00"}), "EndDate"),
        (json!({"Query": {"A": {"$like": "x"}}}), "operator"),
        (json!({"Take": 1_001}), "Take"),
        (json!({"Skip": -1}), "Skip"),
        (json!({"SortOrder": 5}), "SortOrder"),
        (json!({"SortFields": 5}), "SortFields"),
        (json!({"Fields": 5}), "Fields"),
        (json!({"Limit": 5}), "parameter"),
    ] {
        let answer = world.query(&token, "1", &day(&more)).await.expect(400);
        assert_eq!(answer.json()["error"], "invalid_request");
        assert!(answer.json()["error_description"].as_str().unwrap().contains(named), "{more}: {}", answer.text());
    }
    world.query(&token, "1", &json!({})).await.expect(400);
    for uid in ["0", "-1", "x", "1.5", "4294967296", "%2e"] {
        let answer = world.query(&token, uid, &day(&json!({}))).await.expect(400);
        assert!(answer.json()["error_description"].as_str().unwrap().contains("LeadTypeUID"), "{uid}");
    }
    assert_eq!(world.query(&token, "99", &day(&json!({}))).await.expect(200).json(), json!({"Total": 0, "Leads": []}));
    assert_eq!(world.get("/v1/leads/query/1").await.expect(405).header("allow"), Some("POST"));
}

/// Nobody sees another account's leads, whatever is asked for.
async fn part_c_leads_of_others_are_not_there(world: World) {
    five(&world).await;
    let adas = connect_by_api(&world, ADA, "btn-all").await.access;
    for token in [adas, world.own_token(STUDIO).await] {
        for more in [
            json!({}),
            json!({"Query": {"State": "CA"}}),
            json!({"SortFields": ["Name"]}),
            json!({"Query": {"account": "zenith"}}),
        ] {
            let answer = world.query(&token, "1", &day(&more)).await.expect(200);
            assert_eq!(answer.json(), json!({"Total": 0, "Leads": []}), "{more}");
        }
    }
    let orphan = world.own_token(("orphan", "orphan-client-secret")).await;
    world.query(&orphan, "1", &day(&json!({}))).await.expect(403);
}

/// H1, H2: what a door without the right key answers.
async fn part_c_h1_h2_the_query_needs_its_scope(world: World) {
    let body = day(&json!({}));
    let answer = world.post_json("/v1/leads/query/1", &[], &body).await.expect(401);
    assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"leadgate\""));
    let answer = world.post_json("/v1/leads/query/1", &[("api-key", ZENITH_KEY)], &body).await.expect(401);
    assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"leadgate\""), "a key is for the receiver");
    let narrow = connect_by_api(&world, GRACE, "btn-one").await;
    let answer = world.query(&narrow.access, "1", &body).await.expect(403);
    assert!(answer.header("www-authenticate").unwrap().contains("scope=\"data_api\""));
    world.disconnect(&narrow.refresh).await;
    world.query(&narrow.access, "1", &body).await.expect(401);
}

/// More leads than are read at a time.
async fn part_c_a_search_reads_on(world: World) {
    for hundred in 0..12 {
        let leads = (0..100).map(|nth| lead(json!({"N": hundred * 100 + nth}))).collect();
        assert_eq!(world.types(ZENITH_KEY, &of_type(1, leads)).await, [0; 100]);
        world.advance(1);
    }
    let token = connect_by_api(&world, GRACE, "btn-all").await.access;
    let more = json!({"Query": {"N": {"$gte": 5}}, "SortFields": ["N"], "SortOrder": 1, "Skip": 190, "Take": 1_000});
    let found = world.query(&token, "1", &day(&more)).await.expect(200).json();
    assert_eq!((&found["Total"], found["Leads"].as_array().unwrap().len()), (&json!(1_195), 1_000));
    assert_eq!((&found["Leads"][0]["Fields"]["N"], &found["Leads"][999]["Fields"]["N"]), (&json!(1_009), &json!(10)));
}

/// wire.md parts C and E: an answer has at most 8 MiB. A query says so, and a page of the control plane ends there.
async fn part_c_e_an_answer_is_bounded_in_bytes(world: World) {
    let wide = |nth: usize| {
        let long = (0..16).map(|field| (format!("F{field}"), json!("x".repeat(4_000))));
        lead(long.chain([("N".to_owned(), json!(nth))]).collect())
    };
    for some in 0..9 {
        let leads = (0..15).map(|nth| wide(some * 15 + nth)).collect();
        assert_eq!(world.types(ZENITH_KEY, &of_type(1, leads)).await, [0; 15]);
    }
    let token = connect_by_api(&world, GRACE, "btn-all").await.access;
    for more in [json!({"Take": 135}), json!({"Take": 135, "SortFields": ["N"]}), json!({"Take": 135, "SortOrder": 1})]
    {
        let refused = world.query(&token, "1", &day(&more)).await.expect(400).json();
        assert!(refused["error_description"].as_str().unwrap().contains("Take"), "{more}: {refused}");
    }
    for (more, count) in [
        (json!({"Take": 120}), 120),
        (json!({"Take": 120, "SortFields": ["N"]}), 120),
        (json!({"Take": 135, "Fields": ["N"]}), 135),
    ] {
        let found = world.query(&token, "1", &day(&more)).await.expect(200).json();
        assert_eq!((&found["Total"], found["Leads"].as_array().unwrap().len()), (&json!(135), count), "{more}");
    }
    let listed = async |more: &str| {
        let path = format!("/leads?limit=1000{more}");
        world.control("GET", &path, &json!(null)).await.expect(200).json()
    };
    let numbers = |page: &Value| -> Vec<i64> {
        page["leads"].as_array().unwrap().iter().map(|lead| lead["number"].as_i64().unwrap()).collect()
    };
    let first = listed("").await;
    let rest = listed(&format!("&after={}", first["next"].as_str().unwrap())).await;
    assert!((120..135).contains(&numbers(&first).len()), "{}", numbers(&first).len());
    // Of leads of one moment the order is that of their ids, which is drawn.
    let mut all = [numbers(&first), numbers(&rest)].concat();
    all.sort_unstable();
    assert_eq!(all, (1..=135).collect::<Vec<_>>());
    assert_eq!(rest["next"], json!(null));
}

/// wire.md part E: what came with an application's token was received by that application's clock.
async fn e_leads_follow_the_clock_of_their_application(world: World) {
    world.control("POST", "/clock", &json!({"app": "studio", "advance": "48h"})).await.expect(200);
    let token = world.own_token(STUDIO).await;
    let bearer = format!("Bearer {token}");
    let body = json!({"source": {"vid": 1041, "lid": 1}, "leads": [{"fields": {"Name": "later"}}]});
    world.post_leads(&[("authorization", &bearer)], &body).await.expect(200);
    let found =
        world.query(&token, "1", &json!({"StartDate": "2026-11-24", "EndDate": "2026-11-24"})).await.expect(200);
    assert_eq!(found.json()["Leads"][0]["Properties"]["receivedDate"], "2026-11-24T09:15:30.000Z");
}

both! { with crate::leads::setup();
    part_c_what_was_posted_is_found_again,
    part_c_conditions_narrow,
    part_c_order_and_window,
    part_c_both_ends_are_included,
    part_c_a_bad_value_is_400_and_named,
    part_c_leads_of_others_are_not_there,
    part_c_h1_h2_the_query_needs_its_scope,
    part_c_a_search_reads_on,
    part_c_e_an_answer_is_bounded_in_bytes,
    e_leads_follow_the_clock_of_their_application,
}
