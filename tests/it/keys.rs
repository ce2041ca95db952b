//! The keys that tokens are signed with: published, rotated, shared by nodes (rules A8, I3, I5, R8, R10).

use std::sync::Arc;
use std::time::Duration;

use leadgate::crypto::jwt::{self, JwtError, JwtType};
use leadgate::crypto::signing::SigningKey;
use leadgate::domain::key_life::{KEY_KEPT, KEY_LEAD, KeyState};
use leadgate::domain::signing_algorithm::SigningAlgorithm::{self, EdDsa, Es256, Rs256};
use leadgate::services::keys::{self, VerifyError};
use leadgate::worker;
use serde_json::{Value, json};

use crate::support::{World, both};

/// The path of the key set, and what it says.
const JWKS: &str = "/.well-known/jwks.json";

async fn sign(world: &World, algorithm: SigningAlgorithm) -> String {
    keys::sign(&world.ctx, algorithm, JwtType::AccessToken, &json!({"sub": "ada"})).await.unwrap()
}

async fn verify(world: &World, token: &str) -> Result<Value, VerifyError> {
    keys::verify(&world.ctx, token, JwtType::AccessToken).await
}

async fn assert_verifies(world: &World, token: &str) {
    assert_eq!(verify(world, token).await.unwrap(), json!({"sub": "ada"}));
}

