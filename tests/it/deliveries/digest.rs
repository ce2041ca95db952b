//! Digest at a receiver (RFC 7616, rules Q), by the client library `digest_auth`.

use digest_auth::{AuthContext, HttpMethod, WwwAuthenticateHeader};
use leadgate::worker;
use md5::{Digest as _, Md5};
use serde_json::json;

use super::{JSON, LEAD, challenges, receiver};
use crate::support::http::request;
use crate::support::{Answer, World, both};

const BOTH: [&str; 2] = ["SHA-256", "MD5"];

async fn digest(world: &World, algorithms: &[&str]) -> String {
    let settings = json!({"method": "digest", "username": "crm", "password": "right", "algorithms": algorithms});
    world.delivery(settings).await
}

/// The challenge of this algorithm.
async fn challenge(world: &World, id: &str, algorithm: &str) -> WwwAuthenticateHeader {
    let answer = world.deliver(id, None).await.expect(401);
    let wanted = format!("algorithm={algorithm},");
    let value = challenges(&answer).into_iter().find(|value| value.contains(&wanted)).unwrap().to_owned();
    WwwAuthenticateHeader::parse(&value).unwrap()
}

/// What the library answers a challenge.
fn answer_to(challenge: &mut WwwAuthenticateHeader, login: (&str, &str), uri: &str) -> String {
    let context = AuthContext::new_with_method(login.0, login.1, uri, None::<&[u8]>, HttpMethod::POST);
    challenge.respond(&context).unwrap().to_header_string()
}

fn right(challenge: &mut WwwAuthenticateHeader, id: &str) -> String {
    answer_to(challenge, ("crm", "right"), &receiver(id))
}

/// Q1: one field for each algorithm, the strongest first.
async fn q1_each_algorithm_has_a_challenge_of_its_own(world: World) {
    let id = digest(&world, &["MD5", "SHA-256"]).await;
    let answer = world.deliver(&id, None).await.expect(401);
    let given = challenges(&answer);
    assert_eq!(given.len(), 2);
    for (value, algorithm) in given.iter().zip(BOTH) {
        let start = format!("Digest realm=\"deliveries/{id}\", qop=\"auth\", algorithm={algorithm}, nonce=\"");
        assert!(value.starts_with(&start) && value.contains(", opaque=\"") && !value.contains("stale"), "{value}");
    }
    assert_eq!(challenges(&world.deliver(&id, Some("Basic YTpi")).await.expect(401)).len(), 2);
}

/// H of RFC 7616 section 3.3.
fn hash(algorithm: &str, text: &str) -> String {
    let hash = match algorithm {
        "SHA-256" => aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes()).as_ref().to_vec(),
        _ => Md5::digest(text).to_vec(),
    };
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Q7: a client of another project gets in with either algorithm, and the server proves itself.
async fn q7_the_server_proves_itself_to_a_foreign_client(world: World) {
    let id = digest(&world, &BOTH).await;
    for algorithm in BOTH {
        let mut challenge = challenge(&world, &id, algorithm).await;
        let authorization = right(&mut challenge, &id);
        let answer = world.deliver(&id, Some(&authorization)).await.expect(200);
        let info = answer.header("authentication-info").unwrap();
        // What the server proves is the same computation without a method (RFC 7616 section 3.5).
        let part = |name: &str| {
            let rest = authorization.split(&format!("{name}=")).nth(1).unwrap();
            rest.trim_start_matches('"').split(['"', ',']).next().unwrap().to_owned()
        };
        let ha1 = hash(algorithm, &format!("crm:deliveries/{id}:right"));
        let ha2 = hash(algorithm, &format!(":{}", receiver(&id)));
        let (nonce, cnonce) = (part(" nonce"), part("cnonce"));
        let expected = hash(algorithm, &format!("{ha1}:{nonce}:00000001:{cnonce}:auth:{ha2}"));
        assert!(info.contains(&format!("rspauth=\"{expected}\"")), "{info}");
        assert!(info.contains("qop=auth, nc=00000001, cnonce=\""), "{info}");
    }
}

