//! What is true of whatever claims to be signed: JWTs of ours, clients' assertions, DPoP proofs, and the keys that clients
//! name. The fuzz targets share this file.

use std::sync::{Arc, LazyLock};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use leadgate::crypto::client_keys::{ClientKeys, claimed_client, verify_assertion};
use leadgate::crypto::dpop::verify_proof;
use leadgate::crypto::jwt::{JwtType, MAX_JWT, verify};
use leadgate::crypto::keyring::{KeyRing, RingKey};
use leadgate::crypto::mac::MacKey;
use leadgate::crypto::signing::SigningKey;
use leadgate::domain::signing_algorithm::SigningAlgorithm;
use leadgate::domain::timestamp::Timestamp;
use serde_json::{Value, json};

/// Who signs. The algorithm whose signatures cost least.
static KEY: LazyLock<Arc<SigningKey>> = LazyLock::new(key);

/// The server's, which knows this key; and one that has never heard of it.
static RING: LazyLock<KeyRing> = LazyLock::new(|| ring(KEY.clone()));
static ANOTHER: LazyLock<KeyRing> = LazyLock::new(|| ring(key()));

/// A client's, likewise.
static CLIENT: LazyLock<ClientKeys> = LazyLock::new(|| client(&KEY));
static ANOTHER_CLIENT: LazyLock<ClientKeys> = LazyLock::new(|| client(&key()));

fn key() -> Arc<SigningKey> {
    let der = SigningKey::generate(SigningAlgorithm::EdDsa);
    Arc::new(SigningKey::from_pkcs8(SigningAlgorithm::EdDsa, &der).unwrap())
}

fn ring(key: Arc<SigningKey>) -> KeyRing {
    let key = RingKey { serial: 1, created_at: Timestamp::from_unix_seconds(0), key };
    KeyRing::new(vec![(1, MacKey::new(&[9; 32]))], vec![key]).unwrap()
}

fn client(key: &SigningKey) -> ClientKeys {
    ClientKeys::from_json(&json!({"keys": [key.public()]})).unwrap()
}

/// `@KID@` and `@JWK@` in a header stand for the key's.
fn filled(header: &str) -> String {
    let header = header.replace("@KID@", KEY.id());
    header.replace("@JWK@", &serde_json::to_string(KEY.public()).unwrap())
}

/// A JWS in compact form, with a good signature over whatever it is.
fn compact(header: &str, payload: &[u8]) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = URL_SAFE_NO_PAD.encode(KEY.sign(signed.as_bytes()).unwrap());
    format!("{signed}.{signature}")
}

/// Of a header that was let through with a good signature: it chose neither algorithm nor key, and asked for nothing.
fn of_header(header: &str, may_bring_key: bool) -> Value {
    let header: Value = serde_json::from_str(header).unwrap();
    assert_eq!(header["alg"], "EdDSA", "{header}");
    for name in ["jku", "x5u", "x5c", "crit"] {
        assert!(header.get(name).is_none(), "{header}");
    }
    assert!(may_bring_key || header["jwk"].is_null(), "{header}");
    header
}

/// Of a text that somebody without a key made up.
pub fn of_unsigned(text: &str) {
    for typ in [JwtType::AccessToken, JwtType::IdToken] {
        assert!(verify::<Value>(&RING, text, typ).is_err());
    }
    assert!(verify_assertion(&CLIENT, text).is_err());
    assert!(claimed_client(text).is_none() || text.len() <= MAX_JWT);
    if let Ok(proof) = verify_proof(text) {
        assert!((1..=256).contains(&proof.jti.len()));
    }
}

/// Of an access token or an ID token hint with any header and any claims under a key of the server's.
pub fn of_jwt(header: &str, payload: &[u8]) {
    let header = filled(header);
    let text = compact(&header, payload);
    let read = [JwtType::AccessToken, JwtType::IdToken].map(|typ| verify::<Value>(&RING, &text, typ));
    assert!(read.iter().any(Result::is_err), "one type is not taken for another");
    for (claims, typ) in read.into_iter().zip([JwtType::AccessToken, JwtType::IdToken]) {
        let Ok(claims) = claims else { continue };
        assert!(text.len() <= MAX_JWT);
        let header = of_header(&header, false);
        assert_eq!(header["kid"], KEY.id());
        assert!(header["typ"] == typ.as_str() || typ == JwtType::IdToken && header["typ"].is_null());
        assert_eq!(claims, serde_json::from_slice::<Value>(payload).unwrap());
        assert!(verify::<Value>(&ANOTHER, &text, typ).is_err());
        of_unsigned(&spoiled(&text));
    }
}

/// The same with another claim set under the same signature.
fn spoiled(text: &str) -> String {
    let parts: Vec<&str> = text.split('.').collect();
    format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(r#"{"sub":"mallory"}"#), parts[2])
}

/// Of a client's assertion, with any header and any claims under its key.
pub fn of_assertion(header: &str, payload: &[u8]) {
    let header = filled(header);
    let text = compact(&header, payload);
    let Ok(claims) = verify_assertion(&CLIENT, &text) else { return };
    let header = of_header(&header, false);
    assert!(header["kid"].is_null() || header["kid"] == KEY.id());
    assert!((1..=256).contains(&claims.jti.len()));
    assert_eq!(claimed_client(&text).as_ref(), Some(&claims.sub), "whose keys were looked up is who is let in");
    assert!(verify_assertion(&ANOTHER_CLIENT, &text).is_err());
    assert!(verify_assertion(&CLIENT, &spoiled(&text)).is_err());
}

/// Of a DPoP proof, with any header and any claims under the key that it brings.
pub fn of_proof(header: &str, payload: &[u8]) {
    let header = filled(header);
    let text = compact(&header, payload);
    let Ok(proof) = verify_proof(&text) else { return };
    let header = of_header(&header, true);
    assert_eq!(header["typ"], "dpop+jwt");
    assert!(header["jwk"].get("d").is_none() && header["jwk"].get("k").is_none());
    assert_eq!(proof.jkt, KEY.id(), "bound to the key that signed, and to no other");
    assert!((1..=256).contains(&proof.jti.len()));
    assert!(verify_proof(&spoiled(&text)).is_err());
}

/// Of the keys that a client registers: only public ones, and what is kept of them reads as the same.
pub fn of_client_keys(text: &str) {
    let Ok(keys) = ClientKeys::parse(text) else { return };
    let kept = keys.to_json();
    let list = kept["keys"].as_array().unwrap();
    assert!((1..=10).contains(&list.len()));
    for key in list {
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(key.get(private).is_none(), "{key}");
        }
    }
    assert_eq!(ClientKeys::from_json(&kept).unwrap().to_json(), kept);
}

/// Whether one of the two types is taken.
pub fn is_taken_as_jwt(header: &str, payload: &str) -> bool {
    let text = compact(&filled(header), payload.as_bytes());
    [JwtType::AccessToken, JwtType::IdToken].iter().any(|typ| verify::<Value>(&RING, &text, *typ).is_ok())
}
