//! `POST /v2/insert/general`.

use axum::body::Body;
use serde_json::{Value, json};

use super::{ACME_KEY, STUDIO, ZENITH_KEY, lead, of_type};
use crate::support::http::{from_address, request};
use crate::support::{ADA, Answer, GRACE, World, both, connect_by_api};

fn mortgage(email: &str) -> Value {
    lead(json!({"FirstName": "Ada", "LastName": "Buyer", "Email": email}))
}

fn from_rate_finder(lid: i64, aid: Value, leads: Vec<Value>) -> Value {
    json!({"source": {"vid": 1041, "lid": lid, "aid": aid}, "leads": leads})
}

async fn raw(world: &World, kind: &str, body: impl Into<Body>) -> Answer {
    world.send(request("POST", "/v2/insert/general", &[("api-key", ACME_KEY), ("content-type", kind)], body)).await
}

/// wire.md part C: an array, one answer for each lead, in order, with these keys.
async fn part_c_each_lead_has_its_own_answer(world: World) {
    let leads = vec![
        mortgage("ada@acme.test"),
        json!("no lead"),
        mortgage("ADA@acme.test "),
        lead(json!({})),
        mortgage("b@acme.test"),
    ];
    let answers = world.insert(ACME_KEY, &from_rate_finder(4204, json!(null), leads)).await;
    let types: Vec<_> = answers.iter().map(|answer| answer["ResponseType"].as_i64().unwrap()).collect();
    assert_eq!(types, [0, 9, 6, 9, 0], "what is wrong with one is nothing to the others");
    for answer in &answers {
        let keys: Vec<_> = answer.as_object().unwrap().keys().map(String::as_str).collect();
        let expected = [
            "LeadIdentifier",
            "PendingQCReview",
            "PostID",
            "ResponseDetail",
            "ResponseType",
            "VendorAccountAssigned",
            "isValidPost",
        ];
        assert_eq!(keys, expected);
        assert!(answer["PostID"].as_str().unwrap().parse::<uuid::Uuid>().is_ok());
        assert_eq!(answer["isValidPost"], answer["ResponseType"] == 0);
        assert_eq!(answer["LeadIdentifier"].is_i64(), answer["ResponseType"] == 0);
        assert_eq!((&answer["PendingQCReview"], &answer["VendorAccountAssigned"]), (&json!(false), &json!(null)));
        assert!(!answer["ResponseDetail"].as_str().unwrap().is_empty());
    }
    assert_eq!((&answers[0]["LeadIdentifier"], &answers[4]["LeadIdentifier"]), (&json!(1), &json!(2)));
    assert_eq!(world.insert(ACME_KEY, &from_rate_finder(4204, json!(null), vec![])).await, Vec::<Value>::new());
}

/// wire.md part C: which `ResponseType` a lead gets.
async fn part_c_each_response_type_has_its_rule(world: World) {
    let fine = || lead(json!({"Phone": "1", "State": "CA", "Amount": "150"}));
    let one = async |source: Value| world.types(ACME_KEY, &json!({"source": source, "leads": [fine()]})).await[0];
    for (source, expected) in [
        (json!({"vid": 1041}), 2),
        (json!({"vid": 1041, "lid": 0}), 2),
        (json!({"vid": 1041, "lid": ""}), 2),
        (json!({"vid": 1041, "lid": "roofing"}), 2),
        (json!({"lid": 77}), 3),
        (json!({"lid": 77, "vid": null}), 3),
        (json!({}), 2),
        (json!({"lid": 77, "vid": 1043}), 4),
        (json!({"lid": 77, "vid": 1041, "aid": 10}), 4),
        (json!({"lid": 77, "vid": 1041, "aid": "x"}), 4),
        (json!({"lid": 78, "vid": 1041, "aid": 7}), 4),
        (json!({"lid": 77, "vid": 1042}), 7),
        (json!({"lid": 77, "vid": 1041, "aid": 8}), 7),
        (json!({"lid": "77", "vid": "1041", "aid": 0}), 0),
        (json!({"lid": 78, "vid": 1041, "aid": ""}), 0),
    ] {
        assert_eq!(one(source.clone()).await, expected, "{source}");
    }
    assert_eq!(world.types(ACME_KEY, &json!({"leads": [fine()]})).await, [2], "no source at all");
    let west = |state: &str, amount: Value| lead(json!({"State": state, "Amount": amount}));
    let leads = vec![
        west("ca", json!("100")),
        west("OR", json!(200)),
        west("WA", json!(150)),
        west("CA", json!(99)),
        lead(json!({"x": 1})),
    ];
    let answers = world.insert(ACME_KEY, &from_rate_finder(77, json!(7), leads)).await;
    let types: Vec<_> = answers.iter().map(|answer| answer["ResponseType"].as_i64().unwrap()).collect();
    assert_eq!(types, [0, 0, 5, 5, 5]);
    assert_eq!(answers[0]["VendorAccountAssigned"], 7);
    assert!(answers[2]["ResponseDetail"].as_str().unwrap().contains("State"), "{}", answers[2]);
}