/// Q3: wrong response, user, realm, address, method, or no count.
async fn q3_what_is_not_right_is_401(world: World) {
    let id = digest(&world, &BOTH).await;
    let fresh = async || challenge(&world, &id, "SHA-256").await;
    let mut wrong = vec![
        answer_to(&mut fresh().await, ("crm", "wrong"), &receiver(&id)),
        answer_to(&mut fresh().await, ("other", "right"), &receiver(&id)),
        answer_to(&mut fresh().await, ("crm", "right"), "/deliveries"),
        answer_to(&mut fresh().await, ("crm", "right"), &format!("{}?x=1", receiver(&id))),
    ];
    let get = AuthContext::new("crm", "right", receiver(&id));
    wrong.push(fresh().await.respond(&get).unwrap().to_header_string());
    let mut realm = fresh().await;
    realm.realm = "another".to_owned();
    wrong.push(right(&mut realm, &id));
    let mut opaque = fresh().await;
    opaque.opaque = Some("another".to_owned());
    wrong.push(right(&mut opaque, &id));
    let mut old = fresh().await;
    old.qop = None;
    wrong.push(right(&mut old, &id));
    let good = right(&mut fresh().await, &id);
    wrong.push(good.replace("nc=00000001", "nc=1"));
    wrong.push(good.replace("nc=00000001", "nc=00000000"));
    wrong.push(good.replace("qop=auth", "qop=auth-int"));
    for authorization in wrong {
        assert_eq!(challenges(&world.deliver(&id, Some(&authorization)).await.expect(401)).len(), 2, "{authorization}");
    }
    world.deliver(&id, Some(&good)).await.expect(200);
    let query = format!("{}?x=1", receiver(&id));
    let authorization = answer_to(&mut fresh().await, ("crm", "right"), &query);
    world.send(request("POST", &query, &[JSON, ("authorization", &authorization)], LEAD)).await.expect(200);
}

fn is_stale(answer: &Answer) -> bool {
    challenges(answer).iter().all(|value| value.ends_with(", stale=true"))
}

/// Q4: a right response with an old nonce is told so, a wrong one is not; a fresh one works.
async fn q4_a_stale_nonce_is_told_as_such(world: World) {
    let id = digest(&world, &BOTH).await;
    let mut old = challenge(&world, &id, "SHA-256").await;
    let (good, bad) = (right(&mut old, &id), answer_to(&mut old, ("crm", "wrong"), &receiver(&id)));
    world.advance(3_600);
    let answer = world.deliver(&id, Some(&good)).await.expect(401);
    assert!(is_stale(&answer));
    assert!(!is_stale(&world.deliver(&id, Some(&bad)).await.expect(401)));
    let fresh = challenges(&answer)[0].to_owned();
    let again = right(&mut WwwAuthenticateHeader::parse(&fresh).unwrap(), &id);
    world.deliver(&id, Some(&again)).await.expect(200);
}

/// Q5: a nonce and its count are good once, on any node, and a count only rises.
async fn q5_a_nonce_and_its_count_are_good_once(world: World) {
    let second = world.another_node().await;
    let id = digest(&world, &BOTH).await;
    let mut challenge = challenge(&world, &id, "SHA-256").await;
    let counted: Vec<_> = (0..4).map(|_| right(&mut challenge, &id)).collect();
    world.deliver(&id, Some(&counted[0])).await.expect(200);
    for node in [&world, &second] {
        assert!(!is_stale(&node.deliver(&id, Some(&counted[0])).await.expect(401)), "a replay");
    }
    second.deliver(&id, Some(&counted[2])).await.expect(200);
    world.deliver(&id, Some(&counted[1])).await.expect(401);
    let tasks: Vec<_> = (0..10)
        .map(|nth| {
            let node = if nth % 2 == 0 { world.clone() } else { second.clone() };
            let (id, authorization) = (id.clone(), counted[3].clone());
            tokio::spawn(async move { node.deliver(&id, Some(&authorization)).await.status })
        })
        .collect();
    let mut taken = 0;
    for task in tasks {
        taken += usize::from(task.await.unwrap() == 200);
    }
    assert_eq!(taken, 1);
    assert_eq!(world.exchanges(&id).await.iter().filter(|one| one["kind"] == "received").count(), 3);
}

/// R11: what was used once is used, however the clock is moved and whatever was swept meanwhile.
async fn r11_a_used_nonce_stays_used_whatever_the_clock_shows(world: World) {
    let id = digest(&world, &BOTH).await;
    let clock = async |days: i64| {
        let offset = days * 86_400_000;
        world.control("POST", "/clock", &json!({"offset_ms": offset})).await.expect(200);
        worker::sweep(&world.ctx).await.unwrap();
    };
    for made in [0, -3, 3] {
        clock(made).await;
        let authorization = right(&mut challenge(&world, &id, "SHA-256").await, &id);
        world.deliver(&id, Some(&authorization)).await.expect(200);
        for moved in [3, 0, -3, made] {
            clock(moved).await;
            world.deliver(&id, Some(&authorization)).await.expect(401);
        }
    }
    // Unused, and over by the machine's clock: the server's does not bring it back.
    clock(0).await;
    let authorization = right(&mut challenge(&world, &id, "SHA-256").await, &id);
    world.advance(3_600);
    world.control("POST", "/clock", &json!({"offset_ms": -3_600_000})).await.expect(200);
    assert!(is_stale(&world.deliver(&id, Some(&authorization)).await.expect(401)));
    world.advance(3 * 86_400);
    worker::sweep(&world.ctx).await.unwrap();
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM digest_nonces").await, 0, "swept in the end");
}