fn kid(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

/// The `kid`s of an algorithm's published keys.
async fn published(world: &World, algorithm: SigningAlgorithm) -> Vec<String> {
    let set = world.get(JWKS).await.expect(200).json();
    let keys = set["keys"].as_array().unwrap().iter();
    keys.filter(|key| key["alg"] == algorithm.as_str()).map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn advance(world: &World, span: Duration) {
    world.advance(span.as_secs());
}

/// A key that was made and does not sign yet.
fn newest(world: &World, algorithm: SigningAlgorithm) -> Arc<SigningKey> {
    let ring = world.ctx.keys.ring();
    let mut states = ring.states(world.ctx.now()).into_iter();
    states.rfind(|(key, _)| key.key.algorithm() == algorithm).unwrap().0.key.clone()
}

/// A8: for each algorithm that a token may be signed with, before the first one is; the public members only.
async fn a8_each_algorithm_has_a_published_key(world: World) {
    let answer = world.get(JWKS).await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    assert!(KEY_LEAD > Duration::from_secs(300), "a cached set holds the next key before it signs");
    let set = answer.json();
    let mut members: Vec<Vec<&str>> = Vec::new();
    for key in set["keys"].as_array().unwrap() {
        assert_eq!(key["use"], "sig");
        let mut names: Vec<&str> = key.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        members.push(names);
    }
    assert_eq!(
        members,
        [
            vec!["alg", "crv", "kid", "kty", "use", "x", "y"],
            vec!["alg", "e", "kid", "kty", "n", "use"],
            vec!["alg", "crv", "kid", "kty", "use", "x"],
        ]
    );
    for algorithm in SigningAlgorithm::ALL {
        let token = sign(&world, algorithm).await;
        assert_eq!(published(&world, algorithm).await, [kid(&token)]);
        assert_verifies(&world, &token).await;
    }
}

/// I5: what signs has been published for a while, and what signed stays published until its last token is over.
async fn i5_a_key_is_published_before_its_first_use_and_until_its_last_token_is_over(world: World) {
    let old = kid(&sign(&world, Es256).await);
    let rotated = keys::rotate(&world.operator(), Es256).await.unwrap();
    assert_eq!((rotated.serial, rotated.state), (2, KeyState::Announced));
    let both = [old.clone(), rotated.id.clone()];
    assert_eq!(published(&world, Es256).await, both);

    advance(&world, KEY_LEAD - Duration::from_secs(1));
    let last = sign(&world, Es256).await;
    assert_eq!(kid(&last), old, "the new key is not used before everybody can have it");
    world.advance(1);
    let first = sign(&world, Es256).await;
    assert_eq!(kid(&first), rotated.id);
    assert_eq!(published(&world, Es256).await, both);

    world.advance(3_600);
    assert_eq!(published(&world, Es256).await, both, "the last token of the old key is only now over");
    assert_verifies(&world, &last).await;
    advance(&world, KEY_KEPT - Duration::from_secs(3_600));
    assert_eq!(published(&world, Es256).await, [rotated.id]);
    assert_verifies(&world, &first).await;
}

/// I5, R10: another node, and the same after a restart, publish and sign as this one does.
async fn i5_r10_a_restart_and_a_second_node_agree(world: World) {
    let tokens = [sign(&world, Es256).await, sign(&world, Rs256).await];
    keys::rotate(&world.operator(), Es256).await.unwrap();
    let other = world.another_node().await;
    for span in [Duration::ZERO, KEY_LEAD, KEY_KEPT] {
        advance(&world, span);
        assert_eq!(other.get(JWKS).await.text(), world.get(JWKS).await.text());
        for algorithm in SigningAlgorithm::ALL {
            let (ours, theirs) = (sign(&world, algorithm).await, sign(&other, algorithm).await);
            assert_eq!(kid(&ours), kid(&theirs), "after {span:?}");
            assert_verifies(&other, &ours).await;
            assert_verifies(&world, &theirs).await;
        }
        for token in &tokens {
            assert_verifies(&other, token).await;
        }
    }
}

/// I5, R8: a node that runs learns of keys that another one made: from a token at once, or when it looks.
async fn i5_r8_a_running_node_learns_of_new_keys(world: World) {
    let other = world.another_node().await;
    let token = sign(&world, EdDsa).await;
    assert_verifies(&other, &token).await;
    assert_eq!(kid(&sign(&other, EdDsa).await), kid(&token));

    let rotated = keys::rotate(&world.operator(), Es256).await.unwrap();
    keys::reload(&other.ctx).await.unwrap();
    assert!(published(&other, Es256).await.contains(&rotated.id));
}

/// R8: nodes that need the first key of an algorithm at once, or rotate at once, get the same one.
async fn r8_keys_made_at_once_are_one(world: World) {
    let other = world.another_node().await;
    let signing = (0..8).map(|i| {
        let node = if i % 2 == 0 { world.clone() } else { other.clone() };
        tokio::spawn(async move { kid(&sign(&node, EdDsa).await) })
    });
    let mut ids: Vec<String> = futures_util::future::join_all(signing).await.into_iter().map(Result::unwrap).collect();
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM keys WHERE purpose = 'signing-eddsa'").await, 1);

    let (here, there) = (world.operator(), other.operator());
    let (one, two) = tokio::join!(keys::rotate(&here, EdDsa), keys::rotate(&there, EdDsa));
    let mut serials = [one.unwrap(), two.unwrap()].map(|key| (key.serial, key.id));
    serials.sort_unstable();
    let [first, second] = serials;
    assert!(first == second || (first.0, second.0) == (2, 3), "one key for both, or one after the other");
    keys::reload(&world.ctx).await.unwrap();
    keys::reload(&other.ctx).await.unwrap();
    assert_eq!(keys::list(&world.ctx), keys::list(&other.ctx));
}

/// I3: tokens with invented keys do not each cost a look into the database.
async fn i3_unknown_keys_are_looked_for_now_and_then_only(world: World) {
    let other = world.another_node().await;
    let invented = SigningKey::from_pkcs8(Es256, &SigningKey::generate(Es256)).unwrap();
    let invented = jwt::sign(&invented, JwtType::AccessToken, &json!({"sub": "ada"})).unwrap();
    let is_unknown = |refused| matches!(refused, Err(VerifyError::Refused(JwtError::UnknownKey)));
    // Real time goes on meanwhile, so that a slow machine may look again; never in all of the rounds.
    let mut was_spared = false;
    for _ in 0..10 {
        assert!(is_unknown(verify(&other, &invented).await));
        keys::rotate(&world.operator(), Es256).await.unwrap();
        let token = jwt::sign(&newest(&world, Es256), JwtType::AccessToken, &json!({"sub": "ada"})).unwrap();
        was_spared |= is_unknown(verify(&other, &token).await);
        keys::reload(&other.ctx).await.unwrap();
        assert_verifies(&other, &token).await;
    }
    assert!(was_spared);
}

/// A key is deleted a day after nothing of it can live any more, and a clock that is set back finds it until then.
async fn i5_a_retired_key_is_deleted_a_day_later(world: World) {
    let (old, kept) = (sign(&world, Es256).await, sign(&world, EdDsa).await);
    keys::rotate(&world.operator(), Es256).await.unwrap();
    let rows = || world.database.db_count("SELECT COUNT(*) FROM keys WHERE purpose LIKE 'signing-%'");
    advance(&world, KEY_LEAD + KEY_KEPT + Duration::from_secs(24 * 3_600 - 1));
    worker::sweep(&world.ctx).await.unwrap();
    assert_eq!(rows().await, 3);
    world.advance(1);
    worker::sweep(&world.ctx).await.unwrap();
    assert_eq!(rows().await, 2);

    let again = world.another_node().await;
    assert!(matches!(verify(&again, &old).await, Err(VerifyError::Refused(JwtError::UnknownKey))));
    assert_verifies(&again, &kept).await;
    assert_verifies(&again, &sign(&again, Es256).await).await;
    let next = keys::rotate(&again.operator(), Es256).await.unwrap();
    assert_eq!(next.serial, 3, "a serial is not used twice");
}

both! {
    a8_each_algorithm_has_a_published_key,
    i5_a_key_is_published_before_its_first_use_and_until_its_last_token_is_over,
    i5_r10_a_restart_and_a_second_node_agree,
    i5_r8_a_running_node_learns_of_new_keys,
    i3_unknown_keys_are_looked_for_now_and_then_only,
    i5_a_retired_key_is_deleted_a_day_later,
}
both! { on many threads;
    r8_keys_made_at_once_are_one,
}