/// wire.md part C: a required field that is absent or empty is told by name, and so is what else is wrong.
async fn part_c_data_errors_name_their_fields(world: World) {
    let leads = vec![
        lead(json!({"firstname": "Ada", "Email": " "})),
        json!({"properties": {"noSell": "perhaps"}, "fields": {"FirstName": "A", "LastName": "B", "Email": ["x"]}}),
        json!({"properties": {}}),
        lead((0..17).map(|nth| (nth.to_string(), json!("x".repeat(4_000)))).collect()),
    ];
    let answers = world.insert(ACME_KEY, &from_rate_finder(4204, json!(null), leads)).await;
    assert!(answers.iter().all(|answer| answer["ResponseType"] == 9), "{answers:?}");
    let detail = |nth: usize| answers[nth]["ResponseDetail"].as_str().unwrap();
    assert_eq!(detail(0), "LastName is required; Email is required");
    assert_eq!(detail(1), "`noSell` is not what it may be; Email is no text, number or truth value");
    assert_eq!(detail(2), "`fields` is missing, empty, or no object");
    assert!(detail(3).starts_with("the fields are larger than 64 KiB, as JSON"), "{}", detail(3));
}

/// wire.md part C: what is unique is so within account and type, whatever its case, and each unique field by itself.
async fn part_c_a_unique_value_comes_once(world: World) {
    let roof = |phone: &str, email: &str| lead(json!({"PHONE": phone, "email": email}));
    let leads = vec![
        roof("1", "a@x.test"),
        roof("1", "b@x.test"),
        roof("2", "A@X.TEST"),
        roof("2", ""),
        roof("", ""),
        roof("", ""),
    ];
    assert_eq!(world.types(ZENITH_KEY, &of_type(77, leads)).await, [0, 6, 6, 0, 0, 0]);
    let answers = world.insert(ZENITH_KEY, &of_type(77, vec![roof("3", "a@x.test")])).await;
    assert_eq!(answers[0]["ResponseType"], 6, "in another request");
    assert!(answers[0]["ResponseDetail"].as_str().unwrap().contains("Email"));
    assert_eq!(world.types(ZENITH_KEY, &of_type(78, vec![roof("1", "a@x.test"); 2])).await, [0, 0], "another type");
    assert_eq!(world.types(ACME_KEY, &from_rate_finder(77, json!(null), vec![roof("1", "a@x.test")])).await, [0]);
    // A lead that was refused keeps nothing from others.
    assert_eq!(world.types(ZENITH_KEY, &of_type(77, vec![roof("3", "c@x.test")])).await, [0]);
}

/// wire.md part C: the hundredth is the last one; a campaign has a day's share (UTC).
async fn part_c_there_is_a_most(world: World) {
    let many = vec![lead(json!({"a": 1})); 103];
    let types = world.types(ZENITH_KEY, &of_type(1, many)).await;
    assert_eq!(types, [vec![0; 100], vec![8; 3]].concat());
    let few = || from_rate_finder(77, json!(9), vec![lead(json!({"a": 1})); 3]);
    assert_eq!(world.types(ACME_KEY, &few()).await, [0, 0, 8]);
    assert_eq!(world.types(ACME_KEY, &few()).await, [8, 8, 8]);
    assert_eq!(
        world
            .types(ZENITH_KEY, &json!({"source": {"vid": 5, "lid": 77, "aid": 9}, "leads": [{"fields": {"a": 1}}]}))
            .await,
        [0]
    );
    world.advance(24 * 3_600);
    assert_eq!(world.types(ACME_KEY, &few()).await, [0, 0, 8], "the next day");
}