/// Q6: what this server did not make is refused, also where it made it for another delivery; nothing is kept of it.
async fn q6_a_forged_nonce_is_refused_and_costs_nothing(world: World) {
    let id = digest(&world, &BOTH).await;
    let other = digest(&world, &BOTH).await;
    let forge = async |nonce: String| {
        let mut challenge = challenge(&world, &id, "SHA-256").await;
        challenge.nonce = nonce;
        right(&mut challenge, &id)
    };
    let elsewhere = challenge(&world, &other, "SHA-256").await.nonce;
    let own = challenge(&world, &id, "SHA-256").await.nonce;
    let altered = format!("{}{}", if own.starts_with('A') { 'B' } else { 'A' }, &own[1..]);
    for nonce in [elsewhere, altered, "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v".to_owned(), String::new()] {
        let authorization = forge(nonce).await;
        assert!(!is_stale(&world.deliver(&id, Some(&authorization)).await.expect(401)));
    }
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM digest_nonces").await, 0);
}

/// Q8: whatever the header, 400 or 401.
async fn q8_no_header_is_too_bad(world: World) {
    let id = digest(&world, &BOTH).await;
    let many = format!("Digest {}", (0..1_000).map(|nth| format!("p{nth}=x")).collect::<Vec<_>>().join(","));
    let long = format!("Digest username=\"{}\"", "x".repeat(9_000));
    for bad in [
        "Digest",
        "Digest ",
        "Digest x",
        "Digest username=\"crm",
        "Digest username=\"crm\\",
        "Digest username=\"crm\", username=\"crm\"",
        "Digest username=\"crm\", realm=\"x\"",
        "Digest username*=UTF-8''%",
        &many,
        &long,
    ] {
        world.deliver(&id, Some(bad)).await.expect(400);
    }
    let headers = |value: &[u8]| {
        let mut request = request("POST", &receiver(&id), &[JSON], LEAD);
        let value = axum::http::HeaderValue::from_bytes(value).unwrap();
        request.headers_mut().append("authorization", value);
        request
    };
    world.send(headers(b"Digest username=\"\xff\", realm=r, nonce=n, uri=u, response=r")).await.expect(400);
    world.send(headers("Digest username=\"ü\", realm=r, nonce=n, uri=u, response=r".as_bytes())).await.expect(401);
    let good = right(&mut challenge(&world, &id, "SHA-256").await, &id);
    let mut twice = headers(good.as_bytes());
    twice.headers_mut().append("authorization", good.parse().unwrap());
    world.send(twice).await.expect(400);
}

/// Q9: MD5 only where it is configured; a response of it is refused elsewhere, with and without saying so.
async fn q9_md5_is_for_who_configured_it(world: World) {
    // Where nothing is said of it, clients of either kind are served.
    let either = world.delivery(json!({"method": "digest", "username": "crm", "password": "right"})).await;
    assert_eq!(challenges(&world.deliver(&either, None).await.expect(401)).len(), 2);
    let id = digest(&world, &["SHA-256"]).await;
    let answer = world.deliver(&id, None).await.expect(401);
    assert_eq!(challenges(&answer).len(), 1);
    let fresh = challenges(&answer)[0].to_owned();
    let mut weaker = WwwAuthenticateHeader::parse(&fresh.replace("SHA-256", "MD5")).unwrap();
    let authorization = right(&mut weaker, &id);
    world.deliver(&id, Some(&authorization)).await.expect(401);
    world.deliver(&id, Some(&authorization.replace(", algorithm=MD5", ""))).await.expect(401);
    assert_eq!(
        world.exchanges(&id).await[0]["why"],
        "the delivery is not configured for the algorithm of the response"
    );
    let old = digest(&world, &["MD5"]).await;
    let authorization = right(&mut challenge(&world, &old, "MD5").await, &old);
    world.deliver(&old, Some(&authorization.replace(", algorithm=MD5", ""))).await.expect(200);
}

both!(
    q1_each_algorithm_has_a_challenge_of_its_own,
    q3_what_is_not_right_is_401,
    q4_a_stale_nonce_is_told_as_such,
    q5_a_nonce_and_its_count_are_good_once,
    q6_a_forged_nonce_is_refused_and_costs_nothing,
    q7_the_server_proves_itself_to_a_foreign_client,
    q8_no_header_is_too_bad,
    q9_md5_is_for_who_configured_it,
    r11_a_used_nonce_stays_used_whatever_the_clock_shows,
);