/// wire.md part C: what is no such request is 4xx, and nothing of it is kept.
async fn part_c_what_is_no_request_of_leads_is_refused(world: World) {
    let json = "application/json; charset=utf-8";
    for body in [
        "",
        "{",
        "[]",
        "null",
        "5",
        r#"{"source":{}}"#,
        r#"{"leads":{}}"#,
        r#"{"source":[],"leads":[]}"#,
        r#"{"leads":[],"Leads":[]}"#,
    ] {
        let answer = raw(&world, json, body).await.expect(400);
        assert_eq!(answer.json()["error"], "invalid_request", "{body}");
        assert!(answer.json()["error_description"].as_str().unwrap().len() > 5);
    }
    for kind in ["application/xml", "text/xml", "text/plain", "application/x-www-form-urlencoded"] {
        let answer = raw(&world, kind, "<leads/>").await.expect(415);
        assert!(answer.json()["error_description"].as_str().unwrap().contains("application/json"), "{kind}");
    }
    let large = of_type(1, vec![lead(json!({"a": "x".repeat(1_100_000)}))]);
    raw(&world, json, large.to_string()).await.expect(413);
    raw(&world, json, json!({"leads": vec![0; 5_001]}).to_string()).await.expect(413);
    assert_eq!(world.get("/v2/insert/general").await.expect(405).header("allow"), Some("POST"));
    let rows = world.database.db_count("SELECT COUNT(*) FROM leads").await;
    assert_eq!(rows, 0);
    // More than other bodies may have.
    let wide = of_type(1, vec![lead(json!({"a": "x".repeat(3_900)})); 60]);
    assert_eq!(world.types(ZENITH_KEY, &wide).await, [0; 60]);
}

/// wire.md part C: a key or a token, of which one is good and the other has the scope.
async fn part_c_a_door_needs_its_key(world: World) {
    let body = of_type(1, vec![lead(json!({"a": 1}))]);
    let challenge = |answer: &Answer| answer.header("www-authenticate").unwrap().to_owned();
    let answer = world.post_leads(&[], &body).await.expect(401);
    assert_eq!(challenge(&answer), "Bearer realm=\"leadgate\"");
    for key in ["", "x", "3f0f1c1e-0000-4000-8000-000000000003", "é"] {
        let answer = world.post_leads(&[("api-key", key)], &body).await.expect(401);
        assert!(challenge(&answer).contains("error=\"invalid_token\""), "{key}");
    }
    let answer = world.post_leads(&[("authorization", "Bearer lga_x")], &body).await.expect(401);
    assert!(challenge(&answer).contains("error=\"invalid_token\""));
    let narrow = connect_by_api(&world, GRACE, "btn-wide").await;
    let bearer = format!("Bearer {}", narrow.access);
    let answer = world.post_leads(&[("authorization", &bearer)], &body).await.expect(403);
    assert!(
        challenge(&answer).contains("insufficient_scope") && challenge(&answer).contains("scope=\"lead_receiver\"")
    );
    world.post_leads(&[("api-key", ACME_KEY), ("authorization", &bearer)], &body).await.expect(400);
    world.post_leads(&[("api-key", ACME_KEY), ("api-key", ACME_KEY)], &body).await.expect(400);
    world.post_leads(&[("API-Key", ZENITH_KEY)], &body).await.expect(200);
    // Who may post nothing does not learn whether the body was right.
    let bad = request("POST", "/v2/insert/general", &[("content-type", "text/xml")], "<x/>");
    world.send(bad).await.expect(401);
}

/// wire.md part C: leads belong to the key's account, the user's, or the owner's of a client that acts for itself.
async fn part_c_leads_belong_to_whom_the_credentials_stand_for(world: World) {
    let body = json!({"source": {"vid": 1041, "lid": 1}, "leads": [{"fields": {"a": 1}}]});
    let post = async |token: &str| {
        let bearer = format!("Bearer {token}");
        world.post_leads(&[("authorization", &bearer)], &body).await.expect(200).json()[0].clone()
    };
    let graces = connect_by_api(&world, GRACE, "btn-all").await;
    assert_eq!(post(&graces.access).await["ResponseType"], 0);
    assert_eq!(post(&connect_by_api(&world, ADA, "btn-all").await.access).await["ResponseType"], 0);
    assert_eq!(post(&world.own_token(STUDIO).await).await["ResponseType"], 0);
    let orphan = world.own_token(("orphan", "orphan-client-secret")).await;
    assert_eq!(post(&orphan).await["ResponseType"], 1);
    world.types(ZENITH_KEY, &body).await;
    let rows = async |account: &str| {
        world.database.db_count(&format!("SELECT COUNT(*) FROM leads WHERE account_id = '{account}'")).await
    };
    assert_eq!((rows("zenith").await, rows("acme").await), (2, 2));
}

/// The journal tells which rule a lead broke, and shows nothing that was said of anybody.
async fn e_a_lead_that_is_not_taken_says_why(world: World) {
    let leads = vec![mortgage("ada@acme.test"), mortgage("ada@acme.test"), lead(json!({"Email": "b@acme.test"}))];
    world.insert(ACME_KEY, &from_rate_finder(4204, json!(null), leads)).await;
    let listed = world.control("GET", "/requests?endpoint=general", &json!(null)).await.expect(200).json();
    let entry = listed["requests"][0].clone();
    assert_eq!((&entry["outcome"], &entry["status"]), (&json!("refused"), &json!(200)));
    assert_eq!(entry["why"]["rule"], "lead.duplicate");
    let message = "lead 2 of 3: another lead of this type has the same Email (2 of them not taken)";
    assert_eq!(entry["why"]["message"], message);
    let id = entry["id"].as_str().unwrap();
    let shown = world.control("GET", &format!("/requests/{id}"), &json!(null)).await.expect(200).text().to_owned();
    for said in ["ada@", "Ada", "Buyer", ACME_KEY] {
        assert!(!shown.contains(said), "{said}: {shown}");
    }
    let elsewhere = json!({"source": {"vid": 1043, "lid": 1}, "leads": [{}]});
    world.insert(ACME_KEY, &elsewhere).await;
    let listed = world.control("GET", "/requests?endpoint=general&limit=1", &json!(null)).await.expect(200).json();
    let why = &listed["requests"][0]["why"];
    assert_eq!((&why["rule"], &why["nearest"]), (&json!("lead.source_unknown"), &json!("there are: 1041, 1042")));
    world.post_leads(&[("api-key", "x")], &elsewhere).await.expect(401);
    let listed = world.control("GET", "/requests?endpoint=general&limit=1", &json!(null)).await.expect(200).json();
    assert_eq!(listed["requests"][0]["why"]["rule"], "api_key.unknown");
}

/// wire.md part E: faults act here as elsewhere, in this endpoint's form.
async fn e_faults_act_on_leads(world: World) {
    let rules = json!([
        {"match": {"endpoint": "general"}, "times": 1, "effect": {"error": "invalid_token"}},
        {"match": {"endpoint": "/v1/authorization/token"}, "times": 1, "effect": {"status": 503}},
    ]);
    world.control("PUT", "/faults", &rules).await.expect(200);
    let body = of_type(1, vec![lead(json!({"a": "x".repeat(3_900)})); 30]);
    let answer = world.post_leads(&[("api-key", ZENITH_KEY)], &body).await.expect(401);
    assert_eq!(answer.json()["error"], "invalid_token");
    assert_eq!(world.types(ZENITH_KEY, &body).await, [0; 30]);
    let answer = world.api_token(&super::credentials(STUDIO)).await.expect(503);
    assert_eq!(
        (&answer.json()["error"], answer.json().as_object().unwrap().len()),
        (&json!("temporarily_unavailable"), 4)
    );
}

both! { with crate::leads::setup();
    part_c_each_lead_has_its_own_answer,
    part_c_each_response_type_has_its_rule,
    part_c_data_errors_name_their_fields,
    part_c_a_unique_value_comes_once,
    part_c_there_is_a_most,
    part_c_what_is_no_request_of_leads_is_refused,
    part_c_a_door_needs_its_key,
    part_c_leads_belong_to_whom_the_credentials_stand_for,
    e_a_lead_that_is_not_taken_says_why,
    e_faults_act_on_leads,
}

/// Unknown keys are limited, and take nothing from those who come from the same address, as all do behind a proxy.
async fn part_c_a_good_key_outlasts_bad_ones(world: World) {
    let body = of_type(1, vec![lead(json!({"a": 1}))]).to_string();
    let with = |key: &str| {
        let headers = [("content-type", "application/json"), ("api-key", key)];
        from_address(request("POST", "/v2/insert/general", &headers, body.clone()), 9)
    };
    for _ in 0..3 {
        world.send(with("x")).await.expect(401);
    }
    let limited = world.send(with("y")).await.expect(429);
    assert_eq!(limited.json()["error"], "slow_down");
    assert!(limited.header("retry-after").is_some());
    assert_eq!(world.send(with(ZENITH_KEY)).await.expect(200).json()[0]["ResponseType"], 0);
    world.send(with("z")).await.expect(429);
}

both! { with crate::leads::token::limited::with_limits(); part_c_a_good_key_outlasts_bad_ones }
